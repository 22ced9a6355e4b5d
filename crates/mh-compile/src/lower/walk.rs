//! The tree's nodes without recursion: how deep it is, and which names it has.

use crate::ast::{Expr, ExprKind, Function, Statement, StatementKind};

/// Trees nested deeper than this are refused, so that recursion over what remains is safe.
pub const DEEPEST: usize = 100;

#[derive(Clone, Copy)]
pub enum Node<'a> {
    Statement(&'a Statement),
    Expr(&'a Expr),
    Function(&'a Function),
}

pub fn children<'a>(node: Node<'a>, into: &mut Vec<Node<'a>>) {
    match node {
        Node::Statement(statement) => of_statement(statement, into),
        Node::Expr(expr) => of_expr(expr, into),
        Node::Function(function) => {
            into.extend(
                function.parameters.iter().filter_map(|parameter| parameter.default.as_ref()).map(Node::Expr),
            );
            into.extend(function.body.iter().map(Node::Statement));
        }
    }
}

fn of_statement<'a>(statement: &'a Statement, into: &mut Vec<Node<'a>>) {
    match &statement.kind {
        StatementKind::Assign(targets, value) => {
            into.push(Node::Expr(value));
            into.extend(targets.iter().map(Node::Expr));
        }
        StatementKind::AugAssign(target, _, value) => into.extend([Node::Expr(target), Node::Expr(value)]),
        StatementKind::AnnAssign(target, value) => {
            into.push(Node::Expr(target));
            into.extend(value.as_ref().map(Node::Expr));
        }
        StatementKind::For(target, iterable, body, orelse) => {
            into.extend([Node::Expr(target), Node::Expr(iterable)]);
            into.extend(body.iter().chain(orelse).map(Node::Statement));
        }
        StatementKind::While(test, body, orelse) | StatementKind::If(test, body, orelse) => {
            into.push(Node::Expr(test));
            into.extend(body.iter().chain(orelse).map(Node::Statement));
        }
        StatementKind::Return(value) => into.extend(value.as_ref().map(Node::Expr)),
        StatementKind::Raise(exception, cause) => {
            into.extend(exception.iter().chain(cause).map(Node::Expr));
        }
        StatementKind::Assert(test, message) => {
            into.push(Node::Expr(test));
            into.extend(message.as_ref().map(Node::Expr));
        }
        StatementKind::Expr(value) => into.push(Node::Expr(value)),
        StatementKind::FunctionDef(function) => into.push(Node::Function(function)),
        StatementKind::Pass
        | StatementKind::Break
        | StatementKind::Continue
        | StatementKind::Nonlocal(_)
        | StatementKind::Global(_)
        | StatementKind::Other(_) => {}
    }
}

fn of_expr<'a>(expr: &'a Expr, into: &mut Vec<Node<'a>>) {
    let mut add = |expr: &'a Expr| into.push(Node::Expr(expr));
    match &*expr.kind {
        ExprKind::Constant(_) | ExprKind::Name(_) | ExprKind::Other(_) => {}
        ExprKind::Attribute(value, _) | ExprKind::Starred(value) | ExprKind::UnaryOp(_, value) => add(value),
        ExprKind::Subscript(a, b) | ExprKind::BinOp(a, _, b) | ExprKind::NamedExpr(a, b) => {
            add(a);
            add(b);
        }
        ExprKind::Slice(a, b, c) => [a, b, c].into_iter().flatten().for_each(add),
        ExprKind::Tuple(members)
        | ExprKind::List(members)
        | ExprKind::BoolOp(_, members)
        | ExprKind::JoinedStr(members) => members.iter().for_each(add),
        ExprKind::Compare(left, _, others) => {
            add(left);
            others.iter().for_each(add);
        }
        ExprKind::IfExp(test, then, orelse) => [test, then, orelse].into_iter().for_each(add),
        ExprKind::Call(function, arguments, keywords) => {
            add(function);
            arguments.iter().for_each(&mut add);
            keywords.iter().for_each(|(_, value)| add(value));
        }
        ExprKind::FormattedValue(value, _, format) => {
            add(value);
            format.iter().for_each(add);
        }
        ExprKind::Lambda(function) => into.push(Node::Function(function)),
    }
}

/// The first node that lies deeper than `DEEPEST`.
pub fn too_deep(function: &Function) -> Option<crate::ir::Span> {
    let mut stack = vec![(Node::Function(function), 0)];
    let mut below = Vec::new();
    while let Some((node, depth)) = stack.pop() {
        if depth > DEEPEST {
            return Some(match node {
                Node::Statement(statement) => statement.span,
                Node::Expr(expr) => expr.span,
                Node::Function(function) => function.span,
            });
        }
        children(node, &mut below);
        stack.extend(below.drain(..).map(|node| (node, depth + 1)));
    }
    None
}
