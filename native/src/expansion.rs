//! Two-bit codes to any four single-precision values per variant: standardised genotypes, mostly.

use numpy::{IntoPyArray, PyArray2, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Write each sample's value. A whole byte of four codes is looked up at a time.
fn expand_row(row: &[u8], samples: usize, values: [f32; 4], out: &mut Vec<f32>) {
    let mut table = [[0f32; 4]; 256];
    for (byte, four) in table.iter_mut().enumerate() {
        for (offset, value) in four.iter_mut().enumerate() {
            *value = values[(byte >> (2 * offset)) & 3];
        }
    }
    let whole = samples / 4;
    for byte in &row[..whole] {
        out.extend_from_slice(&table[usize::from(*byte)]);
    }
    let rest = samples % 4;
    if rest > 0 {
        out.extend_from_slice(&table[usize::from(row[whole])][..rest]);
    }
}

/// Replace each code c of variant v by `values[v, c]`: float32, shape (variants, samples).
#[pyfunction]
pub fn expand<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    samples: usize,
    values: PyReadonlyArray2<'py, f32>,
) -> PyResult<Bound<'py, PyArray2<f32>>> {
    let (rows, width) = (packed.shape()[0], packed.shape()[1]);
    if width != samples.div_ceil(4) || values.shape() != [rows, 4] {
        return Err(PyValueError::new_err("packed rows, samples and values do not fit each other"));
    }
    let (bytes, values) = (packed.as_slice()?, values.as_slice()?);
    let expanded = py.detach(|| {
        let mut out = Vec::with_capacity(rows * samples);
        for (row, four) in bytes.chunks_exact(width.max(1)).zip(values.chunks_exact(4)) {
            expand_row(row, samples, [four[0], four[1], four[2], four[3]], &mut out);
        }
        out
    });
    let shaped = numpy::ndarray::Array2::from_shape_vec((rows, samples), expanded)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(shaped.into_pyarray(py))
}
