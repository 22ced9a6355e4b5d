//! Subscripts: elements, views, members of tuples.

use super::super::assign::read_only;
use super::build::{choose, compare, number};
use super::{picks, refused, type_error, type_of};
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{Array, Binary, Check, Compare, Expr, ExprKind, Kind, Layout, Part, Scalar, Span, Type, Var};
use crate::lower::value::{SliceValue, Static, Value, constant_int, int};
use crate::lower::{Lowerer, Result, Stop};

/// What a subscript of an array names.
pub(crate) enum Place {
    Element {
        array: Var,
        element: Kind,
        indices: Vec<Expr>,
    },
    /// A variable that holds the view.
    View(Expr),
}

/// `value[index]`.
pub(crate) fn subscript(lowerer: &mut Lowerer<'_>, value: Value, index: Value, span: Span) -> Result<Value> {
    match value {
        Value::Tuple(members) => member(lowerer, members, index, span),
        Value::Static(Static::Str(_)) => {
            Err(refused(span, "text is not taken apart in compiled code", "pass numbers"))
        }
        value if is_chosen(&value, &index) => match mask(&value, &index) {
            Some(by) => {
                lowerer.library_of("ndarray.where", vec![value, by], span).unwrap_or(Err(Stop::Unknown))
            }
            None => picks::get(lowerer, &value, &index, span),
        },
        value => {
            // What an array without dimensions picks is a copy, in NumPy.
            let parts = if let Value::Tuple(parts) = &index {
                parts.as_slice()
            } else {
                std::slice::from_ref(&index)
            };
            let picks = parts.iter().any(|part| part.array().is_some_and(|(_, by)| by.rank == 0));
            Ok(match locate(lowerer, &value, index, span)? {
                Place::Element { array, element, indices } => {
                    let ty = Type::Scalar(Scalar::numpy(element));
                    Value::Expr(Expr::new(ExprKind::Load { array, indices, check: Check::Branch }, ty, span))
                }
                Place::View(view) => match (Value::Expr(view.clone()).array(), picks) {
                    (Some((var, array)), true) => {
                        super::constructors::copied(lowerer, (var, array), array.element, false, span)?
                    }
                    _ => Value::Expr(view),
                },
            })
        }
    }
}

/// The same as a target of an assignment.
pub(crate) fn place(lowerer: &mut Lowerer<'_>, value: Value, index: Value, span: Span) -> Result<Place> {
    if let Some((_, array)) = value.array() {
        if !array.writable {
            return Err(read_only(span));
        }
    }
    if let Value::Tuple(_) = value {
        return Err(type_error(span, "'tuple' object does not support item assignment"));
    }
    locate(lowerer, &value, index, span)
}

/// A subscript that is one mask, of all elements of a vector or a matrix or of its rows: these are picked in the order of the memory.
fn mask(value: &Value, index: &Value) -> Option<Value> {
    let (_, array) = value.array()?;
    let one = match index {
        Value::Tuple(parts) => match parts.as_slice() {
            [one] => one,
            _ => return None,
        },
        one => one,
    };
    let (_, by) = one.array().filter(|(_, by)| by.element == Kind::Bool)?;
    matches!((array.rank, by.rank), (1 | 2, 1) | (2, 2)).then(|| one.clone())
}

/// Whether there is an array in the index of an array.
pub(crate) fn is_chosen(value: &Value, index: &Value) -> bool {
    value.array().is_some() && picks::is_pick(index)
}

/// `value[index] = new`, where there is an array in the index; None for all else.
pub(crate) fn put(
    lowerer: &mut Lowerer<'_>,
    value: &Value,
    index: &Value,
    new: Value,
    span: Span,
) -> Option<Result<()>> {
    if !is_chosen(value, index) {
        return None;
    }
    let Some(by) = mask(value, index) else {
        return Some(picks::put(lowerer, value, index, new, span));
    };
    if value.array().is_some_and(|(_, array)| !array.writable) {
        return Some(Err(read_only(span)));
    }
    let stored = lowerer.library_of("ndarray.put_where", vec![value.clone(), by, new], span);
    Some(stored.unwrap_or(Err(Stop::Unknown)).map(drop))
}

/// The view that a subscript without arrays names, where it leaves an axis.
pub(super) fn view_of(lowerer: &mut Lowerer<'_>, value: &Value, index: Value, span: Span) -> Result<Expr> {
    match locate(lowerer, value, index, span)? {
        Place::View(view) => Ok(view),
        Place::Element { .. } => Err(Stop::Unknown),
    }
}

fn index_error(span: Span, message: impl Into<String>) -> Stop {
    Diagnostic::new(Class::IndexError, span, message).into()
}

fn member(lowerer: &mut Lowerer<'_>, members: Vec<Value>, index: Value, span: Span) -> Result<Value> {
    if let Value::Slice(slice) = &index {
        return part_of_tuple(members, slice, span);
    }
    let at = lowerer.index(&index, span).map_err(|_| {
        type_error(span, format!("tuple indices must be integers or slices, not {}", type_of(&index)))
    })?;
    let length = members.len() as i128;
    if let Some(at) = constant_int(&at) {
        let at = if at < 0 { at + length } else { at };
        let found = usize::try_from(at).ok().and_then(|at| members.into_iter().nth(at));
        return found.ok_or_else(|| index_error(span, "tuple index out of range"));
    }
    // Not known when compiling: all members have one type, and one of them is chosen.
    let mut exprs = Vec::new();
    for member in &members {
        match member {
            Value::Expr(expr) if expr.ty.scalar().is_some() => exprs.push(expr.clone()),
            _ => exprs.clear(),
        }
    }
    let alike = exprs.len() == members.len() && exprs.windows(2).all(|pair| pair[0].ty == pair[1].ty);
    if !alike || members.is_empty() || members.len() > 64 {
        return Err(refused(
            span,
            "a subscript of a tuple must be a constant where its members have different types, or are many",
            "loop over the tuple itself, or use an array",
        ));
    }
    let at = lowerer.spill(at);
    let count = int(i64::try_from(length).unwrap_or(i64::MAX), span);
    let low = compare(Compare::Less, at.clone(), int(-i64::try_from(length).unwrap_or(i64::MAX), span));
    let high = compare(Compare::GreaterEqual, at.clone(), count.clone());
    lowerer.raise_if(
        super::build::either(low, high),
        "IndexError",
        "tuple index out of range",
        Vec::new(),
        span,
    );
    let negative = compare(Compare::Less, at.clone(), number(0, &at));
    let at = lowerer.keep(choose(negative, super::build::binary(Binary::Add, at.clone(), count), at));
    let mut result: Option<Expr> = None;
    for (place, expr) in exprs.into_iter().enumerate().rev() {
        result = Some(match result {
            None => expr,
            Some(rest) => {
                let here = compare(Compare::Equal, at.clone(), int(i64::try_from(place).unwrap_or(0), span));
                choose(here, expr, rest)
            }
        });
    }
    result.map(Value::Expr).ok_or_else(|| index_error(span, "tuple index out of range"))
}

fn part_of_tuple(members: Vec<Value>, slice: &SliceValue, span: Span) -> Result<Value> {
    let length = members.len() as i128;
    let bound = |bound: &Option<Expr>| match bound {
        None => Ok(None),
        Some(expr) => match constant_int(expr) {
            Some(value) => Ok(Some(value)),
            None => Err(refused(
                span,
                "a slice of a tuple must be constant: its length must be known when compiling",
                "use an array",
            )),
        },
    };
    let (start, stop, step) = (bound(&slice.start)?, bound(&slice.stop)?, bound(&slice.step)?.unwrap_or(1));
    if step == 0 {
        return Err(super::value_error(span, "slice step cannot be zero"));
    }
    let (low, high) = if step > 0 { (0, length) } else { (-1, length - 1) };
    let clip = |value: i128| (if value < 0 { value + length } else { value }).clamp(low, high);
    let (first, last) = if step > 0 { (low, high) } else { (high, low) };
    let (mut at, end) = (start.map_or(first, clip), stop.map_or(last, clip));
    let mut found = Vec::new();
    while if step > 0 { at < end } else { at > end } {
        if let Some(member) = usize::try_from(at).ok().and_then(|at| members.get(at)) {
            found.push(member.clone());
        }
        at += step;
    }
    Ok(Value::Tuple(found))
}

/// What is left of one axis of the array.
#[derive(Clone, Copy, PartialEq)]
enum Axis {
    Gone,
    Whole,
    /// A slice without step.
    Piece,
    Strided,
    New,
}

fn locate(lowerer: &mut Lowerer<'_>, value: &Value, index: Value, span: Span) -> Result<Place> {
    let Some((array, ty)) = value.array() else {
        return Err(type_error(span, format!("'{}' object is not subscriptable", type_of(value))));
    };
    let given = match index {
        Value::Tuple(parts) => parts,
        one => vec![one],
    };
    let rank = usize::from(ty.rank);
    let is_dots = |part: &Value| matches!(part, Value::Static(Static::Ellipsis));
    let dots = given.iter().filter(|part| is_dots(part)).count();
    let taken = given.iter().filter(|part| !is_dots(part) && !matches!(part, Value::None)).count();
    if dots > 1 {
        return Err(index_error(span, "an index can only have a single ellipsis ('...')"));
    }
    if taken > rank {
        return Err(index_error(
            span,
            format!("too many indices for array: array is {rank}-dimensional, but {taken} were indexed"),
        ));
    }
    let (mut parts, mut axes) = (Vec::new(), Vec::new());
    let whole = || Part::Slice { start: None, stop: None, step: None };
    let fill = |parts: &mut Vec<Part>, axes: &mut Vec<Axis>, count: usize| {
        parts.extend((0..count).map(|_| whole()));
        axes.extend((0..count).map(|_| Axis::Whole));
    };
    for part in given {
        match part {
            part if is_dots(&part) => fill(&mut parts, &mut axes, rank - taken),
            Value::None => {
                parts.push(Part::NewAxis);
                axes.push(Axis::New);
            }
            Value::Slice(slice) => {
                let SliceValue { start, stop, step } = *slice;
                axes.push(match (&start, &stop, step.as_ref().map(constant_int)) {
                    (None, None, None | Some(Some(1))) => Axis::Whole,
                    (_, _, None | Some(Some(1))) => Axis::Piece,
                    _ => Axis::Strided,
                });
                if step.as_ref().and_then(constant_int) == Some(0) {
                    return Err(super::value_error(span, "slice step cannot be zero"));
                }
                parts.push(Part::Slice { start, stop, step });
            }
            part => {
                parts.push(Part::Index(axis_index(lowerer, &part, span)?));
                axes.push(Axis::Gone);
            }
        }
    }
    if dots == 0 {
        fill(&mut parts, &mut axes, rank - taken);
    }
    if dots == 0 && axes.iter().all(|axis| *axis == Axis::Gone) {
        let indices = parts
            .into_iter()
            .filter_map(|part| match part {
                Part::Index(index) => Some(index),
                _ => None,
            })
            .collect();
        return Ok(Place::Element { array, element: ty.element, indices });
    }
    if axes.iter().all(|axis| *axis == Axis::Whole) {
        // The same elements: what is assigned through it is seen by the array itself, and the other way round.
        return Ok(Place::View(super::build::variable(array, Type::Array(ty), span)));
    }
    let units: Vec<bool> =
        axes.iter().filter(|axis| **axis != Axis::Gone).map(|axis| *axis == Axis::New).collect();
    let rank = axes.iter().filter(|axis| **axis != Axis::Gone).count();
    let Ok(rank) = u8::try_from(rank) else {
        return Err(refused(span, "more dimensions than NumPy has", "leave np.newaxis out"));
    };
    let ty = Array { rank, layout: layout(ty.layout, &axes), ..ty };
    let view = ExprKind::View { array, parts, check: Check::Branch };
    let view = lowerer.keep(Expr::new(view, Type::Array(ty), span));
    if let (ExprKind::Var(var), true) = (&*view.kind, units.contains(&true)) {
        lowerer.units.insert(*var, units);
    }
    Ok(Place::View(view))
}

/// One index, an `int`.
fn axis_index(lowerer: &mut Lowerer<'_>, part: &Value, span: Span) -> Result<Expr> {
    match part.scalar() {
        Some(scalar) if scalar.kind == Kind::Bool => Err(refused(
            span,
            "an index that is one bool, true or false, is not compiled",
            "write `if condition: ...`, or int(condition)",
        )),
        Some(scalar) if scalar.kind.is_integer() => lowerer.index(part, span),
        _ if part.array().is_some_and(|(_, by)| by.rank == 0 && by.element.is_integer()) => {
            let Some((array, by)) = part.array() else { return Err(Stop::Unknown) };
            let load = ExprKind::Load { array, indices: Vec::new(), check: Check::None };
            let value = Expr::new(load, Type::Scalar(Scalar::numpy(by.element)), span);
            let value = lowerer.keep(value);
            lowerer.index(&Value::Expr(value), span)
        }
        _ if part.array().is_some_and(|(_, by)| by.element == Kind::Bool) => Err(refused(
            span,
            "a mask without dimensions is not compiled",
            "write `if condition: ...`, or int(condition)",
        )),
        _ if part.array().is_some() => {
            Err(index_error(span, "arrays used as indices must be of integer (or boolean) type"))
        }
        _ => Err(index_error(
            span,
            format!(
                "only integers, slices (`:`), ellipsis (`...`), numpy.newaxis (`None`) and integer or boolean arrays are valid \
                 indices, not {}",
                type_of(part)
            ),
        )),
    }
}

/// What is known of the strides of a view.
fn layout(from: Layout, axes: &[Axis]) -> Layout {
    let kept: Vec<(usize, Axis)> = axes
        .iter()
        .filter(|axis| **axis != Axis::New)
        .copied()
        .enumerate()
        .filter(|(_, axis)| *axis != Axis::Gone)
        .collect();
    let rank = axes.iter().filter(|axis| **axis != Axis::New).count();
    let new = axes.contains(&Axis::New);
    let (Some(&(first, head)), Some(&(last, tail))) = (kept.first(), kept.last()) else {
        return if new { Layout::Any } else { Layout::C };
    };
    let unit = |axis: Axis| axis != Axis::Strided;
    let wholes = |axes: &[(usize, Axis)]| axes.iter().all(|(_, axis)| *axis == Axis::Whole);
    let ends = last + 1 == rank && unit(tail) && matches!(from, Layout::C | Layout::Inner);
    let begins = first == 0 && unit(head) && from == Layout::F;
    if !new && kept.len() == 1 && (ends || begins) {
        return Layout::C;
    }
    if !new && from == Layout::C && unit(head) && first + kept.len() == rank && wholes(&kept[1..]) {
        return Layout::C;
    }
    if !new && begins && unit(tail) && last + 1 == kept.len() && wholes(&kept[..kept.len() - 1]) {
        return Layout::F;
    }
    let last_is_kept =
        axes.iter().rev().find(|axis| **axis != Axis::Gone).is_some_and(|axis| *axis != Axis::New);
    if ends && last_is_kept { Layout::Inner } else { Layout::Any }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_of_views() {
        use Axis::{Gone, New, Piece, Strided, Whole};
        for (from, axes, expected) in [
            (Layout::C, &[Piece][..], Layout::C),
            (Layout::C, &[Strided], Layout::Any),
            (Layout::Any, &[Piece], Layout::Any),
            (Layout::C, &[Gone, Whole], Layout::C),
            (Layout::C, &[Gone, Piece], Layout::C),
            (Layout::C, &[Whole, Gone], Layout::Any),
            (Layout::C, &[Piece, Whole], Layout::C),
            (Layout::C, &[Whole, Piece], Layout::Inner),
            (Layout::C, &[Strided, Whole], Layout::Inner),
            (Layout::C, &[Gone, Piece, Whole], Layout::C),
            (Layout::C, &[Whole, Gone, Whole], Layout::Inner),
            (Layout::Inner, &[Gone, Whole], Layout::C),
            (Layout::Inner, &[Piece, Whole], Layout::Inner),
            (Layout::F, &[Whole, Gone], Layout::C),
            (Layout::F, &[Piece, Gone], Layout::C),
            (Layout::F, &[Gone, Whole], Layout::Any),
            (Layout::F, &[Whole, Piece], Layout::F),
            (Layout::F, &[Piece, Whole], Layout::Any),
            (Layout::F, &[Whole, Piece, Gone], Layout::F),
            (Layout::C, &[Whole, New], Layout::Any),
            (Layout::C, &[New, Whole], Layout::Inner),
            (Layout::C, &[Gone, New], Layout::Any),
        ] {
            assert_eq!(layout(from, axes), expected, "{from:?} {}", axes.len());
        }
    }
}
