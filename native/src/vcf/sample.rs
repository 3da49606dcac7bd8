//! The samples' columns: calls, depths and qualities; nearly all are plain, and of those nothing is set aside.

use super::columns::{names_filters, number};
use super::fault::{quoted, Fate, Fault, Ledger};
use super::format::{parse_format, Format};
use super::genotypes::{parse_call, Call, Ploidy};
use super::line::{wrong_width, Line, TAB};
use super::plain_sample::{only_sample, plain_sample, plain_value};
use super::rows::Rows;
use super::values::{check_values, Shape};
use super::{Rules, VcfParser};
use crate::cut::cut;

/// One sample's column: its call, its depth, its quality.
pub struct Sample {
    pub call: Call,
    pub depth: i32,
    pub lowest_depth: i32,
    pub quality: i32,
    pub length: i32,
    /// FT says that the call did not pass.
    filtered: bool,
}

impl Default for Sample {
    fn default() -> Self {
        Self::of(Call::default())
    }
}

impl Sample {
    /// One of which nothing but the call is given.
    pub fn of(call: Call) -> Self {
        Self { call, depth: -1, lowest_depth: -1, quality: -1, length: -1, filtered: false }
    }
}

fn whole(value: Option<&[u8]>) -> i32 {
    let text = value.and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default();
    text.parse::<i32>().ok().or_else(|| text.parse::<f32>().ok().map(rounded)).unwrap_or(-1)
}

/// Some callers write qualities with a fraction.
#[allow(clippy::cast_possible_truncation)] // a cast from float saturates
fn rounded(value: f32) -> i32 {
    value.round() as i32
}

/// How many alleles GT may number. With ALT '.' writers also number an allele that they do not name.
pub fn alleles_of(alternates: usize) -> u16 {
    match alternates {
        0 => u16::MAX,
        _ => u16::try_from(alternates + 1).unwrap_or(u16::MAX),
    }
}

fn parse_sample(
    field: &[u8],
    format: &Format,
    rules: &Rules,
    alternates: usize,
    name: &str,
    ledger: &mut Ledger,
) -> Result<Sample, Fault> {
    let alleles = alleles_of(alternates);
    let mut sample = Sample::default();
    let ploidy = if format.genotyped { None } else { Some(2) };
    let mut shape = Shape { alternates, minor: rules.minor, ploidy, local: None };
    let mut keys = format.keys.iter();
    let mut phase_sets = 0;
    for (place, value) in field.split(|byte| *byte == b':').enumerate() {
        let Some((key, definition)) = keys.next() else {
            let sentence = format!("more values than the {} keys of FORMAT", format.keys.len());
            ledger.overlook(Fault::new("vcf.sample", format!("sample {name}"), sentence), Fate::Kept)?;
            break;
        };
        if place == 0 && format.genotyped {
            match parse_call(value, alleles, rules.minor >= 4) {
                Ok(call) => sample.call = call,
                Err(()) => {
                    let sentence =
                        format!("{} is no genotype over {alternates} alternative alleles", quoted(value));
                    let fault = Fault::new("vcf.genotype", format!("sample {name}, GT"), sentence);
                    ledger.overlook(fault, Fate::Kept)?;
                }
            }
            shape.ploidy = match sample.call.ploidy {
                Ploidy::More => Some(copies(value)),
                _ => sample.call.ploidy_for_counting(),
            };
            continue;
        }
        if format.local == Some(place) {
            let listed = local_alleles(value, alternates, name).or_else(|fault| {
                ledger.overlook(fault, Fate::Kept)?;
                Ok(Vec::new())
            })?;
            ledger.check(check_called(&sample.call, &listed, name))?;
            shape.local = Some(listed.len());
        }
        if let Some(definition) = definition {
            let checked =
                check_values("vcf.sample", &format!("sample {name}"), key, value, *definition, shape);
            if checked.is_err() {
                // In a lenient reading what is no number is no number.
                ledger.check(checked)?;
                continue;
            }
        }
        let place = Some(place);
        if format.depth == place {
            sample.depth = whole(Some(value));
        }
        if format.lowest_depth == place {
            sample.lowest_depth = whole(Some(value));
        }
        if format.quality == place {
            sample.quality = whole(Some(value));
        }
        if format.length == place {
            sample.length = whole(Some(value));
        }
        if format.phase_sets.is_some_and(|places| places.map(Some).contains(&place)) && value != b"." {
            phase_sets += 1;
        }
        if format.filter == place {
            ledger.check(check_sample_filter(value, name))?;
            sample.filtered = !matches!(value, b"." | b"PASS" | b"");
        }
    }
    if phase_sets > 1 {
        let fault =
            Fault::new("vcf.sample", format!("sample {name}, 'PSL'"), "a sample has PS or PSL, not both");
        ledger.overlook(fault, Fate::Kept)?;
    }
    Ok(sample)
}

/// FT is as FILTER; what is missing altogether was checked before.
fn check_sample_filter(value: &[u8], name: &str) -> Result<(), Fault> {
    if value.is_empty() || names_filters(value) {
        return Ok(());
    }
    let sentence = format!("{} is no list of filters: '.', PASS, or names between semicolons", quoted(value));
    Err(Fault::new("vcf.sample", format!("sample {name}, 'FT'"), sentence))
}

/// The alternative alleles of GT are among those that LAA lists, if it lists any.
fn check_called(call: &Call, listed: &[u64], name: &str) -> Result<(), Fault> {
    let called = [call.first, call.second].into_iter().flatten().filter(|allele| *allele > 0);
    let Some(missing) = called.map(u64::from).find(|allele| !listed.is_empty() && !listed.contains(allele))
    else {
        return Ok(());
    };
    let sentence = format!("GT has the allele {missing}, which is not among the local ones");
    Err(Fault::new("vcf.sample", format!("sample {name}, 'LAA'"), sentence))
}

/// How many alleles a genotype has: one more than marks between them.
fn copies(genotype: &[u8]) -> usize {
    let inside = genotype.get(1..).unwrap_or_default();
    inside.iter().filter(|byte| matches!(byte, b'/' | b'|')).count() + 1
}

/// The alternative alleles that LAA lists: distinct numbers of alleles of the record.
fn local_alleles(value: &[u8], alternates: usize, name: &str) -> Result<Vec<u64>, Fault> {
    if matches!(value, b"" | b".") {
        return Ok(Vec::new());
    }
    let numbers: Vec<Option<u64>> = value.split(|byte| *byte == b',').map(number).collect();
    let highest = u64::try_from(alternates).unwrap_or(u64::MAX);
    let valid = |(place, found): (usize, &Option<u64>)| {
        found.is_some_and(|index| (1..=highest).contains(&index)) && !numbers[..place].contains(found)
    };
    if numbers.len() <= alternates && numbers.iter().enumerate().all(valid) {
        return Ok(numbers.into_iter().flatten().collect());
    }
    let sentence = format!("{} are no distinct numbers from 1 to {alternates}", quoted(value));
    Err(Fault::new("vcf.sample", format!("sample {name}, 'LAA'"), sentence))
}

impl VcfParser {
    /// Parse FORMAT and all samples into `self.calls`; with exactly one sample, also return its values.
    #[inline(always)]
    pub(super) fn parse_calls(
        &mut self,
        line: Line<'_>,
        calls: Option<(&[u8], &[u8])>,
        alternates: usize,
        rows: &mut Rows,
    ) -> Result<Option<Sample>, Fault> {
        self.calls.clear();
        let Some((format, fields)) = calls else { return Ok(None) };
        let format = match self.format.take() {
            Some(known) if known.text.text == format => known,
            _ => parse_format(format, &self.rules)?,
        };
        let samples = self.rules.samples.len();
        let mut rest = Some(fields);
        let mut last = None;
        let alleles = alleles_of(alternates);
        let only_genotypes = format.genotyped && format.keys.len() == 1;
        let whole = if samples == 1 {
            only_sample(line, fields, &format, self.rules.minor, alternates)
        } else {
            None
        };
        if let Some(sample) = whole {
            self.calls.push(sample.call);
            (rest, last) = (None, Some(sample));
        }
        for name in self.rules.samples.iter().skip(self.calls.len()) {
            let fields = rest.ok_or_else(|| wrong_width(line.text, samples))?;
            // Nearly all that a cohort's file holds is `0/0` between tabs: no search, no splitting.
            if let (true, [first, mark, second, b'\t', behind @ ..]) = (only_genotypes, fields) {
                if let Ok(call) = parse_call(&[*first, *mark, *second], alleles, false) {
                    self.calls.push(call);
                    (rest, last) = (Some(behind), None);
                    continue;
                }
            }
            let plain = |at, definition, shape| plain_value(fields, at, definition, shape);
            if let Some((sample, end)) = plain_sample(fields, &format, self.rules.minor, alternates, plain) {
                self.calls.push(sample.call);
                (rest, last) = (fields.get(end + 1..), Some(sample));
                continue;
            }
            let (field, behind) = cut(fields, TAB);
            let mut sample = parse_sample(field, &format, &self.rules, alternates, name, &mut self.ledger)?;
            if sample.filtered {
                rows.filtered_calls += u64::from(sample.call != Call::default());
                sample.call = Call::default();
            }
            self.calls.push(sample.call);
            (rest, last) = (behind, Some(sample));
        }
        if rest.is_some() {
            return Err(wrong_width(line.text, samples));
        }
        rows.genotyped += u64::from(format.genotyped);
        self.format = Some(format);
        rows.count_odd_calls(&self.calls);
        Ok(last.filter(|_| samples == 1))
    }
}
