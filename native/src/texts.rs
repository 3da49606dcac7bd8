//! Texts end to end, as Arrow holds them, and the numbers of those that are different.

use std::collections::HashMap;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::room::room;

/// Texts as Python hands them over: content and offsets, one more than there are texts.
pub type PyTexts<'py> = (PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i32>);

/// Texts end to end, to be read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    content: &'a [u8],
    offsets: &'a [i32],
}

impl<'a> View<'a> {
    pub fn of(texts: &'a PyTexts<'_>) -> PyResult<Self> {
        Ok(Self { content: texts.0.as_slice()?, offsets: texts.1.as_slice()? })
    }

    /// One of them, not empty; `None` where there is no such text.
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        let offset = |row: usize| usize::try_from(*self.offsets.get(row)?).ok();
        self.content.get(offset(row)?..offset(row + 1)?).filter(|text| !text.is_empty())
    }
}

/// Each text's number, and the texts that are different in the order in which they come.
#[derive(Default)]
struct Numbered {
    numbers: Vec<i32>,
    content: Vec<u8>,
    ends: Vec<i32>,
}

impl Numbered {
    fn add(&mut self, text: &[u8]) -> i32 {
        let number = i32::try_from(self.ends.len()).unwrap_or(i32::MAX) - 1;
        self.content.extend_from_slice(text);
        self.ends.push(i32::try_from(self.content.len()).unwrap_or(i32::MAX));
        number
    }
}

/// `None` where the offsets do not ascend within the content.
fn number(content: &[u8], offsets: &[i32]) -> Option<Numbered> {
    let mut found = Numbered { numbers: room(offsets.len()), ends: vec![0], ..Numbered::default() };
    // Nearly all alleles are one base: they need no hash. The others have one whose seed is drawn when the process
    // begins, so that nobody can prepare texts that meet.
    let mut short = [None; 256];
    let mut long: HashMap<&[u8], i32, foldhash::fast::RandomState> = HashMap::default();
    for pair in offsets.windows(2) {
        let text = content.get(usize::try_from(pair[0]).ok()?..usize::try_from(pair[1]).ok()?)?;
        let number = match text {
            [byte] => *short[usize::from(*byte)].get_or_insert_with(|| found.add(text)),
            _ => *long.entry(text).or_insert_with(|| found.add(text)),
        };
        found.numbers.push(number);
    }
    Some(found)
}

type PyNumbered<'py> = (Bound<'py, PyArray1<i32>>, Bound<'py, PyArray1<u8>>, Bound<'py, PyArray1<i32>>);

/// Number texts that stand end to end: `offsets` has one entry more than there are texts.
///
/// Returns each text's number, and content and offsets of the texts that are different, by number.
#[pyfunction]
pub fn number_texts<'py>(
    py: Python<'py>,
    content: PyReadonlyArray1<'py, u8>,
    offsets: PyReadonlyArray1<'py, i32>,
) -> PyResult<PyNumbered<'py>> {
    let (content, offsets) = (content.as_slice()?, offsets.as_slice()?);
    let found = py
        .detach(|| number(content, offsets))
        .ok_or_else(|| PyValueError::new_err("the offsets of texts ascend within their content"))?;
    Ok((found.numbers.into_pyarray(py), found.content.into_pyarray(py), found.ends.into_pyarray(py)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number_in_the_order_of_coming() {
        let found = number(b"CACACAG", &[0, 1, 2, 4, 5, 6, 7, 7]).unwrap_or_default();
        assert_eq!(found.numbers, [0, 1, 2, 0, 1, 3, 4]);
        assert_eq!((&found.content[..], &found.ends[..]), (&b"CACAG"[..], &[0, 1, 2, 4, 5, 5][..]));
        assert!(number(b"A", &[0, 2]).is_none() && number(b"A", &[1, 0]).is_none());
    }
}
