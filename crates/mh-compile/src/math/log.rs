//! log, log2, log10, log1p: x = 2^k m with m in [sqrt(1/2), sqrt(2)), then 2 atanh(s) with s = f / (2 + f), f = m - 1, as fdlibm
//! has it, with the leading sums kept exactly.

use super::build::{Float, Int, Pair};
use super::coefficients::{LN_2, LOG, LOG2_E, LOG10_2, LOG10_E};
use super::exp::TINY;

/// Bits of sqrt(1/2).
const ROOT_HALF: i64 = 0x3FE6_A09E_667F_3BCD;
const FRACTION: i64 = (1 << 52) - 1;
const MIN_NORMAL: f64 = f64::MIN_POSITIVE;
/// 2^54.
const LIFT: f64 = 18_014_398_509_481_984.0;

/// x = 2^k m.
pub struct Split<'b> {
    pub k: Float<'b>,
    pub m: Float<'b>,
}

/// Of a positive, finite `x`, subnormal ones included.
pub fn split(x: Float<'_>) -> Split<'_> {
    let small = x.lt(MIN_NORMAL);
    let lifted = small.pick(x * LIFT, x);
    let Split { k, m } = split_normal(lifted);
    Split { k: k - small.pick(54.0, 0.0), m }
}

pub fn split_normal(x: Float<'_>) -> Split<'_> {
    let shifted = x.bits() - (ROOT_HALF - (1023 << 52));
    let exponent: Int<'_> = shifted.shift_right(52);
    let m = ((shifted & FRACTION) + ROOT_HALF).float();
    Split { k: (exponent - 1023).small_float(), m }
}

/// log(1 + f) = f + this: the part beyond f.
fn beyond(f: Float<'_>) -> Float<'_> {
    let s = f / (f + 2.0);
    let z = s * s;
    let rest = z * z.polynomial(&LOG);
    let half = f * f * 0.5;
    s * (half + rest) - half
}

/// log(2^k (1 + f)) + `extra`, which is small beside f or k.
fn finish<'b>(k: Float<'b>, f: Float<'b>, extra: Option<Float<'b>>) -> Float<'b> {
    let high = (k * LN_2[0]).ordered_sum(f);
    let mut low = k * LN_2[1];
    if let Some(extra) = extra {
        low = low + extra;
    }
    high.high + (high.low + (beyond(f) + low))
}

/// Infinity, 0, negative numbers and nan, where `value` is right for the others.
fn special<'b>(x: Float<'b>, value: Float<'b>) -> Float<'b> {
    // nan and infinity give themselves.
    let value = x.lt(f64::INFINITY).pick(value, x);
    let value = x.lt(0.0).pick(f64::NAN, value);
    x.eq(0.0).pick(f64::NEG_INFINITY, value)
}

pub fn log(x: Float<'_>) -> Float<'_> {
    let Split { k, m } = split(x);
    special(x, finish(k, m - 1.0, None))
}

/// log of a normal, positive, finite number.
pub fn log_normal(x: Float<'_>) -> Float<'_> {
    let Split { k, m } = split_normal(x);
    finish(k, m - 1.0, None)
}

/// log of a pair, `high` normal, positive and finite; plus `twos` times ln 2.
pub fn log_pair<'b>(x: Pair<'b>, twos: Option<Float<'b>>) -> Float<'b> {
    let Split { k, m } = split_normal(x.high);
    let k = twos.map_or(k, |twos| k + twos);
    finish(k, m - 1.0, Some(x.low / x.high))
}

pub fn log1p(x: Float<'_>) -> Float<'_> {
    let sum = x.exact_sum(1.0);
    let value = log_pair(sum, None);
    let value = special(sum.high, value);
    // Also -0.0, subnormal numbers.
    x.abs().lt(TINY).pick(x, value)
}

/// log(m) as a pair of about 2^-56.
fn fraction(m: Float<'_>) -> Pair<'_> {
    let f = m - 1.0;
    f.ordered_sum(beyond(f))
}

pub fn log2(x: Float<'_>) -> Float<'_> {
    let Split { k, m } = split(x);
    let value = fraction(m);
    let product = value.high.exact_product(LOG2_E[0]);
    let low = value.low.fma(LOG2_E[0], value.high.fma(LOG2_E[1], product.low));
    let high = k.ordered_sum(product.high);
    special(x, high.high + (high.low + low))
}

pub fn log10(x: Float<'_>) -> Float<'_> {
    let Split { k, m } = split(x);
    let value = fraction(m);
    let product = value.high.exact_product(LOG10_E[0]);
    let low = value.low.fma(LOG10_E[0], value.high.fma(LOG10_E[1], product.low));
    let high = (k * LOG10_2[0]).ordered_sum(product.high);
    special(x, high.high + (high.low + k.fma(LOG10_2[1], low)))
}
