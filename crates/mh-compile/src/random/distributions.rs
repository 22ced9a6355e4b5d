//! Distributions that are formulas of one draw.

use crate::ir::Draw;
use crate::math::Definitions;
use crate::math::build::{Body, Float, Int, Operand};
use crate::math::{exp, log, trigonometric};

/// Functions of a state read and write its memory.
const ATTRIBUTES: &str = "alwaysinline nounwind willreturn";
/// 2^-53 and 2^-64.
const TO_UNIT: f64 = 1.0 / (1u64 << 53) as f64;
const TO_FRACTION: f64 = TO_UNIT / (1u64 << 11) as f64;

pub fn define(draw: Draw, definitions: &mut Definitions) {
    let body = Body::default();
    let x = || body.argument(1);
    let y = || body.argument(2);
    let name = super::name(draw);
    if draw == Draw::Integers {
        let result = integers(&body, body.int_argument(1), body.int_argument(2));
        definitions.text.push_str(&body.finish_with(
            &name,
            &["ptr", "i64", "i64"],
            &[result.into()],
            ATTRIBUTES,
        ));
        return;
    }
    let (arguments, result): (usize, Operand<'_>) = match draw {
        Draw::Unit => (0, unit(&body).into()),
        Draw::Uniform => (2, (x() + (y() - x()) * unit(&body)).into()),
        Draw::Normal => (2, (x() + y() * normal(&body)).into()),
        Draw::Exponential => (1, (x() * exponential(&body)).into()),
        Draw::LogNormal => (2, exp::exp(x() + y() * normal(&body)).into()),
        Draw::Laplace => (2, (x() + y() * laplace(&body)).into()),
        Draw::Logistic => (2, (x() + y() * logistic(&body)).into()),
        Draw::Gumbel => (2, (x() - y() * log::log(exponential(&body))).into()),
        Draw::Weibull => (1, weibull(&body, x()).into()),
        Draw::Pareto => (1, exp::expm1(exponential(&body) / x()).into()),
        Draw::Rayleigh => (1, (x() * (exponential(&body) * 2.0).sqrt()).into()),
        Draw::Triangular => (3, triangular(&body, x(), y(), body.argument(3)).into()),
        Draw::Geometric => (1, geometric(&body, x()).into()),
        Draw::StandardCauchy => {
            let turn = unit(&body) - 0.5;
            (0, trigonometric::tan_near(turn * std::f64::consts::PI).into())
        }
        _ => unreachable!("{draw:?} is made by rejection"),
    };
    let mut parameters = vec!["ptr"];
    parameters.resize(1 + arguments, "double");
    definitions.text.push_str(&body.finish_with(&name, &parameters, &[result], ATTRIBUTES));
    definitions.declarations.extend(body.declarations());
}

fn bits(body: &Body) -> Int<'_> {
    body.instruction("call i64 @mh.random.bits(ptr %a0)")
}

fn unit(body: &Body) -> Float<'_> {
    bits(body).shift_right(11).unsigned_float() * TO_UNIT
}

/// In (0, 1], small ones with all their bits.
fn fraction(bits: Int<'_>) -> Float<'_> {
    (bits | 1).unsigned_float() * TO_FRACTION
}

fn exponential(body: &Body) -> Float<'_> {
    // 0 - x: the log of 1 gives 0, not -0.
    0.0 - log::log_normal(fraction(bits(body)))
}

/// Box and Muller: cosine for even draws, sine for odd ones, of the same block.
fn normal(body: &Body) -> Float<'_> {
    let draw = body.instruction("getelementptr inbounds i8, ptr %a0, i64 16");
    let draw = body.load(draw);
    let pair = body.instruction("call { i64, i64 } @mh.random.pair(ptr %a0)");
    let radius = (log::log_normal(fraction(body.member(pair, 0))) * -2.0).sqrt();
    let turn = body.member(pair, 1).shift_right(11).unsigned_float() * TO_UNIT;
    let (cosine, sine) = trigonometric::turn(turn);
    radius * (draw & 1).differs(0).pick(sine, cosine)
}

/// An exponential of either sign: the sign is the lowest bit, which the fraction does not need.
fn laplace(body: &Body) -> Float<'_> {
    let bits = bits(body);
    let size = log::log_normal(fraction(bits));
    (size.bits() ^ bits.shift_left(63)).float()
}

/// log(v / (1 - v)), v in (0, 1), from the half that is nearer to 0: no digits are lost in either tail.
fn logistic(body: &Body) -> Float<'_> {
    let bits = bits(body);
    // v in (0, 1/2].
    let v = fraction(bits) * 0.5;
    let size = log::log_normal(v / (1.0 - v));
    (size.bits() ^ bits.shift_left(63)).float()
}

/// E^(1 / shape); 0 for shape 0, as NumPy has it.
fn weibull<'b>(body: &'b Body, shape: Float<'b>) -> Float<'b> {
    let value = exp::exp(log::log(exponential(body)) / shape);
    shape.eq(0.0).pick(0.0, value)
}

fn triangular<'b>(body: &'b Body, left: Float<'b>, mode: Float<'b>, right: Float<'b>) -> Float<'b> {
    let u = unit(body);
    let base = right - left;
    let ratio = (mode - left) / base;
    let rising = left + (u * ((mode - left) * base)).sqrt();
    let falling = right - ((1.0 - u) * ((right - mode) * base)).sqrt();
    u.le(ratio).pick(rising, falling)
}

/// The number of trials to the first success, at most the largest int.
fn geometric<'b>(body: &'b Body, p: Float<'b>) -> Int<'b> {
    let trials = (exponential(body) / (0.0 - log::log1p(0.0 - p))).ceil();
    // Also nan, of arguments that a check refuses.
    let many = !trials.lt(9.2e18);
    let trials = many.pick(1.0, trials);
    let trials = trials.lt(1.0).pick(1.0, trials);
    many.pick_int(i64::MAX, trials.to_int())
}

/// low + floor((high - low) r), r a fraction of 128 bits: each value's probability is right to 2^-128.
fn integers<'b>(body: &'b Body, low: Int<'b>, high: Int<'b>) -> Int<'b> {
    let span = high - low;
    let (minor, major) = (bits(body), bits(body));
    let (upper, lower) = span.wide_product(major);
    let (carried, _) = span.wide_product(minor);
    let sum = lower + carried;
    low + upper + sum.below(carried).pick_int(1, 0)
}
