//! Small symmetric systems, row-major, lower triangles only.

/// Below this a pivot counts as zero, relative to what it was before the rows above it were taken out.
const PIVOT: f64 = 1e-12;

/// Factorise the lower triangle of a symmetric matrix in place; false where it is singular or not finite.
pub fn cholesky(matrix: &mut [f64], size: usize) -> bool {
    for row in 0..size {
        let whole = matrix[row * size + row];
        for column in 0..=row {
            let taken =
                dot(&matrix[row * size..row * size + column], &matrix[column * size..column * size + column]);
            let value = matrix[row * size + column] - taken;
            if row == column {
                if value.is_nan() || value <= PIVOT * whole {
                    return false;
                }
                matrix[row * size + row] = value.sqrt();
            } else {
                matrix[row * size + column] = value / matrix[column * size + column];
            }
        }
    }
    true
}

/// Solve L x = b in place.
pub fn forward_solve(lower: &[f64], size: usize, vector: &mut [f64]) {
    for row in 0..size {
        let taken = dot(&lower[row * size..row * size + row], &vector[..row]);
        vector[row] = (vector[row] - taken) / lower[row * size + row];
    }
}

/// Solve L' x = b in place.
pub fn backward_solve(lower: &[f64], size: usize, vector: &mut [f64]) {
    for row in (0..size).rev() {
        let taken: f64 = (row + 1..size).map(|below| lower[below * size + row] * vector[below]).sum();
        vector[row] = (vector[row] - taken) / lower[row * size + row];
    }
}

pub fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_is_solved() {
        let mut lower = [4.0, 0.0, 0.0, 2.0, 5.0, 0.0, 1.0, 3.0, 6.0];
        let wanted = [1.0, -2.0, 0.5];
        let mut vector = [4.0 - 4.0 + 0.5, 2.0 - 10.0 + 1.5, 1.0 - 6.0 + 3.0];
        assert!(cholesky(&mut lower, 3));
        forward_solve(&lower, 3, &mut vector);
        backward_solve(&lower, 3, &mut vector);
        vector.iter().zip(wanted).for_each(|(one, other)| assert!((one - other).abs() < 1e-12));
    }

    #[test]
    fn a_singular_system_is_told() {
        assert!(!cholesky(&mut [1.0, 0.0, 1.0, 1.0], 2));
        assert!(!cholesky(&mut [f64::NAN], 1));
    }
}
