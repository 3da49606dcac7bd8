//! Two-bit genotype codes: pack, unpack, count, select and transpose.
//!
//! A code is the number of alternate alleles, 0 to 2, or 3 for missing. Four codes share a byte, the
//! first in bits 0 and 1. A row's unused codes at its end are zero, and every kernel keeps them so.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Codes in one 64-bit word, and so the side of the square that is transposed in registers.
const SIDE: usize = 32;

/// Low bit of each of the 32 codes of a word.
const LOW_BITS: u64 = 0x5555_5555_5555_5555;

fn bytes_for(codes: usize) -> usize {
    codes.div_ceil(4)
}

/// Read up to eight bytes, little-endian; what lies behind the end reads as zero.
fn word_at(row: &[u8], start: usize) -> u64 {
    let mut word = [0u8; 8];
    if let Some(rest) = row.get(start..) {
        let width = rest.len().min(8);
        word[..width].copy_from_slice(&rest[..width]);
    }
    u64::from_le_bytes(word)
}

/// Transpose 32 × 32 codes in place: five rounds of swapping ever smaller quadrants (Hacker's Delight 7-3).
fn transpose_square(square: &mut [u64; SIDE]) {
    const ROUNDS: [(usize, u64); 5] = [
        (16, 0x0000_0000_ffff_ffff),
        (8, 0x0000_ffff_0000_ffff),
        (4, 0x00ff_00ff_00ff_00ff),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (1, 0x3333_3333_3333_3333),
    ];
    for (step, mask) in ROUNDS {
        let shift = 2 * step;
        for base in (0..SIDE).step_by(2 * step) {
            for low in base..base + step {
                let swapped = ((square[low] >> shift) ^ square[low + step]) & mask;
                square[low] ^= swapped << shift;
                square[low + step] ^= swapped;
            }
        }
    }
}

/// Transpose `rows` (each of `columns` codes) into `columns` rows of `rows.len()` codes.
///
/// Every row must hold exactly `columns` codes; the caller has checked it.
pub fn transpose_codes(rows: &[&[u8]], columns: usize) -> Vec<u8> {
    let width = bytes_for(rows.len());
    let mut out = vec![0u8; columns * width];
    // A stripe of 32 output rows is written from left to right: its lines stay in the cache.
    for column in (0..columns).step_by(SIDE) {
        let height = SIDE.min(columns - column);
        for (stripe, group) in rows.chunks(SIDE).enumerate() {
            let mut square = [0u64; SIDE];
            for (word, row) in square.iter_mut().zip(group) {
                *word = word_at(row, column / 4);
            }
            transpose_square(&mut square);
            let start = stripe * (SIDE / 4);
            let bytes = bytes_for(group.len());
            for (offset, word) in square[..height].iter().enumerate() {
                let target = (column + offset) * width + start;
                out[target..target + bytes].copy_from_slice(&word.to_le_bytes()[..bytes]);
            }
        }
    }
    out
}

/// Count the codes 0, 1, 2 and 3 among the first `codes` of a row, by popcounts on the two bit planes.
pub fn count_codes(row: &[u8], codes: usize) -> [i64; 4] {
    let mut counts = [0u64; 4];
    for start in (0..row.len()).step_by(8) {
        let word = word_at(row, start);
        let (low, high) = (word & LOW_BITS, (word >> 1) & LOW_BITS);
        counts[1] += u64::from((low & !high).count_ones());
        counts[2] += u64::from((high & !low).count_ones());
        counts[3] += u64::from((low & high).count_ones());
    }
    // Codes at the end are zero, so zero is what remains of the row's known length.
    let [_, het, hom_alt, missing] = counts.map(u64::cast_signed);
    let known = i64::try_from(codes).unwrap_or(i64::MAX);
    [known - het - hom_alt - missing, het, hom_alt, missing]
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
fn rows_of<'a>(packed: &'a PyReadonlyArray2<'_, u8>, samples: usize) -> PyResult<(usize, usize, &'a [u8])> {
    let width = packed.shape()[1];
    if width != bytes_for(samples) {
        return Err(PyValueError::new_err(format!(
            "a row of {samples} samples needs {} bytes, not {width}",
            bytes_for(samples)
        )));
    }
    Ok((packed.shape()[0], width, packed.as_slice()?))
}

/// Transpose individual-major vectors, each of `sites` codes, to a variant-major matrix.
#[pyfunction]
pub fn transpose<'py>(
    py: Python<'py>,
    vectors: Vec<PyReadonlyArray1<'py, u8>>,
    sites: usize,
) -> PyResult<Bound<'py, PyArray2<u8>>> {
    let rows = vectors.iter().map(PyReadonlyArray1::as_slice).collect::<Result<Vec<_>, _>>()?;
    if let Some(index) = rows.iter().position(|row| row.len() != bytes_for(sites)) {
        return Err(PyValueError::new_err(format!("vector {index} is not {} bytes long", bytes_for(sites))));
    }
    let values = py.detach(|| transpose_codes(&rows, sites));
    matrix(py, sites, bytes_for(rows.len()), values)
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
    let values: Vec<i64> = py.detach(|| {
        (0..rows).flat_map(|row| count_codes(&bytes[row * width..(row + 1) * width], samples)).collect()
    });
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
    let kept = columns
        .as_slice()?
        .iter()
        .map(|column| usize::try_from(*column).ok().filter(|column| *column < samples))
        .collect::<Option<Vec<_>>>()
        .ok_or_else(|| PyValueError::new_err(format!("a column is not among the {samples} samples")))?;
    let values = py.detach(|| {
        let mut out = Vec::with_capacity(rows * bytes_for(kept.len()));
        for row in bytes.chunks_exact(width.max(1)) {
            pack_codes(kept.iter().map(|column| code_at(row, *column)), &mut out);
        }
        out
    });
    matrix(py, rows, bytes_for(kept.len()), values)
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
    fn transposing_moves_every_code_to_its_mirror_place() {
        for (rows, columns) in [(1, 1), (3, 5), (32, 32), (33, 31), (70, 129)] {
            let codes = some_codes(rows, columns);
            let vectors: Vec<Vec<u8>> = codes.iter().map(|row| packed(row)).collect();
            let slices: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
            let out = transpose_codes(&slices, columns);
            let width = rows.div_ceil(4);
            for column in 0..columns {
                let expected: Vec<u8> = (0..rows).map(|row| codes[row][column]).collect();
                assert_eq!(out[column * width..(column + 1) * width], packed(&expected)[..]);
            }
        }
    }

    #[test]
    fn counting_agrees_with_looking_at_each_code() {
        for length in [1, 4, 31, 32, 33, 257] {
            let codes = &some_codes(1, length)[0];
            let mut expected = [0i64; 4];
            for code in codes {
                expected[usize::from(*code)] += 1;
            }
            assert_eq!(count_codes(&packed(codes), length), expected);
        }
    }

    #[test]
    fn no_rows_transpose_to_empty_rows() {
        assert!(transpose_codes(&[], 5).is_empty());
    }
}
