//! The reference genome as the file's records walk along it: a window of a FASTA file's lines at a time, which may be all
//! of a contig's.
//!
//! SECURITY: the FASTA file and its index are a stranger's as well: a place that its lines do not have is a fault.

use pyo3::prelude::*;

use super::fault::{quoted, Fault};
use crate::held::Held;

/// Some lines of a sequence, as they stand in the file.
struct Window {
    /// The 0-based place of its first base.
    first: u64,
    text: Held,
}

/// Where a base stands: in which window, where in its text, and how many bases its line has to the left of it.
#[derive(Default, Clone, Copy)]
struct Spot {
    window: usize,
    at: usize,
    left: u64,
}

/// One sequence of the FASTA file.
struct Sequence {
    bases: u64,
    bases_per_line: u64,
    bytes_per_line: u64,
    lines_per_window: u64,
    bases_per_window: u64,
    /// The window that was used last, and the one before it: left-aligning may step back over a border.
    windows: [Option<Window>; 2],
}

/// Python's source of sequences, and where we are in it.
pub struct Reference {
    source: Py<PyAny>,
    contig: Vec<u8>,
    sequence: Option<Sequence>,
    /// What the source raised, if it did; it matters more than the fault that follows.
    pub failure: Option<PyErr>,
}

/// The base that VCF (4.3, section 1.6.1) writes for a letter of the reference, which may be an IUPAC code: the
/// first in the alphabet that it stands for.
fn plain(letter: u8) -> u8 {
    match letter {
        b'A' | b'C' | b'G' | b'T' => letter,
        b'M' | b'R' | b'W' | b'D' | b'H' | b'V' => b'A',
        b'S' | b'Y' | b'B' => b'C',
        b'K' => b'G',
        b'U' => b'T',
        _ => b'N',
    }
}

/// A walk along the bases before a position, backwards.
pub struct Before<'a> {
    genome: &'a mut Reference,
    /// The 1-based position of the last base, and where that stands.
    pos: u32,
    spot: Spot,
}

impl Before<'_> {
    /// The next base to the left.
    #[inline(always)]
    pub fn step(&mut self) -> Result<u8, Fault> {
        self.pos = self.pos.saturating_sub(1);
        if self.spot.left > 0 {
            (self.spot.left, self.spot.at) = (self.spot.left - 1, self.spot.at - 1);
            let sequence = self.genome.sequence.as_ref();
            if let Some(base @ (b'A' | b'C' | b'G' | b'T' | b'N')) =
                sequence.and_then(|sequence| sequence.letter_at(&self.spot))
            {
                return Ok(base);
            }
        }
        // The line before it, or a letter that takes a closer look.
        let base = self.genome.base(self.pos)?;
        let sequence = self.genome.sequence.as_ref();
        self.spot = sequence.and_then(|sequence| sequence.find(u64::from(self.pos) - 1)).unwrap_or_default();
        Ok(base)
    }
}

fn fault(sentence: impl Into<String>) -> Fault {
    Fault::new("vcf.reference", "REF", sentence)
}

impl Sequence {
    /// Where a 0-based place stands, if its window is at hand.
    #[inline(always)]
    fn find(&self, place: u64) -> Option<Spot> {
        let holds = |window: &Window| place.wrapping_sub(window.first) < self.bases_per_window;
        let number = self.windows.iter().position(|window| window.as_ref().is_some_and(holds))?;
        let into = place - self.windows[number].as_ref()?.first;
        let (line, left) = (into / self.bases_per_line, into % self.bases_per_line);
        let at = usize::try_from(line * self.bytes_per_line + left).ok()?;
        Some(Spot { window: number, at, left })
    }

    /// The letter at a spot, upper case, if its window has so many.
    #[inline(always)]
    fn letter_at(&self, spot: &Spot) -> Option<u8> {
        let window = self.windows[spot.window].as_ref()?;
        window.text.get(spot.at).map(|letter| letter.to_ascii_uppercase())
    }

    /// Whether bases certainly are those from a 0-based place on: all on one line at hand, and none an IUPAC code.
    #[inline(always)]
    fn goes_on(&self, place: u64, bases: &[u8]) -> bool {
        let Some(spot) = self.find(place) else { return false };
        let length = bases.len() as u64;
        let on_line = spot.left + length <= self.bases_per_line && place + length <= self.bases;
        let is = |(at, base): (usize, &u8)| {
            let letter = self.letter_at(&Spot { at, ..spot });
            matches!(letter, Some(b'A' | b'C' | b'G' | b'T' | b'N'))
                && letter == Some(base.to_ascii_uppercase())
        };
        on_line && (spot.at..).zip(bases).all(is)
    }

    /// The letter at a 0-based place, upper case, if its window is at hand.
    #[inline(always)]
    fn held(&self, place: u64) -> Option<u8> {
        self.find(place).and_then(|spot| self.letter_at(&spot))
    }
}

impl Reference {
    pub fn new(source: Py<PyAny>) -> Self {
        Self { source, contig: Vec::new(), sequence: None, failure: None }
    }

    /// Step to a contig; false says that the reference has none of this name.
    pub fn step(&mut self, contig: &[u8]) -> Result<bool, Fault> {
        if contig != self.contig {
            self.contig = contig.to_vec();
            self.sequence = None;
            let layout = Python::attach(|py| {
                let name = String::from_utf8_lossy(contig);
                let source = self.source.bind(py);
                let layout = source.call_method1("layout", (name,))?.extract::<Option<(u64, u64, u64)>>()?;
                Ok((layout, source.getattr("window_bytes")?.extract::<u64>()?))
            });
            let (layout, window_bytes) = self.unless_failed(layout)?;
            self.sequence = layout.map(|(bases, bases_per_line, bytes_per_line)| {
                let (bases_per_line, bytes_per_line) = (bases_per_line.max(1), bytes_per_line.max(1));
                let lines_per_window = (window_bytes / bytes_per_line).max(1);
                let bases_per_window = bases_per_line.saturating_mul(lines_per_window);
                let windows = [None, None];
                Sequence {
                    bases,
                    bases_per_line,
                    bytes_per_line,
                    lines_per_window,
                    bases_per_window,
                    windows,
                }
            });
        }
        Ok(self.sequence.is_some())
    }

    /// Have the base at the 1-based `pos` brought near while the line is checked.
    #[inline(always)]
    pub fn ask_for(&self, pos: u32) {
        let Some(sequence) = &self.sequence else { return };
        if let Some(spot) = sequence.find(u64::from(pos).wrapping_sub(1)) {
            if let Some(window) = &sequence.windows[spot.window] {
                window.text.ask_for(spot.at);
            }
        }
    }

    /// REF must be what the reference has at the 1-based `pos`.
    pub fn check(&mut self, pos: u32, reference: &[u8]) -> Result<(), Fault> {
        if self.has(pos, reference)? {
            return Ok(());
        }
        Err(self.mismatch(pos, reference))
    }

    /// Whether the reference has these bases at the 1-based `pos`.
    #[inline]
    pub fn has(&mut self, pos: u32, reference: &[u8]) -> Result<bool, Fault> {
        let place = u64::from(pos).wrapping_sub(1);
        if self.sequence.as_ref().is_some_and(|sequence| sequence.goes_on(place, reference)) {
            return Ok(true);
        }
        for (place, base) in (u64::from(pos)..).zip(reference) {
            let letter = place.checked_sub(1).map(|place| self.letter(place)).transpose()?.flatten();
            let base = base.to_ascii_uppercase();
            let fits = |letter: u8| match letter {
                b'A' | b'C' | b'G' | b'T' => letter == base,
                // Before VCF 4.3, an IUPAC code was written as N.
                _ => base == b'N' || plain(letter) == base,
            };
            if !letter.is_some_and(fits) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether all of REF lies on the contig.
    pub fn spans(&self, pos: u32, length: usize) -> bool {
        let end = u64::from(pos) + length as u64 - 1;
        pos > 0 && self.sequence.as_ref().is_some_and(|sequence| end <= sequence.bases)
    }

    /// The base at a 1-based position that is on the contig.
    pub fn base(&mut self, pos: u32) -> Result<u8, Fault> {
        self.base_if_any(pos)?.ok_or_else(|| fault(format!("{pos} is behind the end of its contig")))
    }

    /// The bases before a 1-based position that is on the contig: REF was held against it.
    pub fn before(&mut self, pos: u32) -> Before<'_> {
        let spot = self.sequence.as_ref().and_then(|sequence| sequence.find(u64::from(pos).wrapping_sub(1)));
        Before { spot: spot.unwrap_or_default(), genome: self, pos }
    }

    /// The base at a 1-based position; `None` off the contig.
    pub fn base_if_any(&mut self, pos: u32) -> Result<Option<u8>, Fault> {
        let letter = u64::from(pos).checked_sub(1).map(|place| self.letter(place)).transpose()?;
        Ok(letter.flatten().map(plain))
    }

    fn mismatch(&mut self, pos: u32, reference: &[u8]) -> Fault {
        const SHOWN: usize = 41;
        let places = (u64::from(pos)..).take(reference.len().min(SHOWN));
        let found: Vec<u8> =
            places.filter_map(|place| self.letter(place.checked_sub(1)?).ok().flatten()).collect();
        let there = if found.is_empty() { "nothing".to_owned() } else { quoted(&found) };
        fault(format!("{} at {pos}, where the reference has {there}", quoted(reference)))
    }

    /// The letter at a 0-based place, upper case; `None` behind the contig's end.
    #[inline(always)]
    fn letter(&mut self, place: u64) -> Result<Option<u8>, Fault> {
        let Some(sequence) = self.sequence.as_ref().filter(|sequence| place < sequence.bases) else {
            return Ok(None);
        };
        let letter = match sequence.held(place) {
            Some(letter) => letter,
            None => self.fetch(place)?,
        };
        if letter.is_ascii_uppercase() {
            return Ok(Some(letter));
        }
        Err(fault("the FASTA file does not have the lines that its index says: index it again"))
    }

    #[cold]
    fn fetch(&mut self, place: u64) -> Result<u8, Fault> {
        let Some(sequence) = &self.sequence else { return Ok(b'\n') };
        let number = place / sequence.bases_per_window;
        let (lines, first) = (sequence.lines_per_window, number * sequence.bases_per_window);
        let text = Python::attach(|py| {
            let name = String::from_utf8_lossy(&self.contig);
            let text = self.source.bind(py).call_method1("lines", (name, number * lines, lines))?;
            Held::of(&text)
        });
        let text = self.unless_failed(text)?;
        let Some(sequence) = &mut self.sequence else { return Ok(b'\n') };
        sequence.windows.swap(0, 1);
        sequence.windows[0] = Some(Window { first, text });
        // What the lines do not have is no letter.
        Ok(sequence.held(place).unwrap_or(b'\n'))
    }

    fn unless_failed<T>(&mut self, result: PyResult<T>) -> Result<T, Fault> {
        result.map_err(|error| {
            self.failure = Some(error);
            fault("the reference cannot be read")
        })
    }
}
