//! Statements, but for loops, assignments and `raise`.

use super::arithmetic::negate;
use super::expression::unsupported;
use super::value::Value;
use super::variables::Key;
use super::webs::address;
use super::{Lowerer, Result, Stop};
use crate::ast::{self, Constant, StatementKind};
use crate::ir::{ExprKind, StatementKind as Ir};

impl Lowerer<'_> {
    /// Lowers statements up to the first that is not reached.
    pub fn body(&mut self, statements: &[ast::Statement]) {
        for statement in statements {
            if !self.reachable || self.statements > super::MOST_STATEMENTS {
                return;
            }
            match self.statement(statement) {
                Ok(()) => {}
                Err(Stop::Never) => self.reachable = false,
                Err(Stop::Unknown) => {
                    self.frame_mut().unknown = true;
                    if self.last && !self.changed && self.errors.is_empty() {
                        let span = self.at(statement.span);
                        let Stop::Error(error) = unsupported(
                            span,
                            "the type of a value here cannot be told",
                            "give the variables a first value before the loop, and let recursion end",
                        ) else {
                            continue;
                        };
                        self.errors.push(*error);
                    }
                }
                Err(Stop::Error(error)) => {
                    self.frame_mut().unknown = true;
                    self.errors.push(*error);
                }
            }
        }
    }

    fn statement(&mut self, statement: &ast::Statement) -> Result<()> {
        let span = self.at(statement.span);
        match &statement.kind {
            StatementKind::Assign(targets, value) => self.assignment(targets, value),
            StatementKind::AnnAssign(target, Some(value)) => {
                self.assignment(std::slice::from_ref(target), value)
            }
            StatementKind::AnnAssign(_, None) | StatementKind::Pass => Ok(()),
            StatementKind::AugAssign(target, op, value) => self.augmented(target, op, value, span),
            StatementKind::For(target, iterable, body, orelse) => {
                self.for_loop(target, iterable, body, orelse, span)
            }
            StatementKind::While(test, body, orelse) => self.while_loop(test, body, orelse, span),
            StatementKind::If(test, body, orelse) => self.if_statement(test, body, orelse, statement),
            StatementKind::Return(value) => {
                let outcome = match value {
                    Some(value) => self.expr(value),
                    None => Ok(Value::None),
                };
                let outcome = outcome.and_then(|value| self.give_back(value, span));
                self.reachable = false;
                outcome
            }
            StatementKind::Raise(exception, _) => self.raise(exception.as_ref(), span),
            StatementKind::Assert(test, message) => self.assert(test, message.as_ref(), span),
            StatementKind::Expr(value) => {
                if matches!(&*value.kind, ast::ExprKind::Constant(Constant::Str(_) | Constant::Ellipsis)) {
                    return Ok(());
                }
                let value = self.expr(value)?;
                self.discard(value);
                Ok(())
            }
            StatementKind::Break => self.leave_loop(true, span),
            StatementKind::Continue => self.leave_loop(false, span),
            StatementKind::FunctionDef(function) => {
                let around = self.frame().around.clone();
                let web = around.tree.definition(&**function).ok_or(Stop::Unknown)?;
                let value = self.closure(function)?;
                self.define(Key { path: around.path, web }, value, Some(&function.name), span)
            }
            StatementKind::Global(_) | StatementKind::Nonlocal(_) => Ok(()),
            StatementKind::Other(class) => Err(other(class, span)),
        }
    }

    fn if_statement(
        &mut self,
        test: &ast::Expr,
        body: &[ast::Statement],
        orelse: &[ast::Statement],
        statement: &ast::Statement,
    ) -> Result<()> {
        let span = self.at(statement.span);
        let condition = match self.condition(test) {
            // Its branches may tell what it leans on.
            Err(Stop::Unknown) if !self.last => {
                self.frame_mut().unknown = true;
                let var = self.temp(crate::ir::Type::BOOL);
                crate::ir::Expr::new(ExprKind::Var(var), crate::ir::Type::BOOL, span)
            }
            other => other?,
        };
        let known = match *condition.kind {
            ExprKind::Bool(known) => Some(known),
            _ => None,
        };
        let decided = self.frame_mut().decided.entry(address(test)).or_insert(known);
        if *decided != known {
            *decided = None;
        }
        if let Some(known) = known {
            self.body(if known { body } else { orelse });
            return Ok(());
        }
        let (then_reached, then) = self.branch(body);
        let (else_reached, orelse) = self.branch(orelse);
        self.reachable = then_reached || else_reached;
        self.emit(Ir::If { condition, then, orelse }, span);
        Ok(())
    }

    /// A block of its own, and whether its end is reached.
    pub fn branch(&mut self, statements: &[ast::Statement]) -> (bool, crate::ir::Block) {
        let before = self.reachable;
        self.branches += 1;
        let ((), block) = self.apart(|this| this.body(statements));
        self.branches -= 1;
        (std::mem::replace(&mut self.reachable, before), block)
    }

    fn assert(&mut self, test: &ast::Expr, message: Option<&ast::Expr>, span: crate::ir::Span) -> Result<()> {
        let condition = self.condition(test)?;
        if matches!(*condition.kind, ExprKind::Bool(true)) {
            return Ok(());
        }
        let (outcome, then) = self.apart(|this| this.raise_assertion(message, span));
        outcome?;
        self.if_then(negate(condition), then, Vec::new(), span);
        Ok(())
    }
}

fn other(class: &str, span: crate::ir::Span) -> Stop {
    let (what, advice) = match class {
        "Try" | "TryStar" => (
            "`try` is not compiled",
            "test before: `if y == 0: ...`; what a compiled function raises can be caught where it is called",
        ),
        "With" | "AsyncWith" => ("`with` is not compiled", "use it around the call of the compiled function"),
        "Import" | "ImportFrom" => ("`import` is not compiled", "import at the top of the file"),
        "ClassDef" => {
            ("classes are not compiled", "make it outside; pass its numbers and arrays as arguments")
        }
        "Delete" => ("`del` is not compiled", "leave it out: arrays are freed when nothing uses them"),
        "Match" => ("`match` is not compiled", "write `if` and `elif`"),
        "AsyncFunctionDef" | "AsyncFor" => ("coroutines are not compiled", "write a plain function"),
        _ => {
            return unsupported(
                span,
                format!("{class} is not compiled"),
                "keep it outside of the compiled function",
            );
        }
    };
    unsupported(span, what, advice)
}
