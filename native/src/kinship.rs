//! KING-robust kinship of all pairs, by popcounts on bit planes (Manichaikul et al., Bioinformatics 26, 2010).
//!
//! Each person has three planes of bits, one bit a variant: heterozygous, homozygous for the alternate allele, missing.
//! A pair's counts are popcounts of two or three of them; people are taken in squares that stay in the cache.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::packing::{even_bits, rows_of};
use crate::transpose::transpose_codes;

/// People in one side of a square of pairs.
const SIDE: usize = 64;
/// Words of a plane in one piece: 2,048 variants.
const PIECE: usize = 32;

/// One person's planes, piece by piece.
struct Planes {
    heterozygous: Vec<u64>,
    alternate: Vec<u64>,
    missing: Vec<u64>,
    /// Whether anything is missing in each piece.
    gaps: Vec<bool>,
}

/// Counts of one pair over the variants that both have.
#[derive(Clone, Copy, Default, Debug, PartialEq)]
struct Pair {
    both_heterozygous: u32,
    opposite: u32,
    first_heterozygous: u32,
    second_heterozygous: u32,
}

impl Planes {
    fn new(row: &[u8], variants: usize) -> Self {
        let words = variants.div_ceil(64 * PIECE) * PIECE;
        let [mut heterozygous, mut alternate, mut missing] = [(); 3].map(|()| vec![0u64; words]);
        for (index, bytes) in row.chunks(8).enumerate() {
            let mut padded = [0u8; 8];
            padded[..bytes.len()].copy_from_slice(bytes);
            let word = u64::from_le_bytes(padded);
            let (low, high) = (even_bits(word), even_bits(word >> 1));
            let shift = 32 * (index % 2);
            heterozygous[index / 2] |= (low & !high) << shift;
            alternate[index / 2] |= (high & !low) << shift;
            missing[index / 2] |= (low & high) << shift;
        }
        let gaps = missing.chunks(PIECE).map(|piece| piece.iter().any(|word| *word != 0)).collect();
        Self { heterozygous, alternate, missing, gaps }
    }

    /// Variants with neither of the three bits, behind the last one included, are homozygous for the reference: those
    /// at the end never count, because nobody is homozygous for the alternate allele there.
    #[inline(always)]
    fn add(&self, other: &Self, piece: usize, pair: &mut Pair) {
        let [h, a, m] = [&self.heterozygous, &self.alternate, &self.missing]
            .map(|plane| &plane.as_chunks::<PIECE>().0[piece]);
        let [i, b, n] = [&other.heterozygous, &other.alternate, &other.missing]
            .map(|plane| &plane.as_chunks::<PIECE>().0[piece]);
        let (mut both, mut opposite, mut first, mut second) = (0u64, 0u64, 0u64, 0u64);
        for word in 0..PIECE {
            both += u64::from((h[word] & i[word]).count_ones());
            // One has the alternate allele twice, and the other neither once nor twice.
            let known = !(h[word] | i[word]);
            opposite += u64::from(((a[word] ^ b[word]) & known & !(m[word] | n[word])).count_ones());
        }
        if self.gaps[piece] || other.gaps[piece] {
            for word in 0..PIECE {
                first += u64::from((h[word] & n[word]).count_ones());
                second += u64::from((i[word] & m[word]).count_ones());
            }
        }
        pair.both_heterozygous += both as u32;
        pair.opposite += opposite as u32;
        pair.first_heterozygous -= first as u32;
        pair.second_heterozygous -= second as u32;
    }

    fn heterozygotes(&self) -> u32 {
        self.heterozygous.iter().map(|word| word.count_ones()).sum()
    }
}

/// All pairs of two groups of people: rows of the first, columns of the second.
struct Square<'a> {
    left: &'a [Planes],
    right: &'a [Planes],
    pieces: usize,
}

impl Square<'_> {
    #[inline(always)]
    fn pairs_anywhere(&self) -> Vec<Pair> {
        let counts = |people: &[Planes]| people.iter().map(Planes::heterozygotes).collect::<Vec<_>>();
        let (first, second) = (counts(self.left), counts(self.right));
        let mut pairs: Vec<Pair> = first
            .iter()
            .flat_map(|one| {
                second.iter().map(|other| Pair {
                    first_heterozygous: *one,
                    second_heterozygous: *other,
                    ..Pair::default()
                })
            })
            .collect();
        for piece in 0..self.pieces {
            for (row, one) in self.left.iter().enumerate() {
                for (column, other) in self.right.iter().enumerate() {
                    one.add(other, piece, &mut pairs[row * self.right.len() + column]);
                }
            }
        }
        pairs
    }

    fn pairs(&self) -> Vec<Pair> {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,popcnt")]
            fn counting(square: &Square<'_>) -> Vec<Pair> {
                square.pairs_anywhere()
            }
            #[target_feature(enable = "avx2,popcnt")]
            fn with_256(square: &Square<'_>) -> Vec<Pair> {
                square.pairs_anywhere()
            }
            if crate::cpu::has_avx512() && is_x86_feature_detected!("avx512vpopcntdq") {
                // SAFETY: these instructions were just found.
                return unsafe { counting(self) };
            }
            if crate::cpu::has_avx2() {
                // SAFETY: these instructions were just found.
                return unsafe { with_256(self) };
            }
        }
        self.pairs_anywhere()
    }
}

impl Pair {
    /// The estimator for pairs between families, by the heterozygotes of whoever has fewer.
    fn kinship(self) -> f64 {
        let fewer = f64::from(self.first_heterozygous.min(self.second_heterozygous));
        let all = f64::from(self.first_heterozygous) + f64::from(self.second_heterozygous);
        let shared = f64::from(self.both_heterozygous) - 2.0 * f64::from(self.opposite);
        shared / (2.0 * fewer) + 0.5 - all / (4.0 * fewer)
    }
}

/// A pair that is written out: the earlier person, the later one, their kinship.
type Kin = (i64, i64, f64);

/// The pairs of one stripe of people with everybody from the stripe on.
fn stripe(people: &[Planes], start: usize, pieces: usize, minimum: f64) -> Vec<Kin> {
    let end = (start + SIDE).min(people.len());
    let mut found = Vec::new();
    for first in (start..people.len()).step_by(SIDE) {
        let last = (first + SIDE).min(people.len());
        let square = Square { left: &people[start..end], right: &people[first..last], pieces };
        for (index, pair) in square.pairs().into_iter().enumerate() {
            let (one, other) = (start + index / (last - first), first + index % (last - first));
            let kinship = pair.kinship();
            if one < other && (kinship >= minimum || minimum == f64::NEG_INFINITY) {
                found.push((one as i64, other as i64, kinship));
            }
        }
    }
    found
}

type Columns<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<f64>>);

/// Pairs of people whose kinship is `minimum` or more, in order: first person, second person, kinship.
///
/// With a minimum of minus infinity, all pairs; one without a heterozygote among what both have is NaN.
#[pyfunction]
pub fn kinship_pairs<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
    minimum: f64,
    threads: usize,
) -> PyResult<Columns<'py>> {
    let (variants, width, bytes) = rows_of(&packed, samples)?;
    if variants >= u32::MAX as usize || minimum.is_nan() {
        return Err(PyValueError::new_err("too many variants, or a minimum that is no number"));
    }
    let found = py.detach(|| {
        let slices: Vec<&[u8]> = bytes.chunks_exact(width.max(1)).collect();
        let turned = transpose_codes(&slices, samples);
        let people: Vec<Planes> =
            turned.chunks_exact(variants.div_ceil(4).max(1)).map(|row| Planes::new(row, variants)).collect();
        let pieces = variants.div_ceil(64 * PIECE);
        let next = std::sync::atomic::AtomicUsize::new(0);
        let mut parts: Vec<(usize, Vec<Kin>)> = std::thread::scope(|scope| {
            let work = || {
                let mut done = Vec::new();
                loop {
                    let start = next.fetch_add(SIDE, std::sync::atomic::Ordering::Relaxed);
                    if start >= people.len() {
                        return done;
                    }
                    done.push((start, stripe(&people, start, pieces, minimum)));
                }
            };
            let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        parts.sort_by_key(|(start, _)| *start);
        let mut all: Vec<Kin> = parts.into_iter().flat_map(|(_, part)| part).collect();
        all.sort_by_key(|(one, other, _)| (*one, *other));
        all
    });
    Ok((
        found.iter().map(|kin| kin.0).collect::<Vec<_>>().into_pyarray(py),
        found.iter().map(|kin| kin.1).collect::<Vec<_>>().into_pyarray(py),
        found.iter().map(|kin| kin.2).collect::<Vec<_>>().into_pyarray(py),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_bit_closes_up() {
        assert_eq!(even_bits(0b01_00_01_01), 0b1011);
        assert_eq!(even_bits(u64::MAX), 0xffff_ffff);
    }

    #[test]
    fn a_pair_is_counted_over_what_both_have() {
        // Codes from the first variant on: 0 1 1 2 3 1 and 2 1 3 0 1 2.
        let one = Planes::new(&[0b10_01_01_00, 0b01_11], 6);
        let other = Planes::new(&[0b00_11_01_10, 0b10_01], 6);
        let square = Square { left: &[one], right: &[other], pieces: 1 };
        let expected =
            Pair { both_heterozygous: 1, opposite: 2, first_heterozygous: 2, second_heterozygous: 1 };
        assert_eq!(square.pairs(), [expected]);
    }
}
