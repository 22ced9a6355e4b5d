//! The expression of one element.

use std::collections::HashMap;

use super::{Lazy, Node, Operand, alike};
use crate::ir::{Check, Compare, Expr, ExprKind, Scalar, Span, Type, Var};
use crate::lower::arithmetic::{choose, compare};
use crate::lower::value::{Value, boolean, int};
use crate::lower::{Lowerer, Result};

/// For axes of arrays that may have one element where the expression has more: whether they have.
pub type Ones = HashMap<(Var, u8), Expr>;

impl Lowerer<'_> {
    /// The element at these indices, which are within the expression's lengths.
    pub fn element(&mut self, lazy: &Lazy, indices: &[Expr], ones: &Ones) -> Result<Expr> {
        match &lazy.node {
            Node::Stored { var, array, units } => {
                let skip = indices.len() - lazy.rank();
                let mut places = Vec::new();
                for (axis, index) in indices[skip..].iter().enumerate() {
                    let zero = int(0, lazy.span);
                    places.push(match ones.get(&(*var, axis as u8)) {
                        _ if units.get(axis) == Some(&true) => zero,
                        Some(one) => choose(one.clone(), zero, index.clone(), lazy.span),
                        None => index.clone(),
                    });
                }
                let load = ExprKind::Load { array: *var, indices: places, check: Check::None };
                Ok(Expr::new(load, Type::Scalar(Scalar::numpy(array.element)), lazy.span))
            }
            Node::Each { op, operands } => {
                let mut values = Vec::with_capacity(operands.len());
                for operand in operands {
                    values.push(match operand {
                        Operand::Array(lazy) => {
                            let inner = &indices[indices.len() - lazy.rank()..];
                            Value::Expr(self.element(lazy, inner, ones)?)
                        }
                        Operand::Other(value) => value.clone(),
                    });
                }
                let value = self.apply(op, values, lazy.span)?;
                Ok(self.cast(value, Scalar::numpy(lazy.element)))
            }
        }
    }

    /// Whether nothing that is read is stretched to these lengths: a `bool`, constant where that is known.
    pub fn fits(&self, lazy: &Lazy, lengths: &[Expr], span: Span) -> Expr {
        let mut fits = boolean(true, span);
        for (var, axis, length) in uncertain(lazy, lengths) {
            let own = Expr::new(ExprKind::Dim { array: var, axis }, Type::INT, span);
            fits = choose(compare(Compare::Equal, own, length, span), fits, boolean(false, span), span);
        }
        fits
    }

    /// Keeps which axes are stretched.
    pub fn ones(&mut self, lazy: &Lazy, lengths: &[Expr], span: Span) -> Ones {
        let mut ones = Ones::new();
        for (var, axis, _) in uncertain(lazy, lengths) {
            let own = Expr::new(ExprKind::Dim { array: var, axis }, Type::INT, span);
            let one = self.keep(compare(Compare::Equal, own, int(1, span), span));
            ones.insert((var, axis), one);
        }
        ones
    }
}

/// The axes of arrays that may be stretched to `lengths`, each once.
fn uncertain(lazy: &Lazy, lengths: &[Expr]) -> Vec<(Var, u8, Expr)> {
    let mut found: Vec<(Var, u8, Expr)> = Vec::new();
    lazy.stored(&mut |var, array, units| {
        let skip = lengths.len() - usize::from(array.rank);
        for axis in 0..array.rank {
            let length = &lengths[skip + usize::from(axis)];
            let own = Expr::new(ExprKind::Dim { array: var, axis }, Type::INT, length.span);
            let known = units.get(usize::from(axis)) == Some(&true) || alike(&own, length);
            if !known && !found.iter().any(|(one, at, _)| *one == var && *at == axis) {
                found.push((var, axis, length.clone()));
            }
        }
    });
    found
}
