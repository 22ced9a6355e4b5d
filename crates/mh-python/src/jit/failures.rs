//! What goes wrong, as Python's exceptions: at run time the very ones that the serial program would meet, before that the compiler's.

use mh_compile::compile::{Failure, Info, Site};
use mh_compile::diagnostic::{Class, Diagnostic};
use mh_compile::ir::{Exception, Scalar, Source, Span};
use pyo3::exceptions::{
    PyAttributeError, PyIndexError, PyMemoryError, PyNameError, PyOverflowError, PyRecursionError,
    PyTypeError, PyUnboundLocalError, PyValueError, PyZeroDivisionError,
};
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};

use super::results::scalar;

/// The exception for what a kernel met.
pub fn raised(py: Python<'_>, info: &Info, objects: &[Py<PyAny>], number: i64, values: &[i64; 5]) -> PyErr {
    let Some(site) = usize::try_from(number).ok().and_then(|number| info.sites.get(number)) else {
        return super::broken(format!("a compiled function failed at site {number}, which it does not have"));
    };
    let error = match exception(py, info, objects, site, values) {
        Ok(error) | Err(error) => error,
    };
    annotate(py, &error, &place(&info.sources, site));
    error
}

fn exception(
    py: Python<'_>,
    info: &Info,
    objects: &[Py<PyAny>],
    site: &Site,
    values: &[i64; 5],
) -> PyResult<PyErr> {
    let [first, second, third, ..] = *values;
    Ok(match &site.failure {
        Failure::Overflow => PyOverflowError::new_err(
            "an integer grew past 64 bits, which compiled integers have: use float(...) or NumPy's integers, which wrap, or do not compile \
             this",
        ),
        Failure::DoesNotFit(kind) => {
            PyOverflowError::new_err(format!("Python integer {first} out of bounds for {}", kind.name()))
        }
        Failure::ZeroDivision(text) => PyZeroDivisionError::new_err(own_words(py, text)),
        Failure::Index => PyIndexError::new_err(if values[3] == 0 && third < 0 {
            "index out of range".to_owned()
        } else {
            format!("index {first} is out of bounds for axis {third} with size {second}")
        }),
        Failure::NegativeShift => PyValueError::new_err("negative shift count"),
        Failure::NegativePower => PyValueError::new_err(
            "an int to a negative power is a float, and here the type was settled as int: write float(base) ** exponent",
        ),
        Failure::Domain => PyValueError::new_err("math domain error"),
        Failure::Range => PyOverflowError::new_err("math range error"),
        Failure::NotANumber => {
            if f64::from_bits(first as u64).is_nan() {
                PyValueError::new_err("cannot convert float NaN to integer")
            } else if f64::from_bits(first as u64).is_infinite() {
                PyOverflowError::new_err("cannot convert float infinity to integer")
            } else {
                PyOverflowError::new_err(format!(
                    "int({}) does not fit 64 bits, which compiled integers have",
                    pyo3::types::PyFloat::new(py, f64::from_bits(first as u64)).repr()?
                ))
            }
        }
        Failure::NegativeLength => PyValueError::new_err("negative dimensions are not allowed"),
        Failure::Memory => PyMemoryError::new_err(if first > 0 {
            format!("an array of {first} bytes cannot be had")
        } else {
            "an array is larger than memory can be".to_owned()
        }),
        Failure::Recursion => PyRecursionError::new_err("maximum recursion depth exceeded in compiled code"),
        Failure::Value(text) => PyValueError::new_err(text.clone()),
        Failure::Unbound(name) => PyUnboundLocalError::new_err(if py.version_info() >= (3, 11) {
            format!("cannot access local variable '{name}' where it is not associated with a value")
        } else {
            format!("local variable '{name}' referenced before assignment")
        }),
        Failure::Shape => PyValueError::new_err(format!(
            "operands could not be broadcast together: lengths {first} and {second} of axis {third}"
        )),
        Failure::Raise { exception, message, kinds } => {
            return own(py, info, objects, *exception, message.as_deref(), kinds, values);
        }
    })
}

/// An exception that the source raises.
fn own(
    py: Python<'_>,
    info: &Info,
    objects: &[Py<PyAny>],
    number: u32,
    message: Option<&str>,
    kinds: &[Scalar],
    values: &[i64; 5],
) -> PyResult<PyErr> {
    let class = match info.exceptions.get(number as usize) {
        Some(Exception::Builtin(name)) => py.import("builtins")?.getattr(name.as_str())?,
        Some(Exception::Object(object)) => match objects.get(*object as usize) {
            Some(class) => class.bind(py).clone(),
            None => return Err(super::broken("an exception's class was lost".to_owned())),
        },
        None => {
            return Err(super::broken(format!(
                "a compiled function raises exception {number}, which it does not have"
            )));
        }
    };
    let mut words = values.iter().map(|word| *word as u64);
    let mut numbers = Vec::new();
    for kind in kinds {
        let low = words.next().unwrap_or(0);
        let high = if kind.kind.is_complex() { words.next().unwrap_or(0) } else { 0 };
        numbers.push(scalar(py, *kind, [low, high])?);
    }
    let numbers = PyTuple::new(py, numbers)?;
    let raised = match message {
        // Nothing, or a number that is no text.
        None => class.call1(numbers)?,
        Some(message) => class.call1((PyString::new(py, message).call_method1("format", numbers)?,))?,
    };
    Ok(PyErr::from_value(raised))
}

/// The words of the running Python for a division by zero: they differ among its versions.
fn own_words(py: Python<'_>, text: &str) -> String {
    let code = match text {
        "division by zero" => c"1 / 0",
        "float division by zero" => c"1.0 / 0.0",
        "integer division or modulo by zero" => c"1 // 0",
        "integer modulo by zero" => c"1 % 0",
        "float floor division by zero" | "float divmod()" => c"1.0 // 0.0",
        "float modulo" | "float modulo by zero" => c"1.0 % 0.0",
        "complex division by zero" => c"1j / 0",
        "0.0 cannot be raised to a negative power" | "zero to a negative power" => c"0.0 ** -1.0",
        _ => return text.to_owned(),
    };
    match py.eval(code, None, None) {
        Err(error) => error.value(py).to_string(),
        Ok(_) => text.to_owned(),
    }
}

/// Where it was, innermost first, as a note shows it.
fn place(sources: &[Source], site: &Site) -> String {
    let mut text = "in compiled code:".to_owned();
    for span in std::iter::once(&site.span).chain(&site.calls) {
        let Some(source) = sources.get(usize::from(span.source)) else { continue };
        text.push_str(&format!("\n  File \"{}\", line {}, in {}", source.file, span.line, source.function));
        if let Some(line) = line_of(source, *span) {
            text.push_str(&format!("\n    {}", line.trim()));
        }
    }
    text
}

fn line_of(source: &Source, span: Span) -> Option<&str> {
    source.text.lines().nth(span.line.checked_sub(source.first_line)? as usize)
}

/// Adds a note; before Python 3.11, which has none, it is left on the exception as the attribute that later versions show.
fn annotate(py: Python<'_>, error: &PyErr, note: &str) {
    let value = error.value(py);
    if value.call_method1("add_note", (note,)).is_ok() {
        return;
    }
    let _ = value.setattr("__notes__", vec![note]);
    // The text is where it is seen, for an exception whose only argument is its text.
    let Ok(arguments) = value.getattr("args").and_then(|args| args.extract::<(String,)>()) else { return };
    let _ = value.setattr("args", (format!("{}\n{note}", arguments.0),));
}

/// What the compiler says.
pub fn refused(py: Python<'_>, diagnostic: &Diagnostic, sources: &[Source]) -> PyErr {
    let text = diagnostic.render(sources);
    let error = match diagnostic.class {
        Class::Unsupported => ours(py, "CompileError", text),
        Class::Race => ours(py, "RaceError", text),
        Class::TypeError => PyTypeError::new_err(text),
        Class::NameError => PyNameError::new_err(text),
        Class::AttributeError => PyAttributeError::new_err(text),
        Class::ValueError => PyValueError::new_err(text),
        Class::IndexError => PyIndexError::new_err(text),
    };
    let value = error.value(py);
    let file = sources.get(usize::from(diagnostic.span.source)).map(|source| source.file.as_str());
    let _ = value.setattr("lineno", diagnostic.span.line);
    let _ = value.setattr("filename", file);
    error
}

/// An exception of a class in `manyhands.errors`.
pub fn ours(py: Python<'_>, class: &str, text: String) -> PyErr {
    match py.import("manyhands.errors").and_then(|errors| errors.getattr(class)?.call1((text,))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}

/// A warning of ours, shown as from where the program called.
pub fn warn(py: Python<'_>, text: &str) -> PyResult<()> {
    let category = py.import("manyhands.errors")?.getattr("CompileWarning")?;
    py.import("warnings")?.call_method1("warn", (text, category, 1)).map(drop)
}

/// Of a loop that was run serially.
pub fn notice(sources: &[Source], span: Span, text: &str) -> String {
    match sources.get(usize::from(span.source)) {
        Some(source) => format!("{}:{}: {text}", source.file, span.line),
        None => text.to_owned(),
    }
}
