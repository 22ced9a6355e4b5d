//! NumPy's functions of numbers: its types, its rules. Functions that make arrays are in `constructors`.

use super::build::sure;
use super::nearest::{names, unknown};
use super::{
    Call, Handler, attributes, casts, constructors, dtypes, find, is_half, reductions, refused, type_error,
    ufuncs,
};
use crate::ir::{Binary, Compare, Expr, Flavour, Kind, Math, Scalar, Span};
use crate::lower::function::Arguments;
use crate::lower::types::{promote, scalar_name};
use crate::lower::value::Value;
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
    ("abs", ufuncs::absolute),
    ("absolute", ufuncs::absolute),
    ("angle", ufuncs::part),
    ("around", ufuncs::round),
    ("bitwise_not", ufuncs::invert),
    ("clip", ufuncs::clip),
    ("conj", ufuncs::part),
    ("conjugate", ufuncs::part),
    ("deg2rad", ufuncs::scaled),
    ("degrees", ufuncs::scaled),
    ("divmod", ufuncs::divmod),
    ("fabs", ufuncs::absolute),
    ("fmax", ufuncs::fmax),
    ("fmin", ufuncs::fmax),
    ("fmod", ufuncs::fmod),
    ("imag", ufuncs::part),
    ("invert", ufuncs::invert),
    ("isfinite", ufuncs::tests),
    ("isinf", ufuncs::tests),
    ("isnan", ufuncs::tests),
    ("logaddexp", ufuncs::logaddexp),
    ("logical_and", ufuncs::logical),
    ("logical_not", ufuncs::logical),
    ("logical_or", ufuncs::logical),
    ("logical_xor", ufuncs::logical),
    ("maximum", ufuncs::extreme),
    ("minimum", ufuncs::extreme),
    ("ndim", attributes::ndim),
    ("negative", ufuncs::negative),
    ("positive", ufuncs::negative),
    ("rad2deg", ufuncs::scaled),
    ("radians", ufuncs::scaled),
    ("real", ufuncs::part),
    ("result_type", dtypes::result_type),
    ("reciprocal", ufuncs::reciprocal),
    ("round", ufuncs::round),
    ("shape", attributes::shape_of),
    ("sign", ufuncs::sign),
    ("signbit", ufuncs::tests),
    ("size", attributes::size_of),
    ("square", ufuncs::square),
    ("where", ufuncs::choice),
];

/// Of `TABLE`, what gives a number for each element, and of how many numbers.
const EACH: &[(&str, usize)] = &[
    ("abs", 1),
    ("absolute", 1),
    ("angle", 1),
    ("around", 2),
    ("bitwise_not", 1),
    ("clip", 3),
    ("conj", 1),
    ("conjugate", 1),
    ("deg2rad", 1),
    ("degrees", 1),
    ("fabs", 1),
    ("fmax", 2),
    ("fmin", 2),
    ("fmod", 2),
    ("invert", 1),
    ("isfinite", 1),
    ("isinf", 1),
    ("isnan", 1),
    ("logaddexp", 2),
    ("logical_and", 2),
    ("logical_not", 1),
    ("logical_or", 2),
    ("logical_xor", 2),
    ("maximum", 2),
    ("minimum", 2),
    ("negative", 1),
    ("positive", 1),
    ("rad2deg", 1),
    ("radians", 1),
    ("reciprocal", 1),
    ("round", 2),
    ("sign", 1),
    ("signbit", 1),
    ("square", 1),
    ("where", 3),
];

/// Whether a call is of what is compiled without the library.
pub fn knows(name: &str, arguments: &Arguments) -> bool {
    let Some(short) = name.strip_prefix("numpy.") else { return !name.starts_with("numpy.") };
    // `np.where(condition)` tells where.
    let whole = short != "where" || arguments.positional.len() != 1;
    whole
        && (inputs(short).is_some()
            || find(TABLE, short).is_some()
            || constructors::find(short).is_some()
            || dtypes::numpy_kind(short).is_some())
}

/// How many numbers a function takes that works element by element; None for all others.
pub fn inputs(name: &str) -> Option<usize> {
    let floating = FLOATING.iter().chain(WHOLE).map(|(name, _)| (*name, 1));
    let pairs = FLOATING_PAIRS.iter().map(|(name, _)| (*name, 2));
    let operators = OPERATORS.iter().map(|(name, _)| (*name, 2));
    let comparisons = COMPARISONS.iter().map(|(name, _)| (*name, 2));
    let mut all = floating.chain(pairs).chain(operators).chain(comparisons).chain(EACH.iter().copied());
    all.find(|(one, _)| *one == name).map(|(_, inputs)| inputs)
}

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
        let shown = call.shown();
        let (x, scalar) = one(lowerer, call)?;
        if scalar.kind.is_complex() {
            return Err(no_complex(&shown, span));
        }
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
    if reductions::names().any(|one| one == name) {
        let message = format!("{} of what is no array is not compiled", call.shown());
        return Err(refused(span, message, "pass an array: np.array((x, y))"));
    }
    if let Some(instead) = reduction(name) {
        return Err(refused(span, format!("{} is not compiled yet", call.shown()), instead));
    }
    Err(unknown(&call, all()))
}

/// Names of all that is compiled here; the library has more.
pub fn all() -> impl Iterator<Item = &'static str> {
    let simple = FLOATING.iter().chain(FLOATING_PAIRS).chain(WHOLE).map(|(name, _)| *name);
    let operators = OPERATORS.iter().map(|(name, _)| *name).chain(COMPARISONS.iter().map(|(name, _)| *name));
    simple.chain(operators).chain(names(TABLE)).chain(constructors::names()).chain(reductions::names())
}

/// What to write in place of a function of whole arrays.
fn reduction(name: &str) -> Option<&'static str> {
    Some(match name {
        "nansum" | "nanmean" | "average" => "write the loop: `for i in mh.prange(len(x)): s += x[i]`",
        "dot" | "vdot" | "inner" | "matmul" => "write the loop: `for k in range(n): s += a[i, k] * b[k, j]`",
        "diff" => "write the loop, with `range`: each element needs the one before",
        "array" | "asarray" | "ascontiguousarray" => "make it with np.empty(n) and fill it",
        "sort" | "argsort" | "searchsorted" | "concatenate" | "unique" | "nonzero" => {
            "call it outside, and pass what it gives"
        }
        _ => return None,
    })
}

/// NumPy's type of a number: Python's numbers have its default types.
pub fn numpy_scalar(scalar: Scalar) -> Scalar {
    Scalar::numpy(scalar.kind)
}

/// One number, in NumPy's type.
pub fn one(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    let scalar = numpy_scalar(scalar);
    Ok((lowerer.cast(x, scalar), scalar))
}

/// Two numbers: a Python number takes the type of one of NumPy's beside it.
pub fn pair(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr)> {
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
pub fn promoted(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr, Scalar)> {
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

pub fn floating(lowerer: &mut Lowerer<'_>, call: Call<'_>, complex: bool) -> Result<(Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let (x, scalar) = one(lowerer, call)?;
    if scalar.kind.is_complex() && !complex {
        return Err(match shown.as_str() {
            "np.exp2" | "np.expm1" | "np.log1p" | "np.log2" | "np.rint" => complex_not_compiled(&shown, span),
            _ => no_complex(&shown, span),
        });
    }
    let scalar = Scalar::numpy(float_kind(scalar.kind, &shown, span)?);
    Ok((lowerer.cast(x, scalar), scalar))
}

/// NumPy computes it.
pub fn complex_not_compiled(shown: &str, span: Span) -> crate::lower::Stop {
    refused(
        span,
        format!("{shown} of complex numbers is not compiled"),
        "call it outside of the compiled function",
    )
}

pub fn no_complex(shown: &str, span: Span) -> crate::lower::Stop {
    type_error(span, format!("ufunc '{}' not supported for complex numbers", shown.trim_start_matches("np.")))
}

pub fn floating_pair(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<(Expr, Expr, Scalar)> {
    let (shown, span) = (call.shown(), call.span);
    let (x, y, scalar) = promoted(lowerer, call)?;
    if scalar.kind.is_complex() {
        return Err(no_complex(&shown, span));
    }
    let scalar = Scalar::numpy(float_kind(scalar.kind, &shown, span)?);
    Ok((lowerer.cast(x, scalar), lowerer.cast(y, scalar), scalar))
}
