//! FILTER: its values as numbers, in the order in which they come.

use std::ops::Range;

use super::columns::check_filter;
use super::fault::Fault;
use super::names::Names;
use super::same::Same;

/// The values met so far.
#[derive(Default)]
pub struct Filters {
    pub names: Names,
    /// The value that was met last, and the one before it: nearly all records have one of two.
    recent: [Option<(Same, u16)>; 2],
}

impl Filters {
    /// The number of a value that was met just now, or just before.
    #[inline(always)]
    pub fn recent(&mut self, line: &[u8], field: &Range<usize>) -> Option<u16> {
        for _ in 0..2 {
            if let Some((_, number)) = self.recent[0].as_ref().filter(|(same, _)| same.is(line, field)) {
                return Some(*number);
            }
            self.recent.swap(0, 1);
        }
        None
    }

    /// The number of a valid value.
    pub fn number(&mut self, line: &[u8], field: &Range<usize>) -> Result<u16, Fault> {
        if let Some(number) = self.recent(line, field) {
            return Ok(number);
        }
        let field = &line[field.clone()];
        check_filter(field)?;
        let number = self.names.number(field, "FILTER")?;
        self.recent.swap(0, 1);
        self.recent[0] = Some((Same::new(field), number));
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_beyond_what_a_number_can_tell_are_refused() {
        let mut filters = Filters::default();
        let mut number = |value: usize| {
            let text = format!("f{value}").into_bytes();
            filters.number(&text, &(0..text.len())).map_err(|fault| (fault.code, fault.field))
        };
        for value in (0..=usize::from(u16::MAX)).chain([7]) {
            assert_eq!(number(value).map(usize::from), Ok(value));
        }
        assert_eq!(number(1 << 16), Err(("vcf.too-large", "FILTER".to_owned())));
        assert_eq!(number(65_535), Ok(u16::MAX));
    }
}
