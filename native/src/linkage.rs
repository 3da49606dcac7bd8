//! Linkage disequilibrium: which variants to leave out so that none within a window repeats another.
//!
//! The order of decisions is that of `plink2 --indep-pairwise`: each window is walked from its first
//! variant on, in rounds; every pair is looked at once, and of a pair above the threshold the rarer goes.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::widest;
use crate::packing::{even_bits, word_at};

/// Relative slack under which two frequencies, or a correlation and its limit, count as equal.
const SLACK: f64 = 1.0 / ((1u64 << 44) as f64);

/// Words of a plane that are looked at together; planes are filled up with zeros to so many.
const LANES: usize = 8;

/// One variant as bit planes: who carries at least one allele, who two, who is observed.
struct Planes {
    carriers: Vec<[u64; LANES]>,
    doubles: Vec<[u64; LANES]>,
    observed: Vec<[u64; LANES]>,
    sums: Sums,
    complete: bool,
}

/// Number of people, sum and sum of squares of their allele counts.
#[derive(Clone, Copy)]
struct Sums {
    people: i64,
    sum: i64,
    squares: i64,
}

impl Sums {
    fn variance(self) -> f64 {
        (self.people * self.squares - self.sum * self.sum) as f64
    }

    fn major_frequency(self) -> f64 {
        let frequency = self.sum as f64 / (2 * self.people).max(1) as f64;
        frequency.max(1.0 - frequency)
    }
}

/// How many bits two planes share.
#[inline(always)]
fn both(left: &[[u64; LANES]], right: &[[u64; LANES]]) -> i64 {
    let mut counts = [0u64; LANES];
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            // No row is long enough to overflow; checking for it would keep the compiler from counting in parallel.
            counts[lane] = counts[lane].wrapping_add(u64::from((left[lane] & right[lane]).count_ones()));
        }
    }
    counts.iter().sum::<u64>().cast_signed()
}

impl Planes {
    #[inline(always)]
    fn new(row: &[u8], samples: usize) -> Self {
        let blocks = samples.div_ceil(64 * LANES);
        let [mut carriers, mut doubles, mut observed] = [(); 3].map(|()| vec![[0u64; LANES]; blocks]);
        for place in 0..samples.div_ceil(64) {
            let words = [word_at(row, 16 * place), word_at(row, 16 * place + 8)];
            let gather = |shift: u32| even_bits(words[0] >> shift) | even_bits(words[1] >> shift) << 32;
            let (low, high) = (gather(0), gather(1));
            let people = (samples - 64 * place).min(64);
            let (block, lane) = (place / LANES, place % LANES);
            carriers[block][lane] = low ^ high;
            doubles[block][lane] = high & !low;
            observed[block][lane] = !(low & high) & (u64::MAX >> (64 - people));
        }
        let sums = Self::sums_within(&carriers, &doubles, &observed, &observed);
        Self { complete: sums.people == samples as i64, carriers, doubles, observed, sums }
    }

    #[inline(always)]
    fn sums_within(
        carriers: &[[u64; LANES]],
        doubles: &[[u64; LANES]],
        observed: &[[u64; LANES]],
        mask: &[[u64; LANES]],
    ) -> Sums {
        let (one, two) = (both(carriers, mask), both(doubles, mask));
        Sums { people: both(observed, mask), sum: one + two, squares: one + 3 * two }
    }

    /// Sums over those who are observed for both.
    #[inline(always)]
    fn sums_with(&self, other: &Self) -> Sums {
        if other.complete {
            return self.sums;
        }
        Self::sums_within(&self.carriers, &self.doubles, &self.observed, &other.observed)
    }

    /// Σ of the products of both people's allele counts: each count is one for a carrier and one more for a double.
    #[inline(always)]
    fn product(&self, other: &Self) -> i64 {
        let mut counts = [0u64; LANES];
        let left = self.carriers.iter().zip(&self.doubles);
        let right = other.carriers.iter().zip(&other.doubles);
        for ((one, two), (other_one, other_two)) in left.zip(right) {
            for lane in 0..LANES {
                let count = |one: u64, other: u64| u64::from((one & other).count_ones());
                let singles =
                    count(one[lane], other_one[lane]).wrapping_add(count(one[lane], other_two[lane]));
                let doubles =
                    count(two[lane], other_one[lane]).wrapping_add(count(two[lane], other_two[lane]));
                counts[lane] = counts[lane].wrapping_add(singles).wrapping_add(doubles);
            }
        }
        counts.iter().sum::<u64>().cast_signed()
    }

    /// Whether the squared correlation with `other` is beyond `threshold`.
    #[inline(always)]
    fn repeats(&self, other: &Self, threshold: f64) -> bool {
        let (left, right) = (self.sums_with(other), other.sums_with(self));
        let covariance = (left.people * self.product(other) - left.sum * right.sum) as f64;
        covariance * covariance > threshold * (1.0 + SLACK) * left.variance() * right.variance()
    }
}

/// Let each variant of the window drop, or be dropped by, the first later one that repeats it.
///
/// Returns whether anything was dropped; rounds are repeated until nothing is.
#[inline(always)]
fn settle_once(
    planes: &[Option<Planes>],
    kept: &mut [bool],
    unchecked_from: &mut [usize],
    window: std::ops::Range<usize>,
    threshold: f64,
) -> bool {
    let mut dropped = false;
    for first in window.clone() {
        let Some(one) = planes[first].as_ref().filter(|_| kept[first]) else { continue };
        // A loop, not a chain of adaptors: what the compiler does not inline here is compiled for any processor.
        let mut repeated = None;
        for second in unchecked_from[first]..window.end {
            let Some(other) = planes[second].as_ref().filter(|_| kept[second]) else { continue };
            if one.repeats(other, threshold) {
                repeated = Some((second, other));
                break;
            }
        }
        let Some((second, other)) = repeated else {
            unchecked_from[first] = window.end;
            continue;
        };
        dropped = true;
        unchecked_from[first] = second + 1;
        if one.sums.major_frequency() > other.sums.major_frequency() * (1.0 + SLACK) {
            kept[first] = false;
        } else {
            kept[second] = false;
        }
    }
    dropped
}

widest! {
    /// Decide for each row whether it stays. All rows lie on one chromosome, in order.
    fn prune(rows: &[u8], samples: usize, window: usize, step: usize, threshold: f64) -> Vec<bool>
        => prune_anywhere
}

#[inline(always)]
fn prune_anywhere(rows: &[u8], samples: usize, window: usize, step: usize, threshold: f64) -> Vec<bool> {
    let width = samples.div_ceil(4);
    let count = rows.len() / width;
    let mut kept = vec![true; count];
    let mut unchecked_from: Vec<usize> = (1..=count).collect();
    let mut planes: Vec<Option<Planes>> = Vec::with_capacity(count);
    let mut start = 0;
    loop {
        let end = (start + window).min(count);
        for index in planes.len()..end {
            let one = Planes::new(&rows[index * width..(index + 1) * width], samples);
            kept[index] = one.sums.variance() > 0.0;
            planes.push(Some(one));
        }
        while settle_once(&planes, &mut kept, &mut unchecked_from, start..end, threshold) {}
        if end == count {
            return kept;
        }
        let next = (start + step).min(count);
        planes[start..next].iter_mut().for_each(|one| *one = None);
        start = next;
    }
}

/// Whether each row stays when no pair of rows within `window` may have r² beyond `threshold`.
#[pyfunction]
pub fn prune_linked<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
    window: usize,
    step: usize,
    threshold: f64,
) -> PyResult<Bound<'py, PyArray1<bool>>> {
    if samples == 0 || packed.shape()[1] != samples.div_ceil(4) {
        return Err(PyValueError::new_err(format!("rows of this width do not hold {samples} samples")));
    }
    if window < 2 || step == 0 || step > window || !(threshold > 0.0 && threshold <= 1.0) {
        return Err(PyValueError::new_err("a window has two rows or more, a step within it, 0 < r² <= 1"));
    }
    let rows = packed.as_slice()?;
    Ok(py.detach(|| prune(rows, samples, window, step, threshold)).into_pyarray(py))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_equal_variants_the_first_stays_and_constants_go() {
        let rows = [0b00_01_10_01, 0b00_01_10_01, 0b00_00_00_00, 0b01_00_00_10];
        assert_eq!(prune(&rows, 4, 4, 1, 0.9), [true, false, false, true]);
    }
}
