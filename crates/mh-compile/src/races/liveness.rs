//! Which variables may still be read after a statement.

use std::collections::HashMap;

use super::walk::{Set, reads, statements, targets};
use crate::ir::{Expr, Function, Label, LoopId, Statement, StatementKind, Var};
use crate::walk::expressions;

/// What is live after loops and conditionals.
#[derive(Default)]
pub struct Liveness {
    loops: HashMap<LoopId, Set>,
    /// By the statement's address.
    ifs: HashMap<*const Statement, Set>,
    /// After statements that assign.
    assigns: HashMap<*const Statement, Set>,
}

#[derive(Clone, Default)]
struct Jumps {
    on_break: Set,
    on_continue: Set,
    labels: HashMap<Label, Set>,
}

impl Liveness {
    pub fn of(function: &Function) -> Self {
        let mut this = Self::default();
        this.block(&function.body, Set::new(), &Jumps::default());
        this
    }

    pub fn after_loop(&self, id: LoopId) -> &Set {
        const NONE: &Set = &Set::new();
        self.loops.get(&id).unwrap_or(NONE)
    }

    pub fn after_if(&self, statement: &Statement) -> &Set {
        const NONE: &Set = &Set::new();
        self.ifs.get(&std::ptr::from_ref(statement)).unwrap_or(NONE)
    }

    /// Whether one of two variables is assigned while the other one's value is still needed.
    pub fn together(&self, body: &[Statement], a: Var, b: Var) -> bool {
        let mut met = false;
        statements(body, &mut |statement| {
            let live = self.assigns.get(&std::ptr::from_ref(statement));
            for target in targets(statement) {
                let other = if target == a { b } else { a };
                met |= (target == a || target == b) && live.is_none_or(|live| live.contains(&other));
            }
        });
        met
    }

    fn block(&mut self, block: &[Statement], mut live: Set, jumps: &Jumps) -> Set {
        for statement in block.iter().rev() {
            live = self.statement(statement, live, jumps);
        }
        live
    }

    fn statement(&mut self, statement: &Statement, mut live: Set, jumps: &Jumps) -> Set {
        if matches!(statement.kind, StatementKind::Assign { .. } | StatementKind::Call { .. }) {
            self.assigns.entry(std::ptr::from_ref(statement)).or_default().extend(live.iter().copied());
        }
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                live.remove(var);
                add(&mut live, value);
            }
            StatementKind::Store { array, .. } => {
                live.insert(*array);
                expressions(statement).into_iter().for_each(|expr| add(&mut live, expr));
            }
            StatementKind::If { condition, then, orelse } => {
                self.ifs.entry(std::ptr::from_ref(statement)).or_default().extend(live.iter().copied());
                let mut both = self.block(then, live.clone(), jumps);
                both.extend(self.block(orelse, live, jumps));
                live = both;
                add(&mut live, condition);
            }
            StatementKind::While { head, condition, body } => {
                let after = live;
                let mut again = Set::new();
                loop {
                    let mut tested: Set = after.union(&again).copied().collect();
                    add(&mut tested, condition);
                    let entry = self.block(head, tested, jumps);
                    let inner = Jumps {
                        on_break: after.clone(),
                        on_continue: entry.clone(),
                        labels: jumps.labels.clone(),
                    };
                    let next = self.block(body, entry.clone(), &inner);
                    if next.is_subset(&again) {
                        live = entry;
                        break;
                    }
                    again.extend(next);
                }
            }
            StatementKind::For(of) => {
                let after = live;
                self.loops.entry(of.id).or_default().extend(after.iter().copied());
                let mut again = Set::new();
                loop {
                    let end: Set = after.union(&again).copied().collect();
                    let inner = Jumps {
                        on_break: after.clone(),
                        on_continue: end.clone(),
                        labels: jumps.labels.clone(),
                    };
                    let mut next = self.block(&of.body, end, &inner);
                    next.remove(&of.var);
                    if next.is_subset(&again) {
                        break;
                    }
                    again.extend(next);
                }
                live = after.union(&again).copied().collect();
                expressions(statement).into_iter().for_each(|expr| add(&mut live, expr));
            }
            StatementKind::Break => live = jumps.on_break.clone(),
            StatementKind::Continue => live = jumps.on_continue.clone(),
            StatementKind::Leave(label) => live = jumps.labels.get(label).cloned().unwrap_or_default(),
            StatementKind::Labelled { label, body, .. } => {
                let mut jumps = jumps.clone();
                jumps.labels.insert(*label, live.clone());
                live = self.block(body, live, &jumps);
            }
            StatementKind::Return(_) | StatementKind::Raise { .. } => {
                live = Set::new();
                expressions(statement).into_iter().for_each(|expr| add(&mut live, expr));
            }
            StatementKind::Call { results, .. } => {
                results.iter().for_each(|var| {
                    live.remove(var);
                });
                expressions(statement).into_iter().for_each(|expr| add(&mut live, expr));
            }
            StatementKind::Print { .. } | StatementKind::Lockstep(_) => {
                expressions(statement).into_iter().for_each(|expr| add(&mut live, expr));
            }
        }
        live
    }
}

fn add(live: &mut Set, expr: &Expr) {
    reads(expr, &mut |var, _| {
        live.insert(var);
    });
}
