//! Loops.

use super::arithmetic::{binary, choose, compare};
use super::expression::unsupported;
use super::function::LoopTarget;
use super::types::python_name;
use super::value::{Form, Iterable, Value, boolean, constant_int, int};
use super::variables::Key;
use super::webs::is_true;
use super::{Lowerer, Result, Stop, builtins};
use crate::ast;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Binary, Check, Compare, Expr, ExprKind, For, Label, Parallel, Span, StatementKind, Type, Var,
};

/// Copies of a body that is unrolled over a tuple.
const MOST_COPIES: usize = 64;

impl Lowerer<'_> {
    pub fn while_loop(
        &mut self,
        test: &ast::Expr,
        body: &[ast::Statement],
        orelse: &[ast::Statement],
        span: Span,
    ) -> Result<()> {
        let leave = (!orelse.is_empty()).then(|| self.label());
        let (condition, head) = self.apart(|this| this.condition(test));
        let condition = match condition {
            Err(Stop::Unknown) if !self.last => {
                self.frame_mut().unknown = true;
                let var = self.temp(Type::BOOL);
                Expr::new(ExprKind::Var(var), Type::BOOL, span)
            }
            Err(Stop::Never) => {
                self.splice(head);
                return Err(Stop::Never);
            }
            other => other?,
        };
        if matches!(*condition.kind, ExprKind::Bool(false)) && head.is_empty() {
            self.body(orelse);
            return Ok(());
        }
        let (target, inner) =
            self.loop_body(LoopTarget { leave, ..LoopTarget::default() }, body, |_| Ok(()))?;
        let forever = is_true(test);
        let kind = StatementKind::While { head, condition, body: inner };
        self.finish_loop(kind, target, orelse, forever, span);
        Ok(())
    }

    /// Lowers a loop's body with `before` in front; the frame knows the loop meanwhile.
    fn loop_body(
        &mut self,
        target: LoopTarget,
        body: &[ast::Statement],
        before: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<(LoopTarget, Vec<crate::ir::Statement>)> {
        self.frame_mut().loops.push(target);
        let (outcome, block) = self.apart(|this| {
            let outcome = before(this);
            match &outcome {
                Ok(()) => this.body(body),
                // The body may tell what it leans on.
                Err(Stop::Unknown) => {
                    this.frame_mut().unknown = true;
                    this.body(body);
                }
                Err(_) => {}
            }
            outcome
        });
        self.reachable = true;
        let target = self.frame_mut().loops.pop().unwrap_or(target);
        match outcome {
            Err(Stop::Error(error)) => Err(Stop::Error(error)),
            _ => Ok((target, block)),
        }
    }

    fn finish_loop(
        &mut self,
        kind: StatementKind,
        target: LoopTarget,
        orelse: &[ast::Statement],
        forever: bool,
        span: Span,
    ) {
        let Some(label) = target.leave.filter(|_| target.broken) else {
            self.emit(kind, span);
            self.reachable = !forever || target.broken;
            self.body(orelse);
            return;
        };
        let (ends, block) = {
            let ((), block) = self.apart(|this| {
                this.emit(kind, span);
                this.reachable = !forever;
                this.body(orelse);
            });
            (self.reachable, block)
        };
        self.labelled(label, block, span);
        self.reachable = ends || target.broken;
    }

    pub fn leave_loop(&mut self, breaks: bool, span: Span) -> Result<()> {
        let Some(target) = self.frame_mut().loops.last_mut() else { return Err(Stop::Unknown) };
        target.broken |= breaks;
        let label = if breaks { target.leave } else { target.next };
        self.emit(
            match label {
                Some(label) => StatementKind::Leave(label),
                None if breaks => StatementKind::Break,
                None => StatementKind::Continue,
            },
            span,
        );
        self.reachable = false;
        Ok(())
    }

    pub fn for_loop(
        &mut self,
        target: &ast::Expr,
        iterable: &ast::Expr,
        body: &[ast::Statement],
        orelse: &[ast::Statement],
        span: Span,
    ) -> Result<()> {
        let place = self.at(iterable.span);
        let iterable = match self.display(iterable).and_then(|value| self.iterable(value, place)) {
            Err(Stop::Unknown) if !self.last => {
                self.frame_mut().unknown = true;
                self.loop_body(LoopTarget::default(), body, |_| Ok(()))?;
                self.body(orelse);
                return Ok(());
            }
            other => other?,
        };
        if let Some(items) = unrolled(&iterable, place)? {
            return self.unroll(target, items, body, orelse, span);
        }
        let leave = (!orelse.is_empty()).then(|| self.label());
        match iterable {
            Iterable::Range { start, stop, step, parallel, .. } => {
                self.range_loop(target, [start, stop, step], parallel, body, orelse, leave, span)
            }
            other => {
                let other = self.settle_iterable(other, &|this, array| this.rebinds(body, array));
                let count = self.count(&other, place);
                let count = self.spill(count);
                let var = self.temp(Type::INT);
                let counter = Expr::new(ExprKind::Var(var), Type::INT, place);
                let at = self.at(target.span);
                let (loop_target, block) =
                    self.loop_body(LoopTarget { leave, ..LoopTarget::default() }, body, |this| {
                        let item = this.item(&other, counter, at)?;
                        this.assign_target(target, item)
                    })?;
                let kind = self.for_kind(var, [int(0, place), count, int(1, place)], block, None);
                self.finish_loop(kind, loop_target, orelse, false, span);
                Ok(())
            }
        }
    }

    fn for_kind(
        &mut self,
        var: Var,
        [start, stop, step]: [Expr; 3],
        body: crate::ir::Block,
        parallel: Option<bool>,
    ) -> StatementKind {
        let id = self.loop_id();
        let parallel = parallel.map(|unchecked| Parallel { unchecked, implicit: false, plan: None });
        StatementKind::For(Box::new(For { id, var, start, stop, step, body, parallel, fast: None }))
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one statement")]
    fn range_loop(
        &mut self,
        target: &ast::Expr,
        bounds: [Expr; 3],
        parallel: Option<bool>,
        body: &[ast::Statement],
        orelse: &[ast::Statement],
        leave: Option<Label>,
        span: Span,
    ) -> Result<()> {
        let place = self.at(target.span);
        let [start, stop, step] = self.range_bounds(bounds, span)?;
        let around = self.frame().around.clone();
        let own = match &*target.kind {
            ast::ExprKind::Name(name) => around.tree.definition(target).map(|web| (web, name.as_str())),
            _ => None,
        };
        // The loop's own variable, where nothing else defines this version.
        let mut direct = None;
        if let Some((web, name)) = own {
            let key = Key { path: around.path, web };
            self.widen(key, &Form::Type(Type::INT), Some(name), place)?;
            let fixed =
                around.tree.webs.get(web as usize).is_some_and(|web| web.definitions == 1 && !web.captured);
            if fixed && self.form_of(key) == Some(Form::Type(Type::INT)) {
                direct = self.vars_of(key, Some(name)).first().copied();
                if let (Some(_), Some(name)) = (direct, self.flagged(key)) {
                    let runs = in_range(&start, &stop, &step, place);
                    let flag = self.bound_flag(key, &name);
                    let before = Expr::new(ExprKind::Var(flag), Type::BOOL, place);
                    self.assign(flag, choose(runs, boolean(true, place), before, place));
                }
            }
        }
        let var = direct.unwrap_or_else(|| self.temp(Type::INT));
        let target_of = LoopTarget { leave, ..LoopTarget::default() };
        self.within += usize::from(parallel.is_some());
        let outcome = self.loop_body(target_of, body, |this| {
            if direct.is_some() {
                return Ok(());
            }
            let counter = Expr::new(ExprKind::Var(var), Type::INT, place);
            this.assign_target(target, Value::Expr(counter))
        });
        self.within -= usize::from(parallel.is_some());
        let (loop_target, block) = outcome?;
        let kind = self.for_kind(var, [start, stop, step], block, parallel);
        self.finish_loop(kind, loop_target, orelse, false, span);
        Ok(())
    }

    /// Bounds that are read more than once, and a step that is not 0.
    fn range_bounds(&mut self, [start, stop, step]: [Expr; 3], span: Span) -> Result<[Expr; 3]> {
        let start = self.spill_range(start);
        let stop = self.spill_range(stop);
        let step = self.spill_range(step);
        let message = "range() arg 3 must not be zero";
        match constant_int(&step) {
            Some(0) => {
                self.raise_builtin("ValueError", message, Vec::new(), span);
                return Err(Stop::Never);
            }
            Some(_) => {}
            None => {
                let zero = compare(Compare::Equal, step.clone(), int(0, span), span);
                self.raise_if(zero, "ValueError", message, Vec::new(), span);
            }
        }
        Ok([start, stop, step])
    }

    /// The IR evaluates a loop's bounds once; only what is no plain value needs a variable.
    fn spill_range(&mut self, bound: Expr) -> Expr {
        self.simple(bound)
    }

    /// What a `for` may run over; everything else is refused.
    pub fn iterable(&mut self, value: Value, span: Span) -> Result<Iterable> {
        match value {
            Value::Iterable(iterable) => Ok(*iterable),
            Value::Tuple(members) => Ok(Iterable::Tuple(members)),
            Value::Expr(expr) if expr.ty.array().is_some_and(|array| array.rank > 0) => {
                Ok(Iterable::Array(expr))
            }
            other => {
                let name = other.form().map_or_else(|| "slice".to_owned(), |form| python_name(&form));
                let numeric = matches!(&other, Value::Expr(expr) if expr.ty.scalar().is_some());
                let error =
                    Diagnostic::new(Class::TypeError, span, format!("'{name}' object is not iterable"))
                        .label(name);
                Err(if numeric { error.advice("did you mean range(...)?") } else { error }.into())
            }
        }
    }

    /// Keeps what the loop reads in each turn; arrays where `moves` says that their variable is assigned meanwhile.
    pub fn settle_iterable(&mut self, iterable: Iterable, moves: &dyn Fn(&Self, &Expr) -> bool) -> Iterable {
        match iterable {
            Iterable::Range { start, stop, step, parallel, span } => {
                let (start, stop, step) = (self.spill(start), self.spill(stop), self.spill(step));
                Iterable::Range { start, stop, step, parallel, span }
            }
            Iterable::Array(array) if moves(self, &array) => Iterable::Array(self.keep(array)),
            Iterable::Array(array) => Iterable::Array(array),
            Iterable::Enumerate(inner, start) => {
                let inner = Box::new(self.settle_iterable(*inner, moves));
                Iterable::Enumerate(inner, self.spill(start))
            }
            Iterable::Zip(parts) => {
                Iterable::Zip(parts.into_iter().map(|part| self.settle_iterable(part, moves)).collect())
            }
            Iterable::Reversed(inner) => Iterable::Reversed(Box::new(self.settle_iterable(*inner, moves))),
            Iterable::Tuple(members) => {
                Iterable::Tuple(members.into_iter().map(|member| self.settle(member)).collect())
            }
        }
    }

    /// Whether statements may assign the variable that holds this.
    fn rebinds(&self, body: &[ast::Statement], array: &Expr) -> bool {
        let ExprKind::Var(var) = *array.kind else { return true };
        match self.variables.get(var.0 as usize).map(|variable| &variable.name) {
            Some(None) => false,
            Some(Some(name)) => super::webs::binds(body, name),
            None => true,
        }
    }

    /// How many items: an `int`.
    pub fn count(&mut self, iterable: &Iterable, span: Span) -> Expr {
        match iterable {
            Iterable::Range { start, stop, step, .. } => range_length(start, stop, step, span),
            Iterable::Array(array) => match *array.kind {
                ExprKind::Var(var) => Expr::new(ExprKind::Dim { array: var, axis: 0 }, Type::INT, span),
                _ => int(0, span),
            },
            Iterable::Tuple(members) => int(members.len() as i64, span),
            Iterable::Enumerate(inner, _) | Iterable::Reversed(inner) => self.count(inner, span),
            Iterable::Zip(parts) => {
                let mut least: Option<Expr> = None;
                for part in parts {
                    let count = self.count(part, span);
                    least = Some(match least {
                        None => count,
                        Some(least) => binary(Binary::Min, least, count, Type::INT, Check::None, span),
                    });
                }
                least.unwrap_or_else(|| int(0, span))
            }
        }
    }

    /// The item of number `counter`.
    fn item(&mut self, iterable: &Iterable, counter: Expr, span: Span) -> Result<Value> {
        Ok(match iterable {
            Iterable::Range { start, step, .. } => {
                let scaled = if constant_int(step) == Some(1) {
                    counter
                } else {
                    binary(Binary::Multiply, counter, step.clone(), Type::INT, Check::Branch, span)
                };
                Value::Expr(if constant_int(start) == Some(0) {
                    scaled
                } else {
                    binary(Binary::Add, start.clone(), scaled, Type::INT, Check::Branch, span)
                })
            }
            Iterable::Array(array) => {
                builtins::subscript(self, Value::Expr(array.clone()), Value::Expr(counter), span)?
            }
            Iterable::Tuple(_) => {
                return Err(unsupported(
                    span,
                    "a tuple beside a range or an array is not compiled here",
                    "loop over the tuple alone, and count beside it",
                ));
            }
            Iterable::Enumerate(inner, start) => {
                let item = self.item(inner, counter.clone(), span)?;
                let number = if constant_int(start) == Some(0) {
                    counter
                } else {
                    binary(Binary::Add, start.clone(), counter, Type::INT, Check::Branch, span)
                };
                Value::Tuple(vec![Value::Expr(number), item])
            }
            Iterable::Zip(parts) => {
                let mut items = Vec::new();
                for part in parts {
                    items.push(self.item(part, counter.clone(), span)?);
                }
                Value::Tuple(items)
            }
            Iterable::Reversed(inner) => {
                let count = self.count(inner, span);
                let last = binary(Binary::Subtract, count, int(1, span), Type::INT, Check::Branch, span);
                let counter = binary(Binary::Subtract, last, counter, Type::INT, Check::Branch, span);
                self.item(inner, counter, span)?
            }
        })
    }

    /// A loop over a tuple: its body once for each member.
    fn unroll(
        &mut self,
        target: &ast::Expr,
        items: Vec<Value>,
        body: &[ast::Statement],
        orelse: &[ast::Statement],
        span: Span,
    ) -> Result<()> {
        let items: Vec<Value> = items.into_iter().map(|item| self.settle(item)).collect();
        let leave = self.label();
        let salt = self.frame().salt;
        let mut broken = false;
        let (outcome, block) = self.apart(|this| -> Result<()> {
            for (number, item) in items.into_iter().enumerate() {
                if !this.reachable {
                    break;
                }
                let next = this.label();
                this.frame_mut().salt = salt.wrapping_mul(131).wrapping_add(number as u32 + 1);
                let loops = LoopTarget { leave: Some(leave), next: Some(next), ..LoopTarget::default() };
                this.frame_mut().loops.push(loops);
                let (outcome, copy) = this.apart(|this| -> Result<()> {
                    this.assign_target(target, item)?;
                    this.body(body);
                    Ok(())
                });
                let ended = this.frame_mut().loops.pop();
                broken |= ended.is_some_and(|ended| ended.broken);
                if leaves(&copy, next) {
                    this.labelled(next, copy, span);
                    this.reachable = true;
                } else {
                    this.splice(copy);
                }
                this.frame_mut().salt = salt;
                match outcome {
                    Err(Stop::Unknown) => this.frame_mut().unknown = true,
                    other => other?,
                }
            }
            this.body(orelse);
            Ok(())
        });
        if broken {
            self.labelled(leave, block, span);
            self.reachable = true;
        } else {
            self.splice(block);
        }
        outcome
    }
}

/// The items of what is unrolled: tuples, also enumerated, zipped, reversed.
fn unrolled(iterable: &Iterable, span: Span) -> Result<Option<Vec<Value>>> {
    let items = items_of(iterable, span);
    match &items {
        Some(items) if items.len() > MOST_COPIES => Err(unsupported(
            span,
            format!("a loop over a tuple of {} members is not compiled", items.len()),
            "use an array",
        )),
        _ => Ok(items),
    }
}

fn items_of(iterable: &Iterable, span: Span) -> Option<Vec<Value>> {
    match iterable {
        Iterable::Tuple(members) => Some(members.clone()),
        Iterable::Enumerate(inner, start) => {
            let items = items_of(inner, span)?;
            let number = |number: usize| {
                let number = int(number as i64, span);
                match constant_int(start) {
                    Some(0) => number,
                    _ => binary(Binary::Add, start.clone(), number, Type::INT, Check::Branch, span),
                }
            };
            let pair = |(place, item)| Value::Tuple(vec![Value::Expr(number(place)), item]);
            Some(items.into_iter().enumerate().map(pair).collect())
        }
        Iterable::Zip(parts) => {
            let parts: Vec<Vec<Value>> =
                parts.iter().map(|part| items_of(part, span)).collect::<Option<_>>()?;
            let least = parts.iter().map(Vec::len).min()?;
            Some(
                (0..least)
                    .map(|place| Value::Tuple(parts.iter().map(|part| part[place].clone()).collect()))
                    .collect(),
            )
        }
        Iterable::Reversed(inner) => {
            let mut items = items_of(inner, span)?;
            items.reverse();
            Some(items)
        }
        Iterable::Range { .. } | Iterable::Array(_) => None,
    }
}

/// Whether `start` is in the range: it has an item at all.
fn in_range(start: &Expr, stop: &Expr, step: &Expr, span: Span) -> Expr {
    let up = compare(Compare::Less, start.clone(), stop.clone(), span);
    let down = compare(Compare::Greater, start.clone(), stop.clone(), span);
    match constant_int(step) {
        Some(step) if step > 0 => up,
        Some(_) => down,
        None => choose(compare(Compare::Greater, step.clone(), int(0, span), span), up, down, span),
    }
}

/// How many items a range has.
pub fn range_length(start: &Expr, stop: &Expr, step: &Expr, span: Span) -> Expr {
    let minus = |a: Expr, b: Expr| binary(Binary::Subtract, a, b, Type::INT, Check::Branch, span);
    let length = if constant_int(step) == Some(1) {
        if constant_int(start) == Some(0) { stop.clone() } else { minus(stop.clone(), start.clone()) }
    } else {
        // ceil((stop - start) / step) == -((start - stop) // step)
        let floor = binary(
            Binary::FloorDivide,
            minus(start.clone(), stop.clone()),
            step.clone(),
            Type::INT,
            Check::Branch,
            span,
        );
        minus(int(0, span), floor)
    };
    if let Some(known) = constant_int(&length) {
        return int(i64::try_from(known.max(0)).unwrap_or(i64::MAX), span);
    }
    choose(in_range(start, stop, step, span), length, int(0, span), span)
}

/// Whether something in the block leaves `label`.
fn leaves(block: &[crate::ir::Statement], label: Label) -> bool {
    let mut stack: Vec<&crate::ir::Statement> = block.iter().collect();
    while let Some(statement) = stack.pop() {
        match &statement.kind {
            StatementKind::Leave(left) if *left == label => return true,
            StatementKind::If { then, orelse, .. } => stack.extend(then.iter().chain(orelse)),
            StatementKind::While { head, body, .. } => stack.extend(head.iter().chain(body)),
            StatementKind::For(inner) => stack.extend(&inner.body),
            StatementKind::Labelled { body, .. } => stack.extend(body),
            _ => {}
        }
    }
    false
}
