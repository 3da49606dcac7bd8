//! One line of the body, cut into its columns.

use std::ops::Range;

use super::fault::Fault;
use super::index::Index;
use crate::cut::{cut, cut_near};

pub const TAB: u8 = b'\t';

/// The fixed columns of a line, and what follows them.
pub struct Columns<'a> {
    pub fixed: [&'a [u8]; 8],
    /// FORMAT and samples, or `None` where the header names no samples.
    pub calls: Option<(&'a [u8], &'a [u8])>,
}

pub fn wrong_width(line: &[u8], samples: usize) -> Fault {
    let found = memchr::memchr_iter(b'\t', line).count() + 1;
    let expected = if samples == 0 { 8 } else { 9 + samples };
    let sentence = format!("{found} columns between tabs where the header names {expected}");
    Fault::new("vcf.columns", "line", sentence)
}

/// A line, and what was seen of it before it is read.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    pub text: &'a [u8],
    pub index: &'a Index,
}

impl<'a> Line<'a> {
    #[inline(always)]
    pub fn split(&self, samples: usize) -> Result<Columns<'a>, Fault> {
        self.index.columns(self.text, samples).map_or_else(|| split(self.text, samples), Ok)
    }

    /// The outline of the line from a field on, which is a part of it.
    #[inline(always)]
    pub fn outline(&self, first: &[u8]) -> Option<&'a [u8]> {
        self.index.outline.of(self.place(first).start..self.text.len())
    }

    /// Where a field, which is a part of this line, stands in it.
    #[inline(always)]
    pub fn place(&self, field: &[u8]) -> Range<usize> {
        let start = field.as_ptr().addr() - self.text.as_ptr().addr();
        start..start + field.len()
    }
}

fn split(line: &[u8], samples: usize) -> Result<Columns<'_>, Fault> {
    let wrong = || wrong_width(line, samples);
    let mut fixed = [&b""[..]; 8];
    let mut rest = Some(line);
    let (short, info) = fixed.split_at_mut(7);
    for field in short {
        (*field, rest) = cut_near(rest.ok_or_else(wrong)?, TAB);
    }
    (info[0], rest) = cut(rest.ok_or_else(wrong)?, TAB);
    match (samples, rest) {
        (0, None) => Ok(Columns { fixed, calls: None }),
        (0, Some(_)) | (_, None) => Err(wrong()),
        (_, Some(rest)) => match cut_near(rest, TAB) {
            (format, Some(calls)) => Ok(Columns { fixed, calls: Some((format, calls)) }),
            _ => Err(wrong()),
        },
    }
}
