//! Functions of NumPy's that gather an array's elements: over all, or along axes. Also as methods.

use super::build::{compare, constant, dim, either, variable};
use super::reshapes::ravel;
use super::{Call, Handler, refused, type_error, value_error};
use crate::diagnostic::{Class, Diagnostic, Untaken};
use crate::ir::{Binary, Compare, Expr, Kind, Scalar, Span, Type};
use crate::lower::arithmetic::type_error as bad_type;
use crate::lower::arrays::{Axes, Gather, Lazy, Node, Op, Operand, is_array, limit};
use crate::lower::function::Arguments;
use crate::lower::types::same_kind;
use crate::lower::value::{Value, constant_int, int};
use crate::lower::{Lowerer, Result, Stop};
use std::rc::Rc;

const TABLE: &[(&str, Handler)] = &[
    ("all", truth),
    ("amax", extreme),
    ("amin", extreme),
    ("any", truth),
    ("argmax", place),
    ("argmin", place),
    ("count_nonzero", count),
    ("cumprod", running),
    ("cumsum", running),
    ("max", extreme),
    ("mean", mean),
    ("min", extreme),
    ("prod", sum),
    ("ptp", spread),
    ("std", variance),
    ("sum", sum),
    ("var", variance),
];

pub fn names() -> impl Iterator<Item = &'static str> {
    super::nearest::names(TABLE)
}

/// A reduction of an array; None for all else.
pub fn call(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    arguments: &Arguments,
    span: Span,
) -> Option<Result<Value>> {
    let handler = super::find(TABLE, name.strip_prefix("numpy.")?)?;
    let first = arguments.positional.first().map(|(value, _)| value);
    let named = arguments.keywords.iter().find(|(name, ..)| name == "a").map(|(_, value, _)| value);
    let call = Call { name, arguments: arguments.clone(), span };
    is_array(first.or(named)?).then(|| some_into(lowerer, call, handler))
}

/// Those that arrays have as methods.
pub fn methods() -> impl Iterator<Item = &'static str> {
    names().filter(|name| !matches!(*name, "count_nonzero" | "amin" | "amax"))
}

/// The same as a method.
pub fn method(
    lowerer: &mut Lowerer<'_>,
    object: &Value,
    name: &str,
    arguments: &Arguments,
    span: Span,
) -> Option<Result<Value>> {
    if !methods().any(|one| one == name) {
        return None;
    }
    let handler = super::find(TABLE, name)?;
    let mut arguments = arguments.clone();
    arguments.positional.insert(0, (object.clone(), span));
    let name = format!("numpy.{name}");
    Some(some_into(lowerer, Call { name: &name, arguments, span }, handler))
}

/// The same, with what all of them see alike: `where=` and `out=`.
fn some_into(lowerer: &mut Lowerer<'_>, mut call: Call<'_>, handler: Handler) -> Result<Value> {
    let mut take = |wanted: &str| {
        let at = call.arguments.keywords.iter().position(|(name, ..)| name == wanted)?;
        Some(call.arguments.keywords.remove(at).1).filter(|value| !matches!(value, Value::None))
    };
    let (mask, out) = (take("where"), take("out"));
    let (shown, span) = (call.shown(), call.span);
    if let Some(mask) = mask {
        masked(lowerer, &mut call, mask)?;
    }
    // What goes into floats is added up as such.
    let adds = matches!(call.short(), "sum" | "prod" | "mean" | "cumsum" | "cumprod");
    let told = call.arguments.positional.len() > 2;
    if let Some((_, of)) = out.as_ref().and_then(Value::array)
        && (of.element.is_float() || of.element.is_complex())
        && adds
        && !told
        && !call.arguments.keywords.iter().any(|(name, ..)| name == "dtype")
    {
        call.arguments.keywords.push(("dtype".into(), super::dtypes::of(of.element), span));
    }
    let result = handler(lowerer, call)?;
    let Some(out) = out else { return Ok(result) };
    let result = lowerer.made(result)?;
    let Some((var, of)) = out.array() else {
        return Err(type_error(span, format!("{shown}: `out` must be an array")));
    };
    // A number goes into an array without dimensions.
    let (rank, element) = match (result.array(), result.scalar()) {
        (Some((_, made)), _) => (made.rank, made.element),
        (None, Some(scalar)) => (0, scalar.kind),
        (None, None) => return Err(Stop::Unknown),
    };
    if of.rank != rank {
        let message = "output parameter for reduction operation has the wrong number of dimensions";
        return Err(value_error(span, format!("{message}: Found {} but expected {rank}", of.rank)));
    }
    if !same_kind(element, of.element) {
        let (from, to) = (element.name(), of.element.name());
        let message = format!("Cannot cast the output from {from} to {to} with casting rule 'same_kind'");
        return Err(type_error(span, message));
    }
    if let Some((from, _)) = result.array() {
        for axis in 0..of.rank {
            let differ = compare(Compare::NotEqual, dim(var, axis, span), dim(from, axis, span));
            let message = "the output has another shape than what is gathered";
            lowerer.raise_if(differ, "ValueError", message, Vec::new(), span);
        }
    }
    lowerer.fill_view(&variable(var, Type::Array(of), span), result, None, span)?;
    Ok(out)
}

/// Puts what changes nothing in the place of elements that are left out.
fn masked(lowerer: &mut Lowerer<'_>, call: &mut Call<'_>, mask: Value) -> Result<()> {
    let (shown, span) = (call.shown(), call.span);
    if matches!(&mask, Value::Expr(value) if constant_int(value) == Some(1)) {
        return Ok(());
    }
    let short = call.short().to_owned();
    let array = call.arguments.positional.first().map(|(value, _)| value.clone());
    let Some(lazy) = array.as_ref().and_then(|array| lowerer.lazy_of(array)) else {
        return Err(refused(
            span,
            format!("{shown}: `where` needs the array by its place"),
            "write it first",
        ));
    };
    let kind = lazy.element;
    let neutral = match short.as_str() {
        "sum" | "any" => Value::Expr(number(0, kind, span)),
        "prod" | "all" => Value::Expr(number(1, kind, span)),
        "max" | "min" | "amax" | "amin" => {
            let named = call.arguments.keywords.iter().find(|(name, ..)| name == "initial");
            let Some((_, value, _)) = named else {
                let name = if short.ends_with("max") { "maximum" } else { "minimum" };
                let message = format!("reduction operation '{name}' does not have an identity");
                return Err(value_error(
                    span,
                    format!("{message}, so to use a where mask one has to specify 'initial'"),
                ));
            };
            Value::Expr(initial(lowerer, &value.clone(), kind, span)?)
        }
        // They count the elements, too.
        "mean" | "var" | "std" => {
            call.arguments.keywords.push(("where".into(), mask, span));
            return Ok(());
        }
        _ => {
            let message = format!("{shown}() got an unexpected keyword argument 'where'");
            let error = Diagnostic::new(Class::TypeError, span, message);
            return Err(error.untaken(Untaken::Keyword("where".into())).into());
        }
    };
    call.arguments.positional[0].0 = Value::Lazy(chosen(lowerer, mask, lazy, neutral, span)?);
    Ok(())
}

/// The elements where the mask is true, and `neutral` elsewhere.
fn chosen(
    lowerer: &mut Lowerer<'_>,
    mask: Value,
    lazy: Rc<Lazy>,
    neutral: Value,
    span: Span,
) -> Result<Rc<Lazy>> {
    let mask_kind =
        lowerer.lazy_of(&mask).map_or(mask.scalar().map(|scalar| scalar.kind), |lazy| Some(lazy.element));
    if mask_kind != Some(Kind::Bool) {
        return Err(type_error(span, "`where` takes bools"));
    }
    let lengths = lazy.lengths.clone();
    let op = Op::Known { name: "numpy.where".into(), places: 3, keywords: Vec::new() };
    let chosen = lowerer.each_of(op, vec![mask, Value::Lazy(lazy), neutral], span)?;
    let found = lowerer.lazy_of(&chosen).ok_or(Stop::Unknown)?;
    let message = "non-broadcastable operand: `where` has another shape than the array";
    if found.rank() != lengths.len() {
        return Err(value_error(span, message));
    }
    for (one, other) in found.lengths.clone().into_iter().zip(lengths) {
        let differ = compare(Compare::NotEqual, one, other);
        lowerer.raise_if(differ, "ValueError", message, Vec::new(), span);
    }
    Ok(found)
}

/// What all of them are told.
struct Asked {
    lazy: Rc<Lazy>,
    axes: Axes,
    /// Of `names` behind the array and the axis.
    rest: Vec<Option<Value>>,
    span: Span,
}

/// The array, the axis or axes, `keepdims`, and the values of `names`.
fn asked(lowerer: &mut Lowerer<'_>, call: Call<'_>, names: &[&str]) -> Result<Asked> {
    let (shown, span) = (call.shown(), call.span);
    let mut all = vec!["a", "axis"];
    all.extend(names);
    if !all.contains(&"keepdims") {
        all.push("keepdims");
    }
    let mut values = call.bind(&all, 1)?.into_iter();
    let (array, axis) = (values.next().flatten(), values.next().flatten());
    let mut rest: Vec<Option<Value>> =
        values.map(|value| value.filter(|value| !matches!(value, Value::None))).collect();
    let lazy = array.as_ref().and_then(|array| lowerer.lazy_of(array)).ok_or(Stop::Unknown)?;
    let rank = lazy.rank();
    let gathered = match axis {
        None | Some(Value::None) => vec![true; rank],
        Some(Value::Tuple(list)) => {
            let mut gathered = vec![false; rank];
            for axis in &list {
                let axis = one_axis(axis, rank, &shown, span)?;
                if std::mem::replace(&mut gathered[axis], true) {
                    return Err(value_error(span, "duplicate value in 'axis'"));
                }
            }
            gathered
        }
        Some(axis) => {
            let mut gathered = vec![false; rank];
            gathered[one_axis(&axis, rank, &shown, span)?] = true;
            gathered
        }
    };
    let at = all.iter().position(|name| *name == "keepdims").unwrap_or(all.len()) - 2;
    let kept = match rest.get(at).cloned().flatten() {
        None => false,
        Some(Value::Expr(value)) if constant_int(&value).is_some() => constant_int(&value) != Some(0),
        Some(_) => {
            return Err(refused(span, "`keepdims` must be True or False as written", "write keepdims=True"));
        }
    };
    if at < rest.len() {
        rest[at] = None;
    }
    if let Some(out) = names.iter().position(|name| *name == "out").filter(|at| rest[*at].is_some()) {
        let _ = out;
        return Err(refused(
            span,
            format!("{shown}(..., out=...) is not compiled"),
            "assign it: out[:] = ...",
        ));
    }
    Ok(Asked { lazy, axes: Axes { gathered, kept }, rest, span })
}

/// An axis, a constant: from 0.
pub fn one_axis(value: &Value, rank: usize, shown: &str, span: Span) -> Result<usize> {
    let axis = match value {
        Value::Expr(value) => constant_int(value),
        _ => return Err(type_error(span, "an axis is an int")),
    };
    let Some(axis) = axis else {
        let message = format!("{shown}: the axis must be known when compiling");
        return Err(refused(span, message, "write it out: axis=0"));
    };
    if rank == 0 {
        return Err(refused(
            span,
            format!("{shown}: an array without dimensions has no axis"),
            "leave it out",
        ));
    }
    let from = if axis < 0 { axis + rank as i128 } else { axis };
    usize::try_from(from).ok().filter(|axis| *axis < rank).ok_or_else(|| {
        value_error(span, format!("axis {axis} is out of bounds for array of dimension {rank}"))
    })
}

/// The kind that sums and products of these have.
fn wide(kind: Kind) -> Kind {
    match kind {
        kind if kind.is_unsigned() => Kind::U64,
        kind if kind.is_signed() || kind == Kind::Bool => Kind::I64,
        kind => kind,
    }
}

fn number(value: i64, kind: Kind, span: Span) -> Expr {
    constant(value, Scalar::numpy(kind), span)
}

/// `initial`, in the kind of the elements.
fn initial(lowerer: &mut Lowerer<'_>, value: &Value, kind: Kind, span: Span) -> Result<Expr> {
    let (x, scalar) = lowerer.scalar(value, "initial", span)?;
    if scalar.kind.is_complex() && !kind.is_complex() {
        return Err(bad_type(span, "`initial` is complex, the elements are not".into()));
    }
    Ok(lowerer.cast(x, Scalar::numpy(kind)))
}

fn sum(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let product = call.short() == "prod";
    let Asked { lazy, axes, rest, span } = asked(lowerer, call, &["dtype", "out", "keepdims", "initial"])?;
    let kind = match &rest[0] {
        Some(dtype) => lowerer.dtype(dtype, span)?,
        None => wide(lazy.element),
    };
    real_enough(lazy.element, kind, span)?;
    let begin = match &rest[3] {
        Some(value) => initial(lowerer, value, kind, span)?,
        None => number(i64::from(product), kind, span),
    };
    let op = match (product, kind) {
        (false, Kind::Bool) => Binary::Or,
        (true, Kind::Bool) => Binary::And,
        (false, _) => Binary::Add,
        (true, _) => Binary::Multiply,
    };
    lowerer.gather(&lazy, &axes, &Gather { op, kind, truth: kind == Kind::Bool, begin }, span)
}

fn real_enough(from: Kind, to: Kind, span: Span) -> Result<()> {
    if from.is_complex() && !to.is_complex() {
        return Err(refused(span, "the elements are complex, `dtype` is not", "take x.real first"));
    }
    Ok(())
}

fn truth(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let all = call.short() == "all";
    let Asked { lazy, axes, span, .. } = asked(lowerer, call, &["out"])?;
    let op = if all { Binary::And } else { Binary::Or };
    let begin = number(i64::from(all), Kind::Bool, span);
    lowerer.gather(&lazy, &axes, &Gather { op, kind: Kind::Bool, truth: true, begin }, span)
}

fn count(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let Asked { lazy, axes, span, .. } = asked(lowerer, call, &[])?;
    let begin = number(0, Kind::I64, span);
    let how = Gather { op: Binary::Add, kind: Kind::I64, truth: true, begin };
    lowerer.gather(&lazy, &axes, &how, span)
}

/// Raises where nothing is gathered though there is something to tell.
fn demand_some(lowerer: &mut Lowerer<'_>, asked: &Asked, message: &str) {
    let (span, one) = (asked.span, int(1, asked.span));
    let lengths = asked.lazy.lengths.clone();
    let mut wrong: Option<Expr> = None;
    for (length, gathered) in lengths.iter().zip(&asked.axes.gathered) {
        if *gathered && constant_int(length) != Some(1) {
            let none = compare(Compare::Less, length.clone(), one.clone());
            wrong = Some(match wrong {
                Some(wrong) => either(wrong, none),
                None => none,
            });
        }
    }
    // Without a result there is none to be told either.
    for (length, gathered) in lengths.iter().zip(&asked.axes.gathered) {
        if !gathered {
            let some = compare(Compare::GreaterEqual, length.clone(), one.clone());
            wrong = wrong.map(|wrong| super::build::both(some, wrong));
        }
    }
    if let Some(wrong) = wrong {
        lowerer.raise_if(wrong, "ValueError", message, Vec::new(), span);
    }
}

fn extreme(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let greatest = call.short().ends_with("max");
    let shown = call.shown();
    let asked = asked(lowerer, call, &["out", "keepdims", "initial"])?;
    let (kind, span) = (asked.lazy.element, asked.span);
    if kind.is_complex() {
        return Err(refused(span, format!("{shown} of complex numbers is not compiled"), "compare abs(x)"));
    }
    let begin = match &asked.rest[2] {
        Some(value) => initial(lowerer, value, kind, span)?,
        None => {
            let name = if greatest { "maximum" } else { "minimum" };
            let message = format!("zero-size array to reduction operation {name} which has no identity");
            demand_some(lowerer, &asked, &message);
            limit(kind, greatest, span)
        }
    };
    let op = match (greatest, kind) {
        (true, Kind::Bool) => Binary::Or,
        (false, Kind::Bool) => Binary::And,
        (true, _) => Binary::Maximum,
        (false, _) => Binary::Minimum,
    };
    lowerer.gather(&asked.lazy, &asked.axes, &Gather { op, kind, truth: false, begin }, span)
}

fn place(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (greatest, name, shown) = (call.short() == "argmax", call.short().to_owned(), call.shown());
    let asked = asked(lowerer, call, &["out"])?;
    if asked.lazy.element.is_complex() {
        return Err(refused(
            asked.span,
            format!("{shown} of complex numbers is not compiled"),
            "compare abs(x)",
        ));
    }
    let many = asked.axes.gathered.iter().filter(|gathered| **gathered).count();
    if many != 1 && many != asked.axes.gathered.len() {
        return Err(bad_type(asked.span, format!("{shown} takes one axis")));
    }
    demand_some(lowerer, &asked, &format!("attempt to get {name} of an empty sequence"));
    lowerer.extreme_at(&asked.lazy, &asked.axes, greatest, asked.span)
}

/// `max - min`.
fn spread(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let Call { mut arguments, .. } = call;
    if let Some((value, _)) = arguments.positional.first_mut() {
        *value = lowerer.made(value.clone())?;
    }
    let greatest = extreme(lowerer, Call { name: "numpy.max", arguments: arguments.clone(), span })?;
    let least = extreme(lowerer, Call { name: "numpy.min", arguments, span })?;
    lowerer.binary(Binary::Subtract, &greatest, &least, span)
}

fn running(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let product = call.short() == "cumprod";
    let shown = call.shown();
    let span = call.span;
    let mut values = call.bind(&["a", "axis", "dtype"], 1)?.into_iter();
    let (array, axis) = (values.next().flatten(), values.next().flatten());
    let mut lazy = array.as_ref().and_then(|array| lowerer.lazy_of(array)).ok_or(Stop::Unknown)?;
    let axis = match axis {
        None | Some(Value::None) => {
            if lazy.rank() != 1 {
                let array = lowerer.made(Value::Lazy(lazy))?;
                let array = lowerer.array_of(&array, &shown, span)?;
                let flat = ravel(lowerer, array, None, span)?;
                lazy = lowerer.lazy_of(&flat).ok_or(Stop::Unknown)?;
            }
            0
        }
        Some(axis) => one_axis(&axis, lazy.rank(), &shown, span)?,
    };
    let kind = match values.next().flatten().filter(|dtype| !matches!(dtype, Value::None)) {
        Some(dtype) => lowerer.dtype(&dtype, span)?,
        None => wide(lazy.element),
    };
    real_enough(lazy.element, kind, span)?;
    if kind == Kind::Bool {
        return Err(refused(span, format!("{shown} of this type is not compiled"), "leave `dtype` out"));
    }
    let op = if product { Binary::Multiply } else { Binary::Add };
    let begin = number(i64::from(product), kind, span);
    lowerer.running(&lazy, axis, &Gather { op, kind, truth: false, begin }, span)
}

/// The kind in which means are computed.
fn mean_kind(lowerer: &mut Lowerer<'_>, element: Kind, dtype: Option<&Value>, span: Span) -> Result<Kind> {
    let kind = match dtype {
        Some(dtype) => lowerer.dtype(dtype, span)?,
        None if element.is_float() || element.is_complex() => element,
        None => Kind::F64,
    };
    real_enough(element, kind, span)?;
    if !kind.is_float() && !kind.is_complex() {
        return Err(refused(span, "a mean that is no float is not compiled", "leave `dtype` out"));
    }
    Ok(kind)
}

/// What is averaged: the elements, or some of them.
struct Averaged {
    axes: Axes,
    mask: Option<Value>,
    span: Span,
}

impl Averaged {
    /// How many elements come together: a number, or with a mask an array where not all are gathered.
    fn count(&self, lowerer: &mut Lowerer<'_>, lazy: &Rc<Lazy>, axes: &Axes) -> Result<Value> {
        let Some(mask) = &self.mask else {
            return Ok(Value::Expr(lowerer.gathered(lazy, axes, self.span)));
        };
        // For its errors: from here on the mask fits.
        let neutral = Value::Expr(number(0, lazy.element, self.span));
        chosen(lowerer, mask.clone(), lazy.clone(), neutral, self.span)?;
        let operand = match lowerer.lazy_of(mask) {
            Some(lazy) => Operand::Array(lazy),
            None => Operand::Other(mask.clone()),
        };
        let node = Node::Each { op: Op::Cast(Kind::I64), operands: vec![operand] };
        let ones = Lazy { lengths: lazy.lengths.clone(), element: Kind::I64, node, span: self.span };
        let begin = number(0, Kind::I64, self.span);
        lowerer.gather(
            &ones,
            axes,
            &Gather { op: Binary::Add, kind: Kind::I64, truth: false, begin },
            self.span,
        )
    }

    /// Sums divided by a count, in `kind`.
    fn average(
        &self,
        lowerer: &mut Lowerer<'_>,
        lazy: Rc<Lazy>,
        axes: &Axes,
        kind: Kind,
        count: Value,
    ) -> Result<Value> {
        let span = self.span;
        let lazy = match &self.mask {
            None => lazy,
            Some(mask) => {
                let neutral = Value::Expr(number(0, lazy.element, span));
                chosen(lowerer, mask.clone(), lazy, neutral, span)?
            }
        };
        let how = Gather { op: Binary::Add, kind, truth: false, begin: number(0, kind, span) };
        let sum = lowerer.gather(&lazy, axes, &how, span)?;
        let count = in_kind(lowerer, count, real_of(kind), span)?;
        match sum {
            // In place: it has just been made.
            Value::Expr(sums) if sums.ty.array().is_some() => {
                lowerer.fill_view(&sums, count, Some(Binary::Divide), span)?;
                Ok(Value::Expr(sums))
            }
            sum => lowerer.binary(Binary::Divide, &sum, &count, span),
        }
    }
}

fn real_of(kind: Kind) -> Kind {
    match kind {
        Kind::C64 => Kind::F32,
        Kind::C128 => Kind::F64,
        kind => kind,
    }
}

/// A number, or an array of numbers, in a kind.
fn in_kind(lowerer: &mut Lowerer<'_>, value: Value, kind: Kind, span: Span) -> Result<Value> {
    match value {
        Value::Expr(number) if number.ty.scalar().is_some() => {
            let number = lowerer.cast(number, Scalar::numpy(kind));
            Ok(Value::Expr(lowerer.spill(number)))
        }
        array => lowerer.each_of(Op::Cast(kind), vec![array], span),
    }
}

fn mean(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let Asked { lazy, axes, rest, span } = asked(lowerer, call, &["dtype", "out", "keepdims", "where"])?;
    let kind = mean_kind(lowerer, lazy.element, rest[0].as_ref(), span)?;
    let averaged = Averaged { axes, mask: rest[3].clone(), span };
    let count = averaged.count(lowerer, &lazy, &averaged.axes)?;
    averaged.average(lowerer, lazy, &averaged.axes, kind, count)
}

/// `var` and `std`: the squares of the distances from the mean, averaged.
fn variance(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let root = call.short() == "std";
    let names = ["dtype", "out", "ddof", "keepdims", "where"];
    let Asked { lazy, axes, rest, span } = asked(lowerer, call, &names)?;
    let kind = mean_kind(lowerer, lazy.element, rest[0].as_ref(), span)?;
    // Read twice.
    let array = lowerer.made(Value::Lazy(lazy))?;
    let lazy = lowerer.lazy_of(&array).ok_or(Stop::Unknown)?;
    let mask = match rest[4].clone() {
        Some(mask) => Some(lowerer.made(mask)?),
        None => None,
    };
    let averaged = Averaged { axes, mask, span };
    let kept = Axes { kept: !averaged.axes.is_scalar(), ..averaged.axes.clone() };
    let count = averaged.count(lowerer, &lazy, &kept)?;
    let middle = averaged.average(lowerer, lazy.clone(), &kept, kind, count.clone())?;
    let distance = lowerer.each_of(Op::Binary(Binary::Subtract), vec![array, middle], span)?;
    let known = |name: &str| Op::Known { name: format!("numpy.{name}"), places: 1, keywords: Vec::new() };
    let distance = match kind.is_complex() {
        true => lowerer.each_of(known("absolute"), vec![distance], span)?,
        false => distance,
    };
    let squares = lowerer.each_of(known("square"), vec![distance], span)?;
    let squares = lowerer.lazy_of(&squares).ok_or(Stop::Unknown)?;
    let real = squares.element;
    // Of each result: along the axes that are left.
    let count = if is_array(&count) { averaged.count(lowerer, &lazy, &averaged.axes)? } else { count };
    let free = match &rest[2] {
        None => count,
        Some(less) => {
            let (less, _) = lowerer.scalar(less, "ddof", span)?;
            let less = lowerer.cast(less, Scalar::numpy(Kind::F64));
            let less = Value::Expr(lowerer.spill(less));
            let count = in_kind(lowerer, count, Kind::F64, span)?;
            let free = lowerer.binary(Binary::Subtract, &count, &less, span)?;
            let zero = Value::Expr(number(0, Kind::F64, span));
            let arguments = Arguments { positional: vec![(free, span), (zero, span)], keywords: Vec::new() };
            super::call_known(lowerer, "numpy.maximum", arguments, span)?
        }
    };
    let found = averaged.average(lowerer, squares, &averaged.axes, real, free)?;
    if !root {
        return Ok(found);
    }
    if is_array(&found) {
        return lowerer.each_of(known("sqrt"), vec![found], span);
    }
    let arguments = Arguments { positional: vec![(found, span)], keywords: Vec::new() };
    super::call_known(lowerer, "numpy.sqrt", arguments, span)
}
