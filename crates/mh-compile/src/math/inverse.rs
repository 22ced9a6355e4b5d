//! asin, acos, atan, atan2: minimax polynomials, with what was lost in roots and quotients put back.

use super::build::{Bit, Float, Pair};
use super::coefficients::{ASIN, ATAN, HALF_PI_PAIR, PI_PAIR, QUARTER_PI_PAIR};

/// asin(s) = s + `tail` for |x| <= 1/2 with s = |x|, and for s = sqrt((1 - |x|) / 2) beyond, where asin |x| = pi/2 - 2 asin(s).
struct Arc<'b> {
    s: Float<'b>,
    tail: Float<'b>,
    far: Bit<'b>,
}

fn arc(x: Float<'_>) -> Arc<'_> {
    let a = x.abs();
    let far = a.gt(0.5);
    let z = far.pick((1.0 - a) * 0.5, a * a);
    let root = z.sqrt();
    let lost = (-root).fma(root, z) / (root + root);
    let lost = z.eq(0.0).pick(0.0, lost);
    let s = far.pick(root, a);
    let tail = (s * z).fma(z.polynomial(&ASIN), far.pick(lost, 0.0));
    Arc { s, tail, far }
}

pub fn asin(x: Float<'_>) -> Float<'_> {
    let Arc { s, tail, far } = arc(x);
    let sum = x.body().constant(HALF_PI_PAIR[0]).ordered_sum(s * -2.0);
    let beyond = sum.high + (sum.low + (tail.fma(-2.0, HALF_PI_PAIR[1])));
    far.pick(beyond, s + tail).copysign(x)
}

pub fn acos(x: Float<'_>) -> Float<'_> {
    let Arc { s, tail, far } = arc(x);
    // pi/2 - asin(x), 2 asin(s), pi - 2 asin(s).
    let negative = x.lt(0.0);
    let factor = far.pick(negative.pick(-2.0, 2.0), negative.pick(1.0, -1.0));
    let high = far.pick(negative.pick(PI_PAIR[0], 0.0), HALF_PI_PAIR[0]);
    let low = far.pick(negative.pick(PI_PAIR[1], 0.0), HALF_PI_PAIR[1]);
    let sum = high.ordered_sum(s * factor);
    sum.high + (sum.low + tail.fma(factor, low))
}

/// Angle whose tangent is a / b, 0 <= a <= b, b > 0 of middling size: beyond tan(pi/8) the angle from pi/4.
fn angle<'b>(a: Float<'b>, b: Float<'b>) -> Pair<'b> {
    let steep = a.gt(b * (std::f64::consts::SQRT_2 - 1.0));
    let zero = a.body().constant(0.0);
    let above = steep.pick_pair(a.exact_sum(-b), a.with(zero));
    let below = steep.pick_pair(b.exact_sum(a), b.with(zero));
    let inverse = 1.0 / below.high;
    let t = above.high * inverse;
    let rest = (-t).fma(below.high, above.high) + (-t).fma(below.low, above.low);
    let z = t * t;
    let tail = (t * z).fma(z.polynomial(&ATAN), rest * inverse);
    let sum = steep.pick(QUARTER_PI_PAIR[0], 0.0).ordered_sum(t);
    sum.high.ordered_sum(sum.low + (steep.pick(QUARTER_PI_PAIR[1], 0.0) + tail))
}

/// `value` - angle.
fn less<'b>(value: [f64; 2], angle: Pair<'b>) -> Pair<'b> {
    let sum = angle.high.body().constant(value[0]).ordered_sum(-angle.high);
    sum.high.with(sum.low + (value[1] - angle.low))
}

pub fn atan(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let far = a.gt(1.0);
    // Further out it is pi/2.
    let bounded = a.gt(1e60).pick(1e60, a);
    let one = x.body().constant(1.0);
    let angle = angle(far.pick(one, bounded), far.pick(bounded, one));
    far.pick_pair(less(HALF_PI_PAIR, angle), angle).sum().copysign(x)
}

pub fn atan2<'b>(y: Float<'b>, x: Float<'b>) -> Float<'b> {
    let (up, right) = (y.abs(), x.abs());
    let infinite = up.eq(f64::INFINITY) | right.eq(f64::INFINITY);
    let unit = |v: Float<'b>| infinite.pick(v.eq(f64::INFINITY).pick(1.0, 0.0), v);
    let (up, right) = (unit(up), unit(right));
    let swap = up.gt(right);
    let (a, b) = (swap.pick(right, up), swap.pick(up, right));
    // Both of middling size; where that makes `a` vanish, so does the angle.
    let factor = b.gt(LARGE).pick(DOWN, b.lt(SMALL).pick(UP, 1.0));
    let origin = b.eq(0.0);
    let (scaled, safe) = (a * factor, origin.pick(1.0, b * factor));
    let angle = angle(scaled, safe);
    let angle = swap.pick_pair(less(HALF_PI_PAIR, angle), angle);
    let left = x.bits().less(0);
    let value = left.pick_pair(less(PI_PAIR, angle), angle).sum();
    // Small angles are quotients, rounded once also where they are subnormal.
    let quotient = a / origin.pick(1.0, b);
    let plain = quotient.lt(2f64.powi(-40)) & !swap & !left;
    let value = plain.pick(quotient, value).copysign(y);
    (x.is_nan() | y.is_nan()).pick(f64::NAN, value)
}

/// 2^500, 2^-400, 2^-600, 2^600.
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);
const SMALL: f64 = f64::from_bits((1023 - 400) << 52);
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
const UP: f64 = f64::from_bits((1023 + 600) << 52);
