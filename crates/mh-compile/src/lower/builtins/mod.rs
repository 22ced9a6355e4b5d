//! What is known by name: functions of builtins, math, cmath, numpy and random, attributes and methods of arrays and numbers.
//!
//! A table for each module: a name and what makes IR of a call. What is not in a table is refused, with the names that are nearest to it.

mod attributes;
mod build;
mod casts;
mod cmath;
mod combinatorics;
mod constructors;
mod distances;
mod dtypes;
mod extremes;
mod indexing;
mod library;
mod math;
mod nearest;
mod numpy;
mod picks;
mod printing;
mod products;
mod python;
mod random;
mod random_arrays;
mod random_choices;
mod random_floats;
mod ranges;
mod ranges_of;
mod reductions;
mod reshapes;
mod rounding;
mod ufuncs;

pub(crate) use attributes::{attribute, call_method, transposed};
pub(crate) use constructors::{array_of_tuple, new_array};
pub(crate) use dtypes::numpy_kind;
pub(crate) use indexing::{Place, is_chosen, place, put, subscript};
pub(crate) use numpy::inputs;

use super::arrays::each_known;
use super::function::Arguments;
use super::types::python_name;
use super::value::Value;
use super::{Lowerer, Result, Stop};
use crate::diagnostic::{Class, Diagnostic, Untaken};
use crate::ir::{Array, Expr, ExprKind, For, Kind, Scalar, Span, StatementKind, Type, Var};

/// Makes IR of a call.
type Handler = fn(&mut Lowerer<'_>, Call<'_>) -> Result<Value>;

/// A call of something known.
pub struct Call<'a> {
    /// The canonical name: `numpy.exp`.
    pub name: &'a str,
    pub arguments: Arguments,
    pub span: Span,
}

impl Call<'_> {
    /// As users write it: `np.exp`.
    fn shown(&self) -> String {
        shown(self.name)
    }

    /// The last part of the name.
    fn short(&self) -> &str {
        self.name.rsplit('.').next().unwrap_or(self.name)
    }

    /// One value for each of `names`, of which the first `required` must be there. A name that begins with `/` is taken by its place only,
    /// one with `*` by its name only.
    fn bind(self, names: &[&str], required: usize) -> Result<Vec<Option<Value>>> {
        let shown = self.shown();
        let error =
            |message: String| Diagnostic::new(Class::TypeError, self.span, format!("{shown}() {message}"));
        let fail = |message: String| Err(error(message).into());
        let mut values: Vec<Option<Value>> = vec![None; names.len()];
        let places = names.iter().take_while(|name| !name.starts_with('*')).count();
        let given = self.arguments.positional.len();
        if given > places {
            let plural = if places == 1 { "" } else { "s" };
            let message = format!("takes at most {places} positional argument{plural} ({given} given)");
            return Err(error(message).untaken(Untaken::Place(places)).into());
        }
        for (slot, (value, _)) in values.iter_mut().zip(self.arguments.positional) {
            *slot = Some(value);
        }
        for (keyword, value, _) in self.arguments.keywords {
            let Some(at) = names.iter().position(|name| name.trim_start_matches('*') == keyword) else {
                return Err(error(unexpected(&keyword)).untaken(Untaken::Keyword(keyword)).into());
            };
            if values[at].replace(value).is_some() {
                return fail(format!("got multiple values for argument '{keyword}'"));
            }
        }
        match values.iter().take(required).position(Option::is_none) {
            Some(at) => {
                fail(format!("missing required argument '{}'", names[at].trim_start_matches(['*', '/'])))
            }
            None => Ok(values),
        }
    }

    /// Exactly one, without a name.
    fn one(self) -> Result<Value> {
        let [value] = self.exactly()?;
        Ok(value)
    }

    /// Exactly so many, without names.
    fn exactly<const N: usize>(self) -> Result<[Value; N]> {
        let (shown, span) = (self.shown(), self.span);
        let values = self.all()?;
        let given = values.len();
        values.try_into().map_err(|_| {
            let plural = if N == 1 { "" } else { "s" };
            type_error(span, format!("{shown}() takes exactly {N} argument{plural} ({given} given)"))
        })
    }

    /// Any number of them, without names.
    fn all(self) -> Result<Vec<Value>> {
        if let Some((keyword, _, span)) = self.arguments.keywords.first() {
            let message = format!("{}() {}", self.shown(), unexpected(keyword));
            let error = Diagnostic::new(Class::TypeError, *span, message);
            return Err(error.untaken(Untaken::Keyword(keyword.clone())).into());
        }
        Ok(self.arguments.positional.into_iter().map(|(value, _)| value).collect())
    }
}

fn unexpected(keyword: &str) -> String {
    format!("got an unexpected keyword argument '{keyword}'")
}

/// A canonical name as users write it.
fn shown(name: &str) -> String {
    if let Some(rest) = name.strip_prefix("numpy.") {
        return format!("np.{rest}");
    }
    if let Some(rest) = name.strip_prefix("manyhands.") {
        return format!("mh.{rest}");
    }
    name.strip_prefix("builtins.").unwrap_or(name).into()
}

fn type_error(span: Span, message: impl Into<String>) -> Stop {
    Diagnostic::new(Class::TypeError, span, message).into()
}

fn value_error(span: Span, message: impl Into<String>) -> Stop {
    Diagnostic::new(Class::ValueError, span, message).into()
}

fn refused(span: Span, message: impl Into<String>, advice: impl Into<String>) -> Stop {
    Diagnostic::new(Class::Unsupported, span, message).advice(advice).into()
}

/// Python's name of a value's type.
fn type_of(value: &Value) -> String {
    match value {
        Value::Slice(_) => "slice".into(),
        Value::Iterable(_) => "range".into(),
        other => other.form().map_or_else(|| "object".into(), |form| python_name(&form)),
    }
}

/// What is compiled, by module: the names of functions. NumPy's that are written in Python are not among them.
pub(crate) fn known() -> Vec<(&'static str, Vec<&'static str>)> {
    let mut all = vec![
        ("builtins", python::all().collect::<Vec<_>>()),
        ("math", math::all().collect()),
        ("cmath", cmath::all().collect()),
        ("numpy", numpy::all().collect()),
        ("random", random::all().collect()),
        ("numpy.random", random::all_numpy().collect()),
        ("numpy.ndarray", attributes::all().collect()),
    ];
    for (_, names) in &mut all {
        names.sort_unstable();
        names.dedup();
    }
    all
}

/// Where all handlers of a module are listed.
fn find(table: &[(&str, Handler)], name: &str) -> Option<Handler> {
    table.iter().find(|(one, _)| *one == name).map(|(_, handler)| *handler)
}

/// Calls what `Found::Known` named.
pub(crate) fn call_known(
    lowerer: &mut Lowerer<'_>,
    name: &str,
    arguments: Arguments,
    span: Span,
) -> Result<Value> {
    called(lowerer, name, arguments, span).map_err(|stop| lowerer.untaken(name, stop))
}

fn called(lowerer: &mut Lowerer<'_>, name: &str, arguments: Arguments, span: Span) -> Result<Value> {
    if let Some(result) = each_known(lowerer, name, &arguments, span) {
        return result;
    }
    if let Some(result) = reductions::call(lowerer, name, &arguments, span) {
        return result;
    }
    if !numpy::knows(name, &arguments) {
        if let Some(result) = lowerer.library(name, &arguments, span) {
            return result;
        }
    }
    let arguments = arguments.made(lowerer)?;
    let call = Call { name, arguments, span };
    let (module, short) = name.rsplit_once('.').unwrap_or(("", name));
    match module {
        "builtins" => python::call(lowerer, short, call),
        "math" => math::call(lowerer, short, call),
        "cmath" => cmath::call(lowerer, short, call),
        "numpy" => numpy::call(lowerer, short, call),
        "random" => random::call(lowerer, short, call),
        "numpy.random" => random::call_numpy(lowerer, short, call),
        "manyhands" => python::call_ours(lowerer, short, call),
        "manyhands._jit_intrinsics" if short == "diagonal_view" => reshapes::diagonal_view(lowerer, call),
        "manyhands._jit_intrinsics" => products::matrices(lowerer, call),
        _ => Err(refused(
            span,
            format!("{} is not compiled", shown(name)),
            "call it outside of the compiled function",
        )),
    }
}

impl Lowerer<'_> {
    /// Each kept in a variable of its own: what follows may emit statements.
    fn settled(&mut self, values: Vec<Value>) -> Vec<Value> {
        values.into_iter().map(|value| self.settle(value)).collect()
    }

    /// A number of any kind; `call` is what takes it.
    fn scalar(&mut self, value: &Value, call: &str, span: Span) -> Result<(Expr, Scalar)> {
        match value {
            Value::Expr(expr) => match expr.ty {
                Type::Scalar(scalar) => Ok((expr.clone(), scalar)),
                Type::Array(_) => Err(refused(
                    span,
                    format!("{call} of a whole array is not compiled yet"),
                    "write the loop over its elements",
                )),
            },
            other => Err(type_error(span, format!("{call}: a number is needed, not {}", type_of(other)))),
        }
    }

    /// A Python float, as the functions of `math` take their arguments.
    fn real_number(&mut self, value: &Value, call: &str, span: Span) -> Result<Expr> {
        match value {
            Value::Expr(expr) if expr.ty.array().is_some() => Err(refused(
                span,
                format!("{call} takes one number, not an array"),
                "write the loop over its elements",
            )),
            Value::Expr(expr) if value.scalar().is_some_and(|scalar| !scalar.kind.is_complex()) => {
                Ok(self.cast(expr.clone(), Scalar::FLOAT))
            }
            _ => Err(type_error(span, format!("must be real number, not {}", type_of(value)))),
        }
    }

    /// An array's variable and type.
    fn array_of(&mut self, value: &Value, call: &str, span: Span) -> Result<(Var, Array)> {
        value
            .array()
            .ok_or_else(|| type_error(span, format!("{call} takes an array, not {}", type_of(value))))
    }

    /// `for i in range(stop)` around what `body` emits.
    fn each(
        &mut self,
        stop: Expr,
        span: Span,
        body: impl FnOnce(&mut Self, Expr) -> Result<()>,
    ) -> Result<()> {
        let (var, id) = (self.temp(Type::INT), self.loop_id());
        let counter = build::variable(var, Type::INT, span);
        let (outcome, body) = self.apart(|this| body(this, counter));
        outcome?;
        let (start, step) = (super::value::int(0, span), super::value::int(1, span));
        let each = For { id, var, start, stop, step, body, parallel: None, fast: None };
        self.emit(StatementKind::For(Box::new(each)), span);
        Ok(())
    }

    /// A new variable with a first value, which what follows assigns anew.
    pub fn changing(&mut self, value: Expr) -> Expr {
        let (ty, span) = (value.ty, value.span);
        let var = self.temp(ty);
        self.assign(var, value);
        build::variable(var, ty, span)
    }

    pub fn reassign(&mut self, variable: &Expr, value: Expr) {
        if let ExprKind::Var(var) = *variable.kind {
            self.assign(var, value);
        }
    }
}

/// Whether NumPy computes functions of this kind in half precision, which is not compiled.
fn is_half(kind: Kind) -> bool {
    matches!(kind, Kind::Bool | Kind::I8 | Kind::U8)
}
