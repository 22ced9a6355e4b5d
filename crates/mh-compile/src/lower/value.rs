//! What an expression is while compiling: a typed IR expression, or something that exists only then (a tuple, `None`, a function, ...).

use std::rc::Rc;

use super::arrays::Lazy;
use super::webs::Analysed;
use crate::ir::{Array, Expr, ExprKind, Scalar, Span, Type, Var};

#[derive(Clone, Debug)]
pub enum Value {
    /// A scalar, or an array as `ExprKind::Var`.
    Expr(Expr),
    /// An array that is computed where it is used (`arrays`): only between an expression and what takes it.
    Lazy(Rc<Lazy>),
    Tuple(Vec<Value>),
    None,
    Static(Static),
    /// `a:b:c` in a subscript.
    Slice(Box<SliceValue>),
    Iterable(Box<Iterable>),
    /// An f-string, for `print`.
    Text(Rc<Vec<Piece>>),
}

#[derive(Clone, Debug)]
pub enum Piece {
    Text(String),
    /// As `str` shows it.
    Value(Value),
    /// With a packed format (`format`).
    Formatted(Expr, i64),
}

#[derive(Clone, Debug)]
pub struct SliceValue {
    pub start: Option<Expr>,
    pub stop: Option<Expr>,
    pub step: Option<Expr>,
}

/// Known when compiling, in full.
#[derive(Clone, Debug, PartialEq)]
pub enum Static {
    Str(String),
    /// A canonical name, as in `world::Found::Known`.
    Known(String),
    Module(u32),
    /// A plain or jitted function: the world's number.
    Function(u32),
    /// A nested `def` or a lambda.
    Closure(Rc<Closure>),
    /// A class of exceptions of the user's: the world's number.
    Exception(u32),
    Ellipsis,
    /// A Python int past 64 bits (`wide`).
    Wide(i128),
}

/// A nested function with the variables around it.
#[derive(Debug)]
pub struct Closure {
    pub tree: Rc<Analysed>,
    pub around: Rc<Around>,
}

/// A function that is being lowered, as the functions nested in it see it.
#[derive(Debug)]
pub struct Around {
    /// Which inlined copy.
    pub path: u32,
    pub tree: Rc<Analysed>,
    pub scope: u32,
    pub source: u16,
    pub around: Option<Rc<Around>>,
}

impl PartialEq for Closure {
    fn eq(&self, other: &Self) -> bool {
        self.tree.id() == other.tree.id() && self.around.path == other.around.path
    }
}

/// What a `for` may run over.
#[derive(Clone, Debug)]
pub enum Iterable {
    /// All `int`. `parallel`: `mh.prange`, and whether it is unchecked.
    Range {
        start: Expr,
        stop: Expr,
        step: Expr,
        parallel: Option<bool>,
        span: Span,
    },
    /// Elements, or views along the first axis.
    Array(Expr),
    Tuple(Vec<Value>),
    Enumerate(Box<Iterable>, Expr),
    Zip(Vec<Iterable>),
    Reversed(Box<Iterable>),
}

/// The type of a `Value`: what a version of a variable holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    Type(Type),
    Tuple(Vec<Form>),
    None,
    Static(Static),
}

impl Value {
    pub fn int(value: i64, span: Span) -> Self {
        Self::Expr(int(value, span))
    }

    pub fn bool(value: bool, span: Span) -> Self {
        Self::Expr(boolean(value, span))
    }

    pub fn known(name: impl Into<String>) -> Self {
        Self::Static(Static::Known(name.into()))
    }

    pub fn str(text: impl Into<String>) -> Self {
        Self::Static(Static::Str(text.into()))
    }

    /// None for slices and iterables: no variable holds them.
    pub fn form(&self) -> Option<Form> {
        Some(match self {
            Self::Expr(expr) => Form::Type(expr.ty),
            Self::Lazy(lazy) => Form::Type(lazy.ty()),
            Self::Tuple(members) => Form::Tuple(members.iter().map(Self::form).collect::<Option<_>>()?),
            Self::None => Form::None,
            Self::Static(known) => Form::Static(known.clone()),
            Self::Slice(_) | Self::Iterable(_) | Self::Text(_) => return None,
        })
    }

    pub fn scalar(&self) -> Option<Scalar> {
        match self {
            Self::Expr(expr) => expr.ty.scalar(),
            _ => None,
        }
    }

    /// An array's variable and type.
    pub fn array(&self) -> Option<(Var, Array)> {
        match self {
            Self::Expr(expr) => match (&*expr.kind, expr.ty) {
                (ExprKind::Var(var), Type::Array(array)) => Some((*var, array)),
                _ => None,
            },
            _ => None,
        }
    }
}

impl Form {
    /// The types of its variables, in order.
    pub fn flatten(&self, into: &mut Vec<Type>) {
        match self {
            Self::Type(ty) => into.push(*ty),
            Self::Tuple(members) => members.iter().for_each(|member| member.flatten(into)),
            Self::None | Self::Static(_) => {}
        }
    }
}

pub fn int(value: i64, span: Span) -> Expr {
    Expr::new(ExprKind::Int(i128::from(value)), Type::INT, span)
}

pub fn boolean(value: bool, span: Span) -> Expr {
    Expr::new(ExprKind::Bool(value), Type::BOOL, span)
}

pub fn float(value: f64, span: Span) -> Expr {
    Expr::new(ExprKind::Float(value), Type::FLOAT, span)
}

/// Reading it again gives the same, at no cost.
pub fn is_simple(expr: &Expr) -> bool {
    is_constant(expr) || matches!(*expr.kind, ExprKind::Var(_))
}

pub fn is_constant(expr: &Expr) -> bool {
    matches!(*expr.kind, ExprKind::Bool(_) | ExprKind::Int(_) | ExprKind::Float(_) | ExprKind::Complex(..))
}

pub fn constant_int(expr: &Expr) -> Option<i128> {
    match *expr.kind {
        ExprKind::Int(value) => Some(value),
        ExprKind::Bool(value) => Some(i128::from(value)),
        _ => None,
    }
}
