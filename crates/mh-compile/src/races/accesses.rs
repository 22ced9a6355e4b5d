//! What a parallel loop's body touches: each element access, with what is known where it stands.

use std::rc::Rc;

use super::affine::{Atom, Fact, Poly};
use super::interpret::Interpreter;
use super::state::{Alternatives, RootId, Source, State};
use crate::ir::{Binary, Expr, ExprKind, Fill, For, ReductionKind, Span, Var};
use crate::walk::operands;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Read,
    Write,
    /// Reads and writes; `Some`: in a way that can be accumulated.
    Update(Option<ReductionKind>),
}

impl Kind {
    pub fn of_store(update: Option<Binary>) -> Self {
        let Some(op) = update else { return Self::Write };
        Self::Update(match op {
            Binary::Add | Binary::Subtract => Some(ReductionKind::Sum),
            Binary::Multiply => Some(ReductionKind::Product),
            Binary::And => Some(ReductionKind::And),
            Binary::Or => Some(ReductionKind::Or),
            Binary::Xor => Some(ReductionKind::Xor),
            Binary::Min => Some(ReductionKind::Less),
            Binary::Max => Some(ReductionKind::Greater),
            Binary::Minimum => Some(ReductionKind::Minimum),
            Binary::Maximum => Some(ReductionKind::Maximum),
            _ => None,
        })
    }

    pub fn writes(self) -> bool {
        self != Self::Read
    }
}

/// An access as it stands in the program.
pub struct Touch<'a> {
    pub array: Var,
    pub indices: &'a [Expr],
    pub kind: Kind,
    pub span: Span,
}

#[derive(Debug)]
pub struct Access {
    pub root: RootId,
    /// For each axis of the root.
    pub subscripts: Vec<Alternatives>,
    pub kind: Kind,
    pub span: Span,
    pub array: Var,
    /// The variable, what it is a view of, and so on.
    pub chain: Vec<Var>,
    pub facts: Vec<Fact>,
    /// Calls that led here, outermost first.
    pub calls: Vec<Span>,
    /// Variables of all `For` loops around.
    pub counters: Vec<Atom>,
    /// Where the subscripts stand.
    pub indices: Option<(Span, Span)>,
    /// The statements around that decide if it happens, outermost first; of an `If` the side that it stands on.
    pub branches: Vec<Branch>,
}

/// An `If` by its address, and whether its condition holds; of a `while` always the same side.
pub type Branch = (usize, bool);

/// One parallel loop, and what its body touches.
pub struct Recorder<'a> {
    pub of: &'a For,
    pub span: Span,
    /// Of the body: atoms of this depth and below may differ between iterations.
    pub depth: usize,
    pub iteration: Atom,
    pub start: Poly,
    pub stop: Poly,
    pub step: Poly,
    pub entry: State,
    /// With whether a condition decides if it happens.
    pub accesses: Vec<(Rc<Access>, bool)>,
    /// The body holds `break`, `continue` or an early return of a helper.
    pub jumps: bool,
    /// How many branches there are around the loop.
    pub branches: usize,
    conditions: i32,
}

impl<'a> Recorder<'a> {
    pub fn new(
        of: &'a For,
        span: Span,
        depth: usize,
        iteration: Atom,
        [start, stop, step]: [Poly; 3],
        entry: State,
    ) -> Self {
        Self {
            of,
            span,
            depth,
            iteration,
            start,
            stop,
            step,
            entry,
            accesses: Vec::new(),
            jumps: false,
            branches: 0,
            conditions: 0,
        }
    }
}

impl Interpreter<'_> {
    pub fn under_condition(&mut self, change: i32) {
        for recorder in &mut self.recorders {
            recorder.conditions += change;
        }
    }

    pub fn jumped(&mut self) {
        for recorder in &mut self.recorders {
            recorder.jumps = true;
        }
    }

    pub fn jumped_if_conditional(&mut self) {
        for recorder in &mut self.recorders {
            recorder.jumps |= recorder.conditions > 0 || self.depth > recorder.depth;
        }
    }

    /// Notes the elements that an expression reads.
    pub fn scan(&mut self, expr: &Expr, state: &mut State) {
        if self.recorders.is_empty() {
            return;
        }
        if let ExprKind::If { condition, then, orelse } = &*expr.kind {
            self.scan(condition, state);
            self.under_condition(1);
            for (side, holds) in [(then, true), (orelse, false)] {
                let mut there = state.clone();
                self.assume(condition, holds, &mut there);
                self.scan(side, &mut there);
            }
            self.under_condition(-1);
            return;
        }
        for operand in operands(expr) {
            self.scan(operand, state);
        }
        if let ExprKind::Load { array, indices, .. } = &*expr.kind {
            self.touch(Touch { array: *array, indices, kind: Kind::Read, span: expr.span }, state);
        }
        if let ExprKind::New { fill: Fill::Product(left, right), .. } = &*expr.kind {
            for array in [left, right] {
                self.read_whole(*array, expr.span, state);
            }
        }
    }

    /// Notes that all elements are read.
    fn read_whole(&mut self, array: Var, span: Span, state: &mut State) {
        let Some(value) = state.arrays.get(&array).cloned() else { return };
        let mut indices = Vec::new();
        for length in &value.lengths {
            let atom = self.atoms.fresh(self.depth + 1, None);
            let index = Poly::atom(atom);
            let within = Fact::less(&index, &length.extent);
            self.atoms.get_mut(atom).facts =
                [Some(Fact::AtLeastZero(index.clone())), within].into_iter().flatten().collect();
            indices.push(index);
        }
        self.touch_at(Touch { array, indices: &[], kind: Kind::Read, span }, &indices, state);
    }

    pub fn touch(&mut self, touch: Touch, state: &mut State) {
        if self.recorders.is_empty() {
            return;
        }
        let indices: Vec<Poly> = touch.indices.iter().map(|index| self.value(index, state)).collect();
        self.touch_at(touch, &indices, state);
    }

    fn touch_at(&mut self, touch: Touch, indices: &[Poly], state: &State) {
        let Some(array) = state.arrays.get(&touch.array).cloned() else { return };
        let subscripts = array
            .sources
            .iter()
            .map(|source| match source {
                Source::Fixed(alternatives) => alternatives.clone(),
                Source::Axis { axis, map } => match (indices.get(*axis), map) {
                    (Some(index), Some((start, step))) => {
                        self.element_at(index, &array.lengths[*axis].extent, start, step, state)
                    }
                    _ => unknown(),
                },
            })
            .collect();
        let indices =
            touch.indices.first().zip(touch.indices.last()).map(|(first, last)| (first.span, last.span));
        self.note(Access {
            root: array.root,
            subscripts,
            kind: touch.kind,
            span: touch.span,
            array: touch.array,
            chain: array.chain,
            facts: state.facts.clone(),
            calls: self.calls.clone(),
            branches: self.branches.clone(),
            counters: self.counters.clone(),
            indices,
        });
    }

    /// Notes that any element may be touched.
    pub fn touch_all(&mut self, array: Var, writes: bool, span: Span, state: &mut State) {
        let Some(value) = state.arrays.get(&array).cloned() else { return };
        for kind in if writes { vec![Kind::Read, Kind::Write] } else { vec![Kind::Read] } {
            self.note(Access {
                root: value.root,
                subscripts: value.sources.iter().map(|_| unknown()).collect(),
                kind,
                span,
                array,
                chain: value.chain.clone(),
                facts: Vec::new(),
                calls: self.calls.clone(),
                branches: self.branches.clone(),
                counters: self.counters.clone(),
                indices: None,
            });
        }
    }

    fn note(&mut self, access: Access) {
        let access = Rc::new(access);
        for recorder in &mut self.recorders {
            recorder.accesses.push((Rc::clone(&access), recorder.conditions > 0));
        }
    }

    /// `start + step * index`, where the index may count from the end.
    pub fn element_at(
        &mut self,
        index: &Poly,
        length: &Poly,
        start: &Poly,
        step: &Poly,
        state: &State,
    ) -> Alternatives {
        let place = |index: &Poly| step.multiply(index).and_then(|offset| start.add(&offset));
        let upward = || {
            let facts = [Some(Fact::AtLeastZero(index.clone())), Fact::less(index, length)];
            (facts.into_iter().flatten().collect(), place(index))
        };
        let downward = || {
            let facts = [Fact::less(index, &Poly::default()), index.add(length).map(Fact::AtLeastZero)];
            (facts.into_iter().flatten().collect(), index.add(length).as_ref().and_then(place))
        };
        if self.implied(state, &Fact::AtLeastZero(index.clone())) {
            return vec![upward()];
        }
        let below = Fact::less(index, &Poly::default());
        if below.is_some_and(|fact| self.implied(state, &fact)) {
            return vec![downward()];
        }
        vec![upward(), downward()]
    }
}

pub fn unknown() -> Alternatives {
    vec![(Vec::new(), None)]
}
