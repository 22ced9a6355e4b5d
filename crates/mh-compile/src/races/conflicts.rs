//! Can two iterations touch the same element?

use std::collections::BTreeMap;

use super::accesses::{Access, Recorder};
use super::affine::{Atom, Fact, Poly};
use super::interpret::Interpreter;
use super::solver;
use super::state::Alternatives;

/// Atoms of the second iteration: copies of those that may differ.
const PRIME: u32 = 1 << 30;
/// How many iterations lie between the two.
const DISTANCE: Atom = Atom(u32::MAX);
/// Choices among alternatives of subscripts that are tried for a pair.
const CHOICES: usize = 64;

/// Two iterations that clash, in figures: values of atoms, the later iteration's primed.
#[derive(Clone, Debug, PartialEq)]
pub struct Clash {
    values: BTreeMap<Atom, i128>,
    /// The first of the two accesses is the later iteration's.
    turned: bool,
}

impl Clash {
    /// A value in the iteration of the first access (`second`: of the other one).
    pub fn evaluate(&self, pairs: &Pairs, poly: &Poly, second: bool) -> Option<i128> {
        let poly = if second == self.turned { poly.clone() } else { pairs.prime(poly)? };
        poly.evaluate(|atom| self.values.get(&atom).copied())
    }
}

pub struct Pairs<'i, 'a> {
    pub interpreter: &'i Interpreter<'a>,
    pub recorder: &'i Recorder<'a>,
    /// What is taken to hold at the loop's entry.
    pub assumed: Vec<Fact>,
}

impl Pairs<'_, '_> {
    fn excluded(&self, system: &[Fact]) -> bool {
        solver::contradictory(system, &self.interpreter.effort)
    }

    pub fn varies(&self, atom: Atom) -> bool {
        self.interpreter.atoms.get(atom).scope >= self.recorder.depth
    }

    /// As it is in the later iteration.
    fn prime(&self, poly: &Poly) -> Option<Poly> {
        let primed = poly.rename(|atom| if self.varies(atom) { Atom(atom.0 | PRIME) } else { atom });
        let later = Poly::atom(self.recorder.iteration).add(&Poly::atom(DISTANCE))?;
        primed.substitute(Atom(self.recorder.iteration.0 | PRIME), &later)
    }

    /// Whether no two different iterations make `x` and `y` touch the same element.
    pub fn apart(&self, x: &Access, y: &Access) -> bool {
        let excluded = |x: &Access, y: &Access, plain: bool| {
            self.systems(x, y, plain)
                .is_some_and(|systems| systems.iter().all(|system| self.excluded(system)))
        };
        let before = |x: &Access, y: &Access| excluded(x, y, true) || excluded(x, y, false);
        before(x, y) && (std::ptr::eq(x, y) || before(y, x))
    }

    /// What would have to hold for `x` in one iteration and `y` in a later one, for each choice among the alternatives. `plain`: by
    /// subscripts that have but one.
    fn systems(&self, x: &Access, y: &Access, plain: bool) -> Option<Vec<Vec<Fact>>> {
        let mut base = self.assumed.clone();
        base.extend(self.facts(x));
        for fact in self.facts(y) {
            base.extend(fact.map(|poly| self.prime(poly)));
        }
        base.push(Fact::AtLeastZero(Poly::atom(DISTANCE).subtract(&Poly::constant(1))?));
        let mut systems = vec![base];
        for (ours, theirs) in x.subscripts.iter().zip(&y.subscripts) {
            if plain && (ours.len() > 1 || theirs.len() > 1) {
                continue;
            }
            if systems.len() * ours.len() * theirs.len() > CHOICES {
                continue;
            }
            systems = systems
                .iter()
                .flat_map(|system| self.equal(system, ours, theirs))
                .filter(|system| plain || !self.excluded(system))
                .collect();
        }
        Some(systems)
    }

    fn equal(&self, system: &[Fact], ours: &Alternatives, theirs: &Alternatives) -> Vec<Vec<Fact>> {
        let mut out = Vec::new();
        for (facts, place) in ours {
            for (other_facts, other_place) in theirs {
                let mut system = system.to_vec();
                system.extend(facts.iter().cloned());
                system.extend(other_facts.iter().filter_map(|fact| fact.map(|poly| self.prime(poly))));
                let other_place = other_place.as_ref().and_then(|place| self.prime(place));
                if let (Some(place), Some(other)) = (place, other_place) {
                    system.extend(place.subtract(&other).map(Fact::Zero));
                }
                out.push(system);
            }
        }
        out
    }

    /// All that bears on an access.
    fn facts(&self, access: &Access) -> Vec<Fact> {
        let iteration = Poly::atom(self.recorder.iteration);
        let of = access
            .subscripts
            .iter()
            .flatten()
            .flat_map(|(facts, place)| facts.iter().map(Fact::poly).chain(place).collect::<Vec<_>>());
        self.interpreter
            .closure(&access.facts, of.chain([&iteration]).chain(self.assumed.iter().map(Fact::poly)))
    }

    /// Two iterations that clash, in small figures.
    pub fn example(&self, x: &Access, y: &Access) -> Option<Clash> {
        let known = |access: &Access| access.subscripts.iter().flatten().all(|(_, place)| place.is_some());
        if !known(x) || !known(y) {
            return None;
        }
        [(x, y, false), (y, x, true)].into_iter().find_map(|(x, y, turned)| {
            self.systems(x, y, false)?
                .iter()
                .find_map(|system| Some(Clash { values: search(system, self.recorder.iteration)?, turned }))
        })
    }
}

/// Small integers that make all facts true.
fn search(facts: &[Fact], iteration: Atom) -> Option<BTreeMap<Atom, i128>> {
    let mut atoms: Vec<Atom> =
        facts.iter().flat_map(|fact| fact.poly().atoms().collect::<Vec<_>>()).collect();
    atoms.sort_unstable();
    atoms.dedup();
    // The iteration and the distance first: they should be small.
    atoms.sort_by_key(|atom| (*atom != DISTANCE && *atom != iteration, *atom));
    let mut values = BTreeMap::new();
    let mut effort = 20_000;
    assign(facts, &atoms, &mut values, &mut effort).then_some(values)
}

fn assign(facts: &[Fact], atoms: &[Atom], values: &mut BTreeMap<Atom, i128>, effort: &mut usize) -> bool {
    if *effort == 0 {
        return false;
    }
    *effort -= 1;
    let consistent = facts.iter().all(|fact| fact.holds(|atom| values.get(&atom).copied()) != Some(false));
    if !consistent {
        return false;
    }
    let open = |atom: &&Atom| !values.contains_key(atom);
    let Some(next) = atoms.iter().find(open).copied() else { return true };
    // An equality with one unknown says what that is.
    for fact in facts {
        let Fact::Zero(poly) = fact else { continue };
        let mut unknown: Vec<Atom> = poly.atoms().filter(|atom| !values.contains_key(atom)).collect();
        unknown.dedup();
        let [atom] = unknown[..] else { continue };
        let (quotient, rest) = poly.divide(atom);
        let factor = quotient.evaluate(|other| values.get(&other).copied());
        let rest = rest.evaluate(|other| values.get(&other).copied());
        let (Some(factor), Some(rest)) = (factor, rest) else { continue };
        if factor == 0 || rest % factor != 0 {
            return false;
        }
        values.insert(atom, -rest / factor);
        let found = assign(facts, atoms, values, effort);
        if !found {
            values.remove(&atom);
        }
        return found;
    }
    for value in [0, 1, 2, 3, 4, 5, 6, 8, 10, -1, -2] {
        values.insert(next, value);
        if assign(facts, atoms, values, effort) {
            return true;
        }
    }
    values.remove(&next);
    false
}
