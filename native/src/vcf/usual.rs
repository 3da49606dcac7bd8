//! The line that a person's file mostly has: one alternative allele, laid out as the lines before it.
//!
//! Every rule is asked as for any other line, or was asked of a line with the same outline. What is not certain here
//! changes nothing, and is asked again there.

use super::columns::is_one_alternate;
use super::fault::Fault;
use super::line::{Columns, Line};
use super::numbers::{is_natural, whole};
use super::plain_sample::{keyed_sample, listed_sample};
use super::record::Place;
use super::rows::{Rows, Variant};
use super::sample::Sample;
use super::values::Shape;
use super::VcfParser;
use crate::variant_key::{encode, is_spelt};

impl VcfParser {
    /// Parse a record of a single person with one alternative allele, if it is certainly valid and news; false says
    /// that it was not.
    #[inline(always)]
    pub(super) fn parse_usual(
        &mut self,
        line: Line<'_>,
        columns: &Columns<'_>,
        rows: &mut Rows,
    ) -> Result<bool, Fault> {
        let Some((place, sample, genotyped)) = self.check_usual(line, columns) else { return Ok(false) };
        self.push_usual(columns, &place, &sample, genotyped, rows)?;
        Ok(true)
    }

    /// As `parse_usual`, of a record whose outline is one that was met before.
    #[inline(always)]
    pub(super) fn parse_outlined(
        &mut self,
        line: Line<'_>,
        columns: &Columns<'_>,
        rows: &mut Rows,
    ) -> Result<bool, Fault> {
        let Some((place, sample)) = self.check_outlined(line, columns) else { return Ok(false) };
        self.push_usual(columns, &place, &sample, true, rows)?;
        Ok(true)
    }

    /// The row of a record of a single person with one alternative allele, which is news.
    #[inline(always)]
    fn push_usual(
        &mut self,
        columns: &Columns<'_>,
        place: &Place,
        sample: &Sample,
        genotyped: bool,
        rows: &mut Rows,
    ) -> Result<(), Fault> {
        rows.records += 1;
        rows.genotyped += u64::from(genotyped);
        self.calls.clear();
        self.calls.push(sample.call);
        rows.count_odd_calls(&self.calls);
        self.order.step_to_news(place.pos);
        let [_, _, _, reference, alternate, ..] = columns.fixed;
        match (reference, alternate) {
            // Of single bases there is nothing to trim or to align, and nothing was noted that could be the same.
            ([base], [other]) if is_spelt(*base) && is_spelt(*other) => {
                self.order.list(place.pos, reference, alternate, sample.call.carries(1));
                let key = encode(self.chromosome.code, place.pos, &[*base], &[*other]);
                let variant = Variant { contig: place.contig, pos: place.pos, key, reference, alternate };
                self.push_row(&variant, place, 1, Some(sample), rows);
                Ok(())
            }
            _ => self.push_allele(place, [reference, alternate], 1, Some(sample), rows),
        }
    }

    /// Where the record stands, what its sample says, and whether that has a GT.
    #[inline(always)]
    fn check_usual(&mut self, line: Line<'_>, columns: &Columns<'_>) -> Option<(Place, Sample, bool)> {
        let [_, _, id, _, _, qual, filter, info] = columns.fixed;
        let (keys, sample) = columns.calls.filter(|_| self.rules.samples.len() == 1)?;
        let (contig, pos, aligned) = self.check_front(line, columns)?;
        if !line.index.is_name(&line.place(id))
            || line.index.numbers(&line.place(qual), false, true) != Some(1)
        {
            return None;
        }
        let number = self.filters.recent(line.text, &line.place(filter))?;
        let shape = Shape { alternates: 1, minor: self.rules.minor, ploidy: None, local: None };
        let free_digits = self.know_info(line, info, shape)?;
        let format = self.format.as_ref().filter(|known| known.text.is(line.text, &line.place(keys)))?;
        let listed = listed_sample(line, &line.place(sample), format, 1);
        if let Some(sample) = listed.as_ref().filter(|_| free_digits) {
            if let Some(outline) = line.outline(filter) {
                self.outlines.learn(outline, columns, number, format, sample.call);
            }
        }
        let sample = listed.or_else(|| keyed_sample(line, sample, format, self.rules.minor, 1))?;
        let (place, genotyped) = (Place { contig, pos, filter: number, aligned }, format.genotyped);
        self.has_reference(&place, columns).then_some((place, sample, genotyped))
    }

    /// As `check_usual`, of a record whose outline is known; it has a GT.
    #[inline(always)]
    fn check_outlined(&mut self, line: Line<'_>, columns: &Columns<'_>) -> Option<(Place, Sample)> {
        let [_, _, id, _, _, qual, filter, _] = columns.fixed;
        let (_, sample) = columns.calls.filter(|_| self.rules.samples.len() == 1)?;
        let outlined = self.outlines.get(line.outline(filter)?)?;
        let (filter, sample) = (outlined.filter, outlined.sample(line, line.place(sample))?);
        let (contig, pos, aligned) = self.check_front(line, columns)?;
        if !line.index.is_near_name(&line.place(id)) || !is_natural(line.text, &line.place(qual)) {
            return None;
        }
        let place = Place { contig, pos, filter, aligned };
        self.has_reference(&place, columns).then_some((place, sample))
    }

    /// Check CHROM, POS, and REF and ALT but for the bases of REF: the number of the contig, the position, and whether the
    /// contig is compared with the reference genome.
    #[inline(always)]
    fn check_front(&self, line: Line<'_>, columns: &Columns<'_>) -> Option<(u16, u32, bool)> {
        let [chrom, pos, _, reference, alternate, ..] = columns.fixed;
        let known = self.chromosome.name.is(line.text, &line.place(chrom));
        let (contig, aligned) = self.chromosome.stand.filter(|_| known)?;
        let pos = whole(line.text, line.place(pos))?;
        let news = is_one_alternate(reference, alternate) && self.order.is_news(pos);
        news.then_some((contig, pos, aligned))
    }

    /// Whether REF is what the reference genome has there, if there is one.
    #[inline(always)]
    fn has_reference(&mut self, place: &Place, columns: &Columns<'_>) -> bool {
        let genome = self.reference.as_mut().filter(|_| place.aligned);
        !place.aligned || genome.is_some_and(|genome| genome.has(place.pos, columns.fixed[3]) == Ok(true))
    }
}
