//! What lines of a VCF become: one row for every alternative allele that is a sequence.

use crate::packing::pack_codes;
use crate::room::expect;
use crate::texts::Texts;

use super::fault::Fault;
use super::genotypes::{Call, Ploidy};
use super::sample::Sample;

/// What alleles may have together, each written out in its row: the records of such a file can be read again. Little
/// enough in tests to be tried.
const LONGEST: usize = if cfg!(test) { 1 << 20 } else { 1 << 29 };

/// Columns of a batch; see `VcfBatch`. A chromosome's rows ascend by key, but for what stands far from there.
#[derive(Debug, Default)]
#[cfg_attr(test, derive(PartialEq))]
pub struct Rows {
    pub contig: Vec<u16>,
    pub pos: Vec<i32>,
    pub key: Vec<u64>,
    pub reference: Texts,
    pub alternate: Texts,
    pub filter: Vec<u16>,
    pub codes: Vec<u8>,
    pub forms: Vec<u8>,
    pub depth: Vec<i32>,
    pub quality: Vec<i32>,
    pub line: Vec<u32>,
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
    pub contig: u16,
    pub pos: u32,
    pub key: u64,
    pub reference: &'a [u8],
    pub alternate: &'a [u8],
}

impl Rows {
    /// Make room for so many rows of one person in all, as are expected.
    pub fn expect(&mut self, rows: usize) {
        let more = rows.saturating_sub(self.key.len());
        for column in [&mut self.contig, &mut self.filter] {
            expect(column, more);
        }
        for column in [&mut self.codes, &mut self.forms] {
            expect(column, more);
        }
        let alleles = [&mut self.reference.numbers, &mut self.alternate.numbers];
        for column in [&mut self.pos, &mut self.depth, &mut self.quality].into_iter().chain(alleles) {
            expect(column, more);
        }
        expect(&mut self.key, more);
        expect(&mut self.line, more);
    }

    #[inline(always)]
    pub fn push(&mut self, variant: &Variant<'_>, filter: u16, line: u64) {
        self.contig.push(variant.contig);
        self.pos.push(i32::try_from(variant.pos).unwrap_or(i32::MAX));
        self.key.push(variant.key);
        self.reference.push(variant.reference);
        self.alternate.push(variant.alternate);
        self.filter.push(filter);
        self.line.push(u32::try_from(line).unwrap_or(u32::MAX));
    }

    /// Refuse alleles of so many bytes more where they have no room.
    pub fn check_room(&self, alleles: usize) -> Result<(), Fault> {
        let written = self.reference.written() + self.alternate.written();
        if written.saturating_add(alleles) <= LONGEST {
            return Ok(());
        }
        Err(Fault::new(
            "vcf.too-large",
            "REF, ALT",
            "alleles have no room: together they may be 512 MiB long",
        ))
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
    pub fn push_block(&mut self, contig: u16, pos: u32, end: i64, sample: &Sample) {
        let depth = if sample.lowest_depth >= 0 { sample.lowest_depth } else { sample.depth };
        self.blocks.extend([
            i64::from(contig),
            i64::from(pos),
            end,
            i64::from(depth),
            i64::from(sample.quality),
        ]);
    }

    #[inline]
    pub fn count_odd_calls(&mut self, calls: &[Call]) {
        for call in calls {
            self.half_calls += u64::from(call.is_half());
            self.polyploid_calls += u64::from(call.ploidy == Ploidy::More);
        }
    }
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

    #[test]
    fn lines_that_32_bits_do_not_tell_are_the_last_that_they_do() {
        let mut rows = Rows::default();
        for line in [7, u64::from(u32::MAX), u64::from(u32::MAX) + 8] {
            let variant = Variant { contig: 0, pos: 1, key: 1, reference: b"A", alternate: b"C" };
            rows.push(&variant, 0, line);
        }
        assert_eq!(rows.line, [7, u32::MAX, u32::MAX]);
    }

    #[test]
    fn what_has_no_room_is_refused() {
        let mut rows = Rows::default();
        rows.alternate.push(b"AC");
        rows.reference.push(b"AC");
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
