//! sin, cos, tan: reduction by multiples of pi/2, minimax polynomials on [-pi/4, pi/4].

use super::build::{Bit, Float, Int, Pair, SHIFTER};
use super::coefficients::{COS, HALF_PI, SIN};

#[expect(dead_code, reason = "the reduction beyond follows")]
/// Up to here Cody and Waite's reduction in three parts is right (Boldo, Daumas and Li: the first difference is exact).
pub const NEAR: f64 = (1u64 << 40) as f64;

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
    let reduced = reduce_near(x);
    let value = turned(reduced.r, reduced.n);
    // -0.0
    x.eq(0.0).pick(x, value)
}

pub fn cos(x: Float<'_>) -> Float<'_> {
    let reduced = reduce_near(x);
    turned(reduced.r, reduced.n + 1)
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

pub fn tan(x: Float<'_>) -> Float<'_> {
    tan_near(x)
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
