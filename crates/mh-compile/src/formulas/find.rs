//! Definitions of arrays that may stay formulas.

use std::collections::BTreeMap;

use super::uses::mentions;
use super::{Formula, Stage, each_expr, zero};
use crate::ir::{Block, Check, Expr, ExprKind, Fill, Layout, Scalar, Statement, StatementKind, Type, Var};
use crate::races::walk::named;
use crate::walk::operands_mut;

/// Nodes of an element's expression.
const LARGEST: usize = 300;

/// A nest's element: the variables of the loops by axis, and the value.
struct Nest {
    places: Vec<Var>,
    value: Expr,
    /// What is computed before the loops.
    before: Vec<(Var, Expr)>,
    /// What the innermost loop assigns.
    locals: Vec<Var>,
}

impl Stage<'_> {
    /// The array that is made at this place of the block.
    pub(super) fn find(&mut self, block: &Block, at: usize) -> Option<Formula> {
        let StatementKind::Assign { var: array, value } = &block[at].kind else { return None };
        let ExprKind::New { lengths, fill, .. } = &*value.kind else { return None };
        let Type::Array(ty) = value.ty else { return None };
        let once = self.census.assigned(*array) == 1;
        if !once || self.refused.contains(array) || ty.layout == Layout::Places || lengths.is_empty() {
            return None;
        }
        let number = match fill {
            Fill::Empty => None,
            Fill::Zero => Some(zero(Type::Scalar(Scalar::numpy(ty.element)), value.span)),
            Fill::Value(number) if is_sure(number) => Some(number.clone()),
            _ => return None,
        };
        if let Some(number) = number {
            let kept = self.variable(number.ty);
            return Some(Formula {
                array: *array,
                places: lengths.iter().map(|_| self.variable(Type::INT)).collect(),
                value: Expr::new(ExprKind::Var(kept), number.ty, number.span),
                kept: vec![(kept, number)],
                from: at,
                to: at,
            });
        }
        // What is computed in between; then the elements.
        let mut to = at + 1;
        loop {
            let statement = block.get(to)?;
            match &statement.kind {
                StatementKind::Assign { value, .. } if !touches(statement, *array) => match value.ty {
                    Type::Scalar(_) => to += 1,
                    Type::Array(_) => return None,
                },
                StatementKind::For(_) | StatementKind::If { .. } => break,
                _ => return None,
            }
        }
        let fits = |nest: &Nest, block: &Block| self.is_own(nest, block, to);
        let formula = |places: Vec<Var>, value: Expr, kept| Formula {
            array: *array,
            places,
            value,
            kept,
            from: at,
            to,
        };
        match &block[to].kind {
            StatementKind::If { condition, then, orelse } if !orelse.is_empty() => {
                let first = nest(then, *array, lengths)?;
                let second = nest(orelse, *array, lengths)?;
                if !fits(&first, block) || !fits(&second, block) || !is_sure(condition) {
                    return None;
                }
                let other: BTreeMap<Var, Expr> = second
                    .places
                    .iter()
                    .zip(&first.places)
                    .map(|(own, other)| (*own, place(*other, &second.value)))
                    .collect();
                let mut orelse = second.value;
                put_in(&mut orelse, &other);
                let fits = self.variable(condition.ty);
                let ask = Expr::new(ExprKind::Var(fits), condition.ty, condition.span);
                let (ty, span) = (first.value.ty, first.value.span);
                let value = ExprKind::If { condition: ask, then: first.value, orelse };
                let mut kept = vec![(fits, condition.clone())];
                kept.extend(first.before);
                kept.extend(second.before);
                Some(formula(first.places, Expr::new(value, ty, span), kept))
            }
            StatementKind::For(_) => {
                let only = nest(&block[to..=to], *array, lengths)?;
                fits(&only, block).then(|| formula(only.places, only.value, only.before))
            }
            _ => None,
        }
        .filter(|formula| small(&formula.value))
    }

    /// Whether what the nest assigns is read nowhere else.
    fn is_own(&self, nest: &Nest, block: &Block, to: usize) -> bool {
        let mut own = nest.places.iter().chain(&nest.locals).chain(nest.before.iter().map(|(var, _)| var));
        let here = mentions(&block[to..=to]);
        own.all(|var| here.get(var) == self.census.mentions.get(var))
    }
}

fn small(value: &Expr) -> bool {
    let mut nodes = 0;
    each_expr(value, &mut |_| nodes += 1);
    nodes <= LARGEST
}

/// An assignment that reads or writes the array, but for its lengths.
fn touches(statement: &Statement, array: Var) -> bool {
    let mut touched = false;
    for expr in crate::walk::expressions(statement) {
        each_expr(expr, &mut |expr| {
            touched |= !matches!(*expr.kind, ExprKind::Dim { .. }) && named(expr).contains(&array);
        });
    }
    touched
}

/// Loops over these lengths that store each element once, and nothing else.
fn nest(block: &[Statement], array: Var, lengths: &[Expr]) -> Option<Nest> {
    let (last, first) = block.split_last()?;
    let mut before = Vec::new();
    for statement in first {
        match &statement.kind {
            StatementKind::Assign { var, value } if is_sure(value) && value.ty.scalar().is_some() => {
                before.push((*var, value.clone()));
            }
            _ => return None,
        }
    }
    let mut inner = last;
    let mut loops: Vec<(Var, &Expr)> = Vec::new();
    let body = loop {
        let StatementKind::For(each) = &inner.kind else { return None };
        let number = |expr: &Expr, of: i128| matches!(*expr.kind, ExprKind::Int(value) if value == of);
        if !number(&each.start, 0) || !number(&each.step, 1) || each.fast.is_some() {
            return None;
        }
        loops.push((each.var, &each.stop));
        if loops.len() == lengths.len() {
            break &each.body;
        }
        let [one] = each.body.as_slice() else { return None };
        inner = one;
    };
    let (store, locals) = body.split_last()?;
    let StatementKind::Store { array: target, indices, value, update: None, .. } = &store.kind else {
        return None;
    };
    if *target != array || value.ty.scalar().is_none() {
        return None;
    }
    let mut places = Vec::with_capacity(lengths.len());
    for (axis, (index, length)) in indices.iter().zip(lengths).enumerate() {
        let ExprKind::Var(var) = *index.kind else { return None };
        let (_, stop) = loops.iter().find(|(each, _)| *each == var)?;
        let whole = match (&*stop.kind, &*length.kind) {
            (ExprKind::Dim { array: of, axis: which }, _) if *of == array => usize::from(*which) == axis,
            (ExprKind::Dim { array: a, axis: i }, ExprKind::Dim { array: b, axis: j }) => a == b && i == j,
            (ExprKind::Var(a), ExprKind::Var(b)) => a == b,
            (ExprKind::Int(a), ExprKind::Int(b)) => a == b,
            _ => false,
        };
        if !whole || places.contains(&var) {
            return None;
        }
        places.push(var);
    }
    let mut known = BTreeMap::new();
    for statement in locals {
        let StatementKind::Assign { var, value } = &statement.kind else { return None };
        if value.ty.scalar().is_none() || known.contains_key(var) || places.contains(var) {
            return None;
        }
        let mut value = value.clone();
        put_in(&mut value, &known);
        if !small(&value) || !is_sure(&value) {
            return None;
        }
        known.insert(*var, value);
    }
    let mut value = value.clone();
    put_in(&mut value, &known);
    let locals = known.into_keys().collect();
    (small(&value) && is_sure(&value)).then_some(Nest { places, value, before, locals })
}

fn place(var: Var, like: &Expr) -> Expr {
    Expr::new(ExprKind::Var(var), Type::INT, like.span)
}

/// Expressions in the place of variables.
pub(super) fn put_in(expr: &mut Expr, known: &BTreeMap<Var, Expr>) {
    if let ExprKind::Var(var) = *expr.kind {
        if let Some(value) = known.get(&var) {
            *expr = value.clone();
        }
        return;
    }
    for operand in operands_mut(expr) {
        put_in(operand, known);
    }
}

/// Cannot fail, and gives the same each time.
pub(super) fn is_sure(expr: &Expr) -> bool {
    let mut sure = true;
    each_expr(expr, &mut |expr| {
        sure &= match &*expr.kind {
            ExprKind::Unary { check, .. }
            | ExprKind::Cast { check, .. }
            | ExprKind::Load { check, .. }
            | ExprKind::Binary { check, .. }
            | ExprKind::Math { check, .. } => *check == Check::None,
            ExprKind::Random { .. }
            | ExprKind::New { .. }
            | ExprKind::View { .. }
            | ExprKind::Disjoint { .. }
            | ExprKind::Foldable { .. } => false,
            _ => true,
        };
    });
    sure
}
