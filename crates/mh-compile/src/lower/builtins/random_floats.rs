//! Distributions of Python's module `random`, from those that the IR draws.

use super::build::{binary, compare};
use super::random::draw;
use super::{Call, type_error};
use crate::ir::{Binary, Compare, Draw, Expr, ExprKind, Span};
use crate::lower::value::{Value, float, int};
use crate::lower::{Lowerer, Result};

/// Arguments as floats, with defaults.
fn floats(
    lowerer: &mut Lowerer<'_>,
    call: Call<'_>,
    parameters: &[(&str, Option<f64>)],
) -> Result<Vec<Expr>> {
    let (shown, span) = (call.shown(), call.span);
    let names: Vec<&str> = parameters.iter().map(|(name, _)| *name).collect();
    let required = parameters.iter().take_while(|(_, default)| default.is_none()).count();
    let mut found = Vec::new();
    for (value, (_, default)) in call.bind(&names, required)?.into_iter().zip(parameters) {
        let value = match value {
            Some(value) => lowerer.real_number(&value, &shown, span)?,
            None => float(default.unwrap_or(0.0), span),
        };
        found.push(lowerer.spill(value));
    }
    Ok(found)
}

fn drawn(
    lowerer: &mut Lowerer<'_>,
    which: Draw,
    call: Call<'_>,
    parameters: &[(&str, Option<f64>)],
) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, parameters)?;
    Ok(Value::Expr(draw(lowerer, which, arguments, span)))
}

pub fn uniform(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::Uniform, call, &[("a", None), ("b", None)])
}

/// `mu + sigma z`: a negative deviation is no error in Python.
pub fn gauss(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, &[("mu", Some(0.0)), ("sigma", Some(1.0))])?;
    let z = draw(lowerer, Draw::Normal, vec![float(0.0, span), float(1.0, span)], span);
    let [mu, sigma] = two(arguments, span)?;
    Ok(Value::Expr(binary(Binary::Add, mu, binary(Binary::Multiply, z, sigma))))
}

fn two(arguments: Vec<Expr>, span: Span) -> Result<[Expr; 2]> {
    arguments.try_into().map_err(|_| type_error(span, "two numbers are needed"))
}

pub fn lognormvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::LogNormal, call, &[("mu", None), ("sigma", None)])
}

pub fn betavariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::Beta, call, &[("alpha", None), ("beta", None)])
}

pub fn vonmisesvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::VonMises, call, &[("mu", None), ("kappa", None)])
}

pub fn gammavariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, &[("alpha", None), ("beta", None)])?;
    for argument in &arguments {
        if matches!(*argument.kind, ExprKind::Float(value) if value > 0.0) {
            continue;
        }
        let sound = compare(Compare::Greater, argument.clone(), float(0.0, span));
        let wrong = super::build::not(sound);
        lowerer.raise_if(wrong, "ValueError", "gammavariate: alpha and beta must be > 0.0", Vec::new(), span);
    }
    Ok(Value::Expr(draw(lowerer, Draw::Gamma, arguments, span)))
}

/// A standard draw over the rate: a rate of 0 raises as the division does.
pub fn expovariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let rate = floats(lowerer, call, &[("lambd", Some(1.0))])?.remove(0);
    let standard = draw(lowerer, Draw::Exponential, vec![float(1.0, span)], span);
    lowerer.binary(Binary::Divide, &Value::Expr(standard), &Value::Expr(rate), span)
}

/// Python's begins at 1, NumPy's at 0.
pub fn paretovariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, &[("alpha", None)])?;
    let found = draw(lowerer, Draw::Pareto, arguments, span);
    Ok(Value::Expr(binary(Binary::Add, found, float(1.0, span))))
}

pub fn weibullvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let [scale, shape] = two(floats(lowerer, call, &[("alpha", None), ("beta", None)])?, span)?;
    let found = draw(lowerer, Draw::Weibull, vec![shape], span);
    Ok(Value::Expr(binary(Binary::Multiply, scale, found)))
}

/// The mode is in the middle where it is not said.
pub fn triangular(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["low", "high", "mode"], 0)?.into_iter();
    let mut bound = |lowerer: &mut Lowerer<'_>, default: Option<f64>| -> Result<Option<Expr>> {
        match values.next().flatten() {
            None | Some(Value::None) => Ok(default.map(|default| float(default, span))),
            Some(value) => {
                let value = lowerer.real_number(&value, &shown, span)?;
                Ok(Some(lowerer.spill(value)))
            }
        }
    };
    let low = bound(lowerer, Some(0.0))?.unwrap_or_else(|| float(0.0, span));
    let high = bound(lowerer, Some(1.0))?.unwrap_or_else(|| float(1.0, span));
    let mode = bound(lowerer, None)?.unwrap_or_else(|| {
        let middle = binary(Binary::Add, low.clone(), high.clone());
        binary(Binary::Multiply, middle, float(0.5, span))
    });
    Ok(Value::Expr(draw(lowerer, Draw::Triangular, vec![low, mode, high], span)))
}

pub fn binomialvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let (shown, span) = (call.shown(), call.span);
    let mut values = call.bind(&["n", "p"], 0)?.into_iter();
    let n = match values.next().flatten() {
        Some(n) => lowerer.index(&n, span)?,
        None => int(1, span),
    };
    let p = match values.next().flatten() {
        Some(p) => lowerer.real_number(&p, &shown, span)?,
        None => float(0.5, span),
    };
    Ok(Value::Expr(draw(lowerer, Draw::Binomial, vec![n, p], span)))
}
