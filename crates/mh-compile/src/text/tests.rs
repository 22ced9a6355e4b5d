use proptest::prelude::*;

use super::{BINARIES, COMPARES, DRAWS, KINDS, LAYOUTS, MATHS, REDUCTIONS, parse};
use crate::ir::*;

/// Random modules, not sensible ones: whatever the IR can hold.
struct Maker(u64);

impl Maker {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    fn many<T>(&mut self, most: usize, mut each: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| each(self)).collect()
    }

    fn maybe<T>(&mut self, some: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(2) == 0).then(|| some(self))
    }

    fn word(&mut self) -> String {
        self.pick(&["x", "out", "i", "größe", "_1", "<lambda>", "a b", "with \"quotes\"\n"]).into()
    }

    fn span(&mut self) -> Span {
        let mut number = || self.below(40) as u32;
        let (line, column, end_line, end_column) = (number(), number(), number(), number());
        let (source, lines) = (self.below(2) as u16, self.below(2) == 0);
        Span { source, line, column, end_line: if lines { end_line } else { line }, end_column }
    }

    fn scalar(&mut self) -> Type {
        let flavour = self.pick(&[Flavour::Python, Flavour::NumPy]);
        Type::Scalar(Scalar { kind: self.pick(&KINDS).0, flavour })
    }

    fn array(&mut self) -> Type {
        let (element, layout) = (self.pick(&KINDS).0, self.pick(&LAYOUTS).0);
        Type::Array(Array { element, rank: self.below(4) as u8, layout, writable: self.below(2) == 0 })
    }

    fn ty(&mut self) -> Type {
        if self.below(3) == 0 { self.array() } else { self.scalar() }
    }

    fn var(&mut self) -> Var {
        Var(self.below(9) as u32)
    }

    fn vars(&mut self) -> Vec<Var> {
        self.many(3, Self::var)
    }

    fn check(&mut self) -> Check {
        self.pick(&[Check::None, Check::Wrap, Check::Branch, Check::Flag])
    }

    fn float(&mut self) -> f64 {
        let bits = f64::from_bits(self.below(usize::MAX) as u64);
        let bits = if bits.is_nan() { 0.1 } else { bits };
        self.pick(&[0.0, -0.0, 1.0, -2.5, f64::INFINITY, f64::NEG_INFINITY, 5e-324, bits])
    }

    fn expressions(&mut self, depth: usize) -> Vec<Expr> {
        self.many(3, |maker| maker.expression(depth))
    }

    fn expression(&mut self, depth: usize) -> Expr {
        let leaf = if depth == 0 { 5 } else { 16 };
        let below = depth.saturating_sub(1);
        let mut ty = if self.below(3) == 0 { self.ty() } else { Type::INT };
        let kind = match self.below(leaf) {
            0 => ExprKind::Bool(self.below(2) == 0),
            1 => ExprKind::Int(self.pick(&[0, 1, -7, i128::from(i64::MAX), i128::MIN])),
            2 => ExprKind::Float(self.float()),
            3 => ExprKind::Complex(self.float(), self.float()),
            4 => ExprKind::Var(self.var()),
            5 => {
                let op = self.pick(&[Unary::Negative, Unary::Invert, Unary::Not, Unary::Absolute]);
                ExprKind::Unary { op, operand: self.expression(below), check: self.check() }
            }
            6 | 7 => {
                let (left, right) = (self.expression(below), self.expression(below));
                ExprKind::Binary { op: self.pick(&BINARIES).0, left, right, check: self.check() }
            }
            8 => {
                let (left, right) = (self.expression(below), self.expression(below));
                ExprKind::Compare { op: self.pick(&COMPARES).0, left, right }
            }
            9 => {
                let (condition, then) = (self.expression(below), self.expression(below));
                ExprKind::If { condition, then, orelse: self.expression(below) }
            }
            10 => {
                ty = self.scalar();
                ExprKind::Cast { value: self.expression(below), check: self.check() }
            }
            11 => ExprKind::Load { array: self.var(), indices: self.expressions(below), check: self.check() },
            12 if self.below(2) == 0 => ExprKind::Disjoint { left: self.var(), right: self.var() },
            12 => ExprKind::Dim { array: self.var(), axis: self.below(4) as u8 },
            13 => {
                let function = self.pick(&MATHS);
                ExprKind::Math { function, arguments: self.expressions(below), check: self.check() }
            }
            14 => {
                let draw = self.pick(&DRAWS);
                ExprKind::Random { draw, arguments: self.expressions(below), check: self.check() }
            }
            _ if self.below(2) == 0 => {
                ty = self.array();
                let fill = match self.below(5) {
                    0 => Fill::Empty,
                    1 => Fill::Zero,
                    2 => Fill::Product(self.var(), self.var()),
                    3 => Fill::Places(2),
                    _ => Fill::Value(self.expression(below)),
                };
                ExprKind::New { lengths: self.expressions(below), fill, check: self.check() }
            }
            _ => {
                ty = self.array();
                let parts = self.many(3, |maker| match maker.below(7) {
                    0 => Part::Index(maker.expression(below)),
                    1 => Part::Slice {
                        start: maker.maybe(|maker| maker.expression(below)),
                        stop: maker.maybe(|maker| maker.expression(below)),
                        step: maker.maybe(|maker| maker.expression(below)),
                    },
                    2 => Part::NewAxis,
                    3 => Part::Length(maker.expression(below)),
                    4 => Part::Real,
                    5 => Part::Imag,
                    _ => Part::Axis(maker.below(4) as u8),
                });
                ExprKind::View { array: self.var(), parts, check: self.check() }
            }
        };
        Expr::new(kind, ty, self.span())
    }

    fn block(&mut self, depth: usize) -> Block {
        let mut statement = |maker: &mut Self| {
            let kind = maker.statement(depth);
            Statement { kind, span: maker.span() }
        };
        self.many(3, &mut statement)
    }

    fn statement(&mut self, depth: usize) -> StatementKind {
        let below = depth.saturating_sub(1);
        match self.below(if depth == 0 { 9 } else { 14 }) {
            0 => StatementKind::Assign { var: self.var(), value: self.expression(3) },
            1 => StatementKind::Store {
                array: self.var(),
                indices: self.expressions(1),
                value: self.expression(2),
                update: self.maybe(|maker| maker.pick(&BINARIES).0),
                check: self.check(),
            },
            2 => StatementKind::Break,
            3 => StatementKind::Continue,
            4 => StatementKind::Leave(Label(self.below(9) as u32)),
            5 => StatementKind::Return(self.expressions(1)),
            6 => StatementKind::Call {
                results: self.vars(),
                function: FunctionId(self.below(3) as u32),
                arguments: self.expressions(1),
            },
            7 => StatementKind::Raise {
                exception: self.below(3) as u32,
                message: self.maybe(Self::word),
                values: self.expressions(1),
            },
            8 => {
                let items = self.many(3, |maker| match maker.below(2) {
                    0 => PrintItem::Text(maker.word()),
                    _ => PrintItem::Value(maker.expression(1), i64::from(maker.below(2) as i32)),
                });
                StatementKind::Print { items }
            }
            9 => StatementKind::If {
                condition: self.expression(1),
                then: self.block(below),
                orelse: self.block(below),
            },
            10 => StatementKind::While {
                head: self.block(below),
                condition: self.expression(1),
                body: self.block(below),
            },
            11 => StatementKind::Labelled {
                label: Label(self.below(9) as u32),
                body: self.block(below),
                call: self.maybe(Self::span),
            },
            _ => StatementKind::For(Box::new(For {
                id: LoopId(self.below(9) as u32),
                var: self.var(),
                start: self.expression(1),
                stop: self.expression(1),
                step: self.expression(1),
                body: self.block(below),
                parallel: self.maybe(|maker| Parallel {
                    unchecked: maker.below(2) == 0,
                    implicit: maker.below(2) == 0,
                    plan: maker.maybe(Self::plan),
                }),
                fast: self.maybe(|maker| {
                    Box::new(Fast {
                        guard: maker.block(below),
                        condition: maker.expression(1),
                        before: maker.block(below),
                        after: maker.block(below),
                        body: maker.block(below),
                        attempt: maker.below(2) == 0,
                        save: maker.vars(),
                    })
                }),
            })),
        }
    }

    fn plan(&mut self) -> Plan {
        Plan {
            private: self.vars(),
            last: self.vars(),
            reductions: self.many(2, |maker| Reduction {
                var: maker.var(),
                kind: maker.pick(&REDUCTIONS),
                companions: maker.vars(),
            }),
            accumulated: self
                .many(2, |maker| Accumulated { array: maker.var(), kind: maker.pick(&REDUCTIONS) }),
            overwritten: self.vars(),
            distinct: self.many(2, |maker| (maker.var(), maker.var())),
            conditions: self.expressions(1),
            fine: self.below(2) == 0,
            length: self.pick(&[Length::Unknown, Length::Short, Length::Long]),
            leaves: self.below(2) == 0,
        }
    }

    fn function(&mut self) -> Function {
        let variables = (0..9).map(|_| Variable { name: self.maybe(Self::word), ty: self.ty() }).collect();
        let count = self.below(4) as u32;
        let parameters = if self.below(3) == 0 { self.vars() } else { (0..count).map(Var).collect() };
        let (name, span, results) = (self.word(), self.span(), self.many(2, Self::ty));
        Function { name, span, parameters, results, variables, body: self.block(3) }
    }

    fn shape(&mut self, depth: usize) -> Shape {
        match self.below(if depth == 0 { 2 } else { 3 }) {
            0 => Shape::None,
            1 => Shape::Value(self.ty()),
            _ => Shape::Tuple(self.many(3, |maker| maker.shape(depth - 1))),
        }
    }

    fn module(&mut self) -> Module {
        let sources = self.many(2, |maker| {
            let text = maker.pick(&["", "def f():\n    return 1\n", "a\n\n  b", "| x\n -- y"]);
            Source { file: maker.word(), function: maker.word(), first_line: 3, text: text.into() }
        });
        let exceptions = self.many(2, |maker| match maker.below(2) {
            0 => Exception::Builtin(maker.word()),
            _ => Exception::Object(maker.below(9) as u32),
        });
        let functions = (0..=self.below(2)).map(|_| self.function()).collect();
        let hidden = self.many(2, |maker| maker.below(9) as u32);
        Module { sources, functions, exceptions, result: self.shape(2), fused: Vec::new(), hidden }
    }
}

proptest! {
    #[test]
    fn text_is_read_back(seed in any::<u64>()) {
        let module = Maker(seed).module();
        let text = format!("{module:#}");
        let back = parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert_eq!(&back, &module, "{}", text);
        // Without spans the text is a fixed point.
        let short = module.to_string();
        let back = parse(&short).map_err(|error| TestCaseError::fail(format!("{error}\n{short}")))?;
        prop_assert_eq!(back.to_string(), short);
    }

    #[test]
    fn no_text_crashes(seed in any::<u64>(), cut in any::<u16>(), with in "[%!{}()\\[\\];:@a-z0-9 .\"\\\\-]{0,3}") {
        let mut text = Maker(seed).module().to_string();
        let mut at = usize::from(cut) % (text.len() + 1);
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        text.insert_str(at, &with);
        let _ = parse(&text);
        text.truncate(at);
        let _ = parse(&text);
    }
}

#[test]
fn the_form_that_is_written_by_hand() {
    let text = r#"source "kernel.py" in f line 1
  | def f(a, n): ...
exception builtin ValueError
result float
fn f(%a: f64[1 C], %n: int) -> (float) {
  var %i: int, %s: f64
  for #0 %i in range(0, %n, 1) parallel plan(private %i; sum %s; condition (%n > 0)) {
    %s = (%s + (%a[(%i - 1)!]! * 2.0:f64))
    %a[%i]! += math.exp(%s)
  }
  if not((%n < 0)) {
    raise 0 "negative: {}" (%n)
  }
  return (float(%s))
}
"#;
    let module = parse(text).expect("the text is right");
    assert_eq!(module.to_string(), text);
}

#[test]
fn errors_say_where() {
    let error = parse("fn f() -> () {\n  %x = 1\n}\n").expect_err("x is not declared");
    assert_eq!(error, "line 2: %x is not declared, found \" = 1\"");
}
