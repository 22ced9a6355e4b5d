//! Python's ints past 64 bits, which are known while compiling and which no compiled int holds: beside NumPy's uint64 they are one (NEP 50),
//! beside floats a float, beside other constants an int again.

use super::arithmetic::{fold_exactly, limits};
use super::value::{Form, Static, Value, boolean, constant_int, float};
use super::{Lowerer, Result, Stop};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Binary, Compare, Expr, ExprKind, Flavour, Kind, Scalar, Span, Type};

/// An int: as compiled ones are where it fits.
pub fn whole(value: i128, span: Span) -> Value {
    match i64::try_from(value) {
        Ok(value) => Value::int(value, span),
        Err(_) => Value::Static(Static::Wide(value)),
    }
}

/// Where compiled ints are asked for, and this one does not fit.
pub fn refused(digits: &str, span: Span) -> Stop {
    let shown = if digits.len() > 40 { "too great" } else { digits };
    let unsigned = digits.parse::<u64>().is_ok();
    let advice = if unsigned {
        format!(
            "compiled ints are between -2**63 and 2**63 - 1; write np.uint64({digits}), which wraps as NumPy does"
        )
    } else {
        "compiled ints are between -2**63 and 2**63 - 1; write a float if its rounding is welcome".to_owned()
    };
    Diagnostic::new(Class::Unsupported, span, "this int does not fit into 64 bits")
        .label(shown.to_owned())
        .advice(advice)
        .into()
}

/// The value, if it is no int past 64 bits (nor a text): one that can be passed on.
pub fn held(value: Value, span: Span) -> Result<Value> {
    match value {
        Value::Static(Static::Wide(number)) => Err(refused(&number.to_string(), span)),
        Value::Text(_) => Err(super::expression::no_text(span)),
        value => Ok(value),
    }
}

/// As one of NumPy's type, if it fits.
pub fn typed(number: i128, kind: Kind, span: Span) -> Option<Value> {
    let ty = Type::Scalar(Scalar::numpy(kind));
    let (low, high) = limits(kind);
    let fits = kind.is_integer() && (low..=high).contains(&number);
    match kind {
        Kind::F64 => Some(Value::Expr(Expr::new(ExprKind::Float(number as f64), ty, span))),
        _ => fits.then(|| Value::Expr(Expr::new(ExprKind::Int(number), ty, span))),
    }
}

/// The number as `other` takes it in an operation.
fn beside(number: i128, other: &Value, exactly: bool, span: Span) -> Result<Value> {
    let refused = || refused(&number.to_string(), span);
    let Some(Form::Type(ty)) = other.form() else { return Err(refused()) };
    let (kind, flavour) = match ty {
        Type::Scalar(scalar) => (scalar.kind, scalar.flavour),
        Type::Array(array) => (array.element, Flavour::NumPy),
    };
    let near = number as f64;
    match kind {
        Kind::U64 if flavour == Flavour::NumPy => typed(number, kind, span).ok_or_else(refused),
        Kind::F64 if !exactly || near as i128 == number => Ok(Value::Expr(float(near, span))),
        Kind::F32 if f64::from(near as f32) as i128 == number => Ok(Value::Expr(float(near, span))),
        _ => Err(refused()),
    }
}

/// Two operands, the one as the other takes it: as a float only where that rounds nothing, if `exactly`.
pub fn pair(
    (left, left_span): (&Value, Span),
    (right, right_span): (&Value, Span),
    exactly: bool,
) -> Result<(Value, Value)> {
    Ok(match (left, right) {
        (Value::Static(Static::Wide(number)), other) => {
            (beside(*number, other, exactly, left_span)?, other.clone())
        }
        (other, Value::Static(Static::Wide(number))) => {
            (other.clone(), beside(*number, other, exactly, right_span)?)
        }
        _ => (left.clone(), right.clone()),
    })
}

impl Lowerer<'_> {
    /// `left op right` as it is written, operands and their places: Python's rules of who takes whose type that hold for single numbers
    /// only.
    pub fn written(
        &mut self,
        op: Binary,
        (left, left_span): (&Value, Span),
        (right, right_span): (&Value, Span),
        span: Span,
    ) -> Result<Value> {
        let known = |value: &Value| match value {
            Value::Static(Static::Wide(number)) => Some(*number),
            Value::Expr(expr) if expr.ty == Type::INT => constant_int(expr),
            _ => None,
        };
        if let (Some(a), Some(b)) = (known(left), known(right)) {
            if let Some(value) = fold_exactly(op, a, b) {
                return Ok(whole(value, span));
            }
            let (left, right) = (held(left.clone(), left_span)?, held(right.clone(), right_span)?);
            return self.binary(op, &left, &right, span);
        }
        let (left, right) = pair((left, left_span), (right, right_span), false)?;
        let bool_of_python = |value: &Value| value.scalar() == Some(Scalar::BOOL) || self.is_mixed(value);
        if !matches!(op, Binary::And | Binary::Or | Binary::Xor)
            && (self.is_mixed(&left) || self.is_mixed(&right))
            && bool_of_python(&left)
            && bool_of_python(&right)
        {
            return Err(mixed(if self.is_mixed(&left) { left_span } else { right_span }));
        }
        match (&left, &right) {
            (Value::Expr(a), Value::Expr(b)) if meets_own_float(a, b) => {
                // `np.float64` is a `float`: `complex` does the operation itself.
                let right = Value::Expr(self.cast(b.clone(), Scalar::FLOAT));
                self.binary(op, &left, &right, span)
            }
            _ => self.binary(op, &left, &right, span),
        }
    }

    /// Whether it is a variable that holds Python's bool or NumPy's.
    pub fn is_mixed(&self, value: &Value) -> bool {
        matches!(value, Value::Expr(expr) if matches!(*expr.kind, ExprKind::Var(var) if self.mixed.contains(&var)))
    }

    /// As `written`, of a comparison.
    pub fn compared(
        &mut self,
        op: Compare,
        (left, left_span): (&Value, Span),
        (right, right_span): (&Value, Span),
        span: Span,
    ) -> Result<Expr> {
        match (left, right) {
            (Value::Static(Static::Wide(a)), Value::Static(Static::Wide(b))) => {
                Ok(boolean(holds(op, *a, *b), span))
            }
            (Value::Static(Static::Wide(a)), Value::Expr(b)) if b.ty == Type::INT => {
                self.discard(right.clone());
                Ok(boolean(holds(op, *a, 0), span))
            }
            (Value::Expr(a), Value::Static(Static::Wide(b))) if a.ty == Type::INT => {
                self.discard(left.clone());
                Ok(boolean(holds(op, 0, *b), span))
            }
            (Value::Expr(a), Value::Expr(b))
                if meets_own_float(a, b) && matches!(op, Compare::Equal | Compare::NotEqual) =>
            {
                let right = Value::Expr(self.cast(b.clone(), Scalar::FLOAT));
                self.compare(op, left, &right, span)
            }
            _ => {
                let (left, right) = pair((left, left_span), (right, right_span), true)?;
                self.compare(op, &left, &right, span)
            }
        }
    }
}

pub fn mixed(span: Span) -> Stop {
    Diagnostic::new(
        Class::Unsupported,
        span,
        "this is a bool on one path, an np.bool on another, and they do not count alike",
    )
    .label("True + True is 2, np.True_ + np.True_ is np.True_")
    .advice("say which: int(x) to count, bool(...) where it is assigned; `not x` in the place of `~x`")
    .into()
}

fn meets_own_float(left: &Expr, right: &Expr) -> bool {
    left.ty == Type::Scalar(Scalar::COMPLEX) && right.ty == Type::Scalar(Scalar::numpy(Kind::F64))
}

/// Of an int past 64 bits with one that is not (or with another): the sign decides, or the numbers do.
fn holds(op: Compare, a: i128, b: i128) -> bool {
    match op {
        Compare::Equal => a == b,
        Compare::NotEqual => a != b,
        Compare::Less => a < b,
        Compare::LessEqual => a <= b,
        Compare::Greater => a > b,
        Compare::GreaterEqual => a >= b,
    }
}
