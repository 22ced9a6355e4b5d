//! Array expressions: what is computed element by element stays a tree while lowering, and becomes one loop where it is needed.
//!
//! A `Lazy` knows its lengths, the kind of its elements and how to write the expression of one element (`element`). Operators and functions of
//! numbers make greater ones of it; their types, rules and refusals are those of the scalars, lowered once for a look (`kind_of`).
//! It is read where a whole array is taken (`made`), stored (`fill`), or gathered (`reduce`): each of them one nest of loops.

mod element;
mod fill;
mod flat;
mod gather;
mod known;
mod shapes;

pub use element::Ones;
pub use fill::Parallels;
pub use gather::{Axes, Gather, limit};
pub use known::{METHODS, each_known, method};
pub use shapes::shapes_text;

use std::rc::Rc;

use super::builtins;
use super::effects::{self, reads_any};
use super::function::Arguments;
use super::types::promote;
use super::value::{Value, is_constant};
use super::{Lowerer, Result, Stop};
use crate::ir::{Array, Binary, Compare, Expr, ExprKind, Flavour, Kind, Layout, Scalar, Span, Type, Var};

/// An array that is computed where it is used.
#[derive(Clone, Debug)]
pub struct Lazy {
    /// Of each axis: an `int` that can be read again (a number, a temporary, an array's `Dim`).
    pub lengths: Vec<Expr>,
    pub element: Kind,
    pub node: Node,
    pub span: Span,
}

#[derive(Clone, Debug)]
pub enum Node {
    /// In memory; `units`: axes that are known to have one element.
    Stored {
        var: Var,
        array: Array,
        units: Vec<bool>,
    },
    Each {
        op: Op,
        operands: Vec<Operand>,
    },
}

#[derive(Clone, Debug)]
pub enum Operand {
    Array(Rc<Lazy>),
    /// The same for all elements: a number that is kept, or what is known when compiling.
    Other(Value),
}

/// What is done with the elements.
#[derive(Clone, Debug)]
pub enum Op {
    Binary(Binary),
    Compare(Compare),
    /// `USub`, `UAdd`, `Invert`.
    Unary(String),
    /// To the kind of the result, as `astype` converts.
    Cast(Kind),
    /// A function of numbers: so many by their place, the rest by these names.
    Known {
        name: String,
        places: usize,
        keywords: Vec<String>,
    },
}

impl Lazy {
    pub fn rank(&self) -> usize {
        self.lengths.len()
    }

    /// The type of the array that it becomes.
    pub fn ty(&self) -> Type {
        match &self.node {
            Node::Stored { array, .. } => Type::Array(*array),
            Node::Each { .. } => {
                let rank = self.lengths.len() as u8;
                let layout = if self.by_columns() { Layout::F } else { Layout::C };
                Type::Array(Array { element: self.element, rank, layout, writable: true })
            }
        }
    }

    /// How many operations its elements take.
    fn operations(&self) -> usize {
        match &self.node {
            Node::Stored { .. } => 0,
            Node::Each { op, operands } => {
                let inner = operands.iter().map(|operand| match operand {
                    Operand::Array(lazy) => lazy.operations(),
                    Operand::Other(_) => 0,
                });
                inner.sum::<usize>() + usize::from(!matches!(op, Op::Cast(_)))
            }
        }
    }

    /// Calls `with` for each array in memory that it reads.
    pub fn stored(&self, with: &mut dyn FnMut(Var, Array, &[bool])) {
        match &self.node {
            Node::Stored { var, array, units } => with(*var, *array, units),
            Node::Each { operands, .. } => {
                for operand in operands {
                    if let Operand::Array(lazy) = operand {
                        lazy.stored(with);
                    }
                }
            }
        }
    }

    /// Whether all that it reads lies column by column: so does what it becomes, as NumPy has it.
    fn by_columns(&self) -> bool {
        let rank = self.rank();
        let (mut some, mut all) = (false, rank > 1);
        self.stored(&mut |_, array, _| {
            if usize::from(array.rank) == rank {
                some = true;
                all &= array.layout == Layout::F;
            }
        });
        some && all
    }

    /// Whether reading it later gives the same, though `written` are assigned meanwhile (and nothing is stored).
    pub fn stands(&self, written: &dyn Fn(Var) -> bool) -> bool {
        let mut stands = !self.lengths.iter().any(|length| reads_any(length, written));
        self.stored(&mut |var, _, _| stands &= !written(var));
        stands
    }
}

/// Whether an operand is an array, made or not.
pub fn is_array(value: &Value) -> bool {
    match value {
        Value::Lazy(_) => true,
        Value::Expr(expr) => expr.ty.array().is_some(),
        _ => false,
    }
}

impl Lowerer<'_> {
    /// A value as it can be kept, passed on or returned: what was not made yet is.
    pub fn made(&mut self, value: Value) -> Result<Value> {
        match value {
            Value::Lazy(lazy) => self.materialise(&lazy).map(Value::Expr),
            other => Ok(other),
        }
    }

    /// An array as a tree of itself.
    pub fn lazy_of(&mut self, value: &Value) -> Option<Rc<Lazy>> {
        match value {
            Value::Lazy(lazy) => Some(lazy.clone()),
            Value::Expr(expr) => match (&*expr.kind, expr.ty) {
                (ExprKind::Var(var), Type::Array(array)) => {
                    Some(Rc::new(self.stored(*var, array, expr.span)))
                }
                _ => None,
            },
            _ => None,
        }
    }

    pub fn stored(&mut self, var: Var, array: Array, span: Span) -> Lazy {
        let rank = usize::from(array.rank);
        let units = self.units.get(&var).cloned().unwrap_or_else(|| vec![false; rank]);
        let length = |axis: usize| match units.get(axis) {
            Some(true) => super::value::int(1, span),
            _ => Expr::new(ExprKind::Dim { array: var, axis: axis as u8 }, Type::INT, span),
        };
        let lengths = (0..rank).map(length).collect();
        Lazy { lengths, element: array.element, node: Node::Stored { var, array, units }, span }
    }

    /// Which axes of an array in memory are known to have one element.
    pub fn units_of(&self, lazy: &Lazy) -> Option<Vec<bool>> {
        match &lazy.node {
            Node::Stored { var, .. } => self.units.get(var).cloned(),
            Node::Each { .. } => None,
        }
    }

    /// `op` of each element; operands are arrays, at least one of them, and numbers.
    pub fn each_of(&mut self, op: Op, values: Vec<Value>, span: Span) -> Result<Value> {
        let mut operands = Vec::with_capacity(values.len());
        for value in values {
            operands.push(match self.lazy_of(&value) {
                Some(lazy) => Operand::Array(lazy),
                None => Operand::Other(self.settle(value)),
            });
        }
        let op = self.simpler(op, &mut operands, span);
        let shapes: Vec<Vec<Expr>> = operands
            .iter()
            .filter_map(|operand| match operand {
                Operand::Array(lazy) => Some(lazy.lengths.clone()),
                Operand::Other(_) => None,
            })
            .collect();
        let (element, fails) = self.kind_of(&op, &operands, span)?;
        let lengths = self.broadcast(&shapes, span)?;
        let lazy = Lazy { lengths, element, node: Node::Each { op, operands }, span };
        if lazy.lengths.is_empty() {
            // NumPy gives a number for arrays without dimensions.
            let value = self.element(&lazy, &[], &element::Ones::new())?;
            return Ok(Value::Expr(self.keep(value)));
        }
        let value = Value::Lazy(Rc::new(lazy));
        // What may raise is computed now: in Python's order.
        if fails { self.made(value) } else { Ok(value) }
    }

    /// Powers that NumPy has simpler functions for; and numbers of Python's beside integers, which must fit.
    fn simpler(&mut self, op: Op, operands: &mut [Operand], span: Span) -> Op {
        let Op::Binary(binary) = op else { return op };
        if let (Binary::Power, [Operand::Array(base), Operand::Other(Value::Expr(exponent))]) =
            (binary, &*operands)
        {
            let python = exponent.ty.scalar().is_some_and(|scalar| scalar.flavour == Flavour::Python);
            let inexact = base.element.is_float() || base.element.is_complex();
            let function = match *exponent.kind {
                ExprKind::Int(2) if python => Some("square"),
                ExprKind::Float(power) if power == 2.0 && python && inexact => Some("square"),
                ExprKind::Float(power) if power == 0.5 && python && inexact => Some("sqrt"),
                _ => None,
            };
            if let Some(function) = function {
                operands[1] = Operand::Other(Value::None);
                return Op::Known { name: format!("numpy.{function}"), places: 1, keywords: Vec::new() };
            }
        }
        let kinds: Vec<Kind> = operands
            .iter()
            .filter_map(|operand| match operand {
                Operand::Array(lazy) => Some(lazy.element),
                Operand::Other(_) => None,
            })
            .collect();
        if let ([kind], true) = (kinds.as_slice(), binary != Binary::Divide) {
            for operand in operands {
                let Operand::Other(Value::Expr(number)) = operand else { continue };
                let Some(scalar) = number.ty.scalar() else { continue };
                let both = promote(Scalar::numpy(*kind), scalar);
                if scalar == Scalar::INT && both.kind.is_integer() {
                    let fits = self.cast(number.clone(), both);
                    let mut fits = self.spill(fits);
                    fits.span = span;
                    *number = fits;
                }
            }
        }
        op
    }

    /// The kind of the elements that `op` gives, and whether it may fail: lowered for a look, and forgotten.
    fn kind_of(&mut self, op: &Op, operands: &[Operand], span: Span) -> Result<(Kind, bool)> {
        let before = (self.variables.len(), self.statements, self.labels, self.loops, self.exceptions.len());
        let values = operands
            .iter()
            .map(|operand| match operand {
                Operand::Array(lazy) => {
                    let ty = Type::Scalar(Scalar::numpy(lazy.element));
                    Value::Expr(Expr::new(ExprKind::Var(self.temp(ty)), ty, span))
                }
                Operand::Other(value) => value.clone(),
            })
            .collect();
        let (outcome, block) = self.apart(|this| this.apply(op, values, span));
        self.variables.truncate(before.0);
        (self.statements, self.labels, self.loops) = (before.1, before.2, before.3);
        self.exceptions.truncate(before.4);
        let value = outcome?;
        let Some(scalar) = value.ty.scalar() else { return Err(Stop::Unknown) };
        Ok((scalar.kind, effects::fails(&value) || effects::may_fail(&block)))
    }

    /// `op` of numbers, in NumPy's flavour.
    fn apply(&mut self, op: &Op, values: Vec<Value>, span: Span) -> Result<Expr> {
        let value = match (op, values.as_slice()) {
            (Op::Binary(op), [left, right]) => self.binary(*op, left, right, span)?,
            (Op::Compare(op), [left, right]) => Value::Expr(self.compare(*op, left, right, span)?),
            (Op::Unary(op), [operand]) => self.unary(op, operand, span)?,
            (Op::Cast(kind), [Value::Expr(value)]) => {
                Value::Expr(self.cast(value.clone(), Scalar::numpy(*kind)))
            }
            (Op::Known { name, places, keywords }, _) => {
                let mut values = values.into_iter();
                let positional = values.by_ref().take(*places).map(|value| (value, span)).collect();
                let keywords =
                    keywords.iter().zip(values).map(|(name, value)| (name.clone(), value, span)).collect();
                builtins::call_known(self, name, Arguments { positional, keywords }, span)?
            }
            _ => return Err(Stop::Unknown),
        };
        match value {
            Value::Expr(value) => match value.ty.scalar() {
                Some(scalar) => Ok(self.cast(value, Scalar::numpy(scalar.kind))),
                None => Err(Stop::Unknown),
            },
            _ => Err(Stop::Unknown),
        }
    }
}

/// Whether two lengths are written alike: then they are equal.
pub fn alike(a: &Expr, b: &Expr) -> bool {
    match (&*a.kind, &*b.kind) {
        (ExprKind::Int(a), ExprKind::Int(b)) => a == b,
        (ExprKind::Var(a), ExprKind::Var(b)) => a == b,
        (ExprKind::Dim { array: a, axis: i }, ExprKind::Dim { array: b, axis: j }) => a == b && i == j,
        _ => false,
    }
}

pub fn is_one(length: &Expr) -> bool {
    is_constant(length) && matches!(*length.kind, ExprKind::Int(1))
}
