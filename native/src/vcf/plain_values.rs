//! What the index of a line calls plain is certainly valid; of what it does not, the checks of each column decide.

use std::ops::Range;

use super::index::Index;
use super::plain::{tenth_digits, Form, LONGEST, SHORT};
use super::values::{Definition, Kind, Shape};

impl Index {
    /// Whether the value of an entry of INFO has this form; all of it was seen, and what ends it.
    #[inline(always)]
    pub fn has_form(&self, value: &Range<usize>, form: Form) -> bool {
        let length = value.end.wrapping_sub(value.start);
        // With what ends it: so nothing is no number, nor is what ends in a point.
        length <= form.longest && self.impossible[form.place].from(value.start) << (63 - length) == 0
    }

    /// Whether a piece is certainly what a key that is no flag must have.
    #[inline(always)]
    pub fn is_plain(&self, value: &Range<usize>, definition: Definition, shape: Shape) -> bool {
        match definition.kind {
            Kind::Integer | Kind::Float => {
                let (whole, natural) = (definition.kind == Kind::Integer, definition.natural);
                let Some(count) = self.numbers(value, whole, natural) else { return self.is_missing(value) };
                shape.expects(definition.number).is_none_or(|expected| expected == count)
            }
            // A text of one's own may have commas, and then any number of parts.
            Kind::Text if !definition.reserved => self.is_clean(value) && self.is_texts(value),
            _ => self.is_missing(value),
        }
    }

    /// Whether a piece is a lone dot.
    #[inline(always)]
    fn is_missing(&self, value: &Range<usize>) -> bool {
        value.len() == 1 && value.end <= self.seen_closely && self.points.from(value.start) & 1 == 1
    }

    /// Whether a piece is a single identifier.
    #[inline(always)]
    pub fn is_name(&self, piece: &Range<usize>) -> bool {
        let Some(length) = self.length(piece) else { return false };
        self.is_clean(piece) && self.semicolons.from(piece.start) & !(u64::MAX << length) == 0
    }

    /// Whether a piece is free of blanks and control characters; a tab does not count.
    #[inline(always)]
    pub fn is_clean(&self, piece: &Range<usize>) -> bool {
        self.first_odd >= piece.end && self.seen_closely >= piece.end
    }

    /// How many plain numbers a piece lists: digits with a point in the middle at most, between commas.
    ///
    /// `None` where one of them is anything else, or, for `whole` numbers, than up to nine digits; `natural` ones
    /// have no minus.
    #[inline(always)]
    pub fn numbers(&self, piece: &Range<usize>, whole: bool, natural: bool) -> Option<usize> {
        let length = self.length(piece)?;
        let inside = !(u64::MAX << length);
        let digits = self.digits.from(piece.start) & inside;
        if digits == inside && length <= SHORT {
            return Some(1);
        }
        let [points, commas, minuses] =
            [&self.points, &self.commas, &self.minuses].map(|bits| bits.from(piece.start) & inside);
        let begins = commas << 1 | 1;
        let first_digits = (begins & !minuses) | ((begins & minuses) << 1);
        let behind_points = points << 1;
        // Added, the bit behind a point runs through the digits there and comes out behind the last of them.
        let behind_fractions = (digits + (behind_points & digits)) & !digits;
        let around = first_digits | behind_points | (points >> 1);
        let wrong = (inside & !(digits | points | commas | minuses))
            | (minuses & !begins)
            | (around & !digits)
            | (behind_fractions & points)
            | if natural { minuses } else { 0 }
            | if whole { points | tenth_digits(digits) } else { 0 };
        (wrong == 0).then_some(commas.count_ones() as usize + 1)
    }

    /// The separators of a part that is lists of short whole numbers from 0 on, each list behind a colon but the first:
    /// where its colons and its commas stand.
    #[inline(always)]
    pub fn whole_lists(&self, part: &Range<usize>) -> Option<[u64; 2]> {
        let length = self.length(part)?;
        let inside = !(u64::MAX << length);
        let digits = self.digits.from(part.start) & inside;
        let (colons, commas) = (self.colons.from(part.start) & inside, self.commas.from(part.start) & inside);
        let separators = colons | commas;
        let around = separators << 1 | 1 | separators >> 1 | 1 << (length - 1);
        let wrong = inside & (!(digits | separators) | (around & !digits)) | tenth_digits(digits);
        (wrong == 0).then_some([colons, commas])
    }

    /// Whether a piece of one column is texts between commas, none of them empty.
    #[inline(always)]
    fn is_texts(&self, piece: &Range<usize>) -> bool {
        let Some(length) = self.length(piece) else { return false };
        let [commas, tabs] =
            [&self.commas, &self.tabs].map(|bits| bits.from(piece.start) & !(u64::MAX << length));
        tabs | ((commas << 1 | 1) & (commas | 1 << length)) == 0
    }

    /// The length of a piece that is looked at as one word.
    #[inline(always)]
    fn length(&self, piece: &Range<usize>) -> Option<usize> {
        let length = piece.len();
        ((1..=LONGEST).contains(&length) && piece.end <= self.seen_closely).then_some(length)
    }
}

#[cfg(test)]
mod tests {
    use super::super::eyes::DRAWING;
    use super::super::values::{check_values, Number};
    use super::*;

    fn looked_at(text: &[u8]) -> Index {
        let mut index = Index::default();
        assert_eq!(index.look_at(text, &DRAWING), text.len());
        index.look_closer(text, &DRAWING);
        index
    }

    fn of(kind: Kind, natural: bool, number: Number) -> Definition {
        Definition { number, kind, reserved: true, declared: true, natural }
    }

    const SHAPE: Shape = Shape { alternates: 1, minor: 3, ploidy: Some(2), local: None };

    /// All texts of up to six of these bytes, at a place of a line where words meet.
    fn every_text(mut check: impl FnMut(&Index, Range<usize>, &[u8])) {
        const BYTES: &[u8] = b"-1.,x";
        for length in 1..=6u32 {
            for number in 0..5usize.pow(length) {
                let letters = (0..length).map(|place| BYTES[number / 5usize.pow(place) % 5]);
                let before = 64 - number % 7;
                let line: Vec<u8> =
                    std::iter::repeat_n(b'=', before).chain(letters).chain(*b";12.5,-3").collect();
                let value = before..before + length as usize;
                check(&looked_at(&line), value.clone(), &line[value]);
            }
        }
    }

    #[test]
    fn what_is_plain_is_valid() {
        every_text(|index, value, text| {
            for (kind, natural) in [(Kind::Integer, false), (Kind::Integer, true), (Kind::Float, false)] {
                let any = of(kind, natural, Number::Any);
                let strictly = check_values("", "INFO", b"", text, any, SHAPE).is_ok();
                assert!(strictly || !index.is_plain(&value, any, SHAPE), "{kind:?} {text:?}");
                let one = of(kind, natural, Number::Exactly(1));
                let strictly = check_values("", "INFO", b"", text, one, SHAPE).is_ok();
                let has_form = Form::of(one).is_some_and(|form| index.has_form(&value, form));
                assert!(strictly || !has_form, "{kind:?} {text:?}");
                assert!(strictly || !index.is_plain(&value, one, SHAPE), "{kind:?} {text:?}");
            }
        });
    }

    #[test]
    fn what_is_written_most_is_plain() {
        for (text, count) in [("0", 1), ("12", 1), ("0,16,19", 3), ("123456789", 1), ("1,2,123456789", 3)] {
            let line = format!("K={text};1");
            let index = looked_at(line.as_bytes());
            assert_eq!(index.numbers(&(2..2 + text.len()), true, true), Some(count), "{text}");
        }
        for (text, count) in [("-1.25", 1), ("0.500,-2", 2), ("60.00", 1), ("1234567890.123456789", 1)] {
            let line = format!("{}={text}", "K".repeat(60));
            let index = looked_at(line.as_bytes());
            let value = 61..line.len();
            assert_eq!(index.numbers(&value, false, false), Some(count), "{text}");
            let one = Form::of(of(Kind::Float, false, Number::Exactly(1)));
            assert_eq!(one.map(|form| index.has_form(&value, form)), Some(count == 1), "{text}");
        }
        for unsure in ["1234567890", "1,1234567890", "+1", "1.5", ""] {
            let line = format!("K={unsure};1");
            assert_eq!(
                looked_at(line.as_bytes()).numbers(&(2..2 + unsure.len()), true, true),
                None,
                "{unsure}"
            );
        }
    }
}
