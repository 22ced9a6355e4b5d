//! Arrays that every iteration overwrites before it reads them: each block has its own, and the last iteration's content is given back.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::accesses::{Access, Kind, Recorder};
use super::affine::{Atom, Fact, Poly};
use super::interpret::Interpreter;
use super::solver;
use super::walk::statements;
use crate::ir::{StatementKind, Var};

/// The accesses to one array, in the order of the program; whether each stands under a condition.
type Noted = (Rc<Access>, bool);

pub struct Overwriting<'i, 'a> {
    pub interpreter: &'i Interpreter<'a>,
    pub recorder: &'i Recorder<'a>,
}

impl Overwriting<'_, '_> {
    /// Whether each iteration writes the same elements, whatever happens, and reads none that it has not written before.
    pub fn whole(&self, accesses: &[Noted]) -> bool {
        !self.recorder.jumps
            && accesses.iter().enumerate().all(|(number, (access, conditional))| {
                access.kind == Kind::Write && !conditional && self.steady(access)
                    || accesses[..number].iter().any(|(write, conditional)| {
                        write.kind == Kind::Write
                            && !conditional
                            && self.steady(write)
                            && self.covers(write, access)
                    })
            })
    }

    /// Whether the array's elements are only written, by all iterations the same ones or some of them.
    pub fn now_and_then(&self, array: Var, accesses: &[Noted]) -> bool {
        let mut nested = false;
        statements(&self.recorder.of.body, &mut |statement| {
            nested |= matches!(&statement.kind, StatementKind::For(of) if of.parallel.is_some());
        });
        // Blocks note which elements they write: where they write to the array itself, and by themselves.
        !nested
            && accesses
                .iter()
                .all(|(access, _)| access.kind == Kind::Write && access.array == array && self.steady(access))
    }

    /// Whether the access goes through the same elements in each iteration.
    fn steady(&self, access: &Access) -> bool {
        let repeated = |poly: &Poly| self.repeated(poly, &mut BTreeSet::new());
        access
            .counters
            .iter()
            .all(|counter| *counter == self.recorder.iteration || repeated(&Poly::atom(*counter)))
            && access.subscripts.iter().flatten().all(|(_, place)| place.as_ref().is_some_and(repeated))
    }

    /// Whether a value takes the same course in each iteration: made of what does not vary and of inner loops' variables.
    fn repeated(&self, poly: &Poly, seen: &mut BTreeSet<Atom>) -> bool {
        let depth = self.recorder.depth;
        poly.atoms().collect::<Vec<_>>().into_iter().all(|atom| {
            let info = self.interpreter.atoms.get(atom);
            if info.scope < depth || !seen.insert(atom) {
                return true;
            }
            atom != self.recorder.iteration
                && info.counter
                && info.facts.iter().all(|fact| self.repeated(fact.poly(), seen))
        })
    }

    /// Whether what `access` touches was written by `write`, which stands before it, in the same iteration: `write` alone, or the loops that
    /// are around it and not around `access`, fill a box that holds the element.
    fn covers(&self, write: &Access, access: &Access) -> bool {
        let common = write.counters.iter().zip(&access.counters).take_while(|(a, b)| a == b).count();
        let Some(around) = common.checked_sub(1).map(|last| write.counters[last]) else { return false };
        let loops = &write.counters[common..];
        let depth = self.interpreter.atoms.get(around).scope;
        let settled = |poly: &Poly, but: Option<Atom>| {
            poly.atoms().all(|atom| Some(atom) == but || self.interpreter.atoms.get(atom).scope <= depth)
        };
        let mut used = BTreeSet::new();
        let all = write.subscripts.iter().zip(&access.subscripts).all(|(ours, theirs)| {
            let [(_, Some(place))] = &ours[..] else { return false };
            let mine: Vec<Atom> = place.atoms().filter(|atom| loops.contains(atom)).collect();
            let counter = match mine[..] {
                [] => None,
                [counter] if used.insert(counter) && place.coefficient(&[counter]) == 1 => Some(counter),
                _ => return false,
            };
            if !settled(place, counter) {
                return false;
            }
            theirs.iter().all(|(facts, element)| {
                let Some(element) = element else { return false };
                let difference = place.subtract(element);
                let Some(counter) = counter else {
                    return difference.is_some_and(|gap| self.known(access, facts, &[Fact::Zero(gap)]));
                };
                // The loop's variable when it writes this element.
                let value = difference.and_then(|gap| Poly::atom(counter).subtract(&gap));
                let Some(value) = value else { return false };
                let mut bounds = Vec::new();
                for fact in &self.interpreter.atoms.get(counter).facts {
                    let Fact::AtLeastZero(bound) = fact else { return false };
                    let unit = bound.coefficient(&[counter]).abs() == 1;
                    if !unit
                        || bound.divide(counter).0.as_constant().is_none()
                        || !settled(bound, Some(counter))
                    {
                        return false;
                    }
                    let Some(bound) = bound.substitute(counter, &value) else { return false };
                    bounds.push(Fact::AtLeastZero(bound));
                }
                bounds.len() == 2 && self.known(access, facts, &bounds)
            })
        });
        all && used.len() == loops.len()
    }

    /// Whether all of `wanted` holds where the access stands.
    fn known(&self, access: &Access, also: &[Fact], wanted: &[Fact]) -> bool {
        wanted.iter().all(|wanted| {
            if matches!(wanted, Fact::Zero(poly) if poly.is_zero()) {
                return true;
            }
            let mut path = access.facts.clone();
            path.extend(also.iter().cloned());
            let of = also.iter().map(Fact::poly).chain([wanted.poly()]);
            let facts = self.interpreter.closure(&path, of);
            solver::implied(&facts, wanted, &self.interpreter.effort)
        })
    }
}
