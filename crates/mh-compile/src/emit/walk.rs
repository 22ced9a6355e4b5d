//! Questions about statements and expressions.

use crate::ir::{Expr, ExprKind, Fill, Function, Statement, StatementKind, Type, Var};
use crate::walk::{expressions, operands};

/// A guess at the nanoseconds of one run of a block; `None` where it holds loops or calls.
pub(super) fn weight(block: &[Statement]) -> Option<u64> {
    let mut sum = 1;
    for statement in block {
        if matches!(
            statement.kind,
            StatementKind::For(_)
                | StatementKind::While { .. }
                | StatementKind::Call { .. }
                | StatementKind::Lockstep(_)
        ) || is_product(statement)
        {
            return None;
        }
        sum += expressions(statement).into_iter().map(expression_weight).sum::<u64>();
        for inner in blocks(statement) {
            sum += weight(inner)?;
        }
    }
    Some(sum)
}

/// Whether the statement multiplies matrices.
fn is_product(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Assign { value, .. }
        if matches!(&*value.kind, ExprKind::New { fill: Fill::Product(..), .. }))
}

fn expression_weight(expr: &Expr) -> u64 {
    let own = match *expr.kind {
        ExprKind::Math { .. } | ExprKind::Random { .. } => 8,
        ExprKind::New { .. } => 64,
        _ => 0,
    };
    own + operands(expr).into_iter().map(expression_weight).sum::<u64>()
}

/// Which array variables need no reference of their own: parameters that are never assigned, what the caller of a block `keeps`, and those that
/// are only ever views of such.
pub(super) fn borrowed(function: &Function, keeps: &[Var]) -> Vec<bool> {
    let mut sources: Vec<Vec<Option<Var>>> = vec![Vec::new(); function.variables.len()];
    assignments(&function.body, &mut sources);
    let mut borrowed = vec![false; function.variables.len()];
    for var in &function.parameters {
        borrowed[var.0 as usize] = sources[var.0 as usize].is_empty();
    }
    for var in keeps {
        borrowed[var.0 as usize] = true;
    }
    loop {
        let mut changed = false;
        for number in 0..borrowed.len() {
            let all = !sources[number].is_empty()
                && !function.parameters.contains(&Var(number as u32))
                && sources[number].iter().all(|from| from.is_some_and(|from| borrowed[from.0 as usize]));
            if all && !borrowed[number] {
                borrowed[number] = true;
                changed = true;
            }
        }
        if !changed {
            return borrowed;
        }
    }
}

/// What each array variable is assigned: `None` for what is new.
fn assignments(block: &[Statement], sources: &mut [Vec<Option<Var>>]) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { var, value: Expr { kind, ty: Type::Array(_), .. } } => {
                let from = match &**kind {
                    ExprKind::Var(from) | ExprKind::View { array: from, .. } => Some(*from),
                    _ => None,
                };
                sources[var.0 as usize].push(from);
            }
            StatementKind::Call { results, .. } => {
                for var in results {
                    sources[var.0 as usize].push(None);
                }
            }
            _ => {}
        }
        for inner in blocks(statement) {
            assignments(inner, sources);
        }
    }
}

/// The blocks of a statement.
pub(crate) fn blocks(statement: &Statement) -> Vec<&[Statement]> {
    match &statement.kind {
        StatementKind::If { then, orelse, .. } => vec![then, orelse],
        StatementKind::While { head, body, .. } => vec![head, body],
        StatementKind::For(each) => {
            let mut blocks: Vec<&[Statement]> = vec![&each.body];
            if let Some(fast) = &each.fast {
                blocks.extend([&fast.guard[..], &fast.before, &fast.body, &fast.after]);
            }
            blocks
        }
        StatementKind::Labelled { body, .. } => vec![body],
        StatementKind::Lockstep(of) => vec![&of.before, &of.inner, &of.after, &of.whole],
        _ => Vec::new(),
    }
}

/// Whether a block calls a function.
pub(super) fn calls(block: &[Statement], number: usize) -> bool {
    block.iter().any(|statement| {
        matches!(&statement.kind, StatementKind::Call { function, .. } if function.0 as usize == number)
            || blocks(statement).iter().any(|inner| calls(inner, number))
    })
}

/// Whether something in a block draws random numbers.
pub(super) fn draws(block: &[Statement]) -> bool {
    block.iter().any(|statement| {
        expressions(statement).into_iter().any(expression_draws)
            || blocks(statement).iter().any(|inner| draws(inner))
    })
}

fn expression_draws(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Random { .. }) || operands(expr).into_iter().any(expression_draws)
}
