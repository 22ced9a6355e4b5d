//! exp, exp2, expm1: Cody and Waite's reduction to |r| <= ln 2 / 2, a minimax polynomial, scaling by a power of two in two steps.

use super::build::{Float, Pair, SHIFTER};
use super::coefficients::{EXP_EVEN, EXP_ODD, LN_2, LN_2_PAIR, LOG2_E};

/// Where e^x is infinity, and where it is 0: further out everything is the same.
const OVERFLOW: f64 = 709.79;
const UNDERFLOW: f64 = -745.2;

/// x = k ln 2 + r.
pub struct Reduced<'b> {
    /// `low` matters only to functions that want more than a double's precision.
    pub r: Pair<'b>,
    /// A whole number.
    pub k: Float<'b>,
}

pub fn clamp<'b>(x: Float<'b>, low: f64, high: f64) -> Float<'b> {
    let below = x.gt(high).pick(high, x);
    below.lt(low).pick(low, below)
}

pub fn reduce(x: Float<'_>) -> Reduced<'_> {
    let k = x.fma(LOG2_E[0], SHIFTER) - SHIFTER;
    let negative = -k;
    let coarse = negative.fma(LN_2[0], x);
    let r = negative.fma(LN_2[1], coarse);
    let low = negative.fma(LN_2[1], coarse - r);
    Reduced { r: Pair { high: r, low }, k }
}

/// (e^r - 1 - r) / r^2.
pub fn quotient(r: Float<'_>) -> Float<'_> {
    let square = r * r;
    let fourth = square * square;
    let pair = |i: usize| r.fma(EXP_ODD[i], EXP_EVEN[i]);
    let first = square.fma(pair(1), pair(0));
    let second = square.fma(pair(3), pair(2));
    let upper = fourth.fma(pair(4), second);
    fourth.fma(upper, first)
}

/// e^r as a pair of about 2^-58.
pub fn exponential<'b>(r: Pair<'b>) -> Pair<'b> {
    let square = r.high * r.high;
    let tail = square.fma(quotient(r.high), r.low);
    let sum = r.high.ordered_sum(tail);
    let high = r.high.body().constant(1.0).ordered_sum(sum.high);
    high.high.with(high.low + sum.low)
}

/// `value` times 2^k, k a whole number in -1080..=1030, with one rounding.
pub fn scale<'b>(value: Float<'b>, k: Float<'b>) -> Float<'b> {
    let half = k.fma(0.5, SHIFTER);
    let rest = k - (half - SHIFTER);
    let power = |shifted: Float<'b>| (shifted.bits() + 1023).shift_left(52).float();
    value * power(half) * power(rest + SHIFTER)
}

pub fn exp(x: Float<'_>) -> Float<'_> {
    let Reduced { r, k } = reduce(clamp(x, UNDERFLOW, OVERFLOW));
    let r = r.high;
    let value = (r * r).fma(quotient(r), r) + 1.0;
    scale(value, k)
}

pub fn exp2(x: Float<'_>) -> Float<'_> {
    let x = clamp(x, -1075.5, 1025.0);
    let k = (x + SHIFTER) - SHIFTER;
    let part = x - k;
    let product = part.exact_product(LN_2_PAIR[0]);
    let low = part.fma(LN_2_PAIR[1], product.low);
    scale(exponential(product.high.with(low)).sum(), k)
}

/// e^x - 1 as s * (1 - 1/s + p) with s = 2^k: the sum of 2^(k-1) - 1/2 and 2^(k-1) p is kept exactly.
pub fn expm1(x: Float<'_>) -> Float<'_> {
    let Pair { high, low } = expm1_half(clamp(x, -50.0, OVERFLOW));
    let value = (high + low) * 2.0;
    // There the result is x, and halves would lose its last bits.
    x.abs().lt(TINY).pick(x, value)
}

pub const TINY: f64 = 1.0 / (1u64 << 54) as f64;

/// (e^x - 1) / 2 as a pair of about 2^-58; |x| in -50..=709.8.
pub fn expm1_half(x: Float<'_>) -> Pair<'_> {
    let Reduced { r, k } = reduce(x);
    let square = r.high * r.high;
    let tail = square.fma(quotient(r.high), r.low);
    let power = (k - 1.0).small_int().power_of_two();
    let high = (power - 0.5).exact_sum(power * r.high);
    high.high.ordered_sum(power.fma(tail, high.low))
}
