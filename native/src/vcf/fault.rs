//! What is wrong with a file, where, and which rule it breaks.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

pyo3::create_exception!(_native, ParseError, PyValueError, "args: code, line, field, sentence");

/// A rule that a line breaks. The line's number is added by whoever counts lines.
#[derive(Debug, PartialEq, Eq)]
pub struct Fault {
    /// Stable, dotted: `vcf.pos`.
    pub code: &'static str,
    /// The column, and the sample or key inside it.
    pub field: String,
    pub sentence: String,
}

impl Fault {
    pub fn new(code: &'static str, field: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self { code, field: field.into(), sentence: sentence.into() }
    }

    pub fn at(self, line: u64) -> PyErr {
        ParseError::new_err((self.code, line, self.field, self.sentence))
    }
}

/// What became of a record with a fault, in a lenient reading.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
pub enum Fate {
    /// The fault is where nothing is read, or a call that counts as missing: the record stays.
    Kept,
    /// What the record says is not certain: it became no row.
    LeftOut,
}

/// How often a rule was broken, and where first.
#[derive(Debug)]
pub struct Tally {
    pub count: u64,
    pub line: u64,
    pub field: String,
    pub sentence: String,
}

/// Strict: the first fault ends the reading. Lenient: faults are counted, by rule and by what became of the record.
#[derive(Debug, Default)]
pub struct Ledger {
    pub lenient: bool,
    /// Of the record that is being read.
    pub line: u64,
    pub tallies: BTreeMap<(&'static str, Fate), Tally>,
}

impl Ledger {
    /// Go on from a fault, or hand it back where the reading is strict.
    pub fn overlook(&mut self, fault: Fault, fate: Fate) -> Result<(), Fault> {
        // A REF that the reference does not have puts the whole file in doubt; and what is full stays full.
        if !self.lenient || matches!(fault.code, "vcf.reference" | "vcf.too-large") {
            return Err(fault);
        }
        let line = self.line;
        let Fault { code, field, sentence } = fault;
        self.tallies.entry((code, fate)).or_insert(Tally { count: 0, line, field, sentence }).count += 1;
        Ok(())
    }

    /// A check of what nothing here reads.
    pub fn check(&mut self, checked: Result<(), Fault>) -> Result<(), Fault> {
        checked.or_else(|fault| self.overlook(fault, Fate::Kept))
    }
}

/// Hostile bytes, made fit to stand in a sentence: printable, short.
pub fn quoted(bytes: &[u8]) -> String {
    const SHOWN: usize = 40;
    let text: String =
        bytes.iter().take(SHOWN).flat_map(|byte| byte.escape_ascii()).map(char::from).collect();
    if bytes.len() > SHOWN {
        format!("'{text}…'")
    } else {
        format!("'{text}'")
    }
}
