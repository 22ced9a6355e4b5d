//! Gamma and its logarithm: Stirling's series from 10 on, below by the product x (x + 1) ... (x + 9) as a pair, negative arguments by reflection.
//! Within 4 ulp, but for the logarithm near its zeros on the negative side, where the error is one of about 2^-52 beside 1.

use super::build::{Float, Pair};
use super::coefficients::{HALF_LOG_TWO_PI, LOG_GAMMA, LOG_GAMMA_CENTRE, LOG_GAMMA_LOW, PI_PAIR, STIRLING};
use super::exp::{clamp, exponential, reduce, scale};
use super::log::log;
use super::power::long_log;
use super::trigonometric::sin_pair;

/// gamma(a) = e^`log` / `product`.
struct Parts<'b> {
    log: Pair<'b>,
    product: Pair<'b>,
}

/// Of 0 < a <= 1e300 or so.
fn parts(a: Float<'_>) -> Parts<'_> {
    let body = a.body();
    let (zero, one) = (body.constant(0.0), body.constant(1.0));
    let shift = a.lt(10.0);
    let mut product = one.with(zero);
    let small = shift.pick(a, 1.0);
    for i in 0..10 {
        product = product.multiply(small.exact_sum(f64::from(i)));
    }
    let product = shift.pick_pair(product, one.with(zero));
    let z = shift.pick_pair(a.exact_sum(10.0), a.with(zero));
    // (z - 1/2) log z - z + log(2 pi) / 2 + 1/12z - ...
    let log = long_log(z.high);
    let factor = z.high.exact_sum(-0.5);
    let main = factor.multiply(log);
    let inverse = 1.0 / z.high;
    let series = inverse * (inverse * inverse).polynomial(&STIRLING);
    let sum = main.add((-z.high).with(zero)).add(body.constant(HALF_LOG_TWO_PI[0]).with(HALF_LOG_TWO_PI[1]));
    let low = z.low.fma(log.high, series);
    Parts { log: sum.add(low.with(zero)), product }
}

/// sin(pi a) for a >= 0, as a pair; 0 at whole numbers.
fn sin_pi(a: Float<'_>) -> Pair<'_> {
    let whole = a.rint();
    let r = (a - whole).exact_product(PI_PAIR[0]);
    let r = r.high.ordered_sum((a - whole).fma(PI_PAIR[1], r.low));
    // |r| <= pi/2; its sign changes with each whole number.
    let half = whole * 0.5;
    let odd = half.trunc().ne(half);
    let sine = sin_pair(r);
    odd.pick_pair(sine.negate(), sine)
}

pub fn gamma(x: Float<'_>) -> Float<'_> {
    let body = x.body();
    let a = x.abs();
    let negative = x.lt(0.0);
    // Beyond, infinity or 0.
    let bounded = clamp(a, 1e-17, 190.0);
    let Parts { log, product } = parts(bounded);
    let log = negative.pick_pair(log.negate(), log);
    let reduced = reduce(log.high);
    let power = exponential(reduced.r.high.ordered_sum(reduced.r.low + log.low));
    // -pi / (a sin(pi a)) times the product for negative x, 1 / product for the others.
    let zero = body.constant(0.0);
    let pi = body.constant(-PI_PAIR[0]).with(-PI_PAIR[1]);
    let under = sin_pi(bounded).multiply(bounded.with(zero));
    let above = negative.pick_pair(pi.multiply(product), body.constant(1.0).with(zero));
    let below = negative.pick_pair(under, product);
    let value = scale(power.multiply(above.divide(below)).sum(), reduced.k);
    let tiny = a.lt(1e-17);
    let value = tiny.pick(1.0 / x, value);
    let value = x.gt(180.0).pick(f64::INFINITY, value);
    let value = x.lt(-189.0).pick(0.0, value);
    let pole = negative & x.floor().eq(x);
    let value = pole.pick(f64::NAN, value);
    x.is_nan().pick(x, value)
}

pub fn log_gamma(x: Float<'_>) -> Float<'_> {
    let body = x.body();
    let a = x.abs();
    let bounded = clamp(a, 1e-17, 1e18);
    let Parts { log: main, product } = parts(bounded);
    let far = main.add(long_log(product.high).negate());
    let far = far.high + (far.low - product.low / product.high);
    // Up to 2.5 by the zeros at 1 and 2; below 1/2 of a + 1, less log a.
    let low = a.lt(0.5);
    let first = low.pick(a, a - 1.0);
    let second = low.pick(a - 1.0, a - 2.0);
    let place = low.pick(a + 1.0, a);
    let t = (place - LOG_GAMMA_CENTRE) / (place + LOG_GAMMA_CENTRE);
    let quotient = t.fma(t.polynomial(&LOG_GAMMA[1..]), LOG_GAMMA_LOW) + LOG_GAMMA[0];
    // At 1 it is 0, not -0.
    let near = first * second * quotient + 0.0;
    let near = low.pick(near - log(low.pick(a, 1.0)), near);
    let value = a.lt(2.5).pick(near, far);
    // log(pi / (a |sin(pi a)|)) - log gamma(a).
    let negative = x.lt(0.0);
    let sine = sin_pi(negative.pick(bounded, 0.5));
    let sine = sine.high.lt(0.0).pick_pair(sine.negate(), sine);
    let under = sine.multiply(negative.pick(bounded, 1.0).with(body.constant(0.0)));
    let ratio = body.constant(PI_PAIR[0]).with(PI_PAIR[1]).divide(under);
    let reflected = log(ratio.high) - (value - ratio.low / ratio.high);
    let value = negative.pick(reflected, value);
    let value = a.lt(1e-17).pick(0.0 - log(a), value);
    let value = a.ge(1e17).pick(a * (log(a) - 1.0), value);
    // Every float from 2^52 on is whole: a pole where it is negative.
    let infinite = (x.floor().eq(x) & x.le(0.0)) | a.eq(f64::INFINITY);
    let value = infinite.pick(f64::INFINITY, value);
    x.is_nan().pick(x, value)
}
