//! One line of the body, column by column.

use super::columns::{
    check_chrom, check_id, check_qual, check_ref, number, parse_alternates, parse_pos, Alternate,
};
use super::fault::{quoted, Fate, Fault, Ledger};
use super::genotypes::{parse_call, Call, Ploidy};
use super::numbers::plain_numbers;
use super::recent::Keys;
use super::rows::{trim, Rows, Variant};
use super::structural::check_structural;
use super::values::{check_values, Definition, Kind, Shape};
use super::{Rules, VcfParser};
use crate::cut::{cut, cut_near};
use crate::variant_key::{chromosome_code, encode};

const TAB: u8 = b'\t';
/// Alleles that one record may list; GT numbers are 16 bits wide.
const MOST_ALTERNATES: usize = 10_000;
/// The minor versions that brought SVLEN for each allele, and local alleles.
const STRUCTURAL_KEYS: u8 = 4;
const LOCAL_ALLELES: u8 = 5;

/// The fixed columns of a line, and what follows them.
struct Columns<'a> {
    fixed: [&'a [u8]; 8],
    /// FORMAT and samples, or `None` where the header names no samples.
    calls: Option<(&'a [u8], &'a [u8])>,
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
    let (short, info) = fixed.split_at_mut(7);
    for field in short {
        (*field, rest) = cut_near(rest.ok_or_else(wrong)?, TAB);
    }
    (info[0], rest) = cut(rest.ok_or_else(wrong)?, TAB);
    match (samples, rest) {
        (0, None) => Ok(Columns { fixed, calls: None }),
        (0, Some(_)) | (_, None) => Err(wrong()),
        (_, Some(rest)) => match cut_near(rest, TAB) {
            (format, Some(calls)) => Ok(Columns { fixed, calls: Some((format, calls)) }),
            _ => Err(wrong()),
        },
    }
}

/// Take INFO apart.
fn parse_info<'a>(field: &'a [u8], pairs: &mut Vec<(&'a [u8], Option<&'a [u8]>)>) {
    pairs.clear();
    if field == b"." {
        return;
    }
    pairs.extend(field.split(|byte| *byte == b';').map(|entry| match memchr::memchr(b'=', entry) {
        Some(at) => (&entry[..at], Some(&entry[at + 1..])),
        None => (entry, None),
    }));
}

/// From 4.3 on the specification gives the form of a key; `1000G` is older.
fn is_info_key(key: &[u8], rules: &Rules) -> bool {
    match key {
        _ if rules.minor < 3 => !key.is_empty() && !key.contains(&b' '),
        b"1000G" => true,
        [b'A'..=b'Z' | b'a'..=b'z' | b'_', rest @ ..] => {
            rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        }
        _ => false,
    }
}

/// Check the entries of INFO; return END, and the first fault.
fn check_entries(
    info: &[u8],
    rules: &Rules,
    keys: &mut Keys,
    shape: Shape,
) -> (Option<u64>, Result<(), Fault>) {
    let (mut end, mut checked) = (None, Ok(()));
    if info == b"." {
        return (None, checked);
    }
    let mut rest = info;
    loop {
        let plain = keys.plain_entry(rest, shape);
        let length = plain.or_else(|| memchr::memchr(b';', rest)).unwrap_or(rest.len());
        let entry = &rest[..length];
        if plain.is_none() && checked.is_ok() {
            checked = check_entry(entry, rules, keys, shape);
        }
        if let (None, Some(value)) = (end, entry.strip_prefix(b"END=")) {
            end = Some(number(value));
        }
        match rest.get(length + 1..) {
            Some(behind) => rest = behind,
            None => return (end.flatten(), checked),
        }
    }
}

/// One entry of INFO: `KEY` or `KEY=VALUE`, as defined, and not met before on this line.
fn check_entry(entry: &[u8], rules: &Rules, keys: &mut Keys, shape: Shape) -> Result<(), Fault> {
    const CODE: &str = "vcf.info";
    let (key, value) = match memchr::memchr(b'=', entry) {
        Some(at) => (&entry[..at], Some(&entry[at + 1..])),
        None => (entry, None),
    };
    let spaced = |byte: &u8| byte.is_ascii_control() || (*byte == b' ' && rules.minor < 3);
    if !is_info_key(key, rules) || entry.iter().any(spaced) {
        let sentence = format!("{} is no KEY or KEY=VALUE without whitespace", quoted(key));
        return Err(Fault::new(CODE, "INFO", sentence));
    }
    if !keys.meet(key, || rules.info.get(key).copied()) {
        return Err(Fault::new(CODE, "INFO", format!("the key {} stands twice", quoted(key))));
    }
    match (keys.definition(), value) {
        (Some(definition), Some(values)) => check_values(CODE, "INFO", key, values, definition, shape),
        (Some(definition), None) if definition.kind != Kind::Flag => {
            Err(Fault::new(CODE, format!("INFO, {}", quoted(key)), "a value is missing"))
        }
        _ => Ok(()),
    }
}

/// The keys of FORMAT with their definitions.
pub struct Format {
    /// As it stands in the file; the next line mostly has the same.
    text: Vec<u8>,
    keys: Vec<(Vec<u8>, Option<Definition>)>,
    genotyped: bool,
    depth: Option<usize>,
    /// Of a block, the lowest depth in it.
    lowest_depth: Option<usize>,
    quality: Option<usize>,
    /// FT: whether the call passed.
    filter: Option<usize>,
    /// LEN, from 4.5 on: how long the sample's block is.
    length: Option<usize>,
    /// LAA: the alternative alleles that the sample's local values are about.
    local: Option<usize>,
}

/// From 4.3 on the specification gives the form of a key; percent-encoding is met in 4.4.
fn is_format_key(key: &[u8], declared: bool, minor: u8) -> bool {
    let clean = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'.')
            || (*byte == b'-' && minor < 3)
            || (*byte == b'%' && minor >= 4)
    };
    let plain = key.iter().all(u8::is_ascii_alphanumeric);
    let begun = minor < 3 || !key.first().is_some_and(u8::is_ascii_digit);
    !key.is_empty() && key.iter().all(clean) && begun && (plain || declared || minor >= 3)
}

fn parse_format(field: &[u8], rules: &Rules) -> Result<Format, Fault> {
    let mut keys: Vec<(Vec<u8>, Option<Definition>)> = Vec::new();
    for key in field.split(|byte| *byte == b':') {
        let definition = rules.format.get(key).copied();
        // A lone '.' says that there is nothing.
        let nothing = field == b".";
        let problem = if !nothing && !is_format_key(key, definition.is_some(), rules.minor) {
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
        keys.push((key.to_vec(), definition));
    }
    let place = |name: &[u8]| keys.iter().position(|(key, _)| key == name);
    let genotyped = place(b"GT") == Some(0);
    let local = place(b"LAA");
    let needs_local = |(key, definition): &(Vec<u8>, Option<Definition>)| {
        definition.is_some_and(|definition| definition.number.is_local())
            && !key.is_empty()
            && rules.minor >= LOCAL_ALLELES
    };
    let first_local = keys.iter().position(needs_local);
    if first_local.is_some() && local != Some(usize::from(genotyped)) {
        let sentence = "LAA comes before all keys of local alleles, and only GT before it";
        return Err(Fault::new("vcf.format", "FORMAT", sentence));
    }
    if rules.minor >= STRUCTURAL_KEYS && place(b"CICN").is_some() && place(b"CN").is_none() {
        return Err(Fault::new("vcf.format", "FORMAT", "CICN goes with CN"));
    }
    let (depth, lowest_depth, quality) = (place(b"DP"), place(b"MIN_DP"), place(b"GQ"));
    let length = place(b"LEN").filter(|_| rules.minor >= LOCAL_ALLELES);
    let filter = place(b"FT");
    let text = field.to_vec();
    Ok(Format { text, keys, genotyped, depth, lowest_depth, quality, filter, length, local })
}

/// One sample's column: its call, its depth, its quality.
pub struct Sample {
    call: Call,
    pub depth: i32,
    pub lowest_depth: i32,
    pub quality: i32,
    length: i32,
    /// FT says that the call did not pass.
    filtered: bool,
}

impl Default for Sample {
    fn default() -> Self {
        let call = Call::default();
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
fn alleles_of(alternates: usize) -> u16 {
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
            shape.local = Some(count_local(value, alternates, name).or_else(|fault| {
                ledger.overlook(fault, Fate::Kept)?;
                Ok(0)
            })?);
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
        if format.filter == place {
            sample.filtered = !matches!(value, b"." | b"PASS" | b"");
        }
    }
    Ok(sample)
}

/// How many alleles a genotype has: one more than marks between them.
fn copies(genotype: &[u8]) -> usize {
    let inside = genotype.get(1..).unwrap_or_default();
    inside.iter().filter(|byte| matches!(byte, b'/' | b'|')).count() + 1
}

/// How many alternative alleles LAA lists: distinct numbers of alleles of the record.
fn count_local(value: &[u8], alternates: usize, name: &str) -> Result<usize, Fault> {
    if matches!(value, b"" | b".") {
        return Ok(0);
    }
    let numbers: Vec<Option<u64>> = value.split(|byte| *byte == b',').map(number).collect();
    let highest = u64::try_from(alternates).unwrap_or(u64::MAX);
    let valid = |(place, found): (usize, &Option<u64>)| {
        found.is_some_and(|index| (1..=highest).contains(&index)) && !numbers[..place].contains(found)
    };
    if numbers.len() <= alternates && numbers.iter().enumerate().all(valid) {
        return Ok(numbers.len());
    }
    let sentence = format!("{} are no distinct numbers from 1 to {alternates}", quoted(value));
    Err(Fault::new("vcf.sample", format!("sample {name}, 'LAA'"), sentence))
}

/// Parse the sample at the front of `fields` if it is of the plainest kind: a GT of two digits, then lists of
/// plain numbers and texts. Returns where it ends.
fn plain_sample(fields: &[u8], format: &Format, minor: u8, alternates: usize) -> Option<(Sample, usize)> {
    if format.filter.or(format.length).or(format.local).is_some() {
        return None;
    }
    let mut sample = Sample::default();
    let mut shape = Shape { alternates, minor, ploidy: Some(2), local: None };
    let mut at = 0;
    for (place, (_, definition)) in format.keys.iter().enumerate() {
        let end = if place == 0 && format.genotyped {
            sample.call = parse_call(fields.get(..3)?, alleles_of(alternates), false).ok()?;
            shape.ploidy = sample.call.ploidy_for_counting();
            3
        } else {
            plain_value(fields, at, (*definition)?, shape)?
        };
        let value = || plain_whole(&fields[at..end]);
        if format.depth == Some(place) {
            sample.depth = value()?;
        }
        if format.lowest_depth == Some(place) {
            sample.lowest_depth = value()?;
        }
        if format.quality == Some(place) {
            sample.quality = value()?;
        }
        match fields.get(end) {
            Some(b':') => at = end + 1,
            None | Some(b'\t') => return Some((sample, end)),
            Some(_) => return None,
        }
    }
    None
}

/// Where the values of one key that begin at `at` end, if they are certainly valid.
fn plain_value(fields: &[u8], at: usize, definition: Definition, shape: Shape) -> Option<usize> {
    if fields.get(at) == Some(&b'.') && matches!(fields.get(at + 1), None | Some(b':' | b'\t')) {
        return Some(at + 1);
    }
    match definition.kind {
        Kind::Integer | Kind::Float => {
            let whole = definition.kind == Kind::Integer;
            let (count, end) = plain_numbers(fields, at, whole, definition.natural)?;
            shape.expects(definition.number).is_none_or(|expected| expected == count).then_some(end)
        }
        Kind::Text if !definition.reserved => {
            let rest = fields.get(at..)?;
            let length = memchr::memchr3(b':', b'\t', b',', rest).unwrap_or(rest.len());
            (length > 0 && rest.get(length) != Some(&b',')).then_some(at + length)
        }
        _ => None,
    }
}

/// A short number without a sign, or -1 for a lone dot.
fn plain_whole(value: &[u8]) -> Option<i32> {
    if value == b"." {
        return Some(-1);
    }
    number(value).and_then(|value| i32::try_from(value).ok())
}

impl VcfParser {
    pub(super) fn parse_record(&mut self, line: &[u8], rows: &mut Rows) -> Result<(), Fault> {
        if line.is_empty() {
            return Err(Fault::new("vcf.empty-line", "line", "an empty line inside the file"));
        }
        let columns = split(line, self.rules.samples.len())?;
        let [chrom, pos, id, reference, alternate, qual, filter, info] = columns.fixed;
        if self.chromosome.0 != chrom {
            check_chrom(chrom, &self.rules.contigs, self.rules.minor)?;
            self.chromosome = (chrom.to_vec(), chromosome_code(chrom));
        }
        let pos = parse_pos(pos)?;
        self.ledger.check(check_id(id))?;
        check_ref(reference)?;
        let mut alternates = std::mem::take(&mut self.alternates);
        parse_alternates(alternate, reference, &mut alternates)?;
        if alternates.len() > MOST_ALTERNATES {
            return Err(Fault::new("vcf.alt", "ALT", format!("more than {MOST_ALTERNATES} alleles")));
        }
        self.ledger.check(check_qual(qual))?;
        let passed = matches!(filter, b"." | b"PASS" | b"RefCall");
        let filter = self.filter_number(filter)?;
        let format = columns.calls.map(|(format, _)| format);
        let end = self.check_info(info, alternate, &alternates, format)?;
        let contig = self.step(chrom, pos, format)?;
        let aligned = self.check_reference(chrom, pos, reference, &alternates)?;
        rows.records += 1;

        let sample = self.parse_calls(line, columns.calls, alternates.len(), rows)?;
        for (index, (allele, kind)) in alternate.split(|byte| *byte == b',').zip(&alternates).enumerate() {
            if *kind != Alternate::Bases {
                rows.other_alleles += u64::from(*kind == Alternate::Other);
                continue;
            }
            let (trimmed, reference, alternate) = trim(pos, reference, allele);
            self.alleles.set(reference, alternate);
            let number = u16::try_from(index + 1).unwrap_or(u16::MAX);
            if !self.note(trimmed, number)? {
                rows.repetitions += 1;
                continue;
            }
            let pos = match &mut self.reference {
                Some(genome) if aligned => self.alleles.left_align(trimmed, |pos| genome.base(pos))?,
                _ => trimmed,
            };
            rows.unreferenced += u64::from(self.reference.is_some() && !aligned);
            let (reference, alternate) = (&self.alleles.reference[..], &self.alleles.alternate[..]);
            let key = encode(self.chromosome.1, pos, reference, alternate);
            rows.push(&Variant { contig, pos, key, reference, alternate }, filter, self.ledger.line);
            rows.push_calls(&self.calls, number);
            if let Some(sample) = &sample {
                rows.depth.push(sample.depth);
                rows.quality.push(sample.quality);
            }
        }
        if let Some(sample) = sample.filter(|sample| passed && is_covered(&alternates, sample)) {
            rows.push_block(contig, pos, block_end(pos, reference.len(), end, &sample), &sample);
        }
        self.alternates = alternates;
        Ok(())
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

    /// Check INFO and, from 4.4 on, what it says of structural variants; return END.
    fn check_info(
        &mut self,
        info: &[u8],
        alternate: &[u8],
        alternates: &[Alternate],
        format: Option<&[u8]>,
    ) -> Result<Option<u64>, Fault> {
        let minor = self.rules.minor;
        // Number=G in INFO has no ploidy to go by: any count is accepted.
        let shape = Shape { alternates: alternates.len(), minor, ploidy: None, local: None };
        self.keys.start(self.ledger.line);
        let (end, mut checked) = check_entries(info, &self.rules, &mut self.keys, shape);
        if checked.is_ok() && minor >= STRUCTURAL_KEYS && alternates.contains(&Alternate::Other) {
            let mut pairs = Vec::new();
            parse_info(info, &mut pairs);
            let copy_number =
                format.is_some_and(|keys| keys.split(|byte| *byte == b':').any(|key| key == b"CN"));
            checked = check_structural(alternate, &pairs, copy_number);
        }
        // Of a block, INFO says where it ends.
        if alternates.iter().all(|kind| *kind == Alternate::AnyOther) {
            checked?;
        } else {
            self.ledger.check(checked)?;
        }
        Ok(end)
    }

    /// Step to a record. Order matters to calls alone: from 4.5 on a record without GT may stand anywhere.
    fn step(&mut self, chrom: &[u8], pos: u32, format: Option<&[u8]>) -> Result<usize, Fault> {
        let genotyped = format.is_some_and(|keys| keys == b"GT" || keys.starts_with(b"GT:"));
        match self.order.step(chrom, pos) {
            Err(_) if self.rules.minor >= LOCAL_ALLELES && format.is_some() && !genotyped => {}
            Err(fault) => self.ledger.overlook(fault, Fate::Kept)?,
            stepped => return stepped,
        }
        Ok(self.order.enter(chrom, pos))
    }

    /// Note the variant in `alleles`; a lenient reading compares its repetitions when all are known.
    fn note(&mut self, pos: u32, allele: u16) -> Result<bool, Fault> {
        let carried = self.calls.iter().any(|call| matches!(call.code(allele).0, 1 | 2));
        match self.order.note(pos, &self.alleles.reference, &self.alleles.alternate, carried) {
            Err(_) if self.ledger.lenient => Ok(true),
            noted => noted,
        }
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
        let format = match self.format.take() {
            Some(same) if same.text == format => same,
            _ => parse_format(format, &self.rules)?,
        };
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
            if let Some((sample, end)) = plain_sample(fields, &format, self.rules.minor, alternates) {
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
            return Err(wrong_width(line, samples));
        }
        rows.genotyped += u64::from(format.genotyped);
        self.format = Some(format);
        rows.count_odd_calls(&self.calls);
        Ok(last.filter(|_| samples == 1))
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
