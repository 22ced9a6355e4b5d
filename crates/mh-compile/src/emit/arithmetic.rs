//! Binary operations, with Python's and NumPy's meaning.

use super::expression::{float, least};
use super::function::{FunctionEmitter, Operand};
use super::helpers;
use super::register;
use crate::compile::Failure;
use crate::ir::{Binary, Check, Flavour, Kind, Math, Scalar, Span};

/// What an operation is asked with beside its operands.
#[derive(Clone, Copy)]
pub(super) struct Ask {
    pub ty: Scalar,
    pub check: Check,
    pub span: Span,
}

impl Ask {
    fn python(self) -> bool {
        self.ty.flavour == Flavour::Python
    }

    /// LLVM's type.
    fn name(self) -> &'static str {
        register(self.ty.kind)
    }
}

impl FunctionEmitter<'_, '_> {
    /// `left op right`, both of type `ty`.
    pub fn binary(
        &mut self,
        op: Binary,
        left: &Operand,
        right: &Operand,
        ty: Scalar,
        check: Check,
        span: Span,
    ) -> Operand {
        let ask = Ask { ty, check, span };
        if ty.kind.is_complex() {
            return self.complex(op, left, right, ask);
        }
        let (a, b) = (left.one(), right.one());
        Operand::One(match ty.kind {
            Kind::Bool => self.of_bools(op, a, b),
            Kind::F32 | Kind::F64 => self.of_floats(op, a, b, ask),
            _ => self.of_ints(op, a, b, ask),
        })
    }

    fn of_bools(&mut self, op: Binary, a: &str, b: &str) -> String {
        let name = match op {
            Binary::Add | Binary::Or | Binary::Max | Binary::Maximum => "or",
            Binary::Xor | Binary::Subtract => "xor",
            _ => "and",
        };
        self.value(&format!("{name} i1 {a}, {b}"))
    }

    fn of_ints(&mut self, op: Binary, a: &str, b: &str, ask: Ask) -> String {
        let name = ask.name();
        let sign = if ask.ty.kind.is_signed() { "s" } else { "u" };
        match op {
            Binary::Add => self.checked("add", a, b, ask),
            Binary::Subtract => self.checked("sub", a, b, ask),
            Binary::Multiply => self.checked("mul", a, b, ask),
            Binary::And => self.value(&format!("and {name} {a}, {b}")),
            Binary::Or => self.value(&format!("or {name} {a}, {b}")),
            Binary::Xor => self.value(&format!("xor {name} {a}, {b}")),
            Binary::Min | Binary::Minimum => self.intrinsic(&format!("{sign}min"), ask.ty.kind, &[a, b]),
            Binary::Max | Binary::Maximum => self.intrinsic(&format!("{sign}max"), ask.ty.kind, &[a, b]),
            Binary::LeftShift | Binary::RightShift => self.shift(op, a, b, ask),
            Binary::FloorDivide | Binary::Modulo => self.divide_ints(op, a, b, ask),
            Binary::Power => self.power_of_ints(a, b, ask),
            Binary::Divide => unreachable!("`/` works in floats"),
        }
    }

    /// Add, subtract, multiply.
    fn checked(&mut self, op: &str, a: &str, b: &str, ask: Ask) -> String {
        let Ask { ty: Scalar { kind, .. }, check, span } = ask;
        let name = ask.name();
        if !ask.python() || kind == Kind::I128 {
            return self.value(&format!("{op} {name} {a}, {b}"));
        }
        match check {
            Check::None => self.value(&format!("{op} nsw {name} {a}, {b}")),
            // By signs, which vectorises: the intrinsics do not.
            Check::Flag if op != "mul" && (self.attempt.is_some() || self.lanes.is_some()) => {
                let result = self.value(&format!("{op} {name} {a}, {b}"));
                let first = self.value(&format!("xor {name} {a}, {result}"));
                let other = if op == "add" { &result } else { a };
                let second = self.value(&format!("xor {name} {b}, {other}"));
                let both = self.value(&format!("and {name} {first}, {second}"));
                let over = self.value(&format!("icmp slt {name} {both}, 0"));
                self.fail_if(&over, check, Failure::Overflow, span, &[]);
                result
            }
            _ => {
                let (result, over) = self.with_overflow(&format!("s{op}"), kind, a, b);
                self.fail_if(&over, check, Failure::Overflow, span, &[]);
                result
            }
        }
    }

    /// A result, wrapped, and whether it had to be.
    pub fn with_overflow(&mut self, op: &str, kind: Kind, a: &str, b: &str) -> (String, String) {
        let ty = register(kind);
        self.declare(&format!("declare {{ {ty}, i1 }} @llvm.{op}.with.overflow.{ty}({ty}, {ty})"));
        let both =
            self.value(&format!("call {{ {ty}, i1 }} @llvm.{op}.with.overflow.{ty}({ty} {a}, {ty} {b})"));
        let result = self.value(&format!("extractvalue {{ {ty}, i1 }} {both}, 0"));
        let over = self.value(&format!("extractvalue {{ {ty}, i1 }} {both}, 1"));
        (result, over)
    }

    fn shift(&mut self, op: Binary, a: &str, b: &str, ask: Ask) -> String {
        let (name, kind) = (ask.name(), ask.ty.kind);
        let bits = 8 * kind.size();
        let known = b.parse::<i128>().ok().filter(|count| (0..i128::from(bits)).contains(count));
        if known.is_none() && ask.python() && ask.check != Check::None {
            let negative = self.value(&format!("icmp slt {name} {b}, 0"));
            self.fail_if(&negative, ask.check, Failure::NegativeShift, ask.span, &[]);
        }
        let arithmetic = if kind.is_signed() { "ashr" } else { "lshr" };
        // Too great a count is like the greatest that LLVM allows, but that a left shift leaves nothing.
        let (count, far) = if known.is_some() {
            (b.to_string(), "false".to_string())
        } else {
            let far = self.value(&format!("icmp uge {name} {b}, {bits}"));
            (self.value(&format!("select i1 {far}, {name} {}, {name} {b}", bits - 1)), far)
        };
        if op == Binary::RightShift {
            let shifted = self.value(&format!("{arithmetic} {name} {a}, {count}"));
            return if kind.is_signed() || known.is_some() {
                shifted
            } else {
                self.value(&format!("select i1 {far}, {name} 0, {name} {shifted}"))
            };
        }
        let shifted = self.value(&format!("shl {name} {a}, {count}"));
        let result = if known.is_some() {
            shifted
        } else {
            self.value(&format!("select i1 {far}, {name} 0, {name} {shifted}"))
        };
        if ask.python() && ask.check != Check::None {
            let back = self.value(&format!("ashr {name} {result}, {count}"));
            let over = self.value(&format!("icmp ne {name} {back}, {a}"));
            self.fail_if(&over, ask.check, Failure::Overflow, ask.span, &[]);
        }
        result
    }

    /// Rounds down, and the remainder has the divisor's sign.
    fn divide_ints(&mut self, op: Binary, a: &str, b: &str, ask: Ask) -> String {
        let (name, kind) = (ask.name(), ask.ty.kind);
        let known = b.parse::<i128>().ok().filter(|divisor| *divisor != 0);
        let mut divisor = b.to_string();
        let mut zero = "false".to_string();
        if known.is_none() {
            zero = self.value(&format!("icmp eq {name} {b}, 0"));
            if ask.python() {
                let text = if op == Binary::Modulo {
                    "integer modulo by zero"
                } else {
                    "integer division or modulo by zero"
                };
                self.fail_if(&zero, ask.check, Failure::ZeroDivision(text.into()), ask.span, &[]);
            }
            // LLVM's division by zero is undefined: NumPy's is 0, and where a check has seen to it this goes away.
            divisor = self.value(&format!("select i1 {zero}, {name} 1, {name} {b}"));
        }
        if !kind.is_signed() {
            let result = match op {
                Binary::Modulo => self.value(&format!("urem {name} {a}, {divisor}")),
                _ => self.value(&format!("udiv {name} {a}, {divisor}")),
            };
            return self.unless(&zero, name, &result);
        }
        if let Some(power) = known.filter(|divisor| *divisor > 0 && (*divisor as u128).is_power_of_two()) {
            return if op == Binary::Modulo {
                self.value(&format!("and {name} {a}, {}", power - 1))
            } else {
                self.value(&format!("ashr {name} {a}, {}", power.trailing_zeros()))
            };
        }
        // The least number by -1: past the kind. NumPy gives it back.
        if known.is_none_or(|divisor| divisor == -1) {
            let least = self.value(&format!("icmp eq {name} {a}, {}", least(kind)));
            let minus = self.value(&format!("icmp eq {name} {b}, -1"));
            let over = self.value(&format!("and i1 {least}, {minus}"));
            if ask.python() && op == Binary::FloorDivide {
                self.fail_if(&over, ask.check, Failure::Overflow, ask.span, &[]);
            }
            divisor = self.value(&format!("select i1 {over}, {name} 1, {name} {divisor}"));
        }
        let quotient = self.value(&format!("sdiv {name} {a}, {divisor}"));
        let back = self.value(&format!("mul {name} {quotient}, {divisor}"));
        let rest = self.value(&format!("sub {name} {a}, {back}"));
        // The rest has the dividend's sign: one step down where the divisor's is the other.
        let some = self.value(&format!("icmp ne {name} {rest}, 0"));
        let signs = match known {
            Some(divisor) if divisor > 0 => self.value(&format!("icmp slt {name} {rest}, 0")),
            Some(_) => self.value(&format!("icmp sgt {name} {rest}, 0")),
            None => {
                let signs = self.value(&format!("xor {name} {rest}, {divisor}"));
                self.value(&format!("icmp slt {name} {signs}, 0"))
            }
        };
        let step = self.value(&format!("and i1 {some}, {signs}"));
        let result = if op == Binary::Modulo {
            let moved = self.value(&format!("add {name} {rest}, {divisor}"));
            self.value(&format!("select i1 {step}, {name} {moved}, {name} {rest}"))
        } else {
            let step = self.value(&format!("sext i1 {step} to {name}"));
            self.value(&format!("add {name} {quotient}, {step}"))
        };
        self.unless(&zero, name, &result)
    }

    /// 0 where `zero` holds.
    fn unless(&mut self, zero: &str, name: &str, value: &str) -> String {
        if zero == "false" {
            return value.into();
        }
        self.value(&format!("select i1 {zero}, {name} 0, {name} {value}"))
    }

    fn power_of_ints(&mut self, a: &str, b: &str, ask: Ask) -> String {
        let (name, kind) = (ask.name(), ask.ty.kind);
        if let Ok(exponent @ 0..=8) = b.parse::<i128>() {
            let mut result: Option<String> = None;
            for _ in 0..exponent {
                result = Some(match result {
                    Some(result) => self.checked("mul", &result, a, ask),
                    None => a.into(),
                });
            }
            return result.unwrap_or_else(|| "1".into());
        }
        if kind.is_signed() {
            let negative = self.value(&format!("icmp slt {name} {b}, 0"));
            self.fail_if(&negative, ask.check, Failure::NegativePower, ask.span, &[]);
        }
        let (base, exponent) = if name == "i64" {
            (a.to_string(), b.to_string())
        } else {
            let extend = if kind.is_signed() { "sext" } else { "zext" };
            let wide = |this: &mut Self, value: &str| match kind {
                Kind::I128 => this.value(&format!("trunc i128 {value} to i64")),
                _ => this.value(&format!("{extend} {name} {value} to i64")),
            };
            (wide(self, a), wide(self, b))
        };
        self.emitter.helpers.insert(helpers::POWER);
        let both = self.value(&format!("call {{ i64, i1 }} @mh.power(i64 {base}, i64 {exponent})"));
        let result = self.value(&format!("extractvalue {{ i64, i1 }} {both}, 0"));
        if ask.python() && ask.check != Check::None {
            let over = self.value(&format!("extractvalue {{ i64, i1 }} {both}, 1"));
            self.fail_if(&over, ask.check, Failure::Overflow, ask.span, &[]);
        }
        match kind {
            Kind::I128 => self.value(&format!("sext i64 {result} to i128")),
            _ if name == "i64" => result,
            // The low bits of a product are those of the wide one.
            _ => self.value(&format!("trunc i64 {result} to {name}")),
        }
    }

    fn of_floats(&mut self, op: Binary, a: &str, b: &str, ask: Ask) -> String {
        let name = ask.name();
        let pick = |this: &mut Self, predicate: &str| {
            let second = this.value(&format!("fcmp {predicate} {name} {b}, {a}"));
            this.value(&format!("select i1 {second}, {name} {b}, {name} {a}"))
        };
        // NumPy's: the first where it is less or nan.
        let first = |this: &mut Self, predicate: &str| {
            let better = this.value(&format!("fcmp {predicate} {name} {a}, {b}"));
            let nan = this.value(&format!("fcmp uno {name} {a}, {a}"));
            let better = this.value(&format!("or i1 {better}, {nan}"));
            this.value(&format!("select i1 {better}, {name} {a}, {name} {b}"))
        };
        match op {
            Binary::Add => self.value(&format!("fadd {name} {a}, {b}")),
            Binary::Subtract => self.value(&format!("fsub {name} {a}, {b}")),
            Binary::Multiply => self.value(&format!("fmul {name} {a}, {b}")),
            Binary::Divide => {
                self.not_by_zero(b, "float division by zero", ask);
                self.value(&format!("fdiv {name} {a}, {b}"))
            }
            Binary::FloorDivide => {
                self.not_by_zero(b, "float floor division by zero", ask);
                self.divide_floats(a, b, ask).0
            }
            Binary::Modulo => {
                self.not_by_zero(b, "float modulo", ask);
                self.divide_floats(a, b, ask).1
            }
            Binary::Power => self.power_of_floats(a, b, ask),
            Binary::Min => pick(self, "olt"),
            Binary::Max => pick(self, "ogt"),
            Binary::Minimum => first(self, "olt"),
            Binary::Maximum => first(self, "ogt"),
            _ => unreachable!("floats have no {op:?}"),
        }
    }

    fn not_by_zero(&mut self, divisor: &str, text: &str, ask: Ask) {
        let never = divisor
            .strip_prefix("0x")
            .is_some_and(|bits| u64::from_str_radix(bits, 16).is_ok_and(|bits| f64::from_bits(bits) != 0.0));
        if ask.python() && ask.check != Check::None && !never {
            let zero = self.value(&format!("fcmp oeq {} {divisor}, 0.0", ask.name()));
            self.fail_if(&zero, ask.check, Failure::ZeroDivision(text.into()), ask.span, &[]);
        }
    }

    /// Quotient rounded down, and remainder, as CPython's `float_divmod` and NumPy's `npy_divmod` have them (the same but for zero divisors).
    fn divide_floats(&mut self, a: &str, b: &str, ask: Ask) -> (String, String) {
        let (name, kind) = (ask.name(), ask.ty.kind);
        let zero = float(0.0, kind);
        let rest = self.call_math(Math::Fmod, kind, &[a, b]);
        let whole = self.value(&format!("fsub {name} {a}, {rest}"));
        let quotient = self.value(&format!("fdiv {name} {whole}, {b}"));
        let some = self.value(&format!("fcmp une {name} {rest}, {zero}"));
        let divisor_negative = self.value(&format!("fcmp olt {name} {b}, {zero}"));
        let rest_negative = self.value(&format!("fcmp olt {name} {rest}, {zero}"));
        let differ = self.value(&format!("xor i1 {divisor_negative}, {rest_negative}"));
        let step = self.value(&format!("and i1 {some}, {differ}"));
        let moved = self.value(&format!("fadd {name} {rest}, {b}"));
        let nothing = self.intrinsic("copysign", kind, &[&zero, b]);
        let result = self.value(&format!("select i1 {step}, {name} {moved}, {name} {rest}"));
        let modulo = self.value(&format!("select i1 {some}, {name} {result}, {name} {nothing}"));
        let less = self.value(&format!("fsub {name} {quotient}, {}", float(1.0, kind)));
        let quotient = self.value(&format!("select i1 {step}, {name} {less}, {name} {quotient}"));
        let floor = self.call_math(Math::Floor, kind, &[&quotient]);
        let over = self.value(&format!("fsub {name} {quotient}, {floor}"));
        let over = self.value(&format!("fcmp ogt {name} {over}, {}", float(0.5, kind)));
        let up = self.value(&format!("fadd {name} {floor}, {}", float(1.0, kind)));
        let floor = self.value(&format!("select i1 {over}, {name} {up}, {name} {floor}"));
        let plain = self.value(&format!("fdiv {name} {a}, {b}"));
        let signed = self.intrinsic("copysign", kind, &[&zero, &plain]);
        let some = self.value(&format!("fcmp une {name} {quotient}, {zero}"));
        let mut floor = self.value(&format!("select i1 {some}, {name} {floor}, {name} {signed}"));
        if !ask.python() {
            let by_zero = self.value(&format!("fcmp oeq {name} {b}, {zero}"));
            floor = self.value(&format!("select i1 {by_zero}, {name} {plain}, {name} {floor}"));
            let modulo = self.value(&format!("select i1 {by_zero}, {name} {rest}, {name} {modulo}"));
            return (floor, modulo);
        }
        (floor, modulo)
    }

    /// C's `pow`; Python raises for 0 to a negative power, for a negative number to a fraction (complex in Python: a ValueError here), and for
    /// overflow.
    fn power_of_floats(&mut self, a: &str, b: &str, ask: Ask) -> String {
        let (name, kind) = (ask.name(), ask.ty.kind);
        if b.strip_prefix("0x").is_some_and(|bits| bits == format!("{:016X}", 2.0_f64.to_bits())) {
            let square = self.value(&format!("fmul {name} {a}, {a}"));
            if ask.python() && ask.check != Check::None {
                let over = self.infinite_of_finite(&square, &[a], kind);
                self.fail_if(&over, ask.check, Failure::Range, ask.span, &[]);
            }
            return square;
        }
        let result = self.call_math(Math::Pow, kind, &[a, b]);
        if ask.python() && ask.check != Check::None {
            let zero = self.value(&format!("fcmp oeq {name} {a}, 0.0"));
            let negative = self.value(&format!("fcmp olt {name} {b}, 0.0"));
            let finite = self.value(&format!("fcmp ogt {name} {b}, {}", float(f64::NEG_INFINITY, kind)));
            let negative = self.value(&format!("and i1 {negative}, {finite}"));
            let by_zero = self.value(&format!("and i1 {zero}, {negative}"));
            let text = "0.0 cannot be raised to a negative power";
            self.fail_if(&by_zero, ask.check, Failure::ZeroDivision(text.into()), ask.span, &[]);
            let nan = self.nan_of_numbers(&result, &[a, b], kind);
            let values = self.figures(ask.check, a, kind);
            self.fail_if(&nan, ask.check, Failure::Domain, ask.span, &values);
            let over = self.infinite_of_finite(&result, &[a, b], kind);
            self.fail_if(&over, ask.check, Failure::Range, ask.span, &[]);
        }
        result
    }

    /// An operand for a message; nothing where only a flag is raised.
    pub fn figures(&mut self, check: Check, value: &str, kind: Kind) -> Vec<String> {
        if check == Check::Flag { Vec::new() } else { self.bits(&Operand::One(value.into()), kind) }
    }

    /// A nan that no operand was.
    pub fn nan_of_numbers(&mut self, result: &str, operands: &[&str], kind: Kind) -> String {
        let name = register(kind);
        let mut all = self.value(&format!("fcmp uno {name} {result}, {result}"));
        for operand in operands {
            let number = self.value(&format!("fcmp ord {name} {operand}, {operand}"));
            all = self.value(&format!("and i1 {all}, {number}"));
        }
        all
    }

    /// An infinity that no operand was.
    pub fn infinite_of_finite(&mut self, result: &str, operands: &[&str], kind: Kind) -> String {
        let name = register(kind);
        let infinity = float(f64::INFINITY, kind);
        let size = self.intrinsic("fabs", kind, &[result]);
        let mut all = self.value(&format!("fcmp oeq {name} {size}, {infinity}"));
        for operand in operands {
            let size = self.intrinsic("fabs", kind, &[operand]);
            let finite = self.value(&format!("fcmp olt {name} {size}, {infinity}"));
            all = self.value(&format!("and i1 {all}, {finite}"));
        }
        all
    }

    pub fn complex(&mut self, op: Binary, left: &Operand, right: &Operand, ask: Ask) -> Operand {
        let name = ask.name();
        let ((ar, ai), (br, bi)) = (left.pair(), right.pair());
        let mut op2 = |op: &str, a: &str, b: &str| self.value(&format!("{op} {name} {a}, {b}"));
        match op {
            Binary::Add => Operand::Pair(op2("fadd", ar, br), op2("fadd", ai, bi)),
            Binary::Subtract => Operand::Pair(op2("fsub", ar, br), op2("fsub", ai, bi)),
            Binary::Multiply => {
                let (rr, ii) = (op2("fmul", ar, br), op2("fmul", ai, bi));
                let (ri, ir) = (op2("fmul", ar, bi), op2("fmul", ai, br));
                Operand::Pair(op2("fsub", &rr, &ii), op2("fadd", &ri, &ir))
            }
            Binary::Divide => self.complex_quotient(left, right, ask),
            Binary::Power => self.complex_power(left, right, ask),
            _ => unreachable!("complex numbers have no {op:?}"),
        }
    }

    /// Smith's method: CPython's `_Py_c_quot` divides by the scaled denominator, NumPy multiplies with its reciprocal.
    fn complex_quotient(&mut self, left: &Operand, right: &Operand, ask: Ask) -> Operand {
        let (name, kind) = (ask.name(), ask.ty.kind);
        let part = if kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let ((ar, ai), (br, bi)) = (left.pair(), right.pair());
        let real_size = self.intrinsic("fabs", part, &[br]);
        let imag_size = self.intrinsic("fabs", part, &[bi]);
        if ask.python() && ask.check != Check::None {
            let real_zero = self.value(&format!("fcmp oeq {name} {real_size}, 0.0"));
            let imag_zero = self.value(&format!("fcmp oeq {name} {imag_size}, 0.0"));
            let zero = self.value(&format!("and i1 {real_zero}, {imag_zero}"));
            let text = "complex division by zero";
            self.fail_if(&zero, ask.check, Failure::ZeroDivision(text.into()), ask.span, &[]);
        }
        let wide = self.value(&format!("fcmp oge {name} {real_size}, {imag_size}"));
        let mut pick =
            |one: &str, other: &str| self.value(&format!("select i1 {wide}, {name} {one}, {name} {other}"));
        // With the greater part of the divisor as `big`, the smaller as `small`.
        let (big, small) = (pick(br, bi), pick(bi, br));
        let (x, y) = (pick(ar, ai), pick(ai, ar));
        let mut op2 = |op: &str, a: &str, b: &str| self.value(&format!("{op} {name} {a}, {b}"));
        let ratio = op2("fdiv", &small, &big);
        let scaled = op2("fmul", &small, &ratio);
        let denominator = op2("fadd", &big, &scaled);
        let product = op2("fmul", &y, &ratio);
        let real = op2("fadd", &x, &product);
        // ai - ar * ratio, or ai * ratio - ar.
        let product = op2("fmul", &x, &ratio);
        let (one, other) = (op2("fsub", &y, &product), op2("fsub", &product, &y));
        let imag = self.value(&format!("select i1 {wide}, {name} {one}, {name} {other}"));
        if ask.python() {
            // Neither part is the greater where one is nan.
            let other_wide = self.value(&format!("fcmp oge {name} {imag_size}, {real_size}"));
            let number = self.value(&format!("or i1 {wide}, {other_wide}"));
            let mut quotient = |top: &str| {
                let value = self.value(&format!("fdiv {name} {top}, {denominator}"));
                let nan = float(f64::NAN, kind);
                self.value(&format!("select i1 {number}, {name} {value}, {name} {nan}"))
            };
            let real = quotient(&real);
            return Operand::Pair(real, quotient(&imag));
        }
        let scale = self.value(&format!("fdiv {name} {}, {denominator}", float(1.0, kind)));
        let zero = self.value(&format!("fcmp oeq {name} {big}, 0.0"));
        let mut quotient = |top: &str, plain: &str| {
            let value = self.value(&format!("fmul {name} {top}, {scale}"));
            let by_zero = self.value(&format!("fdiv {name} {plain}, {real_size}"));
            self.value(&format!("select i1 {zero}, {name} {by_zero}, {name} {value}"))
        };
        let real = quotient(&real, ar);
        Operand::Pair(real, quotient(&imag, ai))
    }
}
