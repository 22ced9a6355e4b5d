//! Pieces of IR: each operation with its type.

use crate::ir::{
    Binary, Check, Compare, Expr, ExprKind, Flavour, Kind, Math, Scalar, Span, Type, Unary, Var,
};

pub fn math(function: Math, arguments: Vec<Expr>, scalar: Scalar, span: Span) -> Expr {
    // Only Python's functions raise.
    let check = if scalar.flavour == Flavour::Python { Check::Branch } else { Check::None };
    Expr::new(ExprKind::Math { function, arguments, check }, Type::Scalar(scalar), span)
}

/// One that cannot fail, or whose failure has been seen to.
pub fn sure(function: Math, arguments: Vec<Expr>, scalar: Scalar, span: Span) -> Expr {
    Expr::new(ExprKind::Math { function, arguments, check: Check::None }, Type::Scalar(scalar), span)
}

/// `IsNan` and its like.
pub fn test(function: Math, value: Expr, span: Span) -> Expr {
    let flavour = value.ty.scalar().map_or(Flavour::Python, |scalar| scalar.flavour);
    sure(function, vec![value], Scalar { kind: Kind::Bool, flavour }, span)
}

pub fn unary(op: Unary, operand: Expr, check: Check) -> Expr {
    let (ty, span) = (operand.ty, operand.span);
    Expr::new(ExprKind::Unary { op, operand, check }, ty, span)
}

/// Both sides have one type, which the result has too. Nothing is checked.
pub fn binary(op: Binary, left: Expr, right: Expr) -> Expr {
    checked(op, left, right, Check::None)
}

pub fn checked(op: Binary, left: Expr, right: Expr, check: Check) -> Expr {
    let (ty, span) = (left.ty, left.span);
    Expr::new(ExprKind::Binary { op, left, right, check }, ty, span)
}

pub fn compare(op: Compare, left: Expr, right: Expr) -> Expr {
    let span = left.span;
    let numpy = |expr: &Expr| expr.ty.scalar().is_some_and(|scalar| scalar.flavour == Flavour::NumPy);
    let ty = if numpy(&left) && numpy(&right) { Type::Scalar(Scalar::numpy(Kind::Bool)) } else { Type::BOOL };
    Expr::new(ExprKind::Compare { op, left, right }, ty, span)
}

pub fn choose(condition: Expr, then: Expr, orelse: Expr) -> Expr {
    let (ty, span) = (then.ty, then.span);
    Expr::new(ExprKind::If { condition, then, orelse }, ty, span)
}

pub fn both(left: Expr, right: Expr) -> Expr {
    let orelse = Expr::new(ExprKind::Bool(false), right.ty, right.span);
    choose(left, right, orelse)
}

pub fn either(left: Expr, right: Expr) -> Expr {
    let then = Expr::new(ExprKind::Bool(true), right.ty, right.span);
    choose(left, then, right)
}

pub fn not(value: Expr) -> Expr {
    unary(Unary::Not, value, Check::None)
}

/// The number, in the type of `like`.
pub fn number(value: i64, like: &Expr) -> Expr {
    constant(value, like.ty.scalar().unwrap_or(Scalar::INT), like.span)
}

pub fn constant(value: i64, scalar: Scalar, span: Span) -> Expr {
    #[expect(clippy::cast_precision_loss, reason = "small numbers")]
    let kind = match scalar.kind {
        Kind::Bool => ExprKind::Bool(value != 0),
        Kind::F32 | Kind::F64 => ExprKind::Float(value as f64),
        Kind::C64 | Kind::C128 => ExprKind::Complex(value as f64, 0.0),
        _ => ExprKind::Int(i128::from(value)),
    };
    Expr::new(kind, Type::Scalar(scalar), span)
}

/// A float in the type of `like`.
pub fn real(value: f64, like: &Expr) -> Expr {
    Expr::new(ExprKind::Float(value), like.ty, like.span)
}

pub fn variable(var: Var, ty: Type, span: Span) -> Expr {
    Expr::new(ExprKind::Var(var), ty, span)
}

pub fn dim(array: Var, axis: u8, span: Span) -> Expr {
    Expr::new(ExprKind::Dim { array, axis }, Type::INT, span)
}
