//! What a block reads of the function around it: the closure, filled and read back.

use super::{Left, Role};
use crate::emit::function::{FunctionEmitter, Operand, Place};
use crate::emit::walk::blocks;
use crate::emit::{flattened, memory};
use crate::ir::{Expr, ExprKind, Fill, For, Kind, Plan, Statement, StatementKind, Type, Var};
use crate::walk::{expressions, operands};
use std::collections::BTreeSet;

/// The closure, as it is filled.
#[derive(Default)]
pub(super) struct Closure {
    pub fields: Vec<(String, &'static str, String)>,
    pub size: usize,
}

impl Closure {
    /// Offset of a new field.
    pub fn put(&mut self, ty: &'static str, value: String) -> usize {
        let at = self.size;
        self.fields.push((at.to_string(), ty, value));
        self.size += if ty == "i128" { 32 } else { 16 };
        at
    }
}

impl FunctionEmitter<'_, '_> {
    /// What the body only reads: into the closure.
    pub(super) fn capture(
        &mut self,
        each: &For,
        plan: &Plan,
        left: &[Left],
        closure: &mut Closure,
    ) -> Vec<(Var, Vec<(usize, &'static str)>)> {
        let mut used = BTreeSet::new();
        used_in(&each.body, &mut used);
        if let Some(fast) = &each.fast {
            used_in(&fast.body, &mut used);
        }
        let mut own = BTreeSet::new();
        assigned_in(&each.body, &mut own);
        if let Some(fast) = &each.fast {
            assigned_in(&fast.body, &mut own);
        }
        // Reductions that choose begin with the value from before the loop.
        let begun = left.iter().filter(|left| !matches!(left.role, Role::Last)).map(|left| left.var);
        let begun: BTreeSet<Var> = begun.collect();
        let arrays: BTreeSet<Var> =
            plan.accumulated.iter().map(|each| each.array).chain(plan.overwritten.iter().copied()).collect();
        used.extend(&begun);
        used.extend(&arrays);
        used.retain(|var| {
            begun.contains(var) || arrays.contains(var) || (!own.contains(var) && *var != each.var)
        });
        let mut captured = Vec::new();
        for var in used {
            let fields: Vec<(&'static str, String)> = match self.variable_type(var) {
                Type::Scalar(scalar) => {
                    let value = self.read(var);
                    match value {
                        Operand::One(one) => {
                            let ty = memory(scalar.kind);
                            let one = if scalar.kind == Kind::Bool {
                                self.value(&format!("zext i1 {one} to i8"))
                            } else {
                                one
                            };
                            vec![(ty, one)]
                        }
                        Operand::Pair(real, imag) => {
                            vec![(memory(scalar.kind), real), (memory(scalar.kind), imag)]
                        }
                    }
                }
                Type::Array(_) => self.descriptor(var),
            };
            let offsets = fields.into_iter().map(|(ty, value)| (closure.put(ty, value), ty)).collect();
            captured.push((var, offsets));
        }
        captured
    }

    pub(super) fn set_captured(&mut self, var: Var, values: Vec<String>) {
        match self.place(var) {
            Place::Scalar(address) => {
                let Type::Scalar(scalar) = self.variable_type(var) else { return };
                let mut values = values.into_iter();
                let operand = match (values.next(), values.next()) {
                    (Some(real), Some(imag)) => Operand::Pair(real, imag),
                    (one, _) => {
                        let one = one.unwrap_or_default();
                        Operand::One(if scalar.kind == Kind::Bool {
                            self.value(&format!("icmp ne i8 {one}, 0"))
                        } else {
                            one
                        })
                    }
                };
                self.store(scalar.kind, &operand, &address);
            }
            Place::Array(mut place) => {
                place.borrowed = true;
                let addresses: Vec<String> = [&place.data, &place.owner]
                    .into_iter()
                    .chain(&place.lengths)
                    .chain(&place.strides)
                    .cloned()
                    .collect();
                for ((address, value), ty) in
                    addresses.iter().zip(values).zip(flattened(self.variable_type(var)))
                {
                    self.line(&format!("store {ty} {value}, ptr {address}"));
                }
                self.places[var.0 as usize] = Place::Array(place);
            }
        }
    }
}

/// Variables that a block mentions in any way.
pub(super) fn used_in(block: &[Statement], used: &mut BTreeSet<Var>) {
    for statement in block {
        for expr in expressions(statement) {
            used_by(expr, used);
        }
        match &statement.kind {
            StatementKind::Assign { var, .. } | StatementKind::Store { array: var, .. } => {
                used.insert(*var);
            }
            StatementKind::Call { results, .. } => used.extend(results),
            StatementKind::Lockstep(of) => used.extend(of.kept.iter().chain([&of.var])),
            StatementKind::For(each) => {
                used.insert(each.var);
                if let Some(fast) = &each.fast {
                    used_by(&fast.condition, used);
                    used.extend(&fast.save);
                }
                if let Some(plan) = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref()) {
                    plan.conditions.iter().for_each(|condition| used_by(condition, used));
                    for (left, right) in &plan.distinct {
                        used.extend([left, right]);
                    }
                    used.extend(plan.reductions.iter().map(|reduction| reduction.var));
                    used.extend(plan.accumulated.iter().map(|accumulated| accumulated.array));
                }
            }
            _ => {}
        }
        for inner in blocks(statement) {
            used_in(inner, used);
        }
    }
}

pub(super) fn used_by(expr: &Expr, used: &mut BTreeSet<Var>) {
    match &*expr.kind {
        ExprKind::Var(var) => {
            used.insert(*var);
        }
        ExprKind::Load { array, .. }
        | ExprKind::Dim { array, .. }
        | ExprKind::View { array, .. }
        | ExprKind::Foldable { array, .. } => {
            used.insert(*array);
        }
        ExprKind::Disjoint { left, right } | ExprKind::New { fill: Fill::Product(left, right), .. } => {
            used.extend([left, right]);
        }
        _ => {}
    }
    operands(expr).into_iter().for_each(|part| used_by(part, used));
}

/// Variables that a block assigns.
pub(super) fn assigned_in(block: &[Statement], assigned: &mut BTreeSet<Var>) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { var, .. } => {
                assigned.insert(*var);
            }
            StatementKind::Call { results, .. } => assigned.extend(results),
            StatementKind::Lockstep(of) => {
                assigned.insert(of.var);
            }
            StatementKind::For(each) => {
                assigned.insert(each.var);
            }
            _ => {}
        }
        for inner in blocks(statement) {
            assigned_in(inner, assigned);
        }
    }
}
