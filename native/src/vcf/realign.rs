//! Variants that were read without a reference genome: held against it, and left-aligned along it, afterwards.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::alignment::Alleles;
use super::fault::Fault;
use super::reference::Reference;
use crate::texts::{NewTexts, PyTexts, Texts, View};

/// What the reference genome says of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Verdict {
    /// It lacks the contig.
    Unknown = 0,
    /// It has other bases than REF there.
    Other = 1,
    Fits = 2,
}

/// Variants as they stand on the reference genome.
#[derive(Default)]
struct Aligned {
    verdict: Vec<u8>,
    pos: Vec<i32>,
    last: Vec<i32>,
    reference: Texts,
    alternate: Texts,
}

impl Aligned {
    fn push(&mut self, verdict: Verdict, pos: u32, last: u32, alleles: &Alleles) {
        let place = |pos: u32| i32::try_from(pos).unwrap_or(i32::MAX);
        self.verdict.push(verdict as u8);
        self.pos.push(place(pos));
        self.last.push(place(last));
        self.reference.push(&alleles.reference);
        self.alternate.push(&alleles.alternate);
    }
}

/// Hold the variant in `alleles` against the contig that `genome` stands on, and left-align it if it fits.
///
/// Returns the verdict, where it is then, and the last base that keeps it from being written farther right.
fn align(genome: &mut Reference, pos: u32, alleles: &mut Alleles) -> Result<(Verdict, u32, u32), Fault> {
    let (length, other) = (alleles.reference.len(), alleles.alternate.len());
    let last = pos.saturating_add(u32::try_from(length).unwrap_or(u32::MAX).saturating_sub(1));
    if !genome.has(pos, &alleles.reference)? {
        return Ok((Verdict::Other, pos, last));
    }
    if length == other {
        return Ok((Verdict::Fits, pos, last));
    }
    let last = alleles.reach(pos, |pos| genome.base_if_any(pos))?;
    let mut before = genome.before(pos);
    let pos = alleles.left_align(pos, || before.step())?;
    Ok((Verdict::Fits, pos, last))
}

fn align_all(
    genome: &mut Reference,
    contigs: &[String],
    places: impl Iterator<Item = (u16, i32)>,
    texts: [View<'_>; 2],
) -> Result<Option<Aligned>, Fault> {
    let (mut found, mut alleles) = (Aligned::default(), Alleles::default());
    for (row, (contig, pos)) in places.enumerate() {
        let contig = contigs.get(usize::from(contig));
        let (Some(contig), Some(reference), Some(alternate)) = (contig, texts[0].get(row), texts[1].get(row))
        else {
            return Ok(None);
        };
        let pos = u32::try_from(pos).unwrap_or(0);
        alleles.set(reference, alternate);
        let known = genome.step(contig.as_bytes())?;
        let (verdict, pos, last) =
            if known { align(genome, pos, &mut alleles)? } else { (Verdict::Unknown, pos, pos) };
        found.push(verdict, pos, last, &alleles);
    }
    Ok(Some(found))
}

/// The bases at places, as letters; 0 where the reference genome has none.
fn bases(
    genome: &mut Reference,
    contigs: &[String],
    places: impl Iterator<Item = (u16, i32)>,
) -> Result<Option<Vec<u8>>, Fault> {
    let mut found = Vec::new();
    for (contig, pos) in places {
        let Some(contig) = contigs.get(usize::from(contig)) else {
            return Ok(None);
        };
        let known = genome.step(contig.as_bytes())?;
        let base = if known { genome.base_if_any(u32::try_from(pos).unwrap_or(0))? } else { None };
        found.push(base.unwrap_or(0));
    }
    Ok(Some(found))
}

/// What reading the reference genome raised, or what is wrong with it, or that the columns do not belong together.
fn unless_failed<T>(genome: Reference, found: Result<Option<T>, Fault>) -> PyResult<T> {
    if let Some(failure) = genome.failure {
        return Err(failure);
    }
    found
        .map_err(|fault| fault.at(0))?
        .ok_or_else(|| PyValueError::new_err("each variant has a contig and two alleles"))
}

type PyPlaces<'py> = (PyReadonlyArray1<'py, u16>, PyReadonlyArray1<'py, i32>);
type PyAligned = (Py<PyArray1<u8>>, Py<PyArray1<i32>>, Py<PyArray1<i32>>, NewTexts, NewTexts);

/// Hold variants against a reference genome, and left-align those that fit.
///
/// Args: the genome, as of `VcfParser`; names of contigs; of each variant the number of its contig and its position,
/// REF and ALT, trimmed. Variants of one place should stand together.
///
/// Returns of each: the verdict (0 unknown contig, 1 other bases, 2 fits), its position and alleles then, and the last
/// position that keeps it from being written farther right: the base behind the repeat that it stands in.
///
/// Raises `ParseError` at line 0, or what reading the reference raised.
#[pyfunction]
pub fn align_variants(
    py: Python<'_>,
    reference: Py<PyAny>,
    contigs: Vec<String>,
    places: PyPlaces<'_>,
    alleles: (PyTexts<'_>, PyTexts<'_>),
) -> PyResult<PyAligned> {
    let (contig, pos) = (places.0.as_slice()?, places.1.as_slice()?);
    let texts = [View::of(&alleles.0)?, View::of(&alleles.1)?];
    let mut genome = Reference::new(reference);
    let places = contig.iter().copied().zip(pos.iter().copied());
    let found = py.detach(|| align_all(&mut genome, &contigs, places, texts));
    let found = unless_failed(genome, found)?;
    let numbers = |values: Vec<i32>| values.into_pyarray(py).unbind();
    Ok((
        found.verdict.into_pyarray(py).unbind(),
        numbers(found.pos),
        numbers(found.last),
        found.reference.into_python(py)?,
        found.alternate.into_python(py)?,
    ))
}

/// The reference genome's base at each place, as a letter: 0 where it has none; arguments as of `align_variants`.
#[pyfunction]
pub fn reference_bases(
    py: Python<'_>,
    reference: Py<PyAny>,
    contigs: Vec<String>,
    places: PyPlaces<'_>,
) -> PyResult<Py<PyArray1<u8>>> {
    let (contig, pos) = (places.0.as_slice()?, places.1.as_slice()?);
    let mut genome = Reference::new(reference);
    let places = contig.iter().copied().zip(pos.iter().copied());
    let found = py.detach(|| bases(&mut genome, &contigs, places));
    Ok(unless_failed(genome, found)?.into_pyarray(py).unbind())
}
