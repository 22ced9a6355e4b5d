//! Where only some operands are evaluated: `and`, `or`, conditional expressions, comparisons and their chains.

use super::arithmetic::{choose, negate};
use super::arrays::{Op, is_array};
use super::expression::unsupported;
use super::types::{join, python_name};
use super::value::{Value, boolean, is_constant};
use super::{Lowerer, Result, Stop, wide};
use crate::ast;
use crate::ir::{Block, Compare, Expr, ExprKind, Flavour, Kind, Scalar, Span, Type, Var};

fn compare_of(name: &str) -> Option<Compare> {
    Some(match name {
        "Eq" => Compare::Equal,
        "NotEq" => Compare::NotEqual,
        "Lt" => Compare::Less,
        "LtE" => Compare::LessEqual,
        "Gt" => Compare::Greater,
        "GtE" => Compare::GreaterEqual,
        _ => return None,
    })
}

impl Lowerer<'_> {
    /// A test: true or false as `if` takes it.
    pub fn condition(&mut self, expr: &ast::Expr) -> Result<Expr> {
        let span = self.at(expr.span);
        match &*expr.kind {
            ast::ExprKind::BoolOp(op, values) => {
                let and = op == "And";
                let mut values = values.iter();
                let Some(first) = values.next() else { return Err(Stop::Unknown) };
                let mut so_far = self.condition(first)?;
                for value in values {
                    if matches!(*so_far.kind, ExprKind::Bool(known) if known != and) {
                        return Ok(so_far);
                    }
                    let (next, block) = self.apart(|this| this.condition(value));
                    let next = match next {
                        Err(Stop::Unknown) if !self.last => so_far.clone(),
                        Err(Stop::Never) => boolean(!and, span),
                        other => other?,
                    };
                    so_far = self.join_condition(and, so_far, next, block, span);
                }
                Ok(so_far)
            }
            ast::ExprKind::UnaryOp(op, operand) if op == "Not" => Ok(negate(self.condition(operand)?)),
            ast::ExprKind::Compare(left, ops, others) if ops.len() > 1 => {
                self.chain(left, ops, others, span).map(|(holds, _)| holds)
            }
            _ => {
                let value = self.expr(expr)?;
                self.truth(&value, span)
            }
        }
    }

    fn join_condition(&mut self, and: bool, left: Expr, right: Expr, block: Block, span: Span) -> Expr {
        if block.is_empty() {
            let known = boolean(!and, span);
            return if and { choose(left, right, known, span) } else { choose(left, known, right, span) };
        }
        if matches!(*left.kind, ExprKind::Bool(_)) {
            self.block.extend(block);
            return right;
        }
        let var = self.temp(Type::BOOL);
        self.assign(var, left);
        let ((), block) = self.apart(|this| {
            this.block = block;
            this.assign(var, right);
        });
        let flag = Expr::new(ExprKind::Var(var), Type::BOOL, span);
        let condition = if and { flag.clone() } else { negate(flag.clone()) };
        self.if_then(condition, block, Vec::new(), span);
        flag
    }

    /// `and`, `or` as values: one of the operands.
    pub fn bool_op(&mut self, and: bool, values: &[ast::Expr], span: Span) -> Result<Value> {
        let Some((last, firsts)) = values.split_last() else { return Err(Stop::Unknown) };
        let Some((first, rest)) = firsts.split_first() else { return self.expr(last) };
        let first_value = self.expr(first)?;
        let first_value = self.settle_scalars(first_value);
        let test = self.truth(&first_value, span)?;
        if let ExprKind::Bool(known) = *test.kind {
            if known != and {
                return Ok(first_value);
            }
            return self.bool_op_rest(and, rest, last, span);
        }
        let (second, block) = self.apart(|this| this.bool_op_rest(and, rest, last, span));
        let second = match second {
            Err(Stop::Unknown) if !self.last => return Ok(first_value),
            other => other,
        };
        if and {
            self.select(test, second, block, Ok(first_value), Vec::new(), span)
        } else {
            self.select(test, Ok(first_value), Vec::new(), second, block, span)
        }
    }

    fn bool_op_rest(&mut self, and: bool, rest: &[ast::Expr], last: &ast::Expr, span: Span) -> Result<Value> {
        match rest.split_first() {
            None => self.expr(last),
            Some((first, rest)) => {
                let value = self.expr(first)?;
                let value = self.settle_scalars(value);
                let test = self.truth(&value, span)?;
                if let ExprKind::Bool(known) = *test.kind {
                    return if known == and { self.bool_op_rest(and, rest, last, span) } else { Ok(value) };
                }
                let (second, block) = self.apart(|this| this.bool_op_rest(and, rest, last, span));
                if and {
                    self.select(test, second, block, Ok(value), Vec::new(), span)
                } else {
                    self.select(test, Ok(value), Vec::new(), second, block, span)
                }
            }
        }
    }

    fn settle_scalars(&mut self, value: Value) -> Value {
        match value {
            Value::Expr(expr) => Value::Expr(self.simple(expr)),
            other => other,
        }
    }

    pub fn conditional(
        &mut self,
        test: &ast::Expr,
        then: &ast::Expr,
        orelse: &ast::Expr,
        span: Span,
    ) -> Result<Value> {
        let test = self.condition(test)?;
        if let ExprKind::Bool(known) = *test.kind {
            return self.expr(if known { then } else { orelse });
        }
        let (then, then_block) = self.apart(|this| this.expr(then));
        let (orelse, else_block) = self.apart(|this| this.expr(orelse));
        self.select(test, then, then_block, orelse, else_block, span)
    }

    /// One of two values, each with what is emitted for it.
    fn select(
        &mut self,
        test: Expr,
        then: Result<Value>,
        mut then_block: Block,
        orelse: Result<Value>,
        mut else_block: Block,
        span: Span,
    ) -> Result<Value> {
        let (then, orelse) = match (then, orelse) {
            (Ok(then), Ok(orelse)) => (then, orelse),
            (Err(Stop::Error(error)), _) | (_, Err(Stop::Error(error))) => return Err(Stop::Error(error)),
            (Err(Stop::Never), Err(Stop::Never)) => {
                self.if_then(test, then_block, else_block, span);
                return Err(Stop::Never);
            }
            (Err(Stop::Never), Ok(value)) => {
                let test = self.simple(test);
                self.if_then(test, then_block, Vec::new(), span);
                self.block.extend(else_block);
                return Ok(value);
            }
            (Ok(value), Err(Stop::Never)) => {
                let test = self.simple(test);
                self.if_then(negate(test), else_block, Vec::new(), span);
                self.block.extend(then_block);
                return Ok(value);
            }
            // In the next pass more is known.
            (Ok(value), Err(Stop::Unknown)) | (Err(Stop::Unknown), Ok(value)) if !self.last => {
                return Ok(value);
            }
            _ => return Err(Stop::Unknown),
        };
        if let (Value::Expr(a), Value::Expr(b)) = (&then, &orelse) {
            if let (Type::Scalar(s), Type::Scalar(t)) = (a.ty, b.ty) {
                let both = super::types::join_scalars(s, t);
                let pure = then_block.is_empty() && else_block.is_empty();
                if pure && !super::variables::loses(a, both) && !super::variables::loses(b, both) {
                    let (a, b) = (self.cast(a.clone(), both), self.cast(b.clone(), both));
                    return Ok(Value::Expr(choose(test, a, b, span)));
                }
            }
        }
        let (Some(a), Some(b)) = (then.form(), orelse.form()) else {
            return Err(super::variables::not_storable(&then, span).into());
        };
        let Some(form) = join(&a, &b) else {
            let (a, b) = (super::types::form_name(&a), super::types::form_name(&b));
            return Err(unsupported(
                span,
                format!("this is either {a} or {b}"),
                "both must have one type: use an `if` statement, and two variables",
            ));
        };
        let mut types = Vec::new();
        form.flatten(&mut types);
        let vars: Vec<Var> = types.into_iter().map(|ty| self.temp(ty)).collect();
        for (block, value) in [(&mut then_block, then), (&mut else_block, orelse)] {
            let made = std::mem::take(block);
            let ((), filled) = self.apart(|this| {
                this.block = made;
                let value = if vars.len() > 1 { this.settle(value) } else { value };
                this.fill(&form, value, &mut vars.iter().copied());
            });
            *block = filled;
        }
        self.if_then(test, then_block, else_block, span);
        Ok(super::variables::rebuild(&form, &mut vars.into_iter(), span))
    }

    pub fn comparison(
        &mut self,
        left: &ast::Expr,
        ops: &[String],
        others: &[ast::Expr],
        span: Span,
    ) -> Result<Value> {
        let [op] = ops else {
            let (holds, flavour) = self.chain(left, ops, others, span)?;
            return Ok(Value::Expr(self.cast(holds, Scalar { kind: Kind::Bool, flavour })));
        };
        let Some(right) = others.first() else { return Err(Stop::Unknown) };
        let values = match op.as_str() {
            "In" | "NotIn" => {
                let values = self.readers(&[left, right])?;
                values.into_iter().map(|value| self.made(value)).collect::<Result<_>>()?
            }
            _ => self.lazy_operands(&[left, right])?,
        };
        let places = (self.at(left.span), self.at(right.span));
        match (compare_of(op), values.as_slice()) {
            (Some(op), [left, right]) if is_array(left) || is_array(right) => {
                let (left, right) = wide::pair((left, places.0), (right, places.1), true)?;
                self.each_of(Op::Compare(op), vec![left, right], span)
            }
            (Some(op), [left, right]) => {
                self.compared(op, (left, places.0), (right, places.1), span).map(Value::Expr)
            }
            (None, [left, _]) => {
                wide::held(left.clone(), places.0)?;
                self.one_comparison(op, left, &values[1], span).map(Value::Expr)
            }
            _ => Err(Stop::Unknown),
        }
    }

    fn one_comparison(&mut self, op: &str, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        if let Some(op) = compare_of(op) {
            return self.compared(op, (left, span), (right, span), span);
        }
        let (positive, negated) = match op {
            "Is" | "In" => (op, false),
            "IsNot" => ("Is", true),
            "NotIn" => ("In", true),
            _ => {
                return Err(unsupported(
                    span,
                    format!("the operator {op} is not compiled"),
                    "compare with == or <",
                ));
            }
        };
        let result =
            if positive == "Is" { self.is(left, right, span)? } else { self.contains(left, right, span)? };
        Ok(if negated { negate(result) } else { result })
    }

    fn is(&mut self, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        Ok(match (left, right) {
            (Value::None, Value::None) => boolean(true, span),
            (Value::None, _) | (_, Value::None) => boolean(false, span),
            (Value::Static(a), Value::Static(b)) => boolean(a == b, span),
            (Value::Expr(a), Value::Expr(b))
                if a.ty == Type::BOOL && b.ty == Type::BOOL && (is_constant(a) || is_constant(b)) =>
            {
                self.compare(Compare::Equal, left, right, span)?
            }
            (Value::Expr(a), Value::Expr(b))
                if (a.ty == Type::BOOL && is_constant(a)) != (b.ty == Type::BOOL && is_constant(b)) =>
            {
                boolean(false, span)
            }
            _ => {
                return Err(unsupported(
                    span,
                    "`is` compares with None, True and False only",
                    "compare values with ==",
                ));
            }
        })
    }

    fn contains(&mut self, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        match right {
            Value::Tuple(members) => {
                let left = self.settle_scalars(left.clone());
                let mut found = boolean(false, span);
                for member in members {
                    let one = self.compare(Compare::Equal, &left, member, span)?;
                    let one = self.cast(one, Scalar::BOOL);
                    found = choose(found, boolean(true, span), one, span);
                }
                Ok(found)
            }
            _ => {
                let name = right.form().map_or_else(|| "range".to_owned(), |form| python_name(&form));
                Err(unsupported(
                    span,
                    format!("`in` is compiled for tuples only, not for {name}"),
                    "write the loop that looks for it, or compare: `a <= x < b`",
                ))
            }
        }
    }

    /// `a < b < c`: each operand once, and no further than needed. As a `bool`, with the flavour that `a < b and b < c` has.
    fn chain(
        &mut self,
        left: &ast::Expr,
        ops: &[String],
        others: &[ast::Expr],
        span: Span,
    ) -> Result<(Expr, Flavour)> {
        let Some(((first_op, rest_ops), (first, rest))) = ops.split_first().zip(others.split_first()) else {
            return Err(Stop::Unknown);
        };
        let values = self.operands(&[left, first])?;
        let [left, right] = values.as_slice() else { return Err(Stop::Unknown) };
        // The left one too, and first: it is evaluated before the one in the middle.
        let left = self.settle_scalars(left.clone());
        let right = self.settle_scalars(right.clone());
        let result = self.one_comparison(first_op, &left, &right, span)?;
        let flavour = flavour_of(&result);
        let result = self.cast(result, Scalar::BOOL);
        self.chain_on((result, flavour), right, rest_ops, rest, span)
    }

    fn chain_on(
        &mut self,
        (so_far, flavour): (Expr, Flavour),
        left: Value,
        ops: &[String],
        others: &[ast::Expr],
        span: Span,
    ) -> Result<(Expr, Flavour)> {
        let Some(((op, rest_ops), (other, rest))) = ops.split_first().zip(others.split_first()) else {
            return Ok((so_far, flavour));
        };
        let (outcome, block) = self.apart(|this| -> Result<(Expr, Flavour)> {
            let before = this.block.len();
            let mut left = left;
            let mut right = this.expr(other)?;
            left = this.settle_before(vec![left], before).pop().ok_or(Stop::Unknown)?;
            if !rest.is_empty() {
                left = this.settle_scalars(left);
                right = this.settle_scalars(right);
            }
            let result = this.one_comparison(op, &left, &right, span)?;
            let next = flavour_of(&result);
            let result = this.cast(result, Scalar::BOOL);
            this.chain_on((result, next), right, rest_ops, rest, span)
        });
        let (next, later) = match outcome {
            Err(Stop::Never) => (boolean(false, span), flavour),
            other => other?,
        };
        let flavour = match *so_far.kind {
            ExprKind::Bool(false) => flavour,
            ExprKind::Bool(true) => later,
            _ if later == Flavour::NumPy => later,
            _ => flavour,
        };
        Ok((self.join_condition(true, so_far, next, block, span), flavour))
    }
}

fn flavour_of(result: &Expr) -> Flavour {
    result.ty.scalar().map_or(Flavour::Python, |scalar| scalar.flavour)
}
