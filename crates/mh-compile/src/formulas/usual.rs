//! Conditions that do not change while a loop runs are asked before it.

use std::collections::{BTreeMap, BTreeSet};

use super::each_expr;
use super::uses::each_statement;
use crate::ir::{Block, Check, Expr, ExprKind, For, LoopId, Statement, StatementKind, Type, Unary, Var};
use crate::walk::{blocks_mut, expressions, expressions_mut, operands, operands_mut};

/// Loops of whole arrays whose elements choose by `conditions` get a version for what is usual, beside the one that chooses, which
/// seldom runs and needs no blocks.
pub(super) fn usual(block: &mut Block, conditions: &BTreeSet<Var>, id: &mut dyn FnMut() -> LoopId) {
    for statement in block {
        let StatementKind::For(each) = &statement.kind else {
            for inner in blocks_mut(statement) {
                usual(inner, conditions, id);
            }
            continue;
        };
        if !each.parallel.as_ref().is_some_and(|parallel| parallel.implicit) {
            for inner in blocks_mut(statement) {
                usual(inner, conditions, id);
            }
            continue;
        }
        let sides = sides(each, conditions);
        if sides.is_empty() {
            continue;
        }
        let (span, mut quick) = (statement.span, each.clone());
        decide_all(&mut quick.body, &sides);
        let mut seldom = each.clone();
        if let (Some((var, side)), 1) = (sides.first_key_value(), sides.len()) {
            decide_all(&mut seldom.body, &BTreeMap::from([(*var, !side)]));
        }
        let mut seldom = Statement { kind: StatementKind::For(seldom), span };
        serial(&mut seldom, id);
        let condition = sides
            .iter()
            .map(|(var, side)| {
                let ask = Expr::new(ExprKind::Var(*var), Type::BOOL, span);
                if *side {
                    return ask;
                }
                let not = ExprKind::Unary { op: Unary::Not, operand: ask, check: Check::None };
                Expr::new(not, Type::BOOL, span)
            })
            .reduce(Expr::both);
        let Some(condition) = condition else { continue };
        let then = vec![Statement { kind: StatementKind::For(quick), span }];
        statement.kind = StatementKind::If { condition, then, orelse: vec![seldom] };
    }
}

/// Which side of each condition is usual: the one that is less to compute. Conditions of the other sides are not asked then.
fn sides(each: &For, conditions: &BTreeSet<Var>) -> BTreeMap<Var, bool> {
    let mut sides = BTreeMap::new();
    each_statement(&each.body, &mut |statement| {
        for expr in expressions(statement) {
            choose(expr, conditions, &mut sides);
        }
    });
    sides
}

fn choose(expr: &Expr, conditions: &BTreeSet<Var>, sides: &mut BTreeMap<Var, bool>) {
    if let ExprKind::If { condition, then, orelse } = &*expr.kind
        && let ExprKind::Var(var) = *condition.kind
        && conditions.contains(&var)
        && condition.ty == Type::BOOL
    {
        let side = *sides.entry(var).or_insert_with(|| nodes(then) <= nodes(orelse));
        return choose(if side { then } else { orelse }, conditions, sides);
    }
    for operand in operands(expr) {
        choose(operand, conditions, sides);
    }
}

fn nodes(expr: &Expr) -> usize {
    let mut count = 0;
    each_expr(expr, &mut |_| count += 1);
    count
}

fn decide(expr: &mut Expr, sides: &BTreeMap<Var, bool>) {
    while let ExprKind::If { condition, then, orelse } = &*expr.kind
        && let ExprKind::Var(var) = *condition.kind
        && let Some(side) = sides.get(&var)
    {
        *expr = if *side { then.clone() } else { orelse.clone() };
    }
    for operand in operands_mut(expr) {
        decide(operand, sides);
    }
}

fn decide_all(block: &mut Block, sides: &BTreeMap<Var, bool>) {
    for statement in block {
        expressions_mut(statement).into_iter().for_each(|expr| decide(expr, sides));
        blocks_mut(statement).into_iter().for_each(|inner| decide_all(inner, sides));
    }
}

/// Runs on one thread, under numbers of its own.
fn serial(statement: &mut Statement, id: &mut dyn FnMut() -> LoopId) {
    if let StatementKind::For(each) = &mut statement.kind {
        each.parallel = None;
        each.id = id();
    }
    for inner in blocks_mut(statement) {
        for statement in inner {
            serial(statement, id);
        }
    }
}
