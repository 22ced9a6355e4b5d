//! Parallel loops within loops that are no longer than one block: run where they stand, with the bits that the block would give.
//!
//! One block has nothing from threads, and handing it over costs as much as some hundred iterations.

use super::block::Iterations;
use super::exact::proved;
use super::lanes::{Lane, Rest};
use crate::abi;
use crate::compile::Failure;
use crate::emit::function::{FunctionEmitter, Operand, Place};
use crate::emit::loops::{Numbers, Range};
use crate::emit::walk::{draws, weight};
use crate::ir::{
    Check, Flavour, For, Kind, Length, Plan, Reduction, ReductionKind, Scalar, Span, Statement,
    StatementKind, Type, Var,
};
use crate::walk::{expressions, may_raise};

/// Bodies up to this weight are written out once more for the iterations behind the last round.
const LIGHT: u64 = 24;

/// A scalar that is summed up anew, as a block does it, and added to what it was before.
struct Anew {
    var: Var,
    role: ReductionKind,
    /// As it is summed up: I128 where ints need it.
    kind: Kind,
    address: String,
    /// Where it lives outside.
    place: Place,
}

impl FunctionEmitter<'_, '_> {
    /// Runs the loop and goes to `end` where it is no longer than a block. What is longer goes on behind this, if that may be: false if not.
    pub(super) fn small(&mut self, each: &For, plan: &Plan, range: &Range, span: Span, end: &str) -> bool {
        let longest = abi::block_length(0, false) as u64;
        // In code that seldom runs another copy of the body would only take time to compile.
        let within = !self.loops.is_empty() && !self.slow;
        let copies = !plan.accumulated.is_empty() || !plan.overwritten.is_empty();
        let demands = !plan.distinct.is_empty() || !plan.conditions.is_empty();
        let always = plan.length == Length::Short && each.fast.is_none() && !demands;
        let long = !always && range.at_most.is_some_and(|count| count > longest);
        if !within || long || plan.length == Length::Long || plan.fine || copies || draws(&each.body) {
            return true;
        }
        // A block that may be left sums up without lanes.
        if plan.leaves && plan.reductions.iter().any(|reduction| self.in_lanes(reduction)) {
            return true;
        }
        if always {
            self.in_a_row(each, plan, range, span, end);
            return false;
        }
        let [few, some, large] = ["few", "some", "large"].map(|name| self.label(name));
        let fits = self.value(&format!("icmp ule i64 {}, {longest}", range.count));
        self.branch(&fits, &few, &large);
        self.begin(&few);
        let none = self.value(&format!("icmp eq i64 {}, 0", range.count));
        self.branch(&none, end, &some);
        self.begin(&some);
        let Some(fast) = &each.fast else {
            let (anew, lanes) = self.begin_anew(plan, &each.body);
            self.one_block(each.var, range, &each.body, &lanes);
            self.end_anew(&anew, span);
            self.jump(end);
            self.begin(&large);
            return true;
        };
        self.block(&fast.guard);
        let holds = self.expression(&fast.condition);
        let quick = self.label("fast");
        self.branch(holds.one(), &quick, &large);
        self.begin(&quick);
        let kept: Vec<_> = fast.save.iter().map(|var| (*var, self.read(*var))).collect();
        let own = self.read(each.var);
        let (anew, lanes) = self.begin_anew(plan, &fast.body);
        let around = fast.attempt.then(|| self.begin_attempt());
        self.one_block(each.var, range, &fast.body, &lanes);
        let again = around.map(|around| self.end_attempt(around));
        self.end_anew(&anew, span);
        self.jump(end);
        if let Some(again) = again {
            self.begin(&again);
            for (var, value) in &kept {
                self.assign(*var, value);
            }
            self.assign(each.var, &own);
        }
        self.begin(&large);
        true
    }

    /// The loop as the shortest blocks, one after the other; goes to `end`.
    fn in_a_row(&mut self, each: &For, plan: &Plan, range: &Range, span: Span, end: &str) {
        let longest = abi::block_length(0, false);
        let [some, again] = ["some", "block"].map(|name| self.label(name));
        let before = self.alloca("i64", None);
        self.line(&format!("store i64 0, ptr {before}"));
        let none = self.value(&format!("icmp eq i64 {}, 0", range.count));
        self.branch(&none, end, &some);
        self.begin(&some);
        self.begin(&again);
        let done = self.value(&format!("load i64, ptr {before}"));
        let left = self.value(&format!("sub nuw i64 {}, {done}", range.count));
        let count = self.intrinsic("umin", Kind::I64, &[&left, &longest.to_string()]);
        let far = self.value(&format!("mul i64 {done}, {}", range.step));
        let start = self.value(&format!("add i64 {}, {far}", range.start));
        let block = Range { start, step: range.step.clone(), count, at_most: Some(longest as u64) };
        let (anew, lanes) = self.begin_anew(plan, &each.body);
        self.one_block(each.var, &block, &each.body, &lanes);
        self.end_anew(&anew, span);
        let next = self.value(&format!("add nuw i64 {done}, {longest}"));
        self.line(&format!("store i64 {next}, ptr {before}"));
        let more = self.value(&format!("icmp ult i64 {next}, {}", range.count));
        self.branch(&more, &again, end);
    }

    /// Whether the order matters: floats that are summed up or multiplied.
    fn in_lanes(&self, reduction: &Reduction) -> bool {
        let ty = self.variable_type(reduction.var).scalar();
        matches!(reduction.kind, ReductionKind::Sum | ReductionKind::Product)
            && ty.is_some_and(|ty| ty.kind.is_float() || ty.kind.is_complex())
    }

    /// From here on sums begin anew.
    fn begin_anew(&mut self, plan: &Plan, body: &[Statement]) -> (Vec<Anew>, Vec<Lane>) {
        let (mut anew, mut lanes) = (Vec::new(), Vec::new());
        for reduction in &plan.reductions {
            let Reduction { var, kind: role, .. } = reduction;
            let Type::Scalar(scalar) = self.variable_type(*var) else { continue };
            let wide = *role == ReductionKind::Sum
                && scalar == Scalar::INT
                && !self.wide.contains_key(var)
                && !proved(*var, body);
            let laned = self.in_lanes(reduction);
            // All others have the same bits in any order, or are in order within a block.
            if !wide && !laned {
                continue;
            }
            let kind = if wide { Kind::I128 } else { scalar.kind };
            let address = self.alloca_scalar(kind);
            let place = std::mem::replace(&mut self.places[var.0 as usize], Place::Scalar(address.clone()));
            if wide {
                self.store(kind, &Operand::One("0".into()), &address);
                self.wide.insert(*var, address.clone());
            } else {
                lanes.push(self.lane(kind, *role, address.clone()));
            }
            anew.push(Anew { var: *var, role: *role, kind, address, place });
        }
        (anew, lanes)
    }

    fn one_block(&mut self, var: Var, range: &Range, body: &[Statement], lanes: &[Lane]) {
        if lanes.is_empty() {
            self.counted_from(var, range, body, Numbers { key: None, first: "0" }, None);
            return;
        }
        let rest = if is_light(body) { Rest::Masked } else { Rest::Each };
        let iterations = Iterations { range: range.clone(), first: "0".into(), key: None };
        self.laned(var, body, &iterations, lanes, true, rest);
    }

    /// Adds what was summed up to what was before.
    fn end_anew(&mut self, anew: &[Anew], span: Span) {
        for Anew { var, role, kind, address, place } in anew {
            self.places[var.0 as usize] = place.clone();
            let Type::Scalar(scalar) = self.variable_type(*var) else { continue };
            let new = self.load(*kind, address);
            let old = self.read(*var);
            if *kind == Kind::I128 {
                self.wide.remove(var);
                let old = self.value(&format!("sext i64 {} to i128", old.one()));
                let total = self.value(&format!("add i128 {old}, {}", new.one()));
                self.assign_narrow(*var, &total, span);
                continue;
            }
            let ty = Scalar { flavour: Flavour::NumPy, ..scalar };
            let both = self.merge(*role, &old, &new, ty, span);
            self.assign(*var, &both);
        }
    }

    /// Gives an int what was summed up in 128 bits.
    pub(super) fn assign_narrow(&mut self, var: Var, total: &str, span: Span) {
        let narrow = self.value(&format!("trunc i128 {total} to i64"));
        let again = self.value(&format!("sext i64 {narrow} to i128"));
        let over = self.value(&format!("icmp ne i128 {again}, {total}"));
        self.fail_if(&over, Check::Branch, Failure::Overflow, span, &[]);
        self.assign(var, &Operand::One(narrow));
    }
}

/// Short, straight and without a branch that raises: LLVM makes vectors with masks of it.
fn is_light(body: &[Statement]) -> bool {
    let straight = |statement: &Statement| {
        matches!(statement.kind, StatementKind::Assign { .. } | StatementKind::Store { .. })
    };
    let raises = |statement: &Statement| {
        matches!(statement.kind, StatementKind::Store { check: Check::Branch, .. })
            || expressions(statement).into_iter().any(may_raise)
    };
    body.iter().all(|statement| straight(statement) && !raises(statement))
        && weight(body).is_some_and(|weight| weight <= LIGHT)
}
