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

/// Bit `n` of a mask says whether byte `n` is such a one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
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
    /// What numbers and lists of them are made of: from a comma to a nine, which takes in a slash.
    pub listed: u64,
    /// Blanks and control characters, tabs and newlines among them.
    pub odd: u64,
}

impl Masks {
    /// What a value stands behind: of INFO an equals sign, of a sample a colon.
    #[inline(always)]
    pub fn begins(&self) -> u64 {
        self.equals | self.colon
    }

    /// Ask for each kind; `equal(byte)`, `from_to(low, high)` and `up_to(high)` answer for all 64 bytes.
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
            listed: from_to(b',', b'9'),
            odd: up_to(BLANK) | equal(DELETE),
        }
    }
}

/// On any processor: eight bytes to a word, each 0 or 1, and a multiplication that brings them together.
#[inline(always)]
pub fn look(bytes: &[u8; LOOK]) -> Masks {
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let gather = |is: &dyn Fn(u8) -> bool| {
        bytes.chunks_exact(8).rev().fold(0u64, |mask, eight| {
            let word = eight.iter().rev().fold(0u64, |word, byte| word << 8 | u64::from(is(*byte)));
            mask << 8 | word.wrapping_mul(GATHER) >> 56
        })
    };
    Masks::ask(
        |wanted| gather(&|byte| byte == wanted),
        |low, high| gather(&|byte| (low..=high).contains(&byte)),
        |high| gather(&|byte| byte <= high),
    )
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
#[inline]
pub fn look_256(bytes: &[u8; LOOK]) -> Masks {
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
    Masks::ask(
        |wanted| join(halves.map(|half| _mm256_cmpeq_epi8(half, splat(wanted)))),
        |low, high| join(halves.map(|half| below(_mm256_sub_epi8(half, splat(low)), high - low))),
        |high| join(halves.map(|half| below(half, high))),
    )
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
pub fn look_512(bytes: &[u8; LOOK]) -> Masks {
    // SAFETY: the load is of the 64 bytes, and needs no alignment.
    let all = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let splat = |byte: u8| _mm512_set1_epi8(byte.cast_signed());
    Masks::ask(
        |wanted| _mm512_cmpeq_epi8_mask(all, splat(wanted)),
        |low, high| _mm512_cmple_epu8_mask(_mm512_sub_epi8(all, splat(low)), splat(high - low)),
        |high| _mm512_cmple_epu8_mask(all, splat(high)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Byte by byte.
    fn slowly(bytes: &[u8; LOOK]) -> Masks {
        let of = |is: fn(u8) -> bool| {
            let places = bytes.iter().enumerate().filter(|(_, byte)| is(**byte));
            places.fold(0u64, |mask, (place, _)| mask | 1 << place)
        };
        Masks {
            newline: of(|byte| byte == b'\n'),
            tab: of(|byte| byte == b'\t'),
            semicolon: of(|byte| byte == b';'),
            colon: of(|byte| byte == b':'),
            digit: of(|byte| byte.is_ascii_digit()),
            point: of(|byte| byte == b'.'),
            comma: of(|byte| byte == b','),
            minus: of(|byte| byte == b'-'),
            equals: of(|byte| byte == b'='),
            listed: of(|byte| b",-./0123456789".contains(&byte)),
            odd: of(|byte| byte == b' ' || byte.is_ascii_control()),
        }
    }

    #[test]
    fn every_way_to_look_sees_every_byte_at_every_place_as_one_by_one() {
        for first in 0..=u8::MAX {
            for step in [1u8, 7, 64, 129] {
                let bytes: [u8; LOOK] =
                    std::array::from_fn(|place| first.wrapping_add(step.wrapping_mul(place as u8)));
                let expected = slowly(&bytes);
                assert_eq!(look(&bytes), expected);
                #[cfg(target_arch = "x86_64")]
                {
                    if is_x86_feature_detected!("avx2") {
                        // SAFETY: the instructions were just found.
                        assert_eq!(unsafe { look_256(&bytes) }, expected);
                    }
                    if is_x86_feature_detected!("avx512bw") {
                        // SAFETY: the instructions were just found.
                        assert_eq!(unsafe { look_512(&bytes) }, expected);
                    }
                }
            }
        }
    }
}
