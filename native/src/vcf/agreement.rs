//! The law of the index: a line that was looked at is read as one that was not, where every check is the slow one.

use std::collections::HashMap;

use super::eyes::{DRAWING, PORTABLE};
use super::fault::Fault;
use super::index::Index;
use super::line::Line;
#[cfg(target_arch = "x86_64")]
use super::lines::with_256;
use super::rows::Rows;
use super::VcfParser;

const INFO: [(&str, &str, &str, bool); 10] = [
    ("AC", "A", "Integer", true),
    ("AF", "A", "Float", false),
    ("AN", "1", "Integer", true),
    ("DB", "0", "Flag", false),
    ("END", "1", "Integer", false),
    ("MQRankSumOfReads", "1", "Float", false),
    ("NOTE", "1", "String", false),
    ("ANY", ".", "Float", false),
    ("ONE", "1", "Character", false),
    ("CIGAR", "A", "Cigar", false),
];
const FORMAT: [(&str, &str, &str, bool); 10] = [
    ("GT", "1", "String", false),
    ("AD", "R", "Integer", true),
    ("DP", "1", "Integer", true),
    ("GQ", "1", "Integer", true),
    ("PL", "G", "Integer", true),
    ("FT", "1", "String", false),
    ("PGT", "1", "String", false),
    ("GP", "G", "Probability", true),
    ("1X", "1", "Integer", false),
    ("2X", "R", "Integer", false),
];
const LINES: [&str; 19] = [
    "chr1\t1\trs1\tA\tC\t50.25\tPASS\tAC=1;AF=0.500;AN=2;DB\tGT:AD:DP:GQ:PL\t0/1:3,4:7:99:120,0,90",
    "chr1\t2\t.\tA\tC\t50\tPASS\tAC=1;AF=0.500;AN=2;MQRankSumOfReads=-1.25\tGT:AD:DP:GQ:PL\t0/1:3,4:7:99:120,0,90",
    "chr1\t3\trs1;rs2\tA\tC,G\t.\tlow\tAC=1,1;AF=0.5,1e-3;AN=2\tGT:AD:DP:GQ:PL\t1/2:0,3,4:7:9:9,8,7,6,0,5",
    "chr1\t4\t.\tACAC\tA\t1e3\tPASS;low\tAC=2;AF=1.;AN=2;NOTE=some,text\tGT:DP\t1|1:7",
    "chr1\t5\t.\tA\t<NON_REF>\t.\t.\tEND=40\tGT:DP:GQ\t0/0:30:60",
    "chr1\t41\t.\tA\tT,<NON_REF>\t3.5\t.\tAC=1,0;AF=.;AN=2;ANY=.5,-2,nan\tGT:DP:GQ\t0/1:.:6",
    "chr1\t42\t.\tA\tT\t3\tPASS\t.\tGT\t./.",
    "chr1\t43\t.\tA\tT\t3\tPASS\tDB;AC=0\tGT:PGT:FT\t0|1:0|1:PASS",
    "chr1\t44\t.\tA\t*,G\t3\tPASS\tOWN=1;AC=0,1\tGT:AD\t2:3,4,5",
    "chr1\t45\t.\tG\tG]17:198982]\t6\tPASS\tNOTE=x;NOTE=y\tGT\t0/1",
    "chr1\t46\t.\tA\tC\t-1\tPASS\tAC=-1;AF=--1;AN=2147483648\tGT:GQ\t0/1:1.5",
    "chr1\t47\t.\tA\tC\t1..2\tPASS\tAF=1.2.3;AN=2\tGT\t0/1\t0/1",
    "chr1\t48\t.\tA\tC\t1\tPASS\tAC=1;AF=0.500;AN=2;DB=1\tGT:AD\t0/1:3,4:5",
    "chr1\t49\t.\tA\tC\t1\tPASS\tAC=1;AN;AF=0.1 2\tGT:DP\t0/1:-3",
    "chr1\t50\t\u{e9}\tA\tC\t1\tPASS\tAC=1;;AN=2\tGT:DP:GQ\t0/1:0000000000012:7",
    "chr1\t51\t.\tA\tC\t1\tPASS\tAC=1\tGT:GP:DP\t0/1:0,1,0.250:7",
    "chr1\t52\t.\tA\tC,c\t1\tPASS\tEND=51;AC=1,1\tGT:GP:FT\t0/1:-0,1.0,.5,nan,1,0:PASS;low",
    "chr1\t53\t.\tA\tC\t1\tPASS\tAC=1;END=53\tGT:DP\t0/1:7",
    "chr2\t1\t.\tN\tC\t0.000001\tPASS\t=1;AC\tGT",
];

pub(super) fn parser(minor: u8, lenient: bool, samples: usize) -> VcfParser {
    let raw = |table: &[(&str, &str, &str, bool)]| {
        let keys = table.iter();
        keys.map(|(key, number, kind, natural)| {
            ((*key).to_owned(), (*number).to_owned(), (*kind).to_owned(), *natural, true, *natural)
        })
        .collect()
    };
    let samples = (0..samples).map(|number| format!("S{number}")).collect();
    VcfParser::new(
        samples,
        raw(&INFO),
        raw(&FORMAT),
        HashMap::from([("chr1".to_owned(), Some(90))]),
        minor,
        0,
        lenient,
        None,
    )
}

/// As `parse_lines`, of one line that was not looked at.
pub(super) fn parse_blindly(
    parser: &mut VcfParser,
    text: &[u8],
    rows: &mut Rows,
) -> Result<(), (Fault, u64)> {
    let blind = Index::default();
    parser.ledger.line += 1;
    parser
        .parse_record(Line { text, index: &blind }, rows)
        .or_else(|fault| parser.ledger.overlook(fault, super::Fate::LeftOut))
        .map_err(|fault| (fault, parser.ledger.line))
}

/// Numbers of a generator that is the same on every machine (Vigna, xorshift64*).
pub(super) struct Chooser(pub u64);

impl Chooser {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }
}

/// A line of above; mostly with some bytes that are other ones, gone, or twice there.
fn mutated(chooser: &mut Chooser) -> Vec<u8> {
    const BYTES: &[u8] = b"0123456789.,-;:=\t|/ACGTN<>* \x00\x7f\xffeEPx\r";
    let mut line = LINES[chooser.below(LINES.len())].as_bytes().to_vec();
    if chooser.below(20) == 0 {
        // Beyond what is looked at.
        let at = line.iter().rposition(|byte| *byte == b';').unwrap_or(0);
        let long = format!(";NOTE={}", "long".repeat(chooser.below(2000)));
        line.splice(at..at, long.into_bytes());
    }
    for _ in 0..chooser.below(4) {
        let (at, byte) = (chooser.below(line.len()), BYTES[chooser.below(BYTES.len())]);
        match chooser.below(4) {
            0 => line.insert(at, byte),
            1 => drop(line.remove(at)),
            2 => line.insert(at, line[at]),
            _ => line[at] = byte,
        }
    }
    line
}

#[test]
fn lines_that_were_looked_at_are_read_like_those_that_were_not() {
    let mut chooser = Chooser(1);
    let (mut kept, mut refused) = (0, 0);
    for round in 0..60u8 {
        let (minor, lenient, samples) = (1 + round % 5, round % 2 == 1, usize::from(round % 7 != 0));
        let (mut quick, mut slow) = (parser(minor, lenient, samples), parser(minor, lenient, samples));
        let (mut quick_rows, mut slow_rows) = (Rows::default(), Rows::default());
        for number in 1..400u32 {
            let mut line = mutated(&mut chooser);
            if chooser.below(4) > 0 {
                // Ascending, so that most lines get as far as their rows.
                let rest = line.iter().skip_while(|byte| **byte != b'\t').skip(1);
                let rest: Vec<u8> = rest.skip_while(|byte| **byte != b'\t').copied().collect();
                line = [format!("chr1\t{}", 1000 * number).as_bytes(), &rest].concat();
            }
            let text = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let quickly = quick.parse_lines(text, &mut quick_rows);
            let slowly = if text.is_empty() {
                Ok(())
            } else {
                parse_blindly(&mut slow, text.strip_suffix(b"\r").unwrap_or(text), &mut slow_rows)
            };
            assert_eq!(quickly, slowly, "4.{minor}: {}", String::from_utf8_lossy(text));
            (kept, refused) = (kept + u32::from(quickly.is_ok()), refused + u32::from(quickly.is_err()));
        }
        assert_eq!(quick_rows, slow_rows);
        assert_eq!(format!("{:?}", quick.ledger), format!("{:?}", slow.ledger));
    }
    assert!(kept > 5000 && refused > 5000, "{kept} lines kept, {refused} refused");
}

#[test]
fn lines_that_go_the_short_way_are_read_like_those_that_do_not() {
    const ALLELES: [(&str, &str); 8] = [
        ("A", "C"),
        ("G", "T"),
        ("a", "g"),
        ("N", "A"),
        ("A", "AC"),
        ("CAC", "C"),
        ("CTT", "CAT"),
        ("A", "C,G"),
    ];
    const SAMPLES: [&str; 6] = [
        "0/1:3,4:7:99:120,0,90",
        "1|1:0,9:9:5:99,9,0",
        "0/0:9,0:.:3:0,9,99",
        "./1:1,2:3:4:5,6,7",
        "1:3",
        ".",
    ];
    let mut chooser = Chooser(7);
    let (mut short, mut shortest, mut refused) = (0, 0, 0);
    for (minor, lenient) in (1..=5).flat_map(|minor| [(minor, true), (minor, false)]) {
        let (mut quick, mut slow) = (parser(minor, lenient, 1), parser(minor, lenient, 1));
        let (mut quick_rows, mut slow_rows) = (Rows::default(), Rows::default());
        let (mut pos, mut contig, mut index) = (1, 1, Index::default());
        for _ in 0..2000 {
            // Now and then a place again, or one that an earlier record reached already, or another contig.
            pos += chooser.below(6) as u32;
            if chooser.below(500) == 0 {
                (pos, contig) = (1, contig + 1);
            }
            let (reference, alternate) = ALLELES[chooser.below(ALLELES.len())];
            let filter = ["PASS", "PASS", "low", "odd"][chooser.below(4)];
            let counts = if alternate.len() == 3 && alternate.contains(',') { "1,1" } else { "1" };
            let info = [format!("AC={counts};AN=2;DB"), format!("AN=2;AC={counts}"), ".".to_owned()];
            let (info, sample) = (&info[chooser.below(3)], SAMPLES[chooser.below(SAMPLES.len())]);
            let line = format!(
                "chr{contig}\t{pos}\trs{pos}\t{reference}\t{alternate}\t7.5\t{filter}\t{info}\tGT:AD:DP:GQ:PL\t{sample}"
            );
            let text = line.as_bytes();
            index.look_at(text, &DRAWING);
            quick.ledger.line += 1;
            let columns = index.columns(text, 1).expect("all of it was looked at");
            let outlined = quick.parse_outlined(Line { text, index: &index }, &columns, &mut quick_rows);
            index.look_closer(text, &DRAWING);
            let looked = Line { text, index: &index };
            let quickly = outlined
                .and_then(|outlined| {
                    let usual = outlined || quick.parse_usual(looked, &columns, &mut quick_rows)?;
                    (short, shortest) = (short + u32::from(usual), shortest + u32::from(outlined));
                    if usual {
                        Ok(())
                    } else {
                        quick.parse_record(looked, &mut quick_rows)
                    }
                })
                .or_else(|fault| quick.ledger.overlook(fault, super::Fate::LeftOut))
                .map_err(|fault| (fault, quick.ledger.line));
            let slowly = parse_blindly(&mut slow, line.as_bytes(), &mut slow_rows);
            assert_eq!(quickly, slowly, "4.{minor}: {line}");
            refused += u32::from(quickly.is_err());
        }
        assert_eq!(quick_rows, slow_rows);
        assert_eq!(format!("{:?}", quick.ledger), format!("{:?}", slow.ledger));
        assert_eq!(quick.filters.names, slow.filters.names);
    }
    assert!(short > 5000 && refused > 100, "{short} lines went the short way, {refused} were refused");
    assert!(shortest > 2000 && short - shortest > 200, "{shortest} had an outline that was known");
}

#[test]
fn a_line_ends_wherever_the_looking_ends() {
    for end in (55..75).chain(4080..4110) {
        for (samples, behind) in [(0, ""), (1, "\tGT:DP\t0/1:3")] {
            let before = "chr1\t1\t.\tA\tC\t1\tPASS\tNOTE=";
            let note = "n".repeat(end - before.len() - ";AC=1;DB".len());
            let line = format!("{before}{note};AC=1;DB{behind}\n");
            let again = line.replacen("\t1\t", "\t2\t", 1);
            let mut rows = Rows::default();
            // The second time, INFO is laid out as before.
            assert_eq!(
                parser(2, false, samples).parse_lines(&[line, again].concat().into_bytes(), &mut rows),
                Ok(())
            );
            assert_eq!(rows.records, 2);
        }
    }
}

#[test]
fn every_way_to_look_reads_a_line_alike() {
    type Done = Result<(), (Fault, u64)>;
    type Way<'a> = &'a dyn Fn(&mut VcfParser, &[u8], &mut Rows) -> Done;
    for line in LINES {
        let read = |by: Way<'_>| {
            let mut rows = Rows::default();
            (by(&mut parser(2, true, 1), line.as_bytes(), &mut rows), rows)
        };
        let portable = read(&|parser, text, rows| parser.parse_lines_by(text, rows, &PORTABLE));
        // The widest that this processor has.
        assert_eq!(read(&|parser, text, rows| parser.parse_lines(text, rows)), portable, "{line}");
        #[cfg(target_arch = "x86_64")]
        if crate::cpu::has_avx2() {
            // SAFETY: the instructions were just found.
            let by_256: Way<'_> = &|parser, text, rows| unsafe { with_256(parser, text, rows) };
            assert_eq!(read(by_256), portable, "{line}");
        }
    }
}

#[test]
fn alleles_end_where_it_can_be_written_whichever_way_their_lines_go() {
    let line = |pos: usize, reference: &str, alternates: &str| {
        format!("chr1\t{pos}\t.\t{reference}\t{alternates}\t50\tPASS\t.\tGT\t0/1\n")
    };
    let long = "A".repeat(1000);
    let spelt = |number: usize| (0..5).map(|place| char::from(b"ACGT"[number >> (2 * place) & 3])).collect();
    let many: Vec<String> = (0..1000).map(spelt).collect();
    // Lines behind the one that takes nearly all room; and lines that take it together, piece by piece.
    let usual = |pos: usize| line(pos, &long, "C");
    let at_once = [line(1, &long, &many.join(",")), (2000..2060).map(usual).collect()].concat();
    let together = (1..2000).map(usual);
    for pieces in [vec![at_once], together.collect()] {
        let (mut parser, mut rows) = (parser(2, true, 1), Rows::default());
        let mut read = |piece: &String| parser.parse_piece(b"", piece.as_bytes(), &mut rows);
        let stopped = pieces.iter().find_map(|piece| read(piece).err());
        assert_eq!(stopped.map(|(fault, _)| fault.code), Some("vcf.too-large"));
        assert!(rows.reference.written() + rows.alternate.written() <= 1 << 20);
    }
}

#[test]
fn a_piece_that_is_an_empty_line_is_a_line() {
    let mut parser = parser(2, false, 1);
    let read = parser.parse_piece(b"", b"\n", &mut Rows::default());
    assert_eq!(read.map_err(|(fault, line)| (fault.code, line)), Err(("vcf.empty-line", 1)));
    assert_eq!(parser.parse_piece(b"", b"", &mut Rows::default()), Ok(()));
}
