//! Random whole numbers, and members chosen by them.

use super::build::{choose, compare};
use super::random::no_size;
use super::{Call, indexing, refused, type_error, type_of, value_error};
use crate::ir::{Binary, Check, Compare, Draw, Expr, ExprKind, Span, Type};
use crate::lower::value::{Static, Value, constant_int, int};
use crate::lower::{Lowerer, Result};

/// `low <= x < high`, after a check of its own.
fn between(lowerer: &mut Lowerer<'_>, low: Expr, high: Expr, message: &str, span: Span) -> Result<Expr> {
    let empty = compare(Compare::LessEqual, high.clone(), low.clone());
    match (constant_int(&low), constant_int(&high)) {
        (Some(low), Some(high)) if high <= low => return Err(value_error(span, message)),
        (Some(_), Some(_)) => {}
        _ => lowerer.raise_if(empty, "ValueError", message, Vec::new(), span),
    }
    let drawn = ExprKind::Random { draw: Draw::Integers, arguments: vec![low, high], check: Check::None };
    Ok(lowerer.keep(Expr::new(drawn, Type::INT, span)))
}

fn whole(lowerer: &mut Lowerer<'_>, value: &Value, span: Span) -> Result<Expr> {
    let value = lowerer.index(value, span)?;
    Ok(lowerer.spill(value))
}

pub fn randint(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["a", "b"], 2)?.into_iter().flatten();
    let (Some(a), Some(b)) = (values.next(), values.next()) else {
        return Err(type_error(span, "randint(a, b)"));
    };
    let (a, b) = (whole(lowerer, &a, span)?, whole(lowerer, &b, span)?);
    let Value::Expr(past) = lowerer.binary(Binary::Add, &Value::Expr(b), &Value::int(1, span), span)? else {
        return Err(type_error(span, "randint(a, b)"));
    };
    let past = lowerer.spill(past);
    between(lowerer, a, past, "empty range for randint()", span).map(Value::Expr)
}

pub fn randrange(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["start", "stop", "step"], 1)?.into_iter();
    let start = values.next().flatten().unwrap_or(Value::None);
    let stop = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let step = values.next().flatten();
    let start = whole(lowerer, &start, span)?;
    let Some(stop) = stop else {
        return between(lowerer, int(0, span), start, "empty range for randrange()", span).map(Value::Expr);
    };
    let stop = whole(lowerer, &stop, span)?;
    let step = match step {
        Some(step) => whole(lowerer, &step, span)?,
        None => int(1, span),
    };
    match constant_int(&step) {
        Some(1) => {
            return between(lowerer, start, stop, "empty range for randrange()", span).map(Value::Expr);
        }
        Some(0) => return Err(value_error(span, "zero step for randrange()")),
        Some(_) => {}
        None => {
            let zero = compare(Compare::Equal, step.clone(), int(0, span));
            lowerer.raise_if(zero, "ValueError", "zero step for randrange()", Vec::new(), span);
        }
    }
    // (stop - start + step - sign) // step numbers.
    let both = |lowerer: &mut Lowerer<'_>, op, left: Expr, right: Expr| match lowerer.binary(
        op,
        &Value::Expr(left),
        &Value::Expr(right),
        span,
    )? {
        Value::Expr(result) => Ok::<Expr, crate::lower::Stop>(result),
        _ => Err(type_error(span, "randrange(start, stop, step)")),
    };
    let sign = choose(compare(Compare::Greater, step.clone(), int(0, span)), int(1, span), int(-1, span));
    let width = both(lowerer, Binary::Subtract, stop, start.clone())?;
    let width = both(lowerer, Binary::Add, width, step.clone())?;
    let width = both(lowerer, Binary::Subtract, width, sign)?;
    let count = both(lowerer, Binary::FloorDivide, width, step.clone())?;
    let count = lowerer.spill(count);
    let place = between(lowerer, int(0, span), count, "empty range for randrange()", span)?;
    let moved = both(lowerer, Binary::Multiply, step, place)?;
    both(lowerer, Binary::Add, start, moved).map(Value::Expr)
}

pub fn getrandbits(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let value = call.one()?;
    let bits = lowerer.index(&value, span)?;
    match constant_int(&bits) {
        Some(bits @ 1..=62) => {
            between(lowerer, int(0, span), int(1 << bits, span), "", span).map(Value::Expr)
        }
        _ => Err(refused(
            span,
            "random.getrandbits is compiled for 1 to 62 bits, as a constant",
            "write it out: getrandbits(32)",
        )),
    }
}

/// `np.random.randint(low, high)`; `high` alone begins at 0.
pub fn numpy_integers(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let span = call.span;
    let mut values = call.bind(&["low", "high"], 1)?.into_iter();
    let low = values.next().flatten().unwrap_or(Value::None);
    let low = whole(lowerer, &low, span)?;
    let (low, high, message) = match values.next().flatten().filter(|value| !matches!(value, Value::None)) {
        Some(high) => (low, whole(lowerer, &high, span)?, "low >= high"),
        None => (int(0, span), low, "high <= 0"),
    };
    between(lowerer, low, high, message, span).map(Value::Expr)
}

/// A member of a tuple, an element of an array; NumPy's takes a number too.
pub fn choice(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let (numpy, shown, span) = (call.name.starts_with("numpy"), call.shown(), call.span);
    let value = call.one()?;
    let empty = if numpy {
        "a cannot be empty unless no samples are taken"
    } else {
        "Cannot choose from an empty sequence"
    };
    let class = if numpy { "ValueError" } else { "IndexError" };
    match &value {
        Value::Tuple(members) if members.is_empty() => Err(value_error(span, empty)),
        Value::Tuple(members) => {
            let members = lowerer.settled(members.clone());
            let count = int(i64::try_from(members.len()).unwrap_or(i64::MAX), span);
            let place = between(lowerer, int(0, span), count, empty, span)?;
            let mut result: Option<Expr> = None;
            for (number, member) in members.iter().enumerate().rev() {
                let (x, _) = lowerer.scalar(member, &shown, span)?;
                result = Some(match result {
                    None => x,
                    Some(rest) if rest.ty == x.ty => {
                        let here = int(i64::try_from(number).unwrap_or(0), span);
                        choose(compare(Compare::Equal, place.clone(), here), x, rest)
                    }
                    Some(_) => {
                        return Err(refused(
                            span,
                            format!("{shown} of a tuple whose members have different types is not compiled"),
                            "give all members one type",
                        ));
                    }
                });
            }
            result.map(Value::Expr).ok_or_else(|| value_error(span, empty))
        }
        Value::Static(Static::Str(_)) | Value::None => {
            Err(type_error(span, format!("{shown} of {} is not compiled", type_of(&value))))
        }
        Value::Expr(expr) if expr.ty.scalar().is_some() && numpy => {
            let count = whole(lowerer, &value, span)?;
            between(
                lowerer,
                int(0, span),
                count,
                "a must be greater than 0 unless no samples are taken",
                span,
            )
            .map(Value::Expr)
        }
        _ => match value.array() {
            Some((var, array)) if array.rank == 1 => {
                let count = lowerer.spill(super::build::dim(var, 0, span));
                let none = compare(Compare::Equal, count.clone(), int(0, span));
                lowerer.raise_if(none, class, empty, Vec::new(), span);
                let place = between(lowerer, int(0, span), count, empty, span)?;
                indexing::subscript(lowerer, value, Value::Expr(place), span)
            }
            _ => Err(refused(
                span,
                format!("{shown} of {} is not compiled", type_of(&value)),
                "choose from a tuple or an array of one dimension",
            )),
        },
    }
}
