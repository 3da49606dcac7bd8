//! Where keys stand in a longer sorted list: one walk over both while they ascend.

use numpy::{
    IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2, PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::room::room;
use crate::variant_key::{is_single, spelt_reference, ALLELE_BITS};

/// The first item from `start` on that is not `before`: in leaps that double, then by halves between the last two.
///
/// No item that is `before` may follow one that is not.
#[inline]
pub fn leap<T: Copy>(items: &[T], start: usize, before: impl Fn(T) -> bool) -> usize {
    if !items.get(start).is_some_and(|item| before(*item)) {
        return start;
    }
    let mut length = 2;
    while items.get(start + length - 1).is_some_and(|item| before(*item)) {
        length *= 2;
    }
    let (low, high) = (start + length / 2, (start + length).min(items.len()));
    low + items[low..high].partition_point(|item| before(*item))
}

/// A walk along ascending keys, of which the lowest bits do not count.
struct Walk<'a> {
    keys: &'a [u64],
    ignored_bits: u32,
    start: usize,
    last: u64,
}

impl<'a> Walk<'a> {
    fn new(keys: &'a [u64], ignored_bits: u32) -> Self {
        Self { keys, ignored_bits, start: 0, last: 0 }
    }

    /// Go on behind a row that has this key.
    #[inline]
    fn pass(&mut self, key: u64, row: usize) {
        (self.start, self.last) = (self.keys.len().min(row + 1), key >> self.ignored_bits);
    }

    /// The first row that has this key.
    #[inline]
    fn find(&mut self, key: u64) -> Option<usize> {
        let (keys, bits) = (self.keys, self.ignored_bits);
        let key = key >> bits;
        // Rarely a key comes late, as after left-aligning, or again: the walk goes on from there.
        if key <= self.last {
            self.start = keys[..self.start].partition_point(|other| other >> bits < key);
        }
        self.last = key;
        let row = leap(keys, self.start, |other| other >> bits < key);
        let found = keys.get(row).is_some_and(|other| other >> bits == key);
        // Behind it mostly stands the next one.
        self.start = row + usize::from(found);
        found.then_some(row)
    }
}

/// Keys are fewer than 2^31.
fn rows_of(keys: &[u64], wanted: &[u64], ignored_bits: u32) -> Vec<i32> {
    let mut walk = Walk::new(keys, ignored_bits);
    let mut rows = room(wanted.len());
    rows.extend(wanted.iter().map(|key| walk.find(*key).map_or(-1, |row| row as i32)));
    rows
}

fn count_fitting(keys: &[u64], wanted: &[u64], sites: &[i32]) -> (usize, usize) {
    let (mut walk, mut met, mut fitting) = (Walk::new(keys, ALLELE_BITS), 0, 0);
    for (key, site) in wanted.iter().zip(sites) {
        let single = usize::from(is_single(*key));
        if let Ok(row) = usize::try_from(*site) {
            walk.pass(*key, row);
            (met, fitting) = (met + single, fitting + single);
        } else if single == 1 {
            let theirs = walk.find(*key).and_then(|row| spelt_reference(keys[row]));
            met += usize::from(theirs.is_some());
            fitting += usize::from(theirs.is_some() && theirs == spelt_reference(*key));
        }
    }
    (met, fitting)
}

/// Of the wanted keys that are one base in another's place: how many are at a site, or at a place whose first key spells
/// out its bases, and of how many REF begins with the same one. Keys ascend, and so do most of the wanted ones; `sites`
/// are what `locate` says of these.
#[pyfunction]
pub fn fitting_bases(
    py: Python<'_>,
    keys: PyReadonlyArray1<'_, u64>,
    wanted: PyReadonlyArray1<'_, u64>,
    sites: PyReadonlyArray1<'_, i32>,
) -> PyResult<(usize, usize)> {
    let (keys, wanted, sites) = (keys.as_slice()?, wanted.as_slice()?, sites.as_slice()?);
    if wanted.len() != sites.len() {
        return Err(PyValueError::new_err("each wanted key has a site, or -1"));
    }
    Ok(py.detach(|| count_fitting(keys, wanted, sites)))
}

/// The first row of each wanted key among `keys`, which ascend; -1 for what is not among them.
///
/// The lowest `ignored_bits` of the keys do not count. Fast where most of the wanted keys ascend, right in any order.
#[pyfunction]
pub fn locate<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray1<'py, u64>,
    wanted: PyReadonlyArray1<'py, u64>,
    ignored_bits: u32,
) -> PyResult<Bound<'py, PyArray1<i32>>> {
    let (keys, wanted) = (keys.as_slice()?, wanted.as_slice()?);
    if i32::try_from(keys.len()).is_err() {
        return Err(PyValueError::new_err("keys are fewer than 2^31"));
    }
    if ignored_bits >= u64::BITS {
        return Err(PyValueError::new_err("a key has 64 bits, and not all of them can be ignored"));
    }
    Ok(py.detach(|| rows_of(keys, wanted, ignored_bits)).into_pyarray(py))
}

/// `None` where a site is not a row of the matrix.
fn put(matrix: &mut [u8], width: usize, sites: &[i32], packed: &[u8]) -> Option<()> {
    if width == 1 {
        for (site, byte) in sites.iter().zip(packed) {
            if *site >= 0 {
                *matrix.get_mut(*site as usize)? = *byte;
            }
        }
        return Some(());
    }
    for (site, row) in sites.iter().zip(packed.chunks_exact(width.max(1))) {
        if let Ok(site) = usize::try_from(*site) {
            matrix.get_mut(width * site..width * (site + 1))?.copy_from_slice(row);
        }
    }
    Some(())
}

/// Write each row of `packed` over that of its site in `matrix`, which is as wide; a row whose site is negative is left
/// out, and of those of one site the last one stays.
#[pyfunction]
pub fn put_at_sites(
    py: Python<'_>,
    mut matrix: PyReadwriteArray2<'_, u8>,
    sites: PyReadonlyArray1<'_, i32>,
    packed: PyReadonlyArray2<'_, u8>,
) -> PyResult<()> {
    let width = matrix.shape()[1];
    let (sites, rows) = (sites.as_slice()?, packed.as_slice()?);
    if packed.shape() != [sites.len(), width] {
        return Err(PyValueError::new_err("each row has a site, and is as wide as the matrix"));
    }
    let bytes = matrix.as_slice_mut()?;
    py.detach(|| put(bytes, width, sites, rows))
        .ok_or_else(|| PyValueError::new_err("a site is a row of the matrix, or negative"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::variant_key::encode;

    #[test]
    fn leaps_land_where_a_walk_would() {
        let items = [3, 3, 4, 9, 9, 9, 20, 21];
        for wanted in 0..25 {
            for start in 0..=items.len() {
                let walked = (start..items.len()).find(|at| items[*at] >= wanted).unwrap_or(items.len());
                assert_eq!(leap(&items, start, |item| item < wanted), walked, "{wanted} from {start}");
            }
        }
    }

    #[test]
    fn bases_fit_where_a_key_of_their_place_begins_with_them() {
        let long = [b'A'; 12];
        let keys = [
            encode(1, 5, b"A", b"C"),
            encode(1, 5, b"G", b"C"),
            encode(1, 7, &long, b"A"),
            encode(2, 9, b"CT", b"C"),
        ];
        let wanted = [
            encode(1, 5, b"A", b"G"),
            encode(1, 5, b"G", b"A"),
            encode(1, 5, b"AC", b"A"),
            encode(1, 6, b"A", b"C"),
            encode(1, 7, b"A", b"C"),
            encode(2, 9, b"C", b"G"),
            encode(1, 5, b"A", b"T"),
            encode(2, 9, b"N", b"G"),
            0,
        ];
        assert_eq!(count_fitting(&keys, &wanted, &[-1; 9]), (4, 3));
        assert_eq!(count_fitting(&[], &wanted, &[-1; 9]), (0, 0));
        // What is a site fits, whatever else stands at its place.
        assert_eq!(count_fitting(&keys, &keys, &[0, 1, 2, 3]), (2, 2));
        assert_eq!(count_fitting(&keys, &keys, &[-1; 4]), (2, 1));
    }

    #[test]
    fn rows_are_put_where_their_sites_are() {
        let sites = [2, -1, 0, 2];
        let mut matrix = [9; 3];
        assert_eq!(put(&mut matrix, 1, &sites, &[1, 2, 3, 4]), Some(()));
        assert_eq!(matrix, [3, 9, 4]);
        let mut matrix = [9; 6];
        assert_eq!(put(&mut matrix, 2, &sites, &[1, 2, 3, 4, 5, 6, 7, 8]), Some(()));
        assert_eq!(matrix, [5, 6, 9, 9, 7, 8]);
        for width in [1, 2] {
            assert_eq!(put(&mut matrix, width, &[6 / width as i32], &[1; 2][..width]), None);
        }
        assert_eq!((put(&mut [], 0, &sites, &[]), put(&mut [], 1, &[0], &[1])), (Some(()), None));
    }

    #[test]
    fn rows_are_found_in_any_order() {
        let keys: Vec<u64> = (0..50).map(|key| 3 * key + 1).collect();
        let wanted: Vec<u64> = (0..400).map(|step| (step * 67) % 160).collect();
        for bits in [0, 2] {
            let same = |one: &u64, other: &u64| one >> bits == other >> bits;
            let slow =
                |key: &u64| keys.iter().position(|other| same(other, key)).map_or(-1, |row| row as i32);
            assert_eq!(rows_of(&keys, &wanted, bits), wanted.iter().map(slow).collect::<Vec<_>>());
        }
        assert_eq!(rows_of(&[], &[0, 5], 0), [-1, -1]);
    }
}
