//! Floats that are whole numbers of few bits: truth values and small ints that were converted, and their products.

use crate::ir::{Binary, Check, Expr, ExprKind, Kind, Scalar, Type};

pub(super) const WIDE: Type = Type::Scalar(Scalar::python(Kind::I128));

/// A value as an int64 of NumPy's, and its bounds.
pub(super) struct Whole {
    pub value: Expr,
    low: i128,
    high: i128,
}

impl Whole {
    /// Of a float; `None` where it may be something else, or large.
    pub fn of(expr: &Expr) -> Option<Self> {
        if !expr.ty.scalar()?.kind.is_float() {
            return None;
        }
        let (low, high, value) = match &*expr.kind {
            ExprKind::Cast { value, check: Check::None } if value.ty.scalar()?.kind.is_float() => {
                let whole = Self::of(value)?;
                (whole.low, whole.high, whole.value)
            }
            ExprKind::Cast { value, check: Check::None } => {
                let (low, high) = bounds(value)?;
                (low, high, int(ExprKind::Cast { value: value.clone(), check: Check::None }, expr))
            }
            ExprKind::Float(value) if value.fract() == 0.0 && value.abs() <= SMALL as f64 => {
                let value = *value as i64;
                (value.into(), value.into(), int(ExprKind::Int(value.into()), expr))
            }
            ExprKind::Binary {
                op: op @ (Binary::Add | Binary::Subtract | Binary::Multiply),
                left,
                right,
                ..
            } => {
                let (left, right) = (Self::of(left)?, Self::of(right)?);
                let (low, high) = combine(*op, (left.low, left.high), (right.low, right.high))?;
                let (left, right) = (left.value, right.value);
                (low, high, int(ExprKind::Binary { op: *op, left, right, check: Check::None }, expr))
            }
            _ => return None,
        };
        // A float of 32 bits has rounded what is larger.
        let most = if expr.ty.scalar()?.kind == Kind::F32 { 1 << 20 } else { SMALL };
        (-most <= low && high <= most).then_some(Self { value, low, high })
    }

    /// The greatest absolute value.
    pub fn size(&self) -> i128 {
        self.low.abs().max(self.high.abs())
    }
}

/// Bounds within which sums over many iterations are counted.
const SMALL: i128 = 1 << 33;

fn int(kind: ExprKind, like: &Expr) -> Expr {
    Expr::new(kind, super::INT, like.span)
}

/// Bounds of a truth value or an int, whatever the variables hold.
fn bounds(expr: &Expr) -> Option<(i128, i128)> {
    let scalar = expr.ty.scalar()?;
    let all = match scalar.kind {
        Kind::Bool => return Some((0, 1)),
        Kind::I8 => Some((i8::MIN.into(), i8::MAX.into())),
        Kind::I16 => Some((i16::MIN.into(), i16::MAX.into())),
        Kind::I32 => Some((i32::MIN.into(), i32::MAX.into())),
        Kind::U8 => Some((0, u8::MAX.into())),
        Kind::U16 => Some((0, u16::MAX.into())),
        Kind::U32 => Some((0, u32::MAX.into())),
        Kind::I64 => None,
        _ => return None,
    };
    let own = match &*expr.kind {
        ExprKind::Int(value) => Some((*value, *value)),
        ExprKind::Cast { value, .. } => bounds(value),
        ExprKind::If { then, orelse, .. } => {
            bounds(then).zip(bounds(orelse)).map(|(one, other)| union(one, other))
        }
        ExprKind::Binary { op, left, right, .. } => {
            bounds(left).zip(bounds(right)).and_then(|(left, right)| combine(*op, left, right))
        }
        _ => None,
    };
    match (own, all) {
        // What does not fit has wrapped.
        (Some(own), Some(all)) if own.0 < all.0 || own.1 > all.1 => Some(all),
        (Some(own), _) => Some(own).filter(|own| own.0 >= -(1 << 62) && own.1 <= 1 << 62),
        (None, all) => all,
    }
}

fn union(one: (i128, i128), other: (i128, i128)) -> (i128, i128) {
    (one.0.min(other.0), one.1.max(other.1))
}

fn combine(op: Binary, left: (i128, i128), right: (i128, i128)) -> Option<(i128, i128)> {
    match op {
        Binary::Add => Some((left.0 + right.0, left.1 + right.1)),
        Binary::Subtract => Some((left.0 - right.1, left.1 - right.0)),
        Binary::Multiply => {
            let corners = [left.0 * right.0, left.0 * right.1, left.1 * right.0, left.1 * right.1];
            Some((*corners.iter().min()?, *corners.iter().max()?))
        }
        Binary::Min | Binary::Max | Binary::Minimum | Binary::Maximum => Some(union(left, right)),
        _ => None,
    }
}
