//! Match a consumer file's letters with the alleles of a panel, by place, and settle the strand.
//!
//! Both lists ascend by place, or are made to, so that one walk over the markers meets every site: the panel is
//! stepped through in leaps, since it may have a hundred times as many sites as the file has markers.
//!
//! Sets of bases are four bits, A the lowest and T the highest: turned to the other strand they stand in reverse. A
//! place whose alleles are also alleles when turned (A/T, C/G) tells nothing about the strand.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::locate::leap;
use crate::variant_key::{is_single, ALLELE_BITS};

const MISSING: u8 = 3;
const POSITION_BITS: u32 = 28;

/// A marker with bases at a place of some chromosome; `two` is empty where there is one copy.
#[derive(Clone, Copy)]
struct Called {
    place: u64,
    one: u8,
    two: u8,
}

/// What a place's letters say, read on the strand on which they fit.
struct Reading {
    one: u8,
    two: u8,
    usable: bool,
}

/// What the panel's sites of one base are called by a file; see `Match` in Python.
#[derive(Default, Debug, PartialEq, Eq)]
struct Matched {
    rows: Vec<i64>,
    codes: Vec<u8>,
    haploid: Vec<bool>,
    counts: Counts,
}

#[derive(Default, Debug, PartialEq, Eq)]
struct Counts {
    met: u64,
    fitting: u64,
    strangers: u64,
    turned: u64,
    palindromes: u64,
    conflicts: u64,
}

/// The set of each letter; empty for what is no base. Letters follow no pattern that a processor could learn, so
/// they are looked up.
const SETS: [u8; 256] = {
    let mut sets = [0; 256];
    (sets[b'A' as usize], sets[b'C' as usize], sets[b'G' as usize], sets[b'T' as usize]) = (1, 2, 4, 8);
    sets
};

fn turned(bases: u8) -> u8 {
    bases.reverse_bits() >> 4
}

/// REF and ALT of a key whose alleles have one base each, as sets.
fn single_bases(key: u64) -> Option<(u8, u8)> {
    is_single(key).then_some((1 << ((key >> 21) & 3), 1 << ((key >> 19) & 3)))
}

/// The markers that have bases and a place, in the file's order.
fn called<'a>(
    chromosome: &'a [u8],
    pos: &'a [i32],
    first: &'a [u8],
    second: &'a [u8],
) -> impl Iterator<Item = Called> + Clone + 'a {
    let columns = chromosome.iter().zip(pos).zip(first).zip(second);
    columns.filter_map(|(((chromosome, pos), first), second)| {
        let (one, two) = (SETS[usize::from(*first)], SETS[usize::from(*second)]);
        if *chromosome == 0 || *pos < 1 || one == 0 || (two == 0 && *second != 0) {
            return None;
        }
        let place = u64::from(*chromosome) << POSITION_BITS | u64::from(pos.cast_unsigned() - 1);
        Some(Called { place, one, two })
    })
}

impl Counts {
    /// Judge the letters of one place by its alleles.
    ///
    /// Args: the first marker there; whether all others have the same letters; the alleles; what `match_markers` says.
    #[inline]
    fn read(&mut self, marker: Called, agree: bool, alleles: u8, plus_strand: bool) -> Reading {
        let Called { one, two, .. } = marker;
        let genotype = one | two;
        let direct = genotype & !alleles == 0;
        let turnable = turned(genotype) & !alleles == 0;
        let palindrome = alleles & turned(alleles) != 0;
        let (telling, fits) = if plus_strand {
            (true, direct)
        } else {
            (genotype.count_ones() == 2 && !palindrome, direct || turnable)
        };
        self.met += u64::from(telling);
        self.fitting += u64::from(telling && fits);
        self.strangers += u64::from(!direct);
        self.turned += u64::from(!direct && turnable && !palindrome);
        self.palindromes += u64::from(!plus_strand && palindrome);
        self.conflicts += u64::from(!agree);
        let usable = fits && agree && (plus_strand || !palindrome);
        if !direct && turnable && !plus_strand {
            return Reading { one: turned(one), two: turned(two), usable };
        }
        Reading { one, two, usable }
    }
}

/// Match markers in any order; those of one place are compared in the file's order.
fn match_all(keys: &[u64], markers: impl Iterator<Item = Called> + Clone, plus_strand: bool) -> Matched {
    if markers.clone().is_sorted_by_key(|marker| marker.place) {
        return match_sorted(keys, markers, plus_strand);
    }
    let mut sorted: Vec<Called> = markers.collect();
    sorted.sort_by_key(|marker| marker.place);
    match_sorted(keys, sorted.into_iter(), plus_strand)
}

fn match_sorted(keys: &[u64], markers: impl Iterator<Item = Called>, plus_strand: bool) -> Matched {
    let mut found = Matched::default();
    let most = markers.size_hint().1.unwrap_or(0).min(keys.len());
    found.rows.reserve(most);
    found.codes.reserve(most);
    found.haploid.reserve(most);
    let mut markers = markers.peekable();
    let mut start = 0;
    // Sites of the place at hand; None is one whose alleles have more than one base each.
    let mut sites: Vec<Option<(u8, u8)>> = Vec::new();
    while let Some(marker) = markers.next() {
        let place = marker.place;
        let mut agree = true;
        while let Some(other) = markers.next_if(|other| other.place == place) {
            agree &= other.one | other.two == marker.one | marker.two;
        }
        start = leap(keys, start, |key| key >> ALLELE_BITS < place);
        let first = start;
        sites.clear();
        while let Some(key) = keys.get(start).filter(|key| *key >> ALLELE_BITS == place) {
            sites.push(single_bases(*key));
            start += 1;
        }
        let alleles =
            sites.iter().flatten().fold(0, |all, (reference, alternate)| all | reference | alternate);
        if alleles == 0 {
            continue;
        }
        let reading = found.counts.read(marker, agree, alleles, plus_strand);
        for (row, site) in (first..).zip(&sites) {
            let Some((_, alternate)) = site else { continue };
            let carried = u8::from(reading.one == *alternate) + u8::from(reading.two == *alternate);
            found.rows.push(row as i64);
            found.codes.push(if reading.usable { carried } else { MISSING });
            found.haploid.push(reading.two == 0);
        }
    }
    found
}

type PyMatch<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<bool>>,
    (u64, u64, u64, u64, u64, u64),
);

/// Match markers with the sites of one base each among a panel's ascending keys.
///
/// Args: the keys; of each marker chromosome code, 1-based position, both letters; whether these are on the plus
/// strand for sure. Returns rows, codes, whether there is one copy; and the counts of `Match`, in its order.
#[pyfunction]
pub fn match_markers<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray1<'py, u64>,
    chromosome: PyReadonlyArray1<'py, u8>,
    pos: PyReadonlyArray1<'py, i32>,
    first: PyReadonlyArray1<'py, u8>,
    second: PyReadonlyArray1<'py, u8>,
    plus_strand: bool,
) -> PyResult<PyMatch<'py>> {
    let (keys, pos) = (keys.as_slice()?, pos.as_slice()?);
    let letters = [chromosome.as_slice()?, first.as_slice()?, second.as_slice()?];
    if letters.iter().any(|column| column.len() != pos.len()) {
        return Err(PyValueError::new_err("the columns of markers are not of one length"));
    }
    let [chromosome, first, second] = letters;
    let found = py.detach(|| match_all(keys, called(chromosome, pos, first, second), plus_strand));
    let Counts { met, fitting, strangers, turned, palindromes, conflicts } = found.counts;
    Ok((
        found.rows.into_pyarray(py),
        found.codes.into_pyarray(py),
        found.haploid.into_pyarray(py),
        (met, fitting, strangers, turned, palindromes, conflicts),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variant_key::encode;

    #[test]
    fn markers_out_of_order_meet_their_sites_and_letters_of_the_other_strand_are_turned() {
        let keys = [encode(1, 5, b"A", b"G"), encode(1, 5, b"AC", b"A"), encode(2, 1, b"A", b"T")];
        let markers = called(&[2, 1], &[1, 5], b"AC", b"AT");
        let found = match_all(&keys, markers, false);
        assert_eq!((found.rows, found.codes), (vec![0, 2], vec![1, MISSING]));
        assert_eq!((found.counts.turned, found.counts.palindromes), (1, 1));
    }
}
