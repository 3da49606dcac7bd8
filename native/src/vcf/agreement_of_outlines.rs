//! The law of outlines: a line whose outline is known is read as one that was not looked at.

use super::agreement::{parse_blindly, parser, Chooser};
use super::eyes::DRAWING;
use super::rows::Rows;
use super::VcfParser;

fn faults_of(parser: &VcfParser) -> u64 {
    parser.ledger.tallies.values().map(|tally| tally.count).sum()
}

/// Every digit may be another one, or be there twice or not at all; those of a genotype stay as they are.
fn with_other_digits(chooser: &mut Chooser, text: &str) -> String {
    let mut other = String::new();
    for (place, byte) in text.char_indices() {
        let of_genotype = text[place..].starts_with("0/") || text[..place].ends_with("0/");
        if of_genotype || !byte.is_ascii_digit() {
            other.push(byte);
            continue;
        }
        for _ in 0..[1, 1, 1, 1, 1, 1, 1, 0, 2, 10][chooser.below(10)] {
            other.push(char::from(b'0' + chooser.below(10) as u8));
        }
    }
    other
}

#[test]
fn lines_that_differ_in_digits_alone_are_read_like_those_that_were_not_looked_at() {
    // What follows POS, ID, REF, ALT and QUAL: digits that stand for themselves, and those that only are of a value.
    const TAILS: [&str; 15] = [
        "PASS\tAC=1;AF=0.500;AN=2;MQRankSumOfReads=-1.25;DB\tGT:AD:DP:GQ:PL\t0/1:3,4:7:99:120,0,90",
        "PASS\tAC=1\tGT:AD:DP:GQ:PL\t0/1:3,4:7:99:120,0,90",
        "q:1\tAC=1\tGT:DP\t0/1:7",
        "q=1\tAC=1\tGT:DP\t0/1:7",
        "PASS\tA1=5;A2=6\tGT:DP\t0/1:7",
        "PASS\tA:1;A:2\tGT:DP\t0/1:7",
        "PASS\tNOTE=a:1,2\tGT:DP\t0/1:7",
        "PASS\tNOTE=1x2;OWN=1,2;ANY=1,-2.5,.\tGT:DP\t0/1:7",
        "PASS\tONE=1\tGT:DP\t0/1:7",
        "PASS\tCIGAR=1M\tGT:DP\t0/1:7",
        "PASS\tAC=1;END=50\tGT:DP\t0/1:7",
        "PASS\tDB=1\tGT:DP\t0/1:7",
        "PASS\tAC=1\tGT:1X:DP\t0/1:7:8",
        "PASS\t.\tGT:GQ:DP\t0/0:5:7",
        "PASS\tAC=1\tGT:DP:PGT\t0/1:7:0|1",
    ];
    let mut chooser = Chooser(3);
    let mut faults = 0;
    for minor in 1..=5 {
        let (mut quick, mut slow) = (parser(minor, true, 1), parser(minor, true, 1));
        let (mut quick_rows, mut slow_rows) = (Rows::default(), Rows::default());
        for (pos, tail) in (1..).zip(TAILS.iter().flat_map(|tail| [tail; 400])) {
            let tail = with_other_digits(&mut chooser, tail);
            let line = format!("chr1\t{pos}\trs{pos}\tA\tC\t7.5\t{tail}");
            let quickly = quick.parse_lines_by(line.as_bytes(), &mut quick_rows, &DRAWING);
            assert_eq!(
                quickly,
                parse_blindly(&mut slow, line.as_bytes(), &mut slow_rows),
                "4.{minor}: {line}"
            );
            assert_eq!(faults_of(&quick), faults_of(&slow), "4.{minor}: {line}");
        }
        faults += faults_of(&slow);
        assert_eq!(quick_rows, slow_rows);
        assert_eq!(format!("{:?}", quick.ledger), format!("{:?}", slow.ledger));
        assert_eq!(quick.filters.names, slow.filters.names);
    }
    assert!(faults > 1000, "{faults} faults");
}

/// A line of so many bytes, for which REF is made longer.
fn of_length(line: &str, length: usize) -> String {
    let longer = "A".repeat(1 + length.saturating_sub(line.len()));
    line.replacen("\tA\t", &format!("\t{longer}\t"), 1)
}

/// Mostly short; else of a length at which the first word of its line ends, now and then with what no identifier has.
fn id_of(chooser: &mut Chooser) -> String {
    let length = if chooser.below(3) > 0 { 2 } else { 40 + chooser.below(30) };
    let mut id = vec![b'i'; length];
    if chooser.below(6) == 0 {
        id[chooser.below(length)] = b"; \x7f\x01"[chooser.below(4)];
    }
    String::from_utf8_lossy(&id).into_owned()
}

#[test]
fn what_lines_before_left_behind_counts_for_nothing() {
    const TAILS: [&str; 5] = [
        "PASS\tAC=1\tGT:DP:PL\t0/1:7:12,0,9",
        "PASS\tAC=1\tGT:DP:PL\t0/1:7:12,0,9\tx",
        "PASS\tAC=1\tGT:DP:PL\t0/1:7:12,0,9\t\t\t;=1:2",
        "PASS\tAC=1;NOTE=5555y\tGT:DP:PL\t0/1:7:12,0,9",
        "PASS\tAC=1;NOTE=5555;ANY=1234,5678\tGT:DP:PL\t0/1:7",
    ];
    let mut chooser = Chooser(11);
    let mut faults = 0;
    for round in 0..200u8 {
        let (mut quick, mut slow) = (parser(1 + round % 5, true, 1), parser(1 + round % 5, true, 1));
        let (mut quick_rows, mut slow_rows) = (Rows::default(), Rows::default());
        let mut text = String::new();
        for pos in 1..100 {
            let tail = TAILS[chooser.below(TAILS.len())];
            let tail = with_other_digits(&mut chooser, tail);
            let id = id_of(&mut chooser);
            let mut line = format!("chr1\t{}\t{id}\tA\tC\t50\t{tail}", 10_000 * pos);
            if chooser.below(3) == 0 {
                let words = [64, 128, 256, 512, 1024, 4096][chooser.below(6)];
                line = of_length(&line, words + chooser.below(5) - 2);
            }
            let end = ["\n", "\n", "\n", "\r\n"][chooser.below(4)];
            text.extend([&line, end]);
            assert_eq!(parse_blindly(&mut slow, line.as_bytes(), &mut slow_rows), Ok(()));
        }
        assert_eq!(quick.parse_lines_by(text.as_bytes(), &mut quick_rows, &DRAWING), Ok(()));
        faults += faults_of(&slow);
        assert_eq!(quick_rows, slow_rows);
        assert_eq!(format!("{:?}", quick.ledger), format!("{:?}", slow.ledger));
    }
    assert!(faults > 1000, "{faults} faults");
}

#[test]
fn columns_too_many_are_seen_though_looking_ended_before_them() {
    let line = |pos: u32, info: &str, behind: &str| {
        format!("chr1\t{pos}\tid\tA\tC\t50\tPASS\t{info}\tGT:DP:PL\t0/1:7:12,0,9{behind}")
    };
    for (length, digits) in
        [256, 512].into_iter().flat_map(|length| (1..9).map(move |digits| (length, digits)))
    {
        // The outline is learned; then a longer line leaves digits out; then one of the first outline has more columns.
        let long = format!("AC=1;NOTE={}{}", "5".repeat(digits), "x".repeat(600));
        let lines = [
            line(1, "AC=1", ""),
            line(2, "AC=1", ""),
            line(3, "AC=1", ""),
            line(4, &long, ""),
            of_length(&line(1000, "AC=1", "\tx"), length),
        ];
        let mut parser = parser(3, false, 1);
        let read = parser.parse_lines_by(lines.join("\n").as_bytes(), &mut Rows::default(), &DRAWING);
        assert_eq!(read.map_err(|(fault, line)| (fault.code, line)), Err(("vcf.columns", 5)), "{digits}");
    }
}

#[test]
fn what_no_identifier_has_is_seen_wherever_it_stands() {
    let line =
        |pos: u32, id: &str| format!("chr1\t{pos}\t{id}\tA\tC\t50\tPASS\tAC=1\tGT:DP:PL\t0/1:7:12,0,9");
    // The first word of a line ends with an ID of 54 bytes.
    for (length, odd) in (1..80).flat_map(|length| [";", " ", "\x01", "\x7f"].map(|odd| (length, odd))) {
        let id = "i".repeat(length);
        let lines = [line(1000, &id), line(2000, &id), line(3000, &format!("{id}{odd}"))];
        let (mut quick, mut slow) = (parser(3, true, 1), parser(3, true, 1));
        let read = quick.parse_lines_by(lines.join("\n").as_bytes(), &mut Rows::default(), &DRAWING);
        assert_eq!(read, Ok(()));
        for line in &lines {
            assert_eq!(parse_blindly(&mut slow, line.as_bytes(), &mut Rows::default()), Ok(()));
        }
        assert_eq!(format!("{:?}", quick.ledger), format!("{:?}", slow.ledger), "{length} and {odd:?}");
        assert_eq!(faults_of(&slow), 1);
    }
}
