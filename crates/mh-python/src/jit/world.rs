//! What the compiler asks of the program: names, attributes, sources. Each answer is noted, for the next process (`Record`) and as a guard.

use std::collections::HashMap;

use mh_compile::ast;
use mh_compile::ir::Source;
use mh_compile::world::{Code, Found, World};
use pyo3::exceptions::{PyBaseException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyFunction, PyModule, PyString, PyTuple, PyType};
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128;

use super::Jitted;
use super::arguments::{brief, type_name, type_of};
use super::guards::{Guard, Hidden, Place, frozen};
use crate::ffi::numpy::NumPy;

/// A question, as another process can ask it again: objects are numbered as they are found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Question {
    Name(u32, String),
    Attribute(u32, String),
    Function(u32),
    Library(String),
}

/// Questions and what each answer came to.
pub type Record = Vec<(Question, String)>;

/// The program, as one compilation sees it.
pub struct Program<'py> {
    py: Python<'py>,
    /// By number; the entry is the first.
    pub objects: Vec<Bound<'py, PyAny>>,
    numbers: HashMap<usize, u32>,
    /// Where an array was found, by its number.
    places: HashMap<u32, Hidden>,
    /// Texts that users have given, by function.
    texts: HashMap<usize, String>,
    sources: u16,
    /// Code is told by what it does, wherever its file is.
    portable: bool,
    /// Files of the functions whose sources were asked for, in that order.
    pub files: Vec<String>,
    pub record: Record,
    pub guards: Vec<Guard>,
    /// An exception that came up while answering: it is the one to be raised.
    pub failed: Option<PyErr>,
}

impl<'py> Program<'py> {
    pub fn new(jitted: &Bound<'py, Jitted>) -> PyResult<Program<'py>> {
        let py = jitted.py();
        let mut program = Program {
            py,
            objects: Vec::new(),
            numbers: HashMap::new(),
            places: HashMap::new(),
            texts: HashMap::new(),
            sources: 0,
            portable: false,
            files: Vec::new(),
            record: Vec::new(),
            guards: Vec::new(),
            failed: None,
        };
        program.function_of(jitted);
        Ok(program)
    }

    /// As another machine may see it.
    pub fn portable(jitted: &Bound<'py, Jitted>) -> PyResult<Program<'py>> {
        Ok(Program { portable: true, ..Program::new(jitted)? })
    }

    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// The places of hidden arguments, in order.
    pub fn hidden(&mut self, numbers: &[u32]) -> PyResult<Vec<Hidden>> {
        numbers
            .iter()
            .map(|number| {
                self.places
                    .remove(number)
                    .ok_or_else(|| PyValueError::new_err("a hidden argument was never found in the program"))
            })
            .collect()
    }

    /// Asks all that was asked before. False where an answer has become another.
    pub fn replay(&mut self, questions: &[(Question, String)]) -> PyResult<bool> {
        for (question, answer) in questions {
            let now = match question {
                Question::Name(scope, name) => format!("{:?}", self.find_name(*scope, name)),
                Question::Attribute(object, name) => format!("{:?}", self.find_attribute(*object, name)),
                Question::Library(name) => format!("{:?}", self.find_library(name)),
                Question::Function(object) => match self.function_text(*object) {
                    Ok(text) => text,
                    Err(_) => return Ok(false),
                },
            };
            if let Some(error) = self.failed.take() {
                return Err(error);
            }
            if now != *answer {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn number(&mut self, object: &Bound<'py, PyAny>) -> u32 {
        let next = self.objects.len() as u32;
        let number = *self.numbers.entry(object.as_ptr() as usize).or_insert(next);
        if number == next {
            self.objects.push(object.clone());
        }
        number
    }

    fn function_of(&mut self, jitted: &Bound<'py, Jitted>) -> u32 {
        let inner = jitted.get();
        let function = inner.function.bind(self.py).clone().into_any();
        if let Some(text) = &inner.source {
            self.texts.insert(function.as_ptr() as usize, text.clone());
        }
        self.number(&function)
    }

    fn plain(&self, number: u32) -> Option<Bound<'py, PyFunction>> {
        self.objects.get(number as usize)?.cast::<PyFunction>().ok().cloned()
    }

    /// `Missing` where the answer was an exception, which is kept.
    fn kept<T>(&mut self, result: PyResult<T>) -> Option<T> {
        result.map_err(|error| self.failed = self.failed.take().or(Some(error))).ok()
    }

    fn find_name(&mut self, scope: u32, name: &str) -> Found {
        let Some(function) = self.plain(scope) else { return Found::Missing };
        let place = name_place(&function, name);
        let Some(place) = self.kept(place) else { return Found::Missing };
        self.find(place, name)
    }

    fn find_attribute(&mut self, object: u32, name: &str) -> Found {
        let Some(object) = self.objects.get(object as usize).cloned() else { return Found::Missing };
        let key = PyString::intern(self.py, name);
        if let Ok(module) = object.cast::<PyModule>() {
            let shown =
                format!("{}.{name}", module.name().map_or_else(|_| "?".into(), |name| name.to_string()));
            // A module may make the attribute when it is first asked for, and keeps it then.
            if module.dict().contains(&key).unwrap_or(false)
                || (object.getattr_opt(&key).is_ok_and(|value| value.is_some())
                    && module.dict().contains(&key).unwrap_or(false))
            {
                let place = Place::Member { module: module.dict().unbind(), name: key.unbind() };
                return self.find(place, &shown);
            }
        }
        let shown = format!("{}.{name}", brief(&object));
        self.find(Place::Attribute { object: object.unbind(), name: key.unbind() }, &shown)
    }

    fn find_library(&mut self, name: &str) -> Option<u32> {
        let found = self
            .py
            .import("manyhands._jit_numpy")
            .and_then(|library| library.getattr("FUNCTIONS"))
            .and_then(|functions| functions.call_method1("get", (name,)));
        let function = self.kept(found).filter(|function| !function.is_none())?;
        Some(self.number(&function))
    }

    /// What is at a place, noted as a guard.
    fn find(&mut self, place: Place, name: &str) -> Found {
        let value = place.value(self.py);
        let Some(value) = self.kept(value) else { return Found::Missing };
        let Some(value) = value else { return Found::Missing };
        let found = self.classify(&value, name);
        match &found {
            // No strong reference to what may be large: its type is looked at in each call.
            Found::Array(number, array) => {
                let (number, array) = (*number, *array);
                self.places.entry(number).or_insert(Hidden { place, name: name.to_owned(), array });
            }
            _ => self.guards.push(Guard::Value {
                place,
                name: name.to_owned(),
                seen: value.unbind(),
                found: found.clone(),
            }),
        }
        found
    }

    fn classify(&mut self, value: &Bound<'py, PyAny>, name: &str) -> Found {
        if let Some(found) = frozen(value) {
            return found;
        }
        if let Ok(tuple) = value.cast_exact::<PyTuple>() {
            return Found::Tuple(tuple.iter().map(|member| self.member(&member, name)).collect());
        }
        let known = self.canonical(value);
        if let Some(known) = self.kept(known).flatten() {
            return Found::Known(known);
        }
        if let Ok(jitted) = value.cast::<Jitted>() {
            return Found::Function(self.function_of(jitted));
        }
        if value.is_instance_of::<PyModule>() {
            return Found::Module(self.number(value));
        }
        if value.cast_exact::<PyFunction>().is_ok() {
            return Found::Function(self.number(value));
        }
        if let Ok(class) = value.cast::<PyType>() {
            if class.is_subclass_of::<PyBaseException>().unwrap_or(false) {
                return Found::Exception(self.number(value));
            }
            return Found::Refused(format!(
                "{name} is a class: compiled code makes no objects, only numbers, tuples and arrays"
            ));
        }
        if let Some(function) = theirs(value) {
            return Found::Function(self.number(&function));
        }
        if let Some(array) = NumPy::loaded(self.py).and_then(|numpy| numpy.array(value)) {
            if array.exact
                && let Some(array) = type_of(&array)
            {
                return Found::Array(self.number(value), array);
            }
            let what = super::arguments::classify(name, value)
                .map_or_else(|error| error.to_string(), |_| String::new());
            return Found::Refused(what);
        }
        Found::Refused(refusal(value, name))
    }

    /// A member of a tuple. Arrays in it are frozen as objects, which they are not: those are refused.
    fn member(&mut self, value: &Bound<'py, PyAny>, name: &str) -> Found {
        match self.classify(value, name) {
            Found::Array(..) => Found::Refused(format!(
                "{name} is a tuple that holds an array: give the array a name of its own, or pass it"
            )),
            found => found,
        }
    }

    /// The canonical name of what the compiler may know.
    fn canonical(&mut self, value: &Bound<'py, PyAny>) -> PyResult<Option<String>> {
        self.py.import("manyhands._jit_names")?.call_method1("canonical", (value,))?.extract()
    }

    /// What a function's answer leans on: its code and its defaults.
    fn function_text(&mut self, object: u32) -> Result<String, String> {
        let Some(function) = self.plain(object) else { return Err("it is no function".into()) };
        let digest = if self.portable { portable_digest_of(&function) } else { digest_of(&function) };
        let text = digest.map(|digest| format!("{digest:032x}"));
        let text = self.kept(text).ok_or("its code cannot be read")?;
        let defaults = self.defaults(&function);
        let file = function.getattr("__code__").and_then(|code| code.getattr("co_filename")?.extract());
        let file = self.kept(file).unwrap_or_default();
        self.files.push(file);
        self.guards.push(Guard::of_function(&function));
        Ok(format!("{text} {defaults:?}"))
    }

    fn defaults(&mut self, function: &Bound<'py, PyFunction>) -> Vec<(String, Found)> {
        let found = defaults_of(function);
        let Some(found) = self.kept(found) else { return Vec::new() };
        let mut answers = Vec::new();
        for (name, value) in found {
            let shown = format!("the default of {name}");
            let mut answer = self.classify(&value, &shown);
            if let Found::Array(..) = answer {
                answer = Found::Refused(format!("{shown} is an array: pass it"));
            }
            answers.push((name, answer));
        }
        answers
    }

    fn source(&mut self, object: u32) -> Result<Code, String> {
        let answer = self.function_text(object)?;
        self.record.push((Question::Function(object), answer));
        let function = self.plain(object).ok_or("it is no function")?;
        let given = self.texts.get(&(function.as_ptr() as usize)).cloned();
        let found = self
            .py
            .import("manyhands._jit_source")
            .and_then(|module| module.call_method1("find", (&function, given)))
            .and_then(|found| found.extract::<(String, String, String, u32, String)>());
        let (tree, file, name, first_line, text) = match found {
            Ok(found) => found,
            Err(error) if error.get_type(self.py).name().is_ok_and(|name| name == "NoSource") => {
                return Err(error.value(self.py).to_string());
            }
            Err(error) => {
                self.failed = Some(error);
                return Err("its source cannot be had".into());
            }
        };
        let tree = ast::Function::from_json(&tree, self.sources)?;
        self.sources = self.sources.saturating_add(1);
        let defaults = self.defaults(&function);
        Ok(Code { scope: object, source: Source { file, function: name, first_line, text }, tree, defaults })
    }
}

impl World for Program<'_> {
    fn name(&mut self, scope: u32, name: &str) -> Found {
        let found = self.find_name(scope, name);
        self.record.push((Question::Name(scope, name.to_owned()), format!("{found:?}")));
        found
    }

    fn attribute(&mut self, object: u32, name: &str) -> Found {
        let found = self.find_attribute(object, name);
        self.record.push((Question::Attribute(object, name.to_owned()), format!("{found:?}")));
        found
    }

    fn function(&mut self, object: u32) -> Result<Code, String> {
        self.source(object)
    }

    fn library(&mut self, name: &str) -> Option<u32> {
        let found = self.find_library(name);
        self.record.push((Question::Library(name.to_owned()), format!("{found:?}")));
        found
    }

    fn parameters(&mut self, name: &str) -> Vec<String> {
        let names =
            self.py.import("manyhands._jit_numpy_arguments").and_then(|module| module.getattr("names"));
        let found = names.and_then(|names| names.call1((name,))).and_then(|found| found.extract());
        self.kept(found).unwrap_or_default()
    }

    fn module(&mut self, object: u32) -> String {
        let Some(object) = self.objects.get(object as usize) else { return "module".into() };
        match object.cast::<PyModule>().map(|module| module.name()) {
            Ok(Ok(name)) => format!("module '{name}'"),
            _ => type_name(object),
        }
    }
}

/// Where a function finds a name that is not its own.
fn name_place(function: &Bound<'_, PyFunction>, name: &str) -> PyResult<Place> {
    let py = function.py();
    let free = function.getattr("__code__")?.getattr("co_freevars")?.cast_into::<PyTuple>()?;
    for (number, variable) in free.iter().enumerate() {
        if variable.cast::<PyString>()?.to_str()? == name {
            return Ok(Place::Cell(function.getattr("__closure__")?.get_item(number)?.unbind()));
        }
    }
    let globals = function.getattr("__globals__")?.cast_into::<PyDict>()?;
    let builtins = match function.getattr_opt("__builtins__")? {
        Some(builtins) => builtins,
        None => py.import("builtins")?.into_any(),
    };
    let builtins = match builtins.cast_into::<PyDict>() {
        Ok(builtins) => builtins,
        Err(other) => other.into_inner().getattr("__dict__")?.cast_into()?,
    };
    Ok(Place::Global {
        globals: globals.unbind(),
        builtins: builtins.unbind(),
        name: PyString::intern(py, name).unbind(),
    })
}

/// Names and values of a function's defaults, positional then by keyword.
fn defaults_of<'py>(function: &Bound<'py, PyFunction>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let code = function.getattr("__code__")?;
    let count: usize = code.getattr("co_argcount")?.extract()?;
    let names = code.getattr("co_varnames")?.cast_into::<PyTuple>()?;
    let mut found = Vec::new();
    if let Ok(values) = function.getattr("__defaults__")?.cast_into::<PyTuple>() {
        for (number, value) in values.iter().enumerate() {
            let place = (count + number)
                .checked_sub(values.len())
                .ok_or_else(|| PyValueError::new_err("the function has more defaults than parameters"))?;
            found.push((names.get_item(place)?.extract()?, value));
        }
    }
    if let Ok(values) = function.getattr("__kwdefaults__")?.cast_into::<PyDict>() {
        for (name, value) in values.iter() {
            found.push((name.extract()?, value));
        }
    }
    Ok(found)
}

/// A digest of a function's code, its lines and its file's name.
pub fn digest_of(function: &Bound<'_, PyFunction>) -> PyResult<u128> {
    let py = function.py();
    // Version 2 of the format writes no back references, which depend on how often something is referred to.
    let bytes = py.import("marshal")?.call_method1("dumps", (function.getattr("__code__")?, 2))?;
    Ok(xxh3_128(bytes.cast::<pyo3::types::PyBytes>()?.as_bytes()))
}

/// The same without the file's name.
pub fn portable_digest_of(function: &Bound<'_, PyFunction>) -> PyResult<u128> {
    let py = function.py();
    let bytes = py.import("manyhands._jit_calls")?.call_method1("portable", (function,))?;
    Ok(xxh3_128(bytes.cast::<pyo3::types::PyBytes>()?.as_bytes()))
}

/// The plain function in one that numba compiles.
fn theirs<'py>(value: &Bound<'py, PyAny>) -> Option<Bound<'py, PyAny>> {
    let module = value.get_type().module().ok()?;
    if !module.to_str().ok()?.starts_with("numba.") {
        return None;
    }
    let function = value.getattr("py_func").ok()?;
    function.cast_exact::<PyFunction>().is_ok().then_some(function)
}

/// Why a value cannot be used in compiled code.
fn refusal(value: &Bound<'_, PyAny>, name: &str) -> String {
    let class = type_name(value);
    match class.as_str() {
        "list" | "dict" | "set" | "bytearray" | "deque" | "defaultdict" | "Counter" => format!(
            "{name} is a {class}, which may be changed while compiled code would keep what it held: {}",
            if class == "list" {
                "make it a tuple, or np.array(...), or pass it as an array"
            } else {
                "pass what is needed of it"
            }
        ),
        "Generator" | "RandomState" | "Random" => format!(
            "{name} is a {class}, whose state compiled code cannot share: call random.* or np.random.*, which draw from streams that mh.seed() \
             starts"
        ),
        "builtin_function_or_method"
        | "method"
        | "method_descriptor"
        | "ufunc"
        | "partial"
        | "_lru_cache_wrapper" => {
            format!("{name} is {} and cannot be compiled through", brief(value))
        }
        _ => format!(
            "{name} is an instance of {class}: compiled code takes numbers, tuples, arrays and functions from around it"
        ),
    }
}
