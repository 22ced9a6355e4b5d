//! What statements and expressions of the IR are made of, one step down.

use crate::ir::{Block, Check, Expr, ExprKind, Fill, Part, PrintItem, Statement, StatementKind};

/// The expressions that an expression is made of.
pub fn operands(expr: &Expr) -> Vec<&Expr> {
    match &*expr.kind {
        ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Complex(..)
        | ExprKind::Var(_)
        | ExprKind::Dim { .. }
        | ExprKind::Disjoint { .. } => Vec::new(),
        ExprKind::Foldable { lengths, .. } => lengths.iter().flatten().collect(),
        ExprKind::Unary { operand, .. } => vec![operand],
        ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => vec![left, right],
        ExprKind::If { condition, then, orelse } => vec![condition, then, orelse],
        ExprKind::Cast { value, .. } => vec![value],
        ExprKind::Load { indices, .. } => indices.iter().collect(),
        ExprKind::Math { arguments, .. } | ExprKind::Random { arguments, .. } => arguments.iter().collect(),
        ExprKind::New { lengths, fill, .. } => {
            let mut all: Vec<&Expr> = lengths.iter().collect();
            if let Fill::Value(value) = fill {
                all.push(value);
            }
            all
        }
        ExprKind::View { parts, .. } => parts.iter().flat_map(part_operands).collect(),
    }
}

fn part_operands(part: &Part) -> Vec<&Expr> {
    match part {
        Part::Index(index) | Part::Length(index) => vec![index],
        Part::Slice { start, stop, step } => [start, stop, step].into_iter().flatten().collect(),
        Part::NewAxis | Part::Axis(_) | Part::Real | Part::Imag | Part::Diagonal => Vec::new(),
    }
}

/// What a statement itself evaluates, not the blocks in it (of a `While`, the condition).
pub fn expressions(statement: &Statement) -> Vec<&Expr> {
    match &statement.kind {
        StatementKind::Assign { value, .. } => vec![value],
        StatementKind::Store { indices, value, .. } => indices.iter().chain([value]).collect(),
        StatementKind::If { condition, .. } | StatementKind::While { condition, .. } => vec![condition],
        StatementKind::For(of) => vec![&of.start, &of.stop, &of.step],
        StatementKind::Return(values) | StatementKind::Raise { values, .. } => values.iter().collect(),
        StatementKind::Call { arguments, .. } => arguments.iter().collect(),
        StatementKind::Print { items } => items
            .iter()
            .filter_map(|item| match item {
                PrintItem::Value(value, _) => Some(value),
                PrintItem::Text(_) => None,
            })
            .collect(),
        StatementKind::Lockstep(of) => vec![&of.first, &of.last, &of.condition],
        StatementKind::Break
        | StatementKind::Continue
        | StatementKind::Leave(_)
        | StatementKind::Labelled { .. } => Vec::new(),
    }
}

pub fn operands_mut(expr: &mut Expr) -> Vec<&mut Expr> {
    match &mut *expr.kind {
        ExprKind::Unary { operand, .. } => vec![operand],
        ExprKind::Binary { left, right, .. } | ExprKind::Compare { left, right, .. } => vec![left, right],
        ExprKind::If { condition, then, orelse } => vec![condition, then, orelse],
        ExprKind::Cast { value, .. } => vec![value],
        ExprKind::Load { indices, .. } => indices.iter_mut().collect(),
        ExprKind::Math { arguments, .. } | ExprKind::Random { arguments, .. } => {
            arguments.iter_mut().collect()
        }
        ExprKind::New { lengths, fill, .. } => {
            let mut all: Vec<&mut Expr> = lengths.iter_mut().collect();
            if let Fill::Value(value) = fill {
                all.push(value);
            }
            all
        }
        ExprKind::View { parts, .. } => parts
            .iter_mut()
            .flat_map(|part| match part {
                Part::Index(index) | Part::Length(index) => vec![index],
                Part::Slice { start, stop, step } => [start, stop, step].into_iter().flatten().collect(),
                Part::NewAxis | Part::Axis(_) | Part::Real | Part::Imag | Part::Diagonal => Vec::new(),
            })
            .collect(),
        ExprKind::Foldable { lengths, .. } => lengths.iter_mut().flatten().collect(),
        _ => Vec::new(),
    }
}

pub fn expressions_mut(statement: &mut Statement) -> Vec<&mut Expr> {
    match &mut statement.kind {
        StatementKind::Assign { value, .. } => vec![value],
        StatementKind::Store { indices, value, .. } => indices.iter_mut().chain([value]).collect(),
        StatementKind::If { condition, .. } | StatementKind::While { condition, .. } => vec![condition],
        StatementKind::For(of) => vec![&mut of.start, &mut of.stop, &mut of.step],
        StatementKind::Return(values) | StatementKind::Raise { values, .. } => values.iter_mut().collect(),
        StatementKind::Call { arguments, .. } => arguments.iter_mut().collect(),
        StatementKind::Print { items } => items
            .iter_mut()
            .filter_map(|item| match item {
                PrintItem::Value(value, _) => Some(value),
                PrintItem::Text(_) => None,
            })
            .collect(),
        StatementKind::Lockstep(of) => vec![&mut of.first, &mut of.last, &mut of.condition],
        _ => Vec::new(),
    }
}

/// The blocks in a statement, not those of a loop's fast version.
pub fn blocks_mut(statement: &mut Statement) -> Vec<&mut Block> {
    match &mut statement.kind {
        StatementKind::If { then, orelse, .. } => vec![then, orelse],
        StatementKind::While { head, body, .. } => vec![head, body],
        StatementKind::For(of) => vec![&mut of.body],
        StatementKind::Labelled { body, .. } => vec![body],
        StatementKind::Lockstep(of) => vec![&mut of.before, &mut of.inner, &mut of.after, &mut of.whole],
        _ => Vec::new(),
    }
}

/// Raises in the middle, draws, or makes arrays.
pub fn may_raise(expr: &Expr) -> bool {
    let own = match &*expr.kind {
        ExprKind::Unary { check, .. }
        | ExprKind::Binary { check, .. }
        | ExprKind::Cast { check, .. }
        | ExprKind::Load { check, .. }
        | ExprKind::Math { check, .. } => *check == Check::Branch,
        ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. } => true,
        _ => false,
    };
    own || operands(expr).into_iter().any(may_raise)
}
