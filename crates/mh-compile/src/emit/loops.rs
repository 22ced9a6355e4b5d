//! Loops, and how they are stopped.
//!
//! A loop without loops inside runs in strips: LLVM sees a plain counted loop (and vectorises it, or puts a closed form in its place), and
//! between two strips somebody looks whether to stop. In other loops each iteration counts; so does each strip, by its length.

use super::function::{Around, Attempt, FunctionEmitter, Operand};
use super::walk::weight;
use crate::abi::offset;
use crate::ir::{Expr, ExprKind, Fast, For, Kind, Parallel, Span, Statement, Var};

/// The values of a `range`, evaluated: registers.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub start: String,
    pub step: String,
    /// Unsigned: may be past 2^63.
    pub count: String,
    /// Where it is known that there are no more; of constant bounds the number itself.
    pub at_most: Option<u64>,
}

/// An iteration, as its body sees it: registers.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    /// The loop's variable.
    pub value: String,
    /// Iterations before this one, in its strip.
    pub count: String,
    /// Iterations before its strip.
    pub before: Option<String>,
}

/// Where an iteration's random numbers come from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Numbers<'a> {
    /// The loop's key, where it draws: each iteration then draws from a stream of its own.
    pub key: Option<&'a str>,
    /// The first iteration's number in its loop.
    pub first: &'a str,
}

impl FunctionEmitter<'_, '_> {
    pub fn for_loop(&mut self, each: &For, span: Span) {
        let range = self.range(each);
        match &each.parallel {
            Some(Parallel { plan: Some(plan), .. }) => self.parallel_for(each, plan, &range, span),
            _ => self.serial_for(each, &range),
        }
    }

    /// Evaluates start, stop and step, and counts.
    pub fn range(&mut self, each: &For) -> Range {
        let constant = |expr: &Expr| match *expr.kind {
            ExprKind::Int(value) => i64::try_from(value).ok(),
            _ => None,
        };
        let bounds = (constant(&each.start), constant(&each.stop), constant(&each.step));
        let start = self.expression(&each.start).one().to_string();
        let stop = self.expression(&each.stop).one().to_string();
        let step = self.expression(&each.step).one().to_string();
        let at_most = match bounds {
            (Some(start), Some(stop), Some(step)) if step != 0 => {
                let (start, stop, step) = (i128::from(start), i128::from(stop), i128::from(step));
                let span = if step > 0 { stop - start } else { start - stop };
                u64::try_from((span.max(0) + step.abs() - 1) / step.abs()).ok()
            }
            _ => None,
        };
        let count = match at_most {
            Some(count) => (count as i64).to_string(),
            None => self.count(&start, &stop, &step, bounds.2),
        };
        Range { start, step, count, at_most }
    }

    /// Iterations of a range: unsigned differences do not overflow.
    fn count(&mut self, start: &str, stop: &str, step: &str, constant: Option<i64>) -> String {
        let upward = |this: &mut Self| {
            let some = this.value(&format!("icmp slt i64 {start}, {stop}"));
            let distance = this.value(&format!("sub i64 {stop}, {start}"));
            this.value(&format!("select i1 {some}, i64 {distance}, i64 0"))
        };
        let downward = |this: &mut Self| {
            let some = this.value(&format!("icmp sgt i64 {start}, {stop}"));
            let distance = this.value(&format!("sub i64 {start}, {stop}"));
            this.value(&format!("select i1 {some}, i64 {distance}, i64 0"))
        };
        // ceil(distance / step), where the distance may be near 2^64.
        let divide = |this: &mut Self, distance: &str, step: &str| {
            let whole = this.value(&format!("udiv i64 {distance}, {step}"));
            let rest = this.value(&format!("urem i64 {distance}, {step}"));
            let more = this.value(&format!("icmp ne i64 {rest}, 0"));
            let more = this.value(&format!("zext i1 {more} to i64"));
            this.value(&format!("add nuw i64 {whole}, {more}"))
        };
        match constant {
            Some(1) => upward(self),
            Some(-1) => downward(self),
            Some(step) if step > 0 => {
                let distance = upward(self);
                divide(self, &distance, &step.to_string())
            }
            Some(step) if step < 0 => {
                let distance = downward(self);
                divide(self, &distance, &(step.unsigned_abs() as i64).to_string())
            }
            _ => {
                let (up, down) = (upward(self), downward(self));
                let positive = self.value(&format!("icmp sgt i64 {step}, 0"));
                let distance = self.value(&format!("select i1 {positive}, i64 {up}, i64 {down}"));
                let negated = self.value(&format!("sub i64 0, {step}"));
                let size = self.value(&format!("select i1 {positive}, i64 {step}, i64 {negated}"));
                // A step of 0 has raised before.
                let zero = self.value(&format!("icmp eq i64 {size}, 0"));
                let size = self.value(&format!("select i1 {zero}, i64 1, i64 {size}"));
                divide(self, &distance, &size)
            }
        }
    }

    /// The loop on this thread: its fast version where the guard holds, else the checked one.
    pub fn serial_for(&mut self, each: &For, range: &Range) {
        // The iterations of a `prange` draw each from a stream of its own, whoever runs them.
        let draws = each.parallel.is_some() && super::walk::draws(&each.body);
        let key = draws.then(|| self.loop_key());
        let Some(fast) = &each.fast else {
            self.counted(each.var, range, &each.body, key.as_deref());
            return;
        };
        let [quick, checked, end] = ["fast", "checked", "done"].map(|name| self.label(name));
        self.block(&fast.guard);
        let holds = self.expression(&fast.condition);
        self.branch(holds.one(), &quick, &checked);
        self.begin(&quick);
        self.block(&fast.before);
        self.fast_for(each, fast, range, key.as_deref(), &checked);
        self.block(&fast.after);
        self.jump(&end);
        self.begin(&checked);
        if self.loops.is_empty() {
            // Tells that the kernel is long, where the fast version may be a formula (see `short`).
            self.poll();
        }
        self.seldom(true, |this| this.counted(each.var, range, &each.body, key.as_deref()));
        self.begin(&end);
    }

    fn fast_for(&mut self, each: &For, fast: &Fast, range: &Range, key: Option<&str>, checked: &str) {
        if !fast.attempt {
            self.counted(each.var, range, &fast.body, key);
            return;
        }
        let kept: Vec<_> = fast.save.iter().map(|var| (*var, self.read(*var))).collect();
        let own = self.read(each.var);
        let state = self.stream.clone();
        let stream =
            self.emitter.random.then(|| self.value(&format!("load {{ i64, i64, i64 }}, ptr {state}")));
        let around = self.begin_attempt();
        self.counted(each.var, range, &fast.body, key);
        let again = self.end_attempt(around);
        let done = self.label("done");
        self.jump(&done);
        self.begin(&again);
        for (var, value) in &kept {
            self.assign(*var, value);
        }
        self.assign(each.var, &own);
        if let Some(stream) = stream {
            self.line(&format!("store {{ i64, i64, i64 }} {stream}, ptr {state}"));
        }
        self.jump(checked);
        self.begin(&done);
    }

    /// From here on, what fails raises a flag or jumps to the block that `end_attempt` tells. Gives what was before.
    pub fn begin_attempt(&mut self) -> Option<Attempt> {
        let flag = self.alloca("i8", None);
        self.line(&format!("store i8 0, ptr {flag}"));
        let attempt =
            Attempt { flag, again: self.label("again"), outer: self.labels.keys().copied().collect() };
        self.attempt.replace(attempt)
    }

    /// Goes on where no flag is up. The block that is told is still to be written.
    pub fn end_attempt(&mut self, around: Option<Attempt>) -> String {
        self.look_at_flag();
        let attempt = std::mem::replace(&mut self.attempt, around);
        attempt.map(|attempt| attempt.again).unwrap_or_default()
    }

    /// All iterations of `body`, in order. `key`: each draws from a stream of its own.
    fn counted(&mut self, var: Var, range: &Range, body: &[Statement], key: Option<&str>) {
        let numbers = Numbers { key, first: "0" };
        let fast = !self.slow && key.is_none();
        if fast && range.at_most.is_none() && self.split(var, range, body) {
            return;
        }
        let within = fast && !self.loops.is_empty();
        let Some(weight) = weight(body).filter(|_| within && range.at_most.is_none()) else {
            return self.counted_from(var, range, body, numbers, None);
        };
        // Innermost loops are mostly short, and the one around asks whether to stop: without strips they take half the time. One that would be
        // deaf for seconds runs as what is seldom run.
        let most = DEAF * strip_of(Some(weight));
        let [long, short, end] = ["long", "short", "done"].map(|name| self.label(name));
        let more = self.value(&format!("icmp ugt i64 {}, {most}", range.count));
        self.branch_cold(&more, &long, &short);
        self.begin(&short);
        let bounded = Range { at_most: Some(most), ..range.clone() };
        self.counted_from(var, &bounded, body, Numbers { key, first: "0" }, None);
        self.jump(&end);
        self.begin(&long);
        self.seldom(true, |this| this.counted_from(var, range, body, numbers, None));
        self.begin(&end);
    }

    /// The same, where the first iteration has a number in its loop, and `Break` may lead to a label of the caller's.
    pub fn counted_from(
        &mut self,
        var: Var,
        range: &Range,
        body: &[Statement],
        Numbers { key, first }: Numbers,
        out: Option<&str>,
    ) {
        let state = key.map(|_| self.alloca("{ i64, i64, i64 }", None));
        self.each(range, weight(body), |this, turn| {
            if let (Some(out), Some(around)) = (out, this.loops.last_mut()) {
                out.clone_into(&mut around.leave);
            }
            this.assign(var, &Operand::One(turn.value.clone()));
            let around = this.stream.clone();
            if let (Some(state), Some(key)) = (state, key) {
                let number = this.turn_number(turn);
                let number = this.value(&format!("add i64 {first}, {number}"));
                this.begin_stream(&state, key, &number);
                this.stream = state;
            }
            this.block(body);
            this.stream = around;
        });
    }

    /// The number of an iteration, from 0.
    pub fn turn_number(&mut self, turn: &Turn) -> String {
        match &turn.before {
            Some(before) => self.value(&format!("add nuw i64 {before}, {}", turn.count)),
            None => turn.count.clone(),
        }
    }

    /// Runs `body` for each value of the range, in order. `weight` is a guess at nanoseconds for an iteration, `None` where it
    /// holds loops or calls: then each iteration counts by itself.
    pub fn each(&mut self, range: &Range, weight: Option<u64>, body: impl FnOnce(&mut Self, &Turn)) {
        let strip = weight.map(|weight| strip_of(Some(weight)));
        let strip = strip.filter(|strip| range.at_most.is_none_or(|count| count > DEAF * strip));
        let Range { start, step, count, .. } = range;
        let [head, next, back, leave] = ["loop", "next", "back", "leave"].map(|name| self.label(name));
        let [strips, strip_back] = ["strips", "strips.back"].map(|name| self.label(name));
        let none = self.value(&format!("icmp eq i64 {count}, 0"));
        let some = self.label("some");
        self.branch(&none, &leave, &some);
        self.begin(&some);
        let mut entered = some;
        let (mut first, mut length) = (start.clone(), count.clone());
        let (done, done_next) = (self.fresh("done"), self.fresh("done"));
        let (strip_first, strip_first_next) = (self.fresh("first"), self.fresh("first"));
        if let Some(strip) = strip {
            self.begin(&strips);
            self.line(&format!("{done} = phi i64 [ 0, %{entered} ], [ {done_next}, %{strip_back} ]"));
            self.line(&format!(
                "{strip_first} = phi i64 [ {start}, %{entered} ], [ {strip_first_next}, %{strip_back} ]"
            ));
            let left = self.value(&format!("sub nuw i64 {count}, {done}"));
            length = self.intrinsic("umin", Kind::I64, &[&left, &strip.to_string()]);
            entered = strips.clone();
            first.clone_from(&strip_first);
        }
        self.begin(&head);
        let (k, k_next, index, index_next) =
            (self.fresh("k"), self.fresh("k"), self.fresh("i"), self.fresh("i"));
        self.line(&format!("{k} = phi i64 [ 0, %{entered} ], [ {k_next}, %{back} ]"));
        self.line(&format!("{index} = phi i64 [ {first}, %{entered} ], [ {index_next}, %{back} ]"));
        self.loops.push(Around { leave: leave.clone(), next: next.clone() });
        let before = strip.is_some().then(|| done.clone());
        let around = std::mem::replace(&mut self.inner, weight.is_some());
        body(self, &Turn { value: index.clone(), count: k.clone(), before });
        self.inner = around;
        self.loops.pop();
        self.begin(&next);
        if weight.is_none() {
            self.spend("1");
        }
        self.begin(&back);
        // Behind the last iteration this may overflow: nobody looks at it then.
        self.line(&format!("{index_next} = add nsw i64 {index}, {step}"));
        let short = strip.is_some() || range.at_most.is_some_and(|count| count < 1 << 62);
        self.line(&format!("{k_next} = add {} i64 {k}, 1", if short { "nuw nsw" } else { "nuw" }));
        let more = self.value(&format!("icmp ult i64 {k_next}, {length}"));
        let mark = self.loop_mark();
        let Some(strip) = strip else {
            self.branch(&more, &head, &format!("{leave}{mark}"));
            self.begin(&leave);
            // Short ones are part of what an iteration of the loop around takes.
            if weight.is_some() && range.at_most.is_some_and(|count| count >= 64) {
                self.charge(count);
            }
            return;
        };
        let [strip_end, strip_poll] = ["strip.end", "strip.poll"].map(|name| self.label(name));
        self.branch(&more, &head, &format!("{strip_end}{mark}"));
        self.begin(&strip_end);
        // What was done counts for the loop around; only between strips somebody is asked here.
        self.charge(&length);
        self.line(&format!("{done_next} = add nuw i64 {done}, {length}"));
        let more = self.value(&format!("icmp ult i64 {done_next}, {count}"));
        self.branch_cold(&more, &strip_poll, &leave);
        self.begin(&strip_poll);
        self.poll();
        self.begin(&strip_back);
        let far = self.value(&format!("mul i64 {step}, {strip}"));
        self.line(&format!("{strip_first_next} = add i64 {strip_first}, {far}"));
        self.jump(&strips);
        self.begin(&leave);
    }

    pub fn while_loop(&mut self, head: &[Statement], condition: &Expr, body: &[Statement]) {
        let (test, inside, next, end) =
            (self.label("test"), self.label("while"), self.label("next"), self.label("end"));
        self.begin(&test);
        self.loops.push(Around { leave: end.clone(), next: next.clone() });
        let inner = weight(head).is_some() && weight(body).is_some();
        let around = std::mem::replace(&mut self.inner, inner);
        self.block(head);
        if !self.ended {
            let holds = self.expression(condition);
            self.branch(holds.one(), &inside, &end);
        }
        self.begin(&inside);
        self.block(body);
        self.inner = around;
        self.loops.pop();
        self.begin(&next);
        self.spend("1");
        self.jump(&test);
        self.begin(&end);
    }

    /// Notes that `iterations` were done, and gives what is left until somebody is asked.
    fn charge(&mut self, iterations: &str) -> String {
        let old = self.value("load i64, ptr %budget");
        let new = self.value(&format!("sub i64 {old}, {iterations}"));
        self.line(&format!("store i64 {new}, ptr %budget"));
        new
    }

    /// Notes that `iterations` were done; every 2^16 or so asks whether to stop.
    pub fn spend(&mut self, iterations: &str) {
        let new = self.charge(iterations);
        let spent = self.value(&format!("icmp slt i64 {new}, 0"));
        let (ask, on) = (self.label("ask"), self.label("on"));
        self.branch_cold(&spent, &ask, &on);
        self.begin(&ask);
        self.line("store i64 65536, ptr %budget");
        self.poll();
        self.jump(&on);
        self.begin(&on);
    }

    /// Notes a call of a function that may call itself: few levels deep there are calls without end, and no loop that would ask.
    pub fn spend_call(&mut self) {
        let place = self.rt(offset::CALLS);
        let old = self.value(&format!("load i64, ptr {place}"));
        let new = self.value(&format!("sub i64 {old}, 1"));
        self.line(&format!("store i64 {new}, ptr {place}"));
        let spent = self.value(&format!("icmp slt i64 {new}, 0"));
        let (ask, on) = (self.label("ask"), self.label("on"));
        self.branch_cold(&spent, &ask, &on);
        self.begin(&ask);
        self.line(&format!("store i64 65536, ptr {place}"));
        self.poll();
        self.jump(&on);
        self.begin(&on);
    }

    /// Asks whether to stop.
    pub fn poll(&mut self) {
        let poll = self.rt_function(offset::POLL);
        let status = self.value(&format!("call i32 {poll}(ptr %rt)"));
        self.leave_unless_done(&status);
    }
}

/// Strips that a loop may take without being asked, where it is known to be no longer.
const DEAF: u64 = 16;

/// Iterations of this weight between two questions whether to stop: a power of two.
pub(super) fn strip_of(weight: Option<u64>) -> u64 {
    (1 << 26) / weight.unwrap_or(1 << 14).clamp(1, 1 << 14).next_power_of_two()
}
