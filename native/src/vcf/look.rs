//! What 64 bytes of a VCF are, one bit a byte: 64 compares at once where the processor has them, else 32 or 8.
//!
//! Source: G. Langdale, D. Lemire, "Parsing gigabytes of JSON per second" (VLDB Journal 2019), whose first stage is
//! this one.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

/// Bytes of one look.
pub const LOOK: usize = 64;
const BLANK: u8 = b' ';
const DELETE: u8 = 0x7f;

/// Kinds of bytes to ask for: `equal(byte)`, `from_to(low, high)` and `up_to(high)` answer for all 64 bytes.
///
/// Bit `n` of a mask says whether byte `n` is such a one.
pub trait Kinds {
    fn ask(equal: impl Fn(u8) -> u64, from_to: impl Fn(u8, u8) -> u64, up_to: impl Fn(u8) -> u64) -> Self;
}

/// What lines and columns end with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    pub newline: u64,
    pub tab: u64,
}

/// What outlines are drawn by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inks {
    pub colon: u64,
    pub equals: u64,
    pub digit: u64,
    /// What numbers and lists of them are made of: from a comma to a nine, which takes in a slash.
    pub listed: u64,
    /// What no identifier has: semicolons, blanks and control characters.
    pub unnamed: u64,
}

/// What lines are read by whose outline is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Masks {
    pub newline: u64,
    pub tab: u64,
    pub semicolon: u64,
    pub colon: u64,
    pub digit: u64,
    pub point: u64,
    pub comma: u64,
    pub minus: u64,
    pub equals: u64,
    /// Blanks and control characters, tabs and newlines among them.
    pub odd: u64,
}

impl Kinds for Ends {
    #[inline(always)]
    fn ask(equal: impl Fn(u8) -> u64, _: impl Fn(u8, u8) -> u64, _: impl Fn(u8) -> u64) -> Self {
        Self { newline: equal(b'\n'), tab: equal(b'\t') }
    }
}

impl Kinds for Inks {
    #[inline(always)]
    fn ask(equal: impl Fn(u8) -> u64, from_to: impl Fn(u8, u8) -> u64, up_to: impl Fn(u8) -> u64) -> Self {
        Self {
            colon: equal(b':'),
            equals: equal(b'='),
            digit: from_to(b'0', b'9'),
            listed: from_to(b',', b'9'),
            unnamed: up_to(BLANK) | equal(DELETE) | equal(b';'),
        }
    }
}

impl Kinds for Masks {
    #[inline(always)]
    fn ask(equal: impl Fn(u8) -> u64, from_to: impl Fn(u8, u8) -> u64, up_to: impl Fn(u8) -> u64) -> Self {
        Self {
            newline: equal(b'\n'),
            tab: equal(b'\t'),
            semicolon: equal(b';'),
            colon: equal(b':'),
            digit: from_to(b'0', b'9'),
            point: equal(b'.'),
            comma: equal(b','),
            minus: equal(b'-'),
            equals: equal(b'='),
            odd: up_to(BLANK) | equal(DELETE),
        }
    }
}

/// On any processor: eight bytes to a word, each 0 or 1, and a multiplication that brings them together.
#[inline(always)]
pub fn look<K: Kinds>(bytes: &[u8; LOOK]) -> K {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let gather = |is: &dyn Fn(u8) -> bool| {
        bytes.chunks_exact(8).rev().fold(0u64, |mask, eight| {
            let word = eight.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(is(*byte)));
            mask << 8 | word.wrapping_mul(GATHER) >> 56
        })
    };
    K::ask(
        |wanted| gather(&|byte| byte == wanted),
        |low, high| gather(&|byte| (low..=high).contains(&byte)),
        |high| gather(&|byte| byte <= high),
    )
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub fn look_256<K: Kinds>(bytes: &[u8; LOOK]) -> K {
    // SAFETY: both loads lie within the 64 bytes, and need no alignment.
    let halves = unsafe {
        let start = bytes.as_ptr().cast::<__m256i>();
        [_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1))]
    };
    let splat = |byte: u8| _mm256_set1_epi8(byte.cast_signed());
    let join = |of: [__m256i; 2]| {
        let [low, high] = of.map(|found| u64::from(_mm256_movemask_epi8(found).cast_unsigned()));
        high << 32 | low
    };
    let below = |one: __m256i, bound: u8| _mm256_cmpeq_epi8(_mm256_min_epu8(one, splat(bound)), one);
    K::ask(
        |wanted| join(halves.map(|half| _mm256_cmpeq_epi8(half, splat(wanted)))),
        |low, high| join(halves.map(|half| below(_mm256_sub_epi8(half, splat(low)), high - low))),
        |high| join(halves.map(|half| below(half, high))),
    )
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub fn look_512<K: Kinds>(bytes: &[u8; LOOK]) -> K {
    // SAFETY: the load is of the 64 bytes, and needs no alignment.
    let all = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let splat = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
    K::ask(
        |wanted| _mm512_cmpeq_epi8_mask(all, splat(wanted)),
        |low, high| _mm512_cmple_epu8_mask(_mm512_sub_epi8(all, splat(low)), splat(high - low)),
        |high| _mm512_cmple_epu8_mask(all, splat(high)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte.
    fn slowly<K: Kinds>(bytes: &[u8; LOOK]) -> K {
        let of = |is: &dyn Fn(u8) -> bool| {
            let places = bytes.iter().enumerate().filter(|(_, byte)| is(**byte));
            places.fold(0u64, |mask, (place, _)| mask | 1 << place)
        };
        K::ask(
            |wanted| of(&|byte| byte == wanted),
            |low, high| of(&|byte| (low..=high).contains(&byte)),
            |high| of(&|byte| byte <= high),
        )
    }

    fn every_way_sees_the_same<K: Kinds + PartialEq + std::fmt::Debug>() {
        for first in 0..=u8::MAX {
            for step in [1u8, 7, 64, 129] {
                let bytes: [u8; LOOK] =
                    std::array::from_fn(|place| first.wrapping_add(step.wrapping_mul(place as u8)));
                let expected: K = slowly(&bytes);
                assert_eq!(look::<K>(&bytes), expected);
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx2") {
                        // SAFETY: the instructions were just found.
                        assert_eq!(unsafe { look_256::<K>(&bytes) }, expected);
                    }
                    if is_x86_feature_detected!("avx512bw") {
                        // SAFETY: the instructions were just found.
                        assert_eq!(unsafe { look_512::<K>(&bytes) }, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn every_way_to_look_sees_every_byte_at_every_place_as_one_by_one() {
        every_way_sees_the_same::<Ends>();
        every_way_sees_the_same::<Inks>();
        every_way_sees_the_same::<Masks>();
    }

    #[test]
    fn each_byte_is_of_its_kinds() {
        let bytes: [u8; LOOK] =
            std::array::from_fn(|place| *b"\n\t;:0.,-=/ 9a\x7f".get(place).unwrap_or(&b'A'));
        let (ends, inks, masks): (Ends, Inks, Masks) = (look(&bytes), look(&bytes), look(&bytes));
        let of = |kinds: &[u8]| {
            (0..LOOK).filter(|at| kinds.contains(&bytes[*at])).fold(0, |mask, at| mask | 1 << at)
        };
        assert_eq!((ends.newline, ends.tab), (of(b"\n"), of(b"\t")));
        assert_eq!((inks.colon, inks.equals, inks.digit), (of(b":"), of(b"="), of(b"09")));
        assert_eq!((inks.listed, inks.unnamed), (of(b",-./09"), of(b"; \n\t\x7f")));
        assert_eq!((masks.newline, masks.tab, masks.semicolon), (of(b"\n"), of(b"\t"), of(b";")));
        assert_eq!((masks.colon, masks.digit, masks.point), (of(b":"), of(b"09"), of(b".")));
        assert_eq!((masks.comma, masks.minus, masks.equals), (of(b","), of(b"-"), of(b"=")));
        assert_eq!(masks.odd, of(b" \n\t\x7f"));
    }
}
