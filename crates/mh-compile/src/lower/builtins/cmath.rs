//! The module `cmath`: functions of Python's complex numbers.

use super::build::{binary, both, checked, choose, compare, either, math, not, real, sure, test};
use super::nearest::{names, unknown};
use super::{Call, Handler, find, type_error, type_of};
use crate::ir::{Binary, Check, Compare, Expr, Math, Scalar, Span, Unary};
use crate::lower::value::{Value, float};
use crate::lower::{Lowerer, Result};

const SIMPLE: &[(&str, Math)] = &[
    ("acos", Math::Acos),
    ("acosh", Math::Acosh),
    ("asin", Math::Asin),
    ("asinh", Math::Asinh),
    ("atan", Math::Atan),
    ("atanh", Math::Atanh),
    ("cos", Math::Cos),
    ("cosh", Math::Cosh),
    ("exp", Math::Exp),
    ("log10", Math::Log10),
    ("sin", Math::Sin),
    ("sinh", Math::Sinh),
    ("sqrt", Math::Sqrt),
    ("tan", Math::Tan),
    ("tanh", Math::Tanh),
];

/// Names of all that is compiled.
pub fn all() -> impl Iterator<Item = &'static str> {
    SIMPLE.iter().map(|(name, _)| *name).chain(names(TABLE))
}

const TABLE: &[(&str, Handler)] = &[
    ("isfinite", parts_test),
    ("isinf", parts_test),
    ("isnan", parts_test),
    ("log", log),
    ("phase", phase),
    ("polar", polar),
    ("rect", rect),
];

pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    if let Some((_, function)) = SIMPLE.iter().find(|(one, _)| *one == name) {
        let z = complex(lowerer, &call.one()?, span)?;
        return Ok(Value::Expr(math(*function, vec![z], Scalar::COMPLEX, span)));
    }
    match find(TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => Err(unknown(&call, all())),
    }
}

/// A complex number, of any number.
fn complex(lowerer: &mut Lowerer<'_>, value: &Value, span: Span) -> Result<Expr> {
    match value {
        Value::Expr(expr) if expr.ty.scalar().is_some() => Ok(lowerer.cast(expr.clone(), Scalar::COMPLEX)),
        _ => Err(type_error(span, format!("must be complex number, not {}", type_of(value)))),
    }
}

fn part(function: Math, z: &Expr) -> Expr {
    sure(function, vec![z.clone()], Scalar::FLOAT, z.span)
}

/// With a base: a quotient of two logarithms.
fn log(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut logarithms = Vec::new();
    for value in call.bind(&["/z", "/base"], 1)?.into_iter().flatten() {
        let z = complex(lowerer, &value, span)?;
        logarithms.push(math(Math::Log, vec![z], Scalar::COMPLEX, span));
    }
    let quotient = logarithms.into_iter().reduce(|z, base| checked(Binary::Divide, z, base, Check::Branch));
    quotient.map(Value::Expr).ok_or_else(|| type_error(span, "log() takes a number"))
}

fn phase(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let z = complex(lowerer, &call.one()?, span)?;
    Ok(Value::Expr(part(Math::Phase, &z)))
}

fn polar(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let z = complex(lowerer, &call.one()?, span)?;
    let z = lowerer.keep(z);
    let size = Value::Expr(absolute(z.clone(), Check::Branch));
    Ok(Value::Tuple(vec![size, Value::Expr(part(Math::Phase, &z))]))
}

/// The size of a complex number: a float.
pub fn absolute(z: Expr, check: Check) -> Expr {
    let span = z.span;
    let scalar = z.ty.scalar().map_or(Scalar::FLOAT, |scalar| Scalar {
        kind: if scalar.kind == crate::ir::Kind::C64 { crate::ir::Kind::F32 } else { crate::ir::Kind::F64 },
        flavour: scalar.flavour,
    });
    let kind = crate::ir::ExprKind::Unary { op: Unary::Absolute, operand: z, check };
    Expr::new(kind, crate::ir::Type::Scalar(scalar), span)
}

/// `r (cos phi + i sin phi)`. An infinite angle is a domain error but for radius 0 or nan.
fn rect(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [r, phi] = call.exactly()?;
    let r = lowerer.real_number(&r, &shown, span)?;
    let r = lowerer.keep(r);
    let phi = lowerer.real_number(&phi, &shown, span)?;
    let phi = lowerer.keep(phi);
    let zero = float(0.0, span);
    let sized =
        both(not(test(Math::IsNan, r.clone(), span)), compare(Compare::NotEqual, r.clone(), zero.clone()));
    let wrong = both(test(Math::IsInf, phi.clone(), span), sized);
    lowerer.raise_if(wrong, "ValueError", "math domain error", Vec::new(), span);
    let of = |function| {
        binary(Binary::Multiply, r.clone(), sure(function, vec![phi.clone()], Scalar::FLOAT, span))
    };
    // An angle of 0 keeps the imaginary part 0, with an infinite radius too.
    let finite = choose(
        test(Math::IsFinite, r.clone(), span),
        r.clone(),
        sure(Math::CopySign, vec![real(1.0, &r), r.clone()], Scalar::FLOAT, span),
    );
    let flat = binary(Binary::Multiply, finite, phi.clone());
    let is_flat = compare(Compare::Equal, phi.clone(), zero.clone());
    let still = both(test(Math::IsInf, phi.clone(), span), compare(Compare::Equal, r.clone(), zero.clone()));
    let still = lowerer.keep(still);
    let real_part = choose(still.clone(), zero.clone(), choose(is_flat.clone(), r.clone(), of(Math::Cos)));
    let imaginary = choose(still, zero, choose(is_flat, flat, of(Math::Sin)));
    Ok(Value::Expr(sure(Math::Complex, vec![real_part, imaginary], Scalar::COMPLEX, span)))
}

fn parts_test(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (function, join): (_, fn(Expr, Expr) -> Expr) = match call.short() {
        "isfinite" => (Math::IsFinite, both),
        "isinf" => (Math::IsInf, either),
        _ => (Math::IsNan, either),
    };
    let span = call.span;
    let z = complex(lowerer, &call.one()?, span)?;
    let z = lowerer.simple(z);
    let of = |piece| test(function, part(piece, &z), span);
    Ok(Value::Expr(join(of(Math::Real), of(Math::Imag))))
}
