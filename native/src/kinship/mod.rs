//! KING-robust kinship of all pairs, by popcounts on bit planes (Manichaikul et al., Bioinformatics 26, 2010).
//!
//! People are taken in squares of pairs, and variants in pieces, that stay in the cache (`planes`).

mod planes;

use std::sync::atomic::{AtomicUsize, Ordering};

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::packing::rows_of;
use crate::transpose::transpose_codes;
use planes::{pairs, Pair, Planes};

/// People in one side of a square of pairs.
const SIDE: usize = 64;
/// People whose rows are transposed together: a multiple of four, so that they begin with a byte.
const GROUP: usize = 4 * SIDE;

impl Pair {
    /// The estimator for pairs between families, by the heterozygotes of whoever has fewer; NaN where they have none.
    fn kinship(self) -> f64 {
        let fewer = f64::from(self.first_heterozygous.min(self.second_heterozygous));
        if fewer == 0.0 {
            return f64::NAN;
        }
        let all = f64::from(self.first_heterozygous) + f64::from(self.second_heterozygous);
        let shared = f64::from(self.both_heterozygous) - 2.0 * f64::from(self.opposite);
        shared / (2.0 * fewer) + 0.5 - all / (4.0 * fewer)
    }
}

/// A pair that is written out: the earlier person, the later one, their kinship.
type Kin = (i64, i64, f64);

/// The pairs of one stripe of people with everybody from the stripe on.
fn stripe(people: &[Planes], start: usize, minimum: f64) -> Vec<Kin> {
    let end = (start + SIDE).min(people.len());
    let mut found = Vec::new();
    for first in (start..people.len()).step_by(SIDE) {
        let last = (first + SIDE).min(people.len());
        for (index, pair) in pairs(&people[start..end], &people[first..last]).into_iter().enumerate() {
            let (one, other) = (start + index / (last - first), first + index % (last - first));
            let kinship = pair.kinship();
            if one < other && (kinship >= minimum || minimum == f64::NEG_INFINITY) {
                found.push((one as i64, other as i64, kinship));
            }
        }
    }
    found
}

/// Everybody's planes, some people at a time, so that no whole transposed matrix lies beside them.
fn planes_of(rows: &[u8], width: usize, samples: usize) -> Vec<Planes> {
    let variants = rows.len() / width.max(1);
    let bytes = variants.div_ceil(4);
    let mut people = Vec::with_capacity(samples);
    for first in (0..samples).step_by(GROUP) {
        let last = (first + GROUP).min(samples);
        let part: Vec<&[u8]> =
            rows.chunks_exact(width).map(|row| &row[first / 4..last.div_ceil(4)]).collect();
        let turned = transpose_codes(&part, last - first);
        let row = |person: usize| &turned[person * bytes..(person + 1) * bytes];
        people.extend((0..last - first).map(|person| Planes::new(row(person), variants)));
    }
    people
}

/// The pairs of everybody, stripes shared out among threads.
fn all_pairs(people: &[Planes], minimum: f64, threads: usize) -> Vec<Kin> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let start = next.fetch_add(SIDE, Ordering::Relaxed);
            if start >= people.len() {
                return done;
            }
            done.append(&mut stripe(people, start, minimum));
        }
    };
    let mut found: Vec<Kin> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.max(1)).map(|_| scope.spawn(work)).collect();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
    });
    found.sort_by_key(|(one, other, _)| (*one, *other));
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
    if variants > i32::MAX as usize || minimum.is_nan() {
        return Err(PyValueError::new_err("too many variants, or a minimum that is no number"));
    }
    let found = py.detach(|| all_pairs(&planes_of(bytes, width, samples), minimum, threads));
    Ok((
        found.iter().map(|kin| kin.0).collect::<Vec<_>>().into_pyarray(py),
        found.iter().map(|kin| kin.1).collect::<Vec<_>>().into_pyarray(py),
        found.iter().map(|kin| kin.2).collect::<Vec<_>>().into_pyarray(py),
    ))
}
