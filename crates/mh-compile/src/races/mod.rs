//! Every parallel loop is shown to be free of races and gets its `Plan`, or is refused.
//!
//! `scalars` decides what becomes of the variables that a body assigns (`exposed`, `liveness`, `reductions`); `arrays` what becomes of
//! the elements that it touches. For that `interpret` goes through the function once with integers as polynomials (`affine`, `values`)
//! and arrays as views of roots (`views`, `state`), and notes each access with the conditions around it (`accesses`); `conflicts` asks
//! `solver` whether two iterations can meet. What is not shown is refused: a wrong "no race" would be a wrong answer.

mod accesses;
mod affine;
mod arrays;
mod assumptions;
mod conflicts;
pub(crate) mod exposed;
mod interpret;
mod leaving;
pub(crate) mod liveness;
mod normalise;
mod reductions;
mod report;
mod scalars;
mod scratch;
mod solver;
mod speculate;
mod state;
#[cfg(test)]
mod tests;
mod values;
mod views;
pub(crate) mod walk;

use std::collections::HashMap;

use crate::diagnostic::Diagnostic;
use crate::ir::{Block, ExprKind, Fill, Function, Length, LoopId, Module, Plan, Statement, StatementKind};

/// Gives each parallel loop its plan.
///
/// # Errors
/// `Class::Race`: the first loop, in the order of the source, that is not shown to be free of races.
pub fn check(module: &mut Module) -> Result<(), Diagnostic> {
    for function in &mut module.functions {
        leaving::breaks(function);
        normalise::normalise(function);
    }
    let writers = writers(module);
    let mut plans: Vec<HashMap<LoopId, Plan>> = Vec::new();
    for function in &module.functions {
        let source = report::Source { module, function };
        plans.push(plan(function, &writers, &source)?);
    }
    for (function, plans) in module.functions.iter_mut().zip(&mut plans) {
        give(&mut function.body, plans);
    }
    Ok(())
}

fn plan(
    function: &Function,
    writers: &[bool],
    source: &report::Source,
) -> Result<HashMap<LoopId, Plan>, Diagnostic> {
    let liveness = liveness::Liveness::of(function);
    let mut interpreter = interpret::Interpreter::new(function, writers);
    interpreter.run();
    let mut done = std::mem::take(&mut interpreter.done);
    // Outer loops and earlier ones first.
    done.sort_by_key(|recorder| (recorder.depth, recorder.span.line, recorder.span.column));
    let mut plans = HashMap::new();
    for recorder in &done {
        let of = recorder.of;
        let unchecked = of.parallel.as_ref().is_some_and(|parallel| parallel.unchecked);
        let plan = || -> Result<Plan, Diagnostic> {
            if !unchecked && walk::assigned(&of.body).contains(&of.var) {
                return Err(report::own_variable(source, of, reductions::first_write(&of.body, of.var)));
            }
            let scalars = scalars::classify(of, function, &liveness, source, unchecked)?;
            let arrays = arrays::classify(&interpreter, recorder, source, unchecked)?;
            Ok(Plan {
                private: scalars.private,
                last: scalars.last,
                reductions: scalars.reductions,
                accumulated: arrays.accumulated,
                overwritten: arrays.overwritten,
                distinct: arrays.distinct,
                conditions: scalars.conditions.into_iter().chain(arrays.conditions).collect(),
                fine: fine(&of.body),
                length: Length::Unknown,
                leaves: leaving::first_break(of).is_some(),
            })
        };
        match plan() {
            Ok(plan) => {
                plans.insert(of.id, plan);
            }
            Err(_) if of.parallel.as_ref().is_some_and(|parallel| parallel.implicit) => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(plans)
}

fn give(block: &mut Block, plans: &mut HashMap<LoopId, Plan>) {
    for statement in block {
        if let StatementKind::For(of) = &mut statement.kind {
            let id = of.id;
            if let Some(parallel) = &mut of.parallel {
                parallel.plan = plans.remove(&id);
            }
        }
        for inner in crate::walk::blocks_mut(statement) {
            give(inner, plans);
        }
    }
}

/// Whether the body holds loops or calls.
fn fine(body: &[Statement]) -> bool {
    let mut found = false;
    walk::statements(body, &mut |statement| {
        found |= matches!(
            statement.kind,
            StatementKind::For(_) | StatementKind::While { .. } | StatementKind::Call { .. }
        ) || is_product(statement);
    });
    found
}

/// Whether the statement multiplies matrices.
fn is_product(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Assign { value, .. }
        if matches!(&*value.kind, ExprKind::New { fill: Fill::Product(..), .. }))
}

/// Whether each function, or one that it calls, stores to arrays that it has not made itself.
fn writers(module: &Module) -> Vec<bool> {
    let mut writers: Vec<bool> = module
        .functions
        .iter()
        .map(|function| {
            let sites = state::sites(function);
            let mut writes = false;
            walk::statements(&function.body, &mut |statement| {
                if let StatementKind::Store { array, .. } = &statement.kind {
                    writes |= sites
                        .get(array)
                        .is_none_or(|sites| sites.iter().any(|site| !matches!(site, state::Site::New(_))));
                }
            });
            writes
        })
        .collect();
    loop {
        let before = writers.clone();
        for (number, function) in module.functions.iter().enumerate() {
            walk::statements(&function.body, &mut |statement| {
                if let StatementKind::Call { function, .. } = &statement.kind {
                    writers[number] |= before.get(function.0 as usize).copied().unwrap_or(true);
                }
            });
        }
        if writers == before {
            return writers;
        }
    }
}
