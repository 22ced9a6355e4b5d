//! Whether readers of a formula compute no more than the array would have.

use std::collections::BTreeSet;

use super::uses::each_statement;
use super::{Along, Derived, Formula, each_expr};
use crate::ir::{Binary, Expr, ExprKind, For, Statement, StatementKind, Var};
use crate::walk::expressions;

/// What one element costs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cost {
    /// No more than to read it.
    Nothing,
    /// A few operations on numbers.
    Little,
    Much,
}

/// How often readers compute an element, at most.
struct Weigher<'a> {
    derived: &'a Derived,
    cost: Cost,
}

pub(super) fn pays(rest: &[Statement], formula: &Formula, derived: &Derived) -> bool {
    let cost = cost(&formula.value);
    match (Weigher { derived, cost }).block(rest, &[], false) {
        Some(weight) => cost != Cost::Much || weight <= 1.0,
        None => cost == Cost::Nothing,
    }
}

fn cost(value: &Expr) -> Cost {
    let mut cost = Cost::Nothing;
    each_expr(value, &mut |expr| {
        let whole = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer());
        let own = match &*expr.kind {
            ExprKind::Bool(_)
            | ExprKind::Int(_)
            | ExprKind::Float(_)
            | ExprKind::Complex(..)
            | ExprKind::Var(_) => Cost::Nothing,
            ExprKind::Binary { op: Binary::Add | Binary::Subtract | Binary::Multiply, .. }
            | ExprKind::Cast { .. }
                if whole =>
            {
                Cost::Nothing
            }
            ExprKind::Binary {
                op: Binary::Add | Binary::Subtract | Binary::Multiply | Binary::Divide,
                ..
            }
            | ExprKind::Cast { .. }
            | ExprKind::Compare { .. }
            | ExprKind::If { .. }
            | ExprKind::Unary { .. } => Cost::Little,
            _ => Cost::Much,
        };
        cost = match (cost, own) {
            (Cost::Much, _) | (_, Cost::Much) => Cost::Much,
            (Cost::Nothing, Cost::Nothing) => Cost::Nothing,
            _ => Cost::Little,
        };
    });
    cost
}

impl Weigher<'_> {
    /// None where there is no telling, or where it must not be computed. `seldom`: the block hardly ever runs.
    fn block(&self, block: &[Statement], around: &[&For], seldom: bool) -> Option<f64> {
        let mut sum = 0.0;
        let mut seen = BTreeSet::new();
        for statement in block {
            for expr in expressions(statement) {
                sum += self.expr(expr, around, &mut seen)?;
            }
            sum += match &statement.kind {
                StatementKind::If { then, orelse, .. } => {
                    // Of whole arrays where an operand is stretched.
                    let whole = then.last().is_some_and(is_whole);
                    self.block(then, around, seldom)?.max(self.block(orelse, around, seldom || whole)?)
                }
                StatementKind::For(each) => {
                    let mut inner = around.to_vec();
                    inner.push(each);
                    let weight = self.block(&each.body, &inner, seldom)?;
                    let dear = weight > 0.0 && self.cost == Cost::Much;
                    if dear && around.is_empty() && !(seldom || is_whole(statement)) || dear && gathers(each)
                    {
                        return None;
                    }
                    weight
                }
                StatementKind::While { head, condition, body } => {
                    let mut reads = false;
                    for part in [head, body] {
                        each_statement(part, &mut |statement| {
                            reads |= expressions(statement).into_iter().any(|expr| self.reads(expr));
                        });
                    }
                    if reads || self.reads(condition) {
                        return None;
                    }
                    0.0
                }
                StatementKind::Labelled { body, .. } => self.block(body, around, seldom)?,
                _ => 0.0,
            };
        }
        Some(sum)
    }

    fn reads(&self, expr: &Expr) -> bool {
        let mut found = false;
        each_expr(expr, &mut |expr| {
            found |= matches!(&*expr.kind, ExprKind::Load { array, .. } if self.derived.contains_key(array));
        });
        found
    }

    fn expr(&self, expr: &Expr, around: &[&For], seen: &mut BTreeSet<(Var, Vec<Var>)>) -> Option<f64> {
        let mut sum = Some(0.0);
        each_expr(expr, &mut |expr| {
            let ExprKind::Load { array, indices, .. } = &*expr.kind else { return };
            let Some(along) = self.derived.get(array) else { return };
            let plain: Option<Vec<Var>> = indices
                .iter()
                .map(|index| match *index.kind {
                    ExprKind::Var(var) => Some(var),
                    _ => None,
                })
                .collect();
            // Computed once, though it is written twice.
            if plain.is_some_and(|plain| !seen.insert((*array, plain))) {
                return;
            }
            sum = sum.and_then(|sum| Some(sum + share(along, indices, around)?));
        });
        sum
    }
}

/// A loop of a whole array, that may run in blocks.
fn is_whole(statement: &Statement) -> bool {
    let StatementKind::For(each) = &statement.kind else { return false };
    each.parallel.as_ref().is_some_and(|parallel| parallel.implicit)
}

/// Whether a loop gathers into an array: then it may be run on one thread.
fn gathers(each: &For) -> bool {
    let mut gathers = false;
    each_statement(&each.body, &mut |statement| {
        gathers |= matches!(statement.kind, StatementKind::Store { update: Some(_), .. });
    });
    gathers
}

/// Which share of the elements is read by loops, all their turns together.
fn share(along: &[Along], indices: &[Expr], around: &[&For]) -> Option<f64> {
    if around.is_empty() {
        return Some(0.0);
    }
    let says = |index: &Expr, var: Var| {
        let mut found = false;
        each_expr(index, &mut |expr| found |= matches!(*expr.kind, ExprKind::Var(one) if one == var));
        found
    };
    if !around.iter().all(|each| indices.iter().any(|index| says(index, each.var))) {
        return None;
    }
    let mut share = 1.0;
    for one in along {
        if let Along::Axis { step: Some(step), .. } = one {
            #[expect(clippy::cast_precision_loss, reason = "steps are small")]
            let step = step.unsigned_abs().max(1) as f64;
            share /= step;
        }
    }
    Some(share)
}
