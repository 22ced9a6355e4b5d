//! An array under other lengths: `reshape`, `ravel`, `flatten`; its axes in another order; real and imaginary parts.

use super::attributes::{lengths, transposed};
use super::build::{binary, choose, compare, either, not, variable};
use super::constructors::{copied, shape, var_of};
use super::{Call, refused, type_error, value_error};
use crate::diagnostic::{Class, Diagnostic, Untaken};
use crate::ir::{
    Array, Binary, Check, Compare, Expr, ExprKind, Kind, Layout, Part, Span, StatementKind, Type, Var,
};
use crate::lower::arrays::shapes_text;
use crate::lower::value::{Static, Value, boolean, constant_int, int};
use crate::lower::{Lowerer, Result, Stop};

/// `np.reshape(a, shape)`.
pub fn reshape(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "shape", "order"], 2)?.into_iter();
    let array = values.next().flatten().unwrap_or(Value::None);
    let sizes = values.next().flatten().unwrap_or(Value::None);
    let array = lowerer.array_of(&array, &shown, span)?;
    in_order(lowerer, array, sizes, values.next().flatten().as_ref(), span)
}

/// `a.reshape(2, 3)`, `a.reshape((2, 3))`.
pub fn reshape_method(lowerer: &mut Lowerer<'_>, array: (Var, Array), call: Call<'_>) -> Result<Value> {
    let (mut sizes, mut order, span) = (None, None, call.span);
    let mut places: Vec<Value> = call.arguments.positional.into_iter().map(|(value, _)| value).collect();
    for (keyword, value, place) in call.arguments.keywords {
        match keyword.as_str() {
            "order" => order = Some(value),
            "shape" if places.is_empty() => sizes = Some(value),
            _ => {
                let message = format!("reshape() got an unexpected keyword argument '{keyword}'");
                let error = Diagnostic::new(Class::TypeError, place, message);
                return Err(error.untaken(Untaken::Keyword(keyword)).into());
            }
        }
    }
    let sizes = match (sizes, places.len()) {
        (Some(sizes), _) => sizes,
        (None, 0) => return Err(type_error(span, "reshape() takes exactly 1 argument (0 given)")),
        (None, 1) => places.remove(0),
        (None, _) => Value::Tuple(places),
    };
    in_order(lowerer, array, sizes, order.as_ref(), span)
}

/// Whether elements are taken column by column.
fn by_columns(order: Option<&Value>, span: Span) -> Result<bool> {
    match order {
        None | Some(Value::None) => Ok(false),
        Some(Value::Static(Static::Str(text))) if text == "C" => Ok(false),
        Some(Value::Static(Static::Str(text))) if text == "F" => Ok(true),
        Some(_) => Err(refused(
            span,
            "`order` must be \"C\" or \"F\" here",
            "say which: the others depend on how the array lies in memory",
        )),
    }
}

fn in_order(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    sizes: Value,
    order: Option<&Value>,
    span: Span,
) -> Result<Value> {
    let is_bool = |value: &Value| value.scalar().is_some_and(|scalar| scalar.kind == Kind::Bool);
    let bools = match &sizes {
        Value::Tuple(members) => members.iter().any(is_bool),
        one => is_bool(one),
    };
    if bools {
        return Err(type_error(span, "a length is an int, not a bool"));
    }
    let mut sizes = shape(lowerer, &sizes, span)?;
    if !by_columns(order, span)? {
        return under(lowerer, (var, array), sizes, span).map(Value::Expr);
    }
    // Columns of the one are rows of the transposes.
    sizes.reverse();
    let turned = transposed(lowerer, var, array, span);
    let source = (var_of(&turned, span)?, turned.ty.array().unwrap_or(array));
    let made = under(lowerer, source, sizes, span)?;
    let ty = made.ty.array().unwrap_or(array);
    Ok(Value::Expr(transposed(lowerer, var_of(&made, span)?, ty, span)))
}

/// The lengths that `sizes` stand for, of which one may be negative: the rest. Raises where they do not hold the array's elements.
fn settled(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    sizes: &[Expr],
    span: Span,
) -> Result<Vec<Expr>> {
    let size = lengths(var, array, span).into_iter().reduce(|a, b| binary(Binary::Multiply, a, b));
    let size = lowerer.spill(size.unwrap_or_else(|| int(1, span)));
    let constants: Vec<Option<i128>> = sizes.iter().map(constant_int).collect();
    let missing = constants.iter().flatten().filter(|size| **size < 0).count();
    if missing > 1 {
        return Err(value_error(span, "can only specify one unknown dimension"));
    }
    if sizes.len() == 1 && missing == 1 {
        return Ok(vec![size]);
    }
    // Which of them are negative where it is not known yet.
    let mut negative = Vec::new();
    let mut count = int(i64::from(missing == 1), span);
    for (size, constant) in sizes.iter().zip(&constants) {
        negative.push(match constant {
            Some(_) => None,
            None => {
                let below = lowerer.keep(compare(Compare::Less, size.clone(), int(0, span)));
                let one = choose(below.clone(), int(1, span), int(0, span));
                count = lowerer.spill(binary(Binary::Add, count, one));
                Some(below)
            }
        });
    }
    let open = compare(Compare::Greater, count.clone(), int(0, span));
    if negative.iter().any(Option::is_some) {
        let many = compare(Compare::Greater, count, int(1, span));
        let message = "can only specify one unknown dimension";
        lowerer.raise_if(many, "ValueError", message, Vec::new(), span);
    }
    let (mut rest, mut odd, mut none) = (size.clone(), boolean(false, span), boolean(false, span));
    for ((size, constant), below) in sizes.iter().zip(&constants).zip(&negative) {
        if constant.is_some_and(|constant| constant < 0) {
            continue;
        }
        let length = match below {
            Some(below) => choose(below.clone(), int(1, span), size.clone()),
            None => size.clone(),
        };
        let length = lowerer.spill(length);
        let empty = compare(Compare::Equal, length.clone(), int(0, span));
        none = lowerer.spill(either(none, empty.clone()));
        let divisor = lowerer.spill(choose(empty, int(1, span), length));
        let left = binary(Binary::Modulo, rest.clone(), divisor.clone());
        odd = lowerer.spill(either(odd, compare(Compare::NotEqual, left, int(0, span))));
        rest = lowerer.spill(binary(Binary::FloorDivide, rest, divisor));
    }
    let filled = compare(Compare::Equal, rest.clone(), int(1, span));
    let no_elements = compare(Compare::Equal, size.clone(), int(0, span));
    let unlike =
        choose(no_elements, not(none.clone()), either(not(filled), either(odd.clone(), none.clone())));
    let wrong = choose(open, either(odd, none), unlike);
    let (text, mut values) = shapes_text(&[sizes]);
    values.insert(0, size);
    let message = format!("cannot reshape array of size {{}} into shape {}", text.trim_end());
    let (message, values) = if values.len() > 5 {
        ("cannot reshape the array into this shape: it has another size".to_owned(), Vec::new())
    } else {
        (message, values)
    };
    lowerer.raise_if(wrong, "ValueError", &message, values, span);
    Ok(sizes
        .iter()
        .zip(constants)
        .zip(negative)
        .map(|((size, constant), below)| match (constant, below) {
            (Some(constant), _) if constant < 0 => rest.clone(),
            (None, Some(below)) => choose(below, rest.clone(), size.clone()),
            _ => size.clone(),
        })
        .collect())
}

/// A view of these lengths where strides can say it, as NumPy does; else of a copy.
fn under(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    sizes: Vec<Expr>,
    span: Span,
) -> Result<Expr> {
    let Ok(rank) = u8::try_from(sizes.len()) else {
        return Err(refused(span, "more dimensions than NumPy has", "use fewer"));
    };
    let lengths = settled(lowerer, (var, array), &sizes, span)?;
    let lengths: Vec<Expr> = lengths.into_iter().map(|length| lowerer.simple(length)).collect();
    let layout = if array.is_dense() { Layout::C } else { Layout::Any };
    let ty = Array { rank, layout, ..array };
    let units: Vec<bool> = sizes.iter().map(|size| constant_int(size) == Some(1)).collect();
    let made = if array.is_dense() || array.rank == 1 {
        lowerer.keep(seen((var, array), &lengths, ty, span))
    } else {
        let foldable = ExprKind::Foldable { array: var, lengths: Some(lengths.clone()) };
        either_seen_or_copied(lowerer, (var, array), foldable, &lengths, ty, span)?
    };
    if let (ExprKind::Var(var), true) = (&*made.kind, units.contains(&true)) {
        lowerer.units.insert(*var, units);
    }
    Ok(made)
}

/// The view.
fn seen((var, array): (Var, Array), lengths: &[Expr], ty: Array, span: Span) -> Expr {
    let parts = if lengths.is_empty() {
        // The one element there is.
        (0..array.rank).map(|_| Part::Index(int(0, span))).collect()
    } else {
        lengths.iter().cloned().map(Part::Length).collect()
    };
    Expr::new(ExprKind::View { array: var, parts, check: Check::None }, Type::Array(ty), span)
}

fn either_seen_or_copied(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    foldable: ExprKind,
    lengths: &[Expr],
    ty: Array,
    span: Span,
) -> Result<Expr> {
    let out = lowerer.temp(Type::Array(ty));
    let ((), then) = lowerer.apart(|this| this.assign(out, seen((var, array), lengths, ty, span)));
    let (outcome, orelse) = lowerer.apart(|this| {
        let copy = copy_of(this, (var, array), span)?;
        this.assign(out, seen(copy, lengths, ty, span));
        Ok::<(), Stop>(())
    });
    outcome?;
    let condition = Expr::new(foldable, Type::BOOL, span);
    lowerer.emit(StatementKind::If { condition, then, orelse }, span);
    Ok(variable(out, Type::Array(ty), span))
}

/// `np.ravel(a)`, `a.ravel()`: one dimension, a copy only where the elements do not lie so.
pub fn ravel(
    lowerer: &mut Lowerer<'_>,
    array: (Var, Array),
    order: Option<&Value>,
    span: Span,
) -> Result<Value> {
    let (var, array) = if by_columns(order, span)? { turned(lowerer, array, span)? } else { array };
    let size = lengths(var, array, span).into_iter().reduce(|a, b| binary(Binary::Multiply, a, b));
    let size = lowerer.spill(size.unwrap_or_else(|| int(1, span)));
    let ty = Array { rank: 1, layout: Layout::C, ..array };
    if array.is_dense() {
        return Ok(Value::Expr(lowerer.keep(seen((var, array), &[size], ty, span))));
    }
    let foldable = ExprKind::Foldable { array: var, lengths: None };
    either_seen_or_copied(lowerer, (var, array), foldable, &[size], ty, span).map(Value::Expr)
}

/// `a.flatten()`: one dimension, always a copy.
pub fn flatten(
    lowerer: &mut Lowerer<'_>,
    array: (Var, Array),
    order: Option<&Value>,
    span: Span,
) -> Result<Value> {
    let (var, array) = if by_columns(order, span)? { turned(lowerer, array, span)? } else { array };
    let copy = copy_of(lowerer, (var, array), span)?;
    ravel(lowerer, copy, None, span)
}

/// A new array with the same elements, row by row.
fn copy_of(lowerer: &mut Lowerer<'_>, (var, array): (Var, Array), span: Span) -> Result<(Var, Array)> {
    match copied(lowerer, (var, array), array.element, false, span)? {
        Value::Expr(copy) => Ok((var_of(&copy, span)?, copy.ty.array().unwrap_or(array))),
        _ => Err(Stop::Unknown),
    }
}

fn turned(lowerer: &mut Lowerer<'_>, (var, array): (Var, Array), span: Span) -> Result<(Var, Array)> {
    let made = transposed(lowerer, var, array, span);
    Ok((var_of(&made, span)?, made.ty.array().unwrap_or(array)))
}

/// `np.ravel(a)`.
pub fn ravel_function(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "order"], 1)?.into_iter();
    let array = values.next().flatten().unwrap_or(Value::None);
    let array = lowerer.array_of(&array, &shown, span)?;
    ravel(lowerer, array, values.next().flatten().as_ref(), span)
}

/// The axes in this order.
pub fn permuted(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    axes: &Value,
    span: Span,
) -> Result<Value> {
    let Value::Tuple(axes) = axes else {
        return Err(refused(span, "axes must be a tuple of constants", "x.transpose((1, 0, 2))"));
    };
    let rank = i128::from(array.rank);
    let mut order = Vec::new();
    for axis in axes {
        let axis = lowerer.index(axis, span)?;
        let Some(axis) = constant_int(&axis) else {
            return Err(refused(span, "axes must be constants", "x.transpose((1, 0, 2))"));
        };
        let axis = if axis < 0 { axis + rank } else { axis };
        match u8::try_from(axis).ok().filter(|axis| *axis < array.rank) {
            Some(axis) if order.contains(&axis) => {
                return Err(value_error(span, "repeated axis in transpose"));
            }
            Some(axis) => order.push(axis),
            None => {
                return Err(value_error(
                    span,
                    format!("axis is out of bounds for array of dimension {rank}"),
                ));
            }
        }
    }
    if order.len() != usize::from(array.rank) {
        return Err(value_error(span, "axes don't match array"));
    }
    if order.iter().copied().eq(0..array.rank) {
        return Ok(Value::Expr(variable(var, Type::Array(array), span)));
    }
    if order.iter().copied().eq((0..array.rank).rev()) {
        return Ok(Value::Expr(transposed(lowerer, var, array, span)));
    }
    let parts = order.into_iter().map(Part::Axis).collect();
    let view = ExprKind::View { array: var, parts, check: Check::None };
    let ty = Array { layout: Layout::Any, ..array };
    Ok(Value::Expr(lowerer.keep(Expr::new(view, Type::Array(ty), span))))
}

/// `a.swapaxes(i, j)`, `np.swapaxes(a, i, j)`.
pub fn swapped(
    lowerer: &mut Lowerer<'_>,
    array: (Var, Array),
    pair: [Value; 2],
    span: Span,
) -> Result<Value> {
    let rank = i128::from(array.1.rank);
    let mut order: Vec<i64> = (0..i64::from(array.1.rank)).collect();
    let mut places = Vec::new();
    for axis in pair {
        let axis = lowerer.index(&axis, span)?;
        let axis = constant_int(&axis).map(|axis| if axis < 0 { axis + rank } else { axis });
        match axis.and_then(|axis| usize::try_from(axis).ok()).filter(|axis| *axis < order.len()) {
            Some(axis) => places.push(axis),
            None => return Err(refused(span, "axes must be constants, and the array's", "x.swapaxes(0, 1)")),
        }
    }
    order.swap(places[0], places[1]);
    let order = order.into_iter().map(|axis| Value::int(axis, span)).collect();
    permuted(lowerer, array, &Value::Tuple(order), span)
}

/// `z.real` and `z.imag` of a complex array: views of every other float; of other arrays themselves, and zeros that cannot be written.
pub fn part(
    lowerer: &mut Lowerer<'_>,
    (var, array): (Var, Array),
    imaginary: bool,
    span: Span,
) -> Result<Expr> {
    if array.element.is_complex() {
        let element = if array.element == Kind::C64 { Kind::F32 } else { Kind::F64 };
        let parts = vec![if imaginary { Part::Imag } else { Part::Real }];
        let ty = Array { element, layout: Layout::Any, ..array };
        let view = ExprKind::View { array: var, parts, check: Check::None };
        return Ok(lowerer.keep(Expr::new(view, Type::Array(ty), span)));
    }
    if !imaginary {
        return Ok(variable(var, Type::Array(array), span));
    }
    let made = super::new_array(
        lowerer,
        lengths(var, array, span),
        array.element,
        crate::ir::Fill::Zero,
        array.layout == Layout::F,
        span,
    )?;
    let ty = Array { writable: false, ..made.ty.array().unwrap_or(array) };
    let view = ExprKind::View { array: var_of(&made, span)?, parts: Vec::new(), check: Check::None };
    Ok(lowerer.keep(Expr::new(view, Type::Array(ty), span)))
}

/// `diagonal_view(a)` of `_jit_intrinsics`: the elements with one index along the first two axes, behind the other axes; not to be written.
pub fn diagonal_view(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [value] = call.exactly()?;
    let (var, array) = lowerer.array_of(&value, &shown, span)?;
    if array.rank < 2 {
        return Err(value_error(span, "diag requires an array of at least two dimensions"));
    }
    let ty = Array { rank: array.rank - 1, layout: Layout::Any, writable: false, ..array };
    let view = ExprKind::View { array: var, parts: vec![Part::Diagonal], check: Check::None };
    Ok(Value::Expr(lowerer.keep(Expr::new(view, Type::Array(ty), span))))
}
