//! Order of evaluation: what was lowered earlier must be kept in variables where something that is emitted later could change or outrun it.

use std::collections::HashSet;

use super::Lowerer;
use super::value::{Iterable, Value};
use crate::ir::{Check, Expr, ExprKind, Fill, Part, Statement, StatementKind, Var};

impl Lowerer<'_> {
    /// Keeps `values`, which were lowered before the block had `start` statements, where those that follow are in their way.
    pub fn settle_before(&mut self, values: Vec<Value>, start: usize) -> Vec<Value> {
        if self.block.len() <= start || values.is_empty() {
            return values;
        }
        let later = self.block.split_off(start);
        let (written, stored) = (written(&later), stores(&later));
        let settled = values
            .into_iter()
            .map(|value| {
                let lazy = matches!(value, Value::Lazy(_));
                if stands(&value, &written) && !(lazy && stored) { value } else { self.settle(value) }
            })
            .collect();
        self.block.extend(later);
        settled
    }
}

/// The variables that statements assign.
fn written(block: &[Statement]) -> HashSet<Var> {
    let mut found = HashSet::new();
    let mut stack: Vec<&Statement> = block.iter().collect();
    while let Some(statement) = stack.pop() {
        match &statement.kind {
            StatementKind::Assign { var, .. } => {
                found.insert(*var);
            }
            StatementKind::Call { results, .. } => found.extend(results),
            StatementKind::If { then, orelse, .. } => stack.extend(then.iter().chain(orelse)),
            StatementKind::While { head, body, .. } => stack.extend(head.iter().chain(body)),
            StatementKind::For(inner) => {
                found.insert(inner.var);
                stack.extend(&inner.body);
            }
            StatementKind::Labelled { body, .. } => stack.extend(body),
            _ => {}
        }
    }
    found
}

/// Whether statements store into arrays, by themselves or in what they call.
pub fn stores(block: &[Statement]) -> bool {
    let mut stack: Vec<&Statement> = block.iter().collect();
    while let Some(statement) = stack.pop() {
        match &statement.kind {
            StatementKind::Store { .. } | StatementKind::Call { .. } => return true,
            StatementKind::If { then, orelse, .. } => stack.extend(then.iter().chain(orelse)),
            StatementKind::While { head, body, .. } => stack.extend(head.iter().chain(body)),
            StatementKind::For(inner) => stack.extend(&inner.body),
            StatementKind::Labelled { body, .. } => stack.extend(body),
            _ => {}
        }
    }
    false
}

/// Whether statements may raise.
pub fn may_fail(block: &[Statement]) -> bool {
    block.iter().any(|statement| match &statement.kind {
        StatementKind::Assign { value, .. } => fails(value),
        _ => true,
    })
}

fn stands(value: &Value, written: &HashSet<Var>) -> bool {
    match value {
        Value::Expr(expr) => !fails(expr) && !reads_any(expr, &|var| written.contains(&var)),
        Value::Tuple(members) => members.iter().all(|member| stands(member, written)),
        // What a text shows is in variables of its own.
        Value::None | Value::Static(_) | Value::Text(_) => true,
        Value::Lazy(lazy) => lazy.stands(&|var| written.contains(&var)),
        Value::Slice(slice) => [&slice.start, &slice.stop, &slice.step]
            .into_iter()
            .flatten()
            .all(|bound| !fails(bound) && !reads_any(bound, &|var| written.contains(&var))),
        Value::Iterable(iterable) => iterable_stands(iterable, written),
    }
}

fn iterable_stands(iterable: &Iterable, written: &HashSet<Var>) -> bool {
    let fine = |expr: &Expr| !fails(expr) && !reads_any(expr, &|var| written.contains(&var));
    match iterable {
        Iterable::Range { start, stop, step, .. } => fine(start) && fine(stop) && fine(step),
        Iterable::Array(array) => fine(array),
        Iterable::Tuple(members) => members.iter().all(|member| stands(member, written)),
        Iterable::Enumerate(inner, start) => fine(start) && iterable_stands(inner, written),
        Iterable::Zip(parts) => parts.iter().all(|part| iterable_stands(part, written)),
        Iterable::Reversed(inner) => iterable_stands(inner, written),
    }
}

/// May raise, reads memory, or draws a random number.
pub fn fails(expr: &Expr) -> bool {
    any(expr, &|expr| match &*expr.kind {
        ExprKind::Unary { check, .. }
        | ExprKind::Binary { check, .. }
        | ExprKind::Cast { check, .. }
        | ExprKind::Math { check, .. } => *check != Check::None,
        ExprKind::Load { .. } | ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. } => {
            true
        }
        _ => false,
    })
}

/// Whether the expression reads a variable that `which` names.
pub fn reads_any(expr: &Expr, which: &dyn Fn(Var) -> bool) -> bool {
    any(expr, &|expr| match &*expr.kind {
        ExprKind::Var(var) => which(*var),
        ExprKind::Load { array, .. }
        | ExprKind::Dim { array, .. }
        | ExprKind::View { array, .. }
        | ExprKind::Foldable { array, .. } => which(*array),
        ExprKind::Disjoint { left, right } | ExprKind::New { fill: Fill::Product(left, right), .. } => {
            which(*left) || which(*right)
        }
        _ => false,
    })
}

fn any(expr: &Expr, test: &dyn Fn(&Expr) -> bool) -> bool {
    let mut stack = vec![expr];
    while let Some(expr) = stack.pop() {
        if test(expr) {
            return true;
        }
        match &*expr.kind {
            ExprKind::Unary { operand: value, .. } | ExprKind::Cast { value, .. } => stack.push(value),
            ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => {
                stack.extend([left, right])
            }
            ExprKind::If { condition, then, orelse } => stack.extend([condition, then, orelse]),
            ExprKind::Load { indices: list, .. }
            | ExprKind::Math { arguments: list, .. }
            | ExprKind::Random { arguments: list, .. }
            | ExprKind::New { lengths: list, .. } => stack.extend(list),
            ExprKind::View { parts, .. } => {
                for part in parts {
                    match part {
                        Part::Index(index) | Part::Length(index) => stack.push(index),
                        Part::Slice { start, stop, step } => {
                            stack.extend([start, stop, step].into_iter().flatten())
                        }
                        Part::NewAxis | Part::Axis(_) | Part::Real | Part::Imag | Part::Diagonal => {}
                    }
                }
            }
            ExprKind::Foldable { lengths, .. } => stack.extend(lengths.iter().flatten()),
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Complex(..)
            | ExprKind::Var(_)
            | ExprKind::Dim { .. }
            | ExprKind::Disjoint { .. } => {}
        }
    }
    false
}
