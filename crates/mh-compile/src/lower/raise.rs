//! `raise` and `assert`: classes, and messages with values.

use super::expression::unsupported;
use super::value::{Static, Value, is_constant};
use super::{Lowerer, Result, Stop};
use crate::ast::{self, Constant};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Exception, Expr, Span, StatementKind};

/// Values that a message may show.
const MOST_VALUES: usize = 5;

impl Lowerer<'_> {
    pub fn raise(&mut self, exception: Option<&ast::Expr>, span: Span) -> Result<()> {
        let Some(exception) = exception else {
            return Err(unsupported(
                span,
                "`raise` alone is not compiled: nothing is caught here",
                "name the exception",
            ));
        };
        let (class, arguments) = match &*exception.kind {
            ast::ExprKind::Call(function, arguments, keywords) if keywords.is_empty() => {
                (function, arguments.as_slice())
            }
            _ => (exception, [].as_slice()),
        };
        let place = self.at(class.span);
        let class = match self.expr(class)? {
            Value::Static(Static::Known(name)) => match name.strip_prefix("builtins.") {
                Some(name) if is_exception(name) => Exception::Builtin(name.to_owned()),
                _ => return Err(not_an_exception(place)),
            },
            Value::Static(Static::Exception(object)) => Exception::Object(object),
            _ => return Err(not_an_exception(place)),
        };
        let (message, values) = match arguments {
            [] => (None, Vec::new()),
            [one] => {
                let mut values = Vec::new();
                let message = self.message(one, &mut values)?;
                (message, values)
            }
            [_, second, ..] => {
                return Err(unsupported(
                    self.at(second.span),
                    "an exception with several arguments is not compiled",
                    "put the values into one message: f\"... {x}\"",
                ));
            }
        };
        if let (Exception::Builtin(name), Some((call, branches)), Some(message)) =
            (&class, self.library_call, &message)
            && name == "NotImplementedError"
            && branches == self.branches
        {
            // What the library has no code for, as is known here and now.
            return Err(unsupported(
                call,
                message,
                "call it outside of the compiled function, or write the loop",
            ));
        }
        self.raise_message(class, message, values, span)?;
        self.reachable = false;
        Ok(())
    }

    pub fn raise_assertion(&mut self, message: Option<&ast::Expr>, span: Span) -> Result<()> {
        let mut values = Vec::new();
        let message = match message {
            Some(message) => self.message(message, &mut values)?,
            None => None,
        };
        self.raise_message(Exception::Builtin("AssertionError".into()), message, values, span)
    }

    fn raise_message(
        &mut self,
        exception: Exception,
        message: Option<String>,
        values: Vec<Expr>,
        span: Span,
    ) -> Result<()> {
        let slots: usize = values.iter().map(|value| value.ty.slots()).sum();
        if slots > MOST_VALUES {
            return Err(unsupported(
                span,
                format!("a message shows at most {MOST_VALUES} values"),
                "leave some out of the message",
            ));
        }
        let exception = self.exception(exception);
        self.emit(StatementKind::Raise { exception, message, values }, span);
        Ok(())
    }

    /// A message as Python's `str.format` takes it: braces of its own are doubled. `None`: the one value itself.
    fn message(&mut self, expr: &ast::Expr, values: &mut Vec<Expr>) -> Result<Option<String>> {
        let span = self.at(expr.span);
        match &*expr.kind {
            ast::ExprKind::JoinedStr(parts) => {
                let mut text = String::new();
                for part in parts {
                    match &*part.kind {
                        ast::ExprKind::Constant(Constant::Str(constant)) => text.push_str(&escape(constant)),
                        ast::ExprKind::FormattedValue(value, conversion, format) => {
                            let format = match format {
                                Some(format) => constant_format(format).ok_or_else(|| {
                                    unsupported(span, "a format that is not constant", "write it out")
                                })?,
                                None => String::new(),
                            };
                            let value = self.expr(value)?;
                            let conversion = match conversion {
                                114 => "!r",
                                115 => "!s",
                                97 => "!a",
                                _ => "",
                            };
                            text.push_str(&self.placed(value, conversion, &format, values, span)?);
                        }
                        _ => {
                            return Err(unsupported(
                                span,
                                "this part of the text is not compiled",
                                "use {x}",
                            ));
                        }
                    }
                }
                Ok(Some(text))
            }
            ast::ExprKind::BinOp(left, op, right) if op == "Mod" => {
                let Value::Static(Static::Str(format)) = self.expr(left)? else {
                    let value = self.expr(expr)?;
                    return self.alone(value, values, span);
                };
                let given = match self.expr(right)? {
                    Value::Tuple(members) => members,
                    one => vec![one],
                };
                self.percent(&format, given, values, span).map(Some)
            }
            ast::ExprKind::Call(function, arguments, keywords) if keywords.is_empty() => {
                if let ast::ExprKind::Attribute(text, name) = &*function.kind {
                    if let (ast::ExprKind::Constant(Constant::Str(text)), "format") =
                        (&*text.kind, name.as_str())
                    {
                        let arguments: Vec<&ast::Expr> = arguments.iter().collect();
                        let given = self.operands(&arguments)?;
                        return self.braces(text, given, values, span).map(Some);
                    }
                }
                let value = self.expr(expr)?;
                self.alone(value, values, span)
            }
            _ => {
                let value = self.expr(expr)?;
                self.alone(value, values, span)
            }
        }
    }

    /// What is not a text: a number is handed over as it is.
    fn alone(&mut self, value: Value, values: &mut Vec<Expr>, span: Span) -> Result<Option<String>> {
        let number = matches!(&value, Value::Expr(expr) if expr.ty.scalar().is_some());
        let text = self.placed(value, "", "", values, span)?;
        Ok(if number { None } else { Some(text) })
    }

    /// One value in a message.
    fn placed(
        &mut self,
        value: Value,
        conversion: &str,
        format: &str,
        values: &mut Vec<Expr>,
        span: Span,
    ) -> Result<String> {
        match value {
            Value::Static(Static::Str(text)) if conversion.is_empty() && format.is_empty() => {
                Ok(escape(&text))
            }
            Value::None if format.is_empty() => Ok("None".into()),
            Value::Expr(expr) if expr.ty.scalar().is_some() => {
                let value = if is_constant(&expr) { expr } else { self.spill(expr) };
                values.push(value);
                let colon = if format.is_empty() { "" } else { ":" };
                Ok(format!("{{{conversion}{colon}{format}}}"))
            }
            Value::Tuple(members) if conversion.is_empty() && format.is_empty() => {
                let mut parts = Vec::new();
                let one = members.len() == 1;
                for member in members {
                    parts.push(self.placed(member, "!r", "", values, span)?);
                }
                Ok(format!("({}{})", parts.join(", "), if one { "," } else { "" }))
            }
            _ => Err(unsupported(
                span,
                "a message shows numbers only",
                "show an element, or a length: {len(x)}",
            )),
        }
    }

    fn percent(
        &mut self,
        format: &str,
        given: Vec<Value>,
        values: &mut Vec<Expr>,
        span: Span,
    ) -> Result<String> {
        let mut text = String::new();
        let mut given = given.into_iter();
        let mut chars = format.chars().peekable();
        while let Some(next) = chars.next() {
            if next != '%' {
                text.push_str(&escape(&next.to_string()));
                continue;
            }
            if chars.peek() == Some(&'%') {
                chars.next();
                text.push('%');
                continue;
            }
            let mut spec = String::new();
            while let Some(one) =
                chars.peek().copied().filter(|one| one.is_ascii_digit() || matches!(one, '.' | '+'))
            {
                spec.push(one);
                chars.next();
            }
            let letter = chars.next();
            let value = given.next().ok_or_else(|| {
                Stop::from(Diagnostic::new(Class::TypeError, span, "not enough arguments for format string"))
            })?;
            let (conversion, format) = match letter {
                Some('s') if spec.is_empty() => ("", String::new()),
                Some('r') if spec.is_empty() => ("!r", String::new()),
                Some(letter @ ('e' | 'f' | 'g' | 'E' | 'F' | 'G')) => ("", format!("{spec}{letter}")),
                Some('d' | 'i') if value.scalar().is_some_and(|scalar| scalar.kind.is_integer()) => {
                    ("", format!("{spec}d"))
                }
                _ => {
                    return Err(unsupported(
                        span,
                        "this `%` format is not compiled",
                        "use an f-string: f\"{x}\"",
                    ));
                }
            };
            text.push_str(&self.placed(value, conversion, &format, values, span)?);
        }
        if given.next().is_some() {
            let message = "not all arguments converted during string formatting";
            return Err(Diagnostic::new(Class::TypeError, span, message).into());
        }
        Ok(text)
    }

    fn braces(
        &mut self,
        format: &str,
        given: Vec<Value>,
        values: &mut Vec<Expr>,
        span: Span,
    ) -> Result<String> {
        let mut text = String::new();
        let mut rest = format;
        let mut next = 0;
        let bad = || unsupported(span, "this format is not compiled", "use an f-string: f\"{x}\"");
        while let Some(place) = rest.find(['{', '}']) {
            text.push_str(&rest[..place]);
            let tail = &rest[place..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                text.push_str(&tail[..2]);
                rest = &tail[2..];
                continue;
            }
            let end = tail.find('}').filter(|_| tail.starts_with('{')).ok_or_else(bad)?;
            let field = &tail[1..end];
            let (name, format) = field.split_once(':').unwrap_or((field, ""));
            let (name, conversion) = match name.split_once('!') {
                Some((name, letter)) => (name, format!("!{letter}")),
                None => (name, String::new()),
            };
            if format.contains('{') {
                return Err(bad());
            }
            let number = if name.is_empty() { next } else { name.parse().map_err(|_| bad())? };
            next = number + 1;
            let value = given.get(number).cloned().ok_or_else(bad)?;
            text.push_str(&self.placed(value, &conversion, format, values, span)?);
            rest = &tail[end + 1..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

fn escape(text: &str) -> String {
    text.replace('{', "{{").replace('}', "}}")
}

pub fn constant_format(format: &ast::Expr) -> Option<String> {
    let text = match &*format.kind {
        ast::ExprKind::Constant(Constant::Str(text)) => text.clone(),
        ast::ExprKind::JoinedStr(parts) => parts
            .iter()
            .map(|part| match &*part.kind {
                ast::ExprKind::Constant(Constant::Str(text)) => Some(text.as_str()),
                _ => None,
            })
            .collect::<Option<String>>()?,
        _ => return None,
    };
    (!text.contains(['{', '}'])).then_some(text)
}

fn not_an_exception(span: Span) -> Stop {
    Diagnostic::new(Class::TypeError, span, "exceptions must derive from BaseException")
        .advice("raise one of Python's exceptions, or a class of your own: raise ValueError(\"...\")")
        .into()
}

/// By their names, as Python's builtin exceptions are called.
fn is_exception(name: &str) -> bool {
    name.ends_with("Error")
        || name.ends_with("Exception")
        || name.ends_with("Warning")
        || matches!(
            name,
            "StopIteration" | "KeyboardInterrupt" | "SystemExit" | "GeneratorExit" | "StopAsyncIteration"
        )
}
