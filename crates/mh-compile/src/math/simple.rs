//! Functions that are an instruction or a few: rounding, signs, classes, neighbours, exact remainders.

use super::build::{Bit, Float, Int};

pub fn sign(x: Float<'_>) -> Float<'_> {
    let one = x.gt(0.0).pick(1.0, x.lt(0.0).pick(-1.0, 0.0));
    x.is_nan().pick(x, one)
}

pub fn is_inf(x: Float<'_>) -> Bit<'_> {
    x.abs().eq(f64::INFINITY)
}

pub fn is_finite(x: Float<'_>) -> Bit<'_> {
    x.abs().lt(f64::INFINITY)
}

pub fn sign_bit(x: Float<'_>) -> Bit<'_> {
    x.bits().less(0)
}

/// The next number after x in the direction of y.
pub fn next_after<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let bits = x.bits();
    // Away from zero the bits grow.
    let away = x.lt(y) ^ sign_bit(x);
    let step = away.pick_int(1, -1);
    let value = (bits + step).float();
    let least = x.body().int(1).float().copysign(y);
    let value = x.eq(0.0).pick(least, value);
    let value = x.eq(y).pick(y, value);
    (x.is_nan() | y.is_nan()).pick(x + y, value)
}

/// x times 2^n with one rounding: three factors, the first two exact.
pub fn ldexp<'b>(x: Float<'b>, n: Int<'b>) -> Float<'b> {
    let n = n.less(-2200).pick_int(-2200, n);
    let n = (n - 2200).less(0).pick_int(n, 2200);
    // Subnormal x is lifted, so that parts of n keep it exact: 2^54.
    let small = x.abs().lt(f64::MIN_POSITIVE);
    let x = small.pick(x * 18_014_398_509_481_984.0, x);
    let n = small.pick_int(n - 54, n);
    // The power that x has afterwards decides: all at once where the result is normal; the rounding is the last factor's.
    let exponent = (x.bits().shift_right(52) & 2047) - 1023;
    let target = exponent + n;
    let target = target.less(-1100).pick_int(-1100, target);
    let target = (target - 1100).less(0).pick_int(target, 1100);
    let fraction = ((x.bits() & !(2047 << 52)) | (1023 << 52)).float();
    let first = target.less(-1000).pick_int(-1000, target);
    let first = (first - 1000).less(0).pick_int(first, 1000);
    let value = fraction * first.power_of_two() * (target - first).power_of_two();
    let plain = x.eq(0.0) | !is_finite(x);
    plain.pick(x, value)
}

/// fmod by `frem` where the quotient has more than 53 bits; else one exact difference.
pub fn fmod<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let (a, b) = (x.abs(), y.abs());
    let quotient = a / b;
    let rest = (-quotient.trunc()).fma(b, a);
    // The quotient may have been rounded up to the next whole number.
    let usual = rest.lt(0.0).pick(rest + b, rest);
    // nan, infinity, 0 and overflow go here, too.
    let [value] = x.body().seldom(!(quotient.lt(QUOTIENTS) & b.lt(f64::INFINITY)), [usual], || [a.rem(b)]);
    value.copysign(x)
}

/// 2^52: whole quotients below are exact but for the last rounding.
const QUOTIENTS: f64 = 4_503_599_627_370_496.0;

/// IEEE's remainder: x - n y with n the whole number next to x / y, halves to even.
pub fn remainder<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let b = y.abs();
    // Of 2 b, so that the parity of n stays known; where 2 b overflows, x is below it anyway.
    let huge = b.gt(f64::MAX / 2.0);
    let a = huge.pick(x.abs(), fmod(x.abs(), b + b));
    let nan = x.is_nan() | y.is_nan() | y.eq(0.0) | x.abs().eq(f64::INFINITY);
    // a in [0, 2b): minus 0, b or 2b, all exact. Halves of tiny numbers and doubles of huge ones are not: one of each.
    let big = b.gt(1.0);
    let half = b * 0.5;
    let once = big.pick(a, a + a).gt(big.pick(half, b)).pick(a - b, a);
    let value = big.pick(once, once + once).ge(big.pick(half, b)).pick(once - b, once);
    let value = once.lt(a).pick(value, once);
    let value = b.eq(f64::INFINITY).pick(x.abs(), value);
    nan.pick(f64::NAN, value.flip(x))
}

/// Markstein's correction of sqrt(x^2 + y^2), scaled so that squares neither overflow nor vanish.
pub fn hypot<'b>(x: Float<'b>, y: Float<'b>) -> Float<'b> {
    let (x, y) = (x.abs(), y.abs());
    let infinite = x.eq(f64::INFINITY) | y.eq(f64::INFINITY);
    let swap = x.lt(y);
    let (a, b) = (swap.pick(y, x), swap.pick(x, y));
    let (large, small) = (a.gt(LARGE), a.lt(SMALL));
    let factor = large.pick(SCALE_DOWN, small.pick(SCALE_UP, 1.0));
    let back = large.pick(SCALE_UP, small.pick(SCALE_DOWN, 1.0));
    let (a, b) = (a * factor, b * factor);
    let square = a.exact_product(a);
    let other = b.exact_product(b);
    let sum = square.high.ordered_sum(other.high);
    let total = sum.high.with(sum.low + (square.low + other.low));
    let root = total.high.sqrt();
    let rest = (-root).fma(root, total.high) + total.low;
    let value = root + rest / (root + root);
    let value = a.eq(0.0).pick(0.0, value) * back;
    infinite.pick(f64::INFINITY, (x.is_nan() | y.is_nan()).pick(f64::NAN, value))
}

/// 2^500, 2^-500, 2^600, 2^-600.
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);
const SMALL: f64 = f64::from_bits((1023 - 500) << 52);
const SCALE_UP: f64 = f64::from_bits((1023 + 600) << 52);
const SCALE_DOWN: f64 = f64::from_bits((1023 - 600) << 52);
