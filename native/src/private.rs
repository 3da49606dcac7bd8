//! Many people's private variants, merged: for each site that anyone carries, who carries it.
//!
//! Every person's keys ascend. A sample of all keys cuts the genome into ranges of some thirty thousand entries;
//! each range is gathered from all people and sorted where it lies in the cache, by key, then by person.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::packing::code_at;

/// Entries that a range holds, more or less: 16 bytes each, so that sorting stays in the second-level cache.
const RANGE: usize = 1 << 15;
/// One key in so many is looked at to find where ranges end.
const SAMPLED: usize = 64;

type Merged<'py> = (
    Bound<'py, PyArray1<u64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i32>>,
    Bound<'py, PyArray1<u8>>,
);

/// One person's private variants: ascending keys and their packed codes.
struct Person<'a> {
    keys: &'a [u64],
    codes: &'a [u8],
}

/// Sites in ascending order; site `i` is carried by `carriers[offsets[i]..offsets[i + 1]]`, ascending too.
#[derive(Default)]
struct Carriers {
    keys: Vec<u64>,
    offsets: Vec<i64>,
    people: Vec<i32>,
    codes: Vec<u8>,
}

/// Where ranges end, the last key of each included; the last range ends with the last key of all.
fn range_ends(people: &[Person<'_>], entries: usize) -> Vec<u64> {
    let mut sample: Vec<u64> = people
        .iter()
        .flat_map(|person| person.keys.iter().skip(SAMPLED / 2).step_by(SAMPLED))
        .copied()
        .collect();
    sample.sort_unstable();
    let ranges = entries.div_ceil(RANGE).max(1);
    let mut ends: Vec<u64> =
        (1..ranges).filter_map(|range| sample.get(range * sample.len() / ranges)).copied().collect();
    ends.push(u64::MAX);
    ends.dedup();
    ends
}

fn merge(people: &[Person<'_>]) -> Carriers {
    let entries: usize = people.iter().map(|person| person.keys.len()).sum();
    let mut merged = Carriers { people: Vec::with_capacity(entries), ..Carriers::default() };
    merged.codes.reserve(entries);
    let mut next = vec![0usize; people.len()];
    let mut range: Vec<(u64, i32, u8)> = Vec::with_capacity(2 * RANGE);
    for end in range_ends(people, entries) {
        range.clear();
        for ((number, person), next) in (0i32..).zip(people).zip(&mut next) {
            let rest = &person.keys[*next..];
            let taken = rest.iter().take_while(|key| **key <= end).count();
            range.extend(
                (*next..).zip(&rest[..taken]).map(|(at, key)| (*key, number, code_at(person.codes, at))),
            );
            *next += taken;
        }
        range.sort_unstable_by_key(|(key, number, _)| (*key, *number));
        for (key, number, code) in &range {
            if merged.keys.last() != Some(key) {
                merged.keys.push(*key);
                merged.offsets.push(merged.people.len() as i64);
            }
            merged.people.push(*number);
            merged.codes.push(*code);
        }
    }
    merged.offsets.push(merged.people.len() as i64);
    merged
}

/// Merge people's private variants, `keys[i]` and packed `codes[i]` of person i, into sites and carriers.
///
/// Returns keys (sites,), offsets (sites + 1,), carriers and their codes (entries,). Person i's keys must
/// ascend strictly.
#[pyfunction]
pub fn assemble_private<'py>(
    py: Python<'py>,
    keys: Vec<PyReadonlyArray1<'py, u64>>,
    codes: Vec<PyReadonlyArray1<'py, u8>>,
) -> PyResult<Merged<'py>> {
    if keys.len() != codes.len() || i32::try_from(keys.len()).is_err() {
        return Err(PyValueError::new_err(format!(
            "keys of {} people, codes of {}",
            keys.len(),
            codes.len()
        )));
    }
    let mut people = Vec::with_capacity(keys.len());
    for (number, (keys, codes)) in keys.iter().zip(&codes).enumerate() {
        let person = Person { keys: keys.as_slice()?, codes: codes.as_slice()? };
        if person.codes.len() != person.keys.len().div_ceil(4) {
            return Err(PyValueError::new_err(format!("person {number} has not one code for each key")));
        }
        if person.keys.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(PyValueError::new_err(format!("the keys of person {number} do not ascend")));
        }
        people.push(person);
    }
    let merged = py.detach(|| merge(&people));
    Ok((
        merged.keys.into_pyarray(py),
        merged.offsets.into_pyarray(py),
        merged.people.into_pyarray(py),
        merged.codes.into_pyarray(py),
    ))
}
