//! Parallel loops: the body becomes a function that runs one block of iterations, and `Rt::parallel` runs the blocks.
//!
//! What the body reads is handed over in a closure on the caller's stack: values of scalars, descriptors of arrays. What it writes follows the
//! `Plan`: each block begins its reductions anew and leaves them in its own place of a table, and behind the loop the places are combined in
//! the order of the blocks. The blocks depend on the loop's length alone (`abi::block_length`), and so do the bits of the result.

mod block;
mod closure;
mod combine;
mod copies;
mod exact;
mod lanes;
mod leaving;
mod past;
mod small;

use crate::abi::{LANES, offset};
use crate::compile::Failure;
use crate::emit::function::FunctionEmitter;
use crate::emit::loops::Range;
use crate::emit::memory;
use crate::emit::walk::{blocks, draws};
use crate::ir::{
    Binary, Check, Expr, ExprKind, For, Function, Kind, Plan, Reduction, ReductionKind, Scalar, Span,
    Statement, StatementKind, Type, Var,
};
use crate::walk::{expressions, operands};
use closure::Closure;
use exact::sums_of;
use leaving::Leaving;
pub(crate) use past::{LARGE, written_in_a_row};

/// No loop has more blocks.
const BLOCKS: u64 = 256;

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
    /// Where the loop may end early.
    leaving: Option<Leaving>,
    /// What it may write past the caches.
    past: Vec<Var>,
}

/// Offsets of what every closure holds.
struct Fixed {
    start: usize,
    step: usize,
    count: usize,
    length: usize,
    blocks: usize,
    fast: usize,
    past: usize,
    depth: usize,
    key: usize,
}

impl FunctionEmitter<'_, '_> {
    /// A parallel loop with a plan; where it cannot be run in blocks this time, on this thread.
    pub(super) fn parallel_for(&mut self, each: &For, plan: &Plan, range: &Range, span: Span) {
        let told = !each.parallel.as_ref().is_some_and(|parallel| parallel.implicit);
        if !suits(self.function, each, plan) {
            let text = "the loop ran on one thread: what it leaves cannot be put together from blocks";
            if told {
                self.notice(span, text);
            }
            self.serial_for(each, range);
            return;
        }
        let [serial, end] = ["serial", "done"].map(|name| self.label(name));
        let mut alternative = false;
        // A block runs its iterations in their order: where nothing is put together from blocks, one block is the serial loop.
        let demands = !(plan.distinct.is_empty() && plan.conditions.is_empty());
        let plain = plan.accumulated.is_empty() && plan.reductions.is_empty() && plan.overwritten.is_empty();
        let one_block = demands && plain && !plan.leaves;
        let whole = one_block.then(|| self.alloca("i8", None));
        if let Some(whole) = &whole {
            self.line(&format!("store i8 0, ptr {whole}"));
        } else {
            alternative |= demands;
        }
        for (left, right) in &plan.distinct {
            let apart = self.disjoint(*left, *right);
            let text = "the loop ran on one thread: arrays that it writes share memory with others";
            self.demand(&apart, &serial, whole.as_deref(), told.then_some(span), text);
        }
        for condition in &plan.conditions {
            let holds = self.expression(condition).one().to_string();
            let text = "the loop ran on one thread: with these values two iterations may meet in one element";
            self.demand(&holds, &serial, whole.as_deref(), told.then_some(span), text);
        }

        if !self.small(each, plan, range, span, &end) {
            self.begin(&end);
            return;
        }

        // Blocks.
        let count = range.count.clone();
        let mut length = self.block_length(&count, plan.fine);
        let mut number = self.divide_up(&count, &length);
        if let Some(whole) = whole {
            let whole = self.value(&format!("load i8, ptr {whole}"));
            let whole = self.value(&format!("icmp ne i8 {whole}, 0"));
            let least = self.intrinsic("umin", Kind::I64, &[&number, "1"]);
            length = self.value(&format!("select i1 {whole}, i64 {count}, i64 {length}"));
            number = self.value(&format!("select i1 {whole}, i64 {least}, i64 {number}"));
        }
        let mut sizes = Vec::new();
        for accumulated in &plan.accumulated {
            let (elements, mut bytes) = self.sizes(accumulated.array);
            if accumulated.kind == ReductionKind::Latest {
                // Marks behind the elements.
                bytes = self.value(&format!("mul i64 {bytes}, 2"));
            }
            sizes.push((elements, bytes));
        }
        if !sizes.is_empty() {
            alternative = true;
            let most = self.copies_at_most(&count, &sizes, plan.fine);
            let enough = self.value(&format!("icmp uge i64 {most}, 2"));
            let small = self.value(&format!("icmp ult i64 {count}, 8192"));
            let fine = self.value(&format!("or i1 {enough}, {small}"));
            let text = "the loop ran on one thread: a copy for each block of the array that it gathers in would cost more than \
                        the loop";
            self.demand(&fine, &serial, None, told.then_some(span), text);
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

        let past = written_in_a_row(self.function, each, plan);
        let goes_past =
            if past.is_empty() { "0".to_string() } else { self.goes_past(each, &past, &range.start, &count) };
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
            past: closure.put("i64", goes_past),
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
        for (_, bytes) in &sizes {
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
        let leaving = plan.leaves.then(|| {
            let table = self.leaving_table();
            Leaving { at: closure.put("ptr", table.clone()), table }
        });

        let record = self.fresh("closure");
        self.first.push_str(&format!("  {record} = alloca [{} x i8], align 16\n", closure.size));
        for (at, ty, value) in &closure.fields {
            let address = self.value(&format!("getelementptr inbounds i8, ptr {record}, i64 {at}"));
            self.line(&format!("store {ty} {value}, ptr {address}, align 8"));
        }
        let name = format!("@body.{}", self.emitter.bodies());
        let body = Body { each, plan, span, left, captured, tables, copies, fixed, random, leaving, past };
        self.outline(&name, &body);

        let parallel = self.rt_function(offset::PARALLEL);
        let status = self.value(&format!(
            "call i32 {parallel}(ptr %rt, ptr {name}, ptr {record}, i64 {number}, i64 {work}, i32 {})",
            i32::from(plan.leaves)
        ));
        let status = self.unless_left(&body, status);
        if !plan.accumulated.is_empty() {
            let well = self.value(&format!("icmp eq i32 {status}, 0"));
            let [gather, gathered] = ["gather", "gathered"].map(|name| self.label(name));
            self.branch(&well, &gather, &gathered);
            self.begin(&gather);
            for (at, accumulated) in plan.accumulated.iter().enumerate() {
                let data = self.value(&format!("load ptr, ptr {}, align 8", owners[at]));
                self.gather_copies(&body, accumulated, &data, &sizes[at].0, &number);
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

    /// Goes on where `holds`; else warns (where there is a place to tell) and runs the loop on this thread: at `serial`, or where `whole` is given, as a whole block.
    fn demand(&mut self, holds: &str, serial: &str, whole: Option<&str>, span: Option<Span>, text: &str) {
        let [on, warn] = ["on", "warn"].map(|name| self.label(name));
        let fails = self.value(&format!("xor i1 {holds}, true"));
        self.branch_cold(&fails, &warn, &on);
        self.begin(&warn);
        if let Some(span) = span {
            self.notice(span, text);
        }
        match whole {
            Some(whole) => {
                self.line(&format!("store i8 1, ptr {whole}"));
                self.jump(&on);
            }
            None => self.jump(serial),
        }
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

    /// Writes the function that runs one block.
    fn outline(&mut self, name: &str, body: &Body) {
        let head =
            format!("define internal i32 {name}(ptr noalias %closure, i64 %block, ptr noalias %rt) #0 {{\n");
        let calls = self.calls.clone();
        let mut inner = FunctionEmitter::new(&mut *self.emitter, self.function, head);
        inner.calls = calls;
        inner.at = body.span;
        inner.block_function(body);
        inner.finish();
    }

    fn field(&mut self, at: usize, ty: &str) -> String {
        let address = self.value(&format!("getelementptr inbounds i8, ptr %closure, i64 {at}"));
        self.value(&format!("load {ty}, ptr {address}, align 8"))
    }
}

/// Whether all that the plan asks for can be put together from blocks.
pub(crate) fn suits(function: &Function, each: &For, plan: &Plan) -> bool {
    let ty = |var: Var| function.variables[var.0 as usize].ty;
    let is_scalar = |var: &Var| matches!(ty(*var), Type::Scalar(_));
    plan.last.iter().all(is_scalar)
        && plan.reductions.iter().all(|reduction| {
            let int = ty(reduction.var) == Type::INT;
            // Factors of a product of ints may pass 64 bits in parts where the whole does not.
            !(reduction.kind == ReductionKind::Product && int)
                && reduction.companions.iter().all(is_scalar)
                && (reduction.kind != ReductionKind::Sum || !int || sums_of(reduction.var, &each.body))
        })
}

/// `range(count)`, of which each number is told.
fn plain(count: &str) -> Range {
    Range { start: "0".into(), step: "1".into(), count: count.into(), at_most: None }
}

/// LLVM's type of one in a table.
fn in_memory(kind: Kind) -> String {
    if kind.is_complex() { format!("[2 x {}]", memory(kind)) } else { memory(kind).into() }
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
