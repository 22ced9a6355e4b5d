//! What one loop and the loops inside it assign: the facts that bounds are computed from.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::ir::{Block, Expr, ExprKind, Fill, For, Label, Statement, StatementKind, Var};
use crate::walk::{expressions, operands};

/// One loop of a nest; number 0 is the outermost, `parent` the one around it.
#[derive(Clone, Debug)]
pub struct Loop {
    pub start: Expr,
    pub stop: Expr,
    pub step: Expr,
    pub parent: Option<usize>,
}

/// One place that gives a variable a value.
#[derive(Clone, Debug)]
pub enum Definition {
    /// `loops`: the number of the innermost loop around, if no `while` is between it and the nest's outermost.
    Value { value: Expr, within: Option<usize> },
    /// The variable of this loop.
    Loop(usize),
    /// By a call.
    Unknown,
}

#[derive(Debug, Default)]
pub struct Nest {
    pub loops: Vec<Loop>,
    pub definitions: HashMap<Var, Vec<Definition>>,
    /// Variables whose value from before the loop may be read inside.
    pub exposed: BTreeSet<Var>,
    /// The same for each loop.
    exposed_in: Vec<BTreeSet<Var>>,
}

impl Nest {
    pub fn of(outer: &For) -> Self {
        let mut nest = Self::default();
        nest.enter(outer, None, true);
        nest.exposed = nest.exposed_in[0].clone();
        nest
    }

    /// Whether an iteration of this loop may read what an earlier one left in the variable.
    pub fn exposed_in(&self, number: usize, var: Var) -> bool {
        self.exposed_in.get(number).is_none_or(|exposed| exposed.contains(&var))
    }

    pub fn is_invariant(&self, var: Var) -> bool {
        !self.definitions.contains_key(&var)
    }

    fn enter(&mut self, each: &For, parent: Option<usize>, counted: bool) {
        let number = self.loops.len();
        self.loops.push(Loop {
            start: each.start.clone(),
            stop: each.stop.clone(),
            step: each.step.clone(),
            parent,
        });
        self.exposed_in.push(exposed(each));
        self.define(each.var, Definition::Loop(number));
        self.block(&each.body, number, counted);
    }

    fn define(&mut self, var: Var, definition: Definition) {
        self.definitions.entry(var).or_default().push(definition);
    }

    fn block(&mut self, block: &Block, within: usize, counted: bool) {
        for statement in block {
            match &statement.kind {
                StatementKind::Assign { var, value } => {
                    let within = counted.then_some(within);
                    self.define(*var, Definition::Value { value: value.clone(), within });
                }
                StatementKind::If { then, orelse, .. } => {
                    self.block(then, within, counted);
                    self.block(orelse, within, counted);
                }
                StatementKind::While { head, body, .. } => {
                    self.block(head, within, false);
                    self.block(body, within, false);
                }
                StatementKind::For(each) => self.enter(each, Some(within), counted),
                StatementKind::Labelled { body, .. } => self.block(body, within, counted),
                StatementKind::Call { results, .. } => {
                    for var in results {
                        self.define(*var, Definition::Unknown);
                    }
                }
                StatementKind::Store { .. }
                | StatementKind::Break
                | StatementKind::Continue
                | StatementKind::Leave(_)
                | StatementKind::Return(_)
                | StatementKind::Raise { .. }
                | StatementKind::Print { .. }
                | StatementKind::Lockstep(_) => {}
            }
        }
    }
}

/// Calls `see` for an expression and all that it is made of, outermost first.
pub fn walk<'a>(expr: &'a Expr, see: &mut impl FnMut(&'a Expr)) {
    see(expr);
    for operand in operands(expr) {
        walk(operand, see);
    }
}

/// The variables that an expression reads, arrays included.
pub fn reads(expr: &Expr, read: &mut impl FnMut(Var)) {
    walk(expr, &mut |part| match &*part.kind {
        ExprKind::Var(var) => read(*var),
        ExprKind::Load { array, .. }
        | ExprKind::View { array, .. }
        | ExprKind::Dim { array, .. }
        | ExprKind::Foldable { array, .. } => read(*array),
        ExprKind::Disjoint { left, right } | ExprKind::New { fill: Fill::Product(left, right), .. } => {
            read(*left);
            read(*right);
        }
        _ => {}
    });
}

/// Variables that the loop's body may read before it has assigned them.
fn exposed(outer: &For) -> BTreeSet<Var> {
    let mut walk = Exposure::default();
    let state = Some(BTreeSet::from([outer.var]));
    walk.block(&outer.body, state);
    walk.exposed
}

/// Definite assignment; a state of `None` is a place that is never reached.
#[derive(Default)]
struct Exposure {
    exposed: BTreeSet<Var>,
    left: BTreeMap<Label, State>,
}

type State = Option<BTreeSet<Var>>;

fn meet(left: State, right: State) -> State {
    match (left, right) {
        (None, other) | (other, None) => other,
        (Some(left), Some(right)) => Some(left.intersection(&right).copied().collect()),
    }
}

impl Exposure {
    fn read(&mut self, var: Var, state: &State) {
        if state.as_ref().is_some_and(|assigned| !assigned.contains(&var)) {
            self.exposed.insert(var);
        }
    }

    fn block(&mut self, block: &Block, mut state: State) -> State {
        for statement in block {
            for expr in expressions(statement) {
                if !matches!(statement.kind, StatementKind::While { .. }) {
                    reads(expr, &mut |var| self.read(var, &state));
                }
            }
            state = self.statement(statement, state);
        }
        state
    }

    fn statement(&mut self, statement: &Statement, mut state: State) -> State {
        match &statement.kind {
            StatementKind::Assign { var, .. } => {
                if let Some(assigned) = &mut state {
                    assigned.insert(*var);
                }
            }
            StatementKind::Call { results, .. } => {
                if let Some(assigned) = &mut state {
                    assigned.extend(results);
                }
            }
            StatementKind::Store { array, .. } => self.read(*array, &state),
            StatementKind::If { then, orelse, .. } => {
                let first = self.block(then, state.clone());
                let second = self.block(orelse, state);
                state = meet(first, second);
            }
            StatementKind::While { head, condition, body } => {
                let tested = self.block(head, state);
                reads(condition, &mut |var| self.read(var, &tested));
                self.block(body, tested.clone());
                // A `break` may come before all that the body assigns, but not before the head.
                state = tested;
            }
            StatementKind::For(each) => {
                let mut inner = state.clone();
                if let Some(assigned) = &mut inner {
                    assigned.insert(each.var);
                }
                self.block(&each.body, inner);
            }
            StatementKind::Labelled { label, body, .. } => {
                let through = self.block(body, state);
                let left = self.left.remove(label).flatten();
                state = meet(through, left);
            }
            StatementKind::Leave(label) => {
                let before = self.left.remove(label).flatten();
                self.left.insert(*label, meet(before, state));
                state = None;
            }
            StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Return(_)
            | StatementKind::Raise { .. } => {
                state = None;
            }
            StatementKind::Print { .. } | StatementKind::Lockstep(_) => {}
        }
        state
    }
}
