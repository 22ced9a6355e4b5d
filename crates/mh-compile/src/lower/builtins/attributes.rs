//! Attributes and methods of arrays and numbers.

use super::build::{binary, dim, sure};
use super::{Call, constructors, dtypes, reductions, refused, reshapes, rounding, type_of};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Array, Binary, Check, Compare, Expr, ExprKind, Flavour, Kind, Layout, Math, Part, Scalar, Span, Type, Var,
};
use crate::lower::arrays;
use crate::lower::function::Arguments;
use crate::lower::types::form_name;
use crate::lower::value::{Value, int};
use crate::lower::{Lowerer, Result, Stop};

/// `value.name`, where `value` is no module.
pub(crate) fn attribute(lowerer: &mut Lowerer<'_>, value: Value, name: &str, span: Span) -> Result<Value> {
    if let Some((var, array)) = value.array() {
        return of_array(lowerer, &value, (var, array), name, span);
    }
    match value.scalar() {
        Some(scalar) => of_number(lowerer, &value, scalar, name, span),
        None => Err(no_attribute(&value, name, span)),
    }
}

fn no_attribute(value: &Value, name: &str, span: Span) -> Stop {
    let label = value.form().map_or_else(|| "range".into(), |form| form_name(&form));
    let message = format!("'{}' object has no attribute '{name}' that is compiled", type_of(value));
    Diagnostic::new(Class::AttributeError, span, message).label(label).into()
}

/// The lengths of all axes.
pub fn lengths(var: Var, array: Array, span: Span) -> Vec<Expr> {
    (0..array.rank).map(|axis| dim(var, axis, span)).collect()
}

fn size(var: Var, array: Array, span: Span) -> Expr {
    // What lies in memory has fewer than 2^63 elements.
    let product = lengths(var, array, span).into_iter().reduce(|a, b| binary(Binary::Multiply, a, b));
    product.unwrap_or_else(|| int(1, span))
}

fn of_array(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    (var, array): (Var, Array),
    name: &str,
    span: Span,
) -> Result<Value> {
    Ok(match name {
        "flat" => {
            return Err(refused(span, "`.flat` is not compiled", "loop over the axes, or pass x.ravel()"));
        }
        other if !ATTRIBUTES.contains(&other) => return Err(no_attribute(value, name, span)),
        "shape" => Value::Tuple(lengths(var, array, span).into_iter().map(Value::Expr).collect()),
        "size" => Value::Expr(size(var, array, span)),
        "ndim" => Value::int(i64::from(array.rank), span),
        "T" => Value::Expr(transposed(lowerer, var, array, span)),
        "dtype" => dtypes::of(array.element),
        "itemsize" => Value::int(array.element.size(), span),
        "nbytes" => {
            Value::Expr(binary(Binary::Multiply, size(var, array, span), int(array.element.size(), span)))
        }
        "real" | "imag" => Value::Expr(reshapes::part(lowerer, (var, array), name == "imag", span)?),
        _ => return Err(no_attribute(value, name, span)),
    })
}

/// The axes in reverse.
pub(crate) fn transposed(lowerer: &mut Lowerer<'_>, var: Var, array: Array, span: Span) -> Expr {
    if array.rank < 2 {
        return super::build::variable(var, Type::Array(array), span);
    }
    let layout = match array.layout {
        Layout::C => Layout::F,
        Layout::F => Layout::C,
        Layout::Inner | Layout::Any | Layout::Places => Layout::Any,
    };
    let parts = (0..array.rank).rev().map(Part::Axis).collect();
    let view = ExprKind::View { array: var, parts, check: Check::None };
    lowerer.keep(Expr::new(view, Type::Array(Array { layout, ..array }), span))
}

fn of_number(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    scalar: Scalar,
    name: &str,
    span: Span,
) -> Result<Value> {
    let numpy = scalar.flavour == Flavour::NumPy;
    match name {
        "real" | "imag" => part(lowerer, value, name, span),
        "dtype" if numpy => Ok(dtypes::of(scalar.kind)),
        "size" | "itemsize" | "ndim" | "shape" if numpy => Ok(match name {
            "size" => Value::int(1, span),
            "itemsize" => Value::int(scalar.kind.size(), span),
            "ndim" => Value::int(0, span),
            _ => Value::Tuple(Vec::new()),
        }),
        _ => Err(no_attribute(value, name, span)),
    }
}

/// `x.real`, `x.imag` and NumPy's functions of these names.
pub fn part(lowerer: &mut Lowerer<'_>, value: &Value, name: &str, span: Span) -> Result<Value> {
    if let Some((var, array)) = value.array() {
        return of_array(lowerer, value, (var, array), name, span);
    }
    let (x, scalar) = lowerer.scalar(value, &format!(".{name}"), span)?;
    if scalar.kind.is_complex() {
        let function = if name == "real" { Math::Real } else { Math::Imag };
        let kind = if scalar.kind == Kind::C64 { Kind::F32 } else { Kind::F64 };
        return Ok(Value::Expr(sure(function, vec![x], Scalar { kind, flavour: scalar.flavour }, span)));
    }
    let scalar = if scalar == Scalar::BOOL { Scalar::INT } else { scalar };
    Ok(Value::Expr(if name == "real" {
        lowerer.cast(x, scalar)
    } else {
        super::build::constant(0, scalar, span)
    }))
}

/// Attributes of arrays.
const ATTRIBUTES: &[&str] = &["T", "dtype", "imag", "itemsize", "nbytes", "ndim", "real", "shape", "size"];

/// Methods of arrays that are compiled here; `arrays::method`, the reductions and the library have more.
const METHODS: &[&str] = &["copy", "fill", "flatten", "item", "ravel", "reshape", "swapaxes", "transpose"];

/// Attributes and methods of arrays that are compiled.
pub fn all() -> impl Iterator<Item = &'static str> {
    let lists = ATTRIBUTES.iter().chain(METHODS).chain(IN_LIBRARY).chain(arrays::METHODS);
    lists.copied().chain(reductions::methods())
}

/// Methods of arrays that NumPy has as functions too, and the library writes in Python.
const IN_LIBRARY: &[&str] =
    &["argsort", "diagonal", "dot", "nonzero", "repeat", "searchsorted", "sort", "take", "trace"];

/// A call of a method: `x.copy()`.
pub(crate) fn call_method(
    lowerer: &mut Lowerer<'_>,
    object: Value,
    name: &str,
    arguments: Arguments,
    span: Span,
) -> Result<Value> {
    let of_array = arrays::is_array(&object);
    method_called(lowerer, object, name, arguments, span)
        .map_err(|stop| if of_array { lowerer.untaken(&format!("numpy.ndarray.{name}"), stop) } else { stop })
}

fn method_called(
    lowerer: &mut Lowerer<'_>,
    object: Value,
    name: &str,
    arguments: Arguments,
    span: Span,
) -> Result<Value> {
    if let Some(result) = arrays::method(lowerer, &object, name, &arguments, span) {
        return result;
    }
    if arrays::is_array(&object) {
        if let Some(result) = reductions::method(lowerer, &object, name, &arguments, span) {
            return result;
        }
    }
    if arrays::is_array(&object) && IN_LIBRARY.contains(&name) {
        let mut with = arguments.clone();
        with.positional.insert(0, (object.clone(), span));
        let name = if name == "sort" { "ndarray.sort".to_owned() } else { format!("numpy.{name}") };
        if let Some(result) = lowerer.library(&name, &with, span) {
            return result;
        }
    }
    let (object, arguments) = (lowerer.made(object)?, arguments.made(lowerer)?);
    let shown = format!("x.{name}");
    let call = Call { name: &shown, arguments, span };
    if let Some((var, array)) = object.array() {
        return array_method(lowerer, &object, (var, array), call);
    }
    let Some(scalar) = object.scalar() else { return Err(no_attribute(&object, name, span)) };
    match name {
        "conjugate" | "conj" => {
            let [] = call.exactly()?;
            let (x, _) = lowerer.scalar(&object, name, span)?;
            let same = if scalar == Scalar::BOOL { Scalar::INT } else { scalar };
            Ok(Value::Expr(if scalar.kind.is_complex() {
                sure(Math::Conjugate, vec![x], scalar, span)
            } else {
                lowerer.cast(x, same)
            }))
        }
        "is_integer" if scalar.kind.is_float() => {
            let [] = call.exactly()?;
            let (x, _) = lowerer.scalar(&object, name, span)?;
            let x = lowerer.simple(x);
            // Infinity is not: its difference from itself is nan.
            let whole = sure(Math::Floor, vec![x.clone()], scalar, span);
            let same = super::build::compare(Compare::Equal, whole, x.clone());
            let found = super::build::both(same, super::build::test(Math::IsFinite, x, span));
            Ok(Value::Expr(lowerer.cast(found, Scalar::BOOL)))
        }
        "item" if scalar.flavour == Flavour::NumPy => {
            let [] = call.exactly()?;
            let (x, _) = lowerer.scalar(&object, name, span)?;
            Ok(Value::Expr(lowerer.cast(x, python_of(scalar.kind))))
        }
        "astype" if scalar.flavour == Flavour::NumPy => {
            let value = call.one()?;
            let kind = lowerer.dtype(&value, span)?;
            let (x, _) = lowerer.scalar(&object, name, span)?;
            if scalar.kind.is_complex() && !kind.is_complex() {
                return Err(refused(span, "astype drops the imaginary part", "say so: take z.real"));
            }
            Ok(Value::Expr(lowerer.cast(x, Scalar::numpy(kind))))
        }
        "round" if scalar.flavour == Flavour::NumPy && scalar.kind.is_float() => {
            let digits = match call.bind(&["decimals"], 0)?.into_iter().flatten().next() {
                None => Some(0),
                Some(digits) => super::super::value::constant_int(&lowerer.index(&digits, span)?),
            };
            let (x, _) = lowerer.scalar(&object, name, span)?;
            match digits {
                Some(digits) => rounding::decimals(x, digits, span).map(Value::Expr),
                None => Err(refused(span, "x.round(n) needs a constant n", "write it out: x.round(2)")),
            }
        }
        _ => Err(no_attribute(&object, name, span)),
    }
}

/// Python's type that holds NumPy's.
fn python_of(kind: Kind) -> Scalar {
    match kind {
        Kind::Bool => Scalar::BOOL,
        Kind::F32 | Kind::F64 => Scalar::FLOAT,
        Kind::C64 | Kind::C128 => Scalar::COMPLEX,
        _ => Scalar::INT,
    }
}

fn array_method(
    lowerer: &mut Lowerer<'_>,
    object: &Value,
    (var, array): (Var, Array),
    call: Call<'_>,
) -> Result<Value> {
    let (name, span) = (call.short().to_owned(), call.span);
    match name.as_str() {
        other if !METHODS.contains(&other) => Err(no_method(object, &name, span)),
        "copy" => {
            let order = call.bind(&["order"], 0)?.into_iter().flatten().next();
            let fortran = constructors::fortran(order.as_ref(), Some(array), false, span)?;
            constructors::copied(lowerer, (var, array), array.element, fortran, span)
        }
        "fill" => {
            let value = call.one()?;
            if !array.writable {
                return Err(super::super::assign::read_only(span));
            }
            let view = super::build::variable(var, Type::Array(array), span);
            lowerer.fill_view(&view, value, None, span)?;
            Ok(Value::None)
        }
        "transpose" => {
            let mut axes = call.all()?;
            match axes.as_slice() {
                [] | [Value::None] => Ok(Value::Expr(transposed(lowerer, var, array, span))),
                [Value::Tuple(_)] => reshapes::permuted(lowerer, (var, array), &axes.remove(0), span),
                _ => reshapes::permuted(lowerer, (var, array), &Value::Tuple(axes), span),
            }
        }
        "swapaxes" => {
            let pair = call.exactly()?;
            reshapes::swapped(lowerer, (var, array), pair, span)
        }
        "reshape" => reshapes::reshape_method(lowerer, (var, array), call),
        "ravel" | "flatten" => {
            let order = call.bind(&["order"], 0)?.into_iter().flatten().next();
            let give = if name == "ravel" { reshapes::ravel } else { reshapes::flatten };
            give(lowerer, (var, array), order.as_ref(), span)
        }
        "item" => {
            let indices = call.all()?;
            super::indexing::subscript(lowerer, object.clone(), Value::Tuple(indices), span).and_then(
                |value| match value {
                    Value::Expr(expr) if expr.ty.scalar().is_some() => {
                        Ok(Value::Expr(lowerer.cast(expr, python_of(array.element))))
                    }
                    _ => Err(refused(
                        span,
                        "item() takes as many indices as the array has dimensions",
                        "x.item(i, j)",
                    )),
                },
            )
        }
        _ => Err(no_method(object, &name, span)),
    }
}

fn no_method(object: &Value, name: &str, span: Span) -> Stop {
    let advice = match name {
        "squeeze" => "take the axis of one element off by its index: x[:, 0]",
        "view" => "pass the array of the other type",
        "tolist" => "return the array",
        _ => return no_attribute(object, name, span),
    };
    refused(span, format!("the method {name} of an array is not compiled yet"), advice)
}

/// `np.shape(a)`.
pub fn shape_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    of_function(lowerer, call, "shape")
}

/// `np.size(a)`.
pub fn size_of(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    of_function(lowerer, call, "size")
}

/// `np.ndim(a)`.
pub fn ndim(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    of_function(lowerer, call, "ndim")
}

fn of_function(lowerer: &mut Lowerer<'_>, call: Call<'_>, name: &str) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    if let (Some(_), "ndim" | "size") = (value.scalar(), name) {
        return Ok(Value::int(i64::from(name == "size"), span));
    }
    let (var, array) = lowerer.array_of(&value, &shown, span)?;
    of_array(lowerer, &value, (var, array), name, span)
}
