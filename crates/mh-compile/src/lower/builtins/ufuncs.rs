//! NumPy's functions of numbers that are more than one operation of the IR.

use super::build::{binary, both, choose, compare, constant, either, number, real, sure, test, unary};
use super::numpy::{
    complex_not_compiled, floating, floating_pair, no_complex, numpy_scalar, one, pair, promoted,
};
use super::{Call, attributes, is_half, python, refused, rounding, type_of, value_error};
use crate::ir::{Binary, Check, Compare, Expr, Flavour, Kind, Math, Scalar, Unary};
use crate::lower::types::{promote, promote_kinds, scalar_name};
use crate::lower::value::{Value, constant_int};
use crate::lower::{Lowerer, Result};

pub fn absolute(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    if call.short() == "fabs" {
        let (x, _) = floating(lowerer, call, false)?;
        return Ok(Value::Expr(unary(Unary::Absolute, x, Check::None)));
    }
    let (x, scalar) = one(lowerer, call)?;
    python::absolute(lowerer, x, scalar).map(Value::Expr)
}

/// `real`, `imag`, `conj`, `angle`.
pub fn part(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, shown, span) = (call.short().to_owned(), call.shown(), call.span);
    let value = call.one()?;
    if matches!(name.as_str(), "real" | "imag") {
        return attributes::part(lowerer, &value, &name, span);
    }
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    let scalar = numpy_scalar(scalar);
    let x = lowerer.cast(x, scalar);
    if name == "angle" {
        let wide = if matches!(scalar.kind, Kind::F32 | Kind::C64) { Kind::F32 } else { Kind::F64 };
        if is_half(scalar.kind) {
            return Err(refused(
                span,
                "np.angle of this type is not compiled",
                "convert first: np.angle(np.float64(x))",
            ));
        }
        let complex = if wide == Kind::F32 { Kind::C64 } else { Kind::C128 };
        let x = lowerer.cast(x, Scalar::numpy(complex));
        return Ok(Value::Expr(sure(Math::Phase, vec![x], Scalar::numpy(wide), span)));
    }
    Ok(Value::Expr(match scalar.kind {
        kind if kind.is_complex() => sure(Math::Conjugate, vec![x], scalar, span),
        Kind::Bool => lowerer.cast(x, Scalar::numpy(Kind::I8)),
        _ => x,
    }))
}

/// `deg2rad` and its kin: NumPy's factors, `pi / 180` and `180 / pi`, each computed in the type of the numbers.
pub fn scaled(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let to_radians = matches!(call.short(), "deg2rad" | "radians");
    let (x, scalar) = floating(lowerer, call, false)?;
    let factor = if scalar.kind == Kind::F32 {
        let pi = std::f32::consts::PI;
        f64::from(if to_radians { pi / 180.0 } else { 180.0 / pi })
    } else {
        let pi = std::f64::consts::PI;
        if to_radians { pi / 180.0 } else { 180.0 / pi }
    };
    let factor = real(factor, &x);
    Ok(Value::Expr(binary(Binary::Multiply, x, factor)))
}

pub fn divmod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, y) = pair(lowerer, call)?;
    let (x, y) = (Value::Expr(lowerer.spill(x)), Value::Expr(lowerer.spill(y)));
    let quotient = lowerer.binary(Binary::FloorDivide, &x, &y, span)?;
    let rest = lowerer.binary(Binary::Modulo, &x, &y, span)?;
    Ok(Value::Tuple(vec![quotient, rest]))
}

pub fn extreme(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let op = if call.short() == "minimum" { Binary::Minimum } else { Binary::Maximum };
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() {
        return Err(complex_not_compiled(&shown, span));
    }
    if scalar.kind == Kind::Bool {
        let op = if op == Binary::Minimum { Binary::And } else { Binary::Or };
        return Ok(Value::Expr(binary(op, x, y)));
    }
    Ok(Value::Expr(binary(op, x, y)))
}

/// The other where one is nan.
pub fn fmax(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let op = if call.short() == "fmin" { Compare::LessEqual } else { Compare::GreaterEqual };
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() {
        return Err(complex_not_compiled(&shown, span));
    }
    if scalar.kind == Kind::Bool {
        return Err(refused(
            span,
            format!("{shown} of bools is not compiled"),
            "write np.maximum or np.minimum",
        ));
    }
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    let mut first = compare(op, x.clone(), y.clone());
    if scalar.kind.is_float() {
        first = either(first, test(Math::IsNan, y.clone(), span));
    }
    Ok(Value::Expr(choose(lowerer.cast(first, Scalar::BOOL), x, y)))
}

pub fn fmod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_float() {
        return Ok(Value::Expr(sure(Math::Fmod, vec![x, y], scalar, span)));
    }
    if !scalar.kind.is_integer() {
        return Err(no_complex(&shown, span));
    }
    // Python's rest has the divisor's sign, C's the dividend's.
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    let rest = lowerer.keep(binary(Binary::Modulo, x.clone(), y.clone()));
    let below = |value: &Expr| compare(Compare::Less, value.clone(), number(0, value));
    let other = compare(Compare::NotEqual, below(&x), below(&y));
    let some = compare(Compare::NotEqual, rest.clone(), number(0, &rest));
    let wrong = lowerer.cast(both(some, other), Scalar::BOOL);
    Ok(Value::Expr(choose(wrong, binary(Binary::Subtract, rest.clone(), y), rest)))
}

/// `log(exp(x) + exp(y))` without overflow.
pub fn logaddexp(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, y, scalar) = floating_pair(lowerer, call)?;
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    let gap = lowerer.keep(binary(Binary::Subtract, x.clone(), y.clone()));
    let log1p = |of: Expr| {
        let exp = sure(Math::Exp, vec![of], scalar, span);
        sure(Math::Log1p, vec![exp], scalar, span)
    };
    let zero = real(0.0, &gap);
    let up = binary(Binary::Add, x.clone(), log1p(unary(Unary::Negative, gap.clone(), Check::None)));
    let down = binary(Binary::Add, y.clone(), log1p(gap.clone()));
    let below = compare(Compare::LessEqual, gap.clone(), zero.clone());
    let apart = choose(compare(Compare::Greater, gap.clone(), zero), up, choose(below, down, gap));
    let two = lowerer.cast(crate::lower::value::float(std::f64::consts::LN_2, span), scalar);
    Ok(Value::Expr(choose(compare(Compare::Equal, x.clone(), y), binary(Binary::Add, x, two), apart)))
}

pub fn tests(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, shown, span) = (call.short().to_owned(), call.shown(), call.span);
    let function = match name.as_str() {
        "isfinite" => Math::IsFinite,
        "isinf" => Math::IsInf,
        "isnan" => Math::IsNan,
        _ => Math::SignBit,
    };
    let (x, scalar) = one(lowerer, call)?;
    if scalar.kind.is_complex() {
        if function == Math::SignBit {
            return Err(no_complex(&shown, span));
        }
        let x = lowerer.simple(x);
        let real = Scalar::numpy(if scalar.kind == Kind::C64 { Kind::F32 } else { Kind::F64 });
        let of = |piece| test(function, sure(piece, vec![x.clone()], real, span), span);
        let join = if function == Math::IsFinite { both } else { either };
        return Ok(Value::Expr(join(of(Math::Real), of(Math::Imag))));
    }
    if scalar.kind.is_float() {
        return Ok(Value::Expr(test(function, x, span)));
    }
    let answer = |value: i64| constant(value, Scalar::numpy(Kind::Bool), span);
    Ok(Value::Expr(match function {
        Math::IsFinite => answer(1),
        Math::SignBit if scalar.kind.is_signed() => compare(Compare::Less, x.clone(), number(0, &x)),
        _ => answer(0),
    }))
}

pub fn logical(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, span) = (call.short().to_owned(), call.span);
    let numpy = Scalar::numpy(Kind::Bool);
    if name == "logical_not" {
        let (x, _) = one(lowerer, call)?;
        let truth = lowerer.truth(&Value::Expr(x), span)?;
        return Ok(Value::Expr(lowerer.cast(super::build::not(truth), numpy)));
    }
    let (x, y) = pair(lowerer, call)?;
    let (x, y) = (lowerer.truth(&Value::Expr(x), span)?, lowerer.truth(&Value::Expr(y), span)?);
    let op = match name.as_str() {
        "logical_and" => Binary::And,
        "logical_or" => Binary::Or,
        _ => Binary::Xor,
    };
    // Both are evaluated, as the arguments of a call are.
    let result = binary(op, x, y);
    Ok(Value::Expr(lowerer.cast(result, numpy)))
}

pub fn invert(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, _) = one(lowerer, call)?;
    lowerer.unary("Invert", &Value::Expr(x), span)
}

pub fn negative(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let op = if call.short() == "negative" { "USub" } else { "UAdd" };
    let span = call.span;
    let (x, _) = one(lowerer, call)?;
    lowerer.unary(op, &Value::Expr(x), span)
}

pub fn reciprocal(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, scalar) = one(lowerer, call)?;
    if !scalar.kind.is_float() {
        return Err(refused(
            span,
            "np.reciprocal of this type is not compiled",
            "write 1 / x, or 1 // x for integers",
        ));
    }
    Ok(Value::Expr(binary(Binary::Divide, real(1.0, &x), x)))
}

pub fn square(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (x, scalar) = one(lowerer, call)?;
    let x = if scalar.kind == Kind::Bool { lowerer.cast(x, Scalar::numpy(Kind::I8)) } else { x };
    let x = lowerer.simple(x);
    Ok(Value::Expr(binary(Binary::Multiply, x.clone(), x)))
}

pub fn sign(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let (x, scalar) = one(lowerer, call)?;
    if scalar.kind.is_float() {
        return Ok(Value::Expr(sure(Math::Sign, vec![x], scalar, span)));
    }
    if !scalar.kind.is_integer() {
        return Err(refused(
            span,
            format!("{shown} of {} is not compiled", scalar_name(scalar)),
            "compare with 0",
        ));
    }
    let x = lowerer.simple(x);
    let is = |op| compare(op, x.clone(), number(0, &x));
    let below = if scalar.kind.is_signed() {
        choose(lowerer.cast(is(Compare::Less), Scalar::BOOL), number(-1, &x), number(0, &x))
    } else {
        number(0, &x)
    };
    Ok(Value::Expr(choose(lowerer.cast(is(Compare::Greater), Scalar::BOOL), number(1, &x), below)))
}

/// Whether a bound is a Python number past all that integers of NumPy's can be: below the least, or above the greatest.
fn changes_nothing(bound: &Expr, of: Scalar, op: Binary) -> bool {
    let python = bound.ty.scalar().is_some_and(|scalar| scalar == Scalar::INT);
    let (Some(bound), true) = (constant_int(bound), python && of.kind.is_integer()) else { return false };
    if of.flavour == Flavour::Python {
        return false;
    }
    let bits = of.kind.size() * 8;
    let (least, most) = match of.kind.is_signed() {
        true => (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1),
        false => (0, (1_i128 << bits) - 1),
    };
    if op == Binary::Maximum { bound < least } else { bound > most }
}

/// `minimum(maximum(x, low), high)`; None is no bound.
pub fn clip(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "a_min", "a_max", "*min", "*max"], 1)?;
    let named = values.split_off(3);
    let mut values = values.into_iter();
    let x = values.next().flatten().unwrap_or(Value::None);
    let (x, s) = lowerer.scalar(&x, &shown, span)?;
    let mut bounds = Vec::new();
    let mut all = vec![s];
    for ((bound, named), op) in values.zip(named).zip([Binary::Maximum, Binary::Minimum]) {
        if bound.is_some() && named.is_some() {
            return Err(value_error(
                span,
                "passing `min` or `max` beside `a_min` or `a_max` is not supported",
            ));
        }
        let Some(bound) = bound.or(named).filter(|bound| !matches!(bound, Value::None)) else { continue };
        let (bound, t) = lowerer.scalar(&bound, &shown, span)?;
        if changes_nothing(&bound, s, op) {
            continue;
        }
        all.push(t);
        bounds.push((bound, op));
    }
    let python = all.iter().all(|scalar| scalar.flavour == Flavour::Python);
    let common = all
        .into_iter()
        .reduce(|a, b| if python { Scalar::numpy(promote_kinds(a.kind, b.kind)) } else { promote(a, b) });
    let common = Scalar::numpy(common.map_or(Kind::F64, |scalar| scalar.kind));
    if common.kind.is_complex() {
        return Err(complex_not_compiled(&shown, span));
    }
    if common.kind == Kind::Bool {
        return Err(refused(
            span,
            format!("{shown} of bools is not compiled"),
            "convert first: x.astype(np.int64)",
        ));
    }
    let mut result = lowerer.cast(x, common);
    for (bound, op) in bounds {
        let bound = lowerer.cast(bound, common);
        result = binary(op, result, bound);
    }
    Ok(Value::Expr(result))
}

pub fn round(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "decimals"], 1)?.into_iter();
    let (value, decimals) = (values.next().flatten().unwrap_or(Value::None), values.next().flatten());
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    let scalar = numpy_scalar(scalar);
    let x = lowerer.cast(x, scalar);
    let digits = match decimals {
        None => Some(0),
        Some(decimals) => constant_int(&lowerer.index(&decimals, span)?),
    };
    let Some(digits) = digits else {
        return Err(refused(
            span,
            format!("{shown} needs a constant number of decimals"),
            "write it out: np.round(x, 2)",
        ));
    };
    if scalar.kind.is_integer() && digits >= 0 {
        return Ok(Value::Expr(x));
    }
    if scalar.kind.is_integer() {
        // In floats, as NumPy does.
        let x = lowerer.cast(x, Scalar::numpy(Kind::F64));
        let rounded = rounding::decimals(x, digits, span)?;
        return Ok(Value::Expr(lowerer.cast(rounded, scalar)));
    }
    if !scalar.kind.is_float() {
        let message = format!("{shown} of {} to {digits} decimals is not compiled", type_of(&value));
        return Err(refused(span, message, "round floats"));
    }
    rounding::decimals(x, digits, span).map(Value::Expr)
}

/// `np.where(condition, x, y)`: both are evaluated.
pub fn choice(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [condition, x, y] = call.exactly()?;
    lowerer.scalar(&condition, &shown, span)?;
    let condition = lowerer.truth(&condition, span)?;
    let (x, s) = lowerer.scalar(&x, &shown, span)?;
    let (y, t) = lowerer.scalar(&y, &shown, span)?;
    let common = Scalar::numpy(promote(s, t).kind);
    let (x, y) = (lowerer.cast(x, common), lowerer.cast(y, common));
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    Ok(Value::Expr(choose(condition, x, y)))
}
