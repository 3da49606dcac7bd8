//! `VariantKey`: a variant as one sortable 64-bit number.
//!
//! Source: N. Asuni, "`VariantKey`: a reversible numerical representation of human genetic variants"
//! (bioRxiv 473744). From the top: 5 bits of chromosome (1 to 22, X = 23, Y = 24, MT = 25), 28 bits of
//! 0-based position, 31 bits of alleles. Up to 11 bases of A, C, G, T are spelt out (lowest bit 0); longer
//! or other alleles are hashed (lowest bit 1).

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::texts::{PyTexts, View};

/// How many bits the alleles have, below those of the place.
pub const ALLELE_BITS: u32 = 31;
/// How many bits stand below those of the chromosome.
pub const BELOW_CHROMOSOME: u32 = 59;
/// The longest REF and ALT together that a key can spell out.
const SPELT_BASES: usize = 11;
/// One past the highest 0-based position.
const POSITIONS: u32 = 1 << 28;

/// Of each byte its two bits as a base, or 4 where it is none that can be spelt out. Bases come in no order that a branch
/// could foresee.
const BASES: [u8; 256] = {
    let mut codes = [4; 256];
    (codes[b'A' as usize], codes[b'C' as usize]) = (0, 1);
    (codes[b'G' as usize], codes[b'T' as usize]) = (2, 3);
    codes
};

#[inline]
fn base_code(base: u8) -> Option<u32> {
    let code = BASES[usize::from(base)];
    (code < 4).then_some(u32::from(code))
}

/// Whether a key can spell this base out: A, C, G, T.
#[inline]
pub fn is_spelt(base: u8) -> bool {
    base_code(base).is_some()
}

#[inline]
fn spell(reference: &[u8], alternate: &[u8]) -> Option<u32> {
    if let ([one], [other]) = (reference, alternate) {
        return Some((1 << 27) | (1 << 23) | (base_code(*one)? << 21) | (base_code(*other)? << 19));
    }
    spell_several(reference, alternate)
}

fn spell_several(reference: &[u8], alternate: &[u8]) -> Option<u32> {
    if reference.len() + alternate.len() > SPELT_BASES {
        return None;
    }
    let lengths = (u32::try_from(reference.len()).ok()? << 27) | (u32::try_from(alternate.len()).ok()? << 23);
    reference
        .iter()
        .chain(alternate)
        .zip((1..=21).rev().step_by(2))
        .try_fold(lengths, |code, (base, shift)| Some(code | (base_code(*base)? << shift)))
}

fn mix(word: u32, hash: u32) -> u32 {
    let scrambled = word.wrapping_mul(0xcc9e_2d51).rotate_right(17).wrapping_mul(0x1b87_3593);
    (hash ^ scrambled).rotate_right(19).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

/// Hash an allele, six letters of five bits to a word.
fn hash_allele(allele: &[u8]) -> u32 {
    allele.chunks(6).fold(0, |hash, letters| {
        let word = letters.iter().zip([26, 21, 16, 11, 6, 1]).fold(0u32, |word, (letter, shift)| {
            let value =
                if letter.is_ascii_alphabetic() { letter.to_ascii_uppercase() - b'A' + 1 } else { 27 };
            word ^ (u32::from(value) << shift)
        });
        mix(word, hash)
    })
}

fn hash(reference: &[u8], alternate: &[u8]) -> u32 {
    let mut hash = mix(hash_allele(alternate), mix(3, hash_allele(reference)));
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    ((hash ^ (hash >> 16)) >> 1) | 1
}

/// The key of a variant with upper-case alleles at 1-based `pos`, or 0 where there is none.
///
/// There is none for a chromosome code of 0, a position 0, or one that 28 bits cannot hold.
#[inline]
pub fn encode(chromosome: u8, pos: u32, reference: &[u8], alternate: &[u8]) -> u64 {
    let Some(start) = pos.checked_sub(1).filter(|start| *start < POSITIONS) else { return 0 };
    if chromosome == 0 || chromosome > 25 {
        return 0;
    }
    let alleles = spell(reference, alternate).unwrap_or_else(|| hash(reference, alternate));
    (u64::from(chromosome) << BELOW_CHROMOSOME) | (u64::from(start) << 31) | u64::from(alleles)
}

/// Whether a key is of one base in another's place.
#[inline]
pub fn is_single(key: u64) -> bool {
    const LENGTHS: u64 = 0xff << 23 | 1;
    key & LENGTHS == 0x11 << 23
}

/// The code of REF's first base, if the key spells it out.
#[inline]
pub fn spelt_reference(key: u64) -> Option<u8> {
    (key & 1 == 0).then_some((key >> 21) as u8 & 3)
}

/// The code of a chromosome by its name, with or without `chr`; 0 for any other contig.
pub fn chromosome_code(name: &[u8]) -> u8 {
    let name = name.strip_prefix(b"chr").unwrap_or(name);
    match name {
        b"X" => 23,
        b"Y" => 24,
        b"M" | b"MT" => 25,
        [digit @ b'1'..=b'9'] => digit - b'0',
        [b'1', digit @ b'0'..=b'9'] => 10 + digit - b'0',
        [b'2', digit @ b'0'..=b'2'] => 20 + digit - b'0',
        _ => 0,
    }
}

/// The `VariantKey` of one variant; `pos` is 1-based. 0 where there is none.
#[pyfunction]
pub fn variant_key(chromosome: u8, pos: u32, reference: &[u8], alternate: &[u8]) -> u64 {
    encode(chromosome, pos, reference, alternate)
}

/// The `VariantKey` of each variant: chromosome codes, 1-based positions, REF and ALT.
#[pyfunction]
pub fn variant_keys<'py>(
    py: Python<'py>,
    chromosome: PyReadonlyArray1<'py, u8>,
    pos: PyReadonlyArray1<'py, i32>,
    reference: PyTexts<'py>,
    alternate: PyTexts<'py>,
) -> PyResult<Bound<'py, PyArray1<u64>>> {
    let places = chromosome.as_slice()?.iter().zip(pos.as_slice()?).enumerate();
    let (reference, alternate) = (View::of(&reference)?, View::of(&alternate)?);
    let keys: Option<Vec<u64>> = py.detach(|| {
        let key = |(row, (chromosome, pos)): (usize, (&u8, &i32))| {
            let pos = u32::try_from(*pos).unwrap_or(0);
            Some(encode(*chromosome, pos, reference.get(row)?, alternate.get(row)?))
        };
        places.map(key).collect()
    });
    let keys = keys.ok_or_else(|| PyValueError::new_err("each variant has two alleles"))?;
    Ok(keys.into_pyarray(py))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_published_key_comes_out_the_same() {
        assert_eq!(encode(19, 3_323_935, b"A", b"T"), 10_959_892_387_821_256_704);
    }

    #[test]
    fn keys_sort_by_chromosome_then_position() {
        assert!(encode(1, 200, b"A", b"T") < encode(1, 201, b"A", b"C"));
        assert!(encode(9, 200_000_000, b"T", b"G") < encode(10, 1, b"A", b"C"));
    }

    #[test]
    fn long_and_unknown_alleles_are_hashed() {
        assert_eq!(encode(1, 1, b"ACGTACGTACG", b"A") & 1, 1);
        assert_eq!(encode(1, 1, b"N", b"A") & 1, 1);
        assert_eq!(encode(1, 1, b"ACGTACGTAC", b"A") & 1, 0);
    }

    #[test]
    fn what_has_no_key_is_zero() {
        assert_eq!(encode(0, 5, b"A", b"T"), 0);
        assert_eq!(encode(1, 0, b"A", b"T"), 0);
        assert_eq!(encode(1, u32::MAX, b"A", b"T"), 0);
    }

    #[test]
    fn chromosomes_are_known_by_either_name() {
        assert_eq!([&b"chr7"[..], b"22", b"chrM", b"GL1", b"23"].map(chromosome_code), [7, 22, 25, 0, 0]);
    }
}
