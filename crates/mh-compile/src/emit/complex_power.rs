//! Powers of complex numbers.

use super::arithmetic::Ask;
use super::expression::float;
use super::function::{FunctionEmitter, Operand};
use super::register;
use crate::compile::Failure;
use crate::ir::{Binary, Check, Flavour, Kind, Math};

impl FunctionEmitter<'_, '_> {
    /// `**` of complex numbers: multiplied out where the exponent is a small whole number, else in polar form, but for the base 0.
    pub fn complex_power(&mut self, left: &Operand, right: &Operand, ask: Ask) -> Operand {
        let Ask { ty, check, span, .. } = ask;
        let kind = ty.kind;
        let python = ty.flavour == Flavour::Python;
        let part = if kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let name = register(kind);
        let ((ar, ai), (br, bi)) = (left.pair(), right.pair());
        if let Some(exponent) = constant_whole(br, bi).filter(|exponent| exponent.unsigned_abs() < 100) {
            return self.complex_power_of(left, exponent, ask);
        }
        let zero = float(0.0, part);
        let one = float(1.0, part);
        let mut test =
            |predicate: &str, value: &str| self.value(&format!("fcmp {predicate} {name} {value}, {zero}"));
        let (ar0, ai0, br0, bi0) = (test("oeq", ar), test("oeq", ai), test("oeq", br), test("oeq", bi));
        let (negative, turned) = (test("olt", br), test("une", bi));
        let base_zero = self.value(&format!("and i1 {ar0}, {ai0}"));
        let exponent_zero = self.value(&format!("and i1 {br0}, {bi0}"));
        if python && check != Check::None {
            let bad = self.value(&format!("or i1 {negative}, {turned}"));
            let bad = self.value(&format!("and i1 {base_zero}, {bad}"));
            let text = "0.0 to a negative or complex power";
            self.fail_if(&bad, check, Failure::ZeroDivision(text.into()), span, &[]);
        }
        let size = self.call_math(Math::Hypot, part, &[ar, ai]);
        let angle = self.call_math(Math::Atan2, part, &[ai, ar]);
        let length = self.call_math(Math::Pow, part, &[&size, br]);
        let turn = self.value(&format!("fmul {name} {angle}, {br}"));
        let log = self.call_math(Math::Log, part, &[&size]);
        let damp = self.value(&format!("fmul {name} {angle}, {bi}"));
        let damp = self.value(&format!("fneg {name} {damp}"));
        let damp = self.call_math(Math::Exp, part, &[&damp]);
        let damped = self.value(&format!("fmul {name} {length}, {damp}"));
        let more = self.value(&format!("fmul {name} {bi}, {log}"));
        let more = self.value(&format!("fadd {name} {turn}, {more}"));
        let length = self.value(&format!("select i1 {turned}, {name} {damped}, {name} {length}"));
        let turn = self.value(&format!("select i1 {turned}, {name} {more}, {name} {turn}"));
        let cos = self.call_math(Math::Cos, part, &[&turn]);
        let sin = self.call_math(Math::Sin, part, &[&turn]);
        let real = self.value(&format!("fmul {name} {length}, {cos}"));
        let imag = self.value(&format!("fmul {name} {length}, {sin}"));
        let (small, whole) = self.small_whole_power(left, right, ask);
        let (whole_real, whole_imag) = whole.pair();
        let real = self.value(&format!("select i1 {small}, {name} {whole_real}, {name} {real}"));
        let imag = self.value(&format!("select i1 {small}, {name} {whole_imag}, {name} {imag}"));
        // 0 to what is not positive: Python's have raised, and multiply out what is.
        let base_zero = match python {
            true => {
                let large = self.value(&format!("xor i1 {small}, true"));
                self.value(&format!("and i1 {base_zero}, {large}"))
            }
            false => base_zero,
        };
        let positive = self.value(&format!("fcmp ogt {name} {br}, {zero}"));
        let nothing =
            self.value(&format!("select i1 {positive}, {name} {zero}, {name} {}", float(f64::NAN, part)));
        let real = self.value(&format!("select i1 {base_zero}, {name} {nothing}, {name} {real}"));
        let imag = self.value(&format!("select i1 {base_zero}, {name} {nothing}, {name} {imag}"));
        let real = self.value(&format!("select i1 {exponent_zero}, {name} {one}, {name} {real}"));
        let imag = self.value(&format!("select i1 {exponent_zero}, {name} {zero}, {name} {imag}"));
        if python && check != Check::None {
            self.refuse_overflow((&real, &imag), &[ar, ai, br, bi], ask);
        }
        Operand::Pair(real, imag)
    }

    fn refuse_overflow(&mut self, (real, imag): (&str, &str), operands: &[&str], ask: Ask) {
        let part = if ask.ty.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let first = self.infinite_of_finite(real, operands, part);
        let second = self.infinite_of_finite(imag, operands, part);
        let over = self.value(&format!("or i1 {first}, {second}"));
        self.fail_if(&over, ask.check, Failure::Range, ask.span, &[]);
    }

    /// A power whose exponent is a constant, multiplied out in the order of CPython's `c_powi` and NumPy's `npy_cpow`.
    fn complex_power_of(&mut self, base: &Operand, exponent: i64, ask: Ask) -> Operand {
        let python = ask.ty.flavour == Flavour::Python;
        let part = if ask.ty.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let one = Operand::Pair(float(1.0, part), float(0.0, part));
        if exponent == 0 {
            return one;
        }
        let plain = Ask { check: Check::None, ..ask };
        let times = |this: &mut Self, a: &Operand, b: &Operand| this.complex(Binary::Multiply, a, b, plain);
        let (mut product, mut square) = (one.clone(), base.clone());
        let mut left = exponent.unsigned_abs();
        if !python && (1..=3).contains(&exponent) {
            product = match exponent {
                1 => base.clone(),
                2 => times(self, base, base),
                _ => {
                    let square = times(self, base, base);
                    times(self, base, &square)
                }
            };
            left = 0;
        }
        while left > 0 {
            if left & 1 == 1 {
                product = times(self, &product, &square);
            }
            left >>= 1;
            if left > 0 {
                square = times(self, &square, &square);
            }
        }
        let (ar, ai) = base.pair();
        let result = if exponent < 0 {
            let name = register(ask.ty.kind);
            let zero = float(0.0, part);
            let (re, im) = (
                self.value(&format!("fcmp oeq {name} {ar}, {zero}")),
                self.value(&format!("fcmp oeq {name} {ai}, {zero}")),
            );
            let base_zero = self.value(&format!("and i1 {re}, {im}"));
            if python && ask.check != Check::None {
                let text = "0.0 to a negative or complex power";
                self.fail_if(&base_zero, ask.check, Failure::ZeroDivision(text.into()), ask.span, &[]);
            }
            let inverse = self.complex(Binary::Divide, &one, &product, plain);
            let (re, im) = inverse.pair();
            let nan = float(f64::NAN, part);
            let re = self.value(&format!("select i1 {base_zero}, {name} {nan}, {name} {re}"));
            let im = self.value(&format!("select i1 {base_zero}, {name} {nan}, {name} {im}"));
            Operand::Pair(re, im)
        } else {
            product
        };
        if python && ask.check != Check::None {
            self.refuse_overflow(result.pair(), &[ar, ai], ask);
        }
        result
    }

    /// Whether the exponent is a small whole number, and then the power multiplied out; without a branch, for lanes.
    fn small_whole_power(&mut self, base: &Operand, exponent: &Operand, ask: Ask) -> (String, Operand) {
        let python = ask.ty.flavour == Flavour::Python;
        let part = if ask.ty.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let name = register(ask.ty.kind);
        let (br, bi) = exponent.pair();
        let (zero, half) = (float(0.0, part), float(0.5, part));
        let size = self.intrinsic("fabs", part, &[br]);
        let whole = self.intrinsic("floor", part, &[br]);
        let small = if python { "ole" } else { "olt" };
        let few = self.value(&format!("fcmp {small} {name} {size}, {}", float(100.0, part)));
        let whole = self.value(&format!("fcmp oeq {name} {whole}, {br}"));
        let real = self.value(&format!("fcmp oeq {name} {bi}, {zero}"));
        let small = self.value(&format!("and i1 {few}, {whole}"));
        let small = self.value(&format!("and i1 {small}, {real}"));
        let plain = Ask { check: Check::None, ..ask };
        let pick = |this: &mut Self, condition: &str, one: &Operand, other: &Operand| {
            let ((a, b), (c, d)) = (one.pair(), other.pair());
            let re = this.value(&format!("select i1 {condition}, {name} {a}, {name} {c}"));
            Operand::Pair(re, this.value(&format!("select i1 {condition}, {name} {b}, {name} {d}")))
        };
        let one = Operand::Pair(float(1.0, part), zero.clone());
        let (mut product, mut power, mut left) = (one.clone(), base.clone(), size.clone());
        for bit in 0..7 {
            let halved = self.value(&format!("fmul {name} {left}, {half}"));
            left = self.intrinsic("floor", part, &[&halved]);
            let odd = self.value(&format!("fcmp une {name} {left}, {halved}"));
            let more = self.complex(Binary::Multiply, &product, &power, plain);
            product = pick(self, &odd, &more, &product);
            if bit < 6 {
                power = self.complex(Binary::Multiply, &power, &power, plain);
            }
        }
        if !python {
            // NumPy multiplies these with no 1.
            for exponent in 1..=3 {
                let value = self.complex_power_of(base, exponent, plain);
                let this = self.value(&format!("fcmp oeq {name} {br}, {}", float(exponent as f64, part)));
                product = pick(self, &this, &value, &product);
            }
        }
        let inverse = self.complex(Binary::Divide, &one, &product, plain);
        let negative = self.value(&format!("fcmp olt {name} {br}, {zero}"));
        (small, pick(self, &negative, &inverse, &product))
    }
}

/// A constant exponent that is a whole number.
fn constant_whole(real: &str, imag: &str) -> Option<i64> {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(bits) => u64::from_str_radix(bits, 16).ok().map(f64::from_bits),
        None => text.parse().ok(),
    };
    let (real, imag): (f64, f64) = (number(real)?, number(imag)?);
    (imag == 0.0 && real.fract() == 0.0 && real.abs() < 1e6).then_some(real as i64)
}
