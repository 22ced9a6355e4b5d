//! Expressions.

use super::arithmetic::{negate, type_error};
use super::arrays;
use super::function::Arguments;
use super::names::complex;
use super::types::python_name;
use super::value::{SliceValue, Static, Value, float};
use super::webs::address;
use super::wide::{mixed, refused, whole};
use super::{Lowerer, Result, Stop, builtins};
use crate::ast::{self, Constant};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Binary, Block, Scalar, Span, Statement, StatementKind};

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

/// Whether a function takes ints past 64 bits, and texts, or refuses them itself.
fn takes_wide(name: &str) -> bool {
    matches!(name, "numpy.uint64" | "numpy.float64" | "builtins.float" | "builtins.print")
}

pub fn unsupported(span: Span, message: impl Into<String>, advice: &str) -> Stop {
    Diagnostic::new(Class::Unsupported, span, message).advice(advice).into()
}

impl Lowerer<'_> {
    /// Lowers an expression. What it does beside giving a value is emitted.
    pub fn expr(&mut self, expr: &ast::Expr) -> Result<Value> {
        let value = self.lazily(expr)?;
        let value = super::wide::held(value, self.at(expr.span))?;
        self.made(value)
    }

    /// As `expr`, for what takes arrays element by element.
    pub fn lazily(&mut self, expr: &ast::Expr) -> Result<Value> {
        let span = self.at(expr.span);
        match &*expr.kind {
            ast::ExprKind::Constant(constant) => constant_value(constant, span),
            ast::ExprKind::Name(name) => self.name(expr, name, span),
            ast::ExprKind::Attribute(value, name) => {
                let value = self.expr(value)?;
                self.attribute(value, name, span)
            }
            ast::ExprKind::Subscript(value, index) => {
                let [value, index] = self.subscripted(value, index)?;
                builtins::subscript(self, value, index, span)
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
                let operand = self.lazily(operand)?;
                if let Value::Static(Static::Wide(number)) = operand {
                    return Ok(whole(
                        match op.as_str() {
                            "USub" => -number,
                            "Invert" => !number,
                            _ => number,
                        },
                        span,
                    ));
                }
                if arrays::is_array(&operand) {
                    return self.each_of(arrays::Op::Unary(op.clone()), vec![operand], span);
                }
                if self.is_mixed(&operand) {
                    return Err(mixed(span));
                }
                self.unary(op, &operand, span)
            }
            ast::ExprKind::BinOp(left, op, right) => {
                let values = self.lazy_operands(&[left, right])?;
                let places = (self.at(left.span), self.at(right.span));
                if op == "MatMult" && values.iter().any(arrays::is_array) {
                    if let Some(product) = self.library_of("numpy.matmul", values.clone(), span) {
                        return product;
                    }
                }
                match (binary_of(op), values.as_slice()) {
                    (Some(Binary::Modulo), [Value::Static(Static::Str(_)), _]) => Err(unsupported(
                        span,
                        "`%` of text is compiled in `raise` only",
                        "print an f-string: print(f\"x={x:.3f}\")",
                    )),
                    (Some(op), [left, right]) => self.written(op, (left, places.0), (right, places.1), span),
                    _ => Err(unsupported(
                        span,
                        format!("the operator {op} is not compiled"),
                        "write the loop with * and +",
                    )),
                }
            }
            ast::ExprKind::BoolOp(op, values) => self.bool_op(op == "And", values, span),
            ast::ExprKind::Compare(left, ops, others) => self.comparison(left, ops, others, span),
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
            ast::ExprKind::JoinedStr(_) | ast::ExprKind::FormattedValue(..) => Err(no_text(span)),
            ast::ExprKind::Other(class) => Err(other(class, span)),
        }
    }

    /// As `lazily`; a list display counts as a tuple: where it is only read.
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
            _ => self.lazily(expr),
        }
    }

    /// As `operands`, for what takes arrays element by element.
    pub fn lazy_operands(&mut self, exprs: &[&ast::Expr]) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let before = self.block.len();
            let value = self.lazily(expr)?;
            values = self.settle_before(values, before);
            values.push(value);
        }
        Ok(values)
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

    /// What a subscript is of, and the subscript, where a list of numbers is an array of them.
    pub fn subscripted(&mut self, object: &ast::Expr, index: &ast::Expr) -> Result<[Value; 2]> {
        let object = self.expr(object)?;
        let before = self.block.len();
        let index = match &*index.kind {
            ast::ExprKind::List(_) => Value::Tuple(vec![self.display(index)?]),
            ast::ExprKind::Tuple(members) => {
                let members: Vec<&ast::Expr> = members.iter().collect();
                let mut values = Vec::with_capacity(members.len());
                for value in self.readers(&members)? {
                    values.push(self.made(value)?);
                }
                Value::Tuple(values)
            }
            _ => self.expr(index)?,
        };
        match <[Value; 1]>::try_from(self.settle_before(vec![object], before)) {
            Ok([object]) => Ok([object, index]),
            Err(_) => Err(Stop::Unknown),
        }
    }

    /// As `lazy_operands`, for what reads lists too.
    pub fn readers(&mut self, exprs: &[&ast::Expr]) -> Result<Vec<Value>> {
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
        let printed = matches!(&*function.kind, ast::ExprKind::Name(name) if name == "print");
        let values = if printed { self.printed(&exprs)? } else { self.readers(&exprs)? };
        let mut values = values.into_iter();
        let callee = values.next().ok_or(Stop::Unknown)?;
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
            (object, Some(name)) => {
                given.held()?;
                return builtins::call_method(self, object, name, given, span);
            }
        };
        if !matches!(&callee, Value::Static(Static::Known(name)) if takes_wide(name)) {
            given.held()?;
        }
        // What the compiler knows reads a list at once; other functions would get hold of it.
        if let Value::Static(Static::Function(_) | Static::Closure(_)) = &callee {
            let mut written = arguments.iter().chain(keywords.iter().map(|(_, value)| value));
            if let Some(list) = written.find(|one| matches!(&*one.kind, ast::ExprKind::List(_))) {
                return Err(no_lists(self.at(list.span)));
            }
        }
        // The compiler's own take arrays element by element; others take them made.
        if let Value::Static(Static::Function(_) | Static::Closure(_)) = &callee {
            given = given.made(self)?;
        }
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

pub fn no_text(span: Span) -> Stop {
    unsupported(
        span,
        "text is made in `raise` and as an argument of `print` only",
        "print it where it is made: print(f\"x={x}\")",
    )
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
        Constant::Int(Err(digits)) => match digits.parse::<i128>().ok().filter(|value| *value != i128::MIN) {
            Some(value) => whole(value, span),
            None => return Err(refused(digits, span)),
        },
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
