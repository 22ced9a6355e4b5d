//! Expressions of scalars.

use super::function::{FunctionEmitter, Operand, scalar};
use super::register;
use crate::compile::Failure;
use crate::ir::{Binary, Check, Compare, Expr, ExprKind, Flavour, Kind, Layout, Scalar, Span, Unary};

impl FunctionEmitter<'_, '_> {
    /// A scalar's value in registers.
    pub fn expression(&mut self, expr: &Expr) -> Operand {
        let ty = scalar(expr);
        match &*expr.kind {
            ExprKind::Bool(value) => Operand::One(value.to_string()),
            ExprKind::Int(value) => constant_int(*value, ty.kind),
            ExprKind::Float(value) => constant(*value, 0.0, ty.kind),
            ExprKind::Complex(real, imag) => constant(*real, *imag, ty.kind),
            ExprKind::Var(var) => self.read(*var),
            ExprKind::Unary { op, operand, check } => {
                let value = self.expression(operand);
                self.unary(*op, &value, scalar(operand), *check, expr.span)
            }
            ExprKind::Binary { op, left, right, check } => {
                let a = self.expression(left);
                let b = self.expression(right);
                if *op == Binary::Divide
                    && let (Some(from), Some(to)) = (whole(left), whole(right))
                    && ty == Scalar::FLOAT
                {
                    return self.true_division((from, &a), (to, &b), *check, expr.span);
                }
                self.binary(*op, &a, &b, ty, *check, expr.span)
            }
            ExprKind::Compare { op, left, right } => self.compare(*op, left, right),
            ExprKind::If { condition, then, orelse } if self.lanes.is_some() => {
                self.lane_choice(condition, then, orelse)
            }
            ExprKind::If { condition, then, orelse } => self.choice(condition, then, orelse),
            ExprKind::Cast { value, check } => {
                let operand = self.expression(value);
                self.cast(&operand, scalar(value), ty, *check, expr.span)
            }
            ExprKind::Load { array, indices, check } if self.array_type(*array).layout == Layout::Places => {
                Operand::One(self.place_number(*array, indices, *check, expr.span))
            }
            ExprKind::Load { array, indices, check } => {
                let address = self.element(*array, indices, *check, expr.span);
                let element = self.array_type(*array).element;
                let value = self.load(element, &address);
                self.cast(&value, Scalar::numpy(element), ty, Check::None, expr.span)
            }
            ExprKind::Dim { array, axis } if self.lanes.is_some() => {
                Operand::One(self.lane_splat("i64", |this| this.length(*array, usize::from(*axis))))
            }
            ExprKind::Dim { array, axis } => Operand::One(self.length(*array, usize::from(*axis))),
            ExprKind::Disjoint { left, right } => Operand::One(self.disjoint(*left, *right)),
            ExprKind::Foldable { array, lengths } => Operand::One(self.foldable(*array, lengths.as_deref())),
            ExprKind::Math { function, arguments, check } => {
                self.math(*function, arguments, ty, *check, expr.span)
            }
            ExprKind::Random { draw, arguments, check } => {
                self.random(*draw, arguments, ty, *check, expr.span)
            }
            ExprKind::New { .. } | ExprKind::View { .. } => unreachable!("an array as a value: {expr}"),
        }
    }

    fn choice(&mut self, condition: &Expr, then: &Expr, orelse: &Expr) -> Operand {
        let ty = register(scalar(then).kind);
        let condition = self.expression(condition);
        let [yes, no, end] = ["then", "else", "end"].map(|name| self.label(name));
        self.branch(condition.one(), &yes, &no);
        self.begin(&yes);
        let first = self.expression(then);
        let from_first = self.block.clone();
        self.jump(&end);
        self.begin(&no);
        let second = self.expression(orelse);
        let from_second = self.block.clone();
        self.begin(&end);
        let mut phi = |one: &str, other: &str| {
            self.value(&format!("phi {ty} [ {one}, %{from_first} ], [ {other}, %{from_second} ]"))
        };
        match (&first, &second) {
            (Operand::Pair(real, imag), Operand::Pair(other_real, other_imag)) => {
                let real = phi(real, other_real);
                Operand::Pair(real, phi(imag, other_imag))
            }
            _ => Operand::One(phi(first.one(), second.one())),
        }
    }

    fn compare(&mut self, op: Compare, left: &Expr, right: &Expr) -> Operand {
        // An int against a float is compared exactly, as Python does, not rounded first.
        let float = |expr: &Expr| scalar(expr) == Scalar::FLOAT;
        if let (Some(int), true) = (large(left), float(right)) {
            let (int, other) = (self.expression(int), self.expression(right));
            return Operand::One(self.compare_exactly(op, int.one(), other.one()));
        }
        if let (Some(int), true) = (large(right), float(left)) {
            let (other, int) = (self.expression(left), self.expression(int));
            return Operand::One(self.compare_exactly(turned(op), int.one(), other.one()));
        }
        let kind = scalar(left).kind;
        let (a, b) = (self.expression(left), self.expression(right));
        let ty = register(kind);
        if kind.is_complex() {
            let ((ar, ai), (br, bi)) = (a.pair(), b.pair());
            let (predicate, join) = if op == Compare::Equal { ("oeq", "and") } else { ("une", "or") };
            let real = self.value(&format!("fcmp {predicate} {ty} {ar}, {br}"));
            let imag = self.value(&format!("fcmp {predicate} {ty} {ai}, {bi}"));
            return Operand::One(self.value(&format!("{join} i1 {real}, {imag}")));
        }
        let (a, b) = (a.one(), b.one());
        Operand::One(if kind.is_float() {
            self.value(&format!("fcmp {} {ty} {a}, {b}", float_predicate(op)))
        } else {
            self.value(&format!("icmp {} {ty} {a}, {b}", int_predicate(op, kind)))
        })
    }

    /// `int op float`. Rounding the int keeps the order, so that it decides unless both are equal then.
    fn compare_exactly(&mut self, op: Compare, int: &str, float: &str) -> String {
        let rounded = self.value(&format!("sitofp i64 {int} to double"));
        let equal = self.value(&format!("fcmp oeq double {rounded}, {float}"));
        let apart = self.value(&format!("fcmp {} double {rounded}, {float}", float_predicate(op)));
        self.declare("declare i64 @llvm.fptosi.sat.i64.f64(double)");
        let whole = self.value(&format!("call i64 @llvm.fptosi.sat.i64.f64(double {float})"));
        let near = self.value(&format!("icmp {} i64 {int}, {whole}", int_predicate(op, Kind::I64)));
        // 2^63 is above every int, and the only double that is equal to a rounded int without being one.
        let beyond = self.value(&format!("fcmp oge double {float}, 0x43E0000000000000"));
        let there = matches!(op, Compare::Less | Compare::LessEqual | Compare::NotEqual);
        let near = self.value(&format!("select i1 {beyond}, i1 {there}, i1 {near}"));
        self.value(&format!("select i1 {equal}, i1 {near}, i1 {apart}"))
    }

    /// `int / int`: the exact quotient, rounded once.
    fn true_division(
        &mut self,
        (left, a): (&Expr, &Operand),
        (right, b): (&Expr, &Operand),
        check: Check,
        span: Span,
    ) -> Operand {
        let zero = self.value(&format!("fcmp oeq double {}, 0.0", b.one()));
        self.fail_if(&zero, check, Failure::ZeroDivision("division by zero".into()), span, &[]);
        let quotient = self.value(&format!("fdiv double {}, {}", a.one(), b.one()));
        let small = |expr: &Expr| match *expr.kind {
            ExprKind::Int(value) => value.unsigned_abs() <= 1 << 53,
            _ => scalar(expr).kind != Kind::I64,
        };
        let power = |expr: &Expr| matches!(*expr.kind, ExprKind::Int(value) if value.unsigned_abs().is_power_of_two());
        if power(right) || (small(left) && small(right)) {
            return Operand::One(quotient);
        }
        // Past 2^53 the operands were rounded: seldom, so all of it is done again there.
        let mut large = "false".to_string();
        for (expr, operand) in [(left, a), (right, b)] {
            if !small(expr) {
                let size = self.intrinsic("fabs", Kind::F64, &[operand.one()]);
                let above = self.value(&format!("fcmp oge double {size}, 0x4340000000000000"));
                large = self.value(&format!("or i1 {large}, {above}"));
            }
        }
        let [exact, end] = ["exact", "end"].map(|name| self.label(name));
        let before = self.block.clone();
        self.branch_cold(&large, &exact, &end);
        self.begin(&exact);
        let (a, b) = (self.as_int(left), self.as_int(right));
        self.emitter.helpers.insert(super::helpers::DIVIDE);
        let slow = self.value(&format!("call double @mh.divide(i64 {a}, i64 {b})"));
        let from = self.block.clone();
        self.begin(&end);
        Operand::One(self.value(&format!("phi double [ {quotient}, %{before} ], [ {slow}, %{from} ]")))
    }

    fn as_int(&mut self, expr: &Expr) -> String {
        let operand = self.expression(expr);
        self.cast(&operand, scalar(expr), Scalar::INT, Check::None, expr.span).one().to_string()
    }

    fn unary(&mut self, op: Unary, value: &Operand, ty: Scalar, check: Check, span: Span) -> Operand {
        let kind = ty.kind;
        let name = register(kind);
        if let Operand::Pair(real, imag) = value {
            return match op {
                Unary::Negative => Operand::Pair(
                    self.value(&format!("fneg {name} {real}")),
                    self.value(&format!("fneg {name} {imag}")),
                ),
                _ => self.complex_absolute(real, imag, ty, check, span),
            };
        }
        let value = value.one();
        Operand::One(match op {
            Unary::Not => self.value(&format!("xor i1 {value}, true")),
            Unary::Invert => {
                self.value(&format!("xor {name} {value}, {}", if name == "i1" { "true" } else { "-1" }))
            }
            Unary::Negative if kind.is_float() => self.value(&format!("fneg {name} {value}")),
            Unary::Absolute if kind.is_float() => self.intrinsic("fabs", kind, &[value]),
            Unary::Absolute if kind == Kind::Bool || kind.is_unsigned() => value.into(),
            Unary::Negative | Unary::Absolute => {
                if ty.flavour == Flavour::Python && check != Check::None {
                    let least = self.value(&format!("icmp eq {name} {value}, {}", least(kind)));
                    self.fail_if(&least, check, Failure::Overflow, span, &[]);
                }
                let negated = self.value(&format!("sub {name} 0, {value}"));
                if op == Unary::Negative {
                    negated
                } else {
                    let negative = self.value(&format!("icmp slt {name} {value}, 0"));
                    self.value(&format!("select i1 {negative}, {name} {negated}, {name} {value}"))
                }
            }
        })
    }
}

/// The least number of a signed kind.
pub(super) fn least(kind: Kind) -> String {
    (i128::MIN >> (128 - 8 * kind.size())).to_string()
}

/// The int expression that a float was made of.
fn whole(expr: &Expr) -> Option<&Expr> {
    match &*expr.kind {
        ExprKind::Cast { value, .. }
            if value.ty.scalar().is_some_and(|ty| {
                ty.flavour == Flavour::Python && matches!(ty.kind, Kind::I64 | Kind::Bool)
            }) =>
        {
            Some(value)
        }
        _ => None,
    }
}

/// The int expression that a Python float was made of, where rounding may have lost something.
fn large(expr: &Expr) -> Option<&Expr> {
    let int = whole(expr).filter(|_| scalar(expr) == Scalar::FLOAT)?;
    match *int.kind {
        ExprKind::Int(value) if value.unsigned_abs() <= 1 << 53 => None,
        _ => (scalar(int).kind == Kind::I64).then_some(int),
    }
}

fn turned(op: Compare) -> Compare {
    match op {
        Compare::Less => Compare::Greater,
        Compare::LessEqual => Compare::GreaterEqual,
        Compare::Greater => Compare::Less,
        Compare::GreaterEqual => Compare::LessEqual,
        same => same,
    }
}

pub(super) fn float_predicate(op: Compare) -> &'static str {
    match op {
        Compare::Equal => "oeq",
        Compare::NotEqual => "une",
        Compare::Less => "olt",
        Compare::LessEqual => "ole",
        Compare::Greater => "ogt",
        Compare::GreaterEqual => "oge",
    }
}

pub(super) fn int_predicate(op: Compare, kind: Kind) -> &'static str {
    let signed = kind.is_signed();
    match op {
        Compare::Equal => "eq",
        Compare::NotEqual => "ne",
        Compare::Less if signed => "slt",
        Compare::LessEqual if signed => "sle",
        Compare::Greater if signed => "sgt",
        Compare::GreaterEqual if signed => "sge",
        Compare::Less => "ult",
        Compare::LessEqual => "ule",
        Compare::Greater => "ugt",
        Compare::GreaterEqual => "uge",
    }
}

fn constant_int(value: i128, kind: Kind) -> Operand {
    if kind.is_float() || kind.is_complex() {
        return constant(value as f64, 0.0, kind);
    }
    if kind == Kind::Bool {
        return Operand::One((value != 0).to_string());
    }
    let unused = 128 - 8 * kind.size();
    Operand::One(((value << unused) >> unused).to_string())
}

/// A float in LLVM's text: the bits of a double, for f32 of one that it holds exactly.
pub(super) fn float(value: f64, kind: Kind) -> String {
    let value = if matches!(kind, Kind::F32 | Kind::C64) { f64::from(value as f32) } else { value };
    format!("0x{:016X}", value.to_bits())
}

fn constant(real: f64, imag: f64, kind: Kind) -> Operand {
    if kind.is_complex() {
        Operand::Pair(float(real, kind), float(imag, kind))
    } else if kind.is_float() {
        Operand::One(float(real, kind))
    } else {
        constant_int(real as i128, kind)
    }
}
