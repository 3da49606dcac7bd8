//! The fast core of Nebula, imported as `nebula._native`.
//!
//! No `unsafe` and no panic on hostile bytes: bad input comes back as `ValueError` or `ParseError`.

mod hardy;
mod linkage;
mod packing;
mod regression;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(hardy::hardy_weinberg, module)?)?;
    module.add_function(wrap_pyfunction!(linkage::prune_linked, module)?)?;
    module.add_function(wrap_pyfunction!(regression::linear_scan, module)?)?;
    module.add_function(wrap_pyfunction!(packing::counts, module)?)?;
    module.add_function(wrap_pyfunction!(packing::pack, module)?)?;
    module.add_function(wrap_pyfunction!(packing::select_samples, module)?)?;
    module.add_function(wrap_pyfunction!(packing::transpose, module)?)?;
    module.add_function(wrap_pyfunction!(packing::unpack, module)?)?;
    Ok(())
}
