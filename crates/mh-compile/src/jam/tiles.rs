//! Stage 6, sums in lanes: two loops around such a sum are taken two rows and two columns at a time.
//!
//! In `for i: for j: s = 0; for k in lanes: s += (x[i, k] - y[j, k]) ** 2` each element is read from memory once for each sum; with four sums side by
//! side, half as often (register tiling, as matrix products do it). Each sum keeps its own lanes and the order of its terms, so no bit changes.
//!
//! A tile's iterations are not in the order of the source. What makes that sound: the outer loop is a parallel one, so its iterations are
//! independent; a row can be run twice, as nothing that it reads is written, and nothing goes from one of its columns to the next; and where
//! something would raise, or a tile does not fit (`demand`), the two rows are run again, one after the other, as the source has them.

use std::collections::BTreeSet;

use super::{Jammer, PAIRS, WIDE, arrays, read, renamed};
use crate::abi::{LANES, block_length};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Fast, For, Length, Parallel, Part, Plan, Reduction,
    ReductionKind, Span, Statement, StatementKind, Type, Unary, Var, Variable,
};
use crate::races::walk::{assigned, named, statements};
use crate::walk::{blocks_mut, expressions, operands};

/// Rows and columns of a tile.
const TILE: usize = 2;
/// Vectors of 512 bits that the sums of one iteration take in 32 lanes: four times as many stay in registers, with what is added.
const VECTORS: i64 = 4;
/// Statements of an innermost body that is worth it.
const LONGEST: usize = 4;
/// Blocks of a sum; where there would be more, they are longer (`abi::block_length`).
const BLOCKS: i64 = 256;

/// Two loops around a sum in lanes.
struct Nest<'a> {
    /// What a row does before its columns.
    head: &'a [Statement],
    columns: &'a For,
    /// What a column does before the sum; leaves where it is not as it mostly is.
    before: Block,
    inner: &'a For,
    plan: &'a Plan,
    /// Of the inner loop: the body that mostly runs, and what must hold for that.
    guard: Option<&'a Fast>,
    after: Block,
    /// What each row, and each column of a row, has for itself.
    of_row: BTreeSet<Var>,
    of_column: BTreeSet<Var>,
    /// Arrays that must share no memory.
    apart: Vec<(Var, Var)>,
}

impl Jammer<'_> {
    /// Makes tiles of a loop's rows. Gives what comes before it.
    pub(super) fn tiles(&mut self, each: &mut For) -> Option<Block> {
        let kept = self.variables.len();
        let made = self.tiled(each);
        if made.is_none() {
            self.variables.truncate(kept);
        }
        made
    }

    fn tiled(&mut self, each: &mut For) -> Option<Block> {
        let plan = plain(each.parallel.as_ref()?)?;
        if *each.step.kind != ExprKind::Int(1) || !plan.reductions.is_empty() {
            return None;
        }
        let body = match &each.fast {
            None => &each.body,
            Some(fast) if !fast.attempt && fast.before.is_empty() && fast.after.is_empty() => &fast.body,
            Some(_) => return None,
        };
        let old = self.variables.len();
        let well = self.variable(Type::BOOL);
        let nest = Nest::of(each.var, body, well, self.variables)?;
        let span = each.start.span;
        let [stop, turn, end, once] = [(); 4].map(|()| self.variable(Type::INT));
        let apart = self.variable(Type::BOOL);
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let truth = |var: Var| Expr::new(ExprKind::Var(var), Type::BOOL, span);
        let number = |value: i128| Expr::new(ExprKind::Int(value), Type::INT, span);
        let statement = |kind: StatementKind| Statement { kind, span };

        // What the plan asks for, too: else one thread runs the rows in their order.
        let disjoint = |(left, right)| Expr::new(ExprKind::Disjoint { left, right }, Type::BOOL, span);
        let pairs = nest.apart.iter().chain(&plan.distinct);
        let pairs: BTreeSet<(Var, Var)> =
            pairs.map(|(one, other)| (*one.min(other), *one.max(other))).collect();
        let all = pairs.into_iter().map(disjoint).chain(plan.conditions.iter().cloned());
        let all = all.reduce(Expr::both).unwrap_or_else(|| truth_of(true, span));
        let first =
            vec![Statement::assign(stop, each.stop.clone(), span), Statement::assign(apart, all, span)];

        let more = Expr::compare(Compare::Less, add(int(turn), 1), int(stop));
        let last = ExprKind::If { condition: more, then: add(int(turn), 2), orelse: int(stop) };
        let last = Statement::assign(end, Expr::new(last, Type::INT, span), span);
        let rows = |body: Block| {
            statement(StatementKind::For(Box::new(For {
                id: each.id,
                var: each.var,
                start: int(turn),
                stop: int(end),
                step: number(1),
                body,
                parallel: None,
                fast: None,
            })))
        };
        let tile = self.tile(each.var, [turn, stop], &nest, well, span);
        let attempt = For {
            id: each.id,
            var: once,
            start: number(0),
            stop: number(1),
            step: number(1),
            body: vec![Statement::assign(well, truth_of(false, span), span)],
            parallel: None,
            fast: Some(Box::new(Fast {
                guard: Block::new(),
                condition: truth_of(true, span),
                before: Block::new(),
                after: Block::new(),
                body: tile,
                attempt: true,
                save: Vec::new(),
            })),
        };
        let quick = vec![
            last.clone(),
            Statement::assign(well, truth(apart), span),
            statement(StatementKind::If {
                condition: truth(well),
                then: vec![statement(StatementKind::For(Box::new(attempt)))],
                orelse: Block::new(),
            }),
            statement(StatementKind::If {
                condition: not(truth(well)),
                then: vec![rows(long(body.clone()))],
                orelse: Block::new(),
            }),
        ];
        match &mut each.fast {
            None => each.body = quick,
            Some(fast) => {
                fast.body = quick;
                let body = std::mem::take(&mut each.body);
                each.body = vec![last, rows(body)];
            }
        }
        let outside = [stop, apart, turn];
        let new = (old..self.variables.len()).filter_map(|number| u32::try_from(number).ok()).map(Var);
        if let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut()) {
            plan.private.extend(new.filter(|var| !outside.contains(var)));
            plan.last.push(each.var);
        }
        each.var = turn;
        each.stop = int(stop);
        each.step = number(TILE as i128);
        Some(first)
    }

    /// The two rows from `turn` on, tile by tile. `well` is true before, and tells whether that was possible. Where there is only one row or column
    /// left, it is both of a tile's: what is done twice is the same.
    fn tile(&mut self, row: Var, [turn, stop]: [Var; 2], nest: &Nest, well: Var, span: Span) -> Block {
        let int = |var: Var| Expr::new(ExprKind::Var(var), Type::INT, span);
        let (columns, inner) = (nest.columns, nest.inner);
        let mut out = Block::new();
        // The last row and column keep the names: behind the loop they have the last iteration's values.
        let mut rows = Vec::new();
        for number in 0..TILE {
            let names = self.names(nest.of_row.iter().chain([&row]), number + 1 == TILE);
            let mut head = vec![Statement::assign(row, at_most(int(turn), number, int(stop)), span)];
            head.extend_from_slice(nest.head);
            out.extend(renamed(head, &names));
            rows.push(names);
        }
        let [at, high] = [(); 2].map(|()| self.variable(Type::INT));
        out.push(Statement::assign(high, columns.stop.clone(), span));

        let mut body = Block::new();
        let mut columns_of = Vec::new();
        for number in 0..TILE {
            let names = self.names([&columns.var], number + 1 == TILE);
            let first = Statement::assign(columns.var, at_most(int(at), number, int(high)), span);
            body.extend(renamed(vec![first], &names));
            columns_of.push(names);
        }
        let [mut demands, mut inside, mut after] = [const { Block::new() }; 3];
        let mut plan = Plan { length: Length::Short, ..Plan::default() };
        let own_body = nest.guard.map_or(&inner.body, |fast| &fast.body);
        for (number, (row, column)) in
            rows.iter().flat_map(|row| columns_of.iter().map(move |column| (row, column))).enumerate()
        {
            let mut names = self.names(&nest.of_column, number + 1 == TILE * TILE);
            names.extend(row.iter().chain(column));
            body.extend(renamed(nest.before.clone(), &names));
            if let Some(fast) = nest.guard {
                demands.extend(renamed(fast.guard.clone(), &names));
                demands.extend(renamed(vec![demand(fast.condition.clone(), well, span)], &names));
            }
            inside.extend(renamed(own_body.clone(), &names));
            after.extend(renamed(nest.after.clone(), &names));
            let name = |var: &Var| names.iter().find(|(old, _)| old == var).map_or(*var, |(_, new)| *new);
            plan.private.extend(nest.plan.private.iter().map(name));
            plan.last.extend(nest.plan.last.iter().map(name));
            plan.reductions.extend(nest.plan.reductions.iter().map(|Reduction { var, kind, .. }| {
                Reduction { var: name(var), kind: *kind, companions: Vec::new() }
            }));
        }
        let wide =
            |value: &Expr| Expr::new(ExprKind::Cast { value: value.clone(), check: Check::None }, WIDE, span);
        let longest = Expr::new(ExprKind::Int((BLOCKS * block_length(0, false)).into()), WIDE, span);
        let short =
            Expr::compare(Compare::LessEqual, subtract(wide(&inner.stop), wide(&inner.start)), longest);
        body.push(demand(short, well, span));
        body.extend(demands);
        let sums = For {
            body: inside,
            parallel: Some(Parallel { unchecked: false, implicit: true, plan: Some(plan) }),
            fast: None,
            ..inner.clone()
        };
        body.push(Statement { kind: StatementKind::For(Box::new(sums)), span });
        body.extend(after);
        let tiles = For {
            var: at,
            stop: int(high),
            step: Expr::new(ExprKind::Int(TILE as i128), Type::INT, span),
            body,
            ..columns.clone()
        };
        out.push(Statement { kind: StatementKind::For(Box::new(tiles)), span });
        out
    }

    /// New names for a copy; none for the last one.
    fn names<'v>(&mut self, vars: impl IntoIterator<Item = &'v Var>, last: bool) -> Vec<(Var, Var)> {
        if last {
            return Vec::new();
        }
        vars.into_iter().map(|var| (*var, self.twin(*var))).collect()
    }
}

impl<'a> Nest<'a> {
    fn of(row: Var, body: &'a [Statement], well: Var, variables: &[Variable]) -> Option<Self> {
        let (last, head) = body.split_last()?;
        let StatementKind::For(columns) = &last.kind else { return None };
        if columns.parallel.is_some() || columns.fast.is_some() || *columns.step.kind != ExprKind::Int(1) {
            return None;
        }
        let (before, inner, after) = flat(&columns.body, well)?;
        let plan = plain(inner.parallel.as_ref()?)?;
        let guard = inner.fast.as_deref();
        let kept = |fast: &Fast| {
            !fast.attempt && fast.before.is_empty() && fast.after.is_empty() && fast.save.is_empty()
        };
        let quick = guard.map_or(&inner.body, |fast| &fast.body);
        let step = *inner.step.kind == ExprKind::Int(1);
        if !step || plan.fine || !guard.is_none_or(kept) || !is_worth_it(plan, quick, variables) {
            return None;
        }

        let mut flow = Flow {
            well,
            own: assigned(body),
            known: BTreeSet::new(),
            varies: BTreeSet::new(),
            roots: Vec::new(),
        };
        flow.own.insert(row);
        flow.known.insert(row);
        flow.varies.insert(row);
        let of_row = assigned(head);
        let mut of_column: BTreeSet<Var> =
            [&before, quick, &after].into_iter().flat_map(|block| assigned(block)).collect();
        of_column.extend(guard.map(|fast| assigned(&fast.guard)).unwrap_or_default());
        of_column.remove(&well);
        let counters = [row, columns.var, inner.var];
        let apart = counters.iter().all(|var| !of_row.contains(var) && !of_column.contains(var))
            && row != columns.var
            && row != inner.var
            && columns.var != inner.var
            && of_row.is_disjoint(&of_column);
        if !apart {
            return None;
        }
        flow.own.extend(&of_column);
        flow.straight(head)?;
        let even = |flow: &Flow, each: &For| !flow.varies(&each.start) && !flow.varies(&each.stop);
        flow.exprs([&columns.start, &columns.stop])?;
        even(&flow, columns).then_some(())?;
        flow.known.insert(columns.var);
        flow.varies.insert(columns.var);
        flow.straight(&before)?;
        if plan
            .reductions
            .iter()
            .any(|reduction| !flow.known.contains(&reduction.var) || !of_column.contains(&reduction.var))
        {
            return None;
        }
        flow.exprs([&inner.start, &inner.stop])?;
        even(&flow, inner).then_some(())?;
        if let Some(fast) = guard {
            let mut flow = flow.clone();
            flow.straight(&fast.guard)?;
            flow.exprs([&fast.condition])?;
        }
        // What the inner loop alone assigns is not known behind it: perhaps it has no iterations.
        let mut within = flow.clone();
        within.known.insert(inner.var);
        within.straight(quick)?;
        flow.roots = within.roots;
        flow.plain(&after)?;

        let written = written(&after);
        let mut loaded = BTreeSet::new();
        for block in [head, &before, quick, &after] {
            statements(block, &mut |statement| {
                expressions(statement).into_iter().for_each(|expr| arrays(expr, &mut loaded));
            });
        }
        let bounds = [&columns.start, &columns.stop, &inner.start, &inner.stop];
        bounds.into_iter().for_each(|bound| arrays(bound, &mut loaded));
        let loaded: BTreeSet<Var> = loaded.into_iter().map(|array| flow.root(array)).collect();
        if written.iter().any(|array| flow.own.contains(array) || loaded.contains(array))
            || loaded.iter().any(|array| flow.own.contains(array))
            || written.len() * loaded.len() > PAIRS
        {
            return None;
        }
        let apart = written.iter().flat_map(|left| loaded.iter().map(|right| (*left, *right))).collect();
        Some(Self { head, columns, before, inner, plan, guard, after, of_row, of_column, apart })
    }
}

/// What an iteration has given a value to when it comes to a place.
#[derive(Clone)]
struct Flow {
    /// What demands tell: of no iteration.
    well: Var,
    /// All that it assigns anywhere.
    own: BTreeSet<Var>,
    known: BTreeSet<Var>,
    /// What has other values in other iterations.
    varies: BTreeSet<Var>,
    /// Views, and what they are views of.
    roots: Vec<(Var, Var)>,
}

impl Flow {
    fn root(&self, array: Var) -> Var {
        self.roots.iter().find(|(view, _)| *view == array).map_or(array, |(_, root)| *root)
    }

    /// Nothing is read that another iteration has left, and all can be evaluated twice.
    fn exprs<'e>(&self, exprs: impl IntoIterator<Item = &'e Expr>) -> Option<()> {
        exprs.into_iter().all(|expr| self.fits(expr)).then_some(())
    }

    fn fits(&self, expr: &Expr) -> bool {
        !happens_once(expr)
            && read(expr).iter().all(|var| self.known.contains(var) || !self.own.contains(var))
    }

    /// Whether a number, or the lengths of a view, may be others in other iterations.
    fn varies(&self, expr: &Expr) -> bool {
        let other = |var: &Var| self.varies.contains(var);
        match &*expr.kind {
            ExprKind::Load { .. } => true,
            ExprKind::View { array, parts, .. } => {
                let of = |part: &Part| match part {
                    Part::Slice { start, stop, step } => {
                        [start, stop, step].into_iter().flatten().any(|bound| self.varies(bound))
                    }
                    Part::Length(length) => self.varies(length),
                    Part::Index(_)
                    | Part::NewAxis
                    | Part::Axis(_)
                    | Part::Real
                    | Part::Imag
                    | Part::Diagonal => false,
                };
                other(array) || parts.iter().any(of)
            }
            _ => named(expr).iter().any(other) || operands(expr).into_iter().any(|part| self.varies(part)),
        }
    }

    /// Assignments of numbers and views, and what leaves.
    fn straight(&mut self, block: &[Statement]) -> Option<()> {
        for statement in block {
            match &statement.kind {
                StatementKind::Assign { var, value } => {
                    match &*value.kind {
                        ExprKind::View { array, .. } => {
                            let fits = operands(value).into_iter().all(|part| self.fits(part));
                            let exposed = self.own.contains(array) && !self.known.contains(array);
                            // A name stands for one array only.
                            if !fits || exposed || self.known.contains(var) {
                                return None;
                            }
                            self.roots.push((*var, self.root(*array)));
                        }
                        _ if value.ty.scalar().is_some() && self.fits(value) => {}
                        _ => return None,
                    }
                    self.known.insert(*var);
                    if self.varies(value) {
                        self.varies.insert(*var);
                    }
                }
                StatementKind::If { condition, then, orelse } => {
                    let leaves = match then.as_slice() {
                        [Statement { kind: StatementKind::Raise { values, .. }, .. }] => {
                            values.iter().all(|value| self.fits(value))
                        }
                        // A demand.
                        [Statement { kind: StatementKind::Assign { var, .. }, .. }, _] => *var == self.well,
                        _ => false,
                    };
                    if !leaves || !orelse.is_empty() || !self.fits(condition) {
                        return None;
                    }
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// What stands behind the sum: writes numbers, perhaps on a condition; and new variables on none.
    fn plain(&mut self, block: &[Statement]) -> Option<()> {
        for statement in block {
            expressions(statement).into_iter().all(|expr| self.fits(expr)).then_some(())?;
            match &statement.kind {
                StatementKind::Assign { var, value } if value.ty.scalar().is_some() => {
                    self.known.insert(*var);
                }
                StatementKind::Store { update: None, .. } => {}
                StatementKind::If { then, orelse, .. } => {
                    for inner in [then, orelse] {
                        if !assigned(inner).is_subset(&self.known) {
                            return None;
                        }
                        self.clone().plain(inner)?;
                    }
                }
                StatementKind::Raise { .. } => {}
                _ => return None,
            }
        }
        Some(())
    }
}

/// A body around one sum: what comes before it, the sum, what comes behind. Where an `if` decides, its side with the sum is taken for granted,
/// or the tile is given up.
fn flat(block: &[Statement], well: Var) -> Option<(Block, &For, Block)> {
    let place = block.iter().position(|statement| {
        let mut found = false;
        statements(std::slice::from_ref(statement), &mut |inner| {
            found |= matches!(&inner.kind, StatementKind::For(each) if each.parallel.is_some());
        });
        found
    })?;
    let (before, [middle, rest @ ..]) = block.split_at(place) else { return None };
    let mut before = before.to_vec();
    match &middle.kind {
        StatementKind::For(inner) => Some((before, inner, rest.to_vec())),
        StatementKind::If { condition, then, orelse } => {
            let (side, holds) = match flat(then, well) {
                Some(side) => (side, condition.clone()),
                None => (flat(orelse, well)?, not(condition.clone())),
            };
            before.push(demand(holds, well, middle.span));
            before.extend(side.0);
            let mut after = side.2;
            after.extend_from_slice(rest);
            Some((before, side.1, after))
        }
        _ => None,
    }
}

/// The plan of a loop of which the iterations' order does not matter, but to its reductions.
fn plain(parallel: &Parallel) -> Option<&Plan> {
    let plan = parallel.plan.as_ref()?;
    let writes = !plan.accumulated.is_empty() || !plan.overwritten.is_empty();
    (!parallel.unchecked && !writes && !plan.leaves).then_some(plan)
}

/// A cheap body whose sums stay in registers, four times.
fn is_worth_it(plan: &Plan, body: &[Statement], variables: &[Variable]) -> bool {
    let mut bytes = 0;
    for Reduction { var, kind, companions } in &plan.reductions {
        let Some(scalar) = variables[var.0 as usize].ty.scalar() else { return false };
        let laned = matches!(kind, ReductionKind::Sum | ReductionKind::Product)
            && (scalar.kind.is_float() || scalar.kind.is_complex());
        if !laned || !companions.is_empty() {
            return false;
        }
        bytes += scalar.kind.size() * LANES;
    }
    let cheap = |statement: &Statement| matches!(&statement.kind, StatementKind::Assign { value, .. } if value.ty.scalar().is_some() && is_cheap(value));
    let demands = plan.distinct.is_empty() && plan.conditions.is_empty();
    demands && (1..=VECTORS * 64).contains(&bytes) && body.len() <= LONGEST && body.iter().all(cheap)
}

/// Takes no longer than to read what it works on, and cannot raise.
fn is_cheap(expr: &Expr) -> bool {
    let own = match &*expr.kind {
        ExprKind::Unary { check, .. } | ExprKind::Cast { check, .. } | ExprKind::Load { check, .. } => {
            *check != Check::Branch
        }
        ExprKind::Binary { op, check, .. } => {
            *check != Check::Branch
                && !matches!(op, Binary::Divide | Binary::Power | Binary::FloorDivide | Binary::Modulo)
        }
        ExprKind::Math { .. } | ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. } => {
            false
        }
        _ => true,
    };
    own && operands(expr).into_iter().all(is_cheap)
}

/// Draws, or makes an array.
fn happens_once(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Random { .. } | ExprKind::New { .. } | ExprKind::View { .. })
        || operands(expr).into_iter().any(happens_once)
}

fn written(block: &[Statement]) -> BTreeSet<Var> {
    let mut written = BTreeSet::new();
    statements(block, &mut |statement| {
        if let StatementKind::Store { array, .. } = statement.kind {
            written.insert(array);
        }
    });
    written
}

/// Leaves the tiles where this does not hold.
fn demand(holds: Expr, well: Var, span: Span) -> Statement {
    let then = vec![
        Statement::assign(well, truth_of(false, span), span),
        Statement { kind: StatementKind::Break, span },
    ];
    Statement { kind: StatementKind::If { condition: not(holds), then, orelse: Block::new() }, span }
}

fn not(operand: Expr) -> Expr {
    let span = operand.span;
    Expr::new(ExprKind::Unary { op: Unary::Not, operand, check: Check::None }, Type::BOOL, span)
}

fn truth_of(value: bool, span: Span) -> Expr {
    Expr::new(ExprKind::Bool(value), Type::BOOL, span)
}

fn subtract(left: Expr, right: Expr) -> Expr {
    let (ty, span) = (left.ty, left.span);
    Expr::new(ExprKind::Binary { op: Binary::Subtract, left, right, check: Check::None }, ty, span)
}

fn add(left: Expr, value: i128) -> Expr {
    let span = left.span;
    let right = Expr::new(ExprKind::Int(value), Type::INT, span);
    Expr::new(ExprKind::Binary { op: Binary::Add, left, right, check: Check::None }, Type::INT, span)
}

/// `value + number`, where that is less than `stop`, else the last value before that; `value` is less.
fn at_most(value: Expr, number: usize, stop: Expr) -> Expr {
    if number == 0 {
        return value;
    }
    let span = value.span;
    let (left, right) = (add(value, number as i128), add(stop, -1));
    Expr::new(ExprKind::Binary { op: Binary::Min, left, right, check: Check::None }, Type::INT, span)
}

/// The sums in lanes of a block that seldom runs, but where they are long.
fn long(mut block: Block) -> Block {
    for statement in &mut block {
        if let StatementKind::For(each) = &mut statement.kind
            && let Some(plan) = each.parallel.as_mut().and_then(|parallel| parallel.plan.as_mut())
        {
            plan.length = Length::Long;
        }
        for inner in blocks_mut(statement) {
            *inner = long(std::mem::take(inner));
        }
    }
    block
}
