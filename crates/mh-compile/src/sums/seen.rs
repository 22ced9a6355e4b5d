//! What an innermost loop does with variables and memory.

use std::collections::{BTreeMap, BTreeSet};

use super::is_invariant;
use crate::ir::{
    Binary, Block, Check, Expr, ExprKind, Fill, Flavour, Label, Statement, StatementKind, Type, Var, Variable,
};
use crate::walk::{blocks_mut, expressions, operands};

#[derive(Default)]
pub(super) struct Seen {
    assigned: BTreeSet<Var>,
    /// How often a variable is read.
    read: BTreeMap<Var, usize>,
    /// How often an array's elements are read or written.
    touched: BTreeMap<Var, usize>,
    /// Arrays get other memory in the loop.
    renamed: bool,
    /// An iteration may end otherwise than at its end.
    leaves: bool,
    labels: Vec<Label>,
}

impl Seen {
    /// `None` where it is not an innermost loop, or is left for a place behind what follows it.
    pub fn of(var: Var, body: &[Statement]) -> Option<Self> {
        let mut seen = Self { assigned: BTreeSet::from([var]), ..Self::default() };
        seen.block(body)?;
        Some(seen)
    }

    fn block(&mut self, block: &[Statement]) -> Option<()> {
        block.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Option<()> {
        expressions(statement).into_iter().for_each(|expr| self.expr(expr));
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                self.assigned.insert(*var);
                self.renamed |= matches!(value.ty, Type::Array(_));
            }
            StatementKind::Store { array, check, .. } => {
                *self.touched.entry(*array).or_default() += 1;
                self.leaves |= matches!(check, Check::Branch | Check::Flag);
            }
            StatementKind::If { then, orelse, .. } => {
                self.block(then)?;
                self.block(orelse)?;
            }
            StatementKind::Labelled { label, body, .. } => {
                self.labels.push(*label);
                self.block(body)?;
                self.labels.pop();
            }
            StatementKind::Leave(label) => {
                self.leaves = true;
                self.labels.contains(label).then_some(())?;
            }
            StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Return(_)
            | StatementKind::Raise { .. } => self.leaves = true,
            StatementKind::Print { .. } | StatementKind::Lockstep(_) => {}
            StatementKind::For(_) | StatementKind::While { .. } | StatementKind::Call { .. } => return None,
        }
        Some(())
    }

    fn expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Var(var) => *self.read.entry(*var).or_default() += 1,
            ExprKind::Load { array, check, .. } => {
                *self.touched.entry(*array).or_default() += 1;
                self.leaves |= matches!(check, Check::Branch | Check::Flag);
            }
            ExprKind::Unary { check, .. }
            | ExprKind::Binary { check, .. }
            | ExprKind::Cast { check, .. }
            | ExprKind::Math { check, .. }
            | ExprKind::Random { check, .. }
            | ExprKind::New { check, .. }
            | ExprKind::View { check, .. } => self.leaves |= matches!(check, Check::Branch | Check::Flag),
            _ => {}
        }
        if let ExprKind::New { fill: Fill::Product(left, right), .. } = &*expr.kind {
            for array in [left, right] {
                *self.touched.entry(*array).or_default() += 1;
            }
        }
        operands(expr).into_iter().for_each(|part| self.expr(part));
    }

    /// The array, where a statement updates one and the same element of it in every iteration, and nothing else touches it by this name.
    pub fn hoistable(&self, statement: &Statement, variables: &[Variable]) -> Option<Var> {
        let StatementKind::Store { array, indices, value, update: Some(_), check } = &statement.kind else {
            return None;
        };
        let element = variables.get(array.0 as usize)?.ty.array()?.element;
        let alone = !self.leaves && !self.renamed && self.touched.get(array) == Some(&1);
        // Elements wrap.
        let work = value.ty.scalar()?;
        let wraps = element.is_integer() && work.flavour == Flavour::NumPy;
        let same = work.kind == element && (element.is_float() || wraps);
        let fits = matches!(check, Check::None | Check::Wrap);
        let fixed = indices.iter().all(|index| is_invariant(index, &self.assigned));
        (alone && same && fits && fixed).then_some(*array)
    }

    /// The other arrays that are read or written.
    pub fn others(&self, array: Var) -> impl Iterator<Item = Var> {
        self.touched.keys().copied().filter(move |other| *other != array)
    }

    /// Floats that are only ever added to.
    pub fn sums(&self, body: &Block, variables: &[Variable]) -> BTreeSet<Var> {
        let float = |var: &Var| {
            let ty = variables.get(var.0 as usize).map(|variable| variable.ty);
            ty.and_then(Type::scalar).is_some_and(|scalar| scalar.kind.is_float())
        };
        let only = |var: &Var| {
            let updates = updates(body, *var);
            updates > 0 && self.read.get(var).copied() == usize::try_from(updates).ok()
        };
        let assigned = self.assigned.iter().copied();
        assigned
            .filter(|var| float(var) && only(var) && assignments(body, *var) == updates(body, *var))
            .collect()
    }
}

/// `var = var + value` or `var - value`.
fn update(statement: &Statement, var: Var) -> Option<(Binary, &Expr)> {
    let StatementKind::Assign { var: target, value } = &statement.kind else { return None };
    let ExprKind::Binary { op: op @ (Binary::Add | Binary::Subtract), left, right, check: Check::None } =
        &*value.kind
    else {
        return None;
    };
    (*target == var && *left.kind == ExprKind::Var(var)).then_some((*op, right))
}

fn inner(statement: &Statement) -> Vec<&Block> {
    match &statement.kind {
        StatementKind::If { then, orelse, .. } => vec![then, orelse],
        StatementKind::Labelled { body, .. } => vec![body],
        _ => Vec::new(),
    }
}

pub(super) fn each_update<'a>(body: &'a Block, var: Var, see: &mut impl FnMut(Binary, &'a Expr)) {
    for statement in body {
        if let Some((op, value)) = update(statement, var) {
            see(op, value);
        }
        for block in inner(statement) {
            each_update(block, var, see);
        }
    }
}

pub(super) fn each_update_mut(body: &mut Block, var: Var, change: &mut impl FnMut(&mut Statement)) {
    for statement in body {
        if update(statement, var).is_some() {
            change(statement);
        }
        for block in blocks_mut(statement) {
            each_update_mut(block, var, change);
        }
    }
}

pub(super) fn updates(body: &Block, var: Var) -> i128 {
    let mut number = 0;
    each_update(body, var, &mut |_, _| number += 1);
    number
}

fn assignments(body: &Block, var: Var) -> i128 {
    let own = |statement: &Statement| matches!(statement.kind, StatementKind::Assign { var: target, .. } if target == var);
    body.iter()
        .map(|statement| {
            i128::from(own(statement))
                + inner(statement).into_iter().map(|block| assignments(block, var)).sum::<i128>()
        })
        .sum()
}
