//! Across lines: contigs in one piece, positions ascending, no variant twice.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::fault::{quoted, Fault};

/// What the lines so far have established.
#[derive(Default)]
pub struct Order {
    contigs: HashMap<Vec<u8>, usize>,
    pub names: Vec<Vec<u8>>,
    current: Option<usize>,
    last_pos: u32,
    /// Variants at or behind the current position (trimming moves a variant only forwards), and whether
    /// anyone carries them.
    ahead: BTreeMap<(u32, Vec<u8>), bool>,
}

impl Order {
    /// Step to a record and return its contig's number.
    pub fn step(&mut self, name: &[u8], pos: u32) -> Result<usize, Fault> {
        // `<1>` points to the contig 1.
        let name = name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(name);
        if let Some(current) = self.current.filter(|current| self.names[*current] == name) {
            if pos < self.last_pos {
                let sentence = format!("{pos} comes after {}: a contig's records must ascend", self.last_pos);
                return Err(Fault::new("vcf.unsorted", "POS", sentence));
            }
            self.last_pos = pos;
            while self.ahead.first_key_value().is_some_and(|((ahead, _), _)| *ahead < pos) {
                self.ahead.pop_first();
            }
            return Ok(current);
        }
        if self.contigs.contains_key(name) {
            let sentence = format!("the records of contig {} are not in one piece", quoted(name));
            return Err(Fault::new("vcf.not-contiguous", "CHROM", sentence));
        }
        Ok(self.enter(name, pos))
    }

    /// Go to a record wherever it stands, and return its contig's number.
    pub fn enter(&mut self, name: &[u8], pos: u32) -> usize {
        let name = name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">")).unwrap_or(name);
        let number = self.contigs.get(name).copied().unwrap_or_else(|| {
            let number = self.names.len();
            self.contigs.insert(name.to_vec(), number);
            self.names.push(name.to_vec());
            number
        });
        self.ahead.clear();
        (self.current, self.last_pos) = (Some(number), pos);
        number
    }

    /// Note a trimmed variant of the current contig; false says that it may be left out as a repetition.
    ///
    /// A variant that stands twice is refused, for it would count twice, unless nobody carries it in either.
    pub fn note(
        &mut self,
        pos: u32,
        reference: &[u8],
        alternate: &[u8],
        carried: bool,
    ) -> Result<bool, Fault> {
        match self.ahead.entry((pos, [reference, b">", alternate].concat())) {
            Entry::Vacant(free) => {
                free.insert(carried);
                Ok(true)
            }
            Entry::Occupied(earlier) if !carried && !earlier.get() => Ok(false),
            Entry::Occupied(_) => {
                let sentence = format!(
                    "the variant {} > {} at {pos} stands twice",
                    quoted(reference),
                    quoted(alternate)
                );
                Err(Fault::new("vcf.duplicate-variant", "POS, REF, ALT", sentence))
            }
        }
    }
}
