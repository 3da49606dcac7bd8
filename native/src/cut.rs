//! Cutting lines into fields, most of which are short.

/// Eight bytes from `at` on, if there are so many.
#[inline]
pub fn eight(text: &[u8], at: usize) -> Option<u64> {
    text.get(at..).and_then(|rest| rest.first_chunk::<8>()).map(|bytes| u64::from_le_bytes(*bytes))
}

/// Cut a line at the first separator: the field, and what follows it if there is one.
#[inline]
pub fn cut(line: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    cut_at(line, memchr::memchr(separator, line))
}

/// As `cut`, where the separator is near.
#[inline]
pub fn cut_near(line: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    const LOW_BITS: u64 = 0x0101_0101_0101_0101;
    let separators = u64::from(separator) * LOW_BITS;
    for at in (0..32).step_by(8) {
        let Some(word) = eight(line, at) else { break };
        let others = word ^ separators;
        // The lowest byte that is zero is found, whatever stands above it.
        let found = others.wrapping_sub(LOW_BITS) & !others & (LOW_BITS << 7);
        if found != 0 {
            return cut_at(line, Some(at + found.trailing_zeros() as usize / 8));
        }
    }
    cut(line, separator)
}

#[inline]
fn cut_at(line: &[u8], at: Option<usize>) -> (&[u8], Option<&[u8]>) {
    match at {
        Some(at) => (&line[..at], Some(&line[at + 1..])),
        None => (line, None),
    }
}

/// The fields of a line.
pub struct Fields<'a> {
    rest: Option<&'a [u8]>,
    separator: u8,
}

impl<'a> Fields<'a> {
    pub fn new(line: &'a [u8], separator: u8) -> Self {
        Self { rest: Some(line), separator }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = &'a [u8];

    #[inline]
    fn next(&mut self) -> Option<&'a [u8]> {
        let (field, rest) = cut_near(self.rest?, self.separator);
        self.rest = rest;
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_what_splitting_gives() {
        for length in 0..45 {
            for tab in 0..=length {
                let mut line = vec![b'a'; length];
                line.insert(tab, b'\t');
                line.extend_from_slice(b"\t\x08\n\t");
                let expected: Vec<&[u8]> = line.split(|byte| *byte == b'\t').collect();
                assert_eq!(Fields::new(&line, b'\t').collect::<Vec<_>>(), expected);
            }
        }
        assert_eq!(Fields::new(b"", b',').collect::<Vec<_>>(), [b""]);
    }
}
