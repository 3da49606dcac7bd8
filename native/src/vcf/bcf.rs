//! BCF 2.2 records, written out as the lines of VCF that they stand for: one checker reads both.
//!
//! SECURITY: every byte here may come from an attacker. A length is believed only as far as there are bytes
//! behind it, a text may not hold what would end its column or its line, and a record may not become longer
//! than the longest line.

use std::collections::HashSet;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::fault::{quoted, Fault};

/// Turns whole records into lines; made from what the header says.
#[pyclass]
pub struct BcfDecoder {
    strings: Vec<String>,
    contigs: Vec<String>,
    flags: HashSet<String>,
    samples: usize,
    line: u64,
    longest: usize,
}

fn fault(field: &str, sentence: impl Into<String>) -> Fault {
    Fault::new("vcf.bcf", field, sentence)
}

fn cut_off() -> Fault {
    fault("record", "ends before its values do")
}

/// The bytes of a record that were not read yet.
struct Cursor<'a>(&'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Fault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(cut_off)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn u32(&mut self) -> Result<u32, Fault> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn size(&mut self) -> Result<usize, Fault> {
        usize::try_from(self.u32()?).map_err(|_| cut_off())
    }

    /// A descriptor: the type of values, and how many there are.
    fn descriptor(&mut self) -> Result<(Type, usize), Fault> {
        let [byte] = self.array()?;
        let kind = Type::of(byte & 0xf)?;
        let count = match byte >> 4 {
            15 => usize::try_from(self.integer()?).map_err(|_| fault("record", "a length is negative"))?,
            count => usize::from(count),
        };
        Ok((kind, count))
    }

    /// One typed whole number.
    fn integer(&mut self) -> Result<i32, Fault> {
        let [byte] = self.array()?;
        let kind = Type::of(byte & 0xf)?;
        match (byte >> 4, kind) {
            (1, Type::Int8 | Type::Int16 | Type::Int32) => match kind.integer(self.take(kind.width())?)? {
                Whole::Number(number) => Ok(number),
                _ => Err(fault("record", "a number is missing")),
            },
            _ => Err(fault("record", "a whole number has another type")),
        }
    }

    fn text(&mut self, field: &str) -> Result<&'a [u8], Fault> {
        match self.descriptor()? {
            (Type::Char, count) => self.take(count),
            (Type::Missing, 0) => Ok(b""),
            _ => Err(fault(field, "is no text")),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Type {
    Missing,
    Int8,
    Int16,
    Int32,
    Float,
    Char,
}

enum Whole {
    Number(i32),
    Missing,
    End,
}

impl Type {
    fn of(code: u8) -> Result<Self, Fault> {
        match code {
            0 => Ok(Self::Missing),
            1 => Ok(Self::Int8),
            2 => Ok(Self::Int16),
            3 => Ok(Self::Int32),
            5 => Ok(Self::Float),
            7 => Ok(Self::Char),
            _ => Err(fault("record", format!("{code} is no type of values"))),
        }
    }

    fn width(self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Int8 | Self::Char => 1,
            Self::Int16 => 2,
            Self::Int32 | Self::Float => 4,
        }
    }

    /// One whole number; each width sets its eight lowest numbers apart.
    fn integer(self, bytes: &[u8]) -> Result<Whole, Fault> {
        let (value, lowest) = match *bytes {
            [a] => (i32::from(i8::from_le_bytes([a])), i32::from(i8::MIN)),
            [a, b] => (i32::from(i16::from_le_bytes([a, b])), i32::from(i16::MIN)),
            [a, b, c, d] => (i32::from_le_bytes([a, b, c, d]), i32::MIN),
            _ => return Err(cut_off()),
        };
        match value.wrapping_sub(lowest) {
            0 => Ok(Whole::Missing),
            1 => Ok(Whole::End),
            2..=7 => Err(fault("record", "a number is one of those set apart")),
            _ => Ok(Whole::Number(value)),
        }
    }
}

/// Bits of the fractions that say missing, and end of vector.
const FLOAT_MISSING: u32 = 0x7f80_0001;
const FLOAT_END: u32 = 0x7f80_0002;

/// Append a text; `breaking` are the characters that would end it inside its column.
fn push_text(out: &mut Vec<u8>, text: &[u8], breaking: &[u8], field: &str) -> Result<(), Fault> {
    let end = text.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let text = &text[..end];
    if text.iter().any(|byte| byte.is_ascii_control() || breaking.contains(byte)) {
        return Err(fault(field, format!("{} has a character that it may not have", quoted(text))));
    }
    out.extend_from_slice(if text.is_empty() { b"." } else { text });
    Ok(())
}

fn push_float(out: &mut Vec<u8>, bits: u32) {
    out.extend_from_slice(f32::from_bits(bits).to_string().as_bytes());
}

/// Append a vector of values, between commas.
fn push_values(
    out: &mut Vec<u8>,
    kind: Type,
    bytes: &[u8],
    breaking: &[u8],
    field: &str,
) -> Result<(), Fault> {
    let begun = out.len();
    match kind {
        Type::Char => return push_text(out, bytes, breaking, field),
        Type::Missing => {}
        Type::Float => {
            let mut ended = false;
            for chunk in bytes.chunks_exact(4) {
                let bits = u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]);
                ended |= bits == FLOAT_END;
                if ended && bits != FLOAT_END {
                    return Err(fault(field, "a value stands behind the end of its vector"));
                }
                if ended {
                    continue;
                }
                if out.len() > begun {
                    out.push(b',');
                }
                match bits {
                    FLOAT_MISSING => out.push(b'.'),
                    bits => push_float(out, bits),
                }
            }
        }
        Type::Int8 | Type::Int16 | Type::Int32 => {
            let mut ended = false;
            for chunk in bytes.chunks_exact(kind.width()) {
                let value = kind.integer(chunk)?;
                if ended && !matches!(value, Whole::End) {
                    return Err(fault(field, "a value stands behind the end of its vector"));
                }
                if out.len() > begun && !matches!(value, Whole::End) {
                    out.push(b',');
                }
                match value {
                    Whole::Number(number) => out.extend_from_slice(number.to_string().as_bytes()),
                    Whole::Missing => out.push(b'.'),
                    Whole::End => ended = true,
                }
            }
        }
    }
    if out.len() == begun {
        out.push(b'.');
    }
    Ok(())
}

/// Append a genotype: alleles are (number + 1) × 2, and 1 more where they are phased with the one before.
fn push_genotype(out: &mut Vec<u8>, kind: Type, bytes: &[u8]) -> Result<(), Fault> {
    let begun = out.len();
    let mut ended = false;
    for chunk in bytes.chunks_exact(kind.width().max(1)) {
        let value = match kind.integer(chunk)? {
            Whole::End => {
                ended = true;
                continue;
            }
            Whole::Missing => 0,
            Whole::Number(number) if number >= 0 => number,
            Whole::Number(_) => return Err(fault("GT", "an allele is negative")),
        };
        if ended {
            return Err(fault("GT", "an allele stands behind the end of its vector"));
        }
        if out.len() > begun {
            out.push(if value & 1 == 1 { b'|' } else { b'/' });
        }
        match (value >> 1) - 1 {
            -1 => out.push(b'.'),
            allele => out.extend_from_slice(allele.to_string().as_bytes()),
        }
    }
    if out.len() == begun {
        out.push(b'.');
    }
    Ok(())
}

/// A key of FORMAT with all samples' values.
struct Values<'a> {
    name: &'a str,
    kind: Type,
    count: usize,
    bytes: &'a [u8],
}

impl BcfDecoder {
    fn name(&self, index: i32) -> Result<&str, Fault> {
        let found = usize::try_from(index).ok().and_then(|index| self.strings.get(index));
        match found.map(String::as_str) {
            None | Some("") => Err(fault("record", format!("{index} is no key of the header"))),
            Some(name) => Ok(name),
        }
    }

    fn write_shared(&self, shared: &[u8], out: &mut Vec<u8>) -> Result<(usize, usize), Fault> {
        let mut cursor = Cursor(shared);
        let contig = self.contigs.get(cursor.size()?).filter(|name| !name.is_empty());
        out.extend_from_slice(contig.ok_or_else(|| fault("CHROM", "is no contig of the header"))?.as_bytes());
        let pos = i64::from(i32::from_le_bytes(cursor.array()?)) + 1;
        let _length = cursor.u32()?;
        let quality = cursor.u32()?;
        let counts = cursor.u32()?;
        let (infos, alleles) = (counts & 0xffff, counts >> 16);
        let widths = cursor.u32()?;
        out.extend_from_slice(format!("\t{pos}\t").as_bytes());
        push_text(out, cursor.text("ID")?, b"", "ID")?;
        if alleles == 0 {
            return Err(fault("REF", "is missing"));
        }
        for place in 0..alleles {
            out.push(if place < 2 { b'\t' } else { b',' });
            push_text(out, cursor.text("ALT")?, b",", "ALT")?;
        }
        if alleles == 1 {
            out.extend_from_slice(b"\t.");
        }
        out.push(b'\t');
        match quality {
            FLOAT_MISSING => out.push(b'.'),
            bits => push_float(out, bits),
        }
        out.push(b'\t');
        self.write_filters(&mut cursor, out)?;
        out.push(b'\t');
        self.write_info(&mut cursor, infos, out)?;
        if !cursor.0.is_empty() {
            return Err(fault("record", "there are bytes behind INFO"));
        }
        Ok((usize::try_from(widths >> 24).unwrap_or(0), usize::try_from(widths & 0xff_ffff).unwrap_or(0)))
    }

    fn write_filters(&self, cursor: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
        let (kind, count) = cursor.descriptor()?;
        if count == 0 {
            out.push(b'.');
            return Ok(());
        }
        if !matches!(kind, Type::Int8 | Type::Int16 | Type::Int32) {
            return Err(fault("FILTER", "is no list of whole numbers"));
        }
        for (place, bytes) in cursor.take(total(count, 1, kind)?)?.chunks_exact(kind.width()).enumerate() {
            let Whole::Number(index) = kind.integer(bytes)? else {
                return Err(fault("FILTER", "is missing"));
            };
            if place > 0 {
                out.push(b';');
            }
            out.extend_from_slice(self.name(index)?.as_bytes());
        }
        Ok(())
    }

    fn write_info(&self, cursor: &mut Cursor<'_>, infos: u32, out: &mut Vec<u8>) -> Result<(), Fault> {
        if infos == 0 {
            out.push(b'.');
        }
        for place in 0..infos {
            if place > 0 {
                out.push(b';');
            }
            let name = self.name(cursor.integer()?)?;
            let (kind, count) = cursor.descriptor()?;
            let bytes = cursor.take(total(count, 1, kind)?)?;
            out.extend_from_slice(name.as_bytes());
            if !self.flags.contains(name) {
                out.push(b'=');
                push_values(out, kind, bytes, b";", name)?;
            }
        }
        Ok(())
    }

    fn write_samples(&self, individual: &[u8], keys: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
        let mut cursor = Cursor(individual);
        let mut found = Vec::with_capacity(keys);
        for _ in 0..keys {
            let name = self.name(cursor.integer()?)?;
            let (kind, count) = cursor.descriptor()?;
            let bytes = cursor.take(total(count, self.samples, kind)?)?;
            found.push(Values { name, kind, count, bytes });
        }
        if !cursor.0.is_empty() {
            return Err(fault("record", "there are bytes behind the samples"));
        }
        if self.samples == 0 {
            return Ok(());
        }
        let names: Vec<&str> = found.iter().map(|values| values.name).collect();
        out.push(b'\t');
        out.extend_from_slice(if names.is_empty() { "." } else { "" }.as_bytes());
        out.extend_from_slice(names.join(":").as_bytes());
        for sample in 0..self.samples {
            out.push(b'\t');
            for (place, values) in found.iter().enumerate() {
                if place > 0 {
                    out.push(b':');
                }
                let size = values.count * values.kind.width();
                let bytes = &values.bytes[sample * size..(sample + 1) * size];
                match values.kind {
                    Type::Int8 | Type::Int16 | Type::Int32 if values.name == "GT" => {
                        push_genotype(out, values.kind, bytes)?;
                    }
                    kind => push_values(out, kind, bytes, b":", values.name)?,
                }
            }
            if found.is_empty() {
                out.push(b'.');
            }
            if out.len() > self.longest {
                return Err(fault("record", format!("more than {} bytes once written out", self.longest)));
            }
        }
        Ok(())
    }

    fn write_record(&self, shared: &[u8], individual: &[u8], line: &mut Vec<u8>) -> Result<(), Fault> {
        let (keys, samples) = self.write_shared(shared, line)?;
        if samples != self.samples {
            let sentence = format!("{samples} samples where the header names {}", self.samples);
            return Err(fault("record", sentence));
        }
        self.write_samples(individual, keys, line)
    }

    fn write_records(&mut self, piece: &[u8]) -> Result<(Vec<u8>, usize), Fault> {
        let mut out = Vec::with_capacity(piece.len() * 2);
        let mut line = Vec::new();
        let mut rest = piece;
        loop {
            let mut cursor = Cursor(rest);
            let (Ok(shared), Ok(individual)) = (cursor.size(), cursor.size()) else { break };
            let whole = shared.saturating_add(individual);
            self.line += 1;
            if whole > self.longest {
                return Err(fault("record", format!("{whole} bytes, more than {}", self.longest)));
            }
            if cursor.0.len() < whole {
                self.line -= 1;
                break;
            }
            line.clear();
            self.write_record(cursor.take(shared)?, cursor.take(individual)?, &mut line)?;
            out.extend_from_slice(&line);
            out.push(b'\n');
            rest = cursor.0;
        }
        Ok((out, piece.len() - rest.len()))
    }
}

/// Bytes of `count` values for each of `samples`.
fn total(count: usize, samples: usize, kind: Type) -> Result<usize, Fault> {
    count.checked_mul(samples).and_then(|values| values.checked_mul(kind.width())).ok_or_else(cut_off)
}

#[pymethods]
impl BcfDecoder {
    /// Args: keys of FILTER, INFO and FORMAT by number, and contigs likewise, empty where a number is not used;
    /// INFO keys that are flags; number of samples; lines of the header; the longest line, in bytes.
    #[new]
    fn new(
        strings: Vec<String>,
        contigs: Vec<String>,
        flags: HashSet<String>,
        samples: usize,
        header_lines: u64,
        longest: usize,
    ) -> Self {
        Self { strings, contigs, flags, samples, line: header_lines, longest }
    }

    /// Write whole records as lines of VCF; return them, and how many bytes of the piece were used up.
    fn decode<'py>(&mut self, py: Python<'py>, piece: &[u8]) -> PyResult<(Bound<'py, PyBytes>, usize)> {
        let (text, used) = py.detach(|| self.write_records(piece)).map_err(|fault| fault.at(self.line))?;
        Ok((PyBytes::new(py, &text), used))
    }
}
