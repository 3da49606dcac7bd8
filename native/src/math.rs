//! Elementary functions from sums and products only: they vectorise, and every processor gives the same bits.

/// e^x for every x within ±700, to the last digits; written so that it vectorises.
#[inline(always)]
pub fn exponential(x: f64) -> f64 {
    const SHIFT: f64 = 6_755_399_441_055_744.0; // 1.5 · 2^52: adding it rounds to a whole number in the low bits
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let shifted = x * std::f64::consts::LOG2_E + SHIFT;
    let whole = shifted - SHIFT;
    let rest = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    let mut sum = 1.0 / 6_227_020_800.0;
    for factor in [
        479_001_600.0,
        39_916_800.0,
        3_628_800.0,
        362_880.0,
        40_320.0,
        5_040.0,
        720.0,
        120.0,
        24.0,
        6.0,
        2.0,
        1.0,
        1.0,
    ] {
        sum = sum * rest + 1.0 / factor;
    }
    f64::from_bits(sum.to_bits().wrapping_add(shifted.to_bits() << 52))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_the_last_digits() {
        for step in -7000..=7000 {
            let x = f64::from(step) * 0.0999;
            assert!((exponential(x) / x.exp() - 1.0).abs() < 1e-14, "{x}");
        }
    }
}
