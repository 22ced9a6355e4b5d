//! `random` and `numpy.random`: one number at a time, of streams that depend on the seed and on the place of the draw alone.

use super::nearest::{names, unknown};
use super::{Call, Handler, find, random_arrays, random_choices, random_floats, refused};
use crate::ir::{Check, Draw, Expr, ExprKind, Span, Type};
use crate::lower::value::{Value, float};
use crate::lower::{Lowerer, Result};
use crate::random::{Requirement, requirements};

/// A distribution as NumPy has it: its parameters with their defaults.
pub struct Distribution {
    pub name: &'static str,
    draw: Draw,
    pub parameters: &'static [(&'static str, Option<f64>)],
    /// Arguments that go before: those of a standard form.
    before: &'static [f64],
    after: &'static [f64],
}

const fn of(
    name: &'static str,
    draw: Draw,
    parameters: &'static [(&'static str, Option<f64>)],
) -> Distribution {
    Distribution { name, draw, parameters, before: &[], after: &[] }
}

const LOCATED: &[(&str, Option<f64>)] = &[("loc", Some(0.0)), ("scale", Some(1.0))];

pub const NUMPY: &[Distribution] = &[
    of("beta", Draw::Beta, &[("a", None), ("b", None)]),
    of("binomial", Draw::Binomial, &[("n", None), ("p", None)]),
    of("chisquare", Draw::ChiSquare, &[("df", None)]),
    of("exponential", Draw::Exponential, &[("scale", Some(1.0))]),
    of("gamma", Draw::Gamma, &[("shape", None), ("scale", Some(1.0))]),
    of("geometric", Draw::Geometric, &[("p", None)]),
    of("gumbel", Draw::Gumbel, LOCATED),
    of("laplace", Draw::Laplace, LOCATED),
    of("logistic", Draw::Logistic, LOCATED),
    of("lognormal", Draw::LogNormal, &[("mean", Some(0.0)), ("sigma", Some(1.0))]),
    of("normal", Draw::Normal, LOCATED),
    of("pareto", Draw::Pareto, &[("a", None)]),
    of("poisson", Draw::Poisson, &[("lam", Some(1.0))]),
    of("rayleigh", Draw::Rayleigh, &[("scale", Some(1.0))]),
    Distribution { after: &[1.0], ..of("standard_gamma", Draw::Gamma, &[("shape", None)]) },
    of("standard_cauchy", Draw::StandardCauchy, &[]),
    Distribution { before: &[1.0], ..of("standard_exponential", Draw::Exponential, &[]) },
    Distribution { before: &[0.0, 1.0], ..of("standard_normal", Draw::Normal, &[]) },
    of("standard_t", Draw::StandardT, &[("df", None)]),
    of("triangular", Draw::Triangular, &[("left", None), ("mode", None), ("right", None)]),
    of("uniform", Draw::Uniform, &[("low", Some(0.0)), ("high", Some(1.0))]),
    of("vonmises", Draw::VonMises, &[("mu", None), ("kappa", None)]),
    of("weibull", Draw::Weibull, &[("a", None)]),
];

const NUMPY_TABLE: &[(&str, Handler)] = &[
    ("choice", random_choices::choice),
    ("rand", unit),
    ("randint", random_choices::numpy_integers),
    ("randn", normal_unit),
    ("random", unit),
    ("random_sample", unit),
    ("ranf", unit),
    ("sample", unit),
];

const TABLE: &[(&str, Handler)] = &[
    ("betavariate", random_floats::betavariate),
    ("binomialvariate", random_floats::binomialvariate),
    ("choice", random_choices::choice),
    ("expovariate", random_floats::expovariate),
    ("gammavariate", random_floats::gammavariate),
    ("gauss", random_floats::gauss),
    ("getrandbits", random_choices::getrandbits),
    ("lognormvariate", random_floats::lognormvariate),
    ("normalvariate", random_floats::gauss),
    ("paretovariate", random_floats::paretovariate),
    ("randint", random_choices::randint),
    ("random", unit),
    ("randrange", random_choices::randrange),
    ("triangular", random_floats::triangular),
    ("uniform", random_floats::uniform),
    ("vonmisesvariate", random_floats::vonmisesvariate),
    ("weibullvariate", random_floats::weibullvariate),
];

/// Names of all that is compiled of the module `random`.
pub fn all() -> impl Iterator<Item = &'static str> {
    names(TABLE)
}

/// The same of `numpy.random`.
pub fn all_numpy() -> impl Iterator<Item = &'static str> {
    NUMPY.iter().map(|one| one.name).chain(names(NUMPY_TABLE))
}

/// Of the module `random`.
pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    match find(TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => Err(elsewhere(&call).unwrap_or_else(|| unknown(&call, all()))),
    }
}

/// Of `numpy.random`.
pub fn call_numpy(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    if let Some(array) = random_arrays::sized(lowerer, name, &call) {
        return array;
    }
    if let Some(distribution) = NUMPY.iter().find(|one| one.name == name) {
        return distributed(lowerer, distribution, call);
    }
    match find(NUMPY_TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => Err(elsewhere(&call).unwrap_or_else(|| unknown(&call, all_numpy()))),
    }
}

/// What has another place, and which.
fn elsewhere(call: &Call<'_>) -> Option<crate::lower::Stop> {
    let advice = match call.short() {
        "seed" => {
            "call mh.seed(n) outside, before the compiled function: its numbers are the same for any number of threads"
        }
        "default_rng" | "Generator" | "RandomState" | "Random" | "get_state" | "set_state" | "getstate"
        | "setstate" => {
            "compiled code draws from streams that mh.seed(n) starts: call np.random.normal() and its like"
        }
        "shuffle"
        | "permutation"
        | "sample"
        | "choices"
        | "multivariate_normal"
        | "multinomial"
        | "dirichlet" => "draw the numbers one at a time in a loop, or do it outside",
        _ => return None,
    };
    Some(refused(call.span, format!("{} is not compiled", call.shown()), advice))
}

/// Drawn now, once.
pub fn draw(lowerer: &mut Lowerer<'_>, draw: Draw, arguments: Vec<Expr>, span: Span) -> Expr {
    let whole = matches!(draw, Draw::Integers | Draw::Poisson | Draw::Binomial | Draw::Geometric);
    // What is constant and sound needs no check.
    let sound = requirements(draw).iter().enumerate().all(|(place, requirement)| {
        let value = arguments.get(place).and_then(|argument| match *argument.kind {
            ExprKind::Float(value) => Some(value),
            _ => None,
        });
        match (requirement, value) {
            (Requirement::Any, _) => true,
            (Requirement::NotNegative, Some(value)) => value >= 0.0,
            (Requirement::Positive, Some(value)) => value > 0.0,
            (Requirement::Probability, Some(value)) => (0.0..=1.0).contains(&value),
            _ => false,
        }
    });
    let check = if sound { Check::None } else { Check::Branch };
    let ty = if whole { Type::INT } else { Type::FLOAT };
    lowerer.keep(Expr::new(ExprKind::Random { draw, arguments, check }, ty, span))
}

pub fn no_size(call: &Call<'_>) -> Result<()> {
    match call
        .arguments
        .keywords
        .iter()
        .find(|(name, ..)| matches!(name.as_str(), "size" | "dtype" | "replace"))
    {
        Some((name, _, place)) => Err(refused(
            *place,
            format!("{}(..., {name}=...) is not compiled", call.shown()),
            "draw one number at a time: for i in range(n): x[i] = np.random.normal()",
        )),
        None => Ok(()),
    }
}

fn distributed(lowerer: &mut Lowerer<'_>, one: &Distribution, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let (shown, span) = (call.shown(), call.span);
    let names: Vec<&str> = one.parameters.iter().map(|(name, _)| *name).collect();
    if call.arguments.positional.len() > names.len() {
        return Err(refused(
            span,
            format!("{shown} gives one number in compiled code"),
            "draw one at a time: for i in range(n): x[i] = np.random.normal()",
        ));
    }
    let required = one.parameters.iter().take_while(|(_, default)| default.is_none()).count();
    let values = call.bind(&names, required)?;
    let mut arguments: Vec<Expr> = one.before.iter().map(|value| float(*value, span)).collect();
    for (place, (value, (_, default))) in values.into_iter().zip(one.parameters).enumerate() {
        let argument = match value {
            Some(value) if one.draw == Draw::Binomial && place == 0 => lowerer.index(&value, span)?,
            Some(value) => lowerer.real_number(&value, &shown, span)?,
            None => float(default.unwrap_or(0.0), span),
        };
        arguments.push(argument);
    }
    arguments.extend(one.after.iter().map(|value| float(*value, span)));
    Ok(Value::Expr(draw(lowerer, one.draw, arguments, span)))
}

fn unit(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let span = call.span;
    if !call.arguments.positional.is_empty() {
        return Err(refused(
            span,
            format!("{} gives one number in compiled code", call.shown()),
            "draw one at a time: for i in range(n): x[i] = np.random.random()",
        ));
    }
    let [] = call.exactly()?;
    Ok(Value::Expr(draw(lowerer, Draw::Unit, Vec::new(), span)))
}

fn normal_unit(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    if !call.arguments.positional.is_empty() {
        let advice = "draw one at a time: for i in range(n): x[i] = np.random.randn()";
        return Err(refused(span, "np.random.randn gives one number in compiled code", advice));
    }
    let [] = call.exactly()?;
    Ok(Value::Expr(draw(lowerer, Draw::Normal, vec![float(0.0, span), float(1.0, span)], span)))
}
