//! Goes through a function once, keeping what is known of integers and arrays, and notes for each parallel loop what its body touches.

use std::collections::{BTreeSet, HashMap};

use super::accesses::{Kind as AccessKind, Recorder, Touch};
use super::affine::{Atom, Fact, Poly};
use super::solver;
use super::state::{ArrayValue, Atoms, Length, Root, RootId, Site, State, sites};
use super::walk::{assigned, statements};
use crate::ir::{Block, Expr, ExprKind, For, Function, Label, Span, Statement, StatementKind, Type, Var};
use crate::walk::expressions;

pub struct Interpreter<'a> {
    pub function: &'a Function,
    /// For each function of the module: whether it writes to arrays that it is handed.
    pub writers: &'a [bool],
    pub atoms: Atoms,
    pub roots: Vec<Root>,
    /// Enclosing loops.
    pub depth: usize,
    /// For each enclosing loop: kinds of elements that its body stores to; all of them where it calls.
    pub stores: Vec<BTreeSet<crate::ir::Kind>>,
    sites: HashMap<Var, BTreeSet<Site>>,
    /// States at the `Leave`s of labels.
    leaves: HashMap<Label, Vec<State>>,
    /// Of the enclosing parallel loops.
    pub recorders: Vec<Recorder<'a>>,
    /// In the order in which their bodies end.
    pub done: Vec<Recorder<'a>>,
    /// Calls that have been inlined, outermost first.
    pub calls: Vec<Span>,
    /// What decides if the place is reached that is looked at.
    pub branches: Vec<super::accesses::Branch>,
    /// Variables of the enclosing `For` loops.
    pub counters: Vec<Atom>,
    pub effort: solver::Effort,
}

impl<'a> Interpreter<'a> {
    pub fn new(function: &'a Function, writers: &'a [bool]) -> Self {
        Self {
            function,
            writers,
            atoms: Atoms::default(),
            roots: Vec::new(),
            depth: 0,
            stores: Vec::new(),
            sites: sites(function),
            leaves: HashMap::new(),
            recorders: Vec::new(),
            done: Vec::new(),
            calls: Vec::new(),
            branches: Vec::new(),
            counters: Vec::new(),
            effort: solver::Effort::default(),
        }
    }

    pub fn run(&mut self) {
        let mut state = State::default();
        for var in &self.function.parameters {
            self.forget(*var, &mut state);
        }
        self.block(&self.function.body, Some(state));
    }

    /// Whether the state makes the fact true.
    pub fn implied(&self, state: &State, fact: &Fact) -> bool {
        let facts = self.closure(&state.facts, std::iter::once(fact.poly()));
        solver::implied(&facts, fact, &self.effort)
    }

    /// What bears on some values: facts of their atoms and of the path, and so on.
    pub fn closure<'p>(&self, path: &[Fact], of: impl Iterator<Item = &'p Poly>) -> Vec<Fact> {
        let mut known: BTreeSet<Atom> = of.flat_map(|poly| poly.atoms().collect::<Vec<_>>()).collect();
        let mut facts: Vec<Fact> = Vec::new();
        let mut left: Vec<&Fact> = path.iter().collect();
        let mut seen: BTreeSet<Atom> = BTreeSet::new();
        loop {
            let before = facts.len();
            let fresh: Vec<Atom> = known.difference(&seen).copied().collect();
            for atom in fresh {
                seen.insert(atom);
                facts.extend(self.atoms.get(atom).facts.iter().cloned());
                if let Some((a, b)) = &self.atoms.get(atom).quotient {
                    known.extend(a.atoms().chain(b.atoms()));
                }
            }
            left.retain(|fact| {
                let near = fact.poly().atoms().any(|atom| known.contains(&atom));
                if near {
                    facts.push((*fact).clone());
                }
                !near
            });
            for fact in &facts[before..] {
                known.extend(fact.poly().atoms());
            }
            if facts.len() == before && known.len() == seen.len() {
                break;
            }
        }
        for atom in &seen {
            let Some((_, divisor)) = &self.atoms.get(*atom).quotient else { continue };
            let positive = Fact::at_most(&Poly::constant(1), divisor);
            if positive.is_some_and(|fact| solver::implied(&facts, &fact, &self.effort)) {
                facts.extend(self.atoms.quotient_facts(*atom).into_iter().flatten());
            }
        }
        facts
    }

    fn name(&self, var: Var) -> Option<String> {
        self.function.variables[var.0 as usize].name.clone()
    }

    /// A value of which nothing is known but where it lives.
    pub fn forget(&mut self, var: Var, state: &mut State) {
        match self.function.variables[var.0 as usize].ty {
            Type::Scalar(_) => {
                let atom = self.atoms.fresh(self.depth, self.name(var));
                state.scalars.insert(var, Poly::atom(atom));
            }
            Type::Array(_) => {
                let value = self.root(var, self.sites_of(var));
                state.arrays.insert(var, value);
            }
        }
    }

    /// Where the variable's memory may come from.
    pub fn sites_of(&self, var: Var) -> BTreeSet<Site> {
        self.sites.get(&var).cloned().unwrap_or_default()
    }

    pub fn root(&mut self, var: Var, sites: BTreeSet<Site>) -> ArrayValue {
        let id = RootId(u32::try_from(self.roots.len()).unwrap_or(u32::MAX));
        self.roots.push(Root { var, scope: self.depth, sites });
        let rank =
            self.function.variables[var.0 as usize].ty.array().map_or(0, |array| usize::from(array.rank));
        self.whole(var, id, rank)
    }

    pub fn block(&mut self, block: &'a Block, mut state: Option<State>) -> Option<State> {
        for statement in block {
            state = self.statement(statement, state?);
        }
        state
    }

    fn statement(&mut self, statement: &'a Statement, mut state: State) -> Option<State> {
        if !matches!(statement.kind, StatementKind::While { .. }) {
            for expr in expressions(statement) {
                self.scan(expr, &mut state);
            }
        }
        match &statement.kind {
            StatementKind::Assign { var, value } => self.assign(*var, value, &mut state),
            StatementKind::Store { array, indices, update, .. } => {
                let kind = AccessKind::of_store(*update);
                self.touch(Touch { array: *array, indices, kind, span: statement.span }, &mut state);
            }
            StatementKind::If { condition, then, orelse } => {
                let (mut yes, mut no) = (state.clone(), state.clone());
                self.assume(condition, true, &mut yes);
                self.assume(condition, false, &mut no);
                self.under_condition(1);
                let place = std::ptr::from_ref(statement).addr();
                self.branches.push((place, true));
                let yes = self.block(then, Some(yes));
                self.branches.pop();
                self.branches.push((place, false));
                let no = self.block(orelse, Some(no));
                self.branches.pop();
                self.under_condition(-1);
                return self.merge([yes, no].into_iter().flatten().collect());
            }
            StatementKind::While { head, condition, body } => {
                let mut entry = self.enter(head.iter().chain(body), &state);
                self.under_condition(1);
                self.branches.push((std::ptr::from_ref(statement).addr(), true));
                if let Some(mut tested) = self.block(head, Some(entry.clone())) {
                    self.scan(condition, &mut tested);
                    self.assume(condition, true, &mut tested);
                    self.block(body, Some(tested));
                }
                self.branches.pop();
                self.under_condition(-1);
                self.exit(head.iter().chain(body), &mut entry, &state);
                return Some(entry);
            }
            StatementKind::For(of) => return Some(self.each(of, statement.span, state)),
            StatementKind::Labelled { label, body, call } => {
                self.calls.extend(*call);
                let mut ends = Vec::new();
                ends.extend(self.block(body, Some(state)));
                ends.extend(self.leaves.remove(label).unwrap_or_default());
                self.calls.truncate(self.calls.len() - usize::from(call.is_some()));
                return self.merge(ends);
            }
            StatementKind::Break | StatementKind::Continue => {
                self.jumped();
                return None;
            }
            StatementKind::Leave(label) => {
                self.jumped_if_conditional();
                self.leaves.entry(*label).or_default().push(state);
                return None;
            }
            StatementKind::Return(_) | StatementKind::Raise { .. } => return None,
            StatementKind::Call { results, function, arguments } => {
                for argument in arguments {
                    let ExprKind::Var(array) = &*argument.kind else { continue };
                    if argument.ty.array().is_some() {
                        let writes = self.writers[function.0 as usize];
                        self.touch_all(*array, writes, statement.span, &mut state);
                    }
                }
                for var in results {
                    self.forget(*var, &mut state);
                }
            }
            StatementKind::Print { .. } | StatementKind::Lockstep(_) => {}
        }
        Some(state)
    }

    fn assign(&mut self, var: Var, value: &'a Expr, state: &mut State) {
        if value.ty.array().is_none() {
            let poly = self.value(value, state);
            state.scalars.insert(var, poly);
            return;
        }
        let array = match &*value.kind {
            ExprKind::Var(from) => state.arrays.get(from).cloned(),
            ExprKind::View { array, parts, .. } => self.view(var, *array, parts, state),
            ExprKind::New { lengths, .. } => {
                let mut array = self.root(var, BTreeSet::from([Site::New(std::ptr::from_ref(value))]));
                array.lengths =
                    lengths.iter().map(|length| Length::plain(self.value(length, state))).collect();
                Some(array)
            }
            _ => None,
        };
        match array {
            Some(mut array) => {
                if array.chain.first() != Some(&var) {
                    array.chain.insert(0, var);
                }
                state.arrays.insert(var, array);
            }
            None => self.forget(var, state),
        }
    }

    /// What is known where ways meet.
    fn merge(&mut self, states: Vec<State>) -> Option<State> {
        let mut states = states.into_iter();
        let mut out = states.next()?;
        for other in states {
            let same = out.facts.iter().zip(&other.facts).take_while(|(a, b)| a == b).count();
            out.facts.truncate(same);
            let vars: Vec<Var> = out.scalars.keys().chain(other.scalars.keys()).copied().collect();
            for var in vars {
                if out.scalars.get(&var) != other.scalars.get(&var) {
                    self.forget(var, &mut out);
                }
            }
            let arrays: Vec<Var> = out.arrays.keys().chain(other.arrays.keys()).copied().collect();
            for var in arrays {
                if out.arrays.get(&var) != other.arrays.get(&var) {
                    self.forget(var, &mut out);
                }
            }
        }
        Some(out)
    }

    /// The state at the head of a loop's body: what the body assigns is not known.
    fn enter<'s>(&mut self, body: impl Iterator<Item = &'s Statement> + Clone, state: &State) -> State {
        self.depth += 1;
        let mut kinds = BTreeSet::new();
        let mut state = state.clone();
        for statement in body {
            let statement = std::slice::from_ref(statement);
            statements(statement, &mut |inner| match &inner.kind {
                StatementKind::Store { array, .. } => kinds.extend(self.element(*array)),
                StatementKind::Call { .. } => kinds.extend(ALL_KINDS),
                _ => {}
            });
            for var in assigned(statement) {
                self.forget(var, &mut state);
            }
        }
        self.stores.push(kinds);
        state
    }

    /// The state after a loop.
    fn exit<'s>(&mut self, body: impl Iterator<Item = &'s Statement>, state: &mut State, before: &State) {
        self.stores.pop();
        self.atoms.leave(self.depth);
        self.depth -= 1;
        *state = before.clone();
        for statement in body {
            for var in assigned(std::slice::from_ref(statement)) {
                self.forget(var, state);
            }
        }
    }

    fn each(&mut self, of: &'a For, span: Span, state: State) -> State {
        let [start, stop, step] = [&of.start, &of.stop, &of.step].map(|expr| self.value(expr, &state));
        let mut entry = self.enter(of.body.iter(), &state);
        let name = self.name(of.var);
        let atom = self.atoms.fresh(self.depth, name);
        let value = self.range(atom, &start, &stop, &step);
        self.atoms.get_mut(atom).counter = true;
        entry.scalars.insert(of.var, value.clone().unwrap_or_else(|| Poly::atom(atom)));
        if of.parallel.is_some() {
            self.recorders.push(Recorder::new(
                of,
                span,
                self.depth,
                atom,
                [start, stop, step],
                state.clone(),
            ));
            if let Some(recorder) = self.recorders.last_mut() {
                recorder.branches = self.branches.len();
            }
        }
        self.counters.push(atom);
        self.block(&of.body, Some(entry.clone()));
        self.counters.pop();
        if of.parallel.is_some() {
            self.done.extend(self.recorders.pop());
        }
        self.exit(of.body.iter(), &mut entry, &state);
        self.forget(of.var, &mut entry);
        entry
    }

    /// The value of a loop's variable; `atom` is that value itself, or counts iterations from 0.
    fn range(&mut self, atom: Atom, start: &Poly, stop: &Poly, step: &Poly) -> Option<Poly> {
        let this = Poly::atom(atom);
        let (value, facts) = match step.as_constant() {
            Some(1) => (this.clone(), vec![Fact::at_most(start, &this), Fact::less(&this, stop)]),
            Some(-1) => (this.clone(), vec![Fact::at_most(&this, start), Fact::less(stop, &this)]),
            known => {
                let value = start.add(&step.multiply(&this)?)?;
                let mut facts = vec![Some(Fact::AtLeastZero(this)), Some(Fact::NotZero(step.clone()))];
                match known {
                    Some(1..) => facts.push(Fact::less(&value, stop)),
                    Some(_) => facts.push(Fact::less(stop, &value)),
                    None => {}
                }
                (value, facts)
            }
        };
        self.atoms.get_mut(atom).facts = facts.into_iter().flatten().collect();
        Some(value)
    }

    /// The variable of a parallel loop.
    pub fn value_of_iteration(&self, recorder: &Recorder) -> Poly {
        let this = Poly::atom(recorder.iteration);
        match recorder.step.as_constant() {
            Some(1 | -1) => this,
            _ => recorder.step.multiply(&this).and_then(|way| recorder.start.add(&way)).unwrap_or(this),
        }
    }

    pub fn element(&self, array: Var) -> Option<crate::ir::Kind> {
        self.function.variables[array.0 as usize].ty.array().map(|array| array.element)
    }

    /// The depth of the loops that may change what the array holds.
    pub fn memory_scope(&self, array: &ArrayValue) -> usize {
        let var = self.roots[array.root.0 as usize].var;
        let changed = self
            .element(var)
            .and_then(|kind| self.stores.iter().rposition(|kinds| kinds.contains(&kind)))
            .map_or(0, |place| place + 1);
        changed.max(self.roots[array.root.0 as usize].scope)
    }
}

const ALL_KINDS: [crate::ir::Kind; 13] = {
    use crate::ir::Kind::{Bool, C64, C128, F32, F64, I8, I16, I32, I64, U8, U16, U32, U64};
    [Bool, I8, I16, I32, I64, U8, U16, U32, U64, F32, F64, C64, C128]
};
