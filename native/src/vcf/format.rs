//! FORMAT: the keys that a record's samples have values of.

use super::fault::{quoted, Fault};
use super::same::Same;
use super::values::{Definition, Kind, Shape};
use super::{Rules, LOCAL_ALLELES, STRUCTURAL_KEYS};

/// The keys of FORMAT with their definitions.
pub struct Format {
    /// As it stands in the file; the next line mostly has the same.
    pub text: Same,
    pub keys: Vec<(Vec<u8>, Option<Definition>)>,
    /// Where GT comes first and all others list whole numbers: how many they list of two copies of one alternative
    /// allele.
    pub diploid_counts: Option<Vec<u32>>,
    /// Whether it is in an outline as it stands: no key begins like a value.
    pub is_in_outlines: bool,
    pub genotyped: bool,
    pub depth: Option<usize>,
    /// Of a block, the lowest depth in it.
    pub lowest_depth: Option<usize>,
    pub quality: Option<usize>,
    /// FT: whether the call passed.
    pub filter: Option<usize>,
    /// LEN, from 4.5 on: how long the sample's block is.
    pub length: Option<usize>,
    /// PS and PSL, from 4.4 on: a sample has one of them.
    pub phase_sets: Option<[usize; 2]>,
    /// LAA: the alternative alleles that the sample's local values are about.
    pub local: Option<usize>,
}

/// From 4.3 on the specification gives the form of a key; percent-encoding is met in 4.4.
fn is_format_key(key: &[u8], declared: bool, minor: u8) -> bool {
    let clean = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'_' | b'.')
            || (*byte == b'-' && minor < 3)
            || (*byte == b'%' && minor >= 4)
    };
    let plain = key.iter().all(u8::is_ascii_alphanumeric);
    let begun = minor < 3 || !key.first().is_some_and(u8::is_ascii_digit);
    !key.is_empty() && key.iter().all(clean) && begun && (plain || declared || minor >= 3)
}

/// How many whole numbers the keys behind GT list, if they are such.
fn diploid_counts(keys: &[(Vec<u8>, Option<Definition>)], minor: u8) -> Option<Vec<u32>> {
    let shape = Shape { alternates: 1, minor, ploidy: Some(2), local: None };
    let (_, listed) = keys.split_first().filter(|((first, _), _)| first == b"GT")?;
    let count = |(key, definition): &(Vec<u8>, Option<Definition>)| {
        let special = [&b"FT"[..], b"LEN", b"LAA"].contains(&&key[..]);
        let lists = definition.filter(|definition| definition.kind == Kind::Integer && !special)?;
        u32::try_from(shape.expects(lists.number)?).ok()
    };
    listed.iter().map(count).collect()
}

pub fn parse_format(field: &[u8], rules: &Rules) -> Result<Format, Fault> {
    let mut keys: Vec<(Vec<u8>, Option<Definition>)> = Vec::new();
    for key in field.split(|byte| *byte == b':') {
        let definition = rules.format.get(key).copied();
        // A lone '.' says that there is nothing.
        let nothing = field == b".";
        let problem = if !nothing && !is_format_key(key, definition.is_some(), rules.minor) {
            Some(format!("{} is no key: letters and digits, or declared in the header", quoted(key)))
        } else if keys.iter().any(|(other, _)| *other == key) {
            Some(format!("the key {} stands twice", quoted(key)))
        } else if key == b"GT" && !keys.is_empty() {
            Some("GT must come first".to_owned())
        } else {
            None
        };
        if let Some(sentence) = problem {
            return Err(Fault::new("vcf.format", "FORMAT", sentence));
        }
        keys.push((key.to_vec(), definition));
    }
    let place = |name: &[u8]| keys.iter().position(|(key, _)| key == name);
    let genotyped = place(b"GT") == Some(0);
    let local = place(b"LAA");
    let needs_local = |(key, definition): &(Vec<u8>, Option<Definition>)| {
        definition.is_some_and(|definition| definition.number.is_local())
            && !key.is_empty()
            && rules.minor >= LOCAL_ALLELES
    };
    let first_local = keys.iter().position(needs_local);
    if first_local.is_some() && local != Some(usize::from(genotyped)) {
        let sentence = "LAA comes before all keys of local alleles, and only GT before it";
        return Err(Fault::new("vcf.format", "FORMAT", sentence));
    }
    if rules.minor >= STRUCTURAL_KEYS && place(b"CICN").is_some() && place(b"CN").is_none() {
        return Err(Fault::new("vcf.format", "FORMAT", "CICN goes with CN"));
    }
    let (depth, lowest_depth, quality) = (place(b"DP"), place(b"MIN_DP"), place(b"GQ"));
    let length = place(b"LEN").filter(|_| rules.minor >= LOCAL_ALLELES);
    let filter = place(b"FT");
    let phase_sets = place(b"PS").zip(place(b"PSL")).filter(|_| rules.minor >= STRUCTURAL_KEYS);
    let text = Same::new(field);
    let is_in_outlines = keys.iter().all(|(key, _)| key.first().is_some_and(u8::is_ascii_alphabetic));
    let diploid_counts = diploid_counts(&keys, rules.minor);
    Ok(Format {
        text,
        keys,
        diploid_counts,
        is_in_outlines,
        genotyped,
        depth,
        lowest_depth,
        quality,
        filter,
        length,
        phase_sets: phase_sets.map(<[usize; 2]>::from),
        local,
    })
}
