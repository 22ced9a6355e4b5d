//! Functions of complex numbers: Kahan's formulas (1987), over the functions of floats. Zeros keep their signs, so that branch cuts have two
//! sides; infinite parts and nan give C's values (`special`).

use super::build::{Bit, Float, Pair};
use super::coefficients::LOG10_E;
use super::exp::exp;
use super::hyperbolic::{asinh, cosh, sinh};
use super::inverse::atan2;
use super::log::{log, log_pair, log1p};
use super::simple::hypot;
use super::special::special;
use super::trigonometric::{cos, sin, tan};
use crate::ir::Math;

#[derive(Clone, Copy)]
pub struct Complex<'b> {
    pub re: Float<'b>,
    pub im: Float<'b>,
}

impl<'b> Complex<'b> {
    /// i z.
    fn turn(self) -> Self {
        Self { re: -self.im, im: self.re }
    }

    /// -i z.
    fn turn_back(self) -> Self {
        Self { re: self.im, im: -self.re }
    }

    fn negate(self) -> Self {
        Self { re: -self.re, im: -self.im }
    }
}

pub fn define(function: Math, z: Complex<'_>) -> Option<Complex<'_>> {
    Some(match function {
        Math::Exp => special("mh.special.exp", z, exponential(z)),
        Math::Log => logarithm(z),
        Math::Log10 => {
            let value = logarithm(z);
            Complex { re: value.re * LOG10_E[0], im: value.im * LOG10_E[0] }
        }
        Math::Sqrt => root(z),
        Math::Sinh => hyperbolic_sine(z),
        Math::Cosh => hyperbolic_cosine(z),
        Math::Tanh => hyperbolic_tangent(z),
        Math::Sin => hyperbolic_sine(z.turn()).turn_back(),
        Math::Cos => hyperbolic_cosine(z.turn()),
        Math::Tan => hyperbolic_tangent(z.turn()).turn_back(),
        Math::Asinh => area_sine(z),
        Math::Asin => area_sine(z.turn()).turn_back(),
        Math::Acos => special("mh.special.acos", z, arc_cosine(z)),
        Math::Acosh => special("mh.special.acosh", z, area_cosine(z)),
        Math::Atanh => area_tangent(z),
        Math::Atan => area_tangent(z.turn()).turn_back(),
        _ => return None,
    })
}

fn exponential(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    // In two factors where e^x alone would overflow.
    let large = x.gt(709.0) & x.lt(f64::INFINITY);
    let size = exp(large.pick(x * 0.5, x));
    let more = large.pick(size, 1.0);
    let (re, im) = (size * cos(y) * more, size * sin(y) * more);
    // e^-inf is 0 whatever the angle.
    let none = size.eq(0.0) & y.abs().eq(f64::INFINITY);
    let (re, im) = (none.pick(0.0, re), none.pick(0.0, im));
    let flat = y.eq(0.0);
    Complex { re: flat.pick(size * more, re), im: flat.pick(y, im) }
}

/// Half the logarithm of x^2 + y^2 as a pair, scaled to the middle.
fn logarithm(z: Complex<'_>) -> Complex<'_> {
    let (a, b) = (z.re.abs(), z.im.abs());
    let infinite = a.eq(f64::INFINITY) | b.eq(f64::INFINITY);
    let swap = a.lt(b);
    let (a, b) = (swap.pick(b, a), swap.pick(a, b));
    let (large, small) = (a.gt(LARGE), a.lt(SMALL));
    let factor = large.pick(DOWN, small.pick(UP, 1.0));
    // Twice the exponent that was taken out.
    let twos = large.pick(1200.0, small.pick(-1200.0, 0.0));
    let (a, b) = (a * factor, b * factor);
    let origin = a.eq(0.0);
    let a = origin.pick(1.0, a);
    let size = square(a).add(square(b));
    let re = log_pair(size, Some(twos)) * 0.5;
    let re = origin.pick(f64::NEG_INFINITY, re);
    let re = (a.is_nan() | b.is_nan()).pick(f64::NAN, re);
    let re = infinite.pick(f64::INFINITY, re);
    Complex { re, im: atan2(z.im, z.re) }
}

fn square(x: Float<'_>) -> Pair<'_> {
    x.exact_product(x)
}

fn root(z: Complex<'_>) -> Complex<'_> {
    let (a, b) = (z.re.abs(), z.im.abs());
    let (large, small) = (a.gt(LARGE) | b.gt(LARGE), a.lt(SMALL) & b.lt(SMALL));
    let factor = large.pick(DOWN, small.pick(UP, 1.0));
    let back = large.pick(ROOT_UP, small.pick(ROOT_DOWN, 1.0));
    let (a, b) = (a * factor, b * factor);
    // The larger part, and the other by division.
    let major = ((hypot(a, b) + a) * 0.5).sqrt();
    let major = major * back;
    let origin = a.eq(0.0) & b.eq(0.0);
    let minor = origin.pick(0.0, z.im.abs() / (major + major));
    let left = z.re.lt(0.0);
    let (re, im) = (left.pick(minor, major), left.pick(major, minor));
    // Infinite parts.
    let wide = a.eq(f64::INFINITY);
    let (re, im) = (
        wide.pick(left.pick(b.is_nan().pick(f64::NAN, 0.0), f64::INFINITY), re),
        wide.pick(left.pick(f64::INFINITY, b.is_nan().pick(f64::NAN, 0.0)), im),
    );
    let tall = z.im.abs().eq(f64::INFINITY);
    let (re, im) = (tall.pick(f64::INFINITY, re), tall.pick(f64::INFINITY, im));
    Complex { re, im: im.copysign(z.im) }
}

/// sinh x and cosh x times factors, in two steps where the functions alone would overflow.
fn spread<'b>(x: Float<'b>, sine: Float<'b>, cosine: Float<'b>) -> (Float<'b>, Float<'b>) {
    // Past 40 both are e^|x| / 2.
    let a = x.abs();
    let large = a.gt(700.0) & a.lt(f64::INFINITY);
    let half = exp(large.pick(a * 0.5, 0.0));
    let near = large.pick(0.0, x);
    let far = |part: Float<'b>| half * 0.5 * part * half;
    let first = large.pick(far(sine).flip(x), sinh(near) * sine);
    let second = large.pick(far(cosine), cosh(near) * cosine);
    (first, second)
}

fn hyperbolic_sine(z: Complex<'_>) -> Complex<'_> {
    special("mh.special.sinh", z, sinh_formula(z))
}

fn sinh_formula(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let (re, im) = spread(x, cos(y), sin(y));
    // 0 times infinity is not wanted.
    let (endless, wide) = (!y.abs().lt(f64::INFINITY), !x.abs().lt(f64::INFINITY));
    Complex { re: (x.eq(0.0) & endless).pick(x, re), im: (y.eq(0.0) & wide).pick(y, im) }
}

fn hyperbolic_cosine(z: Complex<'_>) -> Complex<'_> {
    special("mh.special.cosh", z, cosh_formula(z))
}

fn cosh_formula(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let (im, re) = spread(x, sin(y), cos(y));
    let (endless, wide) = (!y.abs().lt(f64::INFINITY), !x.abs().lt(f64::INFINITY));
    let flat = (x.eq(0.0) & endless) | (y.eq(0.0) & wide);
    let zero = x.body().constant(0.0).flip(x).flip(y);
    Complex { re, im: flat.pick(zero, im) }
}

fn hyperbolic_tangent(z: Complex<'_>) -> Complex<'_> {
    special("mh.special.tanh", z, tanh_formula(z))
}

fn tanh_formula(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let far = x.abs().gt(22.0);
    let t = tan(y);
    let beta = t.fma(t, 1.0);
    let s = sinh(far.pick(1.0, x));
    let square = s * s;
    let rho = (square + 1.0).sqrt();
    let below = beta.fma(square, 1.0);
    // tan overflows nowhere, its square does not either.
    let (re, im) = (beta * rho * s / below, t / below);
    let little = exp(x.abs() * -2.0) * 4.0 * (sin(y) * cos(y));
    let little = y.abs().eq(f64::INFINITY).pick(0.0, little);
    Complex { re: far.pick(x.body().constant(1.0).copysign(x), re), im: far.pick(little, im) }
}

fn endless(z: Complex<'_>) -> Bit<'_> {
    z.re.abs().eq(f64::INFINITY) | z.im.abs().eq(f64::INFINITY)
}

fn area_sine(z: Complex<'_>) -> Complex<'_> {
    special("mh.special.asinh", z, asinh_formula(z))
}

fn asinh_formula(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let first = root(Complex { re: 1.0 + y, im: -x });
    let second = root(Complex { re: 1.0 - y, im: x });
    let far = endless(z);
    Complex {
        re: far.pick(
            x.body().constant(f64::INFINITY).copysign(x),
            asinh(first.re * second.im - second.re * first.im),
        ),
        im: atan2(y, far.pick(x.abs(), first.re * second.re - first.im * second.im)),
    }
}

fn arc_cosine(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let first = root(Complex { re: 1.0 - x, im: -y });
    let second = root(Complex { re: 1.0 + x, im: y });
    Complex { re: atan2(first.re, second.re) * 2.0, im: asinh(second.re * first.im - second.im * first.re) }
}

fn area_cosine(z: Complex<'_>) -> Complex<'_> {
    let Complex { re: x, im: y } = z;
    let first = root(Complex { re: x - 1.0, im: y });
    let second = root(Complex { re: x + 1.0, im: y });
    Complex { re: asinh(first.re * second.re + first.im * second.im), im: atan2(first.im, second.re) * 2.0 }
}

fn area_tangent(z: Complex<'_>) -> Complex<'_> {
    special("mh.special.atanh", z, atanh_formula(z))
}

/// Of -z where x is negative.
fn atanh_formula(z: Complex<'_>) -> Complex<'_> {
    let left = z.re.bits().less(0);
    let negated = z.negate();
    let (x, y) = (left.pick(negated.re, z.re), left.pick(negated.im, z.im));
    let far = x.gt(LARGE) | y.abs().gt(LARGE);
    let h = hypot(x * 0.5, y * 0.5);
    let far_re = h.lt(f64::INFINITY).pick(x * 0.25 / h / h, 0.0);
    let far_re = x.is_nan().pick(x, far_re);
    let far_im = x.body().constant(std::f64::consts::FRAC_PI_2).copysign(y);
    let (xs, ys) = (far.pick(0.5, x), far.pick(0.5, y));
    let gap = 1.0 - xs;
    let re = log1p(xs * 4.0 / (gap * gap + ys * ys)) * 0.25;
    // Beside the pole the square of y vanishes.
    let beside = gap.eq(0.0) & ys.abs().lt(1e-150);
    let re = beside.pick((std::f64::consts::LN_2 - log(ys.abs())) * 0.5, re);
    let im = atan2(ys * 2.0, gap * (1.0 + xs) - ys * ys) * 0.5;
    let (re, im) = (far.pick(far_re, re), far.pick(far_im, im));
    let value = Complex { re, im };
    let back = value.negate();
    Complex { re: left.pick(back.re, value.re), im: left.pick(back.im, value.im) }
}

/// 2^500, 2^-500, 2^600, 2^-600 and the roots of the latter two.
const LARGE: f64 = f64::from_bits((1023 + 500) << 52);
const SMALL: f64 = f64::from_bits((1023 - 500) << 52);
const UP: f64 = f64::from_bits((1023 + 600) << 52);
const DOWN: f64 = f64::from_bits((1023 - 600) << 52);
const ROOT_UP: f64 = f64::from_bits((1023 + 300) << 52);
const ROOT_DOWN: f64 = f64::from_bits((1023 - 300) << 52);
