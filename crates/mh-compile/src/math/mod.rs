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
mod complex;
mod erf;
pub(crate) mod exp;
mod gamma;
mod hyperbolic;
mod inverse;
pub(crate) mod log;
mod power;
mod simple;
mod special;
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
    for (function, kind) in all {
        let body = Body::default();
        if let Some(text) = define(&body, function, kind) {
            definitions.text.push_str(&text);
            definitions.declarations.extend(body.declarations());
        }
    }
    if definitions.text.contains(trigonometric::TABLE) {
        definitions.text.push_str(&trigonometric::table());
    }
    let tables = special::tables(&definitions.text);
    definitions.text.push_str(&tables);
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
        Kind::C128 => {
            let z = complex::Complex { re: body.argument(0), im: body.argument(1) };
            let value = complex::define(function, z)?;
            Some(body.finish(&name, &["double", "double"], &[value.re.into(), value.im.into()]))
        }
        Kind::C64 if exists(function, Kind::C128) => Some(narrow_complex(function, &name)),
        Kind::I64 => integer(function, &name, body),
        Kind::F32 if function == Math::NextAfter => Some(NEXT_AFTER_F32.to_owned()),
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
        Math::SinNear => one(trigonometric::sin_near(x)),
        Math::CosNear => one(trigonometric::cos_near(x)),
        Math::TanNear => one(trigonometric::tan_near(x)),
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

/// Functions of ints.
fn integer(function: Math, name: &str, body: &Body) -> Option<String> {
    match function {
        Math::Gcd => Some(GCD.to_owned()),
        Math::PopCount => {
            let count = body.int_argument(0).ones();
            Some(body.finish(name, &["i64"], &[count.into()]))
        }
        _ => None,
    }
}

/// Euclid's, of magnitudes: the one result that is no int, 2^63, is for the caller to refuse.
const GCD: &str = "define internal i64 @mh.gcd.i64(i64 %x, i64 %y) nounwind memory(none) {
entry:
  %x.negative = icmp slt i64 %x, 0
  %x.minus = sub i64 0, %x
  %a0 = select i1 %x.negative, i64 %x.minus, i64 %x
  %y.negative = icmp slt i64 %y, 0
  %y.minus = sub i64 0, %y
  %b0 = select i1 %y.negative, i64 %y.minus, i64 %y
  br label %head
head:
  %a = phi i64 [ %a0, %entry ], [ %b, %step ]
  %b = phi i64 [ %b0, %entry ], [ %rest, %step ]
  %end = icmp eq i64 %b, 0
  br i1 %end, label %done, label %step
step:
  %rest = urem i64 %a, %b
  br label %head
done:
  ret i64 %a
}
";

/// Neighbours among floats are not those among doubles.
const NEXT_AFTER_F32: &str =
    "define internal float @mh.nextafter.f32(float %x, float %y) alwaysinline nounwind memory(none) {
  %bits = bitcast float %x to i32
  %up = fcmp olt float %x, %y
  %sign = icmp slt i32 %bits, 0
  %away = xor i1 %up, %sign
  %step = select i1 %away, i32 1, i32 -1
  %moved = add i32 %bits, %step
  %value = bitcast i32 %moved to float
  %y.bits = bitcast float %y to i32
  %y.sign = and i32 %y.bits, -2147483648
  %least = or i32 %y.sign, 1
  %tiny = bitcast i32 %least to float
  %zero = fcmp oeq float %x, 0.0
  %v1 = select i1 %zero, float %tiny, float %value
  %same = fcmp oeq float %x, %y
  %v2 = select i1 %same, float %y, float %v1
  %nan = fcmp uno float %x, %y
  %sum = fadd float %x, %y
  %v3 = select i1 %nan, float %sum, float %v2
  ret float %v3
}
";

fn narrow_complex(function: Math, name: &str) -> String {
    let wide = self::name(function, Kind::C128);
    format!(
        "define internal {{ float, float }} @{name}(float %a0, float %a1) {ATTRIBUTES} {{
  %w0 = fpext float %a0 to double
  %w1 = fpext float %a1 to double
  %v = call {{ double, double }} @{wide}(double %w0, double %w1)
  %re = extractvalue {{ double, double }} %v, 0
  %im = extractvalue {{ double, double }} %v, 1
  %n0 = fptrunc double %re to float
  %n1 = fptrunc double %im to float
  %r0 = insertvalue {{ float, float }} undef, float %n0, 0
  %r1 = insertvalue {{ float, float }} %r0, float %n1, 1
  ret {{ float, float }} %r1
}}
"
    )
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
