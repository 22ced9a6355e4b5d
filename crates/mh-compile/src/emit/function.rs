//! One function that is being written: its text, blocks, variables and ways out.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use super::lockstep::{Lanes, widened};
use super::places::Places;
use super::walk::{borrowed, calls};
use super::{Emitter, Mark, flattened, memory, register};
use crate::compile::Failure;
use crate::ir::{Check, Expr, Function, Kind, Label, Scalar, Span, Type, Var};

/// A value in registers.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Operand {
    One(String),
    /// A complex number: real, imaginary.
    Pair(String, String),
}

impl Operand {
    /// The register; of a complex number its real part.
    pub fn one(&self) -> &str {
        match self {
            Self::One(one) | Self::Pair(one, _) => one,
        }
    }

    pub fn pair(&self) -> (&str, &str) {
        match self {
            Self::One(one) => (one, one),
            Self::Pair(real, imag) => (real, imag),
        }
    }
}

/// Where a variable lives: addresses.
#[derive(Clone, Debug)]
pub(super) enum Place {
    /// A `Bool` as i8, a complex number as two floats in a row.
    Scalar(String),
    Array(ArrayPlace),
}

#[derive(Clone, Debug)]
pub(super) struct ArrayPlace {
    pub data: String,
    pub owner: String,
    pub lengths: Vec<String>,
    pub strides: Vec<String>,
    /// Holds no reference of its own: what it looks into outlives it.
    pub borrowed: bool,
}

/// Where `break` and `continue` of the innermost loop go.
#[derive(Clone, Debug)]
pub(super) struct Around {
    pub leave: String,
    pub next: String,
}

pub(super) struct FunctionEmitter<'e, 'm> {
    pub emitter: &'e mut Emitter<'m>,
    pub function: &'m Function,
    /// `define ... {`.
    pub head: String,
    /// The first block: allocas and what fills them.
    pub first: String,
    pub text: String,
    /// Blocks that are seldom entered: behind all others.
    pub cold: String,
    /// Label of the block that is being written.
    pub block: String,
    /// It has its last instruction: what follows is not reached.
    pub ended: bool,
    next: u32,
    /// Where `places` are told: the number of this function, and what is being written.
    number: usize,
    pub at: Span,
    /// One for each of the function's variables.
    pub places: Vec<Place>,
    pub loops: Vec<Around>,
    pub labels: HashMap<Label, String>,
    /// Calls that are inlined around here, innermost last.
    pub calls: Vec<Span>,
    /// Address of the random numbers' state.
    pub stream: String,
    /// In an innermost loop: functions are written out there, so that LLVM can make vectors of them. Elsewhere they are called, which compiles
    /// several times faster.
    pub inner: bool,
    /// In the checked twin of a fast loop, or in a rest of a few iterations: seldom run, so compiled cheaply.
    pub slow: bool,
    /// Where iterations go on side by side, in lanes of vectors.
    pub lanes: Option<Lanes>,
    /// Where a loop is attempted with flags.
    pub attempt: Option<Attempt>,
    /// Sums of ints that are kept exact in a block: addresses of their i128.
    pub wide: HashMap<Var, String>,
    /// Sums of which an iteration only leaves what it adds: addresses of that (see `split`).
    pub addends: HashMap<Var, String>,
    /// Of a block: addresses of the i8 that tells whether a variable was given a value.
    pub touched: BTreeMap<Var, String>,
    /// Of a block: variables whose i8 tells also whether they have been nan.
    pub nans: BTreeSet<Var>,
    /// Of a block: arrays of which it notes which elements it has written, and how many bytes behind an element its mark lies.
    pub marked: BTreeMap<Var, String>,
    /// Arrays of which the loop being written stores to a buffer for now: its address, and the element that it begins with (see `parallel::past`).
    pub buffers: HashMap<Var, (String, String)>,
    /// Of a block: arrays of which it has a copy of its own, as they are outside.
    pub originals: HashMap<Var, ArrayPlace>,
}

/// In the i8 of a variable in `nans`.
pub(super) const NAN_MET: u8 = 2;

/// A loop's body that is run again, checked, where something failed in it.
#[derive(Clone, Debug)]
pub(super) struct Attempt {
    /// Address of the i8 that `Check::Flag` raises.
    pub flag: String,
    /// The block that restores and runs the checked body: what would raise goes there, for an earlier iteration may have a flag up.
    pub again: String,
    /// Labels that lie outside: who leaves for them looks at the flag first.
    pub outer: Vec<Label>,
}

impl<'e, 'm> FunctionEmitter<'e, 'm> {
    pub fn new(emitter: &'e mut Emitter<'m>, function: &'m Function, mut head: String) -> Self {
        let number = emitter.places.as_mut().map_or(0, Places::function);
        if emitter.places.is_some() {
            head = head.replacen("{\n", &format!("{}{{\n", Places::head(number)), 1);
        }
        Self {
            emitter,
            function,
            head,
            first: String::new(),
            text: String::new(),
            cold: String::new(),
            block: "start".into(),
            ended: false,
            next: 0,
            number,
            at: function.span,
            places: Vec::new(),
            loops: Vec::new(),
            labels: HashMap::new(),
            calls: Vec::new(),
            stream: "%random".into(),
            inner: false,
            slow: false,
            lanes: None,
            attempt: None,
            wide: HashMap::new(),
            addends: HashMap::new(),
            touched: BTreeMap::new(),
            nans: BTreeSet::new(),
            marked: BTreeMap::new(),
            buffers: HashMap::new(),
            originals: HashMap::new(),
        }
    }

    /// Writes a function of the module.
    pub fn whole(emitter: &'e mut Emitter<'m>, number: usize) {
        let function = &emitter.module.functions[number];
        let mut parameters = String::new();
        let mut count = 0;
        for var in &function.parameters {
            for ty in flattened(function.variables[var.0 as usize].ty) {
                let _ = write!(parameters, "{ty} %a{count}, ");
                count += 1;
            }
        }
        let head = format!(
            "define internal i32 @f{number}({parameters}ptr %results, ptr %rt, ptr %random, i64 %depth) #0 {{\n"
        );
        let mut this = Self::new(emitter, function, head);
        this.function();
        this.finish();
    }

    fn function(&mut self) {
        self.prologue();
        let function = self.function;
        let borrowed = borrowed(function, &[]);
        for (number, variable) in function.variables.iter().enumerate() {
            let place = self.place_for(variable.ty, borrowed[number]);
            self.places.push(place);
        }
        let mut count = 0;
        for var in &function.parameters {
            let ty = self.variable_type(*var);
            let mut next = || {
                count += 1;
                format!("%a{}", count - 1)
            };
            match self.place(*var) {
                Place::Scalar(_) => {
                    let complex = matches!(ty, Type::Scalar(scalar) if scalar.kind.is_complex());
                    let value = if complex { Operand::Pair(next(), next()) } else { Operand::One(next()) };
                    self.assign(*var, &value);
                }
                Place::Array(place) => {
                    let fields: Vec<&String> = [&place.data, &place.owner]
                        .into_iter()
                        .chain(&place.lengths)
                        .chain(&place.strides)
                        .collect();
                    for (field, ty) in fields.iter().zip(flattened(ty)) {
                        let value = next();
                        self.line(&format!("store {ty} {value}, ptr {field}"));
                    }
                    if !place.borrowed {
                        self.retain(&format!("%a{}", count - flattened(ty).len() + 1));
                    }
                }
            }
        }
        if self.is_called() {
            let deep = self.value("icmp sgt i64 %depth, 1000");
            self.fail_if(&deep, Check::Branch, Failure::Recursion, function.span, &[]);
            self.spend_call();
        }
        self.block(&function.body);
        if !self.ended {
            self.line("br label %exit");
        }
        self.epilogue();
    }

    /// What every function begins with: the status, and the count of iterations until the next poll.
    pub fn prologue(&mut self) {
        self.first.push_str("  %status = alloca i32\n  store i32 0, ptr %status\n");
        self.first.push_str("  %budget = alloca i64\n  store i64 65536, ptr %budget\n");
    }

    /// The block `exit`.
    pub fn epilogue(&mut self) {
        self.begin("exit");
        for place in self.places.clone() {
            if let Place::Array(place) = place
                && !place.borrowed
            {
                let owner = self.value(&format!("load ptr, ptr {}", place.owner));
                self.release(&owner);
            }
        }
        self.line("%left = load i32, ptr %status");
        self.line("ret i32 %left");
        self.ended = true;
    }

    /// Hands the text over to the module.
    pub fn finish(self) {
        let mut text = self.head;
        text.push_str("first:\n");
        text.push_str(&self.first);
        text.push_str("  br label %start\nstart:\n");
        text.push_str(&self.text);
        text.push_str(&self.cold);
        text.push_str("}\n");
        self.emitter.definitions.push(text);
    }

    /// Whether some function calls this one: its depth is watched.
    fn is_called(&self) -> bool {
        let functions = &self.emitter.module.functions;
        let Some(own) = functions.iter().position(|function| std::ptr::eq(function, self.function)) else {
            return false;
        };
        functions.iter().any(|function| calls(&function.body, own))
    }

    /// Allocas for a variable: array variables hold nothing at first.
    pub fn place_for(&mut self, ty: Type, borrowed: bool) -> Place {
        match ty {
            Type::Scalar(scalar) => {
                let name = self.alloca_scalar(scalar.kind);
                Place::Scalar(name)
            }
            Type::Array(array) => {
                let many = |this: &mut Self| (0..array.rank).map(|_| this.alloca("i64", Some("0"))).collect();
                let (lengths, strides) = (many(self), many(self));
                let (data, owner) = (self.alloca("ptr", Some("null")), self.alloca("ptr", Some("null")));
                Place::Array(ArrayPlace { data, owner, lengths, strides, borrowed })
            }
        }
    }

    /// An alloca for one scalar: 0 at first, for a guard may read what is not assigned yet.
    pub fn alloca_scalar(&mut self, kind: Kind) -> String {
        if kind.is_complex() {
            self.alloca(&format!("[2 x {}]", memory(kind)), Some("zeroinitializer"))
        } else {
            self.alloca(memory(kind), Some("zeroinitializer"))
        }
    }

    /// An alloca in the first block. Of 128 bits aligned by word: the text names no data layout, and without one LLVM takes 8 bytes.
    pub fn alloca(&mut self, ty: &str, begun: Option<&str>) -> String {
        let name = self.fresh("v");
        let align = if ty.contains("i128") { ", align 16" } else { "" };
        let _ = writeln!(self.first, "  {name} = alloca {ty}{align}");
        if let Some(value) = begun {
            let _ = writeln!(self.first, "  store {ty} {value}, ptr {name}");
        }
        name
    }

    pub fn fresh(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("%{prefix}{}", self.next)
    }

    /// What stands behind a call of a function that could be written out here.
    pub fn apart(&self) -> &'static str {
        if self.inner && !self.slow { "" } else { " noinline" }
    }

    /// What stands behind the jump back of a loop: one that seldom runs is left as it is.
    pub fn loop_mark(&mut self) -> String {
        if self.slow { self.marked(Mark::Plain) } else { String::new() }
    }

    pub fn marked(&mut self, mark: Mark) -> String {
        self.emitter.marks.push(mark);
        format!(", !llvm.loop !{}", super::MARKS + self.emitter.marks.len() - 1)
    }

    /// Writes what is seldom run.
    pub fn seldom<T>(&mut self, seldom: bool, write: impl FnOnce(&mut Self) -> T) -> T {
        let around = self.slow;
        self.slow |= seldom;
        let result = write(self);
        self.slow = around;
        result
    }

    /// A label's name, without `%`.
    pub fn label(&mut self, prefix: &str) -> String {
        self.next += 1;
        format!("{prefix}.{}", self.next)
    }

    /// An instruction without a value.
    pub fn line(&mut self, text: &str) {
        if !self.ended {
            let place = match &mut self.emitter.places {
                Some(places) => places.mark(self.number, self.at),
                None => String::new(),
            };
            let _ = writeln!(self.text, "  {text}{place}");
        }
    }

    /// An instruction with a value: its register.
    pub fn value(&mut self, text: &str) -> String {
        let name = self.fresh("t");
        match &self.lanes {
            Some(lanes) => self.line(&format!("{name} = {}", widened(text, lanes.count))),
            None => self.line(&format!("{name} = {text}")),
        }
        name
    }

    /// Begins a block, with a jump to it where the one before has no end.
    pub fn begin(&mut self, label: &str) {
        self.jump(label);
        let _ = writeln!(self.text, "{label}:");
        self.block = label.into();
        self.ended = false;
    }

    pub fn jump(&mut self, label: &str) {
        self.line(&format!("br label %{label}"));
        self.ended = true;
    }

    pub fn branch(&mut self, condition: &str, then: &str, orelse: &str) {
        self.line(&format!("br i1 {condition}, label %{then}, label %{orelse}"));
        self.ended = true;
    }

    /// The first is seldom taken.
    pub fn branch_cold(&mut self, condition: &str, then: &str, orelse: &str) {
        self.line(&format!("br i1 {condition}, label %{then}, label %{orelse}, !prof !0"));
        self.ended = true;
    }

    pub fn declare(&mut self, declaration: &str) {
        let wide = self.lanes.as_ref().map(|lanes| widened(declaration, lanes.count));
        let declaration = wide.as_deref().unwrap_or(declaration);
        if !self.emitter.declarations.contains(declaration) {
            self.emitter.declarations.insert(declaration.into());
        }
    }

    /// A call of an LLVM intrinsic on values of one type: `@llvm.NAME.SUFFIX`.
    pub fn intrinsic(&mut self, name: &str, kind: Kind, operands: &[&str]) -> String {
        let ty = register(kind);
        let suffix = match ty {
            "double" => "f64",
            "float" => "f32",
            other => other,
        };
        let types = vec![ty; operands.len()].join(", ");
        self.declare(&format!("declare {ty} @llvm.{name}.{suffix}({types})"));
        let operands: Vec<String> = operands.iter().map(|operand| format!("{ty} {operand}")).collect();
        self.value(&format!("call {ty} @llvm.{name}.{suffix}({})", operands.join(", ")))
    }

    pub fn variable_type(&self, var: Var) -> Type {
        self.function.variables[var.0 as usize].ty
    }

    pub fn place(&self, var: Var) -> Place {
        self.places[var.0 as usize].clone()
    }

    pub fn array_place(&self, var: Var) -> ArrayPlace {
        match self.place(var) {
            Place::Array(place) => place,
            Place::Scalar(_) => unreachable!("{var:?} is an array"),
        }
    }

    /// A scalar variable's value.
    pub fn read(&mut self, var: Var) -> Operand {
        if self.lanes.is_some() {
            return self.lane_read(var);
        }
        let (Place::Scalar(address), Type::Scalar(scalar)) = (self.place(var), self.variable_type(var))
        else {
            unreachable!("{var:?} is a scalar")
        };
        self.load(scalar.kind, &address)
    }

    /// Gives a scalar variable a value.
    pub fn assign(&mut self, var: Var, value: &Operand) {
        let (Place::Scalar(address), Type::Scalar(scalar)) = (self.place(var), self.variable_type(var))
        else {
            unreachable!("{var:?} is a scalar")
        };
        self.store(scalar.kind, value, &address);
        let Some(flag) = self.touched.get(&var).cloned() else { return };
        if !self.nans.contains(&var) {
            self.line(&format!("store i8 1, ptr {flag}"));
            return;
        }
        let (ty, value) = (super::register(scalar.kind), value.one());
        let nan = self.value(&format!("fcmp uno {ty} {value}, {value}"));
        let now = self.value(&format!("select i1 {nan}, i8 {NAN_MET}, i8 1"));
        let before = self.value(&format!("load i8, ptr {flag}"));
        let both = self.value(&format!("or i8 {before}, {now}"));
        self.line(&format!("store i8 {both}, ptr {flag}"));
    }

    /// A scalar from memory.
    pub fn load(&mut self, kind: Kind, address: &str) -> Operand {
        let ty = memory(kind);
        if kind.is_complex() {
            let align = kind.size() / 2;
            let real = self.value(&format!("load {ty}, ptr {address}, align {align}"));
            let behind = self.value(&format!("getelementptr inbounds i8, ptr {address}, i64 {align}"));
            let imag = self.value(&format!("load {ty}, ptr {behind}, align {align}"));
            return Operand::Pair(real, imag);
        }
        let value = self.value(&format!("load {ty}, ptr {address}, align {}", kind.size()));
        if kind == Kind::Bool {
            return Operand::One(self.value(&format!("icmp ne i8 {value}, 0")));
        }
        Operand::One(value)
    }

    pub fn store(&mut self, kind: Kind, value: &Operand, address: &str) {
        let ty = memory(kind);
        match value {
            Operand::Pair(real, imag) => {
                let align = kind.size() / 2;
                self.line(&format!("store {ty} {real}, ptr {address}, align {align}"));
                let behind = self.value(&format!("getelementptr inbounds i8, ptr {address}, i64 {align}"));
                self.line(&format!("store {ty} {imag}, ptr {behind}, align {align}"));
            }
            Operand::One(one) => {
                let one = if kind == Kind::Bool {
                    self.value(&format!("zext i1 {one} to i8"))
                } else {
                    one.clone()
                };
                self.line(&format!("store {ty} {one}, ptr {address}, align {}", kind.size()));
            }
        }
    }

    /// Address of a field of `Rt`.
    pub fn rt(&mut self, offset: u32) -> String {
        self.value(&format!("getelementptr inbounds i8, ptr %rt, i64 {offset}"))
    }

    /// A function of `Rt`.
    pub fn rt_function(&mut self, offset: u32) -> String {
        let address = self.rt(offset);
        self.value(&format!("load ptr, ptr {address}, align 8, !invariant.load !1"))
    }

    /// Sees to a failure where `condition` holds: a branch that raises, or the flag.
    pub fn fail_if(
        &mut self,
        condition: &str,
        check: Check,
        failure: Failure,
        span: Span,
        values: &[String],
    ) {
        match check {
            Check::None => {}
            _ if self.lanes.is_some() => self.lane_fails(condition),
            Check::Flag if self.attempt.is_some() => {
                let flag = self.attempt.as_ref().map(|attempt| attempt.flag.clone()).unwrap_or_default();
                let wide = self.value(&format!("zext i1 {condition} to i8"));
                let old = self.value(&format!("load i8, ptr {flag}"));
                let new = self.value(&format!("or i8 {old}, {wide}"));
                self.line(&format!("store i8 {new}, ptr {flag}"));
            }
            Check::Branch | Check::Wrap | Check::Flag => {
                let (raise, fine) = (self.label("raise"), self.label("fine"));
                self.branch_cold(condition, &raise, &fine);
                self.raise_block(&raise, failure, span, values);
                self.begin(&fine);
            }
        }
    }

    /// Leaves an attempted loop for its checked body where a flag is up.
    pub fn look_at_flag(&mut self) {
        if let Some(Attempt { flag, again, .. }) = self.attempt.clone() {
            let up = self.value(&format!("load i8, ptr {flag}"));
            let up = self.value(&format!("icmp ne i8 {up}, 0"));
            let fine = self.label("fine");
            self.branch_cold(&up, &again, &fine);
            self.begin(&fine);
        }
    }

    /// Raises here.
    pub fn raise(&mut self, failure: Failure, span: Span, values: &[String]) {
        let label = self.label("raise");
        self.jump(&label);
        self.raise_block(&label, failure, span, values);
    }

    fn raise_block(&mut self, label: &str, failure: Failure, span: Span, values: &[String]) {
        if let Some(attempt) = &self.attempt {
            let _ = write!(self.cold, "{label}:\n  br label %{}\n", attempt.again);
            return;
        }
        let calls: Vec<Span> = self.calls.iter().rev().copied().collect();
        let site = self.emitter.site(span, failure, &calls);
        let mut arguments = String::new();
        for place in 0..5 {
            let value = values.get(place).map_or("0", String::as_str);
            let _ = write!(arguments, ", i64 {value}");
        }
        let _ = write!(
            self.cold,
            "{label}:\n  call void @mh.raise(ptr %rt, i64 {site}{arguments})\n  store i32 1, ptr %status\n  br label %exit\n"
        );
    }

    /// Goes on where the status in `status` is 0; else leaves with it.
    pub fn leave_unless_done(&mut self, status: &str) {
        let failed = self.value(&format!("icmp ne i32 {status}, 0"));
        let (out, on) = (self.label("failed"), self.label("on"));
        self.branch_cold(&failed, &out, &on);
        let _ = write!(self.cold, "{out}:\n  store i32 {status}, ptr %status\n  br label %exit\n");
        self.begin(&on);
    }
}

/// The kind of a scalar expression.
pub(super) fn scalar(expr: &Expr) -> Scalar {
    match expr.ty {
        Type::Scalar(scalar) => scalar,
        Type::Array(_) => unreachable!("a scalar is wanted: {expr}"),
    }
}
