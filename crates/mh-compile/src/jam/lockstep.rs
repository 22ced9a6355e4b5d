//! Stage 6, loops that end early: iterations that go round a loop until it converges, or escapes, are taken side by side in the lanes of vectors.
//!
//! In `for x: z = 0; while |z| < 2: z = z * z + c(x); image[x] = ...` each operation waits for the one before, and the loop ends at another turn
//! in each iteration: nothing that a compiler makes vectors of by itself. Here it becomes a `Lockstep`: what comes before the loop for each
//! iteration, the loops together until the last lane has left, then what comes behind, in the order of the iterations. Each lane does
//! the operations of its own iteration in their order, so no bit changes.
//!
//! What makes it sound: before and in the loop nothing is written but variables, of which none comes from another iteration, and nothing is read
//! that the iterations write (shown when the outer loop is entered). What would raise in the loop only notes it in its lane: then the iterations
//! run again as they are written. Where the loop may go on for ever, what stands behind it cannot leave the outer loop.

use std::collections::BTreeSet;

use super::{PAIRS, WIDE, arrays, loads, read};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, For, Function, Kind, Label, Lockstep, Math, Module,
    Parallel, Scalar, Span, Statement, StatementKind, Type, Unary, Var, Variable,
};
use crate::math;
use crate::races::exposed::exposed;
use crate::races::liveness::Liveness;
use crate::races::walk::{assigned, blocks, reads, statements};
use crate::walk::{blocks_mut, expressions, expressions_mut, operands, operands_mut};

/// Iterations side by side. As doubles one vector of AVX-512, or two of AVX2: with twice as many the usual loop gains nothing more, and where one
/// of them takes far longer than all the others, it loses twice as much.
const LANES: u8 = 8;
/// Turns of an inner loop that may be waited for, though an iteration before them fails: some hundredths of a second.
const LONG: i128 = 1 << 24;
/// The lowest level of x86-64 (see `level`) whose vectors are worth it.
const LEVEL: u32 = 3;

/// Rewrites a module in place, for machines of this level.
pub(super) fn together(module: &mut Module, level: u32) {
    if level < LEVEL {
        return;
    }
    for function in &mut module.functions {
        let live = Liveness::of(function);
        let guarded = guarded(&function.body);
        let Function { variables, body, .. } = function;
        Stepper { variables, live, guarded }.block(body);
    }
}

struct Stepper<'a> {
    variables: &'a mut Vec<Variable>,
    live: Liveness,
    /// What guards and plans of loops read.
    guarded: BTreeSet<Var>,
}

impl Stepper<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut at = 0;
        while at < block.len() {
            let place = block[at].span;
            if let StatementKind::For(each) = &mut block[at].kind {
                let before = self.variables.len();
                // The version without checks is the one that runs.
                let inner = each.fast.as_mut().map_or(&mut each.body, |fast| &mut fast.body);
                self.block(inner);
                let new = (before..self.variables.len()).filter_map(|number| u32::try_from(number).ok());
                if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
                    plan.private.extend(new.map(Var));
                }
                let kept = self.variables.len();
                match self.stepped(each, place) {
                    Some(first) => {
                        let count = first.len();
                        block.splice(at..at, first);
                        at += count;
                    }
                    None => self.variables.truncate(kept),
                }
            } else {
                blocks_mut(&mut block[at]).into_iter().for_each(|inner| self.block(inner));
            }
            at += 1;
        }
    }

    /// Makes the loop one over groups of iterations. Gives what comes before it.
    fn stepped(&mut self, each: &mut For, place: Span) -> Option<Block> {
        if *each.step.kind != ExprKind::Int(1) || !each.parallel.as_ref().is_none_or(is_plain) {
            return None;
        }
        let body = match &each.fast {
            None => &each.body,
            Some(fast) if fast.before.is_empty() && fast.after.is_empty() => &fast.body,
            Some(_) => return None,
        };
        let old = self.variables.len();
        let mut live = self.live.after_loop(each.id).clone();
        live.extend(&self.guarded);
        if let Some(plan) = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref()) {
            live.extend(&plan.last);
        }
        let nest = self.nest(each, body, &live)?;

        let span = each.start.span;
        let [high, at, end] = [(); 3].map(|()| self.variable(Type::INT));
        let well = self.variable(Type::BOOL);
        let first = vec![
            Statement::assign(high, each.stop.clone(), span),
            Statement::assign(well, nest.condition, span),
        ];
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let wide = |var: Var| Expr::new(ExprKind::Cast { value: int(var), check: Check::None }, WIDE, span);
        let binary = |op: Binary, left: Expr, right: Expr| {
            Expr::new(ExprKind::Binary { op, left, right, check: Check::None }, WIDE, span)
        };
        let many = Expr::new(ExprKind::Int(LANES.into()), WIDE, span);
        let left = binary(Binary::Min, binary(Binary::Subtract, wide(high), wide(at)), many);
        let value = binary(Binary::Add, wide(at), left);
        let last = ExprKind::Cast { value, check: Check::None };
        let last = Statement::assign(end, Expr::new(last, Type::INT, span), span);
        let var = each.var;
        let group = Lockstep {
            var,
            first: int(at),
            last: int(end),
            lanes: LANES,
            condition: Expr::new(ExprKind::Var(well), Type::BOOL, span),
            before: nest.before,
            inner: vec![nest.inner],
            after: nest.after,
            kept: nest.kept.into_iter().collect(),
            carried: nest.carried,
            whole: body.clone(),
        };
        let group = vec![last.clone(), Statement { kind: StatementKind::Lockstep(Box::new(group)), span }];
        match &mut each.fast {
            None => each.body = group,
            Some(fast) => {
                fast.body = group;
                let one = For {
                    id: each.id,
                    var,
                    start: int(at),
                    stop: int(end),
                    step: each.step.clone(),
                    body: std::mem::take(&mut each.body),
                    parallel: None,
                    fast: None,
                };
                each.body = vec![last, Statement { kind: StatementKind::For(Box::new(one)), span: place }];
            }
        }
        let outside = [high, well, at];
        let new = (old..self.variables.len()).filter_map(|number| u32::try_from(number).ok()).map(Var);
        if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
            plan.private.extend(new.filter(|new| !outside.contains(new)));
            if live.contains(&var) { plan.last.push(var) } else { plan.private.push(var) }
        }
        each.var = at;
        each.stop = int(high);
        each.step = Expr::new(ExprKind::Int(LANES.into()), Type::INT, span);
        Some(first)
    }

    fn variable(&mut self, ty: Type) -> Var {
        self.variables.push(Variable { name: None, ty });
        Var(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }

    /// The parts of a body that can be taken so.
    fn nest(&mut self, each: &For, body: &[Statement], live: &BTreeSet<Var>) -> Option<Nest> {
        let mut labels = Vec::new();
        let (mut before, mut inner, rest) = split(body, &mut labels)?;
        let mut all = For { body: body.to_vec(), parallel: None, fast: None, ..each.clone() };
        let span = inner.span;
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);

        // Who leaves a block around the loop leaves the loop, and tells for which.
        let left = self.variable(Type::INT);
        let told =
            |label: Label| labels.iter().position(|other| *other == label).map(|place| place as i128 + 1);
        let mut leaves = BTreeSet::new();
        let waited = matches!(inner.kind, StatementKind::While { .. });
        let inside = assigned(std::slice::from_ref(&inner));
        expressions_mut(&mut inner).into_iter().for_each(|expr| self.hoist(expr, &inside, &mut before));
        blocks_mut(&mut inner).into_iter().for_each(|block| self.hoist_all(block, &inside, &mut before));
        let loop_body = match &mut inner.kind {
            StatementKind::While { head, condition, body } => {
                (suits(condition) && head.iter().all(in_lanes)).then_some(())?;
                soften(condition);
                head.iter_mut().for_each(soften_all);
                body
            }
            StatementKind::For(inner) => {
                if let Some(fast) = inner.fast.take()
                    && fast.attempt
                    && fast.guard.is_empty()
                    && *fast.condition.kind == ExprKind::Bool(true)
                    && fast.before.is_empty()
                    && fast.after.is_empty()
                {
                    inner.body = fast.body;
                }
                let bounds = [&inner.start, &inner.stop];
                let simple = inner.parallel.is_none()
                    && *inner.step.kind == ExprKind::Int(1)
                    && bounds.iter().all(|bound| !fails(bound) && !loads(bound))
                    && inner.var != each.var
                    && !assigned(&inner.body).contains(&inner.var);
                simple.then_some(())?;
                &mut inner.body
            }
            _ => return None,
        };
        loop_body.iter().all(in_lanes).then_some(())?;
        loop_body.iter_mut().for_each(soften_all);
        let mut exits = false;
        statements(loop_body, &mut |statement| exits |= statement.kind == StatementKind::Break);
        let mut tell = |label: Label| {
            let number = told(label).map(number)?;
            leaves.insert(label);
            let told = Statement::assign(left, number, span);
            Some(vec![told, Statement { kind: StatementKind::Break, span }])
        };
        blocks_mut(&mut inner).into_iter().for_each(|block| told_leaves(block, &mut tell));
        if !(waited || exits || !leaves.is_empty()) {
            return None;
        }

        let parts = [&before[..], std::slice::from_ref(&inner), &rest];
        if parts.into_iter().flatten().any(|statement| goes_out(statement, &mut labels.clone())) {
            return None;
        }
        // A chain of whole numbers alone does not wait long enough.
        let mut dear = false;
        statements(std::slice::from_ref(&inner), &mut |statement| {
            dear |= expressions(statement).into_iter().any(waits);
        });
        if !dear {
            return None;
        }
        // Before the loop nothing fails; behind it nothing leaves, where the loop of another iteration may go on for (nearly) ever: that is waited for.
        before.iter().all(|statement| straight(statement, &labels)).then_some(())?;
        let leaves_never = rest.iter().all(|statement| follows(statement, true));
        (leaves_never || !waited && rest.iter().all(|statement| follows(statement, false))).then_some(())?;

        // Nothing comes from another iteration, but to what stands behind the loop.
        let early = assigned(&before);
        let late = assigned(&rest);
        let inside = assigned(std::slice::from_ref(&inner));
        let own: BTreeSet<Var> = early.union(&inside).copied().collect();
        if own.contains(&each.var)
            || late.contains(&each.var)
            || own.iter().chain(&late).any(|var| !self.is_number(*var))
        {
            return None;
        }
        let mut wanted = BTreeSet::new();
        for block in [&before[..], std::slice::from_ref(&inner)] {
            read_in(block, &mut wanted);
        }
        if wanted.iter().any(|var| late.contains(var) && !own.contains(var)) {
            return None;
        }
        let given: Vec<Var> = own.intersection(live).copied().collect();
        for var in given {
            let value = Expr::new(ExprKind::Var(var), self.variables[var.0 as usize].ty, span);
            all.body.push(Statement::assign(left, value, span));
        }
        // But what only stands before the loop, and so in the order of the iterations all the same.
        let found = |all: &For| -> BTreeSet<Var> {
            exposed(all).into_keys().filter(|var| own.contains(var)).collect()
        };
        let ordered = |carried: &BTreeSet<Var>| {
            carried.iter().all(|var| early.contains(var) && !inside.contains(var) && !late.contains(var))
        };
        let mut carried = found(&all);
        let mut conditions = Vec::new();
        if let StatementKind::For(of) = &inner.kind {
            let varies = |var: &Var| *var == each.var || own.contains(var) || late.contains(var);
            let same = [&of.start, &of.stop].into_iter().all(|bound| !read(bound).iter().any(varies));
            if same && !ordered(&carried) {
                // Perhaps only because the loop may have no turns.
                conditions.push(Expr::compare(Compare::Less, of.start.clone(), of.stop.clone()));
                run_at_least_once(&mut all.body, of);
                carried = found(&all);
            }
            if !leaves_never {
                same.then_some(())?;
                let wide = |bound: &Expr| {
                    let cast = ExprKind::Cast { value: bound.clone(), check: Check::None };
                    Expr::new(cast, WIDE, span)
                };
                let difference = ExprKind::Binary {
                    op: Binary::Subtract,
                    left: wide(&of.stop),
                    right: wide(&of.start),
                    check: Check::None,
                };
                let turns = Expr::new(difference, WIDE, span);
                let most = Expr::new(ExprKind::Int(LONG), WIDE, span);
                conditions.push(Expr::compare(Compare::LessEqual, turns, most));
            }
            if !same {
                inner = self.counted(&mut before, of, span);
            }
        }
        ordered(&carried).then_some(())?;

        let mut loaded = BTreeSet::new();
        statements(&before, &mut |statement| {
            expressions(statement).into_iter().for_each(|expr| arrays(expr, &mut loaded));
        });
        let mut written = BTreeSet::new();
        statements(&rest, &mut |statement| {
            if let StatementKind::Store { array, .. } = statement.kind {
                written.insert(array);
            }
        });
        if !written.is_disjoint(&loaded) || written.len() * loaded.len() > PAIRS {
            return None;
        }
        for left in written {
            for right in &loaded {
                conditions.push(Expr::new(ExprKind::Disjoint { left, right: *right }, Type::BOOL, span));
            }
        }
        let condition = conditions.into_iter().reduce(Expr::both);
        let condition = condition.unwrap_or_else(|| Expr::new(ExprKind::Bool(true), Type::BOOL, span));

        let mut behind = BTreeSet::new();
        read_in(&rest, &mut behind);
        let mut kept: BTreeSet<Var> =
            own.into_iter().filter(|var| live.contains(var) || behind.contains(var)).collect();
        let mut after = rest;
        if !leaves.is_empty() {
            before.push(Statement::assign(left, number(0), span));
            kept.insert(left);
            let checks = labels.iter().filter(|label| leaves.contains(label)).map(|label| {
                let value = Expr::new(ExprKind::Var(left), Type::INT, span);
                let told = number(told(*label).unwrap_or_default());
                let condition = Expr::compare(Compare::Equal, value, told);
                let then = vec![Statement { kind: StatementKind::Leave(*label), span }];
                Statement { kind: StatementKind::If { condition, then, orelse: Block::new() }, span }
            });
            let checks: Block = checks.collect();
            innermost(&mut after, labels.len()).splice(0..0, checks);
        }
        let carried = carried.into_iter().collect();
        Some(Nest { before, inner, after, kept, carried, condition })
    }

    fn hoist_all(&mut self, block: &mut Block, inside: &BTreeSet<Var>, before: &mut Block) {
        for statement in block {
            expressions_mut(statement).into_iter().for_each(|expr| self.hoist(expr, inside, before));
            blocks_mut(statement).into_iter().for_each(|inner| self.hoist_all(inner, inside, before));
        }
    }

    /// Reads an element that is the same at each turn of the loop before it: where it is within its array, for perhaps it is never read.
    fn hoist(&mut self, expr: &mut Expr, inside: &BTreeSet<Var>, before: &mut Block) {
        operands_mut(expr).into_iter().for_each(|part| self.hoist(part, inside, before));
        let ExprKind::Load { array, indices, check } = &*expr.kind else { return };
        let plain = indices.iter().all(|index| matches!(*index.kind, ExprKind::Var(_) | ExprKind::Int(_)));
        if *check == Check::Branch || !plain || read(expr).iter().any(|var| inside.contains(var)) {
            return;
        }
        let (array, check, span, ty) = (*array, *check, expr.span, expr.ty);
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);
        let mut within = Expr::new(ExprKind::Bool(true), Type::BOOL, span);
        for (axis, index) in (0..).zip(indices) {
            let length = Expr::new(ExprKind::Dim { array, axis }, Type::INT, span);
            let least = if check == Check::Wrap {
                let operand = length.clone();
                let negative = ExprKind::Unary { op: Unary::Negative, operand, check: Check::None };
                Expr::new(negative, Type::INT, span)
            } else {
                number(0)
            };
            within = Expr::both(within, Expr::compare(Compare::GreaterEqual, index.clone(), least));
            within = Expr::both(within, Expr::compare(Compare::Less, index.clone(), length));
        }
        let nothing = Expr::new(ExprKind::Cast { value: number(0), check: Check::None }, ty, span);
        let element = self.variable(ty);
        let found = Expr::new(ExprKind::Var(element), ty, span);
        let load = std::mem::replace(expr, found);
        let value = ExprKind::If { condition: within, then: load, orelse: nothing };
        before.push(Statement::assign(element, Expr::new(value, ty, span), span));
    }

    /// A `For` whose bounds are others in each iteration, as a `While`.
    fn counted(&mut self, before: &mut Block, of: &For, span: Span) -> Statement {
        let [next, stop] = [(); 2].map(|()| self.variable(Type::INT));
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        before.push(Statement::assign(next, of.start.clone(), span));
        before.push(Statement::assign(stop, of.stop.clone(), span));
        let more = ExprKind::Binary {
            op: Binary::Add,
            left: int(next),
            right: Expr::new(ExprKind::Int(1), Type::INT, span),
            check: Check::None,
        };
        let mut body = vec![
            Statement::assign(of.var, int(next), span),
            Statement::assign(next, Expr::new(more, Type::INT, span), span),
        ];
        body.extend(of.body.iter().cloned());
        let condition = Expr::compare(Compare::Less, int(next), int(stop));
        Statement { kind: StatementKind::While { head: Block::new(), condition, body }, span }
    }

    fn is_number(&self, var: Var) -> bool {
        self.variables[var.0 as usize].ty.scalar().is_some_and(|scalar| scalar.kind != Kind::I128)
    }
}

/// A body, taken apart.
struct Nest {
    before: Block,
    inner: Statement,
    after: Block,
    kept: BTreeSet<Var>,
    carried: Vec<Var>,
    /// Must hold when the outer loop is entered.
    condition: Expr,
}

/// A parallel loop of which the iterations' order does not matter at all.
fn is_plain(parallel: &Parallel) -> bool {
    parallel.plan.as_ref().is_some_and(|plan| {
        let writes = !plan.accumulated.is_empty() || !plan.overwritten.is_empty();
        !parallel.unchecked && !writes && !plan.leaves && plan.reductions.is_empty()
    })
}

/// What comes before the one loop of a body, the loop, and what comes behind it. The labelled blocks around the loop, outermost first, are opened
/// before it.
fn split(block: &[Statement], labels: &mut Vec<Label>) -> Option<(Block, Statement, Block)> {
    let place = block.iter().position(holds_loop)?;
    let (before, [middle, rest @ ..]) = block.split_at(place) else { return None };
    if rest.iter().any(holds_loop) {
        return None;
    }
    let mut before = before.to_vec();
    match &middle.kind {
        StatementKind::For(_) | StatementKind::While { .. } => Some((before, middle.clone(), rest.to_vec())),
        StatementKind::Labelled { label, body, call } => {
            labels.push(*label);
            let (first, inner, last) = split(body, labels)?;
            before.extend(first);
            let last = StatementKind::Labelled { label: *label, body: last, call: *call };
            let mut after = vec![Statement { kind: last, span: middle.span }];
            after.extend_from_slice(rest);
            Some((before, inner, after))
        }
        _ => None,
    }
}

fn holds_loop(statement: &Statement) -> bool {
    matches!(
        statement.kind,
        StatementKind::For(_)
            | StatementKind::While { .. }
            | StatementKind::Lockstep(_)
            | StatementKind::Call { .. }
    ) || blocks(statement).into_iter().flatten().any(holds_loop)
}

/// The block behind the loop, within so many labelled ones, of which each stands first.
fn innermost(block: &mut Block, depth: usize) -> &mut Block {
    if depth == 0 {
        return block;
    }
    let Some(Statement { kind: StatementKind::Labelled { body, .. }, .. }) = block.first_mut() else {
        unreachable!("`split` has opened it")
    };
    innermost(body, depth - 1)
}

/// Gives values to variables, perhaps on a condition, and cannot fail.
fn straight(statement: &Statement, labels: &[Label]) -> bool {
    let fine = expressions(statement).into_iter().all(|expr| !fails(expr));
    let own = match &statement.kind {
        StatementKind::Assign { value, .. } => value.ty.scalar().is_some(),
        StatementKind::If { .. } | StatementKind::Labelled { .. } => true,
        StatementKind::Leave(label) => !labels.contains(label),
        _ => false,
    };
    fine && own && blocks(statement).into_iter().flatten().all(|inner| straight(inner, labels))
}

/// May stand behind the loop; where that may be `long`, it does not leave the loop around.
fn follows(statement: &Statement, long: bool) -> bool {
    let failing = |expr: &Expr| happens_once(expr) || long && fails(expr);
    let fine = !expressions(statement).into_iter().any(failing);
    let own = match &statement.kind {
        StatementKind::Assign { value, .. } => value.ty.scalar().is_some(),
        StatementKind::Store { check, .. } => !long || !matches!(check, Check::Branch | Check::Flag),
        StatementKind::If { .. } | StatementKind::Labelled { .. } | StatementKind::Leave(_) => true,
        StatementKind::Raise { .. } => !long,
        _ => false,
    };
    fine && own && blocks(statement).into_iter().flatten().all(|inner| follows(inner, long))
}

/// Leaves for a label that is not known.
fn goes_out(statement: &Statement, known: &mut Vec<Label>) -> bool {
    if let StatementKind::Labelled { label, .. } = statement.kind {
        known.push(label);
    }
    matches!(statement.kind, StatementKind::Leave(label) if !known.contains(&label))
        || blocks(statement).into_iter().flatten().any(|inner| goes_out(inner, known))
}

/// Can be done in lanes.
fn in_lanes(statement: &Statement) -> bool {
    let fine = expressions(statement).into_iter().all(suits);
    let own = matches!(
        statement.kind,
        StatementKind::Assign { .. }
            | StatementKind::If { .. }
            | StatementKind::Labelled { .. }
            | StatementKind::Leave(_)
            | StatementKind::Break
            | StatementKind::Continue
    );
    fine && own && blocks(statement).into_iter().flatten().all(in_lanes)
}

/// Can be evaluated in lanes, at no more than its price for one number.
fn suits(expr: &Expr) -> bool {
    let Some(Scalar { kind, .. }) = expr.ty.scalar() else { return false };
    let constant = |expr: &Expr| match *expr.kind {
        ExprKind::Int(value) => Some(value),
        _ => None,
    };
    let part = if kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
    let own = match &*expr.kind {
        ExprKind::Bool(_)
        | ExprKind::Int(_)
        | ExprKind::Float(_)
        | ExprKind::Complex(..)
        | ExprKind::Var(_)
        | ExprKind::Dim { .. }
        | ExprKind::Compare { .. }
        | ExprKind::If { .. }
        | ExprKind::Cast { .. } => true,
        ExprKind::Unary { op, operand, .. } => {
            let complex = operand.ty.scalar().is_some_and(|of| of.kind.is_complex());
            !complex || *op == Unary::Negative || straight_math(Math::Hypot, part)
        }
        ExprKind::Binary { op, left, right, check } => match op {
            Binary::Divide => !(is_whole(left) && is_whole(right)),
            // LLVM has no good vectors for these.
            Binary::Multiply => !kind.is_integer() || *check == Check::None,
            Binary::FloorDivide | Binary::Modulo => {
                kind.is_integer() && constant(right).is_some_and(|by| by > 0 && by.count_ones() == 1)
            }
            Binary::Power => match &*right.kind {
                ExprKind::Int(0..=8) => kind.is_integer(),
                ExprKind::Float(2.0) => kind.is_float(),
                _ => false,
            },
            _ => true,
        },
        ExprKind::Math { function, arguments, .. } => {
            let from = arguments.first().and_then(|argument| argument.ty.scalar());
            let from = from.map_or(kind, |scalar| scalar.kind);
            match function {
                Math::Complex | Math::Real | Math::Imag | Math::Conjugate => true,
                Math::Sqrt | Math::CopySign | Math::Fma if from.is_float() => true,
                Math::Gamma | Math::LogGamma | Math::Gcd | Math::PopCount => false,
                _ => straight_math(*function, from),
            }
        }
        _ => false,
    };
    kind != Kind::I128 && own && operands(expr).into_iter().all(suits)
}

/// Computes with floats.
fn waits(expr: &Expr) -> bool {
    let float = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float() || scalar.kind.is_complex());
    float && matches!(*expr.kind, ExprKind::Binary { .. } | ExprKind::Math { .. })
        || operands(expr).into_iter().any(waits)
}

/// A float that was made of an int.
fn is_whole(expr: &Expr) -> bool {
    let whole = |value: &Expr| {
        value.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer() || scalar.kind == Kind::Bool)
    };
    matches!(&*expr.kind, ExprKind::Cast { value, .. } if whole(value))
}

/// Whether a function's text has neither branches nor tables.
fn straight_math(function: Math, kind: Kind) -> bool {
    let text = math::definitions(&BTreeSet::from([(function, kind)])).text;
    !text.is_empty() && !["br ", "load ", "phi ", "switch "].iter().any(|word| text.contains(word))
}

/// What raises only notes that it would.
fn soften(expr: &mut Expr) {
    match &mut *expr.kind {
        ExprKind::Unary { check, .. }
        | ExprKind::Binary { check, .. }
        | ExprKind::Cast { check, .. }
        | ExprKind::Math { check, .. }
            if *check == Check::Branch =>
        {
            *check = Check::Flag;
        }
        _ => {}
    }
    operands_mut(expr).into_iter().for_each(soften);
}

fn soften_all(statement: &mut Statement) {
    expressions_mut(statement).into_iter().for_each(soften);
    blocks_mut(statement).into_iter().flatten().for_each(soften_all);
}

/// Raises, draws, or makes an array.
fn fails(expr: &Expr) -> bool {
    let own = match &*expr.kind {
        ExprKind::Unary { check, .. }
        | ExprKind::Binary { check, .. }
        | ExprKind::Cast { check, .. }
        | ExprKind::Load { check, .. }
        | ExprKind::Math { check, .. } => matches!(check, Check::Branch | Check::Flag),
        _ => false,
    };
    own || happens_once(expr) || operands(expr).into_iter().any(fails)
}

fn happens_once(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. })
        || operands(expr).into_iter().any(happens_once)
}

/// Puts what `tell` gives in the place of jumps out of the loop.
fn told_leaves(block: &mut Block, tell: &mut impl FnMut(Label) -> Option<Block>) {
    let mut at = 0;
    while at < block.len() {
        if let StatementKind::Leave(label) = block[at].kind
            && let Some(told) = tell(label)
        {
            block.splice(at..=at, told);
            // What follows is not reached.
            return;
        }
        blocks_mut(&mut block[at]).into_iter().for_each(|inner| told_leaves(inner, tell));
        at += 1;
    }
}

/// All that a block reads.
fn read_in(block: &[Statement], found: &mut BTreeSet<Var>) {
    statements(block, &mut |statement| {
        for expr in expressions(statement) {
            reads(expr, &mut |var, _| {
                found.insert(var);
            });
        }
    });
}

/// What the guards and plans in a block read.
fn guarded(block: &[Statement]) -> BTreeSet<Var> {
    let mut found = BTreeSet::new();
    fn look(block: &[Statement], found: &mut BTreeSet<Var>) {
        for statement in block {
            if let StatementKind::For(each) = &statement.kind {
                if let Some(fast) = &each.fast {
                    for block in [&fast.guard, &fast.before, &fast.after] {
                        read_in(block, found);
                    }
                    reads(&fast.condition, &mut |var, _| {
                        found.insert(var);
                    });
                    found.extend(&fast.save);
                    look(&fast.body, found);
                }
                if let Some(plan) = each.parallel.as_ref().and_then(|parallel| parallel.plan.as_ref()) {
                    for condition in &plan.conditions {
                        reads(condition, &mut |var, _| {
                            found.insert(var);
                        });
                    }
                }
            }
            blocks(statement).into_iter().for_each(|inner| look(inner, found));
        }
    }
    look(block, &mut found);
    found
}

/// Makes the bounds of a loop constants of one turn, for a look at what is assigned then.
fn run_at_least_once(block: &mut Block, of: &For) {
    for statement in block {
        if let StatementKind::For(each) = &mut statement.kind
            && each.id == of.id
        {
            let number = |value| Expr::new(ExprKind::Int(value), Type::INT, each.start.span);
            (each.start, each.stop) = (number(0), number(1));
        }
        blocks_mut(statement).into_iter().for_each(|inner| run_at_least_once(inner, of));
    }
}
