//! Logistic regression of case or control on each variant: a score test of all, exact estimates of what it picks out.
//!
//! The null model is fitted once, by the caller. The score test then needs sums over the carriers of each variant, which
//! are looked up (`walk`). Variants that pass are fitted exactly, by Newton's method from where one step of it leads, and
//! by Firth's penalised likelihood where maximum likelihood has no finite answer. Missing genotypes leave a variant's
//! regression: exactly in the fits; in the score test by one step from the null model of everybody.

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cpu::widest;
use crate::logistic_fit::{Estimate, Fitter, Method, Problem};
use crate::math::exponential;
use crate::packing::rows_of;
use crate::symmetric::{cholesky, dot, forward_solve};
use crate::threads::{in_threads, shares};
use crate::walk::{row_sums, rows_together, Lanes, Oriented, Sums, Weights, LANES};

/// Below this share of its variance left, a variant counts as explained by the covariates: what sums of single-precision
/// weights can tell from nothing.
const TOLERANCE: f64 = 1e-5;

/// A linear predictor beyond this is as good as infinite, and its exponential still a number.
const LARGEST: f64 = 700.0;

/// Why a variant has no estimate; as in linear regression, and one more.
#[derive(Clone, Copy)]
#[repr(u8)]
pub enum Reason {
    Estimated = 0,
    Constant = 1,
    Collinear = 2,
    TooFew = 3,
    Unsettled = 4,
}

/// One variant's row of the result.
struct Found {
    estimate: Estimate,
    reason: Reason,
    observed: i64,
    alternate: i64,
    cases: i64,
    case_alternate: i64,
}

/// The null model of everybody, ready for score tests.
struct Screen<'a> {
    problem: &'a Problem<'a>,
    /// Per person, groups of lanes: weighted covariates, the residual, and the weight for squares.
    groups: Vec<Vec<Weights>>,
    weights: Vec<f64>,
    residuals: Vec<f64>,
    information: Vec<f64>,
    /// Two bits set for each case.
    case_mask: Vec<u8>,
    threshold: f64,
}

impl<'a> Screen<'a> {
    fn new(problem: &'a Problem<'a>, threshold: f64) -> Self {
        let (people, size) = (problem.people(), problem.columns());
        let means: Vec<f64> = (0..people)
            .map(|person| {
                let rows = problem.design.iter().zip(problem.null);
                let predictor = rows.map(|(column, factor)| column[person] * factor).sum::<f64>();
                1.0 / (1.0 + exponential((-predictor).clamp(-LARGEST, LARGEST)))
            })
            .collect();
        let weights: Vec<f64> = means.iter().map(|mean| mean * (1.0 - mean)).collect();
        let residuals: Vec<f64> = problem.case.iter().zip(&means).map(|(case, mean)| case - mean).collect();
        let value = |person: usize, column: usize| match column {
            _ if column < size => weights[person] * problem.design[column][person],
            _ if column == size => residuals[person],
            _ if column == size + 1 => weights[person],
            _ => 0.0,
        };
        let groups = (0..(size + 2).div_ceil(LANES))
            .map(|group| {
                let of = |person| {
                    let lanes = Lanes(std::array::from_fn(|lane| value(person, group * LANES + lane) as f32));
                    let mut weights = Weights::per_allele(lanes);
                    if let Some(lane) = (size + 1).checked_sub(group * LANES).filter(|lane| *lane < LANES) {
                        weights.of_code[1].0[lane] = 4.0 * lanes.0[lane];
                    }
                    weights
                };
                (0..people).map(of).collect()
            })
            .collect();
        let mut information = vec![0.0; size * size];
        for row in 0..size {
            for column in 0..=row {
                let pairs = problem.design[row].iter().zip(problem.design[column]);
                information[row * size + column] =
                    pairs.zip(&weights).map(|((a, b), weight)| a * b * weight).sum();
            }
        }
        let mut case_mask = vec![0u8; people.div_ceil(4)];
        problem.case.iter().enumerate().filter(|(_, case)| **case > 0.5).for_each(|(person, _)| {
            case_mask[person / 4] |= 3 << (2 * (person % 4));
        });
        Self { problem, groups, weights, residuals, information, case_mask, threshold }
    }

    /// Score, its variance, and where one step of Newton's method leads the covariates' factors.
    #[inline(always)]
    fn score(&self, variant: &Oriented<'_>, sums: &[f64]) -> Option<(f64, f64, Vec<f64>)> {
        let size = self.problem.columns();
        let mut cross = sums[..size].to_vec();
        let (mut score, squares) = (sums[size], sums[size + 1]);
        let mut information = self.information.clone();
        let mut gradient = vec![0.0; size];
        variant.for_each_missing(|person| {
            let (weight, residual) = (self.weights[person], self.residuals[person]);
            for row in 0..size {
                let value = self.problem.design[row][person];
                gradient[row] -= residual * value;
                for column in 0..=row {
                    information[row * size + column] -= weight * value * self.problem.design[column][person];
                }
            }
        });
        if !cholesky(&mut information, size) {
            return None;
        }
        forward_solve(&information, size, &mut cross);
        forward_solve(&information, size, &mut gradient);
        score -= dot(&cross, &gradient);
        let variance = squares - dot(&cross, &cross);
        if variance <= TOLERANCE * squares {
            return None;
        }
        let slope = score / variance;
        let mut step: Vec<f64> =
            gradient.iter().zip(&cross).map(|(own, shared)| own - slope * shared).collect();
        crate::symmetric::backward_solve(&information, size, &mut step);
        Some((score, variance, step))
    }

    #[inline(always)]
    fn find(&self, row: &[u8], variant: &Oriented<'_>, sums: &[f64], fitter: &mut Fitter) -> Found {
        let people = self.problem.people();
        let masked: Vec<u8> = row.iter().zip(&self.case_mask).map(|(byte, mask)| byte & mask).collect();
        let [_, one, two, missing] = Oriented::new(&masked, people).true_counts();
        let observed = variant.observed();
        let alternate = if variant.flipped { 2 * observed - variant.alleles() } else { variant.alleles() };
        let cases = self.problem.cases() as i64 - missing;
        let case_alternate = one + 2 * two;
        let found = |estimate, reason| Found { estimate, reason, observed, alternate, cases, case_alternate };
        if variant.counts[..3].contains(&observed) {
            return found(Estimate::NONE, Reason::Constant);
        }
        if observed - (self.problem.columns() as i64) < 2 || cases == 0 || cases == observed {
            return found(Estimate::NONE, Reason::TooFew);
        }
        let Some((score, variance, step)) = self.score(variant, sums) else {
            return found(Estimate::NONE, Reason::Collinear);
        };
        let mut estimate = Estimate {
            beta: score / variance,
            standard_error: variance.sqrt().recip(),
            method: Method::Score,
        };
        if score * score > self.threshold * variance {
            // An allele that one of the groups lacks drives maximum likelihood to infinity, or close.
            let controls = (alternate - case_alternate, 2 * (observed - cases));
            let lacking =
                [(case_alternate, 2 * cases), controls].iter().any(|(have, all)| *have == 0 || have == all);
            match fitter.fit(self.problem, variant, (&step, estimate.beta), lacking) {
                Some(better) => estimate = better,
                None => return found(Estimate::NONE, Reason::Unsettled),
            }
        }
        if variant.flipped {
            estimate.beta = -estimate.beta;
        }
        found(estimate, Reason::Estimated)
    }
}

widest! {
    fn scan_rows(screen: &Screen<'_>, rows: &[u8], width: usize) -> Vec<Found> => scan_rows_anywhere
}

#[inline(always)]
fn scan_rows_anywhere(screen: &Screen<'_>, rows: &[u8], width: usize) -> Vec<Found> {
    let people = screen.problem.people();
    let mut fitter = Fitter::new(screen.problem);
    let mut out = Vec::with_capacity(rows.len() / width);
    for tile in rows.chunks(rows_together(width) * width) {
        let variants: Vec<Oriented<'_>> =
            tile.chunks_exact(width).map(|row| Oriented::new(row, people)).collect();
        let sums: Vec<Vec<Sums>> = screen.groups.iter().map(|group| row_sums(&variants, group)).collect();
        for (index, (variant, row)) in variants.iter().zip(tile.chunks_exact(width)).enumerate() {
            let sums: Vec<f64> = sums.iter().flat_map(|group| group[index]).collect();
            out.push(screen.find(row, variant, &sums, &mut fitter));
        }
    }
    out
}

type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<u8>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<i64>>,
);

/// Scan all variants for one trait.
///
/// `design` is (columns, samples), one covariate a row, the intercept in their span; `case` is 0 or 1 for each person;
/// `null` the factors that fit the covariates alone. Variants whose squared score statistic exceeds `threshold` are
/// fitted exactly. Returns beta, standard error, method, reason, people, alternate alleles, cases and their alternates.
#[pyfunction]
pub fn logistic_scan<'py>(
    py: Python<'py>,
    packed: PyReadonlyArray2<'py, u8>,
    design: PyReadonlyArray2<'py, f64>,
    case: PyReadonlyArray1<'py, f64>,
    null: PyReadonlyArray1<'py, f64>,
    threshold: f64,
    threads: usize,
) -> PyResult<Columns<'py>> {
    let (columns, people) = (design.shape()[0], design.shape()[1]);
    let (variants, width, rows) = rows_of(&packed, people)?;
    let (case, null) = (case.as_slice()?, null.as_slice()?);
    if case.len() != people || null.len() != columns || columns == 0 || people <= columns {
        return Err(PyValueError::new_err("design, case and null model do not fit each other"));
    }
    let problem = Problem { design: design.as_slice()?.chunks_exact(people).collect(), case, null };
    let found = py.detach(|| {
        let screen = &Screen::new(&problem, threshold);
        let parts = in_threads(shares(variants, threads, 1), |range| {
            scan_rows(screen, &rows[range.start * width..range.end * width], width)
        });
        parts.into_iter().flatten().collect::<Vec<Found>>()
    });
    let decimal = |pick: fn(&Found) -> f64| found.iter().map(pick).collect::<Vec<_>>().into_pyarray(py);
    let code = |pick: fn(&Found) -> u8| found.iter().map(pick).collect::<Vec<_>>().into_pyarray(py);
    let count = |pick: fn(&Found) -> i64| found.iter().map(pick).collect::<Vec<_>>().into_pyarray(py);
    Ok((
        decimal(|one| one.estimate.beta),
        decimal(|one| one.estimate.standard_error),
        code(|one| one.estimate.method as u8),
        code(|one| one.reason as u8),
        count(|one| one.observed),
        count(|one| one.alternate),
        count(|one| one.cases),
        count(|one| one.case_alternate),
    ))
}
