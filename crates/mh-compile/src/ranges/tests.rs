//! What was proved must be true: random nests of loops are run by a small interpreter, which stops where an operation that has no check
//! would have needed one.

use std::collections::HashMap;

use super::relax;
use crate::ir::{
    Array, Binary, Block, Check, Compare, Expr, ExprKind, For, Function, Kind, Layout, LoopId, Module,
    Scalar, Shape, Span, Statement, StatementKind, Type, Unary, Var, Variable,
};

const SPAN: Span = Span { source: 0, line: 1, column: 0, end_line: 1, end_column: 1 };

/// xorshift64*
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll(from.len() as u64) as usize]
    }
}

struct Writer {
    dice: Dice,
    loops: u32,
}

/// Variables: 0 and 1 are arrays; 2 to 4 parameters; 5 to 8 locals; 9 to 11 loop variables.
const PARAMETERS: [Var; 3] = [Var(2), Var(3), Var(4)];
const LOCALS: [Var; 4] = [Var(5), Var(6), Var(7), Var(8)];

impl Writer {
    fn int(value: i128) -> Expr {
        Expr::new(ExprKind::Int(value), Type::INT, SPAN)
    }

    fn expr(&mut self, depth: u32) -> Expr {
        let kind = match self.dice.roll(if depth == 0 { 4 } else { 12 }) {
            0 => ExprKind::Int(self.dice.pick(&[
                -2,
                -1,
                0,
                1,
                2,
                3,
                7,
                1 << 20,
                (1 << 62) - 1,
                i128::from(i64::MIN),
            ])),
            1 => ExprKind::Var(self.dice.pick(&PARAMETERS)),
            2 => ExprKind::Var(self.dice.pick(&LOCALS)),
            3 if self.loops > 0 => ExprKind::Var(Var(9 + self.dice.roll(u64::from(self.loops)) as u32)),
            3 => ExprKind::Dim { array: Var(0), axis: 0 },
            4 => {
                let op = self.dice.pick(&[Unary::Negative, Unary::Absolute]);
                ExprKind::Unary { op, operand: self.expr(depth - 1), check: Check::Branch }
            }
            5 => {
                let condition = self.condition(depth - 1);
                ExprKind::If { condition, then: self.expr(depth - 1), orelse: self.expr(depth - 1) }
            }
            6 => ExprKind::Load { array: Var(0), indices: vec![self.expr(depth - 1)], check: Check::Branch },
            _ => {
                let op = self.dice.pick(&[
                    Binary::Add,
                    Binary::Add,
                    Binary::Subtract,
                    Binary::Subtract,
                    Binary::Multiply,
                    Binary::FloorDivide,
                    Binary::Modulo,
                    Binary::LeftShift,
                    Binary::RightShift,
                    Binary::And,
                    Binary::Min,
                    Binary::Max,
                ]);
                ExprKind::Binary {
                    op,
                    left: self.expr(depth - 1),
                    right: self.expr(depth - 1),
                    check: Check::Branch,
                }
            }
        };
        Expr::new(kind, Type::INT, SPAN)
    }

    fn condition(&mut self, depth: u32) -> Expr {
        let op = self.dice.pick(&[
            Compare::Less,
            Compare::LessEqual,
            Compare::Greater,
            Compare::GreaterEqual,
            Compare::Equal,
            Compare::NotEqual,
        ]);
        let compare = ExprKind::Compare { op, left: self.expr(depth), right: self.expr(depth) };
        let first = Expr::new(compare, Type::BOOL, SPAN);
        match self.dice.roll(6) {
            0 => {
                let no = Expr::new(ExprKind::Bool(false), Type::BOOL, SPAN);
                let both = ExprKind::If { condition: first, then: self.condition(depth.min(1)), orelse: no };
                Expr::new(both, Type::BOOL, SPAN)
            }
            1 => Expr::new(
                ExprKind::Unary { op: Unary::Not, operand: first, check: Check::None },
                Type::BOOL,
                SPAN,
            ),
            _ => first,
        }
    }

    fn block(&mut self, depth: u32) -> Block {
        (0..=self.dice.roll(3)).map(|_| self.statement(depth)).collect()
    }

    fn statement(&mut self, depth: u32) -> Statement {
        let kind = match self.dice.roll(if depth == 0 { 5 } else { 9 }) {
            0 | 1 => StatementKind::Assign { var: self.dice.pick(&LOCALS), value: self.expr(2) },
            2 => {
                let var = self.dice.pick(&LOCALS);
                let left = Expr::new(ExprKind::Var(var), Type::INT, SPAN);
                let op = self.dice.pick(&[Binary::Add, Binary::Subtract]);
                let value = ExprKind::Binary { op, left, right: self.expr(1), check: Check::Branch };
                StatementKind::Assign { var, value: Expr::new(value, Type::INT, SPAN) }
            }
            3 | 4 => StatementKind::Store {
                array: Var(1),
                indices: vec![self.expr(1), self.expr(1)],
                value: Self::int(0),
                update: None,
                check: Check::Branch,
            },
            5 => StatementKind::If {
                condition: self.condition(1),
                then: self.block(depth - 1),
                orelse: self.block(0),
            },
            6 if self.loops > 0 && self.dice.roll(4) == 0 => self
                .dice
                .pick(&[0, 1])
                .eq(&0)
                .then_some(())
                .map_or(StatementKind::Continue, |()| StatementKind::Break),
            _ if self.loops < 3 => self.loop_(depth),
            _ => StatementKind::Assign { var: self.dice.pick(&LOCALS), value: self.expr(1) },
        };
        Statement { kind, span: SPAN }
    }

    fn loop_(&mut self, depth: u32) -> StatementKind {
        let (start, stop) = (self.expr(1), self.expr(1));
        let step = Self::int(self.dice.pick(&[1, 1, 1, 1, 2, -1, -3]));
        let var = Var(9 + self.loops);
        self.loops += 1;
        let body = self.block(depth.saturating_sub(1));
        self.loops -= 1;
        let id = LoopId(self.loops);
        StatementKind::For(Box::new(For { id, var, start, stop, step, body, parallel: None, fast: None }))
    }
}

fn program(seed: u64) -> Module {
    let mut writer = Writer { dice: Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1), loops: 0 };
    let body = (0..3).map(|_| Statement { kind: writer.loop_(2), span: SPAN }).collect();
    let array = |rank| {
        let ty = Array { element: Kind::I32, rank, layout: Layout::C, writable: true };
        Variable { name: None, ty: Type::Array(ty) }
    };
    let int = || Variable { name: None, ty: Type::Scalar(Scalar::INT) };
    let mut variables = vec![array(1), array(2)];
    variables.extend((2..12).map(|_| int()));
    let function = Function {
        name: "f".into(),
        span: SPAN,
        parameters: (0..5).map(Var).collect(),
        results: Vec::new(),
        variables,
        body,
    };
    Module {
        fused: Vec::new(),
        sources: Vec::new(),
        functions: vec![function],
        exceptions: Vec::new(),
        result: Shape::None,
        hidden: Vec::new(),
    }
}

/// Why a run ends early.
#[derive(Debug, PartialEq)]
enum Stop {
    Break,
    Continue,
    /// An operation with a check failed: the program raises.
    Raised,
    /// One without.
    Unsound(String),
    /// Long enough.
    Enough,
}

struct Machine {
    values: HashMap<Var, i128>,
    /// By array and axis.
    lengths: HashMap<(Var, u8), i128>,
    fuel: u32,
    /// Fast bodies that were entered.
    fast: u32,
}

type Run<T> = Result<T, Stop>;

fn fail<T>(check: Check, what: &Expr) -> Run<T> {
    if check == Check::Branch { Err(Stop::Raised) } else { Err(Stop::Unsound(format!("{what}"))) }
}

impl Machine {
    fn block(&mut self, block: &Block) -> Run<()> {
        block.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Run<()> {
        self.fuel = self.fuel.checked_sub(1).ok_or(Stop::Enough)?;
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                let value = self.expr(value)?;
                self.values.insert(*var, value);
            }
            StatementKind::Store { array, indices, value, check, .. } => {
                self.subscripts(*array, indices, *check, value)?;
            }
            StatementKind::If { condition, then, orelse } => {
                let chosen = if self.expr(condition)? != 0 { then } else { orelse };
                self.block(chosen)?;
            }
            StatementKind::For(each) => {
                let (start, stop, step) =
                    (self.expr(&each.start)?, self.expr(&each.stop)?, self.expr(&each.step)?);
                let mut body = &each.body;
                if let Some(fast) = &each.fast {
                    self.block(&fast.guard)?;
                    if self.expr(&fast.condition)? != 0 {
                        body = &fast.body;
                        self.fast += 1;
                    }
                }
                let mut at = start;
                while if step > 0 { at < stop } else { at > stop } {
                    self.values.insert(each.var, at);
                    match self.block(body) {
                        Ok(()) | Err(Stop::Continue) => {}
                        Err(Stop::Break) => break,
                        other => return other,
                    }
                    at += step;
                }
            }
            StatementKind::Break => return Err(Stop::Break),
            StatementKind::Continue => return Err(Stop::Continue),
            other => unreachable!("{other:?}"),
        }
        Ok(())
    }

    fn subscripts(&mut self, array: Var, indices: &[Expr], check: Check, what: &Expr) -> Run<()> {
        for (axis, index) in indices.iter().enumerate() {
            let value = self.expr(index)?;
            let length = self.lengths[&(array, axis as u8)];
            let low = if check == Check::None { 0 } else { -length };
            if !(low..length).contains(&value) {
                return fail(check, if check == Check::Branch { what } else { index });
            }
        }
        Ok(())
    }

    fn expr(&mut self, expr: &Expr) -> Run<i128> {
        let wide = expr.ty == Type::Scalar(Scalar::python(Kind::I128));
        let fit = |value: i128, check: Check| {
            if wide || i64::try_from(value).is_ok() { Ok(value) } else { fail(check, expr) }
        };
        Ok(match &*expr.kind {
            ExprKind::Bool(value) => i128::from(*value),
            ExprKind::Int(value) => *value,
            ExprKind::Var(var) => self.values.get(var).copied().unwrap_or(0),
            ExprKind::Dim { array, axis } => self.lengths[&(*array, *axis)],
            ExprKind::Cast { value, .. } => self.expr(value)?,
            ExprKind::Load { array, indices, check } => {
                self.subscripts(*array, indices, *check, expr)?;
                1
            }
            ExprKind::If { condition, then, orelse } => {
                let chosen = if self.expr(condition)? != 0 { then } else { orelse };
                self.expr(chosen)?
            }
            ExprKind::Compare { op, left, right } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                i128::from(match op {
                    Compare::Equal => left == right,
                    Compare::NotEqual => left != right,
                    Compare::Less => left < right,
                    Compare::LessEqual => left <= right,
                    Compare::Greater => left > right,
                    Compare::GreaterEqual => left >= right,
                })
            }
            ExprKind::Unary { op, operand, check } => {
                let value = self.expr(operand)?;
                match op {
                    Unary::Not => i128::from(value == 0),
                    Unary::Negative => fit(-value, *check)?,
                    Unary::Absolute => fit(value.abs(), *check)?,
                    Unary::Invert => !value,
                }
            }
            ExprKind::Binary { op, left, right, check } => {
                let (left, right) = (self.expr(left)?, self.expr(right)?);
                match op {
                    Binary::Add => fit(left.wrapping_add(right), *check)?,
                    Binary::Subtract => fit(left.wrapping_sub(right), *check)?,
                    Binary::Multiply => fit(left.wrapping_mul(right), *check)?,
                    Binary::Min => left.min(right),
                    Binary::Max => left.max(right),
                    Binary::And => left & right,
                    Binary::FloorDivide | Binary::Modulo if right == 0 => return fail(*check, expr),
                    Binary::FloorDivide => fit(
                        left.div_euclid(right) - i128::from(right < 0 && left.rem_euclid(right) != 0),
                        *check,
                    )?,
                    Binary::Modulo => {
                        let rest = left % right;
                        if rest != 0 && (rest < 0) != (right < 0) { rest + right } else { rest }
                    }
                    Binary::LeftShift | Binary::RightShift if right < 0 => return fail(*check, expr),
                    Binary::LeftShift if left == 0 => 0,
                    Binary::LeftShift if right > 62 => return fail(*check, expr),
                    Binary::LeftShift => fit(left << right, *check)?,
                    Binary::RightShift => left >> right.min(100),
                    other => unreachable!("{other:?}"),
                }
            }
            other => unreachable!("{other:?}"),
        })
    }
}

fn storm(seeds: std::ops::Range<u64>) -> (u32, u32) {
    let (mut fast, mut dropped) = (0, 0);
    for seed in seeds {
        let plain = program(seed);
        let mut relaxed = plain.clone();
        relax(&mut relaxed);
        dropped += u32::from(relaxed != plain);
        let mut dice = Dice(seed | 1 << 40);
        for _ in 0..6 {
            let values: HashMap<Var, i128> = (2..9)
                .map(|number| {
                    (
                        Var(number),
                        dice.pick(&[0, 1, 2, 3, 5, 9, 17, -1, -4, 1 << 40, (1 << 63) - 1, -(1 << 63)]),
                    )
                })
                .collect();
            let lengths: HashMap<(Var, u8), i128> = [(Var(0), 0), (Var(1), 0), (Var(1), 1)]
                .into_iter()
                .map(|axis| (axis, dice.pick(&[0, 1, 4, 10, 20])))
                .collect();
            let run = |module: &Module| {
                let mut machine =
                    Machine { values: values.clone(), lengths: lengths.clone(), fuel: 4000, fast: 0 };
                let end = machine.block(&module.functions[0].body);
                let kept: Vec<_> =
                    (0..12).map(|number| machine.values.get(&Var(number)).copied().unwrap_or(0)).collect();
                (end, kept, machine.fast)
            };
            let (end, kept, count) = run(&relaxed);
            if let Err(Stop::Unsound(what)) = &end {
                panic!(
                    "seed {seed}: {what} is not checked and fails\nwith {values:?} {lengths:?}\n{relaxed}"
                );
            }
            let (serial, expected, _) = run(&plain);
            if end != Err(Stop::Enough) && serial != Err(Stop::Enough) {
                assert_eq!((&end, &kept), (&serial, &expected), "seed {seed}\n{relaxed}");
            }
            fast += count;
        }
    }
    (fast, dropped)
}

#[test]
fn what_is_proved_is_true() {
    let (fast, dropped) = storm(0..500);
    assert!(fast > 200, "guards hold too seldom to test anything: {fast}");
    assert!(dropped > 200, "nothing is proved: {dropped}");
}

#[test]
fn code_that_is_never_reached_may_lean_on_itself() {
    relax(&mut program(4382));
}

#[test]
#[ignore = "minutes"]
fn what_is_proved_is_true_of_many() {
    storm(500..100_000);
}
