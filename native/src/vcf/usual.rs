//! The line that a person's file mostly has: one alternative allele, laid out as the lines before it.
//!
//! Every rule is asked as for any other line. What is not certain here changes nothing, and is asked again there.

use super::columns::is_one_alternate;
use super::fault::Fault;
use super::line::{Columns, Line};
use super::numbers::whole;
use super::plain_sample::only_sample;
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
                self.push_row(&variant, &place, 1, Some(&sample), rows);
            }
            _ => self.push_allele(&place, [reference, alternate], 1, Some(&sample), rows)?,
        }
        Ok(true)
    }

    /// Where the record stands, what its sample says, and whether that has a GT.
    #[inline(always)]
    fn check_usual(&mut self, line: Line<'_>, columns: &Columns<'_>) -> Option<(Place, Sample, bool)> {
        let [chrom, pos, id, reference, alternate, qual, filter, info] = columns.fixed;
        let (format, sample) = columns.calls.filter(|_| self.rules.samples.len() == 1)?;
        let known = self.chromosome.name.is(line.text, &line.place(chrom));
        let (contig, aligned) = self.chromosome.stand.filter(|_| known)?;
        let pos = whole(line.text, line.place(pos))?;
        if let Some(genome) = self.reference.as_ref().filter(|_| aligned) {
            genome.ask_for(pos);
        }
        let filter = self.filters.recent(line.text, &line.place(filter))?;
        let shape = Shape { alternates: 1, minor: self.rules.minor, ploidy: None, local: None };
        let plain = is_one_alternate(reference, alternate)
            && self.order.is_news(pos)
            && line.index.is_name(&line.place(id))
            && line.index.numbers(&line.place(qual), false, true) == Some(1)
            && self.is_known(line, info, shape);
        if !plain {
            return None;
        }
        let format = self.format.as_ref().filter(|known| known.text.is(line.text, &line.place(format)))?;
        let sample = only_sample(line, sample, format, self.rules.minor, 1)?;
        if aligned && !self.reference.as_mut()?.has(pos, reference).ok()? {
            return None;
        }
        Some((Place { contig, pos, filter, aligned }, sample, format.genotyped))
    }
}
