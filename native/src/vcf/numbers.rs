//! Numbers, eight digits at a look: most of a VCF is lists of them.
//!
//! What is found here is certainly well-formed; what is not found may be, and `values` decides.

use std::ops::Range;

use crate::cut::eight;

const ZEROS: u64 = 0x3030_3030_3030_3030;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;
/// Added to a byte of up to 0x7f, it carries into the high bit from ten on.
const TEN_CARRIES: u64 = 0x7676_7676_7676_7676;

/// The longest run of digits that surely fits 32 bits.
const SHORT: usize = 9;

/// The high bit of each byte that is no digit.
fn other_bytes(word: u64) -> u64 {
    let value = word ^ ZEROS;
    (((value & !HIGH_BITS) + TEN_CARRIES) | value) & HIGH_BITS
}

/// The whole number that up to nine digits at `place` are.
#[inline(always)]
pub fn whole(text: &[u8], place: Range<usize>) -> Option<u32> {
    let length = place.len();
    // The eight bytes that end with it, of which those before it become zeros.
    let word = place.end.checked_sub(8).and_then(|start| eight(text, start));
    let Some(word) = word.filter(|_| (1..=SHORT).contains(&length)) else {
        return few_digits(text.get(place)?);
    };
    let before = 8 * 8usize.saturating_sub(length);
    let word = (word & (u64::MAX << before)) | (ZEROS & !(u64::MAX << before));
    let first = if length == SHORT { u32::from(text[place.start].wrapping_sub(b'0')) } else { 0 };
    if other_bytes(word) != 0 || first > 9 {
        return None;
    }
    let digits = word ^ ZEROS;
    // Neighbours are brought together: digits to pairs, pairs to fours, fours to the whole.
    let pairs = (digits * 10 + (digits >> 8)) & 0x00ff_00ff_00ff_00ff;
    let fours = (pairs * 100 + (pairs >> 16)) & 0x0000_ffff_0000_ffff;
    Some(first * 100_000_000 + (fours * 10_000 + (fours >> 32)) as u32)
}

fn few_digits(text: &[u8]) -> Option<u32> {
    let fits = (1..=SHORT).contains(&text.len()) && text.iter().all(u8::is_ascii_digit);
    fits.then(|| text.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0')))
}

/// The first byte that has its high bit set.
fn first_byte(marked: u64) -> usize {
    marked.trailing_zeros() as usize / 8
}

/// Where the digits that begin at `at` end.
pub fn digits_end(text: &[u8], at: usize) -> usize {
    let mut end = at;
    while let Some(word) = eight(text, end) {
        let others = other_bytes(word);
        if others != 0 {
            return end + first_byte(others);
        }
        end += 8;
    }
    text.get(end..).map_or(end, |rest| end + rest.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

/// The length of the plain number that eight bytes begin with, if it ends in them, and whether it is a whole one.
#[inline(always)]
fn short_number(word: u64, natural: bool) -> Option<(usize, bool)> {
    let signed = usize::from(word & 0xff == u64::from(b'-'));
    // The zero that comes in at the top is no digit: a number never seems to end later than it does.
    let unsigned = word >> (8 * signed);
    let others = other_bytes(unsigned);
    let whole = first_byte(others);
    if others == 0 || whole == 0 || (natural && signed == 1) || whole + signed >= 8 {
        return None;
    }
    if (unsigned >> (8 * whole)) & 0xff != u64::from(b'.') {
        return Some((signed + whole, true));
    }
    let behind = others & (others - 1);
    let end = first_byte(behind);
    (behind != 0 && end > whole + 1 && end + signed < 8).then_some((signed + end, false))
}

/// Where the plain number that begins at `at` ends, and whether it is a whole one of at most nine digits.
#[inline(always)]
fn number_end(text: &[u8], at: usize, natural: bool) -> Option<(usize, bool)> {
    if let Some((length, whole)) = eight(text, at).and_then(|word| short_number(word, natural)) {
        return Some((at + length, whole));
    }
    long_number_end(text, at, natural)
}

fn long_number_end(text: &[u8], at: usize, natural: bool) -> Option<(usize, bool)> {
    let signed = text.get(at) == Some(&b'-');
    if signed && natural {
        return None;
    }
    let start = at + usize::from(signed);
    let whole_end = digits_end(text, start);
    if whole_end == start {
        return None;
    }
    if text.get(whole_end) != Some(&b'.') {
        return Some((whole_end, whole_end - start <= SHORT));
    }
    let end = digits_end(text, whole_end + 1);
    (end > whole_end + 1).then_some((end, false))
}

/// Whether a part of a line is one plain number without a minus.
#[inline(always)]
pub fn is_natural(text: &[u8], part: &Range<usize>) -> bool {
    number_end(text, part.start, true).is_some_and(|(end, _)| end == part.end)
}

/// Walk over plain numbers between commas from `at` on: how many there are, and where the last one ends.
///
/// `None` where one of them is anything else than digits with a point in the middle at most, or, for `whole`
/// numbers, than up to nine digits; `natural` ones have no minus.
#[inline]
pub fn plain_numbers(text: &[u8], at: usize, whole: bool, natural: bool) -> Option<(usize, usize)> {
    let (mut count, mut at) = (0, at);
    loop {
        let (end, is_whole) = number_end(text, at, natural)?;
        if whole && !is_whole {
            return None;
        }
        count += 1;
        if text.get(end) != Some(&b',') {
            return Some((count, end));
        }
        at = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_is_what_its_digits_are_one_by_one() {
        let line = b"12\t0123456789:987654321;00000000099,/:a5\xb56";
        for start in 0..line.len() {
            for end in start..=line.len() {
                assert_eq!(whole(line, start..end), few_digits(&line[start..end]), "{start} to {end}");
            }
        }
        assert_eq!([whole(line, 3..12), whole(line, 14..23)], [Some(12_345_678), Some(987_654_321)]);
    }

    #[test]
    fn digits_are_found_eight_at_a_time_as_one_by_one() {
        for byte in 0..=u8::MAX {
            for length in 0..20 {
                let mut text = vec![b'7'; length];
                text.push(byte);
                text.extend_from_slice(b"123456789");
                let expected = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
                assert_eq!(digits_end(&text, 0), expected, "{byte} after {length}");
            }
        }
    }

    #[test]
    fn short_numbers_are_what_long_ones_are() {
        for text in [
            "1", "-1", "12.5", "-0.456", "1234567", "-123456", "1.", ".5", "-", "--1", "1.2.3", "", "1-2",
            "0.000001",
        ] {
            for natural in [false, true] {
                let padded = format!("{text};xxxxxxxx");
                let short = short_number(eight(padded.as_bytes(), 0).unwrap_or(0), natural);
                let long = long_number_end(padded.as_bytes(), 0, natural);
                assert!(short.is_none() || short == long, "{text}: {short:?}, {long:?}");
                assert!(short == long || text.len() > 6, "{text}: {short:?}, {long:?}");
            }
        }
    }

    #[test]
    fn lists_of_plain_numbers_end_at_what_is_none() {
        assert_eq!(plain_numbers(b"0,16,19:35", 0, true, true), Some((3, 7)));
        assert_eq!(plain_numbers(b"x=-0.5,1;", 2, false, false), Some((2, 8)));
        for unsure in [&b""[..], b"-1", b"1.", b".5", b"1,", b"1,.", b"1234567890", b"+1", b"0.5"] {
            assert_eq!(plain_numbers(unsure, 0, true, true), None, "{unsure:?}");
        }
        assert_eq!(plain_numbers(b"1e5", 0, false, false), Some((1, 1)));
    }
}
