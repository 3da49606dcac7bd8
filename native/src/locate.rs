//! Where keys stand in a longer sorted list: one walk over both while they ascend.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The first item from `start` on that is not `before`: in leaps that double, then by halves between the last two.
///
/// No item that is `before` may follow one that is not.
#[inline]
pub fn leap<T: Copy>(items: &[T], start: usize, before: impl Fn(T) -> bool) -> usize {
    let mut length = 1;
    while items.get(start + length - 1).is_some_and(|item| before(*item)) {
        length *= 2;
    }
    let (low, high) = (start + length / 2, (start + length).min(items.len()));
    low + items[low..high].partition_point(|item| before(*item))
}

fn rows_of(keys: &[u64], wanted: &[u64], ignored_bits: u32) -> Vec<i64> {
    let (mut start, mut last) = (0, 0);
    let row = |key: &u64| {
        let key = key >> ignored_bits;
        // Rarely a key comes late, as after left-aligning: the walk goes on from there.
        if key < last {
            start = keys[..start].partition_point(|other| other >> ignored_bits < key);
        }
        last = key;
        start = leap(keys, start, |other| other >> ignored_bits < key);
        let found = keys.get(start).is_some_and(|other| other >> ignored_bits == key);
        if found {
            start as i64
        } else {
            -1
        }
    };
    wanted.iter().map(row).collect()
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
) -> PyResult<Bound<'py, PyArray1<i64>>> {
    let (keys, wanted) = (keys.as_slice()?, wanted.as_slice()?);
    if ignored_bits >= u64::BITS {
        return Err(PyValueError::new_err("a key has 64 bits, and not all of them can be ignored"));
    }
    Ok(py.detach(|| rows_of(keys, wanted, ignored_bits)).into_pyarray(py))
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn rows_are_found_in_any_order() {
        let keys: Vec<u64> = (0..50).map(|key| 3 * key + 1).collect();
        let wanted: Vec<u64> = (0..400).map(|step| (step * 67) % 160).collect();
        for bits in [0, 2] {
            let same = |one: &u64, other: &u64| one >> bits == other >> bits;
            let slow =
                |key: &u64| keys.iter().position(|other| same(other, key)).map_or(-1, |row| row as i64);
            assert_eq!(rows_of(&keys, &wanted, bits), wanted.iter().map(slow).collect::<Vec<_>>());
        }
        assert_eq!(rows_of(&[], &[0, 5], 0), [-1, -1]);
    }
}
