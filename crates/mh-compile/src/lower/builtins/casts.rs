//! Conversions by calling a type: `int(x)`, `float(x)`, `complex(x, y)`, `np.float32(x)`.

use super::build::{constant, sure};
use super::{Call, refused, type_error, type_of, value_error};
use crate::ir::{Expr, Flavour, Kind, Math, Scalar, Span};
use crate::lower::value::{Static, Value, float};
use crate::lower::wide;
use crate::lower::{Lowerer, Result};

pub fn bool_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let value = call.bind(&["/x"], 0)?.into_iter().flatten().next();
    match value {
        Some(value) => lowerer.truth(&value, span).map(Value::Expr),
        None => Ok(Value::bool(false, span)),
    }
}

pub fn int_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["/x", "base"], 0)?.into_iter();
    let (value, base) = (values.next().flatten(), values.next().flatten());
    let Some(value) = value else { return Ok(Value::int(0, span)) };
    if base.is_some() || matches!(value, Value::Static(Static::Str(_))) {
        return Err(refused(span, "int() of text is not compiled", "convert before, and pass the number"));
    }
    match scalar_of(&value) {
        Some((x, scalar)) if !scalar.kind.is_complex() => Ok(Value::Expr(lowerer.cast(x, Scalar::INT))),
        _ => Err(type_error(
            span,
            format!(
                "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                type_of(&value)
            ),
        )),
    }
}

pub fn float_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let Some(value) = call.bind(&["/x"], 0)?.into_iter().flatten().next() else {
        return Ok(Value::Expr(float(0.0, span)));
    };
    if let Value::Static(Static::Str(text)) = &value {
        return parsed(text, span).map(|number| Value::Expr(float(number, span)));
    }
    if let Value::Static(Static::Wide(number)) = value {
        return Ok(Value::Expr(float(number as f64, span)));
    }
    match scalar_of(&value) {
        Some((x, scalar)) if !scalar.kind.is_complex() => Ok(Value::Expr(lowerer.cast(x, Scalar::FLOAT))),
        _ => Err(type_error(
            span,
            format!("float() argument must be a string or a real number, not '{}'", type_of(&value)),
        )),
    }
}

fn scalar_of(value: &Value) -> Option<(Expr, Scalar)> {
    match value {
        Value::Expr(expr) => expr.ty.scalar().map(|scalar| (expr.clone(), scalar)),
        _ => None,
    }
}

/// `float("inf")` and its like.
fn parsed(text: &str, span: Span) -> Result<f64> {
    let plain = text.trim().to_ascii_lowercase();
    let known = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.e".contains(&byte));
    let word = plain.trim_start_matches(['+', '-']);
    if matches!(word, "inf" | "infinity" | "nan") || known(&plain) {
        if let Ok(number) = plain.parse() {
            return Ok(number);
        }
    }
    Err(value_error(span, format!("could not convert string to float: '{text}'")))
}

pub fn complex_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut parts = Vec::new();
    for value in call.bind(&["real", "imag"], 0)? {
        parts.push(match value {
            None => None,
            Some(value) => Some(scalar_of(&value).ok_or_else(|| {
                let message = format!(
                    "complex() argument must be a number in compiled code, not '{}'",
                    type_of(&value)
                );
                type_error(span, message)
            })?),
        });
    }
    let zero = || (float(0.0, span), Scalar::FLOAT);
    let mut parts = parts.into_iter();
    let (real, imaginary) = (parts.next().flatten().unwrap_or_else(zero), parts.next().flatten());
    let Some((imaginary, second)) = imaginary else {
        return Ok(Value::Expr(lowerer.cast(real.0, Scalar::COMPLEX)));
    };
    if real.1.kind.is_complex() || second.kind.is_complex() {
        return Err(refused(span, "complex() of two parts takes real numbers", "write x + 1j * y"));
    }
    let parts = vec![lowerer.cast(real.0, Scalar::FLOAT), lowerer.cast(imaginary, Scalar::FLOAT)];
    Ok(Value::Expr(sure(Math::Complex, parts, Scalar::COMPLEX, span)))
}

/// `np.float32(x)` and its like.
pub fn numpy_of(lowerer: &mut Lowerer<'_>, kind: Kind, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let to = Scalar::numpy(kind);
    let Some(value) = call.bind(&["/x"], 0)?.into_iter().flatten().next() else {
        return Ok(Value::Expr(constant(0, to, span)));
    };
    if let (Value::Static(Static::Str(text)), true) = (&value, kind.is_float()) {
        let number = parsed(text, span)?;
        return Ok(Value::Expr(lowerer.cast(float(number, span), to)));
    }
    if let Value::Static(Static::Wide(number)) = value {
        return wide::typed(number, kind, span).ok_or_else(|| wide::refused(&number.to_string(), span));
    }
    let (x, from) = lowerer.scalar(&value, &shown, span)?;
    if kind == Kind::Bool {
        let truth = lowerer.truth(&value, span)?;
        return Ok(Value::Expr(lowerer.cast(truth, to)));
    }
    if from.kind.is_complex() && !kind.is_complex() {
        if from.flavour == Flavour::NumPy {
            let message = format!("{shown} of a complex number drops its imaginary part");
            return Err(refused(span, message, "say so: take z.real"));
        }
        let (function, text) =
            if kind.is_float() { ("float", "string") } else { ("int", "string, a bytes-like object") };
        return Err(type_error(
            span,
            format!("{function}() argument must be a {text} or a real number, not 'complex'"),
        ));
    }
    // Python's floats go to integers through `int`, which raises; NumPy's are cut off.
    let python_float = from == Scalar::FLOAT && kind.is_integer();
    let x = if python_float { lowerer.cast(x, Scalar::INT) } else { x };
    Ok(Value::Expr(lowerer.cast(x, to)))
}
