//! Any tree at all: it is lowered to an IR that keeps its rules, or refused; never worse.

use std::collections::HashMap;

use mh_compile::ast::*;
use mh_compile::compile::Argument;
use mh_compile::ir::{Source, Span};
use mh_compile::lower::lower;
use mh_compile::world::{Code, Found, World};
use proptest::prelude::*;

use crate::programs::argument;
use crate::verify::verify;

/// Functions `f`, `g` and `h` that may call each other; else what Python knows by name.
struct Three(HashMap<String, u32>, Vec<Function>);

impl World for Three {
    fn name(&mut self, _scope: u32, name: &str) -> Found {
        if let Some(number) = self.0.get(name) {
            return Found::Function(*number);
        }
        match name {
            "N" => Found::Int(3),
            "np" => Found::Module(0),
            "prange" => Found::Known("manyhands.prange".into()),
            "range" | "len" | "enumerate" | "zip" | "reversed" | "max" | "abs" | "int" | "float"
            | "ValueError" => Found::Known(format!("builtins.{name}")),
            _ => Found::Missing,
        }
    }

    fn attribute(&mut self, _object: u32, name: &str) -> Found {
        Found::Known(format!("numpy.{name}"))
    }

    fn function(&mut self, object: u32) -> Result<Code, String> {
        let tree = self.1.get(object as usize).cloned().ok_or("none")?;
        let source =
            Source { file: "any.py".into(), function: tree.name.clone(), first_line: 1, text: String::new() };
        Ok(Code { scope: object, source, tree, defaults: Vec::new() })
    }
}

/// Trees from bytes: each choice takes one.
struct Maker<'a> {
    bytes: &'a [u8],
    line: u32,
}

const NAMES: [&str; 6] = ["a", "b", "x", "y", "i", "t"];

impl Maker<'_> {
    fn pick(&mut self, choices: usize) -> usize {
        match self.bytes.split_first() {
            Some((first, rest)) => {
                self.bytes = rest;
                usize::from(*first) % choices
            }
            None => 0,
        }
    }

    fn span(&mut self) -> Span {
        self.line += 1;
        Span { source: 0, line: self.line, column: 0, end_line: self.line, end_column: 1 }
    }

    fn of<T: Clone>(&mut self, choices: &[T]) -> T {
        let number = self.pick(choices.len());
        choices[number].clone()
    }

    fn name(&mut self) -> String {
        self.of(&NAMES).to_owned()
    }

    fn expr(&mut self, depth: usize) -> Expr {
        let span = self.span();
        let less = depth.saturating_sub(1);
        let kind = match if depth == 0 { self.pick(5) } else { self.pick(24) } {
            0 => ExprKind::Constant(Constant::Int(Ok(self.pick(5) as i64))),
            1 | 5 | 6 => ExprKind::Name(self.name()),
            2 => ExprKind::Constant(Constant::Float(0.5)),
            3 => ExprKind::Constant(match self.pick(5) {
                0 => Constant::None,
                1 => Constant::Bool(true),
                2 => Constant::Str("{}".into()),
                3 => Constant::Complex(0.0, 1.0),
                _ => Constant::Int(Err("99999999999999999999".into())),
            }),
            4 => ExprKind::Name(self.of(&["N", "f", "g", "h", "np", "unknown"]).to_owned()),
            7..=9 => {
                let op = self.of(&[
                    "Add", "Sub", "Mult", "Div", "FloorDiv", "Mod", "Pow", "LShift", "BitAnd", "MatMult",
                ]);
                ExprKind::BinOp(self.expr(less), op.into(), self.expr(less))
            }
            10 => ExprKind::UnaryOp(self.of(&["Not", "USub", "UAdd", "Invert"]).into(), self.expr(less)),
            11 => {
                let values = (0..2 + self.pick(2)).map(|_| self.expr(less)).collect();
                ExprKind::BoolOp(self.of(&["And", "Or"]).into(), values)
            }
            12 | 13 => {
                let count = 1 + self.pick(2);
                let ops = ["Lt", "Eq", "GtE", "Is", "IsNot", "In", "NotIn"];
                let ops = (0..count).map(|_| self.of(&ops).to_owned()).collect();
                ExprKind::Compare(self.expr(less), ops, (0..count).map(|_| self.expr(less)).collect())
            }
            14 => ExprKind::IfExp(self.expr(less), self.expr(less), self.expr(less)),
            15 | 16 => ExprKind::Subscript(self.expr(less), self.expr(less)),
            17 => ExprKind::Tuple((0..self.pick(4)).map(|_| self.expr(less)).collect()),
            18 | 19 => {
                let names = ["f", "g", "h", "max", "abs", "len", "int", "float", "t", "range"];
                let callee = ExprKind::Name(self.of(&names).to_owned());
                let callee = Expr { kind: Box::new(callee), span };
                let arguments = (0..self.pick(3)).map(|_| self.expr(less)).collect();
                let keywords = (0..self.pick(8) / 7).map(|_| (Some(self.name()), self.expr(less))).collect();
                ExprKind::Call(callee, arguments, keywords)
            }
            20 => {
                let target = Expr { kind: Box::new(ExprKind::Name(self.name())), span };
                ExprKind::NamedExpr(target, self.expr(less))
            }
            21 => ExprKind::Lambda(Box::new(self.function("<lambda>", 1, depth.min(2)))),
            22 => match self.pick(4) {
                0 => ExprKind::Starred(self.expr(less)),
                1 => ExprKind::Attribute(self.expr(less), self.of(&["shape", "T", "size", "zeros"]).into()),
                2 => ExprKind::Other("ListComp".into()),
                _ => ExprKind::JoinedStr(vec![self.expr(less)]),
            },
            _ => ExprKind::Slice(Some(self.expr(less)), None, None),
        };
        Expr { kind: Box::new(kind), span }
    }

    fn target(&mut self, depth: usize) -> Expr {
        let span = self.span();
        let kind = match self.pick(8) {
            0 if depth > 0 => {
                ExprKind::Tuple((0..1 + self.pick(2)).map(|_| self.target(depth - 1)).collect())
            }
            1 => ExprKind::Subscript(self.expr(1), self.expr(1)),
            _ => ExprKind::Name(self.name()),
        };
        Expr { kind: Box::new(kind), span }
    }

    fn iterable(&mut self, depth: usize) -> Expr {
        let span = self.span();
        let name = self.of(&["range", "range", "range", "prange", "enumerate", "zip", "reversed"]);
        if self.pick(5) == 0 {
            return self.expr(depth);
        }
        let callee = Expr { kind: Box::new(ExprKind::Name(name.into())), span };
        let inner = matches!(name, "enumerate" | "zip" | "reversed") && depth > 0;
        let argument = if inner { self.iterable(depth - 1) } else { self.expr(depth) };
        Expr { kind: Box::new(ExprKind::Call(callee, vec![argument], Vec::new())), span }
    }

    fn block(&mut self, depth: usize) -> Vec<Statement> {
        (0..1 + self.pick(4)).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: usize) -> Statement {
        let span = self.span();
        let less = depth.saturating_sub(1);
        let kind = match if depth == 0 { self.pick(8) } else { self.pick(16) } {
            0..=2 => StatementKind::Assign(vec![self.target(1)], self.expr(2)),
            3 => StatementKind::AugAssign(
                self.target(0),
                self.of(&["Add", "Mult", "Pow", "Div"]).into(),
                self.expr(2),
            ),
            4 => StatementKind::Return((self.pick(4) > 0).then(|| self.expr(2))),
            5 => match self.pick(6) {
                0 => StatementKind::Break,
                1 => StatementKind::Continue,
                2 => StatementKind::Raise(Some(self.expr(2)), None),
                3 => StatementKind::Assert(self.expr(2), Some(self.expr(1))),
                4 => StatementKind::Other("Try".into()),
                _ => StatementKind::Pass,
            },
            6 | 7 => StatementKind::Expr(self.expr(3)),
            8..=10 => StatementKind::For(self.target(1), self.iterable(1), self.block(less), {
                if self.pick(4) == 0 { self.block(less) } else { Vec::new() }
            }),
            11 => StatementKind::While(self.expr(2), self.block(less), Vec::new()),
            12 | 13 => StatementKind::If(self.expr(2), self.block(less), {
                if self.pick(2) == 0 { self.block(less) } else { Vec::new() }
            }),
            14 => {
                let name = self.name();
                StatementKind::FunctionDef(Box::new(self.function(&name, 2, less)))
            }
            _ => StatementKind::Assign(vec![self.target(0), self.target(1)], self.expr(3)),
        };
        Statement { kind, span }
    }

    fn function(&mut self, name: &str, parameters: usize, depth: usize) -> Function {
        let span = self.span();
        let parameters = NAMES[..parameters]
            .iter()
            .map(|name| Parameter {
                name: (*name).into(),
                kind: ParameterKind::Normal,
                default: None,
                span: self.span(),
            })
            .collect();
        Function { name: name.into(), span, parameters, body: self.block(depth) }
    }
}

const TYPES: [&str; 9] =
    ["int", "float", "bool", "i8", "f32", "f64[1 C]", "i64[2 any]", "(int, f64[1 C])", "None"];

fn program(bytes: &[u8]) -> (Three, Vec<Argument>) {
    let mut maker = Maker { bytes, line: 0 };
    let arguments: Vec<Argument> = (0..2).filter_map(|_| argument(maker.of(&TYPES)).ok()).collect();
    let functions: Vec<Function> = ["f", "g", "h"].iter().map(|name| maker.function(name, 2, 3)).collect();
    let names = ["f", "g", "h"].iter().zip(0..).map(|(name, number)| ((*name).to_owned(), number)).collect();
    (Three(names, functions), arguments)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_tree(bytes in proptest::collection::vec(any::<u8>(), 50..600)) {
        let (mut world, arguments) = program(&bytes);
        if let Ok(module) = lower(&mut world, 0, &arguments) {
            let wrong = verify(&module);
            prop_assert!(wrong.is_empty(), "{wrong:?}\n{module}");
        }
    }
}

/// A tree as deep as any decoder lets through, and far deeper, on a thread with Python's usual stack.
#[test]
fn deep_trees() {
    let span = Span::default();
    for depth in [50, 90, 200, 2000] {
        let leaf = || Expr { kind: Box::new(ExprKind::Name("a".into())), span };
        let mut sum = leaf();
        let mut call = leaf();
        let mut block = vec![Statement { kind: StatementKind::Return(Some(leaf())), span }];
        for _ in 0..depth {
            sum = Expr { kind: Box::new(ExprKind::BinOp(sum, "Add".into(), leaf())), span };
            let callee = Expr { kind: Box::new(ExprKind::Name("g".into())), span };
            call = Expr { kind: Box::new(ExprKind::Call(callee, vec![call], Vec::new())), span };
            block = vec![Statement { kind: StatementKind::If(leaf(), block, Vec::new()), span }];
        }
        for body in [
            vec![Statement { kind: StatementKind::Return(Some(sum)), span }],
            vec![Statement { kind: StatementKind::Return(Some(call)), span }],
            block
                .into_iter()
                .chain([Statement { kind: StatementKind::Return(Some(leaf())), span }])
                .collect(),
        ] {
            let parameter = Parameter { name: "a".into(), kind: ParameterKind::Normal, default: None, span };
            let g = Statement { kind: StatementKind::Return(Some(leaf())), span };
            let functions = vec![
                Function { name: "f".into(), span, parameters: vec![parameter.clone()], body },
                Function { name: "g".into(), span, parameters: vec![parameter], body: vec![g] },
            ];
            let names = [("f".to_owned(), 0), ("g".to_owned(), 1)].into_iter().collect();
            let run = move || {
                let mut world = Three(names, functions);
                let outcome = lower(&mut world, 0, &[argument("int").expect("a type")]);
                assert_eq!(outcome.is_ok(), depth < 100, "{depth}");
            };
            std::thread::Builder::new()
                .stack_size(8 << 20)
                .spawn(run)
                .expect("a thread")
                .join()
                .expect("no panic");
        }
    }
}
