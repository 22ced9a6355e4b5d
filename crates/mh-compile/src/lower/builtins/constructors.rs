//! Functions of NumPy's that make arrays.

use super::attributes::{lengths, transposed};
use super::build::{both, compare, constant, dim};
use super::{Call, Handler, ranges_of, refused, reshapes, type_error, type_of};
use crate::ir::{
    Array, Binary, Check, Compare, Expr, ExprKind, Fill, Kind, Layout, Scalar, Span, StatementKind, Type, Var,
};
use crate::lower::types::promote_kinds;
use crate::lower::value::{Static, Value, int};
use crate::lower::{Lowerer, Result};

const TABLE: &[(&str, Handler)] = &[
    ("arange", ranges_of::arange),
    ("array", array),
    ("asarray", same),
    ("ascontiguousarray", same),
    ("copy", copy),
    ("empty", filled),
    ("empty_like", filled_like),
    ("eye", eye),
    ("full", filled),
    ("full_like", filled_like),
    ("identity", eye),
    ("linspace", ranges_of::linspace),
    ("ones", filled),
    ("ones_like", filled_like),
    ("ravel", reshapes::ravel_function),
    ("reshape", reshapes::reshape),
    ("swapaxes", swapaxes),
    ("transpose", transpose),
    ("zeros", filled),
    ("zeros_like", filled_like),
];

pub fn find(name: &str) -> Option<Handler> {
    super::find(TABLE, name)
}

pub fn names() -> impl Iterator<Item = &'static str> {
    super::nearest::names(TABLE)
}

/// A new array of these lengths (each read once); `fortran`: column-major, made as a row-major one's transpose.
pub fn new_array(
    lowerer: &mut Lowerer<'_>,
    mut sizes: Vec<Expr>,
    element: Kind,
    fill: Fill,
    fortran: bool,
    span: Span,
) -> Result<Expr> {
    let rank = u8::try_from(sizes.len()).ok().filter(|rank| *rank <= 32);
    let Some(rank) = rank else {
        return Err(refused(span, "an array has at most 32 dimensions", "use fewer"));
    };
    let fortran = fortran && rank > 1;
    if fortran {
        sizes.reverse();
    }
    let ty = Array { element, rank, layout: Layout::C, writable: true };
    let new = ExprKind::New { lengths: sizes, fill, check: Check::Branch };
    let made = lowerer.keep(Expr::new(new, Type::Array(ty), span));
    Ok(match *made.kind {
        ExprKind::Var(var) if fortran => transposed(lowerer, var, ty, span),
        _ => made,
    })
}

/// The lengths that an argument `shape` says.
pub fn shape(lowerer: &mut Lowerer<'_>, value: &Value, span: Span) -> Result<Vec<Expr>> {
    let members = match value {
        Value::Tuple(members) => members.clone(),
        one => vec![one.clone()],
    };
    let mut sizes = Vec::new();
    for member in &members {
        if member.array().is_some() {
            return Err(refused(
                span,
                "a shape that is an array is not compiled",
                "pass its lengths: (n, m)",
            ));
        }
        let size = lowerer.index(member, span)?;
        sizes.push(lowerer.spill(size));
    }
    Ok(sizes)
}

/// Whether an argument `order` asks for columns; `keep`: as `like` has it, where nothing is said.
pub fn fortran(order: Option<&Value>, like: Option<Array>, keep: bool, span: Span) -> Result<bool> {
    let columns = like.is_some_and(|array| array.layout == Layout::F);
    match order {
        None | Some(Value::None) => Ok(keep && columns),
        Some(Value::Static(Static::Str(text))) => match text.as_str() {
            "C" => Ok(false),
            "F" => Ok(true),
            "K" | "A" => Ok(columns),
            other => Err(super::value_error(
                span,
                format!("order must be one of 'C', 'F', 'A', or 'K' (got '{other}')"),
            )),
        },
        Some(_) => Err(refused(span, "`order` must be a constant", "write order=\"C\"")),
    }
}

fn fill_of(name: &str, element: Kind, span: Span) -> Fill {
    match name {
        "zeros" | "zeros_like" => Fill::Zero,
        "ones" | "ones_like" => Fill::Value(constant(1, Scalar::numpy(element), span)),
        _ => Fill::Empty,
    }
}

/// `zeros`, `empty`, `ones`, `full`.
fn filled(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, shown, span) = (call.short().to_owned(), call.shown(), call.span);
    let full = name == "full";
    let parameters: &[&str] =
        if full { &["shape", "fill_value", "dtype", "order"] } else { &["shape", "dtype", "order"] };
    let mut values = call.bind(parameters, if full { 2 } else { 1 })?.into_iter();
    let sizes = values.next().flatten().unwrap_or(Value::None);
    let value = if full { values.next().flatten() } else { None };
    let (dtype, order) = (values.next().flatten(), values.next().flatten());
    let sizes = shape(lowerer, &sizes, span)?;
    let fortran = fortran(order.as_ref(), None, false, span)?;
    let (element, fill) = match value {
        Some(value) => filling(lowerer, &value, dtype.as_ref(), None, &shown, span)?,
        None => {
            let element = match dtype {
                Some(dtype) => lowerer.dtype(&dtype, span)?,
                None => Kind::F64,
            };
            (element, fill_of(&name, element, span))
        }
    };
    new_array(lowerer, sizes, element, fill, fortran, span).map(Value::Expr)
}

/// The value that fills a `full`, and its type of elements.
fn filling(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    dtype: Option<&Value>,
    like: Option<Kind>,
    shown: &str,
    span: Span,
) -> Result<(Kind, Fill)> {
    let (x, scalar) = lowerer.scalar(value, shown, span)?;
    let element = match (dtype, like) {
        (Some(Value::None) | None, Some(like)) => like,
        (Some(Value::None) | None, None) => scalar.kind,
        (Some(dtype), _) => lowerer.dtype(dtype, span)?,
    };
    if scalar.kind.is_complex() && !element.is_complex() {
        return Err(type_error(
            span,
            format!("{shown}: a complex number does not fit into this type of elements"),
        ));
    }
    let x = lowerer.cast(x, Scalar::numpy(element));
    let x = lowerer.spill(x);
    Ok((element, Fill::Value(x)))
}

/// `zeros_like` and its kin.
fn filled_like(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (name, shown, span) = (call.short().to_owned(), call.shown(), call.span);
    let full = name == "full_like";
    let parameters: &[&str] = if full {
        &["a", "fill_value", "dtype", "order", "subok", "shape"]
    } else {
        &["a", "dtype", "order", "subok", "shape"]
    };
    let mut values = call.bind(parameters, if full { 2 } else { 1 })?.into_iter();
    let like = values.next().flatten().unwrap_or(Value::None);
    let value = if full { values.next().flatten() } else { None };
    let (dtype, order) = (values.next().flatten(), values.next().flatten());
    let _ = values.next();
    let (var, array) = lowerer.array_of(&like, &shown, span)?;
    let sizes = match values.next().flatten() {
        None | Some(Value::None) => lengths(var, array, span),
        Some(sizes) => shape(lowerer, &sizes, span)?,
    };
    let fortran = fortran(order.as_ref(), Some(array), true, span)?;
    let (element, fill) = match value {
        Some(value) => filling(lowerer, &value, dtype.as_ref(), Some(array.element), &shown, span)?,
        None => {
            let element = match dtype {
                None | Some(Value::None) => array.element,
                Some(dtype) => lowerer.dtype(&dtype, span)?,
            };
            (element, fill_of(&name, element, span))
        }
    };
    new_array(lowerer, sizes, element, fill, fortran, span).map(Value::Expr)
}

/// `array[indices] = value`.
pub fn put(lowerer: &mut Lowerer<'_>, array: Var, indices: Vec<Expr>, value: Expr, span: Span) {
    lowerer.emit(StatementKind::Store { array, indices, value, update: None, check: Check::Branch }, span);
}

/// The variable of an array that was just made.
pub fn var_of(made: &Expr, span: Span) -> Result<Var> {
    match *made.kind {
        ExprKind::Var(var) => Ok(var),
        _ => Err(refused(span, "an array is not kept", "keep it in a variable")),
    }
}

/// A new array with the elements of another, converted as NumPy's `astype` does.
pub fn copied(
    lowerer: &mut Lowerer<'_>,
    (source, array): (Var, Array),
    element: Kind,
    fortran: bool,
    span: Span,
) -> Result<Value> {
    // Columns are copied as the rows of the transposes.
    let (from, ty) = if fortran && array.rank > 1 {
        let turned = transposed(lowerer, source, array, span);
        (var_of(&turned, span)?, turned.ty.array().unwrap_or(array))
    } else {
        (source, array)
    };
    let made = new_array(lowerer, lengths(from, ty, span), element, Fill::Empty, false, span)?;
    let target = var_of(&made, span)?;
    let ((), nest) = lowerer.nest(from, ty.rank, span, |this, indices| {
        let load = ExprKind::Load { array: from, indices: indices.clone(), check: Check::Branch };
        let value = Expr::new(load, Type::Scalar(Scalar::numpy(ty.element)), span);
        let value = this.cast(value, Scalar::numpy(element));
        put(this, target, indices, value, span);
        Ok(())
    })?;
    lowerer.splice(nest);
    Ok(Value::Expr(match made.ty.array() {
        Some(ty) if fortran && ty.rank > 1 => transposed(lowerer, target, ty, span),
        _ => made,
    }))
}

fn copy(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "order", "subok"], 1)?.into_iter();
    let (value, order) = (values.next().flatten().unwrap_or(Value::None), values.next().flatten());
    let (var, array) = lowerer.array_of(&value, &shown, span)?;
    let fortran = fortran(order.as_ref(), Some(array), true, span)?;
    copied(lowerer, (var, array), array.element, fortran, span)
}

fn transpose(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["a", "axes"], 1)?.into_iter();
    let value = values.next().flatten().unwrap_or(Value::None);
    let (var, array) = lowerer.array_of(&value, &shown, span)?;
    match values.next().flatten() {
        None | Some(Value::None) => Ok(Value::Expr(transposed(lowerer, var, array, span))),
        Some(axes) => reshapes::permuted(lowerer, (var, array), &axes, span),
    }
}

fn swapaxes(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let [value, first, second] = call.exactly()?;
    let array = lowerer.array_of(&value, &shown, span)?;
    reshapes::swapped(lowerer, array, [first, second], span)
}

/// `np.asarray(a)`: the array itself.
fn same(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (rows, shown, span) = (call.short() == "ascontiguousarray", call.shown(), call.span);
    let mut values = call.bind(&["a", "dtype"], 1)?.into_iter();
    let (value, dtype) = (values.next().flatten().unwrap_or(Value::None), values.next().flatten());
    if let Value::Tuple(_) = value {
        return from_tuple(lowerer, &value, dtype.as_ref(), &shown, span);
    }
    let (_, array) = lowerer.array_of(&value, &shown, span)?;
    let kind = match dtype {
        None | Some(Value::None) => array.element,
        Some(dtype) => lowerer.dtype(&dtype, span)?,
    };
    if kind != array.element || (rows && (array.layout != Layout::C || array.rank == 0)) {
        return Err(refused(
            span,
            format!("{shown} that may or may not make a copy is not compiled"),
            "say what it shall be: x.astype(np.float64), x.copy()",
        ));
    }
    Ok(value)
}

/// `np.array((x, y))`; of an array a copy.
fn array(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["object", "dtype"], 1)?.into_iter();
    let (value, dtype) = (values.next().flatten().unwrap_or(Value::None), values.next().flatten());
    match value.array() {
        Some((var, array)) => {
            let kind = match dtype {
                None | Some(Value::None) => array.element,
                Some(dtype) => lowerer.dtype(&dtype, span)?,
            };
            copied(lowerer, (var, array), kind, array.layout == Layout::F, span)
        }
        None => from_tuple(lowerer, &value, dtype.as_ref(), &shown, span),
    }
}

/// An array of a tuple of numbers, or of tuples of them.
pub fn array_of_tuple(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    element: Option<Kind>,
    span: Span,
) -> Result<Value> {
    let dtype = element.map(super::dtypes::of);
    from_tuple(lowerer, value, dtype.as_ref(), "an array", span)
}

fn from_tuple(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    dtype: Option<&Value>,
    shown: &str,
    span: Span,
) -> Result<Value> {
    let Value::Tuple(rows) = value else {
        let message = format!("{shown} of {} is not compiled", type_of(value));
        return Err(refused(span, message, "make it of a tuple of numbers, or with np.empty(n) and a loop"));
    };
    let uneven = || {
        refused(span, format!("{shown} takes numbers, or rows of one length"), "np.array(((1, 2), (3, 4)))")
    };
    let nested = matches!(rows.first(), Some(Value::Tuple(_)));
    let (mut numbers, mut width) = (Vec::new(), None);
    for (i, row) in rows.iter().enumerate() {
        match row {
            Value::Tuple(row) if nested && width.is_none_or(|width| width == row.len()) => {
                width = Some(row.len());
                numbers.extend(row.iter().enumerate().map(|(j, x)| (vec![i, j], x.clone())));
            }
            Value::Expr(_) if !nested => numbers.push((vec![i], row.clone())),
            _ => return Err(uneven()),
        }
    }
    let (places, values): (Vec<_>, Vec<_>) = numbers.into_iter().unzip();
    let values = lowerer.settled(values);
    let mut found = None;
    for value in &values {
        let (_, scalar) = lowerer.scalar(value, shown, span)?;
        found = Some(found.map_or(scalar.kind, |kind| promote_kinds(kind, scalar.kind)));
    }
    let element = match dtype {
        None | Some(Value::None) => found.unwrap_or(Kind::F64),
        Some(dtype) => lowerer.dtype(dtype, span)?,
    };
    let count = |count: usize| int(i64::try_from(count).unwrap_or(i64::MAX), span);
    let sizes = std::iter::once(rows.len()).chain(width).map(count).collect();
    let made = new_array(lowerer, sizes, element, Fill::Empty, false, span)?;
    let target = var_of(&made, span)?;
    for (place, value) in places.into_iter().zip(&values) {
        let (x, scalar) = lowerer.scalar(value, shown, span)?;
        if scalar.kind.is_complex() && !element.is_complex() {
            return Err(type_error(
                span,
                format!("{shown}: a complex number does not fit into this type of elements"),
            ));
        }
        let x = lowerer.cast(x, Scalar::numpy(element));
        put(lowerer, target, place.into_iter().map(count).collect(), x, span);
    }
    Ok(Value::Expr(made))
}

/// Ones on a diagonal.
fn eye(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (square, span) = (call.short() == "identity", call.span);
    let parameters: &[&str] = if square { &["n", "dtype"] } else { &["N", "M", "k", "dtype"] };
    let mut values = call.bind(parameters, 1)?.into_iter();
    let n = values.next().flatten().unwrap_or(Value::None);
    let n = lowerer.index(&n, span)?;
    let n = lowerer.spill(n);
    let (mut m, mut k) = (n.clone(), int(0, span));
    if !square {
        if let Some(columns) = values.next().flatten().filter(|value| !matches!(value, Value::None)) {
            let columns = lowerer.index(&columns, span)?;
            m = lowerer.spill(columns);
        }
        if let Some(diagonal) = values.next().flatten() {
            let diagonal = lowerer.index(&diagonal, span)?;
            k = lowerer.spill(diagonal);
        }
    }
    let element = match values.next().flatten() {
        Some(dtype) => lowerer.dtype(&dtype, span)?,
        None => Kind::F64,
    };
    let made = new_array(lowerer, vec![n.clone(), m], element, Fill::Zero, false, span)?;
    let target = var_of(&made, span)?;
    let one = constant(1, Scalar::numpy(element), span);
    lowerer.each(dim(target, 0, span), span, |lowerer, i| {
        let Value::Expr(j) = lowerer.binary(Binary::Add, &Value::Expr(i.clone()), &Value::Expr(k), span)?
        else {
            return Ok(());
        };
        let j = lowerer.spill(j);
        let within = both(
            compare(Compare::GreaterEqual, j.clone(), int(0, span)),
            compare(Compare::Less, j.clone(), dim(target, 1, span)),
        );
        let ((), then) = lowerer.apart(|this| put(this, target, vec![i, j], one, span));
        lowerer.if_then(within, then, Vec::new(), span);
        Ok(())
    })?;
    Ok(Value::Expr(made))
}
