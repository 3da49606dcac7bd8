//! Structural variants, from VCF 4.4 on: what SVLEN, SVCLAIM and the keys of tandem repeats must say about an
//! allele in angle brackets (specification 4.4 and 4.5, sections 1.4.5, 3 and 4).

use super::fault::{quoted, Fault};
use super::values::{is_float, is_integer};

/// INFO, key by key.
pub type Info<'a> = [(&'a [u8], Option<&'a [u8]>)];

/// What may be claimed of the first level of a symbolic allele.
const CLAIMS: [(&[u8], &[&[u8]]); 5] = [
    (b"DEL", &[b"D", b"J", b"DJ"]),
    (b"DUP", &[b"D", b"J", b"DJ"]),
    (b"CNV", &[b"D", b"."]),
    (b"INV", &[b"J", b"DJ", b"."]),
    (b"INS", &[b"J", b"DJ", b"."]),
];
const OF_BREAKENDS: &[&[u8]] = &[b"J", b"."];
const REPEAT: &[u8] = b"<CNV:TR>";

fn fault(key: &str, sentence: impl Into<String>) -> Fault {
    Fault::new("vcf.structural", format!("INFO, '{key}'"), sentence)
}

/// The values of a key, between commas; none where the key is absent or missing as a whole.
fn values<'a>(info: &Info<'a>, key: &[u8]) -> Option<Vec<&'a [u8]>> {
    let (_, value) = info.iter().find(|(found, _)| *found == key)?;
    value.filter(|value| *value != b".").map(|value| value.split(|byte| *byte == b',').collect())
}

/// The type of a symbolic allele: what stands before the first colon.
fn first_level(allele: &[u8]) -> Option<&[u8]> {
    let name = allele.strip_prefix(b"<")?.strip_suffix(b">")?;
    name.split(|byte| *byte == b':').next()
}

fn claims_of(allele: &[u8]) -> Option<&'static [&'static [u8]]> {
    if allele.iter().any(|byte| matches!(byte, b'[' | b']')) && !allele.starts_with(b"<") {
        return Some(OF_BREAKENDS);
    }
    let level = first_level(allele)?;
    CLAIMS.iter().find(|(name, _)| *name == level).map(|(_, claims)| *claims)
}

/// Check a record's ALT against its INFO; `copy_number` says whether FORMAT has CN.
pub fn check_structural(alternates: &[u8], info: &Info<'_>, copy_number: bool) -> Result<(), Fault> {
    let alleles: Vec<&[u8]> = alternates.split(|byte| *byte == b',').collect();
    let lengths = values(info, b"SVLEN");
    let claims = values(info, b"SVCLAIM");
    let ended = values(info, b"END").is_some();
    let given = |list: &Option<Vec<&[u8]>>, place: usize| {
        list.as_ref().and_then(|values| values.get(place).map(|value| value.to_vec()))
    };
    for (place, allele) in alleles.iter().enumerate() {
        let level = first_level(allele);
        let structural = level.is_some_and(|level| CLAIMS.iter().any(|(name, _)| *name == level));
        if level.is_some() && !structural && allele.contains(&b':') {
            let sentence = format!("{} is none of DEL, INS, DUP, INV and CNV with subtypes", quoted(allele));
            return Err(Fault::new("vcf.structural", "ALT", sentence));
        }
        // A length may be said to be missing, or follow from END, as in files of earlier versions.
        if structural && lengths.is_none() && !ended && !info.iter().any(|(key, _)| *key == b"SVLEN") {
            return Err(fault("SVLEN", format!("{} needs its length", quoted(allele))));
        }
        let Some(allowed) = claims_of(allele) else { continue };
        let claim = given(&claims, place).unwrap_or_else(|| b".".to_vec());
        if !allowed.contains(&claim.as_slice()) {
            let sentence = format!("{} cannot claim {}", quoted(allele), quoted(&claim));
            return Err(fault("SVCLAIM", sentence));
        }
    }
    if copy_number {
        check_one_length(&alleles, lengths.as_deref().unwrap_or_default())?;
    }
    if alleles.contains(&REPEAT) {
        check_repeats(&alleles, info)?;
    }
    check_lists(alleles.len(), info)
}

/// Lists of pairs and of quadruples for each allele; the pairs around POS and END span 0.
fn check_lists(alleles: usize, info: &Info<'_>) -> Result<(), Fault> {
    for (key, each) in [("CIPOS", 2), ("CIEND", 2), ("CILEN", 2), ("CICN", 2), ("MEINFO", 4), ("METRANS", 4)]
    {
        let Some(found) = values(info, key.as_bytes()) else { continue };
        if alleles.checked_mul(each) != Some(found.len()) {
            return Err(fault(key, format!("{} values where {each} belong to each allele", found.len())));
        }
    }
    for key in ["CIPOS", "CIEND"] {
        if !values(info, key.as_bytes()).is_none_or(|bounds| bounds.chunks(2).all(spans_zero)) {
            return Err(fault(key, "pairs of a bound up to 0 and one from 0 on"));
        }
    }
    Ok(())
}

/// A value of a pair, if it is a number.
fn bound(value: Option<&&[u8]>) -> Option<f64> {
    value.and_then(|bound| std::str::from_utf8(bound).ok()).and_then(|bound| bound.parse().ok())
}

/// Whether a pair of bounds, as far as it is known, has 0 between them.
fn spans_zero(pair: &[&[u8]]) -> bool {
    bound(pair.first()).is_none_or(|low| low <= 0.0) && bound(pair.get(1)).is_none_or(|high| high >= 0.0)
}

/// A sample's copy number is of one stretch.
fn check_one_length(alleles: &[&[u8]], lengths: &[&[u8]]) -> Result<(), Fault> {
    let counted = |allele: &&[u8]| matches!(first_level(allele), Some(b"DEL" | b"DUP" | b"CNV"));
    let mut found =
        alleles.iter().zip(lengths).filter(|(allele, _)| counted(allele)).map(|(_, length)| length);
    let first = found.next();
    if found.all(|length| Some(length) == first) {
        return Ok(());
    }
    Err(fault("SVLEN", "with CN in FORMAT, all of DEL, DUP and CNV have the same length"))
}

fn check_repeats(alleles: &[&[u8]], info: &Info<'_>) -> Result<(), Fault> {
    let of_allele = alleles.iter().filter(|allele| **allele == REPEAT).count();
    let repeats = values(info, b"RN").map_or(Some(of_allele), |numbers| {
        numbers.iter().try_fold(0usize, |sum, number| {
            let text = std::str::from_utf8(number).unwrap_or(".");
            sum.checked_add(if text == "." { 0 } else { text.parse().ok()? })
        })
    });
    let lists = [("RUS", 1), ("RUL", 1), ("RUC", 1), ("RB", 1), ("CIRUC", 2), ("CIRB", 2)];
    for (key, each) in lists {
        let Some(found) = values(info, key.as_bytes()) else { continue };
        if repeats.and_then(|repeats| repeats.checked_mul(each)) != Some(found.len()) {
            return Err(fault(key, format!("{} values do not go with RN", found.len())));
        }
    }
    let (sequences, units) = (values(info, b"RUS"), values(info, b"RUL"));
    if sequences.is_none() && units.is_none() {
        return Err(fault("RUS", "<CNV:TR> needs RUS or RUL"));
    }
    check_units(sequences.as_deref().unwrap_or_default(), units.as_deref().unwrap_or_default())?;
    check_interval("CIRUC", values(info, b"CIRUC"), values(info, b"RUC"))?;
    check_interval("CIRB", values(info, b"CIRB"), values(info, b"RB"))?;
    let Some(units) = values(info, b"RUB") else { return Ok(()) };
    let Some(counts) = values(info, b"RUC").filter(|counts| counts.iter().all(|count| is_integer(count)))
    else {
        return Err(fault("RUB", "needs whole numbers in RUC"));
    };
    let number = |count: &&[u8]| std::str::from_utf8(count).ok()?.parse::<usize>().ok();
    let expected = counts.iter().try_fold(0usize, |sum, count| sum.checked_add(number(count)?));
    if expected != Some(units.len()) {
        return Err(fault("RUB", format!("{} values do not go with RUC", units.len())));
    }
    Ok(())
}

fn check_units(sequences: &[&[u8]], units: &[&[u8]]) -> Result<(), Fault> {
    const CODES: &[u8] = b"ACGTUNRYSWKMBDHV";
    let spelt = |unit: &[u8]| unit.iter().all(|base| CODES.contains(&base.to_ascii_uppercase()));
    if let Some(bad) = sequences.iter().find(|unit| **unit != b"." && !spelt(unit)) {
        return Err(fault("RUS", format!("{} is no sequence of nucleotide codes", quoted(bad))));
    }
    let agrees = |(sequence, length): (&&[u8], &&[u8])| {
        *sequence == b"." || *length == b"." || sequence.len().to_string().as_bytes() == *length
    };
    if sequences.iter().zip(units).all(agrees) {
        return Ok(());
    }
    Err(fault("RUL", "is not the length of RUS"))
}

/// Pairs of a bound below and one above; none where there is nothing to be uncertain about.
fn check_interval(key: &str, bounds: Option<Vec<&[u8]>>, around: Option<Vec<&[u8]>>) -> Result<(), Fault> {
    let Some(bounds) = bounds else { return Ok(()) };
    let missing = |value: Option<&&[u8]>| value.is_none_or(|value| **value == *b".");
    for (place, pair) in bounds.chunks(2).enumerate() {
        let known = pair.iter().any(|bound| **bound != *b".");
        let typed = pair.iter().all(|bound| **bound == *b"." || is_float(bound));
        let nothing = missing(around.as_ref().and_then(|values| values.get(place)));
        if !spans_zero(pair) || !typed || (known && nothing) {
            return Err(fault(key, "pairs of a bound up to 0 and one from 0 on belong to a value"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(alternates: &str, info: &str) -> Result<(), String> {
        let pairs: Vec<_> = info
            .split(';')
            .map(|entry| match entry.split_once('=') {
                Some((key, value)) => (key.as_bytes(), Some(value.as_bytes())),
                None => (entry.as_bytes(), None),
            })
            .collect();
        check_structural(alternates.as_bytes(), &pairs, info.contains("CN_IN_FORMAT"))
            .map_err(|fault| fault.field)
    }

    #[test]
    fn lists_go_with_their_alleles() {
        let two = |info: &str| checked("<DEL>,<INS>", &format!("SVLEN=1,2;SVCLAIM=D,.;{info}"));
        for good in ["CIPOS=-1,0,.,.;CIEND=0,5,.,.", "CILEN=1,2,3,4;CICN=.", "MEINFO=a,1,2,+,.,.,.,."] {
            assert_eq!(two(good), Ok(()), "{good}");
        }
        for bad in
            ["CIPOS=-1,1", "CIPOS=1,2,-1,1", "CIEND=-2,-1,0,0", "CILEN=1,2,3", "CICN=1", "METRANS=a,1,2,+"]
        {
            assert!(two(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn claims_fit_their_alleles() {
        for (alternates, info) in [
            ("<DEL>,T,<DUP>", "SVLEN=1,.,2;SVCLAIM=D,.,J"),
            ("<CNV>", "SVLEN=100"),
            ("<INV>", "SVLEN=.;SVCLAIM=."),
            ("<UNK>", "SVLEN=."),
            ("T[1:1000[", "SVLEN=10;SVCLAIM=J"),
            ("<DEL>", "END=30;SVCLAIM=DJ"),
            ("C", "AC=1"),
        ] {
            assert_eq!(checked(alternates, info), Ok(()), "{alternates} {info}");
        }
        for (alternates, info, field) in [
            ("<DEL>", "SVLEN=100", "INFO, 'SVCLAIM'"),
            ("<CNV>", "SVLEN=100;SVCLAIM=J", "INFO, 'SVCLAIM'"),
            ("<DEL>", "SVCLAIM=D", "INFO, 'SVLEN'"),
            ("<DAL:TRE>", "SVLEN=1;SVCLAIM=D", "ALT"),
            ("<BND:X>", "SVLEN=1", "ALT"),
            ("T]1:5]", "SVCLAIM=D", "INFO, 'SVCLAIM'"),
            ("<DEL>,<DUP>", "SVLEN=1,2;SVCLAIM=D,D;CN_IN_FORMAT", "INFO, 'SVLEN'"),
        ] {
            assert_eq!(checked(alternates, info), Err(field.to_owned()), "{alternates} {info}");
        }
    }

    #[test]
    fn tandem_repeats_say_their_units() {
        let repeat = |info: &str| checked("<CNV:TR>", &format!("SVLEN=10;{info}"));
        for good in [
            "RUS=CAG;RB=60",
            "RUL=3",
            "RN=2;RUS=CAG,TG;RUL=3,2;RUC=10,.",
            "RUS=AT;RB=30;CIRB=-8,.",
            "RUS=CAG;RUC=3;RUB=3,3,4",
        ] {
            assert_eq!(repeat(good), Ok(()), "{good}");
        }
        for bad in [
            "RB=6",
            "RN=1;RUS=CAG,CA",
            "RUS=T1",
            "RUS=TTT;RUL=2",
            "RUS=TT;RUC=2,2",
            "RUS=AT;RB=30;CIRB=1,2",
            "RUS=AT;CIRB=-1,1",
            "RUS=AT;RUC=2.3;RUB=2",
            "RUS=AT;RUB=2",
            "RUS=AT;RUC=2;RUB=2",
            "RN=99999999999999999999;RUS=A",
        ] {
            assert!(repeat(bad).is_err(), "{bad}");
        }
    }
}
