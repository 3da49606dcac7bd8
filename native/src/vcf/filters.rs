//! FILTER: its values as numbers, in the order in which they come.

use std::collections::HashMap;
use std::ops::Range;

use super::columns::check_filter;
use super::fault::Fault;
use super::same::Same;

/// The values met so far.
#[derive(Default)]
pub struct Filters {
    numbers: HashMap<Vec<u8>, i32>,
    pub names: Vec<String>,
    /// The value that was met last, and the one before it: nearly all records have one of two.
    recent: [Option<(Same, i32)>; 2],
}

impl Filters {
    /// The number of a value that was met just now, or just before.
    #[inline(always)]
    pub fn recent(&mut self, line: &[u8], field: &Range<usize>) -> Option<i32> {
        for _ in 0..2 {
            if let Some((_, number)) = self.recent[0].as_ref().filter(|(same, _)| same.is(line, field)) {
                return Some(*number);
            }
            self.recent.swap(0, 1);
        }
        None
    }

    /// The number of a valid value.
    pub fn number(&mut self, line: &[u8], field: &Range<usize>) -> Result<i32, Fault> {
        if let Some(number) = self.recent(line, field) {
            return Ok(number);
        }
        let field = &line[field.clone()];
        check_filter(field)?;
        let number = self.numbers.get(field).copied().unwrap_or_else(|| {
            let number = i32::try_from(self.names.len()).unwrap_or(i32::MAX);
            self.numbers.insert(field.to_vec(), number);
            self.names.push(String::from_utf8_lossy(field).into_owned());
            number
        });
        self.recent.swap(0, 1);
        self.recent[0] = Some((Same::new(field), number));
        Ok(number)
    }
}
