//! The exact test of Hardy–Weinberg proportions (Wigginton, Cutler, Abecasis, AJHG 2005).

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// Probabilities this close count as equally likely: they differ by rounding only.
const SLACK: f64 = 1e-8;

/// The chance of heterozygote counts at most as likely as the one seen, given the allele counts; `mid` counts those that
/// are as likely by half (Graffelman and Moreno, Stat. Appl. Genet. Mol. Biol. 2013).
fn exact_p(homozygous: i64, heterozygous: i64, other_homozygous: i64, mid: bool) -> f64 {
    let (rare_seen, common_seen) =
        (homozygous.min(other_homozygous) as f64, homozygous.max(other_homozygous) as f64);
    let seen = heterozygous as f64;
    let people = rare_seen + common_seen + seen;
    let rare = 2.0 * rare_seen + seen;
    if people == 0.0 || rare == 0.0 {
        return if mid { 0.5 } else { 1.0 };
    }
    // Start where the distribution peaks, so that nothing overflows: relative likelihood 1 there.
    let mut peak = (rare * (2.0 * people - rare) / (2.0 * people)).floor();
    if (peak as i64 - rare as i64) % 2 != 0 {
        peak += 1.0;
    }
    let homozygotes = |het: f64| ((rare - het) / 2.0, people - het - (rare - het) / 2.0);
    // Walk from the peak to `seen` to learn its likelihood, then sum everything that is no likelier.
    let down = |het: f64| {
        let (few, many) = homozygotes(het);
        het * (het - 1.0) / (4.0 * (few + 1.0) * (many + 1.0))
    };
    let up = |het: f64| {
        let (few, many) = homozygotes(het);
        4.0 * few * many / ((het + 2.0) * (het + 1.0))
    };
    let (mut at, mut likelihood) = (peak, 1.0);
    while at > seen {
        likelihood *= down(at);
        at -= 2.0;
    }
    while at < seen {
        likelihood *= up(at);
        at += 2.0;
    }
    let limit = likelihood * (1.0 + SLACK);
    let tied = likelihood * (1.0 - SLACK);
    let part = |value: f64| match value {
        value if value > limit => 0.0,
        value if mid && value >= tied => 0.5 * value,
        value => value,
    };
    let (mut total, mut tail) = (1.0, part(1.0));
    for direction in [-2.0, 2.0] {
        let (mut het, mut value) = (peak, 1.0);
        loop {
            value *= if direction < 0.0 { down(het) } else { up(het) };
            het += direction;
            if value <= 0.0 || het < 0.0 || het > rare {
                break;
            }
            total += value;
            if value <= limit {
                tail += part(value);
                // What follows only shrinks, and can no longer be seen.
                if value < tail * 1e-17 {
                    break;
                }
            }
        }
    }
    (tail / total).clamp(f64::MIN_POSITIVE, 1.0)
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
    let values: Vec<f64> =
        py.detach(|| rows.chunks_exact(4).map(|row| exact_p(row[0], row[1], row[2], mid)).collect());
    Ok(values.into_pyarray(py))
}

#[cfg(test)]
mod tests {
    use super::*;

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
