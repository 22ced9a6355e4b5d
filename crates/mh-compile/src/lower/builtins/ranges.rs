//! `range`, `mh.prange`, `enumerate`, `zip`, `reversed`: what loops run over.

use super::super::arithmetic::type_error;
use super::super::expression::unsupported;
use super::super::function::Arguments;
use super::super::value::{Iterable, Value, int};
use super::super::{Lowerer, Result};
use crate::ir::{ExprKind, Span, Type};

pub fn call(lowerer: &mut Lowerer<'_>, name: &str, arguments: Arguments, span: Span) -> Result<Value> {
    let short = name.rsplit('.').next().unwrap_or(name).to_owned();
    let Arguments { positional, keywords } = arguments;
    let given = positional.len();
    let iterable = match short.as_str() {
        "range" | "prange" => {
            let mut parallel = (short == "prange").then_some(false);
            for (keyword, value, place) in keywords {
                match (keyword.as_str(), &value) {
                    ("unchecked", Value::Expr(expr)) if short == "prange" && expr.ty == Type::BOOL => {
                        match *expr.kind {
                            ExprKind::Bool(unchecked) => parallel = Some(unchecked),
                            _ => {
                                return Err(unsupported(
                                    place,
                                    "`unchecked` must be True or False as written",
                                    "write unchecked=True",
                                ));
                            }
                        }
                    }
                    _ if short == "range" => {
                        return Err(type_error(place, "range() takes no keyword arguments".into()));
                    }
                    _ => {
                        let message = format!("prange() got an unexpected keyword argument '{keyword}'");
                        return Err(type_error(place, message));
                    }
                }
            }
            let mut bounds = Vec::new();
            for (value, place) in &positional {
                bounds.push(lowerer.index(value, *place)?);
            }
            let mut bounds = bounds.into_iter();
            let (start, stop, step) = match (bounds.next(), bounds.next(), bounds.next(), given) {
                (Some(stop), None, None, 1) => (int(0, span), stop, int(1, span)),
                (Some(start), Some(stop), None, 2) => (start, stop, int(1, span)),
                (Some(start), Some(stop), Some(step), 3) => (start, stop, step),
                (_, _, _, 0) => {
                    return Err(type_error(span, format!("{short} expected at least 1 argument, got 0")));
                }
                _ => {
                    return Err(type_error(
                        span,
                        format!("{short} expected at most 3 arguments, got {given}"),
                    ));
                }
            };
            Iterable::Range { start, stop, step, parallel, span }
        }
        "enumerate" => {
            let mut positional = positional.into_iter();
            let Some((inner, place)) = positional.next() else {
                return Err(type_error(
                    span,
                    "enumerate() missing required argument 'iterable' (pos 1)".into(),
                ));
            };
            let keyword = keywords
                .into_iter()
                .find(|(name, ..)| name == "start")
                .map(|(_, value, place)| (value, place));
            let start = match positional.next().or(keyword) {
                Some((start, place)) => lowerer.index(&start, place)?,
                None => int(0, span),
            };
            Iterable::Enumerate(Box::new(serial(lowerer.iterable(inner, place)?, span)?), start)
        }
        "zip" => {
            let mut parts = Vec::new();
            for (value, place) in positional {
                parts.push(serial(lowerer.iterable(value, place)?, span)?);
            }
            Iterable::Zip(parts)
        }
        _ => {
            let [(inner, place)] = <[_; 1]>::try_from(positional).map_err(|given| {
                type_error(span, format!("reversed expected 1 argument, got {}", given.len()))
            })?;
            Iterable::Reversed(Box::new(serial(lowerer.iterable(inner, place)?, span)?))
        }
    };
    Ok(Value::Iterable(Box::new(iterable)))
}

fn serial(iterable: Iterable, span: Span) -> Result<Iterable> {
    match iterable {
        Iterable::Range { parallel: Some(_), .. } => Err(unsupported(
            span,
            "`prange` stands alone in a `for`",
            "write `for i in mh.prange(n):`, and take the items by number: x[i]",
        )),
        other => Ok(other),
    }
}
