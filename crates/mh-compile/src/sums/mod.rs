//! Stage 5: sums that an innermost loop gathers are kept in registers, and those of whole numbers are counted.
//!
//! - `a[n, t] += x`, where the subscripts do not change in the loop: the element is read once before the loop and written once behind it. Nothing
//!   else in the loop may touch its memory: arrays are shown apart when the loop is entered.
//! - `s += x` in floating point, where every `x` is a whole number of few bits (a truth value, a small int): counted in an int, where the guard
//!   finds that `s` begins as a whole number and that no partial sum passes what a float holds exactly. Every order of such a sum
//!   gives the same bits, so LLVM may take any.
//!
//! Both are fast versions behind a guard (`For::fast`, with what is done before and behind the loop); else the loop runs as it was.

mod seen;
mod whole;

use std::collections::BTreeSet;

use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Fast, For, Kind, Math, Module, Scalar, Span, Statement,
    StatementKind, Type, Unary, Var, Variable,
};
use crate::walk::{blocks_mut, operands};
use seen::Seen;
use whole::{WIDE, Whole};

/// Rewrites a module in place.
pub fn keep(module: &mut Module) {
    for function in &mut module.functions {
        let mut body = std::mem::take(&mut function.body);
        Keeper { variables: &mut function.variables }.block(&mut body);
        function.body = body;
    }
}

struct Keeper<'a> {
    variables: &'a mut Vec<Variable>,
}

/// What goes before and behind a loop, and what must hold.
#[derive(Default)]
struct Around {
    before: Block,
    after: Block,
    /// Statements of the guard, evaluated where `entered` holds only as far as they say so.
    guard: Block,
    conditions: Vec<Expr>,
}

impl Keeper<'_> {
    fn block(&mut self, block: &mut Block) {
        for statement in block {
            if let StatementKind::For(each) = &mut statement.kind {
                // The version without checks is the one that runs.
                let inner = each.fast.as_mut().map_or(&mut each.body, |fast| &mut fast.body);
                self.block(inner);
                self.each(each);
                continue;
            }
            for inner in blocks_mut(statement) {
                self.block(inner);
            }
        }
    }

    fn each(&mut self, each: &mut For) {
        if each.parallel.is_some() || each.fast.as_ref().is_some_and(|fast| fast.attempt) {
            return;
        }
        let body = each.fast.as_ref().map_or(&each.body, |fast| &fast.body);
        let Some(seen) = Seen::of(each.var, body) else { return };
        let Some(count) = Count::of(each) else { return };
        let span = each.start.span;
        let mut body = body.clone();
        let mut around = Around::default();
        // All that reads memory in the guard does so only where the loop runs, with subscripts that fit.
        let proved = each.fast.as_ref().map(|fast| fast.condition.clone());
        let entered = both(proved, count.some());
        let before = self.variables.len();
        let entry = self.variable(Type::BOOL);
        let mut apart = Vec::new();
        let mut elements = Vec::new();
        for (at, statement) in body.iter().enumerate() {
            if let Some(array) = seen.hoistable(statement, self.variables) {
                apart.extend(seen.others(array).map(|other| disjoint(array, other, span)));
                elements.push(at);
            }
        }
        let entered = apart.into_iter().fold(entered, |all, one| both(Some(all), one));
        around.guard.push(Statement::assign(entry, entered, span));
        let mut any = false;
        for at in elements {
            any |= self.element(&mut body[at], &count, entry, &mut around);
        }
        let sums: BTreeSet<Var> = seen.sums(&body, self.variables);
        for var in sums {
            any |= self.scalar(var, &mut body, &count, &mut around);
        }
        if !any {
            self.variables.truncate(before);
            return;
        }
        let condition = around
            .conditions
            .into_iter()
            .fold(Expr::new(ExprKind::Var(entry), Type::BOOL, span), |all, one| both(Some(all), one));
        let mut guard = each.fast.as_mut().map(|fast| std::mem::take(&mut fast.guard)).unwrap_or_default();
        guard.extend(around.guard);
        let (before, after) = (around.before, around.after);
        each.fast =
            Some(Box::new(Fast { guard, condition, body, before, after, attempt: false, save: Vec::new() }));
    }

    /// `a[..] op= value` in a loop that does not change the subscripts.
    fn element(&mut self, statement: &mut Statement, count: &Count, entry: Var, around: &mut Around) -> bool {
        let span = statement.span;
        let StatementKind::Store { array, indices, value, update: Some(op), check } = &statement.kind else {
            return false;
        };
        let (array, op, check, ty) = (*array, *op, *check, value.ty);
        let Some(scalar) = ty.scalar() else { return false };
        let from = Type::Scalar(Scalar::numpy(scalar.kind));
        let load = ExprKind::Load { array, indices: indices.clone(), check };
        let mut load = Expr::new(load, from, span);
        if from != ty {
            load = Expr::new(ExprKind::Cast { value: load, check: Check::None }, ty, span);
        }
        let whole = matches!(op, Binary::Add | Binary::Subtract).then(|| Whole::of(value)).flatten();
        let (indices, value) = (indices.clone(), value.clone());
        if let Some(whole) = whole.filter(|_| scalar.kind.is_float()) {
            let begin = self.variable(ty);
            let nothing = Expr::new(ExprKind::Float(0.0), ty, span);
            let condition = Expr::new(ExprKind::Var(entry), Type::BOOL, span);
            let read = ExprKind::If { condition, then: load, orelse: nothing };
            around.guard.push(Statement::assign(begin, Expr::new(read, ty, span), span));
            let total = self.count(begin, whole.size(), count, around, span);
            let update = Some(Binary::Add);
            let store =
                StatementKind::Store { array, indices, value: float_of(total, ty, span), update, check };
            around.after.push(Statement { kind: store, span });
            *statement = counted(total, op, whole.value, span);
            return true;
        }
        let kept = self.variable(ty);
        around.before.push(Statement::assign(kept, load, span));
        let own = Expr::new(ExprKind::Var(kept), ty, span);
        let next = ExprKind::Binary { op, left: own.clone(), right: value, check: Check::None };
        *statement = Statement::assign(kept, Expr::new(next, ty, span), span);
        let store = StatementKind::Store { array, indices, value: own, update: None, check };
        around.after.push(Statement { kind: store, span });
        true
    }

    /// All `s += x` of a float, where every x is a whole number.
    fn scalar(&mut self, var: Var, body: &mut Block, count: &Count, around: &mut Around) -> bool {
        let mut sizes = Vec::new();
        seen::each_update(body, var, &mut |_, value| sizes.push(Whole::of(value).map(|whole| whole.size())));
        let Some(sizes) = sizes.into_iter().collect::<Option<Vec<i128>>>() else { return false };
        let (ty, span) = (self.variables[var.0 as usize].ty, count.start.span);
        let total = self.count(var, sizes.into_iter().sum(), count, around, span);
        seen::each_update_mut(body, var, &mut |statement| {
            let StatementKind::Assign { value, .. } = &statement.kind else { return };
            let ExprKind::Binary { op, right, .. } = &*value.kind else { return };
            if let Some(whole) = Whole::of(right) {
                *statement = counted(total, *op, whole.value, statement.span);
            }
        });
        let own = Expr::new(ExprKind::Var(var), ty, span);
        let sum = float_of(total, ty, span);
        let sum = ExprKind::Binary { op: Binary::Add, left: own, right: sum, check: Check::None };
        around.after.push(Statement::assign(var, Expr::new(sum, ty, span), span));
        true
    }

    /// An int that counts from 0 what is added to `begin`, no more than `size` in an iteration; and what the guard has to see.
    fn count(&mut self, begin: Var, size: i128, count: &Count, around: &mut Around, span: Span) -> Var {
        let ty = self.variables[begin.0 as usize].ty;
        let total = self.variable(INT);
        around.before.push(Statement::assign(total, Expr::new(ExprKind::Int(0), INT, span), span));
        // Half of what the float holds exactly for the start, half for the sum.
        let bits = if ty.scalar().is_some_and(|scalar| scalar.kind == Kind::F32) { 23 } else { 52 };
        let most = (1_i128 << bits) / size.max(1);
        let limit = Expr::new(ExprKind::Int(most), WIDE, span);
        around.conditions.push(Expr::compare(Compare::LessEqual, count.at_most(span), limit));
        let own = || Expr::new(ExprKind::Var(begin), ty, span);
        let float = |value: f64| Expr::new(ExprKind::Float(value), ty, span);
        let half = (1_i64 << bits) as f64;
        around.conditions.push(Expr::compare(Compare::LessEqual, own(), float(half)));
        around.conditions.push(Expr::compare(Compare::GreaterEqual, own(), float(-half)));
        let floor = ExprKind::Math { function: Math::Floor, arguments: vec![own()], check: Check::None };
        around.conditions.push(Expr::compare(Compare::Equal, Expr::new(floor, ty, span), own()));
        // -0.0 stays what it is where nothing is added.
        let sign = ExprKind::Math { function: Math::SignBit, arguments: vec![own()], check: Check::None };
        let sign = Expr::new(sign, Type::BOOL, span);
        let positive = ExprKind::Unary { op: Unary::Not, operand: sign, check: Check::None };
        let some = Expr::compare(Compare::NotEqual, own(), float(0.0));
        let either = ExprKind::Binary {
            op: Binary::Or,
            left: Expr::new(positive, Type::BOOL, span),
            right: some,
            check: Check::None,
        };
        around.conditions.push(Expr::new(either, Type::BOOL, span));
        total
    }

    fn variable(&mut self, ty: Type) -> Var {
        self.variables.push(Variable { name: None, ty });
        Var(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }
}

/// What counts: wraps, and never does.
const INT: Type = Type::Scalar(Scalar::numpy(Kind::I64));

/// How often a loop runs.
struct Count {
    start: Expr,
    stop: Expr,
    up: bool,
}

impl Count {
    fn of(each: &For) -> Option<Self> {
        let ExprKind::Int(step) = *each.step.kind else { return None };
        let plain = |bound: &Expr| matches!(*bound.kind, ExprKind::Int(_) | ExprKind::Var(_));
        (step != 0 && plain(&each.start) && plain(&each.stop)).then(|| Self {
            start: each.start.clone(),
            stop: each.stop.clone(),
            up: step > 0,
        })
    }

    /// Whether it runs at all.
    fn some(&self) -> Expr {
        let op = if self.up { Compare::Less } else { Compare::Greater };
        Expr::compare(op, self.start.clone(), self.stop.clone())
    }

    /// Not less than its iterations.
    fn at_most(&self, span: Span) -> Expr {
        let wide =
            |bound: &Expr| Expr::new(ExprKind::Cast { value: bound.clone(), check: Check::None }, WIDE, span);
        let (low, high) = if self.up { (&self.start, &self.stop) } else { (&self.stop, &self.start) };
        let (left, right) = (wide(high), wide(low));
        Expr::new(ExprKind::Binary { op: Binary::Subtract, left, right, check: Check::None }, WIDE, span)
    }
}

/// `total op= value`.
fn counted(total: Var, op: Binary, value: Expr, span: Span) -> Statement {
    let left = Expr::new(ExprKind::Var(total), INT, span);
    let next = ExprKind::Binary { op, left, right: value, check: Check::None };
    Statement::assign(total, Expr::new(next, INT, span), span)
}

fn float_of(total: Var, ty: Type, span: Span) -> Expr {
    let value = Expr::new(ExprKind::Var(total), INT, span);
    Expr::new(ExprKind::Cast { value, check: Check::None }, ty, span)
}

fn disjoint(left: Var, right: Var, span: Span) -> Expr {
    Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span)
}

fn both(left: Option<Expr>, right: Expr) -> Expr {
    match left {
        Some(left) => Expr::both(left, right),
        None => right,
    }
}

/// Whether an expression has the same value in every iteration, and cannot fail.
fn is_invariant(expr: &Expr, assigned: &BTreeSet<Var>) -> bool {
    let own = match &*expr.kind {
        ExprKind::Int(_) | ExprKind::Bool(_) => true,
        ExprKind::Var(var) => !assigned.contains(var),
        ExprKind::Dim { array, .. } => !assigned.contains(array),
        ExprKind::Unary { check, .. } | ExprKind::Binary { check, .. } | ExprKind::Cast { check, .. } => {
            *check == Check::None
        }
        _ => false,
    };
    own && operands(expr).into_iter().all(|part| is_invariant(part, assigned))
}
