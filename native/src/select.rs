//! Keep some of the samples of a matrix: a word of 32 codes at a time where they stay in order.

use crate::cpu::widest;
use crate::packing::word_at;

const CODES: usize = 32;

/// Samples to keep, in their order: both bits of each one's code, word by word.
pub struct Kept {
    masks: Vec<u64>,
    pub count: usize,
}

impl Kept {
    /// None where `columns` do not ascend strictly below `samples`.
    pub fn ascending(columns: &[usize], samples: usize) -> Option<Self> {
        let ordered = columns.windows(2).all(|pair| pair[0] < pair[1]);
        if !ordered || columns.last().is_some_and(|last| *last >= samples) {
            return None;
        }
        let mut masks = vec![0u64; samples.div_ceil(CODES)];
        for column in columns {
            masks[column / CODES] |= 3 << (2 * (column % CODES));
        }
        Some(Self { masks, count: columns.len() })
    }

    pub fn width(&self) -> usize {
        self.count.div_ceil(4)
    }
}

widest! {
    /// Move the kept codes of every row to the front: rows of `width` bytes become rows of `kept.width()`.
    ///
    /// No row is written before all of it was read: the new rows are no wider, so they never overtake the old ones.
    pub fn compact(bytes: &mut [u8], width: usize, kept: &Kept) => compact_anywhere
}

#[inline(always)]
fn compact_anywhere(bytes: &mut [u8], width: usize, kept: &Kept) {
    let rows = bytes.len() / width.max(1);
    let mut row = vec![0u8; width];
    // One word more than is needed, so that whole words can be written.
    let mut packed = vec![0u8; kept.width() + 16];
    for index in 0..rows {
        row.copy_from_slice(&bytes[index * width..(index + 1) * width]);
        pack_row(&row, kept, &mut packed);
        bytes[index * kept.width()..(index + 1) * kept.width()].copy_from_slice(&packed[..kept.width()]);
    }
}

#[inline(always)]
fn pack_row(row: &[u8], kept: &Kept, packed: &mut [u8]) {
    let (mut pending, mut filled, mut at) = (0u128, 0u32, 0);
    for (index, mask) in kept.masks.iter().enumerate() {
        pending |= u128::from(extract(word_at(row, 8 * index), *mask)) << filled;
        filled += mask.count_ones();
        if filled >= 64 {
            packed[at..at + 8].copy_from_slice(&(pending as u64).to_le_bytes());
            (pending, filled, at) = (pending >> 64, filled - 64, at + 8);
        }
    }
    packed[at..at + 8].copy_from_slice(&(pending as u64).to_le_bytes());
}

/// Gather the bits under a mask at the low end: one instruction where there is one.
#[inline(always)]
fn extract(word: u64, mask: u64) -> u64 {
    #[cfg(target_arch = "x86_64")]
    if crate::cpu::has_avx2() {
        // SAFETY: `has_avx2` has found BMI2.
        return unsafe { std::arch::x86_64::_pext_u64(word, mask) };
    }
    extract_plainly(word, mask)
}

fn extract_plainly(word: u64, mut mask: u64) -> u64 {
    let (mut out, mut place) = (0, 0);
    while mask != 0 {
        out |= ((word >> mask.trailing_zeros()) & 1) << place;
        place += 1;
        mask &= mask - 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::{code_at, pack_codes};

    #[test]
    fn compacting_keeps_the_codes_that_are_asked_for() {
        for samples in [1, 31, 64, 133, 257] {
            let width = usize::div_ceil(samples, 4);
            let mut bytes = Vec::new();
            for row in 0..5 {
                pack_codes((0..samples).map(|sample| ((sample * sample + row) % 4) as u8), &mut bytes);
            }
            for step in [1, 2, 3, 50] {
                let columns: Vec<usize> = (step / 2..samples).step_by(step).collect();
                let kept = Kept::ascending(&columns, samples).unwrap_or_else(|| panic!("{columns:?} ascend"));
                let mut found = bytes.clone();
                compact(&mut found, width, &kept);
                for row in 0..5 {
                    let mut expected = Vec::new();
                    let whole = &bytes[row * width..(row + 1) * width];
                    pack_codes(columns.iter().map(|column| code_at(whole, *column)), &mut expected);
                    assert_eq!(found[row * kept.width()..(row + 1) * kept.width()], expected[..]);
                }
            }
        }
    }

    #[test]
    fn bits_gathered_one_by_one_are_those_that_the_instruction_gathers() {
        for (word, mask) in
            [(0x0123_4567_89ab_cdef, 0xff00_3c00_0000_0ff3), (u64::MAX, 3), (7, 0), (1 << 63, u64::MAX)]
        {
            assert_eq!(extract(word, mask), extract_plainly(word, mask));
        }
    }
}
