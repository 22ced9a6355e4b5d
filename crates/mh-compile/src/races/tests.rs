//! Random small loops, run by a model that watches who touches which element: what is accepted must have no clash.

use std::collections::HashMap;

use super::check;
use crate::ir::*;

/// Random numbers: splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }

    fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[usize::try_from(self.below(items.len() as u64)).expect("a place in a list")]
    }
}

const N: Var = Var(0);
const M: Var = Var(1);
const S: Var = Var(2);
const A: Var = Var(3);
const I: Var = Var(4);
const J: Var = Var(5);
const K: Var = Var(6);
const T: Var = Var(7);
const X: Var = Var(8);
const ROW: Var = Var(9);

fn expr(kind: ExprKind) -> Expr {
    Expr::new(kind, Type::INT, Span::default())
}

fn int(value: i128) -> Expr {
    expr(ExprKind::Int(value))
}

fn var(var: Var) -> Expr {
    expr(ExprKind::Var(var))
}

fn binary(op: Binary, left: Expr, right: Expr) -> Expr {
    expr(ExprKind::Binary { op, left, right, check: Check::Branch })
}

fn statement(kind: StatementKind) -> Statement {
    Statement { kind, span: Span::default() }
}

struct Maker {
    dice: Dice,
    rank: u8,
    /// Variables that a subscript may hold.
    scope: Vec<Var>,
}

impl Maker {
    /// Mostly affine.
    fn subscript(&mut self, depth: u32) -> Expr {
        match self.dice.below(if depth == 0 { 4 } else { 12 }) {
            0 => int(self.dice.pick(&[0, 1, 2, 3, -1])),
            1..=3 => {
                let scope = self.scope.clone();
                var(self.dice.pick(&scope))
            }
            4 | 5 => binary(Binary::Add, self.subscript(depth - 1), self.subscript(depth - 1)),
            6 => binary(Binary::Subtract, self.subscript(depth - 1), self.subscript(depth - 1)),
            7 | 8 => {
                let factor = self.dice.pick(&[2, 3, -1]);
                binary(Binary::Multiply, self.subscript(depth - 1), int(factor))
            }
            9 => {
                let symbol = var(self.dice.pick(&[N, M]));
                binary(Binary::Multiply, self.subscript(depth - 1), symbol)
            }
            10 => {
                let divisor = if self.dice.below(3) == 0 { var(M) } else { int(self.dice.pick(&[2, 3])) };
                let op = self.dice.pick(&[Binary::FloorDivide, Binary::Modulo]);
                binary(op, self.subscript(depth - 1), divisor)
            }
            _ => {
                let op = self.dice.pick(&[Binary::Min, Binary::Max]);
                binary(op, self.subscript(depth - 1), self.subscript(depth - 1))
            }
        }
    }

    /// Shapes that loops have in earnest, and some that they have not.
    fn usual(&mut self) -> Expr {
        let inner = self.scope.iter().copied().find(|var| [J, K].contains(var)).unwrap_or(S);
        match self.dice.below(9) {
            0 | 1 => var(I),
            2 => binary(Binary::Add, var(I), int(self.dice.pick(&[1, -1, 2]))),
            3 => binary(Binary::Add, binary(Binary::Multiply, var(I), var(M)), var(inner)),
            4 => binary(
                Binary::Add,
                binary(Binary::Multiply, var(I), int(self.dice.pick(&[2, 3]))),
                var(inner),
            ),
            5 => binary(Binary::Subtract, binary(Binary::Subtract, var(N), int(1)), var(I)),
            6 => binary(Binary::Add, binary(Binary::Multiply, int(2), var(I)), int(self.dice.pick(&[0, 1]))),
            7 => var(inner),
            _ => self.subscript(2),
        }
    }

    fn place(&mut self) -> Expr {
        if self.dice.below(3) == 0 { self.subscript(2) } else { self.usual() }
    }

    fn bound(&mut self) -> Expr {
        match self.dice.below(8) {
            0 | 1 => var(self.dice.pick(&[N, M])),
            2 => int(self.dice.pick(&[2, 3, 4])),
            3 => var(I),
            4 => binary(Binary::Add, var(I), int(1)),
            _ => {
                let scope = self.scope.clone();
                var(self.dice.pick(&scope))
            }
        }
    }

    fn condition(&mut self) -> Expr {
        let op = self.dice.pick(&[
            Compare::Equal,
            Compare::NotEqual,
            Compare::Less,
            Compare::LessEqual,
            Compare::Greater,
            Compare::GreaterEqual,
        ]);
        let (left, right) = (self.place(), self.subscript(1));
        let compare = Expr::new(ExprKind::Compare { op, left, right }, Type::BOOL, Span::default());
        if self.dice.below(4) > 0 {
            return compare;
        }
        Expr::new(
            ExprKind::Unary { op: Unary::Not, operand: compare, check: Check::None },
            Type::BOOL,
            Span::default(),
        )
    }

    fn indices(&mut self) -> Vec<Expr> {
        (0..self.rank).map(|_| self.place()).collect()
    }

    fn block(&mut self, depth: u32) -> Block {
        (0..1 + self.dice.below(3)).flat_map(|_| self.statements(depth)).collect()
    }

    fn statements(&mut self, depth: u32) -> Vec<Statement> {
        let float = |kind| Expr::new(kind, Type::FLOAT, Span::default());
        vec![match self.dice.below(if depth == 0 { 4 } else { 9 }) {
            0..=2 => {
                let (indices, value) = (self.indices(), float(ExprKind::Float(1.0)));
                statement(StatementKind::Store {
                    array: A,
                    indices,
                    value,
                    update: None,
                    check: Check::Branch,
                })
            }
            3 => {
                let load = float(ExprKind::Load { array: A, indices: self.indices(), check: Check::Branch });
                statement(StatementKind::Assign { var: X, value: load })
            }
            4 | 5 => {
                let counter = if self.scope.contains(&J) { K } else { J };
                if self.scope.contains(&counter) {
                    return self.statements(0);
                }
                let step = self.dice.pick(&[1, 1, 1, 2, -1]);
                let (mut start, mut stop) = (int(self.dice.pick(&[0, 0, 1])), self.bound());
                if step < 0 {
                    std::mem::swap(&mut start, &mut stop);
                } else if self.dice.below(4) == 0 {
                    start = self.bound();
                }
                self.scope.push(counter);
                let body = self.block(depth - 1);
                self.scope.pop();
                let of = For {
                    id: LoopId(counter.0),
                    var: counter,
                    start,
                    stop,
                    step: int(step),
                    body,
                    parallel: None,
                    fast: None,
                };
                statement(StatementKind::For(Box::new(of)))
            }
            6 => {
                let condition = self.condition();
                if self.dice.below(4) == 0 {
                    let then = vec![statement(StatementKind::Continue)];
                    return vec![statement(StatementKind::If { condition, then, orelse: Vec::new() })];
                }
                let then = self.block(depth - 1);
                let orelse = if self.dice.below(2) == 0 { self.block(depth - 1) } else { Vec::new() };
                statement(StatementKind::If { condition, then, orelse })
            }
            7 => {
                // A value that is used by what follows.
                let assign = statement(StatementKind::Assign { var: T, value: self.place() });
                self.scope.push(T);
                let mut out = vec![assign];
                out.extend(self.block(depth - 1));
                self.scope.retain(|var| *var != T);
                return out;
            }
            _ => {
                // A slice that is written through.
                if self.rank != 1 {
                    return self.statements(0);
                }
                let bound = |maker: &mut Self| (maker.dice.below(2) == 0).then(|| maker.place());
                let step = [None, None, Some(int(2)), Some(int(-1))]
                    [usize::try_from(self.dice.below(4)).expect("small")]
                .clone();
                let (start, stop) = (bound(self), bound(self));
                let parts = vec![Part::Slice { start, stop, step }];
                let ty =
                    Type::Array(Array { element: Kind::F64, rank: 1, layout: Layout::Any, writable: true });
                let view =
                    Expr::new(ExprKind::View { array: A, parts, check: Check::Branch }, ty, Span::default());
                let (indices, value) = (self.indices(), float(ExprKind::Float(1.0)));
                let store =
                    StatementKind::Store { array: ROW, indices, value, update: None, check: Check::Branch };
                return vec![statement(StatementKind::Assign { var: ROW, value: view }), statement(store)];
            }
        }]
    }
}

fn module(seed: u64) -> Module {
    let mut dice = Dice(seed);
    let rank = if dice.below(3) == 0 { 2 } else { 1 };
    let mut maker = Maker { dice, rank, scope: vec![N, M, S, I, I, I] };
    let step = maker.dice.pick(&[1, 1, 1, 1, 2, -1, -2, 0]);
    let step = if step == 0 { var(M) } else { int(step) };
    let backward = matches!(*step.kind, ExprKind::Int(..0));
    let low = maker.dice.pick(&[0, 0, 0, 1, 9]);
    let low = if low == 9 { var(S) } else { int(low) };
    let high = match maker.dice.below(6) {
        0..=2 => var(N),
        3 => binary(Binary::Multiply, var(N), var(M)),
        4 => binary(Binary::FloorDivide, var(N), int(2)),
        _ => expr(ExprKind::Dim { array: A, axis: 0 }),
    };
    let (start, stop) = if backward { (high, low) } else { (low, high) };
    let body = maker.block(2);
    let parallel = Some(Parallel { unchecked: false, implicit: false, plan: None });
    let of = For { id: LoopId(0), var: I, start, stop, step, body, parallel, fast: None };
    let array = |rank| Type::Array(Array { element: Kind::F64, rank, layout: Layout::Any, writable: true });
    let types = [
        ("n", Type::INT),
        ("m", Type::INT),
        ("s", Type::INT),
        ("a", array(rank)),
        ("i", Type::INT),
        ("j", Type::INT),
        ("k", Type::INT),
        ("t", Type::INT),
        ("x", Type::FLOAT),
        ("row", array(1)),
    ];
    let variables = types.into_iter().map(|(name, ty)| Variable { name: Some(name.into()), ty }).collect();
    let function = Function {
        name: "f".into(),
        span: Span::default(),
        parameters: vec![N, M, S, A],
        results: Vec::new(),
        variables,
        body: vec![statement(StatementKind::For(Box::new(of)))],
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

/// Runs a loop on integers, and notes who touches what.
struct Model {
    values: HashMap<Var, i128>,
    shape: Vec<i128>,
    /// Start, step and length of the slice in `ROW`.
    row: (i128, i128, i128),
    iteration: i128,
    /// For each element: iterations that read it, and that write it.
    touched: HashMap<Vec<i128>, (Vec<i128>, Vec<i128>)>,
    reads: bool,
}

/// Why an iteration ends.
enum Stop {
    Raised,
    Continue,
}

impl Model {
    fn value(&self, expr: &Expr) -> Option<i128> {
        Some(match &*expr.kind {
            ExprKind::Int(value) => *value,
            ExprKind::Bool(value) => i128::from(*value),
            ExprKind::Var(var) => *self.values.get(var)?,
            ExprKind::Dim { axis, .. } => self.shape[usize::from(*axis)],
            ExprKind::Unary { operand, .. } => 1 - self.value(operand)?,
            ExprKind::Compare { op, left, right } => {
                let (a, b) = (self.value(left)?, self.value(right)?);
                i128::from(match op {
                    Compare::Equal => a == b,
                    Compare::NotEqual => a != b,
                    Compare::Less => a < b,
                    Compare::LessEqual => a <= b,
                    Compare::Greater => a > b,
                    Compare::GreaterEqual => a >= b,
                })
            }
            ExprKind::Binary { op, left, right, .. } => {
                let (a, b) = (self.value(left)?, self.value(right)?);
                match op {
                    Binary::Add => a + b,
                    Binary::Subtract => a - b,
                    Binary::Multiply => a * b,
                    Binary::Min => a.min(b),
                    Binary::Max => a.max(b),
                    Binary::FloorDivide | Binary::Modulo if b == 0 => return None,
                    Binary::FloorDivide => floor_divide(a, b),
                    Binary::Modulo => a - b * floor_divide(a, b),
                    _ => unreachable!("not generated"),
                }
            }
            _ => unreachable!("not generated"),
        })
    }

    fn block(&mut self, block: &Block) -> Result<(), Stop> {
        for statement in block {
            match &statement.kind {
                StatementKind::Store { array, indices, .. } => self.touch(*array, indices, true)?,
                StatementKind::Assign { var, value } => match &*value.kind {
                    ExprKind::Load { array, indices, .. } => self.touch(*array, indices, false)?,
                    ExprKind::View { parts, .. } => self.slice(&parts[0])?,
                    _ => {
                        let value = self.value(value).ok_or(Stop::Raised)?;
                        self.values.insert(*var, value);
                    }
                },
                StatementKind::If { condition, then, orelse } => {
                    let holds = self.value(condition).ok_or(Stop::Raised)? != 0;
                    self.block(if holds { then } else { orelse })?;
                }
                StatementKind::For(of) => {
                    let range = [&of.start, &of.stop, &of.step].map(|expr| self.value(expr));
                    let [Some(start), Some(stop), Some(step)] = range else { return Err(Stop::Raised) };
                    for value in span(start, stop, step) {
                        self.values.insert(of.var, value);
                        match self.block(&of.body) {
                            Ok(()) | Err(Stop::Continue) => {}
                            Err(Stop::Raised) => return Err(Stop::Raised),
                        }
                    }
                }
                StatementKind::Continue => return Err(Stop::Continue),
                _ => unreachable!("not generated"),
            }
        }
        Ok(())
    }

    fn slice(&mut self, part: &Part) -> Result<(), Stop> {
        let Part::Slice { start, stop, step } = part else { unreachable!("not generated") };
        let length = self.shape[0];
        let step = step.as_ref().map_or(Some(1), |step| self.value(step)).ok_or(Stop::Raised)?;
        let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
        let clip = |bound: &Option<Expr>, absent: i128| -> Result<i128, Stop> {
            let Some(bound) = bound else { return Ok(absent) };
            let value = self.value(bound).ok_or(Stop::Raised)?;
            Ok((if value < 0 { value + length } else { value }).clamp(low, high))
        };
        let (first, last) = if step > 0 { (0, length) } else { (length - 1, -1) };
        let (start, stop) = (clip(start, first)?, clip(stop, last)?);
        self.row = (start, step, i128::try_from(span(start, stop, step).len()).unwrap_or(0));
        Ok(())
    }

    fn touch(&mut self, array: Var, indices: &[Expr], writes: bool) -> Result<(), Stop> {
        let mut place = Vec::new();
        for (axis, index) in indices.iter().enumerate() {
            let length = if array == ROW { self.row.2 } else { self.shape[axis] };
            let index = self.value(index).ok_or(Stop::Raised)?;
            let index = if index < 0 { index + length } else { index };
            if index < 0 || index >= length {
                return Err(Stop::Raised);
            }
            place.push(if array == ROW { self.row.0 + self.row.1 * index } else { index });
        }
        let entry = self.touched.entry(place).or_default();
        if writes {
            entry.1.push(self.iteration)
        } else {
            entry.0.push(self.iteration)
        }
        self.reads |= !writes;
        Ok(())
    }

    /// Whether an element is written by one iteration and touched by another.
    fn clash(&self) -> bool {
        self.touched.values().any(|(reads, writes)| {
            writes.first().is_some_and(|first| reads.iter().chain(writes).any(|other| other != first))
        })
    }
}

fn floor_divide(a: i128, b: i128) -> i128 {
    let quotient = a / b;
    if a % b != 0 && (a < 0) != (b < 0) { quotient - 1 } else { quotient }
}

fn span(start: i128, stop: i128, step: i128) -> Vec<i128> {
    let mut out = Vec::new();
    let mut value = start;
    while if step > 0 { value < stop } else { value > stop } {
        out.push(value);
        value += step;
    }
    out
}

/// Whether iterations clash for some arguments; those are left out for which a condition of the plan does not hold.
fn clashes(of: &For, plan: Option<&Plan>) -> Option<String> {
    for n in [2, 1, 5, -2] {
        for m in [2, 1, 3, -1] {
            for s in [0, 1, -2] {
                for shape in [[4, 5], [9, 7]] {
                    let mut model = Model {
                        values: HashMap::from([(N, n), (M, m), (S, s)]),
                        shape: shape.to_vec(),
                        row: (0, 1, 0),
                        iteration: 0,
                        touched: HashMap::new(),
                        reads: false,
                    };
                    let range = [&of.start, &of.stop, &of.step].map(|expr| model.value(expr));
                    let [Some(start), Some(stop), Some(step)] = range else { continue };
                    let holds = |condition: &Expr| model.value(condition) == Some(1);
                    if step == 0 || !plan.is_none_or(|plan| plan.conditions.iter().all(holds)) {
                        continue;
                    }
                    let mut sets = Vec::new();
                    for iteration in span(start, stop, step) {
                        model.iteration = iteration;
                        model.values.insert(I, iteration);
                        let raised = matches!(model.block(&of.body), Err(Stop::Raised));
                        if !raised {
                            let mut written: Vec<_> = model
                                .touched
                                .iter()
                                .filter(|(_, (_, writes))| writes.contains(&iteration))
                                .map(|(place, _)| place.clone())
                                .collect();
                            written.sort();
                            sets.push(written);
                        }
                    }
                    let overwritten = plan.is_some_and(|plan| !plan.overwritten.is_empty());
                    let wrong = if overwritten {
                        model.reads || sets.windows(2).any(|pair| pair[0] != pair[1])
                    } else {
                        model.clash()
                    };
                    if wrong {
                        return Some(format!("n={n} m={m} s={s} shape={shape:?}"));
                    }
                }
            }
        }
    }
    None
}

/// Whether the loop is accepted, and whether it is free of clashes.
fn trial(seed: u64) -> (bool, bool) {
    let mut module = module(seed);
    let accepted = check(&mut module).is_ok();
    let StatementKind::For(of) = &module.functions[0].body[0].kind else { unreachable!("a loop") };
    let plan = of.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref());
    if accepted {
        let found = clashes(of, plan);
        assert!(found.is_none(), "seed {seed}: {found:?}\n{module}\n{plan:?}");
    }
    (accepted, clashes(of, None).is_none())
}

fn trials(seeds: std::ops::Range<u64>) {
    let (mut accepted, mut free) = (0, 0);
    for seed in seeds {
        let (yes, clean) = trial(seed);
        accepted += u32::from(yes);
        free += u32::from(clean);
    }
    println!("accepted {accepted}; free of clashes, whatever the arguments, {free}");
    assert!(accepted * 10 > free * 6, "{accepted} of {free}");
}

#[test]
fn what_is_accepted_has_no_clash() {
    trials(0..250);
}

#[test]
#[ignore = "takes minutes"]
fn what_is_accepted_has_no_clash_in_many_loops() {
    trials(1000..21_000);
}
