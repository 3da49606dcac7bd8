//! As `walk`, for one column alone: what everyone's codes weigh, summed over rows.
//!
//! A row's weights are a table of four numbers, and looking codes up in it is one instruction for sixteen people where
//! there is AVX-512, for eight where there is AVX2. A strip of 256 people is summed at a time: their codes are one line
//! of the cache in each row, and their sums stay in registers. Sums are single precision within 64 rows and double
//! beyond, in the order of rows: the same to the last bit whatever the processor has.

/// People of a strip, and the bytes that their codes are.
const STRIP: usize = 256;
const STRIP_BYTES: usize = STRIP / 4;
/// Rows whose sums stay in single precision.
const RUN: usize = 64;

/// What the codes 0 to 3 of one row weigh.
pub type Table = [f32; 4];
type StripBytes = [u8; STRIP_BYTES];
type StripSums = [f32; STRIP];

/// Add, for everyone from the person `first` on, the weights of their codes: `tables[v]` belongs to row v.
///
/// `rows` are `width` bytes each, `first` is a multiple of four, and `totals` has one entry for each person.
pub fn add_column_sums(rows: &[u8], width: usize, tables: &[Table], first: usize, totals: &mut [f64]) {
    for (rows, tables) in rows.chunks(RUN * width).zip(tables.chunks(RUN)) {
        for (strip, totals) in totals.chunks_mut(STRIP).enumerate() {
            let start = first / 4 + strip * STRIP_BYTES;
            let sums = strip_sums(rows, width, start, tables);
            totals.iter_mut().zip(&sums).for_each(|(total, sum)| *total += f64::from(*sum));
        }
    }
}

/// The codes of a strip in one row; people behind its end have code 0.
#[inline(always)]
fn strip_of(row: &[u8], start: usize) -> StripBytes {
    let rest = row.get(start..).unwrap_or_default();
    if let Some(whole) = rest.first_chunk() {
        return *whole;
    }
    let mut padded = [0; STRIP_BYTES];
    padded[..rest.len()].copy_from_slice(rest);
    padded
}

fn strip_sums(rows: &[u8], width: usize, start: usize, tables: &[Table]) -> StripSums {
    #[cfg(target_arch = "x86_64")]
    {
        if crate::cpu::has_avx512() {
            // SAFETY: the instructions were just found.
            return unsafe { x86::strip_sums_512(rows, width, start, tables) };
        }
        if crate::cpu::has_avx2() {
            // SAFETY: the instructions were just found.
            return unsafe { x86::strip_sums_256(rows, width, start, tables) };
        }
    }
    strip_sums_anywhere(rows, width, start, tables)
}

fn strip_sums_anywhere(rows: &[u8], width: usize, start: usize, tables: &[Table]) -> StripSums {
    let mut sums = [0.0; STRIP];
    for (row, table) in rows.chunks_exact(width).zip(tables) {
        for (sums, byte) in sums.chunks_exact_mut(4).zip(strip_of(row, start)) {
            for (place, sum) in sums.iter_mut().enumerate() {
                *sum += table[usize::from(byte >> (2 * place) & 3)];
            }
        }
    }
    sums
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{strip_of, StripSums, Table, STRIP};
    use std::arch::x86_64::*;
    use std::mem::transmute;

    /// Codes of a word, and so people of a vector.
    const LANES: usize = 16;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
    pub fn strip_sums_512(rows: &[u8], width: usize, start: usize, tables: &[Table]) -> StripSums {
        let shifts = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        let mut sums = [_mm512_setzero_ps(); STRIP / LANES];
        for (row, [zero, one, two, three]) in rows.chunks_exact(width).zip(tables) {
            // Four times over, for a lookup counts four bits of an index, of which the upper two are the next code's.
            let table = _mm512_broadcast_f32x4(_mm_set_ps(*three, *two, *one, *zero));
            let strip = strip_of(row, start);
            for (sum, word) in sums.iter_mut().zip(strip.as_chunks::<4>().0) {
                let codes = _mm512_srlv_epi32(_mm512_set1_epi32(i32::from_le_bytes(*word)), shifts);
                *sum = _mm512_add_ps(*sum, _mm512_permutexvar_ps(codes, table));
            }
        }
        // SAFETY: both are as many single precision numbers, and any of them are one.
        unsafe { transmute::<[__m512; STRIP / LANES], StripSums>(sums) }
    }

    /// Words of a strip whose sums are in registers at once.
    const WORDS: usize = 4;

    #[target_feature(enable = "avx2,fma,popcnt,bmi1,bmi2")]
    pub fn strip_sums_256(rows: &[u8], width: usize, start: usize, tables: &[Table]) -> StripSums {
        let shifts =
            [_mm256_set_epi32(14, 12, 10, 8, 6, 4, 2, 0), _mm256_set_epi32(30, 28, 26, 24, 22, 20, 18, 16)];
        let mut all = [[[_mm256_setzero_ps(); 2]; WORDS]; STRIP / LANES / WORDS];
        for (part, sums) in all.iter_mut().enumerate() {
            let mut kept = *sums;
            for (row, [zero, one, two, three]) in rows.chunks_exact(width).zip(tables) {
                let table = _mm256_set_ps(*three, *two, *one, *zero, *three, *two, *one, *zero);
                let strip = strip_of(row, start);
                let words = strip.as_chunks::<4>().0.iter().skip(WORDS * part);
                for (sums, word) in kept.iter_mut().zip(words) {
                    let word = _mm256_set1_epi32(i32::from_le_bytes(*word));
                    for (sum, shift) in sums.iter_mut().zip(shifts) {
                        // Within each half, by the two lowest bits.
                        let codes = _mm256_srlv_epi32(word, shift);
                        *sum = _mm256_add_ps(*sum, _mm256_permutevar_ps(table, codes));
                    }
                }
            }
            *sums = kept;
        }
        // SAFETY: as above.
        unsafe { transmute::<[[[__m256; 2]; WORDS]; STRIP / LANES / WORDS], StripSums>(all) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::{code_at, pack_codes};

    #[test]
    fn a_long_sum_is_as_exact_as_a_short_one() {
        let (rows, tables) = (vec![1; 100_000], vec![[0.0, 1.1, 0.0, 0.0]; 100_000]);
        let mut totals = [0.0];
        add_column_sums(&rows, 1, &tables, 0, &mut totals);
        assert!((totals[0] / (100_000.0 * f64::from(1.1f32)) - 1.0).abs() < 2e-6, "{totals:?}");
    }

    #[test]
    fn everyone_sums_what_their_codes_weigh_whatever_the_processor_has() {
        for (rows, people) in [(1usize, 1usize), (3, 255), (257, 257), (600, 1030)] {
            let (width, mut packed) = (people.div_ceil(4), Vec::new());
            for row in 0..rows {
                pack_codes(
                    (0..people).map(|person| ((person * person + 7 * row) % 11 % 4) as u8),
                    &mut packed,
                );
            }
            let table = |row: usize| [0, 1, 2, 3].map(|code| ((row * 31 + code * 17) % 97) as f32 - 48.0);
            let tables: Vec<Table> = (0..rows).map(table).collect();
            for first in [0, 32] {
                let mut totals = vec![1.0; people.saturating_sub(first)];
                add_column_sums(&packed, width, &tables, first, &mut totals);
                for (index, total) in totals.iter().enumerate() {
                    let code = |row: usize| usize::from(code_at(&packed[row * width..], first + index));
                    let slow: f64 = (0..rows).map(|row| f64::from(tables[row][code(row)])).sum();
                    assert_eq!(*total, 1.0 + slow, "{index} of {people}");
                }
            }
            for start in [0, 8, width - 1, width] {
                // Not whole numbers, so that the order of adding shows.
                let thirds: Vec<Table> =
                    tables.iter().map(|table| table.map(|weight| weight / 3.0)).collect();
                let plain = strip_sums_anywhere(&packed, width, start, &thirds);
                assert_eq!(strip_sums(&packed, width, start, &thirds), plain);
                #[cfg(target_arch = "x86_64")]
                if crate::cpu::has_avx2() {
                    // SAFETY: the instructions were just found.
                    let by_256 = unsafe { x86::strip_sums_256(&packed, width, start, &thirds) };
                    assert_eq!(by_256, plain);
                }
            }
        }
    }
}
