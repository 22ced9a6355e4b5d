use std::fmt::{self, Display, Formatter, Write};

use super::{BINARIES, COMPARES, KINDS, LAYOUTS, default_type, is_identifier, lower, name_of, scalar_name};
use crate::ir::{
    Block, Check, Exception, Expr, ExprKind, Fill, For, Function, Length, Lockstep, Module, Part, Plan,
    PrintItem, Shape, Span, Statement, StatementKind, Type, Unary, Var, Variable,
};

impl Display for Type {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Scalar(scalar) => f.write_str(&scalar_name(*scalar)),
            Self::Array(array) => {
                let (element, layout) = (name_of(&KINDS, array.element), name_of(&LAYOUTS, array.layout));
                write!(f, "{element}[{} {layout}{}]", array.rank, if array.writable { "" } else { " ro" })
            }
        }
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Value(ty) => ty.fmt(f),
            Self::Tuple(parts) => {
                f.write_str("tuple(")?;
                for (number, part) in parts.iter().enumerate() {
                    write!(f, "{}{part}", if number > 0 { ", " } else { "" })?;
                }
                f.write_str(")")
            }
        }
    }
}

impl Display for Module {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for source in &self.sources {
            let (file, function) = (&source.file, word(&source.function));
            writeln!(f, "source {file:?} in {function} line {}", source.first_line)?;
            for line in source.text.split('\n') {
                writeln!(f, "  |{}{line}", if line.is_empty() { "" } else { " " })?;
            }
        }
        for exception in &self.exceptions {
            match exception {
                Exception::Builtin(name) => writeln!(f, "exception builtin {}", word(name))?,
                Exception::Object(number) => writeln!(f, "exception object {number}")?,
            }
        }
        writeln!(f, "result {}", self.result)?;
        if !self.hidden.is_empty() {
            let numbers: Vec<String> = self.hidden.iter().map(u32::to_string).collect();
            writeln!(f, "hidden {}", numbers.join(", "))?;
        }
        for function in &self.functions {
            function.fmt(f)?;
        }
        Ok(())
    }
}

impl Display for Function {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::new(Some(&self.variables), f.alternate());
        printer.function(self);
        f.write_str(&printer.out)
    }
}

/// Without its function: variables by their numbers.
impl Display for Statement {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::new(None, f.alternate());
        printer.statement(self);
        f.write_str(printer.out.trim_end())
    }
}

/// Without its function: variables by their numbers.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut printer = Printer::new(None, f.alternate());
        printer.expression(self);
        f.write_str(&printer.out)
    }
}

impl Function {
    /// An expression of this function as text, with the names of its variables.
    #[must_use]
    pub fn show(&self, expr: &Expr) -> String {
        let mut printer = Printer::new(Some(&self.variables), false);
        printer.expression(expr);
        printer.out
    }

    /// A statement of this function as text.
    #[must_use]
    pub fn show_statement(&self, statement: &Statement) -> String {
        let mut printer = Printer::new(Some(&self.variables), false);
        printer.statement(statement);
        printer.out
    }
}

fn word(name: &str) -> String {
    if is_identifier(name) { name.into() } else { format!("{name:?}") }
}

struct Printer<'a> {
    out: String,
    depth: usize,
    spans: bool,
    variables: Option<&'a [Variable]>,
    names: Vec<String>,
}

impl<'a> Printer<'a> {
    fn new(variables: Option<&'a [Variable]>, spans: bool) -> Self {
        let all = variables.unwrap_or_default();
        let mut seen = std::collections::HashMap::new();
        for name in all.iter().filter_map(|variable| variable.name.as_deref()) {
            *seen.entry(name).or_insert(0) += 1;
        }
        let name = |(number, variable): (usize, &Variable)| match variable.name.as_deref() {
            Some(name) if is_identifier(name) && seen[name] == 1 => name.to_string(),
            Some(name) if is_identifier(name) => format!("{name}.{number}"),
            _ => number.to_string(),
        };
        let names = all.iter().enumerate().map(name).collect();
        Self { out: String::new(), depth: 0, spans, variables, names }
    }

    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn begin(&mut self) {
        for _ in 0..self.depth {
            self.put("  ");
        }
    }

    fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.put(", ");
            }
            each(self, item);
        }
    }

    fn var(&mut self, var: Var) {
        self.put("%");
        match self.names.get(var.0 as usize).cloned() {
            Some(name) => self.put(&name),
            None => self.put(&var.0.to_string()),
        }
    }

    fn vars(&mut self, vars: &[Var]) {
        self.list(vars, |p, var| p.var(*var));
    }

    fn span(&mut self, span: Span) {
        if !self.spans || span == Span::default() {
            return;
        }
        let Span { source, line, column, end_line, end_column } = span;
        if source == 0 && line == end_line {
            self.put(&format!("@{line}:{column}-{end_column}"));
        } else {
            self.put(&format!("@{source}/{line}:{column}-{end_line}:{end_column}"));
        }
    }

    fn declaration(&mut self, number: usize) {
        let Some(variable) = self.variables.and_then(|all| all.get(number)) else { return };
        self.put("%");
        let name = self.names[number].clone();
        self.put(&name);
        if let Some(name) = variable.name.as_deref().filter(|name| !is_identifier(name)) {
            self.put(&format!(" {name:?}"));
        }
        self.put(&format!(": {}", variable.ty));
    }

    fn function(&mut self, function: &Function) {
        let count = function.parameters.len();
        let plain = count <= function.variables.len()
            && function.parameters.iter().enumerate().all(|(number, var)| var.0 as usize == number);
        self.put(&format!("fn {}(", word(&function.name)));
        if plain {
            let numbers: Vec<usize> = (0..count).collect();
            self.list(&numbers, |p, number| p.declaration(*number));
        } else {
            self.vars(&function.parameters);
        }
        self.put(") -> (");
        self.list(&function.results, |p, ty| p.put(&ty.to_string()));
        self.put(")");
        self.space_span(function.span);
        self.put(" {\n");
        self.depth = 1;
        let rest: Vec<usize> = (if plain { count } else { 0 }..function.variables.len()).collect();
        for numbers in rest.chunks(6) {
            self.begin();
            self.put("var ");
            self.list(numbers, |p, number| p.declaration(*number));
            self.put("\n");
        }
        self.depth = 0;
        self.statements(&function.body);
        self.put("}\n");
    }

    fn space_span(&mut self, span: Span) {
        if self.spans && span != Span::default() {
            self.put(" ");
            self.span(span);
        }
    }

    fn statements(&mut self, block: &Block) {
        self.depth += 1;
        for statement in block {
            self.statement(statement);
        }
        self.depth -= 1;
    }

    /// `{ ... }`, the line left open.
    fn braces(&mut self, block: &Block) {
        self.put("{\n");
        self.statements(block);
        self.begin();
        self.put("}");
    }

    fn statement(&mut self, statement: &Statement) {
        self.begin();
        if self.spans && statement.span != Span::default() {
            self.span(statement.span);
            self.put(" ");
        }
        match &statement.kind {
            StatementKind::Assign { var, value } => {
                self.var(*var);
                self.put(" = ");
                self.expression(value);
            }
            StatementKind::Store { array, indices, value, update, check } => {
                self.var(*array);
                self.put("[");
                self.list(indices, Self::expression);
                self.put("]");
                self.check(*check);
                self.put(" ");
                if let Some(op) = update {
                    self.put(name_of(&BINARIES, *op));
                }
                self.put("= ");
                self.expression(value);
            }
            StatementKind::If { condition, then, orelse } => {
                self.put("if ");
                self.expression(condition);
                self.put(" ");
                self.braces(then);
                if !orelse.is_empty() {
                    self.put(" else ");
                    self.braces(orelse);
                }
            }
            StatementKind::While { head, condition, body } => {
                self.put("while ");
                if !head.is_empty() {
                    self.braces(head);
                    self.put(" ");
                }
                self.expression(condition);
                self.put(" ");
                self.braces(body);
            }
            StatementKind::For(each) => self.each(each),
            StatementKind::Break => self.put("break"),
            StatementKind::Continue => self.put("continue"),
            StatementKind::Labelled { label, body, call } => {
                self.put(&format!("block L{} ", label.0));
                if let Some(call) = call {
                    self.put("call");
                    self.space_span(*call);
                    self.put(" ");
                }
                self.braces(body);
            }
            StatementKind::Leave(label) => self.put(&format!("leave L{}", label.0)),
            StatementKind::Return(values) => {
                self.put("return (");
                self.list(values, Self::expression);
                self.put(")");
            }
            StatementKind::Call { results, function, arguments } => {
                self.put("call (");
                self.vars(results);
                self.put(&format!(") = fn {}(", function.0));
                self.list(arguments, Self::expression);
                self.put(")");
            }
            StatementKind::Raise { exception, message, values } => {
                self.put(&format!("raise {exception}"));
                if let Some(message) = message {
                    self.put(&format!(" {message:?}"));
                }
                self.put(" (");
                self.list(values, Self::expression);
                self.put(")");
            }
            StatementKind::Print { items } => {
                self.put("print (");
                self.list(items, |p, item| match item {
                    PrintItem::Text(text) => p.put(&format!("{text:?}")),
                    PrintItem::Value(value, format) => {
                        p.expression(value);
                        if *format != 0 {
                            p.put(&format!(" : {format}"));
                        }
                    }
                });
                self.put(")");
            }
            StatementKind::Lockstep(of) => self.lockstep(of),
        }
        self.put("\n");
    }

    fn each(&mut self, each: &For) {
        self.put(&format!("for #{} ", each.id.0));
        self.var(each.var);
        self.put(" in range(");
        self.expression(&each.start);
        self.put(", ");
        self.expression(&each.stop);
        self.put(", ");
        self.expression(&each.step);
        self.put(") ");
        if let Some(parallel) = &each.parallel {
            self.put("parallel ");
            if parallel.unchecked {
                self.put("unchecked ");
            }
            if parallel.implicit {
                self.put("implicit ");
            }
            if let Some(plan) = &parallel.plan {
                self.plan(plan);
                self.put(" ");
            }
        }
        self.braces(&each.body);
        if let Some(fast) = &each.fast {
            self.put(" fast ");
            if fast.attempt {
                self.put("attempt ");
            }
            if !fast.save.is_empty() {
                self.put("save(");
                self.vars(&fast.save);
                self.put(") ");
            }
            self.braces(&fast.guard);
            self.put(" ");
            self.expression(&fast.condition);
            self.put(" ");
            if !fast.before.is_empty() {
                self.put("before ");
                self.braces(&fast.before);
                self.put(" ");
            }
            self.braces(&fast.body);
            if !fast.after.is_empty() {
                self.put(" after ");
                self.braces(&fast.after);
            }
        }
    }

    /// Not read back: `jam` makes it last of all.
    fn lockstep(&mut self, of: &Lockstep) {
        self.put(&format!("lockstep {} ", of.lanes));
        self.var(of.var);
        self.put(" in range(");
        self.expression(&of.first);
        self.put(", ");
        self.expression(&of.last);
        self.put(") if ");
        self.expression(&of.condition);
        self.put(" ");
        self.braces(&of.before);
        self.put(" ");
        self.braces(&of.inner);
        self.put(" kept(");
        self.vars(&of.kept);
        self.put(") ");
        self.braces(&of.after);
        self.put(" else ");
        self.braces(&of.whole);
    }

    fn plan(&mut self, plan: &Plan) {
        let mut parts = Vec::new();
        let mut part = |printer: &mut Self, name: &str, show: &dyn Fn(&mut Self)| {
            let outer = std::mem::take(&mut printer.out);
            show(printer);
            let text = std::mem::replace(&mut printer.out, outer);
            parts.push(format!("{name}{text}"));
        };
        for (name, vars) in
            [("private ", &plan.private), ("last ", &plan.last), ("overwritten ", &plan.overwritten)]
        {
            if !vars.is_empty() {
                part(self, name, &|p| p.vars(vars));
            }
        }
        for reduction in &plan.reductions {
            part(self, &format!("{} ", lower(reduction.kind)), &|p| {
                p.var(reduction.var);
                if !reduction.companions.is_empty() {
                    p.put(" with ");
                    p.vars(&reduction.companions);
                }
            });
        }
        for accumulated in &plan.accumulated {
            part(self, &format!("accumulated {} ", lower(accumulated.kind)), &|p| p.var(accumulated.array));
        }
        for (one, other) in &plan.distinct {
            part(self, "distinct ", &|p| p.vars(&[*one, *other]));
        }
        for condition in &plan.conditions {
            part(self, "condition ", &|p| p.expression(condition));
        }
        if plan.fine {
            part(self, "fine", &|_| ());
        }
        match plan.length {
            Length::Unknown => {}
            Length::Short => part(self, "short", &|_| ()),
            Length::Long => part(self, "long", &|_| ()),
        }
        if plan.leaves {
            part(self, "leaves", &|_| ());
        }
        self.put(&format!("plan({})", parts.join("; ")));
    }

    fn check(&mut self, check: Check) {
        self.put(match check {
            Check::None => "",
            Check::Wrap => "~",
            Check::Branch => "!",
            Check::Flag => "?",
        });
    }

    fn call(&mut self, name: &str, arguments: &[Expr]) {
        self.put(name);
        self.put("(");
        self.list(arguments, Self::expression);
        self.put(")");
    }

    fn expression(&mut self, expr: &Expr) {
        match &*expr.kind {
            ExprKind::Bool(value) => self.put(if *value { "true" } else { "false" }),
            ExprKind::Int(value) => self.put(&value.to_string()),
            ExprKind::Float(value) => self.float(*value),
            ExprKind::Complex(real, imag) => {
                self.put("j(");
                self.float(*real);
                self.put(", ");
                self.float(*imag);
                self.put(")");
            }
            ExprKind::Var(var) => self.var(*var),
            ExprKind::Unary { op, operand, check } => {
                let name = match op {
                    Unary::Negative => "neg",
                    Unary::Invert => "inv",
                    Unary::Not => "not",
                    Unary::Absolute => "abs",
                };
                self.call(name, std::slice::from_ref(operand));
                self.check(*check);
            }
            ExprKind::Binary { op, left, right, check } => {
                let name = name_of(&BINARIES, *op);
                if is_identifier(name) {
                    self.put(&format!("{name}("));
                    self.expression(left);
                    self.put(", ");
                    self.expression(right);
                    self.put(")");
                } else {
                    self.infix(left, name, right);
                }
                self.check(*check);
            }
            ExprKind::Compare { op, left, right } => self.infix(left, name_of(&COMPARES, *op), right),
            ExprKind::If { condition, then, orelse } => {
                self.put("if(");
                self.expression(condition);
                self.put(", ");
                self.expression(then);
                self.put(", ");
                self.expression(orelse);
                self.put(")");
            }
            ExprKind::Cast { value, check } => {
                self.call(&expr.ty.to_string(), std::slice::from_ref(value));
                self.check(*check);
            }
            ExprKind::Load { array, indices, check } => {
                self.var(*array);
                self.put("[");
                self.list(indices, Self::expression);
                self.put("]");
                self.check(*check);
            }
            ExprKind::Dim { array, axis } => {
                self.put("dim(");
                self.var(*array);
                self.put(&format!(", {axis})"));
            }
            ExprKind::Disjoint { left, right } => {
                self.put("disjoint(");
                self.vars(&[*left, *right]);
                self.put(")");
            }
            ExprKind::Foldable { array, lengths } => {
                self.put("foldable(");
                self.var(*array);
                if let Some(lengths) = lengths {
                    self.put("; ");
                    self.list(lengths, Self::expression);
                }
                self.put(")");
            }
            ExprKind::Math { function, arguments, check } => {
                self.call(&format!("math.{}", lower(function)), arguments);
                self.check(*check);
            }
            ExprKind::Random { draw, arguments, check } => {
                self.call(&format!("random.{}", lower(draw)), arguments);
                self.check(*check);
            }
            ExprKind::New { lengths, fill, check } => {
                self.put(&format!("new {}(", expr.ty));
                self.list(lengths, Self::expression);
                match fill {
                    Fill::Empty => self.put("; empty"),
                    Fill::Zero => self.put("; zero"),
                    Fill::Places(axis) => self.put(&format!("; places {axis}")),
                    Fill::Value(value) => {
                        self.put("; fill ");
                        self.expression(value);
                    }
                    Fill::Product(left, right) => {
                        self.put("; product ");
                        self.vars(&[*left, *right]);
                    }
                }
                self.put(")");
                self.check(*check);
            }
            ExprKind::View { array, parts, check } => {
                self.put(&format!("view {}(", expr.ty));
                self.var(*array);
                for part in parts {
                    self.put("; ");
                    self.part(part);
                }
                self.put(")");
                self.check(*check);
            }
        }
        if !matches!(*expr.kind, ExprKind::Cast { .. } | ExprKind::New { .. } | ExprKind::View { .. }) {
            let variables = self.variables;
            let of = |var: Var| variables.and_then(|all| all.get(var.0 as usize)).map(|one| one.ty);
            let unknown =
                variables.is_none() && matches!(*expr.kind, ExprKind::Var(_) | ExprKind::Load { .. });
            if !unknown && default_type(&expr.kind, of) != Some(expr.ty) {
                self.put(&format!(":{}", expr.ty));
            }
        }
        self.span(expr.span);
    }

    fn infix(&mut self, left: &Expr, name: &str, right: &Expr) {
        self.put("(");
        self.expression(left);
        self.put(&format!(" {name} "));
        self.expression(right);
        self.put(")");
    }

    fn part(&mut self, part: &Part) {
        match part {
            Part::Index(index) => {
                self.put("index ");
                self.expression(index);
            }
            Part::Slice { start, stop, step } => {
                self.put("slice ");
                for (number, bound) in [start, stop, step].into_iter().enumerate() {
                    if number > 0 {
                        self.put(", ");
                    }
                    match bound {
                        Some(bound) => self.expression(bound),
                        None => self.put("_"),
                    }
                }
            }
            Part::NewAxis => self.put("newaxis"),
            Part::Axis(axis) => self.put(&format!("axis {axis}")),
            Part::Length(length) => {
                self.put("length ");
                self.expression(length);
            }
            Part::Real => self.put("real"),
            Part::Imag => self.put("imag"),
            Part::Diagonal => self.put("diagonal"),
        }
    }

    fn float(&mut self, value: f64) {
        if value.is_nan() {
            self.put("nan");
        } else {
            let _ = write!(self.out, "{value:?}");
        }
    }
}
