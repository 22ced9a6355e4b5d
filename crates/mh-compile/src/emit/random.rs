//! Draws of random numbers: `crate::random` says where the numbers of an iteration come from.

use super::expression::float;
use super::function::{FunctionEmitter, Operand, scalar};
use super::register;
use crate::compile::Failure;
use crate::ir::{Check, Draw, Expr, Kind, Scalar, Span};
use crate::random::{self, Requirement};

impl FunctionEmitter<'_, '_> {
    /// The next number of the stream.
    pub fn random(
        &mut self,
        draw: Draw,
        arguments: &[Expr],
        ty: Scalar,
        check: Check,
        span: Span,
    ) -> Operand {
        self.emitter.draws.insert(draw);
        let mut list = format!("ptr {}", self.stream);
        let mut names = Vec::new();
        for argument in arguments {
            names.push(self.expression(argument).one().to_string());
        }
        for (number, name) in names.iter().enumerate() {
            self.requirement(draw, number, &names, scalar(&arguments[number]).kind, check, span);
            list.push_str(&format!(", {} {name}", register(scalar(&arguments[number]).kind)));
        }
        let apart = self.apart();
        Operand::One(self.value(&format!(
            "call {} @{}({list}){apart}",
            register(ty.kind),
            random::name(draw)
        )))
    }

    /// Raises where an argument is not what the distribution asks for; nan never is.
    fn requirement(
        &mut self,
        draw: Draw,
        number: usize,
        names: &[String],
        kind: Kind,
        check: Check,
        span: Span,
    ) {
        let requirement = random::requirements(draw).get(number).copied().unwrap_or(Requirement::Any);
        if check == Check::None || requirement == Requirement::Any {
            return;
        }
        let x = &names[number];
        let holds = |this: &mut Self, predicate: &str, bound: f64| {
            this.value(&format!("fcmp {predicate} double {x}, {}", float(bound, Kind::F64)))
        };
        let fine = match requirement {
            Requirement::Any => return,
            Requirement::NotNegative if kind == Kind::I64 => self.value(&format!("icmp sge i64 {x}, 0")),
            Requirement::NotNegative => holds(self, "oge", 0.0),
            Requirement::Positive => holds(self, "ogt", 0.0),
            Requirement::Probability | Requirement::PositiveProbability | Requirement::Mean => {
                let least = if requirement == Requirement::PositiveProbability { "ogt" } else { "oge" };
                let most = if requirement == Requirement::Mean { 9.2e18 } else { 1.0 };
                let (low, high) = (holds(self, least, 0.0), holds(self, "ole", most));
                self.value(&format!("and i1 {low}, {high}"))
            }
            Requirement::Above if kind == Kind::I64 => {
                self.value(&format!("icmp sgt i64 {x}, {}", names[number - 1]))
            }
            Requirement::Above => self.value(&format!("fcmp ogt double {x}, {}", names[number - 1])),
            Requirement::NotBelow => {
                let above = self.value(&format!("fcmp oge double {x}, {}", names[number - 1]));
                if number < 2 {
                    above
                } else {
                    let wide = self.value(&format!("fcmp ogt double {x}, {}", names[0]));
                    self.value(&format!("and i1 {above}, {wide}"))
                }
            }
        };
        let bad = self.value(&format!("xor i1 {fine}, true"));
        self.fail_if(&bad, check, Failure::Value(complaint(draw, number).into()), span, &[]);
    }

    /// The key of a `prange` whose body draws: taken once, before its first iteration.
    pub fn loop_key(&mut self) -> String {
        let apart = self.apart();
        self.value(&format!("call i64 @mh.random.loop(ptr {}){apart}", self.stream))
    }

    /// The state of one iteration, counted from 0.
    pub fn begin_stream(&mut self, state: &str, key: &str, number: &str) {
        self.line(&format!("store i64 {key}, ptr {state}"));
        for (offset, value) in [(8, number), (16, "0")] {
            let address = self.value(&format!("getelementptr inbounds i8, ptr {state}, i64 {offset}"));
            self.line(&format!("store i64 {value}, ptr {address}"));
        }
    }
}

/// NumPy's words.
fn complaint(draw: Draw, number: usize) -> &'static str {
    match (draw, number) {
        (Draw::Integers, _) => "low >= high",
        (Draw::Gamma, 0) => "shape < 0",
        (Draw::Beta, 0) | (Draw::Pareto, _) => "a <= 0",
        (Draw::Beta, _) => "b <= 0",
        (Draw::Poisson, _) => "lam < 0, lam is NaN or lam value too large",
        (Draw::Binomial, 0) => "n < 0",
        (Draw::Binomial, _) => "p < 0, p > 1 or p is NaN",
        (Draw::Geometric, _) => "p <= 0, p > 1 or p is NaN",
        (Draw::ChiSquare | Draw::StandardT, _) => "df <= 0",
        (Draw::Triangular, 1) => "left > mode",
        (Draw::Triangular, _) => "mode > right or left == right",
        (Draw::VonMises, _) => "kappa < 0",
        (Draw::Weibull, _) => "a < 0",
        _ => "scale < 0",
    }
}
