//! Reductions: loops that gather the elements of an array expression, all of them or along some axes.
//!
//! Along the last axis a scalar gathers (in lanes, as every parallel reduction does); along others the rows are gathered into an array,
//! so that what lies side by side in memory is read side by side.

use super::element::Ones;
use super::{Lazy, Parallels};
use crate::ir::{
    Binary, Block, Check, Compare, Expr, ExprKind, Fill, Kind, Scalar, Span, StatementKind, Type, Unary, Var,
};
use crate::lower::arithmetic::{binary, choose, compare};
use crate::lower::builtins::new_array;
use crate::lower::value::{Value, boolean, int};
use crate::lower::{Lowerer, Result, Stop};

/// How elements are gathered.
#[derive(Clone, Debug)]
pub struct Gather {
    pub op: Binary,
    /// In which kind.
    pub kind: Kind,
    /// Elements are taken as true or false.
    pub truth: bool,
    /// What it begins with.
    pub begin: Expr,
}

/// Which axes are gathered.
#[derive(Clone, Debug)]
pub struct Axes {
    pub gathered: Vec<bool>,
    /// They stay, with one element each.
    pub kept: bool,
}

impl Axes {
    /// Whether the result is one number.
    pub fn is_scalar(&self) -> bool {
        !self.kept && self.gathered.iter().all(|gathered| *gathered)
    }

    /// Those of a list that belong to axes that are not gathered, or to those that are.
    fn pick<T: Clone>(&self, list: &[T], gathered: bool) -> Vec<T> {
        list.iter()
            .zip(&self.gathered)
            .filter(|(_, one)| **one == gathered)
            .map(|(item, _)| item.clone())
            .collect()
    }

    /// The lengths of the result.
    pub fn lengths(&self, lengths: &[Expr], span: Span) -> Vec<Expr> {
        self.spread(&self.pick(lengths, false), &int(1, span))
    }

    /// Items of the axes that are not gathered, and `one` for those that are, where these are kept.
    fn spread(&self, items: &[Expr], one: &Expr) -> Vec<Expr> {
        if !self.kept {
            return items.to_vec();
        }
        let mut items = items.iter();
        let place = |gathered: &bool| if *gathered { Some(one.clone()) } else { items.next().cloned() };
        self.gathered.iter().filter_map(place).collect()
    }

    /// Indices of all axes of those of both.
    fn join(&self, outer: &[Expr], inner: &[Expr]) -> Vec<Expr> {
        let (mut outer, mut inner) = (outer.iter(), inner.iter());
        let next = |gathered: &bool| if *gathered { inner.next().cloned() } else { outer.next().cloned() };
        self.gathered.iter().filter_map(next).collect()
    }
}

impl Lowerer<'_> {
    /// How many elements come together in one: an `int`.
    pub fn gathered(&mut self, lazy: &Lazy, axes: &Axes, span: Span) -> Expr {
        let lengths = axes.pick(&lazy.lengths, true);
        let product = lengths
            .into_iter()
            .reduce(|a, b| binary(Binary::Multiply, a, b, Type::INT, Check::None, span))
            .unwrap_or_else(|| int(1, span));
        self.length(product)
    }

    pub fn gather(&mut self, lazy: &Lazy, axes: &Axes, how: &Gather, span: Span) -> Result<Value> {
        self.fused.push((span, lazy.operations() + 1));
        let sum = Gather { begin: self.spill(how.begin.clone()), ..how.clone() };
        if axes.is_scalar() {
            let total = self.changing(sum.begin.clone());
            self.both_ways(lazy, span, |this, ones| this.gather_all(lazy, ones, &total, &sum, span))?;
            return Ok(Value::Expr(total));
        }
        let (made, target) = self.result(lazy, axes, sum.kind, span)?;
        let inner_last = axes.gathered.last() == Some(&true);
        if !inner_last {
            self.fill_view(&made, Value::Expr(sum.begin.clone()), None, span)?;
        }
        self.both_ways(lazy, span, |this, ones| {
            if inner_last {
                this.gather_rows(lazy, ones, axes, target, &sum, span)
            } else {
                this.gather_into(lazy, ones, axes, target, &sum, span)
            }
        })?;
        Ok(Value::Expr(made))
    }

    /// An empty array for the results.
    fn result(&mut self, lazy: &Lazy, axes: &Axes, kind: Kind, span: Span) -> Result<(Expr, Var)> {
        let lengths = axes.lengths(&lazy.lengths, span);
        let made = new_array(self, lengths, kind, Fill::Empty, false, span)?;
        let ExprKind::Var(var) = *made.kind else { return Err(Stop::Unknown) };
        if axes.kept {
            self.units.insert(var, axes.gathered.clone());
        }
        Ok((made, var))
    }

    /// The loops of `body` where nothing is stretched, and where something is.
    fn both_ways(
        &mut self,
        lazy: &Lazy,
        span: Span,
        body: impl Fn(&mut Self, &Ones) -> Result<Block>,
    ) -> Result<()> {
        let fits = self.fits(lazy, &lazy.lengths, span);
        let straight = body(self, &Ones::new())?;
        self.either_way(fits, straight, span, |this| {
            let ones = this.ones(lazy, &lazy.lengths, span);
            let block = body(this, &ones)?;
            this.splice(block);
            Ok(())
        })
    }

    fn gather_all(
        &mut self,
        lazy: &Lazy,
        ones: &Ones,
        total: &Expr,
        how: &Gather,
        span: Span,
    ) -> Result<Block> {
        if ones.is_empty() {
            let (rows, mut block) = self.apart(|this| this.as_rows(lazy, None, span));
            if let Some((row, _)) = rows {
                block.extend(self.gather_in_order(&row, ones, total, how, span)?);
                return Ok(block);
            }
        }
        self.gather_in_order(lazy, ones, total, how, span)
    }

    fn gather_in_order(
        &mut self,
        lazy: &Lazy,
        ones: &Ones,
        total: &Expr,
        how: &Gather,
        span: Span,
    ) -> Result<Block> {
        self.over(&lazy.lengths, lazy.by_columns(), Parallels::gather(ones), span, |this, indices| {
            let value = this.taken(lazy, &indices, ones, how)?;
            this.take(total, value, how, span);
            Ok(())
        })
    }

    /// For each element of the result a scalar gathers.
    fn gather_rows(
        &mut self,
        lazy: &Lazy,
        ones: &Ones,
        axes: &Axes,
        target: Var,
        how: &Gather,
        span: Span,
    ) -> Result<Block> {
        let (outer, inner) = (axes.pick(&lazy.lengths, false), axes.pick(&lazy.lengths, true));
        self.over(&outer, false, Parallels::of(ones), span, |this, at| {
            let total = this.changing(how.begin.clone());
            let lanes = if ones.is_empty() { Parallels::Inner } else { Parallels::None };
            let row = this.over(&inner, false, lanes, span, |this, along| {
                let value = this.taken(lazy, &axes.join(&at, &along), ones, how)?;
                this.take(&total, value, how, span);
                Ok(())
            })?;
            this.splice(row);
            let indices = axes.spread(&at, &int(0, span));
            let store = StatementKind::Store {
                array: target,
                indices,
                value: total,
                update: None,
                check: Check::None,
            };
            this.emit(store, span);
            Ok(())
        })
    }

    /// Rows are gathered into the result.
    fn gather_into(
        &mut self,
        lazy: &Lazy,
        ones: &Ones,
        axes: &Axes,
        target: Var,
        how: &Gather,
        span: Span,
    ) -> Result<Block> {
        self.over(&lazy.lengths, false, Parallels::of(ones), span, |this, indices| {
            let value = this.taken(lazy, &indices, ones, how)?;
            let indices = axes.spread(&axes.pick(&indices, false), &int(0, span));
            let update = Some(how.op);
            this.emit(
                StatementKind::Store { array: target, indices, value, update, check: Check::None },
                span,
            );
            Ok(())
        })
    }

    /// An element as it is gathered.
    fn taken(&mut self, lazy: &Lazy, indices: &[Expr], ones: &Ones, how: &Gather) -> Result<Expr> {
        let value = self.element(lazy, indices, ones)?;
        let value = if how.truth { self.truth(&Value::Expr(value), lazy.span)? } else { value };
        Ok(self.cast(value, Scalar::numpy(how.kind)))
    }

    fn take(&mut self, total: &Expr, value: Expr, how: &Gather, span: Span) {
        let sum = binary(how.op, total.clone(), value, total.ty, Check::None, span);
        self.reassign(total, sum);
    }

    /// Where the least (or greatest) element is, the first of equals; nan before all else: `np.int64`.
    pub fn extreme_at(&mut self, lazy: &Lazy, axes: &Axes, greatest: bool, span: Span) -> Result<Value> {
        let kind = if lazy.element == Kind::Bool { Kind::U8 } else { lazy.element };
        let how = Gather { op: Binary::Add, kind, truth: false, begin: limit(kind, greatest, span) };
        if axes.is_scalar() {
            let at = self.changing(number(0, span));
            self.both_ways(lazy, span, |this, ones| {
                let (outcome, block) =
                    this.apart(|this| this.look(lazy, ones, axes, &[], &at, &how, greatest, span));
                outcome.map(|()| block)
            })?;
            return Ok(Value::Expr(at));
        }
        let (made, target) = self.result(lazy, axes, Kind::I64, span)?;
        let outer = axes.pick(&lazy.lengths, false);
        self.both_ways(lazy, span, |this, ones| {
            this.over(&outer, false, Parallels::of(ones), span, |this, outer| {
                let at = this.changing(number(0, span));
                this.look(lazy, ones, axes, &outer, &at, &how, greatest, span)?;
                let indices = axes.spread(&outer, &int(0, span));
                let store = StatementKind::Store {
                    array: target,
                    indices,
                    value: at,
                    update: None,
                    check: Check::None,
                };
                this.emit(store, span);
                Ok(())
            })
        })?;
        Ok(Value::Expr(made))
    }

    #[expect(clippy::too_many_arguments, reason = "all of one loop")]
    fn look(
        &mut self,
        lazy: &Lazy,
        ones: &Ones,
        axes: &Axes,
        outer: &[Expr],
        at: &Expr,
        how: &Gather,
        greatest: bool,
        span: Span,
    ) -> Result<()> {
        self.reassign(at, number(0, span));
        let best = self.changing(how.begin.clone());
        let count = self.changing(number(0, span));
        let inner = axes.pick(&lazy.lengths, true);
        let block = self.over(&inner, false, Parallels::None, span, |this, along| {
            let value = this.taken(lazy, &axes.join(outer, &along), ones, how)?;
            let value = this.keep(value);
            let op = match (how.kind.is_float(), greatest) {
                (true, true) => Compare::LessEqual,
                (true, false) => Compare::GreaterEqual,
                (false, true) => Compare::Greater,
                (false, false) => Compare::Less,
            };
            let found = compare(op, value.clone(), best.clone(), span);
            let found = this.cast(found, Scalar::BOOL);
            let found = if how.kind.is_float() {
                // Not behind it, or nan; once nan was found it stays.
                let before = Expr::new(
                    ExprKind::Unary { op: Unary::Not, operand: found, check: Check::None },
                    Type::BOOL,
                    span,
                );
                let same = compare(Compare::Equal, best.clone(), best.clone(), span);
                choose(before, this.cast(same, Scalar::BOOL), boolean(false, span), span)
            } else {
                found
            };
            let ((), then) = this.apart(|this| {
                this.reassign(&best, value);
                this.reassign(at, count.clone());
            });
            this.if_then(found, then, Vec::new(), span);
            let next = binary(Binary::Add, count.clone(), number(1, span), count.ty, Check::None, span);
            this.reassign(&count, next);
            Ok(())
        })?;
        self.splice(block);
        Ok(())
    }

    /// `cumsum`, `cumprod` along an axis of an array, into a new one.
    pub fn running(&mut self, lazy: &Lazy, axis: usize, how: &Gather, span: Span) -> Result<Value> {
        let made = new_array(self, lazy.lengths.clone(), how.kind, Fill::Empty, false, span)?;
        let ExprKind::Var(target) = *made.kind else { return Err(Stop::Unknown) };
        let mut axes = Axes { gathered: vec![false; lazy.rank()], kept: false };
        axes.gathered[axis] = true;
        let (outer, inner) = (axes.pick(&lazy.lengths, false), axes.pick(&lazy.lengths, true));
        self.both_ways(lazy, span, |this, ones| {
            this.over(&outer, false, Parallels::of(ones), span, |this, at| {
                let total = this.changing(how.begin.clone());
                let row = this.over(&inner, false, Parallels::None, span, |this, along| {
                    let indices = axes.join(&at, &along);
                    let value = this.taken(lazy, &indices, ones, how)?;
                    this.take(&total, value, how, span);
                    let value = total.clone();
                    let store = StatementKind::Store {
                        array: target,
                        indices,
                        value,
                        update: None,
                        check: Check::None,
                    };
                    this.emit(store, span);
                    Ok(())
                })?;
                this.splice(row);
                Ok(())
            })
        })?;
        Ok(Value::Expr(made))
    }
}

/// A number of NumPy's: counting it cannot fail.
fn number(value: i64, span: Span) -> Expr {
    Expr::new(ExprKind::Int(i128::from(value)), Type::Scalar(Scalar::numpy(Kind::I64)), span)
}

/// What no element is less than (`greatest`) or greater than.
pub fn limit(kind: Kind, greatest: bool, span: Span) -> Expr {
    let value = if kind == Kind::Bool {
        ExprKind::Bool(!greatest)
    } else if kind.is_float() {
        ExprKind::Float(if greatest { f64::NEG_INFINITY } else { f64::INFINITY })
    } else {
        let (low, high) = crate::lower::arithmetic::limits(kind);
        ExprKind::Int(if greatest { low } else { high })
    };
    Expr::new(value, Type::Scalar(Scalar::numpy(kind)), span)
}
