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

/// One way to look.
pub trait Eyes {
    fn look(&self, bytes: &[u8; LOOK]) -> Masks;

    /// Whether outlines are worth drawing with these eyes: one by one, it takes longer than reading.
    const DRAW: bool;

    /// Write where the ones of a word stand, ascending, from `start` on; what is written behind them means nothing.
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]);

    /// Write the bytes of a look that are `kept`, closed up, those of `zeros` as 0; what is written behind them means
    /// nothing.
    fn close_up(&self, _bytes: &[u8; LOOK], _zeros: u64, _kept: u64, _out: &mut [u8; LOOK]) {}
}

impl<L, P> Eyes for (L, P)
where
    L: Fn(&[u8; LOOK]) -> Masks,
    P: Fn(u64, u16, &mut [u16; LOOK]),
{
    const DRAW: bool = false;

    #[inline(always)]
    fn look(&self, bytes: &[u8; LOOK]) -> Masks {
        self.0(bytes)
    }

    #[inline(always)]
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]) {
        self.1(word, start, out);
    }
}

impl<L, P, C> Eyes for (L, P, C)
where
    L: Fn(&[u8; LOOK]) -> Masks,
    P: Fn(u64, u16, &mut [u16; LOOK]),
    C: Fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]),
{
    const DRAW: bool = true;

    #[inline(always)]
    fn look(&self, bytes: &[u8; LOOK]) -> Masks {
        self.0(bytes)
    }

    #[inline(always)]
    fn list(&self, word: u64, start: u16, out: &mut [u16; LOOK]) {
        self.1(word, start, out);
    }

    #[inline(always)]
    fn close_up(&self, bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]) {
        self.2(bytes, zeros, kept, out);
    }
}

type Look = fn(&[u8; LOOK]) -> Masks;
type List = fn(u64, u16, &mut [u16; LOOK]);
type CloseUp = fn(&[u8; LOOK], u64, u64, &mut [u8; LOOK]);
/// Without any instructions that a processor may lack.
pub const PORTABLE: (Look, List, CloseUp) = (look, places, close_up);

impl Masks {
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

/// See `Eyes::list`.
#[inline(always)]
pub fn places(word: u64, start: u16, out: &mut [u16; LOOK]) {
    let mut left = word;
    for place in out {
        if left == 0 {
            break;
        }
        *place = start.wrapping_add(left.trailing_zeros() as u16);
        left &= left - 1;
    }
}

/// As `places`, all at once: a loop that ends at a guess takes longer than what it does.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
#[inline]
pub fn places_512(word: u64, start: u16, out: &mut [u16; LOOK]) {
    const NUMBERS: [u8; LOOK] = {
        let mut numbers = [0; LOOK];
        let mut place = 0;
        while place < LOOK {
            numbers[place] = place as u8;
            place += 1;
        }
        numbers
    };
    // SAFETY: the load is of the 64 bytes, and needs no alignment.
    let numbers = unsafe { _mm512_loadu_si512(NUMBERS.as_ptr().cast()) };
    let ones = _mm512_maskz_compress_epi8(word, numbers);
    let from_start = _mm512_set1_epi16(start.cast_signed());
    let (low, high) = out.split_at_mut(LOOK / 2);
    let places = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(ones)), from_start);
    // SAFETY: a half of the places is 64 bytes long, and the half of that is 32; a store needs no alignment.
    unsafe { _mm256_storeu_si256(low.as_mut_ptr().cast(), _mm512_castsi512_si256(places)) };
    if word.count_ones() > 16 {
        let behind = _mm512_add_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(ones, 1)), from_start);
        // SAFETY: as above.
        unsafe {
            _mm512_storeu_si512(low.as_mut_ptr().cast(), places);
            _mm512_storeu_si512(high.as_mut_ptr().cast(), behind);
        }
    }
}

/// See `Eyes::close_up`.
#[inline(always)]
pub fn close_up(bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]) {
    let (mut left, mut free) = (kept, out.iter_mut());
    while let Some(free) = free.next().filter(|_| left != 0) {
        let place = left.trailing_zeros() as usize;
        *free = if zeros >> place & 1 == 1 { b'0' } else { bytes[place] };
        left &= left - 1;
    }
}

/// As `close_up`, all at once.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
#[inline]
pub fn close_up_512(bytes: &[u8; LOOK], zeros: u64, kept: u64, out: &mut [u8; LOOK]) {
    // SAFETY: the load is of the 64 bytes, and needs no alignment.
    let all = unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    let outlined = _mm512_mask_blend_epi8(zeros, all, _mm512_set1_epi8(b'0'.cast_signed()));
    // SAFETY: the store is of the 64 bytes, and needs no alignment.
    unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), _mm512_maskz_compress_epi8(kept, outlined)) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_list_places_lists_those_of_the_ones() {
        let mut word = 1u64;
        for round in 0..2000u16 {
            word = match round {
                0 => 0,
                1 => u64::MAX,
                _ => word.rotate_left(7).wrapping_mul(0x2545_F491_4F6C_DD1D) ^ u64::from(round),
            };
            // Few ones as well as many.
            let word = if round % 3 == 0 { word & word >> 3 & word >> 7 } else { word };
            let expected: Vec<u16> =
                (0..64).filter(|bit| word >> bit & 1 == 1).map(|bit| round + bit).collect();
            let mut found = [0; LOOK];
            places(word, round, &mut found);
            assert_eq!(&found[..expected.len()], expected);
            #[cfg(target_arch = "x86_64")]
            if crate::cpu::has_avx512() {
                // SAFETY: the instructions were just found.
                unsafe { places_512(word, round, &mut found) };
                assert_eq!(&found[..expected.len()], expected);
            }
        }
    }

    #[test]
    fn every_way_to_close_up_keeps_the_same_bytes() {
        let bytes: [u8; LOOK] = std::array::from_fn(|place| b'A' + place as u8);
        let mut word = 1u64;
        for round in 0..2000u32 {
            word = word.rotate_left(7).wrapping_mul(0x2545_F491_4F6C_DD1D) ^ u64::from(round);
            let (zeros, kept) = (word, [word.rotate_left(round), 0, u64::MAX][round as usize % 3]);
            let ones = (0..LOOK).filter(|place| kept >> place & 1 == 1);
            let expected: Vec<u8> =
                ones.map(|place| if zeros >> place & 1 == 1 { b'0' } else { bytes[place] }).collect();
            let mut found = [0; LOOK];
            close_up(&bytes, zeros, kept, &mut found);
            assert_eq!(&found[..expected.len()], expected);
            #[cfg(target_arch = "x86_64")]
            if crate::cpu::has_avx512() {
                // SAFETY: the instructions were just found.
                unsafe { close_up_512(&bytes, zeros, kept, &mut found) };
                assert_eq!(&found[..expected.len()], expected);
            }
        }
    }

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
