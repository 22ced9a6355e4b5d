//! Python's builtins, and what `manyhands` itself offers inside of compiled functions.

use super::build::{binary, compare, dim, sure, unary};
use super::nearest::{names, unknown};
use super::{
    Call, Handler, casts, cmath, extremes, find, printing, ranges, refused, rounding, type_error, type_of,
};
use crate::ir::{Binary, Check, Compare, Expr, Flavour, Kind, Math, Scalar, Unary};
use crate::lower::value::{SliceValue, Static, Value, boolean, float};
use crate::lower::{Lowerer, Result, Stop};

/// Names of all that is compiled, but for what `for` runs over.
pub fn all() -> impl Iterator<Item = &'static str> {
    names(TABLE)
}

const TABLE: &[(&str, Handler)] = &[
    ("abs", abs),
    ("all", any_all),
    ("any", any_all),
    ("bool", casts::bool_of),
    ("complex", casts::complex_of),
    ("divmod", divmod),
    ("float", casts::float_of),
    ("int", casts::int_of),
    ("isinstance", isinstance),
    ("len", len),
    ("max", extremes::of_builtin),
    ("min", extremes::of_builtin),
    ("pow", pow),
    ("print", printing::print),
    ("round", rounding::round),
    ("slice", slice),
    ("sum", sum),
    ("tuple", tuple),
];

pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    if matches!(name, "range" | "enumerate" | "zip" | "reversed") {
        return ranges::call(lowerer, call.name, call.arguments, call.span);
    }
    if let Some(handler) = find(TABLE, name) {
        return handler(lowerer, call);
    }
    let (what, advice) = match name {
        "list" | "dict" | "set" | "frozenset" | "bytearray" => {
            ("is not compiled", "use a tuple where the length is fixed, else an array: np.empty(n)")
        }
        "str" | "repr" | "format" | "chr" | "bin" | "hex" | "ascii" => (
            "is not compiled: text is made in `print` and in messages of exceptions only",
            "print the values: print(\"x\", x)",
        ),
        "map" | "filter" | "iter" | "next" | "sorted" => ("is not compiled", "write the loop"),
        "type" => ("is not compiled", "ask with isinstance(x, float), which is decided when compiling"),
        "input" | "open" => ("is not compiled", "read before, and pass numbers and arrays"),
        _ if name.ends_with("Error") || name.ends_with("Exception") => {
            ("is made in `raise` only", "raise it where it is made")
        }
        _ => return Err(unknown(&call, all())),
    };
    Err(refused(call.span, format!("{name} {what}"), advice))
}

/// Of `manyhands`.
pub fn call_ours(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    match name {
        "prange" => ranges::call(lowerer, call.name, call.arguments, call.span),
        "seed" => Err(refused(
            call.span,
            "mh.seed inside of a compiled function is not compiled",
            "call mh.seed(n) before the compiled function: every call after it takes a stream of its own",
        )),
        "set_num_threads" | "get_num_threads" => Err(refused(
            call.span,
            format!("{} inside of a compiled function is not compiled", call.shown()),
            "results do not depend on the number of threads; set it outside",
        )),
        _ => Err(refused(
            call.span,
            format!("{} is not compiled", call.shown()),
            "call it outside of the compiled function",
        )),
    }
}

fn len(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let value = call.one()?;
    match &value {
        Value::Tuple(members) => Ok(Value::int(i64::try_from(members.len()).unwrap_or(i64::MAX), span)),
        Value::Static(Static::Str(text)) => {
            Ok(Value::int(i64::try_from(text.chars().count()).unwrap_or(i64::MAX), span))
        }
        Value::Iterable(iterable) => Ok(Value::Expr(lowerer.count(iterable, span))),
        _ => match value.array() {
            Some((_, array)) if array.rank == 0 => Err(type_error(span, "len() of unsized object")),
            Some((var, _)) => Ok(Value::Expr(dim(var, 0, span))),
            None => Err(type_error(span, format!("object of type '{}' has no len()", type_of(&value)))),
        },
    }
}

fn abs(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let value = call.one()?;
    let (x, scalar) = lowerer.scalar(&value, &shown, span)?;
    absolute(lowerer, x, scalar).map(Value::Expr)
}

/// `abs(x)`: of NumPy's integers the least stays what it is.
pub fn absolute(lowerer: &mut Lowerer<'_>, x: Expr, scalar: Scalar) -> Result<Expr> {
    let check = if scalar.flavour == Flavour::Python { Check::Branch } else { Check::None };
    Ok(match scalar.kind {
        Kind::Bool if scalar.flavour == Flavour::Python => lowerer.cast(x, Scalar::INT),
        Kind::C64 | Kind::C128 => cmath::absolute(x, check),
        Kind::F32 | Kind::F64 => unary(Unary::Absolute, x, Check::None),
        kind if kind.is_signed() => unary(Unary::Absolute, x, check),
        _ => x,
    })
}

fn divmod(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let values = call.exactly::<2>()?.to_vec();
    let values = lowerer.settled(values);
    let quotient = lowerer.binary(Binary::FloorDivide, &values[0], &values[1], span)?;
    // Kept at once: where it raises, it raises first.
    let quotient = lowerer.settle(quotient);
    let rest = lowerer.binary(Binary::Modulo, &values[0], &values[1], span)?;
    Ok(Value::Tuple(vec![quotient, rest]))
}

fn pow(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["base", "exp", "mod"], 2)?.into_iter();
    let (base, exponent) = (values.next().flatten(), values.next().flatten());
    if !matches!(values.next().flatten(), None | Some(Value::None)) {
        return Err(refused(span, "pow with a modulus is not compiled", "multiply and take % in a loop"));
    }
    match (base, exponent) {
        (Some(base), Some(exponent)) => lowerer.binary(Binary::Power, &base, &exponent, span),
        _ => Err(type_error(span, "pow() takes two numbers")),
    }
}

/// Of a tuple, or of an array of one dimension in order.
fn sum(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["/iterable", "start"], 1)?.into_iter();
    let (members, start) = (values.next().flatten(), values.next().flatten());
    let start = start.unwrap_or(Value::int(0, span));
    match members {
        Some(Value::Tuple(members)) => {
            let python_float = |value: &Value| value.scalar() == Some(Scalar::FLOAT);
            if members.len() > 2 && members.iter().any(python_float) {
                return compensated(lowerer, start, members, span);
            }
            let mut result = start;
            for member in members {
                result = lowerer.binary(Binary::Add, &result, &member, span)?;
            }
            Ok(result)
        }
        Some(array) if array.array().is_some_and(|(_, ty)| ty.rank > 0) => {
            let found = lowerer.library_of("builtins.sum", vec![array, start], span);
            found.unwrap_or(Err(Stop::Unknown))
        }
        other => {
            let found = other.as_ref().map_or_else(String::new, type_of);
            Err(refused(
                span,
                format!("sum() takes a tuple or an array in compiled code, not {found}"),
                "write the loop: `for i in range(len(x)): s += x[i]`; in a prange it is summed on all cores",
            ))
        }
    }
}

/// `slice(stop)`, `slice(start, stop, step)`: for a subscript, where it stands.
fn slice(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.all()?;
    match values.len() {
        1 => values.insert(0, Value::None),
        2 | 3 => {}
        count => return Err(type_error(span, format!("slice expected at most 3 arguments, got {count}"))),
    }
    let mut bounds = Vec::new();
    for value in &values {
        bounds.push(match value {
            Value::None => None,
            bound => Some(lowerer.index(bound, span)?),
        });
    }
    let mut bounds = bounds.into_iter();
    let mut next = || bounds.next().flatten();
    Ok(Value::Slice(Box::new(SliceValue { start: next(), stop: next(), step: next() })))
}

/// Floats as Python sums them from 3.12 on, with what each addition lost added at the end (Neumaier); before, the plain sum is at most as near
/// to the exact one.
fn compensated(
    lowerer: &mut Lowerer<'_>,
    start: Value,
    members: Vec<Value>,
    span: crate::ir::Span,
) -> Result<Value> {
    let plain = |value: &Value| matches!(value.scalar(), Some(Scalar::FLOAT | Scalar::INT | Scalar::BOOL));
    if !plain(&start) || !members.iter().all(plain) {
        let mut result = start;
        for member in members {
            result = lowerer.binary(Binary::Add, &result, &member, span)?;
        }
        return Ok(result);
    }
    let numpy = Scalar::numpy(Kind::F64);
    let mut numbers = Vec::new();
    for value in std::iter::once(start).chain(members) {
        let (x, _) = lowerer.scalar(&value, "sum()", span)?;
        let x = lowerer.cast(x, numpy);
        numbers.push(lowerer.spill(x));
    }
    let mut numbers = numbers.into_iter();
    let mut total = numbers.next().unwrap_or_else(|| float(0.0, span));
    let mut lost: Option<Expr> = None;
    for x in numbers {
        let next = lowerer.keep(binary(Binary::Add, total.clone(), x.clone()));
        let size = |value: &Expr| unary(Unary::Absolute, value.clone(), Check::None);
        let greater = compare(Compare::GreaterEqual, size(&total), size(&x));
        let gap = |first: &Expr, second: &Expr| {
            binary(Binary::Add, binary(Binary::Subtract, first.clone(), next.clone()), second.clone())
        };
        let here = super::build::choose(greater, gap(&total, &x), gap(&x, &total));
        lost = Some(match lost {
            Some(lost) => lowerer.keep(binary(Binary::Add, lost, here)),
            None => lowerer.keep(here),
        });
        total = next;
    }
    let result = match lost {
        // Where something overflowed, what is lost is nan, and is left out.
        Some(lost) => {
            let finite = sure(Math::IsFinite, vec![lost.clone()], Scalar::numpy(Kind::Bool), span);
            super::build::choose(finite, binary(Binary::Add, total.clone(), lost), total)
        }
        None => total,
    };
    Ok(Value::Expr(lowerer.cast(result, Scalar::FLOAT)))
}

fn any_all(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (all, span, shown) = (call.short() == "all", call.span, call.shown());
    match call.one()? {
        Value::Tuple(members) => {
            let mut result = boolean(all, span);
            for member in &members {
                let one = lowerer.truth(member, span)?;
                result =
                    if all { super::build::both(result, one) } else { super::build::either(result, one) };
            }
            Ok(Value::Expr(result))
        }
        array if array.array().is_some_and(|(_, ty)| ty.rank == 1) => {
            let found = lowerer.library_of(&format!("builtins.{shown}"), vec![array], span);
            found.unwrap_or(Err(Stop::Unknown))
        }
        other => Err(refused(
            span,
            format!("{shown}() takes a tuple or a vector in compiled code, not {}", type_of(&other)),
            "write the loop; in a prange: `found = False`, then `if x[i] > 0: found = True`",
        )),
    }
}

fn tuple(_: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    if call.arguments.positional.is_empty() && call.arguments.keywords.is_empty() {
        return Ok(Value::Tuple(Vec::new()));
    }
    match call.one()? {
        Value::Tuple(members) => Ok(Value::Tuple(members)),
        other => Err(refused(
            span,
            format!(
                "tuple() of {} is not compiled: its length must be known when compiling",
                type_of(&other)
            ),
            "write the members out: (x[0], x[1])",
        )),
    }
}

/// Decided when compiling.
fn isinstance(_: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let [value, classes] = call.exactly()?;
    let classes = match classes {
        Value::Tuple(classes) => classes,
        one => vec![one],
    };
    let mut found = false;
    for class in classes {
        let Value::Static(Static::Known(name)) = &class else {
            return Err(refused(
                span,
                "isinstance asks for classes that are known by name",
                "ask for int, float, complex, bool, tuple, np.ndarray or a type of NumPy's",
            ));
        };
        match is_a(&value, name) {
            Some(one) => found |= one,
            None => {
                let message = format!("isinstance(x, {}) is not compiled", super::shown(name));
                return Err(refused(
                    span,
                    message,
                    "ask for int, float, complex, bool, tuple, np.ndarray or a type of NumPy's",
                ));
            }
        }
    }
    Ok(Value::bool(found, span))
}

fn is_a(value: &Value, class: &str) -> Option<bool> {
    let scalar = value.scalar();
    let python = |kinds: &[Kind]| {
        scalar.is_some_and(|one| one.flavour == Flavour::Python && kinds.contains(&one.kind))
    };
    let numpy = |accept: fn(Kind) -> bool| {
        scalar.is_some_and(|one| one.flavour == Flavour::NumPy && accept(one.kind))
    };
    Some(match class {
        "builtins.bool" => python(&[Kind::Bool]),
        "builtins.int" => python(&[Kind::Bool, Kind::I64]),
        "builtins.float" => python(&[Kind::F64]) || numpy(|kind| kind == Kind::F64),
        "builtins.complex" => python(&[Kind::C128]) || numpy(|kind| kind == Kind::C128),
        "builtins.tuple" => matches!(value, Value::Tuple(_)),
        "builtins.str" => matches!(value, Value::Static(Static::Str(_))),
        "builtins.list" | "builtins.dict" | "builtins.set" => false,
        "numpy.ndarray" => value.array().is_some(),
        "numpy.generic" => numpy(|_| true),
        "numpy.number" => numpy(|kind| kind != Kind::Bool),
        "numpy.integer" => numpy(Kind::is_integer),
        "numpy.signedinteger" => numpy(Kind::is_signed),
        "numpy.unsignedinteger" => numpy(Kind::is_unsigned),
        "numpy.floating" => numpy(Kind::is_float),
        "numpy.complexfloating" => numpy(Kind::is_complex),
        "numpy.inexact" => numpy(|kind| kind.is_float() || kind.is_complex()),
        _ => {
            let kind = super::dtypes::numpy_kind(class.strip_prefix("numpy.")?)?;
            scalar == Some(Scalar::numpy(kind))
        }
    })
}
