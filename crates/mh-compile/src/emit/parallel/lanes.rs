//! Floating-point reductions in 32 lanes: iteration k works on lane k mod 32.

use super::block::Iterations;
use super::combine::{complete, identity};
use super::{in_memory, plain};
use crate::abi::LANES;
use crate::emit::function::{Around, FunctionEmitter, Operand, Place};
use crate::emit::loops::{Range, strip_of};
use crate::emit::walk::weight;
use crate::emit::{Mark, register};
use crate::ir::{Kind, ReductionKind, Scalar, Span, Statement, Var};

/// Lanes that the rest of a loop is done on at a time; reductions that are folded at once.
const TOGETHER: usize = 8;

/// What becomes of the iterations behind the last whole round.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    /// One after the other: compiled quickly.
    Each,
    /// On many lanes at once: where the loop is so short that they are much of it.
    Masked,
}

/// Lanes of one reduction: as many sums as there are lanes, combined in a fixed tree.
pub(super) struct Lane {
    pub kind: Kind,
    pub role: ReductionKind,
    /// Of the scalar that the body works on.
    pub address: String,
    pub table: String,
}

impl FunctionEmitter<'_, '_> {
    pub(super) fn lane(&mut self, kind: Kind, role: ReductionKind, address: String) -> Lane {
        let table = self.alloca(&format!("[{LANES} x {}]", in_memory(kind)), None);
        let begin = complete(kind, identity(role, kind).unwrap_or("0"));
        if let Operand::One(one) = &begin {
            // All at once: fewer lines for LLVM to read.
            let (ty, align) = (register(kind), kind.size());
            self.line(&format!("store <{LANES} x {ty}> splat ({ty} {one}), ptr {table}, align {align}"));
        } else {
            for lane in 0..LANES {
                let at = self.behind(&table, lane * kind.size());
                self.store(kind, &begin, &at);
            }
        }
        Lane { kind, role, address, table }
    }

    fn behind(&mut self, address: &str, bytes: i64) -> String {
        self.value(&format!("getelementptr inbounds i8, ptr {address}, i64 {bytes}"))
    }

    /// Iteration k works on lane k mod 32. In the fast version whole rounds have a loop of their own over the lanes, which LLVM makes vectors of.
    pub(super) fn laned(
        &mut self,
        var: Var,
        block: &[Statement],
        iterations: &Iterations,
        lanes: &[Lane],
        quick: bool,
        rest: Rest,
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
            // Between strips somebody is asked whether to stop.
            let [strips, strip_end, strip_back] =
                ["strips", "strip.end", "strip.back"].map(|name| self.label(name));
            let from = self.fresh("from");
            let limit = self.fresh("limit");
            self.begin(&strips);
            self.line(&format!("{from} = phi i64 [ 0, %{some} ], [ {limit}, %{strip_back} ]"));
            let left = self.value(&format!("sub nuw nsw i64 {rounds}, {from}"));
            let part = self.intrinsic("umin", Kind::I64, &[&left, &strip_of(weight(block)).to_string()]);
            self.line(&format!("{limit} = add nuw nsw i64 {from}, {part}"));
            self.begin(&round);
            self.line(&format!("{base} = phi i64 [ {from}, %{strips} ], [ {base_next}, %{turn} ]"));
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
            let more = self.value(&format!("icmp ult i64 {base_next}, {limit}"));
            self.branch(&more, &round, &strip_end);
            self.begin(&strip_end);
            let more = self.value(&format!("icmp ult i64 {limit}, {rounds}"));
            let poll = self.label("strip.poll");
            self.branch_cold(&more, &poll, &over);
            self.begin(&poll);
            self.poll();
            self.begin(&strip_back);
            self.jump(&strips);
            self.begin(&over);
            done = rounds;
        }
        let left = self.value(&format!("sub i64 {}, {done}", range.count));
        let done = &done;
        match rest {
            // Behind whole rounds less than one is left.
            Rest::Each => self.seldom(quick, |this| {
                this.each(&plain(&left), weight(block), |this, turn| {
                    let index = &turn.value;
                    let k = this.value(&format!("add i64 {index}, {done}"));
                    let lane = this.value(&format!("and i64 {k}, {}", LANES - 1));
                    let next = this.label("iteration");
                    this.one_laned(var, block, range, first, key.as_deref(), &k, &lane, lanes, &next);
                });
            }),
            Rest::Masked => self.masked(var, block, range, lanes, done, &left),
        }
        self.fold_all(lanes);
    }

    /// The last `left` iterations, fewer than there are lanes, each on a lane of its own: a few lanes at a time, of which those behind the last
    /// iteration do nothing. LLVM makes vectors with masks of that. The loop has iterations.
    fn masked(
        &mut self,
        var: Var,
        block: &[Statement],
        range: &Range,
        lanes: &[Lane],
        done: &str,
        left: &str,
    ) {
        // The loop's variable is one of each lane's own here: as a value that only some lanes give it could not be made a vector.
        let place = self.place(var);
        let own = self.alloca_scalar(Kind::I64);
        self.places[var.0 as usize] = Place::Scalar(own);
        let over = self.label("over");
        for from in (0..LANES).step_by(TOGETHER) {
            let [some, inside, active, next, behind] =
                ["some", "lanes", "active", "next", "behind"].map(|name| self.label(name));
            let none = self.value(&format!("icmp ule i64 {left}, {from}"));
            self.branch(&none, &over, &some);
            self.begin(&some);
            let (lane, lane_next) = (self.fresh("lane"), self.fresh("lane"));
            self.begin(&inside);
            self.line(&format!("{lane} = phi i64 [ {from}, %{some} ], [ {lane_next}, %{next} ]"));
            let k = self.value(&format!("add nuw nsw i64 {done}, {lane}"));
            let addresses = self.take_lanes(lanes, &lane);
            let among = self.value(&format!("icmp ult i64 {lane}, {left}"));
            self.branch(&among, &active, &next);
            self.begin(&active);
            let around = std::mem::replace(&mut self.inner, true);
            self.one_iteration(var, block, range, &k, &next);
            self.inner = around;
            self.leave_lanes(lanes, &addresses);
            self.line(&format!("{lane_next} = add nuw nsw i64 {lane}, 1"));
            let more = self.value(&format!("icmp ult i64 {lane_next}, {}", from + TOGETHER as i64));
            let mark = self.marked(Mark::Vectors);
            self.branch(&more, &inside, &format!("{behind}{mark}"));
            self.begin(&behind);
        }
        self.begin(&over);
        self.places[var.0 as usize] = place;
        let last = self.value(&format!("sub i64 {}, 1", range.count));
        let far = self.value(&format!("mul i64 {last}, {}", range.step));
        let last = self.value(&format!("add i64 {}, {far}", range.start));
        self.assign(var, &Operand::One(last));
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
        if let Some(key) = key {
            let number = self.value(&format!("add i64 {first}, {k}"));
            let state = self.stream.clone();
            self.begin_stream(&state, key, &number);
        }
        let addresses = self.take_lanes(lanes, lane);
        self.one_iteration(var, block, range, k, next);
        self.leave_lanes(lanes, &addresses);
    }

    /// Iteration k, which ends in the block `next`.
    fn one_iteration(&mut self, var: Var, block: &[Statement], range: &Range, k: &str, next: &str) {
        let far = self.value(&format!("mul i64 {k}, {}", range.step));
        let index = self.value(&format!("add i64 {}, {far}", range.start));
        self.assign(var, &Operand::One(index));
        self.loops.push(Around { leave: next.into(), next: next.into() });
        self.block(block);
        self.loops.pop();
        self.begin(next);
    }

    /// The values of one lane, to where the body works on them; gives their places in the tables.
    fn take_lanes(&mut self, lanes: &[Lane], lane: &str) -> Vec<String> {
        let mut addresses = Vec::new();
        for each in lanes {
            let far = self.value(&format!("mul nuw nsw i64 {lane}, {}", each.kind.size()));
            let at = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {far}", each.table));
            let value = self.load(each.kind, &at);
            self.store(each.kind, &value, &each.address);
            addresses.push(at);
        }
        addresses
    }

    fn leave_lanes(&mut self, lanes: &[Lane], addresses: &[String]) {
        for (each, at) in lanes.iter().zip(addresses) {
            let value = self.load(each.kind, &each.address);
            self.store(each.kind, &value, at);
        }
    }

    /// Each reduction's lanes become its value. Those of one kind that follow on each other go together.
    fn fold_all(&mut self, lanes: &[Lane]) {
        let mut rest = lanes;
        while let Some(first) = rest.first() {
            let alike =
                |lane: &&Lane| lane.kind == first.kind && lane.role == first.role && !lane.kind.is_complex();
            let count = rest.iter().take(TOGETHER).take_while(alike).count().max(1);
            let (now, later) = rest.split_at(count);
            if count > 1 {
                self.fold_together(now)
            } else {
                self.fold(first)
            }
            rest = later;
        }
    }

    /// All lanes into the scalar, in a fixed tree: halves upon halves.
    fn fold(&mut self, lane: &Lane) {
        let kind = lane.kind;
        if lane.role == ReductionKind::Sum || !kind.is_complex() {
            return self.fold_vectors(lane);
        }
        let mut values: Vec<Operand> = Vec::new();
        for number in 0..LANES {
            let at = self.behind(&lane.table, number * kind.size());
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

    /// The same by LLVM's vectors, where each part of a number goes its own way.
    fn fold_vectors(&mut self, lane: &Lane) {
        let parts = if lane.kind.is_complex() { 2 } else { 1 };
        let both = self.folded(lane, parts);
        self.leave(lane, &both, parts);
    }

    /// Several of one kind at once: of two vectors the lower halves of both are added to the upper halves of both, which takes as long as for one.
    fn fold_together(&mut self, lanes: &[Lane]) {
        let [lane, ..] = lanes else { return };
        let (ty, op) = (register(lane.kind), operation(lane));
        let mut length = 64 / lane.kind.size();
        let mut all: Vec<String> = lanes.iter().map(|lane| self.folded(lane, length)).collect();
        // How many stand in each vector, `length / groups` terms of each.
        let mut groups = 1;
        while all.len() > 1 {
            if all.len() % 2 == 1 {
                all.push("poison".into());
            }
            let pairs: Vec<String> = all
                .chunks(2)
                .map(|pair| {
                    let [low, high] = [0, 1].map(|upper| {
                        let chosen = halves(length, groups, upper, 2);
                        self.shuffled(&pair[0], &pair[1], length, ty, &chosen)
                    });
                    self.value(&format!("{op} <{length} x {ty}> {low}, {high}"))
                })
                .collect();
            all = pairs;
            groups *= 2;
        }
        let mut both = all.remove(0);
        while length > groups {
            let [low, high] = [0, 1].map(|upper| {
                let chosen = halves(length, groups, upper, 1);
                self.shuffled(&both, "poison", length, ty, &chosen)
            });
            length /= 2;
            both = self.value(&format!("{op} <{length} x {ty}> {low}, {high}"));
        }
        for (place, lane) in lanes.iter().enumerate() {
            let one = self.shuffled(&both, "poison", length, ty, &[place as i64]);
            self.leave(lane, &one, 1);
        }
    }

    /// A lane's table in a vector of so many, upper halves added to lower ones.
    fn folded(&mut self, lane: &Lane, least: i64) -> String {
        let (kind, ty, op) = (lane.kind, register(lane.kind), operation(lane));
        let parts = if kind.is_complex() { 2 } else { 1 };
        let mut length = LANES * parts / 2;
        let align = kind.size() / parts;
        let low = self.value(&format!("load <{length} x {ty}>, ptr {}, align {align}", lane.table));
        let upper = self.behind(&lane.table, LANES * kind.size() / 2);
        let high = self.value(&format!("load <{length} x {ty}>, ptr {upper}, align {align}"));
        let mut both = self.value(&format!("{op} <{length} x {ty}> {low}, {high}"));
        while length > least {
            let [low, high] = [0, 1].map(|upper| {
                let chosen = halves(length, 1, upper, 1);
                self.shuffled(&both, "poison", length, ty, &chosen)
            });
            length /= 2;
            both = self.value(&format!("{op} <{length} x {ty}> {low}, {high}"));
        }
        both
    }

    /// Elements of two vectors of one length, by their number in both.
    fn shuffled(&mut self, one: &str, other: &str, length: i64, ty: &str, places: &[i64]) -> String {
        let count = places.len();
        let places: Vec<String> = places.iter().map(|place| format!("i32 {place}")).collect();
        self.value(&format!(
            "shufflevector <{length} x {ty}> {one}, <{length} x {ty}> {other}, <{count} x i32> <{}>",
            places.join(", ")
        ))
    }

    fn leave(&mut self, lane: &Lane, both: &str, parts: i64) {
        let (ty, align) = (register(lane.kind), lane.kind.size() / parts);
        self.line(&format!("store <{parts} x {ty}> {both}, ptr {}, align {align}", lane.address));
    }
}

/// LLVM's name of what puts two lanes together.
fn operation(lane: &Lane) -> &'static str {
    if lane.role == ReductionKind::Sum { "fadd" } else { "fmul" }
}

/// The lower or upper half of each group of each of `vectors` vectors.
fn halves(length: i64, groups: i64, upper: i64, vectors: i64) -> Vec<i64> {
    let group = length / groups;
    let first = (0..groups * vectors).map(|number| number * group + upper * group / 2);
    first.flat_map(|first| first..first + group / 2).collect()
}
