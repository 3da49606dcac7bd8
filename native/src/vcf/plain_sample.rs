//! Samples of the plainest kind, which nearly all are: what is found here is certainly valid.

use std::ops::Range;

use super::columns::number;
use super::format::Format;
use super::genotypes::{parse_call, Ploidy};
use super::line::Line;
use super::numbers::{plain_numbers, whole};
use super::sample::{alleles_of, Sample};
use super::values::{Definition, Kind, Shape};

/// Parse the sample at the front of `fields` if it is of the plainest kind: a GT of two digits, then lists of
/// plain numbers and texts. Returns where it ends.
///
/// `plain_value` says where the values of a key that begin at a place end, if they are certainly valid.
#[inline(always)]
pub fn plain_sample(
    fields: &[u8],
    format: &Format,
    minor: u8,
    alternates: usize,
    mut plain_value: impl FnMut(usize, Definition, Shape) -> Option<usize>,
) -> Option<(Sample, usize)> {
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
            plain_value(at, (*definition)?, shape)?
        };
        let value = || plain_whole(fields.get(at..end)?);
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

/// As `plain_sample`, of the only sample of a line, with one alternative allele and nothing but lists of whole numbers.
#[inline(always)]
pub fn listed_sample(
    line: Line<'_>,
    place: &Range<usize>,
    format: &Format,
    alternates: usize,
) -> Option<Sample> {
    let counts = format.diploid_counts.as_ref().filter(|_| alternates == 1)?;
    let ([first, mark, second, b':'], _) = line.text.get(place.clone())?.split_first_chunk()? else {
        return None;
    };
    let call = parse_call(&[*first, *mark, *second], alleles_of(alternates), false).ok()?;
    if call.ploidy != Ploidy::Two {
        return None;
    }
    let part = place.start + 4..place.end;
    let [colons, commas] = line.index.whole_lists(&part)?;
    let (mut sample, mut left) = (Sample::of(call), colons | 1 << part.len());
    let mut start = 0;
    for (number, count) in counts.iter().enumerate() {
        if left == 0 {
            return None;
        }
        let end = left.trailing_zeros();
        let within = !(u64::MAX << end) & (u64::MAX << start);
        if (commas & within).count_ones() + 1 != *count {
            return None;
        }
        let read = match Some(number + 1) {
            place if place == format.depth => Some(&mut sample.depth),
            place if place == format.quality => Some(&mut sample.quality),
            place if place == format.lowest_depth => Some(&mut sample.lowest_depth),
            _ => None,
        };
        if let Some(read) = read {
            let value = whole(line.text, part.start + start as usize..part.start + end as usize)?;
            *read = value.cast_signed();
        }
        left &= left - 1;
        start = end + 1;
    }
    (left == 0).then_some(sample)
}

/// As `plain_sample`, of the only sample of a line.
#[inline(always)]
pub fn only_sample(
    line: Line<'_>,
    fields: &[u8],
    format: &Format,
    minor: u8,
    alternates: usize,
) -> Option<Sample> {
    listed_sample(line, &line.place(fields), format, alternates)
        .or_else(|| keyed_sample(line, fields, format, minor, alternates))
}

/// As `only_sample`, key by key.
#[inline(always)]
pub fn keyed_sample(
    line: Line<'_>,
    fields: &[u8],
    format: &Format,
    minor: u8,
    alternates: usize,
) -> Option<Sample> {
    let place = line.place(fields);
    let start = place.start;
    let mut values = line.index.values(line.text, place);
    if format.genotyped {
        values.next()?;
    }
    let (sample, end) = plain_sample(fields, format, minor, alternates, |_, definition, shape| {
        let value = values.next()?;
        line.index.is_plain(&value, definition, shape).then_some(value.end - start)
    })?;
    (end == fields.len()).then_some(sample)
}

/// Where the values of one key that begin at `at` end, if they are certainly valid.
pub fn plain_value(fields: &[u8], at: usize, definition: Definition, shape: Shape) -> Option<usize> {
    if fields.get(at) == Some(&b'.') && matches!(fields.get(at + 1), None | Some(b':' | b'\t')) {
        return Some(at + 1);
    }
    match definition.kind {
        Kind::Integer | Kind::Float => {
            let whole = definition.kind == Kind::Integer;
            let (count, end) = plain_numbers(fields, at, whole, definition.natural)?;
            shape.expects(definition.number).is_none_or(|expected| expected == count).then_some(end)
        }
        Kind::Probability => {
            let (count, end) = plain_numbers(fields, at, false, true)?;
            let mut values = fields.get(at..end)?.split(|byte| *byte == b',');
            let counted = shape.expects(definition.number).is_none_or(|expected| expected == count);
            (counted && values.all(is_plain_probability)).then_some(end)
        }
        Kind::Text if !definition.reserved => {
            let rest = fields.get(at..)?;
            let length = memchr::memchr3(b':', b'\t', b',', rest).unwrap_or(rest.len());
            (length > 0 && rest.get(length) != Some(&b',')).then_some(at + length)
        }
        _ => None,
    }
}

/// Whether a plain number from 0 on is certainly not above 1.
fn is_plain_probability(number: &[u8]) -> bool {
    matches!(number, [b'0' | b'1'] | [b'0', b'.', ..])
}

/// A short number without a sign, or -1 for a lone dot.
fn plain_whole(value: &[u8]) -> Option<i32> {
    if value == b"." {
        return Some(-1);
    }
    number(value).and_then(|value| i32::try_from(value).ok())
}
