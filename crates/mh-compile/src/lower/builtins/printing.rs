//! `print` of numbers and constants.

use super::{Call, refused, type_of};
use crate::ir::{PrintItem, Span, StatementKind};
use crate::lower::value::{Static, Value};
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
                items.push(PrintItem::Value(value));
            }
            None => {
                return Err(refused(
                    span,
                    "printing an array is not compiled",
                    "return it, or print its elements",
                ));
            }
        },
        Value::None => push(items, "None"),
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
