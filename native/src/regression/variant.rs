//! One variant, read so that its codes count the rarer allele, and the walk over those who carry it.

use crate::packing::{count_codes, word_at, LOW_BITS};
use crate::regression::columns::{Block, QUAD};

const LINE_BYTES: usize = 64;

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

    /// Call `visit(person, word)` for every bit that `pick` leaves of the low bits of 32 codes, ascending.
    ///
    /// Eight words at a time, so that long stretches without any are passed over quickly. Behind the last sample a
    /// turned variant has twos: whoever visits people who are not there passes over them.
    #[inline(always)]
    fn for_each(&self, pick: impl Fn(u64) -> u64, mut visit: impl FnMut(usize, u64)) {
        let turn = if self.flipped { LOW_BITS } else { 0 };
        for (line, bytes) in self.row.chunks(LINE_BYTES).enumerate() {
            let mut words = [0u64; LINE_BYTES / 8];
            match <&[u8; LINE_BYTES]>::try_from(bytes) {
                Ok(whole) => {
                    for (word, bytes) in words.iter_mut().zip(whole.as_chunks::<8>().0) {
                        *word = u64::from_le_bytes(*bytes);
                    }
                }
                Err(_) => words.iter_mut().enumerate().for_each(|(at, word)| *word = word_at(bytes, 8 * at)),
            }
            // 0 and 2 differ in the high bit and have a clear low bit.
            words.iter_mut().for_each(|word| *word ^= (!*word & turn) << 1);
            let picked = words.map(|word| pick(word) & LOW_BITS);
            if picked.iter().fold(0, |any, word| any | word) == 0 {
                continue;
            }
            for (at, (word, mut left)) in words.into_iter().zip(picked).enumerate() {
                while left != 0 {
                    let bit = left.trailing_zeros() as usize;
                    visit(4 * LINE_BYTES * line + 32 * at + bit / 2, word >> bit);
                    left &= left.wrapping_sub(1);
                }
            }
        }
    }

    /// List the people without a genotype, ascending.
    pub fn missing(&self, people: &mut Vec<u32>) {
        people.clear();
        self.for_each(|word| word & (word >> 1), |person, _| people.push(person as u32));
    }

    /// Call `visit(person, twice)` for everyone who carries the rarer allele, ascending.
    #[inline(always)]
    pub fn for_each_carrier(&self, mut visit: impl FnMut(usize, bool)) {
        // One or the other bit, not both.
        self.for_each(|word| word ^ (word >> 1), |person, codes| visit(person, codes & 2 != 0));
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
                    // 30 bits: twice as much fits 32, and as many as there can be people fit 64.
                    total[lane] = total[lane].wrapping_add(i64::from(row[lane] << u32::from(twice)));
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
