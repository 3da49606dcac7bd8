//! Linkage disequilibrium: which variants to leave out so that none within a window repeats another.
//!
//! The order of decisions is that of `plink2 --indep-pairwise`: each window is walked from its first
//! variant on, in rounds; every pair is looked at once, and of a pair above the threshold the rarer goes.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Relative slack under which two frequencies, or a correlation and its limit, count as equal.
const SLACK: f64 = 1.0 / ((1u64 << 44) as f64);

/// One variant as bit planes: who carries at least one allele, who two, who is observed.
struct Planes {
    carriers: Vec<u64>,
    doubles: Vec<u64>,
    observed: Vec<u64>,
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

fn both(left: &[u64], right: &[u64]) -> i64 {
    left.iter().zip(right).map(|(a, b)| u64::from((a & b).count_ones())).sum::<u64>() as i64
}

impl Planes {
    fn new(row: &[u8], samples: usize) -> Self {
        let words = samples.div_ceil(64);
        let (mut carriers, mut doubles, mut observed) =
            (vec![0u64; words], vec![0u64; words], vec![0u64; words]);
        for person in 0..samples {
            let code = (row[person / 4] >> (2 * (person % 4))) & 3;
            let bit = 1u64 << (person % 64);
            match code {
                0 => observed[person / 64] |= bit,
                1 => {
                    observed[person / 64] |= bit;
                    carriers[person / 64] |= bit;
                }
                2 => {
                    observed[person / 64] |= bit;
                    carriers[person / 64] |= bit;
                    doubles[person / 64] |= bit;
                }
                _ => {}
            }
        }
        let sums = Self::sums_within(&carriers, &doubles, &observed, &observed);
        Self { complete: sums.people == samples as i64, carriers, doubles, observed, sums }
    }

    fn sums_within(carriers: &[u64], doubles: &[u64], observed: &[u64], mask: &[u64]) -> Sums {
        let (one, two) = (both(carriers, mask), both(doubles, mask));
        Sums { people: both(observed, mask), sum: one + two, squares: one + 3 * two }
    }

    /// Sums over those who are observed for both.
    fn sums_with(&self, other: &Self) -> Sums {
        if other.complete {
            return self.sums;
        }
        Self::sums_within(&self.carriers, &self.doubles, &self.observed, &other.observed)
    }

    /// Whether the squared correlation with `other` is beyond `threshold`.
    fn repeats(&self, other: &Self, threshold: f64) -> bool {
        let (left, right) = (self.sums_with(other), other.sums_with(self));
        let product = both(&self.carriers, &other.carriers)
            + both(&self.carriers, &other.doubles)
            + both(&self.doubles, &other.carriers)
            + both(&self.doubles, &other.doubles);
        let covariance = (left.people * product - left.sum * right.sum) as f64;
        covariance * covariance > threshold * (1.0 + SLACK) * left.variance() * right.variance()
    }
}

/// Let each variant of the window drop, or be dropped by, the first later one that repeats it.
///
/// Returns whether anything was dropped; rounds are repeated until nothing is.
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
        let later = unchecked_from[first]..window.end;
        let live =
            later.filter_map(|second| Some((second, planes[second].as_ref().filter(|_| kept[second])?)));
        let repeated = live.into_iter().find(|(_, other)| one.repeats(other, threshold));
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

/// Decide for each row whether it stays. All rows lie on one chromosome, in order.
fn prune(rows: &[u8], samples: usize, window: usize, step: usize, threshold: f64) -> Vec<bool> {
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
