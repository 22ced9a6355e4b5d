//! Subscripts with arrays in them, NumPy's advanced indexing: what they pick is copied, or stored to, element by element.
//!
//! A mask is taken as the numbers of what is true in it, along as many axes as it has. Numbers, slices and new axes are taken off first, in
//! a view; index arrays run along some axes of it, broadcast together, and its other axes are whole. All indices are looked at before the
//! first of them is used: one that is out of bounds raises before anything is stored.

use super::super::assign::read_only;
use super::attributes::lengths;
use super::build::{binary, choose, compare, dim, either, not, number};
use super::constructors::{array_of_tuple, copied, new_array};
use super::indexing::view_of;
use super::refused;
use crate::diagnostic::{Class, Diagnostic};
use crate::ir::{
    Array, Binary, Block, Check, Compare, Expr, ExprKind, Fill, Kind, Layout, Scalar, Span, StatementKind,
    Type, Var,
};
use crate::lower::arrays::{Lazy, Ones, Parallels, shapes_text};
use crate::lower::function::Arguments;
use crate::lower::value::{SliceValue, Static, Value, boolean, int};
use crate::lower::{Lowerer, Result, Stop};

const WHOLE: SliceValue = SliceValue { start: None, stop: None, step: None };

/// Whether an array is among the parts of a subscript (or a list, which is a tuple here).
pub fn is_pick(index: &Value) -> bool {
    let parts = if let Value::Tuple(parts) = index { parts.as_slice() } else { std::slice::from_ref(index) };
    parts.iter().any(|part| match part {
        Value::Tuple(_) => true,
        part => part.array().is_some_and(|(_, by)| by.rank > 0),
    })
}

/// `value[index]`: a new array.
pub fn get(lowerer: &mut Lowerer<'_>, value: &Value, index: &Value, span: Span) -> Result<Value> {
    let mut picks = Picks::of(lowerer, value, index, span)?;
    picks.look(lowerer, false, span)?;
    let lengths = picks.lengths(span);
    let made = new_array(lowerer, lengths, picks.source.1.element, Fill::Empty, false, span)?;
    let ExprKind::Var(target) = *made.kind else { return Err(Stop::Unknown) };
    let element = Type::Scalar(Scalar::numpy(picks.source.1.element));
    let nest = picks.each(lowerer, Parallels::Outer, span, |this, from, to| {
        let load = ExprKind::Load { array: picks.source.0, indices: from, check: Check::None };
        let value = Expr::new(load, element, span);
        let check = Check::None;
        this.emit(StatementKind::Store { array: target, indices: to, value, update: None, check }, span);
        Ok(())
    })?;
    lowerer.splice(nest);
    Ok(Value::Expr(made))
}

/// `value[index] = new`: in the order of the indices, so the last one of several that are the same stays.
pub fn put(lowerer: &mut Lowerer<'_>, value: &Value, index: &Value, new: Value, span: Span) -> Result<()> {
    if value.array().is_some_and(|(_, array)| !array.writable) {
        return Err(read_only(span));
    }
    // What is stored is read first: it may lie where it goes.
    let new = match new {
        Value::Lazy(_) => lowerer.made(new)?,
        Value::Tuple(_) => {
            array_of_tuple(lowerer, &new, value.array().map(|(_, array)| array.element), span)?
        }
        other => match other.array() {
            Some((var, array)) => copied(lowerer, (var, array), array.element, false, span)?,
            None => other,
        },
    };
    let mut picks = Picks::of(lowerer, value, index, span)?;
    let (target, array) = picks.source;
    let (lazy, lengths) = (lowerer.lazy_of(&new), picks.lengths(span));
    if let Some(lazy) = &lazy {
        lowerer.fits_into(lazy, &lengths, None, span)?;
    }
    picks.look(lowerer, true, span)?;
    let nest = if let Some(lazy) = lazy {
        let ones = lowerer.ones(&lazy, &lengths, span);
        picks.each(lowerer, Parallels::None, span, |this, to, from| {
            let value = this.element(&lazy, &from[from.len() - lazy.rank()..], &ones)?;
            this.store_one(target, array, to, value, None, span)
        })?
    } else {
        let value = lowerer.element_value(new, array.element, span)?;
        let value = lowerer.spill(value);
        picks.each(lowerer, Parallels::None, span, |this, to, _| {
            this.store_one(target, array, to, value.clone(), None, span)
        })?
    };
    lowerer.splice(nest);
    Ok(())
}

/// An array of indices, of the axis that it runs along.
struct Along {
    indices: Lazy,
    /// Which one that is, where they are not known to be within its bounds.
    axis: Option<usize>,
    /// Its length, where indices may count from the end.
    length: Option<Expr>,
}

struct Picks {
    /// What is picked from.
    origin: Var,
    /// A view of it.
    source: (Var, Array),
    /// Of each of its axes: which of `along` runs there, or None: it is whole.
    axes: Vec<Option<usize>>,
    along: Vec<Along>,
    /// What the indices are broadcast to.
    together: Vec<Expr>,
    /// So many whole axes come before these in the result.
    lead: usize,
    ones: Ones,
}

impl Picks {
    fn of(lowerer: &mut Lowerer<'_>, value: &Value, index: &Value, span: Span) -> Result<Self> {
        let Some((array, ty)) = value.array() else { return Err(Stop::Unknown) };
        let mut parts = if let Value::Tuple(parts) = index { parts.clone() } else { vec![index.clone()] };
        for part in &mut parts {
            if matches!(part, Value::Tuple(members) if members.is_empty()) {
                return Err(refused(
                    span,
                    "an empty list of indices is not compiled",
                    "np.empty(0, np.int64)",
                ));
            }
            if let Value::Tuple(_) = part {
                *part = array_of_tuple(lowerer, part, None, span)?;
            }
        }
        let rank = usize::from(ty.rank);
        let takes = |part: &Value| match part {
            Value::None | Value::Static(Static::Ellipsis) => 0,
            part => part
                .array()
                .filter(|(_, by)| by.element == Kind::Bool)
                .map_or(1, |(_, by)| usize::from(by.rank)),
        };
        let taken: usize = parts.iter().map(takes).sum();
        if taken > rank {
            let message =
                format!("too many indices for array: array is {rank}-dimensional, but {taken} were indexed");
            return Err(Diagnostic::new(Class::IndexError, span, message).into());
        }
        // What the view leaves of each axis, and which index array runs along it.
        let (mut basic, mut axes, mut arrays) = (Vec::new(), Vec::new(), Vec::new());
        let (mut axis, mut runs, mut inside, mut lead) = (0, 0, false, 0);
        for part in parts {
            let advanced = part.array().is_some() || part.scalar().is_some();
            if advanced && !inside {
                runs += 1;
                lead = axes.len();
            }
            inside = advanced;
            match part.array().filter(|(_, by)| by.rank > 0) {
                Some((var, by)) if by.element == Kind::Bool => {
                    for numbers in trues(lowerer, &part, (var, by), (array, axis), span)? {
                        basic.push(Value::Slice(Box::new(WHOLE)));
                        axes.push(Some(arrays.len()));
                        arrays.push((numbers, None));
                    }
                    axis += usize::from(by.rank);
                }
                Some((var, by)) if by.element.is_integer() => {
                    basic.push(Value::Slice(Box::new(WHOLE)));
                    axes.push(Some(arrays.len()));
                    arrays.push((lowerer.stored(var, by, span), Some(axis)));
                    axis += 1;
                }
                Some(_) => {
                    let message = "arrays used as indices must be of integer (or boolean) type";
                    return Err(Diagnostic::new(Class::IndexError, span, message).into());
                }
                None => {
                    let count = match &part {
                        Value::Static(Static::Ellipsis) => rank - taken,
                        Value::Slice(_) | Value::None => 1,
                        _ => 0,
                    };
                    axes.extend((0..count).map(|_| None));
                    axis += if matches!(part, Value::None) { 0 } else { count.max(takes(&part)) };
                    basic.push(part);
                }
            }
        }
        let view = view_of(lowerer, value, Value::Tuple(basic), span)?;
        let Some(source) = Value::Expr(view).array() else { return Err(Stop::Unknown) };
        axes.resize(usize::from(source.1.rank), None);

        let shapes: Vec<Vec<Expr>> = arrays.iter().map(|(lazy, _)| lazy.lengths.clone()).collect();
        let (wrong, together) = lowerer.joined(&shapes, span);
        if !matches!(*wrong.kind, ExprKind::Bool(false)) {
            let shapes: Vec<&[Expr]> = shapes.iter().map(Vec::as_slice).collect();
            let (text, values) = shapes_text(&shapes);
            let message =
                format!("shape mismatch: indexing arrays could not be broadcast together with shapes {text}");
            lowerer.raise_if(wrong, "IndexError", &message, values, span);
        }
        let together: Vec<Expr> = together.into_iter().map(|length| lowerer.length(length)).collect();
        let along = arrays.into_iter().map(|(indices, axis)| Along { indices, axis, length: None }).collect();
        let lead = if runs == 1 { lead } else { 0 };
        Ok(Self { origin: array, source, axes, along, together, lead, ones: Ones::new() })
    }

    /// Raises where an index is out of bounds; where elements are stored (`stores`) the indices are kept apart from them.
    fn look(&mut self, lowerer: &mut Lowerer<'_>, stores: bool, span: Span) -> Result<()> {
        for one in &mut self.along {
            if let Some(axis) = one.axis {
                let size = dim(self.origin, axis as u8, span);
                let kept = checked(lowerer, &one.indices, (&size, axis), &self.together, stores, span)?;
                match kept {
                    Some(kept) => one.indices = kept,
                    None => one.length = Some(size),
                }
            }
            self.ones.extend(lowerer.ones(&one.indices, &self.together, span));
        }
        Ok(())
    }

    /// The lengths of what is picked.
    fn lengths(&self, span: Span) -> Vec<Expr> {
        let [before, behind] = self.whole(span);
        [before, self.together.clone(), behind].concat()
    }

    /// Lengths of the whole axes: those before the indices' in the result, and those behind.
    fn whole(&self, span: Span) -> [Vec<Expr>; 2] {
        let all = lengths(self.source.0, self.source.1, span).into_iter().zip(&self.axes);
        let mut before: Vec<Expr> =
            all.filter(|(_, along)| along.is_none()).map(|(length, _)| length).collect();
        let behind = before.split_off(self.lead);
        [before, behind]
    }

    /// Loops over what is picked; `body` takes the indices of an element in the view, and in the result.
    fn each(
        &self,
        lowerer: &mut Lowerer<'_>,
        parallels: Parallels,
        span: Span,
        body: impl FnOnce(&mut Lowerer<'_>, Vec<Expr>, Vec<Expr>) -> Result<()>,
    ) -> Result<Block> {
        let [before, behind] = self.whole(span);
        let outer = [before.as_slice(), &self.together].concat();
        // Where all is picked by index arrays, the innermost loop is the outer nest's own.
        let lanes = if behind.is_empty() { Parallels::None } else { Parallels::Inner };
        lowerer.over(&outer, false, parallels, span, |this, at| {
            let mut places = Vec::with_capacity(self.along.len());
            for one in &self.along {
                let index = this.element(&one.indices, &at[self.lead..], &self.ones)?;
                let index = this.cast(index, Scalar::INT);
                let index = this.keep(index);
                places.push(match &one.length {
                    None => index,
                    Some(length) => this.keep(from_start(index, length.clone())),
                });
            }
            let row = this.over(&behind, false, lanes, span, |this, along| {
                let mut whole = at[..self.lead].iter().chain(&along).cloned();
                let mut from = Vec::with_capacity(self.axes.len());
                for axis in &self.axes {
                    match axis {
                        Some(number) => from.push(places[*number].clone()),
                        None => from.extend(whole.next()),
                    }
                }
                body(this, from, [at.clone(), along].concat())
            })?;
            this.splice(row);
            Ok(())
        })
    }
}

/// An index that may count from the end, from the start.
fn from_start(index: Expr, length: Expr) -> Expr {
    let negative = compare(Compare::Less, index.clone(), number(0, &index));
    choose(negative, binary(Binary::Add, index.clone(), length), index)
}

/// The numbers of what is true in a mask, for each of its axes.
fn trues(
    lowerer: &mut Lowerer<'_>,
    mask: &Value,
    (var, by): (Var, Array),
    (array, axis): (Var, usize),
    span: Span,
) -> Result<Vec<Lazy>> {
    for own in 0..by.rank {
        let axis = axis + usize::from(own);
        let (size, given) = (dim(array, axis as u8, span), dim(var, own, span));
        let message = format!(
            "boolean index did not match indexed array along axis {axis}; size of axis is {{}} but size of corresponding boolean \
             axis is {{}}"
        );
        let differ = compare(Compare::NotEqual, size.clone(), given.clone());
        lowerer.raise_if(differ, "IndexError", &message, vec![size, given], span);
    }
    let arguments = Arguments { positional: vec![(mask.clone(), span)], keywords: Vec::new() };
    let found = lowerer.library_nth("numpy.nonzero", &arguments, span, axis);
    let Value::Tuple(found) = found.unwrap_or(Err(Stop::Unknown))? else { return Err(Stop::Unknown) };
    let numbers = found.iter().map(|numbers| {
        let (var, ty) = numbers.array().ok_or(Stop::Unknown)?;
        Ok(lowerer.stored(var, ty, span))
    });
    numbers.collect()
}

/// Raises where an index is out of bounds of an axis; `keep`: gives the indices, counted from the start, in memory of their own.
fn checked(
    lowerer: &mut Lowerer<'_>,
    lazy: &Lazy,
    (size, axis): (&Expr, usize),
    together: &[Expr],
    keep: bool,
    span: Span,
) -> Result<Option<Lazy>> {
    let kept = if keep {
        let made = new_array(lowerer, lazy.lengths.clone(), Kind::I64, Fill::Empty, false, span)?;
        let ExprKind::Var(var) = *made.kind else { return Err(Stop::Unknown) };
        if let Some(units) = lowerer.units_of(lazy) {
            lowerer.units.insert(var, units);
        }
        Some(var)
    } else {
        None
    };
    let nest = lowerer.over(&lazy.lengths, false, Parallels::None, span, |this, at| {
        let index = this.element(lazy, &at, &Ones::new())?;
        let index = this.cast(index, Scalar::INT);
        let index = this.keep(index);
        let negated = binary(Binary::Subtract, number(0, size), size.clone());
        let low = compare(Compare::Less, index.clone(), negated);
        let high = compare(Compare::GreaterEqual, index.clone(), size.clone());
        let message = format!("index {{}} is out of bounds for axis {axis} with size {{}}");
        this.raise_if(either(low, high), "IndexError", &message, vec![index.clone(), size.clone()], span);
        if let Some(kept) = kept {
            let value = this.cast(from_start(index, size.clone()), Scalar::numpy(Kind::I64));
            let check = Check::None;
            this.emit(StatementKind::Store { array: kept, indices: at, value, update: None, check }, span);
        }
        Ok(())
    })?;
    // NumPy does not look where nothing is picked since another index array is empty.
    let some = together.iter().fold(boolean(true, span), |some, length| {
        let none = compare(Compare::Equal, length.clone(), int(0, span));
        choose(not(none), some, boolean(false, span))
    });
    lowerer.if_then(some, nest, Vec::new(), span);
    Ok(kept.map(|var| {
        let rank = lazy.rank() as u8;
        let ty = Array { element: Kind::I64, rank, layout: Layout::C, writable: true };
        lowerer.stored(var, ty, span)
    }))
}
