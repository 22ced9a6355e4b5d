//! Expressions.

use super::arithmetic::{choose, negate, type_error};
use super::function::Arguments;
use super::types::{join, python_name};
use super::value::{SliceValue, Static, Value, boolean, float, is_constant};
use super::variables::Key;
use super::webs::address;
use super::{Lowerer, Result, Stop, builtins};
use crate::ast::{self, Constant};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Binary, Block, Compare, Expr, ExprKind, Kind, Scalar, Span, Statement, StatementKind, Type, Var,
};
use crate::world::Found;

pub fn binary_of(name: &str) -> Option<Binary> {
    Some(match name {
        "Add" => Binary::Add,
        "Sub" => Binary::Subtract,
        "Mult" => Binary::Multiply,
        "Div" => Binary::Divide,
        "FloorDiv" => Binary::FloorDivide,
        "Mod" => Binary::Modulo,
        "Pow" => Binary::Power,
        "LShift" => Binary::LeftShift,
        "RShift" => Binary::RightShift,
        "BitAnd" => Binary::And,
        "BitOr" => Binary::Or,
        "BitXor" => Binary::Xor,
        _ => return None,
    })
}

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

pub fn unsupported(span: Span, message: impl Into<String>, advice: &str) -> Stop {
    Diagnostic::new(Class::Unsupported, span, message).advice(advice).into()
}

impl Lowerer<'_> {
    /// Lowers an expression. What it does beside giving a value is emitted.
    pub fn expr(&mut self, expr: &ast::Expr) -> Result<Value> {
        let span = self.at(expr.span);
        match &*expr.kind {
            ast::ExprKind::Constant(constant) => constant_value(constant, span),
            ast::ExprKind::Name(name) => self.name(expr, name, span),
            ast::ExprKind::Attribute(value, name) => {
                let value = self.expr(value)?;
                self.attribute(value, name, span)
            }
            ast::ExprKind::Subscript(value, index) => {
                let mut values = self.operands(&[value, index])?.into_iter();
                match (values.next(), values.next()) {
                    (Some(value), Some(index)) => builtins::subscript(self, value, index, span),
                    _ => Err(Stop::Unknown),
                }
            }
            ast::ExprKind::Slice(start, stop, step) => {
                self.slice(start.as_ref(), stop.as_ref(), step.as_ref())
            }
            ast::ExprKind::Tuple(members) => {
                let members: Vec<&ast::Expr> = members.iter().collect();
                self.operands(&members).map(Value::Tuple)
            }
            ast::ExprKind::UnaryOp(op, operand) if op == "Not" => {
                let condition = self.condition(operand)?;
                Ok(Value::Expr(negate(condition)))
            }
            ast::ExprKind::UnaryOp(op, operand) => {
                let operand = self.expr(operand)?;
                self.unary(op, &operand, span)
            }
            ast::ExprKind::BinOp(left, op, right) => {
                let values = self.operands(&[left, right])?;
                match (binary_of(op), values.as_slice()) {
                    (Some(Binary::Modulo), [Value::Static(Static::Str(_)), _]) => Err(unsupported(
                        span,
                        "text is made in `raise` and `print` only",
                        "print the values: print(\"x\", x)",
                    )),
                    (Some(op), [left, right]) => self.binary(op, left, right, span),
                    _ => Err(unsupported(
                        span,
                        format!("the operator {op} is not compiled"),
                        "write the loop with * and +",
                    )),
                }
            }
            ast::ExprKind::BoolOp(op, values) => self.bool_op(op == "And", values, span),
            ast::ExprKind::Compare(left, ops, others) => {
                self.comparison(left, ops, others, span).map(Value::Expr)
            }
            ast::ExprKind::IfExp(test, then, orelse) => self.conditional(test, then, orelse, span),
            ast::ExprKind::Call(function, arguments, keywords) => {
                self.call(expr, function, arguments, keywords, span)
            }
            ast::ExprKind::NamedExpr(target, value) => {
                let value = self.expr(value)?;
                self.assign_target(target, value)?;
                match &*target.kind {
                    ast::ExprKind::Name(name) => self.defined(target, name, span),
                    _ => Err(Stop::Unknown),
                }
            }
            ast::ExprKind::Lambda(function) => self.closure(function),
            ast::ExprKind::Starred(_) => {
                Err(unsupported(span, "`*` here is not compiled", "write the members one by one"))
            }
            ast::ExprKind::List(_) => Err(no_lists(span)),
            ast::ExprKind::JoinedStr(_) | ast::ExprKind::FormattedValue(..) => Err(unsupported(
                span,
                "text is made in `raise` and `print` only",
                "print the values: print(\"x\", x)",
            )),
            ast::ExprKind::Other(class) => Err(other(class, span)),
        }
    }

    /// As `expr`; a list display counts as a tuple: where it is only read.
    pub fn display(&mut self, expr: &ast::Expr) -> Result<Value> {
        match &*expr.kind {
            ast::ExprKind::List(members) => {
                let mut values = Vec::with_capacity(members.len());
                for member in members {
                    let before = self.block.len();
                    let value = self.display(member)?;
                    values = self.settle_before(values, before);
                    values.push(value);
                }
                Ok(Value::Tuple(values))
            }
            _ => self.expr(expr),
        }
    }

    /// Lowers expressions that are evaluated one after the other; each is kept where a later one has effects.
    pub fn operands(&mut self, exprs: &[&ast::Expr]) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let before = self.block.len();
            let value = self.expr(expr)?;
            values = self.settle_before(values, before);
            values.push(value);
        }
        Ok(values)
    }

    /// As `operands`, for what reads lists too.
    fn readers(&mut self, exprs: &[&ast::Expr]) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let before = self.block.len();
            let value = self.display(expr)?;
            values = self.settle_before(values, before);
            values.push(value);
        }
        Ok(values)
    }

    fn slice(
        &mut self,
        start: Option<&ast::Expr>,
        stop: Option<&ast::Expr>,
        step: Option<&ast::Expr>,
    ) -> Result<Value> {
        let parts = [start, stop, step];
        let given: Vec<&ast::Expr> = parts.iter().copied().flatten().collect();
        let mut values = self.operands(&given)?.into_iter();
        let mut bounds = [None, None, None];
        for (bound, part) in bounds.iter_mut().zip(parts) {
            let Some(part) = part else { continue };
            let span = self.at(part.span);
            match values.next() {
                Some(Value::None) | None => {}
                Some(Value::Expr(expr))
                    if expr.ty.scalar().is_some_and(|scalar| scalar.kind.is_integer()) =>
                {
                    *bound = Some(self.cast(expr, Scalar::INT));
                }
                Some(_) => {
                    return Err(type_error(
                        span,
                        "slice indices must be integers or None or have an __index__ method".into(),
                    ));
                }
            }
        }
        let [start, stop, step] = bounds;
        Ok(Value::Slice(Box::new(SliceValue { start, stop, step })))
    }

    fn name(&mut self, expr: &ast::Expr, name: &str, span: Span) -> Result<Value> {
        let around = self.frame().around.clone();
        if around.tree.is_local(name) {
            return match around.tree.usage(expr) {
                Some(usage) => match usage.web {
                    Some(web) => self.read(Key { path: around.path, web }, name, usage.unbound, span),
                    None => {
                        self.raise_unbound(name, span);
                        Err(Stop::Never)
                    }
                },
                None => Err(Stop::Unknown),
            };
        }
        let mut outer = around.around.clone();
        while let Some(level) = outer {
            if level.tree.is_local(name) {
                let Some(web) = level.tree.captured(name) else { return Err(Stop::Unknown) };
                let key = Key { path: level.path, web };
                let flagged = self.flagged(key).is_some();
                return self.read(key, name, flagged, span);
            }
            outer = level.around.clone();
        }
        let asked = (around.scope, name.to_owned());
        let found = match self.names.get(&asked) {
            Some(found) => found.clone(),
            None => {
                let found = self.world.name(around.scope, name);
                self.names.insert(asked, found.clone());
                found
            }
        };
        if found == Found::Missing {
            let mut error = Diagnostic::new(Class::NameError, span, format!("name '{name}' is not defined"));
            if let Some(near) = self.nearest(name) {
                error = error.advice(format!("did you mean: '{near}'?"));
            }
            return Err(error.into());
        }
        self.found(found, name, span)
    }

    /// The variable that was just assigned at `target`.
    pub fn defined(&mut self, target: &ast::Expr, name: &str, span: Span) -> Result<Value> {
        let around = self.frame().around.clone();
        let web = around.tree.definition(target).ok_or(Stop::Unknown)?;
        self.read(Key { path: around.path, web }, name, false, span)
    }

    fn nearest(&self, name: &str) -> Option<String> {
        const KNOWN: [&str; 24] = [
            "abs",
            "bool",
            "complex",
            "divmod",
            "enumerate",
            "float",
            "int",
            "len",
            "max",
            "min",
            "pow",
            "print",
            "range",
            "reversed",
            "round",
            "sum",
            "zip",
            "math",
            "np",
            "mh",
            "True",
            "False",
            "None",
            "tuple",
        ];
        let mut best: Option<(usize, String)> = None;
        let mut outer = Some(self.frame().around.clone());
        let mut names: Vec<String> = KNOWN.iter().map(|name| (*name).to_owned()).collect();
        while let Some(level) = outer {
            names.extend(level.tree.local_names().map(str::to_owned));
            outer = level.around.clone();
        }
        names.sort();
        for candidate in names {
            let distance = distance(name, &candidate);
            let close = distance <= 1 + name.chars().count() / 5 && distance < name.chars().count();
            if close && best.as_ref().is_none_or(|(least, _)| distance < *least) {
                best = Some((distance, candidate));
            }
        }
        best.map(|(_, name)| name)
    }

    /// What the world found, as a value.
    pub fn found(&mut self, found: Found, name: &str, span: Span) -> Result<Value> {
        Ok(match found {
            Found::Missing => {
                return Err(
                    Diagnostic::new(Class::NameError, span, format!("name '{name}' is not defined")).into()
                );
            }
            Found::None => Value::None,
            Found::Bool(value) => Value::bool(value, span),
            Found::Int(value) => Value::int(value, span),
            Found::Float(value) => Value::Expr(float(value, span)),
            Found::Complex(re, im) => Value::Expr(complex(re, im, span)),
            Found::Str(text) => Value::str(text),
            Found::NumPy(kind, value) => match self.found(*value, name, span)? {
                Value::Expr(value) => Value::Expr(numpy_constant(value, kind)),
                other => other,
            },
            Found::Tuple(members) => {
                let members: Result<Vec<Value>> =
                    members.into_iter().map(|member| self.found(member, name, span)).collect();
                Value::Tuple(members?)
            }
            Found::Known(name) => Value::known(name),
            Found::Module(object) => Value::Static(Static::Module(object)),
            Found::Function(object) => Value::Static(Static::Function(object)),
            Found::Exception(object) => Value::Static(Static::Exception(object)),
            Found::Array(object, array) => {
                let number = match self.hidden.iter().position(|(known, _)| *known == object) {
                    Some(number) => number,
                    None => {
                        self.hidden.push((object, array));
                        self.changed = true;
                        self.hidden.len() - 1
                    }
                };
                Value::Expr(self.hidden_array(number, span))
            }
            Found::Refused(text) => return Err(Diagnostic::new(Class::Unsupported, span, text).into()),
        })
    }

    fn attribute(&mut self, value: Value, name: &str, span: Span) -> Result<Value> {
        let Value::Static(Static::Module(object)) = value else {
            return builtins::attribute(self, value, name, span);
        };
        let asked = (object, name.to_owned());
        let found = match self.attributes.get(&asked) {
            Some(found) => found.clone(),
            None => {
                let found = self.world.attribute(object, name);
                self.attributes.insert(asked, found.clone());
                found
            }
        };
        if found == Found::Missing {
            return Err(Diagnostic::new(
                Class::AttributeError,
                span,
                format!("module has no attribute '{name}'"),
            )
            .into());
        }
        self.found(found, name, span)
    }

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
    fn bool_op(&mut self, and: bool, values: &[ast::Expr], span: Span) -> Result<Value> {
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

    fn conditional(
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

    fn comparison(
        &mut self,
        left: &ast::Expr,
        ops: &[String],
        others: &[ast::Expr],
        span: Span,
    ) -> Result<Expr> {
        let [op] = ops else { return self.chain(left, ops, others, span) };
        let Some(right) = others.first() else { return Err(Stop::Unknown) };
        let values = match op.as_str() {
            "In" | "NotIn" => self.readers(&[left, right])?,
            _ => self.operands(&[left, right])?,
        };
        match values.as_slice() {
            [left, right] => self.one_comparison(op, left, right, span),
            _ => Err(Stop::Unknown),
        }
    }

    fn one_comparison(&mut self, op: &str, left: &Value, right: &Value, span: Span) -> Result<Expr> {
        if let Some(op) = compare_of(op) {
            return self.compare(op, left, right, span);
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

    /// `a < b < c`: each operand once, and no further than needed.
    fn chain(&mut self, left: &ast::Expr, ops: &[String], others: &[ast::Expr], span: Span) -> Result<Expr> {
        let Some(((first_op, rest_ops), (first, rest))) = ops.split_first().zip(others.split_first()) else {
            return Err(Stop::Unknown);
        };
        let values = self.operands(&[left, first])?;
        let [left, right] = values.as_slice() else { return Err(Stop::Unknown) };
        let right = self.settle_scalars(right.clone());
        let result = self.one_comparison(first_op, left, &right, span)?;
        let result = self.cast(result, Scalar::BOOL);
        self.chain_on(result, right, rest_ops, rest, span)
    }

    fn chain_on(
        &mut self,
        so_far: Expr,
        left: Value,
        ops: &[String],
        others: &[ast::Expr],
        span: Span,
    ) -> Result<Expr> {
        let Some(((op, rest_ops), (other, rest))) = ops.split_first().zip(others.split_first()) else {
            return Ok(so_far);
        };
        let (outcome, block) = self.apart(|this| -> Result<Expr> {
            let before = this.block.len();
            let mut left = left;
            let mut right = this.expr(other)?;
            left = this.settle_before(vec![left], before).pop().ok_or(Stop::Unknown)?;
            if !rest.is_empty() {
                right = this.settle_scalars(right);
            }
            let result = this.one_comparison(op, &left, &right, span)?;
            let result = this.cast(result, Scalar::BOOL);
            this.chain_on(result, right, rest_ops, rest, span)
        });
        let next = match outcome {
            Err(Stop::Never) => boolean(false, span),
            other => other?,
        };
        Ok(self.join_condition(true, so_far, next, block, span))
    }

    fn call(
        &mut self,
        expr: &ast::Expr,
        function: &ast::Expr,
        arguments: &[ast::Expr],
        keywords: &[(Option<String>, ast::Expr)],
        span: Span,
    ) -> Result<Value> {
        // `x.method(...)`: the object is an operand as the arguments are.
        let (first, method) = match &*function.kind {
            ast::ExprKind::Attribute(object, name) => (object, Some(name)),
            _ => (function, None),
        };
        let mut exprs = vec![first];
        for argument in arguments {
            match &*argument.kind {
                ast::ExprKind::Starred(inner) => exprs.push(inner),
                _ => exprs.push(argument),
            }
        }
        for (name, value) in keywords {
            if name.is_none() {
                return Err(unsupported(
                    self.at(value.span),
                    "`**` in a call is not compiled",
                    "write the keywords out",
                ));
            }
            exprs.push(value);
        }
        let mut values = self.readers(&exprs)?.into_iter();
        let callee = values.next().ok_or(Stop::Unknown)?;
        // What the compiler knows reads a list at once; other functions would get hold of it.
        if let (None, Value::Static(Static::Function(_) | Static::Closure(_))) = (method, &callee) {
            let given = arguments.iter().chain(keywords.iter().map(|(_, value)| value));
            if let Some(list) = given.into_iter().find(|one| matches!(&*one.kind, ast::ExprKind::List(_))) {
                return Err(no_lists(self.at(list.span)));
            }
        }
        let mut given = Arguments::default();
        for argument in arguments {
            let place = self.at(argument.span);
            let value = values.next().ok_or(Stop::Unknown)?;
            match (&*argument.kind, value) {
                (ast::ExprKind::Starred(_), Value::Tuple(members)) => {
                    given.positional.extend(members.into_iter().map(|member| (member, place)));
                }
                (ast::ExprKind::Starred(_), _) => {
                    return Err(unsupported(place, "`*` passes on tuples only", "write the arguments out"));
                }
                (_, value) => given.positional.push((value, place)),
            }
        }
        for (name, value) in keywords {
            let place = self.at(value.span);
            given.keywords.push((
                name.clone().unwrap_or_default(),
                values.next().ok_or(Stop::Unknown)?,
                place,
            ));
        }
        let callee = match (callee, method) {
            (callee, None) => callee,
            (Value::Static(Static::Module(object)), Some(name)) => {
                self.attribute(Value::Static(Static::Module(object)), name, self.at(function.span))?
            }
            (object, Some(name)) => return builtins::call_method(self, object, name, given, span),
        };
        self.call_value(callee, given, address(expr), span)
    }

    pub fn call_value(&mut self, callee: Value, given: Arguments, place: usize, span: Span) -> Result<Value> {
        match callee {
            Value::Static(Static::Known(name)) => builtins::call_known(self, &name, given, span),
            Value::Static(Static::Exception(_)) => {
                Err(unsupported(span, "exceptions are made in `raise` only", "raise it where it is made"))
            }
            Value::Static(callee) => self.call_function(&callee, given, place, span),
            other => {
                let name = other.form().map_or_else(|| "range".to_owned(), |form| python_name(&form));
                Err(type_error(span, format!("'{name}' object is not callable")))
            }
        }
    }

    /// Evaluates a value that is not used: for what it may raise.
    pub fn discard(&mut self, value: Value) {
        match value {
            Value::Expr(expr) if !super::value::is_simple(&expr) => {
                self.keep(expr);
            }
            Value::Tuple(members) => members.into_iter().for_each(|member| self.discard(member)),
            _ => {}
        }
    }

    /// Puts statements in front, as if they had been emitted here.
    pub fn splice(&mut self, block: Vec<Statement>) {
        self.block.extend(block);
    }

    pub fn labelled(&mut self, label: crate::ir::Label, body: Block, span: Span) {
        self.emit(StatementKind::Labelled { label, body, call: None }, span);
    }
}

fn no_lists(span: Span) -> Stop {
    unsupported(
        span,
        "lists are not compiled",
        "use a tuple where the length is fixed, else an array: np.empty(n)",
    )
}

fn constant_value(constant: &Constant, span: Span) -> Result<Value> {
    Ok(match constant {
        Constant::None => Value::None,
        Constant::Ellipsis => Value::Static(Static::Ellipsis),
        Constant::Bool(value) => Value::bool(*value, span),
        Constant::Int(Ok(value)) => Value::int(*value, span),
        Constant::Int(Err(digits)) => {
            let message = "this int does not fit into 64 bits";
            return Err(Diagnostic::new(Class::Unsupported, span, message)
                .label(if digits.len() > 40 { "too great".to_owned() } else { digits.clone() })
                .advice("compiled ints are between -2**63 and 2**63 - 1; write a float if its rounding is welcome")
                .into());
        }
        Constant::Float(value) => Value::Expr(float(*value, span)),
        Constant::Complex(re, im) => Value::Expr(complex(*re, *im, span)),
        Constant::Str(text) => Value::str(text.clone()),
        Constant::Other(name) => {
            return Err(unsupported(
                span,
                format!("a constant of type {name} is not compiled"),
                "use numbers",
            ));
        }
    })
}

fn complex(re: f64, im: f64, span: Span) -> Expr {
    Expr::new(ExprKind::Complex(re, im), Type::Scalar(Scalar::COMPLEX), span)
}

fn numpy_constant(value: Expr, kind: Kind) -> Expr {
    let span = value.span;
    let cast = super::arithmetic::cast(value, Scalar::numpy(kind));
    let kind = match *cast.kind {
        // A cast of a constant that is known to fit.
        ExprKind::Cast { ref value, .. } => match *value.kind {
            ExprKind::Complex(re, im) => ExprKind::Complex(re, im),
            _ => return cast,
        },
        _ => return cast,
    };
    Expr::new(kind, cast.ty, span)
}

pub fn other(class: &str, span: Span) -> Stop {
    let (what, advice) = match class {
        "ListComp" | "SetComp" | "DictComp" | "GeneratorExp" => {
            ("comprehensions and generators are not compiled", "fill an array in a loop: out = np.empty(n)")
        }
        "Dict" | "Set" => {
            ("dictionaries and sets are not compiled", "use arrays indexed by small integers, or variables")
        }
        "Await" | "Yield" | "YieldFrom" => ("coroutines and generators are not compiled", "return an array"),
        _ => return unsupported(span, format!("{class} is not compiled"), "use numbers, tuples and arrays"),
    };
    unsupported(span, what, advice)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(40).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().take(40).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let up = row[j + 1];
            row[j + 1] = (diagonal + usize::from(x != *y)).min(up + 1).min(row[j] + 1);
            diagonal = up;
        }
    }
    row[b.len()]
}
