//! What a parallel loop evaluates where the serial one would not have: under `if x > m:` each block compares with a value of its own. It must
//! not fail there, or an exception would come out that the serial loop does not raise.

use super::walk::{Set, assigned, blocks, named, same, statements, targets};
use crate::ir::{Binary, Check, Compare, Expr, ExprKind, For, Span, Statement, StatementKind, Type, Var};
use crate::walk::{expressions, operands};

/// Bits that a loop's variable, and an `int` that does not change, are asked to have.
const COUNTER: u32 = 40;
const SYMBOL: u32 = 20;

/// What must hold at the loop's entry so that none of `exprs` fails where `certain` does not.
///
/// # Errors
/// The place of what may fail all the same.
pub fn conditions(of: &For, exprs: &[Expr], certain: &[Expr]) -> Result<Vec<Expr>, Span> {
    let mut look =
        Look { of, written: assigned(&of.body), changing: Set::new(), certain: Vec::new(), out: Vec::new() };
    let mut seen = Set::new();
    statements(&of.body, &mut |statement| {
        for var in targets(statement) {
            if !seen.insert(var) {
                look.changing.insert(var);
            }
        }
    });
    for expr in certain {
        look.note(expr);
    }
    look.always(&of.body);
    exprs.iter().try_for_each(|expr| look.safe(expr))?;
    Ok(look.out)
}

struct Look<'a> {
    of: &'a For,
    written: Set,
    /// Assigned in more than one place.
    changing: Set,
    /// Evaluated in every iteration that gets there: all parts.
    certain: Vec<Expr>,
    out: Vec<Expr>,
}

impl Look<'_> {
    fn note(&mut self, expr: &Expr) {
        let (first, rest) = match &*expr.kind {
            ExprKind::If { condition, .. } => (vec![condition], Vec::new()),
            _ => (operands(expr), vec![expr]),
        };
        first.into_iter().for_each(|operand| self.note(operand));
        self.certain.extend(rest.into_iter().cloned());
    }

    /// What every iteration evaluates.
    fn always(&mut self, body: &[Statement]) {
        for statement in body {
            if !matches!(statement.kind, StatementKind::While { .. }) {
                expressions(statement).into_iter().for_each(|expr| self.note(expr));
            }
            if let StatementKind::Labelled { .. } = statement.kind {
                blocks(statement).into_iter().for_each(|block| self.always(block));
            }
            let mut jumps = super::reductions::leaves(std::slice::from_ref(statement));
            statements(std::slice::from_ref(statement), &mut |inner| {
                jumps |= matches!(
                    inner.kind,
                    StatementKind::Continue | StatementKind::Leave(_) | StatementKind::Raise { .. }
                );
            });
            if jumps {
                return;
            }
        }
    }

    fn safe(&mut self, expr: &Expr) -> Result<(), Span> {
        operands(expr).into_iter().try_for_each(|operand| self.safe(operand))?;
        let check = match &*expr.kind {
            ExprKind::Unary { check, .. }
            | ExprKind::Binary { check, .. }
            | ExprKind::Cast { check, .. }
            | ExprKind::Load { check, .. }
            | ExprKind::Math { check, .. }
            | ExprKind::Random { check, .. }
            | ExprKind::View { check, .. }
            | ExprKind::New { check, .. } => *check,
            _ => Check::None,
        };
        if check == Check::None || check == Check::Wrap || self.settled(expr) {
            return Ok(());
        }
        match &*expr.kind {
            ExprKind::Load { array, indices, .. } if !self.written.contains(array) => {
                for (axis, index) in indices.iter().enumerate() {
                    self.within(*array, u8::try_from(axis).unwrap_or(u8::MAX), index).ok_or(expr.span)?;
                }
                Ok(())
            }
            ExprKind::Unary { .. } | ExprKind::Binary { .. } => {
                self.bits(expr).filter(|bits| *bits < 63).map(|_| ()).ok_or(expr.span)
            }
            _ => Err(expr.span),
        }
    }

    /// Whether the same is evaluated in every iteration.
    fn settled(&self, expr: &Expr) -> bool {
        let mut steady = true;
        super::walk::reads(expr, &mut |var, _| steady &= !self.changing.contains(&var));
        steady && self.certain.iter().any(|other| same(other, expr))
    }

    fn demand(&mut self, op: Compare, left: Expr, right: Expr) {
        let span = left.span;
        let holds = match (&*left.kind, &*right.kind, op) {
            (ExprKind::Int(left), ExprKind::Int(right), Compare::GreaterEqual) => left >= right,
            (ExprKind::Int(left), ExprKind::Int(right), Compare::LessEqual) => left <= right,
            _ => false,
        };
        let condition = Expr::new(ExprKind::Compare { op, left, right }, Type::BOOL, span);
        if !holds && !self.out.iter().any(|other| same(other, &condition)) {
            self.out.push(condition);
        }
    }

    /// Asks that the loop's variable, or a constant, is a subscript of the axis.
    fn within(&mut self, array: Var, axis: u8, index: &Expr) -> Option<()> {
        let length = Expr::new(ExprKind::Dim { array, axis }, Type::INT, index.span);
        let (start, stop) = self.range()?;
        match *index.kind {
            ExprKind::Int(value) if value >= 0 => self.demand(Compare::Greater, length, index.clone()),
            ExprKind::Var(var) if var == self.of.var => {
                self.demand(Compare::GreaterEqual, start, int(0, index.span));
                self.demand(Compare::LessEqual, stop, length);
            }
            _ => return None,
        }
        Some(())
    }

    /// The loop's least value and the first above its greatest, where they can be evaluated once more.
    fn range(&self) -> Option<(Expr, Expr)> {
        let plain =
            |expr: &Expr| matches!(*expr.kind, ExprKind::Int(_) | ExprKind::Var(_) | ExprKind::Dim { .. });
        let of = self.of;
        let up = matches!(*of.step.kind, ExprKind::Int(1..));
        (up && plain(&of.start) && plain(&of.stop)).then(|| (of.start.clone(), of.stop.clone()))
    }

    /// Bits of an `int`'s magnitude.
    fn bits(&mut self, expr: &Expr) -> Option<u32> {
        if expr.ty != Type::INT {
            return None;
        }
        match &*expr.kind {
            ExprKind::Int(value) => Some(128 - value.unsigned_abs().leading_zeros()),
            ExprKind::Dim { .. } => Some(COUNTER),
            ExprKind::Var(var) if *var == self.of.var => {
                let (start, stop) = self.range()?;
                self.demand(Compare::GreaterEqual, start, int(-(1 << COUNTER), expr.span));
                self.demand(Compare::LessEqual, stop, int(1 << COUNTER, expr.span));
                Some(COUNTER)
            }
            ExprKind::Var(var) if !self.written.contains(var) => {
                self.demand(Compare::GreaterEqual, expr.clone(), int(-(1 << SYMBOL), expr.span));
                self.demand(Compare::LessEqual, expr.clone(), int(1 << SYMBOL, expr.span));
                Some(SYMBOL)
            }
            ExprKind::Var(var) => self.inner(*var),
            ExprKind::Unary { operand, .. } => Some(self.bits(operand)? + 1),
            ExprKind::Binary { op, left, right, .. } => match op {
                Binary::Add | Binary::Subtract => Some(self.bits(left)?.max(self.bits(right)?) + 1),
                Binary::Multiply => Some(self.bits(left)? + self.bits(right)?),
                Binary::FloorDivide | Binary::Modulo => {
                    let divides = matches!(*right.kind, ExprKind::Int(value) if value != 0);
                    if divides { Some(self.bits(left)?.max(self.bits(right)?) + 1) } else { None }
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// An inner loop's variable, by its bounds.
    fn inner(&mut self, var: Var) -> Option<u32> {
        if self.changing.contains(&var) {
            return None;
        }
        let mut bounds = None;
        statements(&self.of.body, &mut |statement| {
            if let StatementKind::For(of) = &statement.kind
                && of.var == var
            {
                bounds = Some((of.start.clone(), of.stop.clone()));
            }
        });
        let (start, stop) = bounds?;
        let names = |expr: &Expr| named(expr).contains(&var);
        if names(&start) || names(&stop) {
            return None;
        }
        Some(self.bits(&start)?.max(self.bits(&stop)?))
    }
}

fn int(value: i128, span: Span) -> Expr {
    Expr::new(ExprKind::Int(value), Type::INT, span)
}
