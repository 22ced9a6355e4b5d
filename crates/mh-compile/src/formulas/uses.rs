//! Who mentions a variable, and how: whether all that an array and its views are used for can be had of a formula.

use std::collections::{BTreeMap, BTreeSet};

use super::{Along, Derived, Formula, Stage, each_expr};
use crate::emit::walk::blocks;
use crate::ir::{Block, Expr, ExprKind, Fill, Function, Part, Statement, StatementKind, Var};
use crate::races::walk::named;
use crate::walk::expressions;

/// A function's variables.
pub(super) struct Census {
    assigned: BTreeMap<Var, usize>,
    /// How often each is mentioned, read or written.
    pub mentions: BTreeMap<Var, usize>,
    /// One more than the greatest number of a loop.
    pub loops: u32,
    /// What the memory of an array may be.
    roots: BTreeMap<Var, BTreeSet<Root>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Root {
    /// Made by the assignment to this variable.
    New(Var),
    /// The caller's.
    Outer,
    /// Of a call that is not inlined.
    Unknown,
}

impl Census {
    pub fn of(function: &Function) -> Self {
        let mut assigned = BTreeMap::new();
        for var in &function.parameters {
            *assigned.entry(*var).or_default() += 1;
        }
        let mut loops = 0;
        let mut roots: BTreeMap<Var, BTreeSet<Root>> =
            function.parameters.iter().map(|var| (*var, BTreeSet::from([Root::Outer]))).collect();
        let mut same: Vec<(Var, Var)> = Vec::new();
        each_statement(&function.body, &mut |statement| {
            for var in assigns(statement) {
                *assigned.entry(var).or_default() += 1;
            }
            match &statement.kind {
                StatementKind::For(each) => loops = loops.max(each.id.0 + 1),
                StatementKind::Assign { var, value } => match &*value.kind {
                    ExprKind::New { .. } => drop(roots.entry(*var).or_default().insert(Root::New(*var))),
                    ExprKind::View { array, .. } => same.push((*var, *array)),
                    ExprKind::Var(from) if value.ty.array().is_some() => same.push((*var, *from)),
                    _ => {}
                },
                StatementKind::Call { results, .. } => {
                    for var in results {
                        roots.entry(*var).or_default().insert(Root::Unknown);
                    }
                }
                _ => {}
            }
        });
        let mut changed = true;
        while changed {
            changed = false;
            for (var, from) in &same {
                let more = roots.get(from).cloned().unwrap_or_default();
                let own = roots.entry(*var).or_default();
                let before = own.len();
                own.extend(more);
                changed |= own.len() > before;
            }
        }
        Self { assigned, mentions: mentions(&function.body), loops, roots }
    }

    pub fn assigned(&self, var: Var) -> usize {
        self.assigned.get(&var).copied().unwrap_or(0)
    }

    /// Whether two arrays may share memory.
    pub fn meet(&self, a: Var, b: Var) -> bool {
        let none = BTreeSet::new();
        let (a, b) = (self.roots.get(&a).unwrap_or(&none), self.roots.get(&b).unwrap_or(&none));
        a.contains(&Root::Unknown) || b.contains(&Root::Unknown) || a.intersection(b).next().is_some()
    }
}

impl Stage<'_> {
    /// The array and its views, where nothing but a formula is needed of them.
    pub(super) fn derived(&self, block: &Block, formula: &Formula) -> Option<Derived> {
        let own = (0..formula.places.len())
            .map(|axis| Along::Axis { axis, start: Some(0), step: Some(1) })
            .collect::<Vec<_>>();
        let mut derived = Derived::from([(formula.array, own)]);
        let rest = &block[formula.to + 1..];
        let mut fine = true;
        each_statement(rest, &mut |statement| {
            let StatementKind::Assign { var, value } = &statement.kind else { return };
            let seen = match &*value.kind {
                ExprKind::Var(from) => derived.get(from).cloned(),
                ExprKind::View { array, parts, .. } => match derived.get(array) {
                    Some(from) => match viewed(from, parts) {
                        Some(seen) => Some(seen),
                        None => {
                            fine = false;
                            return;
                        }
                    },
                    None => return,
                },
                _ => return,
            };
            if let Some(seen) = seen {
                fine &= self.census.assigned(*var) == 1;
                derived.insert(*var, seen);
            }
        });
        each_statement(rest, &mut |statement| fine &= only_read(statement, &derived));
        if !fine {
            return None;
        }
        // All of it here, behind the definition.
        let here = mentions(&block[formula.from..]);
        derived.keys().all(|var| here.get(var) == self.census.mentions.get(var)).then_some(derived)
    }
}

/// Where a view's elements lie.
fn viewed(from: &[Along], parts: &[Part]) -> Option<Vec<Along>> {
    let whole = Part::Slice { start: None, stop: None, step: None };
    let (mut seen, mut count) = (from.to_vec(), 0);
    let (mut axis, mut along) = (0, Vec::new());
    let axes = from.iter().filter_map(|one| match one {
        Along::Axis { axis, .. } => Some(*axis + 1),
        Along::Fixed(_) => None,
    });
    // What is not said of the axes behind is whole; axes that no axis of the array lies along are not counted.
    let rank = axes.max().unwrap_or(0);
    for part in parts {
        match part {
            Part::NewAxis => count += 1,
            Part::Axis(number) => {
                along.push((usize::from(*number), Some(count), part));
                count += 1;
            }
            Part::Slice { .. } => {
                along.push((axis, Some(count), part));
                axis += 1;
                count += 1;
            }
            Part::Index(_) => {
                along.push((axis, None, part));
                axis += 1;
            }
            Part::Length(_) | Part::Real | Part::Imag | Part::Diagonal => return None,
        }
    }
    if !matches!(parts.first(), Some(Part::Axis(_))) {
        while axis < rank {
            along.push((axis, Some(count), &whole));
            axis += 1;
            count += 1;
        }
    }
    for one in &mut seen {
        let Along::Axis { axis, start, step } = *one else { continue };
        let (_, to, part) = along.iter().find(|(from, ..)| *from == axis)?;
        *one = match (part, to) {
            (Part::Axis(_), Some(to)) => Along::Axis { axis: *to, start, step },
            (Part::Slice { start: first, step: by, .. }, Some(to)) => {
                let by = by.as_ref().map_or(Some(1), number);
                let first = match (first, by) {
                    (None, Some(by)) if by > 0 => Some(0),
                    (Some(first), Some(by)) if by > 0 => number(first).filter(|first| *first >= 0),
                    _ => None,
                };
                Along::Axis { axis: *to, start: moved(start, step, first), step: times(step, by) }
            }
            (Part::Index(index), _) => {
                Along::Fixed(moved(start, step, number(index).filter(|index| *index >= 0)))
            }
            _ => return None,
        };
    }
    Some(seen)
}

fn number(expr: &Expr) -> Option<i128> {
    match *expr.kind {
        ExprKind::Int(value) => Some(value),
        _ => None,
    }
}

fn times(a: Option<i128>, b: Option<i128>) -> Option<i128> {
    a?.checked_mul(b?)
}

fn moved(start: Option<i128>, step: Option<i128>, by: Option<i128>) -> Option<i128> {
    start?.checked_add(times(step, by)?)
}

/// Whether the statement does nothing with these arrays but read elements, lengths and views.
fn only_read(statement: &Statement, derived: &Derived) -> bool {
    let of = |var: &Var| derived.contains_key(var);
    if let StatementKind::Assign { value, .. } = &statement.kind
        && let ExprKind::Var(_) = *value.kind
    {
        return true;
    }
    if matches!(&statement.kind, StatementKind::Store { array, .. } if of(array)) {
        return false;
    }
    let mut fine = true;
    for expr in expressions(statement) {
        each_expr(expr, &mut |expr| {
            fine &= match &*expr.kind {
                ExprKind::Var(var) => !of(var),
                ExprKind::Foldable { array, .. } => !of(array),
                ExprKind::Disjoint { left, right } => !of(left) || !of(right),
                ExprKind::New { fill: Fill::Product(left, right), .. } => !of(left) && !of(right),
                _ => true,
            };
        });
    }
    fine
}

/// What a statement itself assigns.
pub(super) fn assigns(statement: &Statement) -> Vec<Var> {
    match &statement.kind {
        StatementKind::Assign { var, .. } => vec![*var],
        StatementKind::For(each) => vec![each.var],
        StatementKind::Call { results, .. } => results.clone(),
        _ => Vec::new(),
    }
}

/// Calls `with` for statements and all in them, in the order of the source.
pub(super) fn each_statement<'a>(block: &'a [Statement], with: &mut impl FnMut(&'a Statement)) {
    for statement in block {
        with(statement);
        for inner in blocks(statement) {
            each_statement(inner, with);
        }
    }
}

/// How often variables are mentioned.
pub(super) fn mentions(block: &[Statement]) -> BTreeMap<Var, usize> {
    let mut found: BTreeMap<Var, usize> = BTreeMap::new();
    each_statement(block, &mut |statement| {
        let mut count = |var: Var| *found.entry(var).or_default() += 1;
        assigns(statement).into_iter().for_each(&mut count);
        if let StatementKind::Store { array, .. } = &statement.kind {
            count(*array);
        }
        for expr in expressions(statement) {
            each_expr(expr, &mut |expr| named(expr).into_iter().for_each(&mut count));
        }
    });
    found
}
