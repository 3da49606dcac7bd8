//! Linear regression of one trait on each variant, with covariates, by projection.
//!
//! The caller hands over an orthonormal basis of the covariates (intercept included) and the trait's
//! residual. A variant then costs one walk over its carriers (when they are few) or N/4 table additions:
//! for every four people there are only 256 patterns, and each pattern's sums are computed once for a
//! whole block of variants. Sums are double precision. Missing genotypes leave that variant's regression
//! exactly: the basis' Gram matrix is downdated by the people who are missing and factorised again.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::packing::count_codes;

/// Columns that one table holds: 64 bytes to a pattern.
const LANES: usize = 8;
/// Patterns of four codes.
const PATTERNS: usize = 256;
/// A variant is walked carrier by carrier below this share of carriers among all people.
const SPARSE_SHARE: usize = 8;
/// Bytes of genotypes that one block of variants may hold.
const BLOCK_BYTES: usize = 8 << 20;
/// Below this share of its variance left, a variant (or a covariate) counts as explained by the others.
const TOLERANCE: f64 = 1e-8;

/// Why a variant has no estimate; zero means that it has one.
const ESTIMATED: u8 = 0;
const CONSTANT: u8 = 1;
const COLLINEAR: u8 = 2;
const TOO_FEW: u8 = 3;

type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u8>>,
);

#[derive(Clone, Copy)]
struct Estimate {
    beta: f64,
    standard_error: f64,
    observed: i64,
    alternate: i64,
    reason: u8,
}

/// The orthonormal covariates and, last, the trait's residual: row-major, one row per person.
struct Basis<'a> {
    rows: &'a [f64],
    samples: usize,
    columns: usize,
}

impl Basis<'_> {
    fn person(&self, index: usize) -> &[f64] {
        &self.rows[index * self.columns..(index + 1) * self.columns]
    }

    fn covariates(&self) -> usize {
        self.columns - 1
    }
}

/// One variant, its codes turned round so that they count the rarer allele.
struct Oriented {
    codes: Vec<u8>,
    counts: [i64; 4],
    flipped: bool,
}

impl Oriented {
    fn new(row: &[u8], samples: usize) -> Self {
        let mut counts = count_codes(row, samples);
        let flipped = counts[2] > counts[0];
        let mut codes = row.to_vec();
        if flipped {
            counts.swap(0, 2);
            // 0 and 2 differ in the high bit and have a clear low bit.
            codes.iter_mut().for_each(|byte| *byte ^= (!*byte & 0x55) << 1);
            let used = samples % 4;
            if let (Some(last), true) = (codes.last_mut(), used != 0) {
                *last &= (1u8 << (2 * used)) - 1;
            }
        }
        Self { codes, counts, flipped }
    }

    fn observed(&self) -> i64 {
        self.counts[0] + self.counts[1] + self.counts[2]
    }

    fn allele_sum(&self) -> i64 {
        self.counts[1] + 2 * self.counts[2]
    }

    fn is_sparse(&self, samples: usize) -> bool {
        (self.counts[1] + self.counts[2]) as usize * SPARSE_SHARE < samples
    }

    /// Call `visit(person, code)` for every code but zero, in order.
    fn for_each_nonzero(&self, mut visit: impl FnMut(usize, u8)) {
        for (word_index, chunk) in self.codes.chunks(8).enumerate() {
            let mut bytes = [0u8; 8];
            bytes[..chunk.len()].copy_from_slice(chunk);
            let word = u64::from_le_bytes(bytes);
            let mut left = (word | (word >> 1)) & 0x5555_5555_5555_5555;
            while left != 0 {
                let bit = left.trailing_zeros() as usize;
                visit(word_index * 32 + bit / 2, ((word >> bit) & 3) as u8);
                left &= left - 1;
            }
        }
    }
}

/// Sum the basis over the carriers, weighted by their allele count: one short row per carrier.
fn sparse_sums(variant: &Oriented, basis: &Basis<'_>, sums: &mut [f64]) {
    variant.for_each_nonzero(|person, code| {
        if code != 3 {
            let weight = f64::from(code);
            sums.iter_mut().zip(basis.person(person)).for_each(|(sum, value)| *sum += weight * value);
        }
    });
}

/// The sums of `LANES` columns from `first` on, for every pattern of the four people behind `byte`.
fn fill_table(basis: &Basis<'_>, byte: usize, first: usize, table: &mut [[f64; LANES]; PATTERNS]) {
    let mut weights = [[0.0; LANES]; 4];
    for (offset, lanes) in weights.iter_mut().enumerate() {
        let person = 4 * byte + offset;
        if person < basis.samples {
            let values = &basis.person(person)[first..];
            lanes.iter_mut().zip(values).for_each(|(lane, value)| *lane = *value);
        }
    }
    const FACTOR: [f64; 4] = [0.0, 1.0, 2.0, 0.0];
    let mut halves = [[[0.0; LANES]; 16]; 2];
    for (half, sums) in halves.iter_mut().enumerate() {
        for (pattern, lanes) in sums.iter_mut().enumerate() {
            let (low, high) = (FACTOR[pattern & 3], FACTOR[pattern >> 2]);
            for lane in 0..LANES {
                lanes[lane] = low * weights[2 * half][lane] + high * weights[2 * half + 1][lane];
            }
        }
    }
    for (pattern, lanes) in table.iter_mut().enumerate() {
        for lane in 0..LANES {
            lanes[lane] = halves[0][pattern & 15][lane] + halves[1][pattern >> 4][lane];
        }
    }
}

/// Sum the basis for many variants at once through the tables; `sums` is (variants, basis columns).
fn dense_sums(variants: &[&Oriented], basis: &Basis<'_>, sums: &mut [f64]) {
    let width = basis.samples.div_ceil(4);
    let count = variants.len();
    // Byte-major, so that the walk over variants under one table reads straight ahead.
    let mut bytes = vec![0u8; count * width];
    for (index, variant) in variants.iter().enumerate() {
        for (position, byte) in variant.codes.iter().enumerate() {
            bytes[position * count + index] = *byte;
        }
    }
    let mut tables = vec![[[0.0; LANES]; PATTERNS]; 2];
    let mut totals = vec![[0.0; LANES]; count];
    for first in (0..basis.columns).step_by(LANES) {
        totals.iter_mut().for_each(|lanes| *lanes = [0.0; LANES]);
        for position in (0..width).step_by(2) {
            let (left, right) = tables.split_at_mut(1);
            fill_table(basis, position, first, &mut left[0]);
            fill_table(basis, position + 1, first, &mut right[0]);
            let row = &bytes[position * count..(position + 1) * count];
            if position + 1 < width {
                let next = &bytes[(position + 1) * count..(position + 2) * count];
                for ((total, one), two) in totals.iter_mut().zip(row).zip(next) {
                    let (one, two) = (&left[0][usize::from(*one)], &right[0][usize::from(*two)]);
                    for lane in 0..LANES {
                        total[lane] += one[lane] + two[lane];
                    }
                }
            } else {
                for (total, one) in totals.iter_mut().zip(row) {
                    let one = &left[0][usize::from(*one)];
                    for lane in 0..LANES {
                        total[lane] += one[lane];
                    }
                }
            }
        }
        let lanes = LANES.min(basis.columns - first);
        for (index, total) in totals.iter().enumerate() {
            let start = index * basis.columns + first;
            sums[start..start + lanes].copy_from_slice(&total[..lanes]);
        }
    }
}

/// Factorise the lower triangle of a symmetric matrix in place; false where it is singular.
fn cholesky(matrix: &mut [f64], size: usize) -> bool {
    for row in 0..size {
        for column in 0..=row {
            let mut value = matrix[row * size + column];
            for inner in 0..column {
                value -= matrix[row * size + inner] * matrix[column * size + inner];
            }
            if row == column {
                if value <= TOLERANCE {
                    return false;
                }
                matrix[row * size + row] = value.sqrt();
            } else {
                matrix[row * size + column] = value / matrix[column * size + column];
            }
        }
    }
    true
}

/// Solve L x = b in place.
fn forward_solve(lower: &[f64], size: usize, vector: &mut [f64]) {
    for row in 0..size {
        let mut value = vector[row];
        for column in 0..row {
            value -= lower[row * size + column] * vector[column];
        }
        vector[row] = value / lower[row * size + row];
    }
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

/// What the people without this genotype take out of the covariates' Gram matrix and cross products.
struct Downdate {
    gram: Vec<f64>,
    cross: Vec<f64>,
    trait_squares: f64,
}

fn downdate(variant: &Oriented, basis: &Basis<'_>, trait_squares: f64) -> Downdate {
    let size = basis.covariates();
    let mut left = Downdate { gram: vec![0.0; size * size], cross: vec![0.0; size], trait_squares };
    (0..size).for_each(|index| left.gram[index * size + index] = 1.0);
    variant.for_each_nonzero(|person, code| {
        if code == 3 {
            let values = basis.person(person);
            let residual = values[size];
            for row in 0..size {
                left.cross[row] -= values[row] * residual;
                for column in 0..=row {
                    left.gram[row * size + column] -= values[row] * values[column];
                }
            }
            left.trait_squares -= residual * residual;
        }
    });
    left
}

/// Turn one variant's sums into its estimate.
fn estimate(variant: &Oriented, basis: &Basis<'_>, sums: &[f64], trait_squares: f64) -> Estimate {
    let size = basis.covariates();
    let observed = variant.observed();
    let alternate = if variant.flipped { 2 * observed - variant.allele_sum() } else { variant.allele_sum() };
    let failed = |reason| Estimate { beta: f64::NAN, standard_error: f64::NAN, observed, alternate, reason };
    if variant.counts[..3].contains(&observed) {
        return failed(CONSTANT);
    }
    let freedom = observed - size as i64 - 1;
    if freedom < 1 {
        return failed(TOO_FEW);
    }
    let squares = (variant.counts[1] + 4 * variant.counts[2]) as f64;
    let mut cross = sums[..size].to_vec();
    let mut with_trait = sums[size];
    let mut trait_left = trait_squares;
    if variant.counts[3] > 0 {
        let mut left = downdate(variant, basis, trait_squares);
        if !cholesky(&mut left.gram, size) {
            return failed(COLLINEAR);
        }
        forward_solve(&left.gram, size, &mut cross);
        forward_solve(&left.gram, size, &mut left.cross);
        with_trait -= dot(&cross, &left.cross);
        trait_left = left.trait_squares - dot(&left.cross, &left.cross);
    }
    let variance = squares - dot(&cross, &cross);
    if variance <= TOLERANCE * squares {
        return failed(COLLINEAR);
    }
    let slope = with_trait / variance;
    let residual = (trait_left - with_trait * slope).max(0.0);
    Estimate {
        beta: if variant.flipped { -slope } else { slope },
        standard_error: (residual / freedom as f64 / variance).sqrt(),
        observed,
        alternate,
        reason: ESTIMATED,
    }
}

/// Estimate a run of variants, block by block so that memory stays bounded.
fn scan_rows(rows: &[u8], width: usize, basis: &Basis<'_>) -> Vec<Estimate> {
    let columns = basis.columns;
    let trait_squares: f64 = (0..basis.samples).map(|person| basis.person(person)[columns - 1].powi(2)).sum();
    let block = (BLOCK_BYTES / width).clamp(64, 4096);
    let mut estimates = Vec::with_capacity(rows.len() / width);
    for chunk in rows.chunks(block * width) {
        let variants: Vec<Oriented> =
            chunk.chunks_exact(width).map(|row| Oriented::new(row, basis.samples)).collect();
        let dense: Vec<&Oriented> = variants.iter().filter(|one| !one.is_sparse(basis.samples)).collect();
        let mut sums = vec![0.0; dense.len() * columns];
        dense_sums(&dense, basis, &mut sums);
        let mut ready = sums.chunks_exact(columns);
        let mut few = vec![0.0; columns];
        for variant in &variants {
            let summed = if variant.is_sparse(basis.samples) {
                few.fill(0.0);
                sparse_sums(variant, basis, &mut few);
                &few[..]
            } else {
                // One chunk per dense variant, in the same order.
                ready.next().unwrap_or(&few)
            };
            estimates.push(estimate(variant, basis, summed, trait_squares));
        }
    }
    estimates
}

/// Share the variants out over threads; every variant's result is the same however many there are.
fn scan(rows: &[u8], width: usize, basis: &Basis<'_>, threads: usize) -> Vec<Estimate> {
    let variants = rows.len() / width;
    let share = variants.div_ceil(threads.max(1)).max(1);
    std::thread::scope(|scope| {
        let workers: Vec<_> = rows
            .chunks(share * width)
            .map(|chunk| scope.spawn(move || scan_rows(chunk, width, basis)))
            .collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// Regress the last column of `basis` on each variant, within the complement of its other columns.
///
/// `basis` is (samples, covariates + 1), its first columns orthonormal with the intercept in their span.
/// Returns slopes per alternate allele, their standard errors, observed people, alternate alleles among
/// them, and why there is no estimate (0: there is one, 1: constant, 2: collinear, 3: too few people).
#[pyfunction]
pub fn linear_scan<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    basis: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Columns<'py>> {
    let (samples, columns) = (basis.shape()[0], basis.shape()[1]);
    let width = packed.shape()[1];
    if samples == 0 || columns < 2 || width != samples.div_ceil(4) {
        return Err(PyValueError::new_err(format!(
            "a basis of shape ({samples}, {columns}) does not fit genotype rows of {width} bytes"
        )));
    }
    let rows = packed.as_slice()?;
    let used = samples % 4;
    if used != 0 && rows.chunks_exact(width).any(|row| row[width - 1] >> (2 * used) != 0) {
        return Err(PyValueError::new_err("the codes behind the last sample must be zero"));
    }
    let basis = Basis { rows: basis.as_slice()?, samples, columns };
    let found = py.detach(|| scan(rows, width, &basis, threads));
    let pick = |value: fn(&Estimate) -> f64| found.iter().map(value).collect::<Vec<_>>().into_pyarray(py);
    let pick_count =
        |value: fn(&Estimate) -> i64| found.iter().map(value).collect::<Vec<_>>().into_pyarray(py);
    Ok((
        pick(|one| one.beta),
        pick(|one| one.standard_error),
        pick_count(|one| one.observed),
        pick_count(|one| one.alternate),
        found.iter().map(|one| one.reason).collect::<Vec<_>>().into_pyarray(py),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::code_at;

    fn packed(codes: &[u8]) -> Vec<u8> {
        let mut out = vec![0; codes.len().div_ceil(4)];
        codes.iter().enumerate().for_each(|(index, code)| out[index / 4] |= code << (2 * (index % 4)));
        out
    }

    #[test]
    fn turning_a_variant_round_swaps_both_homozygotes_and_nothing_else() {
        let codes = [2, 2, 1, 3, 0, 2, 2];
        let variant = Oriented::new(&packed(&codes), codes.len());
        let turned: Vec<u8> = (0..codes.len()).map(|index| code_at(&variant.codes, index)).collect();
        assert!(variant.flipped);
        assert_eq!(turned, [0, 0, 1, 3, 2, 0, 0]);
        assert_eq!(variant.codes[1] >> 6, 0);
    }

    #[test]
    fn tables_and_carriers_give_the_same_sums() {
        let samples = 37;
        let rows: Vec<f64> = (0..samples * 11).map(|index| ((index * 7919) % 101) as f64 - 50.0).collect();
        let basis = Basis { rows: &rows, samples, columns: 11 };
        let codes: Vec<u8> = (0..samples).map(|index| [0, 1, 0, 2, 3, 0, 1][index % 7]).collect();
        let variant = Oriented::new(&packed(&codes), samples);
        let (mut few, mut many) = (vec![0.0; 11], vec![0.0; 11]);
        sparse_sums(&variant, &basis, &mut few);
        dense_sums(&[&variant], &basis, &mut many);
        few.iter().zip(&many).for_each(|(one, other)| assert!((one - other).abs() < 1e-9));
    }
}
