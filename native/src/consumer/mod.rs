//! The body of a consumer test's raw data: lines in, columns out, or the line, the column and the rule broken.
//!
//! Which column is which, Python has read off the heading; here every line is held against that.
//!
//! SECURITY: every byte here may come from an attacker. Numbers have a longest form, fields are walked by
//! iterators, and nothing indexes by a value from the file.

pub mod matching;

use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cut::Fields;
use crate::variant_key::chromosome_code;
use crate::vcf::fault::{quoted, Fate, Fault, Ledger};

const LONGEST_LINE: usize = 1 << 16;
/// About as short as lines are.
const SHORT_LINE: usize = 16;
const MOST_MARKERS: usize = 20_000_000;
/// One past the highest position, as `VariantKey` has it.
const POSITIONS: u32 = 1 << 28;
/// Of a marker that the vendor could not place.
const UNPLACED: u8 = 0;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Other,
    Chromosome,
    Position,
    Genotype,
    First,
    Second,
    Strand,
    Sample,
}

impl Role {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" => Self::Other,
            "chromosome" => Self::Chromosome,
            "position" => Self::Position,
            "genotype" => Self::Genotype,
            "allele 1" => Self::First,
            "allele 2" => Self::Second,
            "strand" => Self::Strand,
            "sample" => Self::Sample,
            _ => return None,
        })
    }
}

/// One line: a letter is A, C, G, T, I, D or `-`; the second is 0 where there is one copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marker {
    chromosome: u8,
    pos: u32,
    letters: [u8; 2],
}

struct Markers {
    chromosome: Vec<u8>,
    pos: Vec<i32>,
    first: Vec<u8>,
    second: Vec<u8>,
}

impl Markers {
    fn with_room(lines: usize) -> Self {
        let letters = || Vec::with_capacity(lines);
        Self { chromosome: letters(), pos: Vec::with_capacity(lines), first: letters(), second: letters() }
    }
}

type MarkerColumns = (Py<PyArray1<u8>>, Py<PyArray1<i32>>, Py<PyArray1<u8>>, Py<PyArray1<u8>>);
/// A rule's code, how many lines break it; of the first its number, the column and a sentence.
type LeftOut = (&'static str, u64, u64, String, String);

/// Reads the body of one consumer file, piece by piece.
#[pyclass]
pub struct MarkerParser {
    roles: Vec<Role>,
    /// A tab, a comma, or a blank for any run of tabs and blanks.
    separator: u8,
    heading: Vec<u8>,
    sample: Option<Vec<u8>>,
    ledger: Ledger,
    /// Lines that are a marker's, those left out among them.
    markers: usize,
}

#[pymethods]
impl MarkerParser {
    /// Rules whose breach leaves one line in doubt and no other: a lenient reading leaves that line out.
    #[classattr]
    const OF_ONE_LINE: [&'static str; 5] = ["chromosome", "columns", "genotype", "position", "strand"];

    /// Args: what each column holds; what stands between them; the line that names them, which some vendors
    /// repeat; how many lines were read before the body; whether lines that break a rule are left out and counted.
    #[new]
    fn new(roles: Vec<String>, separator: u8, heading: Vec<u8>, lines: u64, lenient: bool) -> PyResult<Self> {
        let roles: Option<Vec<Role>> = roles.iter().map(|role| Role::parse(role)).collect();
        let roles = roles.ok_or_else(|| PyValueError::new_err("a column holds nothing that is known"))?;
        let ledger = Ledger { lenient, line: lines, ..Ledger::default() };
        Ok(Self { roles, separator, heading, sample: None, ledger, markers: 0 })
    }

    /// Parse whole lines; only the last may lack its newline.
    fn parse(&mut self, py: Python<'_>, piece: &[u8]) -> PyResult<MarkerColumns> {
        let found = py.detach(|| self.parse_lines(piece)).map_err(|fault| fault.at(self.ledger.line))?;
        Ok((
            found.chromosome.into_pyarray(py).unbind(),
            found.pos.into_pyarray(py).unbind(),
            found.first.into_pyarray(py).unbind(),
            found.second.into_pyarray(py).unbind(),
        ))
    }

    /// What a lenient reading left out so far.
    #[getter]
    fn left_out(&self) -> Vec<LeftOut> {
        let tallies = self.ledger.tallies.iter();
        tallies
            .map(|((code, _), tally)| {
                (*code, tally.count, tally.line, tally.field.clone(), tally.sentence.clone())
            })
            .collect()
    }
}

impl MarkerParser {
    fn parse_lines(&mut self, piece: &[u8]) -> Result<Markers, Fault> {
        let mut found = Markers::with_room(piece.len() / SHORT_LINE);
        let mut rest = piece;
        while !rest.is_empty() {
            let end = memchr::memchr(b'\n', rest);
            let line = end.map_or(rest, |end| &rest[..end]);
            rest = end.map_or(&[][..], |end| &rest[end + 1..]);
            self.ledger.line += 1;
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.len() > LONGEST_LINE {
                return Err(Fault::new("line-too-long", "", format!("longer than {LONGEST_LINE} bytes")));
            }
            if line.is_empty() || line[0] == b'#' || line == self.heading {
                continue;
            }
            self.markers += 1;
            if self.markers > MOST_MARKERS {
                return Err(Fault::new("too-large", "", format!("more than {MOST_MARKERS} markers")));
            }
            let marker = match self.parse_line(line) {
                Ok(marker) => marker,
                Err(fault) if Self::OF_ONE_LINE.contains(&fault.code) => {
                    self.ledger.overlook(fault, Fate::LeftOut)?;
                    continue;
                }
                Err(fault) => return Err(fault),
            };
            found.chromosome.push(marker.chromosome);
            found.pos.push(i32::try_from(marker.pos).unwrap_or(0));
            found.first.push(marker.letters[0]);
            found.second.push(marker.letters[1]);
        }
        Ok(found)
    }

    #[inline]
    fn parse_line(&mut self, line: &[u8]) -> Result<Marker, Fault> {
        match self.separator {
            b' ' => {
                let runs = line.split(|byte| matches!(byte, b'\t' | b' '));
                self.parse_fields(runs.filter(|field| !field.is_empty()))
            }
            separator => self.parse_fields(Fields::new(line, separator)),
        }
    }

    #[inline]
    fn parse_fields<'a>(&mut self, fields: impl Iterator<Item = &'a [u8]>) -> Result<Marker, Fault> {
        let mut marker = Marker::default();
        let mut count = 0;
        let mut minus = false;
        let (mut pos, mut sample) = (None, None);
        for field in fields {
            let role = self.roles.get(count).copied().unwrap_or(Role::Other);
            count += 1;
            if role == Role::Other {
                continue;
            }
            let field = bare(field);
            match role {
                Role::Chromosome => marker.chromosome = chromosome(field)?,
                Role::Position => pos = Some(field),
                Role::Genotype => marker.letters = genotype(field)?,
                Role::First => marker.letters[0] = allele(field, "allele 1")?,
                Role::Second => marker.letters[1] = allele(field, "allele 2")?,
                Role::Strand => minus = strand(field)?,
                Role::Sample => sample = Some(field),
                Role::Other => {}
            }
        }
        if count != self.roles.len() {
            let sentence = format!("{count} columns where {} belong", self.roles.len());
            return Err(Fault::new("columns", "", sentence));
        }
        marker.pos = position(pos.unwrap_or_default(), marker.chromosome == UNPLACED)?;
        // Only now is it known that the column is the person's.
        sample.map_or(Ok(()), |name| self.same_sample(name))?;
        if minus {
            marker.letters = marker.letters.map(complement);
        }
        Ok(marker)
    }

    fn same_sample(&mut self, field: &[u8]) -> Result<(), Fault> {
        if *self.sample.get_or_insert_with(|| field.to_vec()) == field {
            return Ok(());
        }
        let sentence = format!("{} is another person than in the lines before", quoted(field));
        Err(Fault::new("several-people", "sample", sentence))
    }
}

/// A field without the quotes and blanks around it; some exports quote a line twice.
#[inline]
fn bare(field: &[u8]) -> &[u8] {
    match (field.first(), field.last()) {
        (Some(b'"' | b' '), _) | (_, Some(b'"' | b' ')) => {
            let around = |byte: &&u8| !matches!(**byte, b'"' | b' ');
            let start = field.iter().position(|byte| around(&byte)).unwrap_or(field.len());
            let end = field.iter().rposition(|byte| around(&byte)).map_or(start, |last| last + 1);
            &field[start..end]
        }
        _ => field,
    }
}

/// By name, or numbered 23 to 26 as X, Y, the pseudo-autosomal part of X, MT; `0` and `--` have no place.
#[inline]
fn chromosome(field: &[u8]) -> Result<u8, Fault> {
    match field {
        b"0" | b"--" => Ok(UNPLACED),
        b"23" | b"25" | b"XY" | b"PAR" => Ok(23),
        b"24" => Ok(24),
        b"26" => Ok(25),
        name => match chromosome_code(name) {
            0 => {
                let sentence = format!("{} is none of 1 to 22, X, Y, MT", quoted(name));
                Err(Fault::new("chromosome", "chromosome", sentence))
            }
            code => Ok(code),
        },
    }
}

#[inline]
fn position(field: &[u8], unplaced: bool) -> Result<u32, Fault> {
    if unplaced && field == b"--" {
        return Ok(0);
    }
    let valid = (1..=9).contains(&field.len()) && field.iter().all(u8::is_ascii_digit);
    let value = field.iter().take(9).fold(0u32, |value, digit| value * 10 + u32::from(digit & 0x0f));
    if valid && value < POSITIONS && (value > 0 || unplaced) {
        return Ok(value);
    }
    let sentence = format!("{} is no position from 1 to {}", quoted(field), POSITIONS - 1);
    Err(Fault::new("position", "position", sentence))
}

/// One or two letters, or two alleles with a bar or a slash between them.
#[inline]
fn genotype(field: &[u8]) -> Result<[u8; 2], Fault> {
    let letters = match field {
        [one] => letter(*one).map(|one| [one, 0]),
        [one, two] => letter(*one).zip(letter(*two)).map(|(one, two)| [one, two]),
        _ => field.iter().position(|byte| matches!(byte, b'/' | b'|')).and_then(|bar| {
            let (one, two) = (spelt(&field[..bar])?, spelt(&field[bar + 1..])?);
            Some([one, two])
        }),
    };
    letters.ok_or_else(|| {
        let sentence = format!("{} is not one or two of A, C, G, T, I, D, -", quoted(field));
        Fault::new("genotype", "genotype", sentence)
    })
}

fn allele(field: &[u8], column: &'static str) -> Result<u8, Fault> {
    spelt(field).ok_or_else(|| {
        let sentence = format!("{} is none of A, C, G, T, I, D, -, 0", quoted(field));
        Fault::new("genotype", column, sentence)
    })
}

/// The letter of one allele; what is longer than a base is an insertion.
fn spelt(field: &[u8]) -> Option<u8> {
    match field {
        [] => None,
        [one] => letter(*one),
        b"--" => Some(b'-'),
        bases => bases.iter().all(|base| matches!(base, b'A' | b'C' | b'G' | b'T')).then_some(b'I'),
    }
}

#[inline]
fn letter(byte: u8) -> Option<u8> {
    match byte {
        b'A' | b'C' | b'G' | b'T' | b'I' | b'D' | b'-' => Some(byte),
        b'0' | b'.' => Some(b'-'),
        _ => None,
    }
}

fn strand(field: &[u8]) -> Result<bool, Fault> {
    match field {
        b"+" => Ok(false),
        b"-" => Ok(true),
        _ => Err(Fault::new("strand", "strand", format!("{} is neither + nor -", quoted(field)))),
    }
}

fn complement(letter: u8) -> u8 {
    match letter {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parser(roles: &[&str], separator: u8) -> MarkerParser {
        let roles = roles.iter().map(ToString::to_string).collect();
        MarkerParser::new(roles, separator, b"heading".to_vec(), 1, false).unwrap()
    }

    #[test]
    fn letters_of_the_minus_strand_are_turned() {
        let mut parser = parser(&["", "chromosome", "position", "strand", "genotype"], b',');
        let marker = parser.parse_line(b"rs1,23,7,-,AG").unwrap();
        assert_eq!(marker, Marker { chromosome: 23, pos: 7, letters: *b"TC" });
    }

    #[test]
    fn quotes_and_blanks_around_a_field_are_not_part_of_it() {
        let mut parser = parser(&["", "chromosome", "position", "genotype"], b',');
        let marker = parser.parse_line(b"\"rs1\"\",\"\"1\"\",\"\"101\"\",\"\"A\"").unwrap();
        assert_eq!(marker, Marker { chromosome: 1, pos: 101, letters: [b'A', 0] });
    }

    #[test]
    fn a_second_person_is_refused_where_the_person_changes() {
        let mut parser = parser(&["sample", "chromosome", "position", "genotype"], b'\t');
        assert!(parser.parse_lines(b"heading\na\t1\t5\tAA\nb\t1\t6\tAA\n").is_err());
        assert_eq!(parser.ledger.line, 4);
    }

    #[test]
    fn a_lenient_reading_counts_lines_that_break_a_rule_and_still_refuses_a_second_person() {
        let mut parser = parser(&["sample", "chromosome", "position", "genotype"], b'\t');
        parser.ledger.lenient = true;
        let found = parser
            .parse_lines(b"heading\n1\t5\tAA\na\t1\t5\tAA\na\tQ\t6\tAA\na\t1\t7\tAZ\na\tQ\t8\tAA")
            .unwrap();
        assert_eq!((found.pos, parser.markers), (vec![5], 5));
        let told: Vec<_> =
            parser.left_out().into_iter().map(|(code, count, line, ..)| (code, count, line)).collect();
        assert_eq!(told, [("chromosome", 2, 5), ("columns", 1, 3), ("genotype", 1, 6)]);
        assert!(parser.parse_lines(b"b\t1\t9\tAA").is_err());
    }
}
