//! What becomes of the arrays that a parallel loop's body touches: each iteration's own elements, accumulated, overwritten, or refused.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::accesses::{Access, Kind, Recorder};
use super::assumptions::{Assumption, candidates};
use super::conflicts::Pairs;
use super::interpret::Interpreter;
use super::report;
use super::scratch::Overwriting;
use super::state::{RootId, Site, may_alias};
use super::walk::{Set, assigned, statements};
use crate::diagnostic::Diagnostic;
use crate::ir::{Accumulated, Expr, ExprKind, ReductionKind, StatementKind, Var};

#[derive(Debug, Default)]
pub struct Roles {
    pub accumulated: Vec<Accumulated>,
    pub overwritten: Vec<Var>,
    pub distinct: Vec<(Var, Var)>,
    pub conditions: Vec<Expr>,
}

type Noted = (Rc<Access>, bool);

pub fn classify(
    interpreter: &Interpreter,
    recorder: &Recorder,
    source: &report::Source,
    unchecked: bool,
) -> Result<Roles, Diagnostic> {
    let mut this = Classifier {
        interpreter,
        recorder,
        source,
        written: assigned(&recorder.of.body),
        candidates: candidates(interpreter, recorder),
        assumed: BTreeSet::new(),
        roles: Roles::default(),
    };
    let mut groups: BTreeMap<RootId, Vec<Noted>> = BTreeMap::new();
    let made = this.made();
    for noted in &recorder.accesses {
        if !this.local(noted.0.root, &made) {
            groups.entry(noted.0.root).or_default().push(noted.clone());
        }
    }
    let mut refusals = Vec::new();
    for accesses in groups.values() {
        if accesses.iter().any(|(access, _)| access.kind.writes()) {
            refusals.extend(this.role(accesses).err());
        }
    }
    refusals.extend(this.aliases(&groups).err());
    refusals.sort_by_key(|diagnostic| (diagnostic.span.line, diagnostic.span.column));
    if let Some(first) = refusals.into_iter().next().filter(|_| !unchecked) {
        return Err(first);
    }
    let assumed = this.assumed.iter().map(|number| this.candidates[*number].expr.clone());
    this.roles.conditions = assumed.collect();
    Ok(this.roles)
}

struct Classifier<'i, 'a> {
    interpreter: &'i Interpreter<'a>,
    recorder: &'i Recorder<'a>,
    source: &'i report::Source<'i>,
    /// Variables that the body assigns.
    written: Set,
    candidates: Vec<Assumption>,
    /// Those that are made conditions of the plan.
    assumed: BTreeSet<usize>,
    roles: Roles,
}

impl<'i, 'a> Classifier<'i, 'a> {
    /// The arrays that the body makes.
    fn made(&self) -> BTreeSet<Site> {
        let mut made = BTreeSet::new();
        statements(&self.recorder.of.body, &mut |statement| {
            if let StatementKind::Assign { value, .. } = &statement.kind
                && matches!(*value.kind, ExprKind::New { .. })
            {
                made.insert(Site::New(std::ptr::from_ref(value)));
            }
        });
        made
    }

    /// Whether the array is of one iteration.
    fn local(&self, root: RootId, made: &BTreeSet<Site>) -> bool {
        let root = &self.interpreter.roots[root.0 as usize];
        root.scope >= self.recorder.depth && !root.sites.is_empty() && root.sites.is_subset(made)
    }

    /// The variable at the loop's entry through which the array is reached.
    fn origin(&self, access: &Access) -> Option<Var> {
        access
            .chain
            .iter()
            .copied()
            .find(|var| !self.written.contains(var) && self.recorder.entry.arrays.contains_key(var))
    }

    fn pairs(&self, assumed: &BTreeSet<usize>) -> Pairs<'i, 'a> {
        let facts = assumed.iter().map(|number| self.candidates[*number].fact.clone());
        Pairs { interpreter: self.interpreter, recorder: self.recorder, assumed: facts.collect() }
    }

    /// Decides what becomes of one array that is written.
    fn role(&mut self, accesses: &[Noted]) -> Result<(), Diagnostic> {
        let unknown = self.interpreter.roots[accesses[0].0.root.0 as usize].scope >= self.recorder.depth;
        let leaving = super::leaving::first_break(self.recorder.of);
        let tests = tests(accesses);
        if leaving.is_none() && !unknown && self.separate(&tests) {
            return Ok(());
        }
        let origins: BTreeSet<Option<Var>> = accesses.iter().map(|(access, _)| self.origin(access)).collect();
        // Copies for each block are of the origin's elements: real parts are not elements of a complex array.
        let whole = |array: &Var| {
            let kind = self.interpreter.element(*array);
            accesses.iter().all(|(access, _)| self.interpreter.element(access.array) == kind)
        };
        let origin = origins.first().copied().flatten().filter(|_| origins.len() == 1).filter(whole);
        if let Some(array) = origin {
            if let Some(kind) = accumulation(accesses) {
                self.roles.accumulated.push(Accumulated { array, kind });
                return Ok(());
            }
            let overwriting = Overwriting { interpreter: self.interpreter, recorder: self.recorder };
            if leaving.is_none() && overwriting.whole(accesses) {
                self.roles.overwritten.push(array);
                return Ok(());
            }
            if overwriting.now_and_then(array, accesses) {
                self.roles.accumulated.push(Accumulated { array, kind: ReductionKind::Latest });
                return Ok(());
            }
        }
        if let Some(jump) = leaving {
            let write = accesses.iter().find(|(access, _)| access.kind.writes());
            let write = &write.unwrap_or(&accesses[0]).0;
            return Err(report::left_while_writing(self.source, self.recorder.of, jump, write));
        }
        let pairs = self.pairs(&(0..self.candidates.len()).collect());
        let (x, y) = tests.into_iter().find(|(x, y)| unknown || !pairs.apart(x, y)).unwrap_or_else(|| {
            let first = accesses.iter().find(|(access, _)| access.kind.writes()).unwrap_or(&accesses[0]);
            (Rc::clone(&first.0), Rc::clone(&first.0))
        });
        let clash = self.pairs(&BTreeSet::new()).example(&x, &y);
        Err(report::clash(self.source, &pairs, &x, &y, clash.as_ref(), accesses))
    }

    /// Whether no two iterations meet; with as few assumptions as will do, which are kept.
    fn separate(&mut self, tests: &[(Rc<Access>, Rc<Access>)]) -> bool {
        let holds = |this: &Self, assumed: &BTreeSet<usize>| {
            let pairs = this.pairs(assumed);
            tests.iter().all(|(x, y)| pairs.apart(x, y))
        };
        let mut assumed = self.assumed.clone();
        if holds(self, &assumed) {
            return true;
        }
        let levels: BTreeSet<u8> = self.candidates.iter().map(|candidate| candidate.level).collect();
        for level in levels {
            let more = (0..self.candidates.len()).filter(|number| self.candidates[*number].level <= level);
            assumed.extend(more);
            if !holds(self, &assumed) {
                continue;
            }
            for number in assumed.clone().into_iter().rev() {
                if !self.assumed.contains(&number) {
                    assumed.remove(&number);
                    if !holds(self, &assumed) {
                        assumed.insert(number);
                    }
                }
            }
            self.assumed = assumed;
            return true;
        }
        false
    }

    /// Arrays that must share no memory.
    fn aliases(&mut self, groups: &BTreeMap<RootId, Vec<Noted>>) -> Result<(), Diagnostic> {
        let mut pairs = BTreeSet::new();
        let list: Vec<(&RootId, &Vec<Noted>)> = groups.iter().collect();
        for (number, (root, accesses)) in list.iter().enumerate() {
            for (other, others) in &list[number + 1..] {
                let roots = &self.interpreter.roots;
                if !may_alias(&roots[root.0 as usize], &roots[other.0 as usize]) {
                    continue;
                }
                for (x, _) in *accesses {
                    for (y, _) in *others {
                        if !x.kind.writes() && !y.kind.writes() {
                            continue;
                        }
                        let (Some(a), Some(b)) = (self.origin(x), self.origin(y)) else {
                            return Err(report::unknown_array(self.source, self.recorder.of, x, y));
                        };
                        pairs.insert((a.min(b), a.max(b)));
                    }
                }
            }
        }
        self.roles.distinct = pairs.into_iter().collect();
        Ok(())
    }
}

/// Pairs of accesses of which one writes, those that look alike once.
fn tests(accesses: &[Noted]) -> Vec<(Rc<Access>, Rc<Access>)> {
    let mut unlike: Vec<Rc<Access>> = Vec::new();
    for (access, _) in accesses {
        let alike = |other: &Rc<Access>| {
            other.kind.writes() == access.kind.writes()
                && other.subscripts == access.subscripts
                && other.facts == access.facts
        };
        if !unlike.iter().any(alike) {
            unlike.push(Rc::clone(access));
        }
    }
    let mut out = Vec::new();
    for (number, x) in unlike.iter().enumerate() {
        for y in &unlike[number..] {
            if x.kind.writes() || y.kind.writes() {
                out.push((Rc::clone(x), Rc::clone(y)));
            }
        }
    }
    // A write first, and clashes of writes before those of reads.
    out.iter_mut().filter(|(x, _)| !x.kind.writes()).for_each(|(x, y)| std::mem::swap(x, y));
    out
}

fn accumulation(accesses: &[Noted]) -> Option<ReductionKind> {
    let kinds: Vec<Kind> = accesses.iter().map(|(access, _)| access.kind).collect();
    match kinds.first()? {
        Kind::Update(Some(kind)) if kinds.iter().all(|other| *other == Kind::Update(Some(*kind))) => {
            Some(*kind)
        }
        _ => None,
    }
}
