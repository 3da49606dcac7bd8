//! Sums for common variants: bytes of genotypes times bytes of digits, many people to an instruction.
//!
//! A tile of eight variants is unpacked, a thousand people at a time, to one byte a person. Every group of four
//! people is then one 32-bit word, which the processor multiplies with the digits of those people in sixteen lanes
//! and adds up (AVX-512 VNNI; with AVX2 in three steps and half the width). Where neither is there, carriers are
//! walked: slower, and the same to the last bit, because all of it is whole numbers.

#[cfg(target_arch = "x86_64")]
use crate::cpu;
use crate::cpu::widest;
use crate::regression::columns::{from_digits, Columns, DigitRow, QUAD};
use crate::regression::variant::Variant;

/// Variants whose sums are held in registers at once.
pub const TILE: usize = 8;
/// Groups of four people in a pass: the tile's bytes stay in the first-level cache, the digits in the second.
const PASS: usize = 256;

/// A pass of a tile: four people's copies to a word.
type Copies = [[u32; PASS]; TILE];
/// Digit sums of one quad, for every variant of a tile.
pub type QuadSums = [[i64; 16]; TILE];

/// The instructions that this processor has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kernel {
    #[cfg(target_arch = "x86_64")]
    Vnni,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Walk,
}

impl Kernel {
    /// Every kernel that runs here, the fastest first.
    pub fn all() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            if cpu::has_avx512() && is_x86_feature_detected!("avx512vnni") {
                found.push(Self::Vnni);
            }
            if cpu::has_avx2() {
                found.push(Self::Avx2);
            }
        }
        found.push(Self::Walk);
        found
    }

    /// Whether so few carry a variant that walking over them is faster than multiplying all people.
    pub fn is_sparse(self, carriers: i64, samples: usize) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Vnni => carriers as usize * 16 < samples,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => carriers as usize * 6 < samples,
            Self::Walk => true,
        }
    }
}

/// Sum all columns for up to `TILE` variants; `sums` is (variants, quads * QUAD).
pub fn tile_sums(
    kernel: Kernel,
    variants: &[Variant<'_>],
    columns: &Columns,
    work: &mut Work,
    sums: &mut [i64],
) {
    let width = columns.quads() * QUAD;
    work.totals.clear();
    work.totals.resize(columns.quads(), [[0; 16]; TILE]);
    let groups = variants.first().map_or(0, |variant| variant.row.len());
    for first in (0..groups).step_by(PASS) {
        let last = groups.min(first + PASS);
        for (variant, copies) in variants.iter().zip(work.copies.iter_mut()) {
            unpack(&variant.row[first..last], variant.flipped, copies);
        }
        let mut quad = 0;
        for block in &columns.blocks {
            let digits = &block.digits[first * block.quads..last * block.quads];
            let totals = &mut work.totals[quad..quad + block.quads];
            match block.quads {
                1 => multiply::<1>(kernel, &work.copies, digits, totals),
                2 => multiply::<2>(kernel, &work.copies, digits, totals),
                _ => multiply::<3>(kernel, &work.copies, digits, totals),
            }
            quad += block.quads;
        }
    }
    for (quad, totals) in work.totals.iter().enumerate() {
        for (lanes, sums) in totals.iter().zip(sums.chunks_exact_mut(width)) {
            sums[quad * QUAD..(quad + 1) * QUAD].copy_from_slice(&from_digits(lanes));
        }
    }
}

/// What one thread needs to sum a tile.
pub struct Work {
    copies: Box<Copies>,
    totals: Vec<QuadSums>,
}

impl Work {
    pub fn new() -> Self {
        Self { copies: Box::new([[0; PASS]; TILE]), totals: Vec::new() }
    }
}

/// Spread codes out to a byte each, with nothing for missing ones.
#[inline(always)]
fn unpack_bytes(row: &[u8], flipped: bool, copies: &mut [u32; PASS]) {
    const LOW: u32 = 0x0101_0101;
    let turn = if flipped { LOW } else { 0 };
    for (byte, copies) in row.iter().zip(copies) {
        let pairs = u32::from(*byte) | u32::from(*byte) << 12;
        let mut codes = (pairs | pairs << 6) & (3 * LOW);
        codes ^= (!codes & turn) << 1;
        let missing = codes & codes >> 1 & LOW;
        *copies = codes ^ (missing | missing << 1);
    }
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{Copies, DigitRow, QuadSums, PASS, TILE};
    use std::arch::x86_64::*;
    use std::mem::transmute;

    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vnni")]
    pub fn multiply_512<const QUADS: usize>(
        copies: &Copies,
        rows: &[[DigitRow; QUADS]],
        totals: &mut [QuadSums],
    ) {
        let mut sums = [[_mm512_setzero_si512(); QUADS]; TILE];
        for (group, rows) in rows.iter().enumerate().take(PASS) {
            // SAFETY: both are 64 bytes, and any bytes are a vector.
            let digits = rows.map(|row| unsafe { transmute::<[i8; 64], __m512i>(row.0) });
            for (copies, sums) in copies.iter().zip(&mut sums) {
                let four = _mm512_set1_epi32(copies[group].cast_signed());
                for (sum, digits) in sums.iter_mut().zip(digits) {
                    *sum = _mm512_dpbusd_epi32(*sum, four, digits);
                }
            }
        }
        for (variant, sums) in sums.into_iter().enumerate() {
            for (sum, totals) in sums.into_iter().zip(&mut *totals) {
                // SAFETY: both are 64 bytes, and any bytes are integers.
                let lanes = unsafe { transmute::<__m512i, [i32; 16]>(sum) };
                lanes
                    .into_iter()
                    .zip(&mut totals[variant])
                    .for_each(|(lane, total)| *total += i64::from(lane));
            }
        }
    }

    /// Half a row of digits at a time and four variants: what 16 registers hold.
    #[target_feature(enable = "avx2")]
    pub fn multiply_256<const QUADS: usize>(
        copies: &Copies,
        rows: &[[DigitRow; QUADS]],
        totals: &mut [QuadSums],
    ) {
        const VARIANTS: usize = 4;
        let ones = _mm256_set1_epi16(1);
        for quad in 0..QUADS {
            for first in (0..TILE).step_by(VARIANTS) {
                let mut sums = [[_mm256_setzero_si256(); 2]; VARIANTS];
                for (group, rows) in rows.iter().enumerate().take(PASS) {
                    // SAFETY: both are 64 bytes, and any bytes are two vectors.
                    let digits = unsafe { transmute::<[i8; 64], [__m256i; 2]>(rows[quad].0) };
                    for (copies, sums) in copies[first..first + VARIANTS].iter().zip(&mut sums) {
                        let four = _mm256_set1_epi32(copies[group].cast_signed());
                        for (sum, digits) in sums.iter_mut().zip(digits) {
                            // At most 2 * 2 * 128 in a pair: 16 bits hold it.
                            let pairs = _mm256_maddubs_epi16(four, digits);
                            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(pairs, ones));
                        }
                    }
                }
                for (offset, sums) in sums.into_iter().enumerate() {
                    // SAFETY: both are 64 bytes, and any bytes are integers.
                    let lanes = unsafe { transmute::<[__m256i; 2], [i32; 16]>(sums) };
                    let total = &mut totals[quad][first + offset];
                    lanes.into_iter().zip(total).for_each(|(lane, total)| *total += i64::from(lane));
                }
            }
        }
    }
}

widest! {
    fn unpack(row: &[u8], flipped: bool, copies: &mut [u32; PASS]) => unpack_bytes
}

fn multiply<const QUADS: usize>(
    kernel: Kernel,
    copies: &Copies,
    digits: &[DigitRow],
    totals: &mut [QuadSums],
) {
    let (rows, _) = digits.as_chunks::<QUADS>();
    match kernel {
        // SAFETY: `Kernel::all` has found these instructions.
        #[cfg(target_arch = "x86_64")]
        Kernel::Vnni => unsafe { x86::multiply_512(copies, rows, totals) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Kernel::Avx2 => unsafe { x86::multiply_256(copies, rows, totals) },
        Kernel::Walk => multiply_plainly(copies, rows, totals),
    }
}

/// What the instructions above do, one number at a time.
fn multiply_plainly<const QUADS: usize>(
    copies: &Copies,
    rows: &[[DigitRow; QUADS]],
    totals: &mut [QuadSums],
) {
    for (group, rows) in rows.iter().enumerate() {
        for (variant, copies) in copies.iter().enumerate() {
            let four = copies[group].to_le_bytes();
            for (row, totals) in rows.iter().zip(&mut *totals) {
                for (lane, total) in row.0.as_chunks::<4>().0.iter().zip(&mut totals[variant]) {
                    *total += four
                        .iter()
                        .zip(lane)
                        .map(|(copy, digit)| i64::from(*copy) * i64::from(*digit))
                        .sum::<i64>();
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::pack_codes;

    #[test]
    fn every_kernel_and_the_walk_give_the_same_bits() {
        let mut state = 7u64;
        let mut next = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33
        };
        for (samples, count) in [(1, 1), (37, 4), (1030, 11), (2504, 12), (4100, 27)] {
            let numbers: Vec<f64> = (0..samples * count).map(|_| next() as f64 - 1e9).collect();
            let columns = Columns::new(samples, count, |person, column| numbers[person * count + column]);
            let rows: Vec<Vec<u8>> = (0..TILE)
                .map(|variant| {
                    let mut row = Vec::new();
                    // The fewer distinct draws, the more common the code: both orientations come up.
                    pack_codes(
                        (0..samples)
                            .map(|_| [0, 1, 2, 3, 2, 2, 0, 0][(next() as usize >> 3) % (variant + 1)]),
                        &mut row,
                    );
                    row
                })
                .collect();
            let variants: Vec<Variant> = rows.iter().map(|row| Variant::new(row, samples)).collect();
            let width = columns.quads() * QUAD;
            let mut expected = vec![0; TILE * width];
            for (variant, sums) in variants.iter().zip(expected.chunks_exact_mut(width)) {
                let mut first = 0;
                for block in &columns.blocks {
                    variant.walk(block, &mut sums[first..]);
                    first += block.quads * QUAD;
                }
            }
            for kernel in Kernel::all() {
                let mut sums = vec![0; TILE * width];
                tile_sums(kernel, &variants, &columns, &mut Work::new(), &mut sums);
                assert_eq!(sums, expected, "{kernel:?}, {samples} people, {count} columns");
            }
        }
    }
}
