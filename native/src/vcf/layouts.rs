//! What INFO looked like on earlier lines: the next line mostly has the same keys, in the same order.

use std::ops::Range;

use super::line::Line;
use super::plain::Form;
use super::same::Same;
use super::values::{check_values, Definition, Kind, Shape};

/// Lines with as many entries, or more, are always checked key by key.
const MOST_ENTRIES: usize = 64;

/// One entry of a layout.
struct Key {
    /// As the entry begins: with the equals sign, where it has one.
    name: Same,
    has_value: bool,
    definition: Option<Definition>,
    /// The form of a value that is one plain number, where there must be one: with a single alternative allele, and
    /// with several or none.
    forms: [Option<Form>; 2],
}

impl Key {
    fn new(name: &[u8], definition: Option<Definition>) -> Self {
        let has_value = name.ends_with(b"=");
        let one = |alternates| {
            definition.filter(|definition| definition.number.is_one(alternates)).and_then(Form::of)
        };
        Self { name: Same::new(name), has_value, definition, forms: [one(1), one(2)] }
    }

    /// Whether an entry has this key, and a valid value.
    #[inline(always)]
    fn fits(&self, line: Line<'_>, entry: Range<usize>, shape: Shape) -> bool {
        if !self.name.stands_at(line.text, entry.start) {
            return false;
        }
        let value = entry.start + self.name.text.len()..entry.end;
        if !self.has_value {
            return value.is_empty();
        }
        let form = self.forms[usize::from(shape.alternates != 1)];
        form.is_some_and(|form| line.index.has_form(&value, form)) || self.admits(line, &value, shape)
    }

    /// Whether only the form of a value counts, but for the number of digits that a number in it has.
    fn has_free_digits(&self) -> bool {
        let of_kind = |definition: Definition| {
            matches!(definition.kind, Kind::Integer | Kind::Float | Kind::Text)
                || (definition.kind == Kind::Flag && !self.has_value)
        };
        self.definition.is_none_or(of_kind)
    }

    /// Whether what follows the name is valid, in whatever form.
    fn admits(&self, line: Line<'_>, value: &Range<usize>, shape: Shape) -> bool {
        match self.definition {
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
pub struct Layout {
    keys: Vec<Key>,
    /// Whether lines of this layout are valid whatever the digits of their values are, but for how many.
    pub has_free_digits: bool,
}

impl Layout {
    /// Whether INFO, whose entries but the last end at `ends`, has these keys, in this order, with valid values.
    #[inline(always)]
    fn fits(&self, line: Line<'_>, info: &Range<usize>, ends: &[u16], shape: Shape) -> bool {
        let Some((last, others)) = self.keys.split_last() else { return false };
        let mut start = info.start;
        for (key, end) in others.iter().zip(ends) {
            let end = usize::from(*end);
            if !key.fits(line, start..end, shape) {
                return false;
            }
            start = end + 1;
        }
        last.fits(line, start..info.end, shape)
    }
}

/// For each number of entries but the last, the layout that was met last, and the one before it.
pub struct Layouts(Vec<[Layout; 2]>);

impl Default for Layouts {
    fn default() -> Self {
        Self((0..MOST_ENTRIES).map(|_| Default::default()).collect())
    }
}

impl Layouts {
    /// How INFO is laid out, if it is as it was before, and valid. None says nothing.
    #[inline(always)]
    pub fn know(&mut self, line: Line<'_>, info: &Range<usize>, shape: Shape) -> Option<&Layout> {
        let ends = line.index.entry_ends(info)?;
        let [last, before] = self.0.get_mut(ends.len())?;
        for _ in 0..2 {
            if last.fits(line, info, ends, shape) {
                return Some(last);
            }
            std::mem::swap(last, before);
        }
        None
    }

    /// Learn from a line whose INFO is valid.
    pub fn learn(
        &mut self,
        line: Line<'_>,
        info: &Range<usize>,
        definition: impl Fn(&[u8]) -> Option<Definition>,
    ) {
        let ends = line.index.entry_ends(info);
        let Some([last, before]) = ends.and_then(|ends| self.0.get_mut(ends.len())) else { return };
        std::mem::swap(last, before);
        last.keys.clear();
        for entry in line.index.entries(line.text, info.clone()) {
            let entry = &line.text[entry];
            let equals = memchr::memchr(b'=', entry);
            let key = &entry[..equals.unwrap_or(entry.len())];
            last.keys.push(Key::new(&entry[..equals.map_or(entry.len(), |at| at + 1)], definition(key)));
        }
        last.has_free_digits = last.keys.iter().all(Key::has_free_digits);
    }
}
