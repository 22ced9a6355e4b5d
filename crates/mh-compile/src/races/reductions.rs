//! Scalars that gather something over all iterations: which statements may touch them, and how the pieces combine.

use std::collections::BTreeSet;

use super::liveness::Liveness;
use super::walk::{Set, assigned, blocks, mentions, reads, same, statements, targets};
use crate::ir::{
    Binary, Compare, Expr, ExprKind, Kind, Reduction, ReductionKind, Span, Statement, StatementKind, Unary,
    Var, Variable,
};
use crate::walk::expressions;

/// A reduction, and what the parallel loop evaluates where the serial one might not have.
#[derive(Debug)]
pub struct Found {
    pub reduction: Reduction,
    pub speculative: Vec<Expr>,
    /// Evaluated wherever that might be.
    pub certain: Vec<Expr>,
}

/// Why a variable is none.
#[derive(Debug, PartialEq)]
pub enum Refusal {
    /// Overwritten by a value that does not come from it.
    Overwritten(Span),
    /// It is read here beside its updates.
    Read(Span),
    /// Two ways of gathering.
    Mixed(Span),
    /// An update that cannot be split.
    Form(Span),
    /// `m = min(x, m)` of floats: nan makes the order matter.
    NanOrder(Span),
    /// Depends on how the variable compares, and is done besides.
    Beside(Span),
}

/// How one assignment changes the variable.
enum Form {
    /// `v = v`.
    Same,
    /// Does not read it.
    Constant,
    Update(ReductionKind),
}

pub fn find(
    body: &[Statement],
    var: Var,
    variables: &[Variable],
    liveness: &Liveness,
) -> Result<Found, Refusal> {
    let kind = variables[var.0 as usize].ty.scalar().map_or(Kind::I64, |scalar| scalar.kind);
    let mut search = Search {
        var,
        kind,
        liveness,
        found: None,
        companions: None,
        plain: None,
        kept: None,
        speculative: Vec::new(),
        certain: Vec::new(),
    };
    search.block(body).map_err(|refusal| match refusal {
        // Nothing is gathered where no new value comes from the old one.
        Refusal::Read(_) if !gathers(body, var) => Refusal::Overwritten(first_write(body, var)),
        other => other,
    })?;
    let reduction = search.found.ok_or(Refusal::Overwritten(first_write(body, var)))?;
    let companions: Set = search.companions.clone().unwrap_or_default();
    if let Some(span) = search.plain.filter(|_| !companions.is_empty()) {
        return Err(Refusal::Mixed(span));
    }
    // A block begins these with nan, which must not be taken for one of the values.
    if let Some(span) = search.kept.filter(|_| reduction.takes_nan()) {
        return Err(Refusal::NanOrder(span));
    }
    search.confined(body, &companions)?;
    Ok(Found {
        reduction: Reduction { var, kind: reduction, companions: companions.into_iter().collect() },
        speculative: search.speculative,
        certain: search.certain,
    })
}

/// Whether some assignment reads what it changes.
fn gathers(body: &[Statement], var: Var) -> bool {
    let mut found = false;
    statements(body, &mut |statement| match &statement.kind {
        StatementKind::Assign { var: to, value } => found |= *to == var && mentions(value, var),
        StatementKind::If { condition, then, .. } => {
            found |= mentions(condition, var) && assigned(then).contains(&var);
        }
        _ => {}
    });
    found
}

pub fn first_write(body: &[Statement], var: Var) -> Span {
    let mut span = None;
    statements(body, &mut |statement| {
        if span.is_none() && targets(statement).contains(&var) {
            span = Some(statement.span);
        }
    });
    span.unwrap_or_default()
}

struct Search<'a> {
    var: Var,
    kind: Kind,
    liveness: &'a Liveness,
    found: Option<ReductionKind>,
    /// Set by the choosing form: what each chosen iteration leaves beside.
    companions: Option<Set>,
    /// An update without companions.
    plain: Option<Span>,
    /// Where it is assigned to itself.
    kept: Option<Span>,
    speculative: Vec<Expr>,
    certain: Vec<Expr>,
}

impl Search<'_> {
    fn block(&mut self, block: &[Statement]) -> Result<(), Refusal> {
        block.iter().try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Statement) -> Result<(), Refusal> {
        match &statement.kind {
            StatementKind::Assign { var, value } if *var == self.var => {
                let kind = match self.form(value)? {
                    Form::Same => {
                        self.kept.get_or_insert(statement.span);
                        return Ok(());
                    }
                    Form::Update(kind) => kind,
                    Form::Constant => match *value.kind {
                        ExprKind::Bool(true) => ReductionKind::Or,
                        ExprKind::Bool(false) => ReductionKind::And,
                        _ => return Err(Refusal::Overwritten(statement.span)),
                    },
                };
                self.plain.get_or_insert(statement.span);
                self.agree(kind, statement.span)
            }
            StatementKind::If { condition, then, orelse } if mentions(condition, self.var) => {
                self.choose(statement, condition, then, orelse)
            }
            _ => {
                if targets(statement).contains(&self.var) {
                    return Err(Refusal::Overwritten(statement.span));
                }
                self.unread(statement)?;
                blocks(statement).into_iter().try_for_each(|block| self.block(block))
            }
        }
    }

    fn unread(&self, statement: &Statement) -> Result<(), Refusal> {
        let mut found = None;
        for expr in expressions(statement) {
            reads(expr, &mut |var, span| {
                if var == self.var {
                    found.get_or_insert(span);
                }
            });
        }
        found.map_or(Ok(()), |span| Err(Refusal::Read(span)))
    }

    fn agree(&mut self, kind: ReductionKind, span: Span) -> Result<(), Refusal> {
        match self.found {
            Some(before) if before != kind => Err(Refusal::Mixed(span)),
            _ => {
                self.found = Some(kind);
                Ok(())
            }
        }
    }

    /// How `v = value` changes `v`.
    fn form(&mut self, value: &Expr) -> Result<Form, Refusal> {
        if !mentions(value, self.var) {
            return Ok(Form::Constant);
        }
        let value = bare(value);
        match &*value.kind {
            ExprKind::Var(_) => Ok(Form::Same),
            ExprKind::Binary { op, left, right, .. } => self.binary(value.span, *op, left, right),
            ExprKind::If { condition, then, orelse } if mentions(condition, self.var) => self
                .logical(condition, then, orelse)
                .unwrap_or_else(|| self.chosen(value.span, condition, then, orelse)),
            ExprKind::If { then, orelse, .. } => {
                let mut forms = Vec::new();
                for side in [then, orelse] {
                    forms.push(match (self.form(side)?, &*side.kind) {
                        (Form::Constant, ExprKind::Bool(true)) => Form::Update(ReductionKind::Or),
                        (Form::Constant, ExprKind::Bool(false)) => Form::Update(ReductionKind::And),
                        (Form::Constant, _) => return Err(Refusal::Overwritten(side.span)),
                        (form, _) => form,
                    });
                }
                if forms.iter().any(|form| matches!(form, Form::Same)) {
                    self.kept.get_or_insert(value.span);
                }
                let mut kinds = forms.into_iter().filter_map(|form| match form {
                    Form::Update(kind) => Some(kind),
                    _ => None,
                });
                match (kinds.next(), kinds.next()) {
                    (None, _) => Ok(Form::Same),
                    (Some(a), Some(b)) if a != b => Err(Refusal::Mixed(value.span)),
                    (Some(kind), _) => Ok(Form::Update(kind)),
                }
            }
            _ => Err(Refusal::Form(value.span)),
        }
    }

    fn binary(&mut self, span: Span, op: Binary, left: &Expr, right: &Expr) -> Result<Form, Refusal> {
        let on_left = mentions(left, self.var);
        if on_left && mentions(right, self.var) {
            return Err(Refusal::Read(right.span));
        }
        let kind = match op {
            Binary::Add => ReductionKind::Sum,
            Binary::Subtract if on_left => ReductionKind::Sum,
            Binary::Multiply => ReductionKind::Product,
            Binary::And => ReductionKind::And,
            Binary::Or => ReductionKind::Or,
            Binary::Xor => ReductionKind::Xor,
            Binary::Min | Binary::Max if !on_left && self.kind.is_float() => {
                // One value at a time: a nan within `max(x, max(y, m))` is not seen in what comes out.
                if !is(right, self.var) {
                    return Err(Refusal::NanOrder(span));
                }
                let least = op == Binary::Min;
                return Ok(Form::Update(if least {
                    ReductionKind::UnlessLess
                } else {
                    ReductionKind::UnlessGreater
                }));
            }
            Binary::Min => ReductionKind::Less,
            Binary::Max => ReductionKind::Greater,
            Binary::Minimum => ReductionKind::Minimum,
            Binary::Maximum => ReductionKind::Maximum,
            _ => return Err(Refusal::Form(span)),
        };
        match self.form(if on_left { left } else { right })? {
            Form::Same => Ok(Form::Update(kind)),
            Form::Update(inner) if inner == kind => Ok(Form::Update(kind)),
            Form::Update(_) => Err(Refusal::Mixed(span)),
            Form::Constant => Err(Refusal::Form(span)),
        }
    }

    /// `v or c`, `v and c`, `not v and ...` as conditional expressions.
    fn logical(&mut self, condition: &Expr, then: &Expr, orelse: &Expr) -> Option<Result<Form, Refusal>> {
        let (when_true, when_false) = match &*bare(condition).kind {
            ExprKind::Var(_) => (then, orelse),
            ExprKind::Unary { op: Unary::Not, operand, .. } if is(operand, self.var) => (orelse, then),
            _ => return None,
        };
        let keeps = |side: &Expr, constant: bool| {
            is(side, self.var) || matches!(*bare(side).kind, ExprKind::Bool(value) if value == constant)
        };
        if keeps(when_true, true) && !mentions(when_false, self.var) {
            self.speculative.push(when_false.clone());
            return Some(Ok(Form::Update(ReductionKind::Or)));
        }
        if keeps(when_false, false) && !mentions(when_true, self.var) {
            self.speculative.push(when_true.clone());
            return Some(Ok(Form::Update(ReductionKind::And)));
        }
        None
    }

    /// `x if x > v else v`.
    fn chosen(&self, span: Span, condition: &Expr, then: &Expr, orelse: &Expr) -> Result<Form, Refusal> {
        let Some((kind, value)) = self.comparison(condition) else {
            return Err(Refusal::Read(condition.span));
        };
        if same(then, value) && is(orelse, self.var) {
            return Ok(Form::Update(kind));
        }
        if is(then, self.var) && same(orelse, value) {
            return Ok(Form::Update(match kind {
                // `x < m` is `m > x`: what keeps the old value.
                ReductionKind::Less if self.kind.is_float() => ReductionKind::UnlessGreater,
                ReductionKind::LessEqual if self.kind.is_float() => ReductionKind::UnlessGreaterEqual,
                ReductionKind::Greater if self.kind.is_float() => ReductionKind::UnlessLess,
                ReductionKind::GreaterEqual if self.kind.is_float() => ReductionKind::UnlessLessEqual,
                ReductionKind::Less => ReductionKind::GreaterEqual,
                ReductionKind::LessEqual => ReductionKind::Greater,
                ReductionKind::Greater => ReductionKind::LessEqual,
                _ => ReductionKind::Less,
            }));
        }
        Err(Refusal::Form(span))
    }

    /// The comparison as "the new value is less", and the new value.
    fn comparison<'e>(&self, condition: &'e Expr) -> Option<(ReductionKind, &'e Expr)> {
        let ExprKind::Compare { op, left, right } = &*bare(condition).kind else { return None };
        let (left, right) = unwidened(left, right);
        let (value, turned) = if is(right, self.var) { (left, false) } else { (right, true) };
        if !(is(left, self.var) ^ is(right, self.var)) || mentions(value, self.var) {
            return None;
        }
        let kind = match (op, turned) {
            (Compare::Less, false) | (Compare::Greater, true) => ReductionKind::Less,
            (Compare::LessEqual, false) | (Compare::GreaterEqual, true) => ReductionKind::LessEqual,
            (Compare::Greater, false) | (Compare::Less, true) => ReductionKind::Greater,
            (Compare::GreaterEqual, false) | (Compare::LessEqual, true) => ReductionKind::GreaterEqual,
            _ => return None,
        };
        Some((kind, value))
    }

    /// `if x > v: v = x; companion = ...`, or `if not v: ... v = True`.
    fn choose(
        &mut self,
        statement: &Statement,
        condition: &Expr,
        then: &[Statement],
        orelse: &[Statement],
    ) -> Result<(), Refusal> {
        let parts = conjuncts(condition);
        let place = parts.iter().position(|part| mentions(part, self.var));
        let place = place.ok_or(Refusal::Read(condition.span))?;
        if parts[place + 1..].iter().any(|part| mentions(part, self.var)) {
            return Err(Refusal::Read(condition.span));
        }
        if let Some(other) = orelse.first() {
            return Err(Refusal::Beside(other.span));
        }
        self.certain.extend(parts[..=place].iter().map(|part| (*part).clone()));
        self.speculative.extend(parts[place + 1..].iter().map(|part| (*part).clone()));
        if let ExprKind::Unary { op: Unary::Not, operand, .. } = &*bare(parts[place]).kind
            && is(operand, self.var)
        {
            return self.flag(statement, then);
        }
        let (kind, value) = self.comparison(parts[place]).ok_or(Refusal::Read(parts[place].span))?;
        self.region(statement, then)?;
        let update = then.iter().position(|inner| targets(inner).contains(&self.var));
        let update = update.ok_or(Refusal::Read(parts[place].span))?;
        match &then[update].kind {
            StatementKind::Assign { value: taken, .. } if same(taken, value) => {}
            _ => return Err(Refusal::Overwritten(then[update].span)),
        }
        for (number, inner) in then.iter().enumerate() {
            let mut error = None;
            statements(std::slice::from_ref(inner), &mut |nested| {
                if targets(nested).contains(&self.var) && number != update {
                    error.get_or_insert(Refusal::Overwritten(nested.span));
                }
                if number < update
                    && let Err(refusal) = self.unread(nested)
                {
                    error.get_or_insert(refusal);
                }
            });
            if let Some(error) = error {
                return Err(error);
            }
        }
        let earlier: Set =
            then[..update].iter().flat_map(|inner| assigned(std::slice::from_ref(inner))).collect();
        if earlier.iter().any(|other| mentions(value, *other)) {
            return Err(Refusal::Overwritten(then[update].span));
        }
        let live = self.liveness.after_if(statement);
        let companions: Set =
            assigned(then).into_iter().filter(|other| *other != self.var && live.contains(other)).collect();
        for companion in &companions {
            let sure = then
                .iter()
                .find(|inner| matches!(&inner.kind, StatementKind::Assign { var, .. } if var == companion));
            if sure.is_none() {
                return Err(Refusal::Beside(first_write(then, *companion)));
            }
        }
        if companions.is_empty() {
            self.plain.get_or_insert(statement.span);
        }
        if self.companions.as_ref().is_some_and(|before| *before != companions) {
            return Err(Refusal::Mixed(statement.span));
        }
        self.companions = Some(companions);
        self.agree(kind, statement.span)
    }

    /// Inside `if not v:`, `v` may be set; all else must be of no consequence.
    fn flag(&mut self, statement: &Statement, then: &[Statement]) -> Result<(), Refusal> {
        self.region(statement, then)?;
        let live = self.liveness.after_if(statement);
        for other in assigned(then) {
            if other != self.var && live.contains(&other) {
                return Err(Refusal::Beside(first_write(then, other)));
            }
        }
        self.block(then)
    }

    /// What runs only because of how `v` compares must leave nothing but variables.
    fn region(&mut self, statement: &Statement, then: &[Statement]) -> Result<(), Refusal> {
        let mut error = None;
        statements(then, &mut |inner| {
            match &inner.kind {
                StatementKind::Assign { .. } | StatementKind::If { .. } => {}
                StatementKind::For(_) | StatementKind::While { .. } | StatementKind::Labelled { .. } => {}
                StatementKind::Leave(_) => {}
                _ => {
                    error.get_or_insert(Refusal::Beside(inner.span));
                }
            }
            self.speculative.extend(expressions(inner).into_iter().cloned());
        });
        if leaves(then) {
            error.get_or_insert(Refusal::Beside(statement.span));
        }
        error.map_or(Ok(()), Err)
    }

    /// Companions are touched nowhere else in the body.
    fn confined(&self, body: &[Statement], companions: &Set) -> Result<(), Refusal> {
        if companions.is_empty() {
            return Ok(());
        }
        for statement in body {
            if let StatementKind::If { condition, then, .. } = &statement.kind
                && mentions(condition, self.var)
            {
                self.companion_reads(condition, companions)?;
                let mut ready = Set::new();
                for inner in then {
                    let mut error = None;
                    statements(std::slice::from_ref(inner), &mut |nested| {
                        for expr in expressions(nested) {
                            reads(expr, &mut |var, span| {
                                if companions.contains(&var) && !ready.contains(&var) {
                                    error.get_or_insert(Refusal::Read(span));
                                }
                            });
                        }
                    });
                    if let Some(error) = error {
                        return Err(error);
                    }
                    ready.extend(targets(inner));
                }
                continue;
            }
            if let Some(var) = targets(statement).into_iter().find(|var| companions.contains(var)) {
                return Err(Refusal::Overwritten(first_write(std::slice::from_ref(statement), var)));
            }
            for expr in expressions(statement) {
                self.companion_reads(expr, companions)?;
            }
            for inner in blocks(statement) {
                self.confined(inner, companions)?;
            }
        }
        Ok(())
    }

    fn companion_reads(&self, expr: &Expr, companions: &Set) -> Result<(), Refusal> {
        let mut found = None;
        reads(expr, &mut |var, span| {
            if companions.contains(&var) {
                found.get_or_insert(span);
            }
        });
        found.map_or(Ok(()), |span| Err(Refusal::Read(span)))
    }
}

fn is(expr: &Expr, var: Var) -> bool {
    matches!(*bare(expr).kind, ExprKind::Var(other) if other == var)
}

/// Without conversions between Python's and NumPy's flavour of one kind.
fn bare(expr: &Expr) -> &Expr {
    let kind = |expr: &Expr| expr.ty.scalar().map(|scalar| scalar.kind);
    match &*expr.kind {
        ExprKind::Cast { value, .. } if kind(value) == kind(expr) => bare(value),
        _ => expr,
    }
}

/// Two ints that are compared in a wider kind, in their own, where that is one: the order is the same.
fn unwidened<'e>(left: &'e Expr, right: &'e Expr) -> (&'e Expr, &'e Expr) {
    let kind = |expr: &Expr| expr.ty.scalar().map(|scalar| scalar.kind);
    let (ExprKind::Cast { value: one, .. }, ExprKind::Cast { value: other, .. }) =
        (&*left.kind, &*right.kind)
    else {
        return (left, right);
    };
    match (kind(one), kind(other), kind(left)) {
        (Some(one_kind), Some(other_kind), Some(wide))
            if one_kind == other_kind
                && one_kind.is_integer()
                && wide.is_integer()
                && one_kind.size() < wide.size()
                && (one_kind.is_unsigned() || wide.is_signed()) =>
        {
            (one, other)
        }
        _ => (left, right),
    }
}

/// `a and b and c`, as lowered.
fn conjuncts(condition: &Expr) -> Vec<&Expr> {
    match &*condition.kind {
        ExprKind::If { condition, then, orelse } if matches!(*orelse.kind, ExprKind::Bool(false)) => {
            let mut all = conjuncts(condition);
            all.extend(conjuncts(then));
            all
        }
        _ => vec![condition],
    }
}

/// Whether a block jumps out of itself.
pub fn leaves(block: &[Statement]) -> bool {
    fn look(block: &[Statement], loops: usize, labels: &mut BTreeSet<u32>) -> bool {
        block.iter().any(|statement| match &statement.kind {
            StatementKind::Break | StatementKind::Continue => loops == 0,
            StatementKind::Leave(label) => !labels.contains(&label.0),
            StatementKind::Return(_) => true,
            StatementKind::Labelled { label, body, .. } => {
                labels.insert(label.0);
                look(body, loops, labels)
            }
            StatementKind::For(of) => look(&of.body, loops + 1, labels),
            StatementKind::While { head, body, .. } => {
                look(head, loops, labels) || look(body, loops + 1, labels)
            }
            StatementKind::If { then, orelse, .. } => {
                look(then, loops, labels) || look(orelse, loops, labels)
            }
            _ => false,
        })
    }
    look(block, 0, &mut BTreeSet::new())
}
