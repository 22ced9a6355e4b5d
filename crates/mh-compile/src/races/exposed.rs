//! Reads in a loop's body that an assignment in the same iteration does not always precede.

use std::collections::{BTreeMap, HashMap};

use super::walk::{Set, reads, targets};
use crate::ir::{Expr, ExprKind, For, Label, Span, Statement, StatementKind, Var};
use crate::walk::expressions;

/// The first such read of each variable. Variables that the body never assigns are among them.
pub fn exposed(of: &For) -> BTreeMap<Var, Span> {
    let mut walk = Walk::default();
    walk.block(&of.body, Some(Set::from([of.var])));
    walk.found
}

/// What is assigned for certain; `None`: not reached.
type State = Option<Set>;

#[derive(Default)]
struct Walk {
    found: BTreeMap<Var, Span>,
    /// Of the innermost loop.
    breaks: Vec<Set>,
    continues: Vec<Set>,
    leaves: HashMap<Label, Vec<Set>>,
}

impl Walk {
    fn block(&mut self, block: &[Statement], mut state: State) -> State {
        for statement in block {
            let assigned = state?;
            state = self.statement(statement, assigned);
        }
        state
    }

    fn read(&mut self, expr: &Expr, assigned: &Set) {
        reads(expr, &mut |var, span| {
            if !assigned.contains(&var) {
                self.found.entry(var).or_insert(span);
            }
        });
    }

    fn statement(&mut self, statement: &Statement, mut assigned: Set) -> State {
        if !matches!(statement.kind, StatementKind::While { .. }) {
            for expr in expressions(statement) {
                self.read(expr, &assigned);
            }
        }
        match &statement.kind {
            StatementKind::Assign { .. } | StatementKind::Call { .. } => {
                assigned.extend(targets(statement));
                Some(assigned)
            }
            StatementKind::Store { array, .. } => {
                if !assigned.contains(array) {
                    self.found.entry(*array).or_insert(statement.span);
                }
                Some(assigned)
            }
            StatementKind::Print { .. } | StatementKind::Lockstep(_) => Some(assigned),
            StatementKind::If { then, orelse, .. } => {
                let then = self.block(then, Some(assigned.clone()));
                let orelse = self.block(orelse, Some(assigned));
                meet(then.into_iter().chain(orelse))
            }
            StatementKind::While { head, condition, body } => {
                let outer = (std::mem::take(&mut self.breaks), std::mem::take(&mut self.continues));
                let tested = self.block(head, Some(assigned));
                if let Some(tested) = &tested {
                    self.read(condition, tested);
                    self.block(body, Some(tested.clone()));
                }
                let breaks = std::mem::replace(&mut self.breaks, outer.0);
                self.continues = outer.1;
                let endless = matches!(*condition.kind, ExprKind::Bool(true));
                meet(breaks.into_iter().chain(tested.filter(|_| !endless)))
            }
            StatementKind::For(of) => {
                let outer = (std::mem::take(&mut self.breaks), std::mem::take(&mut self.continues));
                let mut inner = assigned.clone();
                inner.insert(of.var);
                let end = self.block(&of.body, Some(inner));
                let breaks = std::mem::replace(&mut self.breaks, outer.0);
                let continues = std::mem::replace(&mut self.continues, outer.1);
                if runs(of) {
                    meet(breaks.into_iter().chain(continues).chain(end))
                } else {
                    meet(breaks.into_iter().chain([assigned]))
                }
            }
            StatementKind::Labelled { label, body, .. } => {
                let end = self.block(body, Some(assigned));
                let leaves = self.leaves.remove(label).unwrap_or_default();
                meet(leaves.into_iter().chain(end))
            }
            StatementKind::Break => {
                self.breaks.push(assigned);
                None
            }
            StatementKind::Continue => {
                self.continues.push(assigned);
                None
            }
            StatementKind::Leave(label) => {
                self.leaves.entry(*label).or_default().push(assigned);
                None
            }
            StatementKind::Return(_) | StatementKind::Raise { .. } => None,
        }
    }
}

fn meet(states: impl IntoIterator<Item = Set>) -> State {
    states.into_iter().reduce(|a, b| a.intersection(&b).copied().collect())
}

/// Whether the loop is known to run at least once.
fn runs(of: &For) -> bool {
    match (&*of.start.kind, &*of.stop.kind, &*of.step.kind) {
        (ExprKind::Int(start), ExprKind::Int(stop), ExprKind::Int(step)) => {
            if *step > 0 {
                start < stop
            } else {
                start > stop
            }
        }
        _ => false,
    }
}
