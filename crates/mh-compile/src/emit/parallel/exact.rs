//! Sums of Python ints, kept exact in 128 bits.

use crate::emit::function::{FunctionEmitter, Operand};
use crate::emit::walk::blocks;
use crate::ir::{Binary, Check, Expr, ExprKind, Kind, Statement, StatementKind, Var};
use crate::walk::operands;

impl FunctionEmitter<'_, '_> {
    /// `v = value` where `v` is an exact sum: in 128 bits.
    pub(in crate::emit) fn assign_wide(&mut self, var: Var, address: &str, value: &Expr) {
        let value = self.wide_value(var, address, value);
        self.store(Kind::I128, &Operand::One(value), address);
    }

    pub(super) fn wide_value(&mut self, var: Var, address: &str, expr: &Expr) -> String {
        match &*expr.kind {
            ExprKind::Var(own) if *own == var => self.load(Kind::I128, address).one().to_string(),
            ExprKind::Binary { op: op @ (Binary::Add | Binary::Subtract), left, right, .. }
                if mentions(expr, var) =>
            {
                let left = self.wide_value(var, address, left);
                let right = self.wide_value(var, address, right);
                let op = if *op == Binary::Add { "add" } else { "sub" };
                self.value(&format!("{op} i128 {left}, {right}"))
            }
            ExprKind::If { condition, then, orelse } if mentions(expr, var) => {
                let condition = self.expression(condition);
                let [yes, no, end] = ["then", "else", "end"].map(|name| self.label(name));
                let result = self.alloca_scalar(Kind::I128);
                self.branch(condition.one(), &yes, &no);
                for (label, side) in [(&yes, then), (&no, orelse)] {
                    self.begin(label);
                    let value = self.wide_value(var, address, side);
                    self.store(Kind::I128, &Operand::One(value), &result);
                    self.jump(&end);
                }
                self.begin(&end);
                self.load(Kind::I128, &result).one().to_string()
            }
            _ => {
                let value = self.expression(expr);
                self.value(&format!("sext i64 {} to i128", value.one()))
            }
        }
    }
}

pub(super) fn mentions(expr: &Expr, var: Var) -> bool {
    *expr.kind == ExprKind::Var(var) || operands(expr).into_iter().any(|part| mentions(part, var))
}

/// All assignments to an exact sum have a form that `wide_value` knows.
pub(super) fn sums_of(var: Var, block: &[Statement]) -> bool {
    fn form(expr: &Expr, var: Var) -> bool {
        match &*expr.kind {
            ExprKind::Var(_) => true,
            ExprKind::Binary { op: Binary::Add | Binary::Subtract, left, right, .. } => {
                [left, right].into_iter().all(|side| !mentions(side, var) || form(side, var))
            }
            ExprKind::If { condition, then, orelse } => {
                !mentions(condition, var)
                    && [then, orelse].into_iter().all(|side| !mentions(side, var) || form(side, var))
            }
            _ => false,
        }
    }
    block.iter().all(|statement| {
        let own = match &statement.kind {
            StatementKind::Assign { var: target, value } if *target == var => {
                mentions(value, var) && form(value, var)
            }
            StatementKind::Call { results, .. } => !results.contains(&var),
            _ => true,
        };
        own && blocks(statement).into_iter().all(|inner| sums_of(var, inner))
    })
}

/// No update of an exact sum needs a check.
pub(super) fn proved(var: Var, block: &[Statement]) -> bool {
    fn free(expr: &Expr, var: Var) -> bool {
        let own = match &*expr.kind {
            ExprKind::Binary { check, .. } => *check == Check::None || !mentions(expr, var),
            _ => true,
        };
        own && operands(expr).into_iter().all(|part| free(part, var))
    }
    block.iter().all(|statement| {
        let own = match &statement.kind {
            StatementKind::Assign { var: target, value } if *target == var => free(value, var),
            _ => true,
        };
        own && blocks(statement).into_iter().all(|inner| proved(var, inner))
    })
}
