//! What lines of a VCF become: one row for every alternative allele that is a sequence.

use crate::packing::pack_codes;
use crate::room::expect;
use crate::variant_key::CHROMOSOME;

use super::fault::Fault;
use super::genotypes::{Call, Ploidy};
use super::sample::Sample;

/// The last row passes fewer than so many on its way to where its key puts it: aligning moves few, and hardly past one.
const FARTHEST: usize = 64;
/// What texts end to end may have together, for where they end is written in 32 bits; little enough in tests to be tried.
const LONGEST: usize = if cfg!(test) { 1 << 20 } else { i32::MAX as usize };

/// Append an allele, which mostly is one base.
#[inline(always)]
pub fn append(bytes: &mut Vec<u8>, allele: &[u8]) {
    match allele {
        [base] => bytes.push(*base),
        _ => bytes.extend_from_slice(allele),
    }
}

/// Strings end to end, as Arrow holds them.
#[derive(Debug, PartialEq, Eq)]
pub struct Texts {
    pub bytes: Vec<u8>,
    pub ends: Vec<i32>,
}

impl Default for Texts {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: vec![0] }
    }
}

impl Texts {
    /// See `Rows::check_room`: no text ends beyond 2 GiB.
    #[inline(always)]
    pub fn push(&mut self, text: &[u8]) {
        append(&mut self.bytes, text);
        self.ends.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    /// Bring the last text before the `passed` ones that it follows.
    fn sink(&mut self, passed: usize) {
        let [.., _, _] = self.ends[..] else { return };
        let last = self.ends.len() - 1;
        let (first, length) = (last - 1 - passed, self.ends[last] - self.ends[last - 1]);
        let start = self.ends[first];
        self.bytes[start as usize..].rotate_right(length as usize);
        for place in (first + 1..last).rev() {
            self.ends[place + 1] = self.ends[place] + length;
        }
        self.ends[first + 1] = start + length;
    }
}

/// Bring the last `width` values of a column before those of the `passed` rows before them.
fn sink<T>(column: &mut [T], width: usize, passed: usize) {
    if let Some(start) = column.len().checked_sub(width * (passed + 1)) {
        column[start..].rotate_right(width);
    }
}

/// Columns of a batch; see `VcfBatch`. A chromosome's rows ascend by key, but for what stands far from there.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    pub contig: Vec<i32>,
    pub pos: Vec<i32>,
    pub key: Vec<u64>,
    pub reference: Texts,
    pub alternate: Texts,
    pub filter: Vec<i32>,
    pub codes: Vec<u8>,
    pub forms: Vec<u8>,
    pub depth: Vec<i32>,
    pub quality: Vec<i32>,
    pub line: Vec<u64>,
    pub blocks: Vec<i64>,
    pub records: u64,
    pub genotyped: u64,
    pub other_alleles: u64,
    pub repetitions: u64,
    pub half_calls: u64,
    pub polyploid_calls: u64,
    pub filtered_calls: u64,
    pub unreferenced: u64,
}

/// A trimmed variant on its way to becoming a row.
pub struct Variant<'a> {
    pub contig: usize,
    pub pos: u32,
    pub key: u64,
    pub reference: &'a [u8],
    pub alternate: &'a [u8],
}

impl Rows {
    /// Make room for so many rows of one person in all, as are expected.
    pub fn expect(&mut self, rows: usize) {
        let more = rows.saturating_sub(self.key.len());
        for column in [&mut self.contig, &mut self.pos, &mut self.filter, &mut self.depth, &mut self.quality]
        {
            expect(column, more);
        }
        for column in [&mut self.codes, &mut self.forms] {
            expect(column, more);
        }
        for texts in [&mut self.reference, &mut self.alternate] {
            expect(&mut texts.bytes, more + more / 2);
            expect(&mut texts.ends, more);
        }
        expect(&mut self.key, more);
        expect(&mut self.line, more);
    }

    #[inline(always)]
    pub fn push(&mut self, variant: &Variant<'_>, filter: i32, line: u64) {
        self.contig.push(i32::try_from(variant.contig).unwrap_or(i32::MAX));
        self.pos.push(i32::try_from(variant.pos).unwrap_or(i32::MAX));
        self.key.push(variant.key);
        self.reference.push(variant.reference);
        self.alternate.push(variant.alternate);
        self.filter.push(filter);
        self.line.push(line);
    }

    /// Refuse alleles of so many bytes more where they have no room.
    pub fn check_room(&self, alleles: usize) -> Result<(), Fault> {
        let longest = self.reference.bytes.len().max(self.alternate.bytes.len());
        if longest.saturating_add(alleles) <= LONGEST {
            return Ok(());
        }
        Err(Fault::new("vcf.too-large", "REF, ALT", "alleles have no room: together they may be 2 GiB long"))
    }

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
        sink(&mut self.contig, 1, passed);
        sink(&mut self.pos, 1, passed);
        sink(&mut self.key, 1, passed);
        self.reference.sink(passed);
        self.alternate.sink(passed);
        sink(&mut self.filter, 1, passed);
        sink(&mut self.line, 1, passed);
        for packed in [&mut self.codes, &mut self.forms] {
            let width = packed.len() / rows;
            sink(packed, width, passed);
        }
        for of_one in [&mut self.depth, &mut self.quality] {
            let width = of_one.len() / rows;
            sink(of_one, width, passed);
        }
    }

    #[inline(always)]
    pub fn push_calls(&mut self, calls: &[Call], allele: u16) {
        if let [only] = calls {
            let (code, form) = only.code(allele);
            self.codes.push(code);
            self.forms.push(form);
            return;
        }
        pack_codes(calls.iter().map(|call| call.code(allele).0), &mut self.codes);
        pack_codes(calls.iter().map(|call| call.code(allele).1), &mut self.forms);
    }

    /// A stretch that is hom-ref: contig, first and last position, and the lowest depth and quality, -1 where not
    /// given.
    pub fn push_block(&mut self, contig: usize, pos: u32, end: i64, sample: &Sample) {
        let depth = if sample.lowest_depth >= 0 { sample.lowest_depth } else { sample.depth };
        let contig = i64::try_from(contig).unwrap_or(i64::MAX);
        self.blocks.extend([contig, i64::from(pos), end, i64::from(depth), i64::from(sample.quality)]);
    }

    #[inline]
    pub fn count_odd_calls(&mut self, calls: &[Call]) {
        for call in calls {
            self.half_calls += u64::from(call.is_half());
            self.polyploid_calls += u64::from(call.ploidy == Ploidy::More);
        }
    }
}

/// Whether a key's row belongs behind that of another one, on the same chromosome.
#[inline(always)]
fn comes_behind(key: u64, other: u64) -> bool {
    key > other && key >> CHROMOSOME == other >> CHROMOSOME
}

/// Drop what two alleles share: first at the end, then at the front; each keeps a base.
pub fn trim<'a>(pos: u32, reference: &'a [u8], alternate: &'a [u8]) -> (u32, &'a [u8], &'a [u8]) {
    if reference.len() == 1 || alternate.len() == 1 {
        return (pos, reference, alternate);
    }
    let room = |a: &[u8], b: &[u8]| a.len().min(b.len()).saturating_sub(1);
    let same = |pair: &(&u8, &u8)| pair.0.eq_ignore_ascii_case(pair.1);
    let suffix = reference
        .iter()
        .rev()
        .zip(alternate.iter().rev())
        .take(room(reference, alternate))
        .take_while(same)
        .count();
    let (reference, alternate) =
        (&reference[..reference.len() - suffix], &alternate[..alternate.len() - suffix]);
    let prefix = reference.iter().zip(alternate).take(room(reference, alternate)).take_while(same).count();
    let moved = u32::try_from(prefix).unwrap_or(u32::MAX);
    (pos.saturating_add(moved), &reference[prefix..], &alternate[prefix..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of a key whose every column follows from it and from its number; keys of 0 are of no chromosome.
    fn push(rows: &mut Rows, key: u64, number: usize, samples: usize) {
        let (reference, alternate) = (vec![b'A'; key as usize % 5 + 1], vec![b'C'; number % 4 + 1]);
        let variant =
            Variant { contig: number, pos: key as u32, key, reference: &reference, alternate: &alternate };
        rows.push(&variant, number as i32, number as u64);
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
            let first = (1 << CHROMOSOME) + 40;
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
                let length = |texts: &Texts| (texts.ends[row + 1] - texts.ends[row]) as usize;
                let text = |texts: &Texts| texts.bytes[texts.ends[row] as usize..][..length(texts)].to_vec();
                assert_eq!(text(&rows.reference), vec![b'A'; key as usize % 5 + 1]);
                assert_eq!(text(&rows.alternate), vec![b'C'; number % 4 + 1]);
                if samples == 1 {
                    assert_eq!((rows.depth[row] as usize, rows.quality[row] as u32), (number, key as u32));
                }
            }
        }
    }

    #[test]
    fn a_row_that_belongs_far_away_or_to_another_chromosome_stays() {
        let far: Vec<u64> = (100..100 + FARTHEST as u64).chain([1, 2, 101]).collect();
        let others = [2 << CHROMOSOME, 1 << CHROMOSOME, 0, 1 << CHROMOSOME | 5, 0, 7];
        for keys in [&far[..], &others] {
            let mut rows = Rows::default();
            keys.iter().enumerate().for_each(|(number, key)| push(&mut rows, *key, number, 1));
            assert_eq!(rows.key, keys);
        }
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let mut rows = Rows::default();
        rows.alternate.push(b"ACGT");
        assert!(rows.check_room(LONGEST - 4).is_ok() && rows.check_room(LONGEST - 3).is_err());
        assert!(rows.check_room(usize::MAX).is_err());
    }

    #[test]
    fn trimming_leaves_the_difference_and_one_anchor() {
        assert_eq!(trim(127, b"TTTAT", b"TTTGT"), (130, &b"A"[..], &b"G"[..]));
        assert_eq!(trim(127, b"TTTAT", b"T"), (127, &b"TTTAT"[..], &b"T"[..]));
        assert_eq!(trim(10, b"AT", b"AAT"), (10, &b"A"[..], &b"AA"[..]));
        assert_eq!(trim(10, b"aC", b"AT"), (11, &b"C"[..], &b"T"[..]));
    }
}
