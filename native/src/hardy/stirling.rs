//! Factorials by Stirling's series, from sums, products and quotients only: every processor gives the same bits.

/// Counts from which on the series is exact to the last digits.
pub const MANY: f64 = 24.0;

/// What Stirling's formula lacks of the logarithms of factorials, from `MANY` on.
#[inline(always)]
pub fn stirling<const N: usize>(counts: [f64; N]) -> [f64; N] {
    const FACTORS: [f64; 5] = [1.0 / 12.0, -1.0 / 360.0, 1.0 / 1260.0, -1.0 / 1680.0, 1.0 / 1188.0];
    let small = counts.map(f64::recip);
    let sums = series(small.map(|one| one * one), &FACTORS);
    std::array::from_fn(|lane| small[lane] * sums[lane])
}

/// Count × ln(count / expected) + expected − count, where they differ by less than a tenth of what is expected.
#[inline(always)]
pub fn distances<const N: usize>(counts: [f64; N], expected: [f64; N]) -> [f64; N] {
    const FACTORS: [f64; 13] = {
        let mut factors = [0.0; 13];
        let mut power = 0;
        while power < factors.len() {
            let sign = if power.is_multiple_of(2) { 1.0 } else { -1.0 };
            factors[power] = sign / ((power + 1) * (power + 2)) as f64;
            power += 1;
        }
        factors
    };
    let differences: [f64; N] = std::array::from_fn(|lane| counts[lane] - expected[lane]);
    let relative: [f64; N] = std::array::from_fn(|lane| differences[lane] / expected[lane]);
    let sums = series(relative, &FACTORS);
    std::array::from_fn(|lane| differences[lane] * relative[lane] * sums[lane])
}

/// Exponentials of what lies within 0.2 of zero.
#[inline(always)]
pub fn exponential_near_zero<const N: usize>(values: [f64; N]) -> [f64; N] {
    const FACTORS: [f64; 12] = {
        let mut factors = [1.0; 12];
        let mut power = 1;
        while power < factors.len() {
            factors[power] = factors[power - 1] / power as f64;
            power += 1;
        }
        factors
    };
    series(values, &FACTORS)
}

/// Power series, side by side.
#[inline(always)]
fn series<const N: usize>(values: [f64; N], factors: &[f64]) -> [f64; N] {
    factors
        .iter()
        .rev()
        .fold([0.0; N], |sums, factor| std::array::from_fn(|lane| sums[lane] * values[lane] + factor))
}
