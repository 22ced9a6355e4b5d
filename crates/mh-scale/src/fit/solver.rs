//! Least squares with bounds, for a handful of parameters: Levenberg and Marquardt's method on the parameters that are free to
//! move, projected onto the bounds.

/// At most so many parameters.
pub const MOST: usize = 3;

/// Which value a parameter may have.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub low: f64,
    pub high: f64,
    /// Held where it begins.
    pub fixed: bool,
}

/// A model's residual and its derivatives at one observation, weighted.
pub struct Residual {
    pub value: f64,
    pub slopes: [f64; MOST],
}

/// The parameters from `start` on with the least sum of squares that is near, and that sum.
pub fn minimise(
    start: [f64; MOST],
    bounds: &[Bound; MOST],
    observations: usize,
    residual: impl Fn(usize, &[f64; MOST]) -> Residual,
) -> ([f64; MOST], f64) {
    let sum = |at: &[f64; MOST]| (0..observations).map(|i| residual(i, at).value.powi(2)).sum::<f64>();
    let mut at = start;
    let mut cost = sum(&at);
    let mut damping = 1e-3;
    for _ in 0..100 {
        let mut normal = [[0.0; MOST]; MOST];
        let mut gradient = [0.0; MOST];
        for i in 0..observations {
            let Residual { value, slopes } = residual(i, &at);
            for row in 0..MOST {
                gradient[row] += slopes[row] * value;
                for column in 0..MOST {
                    normal[row][column] += slopes[row] * slopes[column];
                }
            }
        }
        // A parameter stands still that is held, or that would leave its bounds.
        let free: [bool; MOST] = std::array::from_fn(|i| {
            let bound = &bounds[i];
            let outwards =
                at[i] <= bound.low && gradient[i] > 0.0 || at[i] >= bound.high && gradient[i] < 0.0;
            !bound.fixed && !outwards && normal[i][i] > 0.0
        });
        let mut better = None;
        while damping < 1e7 {
            let step = solve(&normal, &gradient, &free, damping);
            let next: [f64; MOST] = std::array::from_fn(|i| match free[i] {
                true => (at[i] - step[i]).clamp(bounds[i].low, bounds[i].high),
                false => at[i],
            });
            let reached = sum(&next);
            if reached < cost {
                better = Some((next, reached));
                damping = (damping * 0.1).max(1e-9);
                break;
            }
            damping *= 10.0;
        }
        let Some((next, reached)) = better else { break };
        let small = cost - reached <= 1e-12 * cost;
        (at, cost) = (next, reached);
        if small {
            break;
        }
    }
    (at, cost)
}

/// The solution of the normal equations in the free parameters, their diagonal grown by the share `damping`; 0 for the others.
fn solve(
    normal: &[[f64; MOST]; MOST],
    gradient: &[f64; MOST],
    free: &[bool; MOST],
    damping: f64,
) -> [f64; MOST] {
    let mut matrix = [[0.0; MOST + 1]; MOST];
    for row in 0..MOST {
        if !free[row] {
            matrix[row][row] = 1.0;
            continue;
        }
        for column in (0..MOST).filter(|column| free[*column]) {
            matrix[row][column] = normal[row][column];
        }
        matrix[row][row] *= 1.0 + damping;
        matrix[row][MOST] = gradient[row];
    }
    // Gauss and Jordan's elimination; the matrix is positive definite, so the diagonal may be divided by.
    for pivot in 0..MOST {
        let held = matrix[pivot];
        for (_, row) in matrix.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
            let factor = row[pivot] / held[pivot];
            row.iter_mut().zip(held).for_each(|(value, other)| *value -= factor * other);
        }
    }
    std::array::from_fn(|row| matrix[row][MOST] / matrix[row][row])
}
