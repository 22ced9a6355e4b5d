//! Lengths: what operands are broadcast to, and the errors where they do not fit.

use super::{alike, is_one};
use crate::ir::{Compare, Expr, ExprKind, Span};
use crate::lower::arithmetic::{choose, compare};
use crate::lower::value::{boolean, int};
use crate::lower::{Lowerer, Result};

/// Figures that a message can hold.
pub const MOST_FIGURES: usize = 5;

impl Lowerer<'_> {
    /// The lengths that arrays of these are broadcast to; raises where they do not fit.
    pub fn broadcast(&mut self, shapes: &[Vec<Expr>], span: Span) -> Result<Vec<Expr>> {
        let (wrong, result) = self.joined(shapes, span);
        let shapes: Vec<&[Expr]> = shapes.iter().map(Vec::as_slice).collect();
        let (text, values) = shapes_text(&shapes);
        let message = format!("operands could not be broadcast together with shapes {text}");
        self.raise_where(wrong, &message, values, span);
        Ok(result.into_iter().map(|length| self.length(length)).collect())
    }

    /// Whether arrays of these lengths do not fit, and what they are broadcast to where they do.
    pub fn joined(&self, shapes: &[Vec<Expr>], span: Span) -> (Expr, Vec<Expr>) {
        let rank = shapes.iter().map(Vec::len).max().unwrap_or(0);
        let (mut wrong, mut result) = (boolean(false, span), Vec::with_capacity(rank));
        for axis in 0..rank {
            let mut so_far: Option<Expr> = None;
            for shape in shapes {
                let Some(length) = (axis + shape.len()).checked_sub(rank).map(|axis| &shape[axis]) else {
                    continue;
                };
                so_far = Some(match so_far {
                    None => length.clone(),
                    Some(before) if alike(&before, length) || is_one(length) => before,
                    Some(before) if is_one(&before) => length.clone(),
                    Some(before) => {
                        let differ = compare(Compare::NotEqual, before.clone(), length.clone(), span);
                        let some =
                            |length: &Expr| compare(Compare::NotEqual, length.clone(), int(1, span), span);
                        let no = || boolean(false, span);
                        let many = choose(some(&before), some(length), no(), span);
                        wrong = choose(choose(differ, many, no(), span), boolean(true, span), wrong, span);
                        let one = compare(Compare::Equal, before.clone(), int(1, span), span);
                        choose(one, length.clone(), before, span)
                    }
                });
            }
            result.push(so_far.unwrap_or_else(|| int(1, span)));
        }
        (wrong, result)
    }

    /// As an `int` that can be read again.
    pub fn length(&mut self, length: Expr) -> Expr {
        match *length.kind {
            ExprKind::Dim { .. } => length,
            _ => self.spill(length),
        }
    }

    pub fn raise_where(&mut self, wrong: Expr, message: &str, values: Vec<Expr>, span: Span) {
        if !matches!(*wrong.kind, ExprKind::Bool(false)) {
            self.raise_if(wrong, "ValueError", message, values, span);
        }
    }
}

/// `(3,4) (5,) ` as NumPy writes it, with `{}` for lengths that are not known, and these; too many are left out.
pub fn shapes_text(shapes: &[&[Expr]]) -> (String, Vec<Expr>) {
    let unknown = shapes.iter().flat_map(|shape| shape.iter());
    let unknown = unknown.filter(|length| !matches!(*length.kind, ExprKind::Int(_))).count();
    let told = unknown <= MOST_FIGURES;
    let (mut text, mut values) = (String::new(), Vec::new());
    for shape in shapes {
        let mut parts = Vec::new();
        for length in *shape {
            parts.push(match *length.kind {
                ExprKind::Int(known) => known.to_string(),
                _ if told => {
                    values.push(length.clone());
                    "{}".into()
                }
                _ => "...".into(),
            });
        }
        let comma = if parts.len() == 1 { "," } else { "" };
        text.push_str(&format!("({}{comma}) ", parts.join(",")));
    }
    (text, values)
}
