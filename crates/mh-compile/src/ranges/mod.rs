//! Stage 4: checks that cannot fail are dropped, and loops get a fast version behind a guard.
//!
//! For each loop, outermost first: what a check leans on is bounded over all iterations of the loop and of those inside
//! (`bounds`). What holds whatever the arguments is dropped at once; what holds under conditions on values at the loop's entry goes into the
//! guard of a copy without these checks (`For::fast`). Subscripts are only proved where the bounds are exact: else a triangular loop
//! would be guarded by what never holds; the same is tried again for the loops inside. Checks of floats that remain become flags
//! where the loop may be run twice (`attempt`).

mod attempt;
mod bounds;
mod guard;
mod loops;
#[cfg(test)]
mod tests;

use bounds::{Bounds, Range, is_int};
use guard::{Bound, Guard};
use loops::Nest;

use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Fast, Flavour, For, Function, Kind, Module, Part,
    PrintItem, Scalar, Statement, StatementKind, Type, Unary, Var, Variable,
};
use crate::walk::{blocks_mut, expressions_mut, operands_mut};

/// Rewrites a module in place.
pub fn relax(module: &mut Module) {
    for function in &mut module.functions {
        let mut body = std::mem::take(&mut function.body);
        relax_block(function, &mut body, Loops::Attempted);
        function.body = body;
    }
}

/// What loops may become.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Loops {
    /// Only what holds whatever the arguments is dropped: this is what runs seldom, where the fast version of a loop around does not.
    /// Further versions of it would double the text with each level.
    Checked,
    /// Get fast versions; none with flags, as a loop around has them already.
    Fast,
    Attempted,
}

fn relax_block(function: &mut Function, block: &mut Block, loops: Loops) {
    let mut index = 0;
    while index < block.len() {
        let mut before = Vec::new();
        match &mut block[index].kind {
            StatementKind::For(each) => {
                before = settle(function, each);
                relax_for(function, each, loops);
            }
            StatementKind::If { then, orelse, .. } => {
                relax_block(function, then, loops);
                relax_block(function, orelse, loops);
            }
            StatementKind::While { head, body, .. } => {
                relax_block(function, head, loops);
                relax_block(function, body, loops);
            }
            StatementKind::Labelled { body, .. } => relax_block(function, body, loops),
            _ => {}
        }
        index += 1 + before.len();
        let at = index - 1 - before.len();
        block.splice(at..at, before);
    }
}

/// Keeps a loop's bounds in variables, so that the guard can read what the loop will use.
fn settle(function: &mut Function, each: &mut For) -> Block {
    let mut before = Vec::new();
    for bound in [&mut each.start, &mut each.stop, &mut each.step] {
        if matches!(&*bound.kind, ExprKind::Int(_) | ExprKind::Var(_)) {
            continue;
        }
        let var = Var(u32::try_from(function.variables.len()).unwrap_or(u32::MAX));
        function.variables.push(Variable { name: None, ty: bound.ty });
        let span = bound.span;
        let value = std::mem::replace(bound, Expr::new(ExprKind::Var(var), bound.ty, span));
        before.push(Statement { kind: StatementKind::Assign { var, value }, span });
    }
    before
}

fn relax_for(function: &mut Function, each: &mut For, loops: Loops) {
    let nest = Nest::of(each);
    let span = each.start.span;

    let guard = Guard::new(function.variables.len(), span);
    let mut prover = Prover { bounds: Bounds::new(&nest, &function.variables, guard, false), proved: false };
    prover.block(&mut each.body);
    // Parallel loops inside have guards of their own: that costs little beside them, and a second copy of them much.
    let around = !is_parallel(each) && holds_parallel(&mut each.body);
    if loops == Loops::Checked || around {
        relax_block(function, &mut each.body, loops);
        return;
    }

    let mut fast = each.body.clone();
    let guard = Guard::new(function.variables.len(), span);
    let mut prover = Prover { bounds: Bounds::new(&nest, &function.variables, guard, true), proved: false };
    prover.block(&mut fast);
    let proved = prover.proved;
    let mut guard = prover.bounds.guard;

    let mut save = Vec::new();
    let mut attempted = false;
    if loops == Loops::Attempted
        && let Some(attempt) = attempt::plan(each, &nest, &function.variables)
        && attempt::flag(&mut fast)
    {
        attempted = true;
        save = attempt.save;
        for (left, right) in attempt.distinct {
            guard.demand_expr(Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span));
        }
    }

    let (statements, condition, variables) = guard.finish();
    if proved || attempted {
        function.variables.extend(variables);
        relax_block(function, &mut fast, if attempted { Loops::Fast } else { loops });
        relax_block(function, &mut each.body, Loops::Checked);
        each.fast = Some(Box::new(Fast {
            guard: statements,
            condition,
            before: Vec::new(),
            after: Vec::new(),
            body: fast,
            attempt: attempted,
            save,
        }));
    } else {
        relax_block(function, &mut each.body, loops);
    }
}

fn is_parallel(each: &For) -> bool {
    each.parallel.as_ref().is_some_and(|parallel| parallel.plan.is_some())
}

fn holds_parallel(block: &mut Block) -> bool {
    block.iter_mut().any(|statement| {
        matches!(&statement.kind, StatementKind::For(each) if is_parallel(each))
            || blocks_mut(statement).into_iter().any(holds_parallel)
    })
}

struct Prover<'a> {
    bounds: Bounds<'a>,
    proved: bool,
}

impl Prover<'_> {
    fn block(&mut self, block: &mut Block) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &mut Statement) {
        match &mut statement.kind {
            StatementKind::If { condition, then, orelse } => {
                self.expr(condition);
                let mark = self.bounds.assume(condition, true);
                self.block(then);
                self.bounds.forget(mark);
                let mark = self.bounds.assume(condition, false);
                self.block(orelse);
                self.bounds.forget(mark);
            }
            StatementKind::While { head, condition, body } => {
                self.block(head);
                self.expr(condition);
                self.block(body);
            }
            StatementKind::For(each) => {
                self.expr(&mut each.start);
                self.expr(&mut each.stop);
                self.expr(&mut each.step);
                self.block(&mut each.body);
            }
            StatementKind::Labelled { body, .. } => self.block(body),
            // With an update the operation itself has no check: elements wrap as NumPy's do.
            StatementKind::Store { array, indices, value, check, .. } => {
                for index in indices.iter_mut() {
                    self.expr(index);
                }
                self.expr(value);
                let (array, indices) = (*array, &*indices);
                self.subscripts(array, indices, check);
            }
            StatementKind::Assign { value, .. } => self.expr(value),
            StatementKind::Return(values)
            | StatementKind::Raise { values, .. }
            | StatementKind::Call { arguments: values, .. } => {
                values.iter_mut().for_each(|value| self.expr(value))
            }
            StatementKind::Print { items } => {
                for item in items {
                    if let PrintItem::Value(value, _) = item {
                        self.expr(value);
                    }
                }
            }
            StatementKind::Break
            | StatementKind::Continue
            | StatementKind::Leave(_)
            | StatementKind::Lockstep(_) => {}
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        if let ExprKind::If { condition, then, orelse } = &mut *expr.kind {
            self.expr(condition);
            let mark = self.bounds.assume(condition, true);
            self.expr(then);
            self.bounds.forget(mark);
            let mark = self.bounds.assume(condition, false);
            self.expr(orelse);
            self.bounds.forget(mark);
            return;
        }
        operands_mut(expr).into_iter().for_each(|operand| self.expr(operand));
        if let ExprKind::Load { array, indices, check } = &mut *expr.kind {
            let (array, indices) = (*array, &*indices);
            self.subscripts(array, indices, check);
            return;
        }
        if let ExprKind::View { array, parts, check } = &mut *expr.kind {
            self.view(*array, parts, check);
            return;
        }
        let checked = matches!(
            &*expr.kind,
            ExprKind::Unary { check: Check::Branch, .. }
                | ExprKind::Cast { check: Check::Branch, .. }
                | ExprKind::Binary { check: Check::Branch, .. }
        );
        if checked && self.attempt(|this| this.operation(expr)) {
            match &mut *expr.kind {
                ExprKind::Unary { check, .. }
                | ExprKind::Cast { check, .. }
                | ExprKind::Binary { check, .. } => {
                    *check = Check::None;
                }
                _ => {}
            }
        }
    }

    /// Tries a proof; what it demands of the guard is taken back where it fails.
    fn attempt(&mut self, proof: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let mark = self.bounds.mark();
        let proved = proof(self).is_some() && !self.bounds.guard.hopeless;
        if proved && (self.bounds.conditions || self.bounds.guard.is_free()) {
            self.proved = true;
            return true;
        }
        self.bounds.back(mark);
        false
    }

    /// That an operation does not fail.
    fn operation(&mut self, expr: &Expr) -> Option<()> {
        match &*expr.kind {
            ExprKind::Unary { op: Unary::Negative | Unary::Absolute, operand, .. } if is_int(expr.ty) => {
                let value = self.bounds.range(operand)?;
                self.bounds.demand_fits(value);
                self.bounds.guard.demand(value.low, Compare::Greater, Bound::Known(i128::from(i64::MIN)));
                Some(())
            }
            ExprKind::Binary { op, left, right, .. } if is_int(expr.ty) => match op {
                Binary::Add | Binary::Subtract | Binary::Multiply => {
                    let range = self.bounds.range(expr)?;
                    self.bounds.demand_fits(range);
                    Some(())
                }
                Binary::LeftShift => {
                    let count = self.bounds.range(right)?;
                    self.bounds.guard.demand(count.low, Compare::GreaterEqual, Bound::Known(0));
                    let range = self.bounds.range(expr)?;
                    self.bounds.demand_fits(range);
                    Some(())
                }
                Binary::RightShift => {
                    let count = self.bounds.range(right)?;
                    self.bounds.guard.demand(count.low, Compare::GreaterEqual, Bound::Known(0));
                    Some(())
                }
                Binary::FloorDivide | Binary::Modulo => {
                    let divisor = self.bounds.range(right)?;
                    if let Bound::Known(high) = divisor.high
                        && high < 0
                    {
                        // -1 would overflow the least int.
                        self.bounds.guard.demand(divisor.high, Compare::Less, Bound::Known(-1));
                        return Some(());
                    }
                    self.bounds.guard.demand(divisor.low, Compare::Greater, Bound::Known(0));
                    Some(())
                }
                Binary::And | Binary::Or | Binary::Xor | Binary::Min | Binary::Max => Some(()),
                _ => None,
            },
            ExprKind::Binary { op: Binary::Divide, right, .. } => match &*right.kind {
                ExprKind::Float(value) if *value != 0.0 => Some(()),
                ExprKind::Cast { value, .. } if is_int(value.ty) => {
                    let divisor = self.bounds.range(value)?;
                    if let Bound::Known(high) = divisor.high
                        && high < 0
                    {
                        return Some(());
                    }
                    self.bounds.guard.demand(divisor.low, Compare::Greater, Bound::Known(0));
                    Some(())
                }
                ExprKind::Var(var) if self.bounds.nest.is_invariant(*var) => {
                    let zero = Expr::new(ExprKind::Float(0.0), right.ty, right.span);
                    let differs =
                        ExprKind::Compare { op: Compare::NotEqual, left: right.clone(), right: zero };
                    right.ty.scalar().filter(|scalar| scalar.kind.is_float())?;
                    self.bounds.guard.demand_expr(Expr::new(differs, Type::BOOL, right.span));
                    Some(())
                }
                _ => None,
            },
            ExprKind::Cast { value, .. } => self.cast(expr.ty.scalar()?, value),
            _ => None,
        }
    }

    fn cast(&mut self, to: Scalar, value: &Expr) -> Option<()> {
        let from = value.ty.scalar()?;
        if !(from.kind.is_integer() || from.kind == Kind::Bool) {
            return None;
        }
        let range = self.bounds.range(value)?;
        let (low, high) = match to.kind {
            // Exact up to here.
            Kind::F64 if to.flavour == Flavour::Python || from.flavour == Flavour::Python => {
                (-(1_i128 << 53), 1 << 53)
            }
            Kind::F32 => (-(1_i128 << 24), 1 << 24),
            Kind::I8 => (i8::MIN.into(), i8::MAX.into()),
            Kind::I16 => (i16::MIN.into(), i16::MAX.into()),
            Kind::I32 => (i32::MIN.into(), i32::MAX.into()),
            Kind::I64 => (i64::MIN.into(), i64::MAX.into()),
            Kind::U8 => (0, u8::MAX.into()),
            Kind::U16 => (0, u16::MAX.into()),
            Kind::U32 => (0, u32::MAX.into()),
            Kind::U64 => (0, u64::MAX.into()),
            _ => return None,
        };
        self.bounds.guard.demand(range.low, Compare::GreaterEqual, Bound::Known(low));
        self.bounds.guard.demand(range.high, Compare::LessEqual, Bound::Known(high));
        Some(())
    }

    fn subscripts(&mut self, array: Var, indices: &[Expr], check: &mut Check) {
        if *check != Check::Branch {
            return;
        }
        for way in [Check::None, Check::Wrap] {
            let within = |this: &mut Self| {
                for (axis, index) in indices.iter().enumerate() {
                    this.within(array, u8::try_from(axis).ok()?, index, way)?;
                }
                Some(())
            };
            if self.attempt(within) {
                *check = way;
                return;
            }
        }
    }

    fn view(&mut self, array: Var, parts: &[Part], check: &mut Check) {
        // Slices check their step, unless it is absent.
        let plain = |part: &Part| !matches!(part, Part::Slice { step: Some(_), .. });
        if *check != Check::Branch || !parts.iter().all(plain) {
            return;
        }
        let within = |this: &mut Self| {
            let mut axis = 0;
            for part in parts {
                match part {
                    Part::Index(index) => {
                        this.within(array, axis, index, Check::None)?;
                        axis += 1;
                    }
                    Part::Slice { .. } => axis += 1,
                    Part::NewAxis
                    | Part::Axis(_)
                    | Part::Length(_)
                    | Part::Real
                    | Part::Imag
                    | Part::Diagonal => {}
                }
            }
            Some(())
        };
        if self.attempt(within) {
            *check = Check::None;
        }
    }

    fn within(&mut self, array: Var, axis: u8, index: &Expr, way: Check) -> Option<()> {
        let value = self.bounds.range(index)?;
        let length = self.bounds.length(array, axis)?;
        if !trusted(value, length) {
            return None;
        }
        if way == Check::Wrap {
            // Only where the subscript is plainly meant to count from the end.
            match value.low {
                Bound::Known(low) if low < 0 => {}
                _ => return None,
            }
            let low = self.bounds.guard.combine(Binary::Subtract, Bound::Known(0), length.low);
            self.bounds.guard.demand(value.low, Compare::GreaterEqual, low);
        } else {
            self.bounds.guard.demand(value.low, Compare::GreaterEqual, Bound::Known(0));
        }
        self.bounds.guard.demand(value.high, Compare::Less, length.low);
        Some(())
    }
}

/// A guard on these is worth trying: it does not fail for want of precision.
fn trusted(value: Range, length: Range) -> bool {
    let known = matches!((value.low, value.high), (Bound::Known(low), Bound::Known(_)) if low >= 0);
    (value.exact || known) && length.exact && value.loops & length.loops == 0
}

/// Calls `see` for every expression in a block, innermost first.
fn each_expr(block: &mut Block, see: &mut impl FnMut(&mut Expr)) {
    fn deep(expr: &mut Expr, see: &mut impl FnMut(&mut Expr)) {
        operands_mut(expr).into_iter().for_each(|operand| deep(operand, see));
        see(expr);
    }
    for statement in block {
        expressions_mut(statement).into_iter().for_each(|expr| deep(expr, see));
        for inner in blocks_mut(statement) {
            each_expr(inner, see);
        }
    }
}
