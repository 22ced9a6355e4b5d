//! sin, cos, tan: reduction by multiples of pi/2, minimax polynomials on [-pi/4, pi/4].

use super::build::{Bit, Float, Int, Pair, SHIFTER};
use super::coefficients::{COS, HALF_PI, HALF_PI_PAIR, SIN, TWO_OVER_PI};

/// Up to here Cody and Waite's reduction in three parts is right (Boldo, Daumas and Li: the first difference is exact).
pub const NEAR: f64 = (1u64 << 40) as f64;

/// Name of `TWO_OVER_PI` in the text.
pub const TABLE: &str = "mh.two_over_pi";

/// The text of the table that sin, cos and tan look up.
pub fn table() -> String {
    let words: Vec<String> = TWO_OVER_PI.iter().map(|word| format!("i64 {}", *word as i64)).collect();
    format!("@{TABLE} = internal constant [{} x i64] [{}]\n", words.len(), words.join(", "))
}

/// x = n pi / 2 + r.
struct Reduced<'b> {
    r: Pair<'b>,
    /// Only the low two bits count.
    n: Int<'b>,
}

fn reduce_near(x: Float<'_>) -> Reduced<'_> {
    let shifted = x.fma(std::f64::consts::FRAC_2_PI, SHIFTER);
    let n = shifted - SHIFTER;
    let negative = -n;
    let first = negative.fma(HALF_PI[0], x);
    let product = n.exact_product(HALF_PI[1]);
    let second = first.exact_sum(-product.high);
    let low = negative.fma(HALF_PI[2], second.low - product.low);
    Reduced { r: second.high.ordered_sum(low), n: shifted.bits() }
}

/// Payne and Hanek: the bits of 2 / pi that matter for the exponent of `x`, 192 of them, times its 53 bits. |x| >= `NEAR`.
fn reduce_far(x: Float<'_>) -> Reduced<'_> {
    let body = x.body();
    let bits = x.bits();
    let significand = (bits & ((1 << 52) - 1)) | (1 << 52);
    // x is the significand times 2^e; bits of weight 4 / 2^e and above make whole turns. At most 2^10, for infinity and nan too.
    let offset = (bits.shift_right(52) & 2047) + (62 - 1075);
    let offset = offset.below(1035).pick_int(offset, 0);
    let word = offset.shift_right(6);
    let w = [0, 1, 2, 3].map(|i| body.look_up(TABLE, TWO_OVER_PI.len(), word + i));
    let [high, middle, low] = [0, 1, 2].map(|i| w[i].funnel(w[i + 1], offset & 63));
    let upper = significand * high;
    let (carried, second) = significand.wide_product(middle);
    let (third, _) = significand.wide_product(low);
    let lower = second + third;
    let upper = upper + carried + lower.below(third).pick_int(1, 0);
    // Two bits of the quadrant, then the fraction: rounded to the next quadrant, so with a sign.
    let top = upper.shift_left(2) | lower.shift_right(62);
    let rest = lower.shift_left(2);
    let negative = top.less(0);
    let mask = negative.pick_int(-1, 0);
    let (top, rest) = (top ^ mask, rest ^ mask);
    let first = top.shift_right(32).small_float() * 2f64.powi(-32);
    let next = (top & 0xFFFF_FFFF).small_float() * 2f64.powi(-64);
    let last = rest.shift_right(14).small_float() * 2f64.powi(-114);
    let sum = first.ordered_sum(next);
    let total = sum.high.ordered_sum(last);
    let part = total.high.ordered_sum(total.low + sum.low);
    let r = part.multiply(body.constant(HALF_PI_PAIR[0]).with(HALF_PI_PAIR[1]));
    let n = upper.shift_right(62) + negative.pick_int(1, 0);
    let sign = negative ^ x.lt(0.0);
    let r = sign.pick_pair(r.negate(), r);
    let n = x.lt(0.0).pick_int(body.int(0) - n, n);
    // Infinity has no remainder.
    Reduced { r: (r.high + x * 0.0).with(r.low), n }
}

fn reduce(x: Float<'_>) -> Reduced<'_> {
    let near = reduce_near(x);
    let [high, low, shifted] =
        x.body().seldom(!x.abs().lt(NEAR), [near.r.high, near.r.low, near.n.float()], || {
            let far = reduce_far(x);
            [far.r.high, far.r.low, (far.n & 3).float()]
        });
    Reduced { r: high.with(low), n: shifted.bits() }
}

/// sin(r) = `high` + `low`, |r| <= pi/4.
fn sin_kernel<'b>(r: Pair<'b>, z: Float<'b>) -> Pair<'b> {
    let cube = z * r.high;
    // (1 - z/2) r.low
    let low = (z * -0.5).fma(r.low, r.low);
    r.high.with(cube.fma(z.polynomial(&SIN), low))
}

/// cos(r) = `high` + `low`.
fn cos_kernel<'b>(r: Pair<'b>, z: Float<'b>) -> Pair<'b> {
    let half = z * 0.5;
    let high = 1.0 - half;
    let rounding = (1.0 - high) - half;
    let low = (-r.high).fma(r.low, rounding);
    high.with((z * z).fma(z.polynomial(&COS), low))
}

fn odd<'b>(n: Int<'b>) -> Bit<'b> {
    (n & 1).differs(0)
}

/// sin of r + n pi/2.
fn turned<'b>(r: Pair<'b>, n: Int<'b>) -> Float<'b> {
    let z = r.high * r.high;
    let value = odd(n).pick_pair(cos_kernel(r, z), sin_kernel(r, z)).sum();
    signed(value, n)
}

/// Changes sign in the lower two quadrants.
fn signed<'b>(value: Float<'b>, n: Int<'b>) -> Float<'b> {
    (value.bits() ^ (n & 2).shift_left(62)).float()
}

pub fn sin(x: Float<'_>) -> Float<'_> {
    sin_of(x, &reduce(x))
}

/// Right up to `NEAR` only.
pub fn sin_near(x: Float<'_>) -> Float<'_> {
    sin_of(x, &reduce_near(x))
}

fn sin_of<'b>(x: Float<'b>, reduced: &Reduced<'b>) -> Float<'b> {
    // -0.0 comes back as 0.0.
    x.eq(0.0).pick(x, turned(reduced.r, reduced.n))
}

pub fn cos(x: Float<'_>) -> Float<'_> {
    let Reduced { r, n } = reduce(x);
    turned(r, n + 1)
}

/// Right up to `NEAR` only.
pub fn cos_near(x: Float<'_>) -> Float<'_> {
    let Reduced { r, n } = reduce_near(x);
    turned(r, n + 1)
}

pub fn tan(x: Float<'_>) -> Float<'_> {
    x.eq(0.0).pick(x, tan_of(&reduce(x)))
}

/// Right up to `NEAR` only.
pub fn tan_near(x: Float<'_>) -> Float<'_> {
    let value = tan_of(&reduce_near(x));
    x.eq(0.0).pick(x, value)
}

/// sin / cos or -cos / sin, as pairs.
fn tan_of<'b>(reduced: &Reduced<'b>) -> Float<'b> {
    let Reduced { r, n } = *reduced;
    let z = r.high * r.high;
    let (sine, cosine) = (sin_kernel(r, z), cos_kernel(r, z));
    let odd = odd(n);
    let above = odd.pick_pair(cosine, sine);
    let below = odd.pick_pair(sine, cosine);
    let value = above.normal().divide(below.normal()).sum();
    (value.bits() ^ n.shift_left(63)).float()
}

/// sin of a pair, |r| <= pi/2: beyond pi/4 the cosine of the complement.
pub fn sin_pair<'b>(r: Pair<'b>) -> Pair<'b> {
    let a = r.high.lt(0.0).pick_pair(r.negate(), r);
    let far = a.high.gt(std::f64::consts::FRAC_PI_4);
    let rest = a.high.body().constant(HALF_PI_PAIR[0]).ordered_sum(-a.high);
    let rest = rest.high.ordered_sum(rest.low + (HALF_PI_PAIR[1] - a.low));
    let angle = far.pick_pair(rest, a);
    let z = angle.high * angle.high;
    let value = far.pick_pair(cos_kernel(angle, z), sin_kernel(angle, z)).normal();
    r.high.lt(0.0).pick_pair(value.negate(), value)
}

/// cos and sin of 2 pi t, t in [0, 1].
pub fn turn(t: Float<'_>) -> (Float<'_>, Float<'_>) {
    let quarters = t * 4.0;
    let shifted = quarters + SHIFTER;
    let angle = (quarters - (shifted - SHIFTER)) * std::f64::consts::FRAC_PI_2;
    let n = shifted.bits();
    let r = angle.with(0.0);
    let z = angle * angle;
    let (sine, cosine) = (sin_kernel(r, z).sum(), cos_kernel(r, z).sum());
    let odd = odd(n);
    (signed(odd.pick(sine, cosine), n + 1), signed(odd.pick(cosine, sine), n))
}
