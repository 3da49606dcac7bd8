//! Both products of a genotype matrix with a few columns, from the packed codes themselves.
//!
//! A variant's genotypes are numbers on a line: a value without alternate alleles, a step for each allele, and a value
//! where the genotype is missing. Standardised genotypes are such numbers, and so are dosages with missing ones set to
//! the mean: nothing is ever written out.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::widest;
use crate::packing::rows_of;
use crate::single_column;
use crate::threads::{in_threads, shares};
use crate::walk::{add_column_sums, row_sums, rows_together, Lanes, Oriented, Sums, Weights, LANES};

/// Variants whose weights are made at a time, in the walk over people.
const GROUP: usize = 1024;
/// People whose sums one step of the walk over people holds.
const SIDE: usize = 32;
/// Columns that are faster summed one by one over people than sixteen at once.
const FEW: usize = 4;

/// `[value without alternate alleles, step per allele, value of a missing genotype]`.
type Line = [f64; 3];

fn lanes_at(columns: &[f64], width: usize, row: usize, first: usize) -> Lanes {
    let mut out = Lanes::ZERO;
    let values = &columns[row * width + first..(row + 1) * width];
    out.0.iter_mut().zip(values).for_each(|(lane, value)| *lane = *value as f32);
    out
}

widest! {
    /// One tile of variants times 16 columns.
    fn tile_times(tile: &[u8], width: usize, lines: &[Line], weights: &[Weights], total: &Sums) -> Vec<Sums>
        => tile_times_anywhere
}

#[inline(always)]
fn tile_times_anywhere(
    tile: &[u8],
    width: usize,
    lines: &[Line],
    weights: &[Weights],
    total: &Sums,
) -> Vec<Sums> {
    let people = weights.len();
    let rows: Vec<Oriented<'_>> = tile.chunks_exact(width).map(|row| Oriented::new(row, people)).collect();
    let mut sums = row_sums(&rows, weights);
    for ((row, [zero, step, absent]), sum) in rows.iter().zip(lines).zip(&mut sums) {
        let mut missing = [0.0; LANES];
        row.for_each_missing(|person| {
            let lanes = &weights[person].of_code[0];
            missing.iter_mut().zip(&lanes.0).for_each(|(sum, value)| *sum += f64::from(*value));
        });
        for lane in 0..LANES {
            let seen = total[lane] - missing[lane];
            let alleles = if row.flipped { 2.0 * seen - sum[lane] } else { sum[lane] };
            sum[lane] = zero * seen + step * alleles + absent * missing[lane];
        }
    }
    sums
}

fn scatter(out: &mut [f64], width: usize, first: usize, sums: impl Iterator<Item = Sums>) {
    let lanes = LANES.min(width - first);
    for (row, sum) in out.chunks_exact_mut(width).zip(sums) {
        row[first..first + lanes].copy_from_slice(&sum[..lanes]);
    }
}

fn forward(packed: &[u8], people: usize, lines: &[Line], columns: &[f64], threads: usize) -> Vec<f64> {
    let (bytes, width) = (people.div_ceil(4), columns.len() / people);
    let mut out = vec![0.0; lines.len() * width];
    for first in (0..width).step_by(LANES) {
        let weights: Vec<Weights> =
            (0..people).map(|person| Weights::per_allele(lanes_at(columns, width, person, first))).collect();
        let mut total = [0.0; LANES];
        for one in &weights {
            total.iter_mut().zip(&one.of_code[0].0).for_each(|(sum, value)| *sum += f64::from(*value));
        }
        let parts = in_threads(shares(lines.len(), threads, 1), |range| {
            let height = rows_together(bytes);
            let starts = range.clone().step_by(height);
            let tiles = starts.map(|start| start..(start + height).min(range.end));
            tiles
                .flat_map(|tile| {
                    let rows = &packed[tile.start * bytes..tile.end * bytes];
                    tile_times(rows, bytes, &lines[tile], &weights, &total)
                })
                .collect::<Vec<_>>()
        });
        scatter(&mut out, width, first, parts.into_iter().flatten());
    }
    out
}

fn backward(packed: &[u8], people: usize, lines: &[Line], columns: &[f64], threads: usize) -> Vec<f64> {
    let (bytes, width) = (people.div_ceil(4), columns.len() / lines.len().max(1));
    let mut out = vec![0.0; people * width];
    for first in (0..width).step_by(LANES) {
        if width - first <= FEW {
            for column in first..width {
                let weights = columns.iter().skip(column).step_by(width).map(|weight| *weight as f32);
                let sums = backward_single(packed, people, lines, weights, threads);
                out[column..].iter_mut().step_by(width).zip(sums).for_each(|(out, sum)| *out = sum);
            }
            continue;
        }
        let parts = in_threads(shares(people, threads, SIDE), |range| {
            let mut sums = vec![[0.0; LANES]; range.len()];
            let mut base = [0.0; LANES];
            for start in (0..lines.len()).step_by(GROUP) {
                let end = (start + GROUP).min(lines.len());
                let rows = &packed[start * bytes..end * bytes];
                let weights: Vec<Weights> = (start..end)
                    .map(|variant| {
                        let [zero, step, absent] = lines[variant];
                        let lanes = lanes_at(columns, width, variant, first);
                        let values = lanes.0.iter().zip(&mut base);
                        values.for_each(|(value, sum)| *sum += zero * f64::from(*value));
                        let [one, two] = [step, 2.0 * step].map(|weight| lanes.times(weight as f32));
                        Weights { of_code: [one, two, lanes.times((absent - zero) as f32)] }
                    })
                    .collect();
                add_column_sums(rows, bytes, &weights, range.start, &mut sums);
            }
            for sum in &mut sums {
                sum.iter_mut().zip(&base).for_each(|(sum, value)| *sum += value);
            }
            sums
        });
        scatter(&mut out, width, first, parts.into_iter().flatten());
    }
    out
}

/// As `backward`, of one column.
fn backward_single(
    packed: &[u8],
    people: usize,
    lines: &[Line],
    weights: impl Iterator<Item = f32>,
    threads: usize,
) -> Vec<f64> {
    let (mut base, mut tables) = (0.0, Vec::with_capacity(lines.len()));
    for ([zero, step, absent], weight) in lines.iter().zip(weights) {
        base += zero * f64::from(weight);
        tables.push([0.0, *step, 2.0 * step, absent - zero].map(|value| weight * value as f32));
    }
    let parts = in_threads(shares(people, threads, SIDE), |range| {
        let mut sums = vec![base; range.len()];
        single_column::add_column_sums(packed, people.div_ceil(4), &tables, range.start, &mut sums);
        sums
    });
    parts.into_iter().flatten().collect()
}

fn lines_of(lines: &PyReadonlyArray2<'_, f64>, variants: usize) -> PyResult<Vec<Line>> {
    if lines.shape() != [variants, 3] {
        return Err(PyValueError::new_err(format!(
            "the lines of {variants} variants have shape ({variants}, 3)"
        )));
    }
    Ok(lines.as_slice()?.chunks_exact(3).map(|line| [line[0], line[1], line[2]]).collect())
}

fn shaped(py: Python<'_>, shape: (usize, usize), values: Vec<f64>) -> PyResult<Bound<'_, PyArray2<f64>>> {
    let array = numpy::ndarray::Array2::from_shape_vec(shape, values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(array.into_pyarray(py))
}

/// Genotypes times columns: (variants, samples) · (samples, columns).
#[pyfunction]
pub fn genotypes_times<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    lines: PyReadonlyArray2<'py, f64>,
    columns: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (people, width) = (columns.shape()[0], columns.shape()[1]);
    let (variants, _, bytes) = rows_of(&packed, people)?;
    let (lines, values) = (lines_of(&lines, variants)?, columns.as_slice()?);
    if variants == 0 || people == 0 || width == 0 {
        return shaped(py, (variants, width), vec![0.0; variants * width]);
    }
    let out = py.detach(|| forward(bytes, people, &lines, values, threads));
    shaped(py, (variants, width), out)
}

/// Genotypes, transposed, times columns: (samples, variants) · (variants, columns).
#[pyfunction]
pub fn transposed_genotypes_times<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
    lines: PyReadonlyArray2<'py, f64>,
    columns: PyReadonlyArray2<'py, f64>,
    threads: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let (variants, _, bytes) = rows_of(&packed, samples)?;
    let (lines, values) = (lines_of(&lines, variants)?, columns.as_slice()?);
    let (rows, width) = (columns.shape()[0], columns.shape()[1]);
    if rows != variants {
        return Err(PyValueError::new_err(format!("{rows} rows of columns do not fit {variants} variants")));
    }
    if variants == 0 || samples == 0 || width == 0 {
        return shaped(py, (samples, width), vec![0.0; samples * width]);
    }
    let out = py.detach(|| backward(bytes, samples, &lines, values, threads));
    shaped(py, (samples, width), out)
}
