//! The first seven columns: CHROM, POS, ID, REF, ALT, QUAL, FILTER.

use std::collections::HashMap;

use super::fault::{quoted, Fault};
use crate::variant_key::is_spelt;

/// The highest position of VCF: 2^31 − 1, as BCF and every index hold it.
const HIGHEST_POS: u64 = (1 << 31) - 1;

/// One alternative allele, as far as it matters here.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Alternate {
    /// A, C, G, T, N: it becomes a row.
    Bases,
    /// `<NON_REF>` or `<*>`: any other allele, in a block of a gVCF.
    AnyOther,
    /// Symbolic, breakend, or `*`: it stays in the original file only.
    Other,
}

fn has_whitespace(field: &[u8]) -> bool {
    field.iter().any(|byte| byte.is_ascii_whitespace() || byte.is_ascii_control())
}

fn is_bases(field: &[u8]) -> bool {
    !field.is_empty()
        && field.iter().all(|byte| matches!(byte.to_ascii_uppercase(), b'A' | b'C' | b'G' | b'T' | b'N'))
}

/// Whether a contig may be called so. Up to 4.2 a name is free of whitespace, colons, commas and angle
/// brackets; 4.3 lists the characters. The asterisk is for the HLA contigs of GRCh38 alone.
fn is_contig(name: &[u8], modern: bool) -> bool {
    if name.is_empty() || has_whitespace(name) {
        return false;
    }
    if modern {
        let hla = name.starts_with(b"HLA-");
        return !matches!(name[0], b'=' | b'*')
            && name.iter().all(|byte| {
                byte.is_ascii_alphanumeric() || b"!#$%&+./:;=?@^_|~-".contains(byte) || (hla && *byte == b'*')
            });
    }
    !name.iter().any(|byte| matches!(byte, b'<' | b'>' | b':' | b','))
}

/// CHROM: a contig's name, or `<name>`. Before 4.3, which permits colons, a name with one is accepted where the header
/// declares it.
pub fn check_chrom(name: &[u8], contigs: &HashMap<Vec<u8>, Option<u64>>, minor: u8) -> Result<(), Fault> {
    let inner = match name {
        [b'<', inner @ .., b'>'] => inner,
        _ => name,
    };
    let declared = || inner.contains(&b':') && contigs.contains_key(inner);
    let valid = match minor {
        0..3 => is_contig(inner, false) || (is_contig(inner, true) && declared()),
        _ => is_contig(inner, true),
    };
    if valid {
        return Ok(());
    }
    Err(Fault::new(
        "vcf.chrom",
        "CHROM",
        format!(
            "{} is no name of a contig: no whitespace, comma or angle bracket, and before 4.3 no colon but a declared one",
            quoted(name)
        ),
    ))
}

/// POS: a whole number from 0 (a telomere) on.
pub fn parse_pos(field: &[u8]) -> Result<u32, Fault> {
    number(field).and_then(|pos| u32::try_from(pos).ok()).ok_or_else(|| {
        Fault::new(
            "vcf.pos",
            "POS",
            format!("{} is no position: a whole number from 0 to 2147483647", quoted(field)),
        )
    })
}

/// A whole number of at most ten digits and 2^31 − 1.
pub fn number(field: &[u8]) -> Option<u64> {
    if field.is_empty() || field.len() > 10 {
        return None;
    }
    let (mut value, mut all_digits) = (0u64, true);
    for byte in field {
        let digit = byte.wrapping_sub(b'0');
        all_digits &= digit < 10;
        value = value * 10 + u64::from(digit);
    }
    (all_digits && value <= HIGHEST_POS).then_some(value)
}

fn has_repetition(field: &[u8]) -> bool {
    let names = || field.split(|byte| *byte == b';');
    names().enumerate().any(|(place, name)| names().take(place).any(|earlier| earlier == name))
}

/// ID: `.` or names between semicolons, each once.
pub fn check_id(field: &[u8]) -> Result<(), Fault> {
    const MOST: usize = 10_000;
    let lists = memchr::memchr(b';', field).is_some();
    let empty = field.is_empty() || (lists && field.split(|byte| *byte == b';').any(<[u8]>::is_empty));
    if has_whitespace(field) || empty || (lists && (field.len() > MOST || has_repetition(field))) {
        let sentence =
            format!("{} is no list of identifiers: no whitespace, none empty, none twice", quoted(field));
        return Err(Fault::new("vcf.id", "ID", sentence));
    }
    Ok(())
}

/// REF: one or more of A, C, G, T, N.
pub fn check_ref(field: &[u8]) -> Result<(), Fault> {
    if is_bases(field) {
        return Ok(());
    }
    Err(Fault::new("vcf.ref", "REF", format!("{} is no sequence of A, C, G, T, N", quoted(field))))
}

fn is_breakend(field: &[u8]) -> bool {
    let brackets: Vec<usize> = field
        .iter()
        .enumerate()
        .filter(|(_, byte)| matches!(byte, b'[' | b']'))
        .map(|(index, _)| index)
        .collect();
    let [open, close] = brackets[..] else { return false };
    let (before, mate, after) = (&field[..open], &field[open + 1..close], &field[close + 1..]);
    let Some(colon) = mate.iter().rposition(|byte| *byte == b':') else { return false };
    let sided = |side: &[u8]| side == b"." || is_bases(side);
    let one_sided = (before.is_empty() && sided(after)) || (after.is_empty() && sided(before));
    field[open] == field[close]
        && one_sided
        && colon > 0
        && !has_whitespace(mate)
        && number(&mate[colon + 1..]).is_some()
}

fn parse_alternate(field: &[u8]) -> Option<Alternate> {
    if is_bases(field) {
        return Some(Alternate::Bases);
    }
    match field {
        b"*" => Some(Alternate::Other),
        b"<NON_REF>" | b"<*>" => Some(Alternate::AnyOther),
        [b'<', name @ .., b'>'] => {
            let clean = !name.is_empty()
                && !name.iter().any(|byte| matches!(byte, b'<' | b'>'))
                && !has_whitespace(name);
            clean.then_some(Alternate::Other)
        }
        [b'.', bases @ ..] | [bases @ .., b'.'] if is_bases(bases) => Some(Alternate::Other),
        _ => is_breakend(field).then_some(Alternate::Other),
    }
}

/// ALT: `.` is an empty list, else every allele in its order.
pub fn parse_alternates(field: &[u8], reference: &[u8], out: &mut Vec<Alternate>) -> Result<(), Fault> {
    out.clear();
    match (field, reference) {
        (b".", _) => return Ok(()),
        ([b'A' | b'C' | b'G' | b'T'], [base]) if !field[0].eq_ignore_ascii_case(base) => {
            out.push(Alternate::Bases);
            return Ok(());
        }
        _ => {}
    }
    for allele in field.split(|byte| *byte == b',') {
        let parsed = parse_alternate(allele).ok_or_else(|| {
            Fault::new(
                "vcf.alt",
                "ALT",
                format!("{} is no allele: bases, <ID>, * or a breakend", quoted(allele)),
            )
        })?;
        if parsed == Alternate::Bases && allele.eq_ignore_ascii_case(reference) {
            return Err(Fault::new("vcf.alt", "ALT", format!("{} is the same as REF", quoted(allele))));
        }
        out.push(parsed);
    }
    match repeated(field, out.len()) {
        Some(allele) => Err(Fault::new("vcf.alt", "ALT", format!("{} stands twice", quoted(allele)))),
        None => Ok(()),
    }
}

/// A sequence or `*` that is twice among so many alleles.
fn repeated(field: &[u8], alleles: usize) -> Option<&[u8]> {
    const FEW: usize = 8;
    let written = || {
        let all = field.split(|byte| *byte == b',');
        all.filter(|allele| *allele == b"*" || allele.iter().all(u8::is_ascii_alphabetic))
    };
    if alleles <= FEW {
        let twice = |(place, allele): &(usize, &[u8])| {
            written().take(*place).any(|earlier| earlier.eq_ignore_ascii_case(allele))
        };
        return written().enumerate().find(twice).map(|(_, allele)| allele);
    }
    let mut sorted: Vec<&[u8]> = written().collect();
    let upper = |allele: &[u8]| allele.to_ascii_uppercase();
    sorted.sort_by_cached_key(|allele| upper(allele));
    sorted.windows(2).find(|pair| pair[0].eq_ignore_ascii_case(pair[1])).map(|pair| pair[0])
}

/// Whether REF and ALT certainly are bases, and ALT a single allele that is not REF.
#[inline(always)]
pub fn is_one_alternate(reference: &[u8], alternate: &[u8]) -> bool {
    match (reference, alternate) {
        ([base], [other]) if is_spelt(*base) && is_spelt(*other) => base != other,
        _ => is_bases(reference) && is_bases(alternate) && !alternate.eq_ignore_ascii_case(reference),
    }
}

/// QUAL: `.` or a number that is not negative.
pub fn check_qual(field: &[u8]) -> Result<(), Fault> {
    let valid = field == b"." || (super::values::is_float(field) && field.first() != Some(&b'-'));
    if valid {
        return Ok(());
    }
    Err(Fault::new(
        "vcf.qual",
        "QUAL",
        format!("{} is no quality: a number from 0 on, or '.'", quoted(field)),
    ))
}

/// Whether this is `.`, PASS, or names of filters between semicolons; `0` is reserved.
pub fn names_filters(field: &[u8]) -> bool {
    let mut names = field.split(|byte| *byte == b';');
    let lone_dot = field == b".";
    let is_name =
        |name: &[u8]| !name.is_empty() && name != b"0" && !name.contains(&b',') && (name != b"." || lone_dot);
    !has_whitespace(field) && names.all(is_name)
}

/// FILTER: `.`, PASS, or names between semicolons, none twice.
pub fn check_filter(field: &[u8]) -> Result<(), Fault> {
    let bad = !names_filters(field)
        || (memchr::memchr(b';', field).is_some() && (field.len() > 10_000 || has_repetition(field)));
    if bad {
        let sentence =
            format!("{} is no list of filters: '.', PASS, or names between semicolons", quoted(field));
        return Err(Fault::new("vcf.filter", "FILTER", sentence));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breakends_need_bases_on_one_side_only() {
        for good in
            [&b"]1:100]AGT"[..], b"[1:100[AGT", b"AGT]1:100]", b"G]<ctg1>:7]", b".[13:123[", b".A", b"A."]
        {
            assert_eq!(parse_alternate(good), Some(Alternate::Other), "{good:?}");
        }
        for bad in [&b"[1:100["[..], b"A[1:100[T", b"A[1:100]", b"A[100[", b"<A>B>", b"", b"R", b"A T", b"<>"]
        {
            assert_eq!(parse_alternate(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn one_alternate_is_what_the_columns_one_by_one_say() {
        let fields =
            [&b"A"[..], b"C", b"a", b"N", b"AC", b"ac", b"A,C", b".", b"*", b"<DEL>", b"R", b"", b"A]1:2]"];
        for (reference, alternate) in fields.iter().flat_map(|one| fields.map(|other| (*one, other))) {
            let mut alternates = Vec::new();
            let valid = check_ref(reference).is_ok()
                && parse_alternates(alternate, reference, &mut alternates).is_ok()
                && alternates == [Alternate::Bases];
            assert_eq!(is_one_alternate(reference, alternate), valid, "{reference:?} {alternate:?}");
        }
    }

    #[test]
    fn an_allele_that_stands_twice_is_found_among_few_and_many() {
        for extra in ["", ",AA,AC,AG,AT,CA,CC,CG,CT,GA,<DEL>,<DEL>"] {
            let found = |alleles: &str| {
                let field = format!("{alleles}{extra}");
                let mut kinds = Vec::new();
                parse_alternates(field.as_bytes(), b"N", &mut kinds)
            };
            for good in ["C,G", "C,*", "C,TTT,<X>,<X>", "C,C[1:2[,C[1:2["] {
                assert!(found(good).is_ok(), "{good}{extra}");
            }
            for bad in ["C,c", "*,C,*", "GT,<X>,gT"] {
                assert!(found(bad).is_err(), "{bad}{extra}");
            }
        }
    }

    #[test]
    fn positions_are_whole_numbers_below_two_to_the_31() {
        assert_eq!(parse_pos(b"2147483647"), Ok(2_147_483_647));
        for bad in [&b""[..], b"-1", b"+1", b"2147483648", b"99999999999999999999", b"1e3", b" 1"] {
            assert!(parse_pos(bad).is_err());
        }
    }
}
