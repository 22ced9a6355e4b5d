//! Stage 6: a loop around a sum in order is taken several iterations at a time, so that as many sums grow side by side.
//!
//! An addition has to wait for the one before it, some four cycles, while the processor could do many: the distance from one point to the next in
//! `for j: s = 0; for k: s += ...; out[j] = s` is as far from its limit as that. So the body is written out for four iterations in a row: what comes
//! before the inner loop, the inner loops as one, then what comes behind it, in the order of the iterations (unroll and jam, as in
//! Carr and Kennedy). Each sum has the same terms in the same order, so no bit changes.
//!
//! What makes it sound: up to the end of the inner loop nothing can fail and nothing is written but variables, which each copy has
//! for itself; what follows writes arrays that share no memory with those read before (shown when the loop is entered).

mod calls;
mod deep;
mod lockstep;
mod strips;
mod tiles;

use std::collections::BTreeSet;

use crate::emit::split::is_split;
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, For, Function, Kind, Math, Module, Scalar, Span,
    Statement, StatementKind, Type, Var, Variable,
};
use crate::races::walk::{assigned, named, rename, statements};
use crate::walk::{blocks_mut, expressions, operands};

/// Iterations that are taken at a time.
const COPIES: i128 = 4;
/// Statements of a body that is worth it: more would not stay in registers.
const LONGEST: usize = 12;
/// Pairs of arrays that are shown apart.
const PAIRS: usize = 6;

/// The level of x86-64 (see `level`) that has registers for tiles of sums in lanes.
const TILED: u32 = 4;

/// Rewrites a module in place, for machines of this level.
pub fn together(module: &mut Module, level: u32) {
    lockstep::together(module, level);
    for function in &mut module.functions {
        let Function { variables, body, .. } = function;
        calls::flatten(body);
        Jammer { variables, tiles: level >= TILED }.block(body);
    }
}

struct Jammer<'a> {
    variables: &'a mut Vec<Variable>,
    /// Sums in lanes are worked on, too.
    tiles: bool,
}

impl Jammer<'_> {
    fn block(&mut self, block: &mut Block) {
        let mut at = 0;
        while at < block.len() {
            if let StatementKind::For(each) = &mut block[at].kind {
                if let Some(first) = self.deep(each) {
                    at += first.len() + 1;
                    block.splice(at - first.len() - 1..at - first.len() - 1, first);
                    continue;
                }
                let before = self.variables.len();
                // The version without checks is the one that runs.
                let inner = each.fast.as_mut().map_or(&mut each.body, |fast| &mut fast.body);
                self.block(inner);
                let new = (before..self.variables.len()).filter_map(|number| u32::try_from(number).ok());
                if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
                    plan.private.extend(new.map(Var));
                }
                let tiled = if self.tiles { self.tiles(each) } else { None };
                if let Some(first) = tiled.or_else(|| self.strips(each)).or_else(|| self.jammed(each)) {
                    let count = first.len();
                    block.splice(at..at, first);
                    at += count;
                }
            } else if !matches!(block[at].kind, StatementKind::Lockstep(_)) {
                blocks_mut(&mut block[at]).into_iter().for_each(|inner| self.block(inner));
            }
            at += 1;
        }
    }

    /// What takes all but the last few iterations of the loop, which goes on from there.
    fn jammed(&mut self, each: &mut For) -> Option<Block> {
        let serial = each
            .parallel
            .as_ref()
            .is_none_or(|parallel| parallel.plan.is_none() && !strips::draws(&each.body));
        if !serial || *each.step.kind != ExprKind::Int(1) {
            return None;
        }
        let (guard, body) = match &each.fast {
            None => (None, &each.body),
            Some(fast) if !fast.attempt && fast.before.is_empty() && fast.after.is_empty() => {
                (Some((fast.guard.clone(), fast.condition.clone())), &fast.body)
            }
            Some(_) => return None,
        };
        let nest = Nest::of(each.var, body, self.variables)?;
        let apart = nest.apart()?;
        let span = each.start.span;
        let [low, high, at] = [(); 3].map(|()| self.variable(Type::INT));
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);
        let binary = |op: Binary, left: Expr, right: Expr| {
            let ty = left.ty;
            Expr::new(ExprKind::Binary { op, left, right, check: Check::None }, ty, span)
        };
        let wide = |value: Expr| Expr::new(ExprKind::Cast { value, check: Check::None }, WIDE, span);
        let count = binary(Binary::Subtract, wide(int(high)), wide(int(low)));
        let limit = |value: i128| Expr::new(ExprKind::Int(value), WIDE, span);
        let mut condition = Expr::both(
            Expr::compare(Compare::GreaterEqual, count.clone(), limit(COPIES)),
            Expr::compare(Compare::LessEqual, count, limit(1 << 62)),
        );
        for (left, right) in apart {
            let disjoint = Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span);
            condition = Expr::both(condition, disjoint);
        }
        let mut first = vec![
            Statement::assign(low, each.start.clone(), span),
            Statement::assign(high, each.stop.clone(), span),
        ];
        if let Some((guard, holds)) = guard {
            first.extend(guard);
            condition = Expr::both(holds, condition);
        }
        let body = self.copies(each.var, at, &nest, COPIES, span);
        let left = binary(Binary::And, binary(Binary::Subtract, int(high), int(low)), number(COPIES - 1));
        let middle = self.variable(Type::INT);
        let quick = For {
            id: each.id,
            var: at,
            start: int(low),
            stop: int(middle),
            step: number(COPIES),
            body,
            parallel: each.parallel.clone(),
            fast: None,
        };
        let then = vec![
            Statement::assign(middle, binary(Binary::Subtract, int(high), left), span),
            Statement { kind: StatementKind::For(Box::new(quick)), span },
            Statement::assign(low, int(middle), span),
        ];
        first.push(Statement { kind: StatementKind::If { condition, then, orelse: Vec::new() }, span });
        each.start = int(low);
        each.stop = int(high);
        Some(first)
    }

    /// The body for so many iterations from `at` on. The last copy keeps the names: behind the loop they have the last iteration's values.
    fn copies(&mut self, own: Var, at: Var, nest: &Nest, count: i128, span: Span) -> Block {
        let int = |kind: ExprKind| Expr::new(kind, Type::INT, span);
        let (mut names, mut places) = (Vec::new(), Vec::new());
        for copy in 0..count {
            let mut new = Vec::new();
            if copy + 1 < count {
                new.extend(nest.own.iter().chain([&own]).map(|var| (*var, self.twin(*var))));
            }
            let (left, right) = (int(ExprKind::Var(at)), int(ExprKind::Int(copy)));
            let place = int(ExprKind::Binary { op: Binary::Add, left, right, check: Check::None });
            places.push(vec![Statement::assign(own, place, span)]);
            names.push(new);
        }
        let mut out = Block::new();
        let (place, behind) =
            nest.early.iter().position(is_for).map_or((nest.early, &[][..]), |at| nest.early.split_at(at));
        for (names, mut first) in names.iter().zip(places) {
            first.extend_from_slice(place);
            out.extend(renamed(first, names));
        }
        out.extend(jammed(behind, &names));
        out.extend(names.iter().flat_map(|names| renamed(nest.after.to_vec(), names)));
        out
    }

    /// A new variable of the same name and type.
    fn twin(&mut self, var: Var) -> Var {
        let twin = self.variable(self.variables[var.0 as usize].ty);
        self.variables[twin.0 as usize].name = self.variables[var.0 as usize].name.clone();
        twin
    }

    fn variable(&mut self, ty: Type) -> Var {
        self.variables.push(Variable { name: None, ty });
        Var(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }
}

const WIDE: Type = Type::Scalar(Scalar::python(Kind::I128));

/// A body that can be taken so.
struct Nest<'a> {
    /// Up to the end of the inner loop.
    early: &'a [Statement],
    after: &'a [Statement],
    /// Variables that each iteration has for itself; not the loop's own, nor the inner loop's.
    own: BTreeSet<Var>,
}

impl<'a> Nest<'a> {
    fn of(outer: Var, body: &'a [Statement], variables: &[Variable]) -> Option<Self> {
        let place = body.iter().position(is_for)?;
        let (before, [middle, after @ ..]) = body.split_at(place) else { return None };
        let StatementKind::For(inner) = &middle.kind else { return None };
        let straight = |block: &[Statement]| {
            block.iter().all(|statement| {
                matches!(&statement.kind, StatementKind::Assign { value, .. } if value.ty.scalar().is_some())
                    && !expressions(statement).into_iter().any(may_leave)
            })
        };
        // What is dear is made vectors of along the inner loop, where that is possible.
        let simple =
            inner.parallel.is_none() && inner.fast.is_none() && !is_split(inner.var, &inner.body, variables);
        if !simple || !straight(before) || !straight(&inner.body) || !after.iter().all(is_plain) {
            return None;
        }
        if before.len() + inner.body.len() > LONGEST {
            return None;
        }
        let early: BTreeSet<Var> = assigned(before);
        let inside: BTreeSet<Var> = assigned(&inner.body);
        let late: BTreeSet<Var> = assigned(after);
        let own: BTreeSet<Var> = early.union(&inside).copied().collect();
        // What only the inner loop assigns stays as it was where that does not run.
        if inside.iter().any(|var| late.contains(var) && !early.contains(var)) {
            return None;
        }
        if [outer, inner.var].iter().any(|var| own.contains(var) || late.contains(var)) || outer == inner.var
        {
            return None;
        }
        // The inner loops are one: as long for each iteration.
        let varies = |var: &Var| *var == outer || own.contains(var) || late.contains(var);
        let same = |expr: &Expr| !may_leave(expr) && !loads(expr) && !read(expr).iter().any(varies);
        let fixed = |bound: &Expr| match *bound.kind {
            ExprKind::Var(var) if early.contains(&var) && !inside.contains(&var) && !late.contains(&var) => {
                before.iter().all(|statement| match &statement.kind {
                    StatementKind::Assign { var: other, value } => *other != var || same(value),
                    _ => false,
                })
            }
            _ => same(bound),
        };
        if ![&inner.start, &inner.stop, &inner.step].into_iter().all(fixed) {
            return None;
        }
        // Nothing comes from an earlier iteration, but to what stands behind the inner loop.
        let mut known = BTreeSet::new();
        let fits = |known: &BTreeSet<Var>, expr: &Expr, late: &BTreeSet<Var>| {
            read(expr).iter().all(|var| known.contains(var) || !own.contains(var) && !late.contains(var))
        };
        for statement in before {
            let StatementKind::Assign { var, value } = &statement.kind else { return None };
            // (The inner loop's variable is the same behind each of the inner loops, and another before the first.)
            if !fits(&known, value, &late) || read(value).contains(&inner.var) {
                return None;
            }
            known.insert(*var);
        }
        let mut within = known.clone();
        let mut sums = 0;
        for statement in &inner.body {
            let StatementKind::Assign { var, value } = &statement.kind else { return None };
            if !fits(&within, value, &late) {
                return None;
            }
            within.insert(*var);
            // Begun before the inner loop.
            sums += usize::from(known.contains(var) && adds_up(statement));
        }
        let mut exposed = false;
        statements(after, &mut |statement| {
            for expr in expressions(statement) {
                exposed |= read(expr).iter().any(|var| own.contains(var) && !known.contains(var));
            }
        });
        let arrays = early.iter().chain(&inside).any(|var| variables[var.0 as usize].ty.scalar().is_none());
        (sums > 0 && !exposed && !arrays).then_some(Self { early: &body[..=place], after, own })
    }

    /// Pairs of arrays that must share no memory; `None` where one is both written and read, or there are too many.
    fn apart(&self) -> Option<Vec<(Var, Var)>> {
        let mut written = BTreeSet::new();
        statements(self.after, &mut |statement| {
            if let StatementKind::Store { array, .. } = statement.kind {
                written.insert(array);
            }
        });
        let mut read = BTreeSet::new();
        statements(self.early, &mut |statement| {
            expressions(statement).into_iter().for_each(|expr| arrays(expr, &mut read));
        });
        if !written.is_disjoint(&read) || written.len() * read.len() > PAIRS {
            return None;
        }
        Some(written.iter().flat_map(|left| read.iter().map(|right| (*left, *right))).collect())
    }
}

/// Each statement once for each copy, under its names; loops once, around all copies of what is in them; where a choice mostly falls one way,
/// what it is made for stands together for when it does so in all copies.
fn jammed(block: &[Statement], names: &[Vec<(Var, Var)>]) -> Block {
    let mut out = Block::new();
    let alone = |statement: &Statement| is_for(statement) || usual(statement).is_some();
    for part in block.chunk_by(|one, other| !alone(one) && !alone(other)) {
        match part {
            [statement] if usual(statement).is_some() => {
                let each: Block =
                    names.iter().flat_map(|names| renamed(vec![statement.clone()], names)).collect();
                let parts: Vec<_> = each.iter().filter_map(usual).collect();
                let condition = parts.iter().map(|(condition, _)| (*condition).clone()).reduce(Expr::both);
                let then = parts.iter().flat_map(|(_, then)| then.to_vec()).collect();
                if let Some(condition) = condition {
                    let kind = StatementKind::If { condition, then, orelse: each };
                    out.push(Statement { kind, span: statement.span });
                }
            }
            [Statement { kind: StatementKind::For(inner), span }] => {
                let all = For { body: jammed(&inner.body, names), ..(**inner).clone() };
                out.push(Statement { kind: StatementKind::For(Box::new(all)), span: *span });
            }
            _ => out.extend(names.iter().flat_map(|names| renamed(part.to_vec(), names))),
        }
    }
    out
}

/// A sum that leaves out where two numbers are the same (`if i != j`): the condition, and what is done mostly.
fn usual(statement: &Statement) -> Option<(&Expr, &Block)> {
    let StatementKind::If { condition, then, orelse } = &statement.kind else { return None };
    let mostly = matches!(*condition.kind, ExprKind::Compare { op: Compare::NotEqual, .. });
    let straight = then.iter().all(|inner| matches!(inner.kind, StatementKind::Assign { .. }));
    (mostly && straight && orelse.is_empty() && then.iter().any(adds_up)).then_some((condition, then))
}

/// `s = s + x` or `s - x` of floats.
fn adds_up(statement: &Statement) -> bool {
    matches!(&statement.kind, StatementKind::Assign { var, value } if is_float(value)
        && matches!(&*value.kind, ExprKind::Binary { op: Binary::Add | Binary::Subtract, left, .. }
            if *left.kind == ExprKind::Var(*var)))
}

fn renamed(mut block: Block, names: &[(Var, Var)]) -> Block {
    for (from, to) in names {
        rename(&mut block, *from, *to);
    }
    block
}

fn is_for(statement: &Statement) -> bool {
    matches!(statement.kind, StatementKind::For(_))
}

/// Assigns numbers and stores, perhaps on a condition.
fn is_plain(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Assign { value, .. } => value.ty.scalar().is_some(),
        StatementKind::Store { .. } => true,
        StatementKind::If { then, orelse, .. } => then.iter().all(is_plain) && orelse.iter().all(is_plain),
        _ => false,
    }
}

/// Raises, draws, makes arrays, or takes so long that an addition is not what it waits for. (Roots and divisions do, but those of several iterations
/// are vectors.)
fn may_leave(expr: &Expr) -> bool {
    let own = match &*expr.kind {
        ExprKind::Unary { check, .. } | ExprKind::Cast { check, .. } | ExprKind::Load { check, .. } => {
            *check == Check::Branch
        }
        ExprKind::Binary { op, check, .. } => {
            *check == Check::Branch
                || *op == Binary::Power && expr.ty != Type::INT
                || *op == Binary::Divide && !is_float(expr)
        }
        ExprKind::Math { function: Math::Sqrt, check, .. } if is_float(expr) => *check == Check::Branch,
        ExprKind::Math { .. } | ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. } => {
            true
        }
        _ => false,
    };
    own || operands(expr).into_iter().any(may_leave)
}

fn is_float(expr: &Expr) -> bool {
    expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float())
}

/// The variables that an expression reads, arrays included.
fn read(expr: &Expr) -> BTreeSet<Var> {
    let mut all: BTreeSet<Var> = named(expr).into_iter().collect();
    operands(expr).into_iter().for_each(|part| all.extend(read(part)));
    all
}

fn loads(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Load { .. }) || operands(expr).into_iter().any(loads)
}

/// The arrays whose elements an expression reads.
fn arrays(expr: &Expr, found: &mut BTreeSet<Var>) {
    if let ExprKind::Load { array, .. } = &*expr.kind {
        found.insert(*array);
    }
    operands(expr).into_iter().for_each(|part| arrays(part, found));
}
