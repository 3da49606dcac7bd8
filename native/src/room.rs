//! Room for columns, in large pages where they are large: to get memory 4 KiB at a time takes longer than to fill it.

/// Smaller ones gain nothing: a large page has 2 MiB.
const LARGE: usize = 1 << 22;
#[cfg(target_os = "linux")]
const PAGE: usize = 1 << 12;

/// An empty column with room for so many values.
pub fn room<T>(values: usize) -> Vec<T> {
    let mut column = Vec::with_capacity(values);
    prefer_large_pages(&mut column);
    column
}

/// Make room for so many more values that are expected, if there is memory for them.
pub fn expect<T>(column: &mut Vec<T>, values: usize) {
    // Who expects too much gets none, and the column grows as it is filled.
    if column.try_reserve_exact(values).is_ok() {
        prefer_large_pages(column);
    }
}

/// Have what is free of a column backed by large pages where the system has them.
fn prefer_large_pages<T>(column: &mut Vec<T>) {
    let free = column.spare_capacity_mut();
    let (start, bytes) = (free.as_mut_ptr().cast::<u8>(), size_of_val(free));
    if bytes < LARGE {
        return;
    }
    #[cfg(target_os = "linux")]
    {
        let before = start.addr().next_multiple_of(PAGE) - start.addr();
        let whole = (bytes - before) / PAGE * PAGE;
        // SAFETY: these are whole pages of memory that the column owns and that holds nothing yet; the advice changes
        // nothing that can be read there. A system that does not follow it gives small pages.
        unsafe { libc::madvise(start.add(before).cast(), whole, libc::MADV_HUGEPAGE) };
    }
    #[cfg(not(target_os = "linux"))]
    let _ = start;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_holds_what_is_pushed_whatever_was_expected() {
        for expected in [0, 1, LARGE / 8, LARGE, usize::MAX / 16, usize::MAX] {
            let mut column: Vec<u64> = vec![7; 3];
            expect(&mut column, expected);
            column.extend(0..2 * LARGE as u64 / 8);
            assert_eq!((column[2], column[3], column.last()), (7, 0, Some(&(LARGE as u64 / 4 - 1))));
        }
        assert!(room::<u8>(3 * LARGE).capacity() >= 3 * LARGE);
    }
}
