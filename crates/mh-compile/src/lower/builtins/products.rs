//! Products of matrices, as the library's functions need them: gemm where there is one, else loops.

use super::build::dim;
use super::{Call, constructors};
use crate::ir::{ExprKind, Fill, Var};
use crate::lower::arrays::Op;
use crate::lower::types::promote_kinds;
use crate::lower::value::Value;
use crate::lower::{Lowerer, Result, Stop};

/// `matrices(a, b)` of `_jit_intrinsics`: of arrays of one rank, two axes at least, whose matrices fit.
pub fn matrices(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let values: [Value; 2] = call.exactly()?;
    let mut sides = Vec::new();
    for value in &values {
        sides.push(lowerer.array_of(value, &shown, span)?);
    }
    let rank = sides[0].1.rank;
    let before = |var: Var| (0..rank - 2).map(|axis| dim(var, axis, span)).collect::<Vec<_>>();
    let mut lengths = lowerer.broadcast(&[before(sides[0].0), before(sides[1].0)], span)?;
    lengths.extend([dim(sides[0].0, rank - 2, span), dim(sides[1].0, rank - 1, span)]);
    let kind = promote_kinds(sides[0].1.element, sides[1].1.element);
    if !kind.is_float() && !kind.is_complex() {
        let shape = Value::Tuple(lengths.into_iter().map(Value::Expr).collect());
        let [left, right] = values;
        return lowerer
            .library_of("ndarray.matrices", vec![shape, left, right], span)
            .unwrap_or(Err(Stop::Unknown));
    }
    let mut vars = Vec::new();
    for (value, (var, array)) in values.into_iter().zip(sides) {
        if array.element == kind {
            vars.push(var);
            continue;
        }
        let cast = lowerer.each_of(Op::Cast(kind), vec![value], span)?;
        match lowerer.made(cast)? {
            Value::Expr(made) if let ExprKind::Var(var) = *made.kind => vars.push(var),
            _ => return Err(Stop::Unknown),
        }
    }
    let fill = Fill::Product(vars[0], vars[1]);
    constructors::new_array(lowerer, lengths, kind, fill, false, span).map(Value::Expr)
}
