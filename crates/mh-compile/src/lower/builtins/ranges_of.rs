//! `np.arange` and `np.linspace`: their values are NumPy's to the last bit, so computed in NumPy's order.

use super::build::{binary, both, checked, choose, compare, not, real, sure, test};
use super::constructors::{new_array, put, var_of};
use super::{Call, refused, type_error, type_of, value_error};
use crate::ir::{Binary, Check, Compare, Expr, ExprKind, Fill, Kind, Math, Scalar, Span};
use crate::lower::value::{Iterable, Value, constant_int, float, int};
use crate::lower::{Lowerer, Result};

/// `arange(stop)`, `arange(start, stop, step)`.
pub fn arange(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["start", "stop", "step", "dtype"], 1)?.into_iter();
    let first = values.next().flatten().unwrap_or(Value::None);
    let stop = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let step = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let dtype = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let alone = stop.is_none();
    let (start, stop) = match stop {
        Some(stop) => (first, stop),
        None => (Value::int(0, span), first),
    };
    let step = step.unwrap_or(Value::int(1, span));
    let bounds = lowerer.settled(vec![start, stop, step]);
    let mut floats = false;
    for bound in &bounds {
        let (_, scalar) = lowerer.scalar(bound, &shown, span)?;
        if scalar.kind.is_complex() {
            return Err(type_error(span, format!("{shown} takes real numbers, not {}", type_of(bound))));
        }
        let plain =
            matches!(scalar.kind, Kind::I64 | Kind::F64 | Kind::Bool) || (alone && scalar.kind.is_integer());
        if !plain && dtype.is_none() {
            return Err(refused(
                span,
                format!("{shown} of {} is not compiled without a dtype", type_of(bound)),
                "say which type the elements have: dtype=np.int64",
            ));
        }
        floats |= scalar.kind.is_float();
    }
    let kind = match dtype {
        Some(dtype) => lowerer.dtype(&dtype, span)?,
        None if floats => Kind::F64,
        None => Kind::I64,
    };
    match (kind, floats) {
        (Kind::F64, _) => floating(lowerer, &bounds, span),
        (Kind::I64 | Kind::I32, false) => whole(lowerer, &bounds, kind, span),
        _ => Err(refused(
            span,
            format!("{shown} with this dtype is not compiled"),
            "use np.int64 or np.int32 of whole numbers, or np.float64",
        )),
    }
}

fn whole(lowerer: &mut Lowerer<'_>, bounds: &[Value], kind: Kind, span: Span) -> Result<Value> {
    let mut numbers = Vec::new();
    for bound in bounds {
        let bound = lowerer.index(bound, span)?;
        numbers.push(lowerer.spill(bound));
    }
    let [start, stop, step] =
        <[Expr; 3]>::try_from(numbers).map_err(|_| type_error(span, "arange takes three numbers"))?;
    let zero = compare(Compare::Equal, step.clone(), int(0, span));
    match constant_int(&step) {
        Some(0) => return Err(value_error(span, "division by zero: the step of np.arange is 0")),
        Some(_) => {}
        None => lowerer.raise_if(zero, "ZeroDivisionError", "division by zero", Vec::new(), span),
    }
    let range = Iterable::Range { start: start.clone(), stop, step: step.clone(), parallel: None, span };
    let count = lowerer.count(&range, span);
    let made = new_array(lowerer, vec![count.clone()], kind, Fill::Empty, false, span)?;
    let target = var_of(&made, span)?;
    lowerer.each(super::build::dim(target, 0, span), span, |lowerer, i| {
        // Between start and stop, so that nothing overflows.
        let moved = binary(Binary::Multiply, i.clone(), step);
        let value = binary(Binary::Add, start, moved);
        let value = lowerer.cast(value, Scalar::numpy(kind));
        put(lowerer, target, vec![i], value, span);
        Ok(())
    })?;
    Ok(Value::Expr(made))
}

/// The second element is `start + step`; all others stand at multiples of its rounded distance from the first.
fn floating(lowerer: &mut Lowerer<'_>, bounds: &[Value], span: Span) -> Result<Value> {
    let mut numbers = Vec::new();
    for bound in bounds {
        let bound = lowerer.real_number(bound, "np.arange", span)?;
        numbers.push(lowerer.spill(bound));
    }
    let [start, stop, step] =
        <[Expr; 3]>::try_from(numbers).map_err(|_| type_error(span, "arange takes three numbers"))?;
    let width = binary(Binary::Subtract, stop, start.clone());
    let count = checked(Binary::Divide, width, step.clone(), Check::Branch);
    let count = lowerer.keep(sure(Math::Ceil, vec![count], Scalar::FLOAT, span));
    let nan = test(Math::IsNan, count.clone(), span);
    lowerer.raise_if(nan, "ValueError", "arange: cannot compute length", Vec::new(), span);
    let great = compare(Compare::GreaterEqual, count.clone(), float(2f64.powi(62), span));
    lowerer.raise_if(great, "ValueError", "Maximum allowed size exceeded", Vec::new(), span);
    let none = compare(Compare::LessEqual, count.clone(), float(0.0, span));
    let length = ExprKind::Cast { value: choose(none, float(0.0, span), count), check: Check::None };
    let length = Expr::new(length, crate::ir::Type::INT, span);
    let made = new_array(lowerer, vec![length], Kind::F64, Fill::Empty, false, span)?;
    let target = var_of(&made, span)?;
    let second = lowerer.keep(binary(Binary::Add, start.clone(), step));
    let distance = lowerer.keep(binary(Binary::Subtract, second.clone(), start.clone()));
    lowerer.each(super::build::dim(target, 0, span), span, |lowerer, i| {
        let number = lowerer.cast(i.clone(), Scalar::FLOAT);
        let further = binary(Binary::Add, start.clone(), binary(Binary::Multiply, number, distance));
        let is = |number: i64| compare(Compare::Equal, i.clone(), int(number, span));
        let value = choose(is(0), start, choose(is(1), second, further));
        let value = lowerer.cast(value, Scalar::numpy(Kind::F64));
        put(lowerer, target, vec![i.clone()], value, span);
        Ok(())
    })?;
    Ok(Value::Expr(made))
}

/// `linspace(start, stop, num)`.
pub fn linspace(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values =
        call.bind(&["start", "stop", "num", "endpoint", "retstep", "dtype", "axis"], 2)?.into_iter();
    let mut bounds = Vec::new();
    for _ in 0..2 {
        let bound = values.next().flatten().unwrap_or(Value::None);
        if bound.scalar().is_some_and(|scalar| scalar.kind == Kind::F32) {
            return Err(refused(
                span,
                "np.linspace of float32 is not compiled",
                "convert the bounds: float(x)",
            ));
        }
        let bound = lowerer.real_number(&bound, &shown, span)?;
        let bound = lowerer.cast(bound, Scalar::numpy(Kind::F64));
        bounds.push(lowerer.spill(bound));
    }
    let [start, stop] =
        <[Expr; 2]>::try_from(bounds).map_err(|_| type_error(span, "linspace takes two numbers"))?;
    let count = match values.next().flatten() {
        Some(count) => lowerer.index(&count, span)?,
        None => int(50, span),
    };
    let count = lowerer.spill(count);
    let endpoint = match values.next().flatten() {
        None => true,
        Some(Value::Expr(expr)) if matches!(*expr.kind, ExprKind::Bool(_)) => {
            matches!(*expr.kind, ExprKind::Bool(true))
        }
        Some(_) => {
            return Err(refused(span, "`endpoint` must be True or False as written", "write endpoint=False"));
        }
    };
    let (steps, dtype, axis) = (values.next().flatten(), values.next().flatten(), values.next().flatten());
    let plain = |value: &Option<Value>| match value {
        None | Some(Value::None) => true,
        Some(Value::Expr(expr)) => matches!(*expr.kind, ExprKind::Bool(false)),
        _ => false,
    };
    let wide = match &dtype {
        None => true,
        Some(dtype) => lowerer.dtype(dtype, span)? == Kind::F64,
    };
    if !plain(&steps) || axis.is_some() || !wide {
        return Err(refused(
            span,
            "np.linspace with retstep, axis or another dtype is not compiled",
            "leave it out",
        ));
    }
    let negative = compare(Compare::Less, count.clone(), int(0, span));
    let message = "Number of samples, {}, must be non-negative.";
    lowerer.raise_if(negative, "ValueError", message, vec![count.clone()], span);
    let made = new_array(lowerer, vec![count.clone()], Kind::F64, Fill::Empty, false, span)?;
    let target = var_of(&made, span)?;
    let parts = if endpoint { binary(Binary::Subtract, count.clone(), int(1, span)) } else { count };
    let parts = lowerer.keep(parts);
    let numpy = Scalar::numpy(Kind::F64);
    let divisor = lowerer.cast(parts.clone(), numpy);
    let divisor = lowerer.keep(divisor);
    let delta = lowerer.keep(binary(Binary::Subtract, stop.clone(), start.clone()));
    let step = lowerer.keep(binary(Binary::Divide, delta.clone(), divisor.clone()));
    let some = compare(Compare::Greater, parts.clone(), int(0, span));
    let some = lowerer.keep(some);
    let factor = lowerer.keep(choose(some.clone(), step.clone(), delta.clone()));
    // Where the step is too small to be told from nothing; where there is no way to go nothing is lost by it.
    let zero = |value: &Expr| compare(Compare::Equal, value.clone(), real(0.0, value));
    let (vanishes, stays) =
        (lowerer.cast(zero(&step), Scalar::BOOL), lowerer.cast(zero(&delta), Scalar::BOOL));
    let vanishes = lowerer.keep(both(some.clone(), both(vanishes, not(stays))));
    let last = lowerer.keep(choose(some, parts, int(-1, span)));
    lowerer.each(super::build::dim(target, 0, span), span, |lowerer, i| {
        let number = lowerer.cast(i.clone(), numpy);
        let number = lowerer.keep(number);
        let parted = binary(Binary::Multiply, binary(Binary::Divide, number.clone(), divisor), delta);
        let moved = choose(vanishes, parted, binary(Binary::Multiply, number, factor));
        let value = binary(Binary::Add, moved, start);
        let value =
            if endpoint { choose(compare(Compare::Equal, i.clone(), last), stop, value) } else { value };
        put(lowerer, target, vec![i], value, span);
        Ok(())
    })?;
    Ok(Value::Expr(made))
}
