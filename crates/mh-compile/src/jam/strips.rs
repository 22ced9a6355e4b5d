//! Stage 6, strips: a parallel loop around a sum in order is cut into strips, whose iterations run side by side.
//!
//! Blocks of a parallel loop have iterations of the source in their order; here they have strips of four of these, in their order, and what is left
//! at the end runs one by one. The same for a serial loop that is run again where a flag is up (`Fast::attempt`).
//!
//! What makes it sound, beside what holds for serial loops: within a strip the tails come in the order of the iterations, so what they write,
//! draw, raise and leave in variables comes in the order of the source. Only what stands before the tails is moved: before the tails of earlier
//! iterations of the same strip. That it reads nothing that those write is what `races` has shown of any two iterations, where the conditions of the
//! plan hold (they are asked again here: where they do not, the loop runs as one block, in order, and so without strips). Where
//! nobody has shown it (`unchecked=True`, serial loops) the arrays are shown apart when the loop is entered. In an attempt flags
//! are looked at behind the block, and the checked twin has no strips side by side: it finds the first failure.

use super::{COPIES, Jammer, Nest, WIDE};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, For, Plan, Span, Statement, StatementKind, Type, Var,
};
use crate::races::walk::statements;
use crate::walk::{expressions, operands};

/// Iterations of a parallel loop that is worth it: with fewer, strips would leave threads of large machines without work.
const FEWEST: i128 = 32 * COPIES;

impl Jammer<'_> {
    /// Cuts a loop into strips. Gives what comes before it.
    pub(super) fn strips(&mut self, each: &mut For) -> Option<Block> {
        let kept = self.variables.len();
        let made = self.in_strips(each);
        if made.is_none() {
            self.variables.truncate(kept);
        }
        made
    }

    fn in_strips(&mut self, each: &mut For) -> Option<Block> {
        let plan = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref());
        let attempt = each.fast.as_ref().is_some_and(|fast| fast.attempt);
        if *each.step.kind != ExprKind::Int(1)
            || !plan.map_or(attempt, is_plain)
            || each.parallel.is_some() && draws(&each.body)
        {
            return None;
        }
        let body = match &each.fast {
            None => &each.body,
            Some(fast) if fast.before.is_empty() && fast.after.is_empty() => &fast.body,
            Some(_) => return None,
        };
        let nest = Nest::of(each.var, body, self.variables)?;
        let shown = plan.filter(|_| !each.parallel.as_ref().is_some_and(|parallel| parallel.unchecked));
        let (apart, conditions) = match shown {
            Some(plan) => (plan.distinct.clone(), plan.conditions.clone()),
            None => (nest.apart()?, Vec::new()),
        };

        let old = self.variables.len();
        let span = each.start.span;
        let [low, high, step, turn, end] = [(); 5].map(|()| self.variable(Type::INT));
        let wide = self.variable(Type::BOOL);
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);
        let whether = |condition: Expr, then: Expr, orelse: Expr| {
            Expr::new(ExprKind::If { condition, then, orelse }, Type::INT, span)
        };
        let strips = || Expr::new(ExprKind::Var(wide), Type::BOOL, span);

        let long = |var: Var| Expr::new(ExprKind::Cast { value: int(var), check: Check::None }, WIDE, span);
        let limit = |value: i128| Expr::new(ExprKind::Int(value), WIDE, span);
        let count = binary(Binary::Subtract, long(high), long(low));
        let fewest = if plan.is_some() { FEWEST } else { COPIES };
        let all = Expr::both(
            Expr::compare(Compare::GreaterEqual, count.clone(), limit(fewest)),
            Expr::compare(Compare::LessEqual, count, limit(1 << 62)),
        );
        let disjoint = |(left, right)| Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span);
        let all = apart.into_iter().map(disjoint).chain(conditions).fold(all, Expr::both);
        let first = vec![
            Statement::assign(low, each.start.clone(), span),
            Statement::assign(high, each.stop.clone(), span),
            Statement::assign(wide, all, span),
            Statement::assign(step, whether(strips(), number(COPIES), number(1)), span),
        ];

        let left = binary(Binary::Min, binary(Binary::Subtract, int(high), int(turn)), number(COPIES));
        let [one, some] = [number(1), left].map(|far| binary(Binary::Add, int(turn), far));
        let last = Statement::assign(end, whether(strips(), some, one), span);
        let (id, var) = (each.id, each.var);
        let rows = |body: Block| {
            let step = number(1);
            let rows =
                For { id, var, start: int(turn), stop: int(end), step, body, parallel: None, fast: None };
            Statement { kind: StatementKind::For(Box::new(rows)), span }
        };
        let full = binary(Binary::Subtract, int(end), int(turn));
        let quick = StatementKind::If {
            condition: Expr::compare(Compare::Equal, full, number(COPIES)),
            then: self.copies(var, turn, &nest, span),
            orelse: vec![rows(body.clone())],
        };
        let quick = vec![last.clone(), Statement { kind: quick, span }];
        match &mut each.fast {
            None => each.body = quick,
            Some(fast) => {
                fast.body = quick;
                let body = std::mem::take(&mut each.body);
                each.body = vec![last, rows(body)];
            }
        }
        let outside = [low, high, step, turn, wide];
        let new = (old..self.variables.len()).filter_map(|number| u32::try_from(number).ok()).map(Var);
        if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
            plan.private.extend(new.filter(|var| !outside.contains(var)));
            plan.last.push(var);
        }
        each.var = turn;
        each.start = int(low);
        each.stop = int(high);
        each.step = int(step);
        Some(first)
    }
}

/// Nothing is put together from blocks but the last iteration's values.
fn is_plain(plan: &Plan) -> bool {
    plan.reductions.is_empty() && plan.accumulated.is_empty() && plan.overwritten.is_empty() && !plan.leaves
}

/// Whether something in a block draws random numbers: each iteration has a stream of its own.
pub(super) fn draws(block: &[Statement]) -> bool {
    fn of(expr: &Expr) -> bool {
        matches!(*expr.kind, ExprKind::Random { .. }) || operands(expr).into_iter().any(of)
    }
    let mut found = false;
    statements(block, &mut |statement| found |= expressions(statement).into_iter().any(of));
    found
}

fn binary(op: Binary, left: Expr, right: Expr) -> Expr {
    let (ty, span): (Type, Span) = (left.ty, left.span);
    Expr::new(ExprKind::Binary { op, left, right, check: Check::None }, ty, span)
}
