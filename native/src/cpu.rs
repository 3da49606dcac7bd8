//! One function, compiled for several instruction sets; the widest that this processor has is called.

/// Whether 512-bit vectors of bytes and long words are there, which can be closed up and whose bits can be counted, with
/// the bit counting that came before them.
#[cfg(target_arch = "x86_64")]
pub fn has_avx512() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vpopcntdq")
        && is_x86_feature_detected!("avx512vbmi2")
        && has_avx2()
}

/// Whether 256-bit vectors are there, with fused multiplication and all the bit instructions that came with them.
#[cfg(target_arch = "x86_64")]
pub fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("popcnt")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

/// Have bytes brought to the second-level cache while something else is worked on: the processor itself looks no further
/// ahead than a page. Changes nothing but time.
#[inline(always)]
pub fn ask_for(bytes: &[u8]) {
    for line in bytes.chunks(64) {
        ask::<SECOND_LEVEL>(line.as_ptr());
    }
}

/// As `ask_for`, of the line that an address is in, to the first-level cache: it is needed soon.
#[inline(always)]
pub fn ask_for_line(address: *const u8) {
    ask::<FIRST_LEVEL>(address);
}

/// What x86-64 calls T0 and T1.
const FIRST_LEVEL: i32 = 3;
const SECOND_LEVEL: i32 = 2;

#[inline(always)]
fn ask<const LEVEL: i32>(address: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 has this instruction; it reads nothing, and any address is allowed.
    unsafe {
        std::arch::x86_64::_mm_prefetch::<LEVEL>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// Define a function that calls `$plain`, an `#[inline(always)]` function, compiled for what is there.
///
/// The compiler vectorises within the rules of the language, so that all of them give the same bits.
macro_rules! widest {
    ($(#[$note:meta])* $vis:vis fn $name:ident($($argument:ident: $type:ty),*) $(-> $output:ty)? => $plain:path) => {
        $(#[$note])*
        $vis fn $name($($argument: $type),*) $(-> $output)? {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,avx2,fma,popcnt,bmi1,bmi2")]
                fn with_512($($argument: $type),*) $(-> $output)? {
                    $plain($($argument),*)
                }
                #[target_feature(enable = "avx2,fma,popcnt,bmi1,bmi2")]
                fn with_256($($argument: $type),*) $(-> $output)? {
                    $plain($($argument),*)
                }
                if $crate::cpu::has_avx512() {
                    // SAFETY: these instructions were just found.
                    return unsafe { with_512($($argument),*) };
                }
                if $crate::cpu::has_avx2() {
                    // SAFETY: these instructions were just found.
                    return unsafe { with_256($($argument),*) };
                }
            }
            $plain($($argument),*)
        }
    };
}

pub(crate) use widest;
