//! What becomes of the scalars (and array variables) that a parallel loop's body assigns.

use super::exposed::exposed;
use super::liveness::Liveness;
use super::reductions::{self, Refusal, first_write};
use super::report;
use super::walk::{Set, assigned};
use crate::diagnostic::Diagnostic;
use crate::ir::{Expr, For, Function, Reduction, Span, Type, Var};

#[derive(Debug, Default)]
pub struct Roles {
    pub private: Vec<Var>,
    pub last: Vec<Var>,
    pub reductions: Vec<Reduction>,
    /// Must hold at the loop's entry.
    pub conditions: Vec<Expr>,
}

pub fn classify(
    of: &For,
    function: &Function,
    liveness: &Liveness,
    source: &report::Source,
    unchecked: bool,
) -> Result<Roles, Diagnostic> {
    let written = assigned(&of.body);
    let exposed = exposed(of);
    let live = liveness.after_loop(of.id);
    let mut roles = Roles::default();
    let (mut speculative, mut certain) = (Vec::new(), Vec::new());
    let mut refused: Vec<(Var, Refusal, Span)> = Vec::new();
    let mut taken = Set::from([of.var]);
    for var in &written {
        let is_array = matches!(function.variables[var.0 as usize].ty, Type::Array(_));
        if let Some(read) = exposed.get(var).filter(|_| *var != of.var) {
            let found = if is_array {
                Err(Refusal::Overwritten(first_write(&of.body, *var)))
            } else {
                reductions::find(&of.body, *var, &function.variables, liveness)
            };
            match found {
                Ok(found) => {
                    taken.insert(*var);
                    taken.extend(found.reduction.companions.iter().copied());
                    roles.reductions.push(found.reduction);
                    speculative.extend(found.speculative);
                    certain.extend(found.certain);
                }
                Err(refusal) => refused.push((*var, refusal, *read)),
            }
        } else if is_array && live.contains(var) && !unchecked {
            return Err(report::array_after(source, of, *var, first_write(&of.body, *var)));
        }
    }
    // A companion may have been looked at by itself before: it is its chooser's.
    refused.retain(|(var, ..)| !taken.contains(var));
    refused.sort_by_key(|(.., read)| (read.line, read.column));
    if let Some((var, refusal, read)) = refused.into_iter().find(|_| !unchecked) {
        return Err(report::carried(source, of, var, &refusal, read));
    }
    if let Some(var) = shared(&roles) {
        return Err(report::two_roles(source, of, var, first_write(&of.body, var)));
    }
    match super::speculate::conditions(of, &speculative, &certain) {
        Ok(conditions) => roles.conditions = conditions,
        Err(span) if !unchecked => return Err(report::speculative(source, of, span)),
        Err(_) => {}
    }
    for var in written.difference(&taken) {
        let given_back = live.contains(var) || exposed.contains_key(var);
        if given_back { roles.last.push(*var) } else { roles.private.push(*var) }
    }
    Ok(roles)
}

/// A variable that two reductions claim.
fn shared(roles: &Roles) -> Option<Var> {
    let mut seen = Set::new();
    let all = roles
        .reductions
        .iter()
        .flat_map(|reduction| std::iter::once(reduction.var).chain(reduction.companions.iter().copied()));
    all.into_iter().find(|var| !seen.insert(*var))
}
