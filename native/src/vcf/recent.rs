//! The keys of INFO that the file had so far, and which of them the line at hand had already.

use std::collections::HashMap;

use super::values::Definition;

/// More keys than this are forgotten, so that a file of ever new ones does not fill the memory.
const MOST: usize = 4096;

#[derive(Clone, Copy)]
struct Key {
    definition: Option<Definition>,
    /// The line that had it last.
    line: u64,
}

#[derive(Default)]
pub struct Keys {
    keys: HashMap<Vec<u8>, Key>,
    line: u64,
}

impl Keys {
    /// Begin a line; lines are counted from 1.
    pub fn start(&mut self, line: u64) {
        if self.keys.len() > MOST {
            self.keys.clear();
        }
        self.line = line;
    }

    /// Meet a key: its definition, or an error where this line had it already.
    pub fn meet(
        &mut self,
        name: &[u8],
        definition: impl Fn() -> Option<Definition>,
    ) -> Result<Option<Definition>, ()> {
        if let Some(key) = self.keys.get_mut(name) {
            let twice = std::mem::replace(&mut key.line, self.line) == self.line;
            return if twice { Err(()) } else { Ok(key.definition) };
        }
        let key = Key { definition: definition(), line: self.line };
        self.keys.insert(name.to_vec(), key);
        Ok(key.definition)
    }
}
