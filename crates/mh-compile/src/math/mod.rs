//! The text of exp, log, sin, ...: our own, branch-free where it can be, at most 1.5 ulp (gamma functions 4).
//!
//! A call to libm cannot be vectorised; these functions are straight lines of arithmetic and selects that LLVM's loop vectoriser takes as they
//! are. They have the same bits on every x86-64 level: nothing is left to LLVM's choice (no fast-math flags), fused
//! multiply-add is asked for by name (below x86-64-v3 it is a call of `fma`).
//!
//! Values are C's: nan and infinity where Python raises; raising is `emit`'s.
//!
//! Names and types: `@mh.exp.f64` takes and gives `double`, `@mh.exp.f32` `float` (through double, rounded once); `.c128` takes two doubles for
//! each complex argument and gives `{ double, double }`, `.c64` the same in floats. Exceptions: `IsNan` and its like give `i1`; the second
//! argument of `Ldexp` is `i64`; `Gcd` and `PopCount` are `.i64`.

pub(crate) mod build;
mod coefficients;
mod erf;
pub(crate) mod exp;
mod gamma;
mod hyperbolic;
mod inverse;
pub(crate) mod log;
mod power;
mod simple;
pub(crate) mod trigonometric;

use std::collections::BTreeSet;
use std::fmt::Write as _;

use self::build::{ATTRIBUTES, Body, Float, Operand};
use crate::ir::{Kind, Math};

/// LLVM text: functions, and what they declare (a module may declare a name once only).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions {
    pub text: String,
    pub declarations: BTreeSet<String>,
}

/// Name of a function without its `@`.
#[must_use]
pub fn name(function: Math, kind: Kind) -> String {
    format!("mh.{}.{}", format!("{function:?}").to_lowercase(), format!("{kind:?}").to_lowercase())
}

/// Those of `wanted` that exist; see `exists`.
#[must_use]
pub fn definitions(wanted: &BTreeSet<(Math, Kind)>) -> Definitions {
    let mut all = wanted.clone();
    for &(function, kind) in wanted {
        all.extend(needs(function, kind));
    }
    let mut definitions = Definitions::default();
    if all.iter().any(|(function, _)| matches!(function, Math::Sin | Math::Cos | Math::Tan)) {
        definitions.text.push_str(&trigonometric::table());
    }
    for (function, kind) in all {
        let body = Body::default();
        if let Some(text) = define(&body, function, kind) {
            definitions.text.push_str(&text);
            definitions.declarations.extend(body.declarations());
        }
    }
    definitions
}

/// Whether there is such a function for arguments of this kind.
#[must_use]
pub fn exists(function: Math, kind: Kind) -> bool {
    define(&Body::default(), function, kind).is_some()
}

/// What a function of a narrow kind calls.
fn needs(function: Math, kind: Kind) -> Option<(Math, Kind)> {
    match kind {
        Kind::F32 => Some((function, Kind::F64)),
        Kind::C64 => Some((function, Kind::C128)),
        _ => None,
    }
}

fn define(body: &Body, function: Math, kind: Kind) -> Option<String> {
    let name = name(function, kind);
    match kind {
        Kind::F64 => {
            let (parameters, result) = real(body, function)?;
            Some(body.finish(&name, &parameters, &[result]))
        }
        Kind::F32 if exists(function, Kind::F64) => Some(narrow(function, &name)),
        _ => None,
    }
}

/// Parameters and result of a function of doubles.
fn real<'b>(body: &'b Body, function: Math) -> Option<(Vec<&'static str>, Operand<'b>)> {
    let x = body.argument(0);
    let y = body.argument(1);
    let one = |result: Float<'b>| (vec!["double"], result.into());
    let two = |result: Float<'b>| (vec!["double"; 2], result.into());
    Some(match function {
        Math::Sqrt => one(x.sqrt()),
        Math::Exp => one(exp::exp(x)),
        Math::Exp2 => one(exp::exp2(x)),
        Math::Expm1 => one(exp::expm1(x)),
        Math::Log => one(log::log(x)),
        Math::Log2 => one(log::log2(x)),
        Math::Log10 => one(log::log10(x)),
        Math::Log1p => one(log::log1p(x)),
        Math::Sin => one(trigonometric::sin(x)),
        Math::Cos => one(trigonometric::cos(x)),
        Math::Tan => one(trigonometric::tan(x)),
        Math::Asin => one(inverse::asin(x)),
        Math::Acos => one(inverse::acos(x)),
        Math::Atan => one(inverse::atan(x)),
        Math::Atan2 => two(inverse::atan2(x, y)),
        Math::Sinh => one(hyperbolic::sinh(x)),
        Math::Cosh => one(hyperbolic::cosh(x)),
        Math::Tanh => one(hyperbolic::tanh(x)),
        Math::Asinh => one(hyperbolic::asinh(x)),
        Math::Acosh => one(hyperbolic::acosh(x)),
        Math::Atanh => one(hyperbolic::atanh(x)),
        Math::Pow => two(power::pow(x, y)),
        Math::Cbrt => one(power::cbrt(x)),
        Math::Erf => one(erf::erf(x)),
        Math::Erfc => one(erf::erfc(x)),
        Math::Gamma => one(gamma::gamma(x)),
        Math::LogGamma => one(gamma::log_gamma(x)),
        Math::Hypot => two(simple::hypot(x, y)),
        Math::Fmod => two(simple::fmod(x, y)),
        Math::Remainder => two(simple::remainder(x, y)),
        Math::Floor => one(x.floor()),
        Math::Ceil => one(x.ceil()),
        Math::Trunc => one(x.trunc()),
        Math::RoundEven => one(x.rint()),
        Math::CopySign => two(x.copysign(y)),
        Math::NextAfter => two(simple::next_after(x, y)),
        Math::Fma => (vec!["double"; 3], x.fma(y, body.argument(2)).into()),
        Math::Ldexp => (vec!["double", "i64"], simple::ldexp(x, body.int_argument(1)).into()),
        Math::IsNan => (vec!["double"], x.is_nan().into()),
        Math::IsInf => (vec!["double"], simple::is_inf(x).into()),
        Math::IsFinite => (vec!["double"], simple::is_finite(x).into()),
        Math::SignBit => (vec!["double"], simple::sign_bit(x).into()),
        Math::Sign => one(simple::sign(x)),
        _ => return None,
    })
}

/// A function of floats: through double, rounded once.
fn narrow(function: Math, name: &str) -> String {
    let wide = self::name(function, Kind::F64);
    let arguments = match function {
        Math::Fma => 3,
        Math::Atan2
        | Math::Pow
        | Math::Hypot
        | Math::Fmod
        | Math::Remainder
        | Math::CopySign
        | Math::NextAfter
        | Math::Ldexp => 2,
        _ => 1,
    };
    let predicate = matches!(function, Math::IsNan | Math::IsInf | Math::IsFinite | Math::SignBit);
    let mut parameters = Vec::new();
    let mut passed = Vec::new();
    let mut text = String::new();
    for i in 0..arguments {
        if function == Math::Ldexp && i == 1 {
            parameters.push(format!("i64 %a{i}"));
            passed.push(format!("i64 %a{i}"));
        } else {
            parameters.push(format!("float %a{i}"));
            passed.push(format!("double %w{i}"));
            writeln!(text, "  %w{i} = fpext float %a{i} to double").expect("a string takes all text");
        }
    }
    let (ty, parameters, passed) =
        (if predicate { "i1" } else { "float" }, parameters.join(", "), passed.join(", "));
    let result = if predicate {
        format!("  %r = call i1 @{wide}({passed})\n  ret i1 %r\n")
    } else {
        format!("  %v = call double @{wide}({passed})\n  %r = fptrunc double %v to float\n  ret float %r\n")
    };
    format!("define internal {ty} @{name}({parameters}) {ATTRIBUTES} {{\n{text}{result}}}\n")
}
