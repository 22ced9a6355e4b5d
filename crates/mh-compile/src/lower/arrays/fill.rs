//! Loops that store an array expression: into a new array, or into one that is there.

use super::element::Ones;
use super::shapes::{MOST_FIGURES, shapes_text};
use super::{Lazy, Node, alike, is_one};
use crate::ir::{
    Array, Binary, Block, Check, Compare, Expr, ExprKind, Fill, For, Layout, Parallel, Scalar, Span,
    StatementKind, Type, Var,
};
use crate::lower::arithmetic::{choose, compare};
use crate::lower::assign::complex_into_real;
use crate::lower::builtins::new_array;
use crate::lower::value::{boolean, int};
use crate::lower::{Lowerer, Result, Stop};

/// Which loops of a nest are parallel.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parallels {
    None,
    /// The outermost.
    Outer,
    /// The innermost: for its lanes.
    Inner,
    /// Both.
    Gather,
}

impl Parallels {
    /// Where something is stretched that was not expected to: seldom, and not worth code for blocks.
    pub fn of(ones: &Ones) -> Self {
        if ones.is_empty() { Self::Outer } else { Self::None }
    }

    pub fn gather(ones: &Ones) -> Self {
        if ones.is_empty() { Self::Gather } else { Self::None }
    }
}

impl Lowerer<'_> {
    /// The array as a variable; a new one but where it lies in memory already.
    pub fn materialise(&mut self, lazy: &Lazy) -> Result<Expr> {
        if let Node::Stored { var, array, .. } = lazy.node {
            return Ok(Expr::new(ExprKind::Var(var), Type::Array(array), lazy.span));
        }
        let (made, target, array) = self.fresh(lazy)?;
        let fits = self.fits(lazy, &lazy.lengths, lazy.span);
        let straight = self.filling((target, array), lazy, &lazy.lengths, &Ones::new(), None)?;
        self.either_way(fits, straight, lazy.span, |this| {
            let ones = this.ones(lazy, &lazy.lengths, lazy.span);
            let nest = this.filling((target, array), lazy, &lazy.lengths, &ones, None)?;
            this.splice(nest);
            Ok(())
        })?;
        Ok(made)
    }

    /// An empty array for it.
    fn fresh(&mut self, lazy: &Lazy) -> Result<(Expr, Var, Array)> {
        let columns = lazy.ty().array().is_some_and(|array| array.layout == Layout::F);
        let made = new_array(self, lazy.lengths.clone(), lazy.element, Fill::Empty, columns, lazy.span)?;
        match (&*made.kind, made.ty) {
            (ExprKind::Var(var), Type::Array(array)) => {
                let var = *var;
                Ok((made, var, array))
            }
            _ => Err(Stop::Unknown),
        }
    }

    /// `straight` where `fits`, else what `other` emits.
    pub fn either_way(
        &mut self,
        fits: Expr,
        straight: Block,
        span: Span,
        other: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        if matches!(*fits.kind, ExprKind::Bool(true)) {
            self.splice(straight);
            return Ok(());
        }
        let (outcome, around) = self.apart(other);
        outcome?;
        self.if_then(fits, straight, around, span);
        Ok(())
    }

    /// Loops over these lengths that store each element, or update by it.
    fn filling(
        &mut self,
        (target, array): (Var, Array),
        lazy: &Lazy,
        lengths: &[Expr],
        ones: &Ones,
        update: Option<Binary>,
    ) -> Result<Block> {
        let span = lazy.span;
        self.fused.push((span, lazy.operations() + usize::from(update.is_some())));
        if ones.is_empty() && lazy.rank() == lengths.len() {
            let (rows, mut block) = self.apart(|this| this.as_rows(lazy, Some((target, array)), span));
            if let Some((row, Some((target, array)))) = rows {
                let nest = self.over(&row.lengths, false, Parallels::Outer, span, |this, indices| {
                    let value = this.element(&row, &indices, ones)?;
                    this.store_one(target, array, indices, value, update, span)
                })?;
                block.extend(nest);
                return Ok(block);
            }
        }
        let columns = array.layout == Layout::F;
        self.over(lengths, columns, Parallels::of(ones), span, |this, indices| {
            let value = this.element(lazy, &indices[indices.len() - lazy.rank()..], ones)?;
            this.store_one(target, array, indices, value, update, span)
        })
    }

    /// `view[...] = lazy`, `view[...] op= lazy`, element by element; through a new array where it reads what is written.
    pub fn fill_lazily(
        &mut self,
        (target, array): (Var, Array),
        lazy: &Lazy,
        update: Option<Binary>,
        span: Span,
    ) -> Result<()> {
        let lengths: Vec<Expr> = (0..array.rank)
            .map(|axis| Expr::new(ExprKind::Dim { array: target, axis }, Type::INT, span))
            .collect();
        self.fits_into(lazy, &lengths, update, span)?;
        let mut fits = self.fits(lazy, &lengths, span);
        let mut seen = vec![target];
        lazy.stored(&mut |var, _, _| {
            if !seen.contains(&var) {
                seen.push(var);
            }
        });
        for var in &seen[1..] {
            let apart = Expr::new(ExprKind::Disjoint { left: target, right: *var }, Type::BOOL, span);
            fits = choose(fits, apart, boolean(false, span), span);
        }
        let straight = self.filling((target, array), lazy, &lengths, &Ones::new(), update)?;
        self.either_way(fits, straight, span, |this| {
            let (copy, first) = this.aside(lazy)?;
            this.splice(first);
            let ones = this.ones(&copy, &lengths, span);
            let second = this.filling((target, array), &copy, &lengths, &ones, update)?;
            this.splice(second);
            Ok(())
        })
    }

    /// A copy in memory of its own, and the loops that make it.
    fn aside(&mut self, lazy: &Lazy) -> Result<(Lazy, Block)> {
        let (_, var, array) = self.fresh(lazy)?;
        let ones = self.ones(lazy, &lazy.lengths, lazy.span);
        let block = self.filling((var, array), lazy, &lazy.lengths, &ones, None)?;
        Ok((self.stored(var, array, lazy.span), block))
    }

    /// Raises where an array cannot be stretched to these lengths.
    pub fn fits_into(
        &mut self,
        lazy: &Lazy,
        lengths: &[Expr],
        update: Option<Binary>,
        span: Span,
    ) -> Result<()> {
        let Some(skip) = lengths.len().checked_sub(lazy.rank()) else {
            let spare = lazy.rank() - lengths.len();
            if update.is_none() && lazy.lengths[..spare].iter().all(is_one) {
                let message = "this array has more dimensions than the one that it goes into";
                return Err(super::super::expression::unsupported(
                    span,
                    message,
                    "take the axes of length 1 off: x[0]",
                ));
            }
            let (text, values) = shapes_text(&[&lazy.lengths, lengths]);
            self.raise_where(
                boolean(true, span),
                &format!("could not broadcast input array from shape {text}"),
                values,
                span,
            );
            return Err(Stop::Never);
        };
        let mut wrong = boolean(false, span);
        for (length, to) in lazy.lengths.iter().zip(&lengths[skip..]) {
            if alike(length, to) || is_one(length) {
                continue;
            }
            let differ = compare(Compare::NotEqual, length.clone(), to.clone(), span);
            let many = compare(Compare::NotEqual, length.clone(), int(1, span), span);
            let both = choose(differ, many, boolean(false, span), span);
            wrong = choose(both, boolean(true, span), wrong, span);
        }
        let (message, values) = if update.is_none() {
            let (from, mut values) = shapes_text(&[&lazy.lengths]);
            let (to, more) = shapes_text(&[lengths]);
            values.extend(more);
            if values.len() > MOST_FIGURES {
                ("could not broadcast input array into one of another shape".into(), Vec::new())
            } else {
                (
                    format!("could not broadcast input array from shape {from}into shape {}", to.trim_end()),
                    values,
                )
            }
        } else {
            let (text, values) = shapes_text(&[lengths, &lazy.lengths]);
            (format!("operands could not be broadcast together with shapes {text}"), values)
        };
        self.raise_where(wrong, &message, values, span);
        Ok(())
    }

    /// Loops over these lengths, the last innermost (`columns`: the first).
    pub fn over(
        &mut self,
        lengths: &[Expr],
        columns: bool,
        parallels: Parallels,
        span: Span,
        body: impl FnOnce(&mut Self, Vec<Expr>) -> Result<()>,
    ) -> Result<Block> {
        let vars: Vec<Var> = lengths.iter().map(|_| self.temp(Type::INT)).collect();
        let indices = vars.iter().map(|var| Expr::new(ExprKind::Var(*var), Type::INT, span)).collect();
        let (outcome, mut block) = self.apart(|this| body(this, indices));
        outcome?;
        let rank = lengths.len();
        for depth in (0..rank).rev() {
            let axis = if columns { rank - 1 - depth } else { depth };
            let id = self.loop_id();
            let parallel = match parallels {
                Parallels::None => false,
                Parallels::Outer => depth == 0,
                Parallels::Inner => depth == rank - 1,
                Parallels::Gather => depth == 0 || depth == rank - 1,
            };
            let one = For {
                id,
                var: vars[axis],
                start: int(0, span),
                stop: lengths[axis].clone(),
                step: int(1, span),
                body: block,
                parallel: parallel.then_some(Parallel { unchecked: false, implicit: true, plan: None }),
                fast: None,
            };
            ((), block) = self.apart(|this| this.emit(StatementKind::For(Box::new(one)), span));
        }
        Ok(block)
    }

    /// `target[indices] = value`, or `op=`, within bounds.
    pub fn store_one(
        &mut self,
        target: Var,
        array: Array,
        indices: Vec<Expr>,
        value: Expr,
        update: Option<Binary>,
        span: Span,
    ) -> Result<()> {
        if let Some(op) = update {
            self.same_kind(op, array.element, &value, span)?;
            return self.update((target, array.element), indices, Check::None, op, value, span);
        }
        complex_into_real(&value, array.element, span)?;
        let value = self.cast(value, Scalar::numpy(array.element));
        let store = StatementKind::Store { array: target, indices, value, update: None, check: Check::None };
        self.emit(store, span);
        Ok(())
    }
}
