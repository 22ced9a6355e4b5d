//! What the compiler knows by name: Python's builtins, `math`, NumPy, `random`; attributes, methods and subscripts of values.
//!
//! Everything here takes evaluated arguments (`Arguments`) and gives a `Value`; what has effects is emitted (`Lowerer::emit`). A value that
//! is used twice is kept first (`Lowerer::simple`, `spill`); arrays that are made (`New`, `View`) are kept by `Lowerer::keep`.

mod ranges;

use super::arithmetic::type_error;
use super::assign::read_only;
use super::expression::unsupported;
use super::function::Arguments;
use super::types::{form_name, python_name};
use super::value::{SliceValue, Value};
use super::{Lowerer, Result};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Array, Check, Expr, ExprKind, Kind, Layout, Part, Scalar, Span, Type, Var};

/// A call of something known by its canonical name.
pub(crate) fn call_known(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    arguments: Arguments,
    span: Span,
) -> Result<Value> {
    match name {
        "builtins.range" | "manyhands.prange" | "builtins.enumerate" | "builtins.zip"
        | "builtins.reversed" => ranges::call(lowerer, name, arguments, span),
        _ => Err(unsupported(
            span,
            format!("{name} is not compiled"),
            "write it with loops and numbers, or call it outside",
        )),
    }
}

/// A call of a method: `x.sum()`.
pub(crate) fn call_method(
    _lowerer: &mut Lowerer<'_>,
    object: Value,
    name: &str,
    _arguments: Arguments,
    span: Span,
) -> Result<Value> {
    Err(no_attribute(&object, name, span).into())
}

/// `value.name`, where `value` is no module.
pub(crate) fn attribute(_lowerer: &mut Lowerer<'_>, value: Value, name: &str, span: Span) -> Result<Value> {
    Err(no_attribute(&value, name, span).into())
}

fn no_attribute(value: &Value, name: &str, span: Span) -> Diagnostic {
    let (kind, label) = match value.form() {
        Some(form) => (python_name(&form), form_name(&form)),
        None => ("range".into(), "range".into()),
    };
    Diagnostic::new(
        Class::AttributeError,
        span,
        format!("'{kind}' object has no attribute '{name}' that is compiled"),
    )
    .label(label)
}

/// `value[index]`.
pub(crate) fn subscript(lowerer: &mut Lowerer<'_>, value: Value, index: Value, span: Span) -> Result<Value> {
    match value {
        Value::Tuple(members) => {
            let number = match &index {
                Value::Expr(index) => super::value::constant_int(index),
                _ => None,
            };
            let Some(number) = number else {
                return Err(unsupported(
                    span,
                    "a subscript of a tuple must be a constant",
                    "loop over the tuple itself, or use an array",
                ));
            };
            let length = members.len() as i128;
            let place = if number < 0 { number + length } else { number };
            match usize::try_from(place).ok().and_then(|place| members.into_iter().nth(place)) {
                Some(member) => Ok(member),
                None => Err(Diagnostic::new(Class::IndexError, span, "tuple index out of range").into()),
            }
        }
        value => {
            let place = locate(lowerer, value, index, span)?;
            Ok(match place {
                Place::Element { array, element, indices } => {
                    let ty = Type::Scalar(Scalar::numpy(element));
                    Value::Expr(Expr::new(ExprKind::Load { array, indices, check: Check::Branch }, ty, span))
                }
                Place::View(view) => Value::Expr(view),
            })
        }
    }
}

/// What a subscript of an array names.
pub(crate) enum Place {
    Element {
        array: Var,
        element: Kind,
        indices: Vec<Expr>,
    },
    /// A variable that holds the view.
    View(Expr),
}

/// The same as a target of an assignment.
pub(crate) fn place(lowerer: &mut Lowerer<'_>, value: Value, index: Value, span: Span) -> Result<Place> {
    if let Some((_, array)) = value.array() {
        if !array.writable {
            return Err(read_only(span));
        }
    }
    if let Value::Tuple(_) = value {
        return Err(type_error(span, "'tuple' object does not support item assignment".into()));
    }
    locate(lowerer, value, index, span)
}

fn locate(lowerer: &mut Lowerer<'_>, value: Value, index: Value, span: Span) -> Result<Place> {
    let Some((array, ty)) = value.array() else {
        let name = value.form().map_or_else(|| "range".to_owned(), |form| python_name(&form));
        return Err(type_error(span, format!("'{name}' object is not subscriptable")));
    };
    let parts = match index {
        Value::Tuple(parts) => parts,
        one => vec![one],
    };
    if let [Value::Slice(slice)] = parts.as_slice() {
        if ty.rank == 1 {
            return Ok(Place::View(slice_of(lowerer, array, ty, slice, span)));
        }
    }
    if parts.len() != usize::from(ty.rank) || parts.iter().any(|part| !matches!(part, Value::Expr(_))) {
        return Err(unsupported(span, "slices are not compiled yet", "write the loop"));
    }
    let mut indices = Vec::new();
    for part in &parts {
        indices.push(lowerer.index(part, span)?);
    }
    Ok(Place::Element { array, element: ty.element, indices })
}

fn slice_of(lowerer: &mut Lowerer<'_>, array: Var, ty: Array, slice: &SliceValue, span: Span) -> Expr {
    let whole = slice.step.is_none() && ty.layout != Layout::Any;
    let layout = if whole { Layout::C } else { Layout::Any };
    let SliceValue { start, stop, step } = slice.clone();
    let parts = vec![Part::Slice { start, stop, step }];
    let view = ExprKind::View { array, parts, check: Check::Branch };
    lowerer.keep(Expr::new(view, Type::Array(Array { layout, ..ty }), span))
}
