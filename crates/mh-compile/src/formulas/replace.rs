//! A formula in the place of an array.

use std::collections::{BTreeMap, BTreeSet};

use super::find::put_in;
use super::uses::{assigns, each_statement};
use super::usual::usual;
use super::{Along, Derived, Formula, Stage, each_expr, zero};
use crate::ir::{
    Array, Binary, Block, Check, Compare, Expr, ExprKind, Fill, Kind, Layout, Span, Statement, StatementKind,
    Type, Var,
};
use crate::walk::{blocks_mut, expressions_mut, operands_mut};

/// Of the array and its views: arrays of places, one for each axis of the array. The first takes the variable itself.
type Places = BTreeMap<Var, Vec<Var>>;

struct Replacer<'a> {
    formula: &'a Formula,
    derived: &'a Derived,
    places: &'a Places,
}

impl Stage<'_> {
    pub(super) fn replace(&mut self, block: &mut Block, mut formula: Formula, derived: &Derived) {
        let span = block[formula.from].span;
        let mut rest = block.split_off(formula.to + 1);
        self.keep_what_changes(&mut formula, &rest);
        let mut places = Places::new();
        for var in derived.keys() {
            let Type::Array(array) = self.variables[var.0 as usize].ty else { continue };
            let ty =
                Type::Array(Array { element: Kind::I64, layout: Layout::Places, writable: false, ..array });
            self.variables[var.0 as usize].ty = ty;
            let others = (1..formula.places.len()).map(|_| self.variable(ty));
            places.insert(*var, std::iter::once(*var).chain(others).collect());
        }
        Replacer { formula: &formula, derived, places: &places }.block(&mut rest);
        let conditions: BTreeSet<Var> = conditions(&formula.value);
        if !conditions.is_empty() {
            usual(&mut rest, &conditions, &mut || self.loop_id());
        }
        // What was computed between the array and its elements stays.
        let mut between = block.split_off(formula.from);
        if formula.to > formula.from {
            between.pop();
        }
        let made = between.remove(0);
        if let StatementKind::Assign { value, .. } = made.kind
            && let ExprKind::New { lengths, check, .. } = *value.kind
        {
            for (axis, var) in places[&formula.array].iter().enumerate() {
                let fill = Fill::Places(u8::try_from(axis).unwrap_or(0));
                let check = if axis == 0 { check } else { Check::None };
                let new = ExprKind::New { lengths: lengths.clone(), fill, check };
                let ty = self.variables[var.0 as usize].ty;
                block.push(Statement::assign(*var, Expr::new(new, ty, value.span), span));
            }
        }
        block.extend(between);
        block.extend(formula.kept.into_iter().map(|(var, value)| Statement::assign(var, value, span)));
        block.extend(rest);
    }

    /// Scalars of the formula that are assigned later are kept as they are now.
    fn keep_what_changes(&mut self, formula: &mut Formula, rest: &[Statement]) {
        let mut later = BTreeSet::new();
        each_statement(rest, &mut |statement| later.extend(assigns(statement)));
        let mut read = BTreeSet::new();
        each_expr(&formula.value, &mut |expr| {
            if let ExprKind::Var(var) = *expr.kind {
                read.insert(var);
            }
        });
        let mut known = BTreeMap::new();
        for var in read {
            if later.contains(&var) && !formula.places.contains(&var) {
                let ty = self.variables[var.0 as usize].ty;
                let span = formula.value.span;
                let copy = self.variable(ty);
                formula.kept.push((copy, Expr::new(ExprKind::Var(var), ty, span)));
                known.insert(var, Expr::new(ExprKind::Var(copy), ty, span));
            }
        }
        put_in(&mut formula.value, &known);
    }
}

/// Truth values that choose between parts of a formula, and do not depend on the place.
fn conditions(value: &Expr) -> BTreeSet<Var> {
    let mut found = BTreeSet::new();
    each_expr(value, &mut |expr| {
        if let ExprKind::If { condition, .. } = &*expr.kind
            && let ExprKind::Var(var) = *condition.kind
        {
            found.insert(var);
        }
    });
    found
}

impl Replacer<'_> {
    fn block(&self, block: &mut Block) {
        let before = std::mem::take(block);
        for mut statement in before {
            for expr in expressions_mut(&mut statement) {
                self.expr(expr);
            }
            for inner in blocks_mut(&mut statement) {
                self.block(inner);
            }
            let copies = self.others(&statement);
            block.push(statement);
            block.extend(copies);
        }
    }

    /// The same view along the other axes; the type of its own one.
    fn others(&self, statement: &Statement) -> Vec<Statement> {
        let StatementKind::Assign { var, value } = &statement.kind else { return Vec::new() };
        let Some(targets) = self.places.get(var) else { return Vec::new() };
        let other = |axis: usize| match &*value.kind {
            ExprKind::Var(from) => Some(ExprKind::Var(*self.places.get(from)?.get(axis)?)),
            ExprKind::View { array, parts, check } => {
                let array = *self.places.get(array)?.get(axis)?;
                Some(ExprKind::View { array, parts: parts.clone(), check: *check })
            }
            _ => None,
        };
        let mut copies = Vec::new();
        for (axis, target) in targets.iter().enumerate().skip(1) {
            if let Some(kind) = other(axis) {
                let value = Expr::new(kind, value.ty, value.span);
                copies.push(Statement::assign(*target, value, statement.span));
            }
        }
        copies
    }

    fn expr(&self, expr: &mut Expr) {
        for operand in operands_mut(expr) {
            self.expr(operand);
        }
        let (ty, span) = (expr.ty, expr.span);
        match &*expr.kind {
            ExprKind::Load { array, indices, check } => {
                if let (Some(along), Some(places)) = (self.derived.get(array), self.places.get(array)) {
                    *expr = self.element(along, places, indices, *check, ty, span);
                }
            }
            ExprKind::View { array, .. } | ExprKind::Var(array) => {
                if let (Type::Array(array_type), true) = (ty, self.places.contains_key(array)) {
                    let ty =
                        Array { element: Kind::I64, layout: Layout::Places, writable: false, ..array_type };
                    expr.ty = Type::Array(ty);
                }
            }
            ExprKind::Disjoint { left, right } => {
                let other = match (self.derived.contains_key(left), self.derived.contains_key(right)) {
                    (true, false) => *right,
                    (false, true) => *left,
                    _ => return,
                };
                let all =
                    self.formula.reads().into_iter().map(|read| {
                        Expr::new(ExprKind::Disjoint { left: other, right: read }, Type::BOOL, span)
                    });
                let nothing = Expr::new(ExprKind::Bool(true), Type::BOOL, span);
                let both = |condition, then| {
                    let orelse = Expr::new(ExprKind::Bool(false), Type::BOOL, span);
                    Expr::new(ExprKind::If { condition, then, orelse }, Type::BOOL, span)
                };
                *expr = all.reduce(both).unwrap_or(nothing);
            }
            _ => {}
        }
    }

    /// The element that a view has at these subscripts.
    fn element(
        &self,
        along: &[Along],
        places: &[Var],
        indices: &[Expr],
        check: Check,
        ty: Type,
        span: Span,
    ) -> Expr {
        let load = |array: Var, check: Check| {
            let load = ExprKind::Load { array, indices: indices.to_vec(), check };
            Expr::new(load, Type::INT, span)
        };
        let mut known = BTreeMap::new();
        for (axis, place) in self.formula.places.iter().enumerate() {
            let direct = if check == Check::None { direct(along[axis], indices, span) } else { None };
            let weaker = if check == Check::Branch { Check::Wrap } else { check };
            known.insert(*place, direct.unwrap_or_else(|| load(places[axis], weaker)));
        }
        let mut value = self.formula.value.clone();
        put_in(&mut value, &known);
        if value.ty != ty {
            value = Expr::new(ExprKind::Cast { value, check: Check::None }, ty, span);
        }
        if check != Check::Branch {
            return value;
        }
        // Looked at first, whatever the element hangs on.
        let condition = Expr::new(
            ExprKind::Compare {
                op: Compare::GreaterEqual,
                left: load(places[0], Check::Branch),
                right: number(0, span),
            },
            Type::BOOL,
            span,
        );
        let orelse = zero(ty, span);
        Expr::new(ExprKind::If { condition, then: value, orelse }, ty, span)
    }
}

/// The place along an axis, where it is plain; the element is there.
fn direct(along: Along, indices: &[Expr], span: Span) -> Option<Expr> {
    let whole = |op, left, right| {
        Expr::new(ExprKind::Binary { op, left, right, check: Check::None }, Type::INT, span)
    };
    match along {
        Along::Fixed(place) => Some(number(place?, span)),
        Along::Axis { axis, start, step } => {
            let (start, step, index) = (start?, step?, indices.get(axis)?.clone());
            let far = if step == 1 { index } else { whole(Binary::Multiply, index, number(step, span)) };
            Some(if start == 0 { far } else { whole(Binary::Add, far, number(start, span)) })
        }
    }
}

fn number(value: i128, span: Span) -> Expr {
    Expr::new(ExprKind::Int(value), Type::INT, span)
}
