//! The ones of a word, or the bytes that they stand at, closed up: all at once where the processor has that.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::*;

use super::look::LOOK;

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

/// See `Eyes::close_up`; for tests, which try what is drawn on any processor.
#[cfg(test)]
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
}
