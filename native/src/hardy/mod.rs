//! The exact test of Hardy–Weinberg proportions (Wigginton, Cutler, Abecasis, AJHG 2005).
//!
//! Given the allele counts, how many people are heterozygous has a distribution with one peak. Likelihoods are taken
//! relative to that peak, and follow from one another by a product. How much all of them are together need not be summed
//! up: it is what the peak's own probability says, by Stirling's series. So for most variants only those likelier than
//! what was seen are walked over, a few steps around the peak. Sums, products and roots only: every processor gives the
//! same bits.

mod stirling;

use std::marker::PhantomData;

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::widest;
use stirling::{distances, exponential_near_zero, stirling, MANY};

/// Probabilities this close count as equally likely: they differ by rounding only.
const SLACK: f64 = 1e-8;
/// A term this much smaller than the sum can no longer be seen in it, nor what follows it.
const UNSEEN: f64 = 1e-18;
/// Where less than this is outside, it is summed up itself: a difference from one would lose digits.
const LITTLE: f64 = 0.01;

/// A possible table of genotypes, all with the same alleles.
#[derive(Clone, Copy)]
struct Genotypes {
    /// Homozygotes of the rarer allele.
    few: f64,
    heterozygous: f64,
    /// Homozygotes of the commoner allele.
    many: f64,
}

/// A direction to walk in: each has code of its own, so that no step asks which it is.
trait Side {
    type Other: Side;
    /// Rare homozygotes that a step adds; it takes away twice as many heterozygotes.
    const STEP: f64;

    /// How likely the next table is beside this one: zero where there is none.
    fn next(from: Genotypes) -> f64;
}

/// Towards fewer heterozygotes.
struct Fewer;

/// Towards more heterozygotes.
struct More;

impl Side for Fewer {
    type Other = More;
    const STEP: f64 = 1.0;

    #[inline(always)]
    fn next(Genotypes { few, heterozygous, many }: Genotypes) -> f64 {
        heterozygous * (heterozygous - 1.0) / (4.0 * (few + 1.0) * (many + 1.0))
    }
}

impl Side for More {
    type Other = Fewer;
    const STEP: f64 = -1.0;

    #[inline(always)]
    fn next(Genotypes { few, heterozygous, many }: Genotypes) -> f64 {
        4.0 * few * many / ((heterozygous + 2.0) * (heterozygous + 1.0))
    }
}

impl Genotypes {
    /// The table some steps further.
    #[inline(always)]
    fn further<S: Side>(self, steps: f64) -> Self {
        let Self { few, heterozygous, many } = self;
        let step = S::STEP * steps;
        Self { few: few + step, heterozygous: heterozygous - 2.0 * step, many: many + step }
    }

    /// The likeliest table of these alleles; of two that are as likely the one with fewer heterozygotes.
    #[inline(always)]
    fn likeliest(self) -> Self {
        let (rare, common) = (2.0 * self.few + self.heterozygous, 2.0 * self.many + self.heterozygous);
        let near = (rare * common / (rare + common)) as i64;
        // What is not heterozygous makes up pairs.
        let heterozygous = (near + (near ^ rare as i64) % 2) as f64;
        let mut peak =
            Self { few: (rare - heterozygous) / 2.0, heterozygous, many: (common - heterozygous) / 2.0 };
        while More::next(peak) >= 1.0 + SLACK {
            peak = peak.further::<More>(1.0);
        }
        while Fewer::next(peak) >= 1.0 - SLACK {
            peak = peak.further::<Fewer>(1.0);
        }
        peak
    }

    /// The likelihoods of all tables, relative to this one, which is the peak.
    #[inline(always)]
    fn all(self) -> f64 {
        if self.few >= MANY {
            return self.chance().recip();
        }
        let (fewer, more) = (Walk::<Fewer>::new(self), Walk::<More>::new(self));
        fewer.rest() + more.rest() - 1.0
    }

    /// The probability of this table near the peak: every factorial by Stirling's series, and the powers in them by how
    /// far each count is from what the alleles let expect.
    #[inline(always)]
    fn chance(self) -> f64 {
        let Self { few, heterozygous, many } = self;
        let (rare, common) = (2.0 * few + heterozygous, 2.0 * many + heterozygous);
        let alleles = rare + common;
        let expected = [rare * rare, 2.0 * rare * common, common * common].map(|one| one / (2.0 * alleles));
        let far: f64 = distances([few, heterozygous, many], expected).iter().sum();
        let corrections = stirling([alleles / 2.0, rare, common, few, heterozygous, many, alleles]);
        let (above, below) = corrections.split_at(3);
        let root = (rare * common / (4.0 * std::f64::consts::PI * few * heterozygous * many)).sqrt();
        let [chance] = exponential_near_zero([above.iter().sum::<f64>() - below.iter().sum::<f64>() - far]);
        root * chance
    }
}

/// A walk over tables away from the peak.
struct Walk<S: Side> {
    at: Genotypes,
    likelihood: f64,
    /// The likelihoods of all tables from the peak up to, not including, this one.
    passed: f64,
    side: PhantomData<S>,
}

impl<S: Side> Walk<S> {
    #[inline(always)]
    fn new(peak: Genotypes) -> Self {
        Self { at: peak, likelihood: 1.0, passed: 0.0, side: PhantomData }
    }

    #[inline(always)]
    fn go_one(&mut self) {
        self.passed += self.likelihood;
        self.likelihood *= S::next(self.at);
        self.at = self.at.further::<S>(1.0);
    }

    /// Where four steps lead, none of which waits for the one before.
    #[inline(always)]
    fn four_ahead(&self) -> Self {
        let [first, second, third, fourth] =
            [0.0, 1.0, 2.0, 3.0].map(|steps| S::next(self.at.further::<S>(steps)));
        let two = first * second;
        Self {
            at: self.at.further::<S>(4.0),
            likelihood: self.likelihood * (two * (third * fourth)),
            passed: self.passed + self.likelihood * (1.0 + first + (two + two * third)),
            side: PhantomData,
        }
    }

    #[inline(always)]
    fn go(&mut self, mut steps: i64) {
        while steps >= 4 {
            *self = self.four_ahead();
            steps -= 4;
        }
        (0..steps).for_each(|_| self.go_one());
    }

    /// Go on until a table is no likelier than `least`.
    #[inline(always)]
    fn go_while_above(&mut self, least: f64) {
        loop {
            let ahead = self.four_ahead();
            if ahead.likelihood <= least {
                break;
            }
            *self = ahead;
        }
        while self.likelihood > least {
            self.go_one();
        }
    }

    /// All likelihoods from here on, until they can no longer be seen.
    #[inline(always)]
    fn rest(mut self) -> f64 {
        self.passed = 0.0;
        let least = self.likelihood * UNSEEN;
        while self.likelihood > least {
            self = self.four_ahead();
        }
        self.passed
    }
}

/// The chance of tables at most as likely as the one seen, given the allele counts; `mid` counts those that are as likely
/// by half (Graffelman and Moreno, Stat. Appl. Genet. Mol. Biol. 2013).
#[inline(always)]
fn exact_p(homozygous: i64, heterozygous: i64, other_homozygous: i64, mid: bool) -> f64 {
    let seen = Genotypes {
        few: homozygous.min(other_homozygous) as f64,
        heterozygous: heterozygous as f64,
        many: homozygous.max(other_homozygous) as f64,
    };
    if seen.few + seen.heterozygous == 0.0 {
        return if mid { 0.5 } else { 1.0 };
    }
    let peak = seen.likeliest();
    let p = if seen.heterozygous < peak.heterozygous {
        chance_outside::<Fewer>(seen, peak, mid)
    } else {
        chance_outside::<More>(seen, peak, mid)
    };
    p.clamp(f64::MIN_POSITIVE, 1.0)
}

/// The same, where what was seen lies on one side of the peak.
#[inline(always)]
fn chance_outside<S: Side>(seen: Genotypes, peak: Genotypes, mid: bool) -> f64 {
    // (1) From the peak to what was seen.
    let mut near = Walk::<S>::new(peak);
    near.go((seen.heterozygous - peak.heterozygous).abs() as i64 / 2);
    if near.likelihood == 0.0 {
        return 0.0;
    }
    let (limit, tied) = (near.likelihood * (1.0 + SLACK), near.likelihood * (1.0 - SLACK));
    let half = |other: f64| match mid {
        true => (near.likelihood + if other >= tied { other } else { 0.0 }) / 2.0,
        false => 0.0,
    };
    let all = peak.all();
    if limit >= 1.0 {
        // As likely as the peak: nothing is likelier, and a second peak could only have more heterozygotes.
        let on_peak = seen.heterozygous == peak.heterozygous;
        return (all - half(if on_peak { More::next(peak) } else { 1.0 })) / all;
    }
    // (2) From the peak the other way, while tables are likelier.
    let mut beyond = Walk::<S::Other>::new(peak);
    beyond.go_while_above(limit);
    let likelier = near.passed + beyond.passed - 1.0;
    let half = half(beyond.likelihood);
    // (3) What is left of all; or, where that is little, what is on both sides.
    let left = if likelier <= (1.0 - LITTLE) * all { all - likelier } else { near.rest() + beyond.rest() };
    (left - half) / all
}

widest! {
    fn exact_ps(counts: &[i64], mid: bool) -> Vec<f64> => exact_ps_anywhere
}

#[inline(always)]
fn exact_ps_anywhere(counts: &[i64], mid: bool) -> Vec<f64> {
    counts.as_chunks::<4>().0.iter().map(|[one, het, other, _]| exact_p(*one, *het, *other, mid)).collect()
}

/// Exact p, or mid-p, for rows of genotype counts (hom-ref, het, hom-alt, missing).
#[pyfunction]
pub fn hardy_weinberg<'py>(
    py: Python<'py>,
    counts: PyReadonlyArray2<'py, i64>,
    mid: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    if counts.shape()[1] != 4 || counts.as_slice()?.iter().any(|count| *count < 0) {
        return Err(PyValueError::new_err("genotype counts have four columns and none is negative"));
    }
    let rows = counts.as_slice()?;
    Ok(py.detach(|| exact_ps(rows, mid)).into_pyarray(py))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sum up everything, from the table without a rare homozygote, or with one, on.
    fn slow(homozygous: i64, heterozygous: i64, other_homozygous: i64, mid: bool) -> f64 {
        let rare = 2 * homozygous.min(other_homozygous) + heterozygous;
        let people = homozygous + heterozygous + other_homozygous;
        let mut at = Genotypes {
            few: (rare / 2) as f64,
            heterozygous: (rare % 2) as f64,
            many: (people - rare / 2 - rare % 2) as f64,
        };
        // Logarithms: at one end of a long distribution everything would be zero.
        let mut likelihoods = vec![(at.heterozygous, 0.0f64)];
        while at.few > 0.0 {
            let last = likelihoods.last().map_or(0.0, |(_, value)| *value);
            let likelihood = last + More::next(at).ln();
            at = at.further::<More>(1.0);
            likelihoods.push((at.heterozygous, likelihood));
        }
        let most = likelihoods.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
        let seen = likelihoods
            .iter()
            .find(|(het, _)| *het == heterozygous as f64)
            .map_or(f64::NAN, |(_, value)| *value);
        let sum = |keep: &dyn Fn(f64) -> f64| -> f64 {
            likelihoods.iter().map(|(_, value)| keep(value - seen) * (value - most).exp()).sum()
        };
        let tied = if mid { 0.5 } else { 1.0 };
        let less = sum(&|apart| {
            if apart < -SLACK {
                1.0
            } else if apart <= SLACK {
                tied
            } else {
                0.0
            }
        });
        less / sum(&|_| 1.0)
    }

    #[test]
    fn what_is_not_summed_up_is_what_summing_gives() {
        let mut state = 1u64;
        let mut below = |most: i64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as i64 % most
        };
        for round in 0..4000 {
            let (many, near) = (below(6000), round % 2 == 0);
            // Far from the proportions, and near them.
            let few = below(1 + many.min(1 + 30 * i64::from(round % 100)));
            let even = 2 * ((few * many) as f64).sqrt() as i64;
            let heterozygous = if near { (even + below(40) - 20).max(0) } else { below(2 + 2 * even) };
            for mid in [false, true] {
                let (found, expected) =
                    (exact_p(few, heterozygous, many, mid), slow(many, heterozygous, few, mid));
                assert_eq!(exact_ps(&[many, heterozygous, few, 7], mid), [found]);
                let same = expected < 1e-300 || (found / expected - 1.0).abs() < 1e-9;
                assert!(same, "{few} {heterozygous} {many}: {found:e} is not {expected:e}");
            }
        }
    }

    #[test]
    fn small_tables_have_the_chances_that_counting_gives() {
        // Two people, two alleles of each kind: both heterozygous in 2 of 3 arrangements.
        assert!((exact_p(1, 0, 1, false) - 1.0 / 3.0).abs() < 1e-12);
        assert!((exact_p(0, 2, 0, false) - 1.0).abs() < 1e-12);
        assert_eq!(exact_p(10, 0, 0, false), 1.0);
        assert_eq!(exact_p(0, 0, 0, false), 1.0);
    }

    #[test]
    fn mid_p_counts_what_was_seen_by_half() {
        assert!((exact_p(1, 0, 1, true) - 1.0 / 6.0).abs() < 1e-12);
        assert!((exact_p(0, 2, 0, true) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(exact_p(10, 0, 0, true), 0.5);
    }
}
