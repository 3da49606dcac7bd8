//! One record: its columns are checked one after the other, and its alleles become rows.

use super::columns::{check_chrom, check_id, check_qual, check_ref, parse_alternates, parse_pos, Alternate};
use super::fault::{quoted, Fate, Fault};
use super::info::end_of;
use super::line::Line;
use super::rows::{trim, Rows, Variant};
use super::same::Same;
use super::sample::Sample;
use super::{Chromosome, VcfParser, LOCAL_ALLELES};
use crate::variant_key::{chromosome_code, encode};

/// Alleles that one record may list; GT numbers are 16 bits wide.
const MOST_ALTERNATES: usize = 10_000;

/// What the rows of a record have in common.
pub struct Place {
    pub contig: u16,
    pub pos: u32,
    /// The number of its FILTER.
    pub filter: u16,
    /// Whether it is compared with the reference genome.
    pub aligned: bool,
}

impl VcfParser {
    #[inline(always)]
    pub(super) fn parse_record(&mut self, line: Line<'_>, rows: &mut Rows) -> Result<(), Fault> {
        if line.text.is_empty() {
            return Err(Fault::new("vcf.empty-line", "line", "an empty line inside the file"));
        }
        let columns = line.split(self.rules.samples.len())?;
        if self.parse_usual(line, &columns, rows)? {
            return Ok(());
        }
        let [chrom, pos, id, reference, alternate, qual, filter, info] = columns.fixed;
        if self.chromosome.name.text != chrom || chrom.is_empty() {
            check_chrom(chrom, &self.rules.contigs, self.rules.minor)?;
            self.chromosome =
                Chromosome { name: Same::new(chrom), code: chromosome_code(chrom), stand: None };
        }
        let pos = parse_pos(pos)?;
        if !line.index.is_name(&line.place(id)) {
            self.ledger.check(check_id(id))?;
        }
        check_ref(reference)?;
        let mut alternates = std::mem::take(&mut self.alternates);
        parse_alternates(alternate, reference, &mut alternates)?;
        if alternates.len() > MOST_ALTERNATES {
            return Err(Fault::new("vcf.alt", "ALT", format!("more than {MOST_ALTERNATES} alleles")));
        }
        if line.index.numbers(&line.place(qual), false, true) != Some(1) {
            self.ledger.check(check_qual(qual))?;
        }
        let filtered = self.filters.number(line.text, &line.place(filter))?;
        let format = columns.calls.map(|(format, _)| format);
        self.check_info(line, info, alternate, &alternates, format, pos)?;
        let contig = self.step(chrom, pos, format)?;
        let aligned = self.check_reference(chrom, pos, reference, &alternates)?;
        self.chromosome.stand = Some((contig, aligned));
        let place = Place { contig, pos, filter: filtered, aligned };
        rows.records += 1;

        // REF is written once for each allele; the lines that follow in the piece need their room as well.
        rows.check_room(self.piece_bytes + alternate.len() + reference.len() * alternates.len())?;
        let sample = self.parse_calls(line, columns.calls, alternates.len(), rows)?;
        for (index, (allele, kind)) in alternate.split(|byte| *byte == b',').zip(&alternates).enumerate() {
            if *kind != Alternate::Bases {
                rows.other_alleles += u64::from(*kind == Alternate::Other);
                continue;
            }
            let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
            self.push_allele(&place, [reference, allele], number, sample.as_ref(), rows)?;
        }
        let passed = || matches!(filter, b"." | b"PASS" | b"RefCall");
        if let Some(sample) = sample.filter(|sample| is_covered(&alternates, sample) && passed()) {
            let last = block_end(pos, reference.len(), end_of(info), &sample);
            self.check_length(last, &sample)?;
            rows.push_block(contig, pos, last, &sample);
        }
        self.alternates = alternates;
        Ok(())
    }

    /// A block of so many bases as LEN says does not end behind its contig's end.
    fn check_length(&self, last: i64, sample: &Sample) -> Result<(), Fault> {
        let contig = &self.chromosome.name.text;
        let length = self.rules.contigs.get(contig).copied().flatten().filter(|_| sample.length > 0);
        if length.and_then(|length| i64::try_from(length).ok()).is_none_or(|length| last <= length) {
            return Ok(());
        }
        let sentence = format!("{} bases end at {last}, behind the end of {}", sample.length, quoted(contig));
        Err(Fault::new("vcf.block", format!("sample {}, 'LEN'", self.rules.samples.join(", ")), sentence))
    }

    /// What an alternative allele of a record becomes; `number` is that of GT.
    pub(super) fn push_allele(
        &mut self,
        place: &Place,
        [reference, alternate]: [&[u8]; 2],
        number: u16,
        sample: Option<&Sample>,
        rows: &mut Rows,
    ) -> Result<(), Fault> {
        let (trimmed, reference, alternate) = trim(place.pos, reference, alternate);
        self.alleles.set(reference, alternate);
        if !self.note(trimmed, number)? {
            rows.repetitions += 1;
            return Ok(());
        }
        let pos = match &mut self.reference {
            Some(genome) if place.aligned => {
                let mut before = genome.before(trimmed);
                self.alleles.left_align(trimmed, || before.step())?
            }
            _ => trimmed,
        };
        let (reference, alternate) = (&self.alleles.reference[..], &self.alleles.alternate[..]);
        let key = encode(self.chromosome.code, pos, reference, alternate);
        let variant = Variant { contig: place.contig, pos, key, reference, alternate };
        self.push_row(&variant, place, number, sample, rows);
        Ok(())
    }

    #[inline(always)]
    pub(super) fn push_row(
        &self,
        variant: &Variant<'_>,
        place: &Place,
        number: u16,
        sample: Option<&Sample>,
        rows: &mut Rows,
    ) {
        rows.unreferenced += u64::from(self.reference.is_some() && !place.aligned);
        rows.push(variant, place.filter, self.ledger.line);
        rows.push_calls(&self.calls, number);
        if let Some(sample) = sample {
            rows.depth.push(sample.depth);
            rows.quality.push(sample.quality);
        }
        rows.settle();
    }

    /// Check REF against the reference genome; false says that there is none, or that it lacks the contig.
    fn check_reference(
        &mut self,
        chrom: &[u8],
        pos: u32,
        reference: &[u8],
        alternates: &[Alternate],
    ) -> Result<bool, Fault> {
        let Some(genome) = &mut self.reference else { return Ok(false) };
        if !genome.step(chrom)? {
            return Ok(false);
        }
        // Telomeres stand one base before and one behind the contig, and only breakends do.
        if alternates.contains(&Alternate::Bases) || genome.spans(pos, reference.len()) {
            genome.check(pos, reference)?;
        }
        Ok(true)
    }

    /// Step to a record. Order matters to calls alone: from 4.5 on a record without GT may stand anywhere.
    fn step(&mut self, chrom: &[u8], pos: u32, format: Option<&[u8]>) -> Result<u16, Fault> {
        let genotyped = format.is_some_and(|keys| keys == b"GT" || keys.starts_with(b"GT:"));
        match self.order.step(chrom, pos) {
            Err(_) if self.rules.minor >= LOCAL_ALLELES && format.is_some() && !genotyped => {}
            Err(fault) => self.ledger.overlook(fault, Fate::Kept)?,
            stepped => return stepped,
        }
        self.order.enter(chrom, pos)
    }

    /// Note the variant in `alleles`; a lenient reading compares its repetitions when all are known.
    fn note(&mut self, pos: u32, allele: u16) -> Result<bool, Fault> {
        let carried = self.calls.iter().any(|call| call.carries(allele));
        match self.order.note(pos, &self.alleles.reference, &self.alleles.alternate, carried) {
            Err(_) if self.ledger.lenient => Ok(true),
            noted => noted,
        }
    }
}

/// Whether a single person's record calls a stretch hom-ref: one without alleles, a block of a gVCF, or one where
/// any other allele is absent too. A call of quality or depth 0 says that nothing is known, whatever its GT.
fn is_covered(alternates: &[Alternate], sample: &Sample) -> bool {
    let known =
        sample.call.is_reference() && sample.quality != 0 && sample.depth != 0 && sample.lowest_depth != 0;
    known && (alternates.is_empty() || alternates.contains(&Alternate::AnyOther))
}

/// The last position of a block: what LEN says, else END, else the end of REF.
fn block_end(pos: u32, reference: usize, end: Option<u64>, sample: &Sample) -> i64 {
    let pos = i64::from(pos);
    let last = pos + i64::try_from(reference).unwrap_or(0) - 1;
    let end = if sample.length > 0 {
        Some(pos + i64::from(sample.length) - 1)
    } else {
        end.and_then(|end| i64::try_from(end).ok())
    };
    end.map_or(last, |end| end.max(last))
}
