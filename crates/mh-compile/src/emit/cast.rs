//! Conversions between scalars.

use super::function::{FunctionEmitter, Operand};
use super::register;
use crate::compile::Failure;
use crate::ir::{Check, Flavour, Kind, Scalar, Span};

impl FunctionEmitter<'_, '_> {
    pub fn cast(&mut self, value: &Operand, from: Scalar, to: Scalar, check: Check, span: Span) -> Operand {
        if from.kind == to.kind {
            return value.clone();
        }
        if to.kind.is_complex() {
            let part = if to.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
            let (real, imag) = if from.kind.is_complex() {
                let from_part = if from.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
                let (real, imag) = value.pair();
                (self.number(real, from_part, part), self.number(imag, from_part, part))
            } else {
                (self.number(value.one(), from.kind, part), "0.0".to_string())
            };
            return Operand::Pair(real, imag);
        }
        if from.kind.is_complex() {
            if to.kind == Kind::Bool {
                let (real, imag) = value.pair();
                let ty = register(from.kind);
                let real = self.value(&format!("fcmp une {ty} {real}, 0.0"));
                let imag = self.value(&format!("fcmp une {ty} {imag}, 0.0"));
                return Operand::One(self.value(&format!("or i1 {real}, {imag}")));
            }
            // NumPy drops the imaginary part.
            let part = if from.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
            let part = Scalar { kind: part, flavour: from.flavour };
            return self.cast(&Operand::One(value.one().into()), part, to, check, span);
        }
        let value = value.one();
        if from.kind.is_float() && (to.kind.is_integer()) {
            return Operand::One(self.float_to_int(value, from, to, check, span));
        }
        if from.kind.is_integer() && to.kind.is_integer() {
            return Operand::One(self.int_to_int(value, from, to, check, span));
        }
        Operand::One(self.number(value, from.kind, to.kind))
    }

    /// Conversions that cannot fail: to floats, to and from `Bool`.
    fn number(&mut self, value: &str, from: Kind, to: Kind) -> String {
        let (old, new) = (register(from), register(to));
        match (from, to) {
            _ if from == to => value.into(),
            (Kind::Bool, _) if to.is_float() => self.value(&format!("uitofp i1 {value} to {new}")),
            (Kind::Bool, _) => self.value(&format!("zext i1 {value} to {new}")),
            (_, Kind::Bool) if from.is_float() => self.value(&format!("fcmp une {old} {value}, 0.0")),
            (_, Kind::Bool) => self.value(&format!("icmp ne {old} {value}, 0")),
            (Kind::F32, Kind::F64) => self.value(&format!("fpext float {value} to double")),
            (Kind::F64, Kind::F32) => self.value(&format!("fptrunc double {value} to float")),
            _ if from.is_unsigned() => self.value(&format!("uitofp {old} {value} to {new}")),
            _ => self.value(&format!("sitofp {old} {value} to {new}")),
        }
    }

    fn int_to_int(&mut self, value: &str, from: Scalar, to: Scalar, check: Check, span: Span) -> String {
        let (old, new) = (register(from.kind), register(to.kind));
        let (wide, narrow) = (from.kind.size(), to.kind.size());
        let result = if narrow > wide {
            let extend = if from.kind.is_signed() { "sext" } else { "zext" };
            self.value(&format!("{extend} {old} {value} to {new}"))
        } else if narrow < wide {
            self.value(&format!("trunc {old} {value} to {new}"))
        } else {
            value.to_string()
        };
        if check == Check::None {
            return result;
        }
        // It fits where the way back gives the same number, and the sign is kept.
        let mut lost = "false".to_string();
        if narrow < wide {
            let extend = if to.kind.is_signed() { "sext" } else { "zext" };
            let back = self.value(&format!("{extend} {new} {result} to {old}"));
            lost = self.value(&format!("icmp ne {old} {back}, {value}"));
        }
        if from.kind.is_signed() != to.kind.is_signed() && (narrow <= wide || from.kind.is_signed()) {
            let (ty, number) = if from.kind.is_signed() { (old, value) } else { (new, result.as_str()) };
            let negative = self.value(&format!("icmp slt {ty} {number}, 0"));
            lost = self.value(&format!("or i1 {lost}, {negative}"));
        }
        if lost == "false" {
            return result;
        }
        let failure = if to.kind == Kind::I64 && to.flavour == Flavour::Python {
            Failure::Overflow
        } else {
            Failure::DoesNotFit(to.kind)
        };
        let values =
            if check == Check::Flag { Vec::new() } else { self.bits(&Operand::One(value.into()), from.kind) };
        self.fail_if(&lost, check, failure, span, &values);
        result
    }

    /// Truncates. Unchecked, what does not fit gives what x86-64 gives: the least number of the (64-bit) type, narrowed.
    fn float_to_int(&mut self, value: &str, from: Scalar, to: Scalar, check: Check, span: Span) -> String {
        let value = self.number(value, from.kind, Kind::F64);
        let new = register(to.kind);
        if to.kind == Kind::I128 {
            return self.saturated(&value, Kind::I128, true);
        }
        if to.kind == Kind::U64 {
            // As NumPy on x86-64: through the signed type below 2^63, and what is negative wraps.
            let signed = self.saturated(&value, Kind::I64, true);
            let unsigned = self.saturated(&value, Kind::I64, false);
            let negative = self.value(&format!("fcmp olt double {value}, 0.0"));
            let result = self.value(&format!("select i1 {negative}, i64 {signed}, i64 {unsigned}"));
            self.float_fits(&value, -1.0, 18_446_744_073_709_551_616.0, check, span);
            return result;
        }
        self.float_fits(&value, -9_223_372_036_854_775_808.0, 9_223_372_036_854_775_808.0, check, span);
        let whole = if check == Check::Branch || check == Check::Wrap {
            self.value(&format!("fptosi double {value} to i64"))
        } else {
            // Out of range or nan: poison would be a lie, so the cases are told apart; LLVM makes one instruction of it.
            let low = self.value(&format!("fcmp oge double {value}, 0xC3E0000000000000"));
            let high = self.value(&format!("fcmp olt double {value}, 0x43E0000000000000"));
            let fits = self.value(&format!("and i1 {low}, {high}"));
            let number = self.value(&format!("fptosi double {value} to i64"));
            let number = self.value(&format!("freeze i64 {number}"));
            self.value(&format!("select i1 {fits}, i64 {number}, i64 -9223372036854775808"))
        };
        if new == "i64" {
            return whole;
        }
        self.value(&format!("trunc i64 {whole} to {new}"))
    }

    fn saturated(&mut self, value: &str, kind: Kind, signed: bool) -> String {
        let (ty, name) = (register(kind), if signed { "fptosi" } else { "fptoui" });
        self.declare(&format!("declare {ty} @llvm.{name}.sat.{ty}.f64(double)"));
        self.value(&format!("call {ty} @llvm.{name}.sat.{ty}.f64(double {value})"))
    }

    /// `low <= value < high` (`low` itself not for -1.0), else fails.
    fn float_fits(&mut self, value: &str, low: f64, high: f64, check: Check, span: Span) {
        if check == Check::None {
            return;
        }
        let least = if low == -1.0 { "ogt" } else { "oge" };
        let above = self.value(&format!("fcmp {least} double {value}, 0x{:016X}", low.to_bits()));
        let below = self.value(&format!("fcmp olt double {value}, 0x{:016X}", high.to_bits()));
        let fits = self.value(&format!("and i1 {above}, {below}"));
        let lost = self.value(&format!("xor i1 {fits}, true"));
        let values =
            if check == Check::Flag { Vec::new() } else { self.bits(&Operand::One(value.into()), Kind::F64) };
        self.fail_if(&lost, check, Failure::NotANumber, span, &values);
    }
}
