//! Innermost loops that add up, in order, what is dear to compute: all that is added in a strip is computed first, which LLVM makes vectors of, then
//! it is added up in the order of the iterations. A sum in order alone cannot be made vectors of, and would hold up all the rest.

use std::collections::BTreeSet;

use super::function::{Around, FunctionEmitter, Operand};
use super::loops::Range;
use super::memory;
use crate::ir::{Binary, Check, Expr, ExprKind, Kind, Scalar, Statement, StatementKind, Type, Var, Variable};
use crate::walk::{expressions, may_raise, operands};

/// Iterations of a strip.
const STRIP: i64 = 64;

/// A sum that a loop adds to once in each iteration.
struct Sum {
    var: Var,
    op: Binary,
    scalar: Scalar,
}

impl FunctionEmitter<'_, '_> {
    /// The loop, where it is one of these; else nothing, and false.
    pub fn split(&mut self, var: Var, range: &Range, body: &[Statement]) -> bool {
        let Some(sums) = sums(var, body, &self.function.variables) else { return false };
        let tables: Vec<String> = sums
            .iter()
            .map(|sum| self.alloca(&format!("[{STRIP} x {}]", memory(sum.scalar.kind)), None))
            .collect();
        let strips = self.value(&format!("and i64 {}, {}", range.count, -STRIP));
        let [some, strip, inside, next, adding, turn, over] =
            ["some", "strip", "inside", "next", "adding", "turn", "over"].map(|name| self.label(name));
        let none = self.value(&format!("icmp eq i64 {strips}, 0"));
        self.branch(&none, &over, &some);
        self.begin(&some);
        let [base, base_next, lane, lane_next] =
            ["base", "base", "lane", "lane"].map(|name| self.fresh(name));
        self.begin(&strip);
        self.line(&format!("{base} = phi i64 [ 0, %{some} ], [ {base_next}, %{turn} ]"));
        self.begin(&inside);
        self.line(&format!("{lane} = phi i64 [ 0, %{strip} ], [ {lane_next}, %{next} ]"));
        let k = self.value(&format!("add nuw i64 {base}, {lane}"));
        let far = self.value(&format!("mul i64 {k}, {}", range.step));
        let index = self.value(&format!("add i64 {}, {far}", range.start));
        for (sum, table) in sums.iter().zip(&tables) {
            let at = self.slot(table, sum.scalar.kind, &lane);
            self.addends.insert(sum.var, at);
        }
        let around = std::mem::replace(&mut self.inner, true);
        self.assign(var, &Operand::One(index));
        self.loops.push(Around { leave: next.clone(), next: next.clone() });
        self.block(body);
        self.loops.pop();
        self.inner = around;
        self.addends.clear();
        self.begin(&next);
        self.line(&format!("{lane_next} = add nuw nsw i64 {lane}, 1"));
        let more = self.value(&format!("icmp ult i64 {lane_next}, {STRIP}"));
        let behind = self.label("behind");
        self.branch(&more, &inside, &behind);
        self.begin(&behind);
        let [lane, lane_next] = ["lane", "lane"].map(|name| self.fresh(name));
        self.begin(&adding);
        self.line(&format!("{lane} = phi i64 [ 0, %{behind} ], [ {lane_next}, %{adding} ]"));
        for (sum, table) in sums.iter().zip(&tables) {
            let at = self.slot(table, sum.scalar.kind, &lane);
            let new = self.load(sum.scalar.kind, &at);
            let old = self.read(sum.var);
            let both = self.binary(sum.op, &old, &new, sum.scalar, Check::None, body[0].span);
            self.assign(sum.var, &both);
        }
        self.line(&format!("{lane_next} = add nuw nsw i64 {lane}, 1"));
        let more = self.value(&format!("icmp ult i64 {lane_next}, {STRIP}"));
        let added = self.label("added");
        self.branch(&more, &adding, &added);
        self.begin(&added);
        self.spend(&STRIP.to_string());
        self.begin(&turn);
        self.line(&format!("{base_next} = add nuw i64 {base}, {STRIP}"));
        let more = self.value(&format!("icmp ult i64 {base_next}, {strips}"));
        self.branch(&more, &strip, &over);
        self.begin(&over);
        // Less than a strip is left.
        let left = self.value(&format!("sub i64 {}, {strips}", range.count));
        let far = self.value(&format!("mul i64 {strips}, {}", range.step));
        let start = self.value(&format!("add i64 {}, {far}", range.start));
        let rest = Range { start, step: range.step.clone(), count: left, at_most: Some(STRIP as u64 - 1) };
        self.seldom(true, |this| {
            this.each(&rest, Some(1), |this, turn| {
                this.assign(var, &Operand::One(turn.value.clone()));
                this.block(body);
            });
        });
        true
    }

    /// Address of a number in a table.
    pub fn slot(&mut self, table: &str, kind: Kind, lane: &str) -> String {
        let far = self.value(&format!("mul nuw nsw i64 {lane}, {}", kind.size()));
        self.value(&format!("getelementptr inbounds i8, ptr {table}, i64 {far}"))
    }

    /// `s = s + value` where what is added is kept apart: into its slot.
    pub fn assign_addend(&mut self, address: &str, value: &Expr) {
        let (ExprKind::Binary { right, .. }, Type::Scalar(scalar)) = (&*value.kind, value.ty) else { return };
        let addend = self.expression(right);
        self.store(scalar.kind, &addend, address);
    }
}

/// Whether a serial innermost loop is split.
pub(crate) fn is_split(var: Var, body: &[Statement], variables: &[Variable]) -> bool {
    sums(var, body, variables).is_some()
}

/// The sums of a loop that is worth it: straight, dear, nothing else carried from one iteration to the next.
fn sums(var: Var, body: &[Statement], variables: &[Variable]) -> Option<Vec<Sum>> {
    let mut sums: Vec<Sum> = Vec::new();
    let mut assigned: BTreeSet<Var> = BTreeSet::new();
    for statement in body {
        let StatementKind::Assign { var, value } = &statement.kind else { return None };
        assigned.insert(*var);
        if let ExprKind::Binary {
            op: op @ (Binary::Add | Binary::Subtract), left, check: Check::None, ..
        } = &*value.kind
            && *left.kind == ExprKind::Var(*var)
            && let Some(scalar) =
                variables[var.0 as usize].ty.scalar().filter(|scalar| scalar.kind.is_float())
            && value.ty == Type::Scalar(scalar)
        {
            sums.push(Sum { var: *var, op: *op, scalar });
        }
    }
    let is_sum = |var: &Var| sums.iter().any(|sum| sum.var == *var);
    let mut ready = BTreeSet::from([var]);
    for statement in body {
        let StatementKind::Assign { var, value } = &statement.kind else { return None };
        let read = match &*value.kind {
            ExprKind::Binary { right, .. } if is_sum(var) => right,
            _ => value,
        };
        let mut fine = true;
        reads(read, &mut |other| fine &= ready.contains(&other) || !assigned.contains(&other));
        // A sum is assigned once and read by nobody.
        if !fine || is_sum(var) && !ready.insert(*var) {
            return None;
        }
        if is_sum(var) {
            continue;
        }
        ready.insert(*var);
    }
    let read_sum = |statement: &Statement| {
        let mut times = 0;
        for expr in expressions(statement) {
            reads(expr, &mut |var| times += usize::from(is_sum(&var)));
        }
        times
    };
    let once = body.iter().map(read_sum).sum::<usize>() == sums.len();
    let dear = body.iter().any(|statement| expressions(statement).into_iter().any(is_dear));
    let safe = !body.iter().any(|statement| expressions(statement).into_iter().any(may_leave));
    let scattered =
        body.iter().any(|statement| expressions(statement).into_iter().any(|expr| is_scattered(expr, var)));
    (!sums.is_empty() && once && dear && safe && !scattered).then_some(sums)
}

fn reads(expr: &Expr, see: &mut impl FnMut(Var)) {
    if let ExprKind::Var(var) = *expr.kind {
        see(var);
    }
    operands(expr).into_iter().for_each(|part| reads(part, see));
}

/// Reads another row in each iteration: columns cost more as vectors than they gain.
fn is_scattered(expr: &Expr, loop_variable: Var) -> bool {
    let own = match &*expr.kind {
        ExprKind::Load { indices, .. } => {
            let mut rows = false;
            for index in indices.iter().rev().skip(1) {
                reads(index, &mut |read| rows |= read == loop_variable);
            }
            rows
        }
        _ => false,
    };
    own || operands(expr).into_iter().any(|part| is_scattered(part, loop_variable))
}

/// Takes longer than an addition in order.
fn is_dear(expr: &Expr) -> bool {
    let float = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float());
    matches!(*expr.kind, ExprKind::Math { .. } | ExprKind::Binary { op: Binary::Divide | Binary::Power, .. })
        && float
        || operands(expr).into_iter().any(is_dear)
}

/// Raises in the middle, draws, or works with arrays as a whole.
fn may_leave(expr: &Expr) -> bool {
    may_raise(expr) || is_of_arrays(expr)
}

fn is_of_arrays(expr: &Expr) -> bool {
    matches!(expr.ty, Type::Array(_)) || operands(expr).into_iter().any(is_of_arrays)
}
