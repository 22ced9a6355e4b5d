//! Parallel loops: the body becomes a function that runs one block of iterations, and `Rt::parallel` runs the blocks.
//!
//! What the body reads is handed over in a closure on the caller's stack: values of scalars, descriptors of arrays. What it writes follows the
//! `Plan`: each block begins its reductions anew and leaves them in its own place of a table, and behind the loop the places are combined in
//! the order of the blocks. The blocks depend on the loop's length alone (`abi::block_length`), and so do the bits of the result.

use std::collections::{BTreeMap, BTreeSet};

use super::expression::{float_predicate, int_predicate};
use super::function::{ArrayPlace, FunctionEmitter, Operand, Place};
use super::loops::Range;
use super::walk::{blocks, draws, expressions, operands, weight};
use super::{flattened, memory};
use crate::abi::{LANES, offset};
use crate::compile::Failure;
use crate::ir::{
    Accumulated, Binary, Check, Compare, Expr, ExprKind, Flavour, For, Kind, Layout, Plan, Reduction,
    ReductionKind, Scalar, Span, Statement, StatementKind, Type, Var,
};

/// No loop has more blocks.
const BLOCKS: u64 = 256;
/// Bytes of private copies that one array may take.
const COPIES: u64 = 64 << 20;

/// A scalar that every block leaves something of.
struct Left {
    var: Var,
    /// As it is summed up within a block and kept: I128 for exact sums.
    kind: Kind,
    role: Role,
    /// Caller's side: the tables, one value and one flag for each block.
    table: String,
    set: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Last,
    Gathered(ReductionKind),
    /// Set beside the reduction of this number.
    Companion(usize),
}

/// The closure, as it is filled.
#[derive(Default)]
struct Closure {
    fields: Vec<(String, &'static str, String)>,
    size: usize,
}

impl Closure {
    /// Offset of a new field.
    fn put(&mut self, ty: &'static str, value: String) -> usize {
        let at = self.size;
        self.fields.push((at.to_string(), ty, value));
        self.size += if ty == "i128" { 32 } else { 16 };
        at
    }
}

/// What a block's code needs to know of its loop.
struct Body<'a> {
    each: &'a For,
    plan: &'a Plan,
    span: Span,
    left: Vec<Left>,
    /// Offsets in the closure.
    captured: Vec<(Var, Vec<(usize, &'static str)>)>,
    tables: Vec<(usize, usize)>,
    copies: Vec<usize>,
    fixed: Fixed,
    random: bool,
}

/// Offsets of what every closure holds.
struct Fixed {
    start: usize,
    step: usize,
    count: usize,
    length: usize,
    blocks: usize,
    fast: usize,
    depth: usize,
    key: usize,
}

impl FunctionEmitter<'_, '_> {
    /// A parallel loop with a plan; where it cannot be run in blocks this time, on this thread.
    pub fn parallel_for(&mut self, each: &For, plan: &Plan, range: &Range, span: Span) {
        if !self.suits(each, plan) {
            let text = "the loop ran on one thread: what it leaves cannot be put together from blocks";
            self.notice(span, text);
            self.serial_for(each, range);
            return;
        }
        let [serial, end] = ["serial", "done"].map(|name| self.label(name));
        let mut alternative = false;
        for (left, right) in &plan.distinct {
            let apart = self.disjoint(*left, *right);
            self.demand(
                &apart,
                &serial,
                span,
                "the loop ran on one thread: arrays that it writes share memory with others",
            );
            alternative = true;
        }
        for condition in &plan.conditions {
            let holds = self.expression(condition).one().to_string();
            let text = "the loop ran on one thread: with these values two iterations may meet in one element";
            self.demand(&holds, &serial, span, text);
            alternative = true;
        }

        // Blocks.
        let count = range.count.clone();
        let mut length = self.block_length(&count, plan.fine);
        let mut number = self.divide_up(&count, &length);
        let mut sizes = Vec::new();
        for accumulated in &plan.accumulated {
            sizes.push(self.sizes(accumulated.array));
        }
        if !sizes.is_empty() {
            alternative = true;
            let most = self.copies_at_most(&count, &sizes, plan.fine);
            let enough = self.value(&format!("icmp uge i64 {most}, 2"));
            let small = self.value(&format!("icmp ult i64 {count}, 8192"));
            let fine = self.value(&format!("or i1 {enough}, {small}"));
            let text = "the loop ran on one thread: a copy for each block of the array that it gathers in would cost more than \
                        the loop";
            self.demand(&fine, &serial, span, text);
            number = self.intrinsic("umin", Kind::I64, &[&number, &most]);
            // One block needs no copies: that is the serial loop.
            let several = self.value(&format!("icmp uge i64 {number}, 2"));
            let go = self.label("blocks");
            self.branch(&several, &go, &serial);
            self.begin(&go);
            length = self.divide_up(&count, &number);
            if !plan.fine {
                length = self.round_up(&length);
            }
            number = self.divide_up(&count, &length);
        }

        // The guard of the fast version.
        let fast = match &each.fast {
            Some(fast) => {
                self.block(&fast.guard);
                let holds = self.expression(&fast.condition);
                self.value(&format!("zext i1 {} to i64", holds.one()))
            }
            None => "0".to_string(),
        };

        let random = draws(&each.body);
        let key = if random { self.loop_key() } else { "0".to_string() };
        let mut closure = Closure::default();
        let fixed = Fixed {
            start: closure.put("i64", range.start.clone()),
            step: closure.put("i64", range.step.clone()),
            count: closure.put("i64", count.clone()),
            length: closure.put("i64", length),
            blocks: closure.put("i64", number.clone()),
            fast: closure.put("i64", fast),
            depth: closure.put("i64", "%depth".into()),
            key: closure.put("i64", key),
        };

        let left = self.left(each, plan);
        let tables = left
            .iter()
            .map(|left| (closure.put("ptr", left.table.clone()), closure.put("ptr", left.set.clone())))
            .collect();
        let mut owners: Vec<String> = Vec::new();
        let mut copies = Vec::new();
        for (accumulated, (elements, _)) in plan.accumulated.iter().zip(&sizes) {
            let element = self.array_type(accumulated.array).element.size();
            let bytes = self.value(&format!("mul i64 {elements}, {element}"));
            let bytes = self.value(&format!("mul i64 {bytes}, {number}"));
            let alloc = self.rt_function(offset::ALLOC);
            let owner = self.value(&format!("call ptr {alloc}(ptr %rt, i64 {bytes}, i32 0)"));
            let failed = self.value(&format!("icmp eq ptr {owner}, null"));
            // Those before are lost to the kernel only where memory has run out: they are released first.
            for before in &owners {
                self.release_if(&failed, before);
            }
            self.fail_if(&failed, Check::Branch, Failure::Memory, span, &[bytes]);
            let data = self.value(&format!("load ptr, ptr {owner}, align 8"));
            copies.push(closure.put("ptr", data));
            owners.push(owner);
        }
        let captured = self.capture(each, plan, &left, &mut closure);
        let work = self.work(each, plan, &count);

        let record = self.fresh("closure");
        self.first.push_str(&format!("  {record} = alloca [{} x i8], align 16\n", closure.size));
        for (at, ty, value) in &closure.fields {
            let address = self.value(&format!("getelementptr inbounds i8, ptr {record}, i64 {at}"));
            self.line(&format!("store {ty} {value}, ptr {address}, align 8"));
        }
        let name = format!("@body.{}", self.emitter.bodies());
        let body = Body { each, plan, span, left, captured, tables, copies, fixed, random };
        self.outline(&name, &body);

        let parallel = self.rt_function(offset::PARALLEL);
        let status = self.value(&format!(
            "call i32 {parallel}(ptr %rt, ptr {name}, ptr {record}, i64 {number}, i64 {work})"
        ));
        if !plan.accumulated.is_empty() {
            let well = self.value(&format!("icmp eq i32 {status}, 0"));
            let [gather, gathered] = ["gather", "gathered"].map(|name| self.label(name));
            self.branch(&well, &gather, &gathered);
            self.begin(&gather);
            for (at, accumulated) in plan.accumulated.iter().enumerate() {
                let data = self.value(&format!("load ptr, ptr {}, align 8", owners[at]));
                self.gather_copies(accumulated, &data, &sizes[at].0, &number, span);
            }
            self.begin(&gathered);
            for owner in &owners {
                self.release(owner);
            }
        }
        self.leave_unless_done(&status);
        self.combine(&body, &number);
        if alternative {
            self.jump(&end);
            self.begin(&serial);
            self.serial_for(each, range);
        }
        self.begin(&end);
    }

    /// Whether all that the plan asks for can be put together from blocks.
    fn suits(&self, each: &For, plan: &Plan) -> bool {
        let is_scalar = |var: &Var| matches!(self.variable_type(*var), Type::Scalar(_));
        let int = |var: Var| self.variable_type(var) == Type::INT;
        plan.last.iter().all(is_scalar)
            && plan.reductions.iter().all(|reduction| {
                // Factors of a product of ints may pass 64 bits in parts where the whole does not.
                !(reduction.kind == ReductionKind::Product && int(reduction.var))
                    && reduction.companions.iter().all(is_scalar)
                    && (reduction.kind != ReductionKind::Sum
                        || !int(reduction.var)
                        || sums_of(reduction.var, &each.body))
            })
    }

    /// Goes on where `holds`; else warns and runs the loop on this thread.
    fn demand(&mut self, holds: &str, serial: &str, span: Span, text: &str) {
        let [on, warn] = ["on", "warn"].map(|name| self.label(name));
        let fails = self.value(&format!("xor i1 {holds}, true"));
        self.branch_cold(&fails, &warn, &on);
        self.begin(&warn);
        self.notice(span, text);
        self.jump(serial);
        self.begin(&on);
    }

    fn notice(&mut self, span: Span, text: &str) {
        let number = self.emitter.notice(span, text);
        let notice = self.rt_function(offset::NOTICE);
        self.line(&format!("call void {notice}(ptr %rt, i32 {number})"));
    }

    fn release_if(&mut self, condition: &str, owner: &str) {
        let [release, on] = ["release", "on"].map(|name| self.label(name));
        self.branch_cold(condition, &release, &on);
        self.begin(&release);
        self.release(owner);
        self.jump(&on);
        self.begin(&on);
    }

    /// ceil(count / by), unsigned.
    fn divide_up(&mut self, count: &str, by: &str) -> String {
        let whole = self.value(&format!("udiv i64 {count}, {by}"));
        let rest = self.value(&format!("urem i64 {count}, {by}"));
        let more = self.value(&format!("icmp ne i64 {rest}, 0"));
        let more = self.value(&format!("zext i1 {more} to i64"));
        self.value(&format!("add i64 {whole}, {more}"))
    }

    /// To a multiple of the lanes.
    fn round_up(&mut self, length: &str) -> String {
        let above = self.value(&format!("add i64 {length}, {}", LANES - 1));
        self.value(&format!("and i64 {above}, {}", -LANES))
    }

    /// `abi::block_length`.
    fn block_length(&mut self, count: &str, fine: bool) -> String {
        let even = self.divide_up(count, &BLOCKS.to_string());
        if fine {
            return self.intrinsic("umax", Kind::I64, &[&even, "1"]);
        }
        let even = self.intrinsic("umax", Kind::I64, &[&even, "2048"]);
        self.round_up(&even)
    }

    /// Elements and bytes of an array.
    fn sizes(&mut self, array: Var) -> (String, String) {
        let ty = self.array_type(array);
        let mut elements = "1".to_string();
        for axis in 0..usize::from(ty.rank) {
            let length = self.length(array, axis);
            elements = self.value(&format!("mul i64 {elements}, {length}"));
        }
        let bytes = self.value(&format!("mul i64 {elements}, {}", ty.element.size()));
        (elements, bytes)
    }

    /// Into how many blocks a loop may be cut that has a copy of arrays in each: by memory, and so that making and combining the copies costs
    /// no more than a part of the loop.
    fn copies_at_most(&mut self, count: &str, sizes: &[(String, String)], fine: bool) -> String {
        let mut most = if fine { "64".to_string() } else { BLOCKS.to_string() };
        for (elements, bytes) in sizes {
            let bytes = self.intrinsic("umax", Kind::I64, &[bytes, "1"]);
            let by_memory = self.value(&format!("udiv i64 {COPIES}, {bytes}"));
            let each = if fine {
                "4".to_string()
            } else {
                let four = self.value(&format!("mul i64 {elements}, 4"));
                self.intrinsic("umax", Kind::I64, &[&four, "1"])
            };
            let by_work = self.value(&format!("udiv i64 {count}, {each}"));
            let least = self.intrinsic("umin", Kind::I64, &[&by_memory, &by_work]);
            most = self.intrinsic("umin", Kind::I64, &[&most, &least]);
        }
        most
    }

    /// A guess at nanoseconds, -1 where nobody knows.
    fn work(&mut self, each: &For, plan: &Plan, count: &str) -> String {
        if plan.fine {
            return "-1".into();
        }
        let body = each.fast.as_ref().map_or(&each.body, |fast| &fast.body);
        let quarters = cost(body).clamp(1, 1 << 20);
        let few = self.intrinsic("umin", Kind::I64, &[count, &(1_u64 << 40).to_string()]);
        let all = self.value(&format!("mul i64 {few}, {quarters}"));
        self.value(&format!("lshr i64 {all}, 2"))
    }

    /// The scalars that blocks leave something of, with their tables.
    fn left(&mut self, each: &For, plan: &Plan) -> Vec<Left> {
        let mut roles = Vec::new();
        for var in plan.last.iter().filter(|var| **var != each.var).chain([&each.var]) {
            roles.push((*var, Role::Last));
        }
        for Reduction { var, kind, companions } in &plan.reductions {
            let at = roles.len();
            roles.push((*var, Role::Gathered(*kind)));
            roles.extend(companions.iter().map(|companion| (*companion, Role::Companion(at))));
        }
        let mut left: Vec<Left> = Vec::new();
        for (var, role) in roles {
            let Type::Scalar(scalar) = self.variable_type(var) else { unreachable!("{var:?} is a scalar") };
            let exact = role == Role::Gathered(ReductionKind::Sum) && scalar == Scalar::INT;
            let kind = if exact { Kind::I128 } else { scalar.kind };
            let table = self.alloca(&format!("[{BLOCKS} x {}]", in_memory(kind)), None);
            let set = self.alloca(&format!("[{BLOCKS} x i8]"), None);
            left.push(Left { var, kind, role, table, set });
        }
        left
    }

    /// What the body only reads: into the closure.
    fn capture(
        &mut self,
        each: &For,
        plan: &Plan,
        left: &[Left],
        closure: &mut Closure,
    ) -> Vec<(Var, Vec<(usize, &'static str)>)> {
        let mut used = BTreeSet::new();
        used_in(&each.body, &mut used);
        if let Some(fast) = &each.fast {
            used_in(&fast.body, &mut used);
        }
        let mut own = BTreeSet::new();
        assigned_in(&each.body, &mut own);
        if let Some(fast) = &each.fast {
            assigned_in(&fast.body, &mut own);
        }
        // Reductions that choose begin with the value from before the loop.
        let begun = left.iter().filter(|left| !matches!(left.role, Role::Last)).map(|left| left.var);
        let begun: BTreeSet<Var> = begun.collect();
        let arrays: BTreeSet<Var> =
            plan.accumulated.iter().map(|each| each.array).chain(plan.overwritten.iter().copied()).collect();
        used.extend(&begun);
        used.extend(&arrays);
        used.retain(|var| {
            begun.contains(var) || arrays.contains(var) || (!own.contains(var) && *var != each.var)
        });
        let mut captured = Vec::new();
        for var in used {
            let fields: Vec<(&'static str, String)> = match self.variable_type(var) {
                Type::Scalar(scalar) => {
                    let value = self.read(var);
                    match value {
                        Operand::One(one) => {
                            let ty = memory(scalar.kind);
                            let one = if scalar.kind == Kind::Bool {
                                self.value(&format!("zext i1 {one} to i8"))
                            } else {
                                one
                            };
                            vec![(ty, one)]
                        }
                        Operand::Pair(real, imag) => {
                            vec![(memory(scalar.kind), real), (memory(scalar.kind), imag)]
                        }
                    }
                }
                Type::Array(_) => self.descriptor(var),
            };
            let offsets = fields.into_iter().map(|(ty, value)| (closure.put(ty, value), ty)).collect();
            captured.push((var, offsets));
        }
        captured
    }

    /// Writes the function that runs one block.
    fn outline(&mut self, name: &str, body: &Body) {
        let head =
            format!("define internal i32 {name}(ptr noalias %closure, i64 %block, ptr noalias %rt) #0 {{\n");
        let calls = self.calls.clone();
        let mut inner = FunctionEmitter::new(&mut *self.emitter, self.function, head);
        inner.calls = calls;
        inner.block_function(body);
        inner.finish();
    }

    fn field(&mut self, at: usize, ty: &str) -> String {
        let address = self.value(&format!("getelementptr inbounds i8, ptr %closure, i64 {at}"));
        self.value(&format!("load {ty}, ptr {address}, align 8"))
    }

    /// The whole of a block's function.
    fn block_function(&mut self, body: &Body) {
        self.prologue();
        self.first.push_str("  %random = alloca { i64, i64, i64 }, align 8\n");
        for variable in &self.function.variables {
            let place = self.place_for(variable.ty, false);
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
        let range = Range { start: index, step, count, constant_count: None };
        let iterations = Iterations { range, first, key };
        for (at, accumulated) in body.plan.accumulated.iter().enumerate() {
            self.own_copy(accumulated.array, body.copies[at]);
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
            if fast.attempt {
                self.begin_attempt();
            }
            let again = self.region(body, &fast.body, &begun, &iterations, true);
            if fast.attempt {
                self.begin(&again);
                self.jump(&checked);
            }
        }
        self.begin(&checked);
        self.region(body, &body.each.body, &begun, &iterations, false);
        self.epilogue();
    }

    fn set_captured(&mut self, var: Var, values: Vec<String>) {
        match self.place(var) {
            Place::Scalar(address) => {
                let Type::Scalar(scalar) = self.variable_type(var) else { return };
                let mut values = values.into_iter();
                let operand = match (values.next(), values.next()) {
                    (Some(real), Some(imag)) => Operand::Pair(real, imag),
                    (one, _) => {
                        let one = one.unwrap_or_default();
                        Operand::One(if scalar.kind == Kind::Bool {
                            self.value(&format!("icmp ne i8 {one}, 0"))
                        } else {
                            one
                        })
                    }
                };
                self.store(scalar.kind, &operand, &address);
            }
            Place::Array(mut place) => {
                place.borrowed = true;
                let addresses: Vec<String> = [&place.data, &place.owner]
                    .into_iter()
                    .chain(&place.lengths)
                    .chain(&place.strides)
                    .cloned()
                    .collect();
                for ((address, value), ty) in
                    addresses.iter().zip(values).zip(flattened(self.variable_type(var)))
                {
                    self.line(&format!("store {ty} {value}, ptr {address}"));
                }
                self.places[var.0 as usize] = Place::Array(place);
            }
        }
    }

    /// Strides of an array without gaps, in the order of its layout.
    fn dense(&mut self, array: Var, place: &ArrayPlace) {
        let ty = self.array_type(array);
        let mut stride = ty.element.size().to_string();
        let rank = usize::from(ty.rank);
        let order: Vec<usize> =
            if ty.layout == Layout::F { (0..rank).collect() } else { (0..rank).rev().collect() };
        for axis in order {
            self.line(&format!("store i64 {stride}, ptr {}", place.strides[axis]));
            let length = self.length(array, axis);
            stride = self.value(&format!("mul i64 {stride}, {length}"));
        }
    }

    /// From here on the array is this block's own copy, which is begun by `begin_copy`.
    fn own_copy(&mut self, array: Var, copies: usize) {
        let (_, bytes) = self.sizes(array);
        let mut place = self.array_place(array);
        // What it was: for those that begin with the values from before the loop.
        let original = place.clone();
        place.data = self.alloca("ptr", Some("null"));
        place.strides = (0..place.strides.len()).map(|_| self.alloca("i64", Some("0"))).collect();
        let data = self.field(copies, "ptr");
        let far = self.value(&format!("mul i64 %block, {bytes}"));
        let own = self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
        self.line(&format!("store ptr {own}, ptr {}", place.data));
        self.originals.insert(array, original);
        self.places[array.0 as usize] = Place::Array(place.clone());
        self.dense(array, &place);
    }

    /// All blocks but the last write to memory that is thrown away.
    fn scratch(&mut self, array: Var, blocks: usize, span: Span) {
        let blocks = self.field(blocks, "i64");
        let last = self.value(&format!("sub i64 {blocks}, 1"));
        let is_last = self.value(&format!("icmp eq i64 %block, {last}"));
        let [own, on] = ["scratch", "on"].map(|name| self.label(name));
        let (_, bytes) = self.sizes(array);
        let mut place = self.array_place(array);
        place.borrowed = false;
        self.line(&format!("store ptr null, ptr {}", place.owner));
        self.places[array.0 as usize] = Place::Array(place.clone());
        self.branch(&is_last, &on, &own);
        self.begin(&own);
        let alloc = self.rt_function(offset::ALLOC);
        let owner = self.value(&format!("call ptr {alloc}(ptr %rt, i64 {bytes}, i32 0)"));
        let failed = self.value(&format!("icmp eq ptr {owner}, null"));
        self.fail_if(&failed, Check::Branch, Failure::Memory, span, &[bytes]);
        let data = self.value(&format!("load ptr, ptr {owner}, align 8"));
        self.line(&format!("store ptr {owner}, ptr {}", place.owner));
        self.line(&format!("store ptr {data}, ptr {}", place.data));
        self.dense(array, &place);
        self.jump(&on);
        self.begin(&on);
    }

    /// Runs the block with one of the two bodies, leaves what is to be left, and ends the function. Tells where an attempt goes on.
    fn region(
        &mut self,
        body: &Body,
        block: &[Statement],
        begun: &[Option<Operand>],
        iterations: &Iterations,
        quick: bool,
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
                        && matches!(role, ReductionKind::Sum | ReductionKind::Product)
                        && (kind.is_float() || kind.is_complex())
                    {
                        lanes.push(self.lane(left.var, kind, role, address));
                    }
                }
                (_, Some(value)) => self.assign(left.var, value),
                (_, None) => {}
            }
            kinds.push(kind);
        }
        self.touched = set.clone();
        if lanes.is_empty() {
            let key = iterations.key.as_deref();
            self.counted_from(body.each.var, &iterations.range, block, key, &iterations.first);
        } else {
            self.laned(body.each.var, block, iterations, &lanes, quick);
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
        self.jump("exit");
        again
    }

    /// A block's own copy of an array that is accumulated into: identities, or the values from before the loop.
    fn begin_copy(&mut self, accumulated: &Accumulated, span: Span) {
        let array = accumulated.array;
        let kind = self.array_type(array).element;
        let (elements, _) = self.sizes(array);
        let own = self.array_place(array);
        let data = self.value(&format!("load ptr, ptr {}", own.data));
        let begin = identity(accumulated.kind, kind).map(|one| complete(kind, one));
        let original = self.originals.get(&array).cloned();
        let range = plain(&elements);
        let _ = span;
        self.each(&range, Some(1), |this, turn| {
            let index = &turn.value;
            let value = match (&begin, &original) {
                (Some(value), _) => value.clone(),
                (None, Some(original)) => {
                    let address = this.flat(array, original, index);
                    this.load(kind, &address)
                }
                (None, None) => complete(kind, "0"),
            };
            let far = this.value(&format!("mul i64 {index}, {}", kind.size()));
            let address = this.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
            this.store(kind, &value, &address);
        });
    }

    /// Address of the element of this number, counted in the order in which copies are laid out.
    fn flat(&mut self, array: Var, place: &ArrayPlace, index: &str) -> String {
        let ty = self.array_type(array);
        let rank = usize::from(ty.rank);
        let data = self.value(&format!("load ptr, ptr {}", place.data));
        if matches!(ty.layout, Layout::C | Layout::F) || rank == 0 {
            let far = self.value(&format!("mul i64 {index}, {}", ty.element.size()));
            return self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
        }
        let mut rest = index.to_string();
        let mut far = "0".to_string();
        for axis in (0..rank).rev() {
            let length = self.value(&format!("load i64, ptr {}", place.lengths[axis]));
            let stride = self.value(&format!("load i64, ptr {}", place.strides[axis]));
            let own =
                if axis == 0 { rest.clone() } else { self.value(&format!("urem i64 {rest}, {length}")) };
            if axis > 0 {
                rest = self.value(&format!("udiv i64 {rest}, {length}"));
            }
            let bytes = self.value(&format!("mul i64 {own}, {stride}"));
            far = self.value(&format!("add i64 {far}, {bytes}"));
        }
        self.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"))
    }

    /// Behind the loop: all copies into the array, in the order of the blocks.
    fn gather_copies(
        &mut self,
        accumulated: &Accumulated,
        data: &str,
        elements: &str,
        number: &str,
        span: Span,
    ) {
        let array = accumulated.array;
        let kind = self.array_type(array).element;
        let place = self.array_place(array);
        let bytes = self.value(&format!("mul i64 {elements}, {}", kind.size()));
        let (blocks, inner) = (plain(number), plain(elements));
        self.each(&blocks, None, |this, turn| {
            let block = &turn.value;
            let far = this.value(&format!("mul i64 {block}, {bytes}"));
            let copy = this.value(&format!("getelementptr inbounds i8, ptr {data}, i64 {far}"));
            this.each(&inner, Some(1), |this, turn| {
                let index = &turn.value;
                let address = this.flat(array, &place, index);
                let old = this.load(kind, &address);
                let far = this.value(&format!("mul i64 {index}, {}", kind.size()));
                let new = this.value(&format!("getelementptr inbounds i8, ptr {copy}, i64 {far}"));
                let new = this.load(kind, &new);
                let both = this.merge(accumulated.kind, &old, &new, Scalar::numpy(kind), span);
                this.store(kind, &both, &address);
            });
        });
    }

    /// What two parts make together; the first comes before the second.
    fn merge(
        &mut self,
        role: ReductionKind,
        old: &Operand,
        new: &Operand,
        ty: Scalar,
        span: Span,
    ) -> Operand {
        let op = match role {
            ReductionKind::Sum if ty.kind == Kind::Bool => Binary::Or,
            ReductionKind::Product if ty.kind == Kind::Bool => Binary::And,
            ReductionKind::Sum => Binary::Add,
            ReductionKind::Product => Binary::Multiply,
            ReductionKind::Minimum => Binary::Minimum,
            ReductionKind::Maximum => Binary::Maximum,
            ReductionKind::And => Binary::And,
            ReductionKind::Or => Binary::Or,
            ReductionKind::Xor => Binary::Xor,
            ReductionKind::Less
            | ReductionKind::LessEqual
            | ReductionKind::Greater
            | ReductionKind::GreaterEqual => {
                let taken = self.chosen(role, new, old, ty.kind);
                return self.select(&taken, new, old, ty.kind);
            }
        };
        self.binary(op, old, new, ty, Check::None, span)
    }

    /// Whether the new value is taken.
    fn chosen(&mut self, role: ReductionKind, new: &Operand, old: &Operand, kind: Kind) -> String {
        let op = match role {
            ReductionKind::Less => Compare::Less,
            ReductionKind::LessEqual => Compare::LessEqual,
            ReductionKind::Greater => Compare::Greater,
            _ => Compare::GreaterEqual,
        };
        let (new, old) = (new.one(), old.one());
        let ty = super::register(kind);
        if kind.is_float() {
            self.value(&format!("fcmp {} {ty} {new}, {old}", float_predicate(op)))
        } else {
            self.value(&format!("icmp {} {ty} {new}, {old}", int_predicate(op, kind)))
        }
    }

    fn select(&mut self, condition: &str, then: &Operand, orelse: &Operand, kind: Kind) -> Operand {
        let ty = super::register(kind);
        let mut one = |then: &str, orelse: &str| {
            self.value(&format!("select i1 {condition}, {ty} {then}, {ty} {orelse}"))
        };
        match (then, orelse) {
            (Operand::Pair(real, imag), Operand::Pair(other, part)) => {
                let real = one(real, other);
                Operand::Pair(real, one(imag, part))
            }
            _ => Operand::One(one(then.one(), orelse.one())),
        }
    }

    /// Behind the loop: what the blocks left, in their order, into the variables.
    fn combine(&mut self, body: &Body, number: &str) {
        // The sums of ints, kept wide until the end.
        let mut wide = BTreeMap::new();
        for (at, left) in body.left.iter().enumerate() {
            if left.kind == Kind::I128 {
                let address = self.alloca_scalar(Kind::I128);
                let value = self.read(left.var);
                let value = self.value(&format!("sext i64 {} to i128", value.one()));
                self.store(Kind::I128, &Operand::One(value), &address);
                wide.insert(at, address);
            }
        }
        let blocks = plain(number);
        self.each(&blocks, Some(16), |this, turn| {
            let block = &turn.value;
            for (at, left) in body.left.iter().enumerate() {
                match left.role {
                    Role::Companion(_) => {}
                    Role::Last => {
                        let set = this.was_set(left, block);
                        let new = this.kept(left, block);
                        let old = this.read(left.var);
                        let value = this.select(&set, &new, &old, left.kind);
                        this.assign(left.var, &value);
                    }
                    Role::Gathered(role) => this.combine_one(body, at, role, block, wide.get(&at)),
                }
            }
        });
        for (at, address) in wide {
            let total = self.load(Kind::I128, &address);
            let narrow = self.value(&format!("trunc i128 {} to i64", total.one()));
            let again = self.value(&format!("sext i64 {narrow} to i128"));
            let over = self.value(&format!("icmp ne i128 {again}, {}", total.one()));
            self.fail_if(&over, Check::Branch, Failure::Overflow, body.span, &[]);
            self.assign(body.left[at].var, &Operand::One(narrow));
        }
    }

    fn combine_one(
        &mut self,
        body: &Body,
        at: usize,
        role: ReductionKind,
        block: &str,
        wide: Option<&String>,
    ) {
        let left = &body.left[at];
        let new = self.kept(left, block);
        if let Some(address) = wide {
            let old = self.load(Kind::I128, address);
            let sum = self.value(&format!("add i128 {}, {}", old.one(), new.one()));
            self.store(Kind::I128, &Operand::One(sum), address);
            return;
        }
        let Type::Scalar(scalar) = self.variable_type(left.var) else { return };
        let old = self.read(left.var);
        let choice = matches!(
            role,
            ReductionKind::Less
                | ReductionKind::LessEqual
                | ReductionKind::Greater
                | ReductionKind::GreaterEqual
        );
        if !choice {
            let ty = Scalar { flavour: Flavour::NumPy, ..scalar };
            let both = self.merge(role, &old, &new, ty, body.span);
            self.assign(left.var, &both);
            return;
        }
        let taken = self.chosen(role, &new, &old, scalar.kind);
        let set = self.was_set(left, block);
        let taken = self.value(&format!("and i1 {taken}, {set}"));
        let value = self.select(&taken, &new, &old, scalar.kind);
        self.assign(left.var, &value);
        for companion in body.left.iter().filter(|other| other.role == Role::Companion(at)) {
            let new = self.kept(companion, block);
            let old = self.read(companion.var);
            let value = self.select(&taken, &new, &old, companion.kind);
            self.assign(companion.var, &value);
        }
    }

    fn was_set(&mut self, left: &Left, block: &str) -> String {
        let address = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {block}", left.set));
        let set = self.value(&format!("load i8, ptr {address}"));
        self.value(&format!("icmp ne i8 {set}, 0"))
    }

    fn kept(&mut self, left: &Left, block: &str) -> Operand {
        let far = self.value(&format!("mul i64 {block}, {}", left.kind.size()));
        let address = self.value(&format!("getelementptr inbounds i8, ptr {}, i64 {far}", left.table));
        self.load(left.kind, &address)
    }
}

/// Lanes of one reduction: as many sums as there are lanes, combined in a fixed tree.
struct Lane {
    kind: Kind,
    role: ReductionKind,
    /// Of the scalar that the body works on.
    address: String,
    table: String,
}

/// The iterations of a block.
struct Iterations {
    range: Range,
    /// Number of the first, counted over all blocks.
    first: String,
    key: Option<String>,
}

impl FunctionEmitter<'_, '_> {
    fn lane(&mut self, var: Var, kind: Kind, role: ReductionKind, address: String) -> Lane {
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
    fn laned(&mut self, var: Var, block: &[Statement], iterations: &Iterations, lanes: &[Lane], quick: bool) {
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
            self.one_laned(var, block, range, first, key.as_deref(), &k, &lane, lanes, &next);
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
        self.each(&rest, weight(block), |this, turn| {
            let index = &turn.value;
            let k = this.value(&format!("add i64 {index}, {done}"));
            let lane = this.value(&format!("and i64 {k}, {}", LANES - 1));
            let next = this.label("iteration");
            this.one_laned(var, block, range, first, key.as_deref(), &k, &lane, lanes, &next);
        });
        for lane in lanes {
            self.fold(lane);
        }
    }

    /// One iteration, from its lanes and back; ends in the block `next`.
    #[expect(clippy::too_many_arguments, reason = "an iteration is all of these")]
    fn one_laned(
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
        self.loops.push(super::function::Around { leave: next.into(), next: next.into() });
        self.block(block);
        self.loops.pop();
        self.begin(next);
        for (each, at) in lanes.iter().zip(&places) {
            let value = self.load(each.kind, &each.address);
            self.store(each.kind, &value, at);
        }
    }

    /// All lanes into the scalar, in a fixed tree: halves upon halves.
    fn fold(&mut self, lane: &Lane) {
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

    /// `v = value` where `v` is an exact sum: in 128 bits.
    pub fn assign_wide(&mut self, var: Var, address: &str, value: &Expr) {
        let value = self.wide_value(var, address, value);
        self.store(Kind::I128, &Operand::One(value), address);
    }

    fn wide_value(&mut self, var: Var, address: &str, expr: &Expr) -> String {
        match &*expr.kind {
            ExprKind::Var(own) if *own == var => self.load(Kind::I128, address).one().to_string(),
            ExprKind::Binary { op: op @ (Binary::Add | Binary::Subtract), left, right, .. }
                if mentions(expr, var) =>
            {
                let left = self.wide_value(var, address, left);
                let right = self.wide_value(var, address, right);
                let op = if *op == Binary::Add { "add" } else { "sub" };
                self.value(&format!("{op} i128 {left}, {right}"))
            }
            ExprKind::If { condition, then, orelse } if mentions(expr, var) => {
                let condition = self.expression(condition);
                let [yes, no, end] = ["then", "else", "end"].map(|name| self.label(name));
                let result = self.alloca_scalar(Kind::I128);
                self.branch(condition.one(), &yes, &no);
                for (label, side) in [(&yes, then), (&no, orelse)] {
                    self.begin(label);
                    let value = self.wide_value(var, address, side);
                    self.store(Kind::I128, &Operand::One(value), &result);
                    self.jump(&end);
                }
                self.begin(&end);
                self.load(Kind::I128, &result).one().to_string()
            }
            _ => {
                let value = self.expression(expr);
                self.value(&format!("sext i64 {} to i128", value.one()))
            }
        }
    }
}

/// `range(count)`, of which each number is told.
fn plain(count: &str) -> Range {
    Range { start: "0".into(), step: "1".into(), count: count.into(), constant_count: None }
}

/// LLVM's type of one in a table.
fn in_memory(kind: Kind) -> String {
    if kind.is_complex() { format!("[2 x {}]", memory(kind)) } else { memory(kind).into() }
}

/// With what a block begins; `None`: with the value from before the loop.
fn identity(role: ReductionKind, kind: Kind) -> Option<&'static str> {
    let float = kind.is_float() || kind.is_complex();
    match role {
        // x + -0.0 is x, also where x is -0.0.
        ReductionKind::Sum if float => Some("-0.0"),
        ReductionKind::Product if float => Some("1.0"),
        ReductionKind::Sum | ReductionKind::Or | ReductionKind::Xor => {
            Some(if kind == Kind::Bool { "false" } else { "0" })
        }
        ReductionKind::Product => Some(if kind == Kind::Bool { "true" } else { "1" }),
        ReductionKind::And => Some(if kind == Kind::Bool { "true" } else { "-1" }),
        _ => None,
    }
}

fn complete(kind: Kind, one: &str) -> Operand {
    if kind.is_complex() {
        // (1 + 0j) for products, (-0 - 0j) for sums.
        let imag = if one == "1.0" { "0.0" } else { one };
        Operand::Pair(one.into(), imag.into())
    } else {
        Operand::One(one.into())
    }
}

fn mentions(expr: &Expr, var: Var) -> bool {
    *expr.kind == ExprKind::Var(var) || operands(expr).into_iter().any(|part| mentions(part, var))
}

/// All assignments to an exact sum have a form that `wide_value` knows.
fn sums_of(var: Var, block: &[Statement]) -> bool {
    fn form(expr: &Expr, var: Var) -> bool {
        match &*expr.kind {
            ExprKind::Var(_) => true,
            ExprKind::Binary { op: Binary::Add | Binary::Subtract, left, right, .. } => {
                [left, right].into_iter().all(|side| !mentions(side, var) || form(side, var))
            }
            ExprKind::If { condition, then, orelse } => {
                !mentions(condition, var)
                    && [then, orelse].into_iter().all(|side| !mentions(side, var) || form(side, var))
            }
            _ => false,
        }
    }
    block.iter().all(|statement| {
        let own = match &statement.kind {
            StatementKind::Assign { var: target, value } if *target == var => {
                mentions(value, var) && form(value, var)
            }
            StatementKind::Call { results, .. } => !results.contains(&var),
            _ => true,
        };
        own && blocks(statement).into_iter().all(|inner| sums_of(var, inner))
    })
}

/// No update of an exact sum needs a check.
fn proved(var: Var, block: &[Statement]) -> bool {
    fn free(expr: &Expr, var: Var) -> bool {
        let own = match &*expr.kind {
            ExprKind::Binary { check, .. } => *check == Check::None || !mentions(expr, var),
            _ => true,
        };
        own && operands(expr).into_iter().all(|part| free(part, var))
    }
    block.iter().all(|statement| {
        let own = match &statement.kind {
            StatementKind::Assign { var: target, value } if *target == var => free(value, var),
            _ => true,
        };
        own && blocks(statement).into_iter().all(|inner| proved(var, inner))
    })
}

/// Variables that a block mentions in any way.
fn used_in(block: &[Statement], used: &mut BTreeSet<Var>) {
    for statement in block {
        for expr in expressions(statement) {
            used_by(expr, used);
        }
        match &statement.kind {
            StatementKind::Assign { var, .. } | StatementKind::Store { array: var, .. } => {
                used.insert(*var);
            }
            StatementKind::Call { results, .. } => used.extend(results),
            StatementKind::For(each) => {
                used.insert(each.var);
                if let Some(fast) = &each.fast {
                    used_by(&fast.condition, used);
                    used.extend(&fast.save);
                }
                if let Some(plan) = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref()) {
                    plan.conditions.iter().for_each(|condition| used_by(condition, used));
                    for (left, right) in &plan.distinct {
                        used.extend([left, right]);
                    }
                    used.extend(plan.reductions.iter().map(|reduction| reduction.var));
                    used.extend(plan.accumulated.iter().map(|accumulated| accumulated.array));
                }
            }
            _ => {}
        }
        for inner in blocks(statement) {
            used_in(inner, used);
        }
    }
}

fn used_by(expr: &Expr, used: &mut BTreeSet<Var>) {
    match &*expr.kind {
        ExprKind::Var(var) => {
            used.insert(*var);
        }
        ExprKind::Load { array, .. } | ExprKind::Dim { array, .. } | ExprKind::View { array, .. } => {
            used.insert(*array);
        }
        ExprKind::Disjoint { left, right } => used.extend([left, right]),
        _ => {}
    }
    operands(expr).into_iter().for_each(|part| used_by(part, used));
}

/// Variables that a block assigns.
fn assigned_in(block: &[Statement], assigned: &mut BTreeSet<Var>) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { var, .. } => {
                assigned.insert(*var);
            }
            StatementKind::Call { results, .. } => assigned.extend(results),
            StatementKind::For(each) => {
                assigned.insert(each.var);
            }
            _ => {}
        }
        for inner in blocks(statement) {
            assigned_in(inner, assigned);
        }
    }
}

/// A guess at a quarter of nanoseconds for one run of a block without loops.
fn cost(block: &[Statement]) -> u64 {
    fn of(expr: &Expr) -> u64 {
        let own = match &*expr.kind {
            ExprKind::Math { .. } => 6,
            ExprKind::Random { .. } => 8,
            ExprKind::Load { .. } => 2,
            ExprKind::Binary { op: Binary::FloorDivide | Binary::Modulo | Binary::Power, .. } => 6,
            ExprKind::New { .. } => 200,
            ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Var(_) => 0,
            _ => 1,
        };
        own + operands(expr).into_iter().map(of).sum::<u64>()
    }
    block
        .iter()
        .map(|statement| {
            let own = u64::from(matches!(statement.kind, StatementKind::Store { .. }));
            let inner = blocks(statement).into_iter().map(cost).sum::<u64>();
            own + inner + expressions(statement).into_iter().map(of).sum::<u64>()
        })
        .sum()
}
