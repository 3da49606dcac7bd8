//! What is wrong with a file, where, and which rule it breaks.

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
