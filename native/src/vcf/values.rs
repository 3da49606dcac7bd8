//! Values of INFO and FORMAT against their definitions: Number and Type.

use super::fault::{quoted, Fault};

/// How many values a key has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Number {
    Exactly(usize),
    PerAlternate,
    PerAllele,
    PerGenotype,
    /// P: one for each allele of GT.
    PerCopy,
    /// LA, LR, LG: as A, R and G, over the alleles that LAA lists.
    PerLocalAlternate,
    PerLocalAllele,
    PerLocalGenotype,
    Any,
}

impl Number {
    pub fn is_local(self) -> bool {
        matches!(self, Self::PerLocalAlternate | Self::PerLocalAllele | Self::PerLocalGenotype)
    }

    /// Whether exactly one value belongs to a record with so many alternative alleles, whatever its samples have.
    #[inline]
    pub fn is_one(self, alternates: usize) -> bool {
        self == Self::Exactly(1) || (self == Self::PerAlternate && alternates == 1)
    }

    /// As the header spells it; M, which depends on the alleles' bases, counts as any.
    pub fn parse(text: &str) -> Self {
        match text {
            "A" => Self::PerAlternate,
            "R" => Self::PerAllele,
            "G" => Self::PerGenotype,
            "P" => Self::PerCopy,
            "LA" => Self::PerLocalAlternate,
            "LR" => Self::PerLocalAllele,
            "LG" => Self::PerLocalGenotype,
            _ => text.parse().map_or(Self::Any, Self::Exactly),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Float,
    Flag,
    Character,
    Text,
    Cigar,
    /// Texts, some of which may be empty.
    Texts,
    /// A fraction from 0 to 1.
    Probability,
}

impl Kind {
    pub fn parse(text: &str) -> Self {
        match text {
            "Integer" => Self::Integer,
            "Float" => Self::Float,
            "Flag" => Self::Flag,
            "Character" => Self::Character,
            "Cigar" => Self::Cigar,
            "Strings" => Self::Texts,
            "Probability" => Self::Probability,
            _ => Self::Text,
        }
    }
}

/// What a key's values must look like.
#[derive(Debug, Clone, Copy)]
pub struct Definition {
    pub number: Number,
    pub kind: Kind,
    /// The specification fixes it, not the file.
    pub reserved: bool,
    /// The file's header declares it.
    pub declared: bool,
    /// Counts and depths: never below zero.
    pub natural: bool,
}

/// The alleles and the ploidy that a number of values depends on; `None` where it cannot be known.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    pub alternates: usize,
    /// Of the file: VCF 4.`minor`.
    pub minor: u8,
    pub ploidy: Option<usize>,
    /// Alternative alleles that the sample's LAA lists.
    pub local: Option<usize>,
}

/// Genotypes of `ploidy` copies over `alleles`: combinations with repetition; `None` where they are beyond counting.
fn genotypes(alleles: usize, ploidy: usize) -> Option<usize> {
    let mut count: usize = 1;
    for drawn in 0..ploidy {
        count = count.checked_mul(alleles.checked_add(drawn)?)? / (drawn + 1);
    }
    Some(count)
}

impl Shape {
    /// How many values there must be, where that is known.
    #[inline]
    pub fn expects(self, number: Number) -> Option<usize> {
        match number {
            Number::Exactly(count) => Some(count),
            Number::Any => None,
            Number::PerCopy => self.ploidy,
            Number::PerLocalAlternate => self.local,
            Number::PerLocalAllele => Some(self.local? + 1),
            Number::PerLocalGenotype => genotypes(self.local? + 1, self.ploidy?),
            // With ALT '.' writers disagree whether a value stands for the absent allele.
            _ if self.alternates == 0 => None,
            Number::PerAlternate => Some(self.alternates),
            Number::PerAllele => Some(self.alternates + 1),
            Number::PerGenotype => genotypes(self.alternates + 1, self.ploidy?),
        }
    }
}

pub fn is_integer(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").or_else(|| value.strip_prefix(b"+")).unwrap_or(value);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// The range of VCF: 32 bits, without the eight lowest numbers, which BCF reserves.
fn is_whole(value: &[u8]) -> bool {
    let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i32>().ok());
    is_integer(value) && parsed.is_some_and(|number| number >= i32::MIN + 8)
}

/// `^[-+]?[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?$`, infinity or NaN; `1.` is met in real files and accepted.
pub fn is_float(value: &[u8]) -> bool {
    let unsigned = value.strip_prefix(b"-").or_else(|| value.strip_prefix(b"+")).unwrap_or(value);
    if [&b"inf"[..], b"infinity", b"nan"].iter().any(|word| unsigned.eq_ignore_ascii_case(word)) {
        return true;
    }
    let (mantissa, exponent) = match unsigned.iter().position(|byte| matches!(byte, b'e' | b'E')) {
        Some(at) => (&unsigned[..at], Some(&unsigned[at + 1..])),
        None => (unsigned, None),
    };
    let digits = mantissa.iter().filter(|byte| byte.is_ascii_digit()).count();
    let points = mantissa.iter().filter(|byte| **byte == b'.').count();
    digits > 0 && points <= 1 && digits + points == mantissa.len() && exponent.is_none_or(is_integer)
}

/// A list of operations such as `10M2I`, each with its count.
fn is_cigar(value: &[u8]) -> bool {
    let mut digits = 0;
    let mut operations = 0;
    for byte in value {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'M' | b'I' | b'D' | b'N' | b'S' | b'H' | b'P' | b'X' | b'=' if digits > 0 => {
                digits = 0;
                operations += 1;
            }
            _ => return false,
        }
    }
    digits == 0 && operations > 0
}

/// Whether a number is from 0 to 1, or none at all.
fn is_probability(value: &[u8]) -> bool {
    let parsed = std::str::from_utf8(value).ok().and_then(|text| text.parse::<f64>().ok());
    is_float(value) && parsed.is_some_and(|number| number.is_nan() || (0.0..=1.0).contains(&number))
}

/// Whether a number is below zero. Of a sample, `-0` is not; of INFO a minus says so, whatever digits follow, as lines
/// are known again that differ in them.
fn is_negative(value: &[u8], of_sample: bool) -> bool {
    let zero = |digits: &[u8]| digits.iter().all(|byte| matches!(byte, b'0' | b'.'));
    value.strip_prefix(b"-").is_some_and(|digits| !(of_sample && zero(digits)))
}

fn fits(value: &[u8], definition: Definition, of_sample: bool) -> bool {
    if value == b"." {
        return true;
    }
    let typed = match definition.kind {
        Kind::Integer => is_whole(value),
        Kind::Float => is_float(value),
        Kind::Character => std::str::from_utf8(value).is_ok_and(|text| text.chars().count() == 1),
        Kind::Cigar => is_cigar(value),
        Kind::Text => !value.is_empty(),
        Kind::Texts => true,
        Kind::Probability => is_probability(value),
        Kind::Flag => matches!(value, b"0" | b"1"),
    };
    typed && !(definition.natural && is_negative(value, of_sample))
}

/// Check the values of one key, between commas.
pub fn check_values(
    code: &'static str,
    column: &str,
    key: &[u8],
    values: &[u8],
    definition: Definition,
    shape: Shape,
) -> Result<(), Fault> {
    let of_sample = column != "INFO";
    // From 4.5 on a sample's list may have no values at all.
    let empty_list = values.is_empty() && shape.minor >= 5 && of_sample;
    if values == b"." || empty_list {
        return Ok(());
    }
    let field = || format!("{column}, {}", quoted(key));
    if definition.kind == Kind::Flag {
        if fits(values, definition, of_sample) {
            return Ok(());
        }
        return Err(Fault::new(code, field(), format!("a flag has no value such as {}", quoted(values))));
    }
    if definition.kind == Kind::Texts && values.is_empty() {
        return Err(Fault::new(code, field(), "a value is missing"));
    }
    // Older truth sets in wide use break the types of INFO keys of their own, which nothing here reads.
    let typed = definition.reserved || shape.minor >= 3 || of_sample;
    // A sample's fractions that no header declares are nobody's promise: from 4.4 on they are only counted.
    let fraction = matches!(definition.kind, Kind::Float | Kind::Probability);
    let promised = definition.declared || !of_sample || !fraction;
    let typed = typed && (promised || shape.minor < 4);
    let mut count = 0;
    for value in values.split(|byte| *byte == b',') {
        if typed && !fits(value, definition, of_sample) {
            let sign = if definition.natural { " from 0 on" } else { "" };
            let sentence = format!("{} does not fit the type {:?}{sign}", quoted(value), definition.kind);
            return Err(Fault::new(code, field(), sentence));
        }
        count += 1;
    }
    match shape.expects(definition.number) {
        // A text of one's own may have commas.
        Some(_) if definition.kind == Kind::Text && !definition.reserved => Ok(()),
        Some(expected) if expected != count => {
            Err(Fault::new(code, field(), format!("{count} values where {expected} belong")))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_what_the_specification_says() {
        for good in [&b"0"[..], b"-1.5", b"2e+1", b"5.3e-10", b".5", b"Inf", b"+inf", b"NaN", b"1."] {
            assert!(is_float(good), "{good:?}");
        }
        for bad in [&b""[..], b".", b"e5", b"1e", b"1.2.3", b"quality", b"--1", b"1e1.5", b"0x10"] {
            assert!(!is_float(bad), "{bad:?}");
        }
    }

    #[test]
    fn genotype_counts_follow_ploidy_and_alleles() {
        let shape = |alternates, ploidy| Shape { alternates, ploidy, minor: 2, local: None };
        assert_eq!(shape(1, Some(2)).expects(Number::PerGenotype), Some(3));
        assert_eq!(shape(2, Some(2)).expects(Number::PerGenotype), Some(6));
        assert_eq!(shape(2, Some(1)).expects(Number::PerGenotype), Some(3));
        assert_eq!(shape(2, Some(4)).expects(Number::PerGenotype), Some(15));
        assert_eq!(shape(0, Some(2)).expects(Number::PerGenotype), None);
        assert_eq!(shape(1, Some(3)).expects(Number::PerCopy), Some(3));
        assert_eq!(genotypes(usize::MAX, 2), None);
    }

    #[test]
    fn probabilities_are_from_0_to_1() {
        for good in [&b"0"[..], b"1", b"1.0", b".5", b"1e-300", b"-0.0", b"nan"] {
            assert!(is_probability(good), "{good:?}");
        }
        for bad in [&b""[..], b"1.01", b"2", b"-0.1", b"inf", b"x", b"1e1"] {
            assert!(!is_probability(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_sample_may_write_minus_zero() {
        assert!(is_negative(b"-1", true) && is_negative(b"-0.01", true) && is_negative(b"-0", false));
        assert!(!is_negative(b"-0", true) && !is_negative(b"-0.00", true) && !is_negative(b"1", false));
    }

    #[test]
    fn cigars_are_counted_operations() {
        assert!(is_cigar(b"1M30I2D1N"));
        for bad in [&b"123MYCIGAR"[..], b"0.05", b"", b"M", b"12"] {
            assert!(!is_cigar(bad));
        }
    }
}
