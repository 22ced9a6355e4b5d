//! The IR's text, read by recursive descent. A long file, as a grammar is read in one piece.

use std::collections::HashMap;

use super::{BINARIES, COMPARES, DRAWS, KINDS, LAYOUTS, MATHS, REDUCTIONS, default_type, lower};
use crate::ir::{
    Accumulated, Array, Binary, Block, Check, Exception, Expr, ExprKind, Fast, Fill, Flavour, For, Function,
    FunctionId, Kind, Label, Length, LoopId, Module, Parallel, Part, Plan, PrintItem, Reduction,
    ReductionKind, Scalar, Shape, Source, Span, Statement, StatementKind, Type, Unary, Var, Variable,
};

/// A module from its text.
///
/// # Errors
/// With the line, what was expected and what stands there.
pub fn parse(text: &str) -> Result<Module, String> {
    let mut parser = Parser { text, at: 0, names: HashMap::new(), variables: Vec::new(), loops: 0, depth: 0 };
    parser.module().map_err(|what| {
        let line = text[..parser.at].matches('\n').count() + 1;
        let rest = text[parser.at..].lines().next().unwrap_or_default();
        format!("line {line}: {what}, found {rest:?}")
    })
}

/// Nesting past this is refused, so that no text exhausts the stack.
const DEEPEST: usize = 128;

type Parsed<T> = Result<T, String>;

struct Parser<'a> {
    text: &'a str,
    at: usize,
    /// Of the function that is read.
    names: HashMap<String, Var>,
    variables: Vec<Variable>,
    loops: u32,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn skip(&mut self) {
        loop {
            self.at = self.text.len() - self.rest().trim_start().len();
            if !self.rest().starts_with("--") {
                return;
            }
            self.at += self.rest().find('\n').unwrap_or(self.rest().len());
        }
    }

    fn peek(&mut self) -> Option<char> {
        self.skip();
        self.rest().chars().next()
    }

    /// Takes `what` where it stands; a word only as a whole.
    fn eat(&mut self, what: &str) -> bool {
        self.skip();
        let Some(after) = self.rest().strip_prefix(what) else { return false };
        let word = |char: char| char.is_alphanumeric() || char == '_';
        if what.ends_with(word) && after.starts_with(word) {
            return false;
        }
        self.at += what.len();
        true
    }

    fn expect(&mut self, what: &str) -> Parsed<()> {
        if self.eat(what) { Ok(()) } else { Err(format!("expected `{what}`")) }
    }

    fn take_while(&mut self, accept: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|char| !accept(char)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn identifier(&mut self) -> Parsed<&'a str> {
        self.skip();
        let name = self.take_while(|char| char.is_alphanumeric() || char == '_');
        if name.is_empty() { Err("expected a name".into()) } else { Ok(name) }
    }

    fn number<T: std::str::FromStr>(&mut self) -> Parsed<T> {
        self.skip();
        let from = self.at;
        let digits = self.take_while(|char| char.is_ascii_digit());
        digits.parse().map_err(|_| {
            self.at = from;
            "expected a number".to_string()
        })
    }

    /// A name, quoted where it is no identifier.
    fn word(&mut self) -> Parsed<String> {
        if self.peek() == Some('"') { self.string() } else { self.identifier().map(str::to_string) }
    }

    fn string(&mut self) -> Parsed<String> {
        self.expect("\"")?;
        let mut out = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((place, char)) = chars.next() {
            match char {
                '"' => {
                    self.at += place + 1;
                    return Ok(out);
                }
                '\\' => match chars.next().map(|(_, char)| char) {
                    Some('n') => out.push('\n'),
                    Some('t') => out.push('\t'),
                    Some('r') => out.push('\r'),
                    Some('0') => out.push('\0'),
                    Some('u') => {
                        let code: String =
                            chars.by_ref().map(|(_, char)| char).take_while(|char| *char != '}').collect();
                        let code = u32::from_str_radix(code.trim_start_matches('{'), 16).ok();
                        out.push(code.and_then(char::from_u32).ok_or("a malformed \\u escape")?);
                    }
                    Some(char) => out.push(char),
                    None => break,
                },
                char => out.push(char),
            }
        }
        Err("a string without its end".into())
    }

    fn several<T>(&mut self, end: &str, mut each: impl FnMut(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Ok(items);
        }
        loop {
            items.push(each(self)?);
            if self.eat(end) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }

    fn module(&mut self) -> Parsed<Module> {
        let mut module = Module {
            fused: Vec::new(),
            sources: Vec::new(),
            functions: Vec::new(),
            exceptions: Vec::new(),
            result: Shape::None,
            hidden: Vec::new(),
        };
        while self.peek().is_some() {
            if self.eat("source") {
                module.sources.push(self.source()?);
            } else if self.eat("exception") {
                module.exceptions.push(if self.eat("object") {
                    Exception::Object(self.number()?)
                } else {
                    self.expect("builtin")?;
                    Exception::Builtin(self.word()?)
                });
            } else if self.eat("result") {
                module.result = self.shape()?;
            } else if self.eat("hidden") {
                module.hidden.push(self.number()?);
                while self.eat(",") {
                    module.hidden.push(self.number()?);
                }
            } else if self.eat("fn") {
                module.functions.push(self.function()?);
            } else {
                return Err("expected `source`, `exception`, `result`, `hidden` or `fn`".into());
            }
        }
        Ok(module)
    }

    fn source(&mut self) -> Parsed<Source> {
        let file = self.string()?;
        self.expect("in")?;
        let function = self.word()?;
        self.expect("line")?;
        let first_line = self.number()?;
        let mut lines = Vec::new();
        while self.peek() == Some('|') {
            let rest = self.rest();
            let line = &rest[1..rest.find('\n').unwrap_or(rest.len())];
            self.at += 1 + line.len();
            lines.push(line.strip_prefix(' ').unwrap_or(line));
        }
        Ok(Source { file, function, first_line, text: lines.join("\n") })
    }

    fn shape(&mut self) -> Parsed<Shape> {
        if self.eat("none") {
            Ok(Shape::None)
        } else if self.eat("tuple") {
            self.expect("(")?;
            Ok(Shape::Tuple(self.nested(|p| p.several(")", Self::shape))?))
        } else {
            Ok(Shape::Value(self.ty()?))
        }
    }

    fn nested<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= DEEPEST {
            return Err("nested too deeply".into());
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn ty(&mut self) -> Parsed<Type> {
        self.try_ty().ok_or_else(|| "expected a type".to_string())
    }

    /// A type, or nothing is taken.
    fn try_ty(&mut self) -> Option<Type> {
        self.skip();
        let from = self.at;
        let ty = self.ty_from_here();
        if ty.is_none() {
            self.at = from;
        }
        ty
    }

    fn ty_from_here(&mut self) -> Option<Type> {
        let name = self.identifier().ok()?;
        let kind = |name: &str| KINDS.iter().find(|(_, text)| *text == name).map(|(kind, _)| *kind);
        if matches!(name, "py" | "np") && self.eat(".") {
            let kind = kind(self.identifier().ok()?)?;
            let flavour = if name == "py" { Flavour::Python } else { Flavour::NumPy };
            return Some(Type::Scalar(Scalar { kind, flavour }));
        }
        if let Some(element) = kind(name).filter(|_| self.rest().starts_with('[')) {
            self.expect("[").ok()?;
            let rank = self.number().ok()?;
            let layout = LAYOUTS.iter().find(|(_, text)| self.eat(text)).map(|(layout, _)| *layout)?;
            let writable = !self.eat("ro");
            self.expect("]").ok()?;
            return Some(Type::Array(Array { element, rank, layout, writable }));
        }
        let scalar = match name {
            "bool" => Scalar::BOOL,
            "int" => Scalar::INT,
            "float" => Scalar::FLOAT,
            "complex" => Scalar::COMPLEX,
            "i128" => Scalar::python(Kind::I128),
            _ => Scalar::numpy(kind(name)?),
        };
        Some(Type::Scalar(scalar))
    }

    fn span(&mut self) -> Parsed<Span> {
        if !self.eat("@") {
            return Ok(Span::default());
        }
        let mut line: u32 = self.number()?;
        let mut source = 0;
        if self.eat("/") {
            source = u16::try_from(line).map_err(|_| "a source's number is too great")?;
            line = self.number()?;
        }
        self.expect(":")?;
        let column = self.number()?;
        self.expect("-")?;
        let (mut end_line, mut end_column) = (line, self.number()?);
        // The end's line stands before its column only where the source does too.
        if source != 0 || self.rest().starts_with(':') {
            self.expect(":")?;
            end_line = end_column;
            end_column = self.number()?;
        }
        Ok(Span { source, line, column, end_line, end_column })
    }

    fn declare(&mut self) -> Parsed<Var> {
        let token = self.variable_token()?;
        let mut name = token.split('.').next().filter(|name| super::is_identifier(name)).map(str::to_string);
        if self.peek() == Some('"') {
            name = Some(self.string()?);
        }
        self.expect(":")?;
        let ty = self.ty()?;
        let var = Var(u32::try_from(self.variables.len()).map_err(|_| "too many variables")?);
        self.variables.push(Variable { name, ty });
        if self.names.insert(token.clone(), var).is_some() {
            return Err(format!("%{token} is declared twice"));
        }
        Ok(var)
    }

    fn variable_token(&mut self) -> Parsed<String> {
        self.expect("%")?;
        let name = self.take_while(|char| char.is_alphanumeric() || char == '_' || char == '.');
        if name.is_empty() { Err("expected a variable".into()) } else { Ok(name.to_string()) }
    }

    fn var(&mut self) -> Parsed<Var> {
        let token = self.variable_token()?;
        self.names.get(&token).copied().ok_or_else(|| format!("%{token} is not declared"))
    }

    fn vars(&mut self) -> Parsed<Vec<Var>> {
        let mut vars = vec![self.var()?];
        while self.eat(",") {
            vars.push(self.var()?);
        }
        Ok(vars)
    }

    fn function(&mut self) -> Parsed<Function> {
        self.names.clear();
        self.variables.clear();
        self.loops = 0;
        let name = self.word()?;
        self.expect("(")?;
        let mut later = Vec::new();
        let mut parameters = self.several(")", |p| {
            let from = p.at;
            p.declare().or_else(|_| {
                p.at = from;
                later.push(p.variable_token()?);
                Ok(Var(0))
            })
        })?;
        self.expect("->")?;
        self.expect("(")?;
        let results = self.several(")", Self::ty)?;
        let span = self.span()?;
        self.expect("{")?;
        while self.eat("var") {
            self.declare()?;
            while self.eat(",") {
                self.declare()?;
            }
        }
        if !later.is_empty() {
            let find = |token: &String| self.names.get(token).copied();
            parameters =
                later.iter().map(find).collect::<Option<_>>().ok_or("a parameter without its type")?;
        }
        let body = self.rest_of_block()?;
        let variables = std::mem::take(&mut self.variables);
        Ok(Function { name, span, parameters, results, variables, body })
    }

    fn block(&mut self) -> Parsed<Block> {
        self.expect("{")?;
        self.rest_of_block()
    }

    fn rest_of_block(&mut self) -> Parsed<Block> {
        self.nested(|p| {
            let mut block = Vec::new();
            while !p.eat("}") {
                block.push(p.statement()?);
            }
            Ok(block)
        })
    }

    fn statement(&mut self) -> Parsed<Statement> {
        let span = self.span()?;
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span })
    }

    fn statement_kind(&mut self) -> Parsed<StatementKind> {
        if self.peek() == Some('%') {
            return self.assignment();
        }
        let word = self.identifier()?;
        Ok(match word {
            "if" => {
                let (condition, then) = (self.expression()?, self.block()?);
                let orelse = if self.eat("else") { self.block()? } else { Vec::new() };
                StatementKind::If { condition, then, orelse }
            }
            "while" => {
                let head = if self.peek() == Some('{') { self.block()? } else { Vec::new() };
                StatementKind::While { head, condition: self.expression()?, body: self.block()? }
            }
            "for" => StatementKind::For(Box::new(self.each()?)),
            "break" => StatementKind::Break,
            "continue" => StatementKind::Continue,
            "block" => {
                let label = self.label()?;
                let call = if self.eat("call") { Some(self.span()?) } else { None };
                StatementKind::Labelled { label, body: self.block()?, call }
            }
            "leave" => StatementKind::Leave(self.label()?),
            "return" => {
                self.expect("(")?;
                StatementKind::Return(self.several(")", Self::expression)?)
            }
            "call" => {
                self.expect("(")?;
                let results = self.several(")", Self::var)?;
                self.expect("=")?;
                self.expect("fn")?;
                let function = FunctionId(self.number()?);
                self.expect("(")?;
                StatementKind::Call { results, function, arguments: self.several(")", Self::expression)? }
            }
            "raise" => {
                let exception = self.number()?;
                let message = if self.peek() == Some('"') { Some(self.string()?) } else { None };
                self.expect("(")?;
                StatementKind::Raise { exception, message, values: self.several(")", Self::expression)? }
            }
            "print" => {
                self.expect("(")?;
                let items = self.several(")", |p| {
                    Ok(if p.peek() == Some('"') {
                        PrintItem::Text(p.string()?)
                    } else {
                        let value = p.expression()?;
                        let format = if p.eat(":") { p.number()? } else { 0 };
                        PrintItem::Value(value, format)
                    })
                })?;
                StatementKind::Print { items }
            }
            _ => {
                self.at -= word.len();
                return Err("expected a statement".into());
            }
        })
    }

    fn assignment(&mut self) -> Parsed<StatementKind> {
        let var = self.var()?;
        if !self.eat("[") {
            self.expect("=")?;
            return Ok(StatementKind::Assign { var, value: self.expression()? });
        }
        let indices = self.several("]", Self::expression)?;
        let check = self.check();
        let mut update = None;
        if !self.eat("=") {
            let found = BINARIES.iter().find(|(_, name)| self.eat(&format!("{name}=")));
            update = Some(found.map(|(op, _)| *op).ok_or("expected an assignment")?);
        }
        Ok(StatementKind::Store { array: var, indices, value: self.expression()?, update, check })
    }

    fn label(&mut self) -> Parsed<Label> {
        let name = self.identifier()?;
        let number = name.strip_prefix('L').and_then(|number| number.parse().ok());
        number.map(Label).ok_or_else(|| "expected a label".into())
    }

    fn each(&mut self) -> Parsed<For> {
        let id = if self.eat("#") { self.number()? } else { self.loops };
        self.loops = self.loops.max(id.saturating_add(1));
        let var = self.var()?;
        self.expect("in")?;
        self.expect("range")?;
        self.expect("(")?;
        let start = self.expression()?;
        self.expect(",")?;
        let stop = self.expression()?;
        self.expect(",")?;
        let step = self.expression()?;
        self.expect(")")?;
        let mut parallel = None;
        if self.eat("parallel") {
            let unchecked = self.eat("unchecked");
            let implicit = self.eat("implicit");
            let plan = if self.eat("plan") { Some(self.plan()?) } else { None };
            parallel = Some(Parallel { unchecked, implicit, plan });
        }
        let body = self.block()?;
        let mut fast = None;
        if self.eat("fast") {
            let attempt = self.eat("attempt");
            let mut save = Vec::new();
            if self.eat("save") {
                self.expect("(")?;
                save = self.several(")", Self::var)?;
            }
            let (guard, condition) = (self.block()?, self.expression()?);
            let before = if self.eat("before") { self.block()? } else { Vec::new() };
            let body = self.block()?;
            let after = if self.eat("after") { self.block()? } else { Vec::new() };
            fast = Some(Box::new(Fast { guard, condition, before, after, body, attempt, save }));
        }
        Ok(For { id: LoopId(id), var, start, stop, step, body, parallel, fast })
    }

    fn plan(&mut self) -> Parsed<Plan> {
        let mut plan = Plan::default();
        self.expect("(")?;
        if self.eat(")") {
            return Ok(plan);
        }
        loop {
            match self.identifier()? {
                "private" => plan.private = self.vars()?,
                "last" => plan.last = self.vars()?,
                "overwritten" => plan.overwritten = self.vars()?,
                "fine" => plan.fine = true,
                "short" => plan.length = Length::Short,
                "long" => plan.length = Length::Long,
                "leaves" => plan.leaves = true,
                "condition" => plan.conditions.push(self.expression()?),
                "distinct" => {
                    let one = self.var()?;
                    self.expect(",")?;
                    plan.distinct.push((one, self.var()?));
                }
                "accumulated" => {
                    let kind = self.identifier()?;
                    let kind = reduction(kind)?;
                    plan.accumulated.push(Accumulated { array: self.var()?, kind });
                }
                name => {
                    let kind = reduction(name)?;
                    let var = self.var()?;
                    let companions = if self.eat("with") { self.vars()? } else { Vec::new() };
                    plan.reductions.push(Reduction { var, kind, companions });
                }
            }
            if self.eat(")") {
                return Ok(plan);
            }
            self.expect(";")?;
        }
    }

    fn check(&mut self) -> Check {
        // Behind what it checks, without a space; `!=` is a comparison.
        let rest = self.rest();
        let check = match rest.chars().next() {
            Some('!') if !rest.starts_with("!=") => Check::Branch,
            Some('?') => Check::Flag,
            Some('~') => Check::Wrap,
            _ => return Check::None,
        };
        self.at += 1;
        check
    }

    fn expression(&mut self) -> Parsed<Expr> {
        self.nested(|p| {
            let (kind, ty) = p.expression_kind()?;
            let variables = &p.variables;
            let of = |var: Var| variables.get(var.0 as usize).map(|one| one.ty);
            let ty = ty.or_else(|| default_type(&kind, of));
            let ty = if p.rest().starts_with(':') && p.eat(":") { Some(p.ty()?) } else { ty };
            let ty = ty.ok_or("expected `:` and the expression's type")?;
            let span = if p.rest().starts_with('@') { p.span()? } else { Span::default() };
            Ok(Expr::new(kind, ty, span))
        })
    }

    fn expression_kind(&mut self) -> Parsed<(ExprKind, Option<Type>)> {
        match self.peek() {
            Some('%') => self.variable().map(|kind| (kind, None)),
            Some('(') => self.infix().map(|kind| (kind, None)),
            Some(char) if char.is_ascii_digit() || char == '-' => self.literal().map(|kind| (kind, None)),
            _ => self.named(),
        }
    }

    fn variable(&mut self) -> Parsed<ExprKind> {
        let var = self.var()?;
        if !self.rest().starts_with('[') {
            return Ok(ExprKind::Var(var));
        }
        self.expect("[")?;
        let indices = self.several("]", Self::expression)?;
        Ok(ExprKind::Load { array: var, indices, check: self.check() })
    }

    fn infix(&mut self) -> Parsed<ExprKind> {
        self.expect("(")?;
        let left = self.expression()?;
        if let Some((op, _)) =
            BINARIES.iter().find(|(_, name)| !super::is_identifier(name) && self.eat(&format!("{name} ")))
        {
            let right = self.expression()?;
            self.expect(")")?;
            return Ok(ExprKind::Binary { op: *op, left, right, check: self.check() });
        }
        let found = COMPARES.iter().find(|(_, name)| self.eat(name));
        let (op, _) = found.ok_or("expected an operator, with a space behind it")?;
        let right = self.expression()?;
        self.expect(")")?;
        Ok(ExprKind::Compare { op: *op, left, right })
    }

    fn literal(&mut self) -> Parsed<ExprKind> {
        self.skip();
        let from = self.at;
        if self.rest().starts_with("-inf") {
            self.at += 4;
            return Ok(ExprKind::Float(f64::NEG_INFINITY));
        }
        if self.rest().starts_with('-') {
            self.at += 1;
        }
        self.take_while(|char| char.is_ascii_digit());
        let mut float = false;
        if self.rest().starts_with('.') {
            float = true;
            self.at += 1;
            self.take_while(|char| char.is_ascii_digit());
        }
        if self.rest().starts_with('e') {
            float = true;
            self.at += 1;
            if self.rest().starts_with('-') {
                self.at += 1;
            }
            self.take_while(|char| char.is_ascii_digit());
        }
        let text = &self.text[from..self.at];
        let value =
            if float { text.parse().map(ExprKind::Float).ok() } else { text.parse().map(ExprKind::Int).ok() };
        value.ok_or_else(|| "expected a number".into())
    }

    fn float(&mut self) -> Parsed<f64> {
        if self.eat("nan") {
            return Ok(f64::NAN);
        }
        if self.eat("inf") {
            return Ok(f64::INFINITY);
        }
        match self.literal()? {
            ExprKind::Float(value) => Ok(value),
            _ => Err("expected a float".into()),
        }
    }

    /// What begins with a word.
    fn named(&mut self) -> Parsed<(ExprKind, Option<Type>)> {
        if self.eat("new") {
            return self.new_array();
        }
        if self.eat("view") {
            return self.view();
        }
        if let Some(ty) = self.try_ty() {
            self.expect("(")?;
            let value = self.expression()?;
            self.expect(")")?;
            return Ok((ExprKind::Cast { value, check: self.check() }, Some(ty)));
        }
        let word = self.identifier()?;
        let kind = match word {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            "nan" => ExprKind::Float(f64::NAN),
            "inf" => ExprKind::Float(f64::INFINITY),
            "j" => {
                self.expect("(")?;
                let real = self.float()?;
                self.expect(",")?;
                let imag = self.float()?;
                self.expect(")")?;
                ExprKind::Complex(real, imag)
            }
            "dim" => {
                self.expect("(")?;
                let array = self.var()?;
                self.expect(",")?;
                let axis = self.number()?;
                self.expect(")")?;
                ExprKind::Dim { array, axis }
            }
            "disjoint" => {
                self.expect("(")?;
                let left = self.var()?;
                self.expect(",")?;
                let right = self.var()?;
                self.expect(")")?;
                ExprKind::Disjoint { left, right }
            }
            "foldable" => {
                self.expect("(")?;
                let array = self.var()?;
                let lengths = match self.eat(";") {
                    true if self.eat(")") => Some(Vec::new()),
                    true => Some(self.several(")", Self::expression)?),
                    false => {
                        self.expect(")")?;
                        None
                    }
                };
                ExprKind::Foldable { array, lengths }
            }
            "math" | "random" => {
                self.expect(".")?;
                let name = self.identifier()?;
                self.expect("(")?;
                let arguments = self.several(")", Self::expression)?;
                let check = self.check();
                if word == "math" {
                    let function = MATHS.into_iter().find(|function| lower(function) == name);
                    let function = function.ok_or_else(|| format!("no function math.{name}"))?;
                    ExprKind::Math { function, arguments, check }
                } else {
                    let draw = DRAWS.into_iter().find(|draw| lower(draw) == name);
                    let draw = draw.ok_or_else(|| format!("no distribution random.{name}"))?;
                    ExprKind::Random { draw, arguments, check }
                }
            }
            _ => self.call(word)?,
        };
        Ok((kind, None))
    }

    fn call(&mut self, word: &str) -> Parsed<ExprKind> {
        let unary = match word {
            "neg" => Some(Unary::Negative),
            "inv" => Some(Unary::Invert),
            "not" => Some(Unary::Not),
            "abs" => Some(Unary::Absolute),
            _ => None,
        };
        let binary: Option<Binary> = BINARIES.iter().find(|(_, name)| *name == word).map(|(op, _)| *op);
        if unary.is_none() && binary.is_none() && word != "if" {
            self.at -= word.len();
            return Err("expected an expression".into());
        }
        self.expect("(")?;
        let mut arguments = self.several(")", Self::expression)?.into_iter();
        let check = self.check();
        let parts = (unary, binary, arguments.next(), arguments.next(), arguments.next(), arguments.next());
        match parts {
            (Some(op), _, Some(operand), None, None, None) => Ok(ExprKind::Unary { op, operand, check }),
            (_, Some(op), Some(left), Some(right), None, None) => {
                Ok(ExprKind::Binary { op, left, right, check })
            }
            (None, None, Some(condition), Some(then), Some(orelse), None) if check == Check::None => {
                Ok(ExprKind::If { condition, then, orelse })
            }
            _ => Err(format!("`{word}` with another number of operands")),
        }
    }

    fn new_array(&mut self) -> Parsed<(ExprKind, Option<Type>)> {
        let ty = self.ty()?;
        self.expect("(")?;
        let mut lengths = Vec::new();
        if !self.eat(";") {
            lengths = self.several(";", Self::expression)?;
        }
        let fill = if self.eat("empty") {
            Fill::Empty
        } else if self.eat("zero") {
            Fill::Zero
        } else if self.eat("places") {
            Fill::Places(self.number()?)
        } else if self.eat("product") {
            let left = self.var()?;
            self.expect(",")?;
            Fill::Product(left, self.var()?)
        } else {
            self.expect("fill")?;
            Fill::Value(self.expression()?)
        };
        self.expect(")")?;
        Ok((ExprKind::New { lengths, fill, check: self.check() }, Some(ty)))
    }

    fn view(&mut self) -> Parsed<(ExprKind, Option<Type>)> {
        let ty = self.ty()?;
        self.expect("(")?;
        let array = self.var()?;
        let mut parts = Vec::new();
        while self.eat(";") {
            parts.push(match self.identifier()? {
                "index" => Part::Index(self.expression()?),
                "newaxis" => Part::NewAxis,
                "axis" => Part::Axis(self.number()?),
                "length" => Part::Length(self.expression()?),
                "real" => Part::Real,
                "imag" => Part::Imag,
                "diagonal" => Part::Diagonal,
                "slice" => {
                    let start = self.bound()?;
                    self.expect(",")?;
                    let stop = self.bound()?;
                    self.expect(",")?;
                    Part::Slice { start, stop, step: self.bound()? }
                }
                _ => return Err(
                    "expected `index`, `slice`, `newaxis`, `axis`, `length`, `real` or `imag` before this"
                        .into(),
                ),
            });
        }
        self.expect(")")?;
        Ok((ExprKind::View { array, parts, check: self.check() }, Some(ty)))
    }

    fn bound(&mut self) -> Parsed<Option<Expr>> {
        if self.eat("_") { Ok(None) } else { self.expression().map(Some) }
    }
}

fn reduction(name: &str) -> Parsed<ReductionKind> {
    let found = REDUCTIONS.into_iter().find(|kind| lower(kind) == name);
    found.ok_or_else(|| format!("`{name}` is no kind of reduction"))
}
