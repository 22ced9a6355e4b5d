//! Arguments of a call: their types, and their values in a kernel's frame.

use mh_compile::compile::Argument;
use mh_compile::ir::{Array, Flavour, Kind, Layout, Scalar};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyComplex, PyComplexMethods, PyFloat, PyInt, PyTuple};

use crate::ffi::kernel::Frame;
use crate::ffi::numpy::{ArrayRef, NumPy};

/// Tuples within tuples.
const DEEPEST: usize = 8;
/// Values in a tuple.
const LONGEST: usize = 256;
/// Puts in a value, if it is of this type; else the frame is to be cleared. `loose`: arrays of any layout go where any is taken.
#[inline]
pub fn fill<'py>(
    frame: &mut Frame<'py>,
    argument: &Argument,
    value: &Bound<'py, PyAny>,
    loose: bool,
) -> bool {
    match argument {
        Argument::Scalar(Scalar { kind, flavour: Flavour::Python }) => fill_python(frame, *kind, value),
        Argument::Scalar(Scalar { kind, flavour: Flavour::NumPy }) => {
            match NumPy::loaded(value.py()).and_then(|numpy| numpy.scalar(value)) {
                Some((found, slots)) if found == *kind => {
                    frame.push(slots[0]);
                    if kind.is_complex() {
                        frame.push(slots[1]);
                    }
                    true
                }
                _ => false,
            }
        }
        Argument::Array(array) => fill_array(frame, *array, value, loose),
        Argument::None => value.is_none(),
        Argument::Tuple(members) => match value.cast_exact::<PyTuple>() {
            Ok(tuple) if tuple.len() == members.len() => {
                members.iter().zip(tuple.as_slice()).all(|(member, value)| fill(frame, member, value, loose))
            }
            _ => false,
        },
    }
}

#[inline]
fn fill_python(frame: &mut Frame<'_>, kind: Kind, value: &Bound<'_, PyAny>) -> bool {
    match kind {
        Kind::I64 => match value.cast_exact::<PyInt>().map(|value| value.extract::<i64>()) {
            Ok(Ok(value)) => frame.push(value as u64),
            _ => return false,
        },
        Kind::F64 => match value.cast_exact::<PyFloat>() {
            Ok(value) => frame.push(value.value().to_bits()),
            Err(_) => return false,
        },
        Kind::Bool => match value.cast_exact::<PyBool>() {
            Ok(value) => frame.push(u64::from(value.is_true())),
            Err(_) => return false,
        },
        Kind::C128 => match value.cast_exact::<PyComplex>() {
            Ok(value) => {
                frame.push(value.real().to_bits());
                frame.push(value.imag().to_bits());
            }
            Err(_) => return false,
        },
        _ => return false,
    }
    true
}

fn fill_array<'py>(frame: &mut Frame<'py>, wanted: Array, value: &Bound<'py, PyAny>, loose: bool) -> bool {
    let Some(numpy) = NumPy::loaded(value.py()) else { return false };
    let Some(array) = numpy.array(value) else { return false };
    let found = type_of(&array);
    let suits =
        found == Some(wanted) || loose && found.is_some_and(|found| super::ahead::takes(wanted, found));
    if !suits || !(array.exact || is_plain_subclass(value)) {
        return false;
    }
    frame.push_array(value, &array);
    true
}

/// Slots of an argument.
pub fn slots_of(argument: &Argument) -> usize {
    match argument {
        Argument::None => 0,
        Argument::Scalar(scalar) => mh_compile::ir::Type::Scalar(*scalar).slots(),
        Argument::Array(array) => mh_compile::ir::Type::Array(*array).slots(),
        Argument::Tuple(members) => members.iter().map(slots_of).sum(),
    }
}

/// The type of an array that compiled code takes; `None` for one that it does not.
pub fn type_of(array: &ArrayRef<'_>) -> Option<Array> {
    let element = array.kind()?;
    if !array.is_native() || !array.is_aligned() {
        return None;
    }
    let (shape, strides) = (array.shape(), array.strides());
    let layout = if array.is_c() {
        Layout::C
    } else if array.is_f() {
        Layout::F
    } else if strides.len() > 1 && strides.last().is_some_and(|stride| *stride as i64 == element.size()) {
        Layout::Inner
    } else {
        Layout::Any
    };
    if array.is_writable() && matches!(layout, Layout::Inner | Layout::Any) && overlaps_itself(array) {
        return None;
    }
    Some(Array { element, rank: shape.len() as u8, layout, writable: array.is_writable() })
}

/// Whether two elements of an array may share memory: an axis does not step over all that the axes with shorter steps reach.
/// The race analysis takes for granted that they do not.
fn overlaps_itself(array: &ArrayRef<'_>) -> bool {
    let mut axes: Vec<(usize, usize)> = array
        .strides()
        .iter()
        .zip(array.shape())
        .map(|(stride, length)| (stride.unsigned_abs(), length.unsigned_abs()))
        .filter(|(_, length)| *length != 1)
        .collect();
    if axes.iter().any(|(_, length)| *length == 0) {
        return false;
    }
    axes.sort_unstable();
    let mut reach = array.kind().map_or(0, |kind| kind.size().unsigned_abs() as usize);
    for (stride, length) in axes {
        if stride < reach {
            return true;
        }
        reach = reach.saturating_add(stride.saturating_mul(length - 1));
    }
    false
}

/// The type of an argument.
///
/// TypeError or OverflowError, with the parameter's name, for what compiled code does not take.
pub fn classify(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Argument> {
    classify_within(name, value, 0)
}

fn classify_within(name: &str, value: &Bound<'_, PyAny>, depth: usize) -> PyResult<Argument> {
    let py = value.py();
    if value.is_none() {
        return Ok(Argument::None);
    }
    if value.cast_exact::<PyBool>().is_ok() {
        return Ok(Argument::Scalar(Scalar::BOOL));
    }
    if value.cast_exact::<PyInt>().is_ok() {
        return match value.extract::<i64>() {
            Ok(_) => Ok(Argument::Scalar(Scalar::INT)),
            Err(_) => Err(PyOverflowError::new_err(format!(
                "{name} is {}: integers of compiled functions have 64 bits",
                brief(value)
            ))),
        };
    }
    if value.cast_exact::<PyFloat>().is_ok() {
        return Ok(Argument::Scalar(Scalar::FLOAT));
    }
    if value.cast_exact::<PyComplex>().is_ok() {
        return Ok(Argument::Scalar(Scalar::COMPLEX));
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        if depth == DEEPEST || tuple.len() > LONGEST {
            return Err(PyTypeError::new_err(format!(
                "{name} is a tuple of {} values: each is compiled for by itself, so make it np.array(...)",
                tuple.len()
            )));
        }
        let members = tuple.iter().enumerate();
        let members =
            members.map(|(number, value)| classify_within(&format!("{name}[{number}]"), &value, depth + 1));
        return Ok(Argument::Tuple(members.collect::<PyResult<_>>()?));
    }
    if let Some(numpy) = NumPy::loaded(py) {
        if let Some((kind, _)) = numpy.scalar(value) {
            return Ok(Argument::Scalar(Scalar::numpy(kind)));
        }
        if let Some(array) = numpy.array(value) {
            return match refusal(name, value, &array) {
                Some(text) => Err(PyTypeError::new_err(text)),
                None => type_of(&array).map(Argument::Array).ok_or_else(|| {
                    PyTypeError::new_err(format!("{name} is an array that cannot be compiled for"))
                }),
            };
        }
        if numpy.is_generic(value) {
            return Err(PyTypeError::new_err(format!(
                "{name} is a numpy.{}: compiled functions take bool, int8 to int64, uint8 to uint64, float32, float64, complex64 and \
                 complex128",
                type_name(value)
            )));
        }
    }
    Err(PyTypeError::new_err(format!("{name} is {}", what_else(value))))
}

/// Why an array cannot be an argument.
fn refusal(name: &str, value: &Bound<'_, PyAny>, array: &ArrayRef<'_>) -> Option<String> {
    if !array.exact && !is_plain_subclass(value) {
        return Some(format!(
            "{name} is a {}, whose operators are not those of an array: pass np.asarray({name})",
            type_name(value)
        ));
    }
    let dtype = || value.getattr("dtype").map_or_else(|_| "?".to_owned(), |dtype| dtype.to_string());
    if array.kind().is_none() {
        return Some(format!(
            "{name} is an array of {}: compiled functions take arrays of bool, int8 to int64, uint8 to uint64, float32, float64, \
             complex64 and complex128{}",
            dtype(),
            if dtype() == "float16" { "; pass it .astype(np.float32)" } else { "" }
        ));
    }
    if array.shape().len() > 32 {
        return Some(format!("{name} has {} axes: compiled functions take 32 at most", array.shape().len()));
    }
    if !array.is_native() {
        return Some(format!(
            "the bytes of {name} ({}) are not in this machine's order: pass {name}.astype({name}.dtype.newbyteorder(\"=\"))",
            dtype()
        ));
    }
    if !array.is_aligned() {
        return Some(format!("the elements of {name} are not aligned in memory: pass {name}.copy()"));
    }
    if array.is_writable() && !array.is_c() && !array.is_f() && overlaps_itself(array) {
        return Some(format!(
            "{name} overlaps itself: two of its elements may share memory (as_strided); pass {name}.copy(), or make it read-only"
        ));
    }
    None
}

/// Of the classes derived of arrays: those that index and compute as arrays do.
fn is_plain_subclass(value: &Bound<'_, PyAny>) -> bool {
    value.get_type().fully_qualified_name().is_ok_and(|name| name == "numpy.memmap")
}

/// What an argument is that is none, and what to pass in its place.
fn what_else(value: &Bound<'_, PyAny>) -> String {
    let class = type_name(value);
    let advice = match class.as_str() {
        "list" => "make it np.array(...), or a tuple where it is short and its length never changes",
        "dict" | "set" | "frozenset" => "compiled functions take numbers, arrays and tuples of them",
        "str" | "bytes" => "compiled functions take no text; np.frombuffer makes an array of bytes",
        "range" => "pass its start, stop and step",
        "bytearray" | "memoryview" | "array" => "pass np.frombuffer(...) or np.asarray(...) of it",
        "Series" | "DataFrame" => "pass its .to_numpy()",
        "Fraction" | "Decimal" => "pass float(...) of it",
        "function" | "builtin_function_or_method" | "Jitted" => {
            "functions cannot be arguments: call it by its name, or make the compiled function in a closure over it"
        }
        _ => "",
    };
    if value.is_instance_of::<PyInt>() || value.is_instance_of::<PyFloat>() {
        return format!("of {class}, a class of its own: pass int(...) or float(...) of it");
    }
    if value.is_instance_of::<PyTuple>() {
        return format!("a {class}, a tuple with names: pass tuple(...) of it");
    }
    if advice.is_empty() {
        return format!(
            "an instance of {class}: compiled functions take numbers, arrays and tuples of them. Pass its parts, or, for a method, call a \
             compiled function with what it needs of self"
        );
    }
    format!("of type {class}: {advice}")
}

pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    value.get_type().name().map_or_else(|_| "?".to_owned(), |name| name.to_string())
}

/// A value in a message: not longer than a line.
pub fn brief(value: &Bound<'_, PyAny>) -> String {
    let text = match value.repr() {
        Ok(text) => text.to_string(),
        // Python refuses to write out very long integers.
        Err(_) => return format!("a very long {}", type_name(value)),
    };
    if text.chars().count() <= 60 { text } else { text.chars().take(57).chain("...".chars()).collect() }
}
