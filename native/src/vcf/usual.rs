//! The line that a person's file mostly has: one base in another's place, laid out as the lines before it.
//!
//! Every rule is asked as for any other line. What is not certain here changes nothing, and is asked again there.

use super::line::{Columns, Line};
use super::numbers::whole;
use super::plain_sample::only_sample;
use super::rows::{Rows, Variant};
use super::values::Shape;
use super::VcfParser;
use crate::variant_key::{encode, is_spelt};

impl VcfParser {
    /// Parse a record of a single person with one alternative base, if it is certainly valid and news.
    #[inline(always)]
    pub(super) fn parse_usual(
        &mut self,
        line: Line<'_>,
        columns: &Columns<'_>,
        rows: &mut Rows,
    ) -> Option<()> {
        let [chrom, pos, id, reference, alternate, qual, filter, info] = columns.fixed;
        let (&[base], &[other], (format, sample)) = (reference, alternate, columns.calls?) else {
            return None;
        };
        let known = self.chromosome.name.is(line.text, &line.place(chrom));
        let (contig, aligned) = self.chromosome.stand.filter(|_| known && self.rules.samples.len() == 1)?;
        let pos = whole(line.text, line.place(pos))?;
        let filter = self.filters.recent(line.text, &line.place(filter))?;
        let shape = Shape { alternates: 1, minor: self.rules.minor, ploidy: None, local: None };
        let plain = is_spelt(base)
            && is_spelt(other)
            && base != other
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
        self.order.step_to_news(pos, [base, other], matches!(sample.call.code(1).0, 1 | 2));
        rows.records += 1;
        rows.genotyped += u64::from(format.genotyped);
        rows.unreferenced += u64::from(self.reference.is_some() && !aligned);
        rows.count_odd_calls(&[sample.call]);
        let key = encode(self.chromosome.code, pos, &[base], &[other]);
        rows.push(&Variant { contig, pos, key, reference, alternate }, filter, self.ledger.line);
        rows.push_calls(&[sample.call], 1);
        rows.depth.push(sample.depth);
        rows.quality.push(sample.quality);
        Some(())
    }
}
