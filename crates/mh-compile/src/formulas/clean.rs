//! Whether the arrays that a formula reads are the same when it is read as where it was defined.

use std::collections::BTreeSet;

use super::uses::{assigns, each_statement};
use super::{Derived, Formula, Stage, each_expr};
use crate::ir::{Expr, ExprKind, Statement, StatementKind, Type, Var};
use crate::races::walk::named;
use crate::walk::expressions;

struct Walk<'a> {
    stage: &'a Stage<'a>,
    derived: &'a Derived,
    reads: &'a BTreeSet<Var>,
    /// Something that is read may have been written.
    written: bool,
    /// Stored into only where it shares no memory with what is read.
    apart: BTreeSet<Var>,
}

impl Stage<'_> {
    pub(super) fn stays(&self, rest: &[Statement], formula: &Formula, derived: &Derived) -> bool {
        let mut arrays = BTreeSet::new();
        let values = formula.kept.iter().map(|(_, value)| value).chain([&formula.value]);
        for value in values {
            each_expr(value, &mut |expr| {
                let of = named(expr).into_iter();
                arrays.extend(of.filter(|var| {
                    matches!(self.variables.get(var.0 as usize).map(|one| one.ty), Some(Type::Array(_)))
                }));
            });
        }
        let mut fine = true;
        each_statement(rest, &mut |statement| {
            fine &= !assigns(statement).iter().any(|var| arrays.contains(var));
        });
        let reads = formula.reads();
        if !fine || reads.is_empty() {
            return fine;
        }
        let mut walk = Walk { stage: self, derived, reads: &reads, written: false, apart: BTreeSet::new() };
        walk.block(rest)
    }
}

impl Walk<'_> {
    /// False where an element is read after it may have been written.
    fn block(&mut self, block: &[Statement]) -> bool {
        block.iter().all(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> bool {
        if self.written && expressions(statement).into_iter().any(|expr| self.loads(expr)) {
            return false;
        }
        match &statement.kind {
            StatementKind::Store { array, .. } => {
                let meets = self.reads.iter().any(|read| self.stage.census.meet(*read, *array));
                self.written |= meets && !self.apart.contains(array);
                true
            }
            StatementKind::Call { .. } => {
                self.written = true;
                true
            }
            StatementKind::Assign { var, value } => {
                if let ExprKind::View { array, .. } | ExprKind::Var(array) = &*value.kind
                    && self.apart.contains(array)
                {
                    self.apart.insert(*var);
                }
                true
            }
            StatementKind::If { condition, then, orelse } => {
                let (before, around) = (self.written, self.apart.clone());
                self.told_apart(condition);
                let first = self.block(then);
                let written = std::mem::replace(&mut self.written, before);
                self.apart.clone_from(&around);
                let second = self.block(orelse);
                self.apart = around;
                self.written |= written;
                first && second
            }
            // Twice: what a turn writes the next one may read.
            StatementKind::While { head, body, .. } => {
                let turn = |this: &mut Self| this.block(head) && this.block(body);
                let fine = turn(self) && turn(self);
                fine && !(self.written && expressions(statement).into_iter().any(|expr| self.loads(expr)))
            }
            StatementKind::For(each) => self.block(&each.body) && self.block(&each.body),
            StatementKind::Labelled { body, .. } => self.block(body),
            _ => true,
        }
    }

    fn loads(&self, expr: &Expr) -> bool {
        let mut found = false;
        each_expr(expr, &mut |expr| {
            found |= matches!(&*expr.kind, ExprKind::Load { array, .. } if self.derived.contains_key(array));
        });
        found
    }

    /// Arrays that share no memory with the formula's where all of the condition holds.
    fn told_apart(&mut self, condition: &Expr) {
        match &*condition.kind {
            ExprKind::If { condition, then, orelse } if matches!(*orelse.kind, ExprKind::Bool(false)) => {
                self.told_apart(condition);
                self.told_apart(then);
            }
            ExprKind::Disjoint { left, right } if self.derived.contains_key(right) => {
                self.apart.insert(*left);
            }
            ExprKind::Disjoint { left, right } if self.derived.contains_key(left) => {
                self.apart.insert(*right);
            }
            _ => {}
        }
    }
}
