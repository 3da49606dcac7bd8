//! The outline of a line: its text, in which each run of digits that is a value's, or a part of one, is a lone 0.
//!
//! What stands behind an equals sign or a colon and is made of digits, points, commas, minuses and slashes is a value, or
//! the front of one.

use std::ops::Range;

use super::eyes::Eyes;
use super::look::{Inks, LOOK};
use super::pieces::{Bits, WORDS};
use super::plain::{tenth_digits, SHORT};

/// Lines of longer outlines are not worth remembering.
const MOST: usize = 1024;

/// What goes from one word of a line to the next.
#[derive(Default)]
pub struct Pen {
    /// The last byte was an equals sign or a colon.
    begins: u64,
    /// The last byte was of a value.
    value: u64,
    /// The digits of values in the last word.
    digits: u64,
    drawn: usize,
}

pub struct Outline {
    text: [u8; MOST + LOOK],
    /// Which bytes of the line are in its outline, and where there those of each word begin.
    kept: Bits,
    starts: [u16; WORDS],
    /// So many words of the line at hand were drawn.
    words: usize,
    /// Whether all of it was drawn, and no value has more digits than surely fit 32 bits.
    whole: bool,
}

impl Default for Outline {
    fn default() -> Self {
        Self { text: [0; MOST + LOOK], kept: Bits::default(), starts: [0; WORDS], words: 0, whole: false }
    }
}

impl Outline {
    /// Draw the next word of a line.
    #[inline(always)]
    pub fn draw(&mut self, word: usize, bytes: &[u8; LOOK], inks: &Inks, pen: &mut Pen, eyes: &impl Eyes) {
        // What a value stands behind: of INFO an equals sign, of a sample a colon.
        let begins = inks.equals | inks.colon;
        let fronts = (begins << 1 | pen.begins) & inks.listed;
        // Added, the bit at the front of a value runs through it and comes out behind it.
        let (sum, one) = inks.listed.overflowing_add(fronts);
        let (sum, other) = sum.overflowing_add(pen.value);
        let digits = inks.listed & !sum & inks.digit;
        let left_out = digits & (digits << 1 | pen.digits >> (LOOK - 1));
        let across = pen.digits.leading_ones() + digits.trailing_ones();
        let long = tenth_digits(digits) != 0 || across > SHORT as u32;
        let free = self.text.get_mut(pen.drawn..).and_then(|rest| rest.first_chunk_mut());
        self.whole = (word == 0 || self.whole) && !long && free.is_some();
        if let Some(free) = free {
            eyes.close_up(bytes, digits, !left_out, free);
        }
        (self.kept.0[word], self.starts[word], self.words) = (!left_out, pen.drawn as u16, word + 1);
        *pen = Pen {
            begins: begins >> (LOOK - 1),
            value: u64::from(one | other),
            digits,
            drawn: pen.drawn + left_out.count_zeros() as usize,
        };
    }

    /// The outline of a part of the line, if all of the part was drawn, and what ends it.
    #[inline(always)]
    pub fn of(&self, part: Range<usize>) -> Option<&[u8]> {
        self.text.get(self.place(part.start)?..self.place(part.end)?).filter(|_| self.whole)
    }

    /// Where the byte at a place stands in the outline.
    #[inline(always)]
    fn place(&self, at: usize) -> Option<usize> {
        let before = self.kept.0[..self.words].get(at / LOOK)? & !(u64::MAX << (at % LOOK));
        Some(usize::from(self.starts[at / LOOK]) + before.count_ones() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::super::eyes::DRAWING;
    use super::super::index::Index;
    use super::*;

    /// Byte by byte; none where a value has a run of ten digits.
    fn slowly(line: &[u8]) -> Option<Vec<u8>> {
        let (mut outline, mut in_value, mut run) = (Vec::new(), false, 0);
        for (place, byte) in line.iter().enumerate() {
            let behind = place.checked_sub(1).is_some_and(|before| matches!(line[before], b'=' | b':'));
            in_value = (in_value || behind) && (b','..=b'9').contains(byte);
            run = if in_value && byte.is_ascii_digit() { run + 1 } else { 0 };
            match run {
                0 => outline.push(*byte),
                1 => outline.push(b'0'),
                10.. => return None,
                _ => {}
            }
        }
        Some(outline)
    }

    fn drawn(line: &[u8], part: Range<usize>) -> Option<Vec<u8>> {
        let mut index = Index::default();
        index.look_at(line, &DRAWING);
        index.outline.of(part).map(<[u8]>::to_vec)
    }

    #[test]
    fn a_value_is_drawn_with_a_lone_0_for_each_of_its_numbers() {
        let line = b"chr1\t12\trs34\tAC2=15;AF=-0.50,12;DB;N=x1\tGT:R2:DP\t0/1:3,44:7.5:.";
        let outline = b"AC2=0;AF=-0.0,0;DB;N=x1\tGT:R2:DP\t0/1:0,0:0.0:.";
        let start = line.iter().position(|byte| *byte == b'A').unwrap_or(0);
        assert_eq!(drawn(line, start..line.len()).as_deref(), Some(&outline[..]));
    }

    #[test]
    fn drawing_is_what_byte_by_byte_gives_wherever_words_meet() {
        const PIECES: [&[u8]; 9] =
            [b"=", b":", b"7", b"12.5", b"-1,2/3", b"x4;", b"|", b"123456789", b"1234567890"];
        for seed in 0..4000usize {
            let pieces = (0..seed % 60).map(|place| PIECES[seed * (place + 3) * 7919 / 13 % PIECES.len()]);
            let before = [b'=', b'a'].repeat(seed % 70);
            let line = [&before[..], &pieces.collect::<Vec<_>>().concat()].concat();
            assert_eq!(drawn(&line, 0..line.len()), slowly(&line), "{}", String::from_utf8_lossy(&line));
        }
    }

    #[test]
    fn a_long_outline_is_none() {
        let line = |length| [&b"K="[..], &b"a".repeat(length)].concat();
        let long = line(MOST - LOOK);
        assert_eq!(drawn(&long, 0..long.len()).as_ref(), Some(&long));
        assert!(drawn(&line(2 * MOST), 0..10).is_none());
    }

    #[test]
    fn what_was_not_drawn_of_this_line_has_no_outline() {
        let mut index = Index::default();
        index.look_at(&b"K=1;".repeat(100), &DRAWING);
        // The look ends with the words that have too many tabs.
        let line = [&b"\t".repeat(20)[..], &b"K=1;".repeat(100)].concat();
        index.look_at(&line, &DRAWING);
        assert_eq!(index.seen % LOOK, 0);
        assert!(index.outline.of(0..index.seen - 1).is_some() && index.outline.of(0..index.seen).is_none());
    }
}
