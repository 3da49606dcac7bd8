//! Names that a column has, as numbers of 16 bits in the order in which they come: contigs, and values of FILTER.

use std::collections::HashMap;

use super::fault::Fault;

#[derive(Debug, Default, PartialEq, Eq)]
pub struct Names {
    numbers: HashMap<Vec<u8>, u16>,
    names: Vec<Vec<u8>>,
}

impl Names {
    pub fn has(&self, name: &[u8]) -> bool {
        self.numbers.contains_key(name)
    }

    /// Whether this number is that of the name.
    pub fn is(&self, number: u16, name: &[u8]) -> bool {
        self.names.get(usize::from(number)).is_some_and(|other| other == name)
    }

    /// The number of a name, a new one if it was not met before; `field` is its column.
    pub fn number(&mut self, name: &[u8], field: &str) -> Result<u16, Fault> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = u16::try_from(self.names.len()).map_err(|_| {
            let sentence = "more than 65,536 different ones, which is more than are numbered";
            Fault::new("vcf.too-large", field, sentence)
        })?;
        self.numbers.insert(name.to_vec(), number);
        self.names.push(name.to_vec());
        Ok(number)
    }

    /// All of them, by number.
    pub fn texts(&self) -> Vec<String> {
        self.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect()
    }
}
