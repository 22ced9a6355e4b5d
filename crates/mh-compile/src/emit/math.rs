//! Calls of mathematical functions, and where Python's raise.
//!
//! Python's flavour raises as CPython's `math` and `cmath` do: ValueError "math domain error" for arguments outside of the domain (and at poles),
//! OverflowError "math range error" for an infinite result of finite arguments. NumPy's gives nan and infinity.

use super::expression::float;
use super::function::{FunctionEmitter, Operand, scalar};
use super::register;
use crate::compile::Failure;
use crate::ir::{Check, Expr, Flavour, Kind, Math, Scalar, Span};
use crate::math;

impl FunctionEmitter<'_, '_> {
    pub fn math(
        &mut self,
        function: Math,
        arguments: &[Expr],
        ty: Scalar,
        check: Check,
        span: Span,
    ) -> Operand {
        let operands: Vec<Operand> = arguments.iter().map(|argument| self.expression(argument)).collect();
        let from = arguments.first().map_or(ty, scalar);
        let kind = from.kind;
        match function {
            Math::Complex => {
                return Operand::Pair(operands[0].one().into(), operands[1].one().into());
            }
            Math::Real => return Operand::One(operands[0].one().into()),
            Math::Imag => {
                return Operand::One(if kind.is_complex() {
                    operands[0].pair().1.into()
                } else {
                    float(0.0, kind)
                });
            }
            Math::Conjugate if kind.is_complex() => {
                let (real, imag) = operands[0].pair();
                let imag = self.value(&format!("fneg {} {imag}", register(kind)));
                return Operand::Pair(real.into(), imag);
            }
            Math::Conjugate => return operands[0].clone(),
            _ => {}
        }
        let python = from.flavour == Flavour::Python && check != Check::None;
        if kind.is_complex() {
            return self.complex_math(
                function,
                &operands,
                from,
                if python { check } else { Check::None },
                span,
            );
        }
        let names: Vec<&str> = operands.iter().map(Operand::one).collect();
        if matches!(function, Math::SinNear | Math::CosNear | Math::TanNear) {
            let size = self.intrinsic("fabs", kind, &names);
            let bound = float(math::trigonometric::NEAR, kind);
            let far = self.value(&format!("fcmp oge {} {size}, {bound}", register(kind)));
            self.fail_if(&far, Check::Flag, Failure::Domain, span, &[]);
            return Operand::One(self.call_math(function, kind, &names));
        }
        let check = if python { check } else { Check::None };
        if check != Check::None {
            self.domain(function, &names, kind, check, span);
        }
        let result = self.call_math(function, kind, &names);
        if check != Check::None && kind.is_float() {
            self.past_range(function, &result, &names, kind, check, span);
        }
        // The kind of the result is said by the function; a `Cast` is written where another is wanted.
        Operand::One(result)
    }

    /// Calls `@mh.NAME.KIND`, defined later.
    pub fn call_math(&mut self, function: Math, kind: Kind, arguments: &[&str]) -> String {
        match function {
            Math::Sqrt => return self.intrinsic("sqrt", kind, arguments),
            Math::CopySign => return self.intrinsic("copysign", kind, arguments),
            Math::Fma => return self.intrinsic("fma", kind, arguments),
            _ => {}
        }
        self.uses(function, kind);
        let ty = register(kind);
        let result = match function {
            Math::IsNan | Math::IsInf | Math::IsFinite | Math::SignBit => "i1",
            _ => ty,
        };
        let mut list = Vec::new();
        for (number, argument) in arguments.iter().enumerate() {
            let ty = if function == Math::Ldexp && number == 1 { "i64" } else { ty };
            list.push(format!("{ty} {argument}"));
        }
        let cheap = matches!(
            function,
            Math::Floor
                | Math::Ceil
                | Math::Trunc
                | Math::RoundEven
                | Math::IsNan
                | Math::IsInf
                | Math::IsFinite
                | Math::SignBit
                | Math::Sign
        );
        let apart = if cheap { "" } else { self.apart() };
        self.value(&format!("call {result} @{}({}){apart}", math::name(function, kind), list.join(", ")))
    }

    fn uses(&mut self, function: Math, kind: Kind) {
        match &self.lanes {
            Some(lanes) => {
                self.emitter.wide_math.insert((lanes.count, function, kind));
            }
            None => {
                self.emitter.math.insert((function, kind));
            }
        }
    }

    /// Raises where an argument lies outside of the domain. No comparison holds for nan.
    fn domain(&mut self, function: Math, x: &[&str], kind: Kind, check: Check, span: Span) {
        let name = register(kind);
        let compare = |this: &mut Self, predicate: &str, value: &str, bound: f64| {
            this.value(&format!("fcmp {predicate} {name} {value}, {}", float(bound, kind)))
        };
        let size = |this: &mut Self, value: &str| this.intrinsic("fabs", kind, &[value]);
        let outside = match function {
            Math::Sqrt => compare(self, "olt", x[0], 0.0),
            Math::Log | Math::Log2 | Math::Log10 => compare(self, "ole", x[0], 0.0),
            Math::Log1p => compare(self, "ole", x[0], -1.0),
            Math::Acosh => compare(self, "olt", x[0], 1.0),
            Math::Asin | Math::Acos | Math::Atanh => {
                let size = size(self, x[0]);
                compare(self, if function == Math::Atanh { "oge" } else { "ogt" }, &size, 1.0)
            }
            Math::Sin | Math::Cos | Math::Tan => {
                let size = size(self, x[0]);
                compare(self, "oeq", &size, f64::INFINITY)
            }
            Math::Gamma | Math::LogGamma => {
                // Poles at 0 and the negative whole numbers; gamma of -inf.
                let floor = self.call_math(Math::Floor, kind, &x[..1]);
                let whole = self.value(&format!("fcmp oeq {name} {floor}, {}", x[0]));
                let below = compare(self, "ole", x[0], 0.0);
                let mut pole = self.value(&format!("and i1 {whole}, {below}"));
                if function == Math::LogGamma {
                    let finite = compare(self, "ogt", x[0], f64::NEG_INFINITY);
                    pole = self.value(&format!("and i1 {pole}, {finite}"));
                }
                pole
            }
            _ => return,
        };
        let values = self.figures(check, x[0], kind);
        self.fail_if(&outside, check, Failure::Domain, span, &values);
    }

    /// Raises for results that are infinite or nan where no argument was.
    fn past_range(&mut self, function: Math, result: &str, x: &[&str], kind: Kind, check: Check, span: Span) {
        match function {
            Math::Exp
            | Math::Exp2
            | Math::Expm1
            | Math::Sinh
            | Math::Cosh
            | Math::Gamma
            | Math::LogGamma
            | Math::Hypot => {
                let over = self.infinite_of_finite(result, x, kind);
                self.fail_if(&over, check, Failure::Range, span, &[]);
            }
            Math::Ldexp => {
                let over = self.infinite_of_finite(result, &x[..1], kind);
                self.fail_if(&over, check, Failure::Range, span, &[]);
            }
            Math::Fmod | Math::Remainder | Math::Fma => {
                let nan = self.nan_of_numbers(result, x, kind);
                let values = self.figures(check, x[0], kind);
                self.fail_if(&nan, check, Failure::Domain, span, &values);
                if function == Math::Fma {
                    let over = self.infinite_of_finite(result, x, kind);
                    self.fail_if(&over, check, Failure::Range, span, &[]);
                }
            }
            Math::Pow => {
                let nan = self.nan_of_numbers(result, x, kind);
                let infinite = self.infinite_of_finite(result, x, kind);
                let zero = self.value(&format!("fcmp oeq {} {}, 0.0", register(kind), x[0]));
                let pole = self.value(&format!("and i1 {infinite}, {zero}"));
                let outside = self.value(&format!("or i1 {nan}, {pole}"));
                let values = self.figures(check, x[0], kind);
                self.fail_if(&outside, check, Failure::Domain, span, &values);
                self.fail_if(&infinite, check, Failure::Range, span, &[]);
            }
            _ => {}
        }
    }

    fn complex_math(
        &mut self,
        function: Math,
        operands: &[Operand],
        from: Scalar,
        check: Check,
        span: Span,
    ) -> Operand {
        let kind = from.kind;
        let part = if kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let name = register(kind);
        let (real, imag) = operands[0].pair();
        let infinity = float(f64::INFINITY, part);
        match function {
            Math::Phase => return Operand::One(self.call_math(Math::Atan2, part, &[imag, real])),
            Math::IsNan => return Operand::One(self.value(&format!("fcmp uno {name} {real}, {imag}"))),
            Math::IsInf | Math::IsFinite => {
                let one = self.intrinsic("fabs", part, &[real]);
                let other = self.intrinsic("fabs", part, &[imag]);
                let (predicate, join) = if function == Math::IsInf { ("oeq", "or") } else { ("olt", "and") };
                let one = self.value(&format!("fcmp {predicate} {name} {one}, {infinity}"));
                let other = self.value(&format!("fcmp {predicate} {name} {other}, {infinity}"));
                return Operand::One(self.value(&format!("{join} i1 {one}, {other}")));
            }
            _ => {}
        }
        if check != Check::None {
            self.complex_domain(function, real, imag, part, check, span);
        }
        self.uses(function, kind);
        let list: Vec<String> = operands
            .iter()
            .map(|operand| {
                let (real, imag) = operand.pair();
                format!("{name} {real}, {name} {imag}")
            })
            .collect();
        let pair = format!("{{ {name}, {name} }}");
        let (name, apart) = (math::name(function, kind), self.apart());
        let both = self.value(&format!("call {pair} @{name}({}){apart}", list.join(", ")));
        let result_real = self.value(&format!("extractvalue {pair} {both}, 0"));
        let result_imag = self.value(&format!("extractvalue {pair} {both}, 1"));
        let grows =
            matches!(function, Math::Exp | Math::Sinh | Math::Cosh | Math::Sin | Math::Cos | Math::Pow);
        if check != Check::None && grows {
            let mut operand_parts: Vec<&str> = Vec::new();
            for operand in operands {
                let (real, imag) = operand.pair();
                operand_parts.extend([real, imag]);
            }
            let one = self.infinite_of_finite(&result_real, &operand_parts, part);
            let other = self.infinite_of_finite(&result_imag, &operand_parts, part);
            let over = self.value(&format!("or i1 {one}, {other}"));
            self.fail_if(&over, check, Failure::Range, span, &[]);
        }
        Operand::Pair(result_real, result_imag)
    }

    /// Where `cmath` raises "math domain error".
    fn complex_domain(
        &mut self,
        function: Math,
        real: &str,
        imag: &str,
        part: Kind,
        check: Check,
        span: Span,
    ) {
        let name = register(part);
        let is = |this: &mut Self, predicate: &str, value: &str, bound: f64| {
            this.value(&format!("fcmp {predicate} {name} {value}, {}", float(bound, part)))
        };
        let both = |this: &mut Self, one: &str, other: &str| this.value(&format!("and i1 {one}, {other}"));
        let outside = match function {
            Math::Log | Math::Log10 => {
                let (real, imag) = (is(self, "oeq", real, 0.0), is(self, "oeq", imag, 0.0));
                both(self, &real, &imag)
            }
            Math::Atanh | Math::Atan => {
                let (one, zero) = if function == Math::Atanh { (real, imag) } else { (imag, real) };
                let size = self.intrinsic("fabs", part, &[one]);
                let (one, zero) = (is(self, "oeq", &size, 1.0), is(self, "oeq", zero, 0.0));
                both(self, &one, &zero)
            }
            Math::Exp | Math::Sinh | Math::Cosh | Math::Sin | Math::Cos | Math::Tan | Math::Tanh => {
                // An infinite angle, unless the other part is nan, or makes the result 0 (exp of -inf) or 1.
                let turned = matches!(function, Math::Sin | Math::Cos | Math::Tan);
                let (size, angle) = if turned { (imag, real) } else { (real, imag) };
                let angle = self.intrinsic("fabs", part, &[angle]);
                let infinite = is(self, "oeq", &angle, f64::INFINITY);
                let matters = match function {
                    Math::Exp => is(self, "ogt", size, f64::NEG_INFINITY),
                    Math::Tan | Math::Tanh => {
                        let size = self.intrinsic("fabs", part, &[size]);
                        is(self, "olt", &size, f64::INFINITY)
                    }
                    _ => self.value(&format!("fcmp ord {name} {size}, {size}")),
                };
                both(self, &infinite, &matters)
            }
            _ => return,
        };
        let values = self.figures(check, real, part);
        self.fail_if(&outside, check, Failure::Domain, span, &values);
    }

    /// `abs` of a complex number.
    pub fn complex_absolute(
        &mut self,
        real: &str,
        imag: &str,
        ty: Scalar,
        check: Check,
        span: Span,
    ) -> Operand {
        let part = if ty.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let result = self.call_math(Math::Hypot, part, &[real, imag]);
        if ty.flavour == Flavour::Python && check != Check::None {
            let over = self.infinite_of_finite(&result, &[real, imag], part);
            self.fail_if(&over, check, Failure::Range, span, &[]);
        }
        Operand::One(result)
    }
}
