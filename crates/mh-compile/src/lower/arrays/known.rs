//! Functions of numbers that take arrays element by element.

use super::{Op, is_array};
use crate::ir::{Binary, Span};
use crate::lower::arithmetic::type_error;
use crate::lower::builtins::{inputs, numpy_kind};
use crate::lower::expression::unsupported;
use crate::lower::function::Arguments;
use crate::lower::types::same_kind;
use crate::lower::value::Value;
use crate::lower::{Lowerer, Result};

/// A call with an array among its arguments of what works element by element; None for all else.
pub fn each_known(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    arguments: &Arguments,
    span: Span,
) -> Option<Result<Value>> {
    let all = arguments.positional.iter().map(|(value, _)| value);
    if !all.chain(arguments.keywords.iter().map(|(_, value, _)| value)).any(is_array) {
        return None;
    }
    let places: Vec<Value> = arguments.positional.iter().map(|(value, _)| value.clone()).collect();
    let plain = arguments.keywords.is_empty();
    let (module, short) = name.rsplit_once('.')?;
    match (module, short) {
        ("builtins", "abs") => each(lowerer, "numpy.absolute", arguments, 1, span),
        ("builtins", "round") => {
            let message = "type numpy.ndarray doesn't define __round__ method: np.round(x, n) rounds arrays";
            Some(Err(type_error(span, message.into())))
        }
        ("builtins", "pow") if places.len() == 2 && plain => {
            Some(lowerer.each_of(Op::Binary(Binary::Power), places, span))
        }
        ("builtins" | "numpy", "divmod") if places.len() == 2 && plain => Some(divmod(lowerer, places, span)),
        // It tells where.
        ("numpy", "where") if places.len() == 1 => None,
        ("numpy", _) => match numpy_kind(short) {
            Some(kind) if places.len() == 1 && plain => Some(lowerer.each_of(Op::Cast(kind), places, span)),
            _ => each(lowerer, name, arguments, inputs(short)?, span),
        },
        _ => None,
    }
}

fn divmod(lowerer: &mut Lowerer<'_>, operands: Vec<Value>, span: Span) -> Result<Value> {
    let operands: Vec<Value> = operands
        .into_iter()
        .map(|operand| lowerer.made(operand).map(|operand| lowerer.settle(operand)))
        .collect::<Result<_>>()?;
    let quotient = lowerer.each_of(Op::Binary(Binary::FloorDivide), operands.clone(), span)?;
    let quotient = lowerer.made(quotient)?;
    let rest = lowerer.each_of(Op::Binary(Binary::Modulo), operands, span)?;
    Ok(Value::Tuple(vec![quotient, lowerer.made(rest)?]))
}

/// `function(x, y, out)`: `inputs` of the arguments by place are read, the next one is stored into.
fn each(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    arguments: &Arguments,
    inputs: usize,
    span: Span,
) -> Option<Result<Value>> {
    let (mut values, mut keywords, mut out) = (Vec::new(), Vec::new(), None);
    for (place, (value, _)) in arguments.positional.iter().enumerate() {
        match place {
            place if place < inputs => values.push(value.clone()),
            place if place == inputs => out = Some(value.clone()),
            _ => return None,
        }
    }
    let places = values.len();
    for (keyword, value, _) in &arguments.keywords {
        if keyword == "out" {
            out = Some(value.clone());
        } else {
            keywords.push(keyword.clone());
            values.push(value.clone());
        }
    }
    if !values.iter().any(is_array) {
        return None;
    }
    let op = Op::Known { name: name.into(), places, keywords };
    Some(match out.filter(|out| !matches!(out, Value::None)) {
        None => lowerer.each_of(op, values, span),
        Some(out) => into(lowerer, op, values, out, span),
    })
}

/// `out=`: filled, and given back.
fn into(lowerer: &mut Lowerer<'_>, op: Op, values: Vec<Value>, out: Value, span: Span) -> Result<Value> {
    let result = lowerer.each_of(op, values, span)?;
    let (Value::Expr(array), Some((_, ty)), Some(lazy)) = (&out, out.array(), lowerer.lazy_of(&result))
    else {
        return Err(type_error(span, "return arrays must be of ArrayType".into()));
    };
    if !same_kind(lazy.element, ty.element) {
        let (from, to) = (lazy.element.name(), ty.element.name());
        let message = format!("Cannot cast the output from {from} to {to} with casting rule 'same_kind'");
        return Err(type_error(span, message));
    }
    lowerer.fill_view(array, result, None, span)?;
    Ok(out)
}

/// Methods that work element by element.
pub const METHODS: &[&str] = &["astype", "clip", "round"];

/// A method that works element by element; None for all others.
pub fn method(
    lowerer: &mut Lowerer<'_>,
    object: &Value,
    name: &str,
    arguments: &Arguments,
    span: Span,
) -> Option<Result<Value>> {
    if !is_array(object) || !METHODS.contains(&name) {
        return None;
    }
    match name {
        "astype" => Some(astype(lowerer, object, arguments, span)),
        "clip" | "round" => {
            let mut with = arguments.clone();
            with.positional.insert(0, (object.clone(), span));
            each(lowerer, &format!("numpy.{name}"), &with, inputs(name)?, span)
        }
        _ => None,
    }
}

/// `x.astype(dtype)`: always a new array.
fn astype(lowerer: &mut Lowerer<'_>, object: &Value, arguments: &Arguments, span: Span) -> Result<Value> {
    let (dtype, rest) = match (arguments.positional.as_slice(), arguments.keywords.as_slice()) {
        ([(dtype, _)], rest) => (dtype, rest),
        ([], [(keyword, dtype, _), rest @ ..]) if keyword == "dtype" => (dtype, rest),
        _ => return Err(type_error(span, "x.astype() takes the type of the elements".into())),
    };
    if let Some((keyword, _, place)) = rest.first() {
        let message = format!("x.astype(..., {keyword}=...) is not compiled");
        return Err(unsupported(*place, message, "leave it out: what it gives is a new array"));
    }
    let kind = lowerer.dtype(dtype, span)?;
    let complex = lowerer.lazy_of(object).is_some_and(|lazy| lazy.element.is_complex());
    if complex && !kind.is_complex() {
        return Err(unsupported(
            span,
            "astype drops the imaginary part",
            "write the loop: out[i] = x[i].real",
        ));
    }
    lowerer.each_of(Op::Cast(kind), vec![object.clone()], span)
}
