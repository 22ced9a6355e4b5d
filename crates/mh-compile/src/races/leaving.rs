//! `break` and `return` out of parallel loops.
//!
//! The serial loop runs the iterations before the one that leaves, and none behind it. In blocks: one that leaves ends there, and those behind
//! the first one that did do not count, whatever they gathered or raised. Only what cannot be taken back is refused: writes to arrays.
//! Here each way out becomes a `Break` of the loop, and what was to be done on that way follows the loop.

use super::walk::{mentions, statements};
use crate::ir::{
    Block, Compare, Expr, ExprKind, For, Function, Kind, Label, Scalar, Span, Statement, StatementKind, Type,
    Var, Variable,
};
use crate::walk::blocks_mut;

/// Makes `Break`s of all jumps out of parallel loops.
pub fn breaks(function: &mut Function) {
    let mut next = 0;
    statements(&function.body, &mut |statement| {
        if let StatementKind::Labelled { label, .. } = statement.kind {
            next = next.max(label.0 + 1);
        }
    });
    let mut ways = Ways { variables: &mut function.variables, next };
    ways.block(&mut function.body);
}

/// The first `Break` of the loop itself.
pub fn first_break(of: &For) -> Option<Span> {
    fn look(body: &[Statement]) -> Option<Span> {
        body.iter().find_map(|statement| match &statement.kind {
            StatementKind::Break => Some(statement.span),
            StatementKind::Labelled { body, .. } => look(body),
            StatementKind::If { then, orelse, .. } => look(then).or_else(|| look(orelse)),
            _ => None,
        })
    }
    look(&of.body)
}

struct Ways<'a> {
    variables: &'a mut Vec<Variable>,
    /// The next label.
    next: u32,
}

/// The ways out of one loop.
struct Exits {
    /// Which way was taken; 0: none.
    way: Var,
    /// Around the body.
    label: Label,
    /// Some way begins in an inner loop, where `Break` would be that loop's.
    deep: bool,
    /// What follows the loop on each way.
    found: Vec<Block>,
    /// What is given a value before the loop, so that it always has one.
    begun: Vec<Statement>,
}

impl Ways<'_> {
    fn variable(&mut self, ty: Type) -> Var {
        self.variables.push(Variable { name: None, ty });
        Var(u32::try_from(self.variables.len() - 1).unwrap_or(u32::MAX))
    }

    fn block(&mut self, block: &mut Block) {
        let mut out = Vec::with_capacity(block.len());
        for mut statement in std::mem::take(block) {
            blocks_mut(&mut statement).into_iter().for_each(|inner| self.block(inner));
            match &mut statement.kind {
                StatementKind::For(of) if of.parallel.is_some() => {
                    let (before, after) = self.each(of, statement.span);
                    out.extend(before);
                    out.push(statement);
                    out.extend(after);
                }
                _ => out.push(statement),
            }
        }
        *block = out;
    }

    /// What goes before the loop and what behind it.
    fn each(&mut self, of: &mut For, span: Span) -> (Vec<Statement>, Vec<Statement>) {
        if !jumps(&of.body, &mut Vec::new()) {
            return (Vec::new(), Vec::new());
        }
        let way = self.variable(Type::INT);
        let label = Label(self.next);
        self.next += 1;
        let mut exits = Exits { way, label, deep: false, found: Vec::new(), begun: Vec::new() };
        self.rewrite(&mut of.body, false, &mut Vec::new(), &mut exits);
        let none = assign(way, int(0, span), span);
        if exits.deep {
            let body = std::mem::take(&mut of.body);
            let left = Expr::new(
                ExprKind::Compare {
                    op: Compare::NotEqual,
                    left: read(way, Type::INT, span),
                    right: int(0, span),
                },
                Type::BOOL,
                span,
            );
            let jump = exits.found[0].last().map_or(span, |jump| jump.span);
            let leave = Statement { kind: StatementKind::Break, span: jump };
            of.body = vec![
                none.clone(),
                Statement { kind: StatementKind::Labelled { label, body, call: None }, span },
                Statement {
                    kind: StatementKind::If { condition: left, then: vec![leave], orelse: Vec::new() },
                    span,
                },
            ];
        }
        let after = exits.found.into_iter().enumerate().map(|(number, then)| {
            let taken = ExprKind::Compare {
                op: Compare::Equal,
                left: read(way, Type::INT, span),
                right: int(number as i128 + 1, span),
            };
            let condition = Expr::new(taken, Type::BOOL, span);
            Statement { kind: StatementKind::If { condition, then, orelse: Vec::new() }, span }
        });
        exits.begun.push(none);
        (exits.begun, after.collect())
    }

    fn rewrite(&mut self, block: &mut Block, inner: bool, labels: &mut Vec<Label>, exits: &mut Exits) {
        let mut out = Vec::with_capacity(block.len());
        for mut statement in std::mem::take(block) {
            let span = statement.span;
            match &mut statement.kind {
                StatementKind::Return(values) => {
                    let values = std::mem::take(values);
                    let kept = values.into_iter().map(|value| self.keep(value, &mut out, exits)).collect();
                    let jump = Statement { kind: StatementKind::Return(kept), span };
                    exits.add(vec![jump], span, inner, &mut out);
                    continue;
                }
                StatementKind::Leave(label) if !labels.contains(label) => {
                    let jump = Statement { kind: StatementKind::Leave(*label), span };
                    let mut then = self.results(&mut out, exits);
                    then.push(jump);
                    exits.add(then, span, inner, &mut out);
                    continue;
                }
                StatementKind::Labelled { label, body, .. } => {
                    labels.push(*label);
                    self.rewrite(body, inner, labels, exits);
                }
                StatementKind::For(of) => self.rewrite(&mut of.body, true, labels, exits),
                StatementKind::While { head, body, .. } => {
                    self.rewrite(head, true, labels, exits);
                    self.rewrite(body, true, labels, exits);
                }
                _ => {
                    for nested in blocks_mut(&mut statement) {
                        self.rewrite(nested, inner, labels, exits);
                    }
                }
            }
            out.push(statement);
        }
        *block = out;
    }

    /// The value as it can be read behind the loop.
    fn keep(&mut self, value: Expr, out: &mut Block, exits: &mut Exits) -> Expr {
        let (ty, span) = (value.ty, value.span);
        let constant = matches!(
            *value.kind,
            ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Complex(..)
        );
        let Type::Scalar(scalar) = ty else { return value };
        if constant {
            return value;
        }
        let var = self.variable(ty);
        exits.begun.push(assign(var, zero(scalar, span), span));
        out.push(assign(var, value, span));
        read(var, ty, span)
    }

    /// The results that an inlined call sets just before it ends: set behind the loop.
    fn results(&mut self, out: &mut Block, exits: &mut Exits) -> Block {
        let mut last = Vec::new();
        while let Some(Statement { kind: StatementKind::Assign { var, value }, .. }) = out.last() {
            let read_later = last.iter().any(|other: &Statement| match &other.kind {
                StatementKind::Assign { value, .. } => mentions(value, *var),
                _ => true,
            });
            if read_later || value.ty.array().is_some() {
                break;
            }
            last.extend(out.pop());
        }
        let mut then = Vec::new();
        for statement in last.into_iter().rev() {
            if let StatementKind::Assign { var, value } = statement.kind {
                let value = self.keep(value, out, exits);
                then.push(assign(var, value, statement.span));
            }
        }
        then
    }
}

impl Exits {
    /// One more way: `then` is what follows the loop on it.
    fn add(&mut self, then: Block, span: Span, inner: bool, out: &mut Block) {
        self.found.push(then);
        self.deep |= inner;
        out.push(assign(self.way, int(self.found.len() as i128, span), span));
        let kind = if inner { StatementKind::Leave(self.label) } else { StatementKind::Break };
        out.push(Statement { kind, span });
    }
}

/// Whether a body is left other than by `Break`.
fn jumps(body: &[Statement], labels: &mut Vec<Label>) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Return(_) => true,
        StatementKind::Leave(label) => !labels.contains(label),
        StatementKind::Labelled { label, body, .. } => {
            labels.push(*label);
            jumps(body, labels)
        }
        _ => super::walk::blocks(statement).into_iter().any(|inner| jumps(inner, labels)),
    })
}

fn assign(var: Var, value: Expr, span: Span) -> Statement {
    Statement { kind: StatementKind::Assign { var, value }, span }
}

fn read(var: Var, ty: Type, span: Span) -> Expr {
    Expr::new(ExprKind::Var(var), ty, span)
}

fn zero(scalar: Scalar, span: Span) -> Expr {
    let kind = match scalar.kind {
        Kind::Bool => ExprKind::Bool(false),
        Kind::F32 | Kind::F64 => ExprKind::Float(0.0),
        Kind::C64 | Kind::C128 => ExprKind::Complex(0.0, 0.0),
        _ => ExprKind::Int(0),
    };
    Expr::new(kind, Type::Scalar(scalar), span)
}

fn int(value: i128, span: Span) -> Expr {
    Expr::new(ExprKind::Int(value), Type::INT, span)
}
