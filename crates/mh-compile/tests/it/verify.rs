//! Whether an IR keeps what the top of `ir.rs` says.

use mh_compile::ir::*;

struct Verifier<'a> {
    module: &'a Module,
    function: &'a Function,
    labels: Vec<Label>,
    loops: usize,
    wrong: Vec<String>,
}

/// What is wrong with it; empty if nothing is.
pub fn verify(module: &Module) -> Vec<String> {
    let mut wrong = Vec::new();
    for function in &module.functions {
        let mut verifier = Verifier { module, function, labels: Vec::new(), loops: 0, wrong: Vec::new() };
        verifier.block(&function.body);
        wrong.extend(verifier.wrong.into_iter().map(|text| format!("{}: {text}", function.name)));
    }
    wrong
}

fn like(a: Type, b: Type) -> bool {
    match (a, b) {
        (Type::Array(a), Type::Array(b)) => a.element == b.element && a.rank == b.rank,
        _ => a == b,
    }
}

impl Verifier<'_> {
    fn check(&mut self, fine: bool, what: impl FnOnce() -> String) {
        if !fine {
            self.wrong.push(what());
        }
    }

    fn var(&mut self, var: Var) -> Type {
        match self.function.variables.get(var.0 as usize) {
            Some(variable) => variable.ty,
            None => {
                self.wrong.push(format!("no variable {}", var.0));
                Type::INT
            }
        }
    }

    fn array(&mut self, var: Var) -> Option<Array> {
        let ty = self.var(var);
        self.check(ty.array().is_some(), || format!("variable {} is no array", var.0));
        ty.array()
    }

    fn block(&mut self, block: &[Statement]) {
        for statement in block {
            self.statement(statement);
        }
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                let ty = self.var(*var);
                self.check(like(ty, value.ty), || format!("{statement}: {ty} = {}", value.ty));
                match &*value.kind {
                    ExprKind::New { lengths, fill, .. } => {
                        lengths.iter().for_each(|length| self.int(length));
                        if let Fill::Value(value) = fill {
                            self.expr(value);
                        }
                    }
                    ExprKind::View { array, parts, .. } => {
                        self.array(*array);
                        for part in parts {
                            match part {
                                Part::Index(index) | Part::Length(index) => self.int(index),
                                Part::Slice { start, stop, step } => {
                                    [start, stop, step]
                                        .into_iter()
                                        .flatten()
                                        .for_each(|bound| self.int(bound));
                                }
                                Part::NewAxis | Part::Axis(_) | Part::Real | Part::Imag | Part::Diagonal => {}
                            }
                        }
                    }
                    ExprKind::Var(source) => {
                        let source = self.var(*source);
                        self.check(like(source, value.ty), || {
                            format!("{statement}: a variable of another type")
                        });
                    }
                    _ => self.expr(value),
                }
            }
            StatementKind::Store { array, indices, value, .. } => {
                self.indices(*array, indices);
                self.expr(value);
                if let (Some(array), StatementKind::Store { update: None, .. }) =
                    (self.array(*array), &statement.kind)
                {
                    let kind = value.ty.scalar().map(|scalar| scalar.kind);
                    self.check(kind == Some(array.element), || format!("{statement}: {kind:?} stored"));
                }
            }
            StatementKind::If { condition, then, orelse } => {
                self.bool(condition);
                self.block(then);
                self.block(orelse);
            }
            StatementKind::While { head, condition, body } => {
                self.loops += 1;
                self.block(head);
                self.bool(condition);
                self.block(body);
                self.loops -= 1;
            }
            StatementKind::For(inner) => {
                let ty = self.var(inner.var);
                self.check(ty == Type::INT, || format!("a loop over {ty}"));
                [&inner.start, &inner.stop, &inner.step].into_iter().for_each(|bound| self.int(bound));
                self.loops += 1;
                self.block(&inner.body);
                self.loops -= 1;
            }
            StatementKind::Break | StatementKind::Continue => {
                let inside = self.loops > 0;
                self.check(inside, || format!("{statement} outside of a loop"));
            }
            StatementKind::Labelled { label, body, .. } => {
                self.labels.push(*label);
                self.block(body);
                self.labels.pop();
            }
            StatementKind::Leave(label) => {
                let inside = self.labels.contains(label);
                self.check(inside, || format!("{statement} outside of its block"));
            }
            StatementKind::Lockstep(_) => self.check(false, || format!("{statement}: made by a later stage")),
            StatementKind::Return(values) => {
                values.iter().for_each(|value| self.expr(value));
                let types: Vec<Type> = values.iter().map(|value| value.ty).collect();
                let results = &self.function.results;
                let fine =
                    types.len() == results.len() && types.iter().zip(results).all(|(a, b)| like(*a, *b));
                self.check(fine, || format!("{statement}: the results are {results:?}"));
            }
            StatementKind::Call { results, function, arguments } => {
                arguments.iter().for_each(|argument| self.expr(argument));
                let Some(callee) = self.module.functions.get(function.0 as usize) else {
                    return self.wrong.push(format!("{statement}: no such function"));
                };
                let wanted: Vec<Type> =
                    callee.parameters.iter().map(|var| callee.variables[var.0 as usize].ty).collect();
                let given: Vec<Type> = arguments.iter().map(|argument| argument.ty).collect();
                let fine =
                    wanted.len() == given.len() && wanted.iter().zip(&given).all(|(a, b)| like(*a, *b));
                self.check(fine, || format!("{statement}: {given:?} for {wanted:?}"));
                let got: Vec<Type> = results.iter().map(|var| self.var(*var)).collect();
                let fine = got.len() == callee.results.len() || got.is_empty();
                self.check(fine, || format!("{statement}: results"));
            }
            StatementKind::Raise { exception, values, .. } => {
                let known = (*exception as usize) < self.module.exceptions.len();
                self.check(known, || format!("{statement}: no such exception"));
                values.iter().for_each(|value| self.expr(value));
            }
            StatementKind::Print { items } => {
                for item in items {
                    if let PrintItem::Value(value, _) = item {
                        self.expr(value);
                    }
                }
            }
        }
    }

    fn int(&mut self, expr: &Expr) {
        self.check(expr.ty == Type::INT, || format!("{expr} is no int but {}", expr.ty));
        self.expr(expr);
    }

    fn bool(&mut self, expr: &Expr) {
        let fine = expr.ty.scalar().is_some_and(|scalar| scalar.kind == Kind::Bool);
        self.check(fine, || format!("{expr} is no bool but {}", expr.ty));
        self.expr(expr);
    }

    fn indices(&mut self, array: Var, indices: &[Expr]) {
        if let Some(ty) = self.array(array) {
            self.check(usize::from(ty.rank) == indices.len(), || {
                format!("{} indices for {ty:?}", indices.len())
            });
        }
        indices.iter().for_each(|index| self.int(index));
    }

    fn expr(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Bool(_) => {
                let kind = expr.ty.scalar().map(|scalar| scalar.kind);
                self.check(kind == Some(Kind::Bool), || format!("{expr} is {}", expr.ty));
            }
            ExprKind::Int(_) => {
                let fine = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer());
                self.check(fine, || format!("{expr} is {}", expr.ty));
            }
            ExprKind::Float(_) => {
                let fine = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_float());
                self.check(fine, || format!("{expr} is {}", expr.ty));
            }
            ExprKind::Complex(..) => {
                let fine = expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_complex());
                self.check(fine, || format!("{expr} is {}", expr.ty));
            }
            ExprKind::Var(var) => {
                let ty = self.var(*var);
                self.check(like(ty, expr.ty), || format!("{expr}: read as {}, is {ty}", expr.ty));
            }
            ExprKind::Unary { operand, .. } => {
                self.expr(operand);
            }
            ExprKind::Binary { left, right, .. } => {
                self.expr(left);
                self.expr(right);
                self.check(left.ty == right.ty, || format!("{expr}: {} and {}", left.ty, right.ty));
                self.check(left.ty == expr.ty, || format!("{expr}: {} gives {}", left.ty, expr.ty));
            }
            ExprKind::Compare { left, right, .. } => {
                self.expr(left);
                self.expr(right);
                let kinds = (left.ty.scalar().map(|one| one.kind), right.ty.scalar().map(|one| one.kind));
                self.check(kinds.0.is_some() && kinds.0 == kinds.1, || {
                    format!("{expr}: {} and {}", left.ty, right.ty)
                });
            }
            ExprKind::If { condition, then, orelse } => {
                self.bool(condition);
                self.expr(then);
                self.expr(orelse);
                let fine = then.ty == expr.ty && orelse.ty == expr.ty && expr.ty.scalar().is_some();
                self.check(fine, || format!("{expr}: {} or {}", then.ty, orelse.ty));
            }
            ExprKind::Cast { value, .. } => {
                self.expr(value);
                let scalars = value.ty.scalar().is_some() && expr.ty.scalar().is_some();
                self.check(scalars, || format!("{expr}: a cast of an array"));
            }
            ExprKind::Load { array, indices, .. } => self.indices(*array, indices),
            ExprKind::Dim { array, axis } => {
                if let Some(ty) = self.array(*array) {
                    self.check(*axis < ty.rank, || format!("{expr}: no such axis"));
                }
            }
            ExprKind::Math { arguments, .. } | ExprKind::Random { arguments, .. } => {
                arguments.iter().for_each(|argument| self.expr(argument));
            }
            ExprKind::Disjoint { left, right } => {
                self.array(*left);
                self.array(*right);
            }
            ExprKind::Foldable { array, lengths } => {
                self.array(*array);
                lengths.iter().flatten().for_each(|length| self.int(length));
            }
            ExprKind::New { .. } | ExprKind::View { .. } => self.wrong.push(format!("{expr} as a value")),
        }
    }
}
