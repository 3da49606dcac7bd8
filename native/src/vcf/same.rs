//! A text that the next line mostly has as well, to be compared with at one go.

use std::ops::Range;

/// What is compared as one word; nearly all names are shorter.
const WORD: usize = 16;

/// A text, and its first sixteen bytes as a word.
pub struct Same {
    pub text: Vec<u8>,
    word: u128,
    /// Which bytes of a word are of the text.
    mask: u128,
}

impl Same {
    pub fn new(text: &[u8]) -> Self {
        let bytes: [u8; WORD] = std::array::from_fn(|place| text.get(place).copied().unwrap_or(0));
        let mask: [u8; WORD] = std::array::from_fn(|place| if place < text.len() { u8::MAX } else { 0 });
        Self { text: text.to_vec(), word: u128::from_le_bytes(bytes), mask: u128::from_le_bytes(mask) }
    }

    /// Whether a line goes on with this text from `start` on.
    #[inline(always)]
    pub fn stands_at(&self, line: &[u8], start: usize) -> bool {
        let Some(rest) = line.get(start..) else { return false };
        match rest.first_chunk::<WORD>() {
            Some(word) if u128::from_le_bytes(*word) & self.mask != self.word => false,
            Some(_) if self.text.len() <= WORD => true,
            _ => rest.starts_with(&self.text),
        }
    }

    /// Whether a part of a line is this text.
    #[inline(always)]
    pub fn is(&self, line: &[u8], part: &Range<usize>) -> bool {
        part.len() == self.text.len() && self.stands_at(line, part.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_it_stands_alone() {
        let line: Vec<u8> = (b'A'..=b'z').chain(b'A'..=b'z').collect();
        for length in 0..40 {
            let same = Same::new(&line[3..3 + length]);
            for start in 0..=line.len() {
                let stands = line[start..].starts_with(&line[3..3 + length]);
                assert_eq!(same.stands_at(&line, start), stands, "{length} at {start}");
                for end in start..=line.len() {
                    assert_eq!(same.is(&line, &(start..end)), stands && end - start == length);
                }
            }
        }
    }
}
