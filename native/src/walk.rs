//! Weighted sums over genotype codes: for every row of codes, the sum of what its codes weigh, 16 columns at once.
//!
//! Four codes share a byte, so they have 256 patterns: each pattern's sum is looked up instead of computed, and a
//! table, once made, serves a whole block of rows. Sums are single precision within 256 codes and double beyond.
//! Rows with few carriers are walked carrier by carrier. Both products of a genotype matrix are this one walk:
//! over its rows, or over the rows of its transpose, which is made a tile at a time.

use crate::cpu::widest;
use crate::packing::{word_at, LOW_BITS};
use crate::transpose::{transpose_squares, SIDE};

/// Columns of one walk: 64 bytes of single precision.
pub const LANES: usize = 16;
/// Bytes of a row that are looked up between two visits to its sum.
const STRIDE: usize = 4;
/// Codes in one such stride.
pub const STRIDE_CODES: usize = 4 * STRIDE;
/// Strides whose sums stay in single precision.
const RUN: usize = 16;
/// Rows that share one set of tables.
const BLOCK: usize = 2048;
/// Words from one stride to the next: not a power of two, or all strides of a row would share one set of the cache.
const PITCH: usize = BLOCK + 16;
/// Bytes of rows that should stay in the second level of the cache while they are walked.
const NEAR_BYTES: usize = 1 << 20;
/// A row is walked carrier by carrier below one carrier to so many people.
const SPARSE_SHARE: usize = 16;

/// One value for each column, on a cache line of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C, align(64))]
pub struct Lanes(pub [f32; LANES]);

/// Double precision sums of one row.
pub type Sums = [f64; LANES];

impl Lanes {
    pub const ZERO: Self = Self([0.0; LANES]);

    #[inline(always)]
    fn plus(self, other: &Self) -> Self {
        let mut out = self;
        out.0.iter_mut().zip(&other.0).for_each(|(sum, value)| *sum += value);
        out
    }

    pub fn times(&self, factor: f32) -> Self {
        Self(self.0.map(|value| value * factor))
    }
}

/// What the codes 1, 2 and 3 of one column of codes weigh; code 0 weighs nothing.
#[derive(Clone, Copy)]
pub struct Weights {
    pub of_code: [Lanes; 3],
}

impl Weights {
    /// A dosage's weight, nothing for a missing one.
    pub fn per_allele(lanes: Lanes) -> Self {
        Self { of_code: [lanes, lanes.times(2.0), Lanes::ZERO] }
    }
}

type Table = [Lanes; 256];

/// The tables of one stride and the patterns that a row without code 3 can show.
struct Tables {
    tables: Vec<Table>,
    complete: Vec<u8>,
    every: Vec<u8>,
}

impl Tables {
    fn new() -> Self {
        let every: Vec<u8> = (0..=255).collect();
        let has_three = |byte: u8| byte & (byte >> 1) & 0x55 != 0;
        let complete = every.iter().copied().filter(|byte| !has_three(*byte)).collect();
        Self { tables: vec![[Lanes::ZERO; 256]; STRIDE], complete, every }
    }

    /// Write the sums of all patterns of four codes. `complete` promises that none of them is code 3.
    #[inline(always)]
    fn fill(&mut self, stride: &[Weights], complete: bool) {
        let patterns = if complete { &self.complete } else { &self.every };
        for (index, table) in self.tables.iter_mut().enumerate() {
            let of = |place: usize, code: usize| match (code, stride.get(4 * index + place)) {
                (1..=3, Some(weights)) => weights.of_code[code - 1],
                _ => Lanes::ZERO,
            };
            let mut pairs = [[Lanes::ZERO; 16]; 2];
            for (half, sums) in pairs.iter_mut().enumerate() {
                for (pattern, sum) in sums.iter_mut().enumerate() {
                    *sum = of(2 * half, pattern & 3).plus(&of(2 * half + 1, pattern >> 2));
                }
            }
            for byte in patterns {
                let pattern = usize::from(*byte);
                table[pattern] = pairs[0][pattern & 15].plus(&pairs[1][pattern >> 4]);
            }
        }
    }

    /// Add to each row's sum what the four bytes of its word weigh.
    #[inline(always)]
    fn add(&self, words: &[u32], sums: &mut [Lanes]) {
        let [first, second, third, fourth] = &self.tables[..] else { return };
        for (word, sum) in words.iter().zip(sums) {
            let [a, b, c, d] = word.to_le_bytes().map(usize::from);
            let left = first[a].plus(&second[b]);
            let right = third[c].plus(&fourth[d]);
            *sum = sum.plus(&left.plus(&right));
        }
    }
}

/// A block of rows on its way through the tables.
struct Walk {
    tables: Tables,
    single: Vec<Lanes>,
    words: Vec<u32>,
}

impl Walk {
    fn new() -> Self {
        Self { tables: Tables::new(), single: vec![Lanes::ZERO; BLOCK], words: vec![0; RUN * PITCH] }
    }

    /// Add one run's strides, words stride-major, to the rows' sums.
    #[inline(always)]
    fn run(&mut self, rows: usize, strides: usize, weights: &[Weights], complete: bool, totals: &mut [Sums]) {
        let single = &mut self.single[..rows];
        single.fill(Lanes::ZERO);
        for (stride, chunk) in weights.chunks(STRIDE_CODES).take(strides).enumerate() {
            self.tables.fill(chunk, complete);
            self.tables.add(&self.words[stride * PITCH..stride * PITCH + rows], single);
        }
        for (total, sum) in totals.iter_mut().zip(single.iter()) {
            total.iter_mut().zip(&sum.0).for_each(|(total, value)| *total += f64::from(*value));
        }
    }
}

/// One row, seen in such a way that its codes count the rarer allele.
pub struct Oriented<'a> {
    row: &'a [u8],
    /// Of the codes as they are seen: both homozygotes change places where `flipped`.
    pub counts: [i64; 4],
    pub flipped: bool,
}

impl<'a> Oriented<'a> {
    #[inline(always)]
    pub fn new(row: &'a [u8], people: usize) -> Self {
        let [mut low, mut high, mut both] = [0u64; 3];
        for start in (0..row.len()).step_by(8) {
            let word = word_at(row, start);
            low += u64::from((word & LOW_BITS).count_ones());
            high += u64::from((word & !LOW_BITS).count_ones());
            both += u64::from((word & (word >> 1) & LOW_BITS).count_ones());
        }
        let [one, two, missing] = [low - both, high - both, both].map(u64::cast_signed);
        let mut counts = [people as i64 - one - two - missing, one, two, missing];
        let flipped = counts[2] > counts[0];
        if flipped {
            counts.swap(0, 2);
        }
        Self { row, counts, flipped }
    }

    pub fn observed(&self) -> i64 {
        self.counts[0] + self.counts[1] + self.counts[2]
    }

    /// Counts of the codes as they were given.
    pub fn true_counts(&self) -> [i64; 4] {
        let [zero, one, two, missing] = self.counts;
        if self.flipped {
            [two, one, zero, missing]
        } else {
            self.counts
        }
    }

    pub fn alleles(&self) -> i64 {
        self.counts[1] + 2 * self.counts[2]
    }

    #[inline(always)]
    fn is_sparse(&self, people: usize) -> bool {
        (people as i64 - self.counts[0]) as usize * SPARSE_SHARE < people
    }

    /// Codes from a byte on, turned round where needed. Behind the end of a row that is, they are no zeros.
    #[inline(always)]
    fn word(&self, start: usize) -> u64 {
        let word = word_at(self.row, start);
        // 0 and 2 differ in the high bit and have a clear low bit.
        let turned = if self.flipped { u64::MAX } else { 0 };
        word ^ ((!word & LOW_BITS) << 1 & turned)
    }

    /// Call `visit(person, code)` for every code but zero of `people`, in order.
    #[inline(always)]
    pub fn for_each_nonzero(&self, people: usize, mut visit: impl FnMut(usize, u8)) {
        for start in (0..self.row.len()).step_by(8) {
            let word = self.word(start);
            let mut left = (word | (word >> 1)) & LOW_BITS;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                let person = 4 * start + bit / 2;
                if person >= people {
                    return;
                }
                visit(person, ((word >> bit) & 3) as u8);
                left &= left - 1;
            }
        }
    }

    /// Call `visit(person)` for everyone whose code is missing, in order.
    #[inline(always)]
    pub fn for_each_missing(&self, mut visit: impl FnMut(usize)) {
        if self.counts[3] == 0 {
            return;
        }
        for start in (0..self.row.len()).step_by(8) {
            let word = word_at(self.row, start);
            let mut left = word & (word >> 1) & LOW_BITS;
            while left != 0 {
                visit(4 * start + left.trailing_zeros() as usize / 2);
                left &= left - 1;
            }
        }
    }
}

/// Rows of so many bytes that are best summed together.
pub fn rows_together(width: usize) -> usize {
    (NEAR_BYTES / width.max(1)).clamp(BLOCK / 8, BLOCK)
}

/// Sum, for each row, the weights of its people: `weights[i]` belongs to code i of every row.
#[inline(always)]
pub fn row_sums(rows: &[Oriented<'_>], weights: &[Weights]) -> Vec<Sums> {
    let people = weights.len();
    let mut sums = vec![[0.0; LANES]; rows.len()];
    let mut dense = Vec::with_capacity(rows.len());
    for (index, row) in rows.iter().enumerate() {
        if row.is_sparse(people) {
            row.for_each_nonzero(people, |person, code| {
                let lanes = &weights[person].of_code[usize::from(code) - 1];
                sums[index].iter_mut().zip(&lanes.0).for_each(|(sum, value)| *sum += f64::from(*value));
            });
        } else {
            dense.push(index);
        }
    }
    let mut walk = Walk::new();
    for block in dense.chunks(BLOCK) {
        let complete = block.iter().all(|index| rows[*index].counts[3] == 0);
        let mut totals = vec![[0.0; LANES]; block.len()];
        for (run, chunk) in weights.chunks(RUN * STRIDE_CODES).enumerate() {
            let strides = chunk.len().div_ceil(STRIDE_CODES);
            for (place, index) in block.iter().enumerate() {
                for pair in 0..strides.div_ceil(2) {
                    let word = rows[*index].word((run * RUN + 2 * pair) * STRIDE);
                    walk.words[2 * pair * PITCH + place] = word as u32;
                    if 2 * pair + 1 < strides {
                        walk.words[(2 * pair + 1) * PITCH + place] = (word >> 32) as u32;
                    }
                }
            }
            walk.run(block.len(), strides, chunk, complete, &mut totals);
        }
        block.iter().zip(totals).for_each(|(index, total)| sums[*index] = total);
    }
    sums
}

widest! {
    /// Add, for everyone from the person `first` on, the weights of their codes: `weights[v]` belongs to row v.
    ///
    /// `rows` are `width` bytes each, `first` is a multiple of 32, and `totals` has one entry for each person.
    pub fn add_column_sums(rows: &[u8], width: usize, weights: &[Weights], first: usize, totals: &mut [Sums])
        => add_column_sums_anywhere
}

#[inline(always)]
fn add_column_sums_anywhere(
    rows: &[u8],
    width: usize,
    weights: &[Weights],
    first: usize,
    totals: &mut [Sums],
) {
    let mut walk = Walk::new();
    let complete = rows.iter().fold(0, |seen, byte| seen | (byte & (byte >> 1) & 0x55)) == 0;
    for (block, totals) in totals.chunks_mut(BLOCK).enumerate() {
        let first = first + block * BLOCK;
        let count = totals.len();
        for (run, chunk) in weights.chunks(RUN * STRIDE_CODES).enumerate() {
            let strides = chunk.len().div_ceil(STRIDE_CODES);
            for (pair, group) in chunk.chunks(SIDE).enumerate() {
                let top = run * RUN * STRIDE_CODES + pair * SIDE;
                let group = &rows[top * width..(top + group.len()) * width];
                for start in (0..count).step_by(SIDE) {
                    let mut square = [[0u64]; SIDE];
                    for ([word], row) in square.iter_mut().zip(group.chunks_exact(width)) {
                        *word = word_at(row, (first + start) / 4);
                    }
                    transpose_squares(&mut square);
                    for (offset, [word]) in square.iter().enumerate().take(count - start) {
                        walk.words[2 * pair * PITCH + start + offset] = *word as u32;
                        if 2 * pair + 1 < strides {
                            walk.words[(2 * pair + 1) * PITCH + start + offset] = (*word >> 32) as u32;
                        }
                    }
                }
            }
            walk.run(count, strides, chunk, complete, totals);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::{code_at, pack_codes};
    use crate::transpose::transpose_codes;

    fn codes(rows: usize, columns: usize) -> Vec<u8> {
        let mut state = 11u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            [0, 0, 1, 2, 0, 1, 3, 0][(state >> 29) as usize]
        };
        let mut out = Vec::new();
        (0..rows).for_each(|_| pack_codes((0..columns).map(|_| next()), &mut out));
        out
    }

    fn weights(count: usize) -> Vec<Weights> {
        let value = |index: usize| ((index * 7919) % 101) as f32 - 50.0;
        let lanes = |index: usize| Lanes(std::array::from_fn(|lane| value(17 * index + lane)));
        (0..count)
            .map(|index| Weights { of_code: [lanes(index), lanes(index + 5), lanes(index + 9)] })
            .collect()
    }

    fn slow(row: &[u8], weights: &[Weights], flipped: bool) -> Sums {
        let mut sums = [0.0; LANES];
        for (index, one) in weights.iter().enumerate() {
            let code = usize::from(code_at(row, index));
            let code = if flipped { [2, 1, 0, 3][code] } else { code };
            if code > 0 {
                let lanes = &one.of_code[code - 1];
                sums.iter_mut().zip(&lanes.0).for_each(|(sum, value)| *sum += f64::from(*value));
            }
        }
        sums
    }

    #[test]
    fn a_row_sums_what_its_codes_weigh() {
        for (rows, people) in [(1, 1usize), (5, 17), (40, 300), (2100, 45)] {
            let width = people.div_ceil(4);
            let packed = codes(rows, people);
            let oriented: Vec<Oriented> =
                packed.chunks_exact(width).map(|row| Oriented::new(row, people)).collect();
            let weights = weights(people);
            for ((sum, seen), row) in
                row_sums(&oriented, &weights).iter().zip(&oriented).zip(packed.chunks_exact(width))
            {
                assert_eq!(*sum, slow(row, &weights, seen.flipped));
            }
        }
    }

    #[test]
    fn a_column_sums_what_its_codes_weigh() {
        for (rows, people) in [(1usize, 1usize), (17, 5), (300, 70), (45, 2100)] {
            let width = people.div_ceil(4);
            let packed = codes(rows, people);
            let weights = weights(rows);
            let slices: Vec<&[u8]> = packed.chunks_exact(width).collect();
            let turned = transpose_codes(&slices, people);
            let mut totals = vec![[0.0; LANES]; people];
            let (left, right) = totals.split_at_mut(32.min(people));
            add_column_sums(&packed, width, &weights, 0, left);
            add_column_sums(&packed, width, &weights, left.len(), right);
            for (sum, row) in totals.iter().zip(turned.chunks_exact(rows.div_ceil(4))) {
                assert_eq!(*sum, slow(row, &weights, false));
            }
        }
    }

    #[test]
    fn turning_a_row_round_swaps_both_homozygotes_and_nothing_else() {
        let codes = [2, 2, 1, 3, 0, 2, 2];
        let mut row = Vec::new();
        pack_codes(codes.into_iter(), &mut row);
        let turned = Oriented::new(&row, codes.len());
        let mut found = Vec::new();
        turned.for_each_nonzero(codes.len(), |person, code| found.push((person, code)));
        assert_eq!(found, [(2, 1), (3, 3), (4, 2)]);
        assert_eq!((turned.flipped, turned.counts), (true, [4, 1, 1, 1]));
    }
}
