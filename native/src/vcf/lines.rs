//! A piece of the body, line by line: each is looked at, then read.

#[cfg(target_arch = "x86_64")]
use super::close_up::{close_up_512, places, places_512};
#[cfg(target_arch = "x86_64")]
use super::eyes::{undrawn, By};
use super::eyes::{Eyes, PORTABLE};
use super::fault::{Fate, Fault};
use super::index::Index;
use super::line::Line;
#[cfg(target_arch = "x86_64")]
use super::look::{look_256, look_512, LOOK};
use super::numbers::{digits_end, whole};
use super::rows::Rows;
use super::VcfParser;
use crate::cpu;

/// A fault comes with its line.
pub type Done = Result<(), (Fault, u64)>;

/// A line without the carriage return that some systems end it with.
#[inline(always)]
fn without_return(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// What a line is read by whose outline is not known, from the text at whose front it stands and where it ends.
trait Closely: Fn(&mut VcfParser, (&[u8], usize), &mut Index, &mut Rows) -> Result<(), Fault> {}

impl<F: Fn(&mut VcfParser, (&[u8], usize), &mut Index, &mut Rows) -> Result<(), Fault>> Closely for F {}

/// The eyes of a function that is compiled for these instructions.
#[cfg(target_arch = "x86_64")]
macro_rules! eyes_512 {
    () => {
        By::<_, _, _, _, _, true>(
            |bytes: &[u8; LOOK]| look_512(bytes),
            |bytes: &[u8; LOOK]| look_512(bytes),
            |bytes: &[u8; LOOK]| look_512(bytes),
            |word, start, out: &mut [u16; LOOK]| places_512(word, start, out),
            |bytes: &[u8; LOOK], zeros, kept, out: &mut [u8; LOOK]| close_up_512(bytes, zeros, kept, out),
        )
    };
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,popcnt,bmi1,bmi2")]
fn with_512(parser: &mut VcfParser, lines: &[u8], rows: &mut Rows) -> Done {
    parser.parse_each(lines, rows, &eyes_512!(), |parser, looked, index, rows| {
        closely_512(parser, looked, index, rows)
    })
}

/// A function of its own, though called in one place: beside all that is in here, the compiler has no registers left for
/// the few steps that most lines take.
#[cfg(target_arch = "x86_64")]
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2,avx2,popcnt,bmi1,bmi2")]
fn closely_512(
    parser: &mut VcfParser,
    looked: (&[u8], usize),
    index: &mut Index,
    rows: &mut Rows,
) -> Result<(), Fault> {
    parser.parse_closely(looked, index, rows, &eyes_512!())
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,popcnt,bmi1,bmi2")]
pub(super) fn with_256(parser: &mut VcfParser, lines: &[u8], rows: &mut Rows) -> Done {
    let ends = |bytes: &[u8; LOOK]| look_256(bytes);
    let inks = |bytes: &[u8; LOOK]| look_256(bytes);
    let masks = |bytes: &[u8; LOOK]| look_256(bytes);
    parser.parse_lines_by(lines, rows, &By::<_, _, _, _, _, false>(ends, inks, masks, places, undrawn))
}

impl VcfParser {
    pub(super) fn parse_piece(&mut self, begun: &[u8], lines: &[u8], rows: &mut Rows) -> Done {
        self.piece_bytes = begun.len() + lines.len();
        rows.check_room(self.piece_bytes).map_err(|fault| (fault, self.ledger.line))?;
        let first =
            if begun.is_empty() { 0 } else { memchr::memchr(b'\n', lines).map_or(lines.len(), |at| at + 1) };
        self.parse_lines(&[begun, &lines[..first]].concat(), rows)?;
        self.parse_lines(&lines[first..], rows)
    }

    /// Parse lines with the widest instructions that this processor has.
    pub(super) fn parse_lines(&mut self, lines: &[u8], rows: &mut Rows) -> Done {
        #[cfg(target_arch = "x86_64")]
        if cpu::has_avx512() {
            // SAFETY: these instructions were just found.
            return unsafe { with_512(self, lines, rows) };
        } else if cpu::has_avx2() {
            // SAFETY: these instructions were just found.
            return unsafe { with_256(self, lines, rows) };
        }
        self.parse_lines_by(lines, rows, &PORTABLE)
    }

    /// Parse the line at the front of a text, which was looked at and ends at `end`.
    #[inline(always)]
    fn parse_line<E: Eyes>(
        &mut self,
        (text, end): (&[u8], usize),
        index: &mut Index,
        rows: &mut Rows,
        closely: &impl Closely,
    ) -> Result<(), Fault> {
        let samples = self.rules.samples.len();
        if E::DRAW && samples == 1 {
            let line = without_return(&text[..end]);
            // Once more below for the few that are read there: to hand columns on takes longer.
            if let Some(columns) = index.columns(line, samples) {
                if self.parse_outlined(Line { text: line, index }, &columns, rows)? {
                    return Ok(());
                }
            }
        }
        closely(self, (text, end), index, rows)
    }

    /// As `parse_line`, of a line whose outline is not known.
    #[inline(always)]
    fn parse_closely(
        &mut self,
        (text, end): (&[u8], usize),
        index: &mut Index,
        rows: &mut Rows,
        eyes: &impl Eyes,
    ) -> Result<(), Fault> {
        index.look_closer(text, eyes);
        self.parse_record(Line { text: without_return(&text[..end]), index }, rows)
    }

    /// Have the reference genome brought near where the next line likely stands, while this one is read.
    #[inline(always)]
    fn ask_for_next(&self, next: &[u8]) {
        let Some(genome) = self.reference.as_ref() else { return };
        let name = &self.chromosome.name;
        if name.stands_at(next, 0) {
            let start = name.text.len() + 1;
            if let Some(pos) = whole(next, start..digits_end(next, start)) {
                genome.ask_for(pos);
            }
        }
    }

    #[inline(always)]
    pub(super) fn parse_lines_by(&mut self, lines: &[u8], rows: &mut Rows, eyes: &impl Eyes) -> Done {
        self.parse_each(lines, rows, eyes, |parser, looked, index, rows| {
            parser.parse_closely(looked, index, rows, eyes)
        })
    }

    #[inline(always)]
    fn parse_each<E: Eyes>(
        &mut self,
        lines: &[u8],
        rows: &mut Rows,
        eyes: &E,
        closely: impl Closely,
    ) -> Done {
        let mut index = Index::of(self.rules.samples.len());
        let lines = Some(lines).filter(|lines| !lines.is_empty());
        let mut rest = lines.map(|lines| lines.strip_suffix(b"\n").unwrap_or(lines));
        while let Some(text) = rest {
            let end = index.look_at(text, eyes);
            rest = text.get(end + 1..);
            self.ledger.line += 1;
            self.ask_for_next(rest.unwrap_or_default());
            self.parse_line::<E>((text, end), &mut index, rows, &closely)
                .or_else(|fault| self.ledger.overlook(fault, Fate::LeftOut))
                .map_err(|fault| (fault, self.ledger.line))?;
        }
        Ok(())
    }
}
