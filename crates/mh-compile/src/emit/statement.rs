//! Statements.

use super::array::NewArray;
use super::function::{FunctionEmitter, Operand, Place, scalar};
use super::{flattened, memory};
use crate::abi::{self, offset};
use crate::compile::Failure;
use crate::ir::{
    Binary, Check, Expr, ExprKind, Fill, Kind, PrintItem, Scalar, Span, Statement, StatementKind, Type, Var,
};

impl FunctionEmitter<'_, '_> {
    pub fn block(&mut self, block: &[Statement]) {
        for statement in block {
            if self.ended {
                // Not reached.
                return;
            }
            self.statement(statement);
        }
    }

    pub fn statement(&mut self, statement: &Statement) {
        let span = statement.span;
        let around = std::mem::replace(&mut self.at, span);
        self.statement_here(statement);
        self.at = around;
    }

    fn statement_here(&mut self, statement: &Statement) {
        let span = statement.span;
        match &statement.kind {
            StatementKind::Assign { var, value } => match value.ty {
                Type::Scalar(_) if self.addends.contains_key(var) => {
                    let address = self.addends[var].clone();
                    self.assign_addend(&address, value);
                }
                Type::Scalar(_) => match self.wide.get(var).cloned() {
                    Some(address) => self.assign_wide(*var, &address, value),
                    None => {
                        let value = self.expression(value);
                        self.assign(*var, &value);
                    }
                },
                Type::Array(_) => self.assign_array(*var, value),
            },
            StatementKind::Store { array, indices, value, update, check } => {
                self.store_element(*array, indices, value, *update, *check, span);
            }
            StatementKind::If { condition, then, orelse } => {
                let condition = self.expression(condition);
                let (yes, no, end) = (self.label("then"), self.label("else"), self.label("end"));
                self.branch(condition.one(), &yes, if orelse.is_empty() { &end } else { &no });
                self.begin(&yes);
                self.block(then);
                self.jump(&end);
                if !orelse.is_empty() {
                    self.begin(&no);
                    self.block(orelse);
                }
                self.begin(&end);
            }
            StatementKind::While { head, condition, body } => self.while_loop(head, condition, body),
            StatementKind::For(each) => self.for_loop(each, span),
            StatementKind::Break => {
                let label = self.loops.last().map(|around| around.leave.clone()).unwrap_or_default();
                self.jump(&label);
            }
            StatementKind::Continue => {
                let label = self.loops.last().map(|around| around.next.clone()).unwrap_or_default();
                self.jump(&label);
            }
            StatementKind::Labelled { label, body, call } => {
                let end = self.label("left");
                let before = self.labels.insert(*label, end.clone());
                self.calls.extend(*call);
                self.block(body);
                if call.is_some() {
                    self.calls.pop();
                }
                match before {
                    Some(before) => self.labels.insert(*label, before),
                    None => self.labels.remove(label),
                };
                self.begin(&end);
            }
            StatementKind::Leave(label) => {
                if self.attempt.as_ref().is_some_and(|attempt| attempt.outer.contains(label)) {
                    self.look_at_flag();
                }
                let end = self.labels.get(label).cloned().unwrap_or_default();
                self.jump(&end);
            }
            StatementKind::Lockstep(of) => self.lockstep(of),
            StatementKind::Return(values) => self.give_back(values),
            StatementKind::Call { results, function, arguments } => {
                self.call(results, function.0 as usize, arguments);
            }
            StatementKind::Raise { exception, message, values } => {
                let kinds = values.iter().map(scalar).collect();
                let mut bits = Vec::new();
                for value in values {
                    let operand = self.expression(value);
                    bits.extend(self.bits(&operand, scalar(value).kind));
                }
                let failure = Failure::Raise { exception: *exception, message: message.clone(), kinds };
                self.raise(failure, span, &bits);
            }
            StatementKind::Print { items } => self.print(items),
        }
    }

    /// A scalar as i64s: what messages and prints take. The second is there for complex numbers.
    pub fn bits(&mut self, value: &Operand, kind: Kind) -> Vec<String> {
        let one = |this: &mut Self, register: &str| match kind {
            Kind::Bool => this.value(&format!("zext i1 {register} to i64")),
            Kind::I64 | Kind::U64 => register.to_string(),
            Kind::I128 => this.value(&format!("trunc i128 {register} to i64")),
            Kind::F32 | Kind::C64 => {
                let wide = this.value(&format!("fpext float {register} to double"));
                this.value(&format!("bitcast double {wide} to i64"))
            }
            Kind::F64 | Kind::C128 => this.value(&format!("bitcast double {register} to i64")),
            _ => {
                let extend = if kind.is_signed() { "sext" } else { "zext" };
                this.value(&format!("{extend} {} {register} to i64", memory(kind)))
            }
        };
        match value {
            Operand::One(register) => vec![one(self, register)],
            Operand::Pair(real, imag) => vec![one(self, real), one(self, imag)],
        }
    }

    fn print(&mut self, items: &[PrintItem]) {
        for item in items {
            let (kind, bits) = match item {
                PrintItem::Text(text) => {
                    let name = self.emitter.constant(text.as_bytes());
                    let address = self.value(&format!("ptrtoint ptr {name} to i64"));
                    (abi::item::TEXT, vec![address, text.len().to_string()])
                }
                PrintItem::Value(value, format) => {
                    let operand = self.expression(value);
                    let kind = scalar(value).kind;
                    let mut bits = self.print_bits(&operand, kind);
                    if *format != 0 {
                        bits.push(format.to_string());
                    }
                    (print_kind(kind), bits)
                }
            };
            let print = self.rt_function(offset::PRINT);
            let second = bits.get(1).map_or("0", String::as_str);
            self.line(&format!("call void {print}(ptr %rt, i32 {kind}, i64 {}, i64 {second})", bits[0]));
        }
    }

    /// As `abi::item` has them: f32 stays narrow.
    fn print_bits(&mut self, value: &Operand, kind: Kind) -> Vec<String> {
        if !matches!(kind, Kind::F32 | Kind::C64) {
            return self.bits(value, kind);
        }
        let narrow = |this: &mut Self, part: &String| {
            let bits = this.value(&format!("bitcast float {part} to i32"));
            this.value(&format!("zext i32 {bits} to i64"))
        };
        parts(value).iter().map(|part| narrow(self, part)).collect()
    }

    /// `return`: results into their slots, arrays with a reference of their own.
    fn give_back(&mut self, values: &[Expr]) {
        self.look_at_flag();
        let mut slot = 0;
        for value in values {
            match value.ty {
                Type::Scalar(scalar) => {
                    let operand = self.expression(value);
                    for register in parts(&operand) {
                        let wide = self.slot_value(&register, scalar.kind);
                        self.store_slot("%results", slot, &wide);
                        slot += 1;
                    }
                }
                Type::Array(_) => {
                    let ExprKind::Var(var) = *value.kind else { unreachable!("arrays are variables") };
                    let fields = self.descriptor(var);
                    self.retain(&fields[1].1);
                    for field in fields {
                        self.store_slot("%results", slot, &field);
                        slot += 1;
                    }
                }
            }
        }
        self.jump("exit");
    }

    /// What goes into a slot: type and register. Narrow integers and booleans are extended.
    fn slot_value(&mut self, register: &str, kind: Kind) -> (&'static str, String) {
        match kind {
            Kind::F32 | Kind::C64 => ("float", register.into()),
            Kind::F64 | Kind::C128 => ("double", register.into()),
            _ => ("i64", self.bits(&Operand::One(register.into()), kind).remove(0)),
        }
    }

    fn store_slot(&mut self, base: &str, slot: usize, (ty, value): &(&'static str, String)) {
        let address = self.value(&format!("getelementptr inbounds i8, ptr {base}, i64 {}", 8 * slot));
        self.line(&format!("store {ty} {value}, ptr {address}, align 8"));
    }

    /// An array variable's fields as they are handed over.
    pub fn descriptor(&mut self, var: Var) -> Vec<(&'static str, String)> {
        let place = self.array_place(var);
        let types = flattened(self.variable_type(var));
        let fields = [&place.data, &place.owner].into_iter().chain(&place.lengths).chain(&place.strides);
        fields.zip(types).map(|(field, ty)| (ty, self.value(&format!("load {ty}, ptr {field}")))).collect()
    }

    /// A call that is not inlined: recursion.
    fn call(&mut self, results: &[Var], number: usize, arguments: &[Expr]) {
        let mut list = String::new();
        for argument in arguments {
            let values: Vec<(&str, String)> = match argument.ty {
                Type::Scalar(_) => {
                    let operand = self.expression(argument);
                    flattened(argument.ty).into_iter().zip(parts(&operand)).collect()
                }
                Type::Array(_) => {
                    let ExprKind::Var(var) = *argument.kind else { unreachable!("arrays are variables") };
                    self.descriptor(var)
                }
            };
            for (ty, value) in values {
                list.push_str(&format!("{ty} {value}, "));
            }
        }
        let slots: usize = results.iter().map(|var| self.variable_type(*var).slots()).sum();
        let frame = self.alloca(&format!("[{} x i64]", slots.max(1)), None);
        let depth = self.value("add nsw i64 %depth, 1");
        let stream = self.stream.clone();
        let status = self
            .value(&format!("call i32 @f{number}({list}ptr {frame}, ptr %rt, ptr {stream}, i64 {depth})"));
        self.leave_unless_done(&status);
        self.spend("256");
        let mut slot = 0;
        for var in results {
            let ty = self.variable_type(*var);
            let mut values = Vec::new();
            for part in flattened(ty) {
                let address =
                    self.value(&format!("getelementptr inbounds i8, ptr {frame}, i64 {}", 8 * slot));
                values.push(match part {
                    "i1" | "i8" | "i16" | "i32" => {
                        let wide = self.value(&format!("load i64, ptr {address}, align 8"));
                        self.value(&format!("trunc i64 {wide} to {part}"))
                    }
                    _ => self.value(&format!("load {part}, ptr {address}, align 8")),
                });
                slot += 1;
            }
            match self.place(*var) {
                Place::Scalar(_) => {
                    let mut values = values.into_iter();
                    let operand = match (values.next(), values.next()) {
                        (Some(real), Some(imag)) => Operand::Pair(real, imag),
                        (one, _) => Operand::One(one.unwrap_or_default()),
                    };
                    self.assign(*var, &operand);
                }
                Place::Array(_) => self.set_array(*var, &values, false),
            }
        }
    }

    /// `array[indices] = value`, with `update` `array[indices] op= value`.
    fn store_element(
        &mut self,
        array: Var,
        indices: &[Expr],
        value: &Expr,
        update: Option<Binary>,
        check: Check,
        span: Span,
    ) {
        let element = self.array_type(array).element;
        // Python evaluates the value before the subscripts of a plain assignment, and the element before the value of an augmented one.
        let Some(op) = update else {
            let value = self.expression(value);
            let address = self.element(array, indices, check, span);
            self.store(element, &value, &address);
            if let Some(far) = self.marked.get(&array).cloned() {
                let mark = self.value(&format!("getelementptr inbounds i8, ptr {address}, i64 {far}"));
                self.line(&format!("store i8 1, ptr {mark}"));
            }
            return;
        };
        let address = self.element(array, indices, check, span);
        let work = scalar(value);
        let new = self.expression(value);
        let old = self.load(element, &address);
        let from = Scalar::numpy(element);
        let old = self.cast(&old, from, work, Check::None, span);
        let result = self.binary(op, &old, &new, work, Check::None, span);
        let result = self.cast(&result, Scalar::numpy(work.kind), from, Check::None, span);
        self.store(element, &result, &address);
    }

    fn assign_array(&mut self, var: Var, value: &Expr) {
        match &*value.kind {
            ExprKind::Var(from) => {
                let fields: Vec<String> = self.descriptor(*from).into_iter().map(|field| field.1).collect();
                self.set_array(var, &fields, true);
            }
            ExprKind::View { array, parts, check } => {
                let fields = self.view(*array, parts, *check, value.span);
                self.set_array(var, &fields, true);
            }
            ExprKind::New { lengths, fill, check } => {
                let begun = match fill {
                    Fill::Value(value) => Some(self.expression(value)),
                    Fill::Empty | Fill::Zero | Fill::Product(..) | Fill::Places(_) => None,
                };
                let new = NewArray { lengths, fill, begun: begun.as_ref(), check: *check, span: value.span };
                self.new_array(var, &new);
                if let Fill::Product(left, right) = fill {
                    self.product(var, *left, *right);
                }
            }
            _ => unreachable!("an array is a variable, a view or new: {value}"),
        }
    }
}

pub(super) fn parts(operand: &Operand) -> Vec<String> {
    match operand {
        Operand::One(one) => vec![one.clone()],
        Operand::Pair(real, imag) => vec![real.clone(), imag.clone()],
    }
}

fn print_kind(kind: Kind) -> i32 {
    match kind {
        Kind::Bool => abi::item::BOOL,
        Kind::F32 => abi::item::F32,
        Kind::F64 => abi::item::F64,
        Kind::C64 => abi::item::C64,
        Kind::C128 => abi::item::C128,
        _ if kind.is_unsigned() => abi::item::UNSIGNED,
        _ => abi::item::SIGNED,
    }
}
