//! `np.random` with a size: an array whose elements are drawn one by one, each with a stream of its own.

use super::constructors::shape;
use super::random::{NUMPY, call_numpy};
use super::{Call, refused};
use crate::ir::{Check, Expr, ExprKind, Fill, Kind, Scalar, Span, StatementKind};
use crate::lower::arrays::Parallels;
use crate::lower::function::Arguments;
use crate::lower::value::Value;
use crate::lower::{Lowerer, Result, Stop};

/// A call that asks for more than one number; None for all else.
pub fn sized(lowerer: &mut Lowerer<'_>, name: &str, call: &Call<'_>) -> Option<Result<Value>> {
    let mut arguments = call.arguments.clone();
    let parameters = match name {
        "rand" | "randn" if !arguments.positional.is_empty() => {
            let lengths = arguments.positional.drain(..).map(|(value, _)| value).collect();
            return Some(drawn(lowerer, name, Value::Tuple(lengths), arguments, call));
        }
        "random" | "random_sample" | "ranf" | "sample" | "standard_normal" => 0,
        "randint" => 2,
        _ => NUMPY.iter().find(|one| one.name == name)?.parameters.len(),
    };
    let size = match arguments.keywords.iter().position(|(keyword, ..)| keyword == "size") {
        Some(at) => arguments.keywords.remove(at).1,
        None if arguments.positional.len() == parameters + 1 => arguments.positional.pop()?.0,
        None => return None,
    };
    match size {
        Value::None => None,
        size => Some(drawn(lowerer, name, size, arguments, call)),
    }
}

fn drawn(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    size: Value,
    mut arguments: Arguments,
    call: &Call<'_>,
) -> Result<Value> {
    let span = call.span;
    for (value, _) in &mut arguments.positional {
        *value = lowerer.settle(value.clone());
    }
    for (_, value, _) in &mut arguments.keywords {
        *value = lowerer.settle(value.clone());
    }
    let lengths = shape(lowerer, &size, span)?;
    // The kind is known when the first is drawn: the array comes before the loops that draw.
    let kind = std::cell::Cell::new(Kind::F64);
    let target = lowerer.temp(array_of(Kind::F64, lengths.len(), span)?);
    let nest = lowerer.over(&lengths, false, Parallels::Outer, span, |this, indices| {
        let one = Call { name: call.name, arguments, span };
        let Value::Expr(value) = call_numpy(this, name, one)? else { return Err(Stop::Unknown) };
        kind.set(value.ty.scalar().map_or(Kind::F64, |scalar| scalar.kind));
        let value = this.cast(value, Scalar::numpy(kind.get()));
        this.emit(
            StatementKind::Store { array: target, indices, value, update: None, check: Check::None },
            span,
        );
        Ok(())
    })?;
    let ty = array_of(kind.get(), lengths.len(), span)?;
    lowerer.retype(target, ty);
    let new = ExprKind::New { lengths, fill: Fill::Empty, check: Check::Branch };
    lowerer.assign(target, Expr::new(new, ty, span));
    lowerer.splice(nest);
    Ok(Value::Expr(super::build::variable(target, ty, span)))
}

fn array_of(element: Kind, rank: usize, span: Span) -> Result<crate::ir::Type> {
    let Some(rank) = u8::try_from(rank).ok().filter(|rank| *rank <= 32) else {
        return Err(refused(span, "an array has at most 32 dimensions", "use fewer"));
    };
    let layout = crate::ir::Layout::C;
    Ok(crate::ir::Type::Array(crate::ir::Array { element, rank, layout, writable: true }))
}
