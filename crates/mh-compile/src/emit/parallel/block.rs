//! The function that runs one block.

use super::combine::{complete, identity};
use super::exact::proved;
use super::lanes::{Lane, Rest};
use super::{Body, Role};
use crate::emit::function::{FunctionEmitter, Operand, Place};
use crate::emit::loops::{Numbers, Range};
use crate::emit::walk::borrowed;
use crate::ir::{ExprKind, Kind, ReductionKind, Statement, Type, Var};
use std::collections::BTreeMap;

/// The iterations of a block.
pub(super) struct Iterations {
    pub range: Range,
    /// Number of the first, counted over all blocks.
    pub first: String,
    pub key: Option<String>,
}

impl FunctionEmitter<'_, '_> {
    /// The whole of a block's function.
    pub(super) fn block_function(&mut self, body: &Body) {
        self.prologue();
        self.first.push_str("  %random = alloca { i64, i64, i64 }, align 8\n");
        // Arrays from around the loop live longer than it does; not so a block's own copies of them.
        let plan = &body.plan;
        let own = |var: &Var| {
            plan.overwritten.contains(var)
                || plan.accumulated.iter().any(|accumulated| accumulated.array == *var)
        };
        let kept: Vec<Var> = body.captured.iter().map(|(var, _)| *var).filter(|var| !own(var)).collect();
        let borrowed = borrowed(self.function, &kept);
        for (number, variable) in self.function.variables.iter().enumerate() {
            let view = borrowed[number] && !body.left.iter().any(|left| left.var.0 as usize == number);
            let place = self.place_for(variable.ty, view);
            self.places.push(place);
        }
        for (var, offsets) in &body.captured {
            let values: Vec<String> = offsets.iter().map(|(at, ty)| self.field(*at, ty)).collect();
            self.set_captured(*var, values);
        }
        let fixed = &body.fixed;
        let address = format!("getelementptr inbounds i8, ptr %closure, i64 {}", fixed.depth);
        let address = self.value(&address);
        self.line(&format!("%depth = load i64, ptr {address}, align 8"));
        let [start, step, count, length] =
            [fixed.start, fixed.step, fixed.count, fixed.length].map(|at| self.field(at, "i64"));
        let step = match *body.each.step.kind {
            ExprKind::Int(step) => step.to_string(),
            _ => step,
        };
        let first = self.value(&format!("mul i64 %block, {length}"));
        let behind = self.value(&format!("add i64 {first}, {length}"));
        let behind = self.intrinsic("umin", Kind::I64, &[&behind, &count]);
        let count = self.value(&format!("sub i64 {behind}, {first}"));
        let far = self.value(&format!("mul i64 {first}, {step}"));
        let index = self.value(&format!("add i64 {start}, {far}"));
        let key = body.random.then(|| self.field(fixed.key, "i64"));
        let range = Range { start: index, step, count, at_most: None };
        let iterations = Iterations { range, first, key };
        for (at, accumulated) in body.plan.accumulated.iter().enumerate() {
            let marks = accumulated.kind == ReductionKind::Latest;
            self.own_copy(accumulated.array, marks, body.copies[at]);
        }
        for array in &body.plan.overwritten {
            self.scratch(*array, fixed.blocks, body.span);
        }

        let begun: Vec<Option<Operand>> = body
            .left
            .iter()
            .map(|left| (!matches!(left.role, Role::Last)).then(|| self.read(left.var)))
            .collect();
        let checked = self.label("checked");
        if let Some(fast) = &body.each.fast {
            let quick = self.label("fast");
            let holds = self.field(fixed.fast, "i64");
            let holds = self.value(&format!("icmp ne i64 {holds}, 0"));
            self.branch(&holds, &quick, &checked);
            self.begin(&quick);
            self.past_region(body, &fast.body, &begun, &iterations);
            if fast.attempt {
                self.begin_attempt();
            }
            let again = self.region(body, &fast.body, &begun, &iterations, true, false);
            if fast.attempt {
                self.begin(&again);
                self.jump(&checked);
            }
        }
        self.begin(&checked);
        // Without a fast version it is the one that runs.
        let only = body.each.fast.is_none();
        if only {
            self.past_region(body, &body.each.body, &begun, &iterations);
        }
        self.seldom(!only, |this| this.region(body, &body.each.body, &begun, &iterations, only, false));
        self.epilogue();
    }

    /// Where this loop goes past the caches, all that `region` does; else goes on behind it.
    fn past_region(
        &mut self,
        body: &Body,
        block: &[Statement],
        begun: &[Option<Operand>],
        iterations: &Iterations,
    ) {
        if body.past.is_empty() {
            return;
        }
        let [past, on] = ["past", "on"].map(|name| self.label(name));
        let goes = self.field(body.fixed.past, "i64");
        let goes = self.value(&format!("icmp ne i64 {goes}, 0"));
        self.branch(&goes, &past, &on);
        self.begin(&past);
        self.region(body, block, begun, iterations, true, true);
        self.begin(&on);
    }

    /// Runs the block with one of the two bodies (`past`: in strips, see there), leaves what is to be left, and ends the function. Tells where an attempt goes on.
    pub(super) fn region(
        &mut self,
        body: &Body,
        block: &[Statement],
        begun: &[Option<Operand>],
        iterations: &Iterations,
        quick: bool,
        past: bool,
    ) -> String {
        for accumulated in &body.plan.accumulated {
            self.begin_copy(accumulated, body.span);
        }
        let mut lanes: Vec<Lane> = Vec::new();
        let places = self.places.clone();
        let mut set: BTreeMap<Var, String> = BTreeMap::new();
        let mut kinds = Vec::new();
        for (left, value) in body.left.iter().zip(begun) {
            let flag = self.alloca("i8", None);
            self.line(&format!("store i8 0, ptr {flag}"));
            set.insert(left.var, flag);
            let Type::Scalar(scalar) = self.variable_type(left.var) else { continue };
            let mut kind = scalar.kind;
            match (left.role, value) {
                (Role::Gathered(role), Some(value)) => {
                    if left.kind == Kind::I128 && !(quick && proved(left.var, block)) {
                        kind = Kind::I128;
                    }
                    let begin = identity(role, kind).map_or_else(|| value.clone(), |one| complete(kind, one));
                    let address = self.alloca_scalar(kind);
                    self.store(kind, &begin, &address);
                    self.places[left.var.0 as usize] = Place::Scalar(address.clone());
                    if kind == Kind::I128 {
                        self.wide.insert(left.var, address);
                    } else if !body.plan.fine
                        && !body.plan.leaves
                        && matches!(role, ReductionKind::Sum | ReductionKind::Product)
                        && (kind.is_float() || kind.is_complex())
                    {
                        lanes.push(self.lane(kind, role, address));
                    }
                }
                (_, Some(value)) => self.assign(left.var, value),
                (_, None) => {}
            }
            kinds.push(kind);
        }
        self.touched = set.clone();
        let nans =
            body.left.iter().filter(|left| matches!(left.role, Role::Gathered(role) if role.takes_nan()));
        self.nans = nans.map(|left| left.var).collect();
        let leaving = self.begin_leaving(body);
        if past {
            self.counted_past(body, block, iterations);
        } else if lanes.is_empty() {
            let numbers = Numbers { key: iterations.key.as_deref(), first: &iterations.first };
            let out = leaving.as_ref().map(|(_, out)| out.as_str());
            self.counted_from(body.each.var, &iterations.range, block, numbers, out);
            self.end_leaving(leaving.as_ref());
        } else {
            self.laned(body.each.var, block, iterations, &lanes, quick, Rest::Each);
        }
        self.touched.clear();
        let again = self.end_attempt(None);
        for ((left, kind), (table, flags)) in body.left.iter().zip(kinds).zip(&body.tables) {
            let Place::Scalar(address) = self.place(left.var) else { continue };
            let value = self.load(kind, &address);
            let value = if kind == left.kind {
                value
            } else {
                Operand::One(self.value(&format!("sext i64 {} to i128", value.one())))
            };
            let table = self.field(*table, "ptr");
            let size = left.kind.size();
            let far = self.value(&format!("mul i64 %block, {size}"));
            let address = self.value(&format!("getelementptr inbounds i8, ptr {table}, i64 {far}"));
            self.store(left.kind, &value, &address);
            let flags = self.field(*flags, "ptr");
            let address = self.value(&format!("getelementptr inbounds i8, ptr {flags}, i64 %block"));
            let flag = set.get(&left.var).cloned().unwrap_or_default();
            let flag = self.value(&format!("load i8, ptr {flag}"));
            self.line(&format!("store i8 {flag}, ptr {address}"));
        }
        self.wide.clear();
        self.places = places;
        self.tell_leaving(body, leaving.as_ref());
        self.jump("exit");
        again
    }
}
