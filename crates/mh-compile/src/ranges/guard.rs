//! The code of a guard: bounds in 128 bits, folded where they are known, and what must hold of them.

use std::collections::{HashMap, HashSet};

use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Kind, Scalar, Span, Statement, StatementKind, Type, Var,
    Variable,
};

const WIDE: Type = Type::Scalar(Scalar::python(Kind::I128));

/// One end of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Bound {
    Known(i128),
    /// A variable of the guard (I128).
    At(Var),
}

/// Collects a guard's statements and conditions.
///
/// All arithmetic wraps in 128 bits without a check. That is sound because every operand comes with the condition that it fits
/// into 64 bits (or is a product or a sum of two that do), so that where a result would wrap the guard has failed already.
#[derive(Debug)]
pub struct Guard {
    span: Span,
    /// Number of the next new variable.
    next: u32,
    new: Vec<Variable>,
    statements: Block,
    made: HashMap<(Binary, Bound, Bound), Bound>,
    entries: HashMap<Leaf, Bound>,
    conditions: Vec<Expr>,
    seen: HashSet<(Bound, Compare, Bound)>,
    /// A condition that can never hold was asked for.
    pub hopeless: bool,
}

#[derive(Debug)]
pub struct Mark {
    conditions: usize,
    seen: HashSet<(Bound, Compare, Bound)>,
}

/// What can be read at a loop's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Leaf {
    Var(Var),
    Dim(Var, u8),
}

impl Guard {
    pub fn new(variables: usize, span: Span) -> Self {
        Self {
            span,
            next: u32::try_from(variables).unwrap_or(u32::MAX),
            new: Vec::new(),
            statements: Vec::new(),
            made: HashMap::new(),
            entries: HashMap::new(),
            conditions: Vec::new(),
            seen: HashSet::new(),
            hopeless: false,
        }
    }

    /// The value that a variable (int or bool) or an array's length has at the loop's entry.
    pub fn entry(&mut self, leaf: Leaf, ty: Type) -> Bound {
        if let Some(bound) = self.entries.get(&leaf) {
            return *bound;
        }
        let kind = match leaf {
            Leaf::Var(var) => ExprKind::Var(var),
            Leaf::Dim(array, axis) => ExprKind::Dim { array, axis },
        };
        let value = self.expr(kind, ty);
        let wide = self.expr(ExprKind::Cast { value, check: Check::None }, WIDE);
        let bound = Bound::At(self.keep(wide));
        self.entries.insert(leaf, bound);
        bound
    }

    pub fn combine(&mut self, op: Binary, left: Bound, right: Bound) -> Bound {
        if let (Bound::Known(left), Bound::Known(right)) = (left, right) {
            let folded = match op {
                Binary::Add => left.checked_add(right),
                Binary::Subtract => left.checked_sub(right),
                Binary::Multiply => left.checked_mul(right),
                Binary::Min => Some(left.min(right)),
                Binary::Max => Some(left.max(right)),
                Binary::FloorDivide if right > 0 => Some(left.div_euclid(right)),
                _ => None,
            };
            self.hopeless |= folded.is_none();
            return Bound::Known(folded.unwrap_or(0));
        }
        match (op, left, right) {
            (Binary::Add, other, Bound::Known(0))
            | (Binary::Add, Bound::Known(0), other)
            | (Binary::Subtract, other, Bound::Known(0))
            | (Binary::Multiply, other, Bound::Known(1))
            | (Binary::Multiply, Bound::Known(1), other) => return other,
            (Binary::Multiply, _, Bound::Known(0)) | (Binary::Multiply, Bound::Known(0), _) => {
                return Bound::Known(0);
            }
            (Binary::Min | Binary::Max, left, right) if left == right => return left,
            _ => {}
        }
        if let Some(bound) = self.made.get(&(op, left, right)) {
            return *bound;
        }
        let (first, second) = (self.value(left), self.value(right));
        let value = self.expr(ExprKind::Binary { op, left: first, right: second, check: Check::None }, WIDE);
        let bound = Bound::At(self.keep(value));
        self.made.insert((op, left, right), bound);
        bound
    }

    /// Demands that `left op right`.
    pub fn demand(&mut self, left: Bound, op: Compare, right: Bound) {
        if let (Bound::Known(left), Bound::Known(right)) = (left, right) {
            let holds = match op {
                Compare::Less => left < right,
                Compare::LessEqual => left <= right,
                Compare::Greater => left > right,
                Compare::GreaterEqual => left >= right,
                Compare::Equal => left == right,
                Compare::NotEqual => left != right,
            };
            self.hopeless |= !holds;
            return;
        }
        if self.seen.insert((left, op, right)) {
            let (left, right) = (self.value(left), self.value(right));
            let condition = self.expr(ExprKind::Compare { op, left, right }, Type::BOOL);
            self.conditions.push(condition);
        }
    }

    pub fn demand_expr(&mut self, condition: Expr) {
        if !self.conditions.contains(&condition) {
            self.conditions.push(condition);
        }
    }

    /// Where it stands, to go back to when what follows turns out to be hopeless. Statements and variables stay: they do no harm.
    pub fn mark(&self) -> Mark {
        Mark { conditions: self.conditions.len(), seen: self.seen.clone() }
    }

    pub fn back(&mut self, mark: Mark) {
        self.conditions.truncate(mark.conditions);
        self.seen = mark.seen;
        self.hopeless = false;
    }

    pub fn is_free(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The guard: statements, condition, and the variables that they use (to be added to the function's).
    pub fn finish(self) -> (Block, Expr, Vec<Variable>) {
        let span = self.span;
        let yes = Expr::new(ExprKind::Bool(true), Type::BOOL, span);
        let condition = self
            .conditions
            .into_iter()
            .reduce(|left, right| {
                let both = ExprKind::Binary { op: Binary::And, left, right, check: Check::None };
                Expr::new(both, Type::BOOL, span)
            })
            .unwrap_or(yes);
        (self.statements, condition, self.new)
    }

    fn value(&self, bound: Bound) -> Expr {
        match bound {
            Bound::Known(value) => self.expr(ExprKind::Int(value), WIDE),
            Bound::At(var) => self.expr(ExprKind::Var(var), WIDE),
        }
    }

    fn keep(&mut self, value: Expr) -> Var {
        let var = Var(self.next);
        self.next += 1;
        self.new.push(Variable { name: None, ty: WIDE });
        self.statements.push(Statement { kind: StatementKind::Assign { var, value }, span: self.span });
        var
    }

    fn expr(&self, kind: ExprKind, ty: Type) -> Expr {
        Expr::new(kind, ty, self.span)
    }
}
