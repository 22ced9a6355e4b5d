//! Joins (what a variable is that holds now this, now that), promotions (what an operation works in), and types in the user's words.

use super::value::{Form, Static};
use crate::ir::{Array, Flavour, Kind, Layout, Scalar, Type};

/// NumPy's `promote_types`.
pub fn promote_kinds(a: Kind, b: Kind) -> Kind {
    use Kind::{Bool, C64, C128, F32, F64, I16, I32, I64, U64};
    if a == b || b == Bool {
        return a;
    }
    if a == Bool {
        return b;
    }
    let wide = |kind: Kind| match kind {
        F32 | C64 => false,
        kind if kind.is_integer() => kind.size() > 2,
        _ => true,
    };
    if a.is_complex() || b.is_complex() {
        return if wide(a) || wide(b) { C128 } else { C64 };
    }
    if a.is_float() || b.is_float() {
        return if wide(a) || wide(b) { F64 } else { F32 };
    }
    if a.is_signed() == b.is_signed() {
        return if a.size() >= b.size() { a } else { b };
    }
    let (signed, unsigned) = if a.is_signed() { (a, b) } else { (b, a) };
    if signed.size() > unsigned.size() {
        return signed;
    }
    match unsigned {
        Kind::U8 => I16,
        Kind::U16 => I32,
        Kind::U32 => I64,
        U64 => F64,
        _ => F64,
    }
}

/// NumPy's `can_cast` by its rule 'same_kind'.
pub fn same_kind(from: Kind, to: Kind) -> bool {
    let rank = |kind: Kind| match kind {
        Kind::Bool => 0,
        kind if kind.is_unsigned() => 1,
        kind if kind.is_signed() => 2,
        kind if kind.is_float() => 3,
        _ => 4,
    };
    rank(from) <= rank(to)
}

/// What arithmetic between the two works in: Python's numbers by Python's rules, with NumPy's by NEP 50 (Python's are weak).
pub fn promote(a: Scalar, b: Scalar) -> Scalar {
    match (a.flavour, b.flavour) {
        (Flavour::Python, Flavour::Python) => {
            Scalar::python(python_rank(a.kind).max(python_rank(b.kind)).kind())
        }
        (Flavour::NumPy, Flavour::NumPy) => Scalar::numpy(promote_kinds(a.kind, b.kind)),
        (Flavour::NumPy, Flavour::Python) => Scalar::numpy(weak(a.kind, b.kind)),
        (Flavour::Python, Flavour::NumPy) => Scalar::numpy(weak(b.kind, a.kind)),
    }
}

fn weak(strong: Kind, python: Kind) -> Kind {
    match python {
        Kind::Bool => strong,
        Kind::F64 if strong.is_float() || strong.is_complex() => strong,
        Kind::F64 => Kind::F64,
        Kind::C128 => match strong {
            Kind::F32 | Kind::C64 => Kind::C64,
            _ => Kind::C128,
        },
        _ if strong == Kind::Bool => Kind::I64,
        _ => strong,
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Bool,
    Int,
    Float,
    Complex,
}

impl Rank {
    const fn kind(self) -> Kind {
        match self {
            Self::Bool => Kind::Bool,
            Self::Int => Kind::I64,
            Self::Float => Kind::F64,
            Self::Complex => Kind::C128,
        }
    }
}

const fn python_rank(kind: Kind) -> Rank {
    match kind {
        Kind::Bool => Rank::Bool,
        Kind::F32 | Kind::F64 => Rank::Float,
        Kind::C64 | Kind::C128 => Rank::Complex,
        _ => Rank::Int,
    }
}

/// What a variable is that holds both: no value is lost but for ints past 2^53 that meet floats. Python's ints beside NumPy's uint64 are
/// taken into it, with an OverflowError where they are negative: a float would be right for neither.
pub fn join_scalars(a: Scalar, b: Scalar) -> Scalar {
    let wide = Scalar::numpy(Kind::U64);
    if (a == Scalar::INT && b == wide) || (a == wide && b == Scalar::INT) {
        return wide;
    }
    if a.flavour == Flavour::Python && b.flavour == Flavour::Python {
        promote(a, b)
    } else {
        Scalar::numpy(promote_kinds(a.kind, b.kind))
    }
}

pub fn join_layouts(a: Layout, b: Layout) -> Layout {
    match (a, b) {
        (a, b) if a == b => a,
        (Layout::C | Layout::Inner, Layout::C | Layout::Inner) => Layout::Inner,
        _ => Layout::Any,
    }
}

/// None where one variable cannot hold both.
pub fn join(a: &Form, b: &Form) -> Option<Form> {
    Some(match (a, b) {
        (Form::Type(Type::Scalar(a)), Form::Type(Type::Scalar(b))) => {
            Form::Type(Type::Scalar(join_scalars(*a, *b)))
        }
        (Form::Type(Type::Array(a)), Form::Type(Type::Array(b)))
            if a.element == b.element && a.rank == b.rank =>
        {
            Form::Type(Type::Array(Array {
                element: a.element,
                rank: a.rank,
                layout: join_layouts(a.layout, b.layout),
                writable: a.writable && b.writable,
            }))
        }
        (Form::Tuple(a), Form::Tuple(b)) if a.len() == b.len() => {
            Form::Tuple(a.iter().zip(b).map(|(a, b)| join(a, b)).collect::<Option<_>>()?)
        }
        (Form::Static(Static::Wide(number)), other @ Form::Type(Type::Scalar(scalar)))
        | (other @ Form::Type(Type::Scalar(scalar)), Form::Static(Static::Wide(number)))
            if *scalar == Scalar::numpy(Kind::U64) && u64::try_from(*number).is_ok() =>
        {
            other.clone()
        }
        (Form::None, Form::None) => Form::None,
        (Form::Static(a), Form::Static(b)) if a == b => Form::Static(a.clone()),
        _ => return None,
    })
}

/// Python's name of a scalar type: `int`, `np.int32`.
pub fn scalar_name(scalar: Scalar) -> String {
    match (scalar.flavour, scalar.kind) {
        (Flavour::Python, Kind::Bool) => "bool".into(),
        (Flavour::Python, Kind::F64) => "float".into(),
        (Flavour::Python, Kind::C128) => "complex".into(),
        (Flavour::Python, _) => "int".into(),
        (Flavour::NumPy, Kind::Bool) => "np.bool".into(),
        (Flavour::NumPy, kind) => format!("np.{}", kind.name()),
    }
}

pub fn array_name(array: Array) -> String {
    let dimensions = if array.rank == 1 { "dimension" } else { "dimensions" };
    let layout = match (array.layout, array.rank) {
        (_, 0) => "",
        (Layout::C | Layout::F, 1) => ", contiguous",
        (Layout::C, _) => ", row-major",
        (Layout::F, _) => ", column-major",
        (Layout::Inner, 1) => ", contiguous",
        (Layout::Inner | Layout::Any | Layout::Places, _) => ", strided",
    };
    let readonly = if array.writable { "" } else { ", read-only" };
    format!("{} array of {} {dimensions}{layout}{readonly}", array.element.name(), array.rank)
}

pub fn type_name(ty: Type) -> String {
    match ty {
        Type::Scalar(scalar) => scalar_name(scalar),
        Type::Array(array) => array_name(array),
    }
}

pub fn form_name(form: &Form) -> String {
    match form {
        Form::Type(ty) => type_name(*ty),
        Form::Tuple(members) if members.len() > 6 => format!("tuple of {} members", members.len()),
        Form::Tuple(members) => {
            let inside: Vec<_> = members.iter().map(form_name).collect();
            format!("tuple ({}{})", inside.join(", "), if members.len() == 1 { "," } else { "" })
        }
        Form::None => "None".into(),
        Form::Static(known) => static_name(known),
    }
}

pub fn static_name(known: &Static) -> String {
    match known {
        Static::Str(_) => "str".into(),
        Static::Known(name) => name.strip_prefix("builtins.").unwrap_or(name).into(),
        Static::Module(_) => "module".into(),
        Static::Function(_) => "function".into(),
        Static::Closure(closure) => format!("function {}", closure.tree.function.name),
        Static::Exception(_) => "class of exceptions".into(),
        Static::Ellipsis => "Ellipsis".into(),
        Static::Wide(number) => format!("the int {number}"),
    }
}

/// Python's `type(x).__name__`, as its TypeErrors have it.
pub fn python_name(form: &Form) -> String {
    match form {
        Form::Type(Type::Scalar(scalar)) => scalar_name(*scalar).replacen("np.", "numpy.", 1),
        Form::Type(Type::Array(_)) => "numpy.ndarray".into(),
        Form::Tuple(_) => "tuple".into(),
        Form::None => "NoneType".into(),
        Form::Static(Static::Str(_)) => "str".into(),
        Form::Static(Static::Module(_)) => "module".into(),
        Form::Static(Static::Ellipsis) => "ellipsis".into(),
        Form::Static(Static::Wide(_)) => "int".into(),
        Form::Static(Static::Exception(_)) => "type".into(),
        Form::Static(_) => "function".into(),
    }
}
