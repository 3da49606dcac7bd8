//! The fast core of Nebula, imported as `nebula._native`.
//!
//! No panic on hostile bytes: bad input comes back as `ValueError` or `ParseError`. `unsafe` stands only where
//! instructions are called that every such processor has, or that this one was asked for, where a vector is taken
//! for its bytes, where bytes of Python's are read in their place, and where the system is told what room is for.

mod bgzf;
mod consumer;
mod cpu;
mod cut;
mod hardy;
mod held;
mod kinship;
mod linkage;
mod locate;
mod logistic;
mod logistic_fit;
mod math;
mod packing;
mod private;
mod products;
mod regression;
mod room;
mod select;
mod single_column;
mod symmetric;
mod texts;
mod threads;
mod transpose;
mod variant_key;
mod vcf;
mod walk;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(bgzf::inflate_blocks, module)?)?;
    module.add_function(wrap_pyfunction!(consumer::matching::match_markers, module)?)?;
    module.add_function(wrap_pyfunction!(hardy::hardy_weinberg, module)?)?;
    module.add_function(wrap_pyfunction!(kinship::kinship_pairs, module)?)?;
    module.add_function(wrap_pyfunction!(linkage::prune_linked, module)?)?;
    module.add_function(wrap_pyfunction!(locate::fitting_bases, module)?)?;
    module.add_function(wrap_pyfunction!(locate::locate, module)?)?;
    module.add_function(wrap_pyfunction!(locate::put_at_sites, module)?)?;
    module.add_function(wrap_pyfunction!(logistic::logistic_scan, module)?)?;
    module.add_function(wrap_pyfunction!(regression::linear_scan, module)?)?;
    module.add_function(wrap_pyfunction!(private::assemble_private, module)?)?;
    module.add_function(wrap_pyfunction!(packing::counts, module)?)?;
    module.add_function(wrap_pyfunction!(products::genotypes_times, module)?)?;
    module.add_function(wrap_pyfunction!(products::transposed_genotypes_times, module)?)?;
    module.add_function(wrap_pyfunction!(packing::pack, module)?)?;
    module.add_function(wrap_pyfunction!(packing::place, module)?)?;
    module.add_function(wrap_pyfunction!(packing::keep_samples, module)?)?;
    module.add_function(wrap_pyfunction!(packing::select_samples, module)?)?;
    module.add_function(wrap_pyfunction!(packing::transpose_matrix, module)?)?;
    module.add_function(wrap_pyfunction!(packing::unpack, module)?)?;
    module.add_function(wrap_pyfunction!(texts::number_texts, module)?)?;
    module.add_function(wrap_pyfunction!(variant_key::variant_key, module)?)?;
    module.add_function(wrap_pyfunction!(variant_key::variant_keys, module)?)?;
    module.add_function(wrap_pyfunction!(vcf::realign::align_variants, module)?)?;
    module.add_function(wrap_pyfunction!(vcf::realign::reference_bases, module)?)?;
    module.add_class::<consumer::MarkerParser>()?;
    module.add_class::<vcf::VcfBatch>()?;
    module.add_class::<vcf::bcf::BcfDecoder>()?;
    module.add_class::<vcf::VcfParser>()?;
    module.add("ParseError", module.py().get_type::<vcf::fault::ParseError>())?;
    Ok(())
}
