//! All stages in a row, and what is known of a compiled function beside its code.

use std::fmt::{self, Display, Formatter};

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::emit::emit;
use crate::ir::{Exception, Flavour, Kind, Layout, Module, Scalar, Shape, Source, Span, Type};
use crate::lower::lower;
use crate::world::World;
use crate::{formulas, jam, races, ranges, sums};

/// LLVM text of `entry`, a function of the world's, for arguments of these types.
///
/// For machines of this level of x86-64 (see `level`): the bits of results are the same at all.
/// Without `parallel` each `prange` runs serially, as one without a plan does; random numbers are the same.
///
/// # Errors
/// What cannot be compiled, with the sources that its spans count.
#[expect(clippy::result_large_err, reason = "once per compilation, and the caller wants both")]
pub fn compile(
    world: &mut dyn World,
    entry: u32,
    arguments: &[Argument],
    parallel: bool,
    level: u32,
) -> Result<(String, Info), (Diagnostic, Vec<Source>)> {
    let module = staged(world, entry, arguments, parallel, level)?;
    let emitted = emit(&module);
    let info = Info {
        arguments: arguments.to_vec(),
        result: module.result,
        hidden: module.hidden,
        sources: module.sources,
        exceptions: module.exceptions,
        sites: emitted.sites,
        notices: emitted.notices,
        short: false,
        random: emitted.random,
    };
    Ok((emitted.text, info))
}

/// The module as it is emitted.
#[expect(clippy::result_large_err, reason = "as `compile`")]
pub(crate) fn staged(
    world: &mut dyn World,
    entry: u32,
    arguments: &[Argument],
    parallel: bool,
    level: u32,
) -> Result<Module, (Diagnostic, Vec<Source>)> {
    let mut module = lower(world, entry, arguments)?;
    formulas::delay(&mut module);
    if parallel {
        races::check(&mut module).map_err(|diagnostic| (diagnostic, module.sources.clone()))?;
    }
    ranges::relax(&mut module);
    sums::keep(&mut module);
    jam::together(&mut module, level);
    Ok(module)
}

/// Type of one argument, as the call brings it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Argument {
    /// Known when compiling: `if x is None` is decided then.
    None,
    Scalar(Scalar),
    Array(crate::ir::Array),
    Tuple(Vec<Argument>),
}

/// A type as users read it: `int`, `np.float32`, `array(float64, 2d, C)`.
impl Display for Argument {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Scalar(scalar) => f.write_str(&type_name(Type::Scalar(*scalar))),
            Self::Array(array) => f.write_str(&type_name(Type::Array(*array))),
            Self::Tuple(members) => {
                let members: Vec<_> = members.iter().map(ToString::to_string).collect();
                write!(f, "tuple({})", members.join(", "))
            }
        }
    }
}

/// A type as users read it.
#[must_use]
pub fn type_name(ty: Type) -> String {
    match ty {
        Type::Scalar(scalar) => match (scalar.flavour, scalar.kind) {
            (Flavour::Python, Kind::Bool) => "bool".into(),
            (Flavour::Python, Kind::F64) => "float".into(),
            (Flavour::Python, Kind::C128) => "complex".into(),
            (Flavour::Python, _) => "int".into(),
            (Flavour::NumPy, kind) => format!("np.{}", kind.name()),
        },
        Type::Array(array) => {
            let layout = match array.layout {
                Layout::C => "C",
                Layout::F => "F",
                Layout::Inner => "inner",
                Layout::Any => "any",
                Layout::Places => "places",
            };
            let reading = if array.writable { "" } else { ", read-only" };
            format!("array({}, {}d, {layout}{reading})", array.element.name(), array.rank)
        }
    }
}

/// What is kept beside the object: all that a call needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Info {
    pub arguments: Vec<Argument>,
    /// How the results, flattened, make up the value that Python gets.
    pub result: Shape,
    /// The world's numbers of hidden arguments (arrays of globals and closures), after the arguments.
    pub hidden: Vec<u32>,
    pub sources: Vec<Source>,
    pub exceptions: Vec<Exception>,
    /// `Rt::error.site` counts them.
    pub sites: Vec<Site>,
    /// `Rt::notice` counts them.
    pub notices: Vec<Notice>,
    /// Takes next to no time until it first asks something of `Rt` that tells that it is long (see `short`); known once LLVM has seen it.
    pub short: bool,
    /// Draws random numbers: each call takes a new key.
    pub random: bool,
}

/// A place that may raise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    pub span: Span,
    pub failure: Failure,
    /// Where inlined: the calls that led there, innermost first.
    pub calls: Vec<Span>,
}

/// What is raised. `values` are those of `Rt::error`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Failure {
    /// OverflowError: a Python int past 64 bits.
    Overflow,
    /// OverflowError: does not fit into NumPy's kind. values: the number.
    DoesNotFit(crate::ir::Kind),
    /// ZeroDivisionError with this text, Python's own ("division by zero", ...).
    ZeroDivision(String),
    /// IndexError. values: subscript, length, axis, rank.
    Index,
    /// ValueError: negative shift count.
    NegativeShift,
    /// ValueError: an int to a negative power (Python would give a float).
    NegativePower,
    /// ValueError "math domain error" (values: the argument as bits).
    Domain,
    /// OverflowError "math range error".
    Range,
    /// ValueError / OverflowError of int(nan), int(inf). values: the float's bits.
    NotANumber,
    /// ValueError: negative dimensions are not allowed.
    NegativeLength,
    /// MemoryError. values: bytes.
    Memory,
    /// ValueError: slice step cannot be zero; range() arg 3 must not be zero: the text.
    Value(String),
    /// RecursionError: calls that are not inlined, deeper than 1000.
    Recursion,
    /// UnboundLocalError: the variable's name.
    Unbound(String),
    /// ValueError: shapes do not match. values: the two lengths, axis.
    Shape,
    /// Of the program's own: number in `exceptions`, message with `{}` for `kinds`, whose values follow in `Rt::error.values` as bits (at most five).
    Raise { exception: u32, message: Option<String>, kinds: Vec<Scalar> },
}

/// A warning of a call: a loop ran serially, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Notice {
    pub span: Span,
    pub text: String,
}
