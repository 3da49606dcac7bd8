//! Texts of which few are different, as Arrow's dictionaries hold them: each one's number, and the different ones.

use std::hash::BuildHasher;

use hashbrown::HashTable;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Texts as Python hands them over: each one's number; content and offsets of the different ones, of which there is one
/// more than these.
pub type PyTexts<'py> = (PyReadonlyArray1<'py, i32>, PyReadonlyArray1<'py, u8>, PyReadonlyArray1<'py, i32>);

/// Texts as Python gets them.
pub type NewTexts = (Py<PyArray1<i32>>, Py<PyArray1<u8>>, Py<PyArray1<i32>>);

/// Texts, to be read.
#[derive(Clone, Copy)]
pub struct View<'a> {
    numbers: &'a [i32],
    content: &'a [u8],
    offsets: &'a [i32],
}

impl<'a> View<'a> {
    pub fn of(texts: &'a PyTexts<'_>) -> PyResult<Self> {
        let (numbers, content, offsets) = texts;
        Ok(Self { numbers: numbers.as_slice()?, content: content.as_slice()?, offsets: offsets.as_slice()? })
    }

    /// One of them, not empty; `None` where there is no such text.
    #[inline]
    pub fn get(&self, row: usize) -> Option<&'a [u8]> {
        let number = usize::try_from(*self.numbers.get(row)?).ok()?;
        let offset = |number: usize| usize::try_from(*self.offsets.get(number)?).ok();
        self.content.get(offset(number)?..offset(number.checked_add(1)?)?).filter(|text| !text.is_empty())
    }
}

/// Texts, to be added to. Equal ones have one number, in the order in which they come.
#[derive(Debug)]
pub struct Texts {
    pub numbers: Vec<i32>,
    content: Vec<u8>,
    ends: Vec<i32>,
    /// Nearly all alleles are one base: by their byte, the numbers of these, or -1.
    short: [i32; 256],
    /// Numbers of the others, by their hash.
    long: HashTable<i32>,
    /// Its seed is drawn when the process begins, so that nobody can prepare texts that meet.
    hasher: foldhash::fast::RandomState,
    /// How many bytes all of them have, each one written out.
    written: usize,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            numbers: Vec::new(),
            content: Vec::new(),
            ends: vec![0],
            short: [-1; 256],
            long: HashTable::new(),
            hasher: foldhash::fast::RandomState::default(),
            written: 0,
        }
    }
}

/// A text by its number.
fn numbered<'a>(content: &'a [u8], ends: &[i32], number: i32) -> &'a [u8] {
    let number = number as usize;
    &content[ends[number] as usize..ends[number + 1] as usize]
}

#[cfg(test)]
impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        (&self.numbers, &self.content, &self.ends) == (&other.numbers, &other.content, &other.ends)
    }
}

impl Texts {
    /// How many bytes they have together, each one written out. Who adds sees to it that they stay below 2 GiB.
    pub fn written(&self) -> usize {
        self.written
    }

    #[inline(always)]
    pub fn push(&mut self, text: &[u8]) {
        let known = if let [byte] = text { self.short[usize::from(*byte)] } else { -1 };
        let number = if known >= 0 { known } else { self.number(text) };
        self.numbers.push(number);
        self.written += text.len();
    }

    /// The number of a text that is new, or not a single byte.
    #[inline(never)]
    fn number(&mut self, text: &[u8]) -> i32 {
        let Self { content, ends, short, long, hasher, .. } = self;
        let hash = hasher.hash_one(text);
        if let Some(number) = long.find(hash, |number| numbered(content, ends, *number) == text) {
            return *number;
        }
        let place = |length: usize| i32::try_from(length).unwrap_or(i32::MAX);
        let number = place(ends.len() - 1);
        content.extend_from_slice(text);
        ends.push(place(content.len()));
        match text {
            [byte] => short[usize::from(*byte)] = number,
            _ => {
                let again = |number: &i32| hasher.hash_one(numbered(content, ends, *number));
                long.insert_unique(hash, number, again);
            }
        }
        number
    }

    #[cfg(test)]
    pub fn get(&self, row: usize) -> &[u8] {
        numbered(&self.content, &self.ends, self.numbers[row])
    }

    /// Hand them over; `ValueError` if the different ones are longer than offsets can say.
    pub fn into_python(self, py: Python<'_>) -> PyResult<NewTexts> {
        if i32::try_from(self.content.len()).is_err() {
            return Err(PyValueError::new_err("different texts are below 2 GiB together"));
        }
        let places = |values: Vec<i32>| values.into_pyarray(py).unbind();
        Ok((places(self.numbers), self.content.into_pyarray(py).unbind(), places(self.ends)))
    }
}

/// `None` where the offsets do not ascend within the content.
fn number_all(content: &[u8], offsets: &[i32]) -> Option<Texts> {
    let mut found = Texts::default();
    for pair in offsets.windows(2) {
        found.push(content.get(usize::try_from(pair[0]).ok()?..usize::try_from(pair[1]).ok()?)?);
    }
    Some(found)
}

/// Number texts that stand end to end: `offsets` has one entry more than there are texts.
///
/// Returns each text's number, and content and offsets of the texts that are different, by number.
#[pyfunction]
pub fn number_texts<'py>(
    py: Python<'py>,
    content: PyReadonlyArray1<'py, u8>,
    offsets: PyReadonlyArray1<'py, i32>,
) -> PyResult<NewTexts> {
    let (content, offsets) = (content.as_slice()?, offsets.as_slice()?);
    let found = py
        .detach(|| number_all(content, offsets))
        .ok_or_else(|| PyValueError::new_err("the offsets of texts ascend within their content"))?;
    found.into_python(py)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_have_one_number_in_the_order_of_coming() {
        let found = number_all(b"CACACAGCA", &[0, 1, 2, 4, 5, 6, 7, 7, 9]).unwrap_or_default();
        assert_eq!(found.numbers, [0, 1, 2, 0, 1, 3, 4, 2]);
        assert_eq!((&found.content[..], &found.ends[..]), (&b"CACAG"[..], &[0, 1, 2, 4, 5, 5][..]));
        assert_eq!(found.written(), 9);
        assert!(number_all(b"A", &[0, 2]).is_none() && number_all(b"A", &[1, 0]).is_none());
    }
}
