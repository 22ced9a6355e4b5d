//! The IR as readable text, both ways: what the tests of the stages are written in.
//!
//! ```text
//! source "kernel.py" in f line 1
//!   | def f(a, n): ...
//! exception builtin ValueError
//! result float
//! fn f(%a: f64[1 C], %n: int) -> (float) {
//!   var %i: int, %s: f64
//!   for #0 %i in range(0, %n, 1) parallel plan(sum %s) {
//!     %s = (%s + %a[%i]!)
//!   }
//!   return (float(%s))
//! }
//! ```
//!
//! - Types: Python's `bool int float complex i128`, NumPy's `np.bool i8 ... u64 f32 f64 c64 c128`; arrays `f64[2 C]`, `f64[1 any ro]`.
//! - An expression's type is left out where it follows from its parts (of a variable, of the left operand, `bool` of a comparison, the
//!   element's NumPy kind of a load, `int`, `float`, `bool` of constants); else it stands behind: `1:u8`, `math.isnan(%x):bool`.
//! - Checks stand behind what they check: `!` branch, `?` flag, `~` wrap, nothing for none.
//! - `%x` is a variable; `%x.3` where several share the name; `%3` a temporary. Variables that are not parameters are declared by `var`, in order.
//! - `--` begins a comment. `{:#}` prints spans too: `@line:column-end` or `@source/line:column-line:column`.

mod parse;
mod print;
#[cfg(test)]
mod tests;

pub use parse::parse;

use crate::ir::{Binary, Compare, Draw, ExprKind, Flavour, Kind, Layout, Math, ReductionKind, Scalar, Type};

const KINDS: [(Kind, &str); 14] = [
    (Kind::Bool, "bool"),
    (Kind::I8, "i8"),
    (Kind::I16, "i16"),
    (Kind::I32, "i32"),
    (Kind::I64, "i64"),
    (Kind::U8, "u8"),
    (Kind::U16, "u16"),
    (Kind::U32, "u32"),
    (Kind::U64, "u64"),
    (Kind::F32, "f32"),
    (Kind::F64, "f64"),
    (Kind::C64, "c64"),
    (Kind::C128, "c128"),
    (Kind::I128, "i128"),
];

const LAYOUTS: [(Layout, &str); 5] = [
    (Layout::C, "C"),
    (Layout::F, "F"),
    (Layout::Inner, "inner"),
    (Layout::Any, "any"),
    (Layout::Places, "places"),
];

const BINARIES: [(Binary, &str); 16] = [
    (Binary::FloorDivide, "//"),
    (Binary::Power, "**"),
    (Binary::LeftShift, "<<"),
    (Binary::RightShift, ">>"),
    (Binary::Add, "+"),
    (Binary::Subtract, "-"),
    (Binary::Multiply, "*"),
    (Binary::Divide, "/"),
    (Binary::Modulo, "%"),
    (Binary::And, "&"),
    (Binary::Or, "|"),
    (Binary::Xor, "^"),
    (Binary::Minimum, "minimum"),
    (Binary::Maximum, "maximum"),
    (Binary::Min, "min"),
    (Binary::Max, "max"),
];

const COMPARES: [(Compare, &str); 6] = [
    (Compare::Equal, "=="),
    (Compare::NotEqual, "!="),
    (Compare::LessEqual, "<="),
    (Compare::GreaterEqual, ">="),
    (Compare::Less, "<"),
    (Compare::Greater, ">"),
];

const REDUCTIONS: [ReductionKind; 16] = [
    ReductionKind::Sum,
    ReductionKind::Product,
    ReductionKind::Less,
    ReductionKind::LessEqual,
    ReductionKind::Greater,
    ReductionKind::GreaterEqual,
    ReductionKind::Minimum,
    ReductionKind::Maximum,
    ReductionKind::And,
    ReductionKind::Or,
    ReductionKind::Xor,
    ReductionKind::UnlessLess,
    ReductionKind::UnlessLessEqual,
    ReductionKind::UnlessGreater,
    ReductionKind::UnlessGreaterEqual,
    ReductionKind::Latest,
];

const MATHS: [Math; 53] = [
    Math::Sqrt,
    Math::Cbrt,
    Math::Exp,
    Math::Exp2,
    Math::Expm1,
    Math::Log,
    Math::Log2,
    Math::Log10,
    Math::Log1p,
    Math::Sin,
    Math::Cos,
    Math::Tan,
    Math::SinNear,
    Math::CosNear,
    Math::TanNear,
    Math::Asin,
    Math::Acos,
    Math::Atan,
    Math::Atan2,
    Math::Sinh,
    Math::Cosh,
    Math::Tanh,
    Math::Asinh,
    Math::Acosh,
    Math::Atanh,
    Math::Pow,
    Math::Hypot,
    Math::Fmod,
    Math::Remainder,
    Math::Erf,
    Math::Erfc,
    Math::Gamma,
    Math::LogGamma,
    Math::Floor,
    Math::Ceil,
    Math::Trunc,
    Math::RoundEven,
    Math::CopySign,
    Math::NextAfter,
    Math::Fma,
    Math::Ldexp,
    Math::IsNan,
    Math::IsInf,
    Math::IsFinite,
    Math::SignBit,
    Math::Sign,
    Math::Real,
    Math::Imag,
    Math::Phase,
    Math::Conjugate,
    Math::Complex,
    Math::Gcd,
    Math::PopCount,
];

const DRAWS: [Draw; 22] = [
    Draw::Unit,
    Draw::Uniform,
    Draw::Normal,
    Draw::Exponential,
    Draw::Integers,
    Draw::Gamma,
    Draw::Beta,
    Draw::Poisson,
    Draw::Binomial,
    Draw::Geometric,
    Draw::LogNormal,
    Draw::Laplace,
    Draw::Logistic,
    Draw::Gumbel,
    Draw::Weibull,
    Draw::Pareto,
    Draw::Rayleigh,
    Draw::Triangular,
    Draw::VonMises,
    Draw::ChiSquare,
    Draw::StandardT,
    Draw::StandardCauchy,
];

/// The second of the pair.
fn name_of<T: PartialEq + Copy>(table: &[(T, &'static str)], item: T) -> &'static str {
    table.iter().find(|(candidate, _)| *candidate == item).map_or("?", |(_, name)| name)
}

/// A variant's name in the text: `LessEqual` is `lessequal`.
fn lower(item: impl std::fmt::Debug) -> String {
    format!("{item:?}").to_lowercase()
}

fn is_identifier(name: &str) -> bool {
    name.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_')
        && name.chars().all(|char| char.is_alphanumeric() || char == '_')
}

fn scalar_name(scalar: Scalar) -> String {
    let name = name_of(&KINDS, scalar.kind);
    match (scalar.flavour, scalar.kind) {
        (Flavour::Python, Kind::Bool | Kind::I128) => name.into(),
        (Flavour::Python, Kind::I64) => "int".into(),
        (Flavour::Python, Kind::F64) => "float".into(),
        (Flavour::Python, Kind::C128) => "complex".into(),
        (Flavour::Python, _) => format!("py.{name}"),
        (Flavour::NumPy, Kind::Bool | Kind::I128) => format!("np.{name}"),
        (Flavour::NumPy, _) => name.into(),
    }
}

/// The type that need not be written.
fn default_type(kind: &ExprKind, variable: impl Fn(crate::ir::Var) -> Option<Type>) -> Option<Type> {
    match kind {
        ExprKind::Bool(_)
        | ExprKind::Compare { .. }
        | ExprKind::Disjoint { .. }
        | ExprKind::Foldable { .. } => Some(Type::BOOL),
        ExprKind::Int(_) | ExprKind::Dim { .. } => Some(Type::INT),
        ExprKind::Float(_) | ExprKind::Random { .. } => Some(Type::FLOAT),
        ExprKind::Complex(..) => Some(Type::Scalar(Scalar::COMPLEX)),
        ExprKind::Var(var) => variable(*var),
        ExprKind::Unary { operand, .. } => Some(operand.ty),
        ExprKind::Binary { left, .. } => Some(left.ty),
        ExprKind::If { then, .. } => Some(then.ty),
        ExprKind::Load { array, .. } => {
            variable(*array)?.array().map(|array| Type::Scalar(Scalar::numpy(array.element)))
        }
        ExprKind::Math { arguments, .. } => arguments.first().map(|first| first.ty),
        ExprKind::Cast { .. } | ExprKind::New { .. } | ExprKind::View { .. } => None,
    }
}
