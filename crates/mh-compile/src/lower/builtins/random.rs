//! `random` and `numpy.random`: one number at a time, of streams that depend on the seed and on the place of the draw alone.

use super::build::{binary, choose, compare};
use super::nearest::{names, unknown};
use super::{Call, Handler, find, indexing, refused, type_error, type_of, value_error};
use crate::ir::{Binary, Check, Compare, Draw, Expr, ExprKind, Span, Type};
use crate::lower::value::{Static, Value, constant_int, float, int};
use crate::lower::{Lowerer, Result};
use crate::random::{Requirement, requirements};

/// A distribution as NumPy has it: its parameters with their defaults.
struct Distribution {
    name: &'static str,
    draw: Draw,
    parameters: &'static [(&'static str, Option<f64>)],
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

const NUMPY: &[Distribution] = &[
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
    ("choice", choice),
    ("rand", unit),
    ("randint", numpy_integers),
    ("randn", normal_unit),
    ("random", unit),
    ("random_sample", unit),
    ("ranf", unit),
    ("sample", unit),
];

const TABLE: &[(&str, Handler)] = &[
    ("betavariate", betavariate),
    ("binomialvariate", binomialvariate),
    ("choice", choice),
    ("expovariate", expovariate),
    ("gammavariate", gammavariate),
    ("gauss", gauss),
    ("getrandbits", getrandbits),
    ("lognormvariate", lognormvariate),
    ("normalvariate", gauss),
    ("paretovariate", paretovariate),
    ("randint", randint),
    ("random", unit),
    ("randrange", randrange),
    ("triangular", triangular),
    ("uniform", uniform),
    ("vonmisesvariate", vonmisesvariate),
    ("weibullvariate", weibullvariate),
];

/// Of the module `random`.
pub fn call(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    match find(TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => Err(elsewhere(&call).unwrap_or_else(|| unknown(&call, names(TABLE)))),
    }
}

/// Of `numpy.random`.
pub fn call_numpy(lowerer: &mut Lowerer<'_>, name: &str, call: Call<'_>) -> Result<Value> {
    if let Some(distribution) = NUMPY.iter().find(|one| one.name == name) {
        return distributed(lowerer, distribution, call);
    }
    match find(NUMPY_TABLE, name) {
        Some(handler) => handler(lowerer, call),
        None => {
            let all = NUMPY.iter().map(|one| one.name).chain(names(NUMPY_TABLE));
            Err(elsewhere(&call).unwrap_or_else(|| unknown(&call, all)))
        }
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
fn draw(lowerer: &mut Lowerer<'_>, draw: Draw, arguments: Vec<Expr>, span: Span) -> Expr {
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

fn no_size(call: &Call<'_>) -> Result<()> {
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

fn uniform(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::Uniform, call, &[("a", None), ("b", None)])
}

/// `mu + sigma z`: a negative deviation is no error in Python.
fn gauss(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, &[("mu", Some(0.0)), ("sigma", Some(1.0))])?;
    let z = draw(lowerer, Draw::Normal, vec![float(0.0, span), float(1.0, span)], span);
    let [mu, sigma] = two(arguments, span)?;
    Ok(Value::Expr(binary(Binary::Add, mu, binary(Binary::Multiply, z, sigma))))
}

fn two(arguments: Vec<Expr>, span: Span) -> Result<[Expr; 2]> {
    arguments.try_into().map_err(|_| type_error(span, "two numbers are needed"))
}

fn lognormvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::LogNormal, call, &[("mu", None), ("sigma", None)])
}

fn betavariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::Beta, call, &[("alpha", None), ("beta", None)])
}

fn vonmisesvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    drawn(lowerer, Draw::VonMises, call, &[("mu", None), ("kappa", None)])
}

fn gammavariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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
fn expovariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let rate = floats(lowerer, call, &[("lambd", Some(1.0))])?.remove(0);
    let standard = draw(lowerer, Draw::Exponential, vec![float(1.0, span)], span);
    lowerer.binary(Binary::Divide, &Value::Expr(standard), &Value::Expr(rate), span)
}

/// Python's begins at 1, NumPy's at 0.
fn paretovariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let arguments = floats(lowerer, call, &[("alpha", None)])?;
    let found = draw(lowerer, Draw::Pareto, arguments, span);
    Ok(Value::Expr(binary(Binary::Add, found, float(1.0, span))))
}

fn weibullvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let [scale, shape] = two(floats(lowerer, call, &[("alpha", None), ("beta", None)])?, span)?;
    let found = draw(lowerer, Draw::Weibull, vec![shape], span);
    Ok(Value::Expr(binary(Binary::Multiply, scale, found)))
}

/// The mode is in the middle where it is not said.
fn triangular(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

fn binomialvariate(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
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

/// `low <= x < high`, after a check of its own.
fn between(lowerer: &mut Lowerer<'_>, low: Expr, high: Expr, message: &str, span: Span) -> Result<Expr> {
    let empty = compare(Compare::LessEqual, high.clone(), low.clone());
    match (constant_int(&low), constant_int(&high)) {
        (Some(low), Some(high)) if high <= low => return Err(value_error(span, message)),
        (Some(_), Some(_)) => {}
        _ => lowerer.raise_if(empty, "ValueError", message, Vec::new(), span),
    }
    let drawn = ExprKind::Random { draw: Draw::Integers, arguments: vec![low, high], check: Check::None };
    Ok(lowerer.keep(Expr::new(drawn, Type::INT, span)))
}

fn whole(lowerer: &mut Lowerer<'_>, value: &Value, span: Span) -> Result<Expr> {
    let value = lowerer.index(value, span)?;
    Ok(lowerer.spill(value))
}

fn randint(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["a", "b"], 2)?.into_iter().flatten();
    let (Some(a), Some(b)) = (values.next(), values.next()) else {
        return Err(type_error(span, "randint(a, b)"));
    };
    let (a, b) = (whole(lowerer, &a, span)?, whole(lowerer, &b, span)?);
    let Value::Expr(past) = lowerer.binary(Binary::Add, &Value::Expr(b), &Value::int(1, span), span)? else {
        return Err(type_error(span, "randint(a, b)"));
    };
    let past = lowerer.spill(past);
    between(lowerer, a, past, "empty range for randint()", span).map(Value::Expr)
}

fn randrange(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut values = call.bind(&["start", "stop", "step"], 1)?.into_iter();
    let start = values.next().flatten().unwrap_or(Value::None);
    let stop = values.next().flatten().filter(|value| !matches!(value, Value::None));
    let step = values.next().flatten();
    let start = whole(lowerer, &start, span)?;
    let Some(stop) = stop else {
        return between(lowerer, int(0, span), start, "empty range for randrange()", span).map(Value::Expr);
    };
    let stop = whole(lowerer, &stop, span)?;
    let step = match step {
        Some(step) => whole(lowerer, &step, span)?,
        None => int(1, span),
    };
    match constant_int(&step) {
        Some(1) => {
            return between(lowerer, start, stop, "empty range for randrange()", span).map(Value::Expr);
        }
        Some(0) => return Err(value_error(span, "zero step for randrange()")),
        Some(_) => {}
        None => {
            let zero = compare(Compare::Equal, step.clone(), int(0, span));
            lowerer.raise_if(zero, "ValueError", "zero step for randrange()", Vec::new(), span);
        }
    }
    // (stop - start + step - sign) // step numbers.
    let both = |lowerer: &mut Lowerer<'_>, op, left: Expr, right: Expr| match lowerer.binary(
        op,
        &Value::Expr(left),
        &Value::Expr(right),
        span,
    )? {
        Value::Expr(result) => Ok::<Expr, crate::lower::Stop>(result),
        _ => Err(type_error(span, "randrange(start, stop, step)")),
    };
    let sign = choose(compare(Compare::Greater, step.clone(), int(0, span)), int(1, span), int(-1, span));
    let width = both(lowerer, Binary::Subtract, stop, start.clone())?;
    let width = both(lowerer, Binary::Add, width, step.clone())?;
    let width = both(lowerer, Binary::Subtract, width, sign)?;
    let count = both(lowerer, Binary::FloorDivide, width, step.clone())?;
    let count = lowerer.spill(count);
    let place = between(lowerer, int(0, span), count, "empty range for randrange()", span)?;
    let moved = both(lowerer, Binary::Multiply, step, place)?;
    both(lowerer, Binary::Add, start, moved).map(Value::Expr)
}

fn getrandbits(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let value = call.one()?;
    let bits = lowerer.index(&value, span)?;
    match constant_int(&bits) {
        Some(bits @ 1..=62) => {
            between(lowerer, int(0, span), int(1 << bits, span), "", span).map(Value::Expr)
        }
        _ => Err(refused(
            span,
            "random.getrandbits is compiled for 1 to 62 bits, as a constant",
            "write it out: getrandbits(32)",
        )),
    }
}

/// `np.random.randint(low, high)`; `high` alone begins at 0.
fn numpy_integers(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let span = call.span;
    let mut values = call.bind(&["low", "high"], 1)?.into_iter();
    let low = values.next().flatten().unwrap_or(Value::None);
    let low = whole(lowerer, &low, span)?;
    let (low, high, message) = match values.next().flatten().filter(|value| !matches!(value, Value::None)) {
        Some(high) => (low, whole(lowerer, &high, span)?, "low >= high"),
        None => (int(0, span), low, "high <= 0"),
    };
    between(lowerer, low, high, message, span).map(Value::Expr)
}

/// A member of a tuple, an element of an array; NumPy's takes a number too.
fn choice(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    no_size(&call)?;
    let (numpy, shown, span) = (call.name.starts_with("numpy"), call.shown(), call.span);
    let value = call.one()?;
    let empty = if numpy {
        "a cannot be empty unless no samples are taken"
    } else {
        "Cannot choose from an empty sequence"
    };
    let class = if numpy { "ValueError" } else { "IndexError" };
    match &value {
        Value::Tuple(members) if members.is_empty() => Err(value_error(span, empty)),
        Value::Tuple(members) => {
            let members = lowerer.settled(members.clone());
            let count = int(i64::try_from(members.len()).unwrap_or(i64::MAX), span);
            let place = between(lowerer, int(0, span), count, empty, span)?;
            let mut result: Option<Expr> = None;
            for (number, member) in members.iter().enumerate().rev() {
                let (x, _) = lowerer.scalar(member, &shown, span)?;
                result = Some(match result {
                    None => x,
                    Some(rest) if rest.ty == x.ty => {
                        let here = int(i64::try_from(number).unwrap_or(0), span);
                        choose(compare(Compare::Equal, place.clone(), here), x, rest)
                    }
                    Some(_) => {
                        return Err(refused(
                            span,
                            format!("{shown} of a tuple whose members have different types is not compiled"),
                            "give all members one type",
                        ));
                    }
                });
            }
            result.map(Value::Expr).ok_or_else(|| value_error(span, empty))
        }
        Value::Static(Static::Str(_)) | Value::None => {
            Err(type_error(span, format!("{shown} of {} is not compiled", type_of(&value))))
        }
        Value::Expr(expr) if expr.ty.scalar().is_some() && numpy => {
            let count = whole(lowerer, &value, span)?;
            between(
                lowerer,
                int(0, span),
                count,
                "a must be greater than 0 unless no samples are taken",
                span,
            )
            .map(Value::Expr)
        }
        _ => match value.array() {
            Some((var, array)) if array.rank == 1 => {
                let count = lowerer.spill(super::build::dim(var, 0, span));
                let none = compare(Compare::Equal, count.clone(), int(0, span));
                lowerer.raise_if(none, class, empty, Vec::new(), span);
                let place = between(lowerer, int(0, span), count, empty, span)?;
                indexing::subscript(lowerer, value, Value::Expr(place), span)
            }
            _ => Err(refused(
                span,
                format!("{shown} of {} is not compiled", type_of(&value)),
                "choose from a tuple or an array of one dimension",
            )),
        },
    }
}
