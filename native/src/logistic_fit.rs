//! One variant's logistic model, fitted exactly: Newton's method, and Firth's penalty where that has no finite answer.
//!
//! People are visited in pieces that stay in the first level of the cache, one column after another, eight at a time.
//! Whoever lacks the genotype has weight zero.

use crate::math::exponential;
use crate::symmetric::{backward_solve, cholesky, dot, forward_solve};
use crate::walk::Oriented;

/// People in one piece.
const PIECE: usize = 256;
/// Steps of Newton's method before maximum likelihood is given up, and steps of Firth's.
const STEPS: usize = 12;
const FIRTH_STEPS: usize = 200;
/// Squared length of a step, in standard errors, below which it is the last.
const SETTLED: f64 = 1e-8;
const FIRTH_SETTLED: f64 = 1e-10;
/// Longest step of any factor in Firth's method.
const LONGEST: f64 = 5.0;
/// A step goes too far where the likelihood falls at its end by more than this share of how it rose at its beginning.
const TOO_FAR: f64 = 0.25;
/// Beyond this a linear predictor is on its way to infinity.
const DIVERGED: f64 = 30.0;

#[derive(Clone, Copy, PartialEq, Debug)]
#[repr(u8)]
pub enum Method {
    None = 0,
    Score = 1,
    Wald = 2,
    Firth = 3,
}

#[derive(Clone, Copy)]
pub struct Estimate {
    pub beta: f64,
    pub standard_error: f64,
    pub method: Method,
}

impl Estimate {
    pub const NONE: Self = Self { beta: f64::NAN, standard_error: f64::NAN, method: Method::None };
}

/// What all variants have in common.
pub struct Problem<'a> {
    /// One slice for each covariate, the intercept in their span.
    pub design: Vec<&'a [f64]>,
    pub case: &'a [f64],
    /// Factors that fit the covariates alone.
    pub null: &'a [f64],
}

impl Problem<'_> {
    pub fn people(&self) -> usize {
        self.case.len()
    }

    pub fn columns(&self) -> usize {
        self.design.len()
    }

    pub fn cases(&self) -> usize {
        self.case.iter().filter(|case| **case > 0.5).count()
    }
}

/// Σ a·b in eight lanes.
#[inline(always)]
fn lane_dot(left: &[f64], right: &[f64]) -> f64 {
    let mut lanes = [[0.0; 8]; 2];
    let pairs = left.as_chunks::<16>().0.iter().zip(right.as_chunks::<16>().0);
    for (a, b) in pairs {
        for half in 0..2 {
            for lane in 0..8 {
                lanes[half][lane] += a[8 * half + lane] * b[8 * half + lane];
            }
        }
    }
    (0..8).map(|lane| lanes[0][lane] + lanes[1][lane]).sum()
}

/// A model's state at some factors: gradient of the likelihood, information, predictor's greatest size.
struct State {
    gradient: Vec<f64>,
    information: Vec<f64>,
    extreme: f64,
}

/// Room to work in, made once.
pub struct Fitter {
    /// Piece by piece: covariates, then the genotype; `columns + 1` times `PIECE` values a piece.
    pieces: Vec<f64>,
    case: Vec<f64>,
    /// 1 for whoever has the genotype.
    seen: Vec<f64>,
    means: Vec<f64>,
    size: usize,
}

impl Fitter {
    pub fn new(problem: &Problem<'_>) -> Self {
        let (people, size) = (problem.people(), problem.columns() + 1);
        let count = people.div_ceil(PIECE);
        let mut pieces = vec![0.0; count * size * PIECE];
        for (column, values) in problem.design.iter().enumerate() {
            for (piece, part) in values.chunks(PIECE).enumerate() {
                let start = (piece * size + column) * PIECE;
                pieces[start..start + part.len()].copy_from_slice(part);
            }
        }
        let mut case = problem.case.to_vec();
        case.resize(count * PIECE, 0.0);
        Self { pieces, case, seen: vec![0.0; count * PIECE], means: vec![0.0; count * PIECE], size }
    }

    /// Fit a variant, from one step beyond the null model: the covariates' steps, and the genotype's factor.
    ///
    /// `lacking` says that maximum likelihood has no finite answer, so that Firth's penalty is used at once.
    #[inline(always)]
    pub fn fit(
        &mut self,
        problem: &Problem<'_>,
        variant: &Oriented<'_>,
        start: (&[f64], f64),
        lacking: bool,
    ) -> Option<Estimate> {
        self.place(problem.people(), variant);
        let mut factors: Vec<f64> =
            problem.null.iter().zip(start.0).map(|(null, step)| null + step).collect();
        factors.push(start.1);
        if !lacking {
            if let Some(found) = self.newton(factors) {
                return Some(found);
            }
        }
        let mut factors = problem.null.to_vec();
        factors.push(0.0);
        self.firth(factors)
    }

    /// Write the genotype beside the covariates.
    #[inline(always)]
    fn place(&mut self, people: usize, variant: &Oriented<'_>) {
        let (size, last) = (self.size, self.size - 1);
        for piece in self.pieces.chunks_exact_mut(size * PIECE) {
            piece[last * PIECE..].fill(0.0);
        }
        self.seen[..people].fill(1.0);
        let (pieces, seen) = (&mut self.pieces, &mut self.seen);
        variant.for_each_nonzero(people, |person, code| {
            let place = (person / PIECE * size + last) * PIECE + person % PIECE;
            pieces[place] = if code == 3 { 0.0 } else { f64::from(code) };
            if code == 3 {
                seen[person] = 0.0;
            }
        });
    }

    #[inline(always)]
    fn state(&mut self, factors: &[f64]) -> State {
        let size = self.size;
        let mut state =
            State { gradient: vec![0.0; size], information: vec![0.0; size * size], extreme: 0.0 };
        let mut residual = [0.0; PIECE];
        let mut weight = [0.0; PIECE];
        let mut weighted = [0.0; PIECE];
        for (index, piece) in self.pieces.chunks_exact(size * PIECE).enumerate() {
            let range = index * PIECE..(index + 1) * PIECE;
            let (case, seen) = (&self.case[range.clone()], &self.seen[range.clone()]);
            let means = &mut self.means[range];
            let mut predictor = [0.0; PIECE];
            for (column, factor) in piece.as_chunks::<PIECE>().0.iter().zip(factors) {
                for place in 0..PIECE {
                    predictor[place] += column[place] * factor;
                }
            }
            for place in 0..PIECE {
                let bounded = predictor[place].clamp(-500.0, 500.0);
                let mean = 1.0 / (1.0 + exponential(-bounded));
                means[place] = mean;
                residual[place] = (case[place] - mean) * seen[place];
                weight[place] = mean * (1.0 - mean) * seen[place];
            }
            let seen_extreme = predictor.iter().zip(seen).map(|(value, seen)| value.abs() * seen);
            state.extreme = seen_extreme.fold(state.extreme, f64::max);
            for (row, column) in piece.as_chunks::<PIECE>().0.iter().enumerate() {
                state.gradient[row] += lane_dot(column, &residual);
                for place in 0..PIECE {
                    weighted[place] = column[place] * weight[place];
                }
                for (other, values) in piece.as_chunks::<PIECE>().0.iter().enumerate().take(row + 1) {
                    state.information[row * size + other] += lane_dot(&weighted, values);
                }
            }
        }
        state
    }

    /// Maximum likelihood; none where it runs away, stands on a singular matrix or does not settle.
    #[inline(always)]
    fn newton(&mut self, mut factors: Vec<f64>) -> Option<Estimate> {
        let size = self.size;
        for _ in 0..STEPS {
            let State { mut gradient, mut information, extreme } = self.state(&factors);
            if extreme > DIVERGED || !cholesky(&mut information, size) {
                return None;
            }
            forward_solve(&information, size, &mut gradient);
            let length = dot(&gradient, &gradient);
            backward_solve(&information, size, &mut gradient);
            factors.iter_mut().zip(&gradient).for_each(|(factor, step)| *factor += step);
            if length < SETTLED {
                // The last row of the inverse ends with the inverse of the last pivot, squared.
                let standard_error = information[size * size - 1].recip();
                return Some(Estimate { beta: factors[size - 1], standard_error, method: Method::Wald });
            }
        }
        None
    }

    /// Firth's penalised likelihood (Biometrika 80, 1993; Heinze and Schemper, Statistics in Medicine 21, 2002).
    ///
    /// A step that lowers the penalised likelihood is halved, and so is the one behind a step that went too far: where
    /// an allele is one person's, the penalty makes the gradient twice as steep as the information says, and whole steps
    /// would go to and fro for ever.
    #[inline(always)]
    fn firth(&mut self, mut factors: Vec<f64>) -> Option<Estimate> {
        let size = self.size;
        let mut step = vec![0.0; size];
        let mut before = vec![0.0; size];
        let mut best = f64::NEG_INFINITY;
        for _ in 0..FIRTH_STEPS {
            let mut tried: Vec<f64> = factors.iter().zip(&step).map(|(factor, step)| factor + step).collect();
            let mut lower;
            let mut likelihood;
            let mut halvings = 0;
            loop {
                lower = self.state(&tried).information;
                if !cholesky(&mut lower, size) {
                    return None;
                }
                likelihood =
                    self.log_likelihood() + (0..size).map(|row| lower[row * size + row].ln()).sum::<f64>();
                if likelihood >= best - 1e-9 * best.abs().min(1e9) || halvings == 25 {
                    break;
                }
                halvings += 1;
                step.iter_mut().for_each(|step| *step *= 0.5);
                tried = factors.iter().zip(&step).map(|(factor, step)| factor + step).collect();
            }
            (factors, best) = (tried, likelihood);
            let mut gradient = self.penalised_gradient(&lower);
            let too_far = dot(&gradient, &step) < -TOO_FAR * dot(&before, &step);
            before.clone_from(&gradient);
            forward_solve(&lower, size, &mut gradient);
            let length = dot(&gradient, &gradient);
            if length < FIRTH_SETTLED {
                let standard_error = lower[size * size - 1].recip();
                return Some(Estimate { beta: factors[size - 1], standard_error, method: Method::Firth });
            }
            backward_solve(&lower, size, &mut gradient);
            let longest = gradient.iter().fold(0.0f64, |longest, step| longest.max(step.abs()));
            let scale = (LONGEST / longest).min(if too_far { 0.5 } else { 1.0 });
            step = gradient.iter().map(|step| step * scale).collect();
        }
        None
    }

    /// Log-likelihood at the means that `state` left.
    fn log_likelihood(&self) -> f64 {
        let people = self.means.iter().zip(&self.case).zip(&self.seen);
        people
            .filter(|(_, seen)| **seen > 0.5)
            .map(|((mean, case), _)| if *case > 0.5 { mean.ln() } else { (1.0 - mean).ln() })
            .sum()
    }

    /// X'(y − μ + h(½ − μ)), with the leverages h = w x'(X'WX)⁻¹x, at the means that `state` left.
    #[inline(always)]
    fn penalised_gradient(&self, lower: &[f64]) -> Vec<f64> {
        let size = self.size;
        let mut gradient = vec![0.0; size];
        let mut solved = vec![[0.0; PIECE]; size];
        for (index, piece) in self.pieces.chunks_exact(size * PIECE).enumerate() {
            let columns = piece.as_chunks::<PIECE>().0;
            let mut leverage = [0.0; PIECE];
            for row in 0..size {
                let mut value = columns[row];
                for (column, known) in solved[..row].iter().enumerate() {
                    let factor = lower[row * size + column];
                    for place in 0..PIECE {
                        value[place] -= factor * known[place];
                    }
                }
                let pivot = lower[row * size + row].recip();
                for place in 0..PIECE {
                    solved[row][place] = value[place] * pivot;
                    leverage[place] += solved[row][place] * solved[row][place];
                }
            }
            let mut residual = [0.0; PIECE];
            for place in 0..PIECE {
                let person = index * PIECE + place;
                let mean = self.means[person];
                let share = leverage[place] * mean * (1.0 - mean);
                residual[place] = (self.case[person] - mean + share * (0.5 - mean)) * self.seen[person];
            }
            for (sum, column) in gradient.iter_mut().zip(columns) {
                *sum += lane_dot(column, &residual);
            }
        }
        gradient
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_in_lanes_are_sums() {
        let values: Vec<f64> = (0..PIECE).map(|index| index as f64).collect();
        let expected: f64 = values.iter().map(|value| value * value).sum();
        assert!((lane_dot(&values, &values) - expected).abs() < 1e-6);
    }
}
