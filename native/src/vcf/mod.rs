//! The body of a VCF, strictly: bytes in, columns out, or the line, the column and the rule it breaks.
//!
//! SECURITY: every byte here may come from an attacker. Lengths are checked by slicing patterns and
//! iterators, numbers have a longest form, and nothing indexes by a value from the file unchecked.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod agreement_of_outlines;
mod alignment;
pub mod bcf;
mod close_up;
mod columns;
mod eyes;
pub mod fault;
mod filters;
mod format;
mod genotypes;
mod index;
mod info;
mod layouts;
mod line;
mod lines;
mod look;
mod names;
mod numbers;
mod order;
mod outline;
mod outlines;
mod pieces;
mod places;
mod plain;
mod plain_sample;
mod plain_values;
pub mod realign;
mod recent;
mod record;
mod reference;
mod rows;
mod same;
mod sample;
mod settling;
mod structural;
mod usual;
mod values;

use std::collections::HashMap;

use numpy::ndarray::Array2;
use numpy::{IntoPyArray, PyArray1, PyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use alignment::Alleles;
use columns::Alternate;
use fault::{Fate, Ledger};
use filters::Filters;
use format::Format;
use genotypes::Call;
use layouts::Layouts;
use order::Order;
use outlines::Outlines;
use recent::Keys;
use reference::Reference;
use rows::Rows;
use same::Same;
use values::{Definition, Kind, Number};

use crate::texts::NewTexts;

/// The minor versions that brought SVLEN for each allele, and local alleles.
const STRUCTURAL_KEYS: u8 = 4;
const LOCAL_ALLELES: u8 = 5;
/// More rows than a person's file has: what is expected is set aside before it is there.
const MOST_EXPECTED: usize = 1 << 23;
/// Columns of a block: contig, first and last position, lowest depth and quality (-1 where not given).
const BLOCK_WIDTH: usize = 5;

/// What the header says about the body.
pub struct Rules {
    pub samples: Vec<String>,
    pub info: HashMap<Vec<u8>, Definition>,
    pub format: HashMap<Vec<u8>, Definition>,
    /// Declared contigs, with their lengths where they are given.
    pub contigs: HashMap<Vec<u8>, Option<u64>>,
    /// The minor version: VCF 4.`minor`.
    pub minor: u8,
}

/// The contig that the last line named; before the first line its name is empty, which no contig's is.
struct Chromosome {
    name: Same,
    /// See `chromosome_code`.
    code: u8,
    /// Once a record of it went through: its number, and whether it is compared with the reference genome.
    stand: Option<(u16, bool)>,
}

/// Reads the body of one VCF, piece by piece; remembers what holds across lines.
#[pyclass]
pub struct VcfParser {
    rules: Rules,
    order: Order,
    filters: Filters,
    reference: Option<Reference>,
    ledger: Ledger,
    // What the last line left behind, for the next one to be compared with or to be written over.
    chromosome: Chromosome,
    keys: Keys,
    layouts: Layouts,
    outlines: Outlines,
    format: Option<Format>,
    alternates: Vec<Alternate>,
    alleles: Alleles,
    calls: Vec<Call>,
    /// What was read and not taken yet; and the bytes of the piece at hand, which may all become alleles.
    rows: Rows,
    piece_bytes: usize,
}

/// What was read of a VCF, as columns; a row is one trimmed alternative allele that is a sequence.
#[pyclass(get_all)]
pub struct VcfBatch {
    contig: Py<PyArray1<u16>>,
    pos: Py<PyArray1<i32>>,
    key: Py<PyArray1<u64>>,
    reference: NewTexts,
    alternate: NewTexts,
    filter: Py<PyArray1<u16>>,
    codes: Py<PyArray2<u8>>,
    forms: Py<PyArray2<u8>>,
    depth: Py<PyArray1<i32>>,
    quality: Py<PyArray1<i32>>,
    line: Py<PyArray1<u32>>,
    blocks: Py<PyArray2<i64>>,
    records: u64,
    genotyped: u64,
    other_alleles: u64,
    repetitions: u64,
    half_calls: u64,
    polyploid_calls: u64,
    filtered_calls: u64,
    unreferenced: u64,
}

/// A definition as Python hands it over: key, Number, Type, whether the specification reserves it, whether the
/// header declares it, whether negative values are refused.
type RawDefinition = (String, String, String, bool, bool, bool);

/// A rule that was broken: code, whether the records stayed, how often, first line, its field, the sentence.
type RawTally = (&'static str, bool, u64, u64, String, String);

fn definitions(raw: Vec<RawDefinition>) -> HashMap<Vec<u8>, Definition> {
    raw.into_iter()
        .map(|(key, number, kind, reserved, declared, natural)| {
            let (number, kind) = (Number::parse(&number), Kind::parse(&kind));
            let definition = Definition { number, kind, reserved, declared, natural };
            (key.into_bytes(), definition)
        })
        .collect()
}

#[pymethods]
impl VcfParser {
    /// Args: sample names; INFO and FORMAT definitions; declared contigs, with their lengths; minor version; lines of the
    /// header; whether faults are counted instead of ending the reading; the reference genome, with `layout(contig)`
    /// (bases, bases and bytes of a line), `lines(contig, first, count)` and `window_bytes`, of how many to ask for lines.
    #[new]
    #[pyo3(signature = (samples, info, format, contigs, minor, header_lines, lenient, reference=None))]
    #[allow(clippy::too_many_arguments)]
    fn new(
        samples: Vec<String>,
        info: Vec<RawDefinition>,
        format: Vec<RawDefinition>,
        contigs: HashMap<String, Option<u64>>,
        minor: u8,
        header_lines: u64,
        lenient: bool,
        reference: Option<Py<PyAny>>,
    ) -> Self {
        Self {
            rules: Rules {
                samples,
                info: definitions(info),
                format: definitions(format),
                contigs: contigs.into_iter().map(|(name, length)| (name.into_bytes(), length)).collect(),
                minor,
            },
            order: Order::default(),
            filters: Filters::default(),
            reference: reference.map(Reference::new),
            chromosome: Chromosome { name: Same::new(b""), code: 0, stand: None },
            keys: Keys::default(),
            layouts: Layouts::default(),
            outlines: Outlines::default(),
            format: None,
            alternates: Vec::new(),
            alleles: Alleles::default(),
            calls: Vec::new(),
            rows: Rows::default(),
            piece_bytes: 0,
            ledger: Ledger { lenient, line: header_lines, ..Ledger::default() },
        }
    }

    /// Number of the last line that was read.
    #[getter]
    fn line(&self) -> u64 {
        self.ledger.line
    }

    /// Rules that a lenient reading saw broken so far.
    #[getter]
    fn tallies(&self) -> Vec<RawTally> {
        let tallies = self.ledger.tallies.iter();
        tallies
            .map(|((code, fate), tally)| {
                let kept = *fate == Fate::Kept;
                (*code, kept, tally.count, tally.line, tally.field.clone(), tally.sentence.clone())
            })
            .collect()
    }

    /// Contig names in the order of their numbers.
    #[getter]
    fn contigs(&self) -> Vec<String> {
        self.order.contigs.texts()
    }

    /// FILTER values in the order of their numbers.
    #[getter]
    fn filters(&self) -> Vec<String> {
        self.filters.names.texts()
    }

    /// Parse the whole lines before `end`; the first goes on with what was begun, only the last may lack its newline.
    ///
    /// Returns how many rows wait to be taken. Raises `ParseError`, or what reading the reference raised.
    fn parse(&mut self, py: Python<'_>, begun: &[u8], piece: &[u8], end: usize) -> PyResult<usize> {
        let lines = piece.get(..end).unwrap_or(piece);
        let mut rows = std::mem::take(&mut self.rows);
        let parsed = py.detach(|| self.parse_piece(begun, lines, &mut rows));
        self.rows = rows;
        if let Some(failure) = self.reference.as_mut().and_then(|reference| reference.failure.take()) {
            return Err(failure);
        }
        parsed.map_err(|(fault, line)| fault.at(line))?;
        Ok(self.rows.key.len())
    }

    /// Make room for so many rows of a single person, as are expected in all; more may come.
    fn expect(&mut self, rows: usize) {
        self.rows.expect(rows.min(MOST_EXPECTED));
    }

    /// Take the rows of all that was parsed since they were taken last.
    fn take(&mut self, py: Python<'_>) -> PyResult<VcfBatch> {
        batch(py, std::mem::take(&mut self.rows), self.rules.samples.len())
    }
}

fn shaped<T: numpy::Element>(
    py: Python<'_>,
    rows: usize,
    width: usize,
    values: Vec<T>,
) -> PyResult<Py<PyArray2<T>>> {
    let array = Array2::from_shape_vec((rows, width), values)
        .map_err(|error| PyValueError::new_err(error.to_string()))?;
    Ok(array.into_pyarray(py).unbind())
}

fn batch(py: Python<'_>, rows: Rows, samples: usize) -> PyResult<VcfBatch> {
    let (count, width) = (rows.key.len(), samples.div_ceil(4));
    Ok(VcfBatch {
        contig: rows.contig.into_pyarray(py).unbind(),
        pos: rows.pos.into_pyarray(py).unbind(),
        key: rows.key.into_pyarray(py).unbind(),
        reference: rows.reference.into_python(py)?,
        alternate: rows.alternate.into_python(py)?,
        filter: rows.filter.into_pyarray(py).unbind(),
        codes: shaped(py, count, width, rows.codes)?,
        forms: shaped(py, count, width, rows.forms)?,
        depth: rows.depth.into_pyarray(py).unbind(),
        quality: rows.quality.into_pyarray(py).unbind(),
        line: rows.line.into_pyarray(py).unbind(),
        blocks: shaped(py, rows.blocks.len() / BLOCK_WIDTH, BLOCK_WIDTH, rows.blocks)?,
        records: rows.records,
        genotyped: rows.genotyped,
        other_alleles: rows.other_alleles,
        repetitions: rows.repetitions,
        half_calls: rows.half_calls,
        polyploid_calls: rows.polyploid_calls,
        filtered_calls: rows.filtered_calls,
        unreferenced: rows.unreferenced,
    })
}
