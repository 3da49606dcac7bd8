//! One line of the body, column by column.

use super::columns::{
    check_chrom, check_filter, check_id, check_qual, check_ref, number, parse_alternates, parse_pos,
    Alternate,
};
use super::fault::{quoted, Fault};
use super::genotypes::{parse_call, Call};
use super::rows::{trim, Rows, Variant};
use super::values::{check_values, Definition, Kind, Shape};
use super::{Rules, VcfParser};
use crate::variant_key::{chromosome_code, encode};

/// Alleles that one record may list; GT numbers are 16 bits wide.
const MOST_ALTERNATES: usize = 10_000;

/// The fixed columns of a line, and what follows them.
struct Columns<'a> {
    fixed: [&'a [u8]; 8],
    /// FORMAT and samples, or `None` where the header names no samples.
    calls: Option<(&'a [u8], &'a [u8])>,
}

/// Cut a line at the first tab.
fn cut(line: &[u8]) -> (&[u8], Option<&[u8]>) {
    match memchr::memchr(b'\t', line) {
        Some(tab) => (&line[..tab], Some(&line[tab + 1..])),
        None => (line, None),
    }
}

fn wrong_width(line: &[u8], samples: usize) -> Fault {
    let found = memchr::memchr_iter(b'\t', line).count() + 1;
    let expected = if samples == 0 { 8 } else { 9 + samples };
    let sentence = format!("{found} columns between tabs where the header names {expected}");
    Fault::new("vcf.columns", "line", sentence)
}

fn split(line: &[u8], samples: usize) -> Result<Columns<'_>, Fault> {
    let wrong = || wrong_width(line, samples);
    let mut fixed = [&b""[..]; 8];
    let mut rest = Some(line);
    for field in &mut fixed {
        let (value, behind) = cut(rest.ok_or_else(wrong)?);
        (*field, rest) = (value, behind);
    }
    match (samples, rest) {
        (0, None) => Ok(Columns { fixed, calls: None }),
        (0, Some(_)) | (_, None) => Err(wrong()),
        (_, Some(rest)) => match cut(rest) {
            (format, Some(calls)) => Ok(Columns { fixed, calls: Some((format, calls)) }),
            _ => Err(wrong()),
        },
    }
}

/// What INFO says that matters here: the end of a block.
fn check_info(field: &[u8], rules: &Rules, shape: Shape) -> Result<Option<u64>, Fault> {
    const CODE: &str = "vcf.info";
    if field == b"." {
        return Ok(None);
    }
    let mut end = None;
    let mut seen: Vec<&[u8]> = Vec::new();
    for entry in field.split(|byte| *byte == b';') {
        let (key, value) = match memchr::memchr(b'=', entry) {
            Some(at) => (&entry[..at], Some(&entry[at + 1..])),
            None => (entry, None),
        };
        let spaced = |byte: &u8| byte.is_ascii_control() || (*byte == b' ' && rules.minor < 3);
        if key.is_empty() || key.contains(&b' ') || entry.iter().any(spaced) {
            let sentence = format!("{} is no KEY or KEY=VALUE without whitespace", quoted(entry));
            return Err(Fault::new(CODE, "INFO", sentence));
        }
        if seen.contains(&key) {
            return Err(Fault::new(CODE, "INFO", format!("the key {} stands twice", quoted(key))));
        }
        seen.push(key);
        if let Some(definition) = rules.info.get(key) {
            match value {
                Some(values) => check_values(CODE, "INFO", key, values, *definition, shape)?,
                None if definition.kind == Kind::Flag => {}
                None => {
                    return Err(Fault::new(CODE, format!("INFO, {}", quoted(key)), "a value is missing"));
                }
            }
        }
        if key == b"END" {
            end = value.and_then(number);
        }
    }
    Ok(end)
}

/// The keys of FORMAT with their definitions.
struct Format<'a> {
    keys: Vec<(&'a [u8], Option<Definition>)>,
    genotyped: bool,
    depth: Option<usize>,
    quality: Option<usize>,
}

fn parse_format<'a>(field: &'a [u8], rules: &Rules) -> Result<Format<'a>, Fault> {
    let mut keys: Vec<(&[u8], Option<Definition>)> = Vec::new();
    for key in field.split(|byte| *byte == b':') {
        let definition = rules.format.get(key).copied();
        let plain = !key.is_empty() && key.iter().all(u8::is_ascii_alphanumeric);
        let named = plain || (!key.is_empty() && (definition.is_some() || rules.minor >= 3));
        let clean = key.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-'));
        let problem = if !named || !clean {
            Some(format!("{} is no key: letters and digits, or declared in the header", quoted(key)))
        } else if keys.iter().any(|(other, _)| *other == key) {
            Some(format!("the key {} stands twice", quoted(key)))
        } else if key == b"GT" && !keys.is_empty() {
            Some("GT must come first".to_owned())
        } else {
            None
        };
        if let Some(sentence) = problem {
            return Err(Fault::new("vcf.format", "FORMAT", sentence));
        }
        keys.push((key, definition));
    }
    let place = |name: &[u8]| keys.iter().position(|(key, _)| *key == name);
    let (genotyped, depth, quality) = (place(b"GT") == Some(0), place(b"DP"), place(b"GQ"));
    Ok(Format { keys, genotyped, depth, quality })
}

/// One sample's column: its call, its depth, its quality.
struct Sample {
    call: Call,
    depth: i32,
    quality: i32,
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
fn alleles_of(alternates: usize) -> u16 {
    match alternates {
        0 => u16::MAX,
        _ => u16::try_from(alternates + 1).unwrap_or(u16::MAX),
    }
}

fn parse_sample(
    field: &[u8],
    format: &Format<'_>,
    rules: &Rules,
    alternates: usize,
    name: &str,
) -> Result<Sample, Fault> {
    let alleles = alleles_of(alternates);
    let mut sample = Sample { call: Call::default(), depth: -1, quality: -1 };
    let modern = rules.minor >= 3;
    let empty_lists = rules.minor >= 5;
    let mut shape =
        Shape { alternates, modern, empty_lists, ploidy: if format.genotyped { None } else { Some(2) } };
    let mut keys = format.keys.iter();
    for (place, value) in field.split(|byte| *byte == b':').enumerate() {
        let Some((key, definition)) = keys.next() else {
            let sentence = format!("more values than the {} keys of FORMAT", format.keys.len());
            return Err(Fault::new("vcf.sample", format!("sample {name}"), sentence));
        };
        if place == 0 && format.genotyped {
            sample.call = parse_call(value, alleles, rules.minor >= 4).map_err(|()| {
                let sentence =
                    format!("{} is no genotype over {alternates} alternative alleles", quoted(value));
                Fault::new("vcf.genotype", format!("sample {name}, GT"), sentence)
            })?;
            shape.ploidy = sample.call.ploidy_for_counting();
        } else if let Some(definition) = definition {
            check_values("vcf.sample", &format!("sample {name}"), key, value, *definition, shape)?;
        }
        if format.depth == Some(place) {
            sample.depth = whole(Some(value));
        }
        if format.quality == Some(place) {
            sample.quality = whole(Some(value));
        }
    }
    Ok(sample)
}

impl VcfParser {
    pub(super) fn parse_record(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), Fault> {
        if line.is_empty() {
            return Err(Fault::new("vcf.empty-line", "line", "an empty line inside the file"));
        }
        let columns = split(line, self.rules.samples.len())?;
        let [chrom, pos, id, reference, alternate, qual, filter, info] = columns.fixed;
        check_chrom(chrom, &self.rules.contigs, self.rules.minor >= 3)?;
        let pos = parse_pos(pos)?;
        check_id(id)?;
        check_ref(reference)?;
        let mut alternates = Vec::new();
        parse_alternates(alternate, reference, &mut alternates)?;
        if alternates.len() > MOST_ALTERNATES {
            return Err(Fault::new("vcf.alt", "ALT", format!("more than {MOST_ALTERNATES} alleles")));
        }
        check_qual(qual)?;
        check_filter(filter)?;
        // Number=G in INFO has no ploidy to go by: any count is accepted.
        let modern = self.rules.minor >= 3;
        let shape = Shape { alternates: alternates.len(), modern, empty_lists: false, ploidy: None };
        let end = check_info(info, &self.rules, shape)?;
        let contig = self.order.step(chrom, pos)?;
        rows.records += 1;

        let sample = self.parse_calls(line, columns.calls, alternates.len(), rows)?;
        let filter = self.filter_number(filter);
        let chromosome = chromosome_code(chrom);
        for (index, (allele, kind)) in alternate.split(|byte| *byte == b',').zip(&alternates).enumerate() {
            if *kind != Alternate::Bases {
                rows.other_alleles += u64::from(*kind == Alternate::Other);
                continue;
            }
            let (pos, reference, alternate) = trim(pos, reference, allele);
            let (reference, alternate) = (reference.to_ascii_uppercase(), alternate.to_ascii_uppercase());
            let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
            let carried = self.calls.iter().any(|call| matches!(call.code(number).0, 1 | 2));
            if !self.order.note(pos, &reference, &alternate, carried)? {
                rows.repetitions += 1;
                continue;
            }
            let key = encode(chromosome, pos, &reference, &alternate);
            let variant = Variant { contig, pos, key, reference: &reference, alternate: &alternate };
            rows.push(&variant, filter, self.line);
            rows.push_calls(&self.calls, number);
            if let Some(sample) = &sample {
                rows.depth.push(sample.depth);
                rows.quality.push(sample.quality);
            }
        }
        self.push_block(&alternates, contig, pos, reference.len(), end, sample.as_ref(), rows);
        Ok(())
    }

    /// Parse FORMAT and all samples into `self.calls`; with exactly one sample, also return its values.
    fn parse_calls(
        &mut self,
        line: &[u8],
        calls: Option<(&[u8], &[u8])>,
        alternates: usize,
        rows: &mut Rows,
    ) -> Result<Option<Sample>, Fault> {
        self.calls.clear();
        let Some((format, fields)) = calls else { return Ok(None) };
        let format = parse_format(format, &self.rules)?;
        let samples = self.rules.samples.len();
        let mut rest = Some(fields);
        let mut last = None;
        let alleles = alleles_of(alternates);
        let only_genotypes = format.genotyped && format.keys.len() == 1;
        for name in &self.rules.samples {
            let fields = rest.ok_or_else(|| wrong_width(line, samples))?;
            // Nearly all that a cohort's file holds is `0/0` between tabs: no search, no splitting.
            if let (true, [first, mark, second, b'\t', behind @ ..]) = (only_genotypes, fields) {
                if let Ok(call) = parse_call(&[*first, *mark, *second], alleles, false) {
                    self.calls.push(call);
                    (rest, last) = (Some(behind), None);
                    continue;
                }
            }
            let (field, behind) = cut(fields);
            let sample = parse_sample(field, &format, &self.rules, alternates, name)?;
            self.calls.push(sample.call);
            (rest, last) = (behind, Some(sample));
        }
        if rest.is_some() {
            return Err(wrong_width(line, samples));
        }
        rows.genotyped += u64::from(format.genotyped);
        rows.count_odd_calls(&self.calls);
        Ok(last.filter(|_| samples == 1))
    }

    /// Note a stretch that a single person's file calls hom-ref: a record without alleles, or a gVCF block.
    #[allow(clippy::too_many_arguments)]
    fn push_block(
        &self,
        alternates: &[Alternate],
        contig: usize,
        pos: u32,
        reference_length: usize,
        end: Option<u64>,
        sample: Option<&Sample>,
        rows: &mut Rows,
    ) {
        let block = alternates.iter().all(|kind| *kind == Alternate::AnyOther);
        // A block of quality or depth 0 says that nothing is known, whatever its GT.
        let known =
            sample.filter(|sample| sample.call.is_reference() && sample.quality != 0 && sample.depth != 0);
        let (true, Some(_)) = (block, known) else { return };
        let last = i64::from(pos) + i64::try_from(reference_length).unwrap_or(0) - 1;
        let end = end.and_then(|end| i64::try_from(end).ok()).map_or(last, |end| end.max(last));
        rows.blocks.extend([i64::try_from(contig).unwrap_or(i64::MAX), i64::from(pos), end]);
    }
}
