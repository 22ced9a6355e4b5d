//! What compiled code leans on beside its arguments: values of globals, closures and attributes, as they were. A call looks whether they
//! are so still.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use mh_compile::ir::Array;
use mh_compile::world::Found;
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFunction, PyString};

use crate::ffi::{cell_value, function_parts, has_versions, version_of};

/// Where a value is found.
pub enum Place {
    /// A global of a function, else a built-in.
    Global { globals: Py<PyDict>, builtins: Py<PyDict>, name: Py<PyString> },
    /// A variable of an outer function's.
    Cell(Py<PyAny>),
    /// An attribute of a module.
    Member { module: Py<PyDict>, name: Py<PyString> },
    /// An attribute of anything else.
    Attribute { object: Py<PyAny>, name: Py<PyString> },
}

impl Place {
    /// What is there now. `None`: nothing is.
    #[inline]
    pub fn value<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        match self {
            Place::Global { globals, builtins, name } => match globals.bind(py).get_item(name)? {
                Some(value) => Ok(Some(value)),
                None => builtins.bind(py).get_item(name),
            },
            Place::Cell(cell) => Ok(cell_value(cell.bind(py))),
            Place::Member { module, name } => module.bind(py).get_item(name),
            Place::Attribute { object, name } => object.bind(py).getattr_opt(name),
        }
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Place::Global { globals, .. } => visit.call(globals),
            Place::Cell(cell) => visit.call(cell),
            Place::Member { module, .. } => visit.call(module),
            Place::Attribute { object, .. } => visit.call(object),
        }
    }
}

/// One thing that must be as it was.
pub enum Guard {
    /// The value at a place: this object, or (numbers and tuples of them) one that equals it.
    Value { place: Place, name: String, seen: Py<PyAny>, found: Found },
    /// A function's code and defaults.
    Function { function: Py<PyFunction>, parts: [Option<Py<PyAny>>; 3] },
}

impl Guard {
    pub fn of_function(function: &Bound<'_, PyFunction>) -> Guard {
        Guard::Function {
            function: function.clone().unbind(),
            parts: function_parts(function).map(|part| part.map(Bound::unbind)),
        }
    }

    fn holds(&self, py: Python<'_>) -> PyResult<bool> {
        match self {
            Guard::Value { place, seen, found, .. } => match place.value(py)? {
                Some(value) => Ok(value.is(seen) || frozen(&value).is_some_and(|value| same(&value, found))),
                None => Ok(false),
            },
            Guard::Function { function, parts } => {
                let now = function_parts(function.bind(py));
                Ok(now.iter().zip(parts).all(|(now, then)| match (now, then) {
                    (Some(now), Some(then)) => now.is(then),
                    (None, None) => true,
                    _ => false,
                }))
            }
        }
    }

    fn name(&self, py: Python<'_>) -> String {
        match self {
            Guard::Value { name, .. } => name.clone(),
            Guard::Function { function, .. } => {
                function.bind(py).getattr("__qualname__").map_or_else(|_| "?".into(), |name| name.to_string())
            }
        }
    }

    fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        match self {
            Guard::Value { place, seen, .. } => {
                place.traverse(visit)?;
                visit.call(seen)
            }
            Guard::Function { function, parts } => {
                visit.call(function)?;
                parts.iter().flatten().try_for_each(|part| visit.call(part))
            }
        }
    }
}

/// All that must be as it was.
pub struct Guards {
    /// Values in dictionaries: looked at again where one of `dicts` has changed.
    steady: Vec<Guard>,
    others: Vec<Guard>,
    /// Each with its version when `steady` was last found to hold. Empty where dictionaries have none.
    dicts: Vec<(Py<PyDict>, AtomicU64)>,
}

impl Guards {
    pub fn new(py: Python<'_>, list: Vec<Guard>) -> Guards {
        let mut guards = Guards { steady: Vec::new(), others: Vec::new(), dicts: Vec::new() };
        for guard in list {
            let within = match &guard {
                Guard::Value { place: Place::Global { globals, builtins, .. }, .. } => {
                    [Some(globals), Some(builtins)]
                }
                Guard::Value { place: Place::Member { module, .. }, .. } => [Some(module), None],
                _ => [None, None],
            };
            if !has_versions(py) || within[0].is_none() {
                guards.others.push(guard);
                continue;
            }
            for dict in within.into_iter().flatten() {
                if !guards.dicts.iter().any(|(known, _)| known.is(dict)) {
                    guards.dicts.push((dict.clone_ref(py), AtomicU64::new(u64::MAX)));
                }
            }
            guards.steady.push(guard);
        }
        guards
    }

    #[inline]
    pub fn hold(&self, py: Python<'_>) -> PyResult<bool> {
        let changed = self.dicts.iter().any(|(dict, seen)| version_of(dict.bind(py)) != seen.load(Relaxed));
        if changed && !self.hold_anew(py)? {
            return Ok(false);
        }
        for guard in &self.others {
            if !guard.holds(py)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    #[cold]
    fn hold_anew(&self, py: Python<'_>) -> PyResult<bool> {
        // Before the values are looked at: what changes meanwhile is looked at next time.
        let versions: Vec<_> = self.dicts.iter().map(|(dict, _)| version_of(dict.bind(py))).collect();
        for guard in &self.steady {
            if !guard.holds(py)? {
                return Ok(false);
            }
        }
        for ((_, seen), version) in self.dicts.iter().zip(versions) {
            seen.store(version, Relaxed);
        }
        Ok(true)
    }

    /// What has changed, for a message.
    pub fn changed(&self, py: Python<'_>) -> PyResult<Option<String>> {
        for guard in self.steady.iter().chain(&self.others) {
            if !guard.holds(py)? {
                return Ok(Some(guard.name(py)));
            }
        }
        Ok(None)
    }

    pub fn traverse(&self, visit: &PyVisit<'_>) -> Result<(), PyTraverseError> {
        self.dicts.iter().try_for_each(|(dict, _)| visit.call(dict))?;
        self.steady.iter().chain(&self.others).try_for_each(|guard| guard.traverse(visit))
    }
}

/// An array of a global or closure, read at each call.
pub struct Hidden {
    pub place: Place,
    pub name: String,
    pub array: Array,
}

/// A value that is frozen by itself: a number, text, None, a tuple of them, or a slice between ints. `None` for all else.
pub fn frozen(value: &Bound<'_, PyAny>) -> Option<Found> {
    use pyo3::types::{PyBool, PyComplex, PyComplexMethods, PyFloat, PyInt, PySlice, PyTuple};
    if value.is_none() {
        return Some(Found::None);
    }
    if let Ok(value) = value.cast_exact::<PyBool>() {
        return Some(Found::Bool(value.is_true()));
    }
    if value.cast_exact::<PyInt>().is_ok() {
        return Some(match value.extract::<i64>() {
            Ok(value) => Found::Int(value),
            Err(_) => match value.extract::<i128>() {
                Ok(value) => Found::Wide(value),
                Err(_) => Found::Refused(format!(
                    "the integer {} does not fit 64 bits, which compiled integers have",
                    super::arguments::brief(value)
                )),
            },
        });
    }
    if let Ok(value) = value.cast_exact::<PyFloat>() {
        return Some(Found::Float(value.value()));
    }
    if let Ok(value) = value.cast_exact::<PyComplex>() {
        return Some(Found::Complex(value.real(), value.imag()));
    }
    if let Ok(value) = value.cast_exact::<PyString>() {
        return Some(match value.to_str() {
            Ok(text) => Found::Str(text.to_owned()),
            Err(_) => Found::Refused("a text with lone surrogates cannot be compiled".into()),
        });
    }
    if let Ok(tuple) = value.cast_exact::<PyTuple>() {
        return tuple.iter().map(|member| frozen(&member)).collect::<Option<Vec<_>>>().map(Found::Tuple);
    }
    if let Ok(slice) = value.cast_exact::<PySlice>() {
        let bounds =
            ["start", "stop", "step"].map(|name| slice.getattr(name).ok().and_then(|bound| frozen(&bound)));
        let [Some(start), Some(stop), Some(step)] = bounds else { return None };
        let plain = |bound: &Found| matches!(bound, Found::None | Found::Int(_));
        let all = [start, stop, step];
        return all.iter().all(plain).then(|| Found::Slice(Box::new(all)));
    }
    let (kind, slots) = crate::ffi::numpy::NumPy::loaded(value.py())?.scalar(value)?;
    Some(Found::NumPy(kind, Box::new(number(kind, slots))))
}

/// The same value, to the bit: 0.0 is not -0.0 here, and a nan is itself.
fn same(one: &Found, other: &Found) -> bool {
    format!("{one:?}") == format!("{other:?}")
}

/// A scalar of NumPy's as the Python number that it equals.
fn number(kind: mh_compile::ir::Kind, slots: [u64; 2]) -> Found {
    use mh_compile::ir::Kind;
    let single = |bits: u64| f64::from(f32::from_bits(bits as u32));
    match kind {
        Kind::Bool => Found::Bool(slots[0] != 0),
        Kind::F32 => Found::Float(single(slots[0])),
        Kind::F64 => Found::Float(f64::from_bits(slots[0])),
        Kind::C64 => Found::Complex(single(slots[0]), single(slots[1])),
        Kind::C128 => Found::Complex(f64::from_bits(slots[0]), f64::from_bits(slots[1])),
        Kind::U64 => i64::try_from(slots[0]).map_or(Found::Wide(i128::from(slots[0])), Found::Int),
        _ => Found::Int(slots[0] as i64),
    }
}
