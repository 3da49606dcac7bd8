//! What INFO looked like on earlier lines: the next line mostly has the same keys, in the same order.

use std::ops::Range;

use super::line::Line;
use super::plain::Form;
use super::values::{check_values, Definition, Shape};

/// Lines with more entries are always checked key by key.
const MOST_ENTRIES: usize = 64;

/// One entry of a layout.
struct Key {
    /// As the entry begins: with the equals sign, where it has one.
    name: Vec<u8>,
    /// The name up to sixteen bytes, and which bytes of a word that are, to compare at one go.
    start: (u128, u128),
    has_value: bool,
    definition: Option<Definition>,
    /// The form of a value that is one plain number, where there must be one: with a single alternative allele, and
    /// with several or none.
    forms: [Option<Form>; 2],
}

impl Key {
    fn new(name: &[u8], definition: Option<Definition>) -> Self {
        let has_value = name.ends_with(b"=");
        let form = |alternates| {
            let one = definition.filter(|definition| definition.number.is_one(alternates));
            if has_value {
                one.and_then(Form::of)
            } else {
                Some(Form::NOTHING)
            }
        };
        let bytes: [u8; 16] = std::array::from_fn(|place| name.get(place).copied().unwrap_or(0));
        let mask: [u8; 16] = std::array::from_fn(|place| if place < name.len() { u8::MAX } else { 0 });
        let start = (u128::from_le_bytes(bytes), u128::from_le_bytes(mask));
        Self { name: name.to_vec(), start, has_value, definition, forms: [form(1), form(2)] }
    }

    #[inline(always)]
    fn begins(&self, text: &[u8]) -> bool {
        match text.first_chunk::<16>() {
            Some(word) if u128::from_le_bytes(*word) & self.start.1 != self.start.0 => false,
            Some(_) if self.name.len() <= 16 => true,
            _ => text.starts_with(&self.name),
        }
    }

    /// Whether what follows the name is valid, in whatever form.
    fn admits(&self, line: Line<'_>, value: &Range<usize>, shape: Shape) -> bool {
        match self.definition {
            _ if !self.has_value => value.is_empty(),
            None => line.index.is_clean(value),
            Some(definition) => {
                let values = &line.text[value.clone()];
                line.index.is_plain(value, definition, shape)
                    || (line.index.is_clean(value)
                        && check_values("", "INFO", b"", values, definition, shape).is_ok())
            }
        }
    }
}

/// The keys of a valid line, each once.
#[derive(Default)]
struct Layout(Vec<Key>);

impl Layout {
    /// Whether INFO has these keys, in this order, with valid values.
    #[inline(always)]
    fn fits(&self, line: Line<'_>, info: &Range<usize>, shape: Shape) -> bool {
        let several = usize::from(shape.alternates != 1);
        let mut ends = line.index.semicolons_from(info.start);
        let mut start = info.start;
        for key in &self.0 {
            let end = ends.next().map_or(info.end, |end| end.min(info.end));
            if !line.text.get(start..).is_some_and(|text| key.begins(text)) {
                return false;
            }
            let value = start + key.name.len()..end;
            let plain = key.forms[several].is_some_and(|form| line.index.has_form(&value, form));
            if !plain && !key.admits(line, &value, shape) {
                return false;
            }
            start = end + 1;
        }
        start == info.end + 1
    }
}

/// For each number of entries, the layout that was met last, and the one before it.
pub struct Layouts(Vec<[Layout; 2]>);

impl Default for Layouts {
    fn default() -> Self {
        Self((0..=MOST_ENTRIES).map(|_| Default::default()).collect())
    }
}

impl Layouts {
    /// Whether INFO is laid out as it was before, and valid. A no says nothing.
    #[inline(always)]
    pub fn know(&mut self, line: Line<'_>, info: &Range<usize>, shape: Shape) -> bool {
        let Some([last, before]) = line.index.entry_count(info).and_then(|count| self.0.get_mut(count))
        else {
            return false;
        };
        for _ in 0..2 {
            if last.fits(line, info, shape) {
                return true;
            }
            std::mem::swap(last, before);
        }
        false
    }

    /// Learn from a line whose INFO is valid.
    pub fn learn(
        &mut self,
        line: Line<'_>,
        info: &Range<usize>,
        definition: impl Fn(&[u8]) -> Option<Definition>,
    ) {
        let Some([last, before]) = line.index.entry_count(info).and_then(|count| self.0.get_mut(count))
        else {
            return;
        };
        std::mem::swap(last, before);
        last.0.clear();
        for entry in line.index.entries(line.text, info.clone()) {
            let entry = &line.text[entry];
            let equals = memchr::memchr(b'=', entry);
            let key = &entry[..equals.unwrap_or(entry.len())];
            last.0.push(Key::new(&entry[..equals.map_or(entry.len(), |at| at + 1)], definition(key)));
        }
    }
}
