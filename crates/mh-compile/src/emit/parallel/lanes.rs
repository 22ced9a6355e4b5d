//! Floating-point reductions in 32 lanes: iteration k works on lane k mod 32.

use super::block::Iterations;
use super::combine::{complete, identity};
use super::{in_memory, plain};
use crate::abi::LANES;
use crate::emit::function::{FunctionEmitter, Operand};
use crate::emit::loops::Range;
use crate::emit::walk::weight;
use crate::ir::{Kind, ReductionKind, Scalar, Span, Statement, Var};

/// Lanes of one reduction: as many sums as there are lanes, combined in a fixed tree.
pub(super) struct Lane {
    pub kind: Kind,
    pub role: ReductionKind,
    /// Of the scalar that the body works on.
    pub address: String,
    pub table: String,
}

impl FunctionEmitter<'_, '_> {
    pub(super) fn lane(&mut self, var: Var, kind: Kind, role: ReductionKind, address: String) -> Lane {
        let _ = var;
        let table = self.alloca(&format!("[{LANES} x {}]", in_memory(kind)), None);
        let begin = complete(kind, identity(role, kind).unwrap_or("0"));
        for lane in 0..LANES {
            let at =
                self.value(&format!("getelementptr inbounds i8, ptr {table}, i64 {}", lane * kind.size()));
            self.store(kind, &begin, &at);
        }
        Lane { kind, role, address, table }
    }

    /// Iteration k works on lane k mod 32. In the fast version whole rounds have a loop of their own over the lanes, which LLVM makes vectors of.
    pub(super) fn laned(
        &mut self,
        var: Var,
        block: &[Statement],
        iterations: &Iterations,
        lanes: &[Lane],
        quick: bool,
    ) {
        let Iterations { range, first, key } = iterations;
        let mut done = "0".to_string();
        if quick {
            let rounds = self.value(&format!("and i64 {}, {}", range.count, -LANES));
            let [round, inside, next, turn, over] =
                ["round", "lanes", "next", "turn", "over"].map(|name| self.label(name));
            let none = self.value(&format!("icmp eq i64 {rounds}, 0"));
            let some = self.label("some");
            self.branch(&none, &over, &some);
            self.begin(&some);
            let (base, base_next, lane, lane_next) =
                (self.fresh("base"), self.fresh("base"), self.fresh("lane"), self.fresh("lane"));
            self.begin(&round);
            self.line(&format!("{base} = phi i64 [ 0, %{some} ], [ {base_next}, %{turn} ]"));
            self.begin(&inside);
            self.line(&format!("{lane} = phi i64 [ 0, %{round} ], [ {lane_next}, %{next} ]"));
            let k = self.value(&format!("add nuw nsw i64 {base}, {lane}"));
            let around = std::mem::replace(&mut self.inner, weight(block).is_some());
            self.one_laned(var, block, range, first, key.as_deref(), &k, &lane, lanes, &next);
            self.inner = around;
            self.line(&format!("{lane_next} = add nuw nsw i64 {lane}, 1"));
            let more = self.value(&format!("icmp ult i64 {lane_next}, {LANES}"));
            self.branch(&more, &inside, &turn);
            self.begin(&turn);
            self.line(&format!("{base_next} = add nuw nsw i64 {base}, {LANES}"));
            let more = self.value(&format!("icmp ult i64 {base_next}, {rounds}"));
            self.branch(&more, &round, &over);
            self.begin(&over);
            done = rounds;
        }
        let left = self.value(&format!("sub i64 {}, {done}", range.count));
        let rest = plain(&left);
        let done = &done;
        // Behind whole rounds less than one is left.
        self.seldom(quick, |this| {
            this.each(&rest, weight(block), |this, turn| {
                let index = &turn.value;
                let k = this.value(&format!("add i64 {index}, {done}"));
                let lane = this.value(&format!("and i64 {k}, {}", LANES - 1));
                let next = this.label("iteration");
                this.one_laned(var, block, range, first, key.as_deref(), &k, &lane, lanes, &next);
            });
        });
        for lane in lanes {
            self.fold(lane);
        }
    }

    /// One iteration, from its lanes and back; ends in the block `next`.
    #[expect(clippy::too_many_arguments, reason = "an iteration is all of these")]
    pub(super) fn one_laned(
        &mut self,
        var: Var,
        block: &[Statement],
        range: &Range,
        first: &str,
        key: Option<&str>,
        k: &str,
        lane: &str,
        lanes: &[Lane],
        next: &str,
    ) {
        let far = self.value(&format!("mul i64 {k}, {}", range.step));
        let index = self.value(&format!("add i64 {}, {far}", range.start));
        if let Some(key) = key {
            let number = self.value(&format!("add i64 {first}, {k}"));
            let state = self.stream.clone();
            self.begin_stream(&state, key, &number);
        }
        let mut places = Vec::new();
        for each in lanes {
            let far = self.value(&format!("mul nuw nsw i64 {lane}, {}", each.kind.size()));
            let at = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {far}", each.table));
            let value = self.load(each.kind, &at);
            self.store(each.kind, &value, &each.address);
            places.push(at);
        }
        self.assign(var, &Operand::One(index));
        self.loops.push(crate::emit::function::Around { leave: next.into(), next: next.into() });
        self.block(block);
        self.loops.pop();
        self.begin(next);
        for (each, at) in lanes.iter().zip(&places) {
            let value = self.load(each.kind, &each.address);
            self.store(each.kind, &value, at);
        }
    }

    /// All lanes into the scalar, in a fixed tree: halves upon halves.
    pub(super) fn fold(&mut self, lane: &Lane) {
        let kind = lane.kind;
        let mut values: Vec<Operand> = Vec::new();
        for number in 0..LANES {
            let at = self.value(&format!(
                "getelementptr inbounds i8, ptr {}, i64 {}",
                lane.table,
                number * kind.size()
            ));
            values.push(self.load(kind, &at));
        }
        while values.len() > 1 {
            let upper = values.split_off(values.len() / 2);
            values = values
                .iter()
                .zip(&upper)
                .map(|(low, high)| self.merge(lane.role, low, high, Scalar::numpy(kind), Span::default()))
                .collect();
        }
        self.store(kind, &values[0], &lane.address);
    }
}
