//! INFO: entries between semicolons, each a key that is defined, once, with the values that it must have.

use std::ops::Range;

use super::columns::{number, Alternate};
use super::fault::{quoted, Fault};
use super::line::Line;
use super::recent::Keys;
use super::structural::check_structural;
use super::values::{check_values, Kind, Shape};
use super::{Rules, VcfParser, STRUCTURAL_KEYS};

/// Take INFO apart.
fn parse_info<'a>(field: &'a [u8], pairs: &mut Vec<(&'a [u8], Option<&'a [u8]>)>) {
    pairs.clear();
    if field == b"." {
        return;
    }
    pairs.extend(field.split(|byte| *byte == b';').map(|entry| match memchr::memchr(b'=', entry) {
        Some(at) => (&entry[..at], Some(&entry[at + 1..])),
        None => (entry, None),
    }));
}

/// From 4.3 on the specification gives the form of a key; `1000G` is older.
fn is_info_key(key: &[u8], rules: &Rules) -> bool {
    match key {
        _ if rules.minor < 3 => !key.is_empty() && !key.contains(&b' '),
        b"1000G" => true,
        [b'A'..=b'Z' | b'a'..=b'z' | b'_', rest @ ..] => {
            rest.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.'))
        }
        _ => false,
    }
}

/// Check the entries of INFO, one by one.
fn check_entries(
    line: Line<'_>,
    info: &Range<usize>,
    rules: &Rules,
    keys: &mut Keys,
    shape: Shape,
) -> Result<(), Fault> {
    for entry in line.index.entries(line.text, info.clone()) {
        check_entry(line, &entry, rules, keys, shape)?;
    }
    Ok(())
}

/// The first END of INFO, if its value is a position.
pub fn end_of(info: &[u8]) -> Option<u64> {
    let mut entries = info.split(|byte| *byte == b';');
    entries.find_map(|entry| entry.strip_prefix(b"END=")).and_then(number)
}

/// One entry of INFO: `KEY` or `KEY=VALUE`, as defined, and not met before on this line.
fn check_entry(
    line: Line<'_>,
    place: &Range<usize>,
    rules: &Rules,
    keys: &mut Keys,
    shape: Shape,
) -> Result<(), Fault> {
    const CODE: &str = "vcf.info";
    let entry = &line.text[place.clone()];
    let (key, value) = match memchr::memchr(b'=', entry) {
        Some(at) => (&entry[..at], Some(&entry[at + 1..])),
        None => (entry, None),
    };
    let spaced = |byte: &u8| byte.is_ascii_control() || (*byte == b' ' && rules.minor < 3);
    if !is_info_key(key, rules) || (!line.index.is_clean(place) && entry.iter().any(spaced)) {
        let sentence = format!("{} is no KEY or KEY=VALUE without whitespace", quoted(key));
        return Err(Fault::new(CODE, "INFO", sentence));
    }
    let Ok(definition) = keys.meet(key, || rules.info.get(key).copied()) else {
        return Err(Fault::new(CODE, "INFO", format!("the key {} stands twice", quoted(key))));
    };
    match (definition, value) {
        (Some(definition), Some(values)) => {
            let plain = line.index.is_plain(&line.place(values), definition, shape);
            if plain {
                Ok(())
            } else {
                check_values(CODE, "INFO", key, values, definition, shape)
            }
        }
        (Some(definition), None) if definition.kind != Kind::Flag => {
            Err(Fault::new(CODE, format!("INFO, {}", quoted(key)), "a value is missing"))
        }
        _ => Ok(()),
    }
}

impl VcfParser {
    /// Whether the digits of INFO are free, if it is certainly valid: there is none, or it is laid out as it was before.
    /// None says nothing.
    #[inline(always)]
    pub(super) fn know_info(&mut self, line: Line<'_>, info: &[u8], shape: Shape) -> Option<bool> {
        if info == b"." {
            return Some(true);
        }
        self.layouts.know(line, &line.place(info), shape).map(|layout| layout.has_free_digits)
    }

    /// Check INFO: its entries, where it says that a block at `pos` ends and, from 4.4 on, what it says of structural
    /// variants.
    #[inline(always)]
    pub(super) fn check_info(
        &mut self,
        line: Line<'_>,
        info: &[u8],
        alternate: &[u8],
        alternates: &[Alternate],
        format: Option<&[u8]>,
        pos: u32,
    ) -> Result<(), Fault> {
        let minor = self.rules.minor;
        // Number=G in INFO has no ploidy to go by: any count is accepted.
        let shape = Shape { alternates: alternates.len(), minor, ploidy: None, local: None };
        let place = line.place(info);
        let mut checked = Ok(());
        if self.know_info(line, info, shape).is_none() {
            self.keys.start(self.ledger.line);
            checked = check_entries(line, &place, &self.rules, &mut self.keys, shape);
            if checked.is_ok() {
                self.layouts.learn(line, &place, |key| self.rules.info.get(key).copied());
            }
        }
        let block = alternates.iter().all(|kind| *kind == Alternate::AnyOther);
        if block && checked.is_ok() {
            checked = self.check_block_end(info, pos);
        }
        if checked.is_ok() && minor >= STRUCTURAL_KEYS && alternates.contains(&Alternate::Other) {
            let mut pairs = Vec::new();
            parse_info(info, &mut pairs);
            let copy_number =
                format.is_some_and(|keys| keys.split(|byte| *byte == b':').any(|key| key == b"CN"));
            checked = check_structural(alternate, &pairs, copy_number);
        }
        // Of a block, INFO says where it ends.
        if block {
            return checked;
        }
        self.ledger.check(checked)
    }

    /// A block does not end before it begins, nor behind its contig's end. Of other records nothing is read from END, and
    /// callers write other things into it, such as a mate's position.
    fn check_block_end(&self, info: &[u8], pos: u32) -> Result<(), Fault> {
        let Some(end) = end_of(info) else { return Ok(()) };
        let fault = |sentence: String| Err(Fault::new("vcf.block", "INFO, 'END'", sentence));
        if end < u64::from(pos) {
            return fault(format!("{end} is before POS, {pos}"));
        }
        let contig = &self.chromosome.name.text;
        match self.rules.contigs.get(contig).copied().flatten() {
            Some(length) if end > length => {
                fault(format!("{end} is behind the end of {}, which has {length} bases", quoted(contig)))
            }
            _ => Ok(()),
        }
    }
}
