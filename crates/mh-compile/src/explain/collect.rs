//! From the IR: types of variables, loops, what is checked where.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Explanation, Loop, LoopKind, What, When};
use crate::abi::LANES;
use crate::compile::type_name;
use crate::emit::parallel::{LARGE, suits, written_in_a_row};
use crate::emit::walk::blocks;
use crate::ir::{
    self, Binary, Expr, ExprKind, For, Function, Kind, Layout, LoopId, Module, Plan, Reduction,
    ReductionKind, Span, Statement, StatementKind, Type, Var,
};
use crate::walk::{expressions, operands};

/// Checks by the loop that they are made in, as it is written or as it mostly runs; and whether only a flag is raised.
type Sites = BTreeMap<LoopId, BTreeMap<Check, bool>>;

pub(super) fn function(function: &Function, module: &Module, explanation: &mut Explanation) {
    let mut seen = BTreeSet::new();
    for var in &function.parameters {
        note_type(function, *var, function.span, &mut seen, explanation);
    }
    types(function, &function.body, &mut seen, explanation);
    let mut written = Sites::new();
    let mut running = Sites::new();
    let place = Place { function, module };
    place.sites(&function.body, false, None, &mut written);
    place.sites(&function.body, true, None, &mut running);
    let first = explanation.loops.len();
    place.loops(&function.body, first, (false, false), explanation);
    for of in &mut explanation.loops[first..] {
        let (Some(written), running) = (written.get(&of.id), running.get(&of.id)) else { continue };
        for check in written.keys() {
            let when = match running.and_then(|running| running.get(check)) {
                None => When::Before,
                Some(true) => When::Behind,
                Some(false) => When::EachTurn,
            };
            of.checks.push((check.clone(), when));
        }
    }
}

fn note_type(
    function: &Function,
    var: Var,
    span: Span,
    seen: &mut BTreeSet<(String, String)>,
    explanation: &mut Explanation,
) {
    let Some(variable) = function.variables.get(var.0 as usize) else { return };
    let Some(name) = &variable.name else { return };
    let ty = match variable.ty {
        Type::Array(array) if array.layout == Layout::Places => "a formula, no array is made".to_string(),
        ty => type_name(ty),
    };
    if seen.insert((name.clone(), ty.clone())) {
        explanation.types.entry((span.source, span.line)).or_default().push(format!("{name}: {ty}"));
    }
}

fn types(
    function: &Function,
    block: &[Statement],
    seen: &mut BTreeSet<(String, String)>,
    explanation: &mut Explanation,
) {
    for statement in block {
        match &statement.kind {
            StatementKind::Assign { var, .. } => note_type(function, *var, statement.span, seen, explanation),
            StatementKind::For(each) => note_type(function, each.var, statement.span, seen, explanation),
            StatementKind::Call { results, .. } => {
                for var in results {
                    note_type(function, *var, statement.span, seen, explanation);
                }
            }
            _ => {}
        }
        for inner in blocks(statement) {
            types(function, inner, seen, explanation);
        }
    }
}

struct Place<'a> {
    function: &'a Function,
    module: &'a Module,
}

impl Place<'_> {
    /// The checks of a block, by their innermost loop. `quick`: of fast versions where there are.
    fn sites(&self, block: &[Statement], quick: bool, around: Option<LoopId>, sites: &mut Sites) {
        for statement in block {
            if let Some(around) = around {
                let found = sites.entry(around).or_default();
                if let StatementKind::Store { check: ir::Check::Branch, .. } = statement.kind {
                    found.insert(Check { what: What::Subscript, text: self.text(statement.span) }, false);
                }
                for expr in expressions(statement) {
                    self.checks(expr, found);
                }
            }
            match &statement.kind {
                StatementKind::For(each) => {
                    let body = match &each.fast {
                        Some(fast) if quick => &fast.body,
                        _ => &each.body,
                    };
                    self.sites(body, quick, Some(each.id), sites);
                }
                _ => {
                    for inner in blocks(statement) {
                        self.sites(inner, quick, around, sites);
                    }
                }
            }
        }
    }

    fn checks(&self, expr: &Expr, found: &mut BTreeMap<Check, bool>) {
        for operand in operands(expr) {
            self.checks(operand, found);
        }
        let float = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float() || scalar.kind.is_complex());
        let flag = matches!(
            &*expr.kind,
            ExprKind::Binary { check: ir::Check::Flag, .. } | ExprKind::Math { check: ir::Check::Flag, .. }
        );
        let what = match &*expr.kind {
            ExprKind::Load { check: ir::Check::Branch, .. }
            | ExprKind::View { check: ir::Check::Branch, .. } => What::Subscript,
            ExprKind::Binary { op, check: ir::Check::Branch | ir::Check::Flag, .. } => match op {
                Binary::Divide | Binary::FloorDivide | Binary::Modulo => What::Division,
                _ if float => What::Argument,
                _ => What::Overflow,
            },
            ExprKind::Unary { check: ir::Check::Branch, .. }
            | ExprKind::Cast { check: ir::Check::Branch, .. } => What::Overflow,
            ExprKind::Math { check: ir::Check::Branch | ir::Check::Flag, .. } => What::Argument,
            _ => return,
        };
        // Of two of the same text, the one that is looked at sooner counts least.
        *found.entry(Check { what, text: self.text(expr.span) }).or_insert(true) &= flag;
    }

    /// The source at a place, in one line.
    fn text(&self, span: Span) -> String {
        let Some(source) = self.module.sources.get(usize::from(span.source)) else { return String::new() };
        let Some(first) = span.line.checked_sub(source.first_line) else { return String::new() };
        let Some(line) = source.text.lines().nth(first as usize) else { return String::new() };
        let end = if span.end_line == span.line { span.end_column as usize } else { line.len() };
        line.get(span.column as usize..end).unwrap_or(line).trim().to_string()
    }

    /// `first`: where the loops of this function begin, which count their own; `around`: whether there is a loop around these, and a
    /// parallel one.
    fn loops(&self, block: &[Statement], first: usize, around: (bool, bool), explanation: &mut Explanation) {
        for statement in block {
            match &statement.kind {
                StatementKind::For(each) => {
                    // A twin, or a part of the iterations: each loop of the source once.
                    if !explanation.loops[first..].iter().any(|of| of.id == each.id) {
                        explanation.loops.push(self.for_loop(each, statement.span, around));
                    }
                    let known = explanation.loops[first..].iter().find(|of| of.id == each.id);
                    let parallel = known.is_some_and(|of| of.kind == LoopKind::Parallel);
                    let around = (true, around.1 || parallel);
                    // As it mostly runs, before it is as it is written.
                    if let Some(fast) = &each.fast {
                        self.loops(&fast.body, first, around, explanation);
                    }
                    self.loops(&each.body, first, around, explanation);
                }
                StatementKind::While { body, .. } => {
                    explanation.loops.push(Loop {
                        id: LoopId(u32::MAX),
                        span: statement.span,
                        last_line: last_line(body, statement.span),
                        kind: LoopKind::While,
                        inside: around.1,
                        innermost: !holds_loops(body),
                        facts: Vec::new(),
                        checks: Vec::new(),
                    });
                    self.loops(body, first, (true, around.1), explanation);
                }
                _ => {
                    for inner in blocks(statement) {
                        self.loops(inner, first, around, explanation);
                    }
                }
            }
        }
    }

    fn for_loop(&self, each: &For, span: Span, around: (bool, bool)) -> Loop {
        let mut facts = Vec::new();
        let fused = self.module.fused.iter().filter(|(place, _)| *place == span);
        match fused.map(|(_, operations)| *operations).max() {
            Some(1) => facts.push("an array expression of one operation".to_string()),
            Some(operations @ 2..) => facts.push(format!(
                "an array expression: its {operations} operations are done in one loop, with no arrays between them"
            )),
            _ => {}
        }
        let rows = part(each.id, &each.body);
        let step = match &*each.step.kind {
            ExprKind::If { then, .. } => then,
            _ => &each.step,
        };
        let quick = each.fast.as_ref().map_or(&each.body, |fast| &fast.body);
        let lanes = quick.iter().find_map(|statement| match &statement.kind {
            StatementKind::Lockstep(of) => Some(of.lanes),
            _ => None,
        });
        if let Some(lanes) = lanes {
            facts.push(format!(
                "{lanes} iterations side by side in lanes, until the last has left its inner loop"
            ));
        } else if let ExprKind::Int(step @ 2..) = *step.kind
            && !self.is_named(each.var)
        {
            facts.push(format!("{step} iterations side by side, where there are so many"));
        }
        let kind = match &each.parallel {
            None => {
                if !around.0 && self.is_users(span) {
                    let text = "not shared among threads, since it is a plain `for`: mh.prange shares iterations that do not need each other";
                    facts.push(text.to_string());
                }
                LoopKind::Plain
            }
            Some(parallel) => {
                if parallel.unchecked {
                    facts.push("nobody has looked whether its iterations clash: unchecked=True".to_string());
                }
                match &parallel.plan {
                    Some(plan) if suits(self.function, each, plan) => {
                        self.plan(plan, rows.map(|rows| rows.var), &mut facts);
                        let past = written_in_a_row(self.function, each, plan);
                        if !past.is_empty() {
                            facts.push(format!(
                                "{}: stored past the caches where the loop writes {} MiB or more",
                                self.names(&past),
                                LARGE >> 20
                            ));
                        }
                        LoopKind::Parallel
                    }
                    Some(_) => {
                        facts.push("what it leaves cannot be put together from blocks".to_string());
                        LoopKind::Serial
                    }
                    None => {
                        facts.push("parallel=False, or what it does has an order".to_string());
                        LoopKind::Serial
                    }
                }
            }
        };
        let inside = around.1 && kind == LoopKind::Parallel;
        if inside {
            let text = "inside another parallel loop: where it is short it runs on the thread of the iteration around it, else threads \
                        that have nothing else to do take blocks of it";
            facts.push(text.to_string());
        }
        Loop {
            id: each.id,
            span,
            last_line: last_line(&each.body, span),
            kind,
            inside,
            innermost: !holds_loops(&each.body),
            facts,
            checks: Vec::new(),
        }
    }

    /// `own`: the loop's variable, where it is another than the source's.
    fn plan(&self, plan: &Plan, own: Option<Var>, facts: &mut Vec<String>) {
        for Reduction { var, kind, companions } in &plan.reductions {
            let beside: Vec<_> = companions.iter().map(|var| self.name(*var)).collect();
            let beside = if beside.is_empty() {
                String::new()
            } else {
                format!(", and {} with it", beside.join(", "))
            };
            facts.push(format!("{}: {}{beside}", self.name(*var), self.reduction(*kind, *var, plan.fine)));
        }
        for accumulated in &plan.accumulated {
            facts.push(format!(
                "{}: {} element by element, in a copy for each block",
                self.name(accumulated.array),
                gathered(accumulated.kind)
            ));
        }
        if plan.leaves {
            facts.push(
                "it may end early: what comes behind the first end in serial order does not count"
                    .to_string(),
            );
        }
        if !plan.overwritten.is_empty() {
            facts.push(format!(
                "{}: what the last iteration that writes an element leaves",
                self.names(&plan.overwritten)
            ));
        }
        let told = |var: &Var| self.is_named(*var) && Some(*var) != own;
        let last: Vec<Var> = plan.last.iter().copied().filter(told).collect();
        if !last.is_empty() {
            facts.push(format!("{}: the last iteration's value is there after the loop", self.names(&last)));
        }
        let mut apart: Vec<String> = plan
            .distinct
            .iter()
            .map(|(left, right)| format!("{} and {}", self.name(*left), self.name(*right)))
            .collect();
        apart.dedup();
        if !apart.is_empty() {
            facts.push(format!("{} must share no memory: looked at when the loop begins", apart.join("; ")));
        }
        if !plan.conditions.is_empty() {
            facts.push(format!(
                "{} of values before the loop, looked at when it begins: else it runs on one thread",
                if plan.conditions.len() == 1 {
                    "a condition".to_string()
                } else {
                    format!("{} conditions", plan.conditions.len())
                }
            ));
        }
    }

    fn reduction(&self, kind: ReductionKind, var: Var, fine: bool) -> String {
        let scalar = self.function.variables.get(var.0 as usize).and_then(|variable| variable.ty.scalar());
        let float = scalar.is_some_and(|scalar| scalar.kind.is_float() || scalar.kind.is_complex());
        match kind {
            ReductionKind::Sum | ReductionKind::Product if float && !fine => {
                format!("{}, in {LANES} lanes of each block", gathered(kind))
            }
            ReductionKind::Sum if scalar.is_some_and(|scalar| scalar.kind == Kind::I64) => {
                format!("{}, exactly", gathered(kind))
            }
            _ => gathered(kind).to_string(),
        }
    }

    /// Whether a loop is written with `for`, where the user's functions are.
    fn is_users(&self, span: Span) -> bool {
        let file = |number: u16| self.module.sources.get(usize::from(number)).map(|source| &source.file);
        self.text(span).starts_with("for ") && file(span.source) == file(0)
    }

    fn is_named(&self, var: Var) -> bool {
        self.function.variables.get(var.0 as usize).is_some_and(|variable| variable.name.is_some())
    }

    fn name(&self, var: Var) -> String {
        let of =
            |var: Var| self.function.variables.get(var.0 as usize).and_then(|variable| variable.name.clone());
        // What an expression makes has the name of what it is assigned to.
        let name = of(var).or_else(|| assigned_to(&self.function.body, var).and_then(of));
        name.unwrap_or_else(|| {
            match self.function.variables.get(var.0 as usize).map(|variable| variable.ty) {
                Some(Type::Array(_)) => "an array without a name".to_string(),
                _ => "a value without a name".to_string(),
            }
        })
    }

    fn names(&self, vars: &[Var]) -> String {
        let mut names: Vec<_> = vars.iter().map(|var| self.name(*var)).collect();
        names.dedup();
        names.join(", ")
    }
}

fn gathered(kind: ReductionKind) -> &'static str {
    match kind {
        ReductionKind::Sum => "added up",
        ReductionKind::Product => "multiplied",
        ReductionKind::Less
        | ReductionKind::LessEqual
        | ReductionKind::Minimum
        | ReductionKind::UnlessLess
        | ReductionKind::UnlessLessEqual => "the least",
        ReductionKind::Greater
        | ReductionKind::GreaterEqual
        | ReductionKind::Maximum
        | ReductionKind::UnlessGreater
        | ReductionKind::UnlessGreaterEqual => "the greatest",
        ReductionKind::Latest => "what was written last,",
        ReductionKind::And => "all of them (and)",
        ReductionKind::Or => "any of them (or)",
        ReductionKind::Xor => "all of them (xor)",
    }
}

/// The loop over some of the iterations of the loop with this number, in its body (see `jam`).
fn part(id: LoopId, block: &[Statement]) -> Option<&For> {
    block.iter().find_map(|statement| match &statement.kind {
        StatementKind::For(each) if each.id == id => Some(&**each),
        _ => blocks(statement).into_iter().find_map(|inner| part(id, inner)),
    })
}

/// The variable that a temporary is assigned to as it is.
fn assigned_to(block: &[Statement], from: Var) -> Option<Var> {
    block.iter().find_map(|statement| match &statement.kind {
        StatementKind::Assign { var, value } if matches!(*value.kind, ExprKind::Var(one) if one == from) => {
            Some(*var)
        }
        _ => blocks(statement).into_iter().find_map(|inner| assigned_to(inner, from)),
    })
}

fn holds_loops(block: &[Statement]) -> bool {
    block.iter().any(|statement| {
        matches!(statement.kind, StatementKind::For(_) | StatementKind::While { .. })
            || blocks(statement).into_iter().any(holds_loops)
    })
}

/// Of the same source: a helper that is inlined has lines elsewhere.
fn last_line(block: &[Statement], span: Span) -> u32 {
    block
        .iter()
        .map(|statement| {
            let own = if statement.span.source == span.source { statement.span.end_line } else { 0 };
            let inner = blocks(statement).into_iter().map(|block| last_line(block, span)).max().unwrap_or(0);
            own.max(inner)
        })
        .max()
        .unwrap_or(0)
        .max(span.line)
}
