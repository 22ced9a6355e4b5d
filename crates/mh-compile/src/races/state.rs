//! What is known at a point of the program: values of scalars, what arrays stand for, facts of the path.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::affine::{Atom, Fact, Poly};
use crate::ir::{Expr, ExprKind, Function, StatementKind, Type, Var};

use super::walk::statements;

/// One atom. `scope`: how many loops enclose the place where its value is settled; it is the same in all iterations of a loop whose body
/// lies at a greater depth.
#[derive(Debug)]
pub struct AtomInfo {
    pub scope: usize,
    /// True wherever the atom is.
    pub facts: Vec<Fact>,
    pub name: Option<String>,
    /// A serial loop's variable.
    pub counter: bool,
    /// This is `left // right`, where the sign of `right` was not known.
    pub quotient: Option<(Poly, Poly)>,
    /// This is the less of two.
    pub least: Option<(Poly, Poly)>,
}

#[derive(Debug, Default)]
pub struct Atoms {
    all: Vec<AtomInfo>,
    /// Atoms that stand for a computation: the same one for the same operands.
    memo: HashMap<Key, Atom>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    Dim(RootId, usize),
    FloorDivide(Poly, Poly),
    Min(Poly, Poly),
    Max(Poly, Poly),
    Absolute(Poly),
}

impl Atoms {
    pub fn fresh(&mut self, scope: usize, name: Option<String>) -> Atom {
        self.all.push(AtomInfo {
            scope,
            facts: Vec::new(),
            name,
            counter: false,
            quotient: None,
            least: None,
        });
        Atom(u32::try_from(self.all.len() - 1).unwrap_or(u32::MAX))
    }

    pub fn get(&self, atom: Atom) -> &AtomInfo {
        &self.all[atom.0 as usize]
    }

    pub fn get_mut(&mut self, atom: Atom) -> &mut AtomInfo {
        &mut self.all[atom.0 as usize]
    }

    /// The scope of the innermost atom.
    pub fn scope(&self, poly: &Poly) -> usize {
        poly.atoms().map(|atom| self.get(atom).scope).max().unwrap_or(0)
    }

    /// Forgets computations whose value was of loops that have been left.
    pub fn leave(&mut self, depth: usize) {
        self.memo.retain(|_, atom| self.all[atom.0 as usize].scope < depth);
    }

    /// Facts of a quotient whose divisor is positive.
    pub fn quotient_facts(&self, atom: Atom) -> Option<[Fact; 2]> {
        let (left, right) = self.get(atom).quotient.as_ref()?;
        let low = right.multiply(&Poly::atom(atom))?;
        Some([Fact::at_most(&low, left)?, Fact::less(left, &low.add(right)?)?])
    }

    /// The atom of a computation; `facts` are made for a new one.
    pub fn computed(
        &mut self,
        key: Key,
        scope: usize,
        facts: impl FnOnce(&Poly) -> Vec<Option<Fact>>,
    ) -> Poly {
        if let Some(atom) = self.memo.get(&key) {
            return Poly::atom(*atom);
        }
        let atom = self.fresh(scope, None);
        if let Key::Min(left, right) = &key {
            self.get_mut(atom).least = Some((left.clone(), right.clone()));
        }
        self.memo.insert(key, atom);
        let poly = Poly::atom(atom);
        self.get_mut(atom).facts = facts(&poly).into_iter().flatten().collect();
        poly
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RootId(pub u32);

/// Where memory comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Site {
    /// The caller's.
    External,
    /// Made by this expression of the function.
    New(*const Expr),
    /// A call's result: may be anything.
    Unknown,
}

/// An array as it was made, came in, or stands in a variable of which no more is known.
#[derive(Debug)]
pub struct Root {
    pub var: Var,
    pub scope: usize,
    pub sites: BTreeSet<Site>,
}

/// The element along one axis, with what must hold: a subscript that may be negative has two.
pub type Alternatives = Vec<(Vec<Fact>, Option<Poly>)>;

/// Where a root's axis gets its subscript from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    Fixed(Alternatives),
    /// `start + step * subscript`; `None`: unknown.
    Axis {
        axis: usize,
        map: Option<(Poly, Poly)>,
    },
}

/// Of a view's axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Length {
    pub value: Poly,
    /// What it is where it is not 0: what bounds a subscript.
    pub extent: Poly,
}

impl Length {
    pub fn plain(value: Poly) -> Self {
        Self { extent: value.clone(), value }
    }
}

/// An array variable's value.
#[derive(Clone, Debug)]
pub struct ArrayValue {
    pub root: RootId,
    /// For each axis of the root.
    pub sources: Vec<Source>,
    /// For each axis of this view.
    pub lengths: Vec<Length>,
    /// The variable, the one that it is a view of, and so on to the root.
    pub chain: Vec<Var>,
}

impl PartialEq for ArrayValue {
    fn eq(&self, other: &Self) -> bool {
        (self.root, &self.sources, &self.lengths) == (other.root, &other.sources, &other.lengths)
    }
}

#[derive(Clone, Debug, Default)]
pub struct State {
    pub scalars: BTreeMap<Var, Poly>,
    pub arrays: BTreeMap<Var, ArrayValue>,
    pub facts: Vec<Fact>,
}

/// From which sites a variable's memory may come, wherever it is assigned.
pub fn sites(function: &Function) -> HashMap<Var, BTreeSet<Site>> {
    let mut sites: HashMap<Var, BTreeSet<Site>> = HashMap::new();
    for var in &function.parameters {
        if matches!(function.variables[var.0 as usize].ty, Type::Array(_)) {
            sites.entry(*var).or_default().insert(Site::External);
        }
    }
    let mut copies = Vec::new();
    statements(&function.body, &mut |statement| match &statement.kind {
        StatementKind::Assign { var, value } if value.ty.array().is_some() => match &*value.kind {
            ExprKind::New { .. } => {
                sites.entry(*var).or_default().insert(Site::New(std::ptr::from_ref(value)));
            }
            ExprKind::Var(from) | ExprKind::View { array: from, .. } => copies.push((*var, *from)),
            _ => {
                sites.entry(*var).or_default().insert(Site::Unknown);
            }
        },
        StatementKind::Call { results, .. } => {
            for var in results {
                if function.variables[var.0 as usize].ty.array().is_some() {
                    sites.entry(*var).or_default().insert(Site::Unknown);
                }
            }
        }
        _ => {}
    });
    loop {
        let mut changed = false;
        for (to, from) in &copies {
            let new = sites.get(from).cloned().unwrap_or_default();
            let old = sites.entry(*to).or_default();
            let before = old.len();
            old.extend(new);
            changed |= old.len() > before;
        }
        if !changed {
            return sites;
        }
    }
}

/// Whether two roots may share memory.
pub fn may_alias(a: &Root, b: &Root) -> bool {
    if a.sites.contains(&Site::Unknown) || b.sites.contains(&Site::Unknown) {
        return true;
    }
    !a.sites.is_disjoint(&b.sites)
}
