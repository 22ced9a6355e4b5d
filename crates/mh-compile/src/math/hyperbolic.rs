//! sinh, cosh, tanh by the exponential function as a pair; their inverses by the logarithm of a pair.

use super::build::{Float, Pair};
use super::coefficients::{LOG, SINH};
use super::exp::{TINY, clamp, expm1_half, exponential, reduce};
use super::log::log_pair;

/// e^a / 4 as a pair and 1 / (4 e^a), 0 <= a <= 710.6: a quarter, so that nothing overflows before the result does.
fn quarter(a: Float<'_>) -> (Pair<'_>, Float<'_>) {
    let reduced = reduce(a);
    let value = exponential(reduced.r);
    let k = reduced.k.small_int();
    let power = (k - 2).power_of_two();
    // Of exponents past 1000 there is nothing left.
    let inverse = (k - 1000).less(0).pick_int(k, 1000);
    let inverse = (a.body().int(-2) - inverse).power_of_two() / value.high;
    (value.scale(power), inverse)
}

pub fn sinh(x: Float<'_>) -> Float<'_> {
    let a = clamp(x.abs(), 0.0, 710.6);
    let (value, inverse) = quarter(a);
    let sum = value.high.exact_sum(-inverse);
    let far = (sum.high + (sum.low + value.low)) * 2.0;
    let z = a * a;
    let near = (a * z).fma(z.polynomial(&SINH), a);
    a.lt(1.0).pick(near, far).copysign(x)
}

pub fn cosh(x: Float<'_>) -> Float<'_> {
    let (value, inverse) = quarter(clamp(x.abs(), 0.0, 710.6));
    let sum = value.high.exact_sum(inverse);
    (sum.high + (sum.low + value.low)) * 2.0
}

/// h / (h + 1) with h = (e^2|x| - 1) / 2.
pub fn tanh(x: Float<'_>) -> Float<'_> {
    let a = clamp(x.abs(), 0.0, 22.0);
    let half = expm1_half(a + a);
    let below = half.high.exact_sum(1.0);
    let value = half.divide(below.high.with(below.low + half.low)).sum().copysign(x);
    x.abs().lt(TINY).pick(x, value)
}

/// log(a + sqrt(a^2 + 1)).
pub fn asinh(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let huge = !a.lt(HUGE);
    let safe = huge.pick(1.0, a);
    let square = safe.exact_product(safe);
    let under = square.high.exact_sum(1.0);
    let root = under.high.ordered_sum(under.low + square.low).sqrt();
    let sum = safe.exact_sum(root.high);
    let sum = sum.high.ordered_sum(sum.low + root.low);
    let zero = a.body().constant(0.0);
    let far = log_pair(huge.pick_pair(a.with(zero), sum), Some(huge.pick(1.0, 0.0)));
    // Near 0 its series.
    let z = a * a;
    let near = (a * z).fma(z.polynomial(&[-1.0 / 6.0, 3.0 / 40.0, -15.0 / 336.0, 105.0 / 3456.0]), a);
    let value = a.lt(1.0 / 256.0).pick(near, far);
    a.lt(f64::INFINITY).pick(value.copysign(x), x)
}

/// log(x + sqrt(x^2 - 1)).
pub fn acosh(x: Float<'_>) -> Float<'_> {
    let huge = !x.lt(HUGE);
    let safe = huge.pick(2.0, x);
    let square = safe.exact_product(safe);
    let one = x.eq(1.0);
    let under = square.high.exact_sum(-1.0);
    let under = under.high.ordered_sum(under.low + square.low);
    let root = one.pick(1.0, under.high).with(under.low).sqrt();
    let zero = x.body().constant(0.0);
    let root = one.pick_pair(zero.with(zero), root);
    let sum = safe.ordered_sum(root.high);
    let sum = sum.high.ordered_sum(sum.low + root.low);
    let value = log_pair(huge.pick_pair(x.with(zero), sum), Some(huge.pick(1.0, 0.0)));
    let value = x.lt(1.0).pick(f64::NAN, value);
    x.lt(f64::INFINITY).pick(value, x)
}

/// Half the logarithm of (1 + a) / (1 - a); near 0 the polynomial of the logarithm.
pub fn atanh(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let inside = a.lt(1.0);
    let safe = inside.pick(a, 0.5);
    let one = x.body().constant(1.0);
    let ratio = one.ordered_sum(safe).divide(one.ordered_sum(-safe));
    let far = log_pair(ratio, None) * 0.5;
    let z = a * a;
    let near = (a * z * 0.5).fma(z.polynomial(&LOG), a);
    let value = a.lt(0.17).pick(near, far);
    let edge = a.eq(1.0).pick(f64::INFINITY, f64::NAN);
    inside.pick(value, edge).copysign(x)
}

/// 2^400: from here on squares are not needed.
const HUGE: f64 = f64::from_bits((1023 + 400) << 52);
