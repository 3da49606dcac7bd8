//! One variant, read so that its codes count the rarer allele, and the walk over those who carry it.

use crate::packing::count_codes;
use crate::regression::columns::{Block, QUAD};

/// Low bit of each of the 32 codes of a word.
const LOW_BITS: u64 = 0x5555_5555_5555_5555;
const WORD_BYTES: usize = 8;

#[derive(Clone, Copy)]
pub struct Variant<'a> {
    pub row: &'a [u8],
    /// People with 0, 1 and 2 copies of the rarer allele, and without a genotype.
    pub counts: [i64; 4],
    /// Whether the rarer allele is the reference one.
    pub flipped: bool,
}

impl<'a> Variant<'a> {
    pub fn new(row: &'a [u8], samples: usize) -> Self {
        let mut counts = count_codes(row, samples);
        let flipped = counts[2] > counts[0];
        if flipped {
            counts.swap(0, 2);
        }
        Self { row, counts, flipped }
    }

    pub fn observed(&self) -> i64 {
        self.counts[0] + self.counts[1] + self.counts[2]
    }

    /// Copies of the rarer allele.
    pub fn copies(&self) -> i64 {
        self.counts[1] + 2 * self.counts[2]
    }

    /// Sum over people of the square of their copies.
    pub fn copies_squared(&self) -> f64 {
        (self.counts[1] + 4 * self.counts[2]) as f64
    }

    /// Copies of the alternate allele.
    pub fn alternate(&self) -> i64 {
        if self.flipped {
            2 * self.observed() - self.copies()
        } else {
            self.copies()
        }
    }

    pub fn carriers(&self) -> i64 {
        self.counts[1] + self.counts[2]
    }

    /// Codes 32 at a time. Behind the last sample a turned variant has twos.
    #[inline(always)]
    fn words(&self) -> impl Iterator<Item = u64> + use<'a> {
        let turn = if self.flipped { LOW_BITS } else { 0 };
        self.row.chunks(WORD_BYTES).map(move |chunk| {
            let word = match <[u8; WORD_BYTES]>::try_from(chunk) {
                Ok(bytes) => u64::from_le_bytes(bytes),
                Err(_) => chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            };
            // 0 and 2 differ in the high bit and have a clear low bit.
            word ^ (!word & turn) << 1
        })
    }

    /// List the people without a genotype, ascending.
    pub fn missing(&self, people: &mut Vec<u32>) {
        people.clear();
        for (first, word) in (0u32..).step_by(32).zip(self.words()) {
            let mut left = word & (word >> 1) & LOW_BITS;
            while left != 0 {
                people.push(first + left.trailing_zeros() / 2);
                left &= left - 1;
            }
        }
    }

    /// Call `visit(person, twice)` for everyone who carries the rarer allele, ascending. Behind the last sample of a
    /// turned variant come people who are not there: whoever visits them passes over them.
    #[inline(always)]
    pub fn for_each_carrier(&self, mut visit: impl FnMut(usize, bool)) {
        for (first, word) in (0usize..).step_by(32).zip(self.words()) {
            // One or the other bit, not both.
            let mut left = (word ^ (word >> 1)) & LOW_BITS;
            while left != 0 {
                let bit = left.trailing_zeros();
                visit(first + bit as usize / 2, (word >> (bit + 1)) & 1 == 1);
                left &= left - 1;
            }
        }
    }

    /// Add up a block's whole numbers over the carriers, times their copies: one short row per carrier.
    #[inline(always)]
    pub fn walk(&self, block: &Block, sums: &mut [i64]) {
        match block.quads {
            1 => self.walk_lanes::<QUAD>(block, sums),
            2 => self.walk_lanes::<{ 2 * QUAD }>(block, sums),
            _ => self.walk_lanes::<{ 3 * QUAD }>(block, sums),
        }
    }

    #[inline(always)]
    fn walk_lanes<const LANES: usize>(&self, block: &Block, sums: &mut [i64]) {
        let (rows, _) = block.values.as_chunks::<LANES>();
        let mut total = [0i64; LANES];
        self.for_each_carrier(|person, twice| {
            if let Some(row) = rows.get(person) {
                for lane in 0..LANES {
                    // 30 bits, so that twice as much still fits.
                    total[lane] += i64::from(row[lane] << u32::from(twice));
                }
            }
        });
        sums[..LANES].copy_from_slice(&total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::pack_codes;
    use crate::regression::columns::Columns;

    #[test]
    fn a_walk_counts_each_copy_of_the_rarer_allele_once() {
        let mut row = Vec::new();
        pack_codes([2, 2, 1, 3, 0, 2, 2].into_iter(), &mut row);
        let variant = Variant::new(&row, 7);
        assert!(variant.flipped);
        assert_eq!((variant.counts, variant.copies(), variant.alternate()), ([4, 1, 1, 1], 3, 9));
        // Powers of eight tell from a sum who was counted how often.
        let columns = Columns::new(7, 1, |person, _| (8 << (3 * person)) as f64);
        let mut sums = [0; QUAD];
        variant.walk(&columns.blocks[0], &mut sums);
        let sum = (sums[0] as f64 * columns.units[0]).round() as i64;
        assert_eq!(sum, (8 << 6) + 2 * (8 << 12));
        let mut people = Vec::new();
        variant.missing(&mut people);
        assert_eq!(people, [3]);
    }
}
