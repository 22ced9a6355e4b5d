//! Arrays that every iteration overwrites before it reads them: each block has its own, and the last iteration's content is given back.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::accesses::{Access, Branch, Kind, Recorder};
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
            && accesses.iter().enumerate().all(|(number, (access, _))| {
                self.always(access, accesses) || self.written_before(access, &accesses[..number], accesses)
            })
    }

    /// Whether each iteration does this write, or another one to the same elements on the other side of an `if`.
    fn always(&self, access: &Access, accesses: &[Noted]) -> bool {
        if access.kind != Kind::Write || !self.steady(access) {
            return false;
        }
        match self.path(access) {
            [] => true,
            [(place, side)] => accesses.iter().any(|(other, _)| {
                other.kind == Kind::Write
                    && self.path(other) == [(*place, !side)]
                    && self.steady(other)
                    && self.covers(access, other)
                    && self.covers(other, access)
            }),
            _ => false,
        }
    }

    /// Whether the elements were written before, in any case: by one write, or by one on each side of an `if`.
    fn written_before(&self, access: &Access, before: &[Noted], all: &[Noted]) -> bool {
        let writes =
            || before.iter().filter(|(write, _)| self.always(write, all) && self.covers(write, access));
        writes().any(|(write, _)| match self.path(write) {
            [] => true,
            [(place, side)] => {
                self.path(access).starts_with(self.path(write))
                    || writes().any(|(other, _)| self.path(other) == [(*place, !side)])
            }
            _ => false,
        })
    }

    /// What decides, within an iteration, if the access happens.
    fn path<'p>(&self, access: &'p Access) -> &'p [Branch] {
        &access.branches[self.recorder.branches..]
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
        // A part of a complex element is not all of it.
        if write.subscripts.len() > access.subscripts.len() {
            return false;
        }
        let mut used = BTreeSet::new();
        let all = write.subscripts.iter().zip(&access.subscripts).all(|(ours, theirs)| {
            let [(_, Some(place))] = &ours[..] else { return false };
            let mine: Vec<Atom> = place.atoms().filter(|atom| loops.contains(atom)).collect();
            let counter = match mine[..] {
                [] => None,
                [counter] if used.insert(counter) && place.coefficient(&[counter]).abs() == 1 => {
                    Some(counter)
                }
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
                let up = place.coefficient(&[counter]);
                let value = difference
                    .and_then(|gap| gap.scale(up))
                    .and_then(|gap| Poly::atom(counter).subtract(&gap));
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
            // At most the less of two: at most each of them.
            if let Some((one, other)) = self.parts(wanted) {
                return self.known(access, also, &[one]) && self.known(access, also, &[other]);
            }
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

    /// `x <= min(a, b)` as `x <= a` and `x <= b`.
    fn parts(&self, fact: &Fact) -> Option<(Fact, Fact)> {
        let Fact::AtLeastZero(poly) = fact else { return None };
        poly.atoms().collect::<Vec<_>>().into_iter().find_map(|atom| {
            let (one, other) = self.interpreter.atoms.get(atom).least.as_ref()?;
            if poly.divide(atom).0.as_constant() != Some(1) {
                return None;
            }
            let [one, other] = [one, other].map(|part| poly.substitute(atom, part).map(Fact::AtLeastZero));
            Some((one?, other?))
        })
    }
}
