//! The module `math`. Its functions take what is a real number, compute in Python's float and raise as Python's do.

use super::build::{binary, both, checked, choose, compare, either, math, not, sure, test, unary};
use super::nearest::{names, unknown};
use super::{Call, Handler, combinatorics, distances, find, refused, rounding, type_error, type_of};
use crate::ir::{Binary, Check, Compare, Expr, ExprKind, Kind, Math, Scalar, Unary};
use crate::lower::value::{Value, float};
use crate::lower::{Lowerer, Result, Stop};

/// One argument, and nothing more to it.
const SIMPLE: &[(&str, Math)] = &[
    ("acos", Math::Acos),
    ("acosh", Math::Acosh),
    ("asin", Math::Asin),
    ("asinh", Math::Asinh),
    ("atan", Math::Atan),
    ("atanh", Math::Atanh),
    ("cbrt", Math::Cbrt),
    ("cos", Math::Cos),
    ("cosh", Math::Cosh),
    ("erf", Math::Erf),
    ("erfc", Math::Erfc),
    ("exp", Math::Exp),
    ("exp2", Math::Exp2),
    ("expm1", Math::Expm1),
    ("gamma", Math::Gamma),
    ("lgamma", Math::LogGamma),
    ("log10", Math::Log10),
    ("log1p", Math::Log1p),
    ("log2", Math::Log2),
    ("sin", Math::Sin),
    ("sinh", Math::Sinh),
    ("sqrt", Math::Sqrt),
    ("tan", Math::Tan),
    ("tanh", Math::Tanh),
];

/// Two arguments.
const PAIRS: &[(&str, Math)] = &[
    ("atan2", Math::Atan2),
    ("copysign", Math::CopySign),
    ("fmod", Math::Fmod),
    ("pow", Math::Pow),
    ("remainder", Math::Remainder),
];

const TESTS: &[(&str, Math)] =
    &[("isfinite", Math::IsFinite), ("isinf", Math::IsInf), ("isnan", Math::IsNan)];

/// Names of all that is compiled.
pub fn all() -> impl Iterator<Item = &'static str> {
    SIMPLE.iter().chain(PAIRS).chain(TESTS).map(|(name, _)| *name).chain(names(TABLE))
}

const TABLE: &[(&str, Handler)] = &[
    ("ceil", rounding::to_int),
    ("comb", combinatorics::comb),
    ("degrees", degrees),
    ("dist", distances::dist),
    ("fabs", fabs),
    ("factorial", combinatorics::factorial),
    ("floor", rounding::to_int),
    ("fma", fma),
    ("frexp", rounding::frexp),
    ("fsum", fsum),
    ("gcd", combinatorics::gcd),
    ("hypot", distances::hypot),
    ("isclose", isclose),
    ("isqrt", combinatorics::isqrt),
    ("lcm", combinatorics::lcm),
    ("ldexp", ldexp),
    ("log", log),
    ("modf", rounding::modf),
    ("nextafter", nextafter),
    ("perm", combinatorics::perm),
    ("prod", prod),
    ("radians", radians),
    ("trunc", rounding::to_int),
    ("ulp", ulp),
];

pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    let of =
        |table: &[(&str, Math)]| table.iter().find(|(one, _)| *one == name).map(|(_, function)| *function);
    let (shown, span) = (call.shown(), call.span);
    if let Some(function) = of(SIMPLE) {
        let value = lowerer.real_number(&call.one()?, &shown, span)?;
        return Ok(Value::Expr(math(function, vec![value], Scalar::FLOAT, span)));
    }
    if let Some(function) = of(PAIRS) {
        let [x, y] = call.exactly()?;
        let x = lowerer.real_number(&x, &shown, span)?;
        let y = lowerer.real_number(&y, &shown, span)?;
        return Ok(Value::Expr(math(function, vec![x, y], Scalar::FLOAT, span)));
    }
    if let Some(function) = of(TESTS) {
        let value = lowerer.real_number(&call.one()?, &shown, span)?;
        return Ok(Value::Expr(test(function, value, span)));
    }
    match find(TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => Err(unknown(&call, all())),
    }
}

fn degrees(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    scaled(lowerer, call, 180.0 / std::f64::consts::PI)
}

fn radians(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    scaled(lowerer, call, std::f64::consts::PI / 180.0)
}

fn scaled(lowerer: &mut Lowerer<'_>, call: Call<'_>, factor: f64) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let x = lowerer.real_number(&call.one()?, &shown, span)?;
    Ok(Value::Expr(binary(Binary::Multiply, x, float(factor, span))))
}

fn fabs(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let x = lowerer.real_number(&call.one()?, &shown, span)?;
    Ok(Value::Expr(unary(Unary::Absolute, x, Check::None)))
}

/// With a base: a quotient of two logarithms, as CPython computes it.
fn log(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["/x", "/base"], 1)?.into_iter().flatten();
    let mut one = |lowerer: &mut Lowerer<'_>| -> Result<Option<Expr>> {
        let Some(value) = values.next() else { return Ok(None) };
        let value = lowerer.real_number(&value, &shown, span)?;
        Ok(Some(math(Math::Log, vec![value], Scalar::FLOAT, span)))
    };
    let x = one(lowerer)?;
    let base = one(lowerer)?;
    Ok(Value::Expr(match (x, base) {
        (Some(x), Some(base)) => checked(Binary::Divide, x, base, Check::Branch),
        (Some(x), None) => x,
        _ => return Err(type_error(span, "log() takes a number")),
    }))
}

/// CPython's own definition, tolerances first.
fn isclose(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let values = call.bind(&["a", "b", "*rel_tol", "*abs_tol"], 2)?;
    let mut numbers = Vec::new();
    for (value, default) in values.into_iter().zip([0.0, 0.0, 1e-9, 0.0]) {
        let value = match value {
            Some(value) => lowerer.real_number(&value, &shown, span)?,
            None => float(default, span),
        };
        numbers.push(lowerer.spill(value));
    }
    let [a, b, relative, absolute] =
        <[Expr; 4]>::try_from(numbers).map_err(|_| type_error(span, "four numbers"))?;
    let zero = float(0.0, span);
    for tolerance in [&relative, &absolute] {
        // The defaults are sound.
        if !matches!(*tolerance.kind, ExprKind::Float(value) if value >= 0.0) {
            let wrong = compare(Compare::Less, tolerance.clone(), zero.clone());
            lowerer.raise_if(wrong, "ValueError", "tolerances must be non-negative", Vec::new(), span);
        }
    }
    let size = |value: Expr| unary(Unary::Absolute, value, Check::None);
    let difference = lowerer.keep(size(binary(Binary::Subtract, b.clone(), a.clone())));
    let within = |bound: Expr| compare(Compare::LessEqual, difference.clone(), bound);
    let near = either(
        within(size(binary(Binary::Multiply, relative.clone(), b.clone()))),
        either(within(size(binary(Binary::Multiply, relative, a.clone()))), within(absolute)),
    );
    let infinite = either(test(Math::IsInf, a.clone(), span), test(Math::IsInf, b.clone(), span));
    Ok(Value::Expr(either(compare(Compare::Equal, a, b), both(not(infinite), near))))
}

fn ldexp(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [x, exponent] = call.exactly()?;
    let x = lowerer.real_number(&x, &shown, span)?;
    if !matches!(exponent.scalar(), Some(Scalar::INT | Scalar::BOOL)) {
        return Err(type_error(span, "Expected an int as second argument to ldexp."));
    }
    let exponent = lowerer.index(&exponent, span)?;
    Ok(Value::Expr(math(Math::Ldexp, vec![x, exponent], Scalar::FLOAT, span)))
}

fn nextafter(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let values = call.bind(&["/x", "/y", "*steps"], 2)?;
    let [x, y, steps] =
        <[Option<Value>; 3]>::try_from(values).map_err(|_| type_error(span, "two numbers"))?;
    if steps.is_some() {
        return Err(refused(span, "math.nextafter(..., steps=...) is not compiled", "call it in a loop"));
    }
    let (Some(x), Some(y)) = (x, y) else { return Err(type_error(span, "nextafter() takes two numbers")) };
    let x = lowerer.real_number(&x, &shown, span)?;
    let y = lowerer.real_number(&y, &shown, span)?;
    Ok(Value::Expr(sure(Math::NextAfter, vec![x, y], Scalar::FLOAT, span)))
}

/// The gap above the number's size; below it for the largest.
fn ulp(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let x = lowerer.real_number(&call.one()?, &shown, span)?;
    let x = lowerer.keep(unary(Unary::Absolute, x, Check::None));
    let next = |to: f64| sure(Math::NextAfter, vec![x.clone(), float(to, span)], Scalar::FLOAT, span);
    let above = lowerer.keep(next(f64::INFINITY));
    let gap = choose(
        test(Math::IsInf, above.clone(), span),
        binary(Binary::Subtract, x.clone(), next(0.0)),
        binary(Binary::Subtract, above, x.clone()),
    );
    Ok(Value::Expr(choose(test(Math::IsFinite, x.clone(), span), gap, x)))
}

fn fma(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let values = call.exactly::<3>()?;
    let mut numbers = Vec::new();
    for value in values {
        let value = lowerer.real_number(&value, &shown, span)?;
        numbers.push(lowerer.spill(value));
    }
    let result = lowerer.keep(sure(Math::Fma, numbers.clone(), Scalar::FLOAT, span));
    let any = |function| {
        let mut tests = numbers.iter().map(|value| test(function, value.clone(), span));
        let first = tests.next().unwrap_or_else(|| crate::lower::value::boolean(false, span));
        tests.fold(first, either)
    };
    let invalid = both(test(Math::IsNan, result.clone(), span), not(any(Math::IsNan)));
    lowerer.raise_if(invalid, "ValueError", "invalid operation in fma", Vec::new(), span);
    let overflow = both(test(Math::IsInf, result.clone(), span), not(any(Math::IsInf)));
    lowerer.raise_if(overflow, "OverflowError", "overflow in fma", Vec::new(), span);
    Ok(Value::Expr(result))
}

/// Over an array of one dimension, or a tuple of numbers.
fn fsum(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let Some(value) = call.bind(&["/seq"], 1)?.into_iter().flatten().next() else {
        return Err(Stop::Unknown);
    };
    let row = match value {
        Value::Tuple(members) if members.is_empty() => return Ok(Value::Expr(float(0.0, span))),
        Value::Tuple(_) => super::constructors::array_of_tuple(lowerer, &value, Some(Kind::F64), span)?,
        array if array.array().is_some_and(|(_, ty)| ty.rank == 1) => array,
        other => {
            let message = format!("math.fsum of {} is not compiled", type_of(&other));
            return Err(refused(span, message, "give it an array of one dimension: a.ravel()"));
        }
    };
    lowerer.library_of("math.fsum", vec![row], span).unwrap_or_else(|| {
        Err(refused(
            span,
            "math.fsum is not compiled",
            "sum in a loop; a reduction of floats in a prange is the same for any number of threads",
        ))
    })
}

fn prod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["/iterable", "*start"], 1)?.into_iter();
    let (members, start) = (values.next().flatten(), values.next().flatten());
    let Some(Value::Tuple(members)) = members else {
        let found = members.as_ref().map_or_else(String::new, type_of);
        let message = format!("math.prod takes a tuple in compiled code, not {found}");
        return Err(refused(span, message, "multiply in a loop"));
    };
    let mut result = start.unwrap_or(Value::int(1, span));
    for member in members {
        result = lowerer.binary(Binary::Multiply, &result, &member, span)?;
    }
    Ok(result)
}
