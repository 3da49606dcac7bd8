//! From a variant's sums to its slopes, in double precision.

use crate::regression::variant::Variant;

/// Below this share of its variance left, a variant (or a covariate) counts as explained by the others.
const TOLERANCE: f64 = 1e-8;
/// Where less than this share is left of the variant or of a trait, rounded columns would show: it is summed again.
const DELICATE: f64 = 1e-4;
/// Columns that are updated at once, in two of the widest registers: rows are padded to a multiple.
const LANES: usize = 16;
/// Rows that are updated at once: with their columns they fill eight registers.
const ROWS: usize = 4;

/// Why a variant has no estimate; zero means that it has one.
pub const ESTIMATED: u8 = 0;
pub const CONSTANT: u8 = 1;
pub const COLLINEAR: u8 = 2;
pub const TOO_FEW: u8 = 3;

/// Orthonormal covariates, the constant first, then the traits' residuals: one padded row per person.
pub struct Model {
    rows: Vec<f64>,
    width: usize,
    pub samples: usize,
    pub covariates: usize,
    pub traits: usize,
    /// Sum of squares of each trait's residual.
    squares: Vec<f64>,
}

impl Model {
    /// `basis` is (samples, covariates), `residuals` (samples, traits).
    pub fn new(basis: &[f64], residuals: &[f64], samples: usize) -> Self {
        let (covariates, traits) = (basis.len() / samples, residuals.len() / samples);
        // One column more for the variant itself, when people are missing.
        let width = (covariates + traits + 1).next_multiple_of(LANES);
        let mut rows = vec![0.0; samples * width];
        let mut squares = vec![0.0; traits];
        for (person, row) in rows.chunks_exact_mut(width).enumerate() {
            row[..covariates].copy_from_slice(&basis[person * covariates..(person + 1) * covariates]);
            let own = &residuals[person * traits..(person + 1) * traits];
            row[covariates..covariates + traits].copy_from_slice(own);
            squares.iter_mut().zip(own).for_each(|(square, value)| *square += value * value);
        }
        Self { rows, width, samples, covariates, traits, squares }
    }

    /// Columns whose sums over carriers are needed: all but the constant, whose sum is a count.
    pub fn summed(&self) -> usize {
        self.covariates - 1 + self.traits
    }

    pub fn value(&self, person: usize, summed: usize) -> f64 {
        self.rows[person * self.width + 1 + summed]
    }

    fn constant(&self) -> f64 {
        self.rows[0]
    }
}

/// Slopes and standard errors, (variants, traits), and what is known of each variant.
#[derive(Default)]
pub struct Estimates {
    pub beta: Vec<f64>,
    pub standard_error: Vec<f64>,
    pub observed: Vec<i64>,
    pub alternate: Vec<i64>,
    pub reason: Vec<u8>,
}

impl Estimates {
    pub fn append(&mut self, mut other: Self) {
        self.beta.append(&mut other.beta);
        self.standard_error.append(&mut other.standard_error);
        self.observed.append(&mut other.observed);
        self.alternate.append(&mut other.alternate);
        self.reason.append(&mut other.reason);
    }
}

/// What one thread needs to estimate variants.
pub struct Estimator<'a> {
    model: &'a Model,
    missing: Vec<u32>,
    /// (covariates, width): the Gram matrix of the people observed, their cross products with each trait, and last
    /// with the variant.
    left: Vec<f64>,
    /// The variant's cross products with the covariates, then with the traits.
    cross: Vec<f64>,
    squares: Vec<f64>,
}

impl<'a> Estimator<'a> {
    pub fn new(model: &'a Model) -> Self {
        // Whole blocks of rows; those behind the last covariate are not read.
        let left = vec![0.0; model.covariates.next_multiple_of(ROWS) * model.width];
        Self { model, missing: Vec::new(), left, cross: Vec::new(), squares: Vec::new() }
    }

    /// Append a variant's estimates. `sums` are those of `Model::summed` columns over the rarer allele.
    #[inline(always)]
    pub fn estimate(&mut self, variant: &Variant<'_>, sums: impl Iterator<Item = f64>, out: &mut Estimates) {
        out.observed.push(variant.observed());
        out.alternate.push(variant.alternate());
        self.cross.clear();
        self.cross.push(variant.copies() as f64 * self.model.constant());
        self.cross.extend(sums);
        let mut fitted = self.fit(variant);
        if self.is_delicate(variant, &fitted) {
            self.sum_exactly(variant);
            fitted = self.fit(variant);
        }
        let reason = match fitted {
            Ok((variance, freedom)) => {
                self.push_slopes(variant.flipped, variance, freedom, out);
                ESTIMATED
            }
            Err(reason) => {
                out.beta.extend(std::iter::repeat_n(f64::NAN, self.model.traits));
                out.standard_error.extend(std::iter::repeat_n(f64::NAN, self.model.traits));
                reason
            }
        };
        out.reason.push(reason);
    }

    /// Project the covariates out of the variant: what is left of its sum of squares, and the degrees of freedom.
    #[inline(always)]
    fn fit(&mut self, variant: &Variant<'_>) -> Result<(f64, f64), u8> {
        let size = self.model.covariates;
        if variant.counts[..3].contains(&variant.observed()) {
            return Err(CONSTANT);
        }
        let freedom = variant.observed() - size as i64 - 1;
        if freedom < 1 {
            return Err(TOO_FEW);
        }
        self.squares.clear();
        self.squares.extend_from_slice(&self.model.squares);
        let explained = if variant.counts[3] > 0 {
            self.leave_out_missing(variant)?
        } else {
            self.cross[..size].iter().map(|cross| cross * cross).sum()
        };
        let copies_squared = variant.copies_squared();
        let variance = copies_squared - explained;
        if variance <= TOLERANCE * copies_squared {
            return Err(COLLINEAR);
        }
        Ok((variance, freedom as f64))
    }

    #[inline(always)]
    fn is_delicate(&self, variant: &Variant<'_>, fitted: &Result<(f64, f64), u8>) -> bool {
        match fitted {
            Ok((variance, _)) => {
                let mut traits =
                    self.cross[self.model.covariates..].iter().zip(&self.squares).zip(&self.model.squares);
                *variance < DELICATE * variant.copies_squared()
                    || traits.any(|((with_trait, squares), everyone)| {
                        squares - with_trait * with_trait / variance < DELICATE * everyone
                    })
            }
            Err(reason) => *reason == COLLINEAR,
        }
    }

    /// Sum the columns over the carriers in double precision.
    fn sum_exactly(&mut self, variant: &Variant<'_>) {
        let Model { rows, width, .. } = self.model;
        self.cross.iter_mut().skip(1).for_each(|sum| *sum = 0.0);
        self.cross[0] = variant.copies() as f64 * self.model.constant();
        variant.for_each_carrier(|person, twice| {
            if let Some(row) = rows.get(person * width..(person + 1) * width) {
                let copies = if twice { 2.0 } else { 1.0 };
                self.cross.iter_mut().zip(row).skip(1).for_each(|(sum, value)| *sum += copies * value);
            }
        });
    }

    #[inline(always)]
    fn push_slopes(&self, flipped: bool, variance: f64, freedom: f64, out: &mut Estimates) {
        for (with_trait, squares) in self.cross[self.model.covariates..].iter().zip(&self.squares) {
            let slope = with_trait / variance;
            let residual = (squares - with_trait * slope).max(0.0);
            out.beta.push(if flipped { -slope } else { slope });
            out.standard_error.push((residual / freedom / variance).sqrt());
        }
    }

    /// Do the regression of the people observed: what the covariates explain of the variant.
    ///
    /// Takes the missing people out of the Gram matrix and eliminates the covariates one by one, from the variant
    /// and from the traits.
    #[inline(always)]
    fn leave_out_missing(&mut self, variant: &Variant<'_>) -> Result<f64, u8> {
        let (size, width, traits) = (self.model.covariates, self.model.width, self.model.traits);
        variant.missing(&mut self.missing);
        self.left.fill(0.0);
        for (row, left) in self.left.chunks_exact_mut(width).take(size).enumerate() {
            left[row] = 1.0;
        }
        self.downdate();
        let (own, with_traits) = self.cross.split_at_mut(size);
        for (left, cross) in self.left.chunks_exact_mut(width).zip(own) {
            left[size + traits] = *cross;
        }
        let mut explained = 0.0;
        for pivot in 0..size {
            let (done, rest) = self.left[..size * width].split_at_mut((pivot + 1) * width);
            let row = &done[pivot * width..];
            if row[pivot] <= TOLERANCE {
                return Err(COLLINEAR);
            }
            let inverse = 1.0 / row[pivot];
            let share = row[size + traits] * inverse;
            explained += row[size + traits] * share;
            let crossed = row[size..size + traits].iter().zip(&mut *with_traits).zip(&mut self.squares);
            for ((cross, with_trait), squares) in crossed {
                *with_trait -= cross * share;
                *squares -= cross * cross * inverse;
            }
            for other in rest.chunks_exact_mut(width) {
                let factor = -other[pivot] * inverse;
                for (other, row) in
                    other.as_chunks_mut::<LANES>().0.iter_mut().zip(row.as_chunks::<LANES>().0)
                {
                    for lane in 0..LANES {
                        other[lane] = factor.mul_add(row[lane], other[lane]);
                    }
                }
            }
        }
        Ok(explained)
    }

    /// Take the missing people's products out of `left`, and their squares out of `squares`: the hot loop where
    /// genotypes are missing. `mul_add` rounds once, wherever it is compiled: the same bits everywhere.
    #[inline(always)]
    fn downdate(&mut self) {
        let Model { rows, width, covariates, traits, .. } = self.model;
        for (block, left) in self.left.chunks_exact_mut(ROWS * width).enumerate() {
            for column in (0..*width).step_by(LANES) {
                let mut sums: [[f64; LANES]; ROWS] =
                    std::array::from_fn(|row| std::array::from_fn(|lane| left[row * width + column + lane]));
                for person in &self.missing {
                    let own = &rows[*person as usize * width..][..*width];
                    let factors = &own[block * ROWS..][..ROWS];
                    let values = &own[column..][..LANES];
                    for (sum, factor) in sums.iter_mut().zip(factors) {
                        for lane in 0..LANES {
                            sum[lane] = (-factor).mul_add(values[lane], sum[lane]);
                        }
                    }
                }
                for (row, sums) in sums.iter().enumerate() {
                    left[row * width + column..][..LANES].copy_from_slice(sums);
                }
            }
        }
        for person in &self.missing {
            let residuals = &rows[*person as usize * width + covariates..][..*traits];
            self.squares.iter_mut().zip(residuals).for_each(|(square, value)| *square -= value * value);
        }
    }
}
