//! Two-bit genotype codes: pack, unpack, count and select.
//!
//! A code is the number of alternate alleles, 0 to 2, or 3 for missing. Four codes share a byte, the
//! first in bits 0 and 1. A row's unused codes at its end are zero, and every kernel keeps them so.

use numpy::{
    IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::{ask_for, widest};
use crate::select::{compact, Kept};
use crate::transpose::{transpose_codes, transpose_into, transpose_narrow, Target};

/// Low bit of each of the 32 codes of a word.
pub const LOW_BITS: u64 = 0x5555_5555_5555_5555;

fn bytes_for(codes: usize) -> usize {
    codes.div_ceil(4)
}

/// Up to 32 codes of a row from a byte on; what lies behind the end reads as zero.
#[inline(always)]
pub fn word_at(row: &[u8], start: usize) -> u64 {
    let rest = row.get(start..).unwrap_or_default();
    rest.first_chunk::<8>().map_or_else(
        || rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |bytes| u64::from_le_bytes(*bytes),
    )
}

/// Keep every second bit of a word, closed up.
#[inline(always)]
pub fn even_bits(word: u64) -> u64 {
    let mut out = word & LOW_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        out = (out | (out >> shift)) & mask;
    }
    out
}

widest! {
    /// Count the codes 0, 1, 2 and 3 among the first `codes` of a row, by popcounts on the two bit planes.
    pub fn count_codes(row: &[u8], codes: usize) -> [i64; 4] => count_codes_anywhere
}

#[inline(always)]
fn count_codes_anywhere(row: &[u8], codes: usize) -> [i64; 4] {
    let (words, rest) = row.as_chunks::<8>();
    let last = word_at(rest, 0);
    let [mut low, mut high, mut both] = [0u64; 3];
    let mut count = |word: u64| {
        // No row is long enough to overflow; checking for it would keep the compiler from counting in parallel.
        low = low.wrapping_add(u64::from((word & LOW_BITS).count_ones()));
        high = high.wrapping_add(u64::from((word & !LOW_BITS).count_ones()));
        both = both.wrapping_add(u64::from((word & (word >> 1) & LOW_BITS).count_ones()));
    };
    words.iter().for_each(|bytes| count(u64::from_le_bytes(*bytes)));
    count(last);
    // Codes at the end are zero, so zero is what remains of the row's known length.
    let [het, hom_alt, missing] = [low - both, high - both, both].map(u64::cast_signed);
    let known = i64::try_from(codes).unwrap_or(i64::MAX);
    [known - het - hom_alt - missing, het, hom_alt, missing]
}

widest! {
    /// Count the codes of every row of a matrix.
    fn count_rows(bytes: &[u8], width: usize, codes: usize) -> Vec<i64> => count_anywhere
}

#[inline(always)]
fn count_anywhere(bytes: &[u8], width: usize, codes: usize) -> Vec<i64> {
    let mut out = Vec::with_capacity(4 * (bytes.len() / width.max(1)));
    let rows = bytes.chunks_exact(width.max(1));
    for (row, next) in rows.clone().zip(rows.skip(1).chain([&[][..]])) {
        ask_for(next);
        out.extend_from_slice(&count_codes_anywhere(row, codes));
    }
    out
}

/// Append `codes` (0 to 3) to `out`, four to a byte.
pub fn pack_codes(codes: impl Iterator<Item = u8>, out: &mut Vec<u8>) {
    let (mut byte, mut filled) = (0u8, 0u32);
    for code in codes {
        byte |= (code & 3) << (2 * filled);
        filled += 1;
        if filled == 4 {
            out.push(byte);
            (byte, filled) = (0, 0);
        }
    }
    if filled > 0 {
        out.push(byte);
    }
}

/// The code at `index` of a row.
pub fn code_at(row: &[u8], index: usize) -> u8 {
    (row[index / 4] >> (2 * (index % 4))) & 3
}

fn matrix(py: Python<'_>, rows: usize, width: usize, values: Vec<u8>) -> PyResult<Bound<'_, PyArray2<u8>>> {
    let shaped = numpy::ndarray::Array2::from_shape_vec((rows, width), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(shaped.into_pyarray(py))
}

/// Check that a packed matrix is contiguous and as wide as `samples` need.
pub fn rows_of<'a>(
    packed: &'a PyReadonlyArray2<'_, u8>,
    samples: usize,
) -> PyResult<(usize, usize, &'a [u8])> {
    let width = packed.shape()[1];
    if width != bytes_for(samples) {
        return Err(PyValueError::new_err(format!(
            "a row of {samples} samples needs {} bytes, not {width}",
            bytes_for(samples)
        )));
    }
    Ok((packed.shape()[0], width, packed.as_slice()?))
}

/// Transpose individual-major vectors, each of `sites` codes, into the columns of `matrix` from sample `first` on.
///
/// `matrix` is variant-major with `sites` rows. `first` is a multiple of four, and the samples behind the last of
/// its byte become zero: place people in order, and as many as fill whole bytes, except at the end.
#[pyfunction]
pub fn place(
    py: Python<'_>,
    vectors: Vec<PyReadonlyArray1<'_, u8>>,
    sites: usize,
    mut matrix: PyReadwriteArray2<'_, u8>,
    first: usize,
) -> PyResult<()> {
    let rows = vectors_of(&vectors, sites)?;
    let (height, width) = (matrix.shape()[0], matrix.shape()[1]);
    let fits = first.checked_add(rows.len()).is_some_and(|last| bytes_for(last) <= width);
    if height != sites || !first.is_multiple_of(4) || !fits {
        return Err(PyValueError::new_err(format!(
            "{} people from {first} on do not fit a matrix of {height} rows of {width} bytes",
            rows.len()
        )));
    }
    let mut target = Target { bytes: matrix.as_slice_mut()?, width, first: first / 4 };
    py.detach(|| transpose_into(&rows, sites, &mut target));
    Ok(())
}

fn vectors_of<'a>(vectors: &'a [PyReadonlyArray1<'_, u8>], sites: usize) -> PyResult<Vec<&'a [u8]>> {
    let rows = vectors.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    match rows.iter().position(|row| row.len() != bytes_for(sites)) {
        Some(at) => Err(PyValueError::new_err(format!("vector {at} is not {} bytes long", bytes_for(sites)))),
        None => Ok(rows),
    }
}

/// Transpose a packed matrix of `columns` codes a row.
#[pyfunction]
pub fn transpose_matrix<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    columns: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (rows, width, bytes) = rows_of(&packed, columns)?;
    let values = py.detach(|| {
        if width == 1 {
            return transpose_narrow(bytes, columns);
        }
        let slices: Vec<&[u8]> = bytes.chunks_exact(width.max(1)).collect();
        transpose_codes(&slices, columns)
    });
    matrix(py, columns, bytes_for(rows), values)
}

/// Pack dosages (0 to 2, anything negative is missing) to two bits each.
#[pyfunction]
pub fn pack<'py>(py: Python<'py>, dosage: PyReadonlyArray2<'py, i8>) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (rows, samples) = (dosage.shape()[0], dosage.shape()[1]);
    let values = dosage.as_slice()?;
    if let Some(found) = values.iter().find(|value| **value > 2) {
        return Err(PyValueError::new_err(format!("a dosage is at most 2, not {found}")));
    }
    let packed = py.detach(|| {
        let mut out = Vec::with_capacity(rows * bytes_for(samples));
        for row in values.chunks_exact(samples.max(1)) {
            pack_codes(row.iter().map(|value| u8::try_from(*value).unwrap_or(3)), &mut out);
        }
        out
    });
    matrix(py, rows, bytes_for(samples), packed)
}

/// Unpack to dosages: 0 to 2, −1 for missing.
#[pyfunction]
pub fn unpack<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
) -> PyResult<Bound<'py, PyArray2<i8>>> {
    const DOSAGE: [i8; 4] = [0, 1, 2, -1];
    let (rows, width, bytes) = rows_of(&packed, samples)?;
    let values = py.detach(|| {
        let mut out = Vec::with_capacity(rows * samples);
        for row in bytes.chunks_exact(width.max(1)) {
            out.extend((0..samples).map(|index| DOSAGE[usize::from(code_at(row, index))]));
        }
        out
    });
    let shaped = numpy::ndarray::Array2::from_shape_vec((rows, samples), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(shaped.into_pyarray(py))
}

/// Count genotypes: shape (variants, 4), columns hom-ref, het, hom-alt, missing.
#[pyfunction]
pub fn counts<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
) -> PyResult<Bound<'py, PyArray2<i64>>> {
    let (rows, width, bytes) = rows_of(&packed, samples)?;
    let values = if width == 0 { vec![0; 4 * rows] } else { py.detach(|| count_rows(bytes, width, samples)) };
    let shaped = numpy::ndarray::Array2::from_shape_vec((rows, 4), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(shaped.into_pyarray(py))
}

/// Keep the samples at `columns`, in that order.
#[pyfunction]
pub fn select_samples<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
    columns: PyReadonlyArray1<'py, i64>,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let (rows, width, bytes) = rows_of(&packed, samples)?;
    let kept = samples_of(&columns, samples)?;
    if let Some(ascending) = Kept::ascending(&kept, samples) {
        let mut values = bytes.to_vec();
        py.detach(|| compact(&mut values, width, &ascending));
        values.truncate(rows * ascending.width());
        return matrix(py, rows, ascending.width(), values);
    }
    let values = py.detach(|| {
        let mut out = Vec::with_capacity(rows * bytes_for(kept.len()));
        for row in bytes.chunks_exact(width.max(1)) {
            pack_codes(kept.iter().map(|column| code_at(row, *column)), &mut out);
        }
        out
    });
    matrix(py, rows, bytes_for(kept.len()), values)
}

/// Keep the samples at `columns`, which ascend, in the matrix' own memory: its first `variants * ceil(kept / 4)`
/// bytes are the new matrix, and what lies behind them means nothing.
#[pyfunction]
pub fn keep_samples(
    py: Python<'_>,
    mut packed: PyReadwriteArray2<'_, u8>,
    samples: usize,
    columns: PyReadonlyArray1<'_, i64>,
) -> PyResult<()> {
    let width = packed.shape()[1];
    let kept = Kept::ascending(&samples_of(&columns, samples)?, samples)
        .filter(|_| width == bytes_for(samples))
        .ok_or_else(|| {
            PyValueError::new_err("rows as wide as the samples, and columns that ascend, are needed")
        })?;
    let bytes = packed.as_slice_mut()?;
    py.detach(|| compact(bytes, width, &kept));
    Ok(())
}

fn samples_of(columns: &PyReadonlyArray1<'_, i64>, samples: usize) -> PyResult<Vec<usize>> {
    columns
        .as_slice()?
        .iter()
        .map(|column| usize::try_from(*column).ok().filter(|column| *column < samples))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| PyValueError::new_err(format!("a column is not among the {samples} samples")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some_codes(rows: usize, columns: usize) -> Vec<Vec<u8>> {
        let mut state = 7u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 30) as u8
        };
        (0..rows).map(|_| (0..columns).map(|_| next()).collect()).collect()
    }

    fn packed(codes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        pack_codes(codes.iter().copied(), &mut out);
        out
    }

    #[test]
    fn every_second_bit_closes_up() {
        assert_eq!(even_bits(0b01_00_01_01), 0b1011);
        assert_eq!(even_bits(u64::MAX), 0xffff_ffff);
    }

    #[test]
    fn counting_agrees_with_looking_at_each_code() {
        for length in [1, 4, 31, 32, 33, 257] {
            let codes = &some_codes(1, length)[0];
            let mut expected = [0i64; 4];
            for code in codes {
                expected[usize::from(*code)] += 1;
            }
            let row = packed(codes);
            assert_eq!(count_codes(&row, length), expected);
            assert_eq!(count_rows(&row, row.len(), length), expected);
        }
    }
}
