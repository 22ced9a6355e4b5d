//! NumPy's functions of numbers: its types, its rules. Functions that make arrays are in `constructors`.

use super::build::{binary, both, choose, compare, constant, either, number, real, sure, test, unary};
use super::nearest::{names, unknown};
use super::{
    Call, Handler, attributes, casts, constructors, dtypes, find, is_half, python, refused, rounding,
    type_error, type_of,
};
use crate::ir::{Binary, Check, Compare, Expr, Flavour, Kind, Math, Scalar, Span, Unary};
use crate::lower::types::{promote, promote_kinds, scalar_name};
use crate::lower::value::{Value, constant_int};
use crate::lower::{Lowerer, Result};

/// Floats (or complex numbers) in and out; integers become floats.
const FLOATING: &[(&str, Math)] = &[
    ("acos", Math::Acos),
    ("acosh", Math::Acosh),
    ("arccos", Math::Acos),
    ("arccosh", Math::Acosh),
    ("arcsin", Math::Asin),
    ("arcsinh", Math::Asinh),
    ("arctan", Math::Atan),
    ("arctanh", Math::Atanh),
    ("asin", Math::Asin),
    ("asinh", Math::Asinh),
    ("atan", Math::Atan),
    ("atanh", Math::Atanh),
    ("cbrt", Math::Cbrt),
    ("cos", Math::Cos),
    ("cosh", Math::Cosh),
    ("exp", Math::Exp),
    ("exp2", Math::Exp2),
    ("expm1", Math::Expm1),
    ("log", Math::Log),
    ("log10", Math::Log10),
    ("log1p", Math::Log1p),
    ("log2", Math::Log2),
    ("rint", Math::RoundEven),
    ("sin", Math::Sin),
    ("sinh", Math::Sinh),
    ("sqrt", Math::Sqrt),
    ("tan", Math::Tan),
    ("tanh", Math::Tanh),
];

/// Of these, what takes complex numbers too.
const COMPLEX: &[Math] = &[
    Math::Acos,
    Math::Acosh,
    Math::Asin,
    Math::Asinh,
    Math::Atan,
    Math::Atanh,
    Math::Cos,
    Math::Cosh,
    Math::Exp,
    Math::Log,
    Math::Log10,
    Math::Sin,
    Math::Sinh,
    Math::Sqrt,
    Math::Tan,
    Math::Tanh,
];

/// Two floats in, one out.
const FLOATING_PAIRS: &[(&str, Math)] = &[
    ("arctan2", Math::Atan2),
    ("atan2", Math::Atan2),
    ("copysign", Math::CopySign),
    ("hypot", Math::Hypot),
    ("nextafter", Math::NextAfter),
];

/// Integers stay as they are.
const WHOLE: &[(&str, Math)] =
    &[("ceil", Math::Ceil), ("fix", Math::Trunc), ("floor", Math::Floor), ("trunc", Math::Trunc)];

/// Python's operators, by another name and with NumPy's types.
const OPERATORS: &[(&str, Binary)] = &[
    ("add", Binary::Add),
    ("bitwise_and", Binary::And),
    ("bitwise_left_shift", Binary::LeftShift),
    ("bitwise_or", Binary::Or),
    ("bitwise_right_shift", Binary::RightShift),
    ("bitwise_xor", Binary::Xor),
    ("divide", Binary::Divide),
    ("floor_divide", Binary::FloorDivide),
    ("left_shift", Binary::LeftShift),
    ("mod", Binary::Modulo),
    ("multiply", Binary::Multiply),
    ("pow", Binary::Power),
    ("power", Binary::Power),
    ("remainder", Binary::Modulo),
    ("right_shift", Binary::RightShift),
    ("subtract", Binary::Subtract),
    ("true_divide", Binary::Divide),
];

const COMPARISONS: &[(&str, Compare)] = &[
    ("equal", Compare::Equal),
    ("greater", Compare::Greater),
    ("greater_equal", Compare::GreaterEqual),
    ("less", Compare::Less),
    ("less_equal", Compare::LessEqual),
    ("not_equal", Compare::NotEqual),
];

const TABLE: &[(&str, Handler)] = &[
    ("abs", absolute),
    ("absolute", absolute),
    ("angle", part),
    ("around", round),
    ("bitwise_not", invert),
    ("clip", clip),
    ("conj", part),
    ("conjugate", part),
    ("deg2rad", scaled),
    ("degrees", scaled),
    ("divmod", divmod),
    ("fabs", absolute),
    ("fmax", fmax),
    ("fmin", fmax),
    ("fmod", fmod),
    ("imag", part),
    ("invert", invert),
    ("isfinite", tests),
    ("isinf", tests),
    ("isnan", tests),
    ("logaddexp", logaddexp),
    ("logical_and", logical),
    ("logical_not", logical),
    ("logical_or", logical),
    ("logical_xor", logical),
    ("maximum", extreme),
    ("minimum", extreme),
    ("ndim", attributes::ndim),
    ("negative", negative),
    ("positive", negative),
    ("rad2deg", scaled),
    ("radians", scaled),
    ("real", part),
    ("reciprocal", reciprocal),
    ("round", round),
    ("shape", attributes::shape_of),
    ("sign", sign),
    ("signbit", tests),
    ("size", attributes::size_of),
    ("square", square),
];

pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    let of =
        |table: &[(&str, Math)]| table.iter().find(|(one, _)| *one == name).map(|(_, function)| *function);
    let span = call.span;
    if let Some(kind) = dtypes::numpy_kind(name) {
        return casts::numpy_of(lowerer, kind, call);
    }
    if let Some(handler) = constructors::find(name) {
        return handler(lowerer, call);
    }
    if let Some(function) = of(FLOATING) {
        let (x, scalar) = floating(lowerer, call, COMPLEX.contains(&function))?;
        return Ok(Value::Expr(sure(function, vec![x], scalar, span)));
    }
    if let Some(function) = of(FLOATING_PAIRS) {
        let (x, y, scalar) = floating_pair(lowerer, call)?;
        return Ok(Value::Expr(sure(function, vec![x, y], scalar, span)));
    }
    if let Some(function) = of(WHOLE) {
        let (x, scalar) = one(lowerer, call)?;
        return Ok(Value::Expr(if scalar.kind.is_float() {
            sure(function, vec![x], scalar, span)
        } else {
            x
        }));
    }
    if let Some((_, op)) = OPERATORS.iter().find(|(one, _)| *one == name) {
        let (x, y) = pair(lowerer, call)?;
        return lowerer.binary(*op, &Value::Expr(x), &Value::Expr(y), span);
    }
    if let Some((_, op)) = COMPARISONS.iter().find(|(one, _)| *one == name) {
        let (x, y) = pair(lowerer, call)?;
        return lowerer.compare(*op, &Value::Expr(x), &Value::Expr(y), span).map(Value::Expr);
    }
    if let Some(handler) = find(TABLE, name) {
        return handler(lowerer, call);
    }
    if let Some(instead) = reduction(name) {
        return Err(refused(span, format!("{} is not compiled yet", call.shown()), instead));
    }
    let simple = FLOATING.iter().chain(FLOATING_PAIRS).chain(WHOLE).map(|(name, _)| *name);
    let operators = OPERATORS.iter().map(|(name, _)| *name).chain(COMPARISONS.iter().map(|(name, _)| *name));
    let all = simple.chain(operators).chain(names(TABLE)).chain(constructors::names());
    Err(unknown(&call, all))
}

/// What to write in place of a function of whole arrays.
fn reduction(name: &str) -> Option<&'static str> {
    Some(match name {
        "sum" | "nansum" => "write the loop: `for i in mh.prange(len(x)): s += x[i]`",
        "prod" => "write the loop: `for i in mh.prange(len(x)): p *= x[i]`",
        "mean" | "average" | "std" | "var" | "nanmean" => {
            "write the loop that sums: `for i in mh.prange(len(x)): s += x[i]`"
        }
        "min" | "amin" => "write the loop: `for i in mh.prange(len(x)): m = min(m, x[i])`",
        "max" | "amax" => "write the loop: `for i in mh.prange(len(x)): m = max(m, x[i])`",
        "argmin" | "argmax" => "write the loop: `if x[i] < m: m = x[i]; at = i`",
        "any" | "all" => "write the loop: `if x[i] > 0: found = True`",
        "dot" | "vdot" | "inner" | "matmul" => "write the loop: `for k in range(n): s += a[i, k] * b[k, j]`",
        "cumsum" | "cumprod" | "diff" => "write the loop, with `range`: each element needs the one before",
        "where" => "write `a if condition else b` for numbers, and a loop for arrays",
        "array" | "asarray" | "ascontiguousarray" => "make it with np.empty(n) and fill it",
        "sort" | "argsort" | "searchsorted" | "concatenate" | "unique" | "nonzero" => {
            "call it outside, and pass what it gives"
        }
        _ => return None,
    })
}

/// NumPy's type of a number: Python's numbers have its default types.
fn numpy_scalar(scalar: Scalar) -> Scalar {
    Scalar::numpy(scalar.kind)
}

/// One number, in NumPy's type.
fn one(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    let scalar = numpy_scalar(scalar);
    Ok((lowerer.cast(x, scalar), scalar))
}

/// Two numbers: a Python number takes the type of one of NumPy's beside it.
fn pair(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr)> {
    let (shown, span) = (call.shown(), call.span);
    let [a, b] = call.exactly()?;
    let (x, s) = lowerer.scalar(&a, &shown, span)?;
    let (y, t) = lowerer.scalar(&b, &shown, span)?;
    if s.flavour == Flavour::Python && t.flavour == Flavour::Python {
        return Ok((lowerer.cast(x, numpy_scalar(s)), lowerer.cast(y, numpy_scalar(t))));
    }
    Ok((x, y))
}

/// Two numbers in the type that both are promoted to.
fn promoted(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr, Scalar)> {
    let (x, y) = pair(lowerer, call)?;
    let scalar = match (x.ty.scalar(), y.ty.scalar()) {
        (Some(s), Some(t)) => promote(s, t),
        _ => Scalar::numpy(Kind::F64),
    };
    let (x, y) = (lowerer.cast(x, scalar), lowerer.cast(y, scalar));
    Ok((x, y, scalar))
}

/// The type in which NumPy computes functions that give floats.
fn float_kind(kind: Kind, shown: &str, span: Span) -> Result<Kind> {
    if is_half(kind) {
        let message =
            format!("{shown} of {} gives float16, which is not compiled", scalar_name(Scalar::numpy(kind)));
        return Err(refused(span, message, format!("convert first: {shown}(np.float64(x))")));
    }
    Ok(match kind {
        Kind::I16 | Kind::U16 => Kind::F32,
        kind if kind.is_integer() => Kind::F64,
        kind => kind,
    })
}

fn floating(lowerer: &mut Lowerer<'_>, call: Call<'_>, complex: bool) -> Result<(Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let (x, scalar) = one(lowerer, call)?;
    if scalar.kind.is_complex() && !complex {
        return Err(no_complex(&shown, span));
    }
    let scalar = Scalar::numpy(float_kind(scalar.kind, &shown, span)?);
    Ok((lowerer.cast(x, scalar), scalar))
}

fn no_complex(shown: &str, span: Span) -> crate::lower::Stop {
    type_error(span, format!("ufunc '{}' not supported for complex numbers", shown.trim_start_matches("np.")))
}

fn floating_pair(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() {
        return Err(no_complex(&shown, span));
    }
    let scalar = Scalar::numpy(float_kind(scalar.kind, &shown, span)?);
    Ok((lowerer.cast(x, scalar), lowerer.cast(y, scalar), scalar))
}

fn absolute(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    if call.short() == "fabs" {
        let (x, _) = floating(lowerer, call, false)?;
        return Ok(Value::Expr(unary(Unary::Absolute, x, Check::None)));
    }
    let (x, scalar) = one(lowerer, call)?;
    python::absolute(lowerer, x, scalar).map(Value::Expr)
}

/// `real`, `imag`, `conj`, `angle`.
fn part(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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
    Ok(Value::Expr(if scalar.kind.is_complex() { sure(Math::Conjugate, vec![x], scalar, span) } else { x }))
}

/// `deg2rad` and its kin: NumPy's factors, `pi / 180` and `180 / pi`.
fn scaled(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let to_radians = matches!(call.short(), "deg2rad" | "radians");
    let pi = std::f64::consts::PI;
    let (x, scalar) = floating(lowerer, call, false)?;
    let factor = if to_radians { pi / 180.0 } else { 180.0 / pi };
    let factor = lowerer.cast(crate::lower::value::float(factor, x.span), scalar);
    Ok(Value::Expr(binary(Binary::Multiply, x, factor)))
}

fn divmod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, y) = pair(lowerer, call)?;
    let (x, y) = (Value::Expr(lowerer.spill(x)), Value::Expr(lowerer.spill(y)));
    let quotient = lowerer.binary(Binary::FloorDivide, &x, &y, span)?;
    let rest = lowerer.binary(Binary::Modulo, &x, &y, span)?;
    Ok(Value::Tuple(vec![quotient, rest]))
}

fn extreme(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let op = if call.short() == "minimum" { Binary::Minimum } else { Binary::Maximum };
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() {
        return Err(no_complex(&shown, span));
    }
    if scalar.kind == Kind::Bool {
        let op = if op == Binary::Minimum { Binary::And } else { Binary::Or };
        return Ok(Value::Expr(binary(op, x, y)));
    }
    Ok(Value::Expr(binary(op, x, y)))
}

/// The other where one is nan.
fn fmax(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let op = if call.short() == "fmin" { Compare::LessEqual } else { Compare::GreaterEqual };
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() || scalar.kind == Kind::Bool {
        return Err(no_complex(&shown, span));
    }
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    let mut first = compare(op, x.clone(), y.clone());
    if scalar.kind.is_float() {
        first = either(first, test(Math::IsNan, y.clone(), span));
    }
    Ok(Value::Expr(choose(lowerer.cast(first, Scalar::BOOL), x, y)))
}

fn fmod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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
fn logaddexp(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

fn tests(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

fn logical(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

fn invert(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (x, _) = one(lowerer, call)?;
    lowerer.unary("Invert", &Value::Expr(x), span)
}

fn negative(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let op = if call.short() == "negative" { "USub" } else { "UAdd" };
    let span = call.span;
    let (x, _) = one(lowerer, call)?;
    lowerer.unary(op, &Value::Expr(x), span)
}

fn reciprocal(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

fn square(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (x, scalar) = one(lowerer, call)?;
    let x = if scalar.kind == Kind::Bool { lowerer.cast(x, Scalar::numpy(Kind::I8)) } else { x };
    let x = lowerer.simple(x);
    Ok(Value::Expr(binary(Binary::Multiply, x.clone(), x)))
}

fn sign(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

/// `minimum(maximum(x, low), high)`; None is no bound.
fn clip(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "a_min", "a_max"], 3)?.into_iter().flatten();
    let (Some(x), Some(low), Some(high)) = (values.next(), values.next(), values.next()) else {
        return Err(type_error(span, "np.clip() takes a number and two bounds"));
    };
    let (x, s) = lowerer.scalar(&x, &shown, span)?;
    let mut bounds = Vec::new();
    let mut all = vec![s];
    for (bound, op) in [(low, Binary::Maximum), (high, Binary::Minimum)] {
        if matches!(bound, Value::None) {
            continue;
        }
        let (bound, t) = lowerer.scalar(&bound, &shown, span)?;
        all.push(t);
        bounds.push((bound, op));
    }
    let python = all.iter().all(|scalar| scalar.flavour == Flavour::Python);
    let common = all
        .into_iter()
        .reduce(|a, b| if python { Scalar::numpy(promote_kinds(a.kind, b.kind)) } else { promote(a, b) });
    let common = Scalar::numpy(common.map_or(Kind::F64, |scalar| scalar.kind));
    if common.kind.is_complex() || common.kind == Kind::Bool {
        return Err(no_complex(&shown, span));
    }
    let mut result = lowerer.cast(x, common);
    for (bound, op) in bounds {
        let bound = lowerer.cast(bound, common);
        result = binary(op, result, bound);
    }
    Ok(Value::Expr(result))
}

fn round(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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
    if !scalar.kind.is_float() {
        let message = format!("{shown} of {} to {digits} decimals is not compiled", type_of(&value));
        return Err(refused(span, message, "round floats"));
    }
    rounding::decimals(x, digits, span).map(Value::Expr)
}
