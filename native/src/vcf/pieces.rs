//! The bits of a line, one a byte, and the pieces that it is cut into at those of a separator.

use std::ops::Range;

/// So many words of a line are looked at, at most; nearly all lines of one person are shorter.
pub const WORDS: usize = 64;

/// One bit for each byte of the line; what stands behind the last look is of earlier lines.
#[derive(Clone, Copy)]
pub struct Bits(pub [u64; WORDS + 2]);

impl Default for Bits {
    fn default() -> Self {
        Self([0; WORDS + 2])
    }
}

impl Bits {
    /// The 64 bits from a place on, which may be the one behind all that can be looked at.
    #[inline(always)]
    pub fn from(&self, at: usize) -> u64 {
        let pair = u128::from(self.0[at / 64]) | u128::from(self.0[at / 64 + 1]) << 64;
        (pair >> (at % 64)) as u64
    }

    /// The places of the ones from `at` on, in the words that hold `seen` bits.
    #[inline(always)]
    pub fn ones(&self, at: usize, seen: usize) -> Ones<'_> {
        let mut words = self.0.get(at / 64..seen.div_ceil(64)).unwrap_or_default().iter();
        let first = words.next().copied().unwrap_or(0);
        Ones { words, start: at / 64 * 64, bits: first & (u64::MAX << (at % 64)) }
    }
}

/// The places of the ones from some place on.
pub struct Ones<'a> {
    words: std::slice::Iter<'a, u64>,
    /// Where the bits of the word at hand begin, and those of them that are left.
    start: usize,
    bits: u64,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.bits == 0 {
            self.bits = *self.words.next()?;
            self.start += 64;
        }
        let place = self.start + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        Some(place)
    }
}

/// A part of a line, cut at a separator.
pub struct Pieces<'a> {
    ones: Ones<'a>,
    line: &'a [u8],
    separator: u8,
    seen: usize,
    /// What is left, if anything is.
    rest: Option<Range<usize>>,
}

impl<'a> Pieces<'a> {
    #[inline(always)]
    pub fn new(ones: Ones<'a>, line: &'a [u8], separator: u8, seen: usize, part: Range<usize>) -> Self {
        Self { ones, line, separator, seen, rest: Some(part) }
    }
}

impl Iterator for Pieces<'_> {
    type Item = Range<usize>;

    #[inline(always)]
    fn next(&mut self) -> Option<Range<usize>> {
        let Range { start, end } = self.rest.take()?;
        let seen = self.ones.next().filter(|place| *place < self.seen);
        let place = seen.or_else(|| {
            let unseen = start.max(self.seen);
            let behind = self.line.get(unseen..end)?;
            memchr::memchr(self.separator, behind).map(|length| unseen + length)
        });
        let Some(place) = place.filter(|place| *place < end) else { return Some(start..end) };
        self.rest = Some(place + 1..end);
        Some(start..place)
    }
}
