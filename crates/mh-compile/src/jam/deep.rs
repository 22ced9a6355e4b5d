//! Stage 6, strips of loops within loops: the sum in order may stand in any depth, beside choices (the nearest centre of each point).
//!
//! Only for parallel loops whose iterations `races` has shown to be independent: nothing goes from one to the next in variables, and in arrays
//! none reads or writes what another writes. So statements of different iterations may come in any order, where those of each keep theirs,
//! what may fail or draw stays in the order of the iterations (the tail), and a variable that is read behind the loop gets the last value.

use std::collections::BTreeSet;

use super::strips::{draws, is_plain};
use super::{COPIES, Jammer, LONGEST, Nest, adds_up, is_for, may_leave, read, usual};
use crate::emit::split::is_split;
use crate::ir::{Binary, Block, Expr, ExprKind, For, Math, Plan, Statement, StatementKind, Var, Variable};
use crate::races::walk::{assigned, statements};
use crate::walk::{expressions, operands};

/// Iterations at a time of a body so light that vectors of them stay in registers.
const MANY: i128 = 2 * COPIES;
/// Sums of such a body.
const FEW: usize = 2;

impl Jammer<'_> {
    /// Cuts a parallel loop into strips. Gives what comes before it.
    pub(super) fn deep(&mut self, each: &mut For) -> Option<Block> {
        let parallel = each.parallel.as_ref().filter(|parallel| !parallel.unchecked)?;
        let plan = parallel.plan.as_ref().filter(|plan| is_plain(plan))?;
        if *each.step.kind != ExprKind::Int(1) || draws(&each.body) {
            return None;
        }
        let body = match &each.fast {
            None => &each.body,
            Some(fast) if fast.before.is_empty() && fast.after.is_empty() => &fast.body,
            Some(_) => return None,
        };
        let body = body.clone();
        let (nest, count) = nest(each.var, &body, plan, self.variables)?;
        let demands = (plan.distinct.clone(), plan.conditions.clone());
        Some(self.cut(each, &body, &nest, count, demands))
    }
}

/// The body as it is jammed, and how many of it.
fn nest<'a>(
    outer: Var,
    body: &'a [Statement],
    plan: &Plan,
    variables: &[Variable],
) -> Option<(Nest<'a>, i128)> {
    let (early, after) = body.split_at(body.iter().rposition(is_for)? + 1);
    if !after.iter().all(super::is_plain) {
        return None;
    }
    let mut seen = Seen { variables, ..Seen::default() };
    seen.block(early, 0)?;
    let late = assigned(after);
    let own: BTreeSet<Var> = seen.always.union(&seen.perhaps).copied().collect();
    let counters_alone = seen.counters.iter().all(|var| !own.contains(var) && !late.contains(var));
    if !counters_alone || [&own, &late, &seen.counters].iter().any(|all| all.contains(&outer)) {
        return None;
    }
    // Behind the loop: what every iteration gives a value to, or all or none of them.
    let begun = top(early);
    let left = |var: &Var| begun.contains(var) || !seen.perhaps.contains(var) && !late.contains(var);
    if !plan.last.iter().filter(|var| own.contains(var)).all(left) {
        return None;
    }
    let varying = varying(outer, early);
    let even = seen.bounds.iter().all(|bound| !varies(bound, &varying));
    let light = !seen.dear && seen.sums <= FEW;
    let fits = seen.sums > 0 && seen.statements <= LONGEST && even;
    fits.then_some((Nest { early, after, own }, if light { MANY } else { COPIES }))
}

/// What is in the part that is jammed.
#[derive(Default)]
struct Seen<'a> {
    variables: &'a [Variable],
    /// Variables that are assigned wherever the loops around have an iteration; only where an `if` says so.
    always: BTreeSet<Var>,
    perhaps: BTreeSet<Var>,
    /// Of the inner loops.
    counters: BTreeSet<Var>,
    bounds: Vec<&'a Expr>,
    statements: usize,
    /// In inner loops, wherever these have an iteration, or mostly.
    sums: usize,
    /// Roots or divisions.
    dear: bool,
}

impl<'a> Seen<'a> {
    fn block(&mut self, block: &'a [Statement], depth: usize) -> Option<()> {
        block.iter().try_for_each(|statement| self.statement(statement, depth))
    }

    fn statement(&mut self, statement: &'a Statement, depth: usize) -> Option<()> {
        self.statements += 1;
        if expressions(statement).into_iter().any(may_leave) {
            return None;
        }
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                value.ty.scalar()?;
                self.always.insert(*var);
                self.dear |= is_dear(value);
                self.sums += usize::from(depth > 0 && adds_up(statement));
            }
            StatementKind::If { then, orelse, .. } => {
                for block in [then, orelse] {
                    self.choice(block)?;
                }
                if depth > 0 && usual(statement).is_some() {
                    self.sums += then.iter().filter(|inner| adds_up(inner)).count();
                }
            }
            StatementKind::For(inner) => {
                // What is dear is made vectors of along the inner loop, where that is possible.
                if inner.parallel.is_some()
                    || inner.fast.is_some()
                    || is_split(inner.var, &inner.body, self.variables)
                {
                    return None;
                }
                self.statements -= 1;
                self.counters.insert(inner.var);
                self.bounds.extend([&inner.start, &inner.stop, &inner.step]);
                self.block(&inner.body, depth + 1)?;
            }
            _ => return None,
        }
        Some(())
    }

    fn choice(&mut self, block: &'a [Statement]) -> Option<()> {
        for statement in block {
            self.statements += 1;
            if expressions(statement).into_iter().any(may_leave) {
                return None;
            }
            match &statement.kind {
                StatementKind::Assign { var, value } => {
                    value.ty.scalar()?;
                    self.perhaps.insert(*var);
                    self.dear |= is_dear(value);
                }
                StatementKind::If { then, orelse, .. } => {
                    self.choice(then)?;
                    self.choice(orelse)?;
                }
                _ => return None,
            }
        }
        Some(())
    }
}

/// What a block itself assigns, whatever the loops in it do.
fn top(block: &[Statement]) -> BTreeSet<Var> {
    block
        .iter()
        .filter_map(|statement| match statement.kind {
            StatementKind::Assign { var, .. } => Some(var),
            _ => None,
        })
        .collect()
}

/// What may have other values in other iterations.
fn varying(outer: Var, block: &[Statement]) -> BTreeSet<Var> {
    let mut all = BTreeSet::from([outer]);
    statements(block, &mut |statement| {
        if let StatementKind::If { then, orelse, .. } = &statement.kind {
            all.extend(assigned(then).union(&assigned(orelse)));
        }
    });
    loop {
        let known = all.len();
        statements(block, &mut |statement| {
            if let StatementKind::Assign { var, value } = &statement.kind
                && varies(value, &all)
            {
                all.insert(*var);
            }
        });
        if all.len() == known {
            return all;
        }
    }
}

fn varies(expr: &Expr, varying: &BTreeSet<Var>) -> bool {
    super::loads(expr) || read(expr).iter().any(|var| varying.contains(var))
}

fn is_dear(expr: &Expr) -> bool {
    let own = match &*expr.kind {
        ExprKind::Math { function, .. } => *function == Math::Sqrt,
        ExprKind::Binary { op, .. } => *op == Binary::Divide,
        _ => false,
    };
    own || operands(expr).into_iter().any(is_dear)
}
