//! Plain numbers, as bits: digits with a point in the middle at most, a minus in front at most.

use super::values::{Definition, Kind};

/// The longest run of digits that surely fits 32 bits.
pub const SHORT: usize = 9;
/// The longest value that is looked at as one word, with what ends it.
pub const LONGEST: usize = 62;

/// The form of a value that is a single number.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// Which of `Index::impossible` it is.
    pub place: usize,
    pub longest: usize,
}

impl Form {
    pub fn of(definition: Definition) -> Option<Self> {
        match (definition.kind, definition.natural) {
            (Kind::Integer, _) => Some(Self { place: 0, longest: SHORT }),
            (Kind::Float, false) => Some(Self { place: 1, longest: LONGEST }),
            (Kind::Float, true) => Some(Self { place: 2, longest: LONGEST }),
            _ => None,
        }
    }
}

/// What a number's bytes say of the ones behind them, from one look to the next.
#[derive(Default)]
pub struct Numbers {
    /// The last byte was a point.
    point: u64,
    /// The last byte may stand before a minus.
    before: u64,
    /// The last byte was a digit of a fraction.
    fraction: u64,
    /// The last byte was a digit.
    digit: u64,
}

impl Numbers {
    /// The bytes that no single number has, whatever stands around them, and those that end what none ends with.
    #[inline(always)]
    pub fn impossible(&mut self, digits: u64, points: u64, minuses: u64, [before, ends]: [u64; 2]) -> u64 {
        let behind_point = points << 1 | self.point;
        let begins = before << 1 | self.before;
        // Added, the bit behind a point runs through the digits there and comes out behind the last of them.
        let (sum, one) = digits.overflowing_add(behind_point & digits);
        let (sum, other) = sum.overflowing_add(self.fraction);
        let behind_fraction = (sum & !digits) | behind_point | (self.fraction & !digits);
        let behind_digit = digits << 1 | self.digit;
        *self = Self {
            point: points >> 63,
            before: before >> 63,
            fraction: u64::from(one | other),
            digit: digits >> 63,
        };
        !(digits | points | minuses | ends)
            | (ends & !behind_digit)
            | (minuses & !begins)
            | (points & behind_fraction)
    }
}

/// Where a run of digits has its tenth.
#[inline(always)]
pub fn tenth_digits(digits: u64) -> u64 {
    let two = digits & (digits >> 1);
    let four = two & (two >> 2);
    let eight = four & (four >> 4);
    eight & (two >> 8)
}
