//! Outlines of lines that were valid, with what all lines of such an outline have in common.

use std::ops::Range;

use super::format::Format;
use super::genotypes::Call;
use super::line::{Columns, Line};
use super::numbers::whole;
use super::sample::Sample;

/// Lines of one person have a few hundred outlines: their values have a minus or not, a fraction or not.
const SLOTS: usize = 4096;
/// Of a longer sample it is not seen at one look where its values end.
const LONGEST_SAMPLE: usize = 63;
const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
const LANES: usize = 8;
const STRIPE: usize = 8 * LANES;
const HALF: u64 = 0xFFFF_FFFF;
/// What the words of a stripe are mixed with, so that hardly any makes a product of nothing.
const SECRETS: [u64; LANES] = {
    let (mut secrets, mut place) = ([MIX; LANES], 1);
    while place < secrets.len() {
        secrets[place] = secrets[place - 1].wrapping_mul(MIX).rotate_left(29);
        place += 1;
    }
    secrets
};

/// What the columns from FILTER on say, where only the values' digits are free.
#[derive(Clone)]
pub struct Outlined {
    /// The number of its FILTER.
    pub filter: u16,
    pub call: Call,
    /// The places of DP, MIN_DP and GQ among the values of the sample.
    pub depth: Option<usize>,
    pub lowest_depth: Option<usize>,
    pub quality: Option<usize>,
}

impl Outlined {
    /// What a sample says whose line has this outline.
    #[inline(always)]
    pub fn sample(&self, line: Line<'_>, part: Range<usize>) -> Option<Sample> {
        if part.len() > LONGEST_SAMPLE {
            return None;
        }
        let ends = line.index.colons.from(part.start) | 1 << part.len();
        let mut sample = Sample::of(self.call);
        sample.depth = value(line, part.start, ends, self.depth)?;
        sample.lowest_depth = value(line, part.start, ends, self.lowest_depth)?;
        sample.quality = value(line, part.start, ends, self.quality)?;
        Some(sample)
    }
}

/// The value at a place behind the first of a sample, -1 where there is none; each of `ends` is where one ends.
#[inline(always)]
fn value(line: Line<'_>, sample: usize, ends: u64, place: Option<usize>) -> Option<i32> {
    let Some(place) = place else { return Some(-1) };
    let others = |ends: u64| ends & ends.wrapping_sub(1);
    let ends = (1..place).fold(ends, |ends, _| others(ends));
    let (start, end) = (ends.trailing_zeros() + 1, others(ends).trailing_zeros());
    whole(line.text, sample + start as usize..sample + end as usize).map(u32::cast_signed)
}

/// For each number that an outline may be given, the one that was met last.
pub struct Outlines(Vec<Option<(Vec<u8>, Outlined)>>);

impl Default for Outlines {
    fn default() -> Self {
        Self(vec![None; SLOTS])
    }
}

impl Outlines {
    /// What lines of this outline have in common, if one was valid before.
    #[inline(always)]
    pub fn get(&self, outline: &[u8]) -> Option<&Outlined> {
        let (text, outlined) = self.0.get(slot(outline))?.as_ref()?;
        same(text, outline).then_some(outlined)
    }

    /// Learn from a valid record of one person whose sample is lists of whole numbers, unless its outline leaves out more
    /// than digits of values.
    pub fn learn(&mut self, outline: &[u8], columns: &Columns<'_>, filter: u16, format: &Format, call: Call) {
        let [.., names, info] = columns.fixed;
        let hides = memchr::memchr2(b':', b'=', names).is_some() || memchr::memchr(b':', info).is_some();
        let short = columns.calls.is_some_and(|(_, sample)| sample.len() <= LONGEST_SAMPLE);
        if format.is_in_outlines && short && !hides {
            let (depth, lowest_depth, quality) = (format.depth, format.lowest_depth, format.quality);
            self.insert(outline, Outlined { filter, call, depth, lowest_depth, quality });
        }
    }

    fn insert(&mut self, outline: &[u8], outlined: Outlined) {
        let Some(place) = self.0.get_mut(slot(outline)) else { return };
        let mut text = place.take().map_or_else(Vec::new, |(text, _)| text);
        text.clear();
        text.extend_from_slice(outline);
        *place = Some((text, outlined));
    }
}

/// Whether two texts are the same, 64 bytes at a time: to call what compares any two takes as long as these few do.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let (stripes, rest) = one.as_chunks::<STRIPE>();
    let (others, other_rest) = other.as_chunks::<STRIPE>();
    // The last bytes, some of them for the second time.
    let last = || match (one.last_chunk::<STRIPE>(), other.last_chunk::<STRIPE>()) {
        (Some(one), Some(other)) => one == other,
        _ => rest == other_rest,
    };
    stripes.iter().zip(others).all(|(one, other)| one == other) && (rest.is_empty() || last())
}

/// A number from all of a text: 64 bytes at a time, whose products do not wait for each other.
///
/// Source: Y. Collet, XXH3 (xxHash 0.8), whose way to take in a stripe this is; which outlines share a slot matters to
/// time alone.
#[inline(always)]
fn slot(text: &[u8]) -> usize {
    let mut lanes = [text.len() as u64; LANES];
    let (stripes, rest) = text.as_chunks();
    for stripe in stripes {
        take_in(&mut lanes, stripe);
    }
    if !rest.is_empty() {
        // The last bytes, some of them for the second time; of a short text they are all there is.
        match text.last_chunk() {
            Some(last) => take_in(&mut lanes, last),
            None => take_in(&mut lanes, &std::array::from_fn(|place| rest.get(place).copied().unwrap_or(0))),
        }
    }
    let all =
        lanes.iter().zip(0..).fold(0u64, |all, (lane, turn)| all.wrapping_add(lane.rotate_left(8 * turn)));
    (all.wrapping_mul(MIX) >> 32) as usize % SLOTS
}

#[inline(always)]
fn take_in(lanes: &mut [u64; LANES], stripe: &[u8; STRIPE]) {
    for ((lane, word), secret) in lanes.iter_mut().zip(stripe.as_chunks().0).zip(SECRETS) {
        let mixed = u64::from_le_bytes(*word) ^ secret;
        *lane = lane.wrapping_add((mixed & HALF) * (mixed >> 32)).rotate_left(11);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(filter: u16) -> Outlined {
        Outlined { filter, call: Call::default(), depth: None, lowest_depth: None, quality: None }
    }

    #[test]
    fn an_outline_is_found_by_all_of_its_text() {
        let mut outlines = Outlines::default();
        for length in 0..100usize {
            let text: Vec<u8> = (0..length as u8).collect();
            outlines.insert(&text, of(1));
            assert_eq!(outlines.get(&text).map(|outlined| outlined.filter), Some(1));
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 0x80;
                assert!(outlines.get(&other).is_none());
            }
            outlines.insert(&text, of(2));
            assert_eq!(outlines.get(&text).map(|outlined| outlined.filter), Some(2));
        }
    }

    #[test]
    fn texts_are_the_same_whose_bytes_all_are() {
        for length in 0..=2 * STRIPE + 2 {
            let text: Vec<u8> = (0..length as u8).collect();
            let longer = [&text[..], b"x"].concat();
            assert!(same(&text, &text.clone()) && !same(&text, &longer) && !same(&longer, &text));
            for place in 0..length {
                let mut other = text.clone();
                other[place] ^= 1;
                assert!(!same(&text, &other), "{place} of {length}");
            }
        }
    }

    #[test]
    fn however_many_there_are_some_are_kept() {
        let mut outlines = Outlines::default();
        let text = |number: usize| format!("PASS\tK{number}=0").into_bytes();
        (0..20 * SLOTS).for_each(|number| {
            outlines.insert(&text(number), of(u16::try_from(number % 65_521).unwrap_or(0)))
        });
        let kept = (0..20 * SLOTS).filter_map(|number| Some((number, outlines.get(&text(number))?.filter)));
        let kept: Vec<(usize, u16)> = kept.collect();
        assert!(kept.len() > SLOTS / 2 && kept.len() <= SLOTS);
        assert!(kept.iter().all(|(number, filter)| *number % 65_521 == usize::from(*filter)));
    }
}
