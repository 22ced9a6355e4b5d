//! pow and cbrt.

use super::build::{Bit, Float, Pair};
use super::coefficients::{LN_2, LOG_LONG, THIRD_PAIR};
use super::exp::{exponential, reduce, scale};
use super::log::{Split, split};

/// log of a positive, finite number to about 2^-66: 2 atanh(s) with s and the first terms as pairs.
pub fn long_log(x: Float<'_>) -> Pair<'_> {
    let Split { k, m } = split(x);
    let f = m - 1.0;
    let below = x.body().constant(2.0).ordered_sum(f);
    let s = f.with(0.0).divide(below);
    let z = s.multiply(s);
    let third = z.multiply(x.body().constant(THIRD_PAIR[0]).with(THIRD_PAIR[1]));
    let tail = z.high * z.high * z.high.polynomial(&LOG_LONG);
    let rest = third.high.ordered_sum(third.low + tail);
    let twice = s.scale(2.0);
    let part = twice.multiply(rest);
    let sum = twice.high.ordered_sum(part.high);
    let log = sum.high.with(sum.low + (part.low + twice.low));
    let whole = (k * LN_2[0]).ordered_sum(log.high);
    whole.high.ordered_sum(whole.low + k.fma(LN_2[1], log.low))
}

/// e^(y log x) with the logarithm and the product as pairs; C's special values.
pub fn pow<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let a = x.abs();
    let ordinary = a.gt(0.0) & a.lt(f64::INFINITY);
    let log = long_log(ordinary.pick(a, 1.0));
    let product = y.exact_product(log.high);
    let low = y.fma(log.low, product.low);
    let (over, under) = (product.high.gt(OVERFLOW), product.high.lt(UNDERFLOW));
    let high = over.pick(OVERFLOW, under.pick(UNDERFLOW, product.high));
    let low = (over | under).pick(0.0, low);
    let reduced = reduce(high);
    let r = reduced.r.high.ordered_sum(reduced.r.low + low);
    let value = scale(exponential(r).sum(), reduced.k);

    // 0 and infinity: to the other one where y is negative.
    let edge = (a.eq(0.0) ^ y.lt(0.0)).pick(0.0, f64::INFINITY);
    let value = ordinary.pick(value, edge);
    let whole = y.trunc().eq(y);
    let half = y * 0.5;
    let odd = whole & half.trunc().ne(half);
    let value = (odd & sign(x)).pick(-value, value);
    let value = (x.lt(0.0) & ordinary & !whole).pick(f64::NAN, value);
    let value = (a.eq(1.0) & y.abs().eq(f64::INFINITY)).pick(1.0, value);
    let value = (x.is_nan() | y.is_nan()).pick(f64::NAN, value);
    (x.eq(1.0) | y.eq(0.0)).pick(1.0, value)
}

const OVERFLOW: f64 = 710.0;
const UNDERFLOW: f64 = -746.0;

fn sign(x: Float<'_>) -> Bit<'_> {
    x.bits().less(0)
}

/// x y^2 with y = x^(-1/3): a guess from the exponent, two steps of fourth order, and a last one that sees the exact cube.
pub fn cbrt(x: Float<'_>) -> Float<'_> {
    let a = x.abs();
    let small = a.lt(f64::MIN_POSITIVE);
    // 2^54, whose cube root is 2^18.
    let a = small.pick(a * 18_014_398_509_481_984.0, a);
    // A third of the upper word, by a product: (h * ceil(2^32 / 3)) / 2^32.
    let third = (a.bits().shift_right(32) * 0x5555_5556).shift_right(32);
    let guess = (x.body().int(0x553E_F0FF) - third).shift_left(32).float();
    let y = closer(a, closer(a, guess));
    let square = y * y;
    let root = a * square;
    let exact = root.exact_product(root);
    let rest = exact.high.fma(root, -a) + exact.low * root;
    let root = (rest * square).fma(-1.0 / 3.0, root);
    let value = small.pick(root * (1.0 / 262_144.0), root).copysign(x);
    (x.eq(0.0) | !a.lt(f64::INFINITY)).pick(x, value)
}

/// x^(-1/3) from a guess y: of h = 1 - x y^3 the first terms of (1 - h)^(-1/3).
fn closer<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let h = 1.0 - (x * y) * (y * y);
    (y * h).fma(h.horner(&[1.0 / 3.0, 2.0 / 9.0, 14.0 / 81.0]), y)
}
