//! Stage 6, strips: a loop around a sum in order is cut into strips, whose iterations run side by side.
//!
//! Blocks of a parallel loop have iterations of the source in their order; here they have strips of these, in their order, and what is left
//! at the end runs one by one; so does all where there are few iterations, or arrays share memory. The same for a serial loop that is
//! run again where a flag is up (`Fast::attempt`).
//!
//! What makes it sound, beside what holds for serial loops (see `jam`): within a strip the tails come in the order of the iterations, so what they
//! write, raise and leave in variables comes in the order of the source. Only what stands before the tails is moved: before the tails of earlier
//! iterations of the same strip. That it reads nothing that those write `races` has shown of any two iterations (`deep`), where the conditions of
//! the plan hold: they are asked again here, as the loop runs as one block, in order, where they do not. Where
//! nobody has shown it (`unchecked=True`, serial loops) the arrays are shown apart when the loop is entered. In an attempt flags
//! are looked at behind the block, and the checked twin has nothing side by side: it finds the first failure.

use super::{COPIES, Jammer, Nest, WIDE};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, For, Plan, Span, Statement, StatementKind, Type, Var,
};
use crate::races::walk::statements;
use crate::walk::{expressions, operands};

/// Strips of a parallel loop that is worth it: with fewer, threads of large machines would be without work.
const FEWEST: i128 = 32;

/// Pairs of arrays that share no memory, and what else must hold.
type Demands = (Vec<(Var, Var)>, Vec<Expr>);

impl Jammer<'_> {
    /// Cuts a loop into strips that nobody has shown to have independent iterations. Gives what comes before it.
    pub(super) fn strips(&mut self, each: &mut For) -> Option<Block> {
        let plan = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref());
        let attempt = each.fast.as_ref().is_some_and(|fast| fast.attempt);
        let unchecked = each.parallel.as_ref().is_none_or(|parallel| parallel.unchecked);
        if *each.step.kind != ExprKind::Int(1)
            || !plan.map_or(attempt, |plan| unchecked && is_plain(plan))
            || each.parallel.is_some() && draws(&each.body)
        {
            return None;
        }
        let body = match &each.fast {
            None => &each.body,
            Some(fast) if fast.before.is_empty() && fast.after.is_empty() => &fast.body,
            Some(_) => return None,
        };
        let body = body.clone();
        let nest = Nest::of(each.var, &body, self.variables)?;
        let apart = nest.apart()?;
        Some(self.cut(each, &body, &nest, COPIES, (apart, Vec::new())))
    }

    /// Cuts a loop into strips of so many iterations.
    pub(super) fn cut(
        &mut self,
        each: &mut For,
        body: &[Statement],
        nest: &Nest,
        copies: i128,
        demands: Demands,
    ) -> Block {
        let old = self.variables.len();
        let span = each.start.span;
        let [low, high, turn, end] = [(); 4].map(|()| self.variable(Type::INT));
        let wide = self.variable(Type::BOOL);
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);
        let whether = |then: Expr, orelse: Expr| {
            let condition = Expr::new(ExprKind::Var(wide), Type::BOOL, span);
            Expr::new(ExprKind::If { condition, then, orelse }, Type::INT, span)
        };

        let long = |var: Var| Expr::new(ExprKind::Cast { value: int(var), check: Check::None }, WIDE, span);
        let limit = |value: i128| Expr::new(ExprKind::Int(value), WIDE, span);
        let count = binary(Binary::Subtract, long(high), long(low));
        let planned = each.parallel.as_ref().is_some_and(|parallel| parallel.plan.is_some());
        let fewest = if planned { FEWEST * copies } else { copies };
        let all = Expr::both(
            Expr::compare(Compare::GreaterEqual, count.clone(), limit(fewest)),
            Expr::compare(Compare::LessEqual, count, limit(1 << 62)),
        );
        let disjoint = |(left, right)| Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span);
        let (apart, conditions) = demands;
        let all = apart.into_iter().map(disjoint).chain(conditions).fold(all, Expr::both);
        let first = vec![
            Statement::assign(low, each.start.clone(), span),
            Statement::assign(high, each.stop.clone(), span),
            Statement::assign(wide, all, span),
        ];

        let left = binary(Binary::Min, binary(Binary::Subtract, int(high), int(turn)), number(copies));
        let [one, some] = [number(1), left].map(|far| binary(Binary::Add, int(turn), far));
        let last = Statement::assign(end, whether(some, one), span);
        let (id, var) = (each.id, each.var);
        let rows = |body: Block| {
            let step = number(1);
            let rows =
                For { id, var, start: int(turn), stop: int(end), step, body, parallel: None, fast: None };
            Statement { kind: StatementKind::For(Box::new(rows)), span }
        };
        let full = binary(Binary::Subtract, int(end), int(turn));
        let then = self.copies(var, turn, nest, copies, span);
        // One by one, its own loops may still be taken together.
        let mut rest = body.to_vec();
        self.block(&mut rest);
        let quick = StatementKind::If {
            condition: Expr::compare(Compare::Equal, full, number(copies)),
            then,
            orelse: vec![rows(rest)],
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
        let outside = [low, high, turn, wide];
        let new = (old..self.variables.len()).filter_map(|number| u32::try_from(number).ok()).map(Var);
        if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
            plan.private.extend(new.filter(|var| !outside.contains(var)));
            plan.last.push(var);
        }
        each.var = turn;
        each.start = int(low);
        each.stop = int(high);
        each.step = whether(number(copies), number(1));
        first
    }
}

/// Nothing is put together from blocks but the last iteration's values.
pub(super) fn is_plain(plan: &Plan) -> bool {
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
