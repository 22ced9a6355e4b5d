//! What may be checked when a loop begins, where it decides: that it starts at zero or above, that a factor is positive.

use std::collections::BTreeMap;

use super::accesses::Recorder;
use super::affine::{Atom, Fact, Poly};
use super::interpret::Interpreter;
use crate::ir::{Compare, Expr, ExprKind, Span, Type, Var};
use crate::walk::operands;

pub struct Assumption {
    pub fact: Fact,
    /// The same, for the plan.
    pub expr: Expr,
    /// Lower ones are tried first.
    pub level: u8,
}

/// All that a loop may lean on.
pub fn candidates(interpreter: &Interpreter, recorder: &Recorder) -> Vec<Assumption> {
    let of = recorder.of;
    let mut out = Vec::new();
    let mut suppose = |poly: &Poly, expr: Expr, least: i128, level: u8| {
        if poly.as_constant().is_none() && pure(&expr) {
            let fact = poly.subtract(&Poly::constant(least)).map(Fact::AtLeastZero);
            let bound = Expr::new(ExprKind::Int(least), Type::INT, expr.span);
            out.extend(fact.map(|fact| Assumption {
                fact,
                expr: compare(Compare::GreaterEqual, expr, bound),
                level,
            }));
        }
    };
    match recorder.step.as_constant() {
        Some(step) if step > 0 => suppose(&recorder.start, of.start.clone(), 0, 1),
        Some(_) => suppose(&recorder.stop, of.stop.clone(), -1, 1),
        None => {
            suppose(&recorder.step, of.step.clone(), 1, 1);
            suppose(&recorder.start, of.start.clone(), 0, 1);
        }
    }
    let variables = expressible(interpreter, recorder);
    let (plain, factors) = symbols(interpreter, recorder);
    for (atom, var) in &variables {
        let expr = || Expr::new(ExprKind::Var(*var), Type::INT, Span::default());
        if factors.contains(atom) {
            suppose(&Poly::atom(*atom), expr(), 1, 2);
        } else if plain.contains(atom) {
            suppose(&Poly::atom(*atom), expr(), 0, 2);
        }
    }
    // An inner loop's length against the stride that it has to fit into.
    for (factor, of_factor) in variables.iter().filter(|(atom, _)| factors.contains(atom)) {
        for (bound, of_bound) in variables.iter().filter(|(atom, _)| plain.contains(atom)) {
            if bound == factor {
                continue;
            }
            let expr = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, Span::default());
            let fact = Fact::at_most(&Poly::atom(*bound), &Poly::atom(*factor));
            out.extend(fact.map(|fact| Assumption {
                fact,
                expr: compare(Compare::LessEqual, expr(*of_bound), expr(*of_factor)),
                level: 3,
            }));
        }
    }
    out
}

fn compare(op: Compare, left: Expr, right: Expr) -> Expr {
    let span = left.span;
    Expr::new(ExprKind::Compare { op, left, right }, Type::BOOL, span)
}

/// Whether evaluating it once more is of no consequence.
fn pure(expr: &Expr) -> bool {
    !matches!(*expr.kind, ExprKind::Random { .. }) && operands(expr).into_iter().all(pure)
}

/// Atoms that are the values of `int` variables at the loop's entry.
fn expressible(interpreter: &Interpreter, recorder: &Recorder) -> BTreeMap<Atom, Var> {
    let mut out = BTreeMap::new();
    for (var, poly) in &recorder.entry.scalars {
        let int = interpreter.function.variables[var.0 as usize].ty == Type::INT;
        if let Some(atom) = poly.as_atom().filter(|_| int) {
            out.entry(atom).or_insert(*var);
        }
    }
    out
}

/// Atoms that do not vary, of subscripts and of what bears on them: those that stand alone, and those that multiply or divide.
fn symbols(interpreter: &Interpreter, recorder: &Recorder) -> (Vec<Atom>, Vec<Atom>) {
    let (mut plain, mut factors) = (Vec::new(), Vec::new());
    let mut look = |poly: &Poly| {
        for (monomial, _) in poly.terms() {
            let varies = monomial.iter().any(|atom| interpreter.atoms.get(*atom).scope >= recorder.depth);
            for atom in monomial {
                if interpreter.atoms.get(*atom).scope >= recorder.depth {
                    if let Some((_, divisor)) = &interpreter.atoms.get(*atom).quotient {
                        factors.extend(divisor.atoms());
                    }
                } else if varies {
                    factors.push(*atom);
                } else {
                    plain.push(*atom);
                }
            }
        }
    };
    for (access, _) in &recorder.accesses {
        let places = || access.subscripts.iter().flatten().filter_map(|(_, place)| place.as_ref());
        places().for_each(&mut look);
        for fact in interpreter.closure(&[], places()) {
            look(fact.poly());
        }
    }
    (plain, factors)
}
