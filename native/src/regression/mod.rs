//! Linear regression of traits on each variant, with covariates, by projection.
//!
//! The caller hands over an orthonormal basis of the covariates, the constant first, and the traits' residuals.
//! A variant then costs the sums of these columns over those who carry its rarer allele: by a walk over the
//! carriers where they are few (`variant`), by multiplication where they are many (`dense`). The sums are whole
//! numbers (`columns`), so which way is taken changes no bit of the result. Missing genotypes leave that variant's
//! regression exactly: the basis' Gram matrix is downdated by the people who are missing and factorised again
//! (`estimate`). More traits are more columns.

mod columns;
mod dense;
mod estimate;
mod variant;

use numpy::{IntoPyArray, PyArray1, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::widest;
use crate::threads::{in_threads, shares};
use columns::{Columns, QUAD};
use dense::{tile_sums, Kernel, Work, TILE};
use estimate::{Estimates, Estimator, Model};
use variant::Variant;

/// Variants that are summed before they are estimated.
const BLOCK: usize = 256;

type Arrays<'py> = (
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u8>>,
);

/// Everything that threads share.
struct Scan<'a> {
    kernel: Kernel,
    model: &'a Model,
    columns: &'a Columns,
}

widest! {
    /// Estimate some variants' rows.
    fn estimate_rows(scan: &Scan<'_>, rows: &[u8], width: usize) -> Estimates => estimate_rows_anywhere
}

#[inline(always)]
fn estimate_rows_anywhere(scan: &Scan<'_>, rows: &[u8], width: usize) -> Estimates {
    scan.rows(rows, width)
}

impl Scan<'_> {
    #[inline(always)]
    fn rows(&self, rows: &[u8], width: usize) -> Estimates {
        let (summed, quads) = (self.model.summed(), self.columns.quads());
        let mut out = Estimates::default();
        let mut estimator = Estimator::new(self.model);
        let mut work = Work::new();
        let mut sums = vec![0i64; BLOCK * quads * QUAD];
        for chunk in rows.chunks(BLOCK * width) {
            let variants: Vec<Variant> =
                chunk.chunks_exact(width).map(|row| Variant::new(row, self.model.samples)).collect();
            self.sum(&variants, &mut work, &mut sums);
            for (variant, sums) in variants.iter().zip(sums.chunks_exact(quads * QUAD)) {
                let scaled = self.in_units(sums).take(summed);
                estimator.estimate(variant, scaled, &mut out);
            }
        }
        out
    }

    /// Sum the columns over the carriers of each variant, in the way that is faster for it.
    #[inline(always)]
    fn sum(&self, variants: &[Variant<'_>], work: &mut Work, sums: &mut [i64]) {
        let width = self.columns.quads() * QUAD;
        let mut common = Vec::with_capacity(variants.len());
        for (index, (variant, sums)) in variants.iter().zip(sums.chunks_exact_mut(width)).enumerate() {
            if self.kernel.is_sparse(variant.carriers(), self.model.samples) {
                let mut first = 0;
                for block in &self.columns.blocks {
                    variant.walk(block, &mut sums[first..]);
                    first += block.quads * QUAD;
                }
            } else {
                common.push(index);
            }
        }
        let mut tile = vec![0i64; TILE * width];
        for indices in common.chunks(TILE) {
            let chosen: Vec<Variant> = indices.iter().map(|index| variants[*index]).collect();
            tile_sums(self.kernel, &chosen, self.columns, work, &mut tile);
            for (index, found) in indices.iter().zip(tile.chunks_exact(width)) {
                sums[index * width..(index + 1) * width].copy_from_slice(found);
            }
        }
    }

    /// Whole numbers back to the columns' own units: blocks are padded at their ends, columns are not.
    #[inline(always)]
    fn in_units<'s>(&'s self, sums: &'s [i64]) -> impl Iterator<Item = f64> + 's {
        // Only the last block can be padded, so that sums and units run side by side.
        sums.iter().zip(&self.columns.units).map(|(sum, unit)| *sum as f64 * unit)
    }
}

/// Share the variants out over threads; every variant's result is the same however many there are.
fn scan(scan: &Scan<'_>, rows: &[u8], width: usize, threads: usize) -> Estimates {
    let parts = in_threads(shares(rows.len() / width, threads, 1), |range| {
        estimate_rows(scan, &rows[range.start * width..range.end * width], width)
    });
    let mut all = Estimates::default();
    parts.into_iter().for_each(|part| all.append(part));
    all
}

/// Regress each residual on each variant, within the complement of the basis.
///
/// `basis` is (samples, covariates): orthonormal columns, the first of them constant. `residuals` is (samples,
/// traits), orthogonal to it. Returns slopes per alternate allele and their standard errors, both (variants,
/// traits), observed people, alternate alleles among them, and why there is no estimate (0: there is one, 1:
/// constant, 2: collinear, 3: too few people).
#[pyfunction]
pub fn linear_scan<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    basis: PyReadonlyArray2<'py, f64>,
    residuals: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Arrays<'py>> {
    let (samples, covariates) = (basis.shape()[0], basis.shape()[1]);
    let (width, traits) = (packed.shape()[1], residuals.shape()[1]);
    if samples == 0 || covariates == 0 || traits == 0 || residuals.shape()[0] != samples {
        return Err(PyValueError::new_err("the basis and the residuals need people and columns"));
    }
    if width != samples.div_ceil(4) {
        return Err(PyValueError::new_err(format!("{samples} people do not fit rows of {width} bytes")));
    }
    let rows = packed.as_slice()?;
    let used = samples % 4;
    if used != 0 && rows.chunks_exact(width).any(|row| row[width - 1] >> (2 * used) != 0) {
        return Err(PyValueError::new_err("the codes behind the last sample must be zero"));
    }
    let (basis, residuals) = (basis.as_slice()?, residuals.as_slice()?);
    if basis.chunks_exact(covariates).any(|row| row[0] != basis[0]) {
        return Err(PyValueError::new_err("the first column of the basis must be constant"));
    }
    let found = py.detach(|| {
        let model = Model::new(basis, residuals, samples);
        let columns = Columns::new(samples, model.summed(), |person, column| model.value(person, column));
        scan(&Scan { kernel: Kernel::all()[0], model: &model, columns: &columns }, rows, width, threads)
    });
    let variants = found.reason.len();
    let shaped = |values| {
        numpy::ndarray::Array2::from_shape_vec((variants, traits), values)
            .map(|values| values.into_pyarray(py))
            .map_err(|error| PyValueError::new_err(error.to_string()))
    };
    Ok((
        shaped(found.beta)?,
        shaped(found.standard_error)?,
        found.observed.into_pyarray(py),
        found.alternate.into_pyarray(py),
        found.reason.into_pyarray(py),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packing::pack_codes;

    #[test]
    fn estimates_are_the_same_bits_with_every_kernel() {
        let (samples, covariates, traits) = (517, 3, 2);
        let noise = |index: usize| ((index * 7919 + index * index * 31) % 1009) as f64 / 1009.0 - 0.5;
        let mut basis = vec![0.0; samples * covariates];
        for (index, value) in basis.iter_mut().enumerate() {
            *value = if index % covariates == 0 { 0.044 } else { noise(index) / 13.0 };
        }
        let residuals: Vec<f64> = (0..samples * traits).map(|index| noise(index + 5000)).collect();
        let mut rows = Vec::new();
        for variant in 0..40usize {
            pack_codes(
                (0..samples).map(|person| {
                    if person * person % (variant + 2) == 0 {
                        ((person + variant) % 4) as u8
                    } else {
                        0
                    }
                }),
                &mut rows,
            );
        }
        let model = Model::new(&basis, &residuals, samples);
        let columns = Columns::new(samples, model.summed(), |person, column| model.value(person, column));
        let bits: Vec<Vec<u64>> = Kernel::all()
            .into_iter()
            .map(|kernel| {
                let found =
                    scan(&Scan { kernel, model: &model, columns: &columns }, &rows, samples.div_ceil(4), 3);
                found.beta.iter().chain(&found.standard_error).map(|value| value.to_bits()).collect()
            })
            .collect();
        assert!(bits.iter().all(|found| *found == bits[0]));
        assert!(bits[0].iter().filter(|value| !f64::from_bits(**value).is_nan()).count() > 100);
    }
}
