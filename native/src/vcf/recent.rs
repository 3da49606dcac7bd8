//! The keys of INFO that earlier lines had: the next line mostly has them again, in the same order.

use std::collections::HashMap;

use super::numbers::plain_numbers;
use super::values::{Definition, Kind, Shape};
use crate::cut::eight;

/// More keys than this are forgotten, so that a file of ever new ones does not fill the memory.
const MOST: usize = 4096;

struct Key {
    name: Vec<u8>,
    definition: Option<Definition>,
    /// The name up to eight letters, and which bytes of a word that are, to compare at one go.
    start: (u64, u64),
    /// The keys that came behind it: the last time, and the time before that another one did.
    next: [usize; 2],
    /// The line that had it last.
    line: u64,
}

impl Key {
    fn new(name: &[u8], definition: Option<Definition>) -> Self {
        let length = name.len().min(8);
        let mut word = [0; 8];
        word[..length].copy_from_slice(&name[..length]);
        let mask = if length == 8 { u64::MAX } else { (1 << (8 * length)) - 1 };
        let start = (u64::from_le_bytes(word), mask);
        Self { name: name.to_vec(), definition, start, next: [0; 2], line: 0 }
    }

    fn begins(&self, rest: &[u8]) -> bool {
        match eight(rest, 0) {
            Some(word) if word & self.start.1 != self.start.0 => false,
            Some(_) if self.name.len() <= 8 => true,
            _ => rest.starts_with(&self.name),
        }
    }
}

/// Keys by number; number 0 is none: the start of a line.
pub struct Keys {
    keys: Vec<Key>,
    numbers: HashMap<Vec<u8>, usize>,
    last: usize,
    line: u64,
}

impl Default for Keys {
    fn default() -> Self {
        Self { keys: vec![Key::new(b"", None)], numbers: HashMap::new(), last: 0, line: 0 }
    }
}

impl Keys {
    /// Begin a line; lines are counted from 1.
    pub fn start(&mut self, line: u64) {
        if self.keys.len() > MOST {
            *self = Self::default();
        }
        (self.last, self.line) = (0, line);
    }

    /// Where the entry at the front of `rest` ends, if it is of the key that is expected and certainly valid.
    pub fn plain_entry(&mut self, rest: &[u8], shape: Shape) -> Option<usize> {
        let [last, before] = self.keys[self.last].next;
        let number = if self.keys[last].begins(rest) { last } else { before };
        let key = &self.keys[number];
        let definition = key.definition?;
        let name = key.name.len();
        if key.line == self.line || (number == before && !key.begins(rest)) {
            return None;
        }
        let end = match definition.kind {
            Kind::Flag => name,
            Kind::Integer | Kind::Float if rest.get(name) == Some(&b'=') => {
                let whole = definition.kind == Kind::Integer;
                let (count, end) = plain_numbers(rest, name + 1, whole, definition.natural)?;
                if shape.expects(definition.number).is_some_and(|expected| expected != count) {
                    return None;
                }
                end
            }
            _ => return None,
        };
        if !matches!(rest.get(end), None | Some(b';')) {
            return None;
        }
        self.note(number);
        Some(end)
    }

    /// Meet a key; false says that this line had it already.
    pub fn meet(&mut self, name: &[u8], definition: impl Fn() -> Option<Definition>) -> bool {
        let number = self.numbers.get(name).copied().unwrap_or_else(|| {
            self.keys.push(Key::new(name, definition()));
            self.numbers.insert(name.to_vec(), self.keys.len() - 1);
            self.keys.len() - 1
        });
        self.keys[number].line != self.line && {
            self.note(number);
            true
        }
    }

    /// The definition of the key that was met last.
    pub fn definition(&self) -> Option<Definition> {
        self.keys[self.last].definition
    }

    fn note(&mut self, number: usize) {
        self.keys[number].line = self.line;
        let next = &mut self.keys[self.last].next;
        if next[0] != number {
            *next = [number, next[0]];
        }
        self.last = number;
    }
}
