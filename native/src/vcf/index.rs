//! Where the separators and the numbers of one line stand, found 64 bytes at a look before anything is read.
//!
//! What is made of it is in `plain_values`.

use std::ops::Range;

use super::eyes::Eyes;
use super::line::Columns;
use super::look::{Masks, LOOK};
use super::outline::{Outline, Pen};
use super::pieces::{Bits, Ones, Pieces, WORDS};
use super::places::Places;
use super::plain::Numbers;

/// Tabs of a line without samples, and of one with a single sample.
const TABS: [usize; 2] = [7, 9];

/// So many words are looked at without asking whether the line has ended.
const STRETCH: usize = 4;

/// Where the first one of a word is, whose first bit is at `start`; beyond every place where there is none.
#[inline(always)]
fn first_of(word: u64, start: usize) -> usize {
    if word == 0 {
        usize::MAX
    } else {
        start + word.trailing_zeros() as usize
    }
}

/// Words of a line.
type Stretch = [u8; STRETCH * LOOK];

pub struct Index {
    tab_places: Places,
    semicolon_places: Places,
    pub(super) tabs: Bits,
    pub(super) semicolons: Bits,
    pub(super) colons: Bits,
    pub(super) digits: Bits,
    pub(super) points: Bits,
    pub(super) commas: Bits,
    pub(super) minuses: Bits,
    /// For each form, the bytes that no single number of it has or is ended by.
    pub(super) impossible: [Bits; 3],
    pub(super) outline: Outline,
    /// The last words of a text, with what ends it.
    padded: Stretch,
    /// Whether the outlines of lines are drawn, where it is worth it.
    draws: bool,
    /// So many bytes were looked at, and so many closely: of these, everything is noted.
    pub(super) seen: usize,
    pub(super) seen_closely: usize,
    /// So many bits there are, those of the byte that ends the line among them if it was met.
    noted: usize,
    /// Of a drawn line's first word, the bytes that no identifier has.
    unnamed: u64,
    /// The first blank or control character but tabs.
    pub(super) first_odd: usize,
}

impl Default for Index {
    fn default() -> Self {
        let none = Bits::default();
        Self {
            tab_places: Places::default(),
            semicolon_places: Places::default(),
            tabs: none,
            semicolons: none,
            colons: none,
            digits: none,
            points: none,
            commas: none,
            minuses: none,
            impossible: [none; 3],
            outline: Outline::default(),
            padded: [0; STRETCH * LOOK],
            draws: true,
            seen: 0,
            seen_closely: 0,
            noted: 0,
            unnamed: u64::MAX,
            first_odd: 0,
        }
    }
}

/// Some words of a text; the end of the text ends the line.
#[inline(always)]
fn stretch<'a>(text: &'a [u8], start: usize, padded: &'a mut Stretch) -> &'a Stretch {
    let rest = text.get(start..).unwrap_or_default();
    match rest.first_chunk() {
        Some(whole) => whole,
        None => {
            pad(rest, padded);
            padded
        }
    }
}

/// Of the last lines of a text alone: to do it for each takes longer than to look at a line.
#[cold]
#[inline(never)]
fn pad(rest: &[u8], padded: &mut Stretch) {
    padded.fill(b'\n');
    padded[..rest.len()].copy_from_slice(rest);
}

impl Index {
    /// An index of lines with so many samples; outlines are of those that have a single one.
    pub fn of(samples: usize) -> Self {
        Self { draws: samples == 1, ..Self::default() }
    }

    /// Look at the line at the front of `text`: where its columns end, and its outline; returns where it ends.
    ///
    /// Of a line with many samples, what follows the first of them is not looked at.
    #[inline(always)]
    pub fn look_at(&mut self, text: &[u8], eyes: &impl Eyes) -> usize {
        self.look_until_end(text, eyes).unwrap_or_else(|| {
            let behind = text.get(self.seen..).unwrap_or_default();
            memchr::memchr(b'\n', behind).map_or(text.len(), |length| self.seen + length)
        })
    }

    #[inline(always)]
    fn look_until_end<E: Eyes>(&mut self, text: &[u8], eyes: &E) -> Option<usize> {
        self.seen_closely = 0;
        self.tab_places.forget();
        let mut pen = Pen::default();
        for first in (0..WORDS).step_by(STRETCH) {
            let bytes = stretch(text, first * LOOK, &mut self.padded);
            // Also the words behind the line's end: a loop that ends at a guess takes longer.
            let mut end = None;
            for (word, bytes) in (first..).zip(bytes.as_chunks::<LOOK>().0) {
                let (ends, start) = (eyes.ends(bytes), word * LOOK);
                let before_end = ends.newline.wrapping_sub(1) & !ends.newline;
                let inside = if end.is_none() { ends.tab & before_end } else { 0 };
                self.tab_places.add(inside, |free| eyes.list(inside, start as u16, free));
                if E::DRAW && self.draws {
                    let inks = eyes.inks(bytes);
                    if word == 0 {
                        self.unnamed = inks.unnamed;
                    }
                    self.colons.0[word] = inks.colon;
                    self.outline.draw(word, bytes, &inks, &mut pen, eyes);
                }
                if end.is_none() && ends.newline != 0 {
                    end = Some(start + ends.newline.trailing_zeros() as usize);
                }
            }
            self.noted = (first + STRETCH) * LOOK;
            self.seen = end.unwrap_or(self.noted);
            if end.is_some() {
                return end;
            }
            if self.tab_places.are_more_than(TABS[1]) {
                break;
            }
        }
        None
    }

    /// Look once more at a line that was looked at, whose outline is not known: what stands where in it.
    #[inline(always)]
    pub fn look_closer(&mut self, text: &[u8], eyes: &impl Eyes) {
        self.semicolon_places.forget();
        (self.seen_closely, self.first_odd) = (self.seen, usize::MAX);
        let mut numbers = Numbers::default();
        for start in (0..self.noted).step_by(STRETCH * LOOK) {
            let mut padded = [0; STRETCH * LOOK];
            let bytes = stretch(text, start, &mut padded);
            for (start, bytes) in (start..).step_by(LOOK).zip(bytes.as_chunks::<LOOK>().0) {
                self.note(start, &eyes.masks(bytes), &mut numbers, eyes);
            }
        }
    }

    /// Note what stands where in the word from `start` on.
    #[inline(always)]
    fn note(&mut self, start: usize, masks: &Masks, numbers: &mut Numbers, eyes: &impl Eyes) {
        let word = start / LOOK;
        let inside = match self.seen.saturating_sub(start) {
            left @ 0..LOOK => !(u64::MAX << left),
            _ => u64::MAX,
        };
        let semicolons = masks.semicolon & inside;
        self.semicolon_places.add(semicolons, |free| eyes.list(semicolons, start as u16, free));
        self.first_odd = self.first_odd.min(first_of(masks.odd & !masks.tab, start));
        self.tabs.0[word] = masks.tab;
        self.semicolons.0[word] = masks.semicolon;
        self.colons.0[word] = masks.colon;
        self.digits.0[word] = masks.digit;
        self.points.0[word] = masks.point;
        self.commas.0[word] = masks.comma;
        self.minuses.0[word] = masks.minus;
        let around = [masks.equals | masks.colon, masks.semicolon | masks.tab | masks.newline];
        let impossible = numbers.impossible(masks.digit, masks.point, masks.minus, around);
        let natural = impossible | masks.minus;
        self.impossible[0].0[word] = natural | masks.point;
        self.impossible[1].0[word] = impossible;
        self.impossible[2].0[word] = natural;
    }

    /// Whether a piece of a drawn line is a single identifier near the line's front.
    #[inline(always)]
    pub fn is_near_name(&self, piece: &Range<usize>) -> bool {
        let length = piece.len();
        (1..LOOK).contains(&length)
            && piece.end <= LOOK.min(self.seen)
            && self.unnamed >> piece.start & !(u64::MAX << length) == 0
    }

    /// Cut a line at its tabs; `None` where they were not all seen, or are not as many as there must be.
    #[inline(always)]
    pub fn columns<'a>(&self, line: &'a [u8], samples: usize) -> Option<Columns<'a>> {
        let (short, long) = self.tab_places.all()?.split_first_chunk::<{ TABS[0] }>()?;
        let (mut fixed, mut start) = ([&b""[..]; 8], 0);
        let (fields, info) = fixed.split_at_mut(TABS[0]);
        for (field, tab) in fields.iter_mut().zip(short) {
            let tab = usize::from(*tab);
            *field = line.get(start..tab)?;
            start = tab + 1;
        }
        if samples == 0 {
            info[0] = line.get(start..)?;
            let whole = self.seen >= line.len() && long.is_empty();
            return whole.then_some(Columns { fixed, calls: None });
        }
        let [info_end, format_end] = long.first_chunk::<2>()?.map(usize::from);
        info[0] = line.get(start..info_end)?;
        let calls = Some((line.get(info_end + 1..format_end)?, line.get(format_end + 1..)?));
        Some(Columns { fixed, calls })
    }

    /// Where the entries of INFO end but the last, if all of it was seen, and what follows it.
    #[inline(always)]
    pub fn entry_ends(&self, info: &Range<usize>) -> Option<&[u16]> {
        // Of a line that was not looked at closely, nothing is known.
        let whole = info.end < self.noted && info.end <= self.seen_closely;
        let places = self.semicolon_places.all().filter(|_| whole)?;
        let outside = |place: &&u16| !info.contains(&usize::from(**place));
        let behind = places.get(places.iter().take_while(outside).count()..)?;
        behind.get(..behind.len() - behind.iter().rev().take_while(outside).count())
    }

    /// The entries of INFO, between semicolons.
    #[inline(always)]
    pub fn entries<'a>(&'a self, line: &'a [u8], info: Range<usize>) -> Pieces<'a> {
        Pieces::new(self.ones(&self.semicolons, info.start), line, b';', self.seen_closely, info)
    }

    /// The values of a sample, between colons.
    #[inline(always)]
    pub fn values<'a>(&'a self, line: &'a [u8], sample: Range<usize>) -> Pieces<'a> {
        Pieces::new(self.ones(&self.colons, sample.start), line, b':', self.seen_closely, sample)
    }

    #[inline(always)]
    fn ones<'a>(&self, bits: &'a Bits, at: usize) -> Ones<'a> {
        bits.ones(at, self.seen_closely)
    }
}

#[cfg(test)]
mod tests {
    use super::super::eyes::DRAWING;
    use super::*;

    #[test]
    fn pieces_are_what_splitting_gives_also_behind_what_was_seen() {
        for length in [3, 63, 64, 65, 200, 5000] {
            let line: Vec<u8> = (0..length).map(|place| if place % 9 == 4 { b';' } else { b'a' }).collect();
            let mut index = Index::default();
            index.look_at(&line, &DRAWING);
            index.look_closer(&line, &DRAWING);
            for start in 0..length.min(70) {
                let found: Vec<&[u8]> =
                    index.entries(&line, start..length).map(|piece| &line[piece]).collect();
                let expected: Vec<&[u8]> = line[start..].split(|byte| *byte == b';').collect();
                assert_eq!(found, expected);
                let ends = index.entry_ends(&(start..length));
                let places = (start..length).filter(|place| line[*place] == b';');
                let places: Vec<u16> = places.filter_map(|place| u16::try_from(place).ok()).collect();
                assert_eq!(ends, Some(&places[..]).filter(|_| length <= 200));
            }
        }
    }
}
