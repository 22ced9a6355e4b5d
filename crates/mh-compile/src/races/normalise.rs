//! Small changes of parallel loops' bodies, without effect on what they do, after which their forms are easier to see.
//!
//! `h[k] = h[k] + x` and `if x > h[k]: h[k] = x` become updates. Versions of one variable that `lower` has told apart become one again where a
//! reduction goes through them (`tot += a[i]`, then `tot += 1`).

use super::exposed::exposed;
use super::liveness::Liveness;
use super::walk::{assigned, rename, same, statements};
use crate::ir::{
    Binary, Block, Compare, Expr, ExprKind, For, Function, Kind, Statement, StatementKind, Type, Var,
};
use crate::walk::blocks_mut;

pub fn normalise(function: &mut Function) {
    updates(&mut function.body, false);
    while let Some((from, to)) = version(function) {
        rename(&mut function.body, from, to);
    }
}

fn updates(block: &mut Block, parallel: bool) {
    for statement in block {
        if parallel {
            if let Some(store) = chosen(statement) {
                *statement = store;
            }
            update(statement);
        }
        let inside = matches!(&statement.kind, StatementKind::For(of) if of.parallel.is_some());
        for inner in blocks_mut(statement) {
            updates(inner, parallel || inside);
        }
    }
}

/// `array[indices] = array[indices] op value`.
fn update(statement: &mut Statement) {
    let StatementKind::Store { array, indices, value, update, .. } = &mut statement.kind else { return };
    let ExprKind::Binary { op, left, right, .. } = &*value.kind else { return };
    let kind = value.ty.scalar().map(|scalar| scalar.kind);
    let own = |expr: &Expr| is_element(expr, *array, indices);
    if update.is_some() || left.ty != value.ty || right.ty != value.ty {
        return;
    }
    let turns = match op {
        Binary::Subtract => false,
        Binary::Min | Binary::Max => kind.is_some_and(Kind::is_integer),
        Binary::Add
        | Binary::Multiply
        | Binary::And
        | Binary::Or
        | Binary::Xor
        | Binary::Minimum
        | Binary::Maximum => true,
        _ => return,
    };
    let other = match (own(left), own(right)) {
        (true, false) => right.clone(),
        (false, true) if turns => left.clone(),
        _ => return,
    };
    *update = Some(*op);
    *value = other;
}

fn is_element(expr: &Expr, of: Var, at: &[Expr]) -> bool {
    matches!(&*expr.kind, ExprKind::Load { array, indices, .. }
        if *array == of && indices.len() == at.len() && indices.iter().zip(at).all(|(a, b)| same(a, b)))
}

/// `if value > array[indices]: array[indices] = value`.
fn chosen(statement: &Statement) -> Option<Statement> {
    let StatementKind::If { condition, then, orelse } = &statement.kind else { return None };
    let ([store], []) = (&then[..], &orelse[..]) else { return None };
    let StatementKind::Store { array, indices, value, update: None, check } = &store.kind else {
        return None;
    };
    let ExprKind::Compare { op, left, right } = &*condition.kind else { return None };
    let op = if same(left, value) && is_element(right, *array, indices) {
        *op
    } else if same(right, value) && is_element(left, *array, indices) {
        match op {
            Compare::Less => Compare::Greater,
            Compare::LessEqual => Compare::GreaterEqual,
            Compare::Greater => Compare::Less,
            Compare::GreaterEqual => Compare::LessEqual,
            other => *other,
        }
    } else {
        return None;
    };
    let whole = value.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer());
    let op = match op {
        Compare::Less => Binary::Min,
        Compare::Greater => Binary::Max,
        Compare::LessEqual if whole => Binary::Min,
        Compare::GreaterEqual if whole => Binary::Max,
        _ => return None,
    };
    let kind = StatementKind::Store {
        array: *array,
        indices: indices.clone(),
        value: value.clone(),
        update: Some(op),
        check: *check,
    };
    Some(Statement { kind, span: store.span })
}

/// Two versions of a variable of which one is carried through a parallel loop, and that never hold a value at the same time.
fn version(function: &Function) -> Option<(Var, Var)> {
    let mut loops: Vec<&For> = Vec::new();
    statements(&function.body, &mut |statement| {
        if let StatementKind::For(of) = &statement.kind
            && of.parallel.is_some()
        {
            loops.push(of);
        }
    });
    let mut candidates = Vec::new();
    for of in loops {
        let (exposed, written) = (exposed(of), assigned(&of.body));
        for to in written.iter().filter(|var| exposed.contains_key(var)) {
            let alike = |from: &&Var| {
                let (a, b) = (&function.variables[from.0 as usize], &function.variables[to.0 as usize]);
                *from != to && a.name.is_some() && a == b && matches!(a.ty, Type::Scalar(_))
            };
            candidates.extend(written.iter().filter(alike).map(|from| (*from, *to)));
        }
    }
    if candidates.is_empty() {
        return None;
    }
    let liveness = Liveness::of(function);
    candidates.into_iter().find(|(from, to)| {
        !function.parameters.contains(from) && !liveness.together(&function.body, *from, *to)
    })
}
