//! Going through the IR: what a statement evaluates, assigns and holds.

use std::collections::BTreeSet;

use crate::ir::{Block, Expr, ExprKind, Fill, Span, Statement, StatementKind, Var};
use crate::walk::{blocks_mut, expressions_mut, operands, operands_mut};

pub type Set = BTreeSet<Var>;

/// The variables that this very expression names (not its operands).
pub fn named(expr: &Expr) -> Vec<Var> {
    match &*expr.kind {
        ExprKind::Var(var) => vec![*var],
        ExprKind::Load { array, .. }
        | ExprKind::Dim { array, .. }
        | ExprKind::View { array, .. }
        | ExprKind::Foldable { array, .. } => vec![*array],
        ExprKind::Disjoint { left, right } | ExprKind::New { fill: Fill::Product(left, right), .. } => {
            vec![*left, *right]
        }
        _ => Vec::new(),
    }
}

/// Every variable in an expression, with its place.
pub fn reads(expr: &Expr, f: &mut impl FnMut(Var, Span)) {
    for var in named(expr) {
        f(var, expr.span);
    }
    for operand in operands(expr) {
        reads(operand, f);
    }
}

pub fn mentions(expr: &Expr, var: Var) -> bool {
    named(expr).contains(&var) || operands(expr).into_iter().any(|operand| mentions(operand, var))
}

pub fn blocks(statement: &Statement) -> Vec<&Block> {
    match &statement.kind {
        StatementKind::If { then, orelse, .. } => vec![then, orelse],
        StatementKind::While { head, body, .. } => vec![head, body],
        StatementKind::For(of) => vec![&of.body],
        StatementKind::Labelled { body, .. } => vec![body],
        StatementKind::Lockstep(of) => vec![&of.before, &of.inner, &of.after, &of.whole],
        _ => Vec::new(),
    }
}

/// Puts one variable in the place of another. (Plans and fast versions of loops are left as they are.)
pub fn rename(block: &mut Block, from: Var, to: Var) {
    fn expression(expr: &mut Expr, from: Var, to: Var) {
        match &mut *expr.kind {
            ExprKind::Var(var)
            | ExprKind::Load { array: var, .. }
            | ExprKind::Dim { array: var, .. }
            | ExprKind::View { array: var, .. }
            | ExprKind::Foldable { array: var, .. }
                if *var == from =>
            {
                *var = to;
            }
            ExprKind::Disjoint { left, right } | ExprKind::New { fill: Fill::Product(left, right), .. } => {
                [left, right].into_iter().filter(|var| **var == from).for_each(|var| *var = to);
            }
            _ => {}
        }
        operands_mut(expr).into_iter().for_each(|operand| expression(operand, from, to));
    }
    for statement in block {
        expressions_mut(statement).into_iter().for_each(|expr| expression(expr, from, to));
        match &mut statement.kind {
            StatementKind::Assign { var, .. } | StatementKind::Store { array: var, .. } if *var == from => {
                *var = to;
            }
            StatementKind::For(of) if of.var == from => of.var = to,
            StatementKind::Lockstep(of) => {
                of.kept
                    .iter_mut()
                    .chain(&mut of.carried)
                    .chain([&mut of.var])
                    .filter(|var| **var == from)
                    .for_each(|var| *var = to);
            }
            StatementKind::Call { results, .. } => {
                results.iter_mut().filter(|var| **var == from).for_each(|var| *var = to);
            }
            _ => {}
        }
        blocks_mut(statement).into_iter().for_each(|inner| rename(inner, from, to));
    }
}

/// What a statement itself gives a value to.
pub fn targets(statement: &Statement) -> Vec<Var> {
    match &statement.kind {
        StatementKind::Assign { var, .. } => vec![*var],
        StatementKind::For(of) => vec![of.var],
        StatementKind::Call { results, .. } => results.clone(),
        StatementKind::Lockstep(of) => vec![of.var],
        _ => Vec::new(),
    }
}

/// Every statement of a block, the nested ones too, outer before inner.
pub fn statements<'a>(block: &'a [Statement], f: &mut impl FnMut(&'a Statement)) {
    for statement in block {
        f(statement);
        for inner in blocks(statement) {
            statements(inner, f);
        }
    }
}

/// All variables that a block gives a value to.
pub fn assigned(block: &[Statement]) -> Set {
    let mut out = Set::new();
    statements(block, &mut |statement| out.extend(targets(statement)));
    out
}

/// The same value, whatever its place in the source.
pub fn same(a: &Expr, b: &Expr) -> bool {
    if a.ty != b.ty || named(a) != named(b) {
        return false;
    }
    let alike = match (&*a.kind, &*b.kind) {
        (ExprKind::Bool(a), ExprKind::Bool(b)) => a == b,
        (ExprKind::Int(a), ExprKind::Int(b)) => a == b,
        (ExprKind::Float(a), ExprKind::Float(b)) => a.to_bits() == b.to_bits(),
        (ExprKind::Complex(a, b), ExprKind::Complex(c, d)) => {
            (a.to_bits(), b.to_bits()) == (c.to_bits(), d.to_bits())
        }
        (ExprKind::Unary { op: a, .. }, ExprKind::Unary { op: b, .. }) => a == b,
        (ExprKind::Binary { op: a, .. }, ExprKind::Binary { op: b, .. }) => a == b,
        (ExprKind::Compare { op: a, .. }, ExprKind::Compare { op: b, .. }) => a == b,
        (ExprKind::Math { function: a, .. }, ExprKind::Math { function: b, .. }) => a == b,
        (ExprKind::Dim { axis: a, .. }, ExprKind::Dim { axis: b, .. }) => a == b,
        (ExprKind::Var(_), ExprKind::Var(_))
        | (ExprKind::If { .. }, ExprKind::If { .. })
        | (ExprKind::Cast { .. }, ExprKind::Cast { .. })
        | (ExprKind::Load { .. }, ExprKind::Load { .. }) => true,
        _ => false,
    };
    let (ours, theirs) = (operands(a), operands(b));
    alike && ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(a, b)| same(a, b))
}
