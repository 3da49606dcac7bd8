//! Rows in the order of a record: where trimming, aligning or the alleles of one place have rows come in another order
//! than their keys, each is brought to its place as it is pushed.

use super::rows::Rows;
use crate::variant_key::BELOW_CHROMOSOME;

/// The last row passes fewer than so many on its way to where its key puts it: aligning moves few, and hardly past one.
const FARTHEST: usize = 64;

/// Whether a key's row belongs behind that of another one, on the same chromosome.
#[inline(always)]
fn comes_behind(key: u64, other: u64) -> bool {
    key > other && key >> BELOW_CHROMOSOME == other >> BELOW_CHROMOSOME
}

/// Bring the last `width` values of a column before those of the `passed` rows before them.
fn bring_last_before<T>(column: &mut [T], width: usize, passed: usize) {
    if let Some(start) = column.len().checked_sub(width * (passed + 1)) {
        column[start..].rotate_right(width);
    }
}

impl Rows {
    /// Bring the row that was pushed last to where its key puts it among its chromosome's, if that is near.
    #[inline(always)]
    pub fn settle(&mut self) {
        if let [.., before, last] = self.key[..] {
            if comes_behind(before, last) {
                self.sink(last);
            }
        }
    }

    #[cold]
    fn sink(&mut self, last: u64) {
        let before = self.key.iter().rev().skip(1).take(FARTHEST);
        let passed = before.take_while(|key| comes_behind(**key, last)).count();
        let rows = self.key.len();
        if passed == FARTHEST {
            return;
        }
        bring_last_before(&mut self.contig, 1, passed);
        bring_last_before(&mut self.pos, 1, passed);
        bring_last_before(&mut self.key, 1, passed);
        bring_last_before(&mut self.reference.numbers, 1, passed);
        bring_last_before(&mut self.alternate.numbers, 1, passed);
        bring_last_before(&mut self.filter, 1, passed);
        bring_last_before(&mut self.line, 1, passed);
        for packed in [&mut self.codes, &mut self.forms] {
            let width = packed.len() / rows;
            bring_last_before(packed, width, passed);
        }
        for of_one in [&mut self.depth, &mut self.quality] {
            let width = of_one.len() / rows;
            bring_last_before(of_one, width, passed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::genotypes::Call;
    use super::super::rows::Variant;
    use super::*;

    /// A row of a key whose every column follows from it and from its number; keys of 0 are of no chromosome.
    fn push(rows: &mut Rows, key: u64, number: usize, samples: usize) {
        let (reference, alternate) = (vec![b'A'; key as usize % 5 + 1], vec![b'C'; number % 4 + 1]);
        let variant = Variant {
            contig: number as u16,
            pos: key as u32,
            key,
            reference: &reference,
            alternate: &alternate,
        };
        rows.push(&variant, number as u16, number as u64);
        let calls: Vec<Call> = vec![Call::default(); samples];
        rows.push_calls(&calls, 1);
        if samples == 1 {
            rows.depth.push(number as i32);
            rows.quality.push(key as i32);
        }
        if let Some(code) = rows.codes.last_mut() {
            *code = number as u8;
        }
        rows.settle();
    }

    #[test]
    fn rows_stand_where_a_stable_sort_puts_them_if_they_come_near_it() {
        for (samples, round) in (0..40).map(|round| ([1, 9][round % 2], round as u64)) {
            let first = (1 << BELOW_CHROMOSOME) + 40;
            let mut keys: Vec<u64> = (0..500u64)
                .map(|place| first + place - place.wrapping_mul(0x9E37_79B9 + 77 * round) % (1 + round % 30))
                .collect();
            keys.extend([first + 600, first + 599, 0, 0]);
            let mut rows = Rows::default();
            keys.iter().enumerate().for_each(|(number, key)| push(&mut rows, *key, number, samples));
            let mut expected: Vec<usize> = (0..keys.len()).collect();
            // One below it, no key, which is 0, becomes the highest of all.
            expected.sort_by_key(|number| keys[*number].wrapping_sub(1));
            let numbers: Vec<usize> = rows.line.iter().map(|line| *line as usize).collect();
            assert_eq!(numbers, expected);
            let width = samples.div_ceil(4);
            for (row, number) in expected.into_iter().enumerate() {
                let key = keys[number];
                assert_eq!((rows.key[row], rows.pos[row] as u32), (key, key as u32));
                assert_eq!(rows.contig[row] as usize, number);
                assert_eq!(
                    (rows.filter[row] as usize, rows.codes[row * width + width - 1]),
                    (number, number as u8)
                );
                assert_eq!(rows.reference.get(row), vec![b'A'; key as usize % 5 + 1]);
                assert_eq!(rows.alternate.get(row), vec![b'C'; number % 4 + 1]);
                if samples == 1 {
                    assert_eq!((rows.depth[row] as usize, rows.quality[row] as u32), (number, key as u32));
                }
            }
        }
    }

    #[test]
    fn a_row_that_belongs_far_away_or_to_another_chromosome_stays() {
        let far: Vec<u64> = (100..100 + FARTHEST as u64).chain([1, 2, 101]).collect();
        let others = [2 << BELOW_CHROMOSOME, 1 << BELOW_CHROMOSOME, 0, 1 << BELOW_CHROMOSOME | 5, 0, 7];
        for keys in [&far[..], &others] {
            let mut rows = Rows::default();
            keys.iter().enumerate().for_each(|(number, key)| push(&mut rows, *key, number, 1));
            assert_eq!(rows.key, keys);
        }
    }
}
