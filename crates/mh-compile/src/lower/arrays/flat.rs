//! Arrays of more dimensions as one row: where all that an expression reads lies in one way and without gaps, its loops are one loop.
//!
//! Not in a `prange`: which elements are touched there is shown by subscripts, and a row has lost them.

use std::collections::HashMap;
use std::rc::Rc;

use super::{Lazy, Node, Operand};
use crate::ir::{Array, Binary, Check, Expr, ExprKind, Layout, Part, Span, Type, Var};
use crate::lower::Lowerer;
use crate::lower::builtins::transposed;
use crate::lower::value::int;

impl Lowerer<'_> {
    /// The expression and what it is stored into, as rows; None where they are none. `lazy` has the lengths of all that it reads.
    pub fn as_rows(
        &mut self,
        lazy: &Lazy,
        target: Option<(Var, Array)>,
        span: Span,
    ) -> Option<(Lazy, Option<(Var, Array)>)> {
        let rank = lazy.rank();
        if rank < 2 || self.within > 0 {
            return None;
        }
        let mut layouts: Vec<Option<Layout>> = Vec::new();
        let mut see = |array: Array, units: &[bool]| {
            let whole = usize::from(array.rank) == rank && !units.contains(&true);
            layouts.push(Some(array.layout).filter(|_| whole));
        };
        lazy.stored(&mut |_, array, units| see(array, units));
        if let Some((var, array)) = target {
            see(array, self.units.get(&var).map_or(&[], Vec::as_slice));
        }
        let first = layouts.first().copied().flatten()?;
        let even = matches!(first, Layout::C | Layout::F) && layouts.iter().all(|one| *one == Some(first));
        if !even {
            return None;
        }
        let mut rows = HashMap::new();
        let flat = self.row_of(lazy, &mut rows, span);
        let target = target.map(|(var, array)| self.row(var, array, &mut rows, span));
        Some((flat, target))
    }

    fn row_of(&mut self, lazy: &Lazy, rows: &mut HashMap<Var, (Var, Array)>, span: Span) -> Lazy {
        match &lazy.node {
            Node::Stored { var, array, .. } => {
                let (var, array) = self.row(*var, *array, rows, span);
                self.stored(var, array, lazy.span)
            }
            Node::Each { op, operands } => {
                let mut lengths = Vec::new();
                let mut flat = Vec::with_capacity(operands.len());
                for operand in operands {
                    flat.push(match operand {
                        Operand::Array(inner) => {
                            let inner = self.row_of(inner, rows, span);
                            lengths.clone_from(&inner.lengths);
                            Operand::Array(Rc::new(inner))
                        }
                        Operand::Other(value) => Operand::Other(value.clone()),
                    });
                }
                let node = Node::Each { op: op.clone(), operands: flat };
                Lazy { lengths, element: lazy.element, node, span: lazy.span }
            }
        }
    }

    /// One array as a row; the same one for the same array.
    fn row(
        &mut self,
        var: Var,
        array: Array,
        rows: &mut HashMap<Var, (Var, Array)>,
        span: Span,
    ) -> (Var, Array) {
        if let Some(known) = rows.get(&var) {
            return *known;
        }
        let by_rows = match array.layout {
            Layout::F => match *transposed(self, var, array, span).kind {
                ExprKind::Var(turned) => turned,
                _ => var,
            },
            _ => var,
        };
        let count = (0..array.rank)
            .map(|axis| Expr::new(ExprKind::Dim { array: var, axis }, Type::INT, span))
            .reduce(|left, right| {
                let product = ExprKind::Binary { op: Binary::Multiply, left, right, check: Check::None };
                Expr::new(product, Type::INT, span)
            });
        let count = self.spill(count.unwrap_or_else(|| int(1, span)));
        let ty = Array { rank: 1, layout: Layout::C, ..array };
        let view = ExprKind::View { array: by_rows, parts: vec![Part::Length(count)], check: Check::None };
        let row = self.keep(Expr::new(view, Type::Array(ty), span));
        let made = match *row.kind {
            ExprKind::Var(row) => (row, ty),
            _ => (var, array),
        };
        rows.insert(var, made);
        made
    }
}
