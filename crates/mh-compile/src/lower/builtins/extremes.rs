//! Python's `min` and `max`: the first of those that nothing is before.

use super::build::{binary, choose, variable};
use super::{Call, refused, type_error, type_of, value_error};
use crate::ir::{Binary, Compare, Kind, Scalar, Type};
use crate::lower::function::Arguments;
use crate::lower::types::join_scalars;
use crate::lower::value::Value;
use crate::lower::variables::loses;
use crate::lower::{Lowerer, Result, Stop};

pub fn of_builtin(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, span) = (call.short().to_owned(), call.span);
    let least = name == "min";
    if let Some((keyword, _, place)) = call.arguments.keywords.first() {
        return Err(refused(*place, format!("{name}(..., {keyword}=...) is not compiled"), "write the loop"));
    }
    let mut values = call.all()?;
    let single = values.len() == 1;
    if single {
        values = match values.remove(0) {
            Value::Tuple(members) => members,
            other if other.scalar().is_some() => {
                return Err(type_error(span, format!("'{}' object is not iterable", type_of(&other))));
            }
            array if array.array().is_some_and(|(_, ty)| ty.rank == 1 && ty.element == Kind::Bool) => {
                let arguments = Arguments { positional: vec![(array, span)], keywords: Vec::new() };
                return super::call_known(lowerer, &format!("numpy.{name}"), arguments, span);
            }
            array if array.array().is_some_and(|(_, ty)| ty.rank == 1 && ty.element.is_complex()) => {
                let message = format!("{name}() of complex numbers is not compiled");
                return Err(refused(span, message, "compare abs(x)"));
            }
            array if array.array().is_some_and(|(_, ty)| ty.rank == 1) => {
                let found = lowerer.library_of(&format!("builtins.{name}"), vec![array], span);
                return found.unwrap_or(Err(Stop::Unknown));
            }
            other => {
                return Err(refused(
                    span,
                    format!("{name}() of {} is not compiled", type_of(&other)),
                    format!("write the loop; in a prange `m = {name}(m, x[i])` is a reduction"),
                ));
            }
        };
    }
    if values.is_empty() {
        return Err(if single {
            value_error(span, format!("{name}() arg is an empty sequence"))
        } else {
            type_error(span, format!("{name} expected at least 1 argument, got 0"))
        });
    }
    let mut members = values.into_iter();
    let Some(mut best) = members.next() else { return Ok(Value::None) };
    for value in members {
        best = pair(lowerer, least, best, value, span)?;
    }
    Ok(best)
}

/// `b if b < a else a`.
fn pair(lowerer: &mut Lowerer<'_>, least: bool, a: Value, b: Value, span: crate::ir::Span) -> Result<Value> {
    let name = if least { "min()" } else { "max()" };
    let (x, s) = lowerer.scalar(&a, name, span)?;
    let (y, t) = lowerer.scalar(&b, name, span)?;
    if s.kind.is_complex() || t.kind.is_complex() {
        let sign = if least { '<' } else { '>' };
        let message =
            format!("'{sign}' not supported between instances of '{}' and '{}'", type_of(&b), type_of(&a));
        return Err(type_error(span, message));
    }
    if s == t && s != Scalar::BOOL && s.kind != crate::ir::Kind::Bool {
        let op = if least { Binary::Min } else { Binary::Max };
        let mut result = binary(op, x, y);
        result.span = span;
        return Ok(Value::Expr(result));
    }
    // Each is read twice.
    let (x, y) = (lowerer.simple(x), lowerer.simple(y));
    let op = if least { Compare::Less } else { Compare::Greater };
    let condition = lowerer.compare(op, &Value::Expr(y.clone()), &Value::Expr(x.clone()), span)?;
    let condition = lowerer.cast(condition, Scalar::BOOL);
    let joined = join_scalars(s, t);
    if loses(&x, joined) || loses(&y, joined) {
        // The one that is chosen must keep its digits.
        let chosen = lowerer.temp(Type::Scalar(joined));
        let [then, orelse] = [y, x].map(|value| {
            let ((), block) = lowerer.apart(|this| {
                let value = this.widened(value, joined);
                this.assign(chosen, value);
            });
            block
        });
        lowerer.if_then(condition, then, orelse, span);
        return Ok(Value::Expr(variable(chosen, Type::Scalar(joined), span)));
    }
    let (x, y) = (lowerer.cast(x, joined), lowerer.cast(y, joined));
    Ok(Value::Expr(choose(condition, y, x)))
}
