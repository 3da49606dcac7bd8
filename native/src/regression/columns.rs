//! The columns that are summed over carriers, as whole numbers.
//!
//! Each column is scaled to 30 bits and rounded. Sums of whole numbers are exact, so they are the same in any
//! order: on every processor, with any number of threads, for carriers walked one by one or people multiplied by
//! the thousand. What rounding costs is stated in `docs/explanation/algorithms.md`: far less than 10⁻⁶ standard
//! errors.

/// Columns in a quad and digits of each: 16 lanes of 32 bits.
pub const QUAD: usize = 4;
/// People behind one lane: four bytes.
pub const GROUP: usize = 4;
/// Quads that are multiplied at once: their sums, for a tile of variants, fill the registers.
pub const MOST_QUADS: usize = 3;

const LARGEST: f64 = ((1u32 << 30) - 1) as f64;

/// Digits of four people in one quad: lane `4 * column + digit`, four people to a lane.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub struct DigitRow(pub [i8; 64]);

/// Up to twelve columns that are summed together.
pub struct Block {
    pub quads: usize,
    /// Row-major, one row of `quads * QUAD` whole numbers per person.
    pub values: Vec<i32>,
    /// `quads` rows for each group of four people.
    pub digits: Vec<DigitRow>,
}

/// All columns, in blocks, and what one unit of each stands for.
pub struct Columns {
    pub blocks: Vec<Block>,
    pub units: Vec<f64>,
}

impl Columns {
    /// Take `count` columns, `value(person, column)`, of so many people.
    pub fn new(samples: usize, count: usize, value: impl Fn(usize, usize) -> f64) -> Self {
        let units: Vec<f64> = (0..count)
            .map(|column| {
                let largest = (0..samples).map(|person| value(person, column).abs()).fold(0.0, f64::max);
                if largest > 0.0 {
                    largest / LARGEST
                } else {
                    1.0
                }
            })
            .collect();
        let blocks = (0..count)
            .step_by(MOST_QUADS * QUAD)
            .map(|first| {
                let columns = (count - first).min(MOST_QUADS * QUAD);
                // A float beyond the range of the integer saturates, and no number becomes zero.
                let whole = |person: usize, column: usize| {
                    (value(person, first + column) / units[first + column]).round() as i32
                };
                Block::new(samples, columns, whole)
            })
            .collect();
        Self { blocks, units }
    }

    pub fn quads(&self) -> usize {
        self.blocks.iter().map(|block| block.quads).sum()
    }
}

impl Block {
    fn new(samples: usize, columns: usize, whole: impl Fn(usize, usize) -> i32) -> Self {
        let quads = columns.div_ceil(QUAD);
        let width = quads * QUAD;
        let mut values = vec![0; samples * width];
        let mut digits = vec![DigitRow([0; 64]); samples.div_ceil(GROUP) * quads];
        for person in 0..samples {
            for column in 0..columns {
                let number = whole(person, column);
                values[person * width + column] = number;
                let row = &mut digits[person / GROUP * quads + column / QUAD];
                for (digit, value) in digits_of(number).into_iter().enumerate() {
                    row.0[GROUP * (QUAD * (column % QUAD) + digit) + person % GROUP] = value;
                }
            }
        }
        Self { quads, values, digits }
    }
}

/// Four signed digits to the base 256, the lowest first.
fn digits_of(number: i32) -> [i8; 4] {
    let mut rest = i64::from(number);
    [(); 4].map(|()| {
        let digit = rest as i8;
        rest = (rest - i64::from(digit)) >> 8;
        digit
    })
}

/// Put a quad's digit sums together to the sums of its four columns.
pub fn from_digits(lanes: &[i64; 16]) -> [i64; QUAD] {
    std::array::from_fn(|column| (0..4).map(|digit| lanes[4 * column + digit] << (8 * digit)).sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_put_together_are_the_number() {
        let top = (1 << 30) - 1;
        for number in [0, 1, -1, 127, 128, 255, -128, -129, 8_421_504, top, -top] {
            let mut lanes = [0i64; 16];
            for (lane, digit) in lanes[8..12].iter_mut().zip(digits_of(number)) {
                *lane = i64::from(digit);
            }
            assert_eq!(from_digits(&lanes), [0, 0, i64::from(number), 0]);
        }
    }
}
