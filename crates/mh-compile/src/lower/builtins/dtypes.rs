//! Types of elements: `np.float64`, `float`, `"f8"`, `a.dtype`.

use super::{Call, refused, shown, type_of};
use crate::ir::{Flavour, Kind, Scalar, Span};
use crate::lower::types::promote;
use crate::lower::value::{Static, Value};
use crate::lower::{Lowerer, Result};

/// A kind by NumPy's name of its scalar type, aliases too.
pub fn numpy_kind(name: &str) -> Option<Kind> {
    Some(match name {
        "bool" | "bool_" => Kind::Bool,
        "int8" | "byte" => Kind::I8,
        "int16" | "short" => Kind::I16,
        "int32" | "intc" => Kind::I32,
        "int64" | "intp" | "int_" | "long" | "longlong" => Kind::I64,
        "uint8" | "ubyte" => Kind::U8,
        "uint16" | "ushort" => Kind::U16,
        "uint32" | "uintc" => Kind::U32,
        "uint64" | "uintp" | "uint" | "ulong" | "ulonglong" => Kind::U64,
        "float32" | "single" => Kind::F32,
        "float64" | "double" => Kind::F64,
        "complex64" | "csingle" => Kind::C64,
        "complex128" | "cdouble" => Kind::C128,
        _ => return None,
    })
}

/// A kind by NumPy's codes: `"f8"`, `"<i4"`, `"float64"`, `"d"`.
fn coded(text: &str) -> Option<Kind> {
    let plain = text.strip_prefix(['<', '=', '|']).unwrap_or(text);
    Some(match plain {
        "?" | "b1" => Kind::Bool,
        "i1" | "b" => Kind::I8,
        "i2" | "h" => Kind::I16,
        "i4" | "i" => Kind::I32,
        "i8" | "l" | "q" | "p" | "int" => Kind::I64,
        "u1" | "B" => Kind::U8,
        "u2" | "H" => Kind::U16,
        "u4" | "I" => Kind::U32,
        "u8" | "L" | "Q" | "P" | "uint" => Kind::U64,
        "f4" | "f" => Kind::F32,
        "f8" | "d" | "float" => Kind::F64,
        "c8" | "F" => Kind::C64,
        "c16" | "D" | "complex" => Kind::C128,
        name => return numpy_kind(name),
    })
}

impl Lowerer<'_> {
    /// What an argument `dtype` says.
    pub fn dtype(&mut self, value: &Value, span: Span) -> Result<Kind> {
        let advice = "np.float64, np.float32, np.int64 to np.int8, np.uint64 to np.uint8, np.bool_, np.complex128, np.complex64";
        let kind = match value {
            Value::Static(Static::Known(name)) => match name.as_str() {
                "builtins.float" => Some(Kind::F64),
                "builtins.int" => Some(Kind::I64),
                "builtins.bool" => Some(Kind::Bool),
                "builtins.complex" => Some(Kind::C128),
                other => other.strip_prefix("numpy.").and_then(numpy_kind),
            },
            Value::Static(Static::Str(text)) => coded(text),
            Value::None => Some(Kind::F64),
            _ => None,
        };
        kind.ok_or_else(|| {
            let found = match value {
                Value::Static(Static::Known(name)) => shown(name),
                Value::Static(Static::Str(text)) => format!("\"{text}\""),
                other => type_of(other),
            };
            refused(
                span,
                format!("{found} is no type of elements that is compiled"),
                format!("use one of {advice}"),
            )
        })
    }
}

/// `a.dtype`: the type by its canonical name.
pub fn of(kind: Kind) -> Value {
    match kind {
        Kind::Bool => Value::known("numpy.bool_".to_owned()),
        kind => Value::known(format!("numpy.{}", kind.name())),
    }
}

/// `np.result_type(a, b, ...)`: of arrays, numbers and types.
pub fn result_type(lowerer: &mut Lowerer<'_>, call: Call<'_>) -> Result<Value> {
    let span = call.span;
    let mut common: Option<Scalar> = None;
    for value in call.all()? {
        let scalar = match (&value, value.array()) {
            (_, Some((_, array))) => Scalar::numpy(array.element),
            (Value::Expr(expr), None) => expr.ty.scalar().unwrap_or(Scalar::FLOAT),
            _ => Scalar::numpy(lowerer.dtype(&value, span)?),
        };
        common = Some(common.map_or(scalar, |common| promote(common, scalar)));
    }
    let Some(Scalar { kind, flavour: Flavour::NumPy | Flavour::Python }) = common else {
        return Err(super::value_error(span, "at least one array or dtype is required"));
    };
    Ok(of(kind))
}
