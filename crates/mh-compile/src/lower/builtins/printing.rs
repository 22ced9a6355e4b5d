//! `print` of numbers and constants.

use super::{Call, refused, type_of};
use crate::ast::{self, Constant};
use crate::format::pack;
use crate::ir::{Flavour, Kind, PrintItem, Scalar, Span, StatementKind};
use crate::lower::raise::constant_format;
use crate::lower::value::{Piece, Static, Value};
use crate::lower::{Lowerer, Result};

pub fn print(lowerer: &mut Lowerer<'_>, mut call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let (mut separator, mut end) = (" ".to_owned(), "\n".to_owned());
    for (keyword, value, place) in std::mem::take(&mut call.arguments.keywords) {
        let text = match (keyword.as_str(), value) {
            ("sep" | "end", Value::Static(Static::Str(text))) => text,
            ("sep", Value::None) => " ".into(),
            ("end", Value::None) => "\n".into(),
            ("flush", _) => continue,
            ("sep" | "end", _) => {
                return Err(refused(
                    place,
                    format!("`{keyword}` of print must be a constant text"),
                    "write it out",
                ));
            }
            _ => {
                let message = format!("print(..., {keyword}=...) is not compiled");
                return Err(refused(place, message, "compiled code prints to sys.stdout; leave it out"));
            }
        };
        if keyword == "sep" { separator = text } else { end = text }
    }
    let mut items = Vec::new();
    for (number, value) in call.all()?.into_iter().enumerate() {
        if number > 0 {
            push(&mut items, &separator);
        }
        item(lowerer, value, false, &mut items, span)?;
    }
    push(&mut items, &end);
    lowerer.emit(StatementKind::Print { items }, span);
    Ok(Value::None)
}

impl Lowerer<'_> {
    /// As `readers`, with f-strings.
    pub fn printed(&mut self, exprs: &[&ast::Expr]) -> Result<Vec<Value>> {
        let mut values: Vec<Value> = Vec::with_capacity(exprs.len());
        for expr in exprs {
            let before = self.block.len();
            let value = match &*expr.kind {
                ast::ExprKind::JoinedStr(parts) => self.text(parts)?,
                _ => self.display(expr)?,
            };
            values = self.settle_before(values, before);
            values.push(value);
        }
        Ok(values)
    }

    fn text(&mut self, parts: &[ast::Expr]) -> Result<Value> {
        let mut pieces = Vec::with_capacity(parts.len());
        for part in parts {
            let span = self.at(part.span);
            pieces.push(match &*part.kind {
                ast::ExprKind::Constant(Constant::Str(text)) => Piece::Text(text.clone()),
                ast::ExprKind::FormattedValue(value, conversion, format) => {
                    let place = self.at(value.span);
                    let value = self.expr(value)?;
                    let value = self.settle(value);
                    self.piece(
                        value,
                        *conversion,
                        format.as_ref(),
                        if place.line > 0 { place } else { span },
                    )?
                }
                _ => return Err(refused(span, "this part of the text is not compiled", "use {x}")),
            });
        }
        Ok(Value::Text(pieces.into()))
    }

    fn piece(
        &mut self,
        value: Value,
        conversion: i64,
        format: Option<&ast::Expr>,
        span: Span,
    ) -> Result<Piece> {
        let number = value.scalar();
        let shown = conversion == i64::from(b's');
        let own = number.is_some_and(|scalar| scalar.flavour == Flavour::Python);
        if conversion >= 0 && !shown && !own {
            return Err(refused(span, "`!r` and `!a` are compiled of Python's numbers only", "leave it out"));
        }
        let format = match format.map(constant_format) {
            None => String::new(),
            Some(Some(format)) => format,
            Some(None) => return Err(refused(span, "a format that is not constant", "write it out")),
        };
        if format.is_empty() {
            // NumPy's single precision is formatted as Python's, but for `str`.
            return Ok(match (value, number.map(|scalar| scalar.kind)) {
                (Value::Expr(value), Some(Kind::F32)) if !shown => {
                    Piece::Formatted(value, pack("", false).unwrap_or_default())
                }
                (Value::Expr(value), Some(Kind::C64)) if !shown => {
                    Piece::Value(Value::Expr(self.cast(value, Scalar::COMPLEX)))
                }
                (value, _) => Piece::Value(value),
            });
        }
        let packed = match number {
            Some(scalar) if conversion < 0 && !scalar.kind.is_complex() => {
                pack(&format, !scalar.kind.is_float())
            }
            _ => None,
        };
        match (value, packed) {
            (Value::Expr(value), Some(packed)) => Ok(Piece::Formatted(value, packed)),
            (value, _) => Err(refused(
                span,
                format!("the format `{format}` of {} is not compiled", type_of(&value)),
                "formats of numbers are: {x:8.3f}, with f, e, g, % or, for ints, d, x, o, b",
            )),
        }
    }
}

fn push(items: &mut Vec<PrintItem>, text: &str) {
    match items.last_mut() {
        Some(PrintItem::Text(last)) => last.push_str(text),
        _ if text.is_empty() => {}
        _ => items.push(PrintItem::Text(text.to_owned())),
    }
}

/// One thing, as `str` shows it; within a tuple as `repr` does.
fn item(
    lowerer: &mut Lowerer<'_>,
    value: Value,
    within: bool,
    items: &mut Vec<PrintItem>,
    span: Span,
) -> Result<()> {
    match value {
        Value::Expr(expr) => match expr.ty.scalar() {
            Some(scalar) if within && scalar.flavour == crate::ir::Flavour::NumPy => {
                return Err(refused(
                    span,
                    "printing a tuple of NumPy's numbers is not compiled",
                    "print its members: print(t[0], t[1])",
                ));
            }
            Some(_) => {
                let value = lowerer.spill(expr);
                items.push(PrintItem::Value(value, 0));
            }
            None => {
                return Err(refused(
                    span,
                    "printing an array is not compiled",
                    "return it, or print its elements",
                ));
            }
        },
        Value::Text(pieces) if !within => {
            for piece in pieces.iter() {
                match piece {
                    Piece::Text(text) => push(items, text),
                    Piece::Value(value) => item(lowerer, value.clone(), false, items, span)?,
                    Piece::Formatted(value, format) => items.push(PrintItem::Value(value.clone(), *format)),
                }
            }
        }
        Value::None => push(items, "None"),
        Value::Static(Static::Wide(number)) => push(items, &number.to_string()),
        Value::Static(Static::Str(text)) if !within => push(items, &text),
        Value::Tuple(members) => {
            let lone = members.len() == 1;
            push(items, "(");
            for (number, member) in members.into_iter().enumerate() {
                if number > 0 {
                    push(items, ", ");
                }
                item(lowerer, member, true, items, span)?;
            }
            push(items, if lone { ",)" } else { ")" });
        }
        other => {
            return Err(refused(
                span,
                format!("printing {} is not compiled", type_of(&other)),
                "print numbers and constant text: print(\"x\", x)",
            ));
        }
    }
    Ok(())
}
