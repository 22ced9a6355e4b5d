//! `Jitted`: a compiled function as Python calls it.

mod ahead;
pub mod arguments;
pub mod explaining;
mod failures;
mod guards;
mod making;
mod results;
mod running;
mod world;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mh_compile::compile::Argument;
use mh_compile::ir::{Shape, Type};
use pyo3::exceptions::{PyAttributeError, PyImportError, PyRuntimeError, PyTypeError};
use pyo3::gc::{PyTraverseError, PyVisit};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyFunction, PyString, PyTuple};

pub use running::{get_num_threads, set_num_threads};

use guards::Guards;
use running::Compiled;

use crate::ffi::kernel::Frame;
use crate::ffi::latest::Latest;
use crate::ffi::vectorcall::{Called, Entry};

/// Compiled versions for the same types of arguments, with other values frozen in each.
const VERSIONS: usize = 16;
/// So many recompilations because something around the function changed, and a warning says that it does.
const RESTLESS: usize = 10;

/// A compiled function: called as the function that it was made of, compiled for the types that it is called with.
///
/// `py_func` is that function, `signatures` the types that it has been compiled for, `explain()` tells what became of it.
#[pyclass(frozen, dict, weakref, module = "manyhands._native")]
pub struct Jitted {
    entry: Entry,
    pub function: Py<PyFunction>,
    /// The text that the user gave, where Python has none.
    pub source: Option<String>,
    parallel: bool,
    cache: bool,
    /// The signatures that it is to be compiled for ahead of time, and as they were told.
    declared: Vec<Vec<Argument>>,
    told: Py<PyTuple>,
    /// How many parameters there are, where all of them can be given by place and none collects further ones.
    simple: Option<usize>,
    /// A function with the same parameters that returns them all: it binds, or raises what Python raises.
    probe: PyOnceLock<Py<PyAny>>,
    /// The version that was called last, unless a call is at it.
    latest: Latest<Compiled>,
    /// Last used first.
    versions: Mutex<Versions>,
    /// What `_result` has said, while it holds.
    results: Mutex<HashMap<Vec<Argument>, Arc<Told>>>,
}

/// NumPy's name of a result, and what must be as it was for it to hold.
type Told = (Option<&'static str>, Guards);

#[derive(Default)]
struct Versions {
    list: Vec<Arc<Compiled>>,
    /// All that it was compiled for, in the order in which it was.
    signatures: Vec<String>,
    recompiled: usize,
    /// Types for which it runs as plain Python: there is neither code for them nor a compiler.
    plain: Vec<Vec<Argument>>,
    /// Why it could not be compiled, the last time that it could not.
    failure: Option<String>,
}

/// `*args` and `**kwargs` in a code object's flags.
const COLLECTS: u32 = 0x4 | 0x8;

#[pymethods]
impl Jitted {
    /// The only way to make one: `Jitted()` makes none.
    #[staticmethod]
    #[pyo3(signature = (function, parallel, cache, source, signatures, /))]
    fn of<'py>(
        function: Bound<'py, PyFunction>,
        parallel: bool,
        cache: bool,
        source: Option<String>,
        signatures: Bound<'py, PyTuple>,
    ) -> PyResult<Bound<'py, Jitted>> {
        let py = function.py();
        let code = function.getattr("__code__")?;
        let flags: u32 = code.getattr("co_flags")?.extract()?;
        let keyword_only: usize = code.getattr("co_kwonlyargcount")?.extract()?;
        let simple = (flags & COLLECTS == 0 && keyword_only == 0)
            .then(|| code.getattr("co_argcount")?.extract())
            .transpose()?;
        let made = Jitted {
            entry: Entry::of::<Jitted>(),
            function: function.unbind(),
            source,
            parallel,
            cache,
            declared: ahead::declared(&signatures)?,
            told: signatures.unbind(),
            simple,
            probe: PyOnceLock::new(),
            latest: Latest::new(),
            versions: Mutex::default(),
            results: Mutex::default(),
        };
        let made = Bound::new(py, made)?;
        made.get().entry.enable(&made);
        Ok(made)
    }

    /// As `called`, for who asks for this method by its name.
    #[pyo3(signature = (*args, **kwargs))]
    fn __call__<'py>(
        slf: &Bound<'py, Self>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let bound = slf.get().bind(slf.py(), args, kwargs)?;
        slf.get().call(slf, bound.as_slice())
    }

    /// In a class it is a method: `self` is its first argument.
    fn __get__<'py>(
        slf: &Bound<'py, Self>,
        instance: &Bound<'py, PyAny>,
        _owner: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if instance.is_none() {
            return Ok(slf.clone().into_any());
        }
        slf.py().import("types")?.getattr("MethodType")?.call1((slf, instance))
    }

    /// The function that it was made of.
    #[getter]
    fn py_func(&self, py: Python<'_>) -> Py<PyFunction> {
        self.function.clone_ref(py)
    }

    #[getter]
    fn __wrapped__(&self, py: Python<'_>) -> Py<PyFunction> {
        self.function.clone_ref(py)
    }

    /// The types that it has been compiled for: a text for each.
    #[getter]
    fn signatures(&self) -> Vec<String> {
        self.versions().signatures.clone()
    }

    /// What became of the function: types, what runs in parallel and why not, reductions, vectors, checks. Of one of `signatures`, by
    /// default of the one that was used last.
    #[pyo3(signature = (signature=None))]
    fn explain(slf: &Bound<'_, Self>, signature: Option<&str>) -> PyResult<explaining::Explained> {
        let version = slf.get().asked_for(signature)?;
        making::explanation(slf, &version).map(explaining::Explained)
    }

    /// numba's name for `explain`: prints it, to `file` or to standard output, for one of `signatures` or for all.
    #[pyo3(signature = (file=None, signature=None))]
    fn inspect_types<'py>(
        slf: &Bound<'py, Self>,
        file: Option<&Bound<'py, PyAny>>,
        signature: Option<&str>,
    ) -> PyResult<()> {
        let py = slf.py();
        let shown = match signature {
            Some(signature) => vec![slf.get().version_of(signature)?],
            None => slf.get().versions().list.clone(),
        };
        let print = py.import("builtins")?.getattr("print")?;
        let named = PyDict::new(py);
        named.set_item("file", file)?;
        for version in shown {
            let text = making::explanation(slf, &version)?.to_string();
            print.call((text.trim_end(),), Some(&named))?;
        }
        Ok(())
    }

    /// LLVM's text, as it was handed to LLVM: of one of `signatures`, by default of the one that was used last.
    #[pyo3(signature = (signature=None))]
    fn llvm(slf: &Bound<'_, Self>, signature: Option<&str>) -> PyResult<String> {
        making::llvm_text(slf, &*slf.get().asked_for(signature)?)
    }

    /// The machine code as assembly, likewise.
    #[pyo3(signature = (signature=None))]
    fn asm(slf: &Bound<'_, Self>, signature: Option<&str>) -> PyResult<String> {
        making::assembly(slf, &*slf.get().asked_for(signature)?)
    }

    /// numba's name for `llvm`: of one of `signatures`, or of all in a dictionary.
    #[pyo3(signature = (signature=None))]
    fn inspect_llvm<'py>(slf: &Bound<'py, Self>, signature: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().shown(slf, signature, making::llvm_text)
    }

    /// numba's name for `asm`: of one of `signatures`, or of all in a dictionary.
    #[pyo3(signature = (signature=None))]
    fn inspect_asm<'py>(slf: &Bound<'py, Self>, signature: Option<&str>) -> PyResult<Bound<'py, PyAny>> {
        slf.get().shown(slf, signature, making::assembly)
    }

    /// NumPy's name of the number that a call with values of these types gives, as globals are now; None where it gives no single number.
    /// Nothing is run.
    fn _result(slf: &Bound<'_, Self>, values: Vec<Bound<'_, PyAny>>) -> PyResult<Option<&'static str>> {
        let (py, inner) = (slf.py(), slf.get());
        let names = inner.names(py)?;
        let values = inner.bind(py, &PyTuple::new(py, values)?, None)?;
        let classified =
            names.iter().zip(values.iter()).map(|(name, value)| arguments::classify(name, &value));
        let arguments = classified.collect::<PyResult<Vec<_>>>()?;
        let known = inner.results.lock().unwrap_or_else(PoisonError::into_inner).get(&arguments).cloned();
        if let Some(known) = known
            && known.1.hold(py)?
        {
            return Ok(known.0);
        }
        let (shape, guards) = making::result(slf, &arguments)?;
        let name = match shape {
            Shape::Value(Type::Scalar(scalar)) => Some(scalar.kind.name()),
            _ => None,
        };
        let mut results = inner.results.lock().unwrap_or_else(PoisonError::into_inner);
        let before = match guards {
            Some(guards) => results.insert(arguments, Arc::new((name, guards))),
            None => results.remove(&arguments),
        };
        drop(results);
        drop(before);
        Ok(name)
    }

    /// As a call, where the version that was called last is for these values; else NotImplemented: nothing is compiled or looked for.
    fn _again<'py>(&self, values: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyAny>> {
        self.call_if_latest(values.py(), values.as_slice())
    }

    /// The same with the values that a mapping has for these names; NotImplemented where it lacks one, too.
    fn _again_of<'py>(
        &self,
        names: &Bound<'py, PyTuple>,
        mapping: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = names.py();
        let mut values = Vec::with_capacity(names.len());
        for name in names.as_slice() {
            let value = match mapping.cast_exact::<PyDict>() {
                Ok(plain) => plain.get_item(name)?,
                Err(_) if mapping.contains(name)? => Some(mapping.get_item(name)?),
                Err(_) => None,
            };
            match value {
                Some(value) => values.push(value),
                None => return Ok(py.NotImplemented().into_bound(py)),
            }
        }
        self.call_if_latest(py, &values)
    }

    /// What it was made with beside the function: parallel, cache, source, signatures.
    #[getter]
    fn _options<'py>(&self, py: Python<'py>) -> (bool, bool, Option<String>, Bound<'py, PyTuple>) {
        (self.parallel, self.cache, self.source.clone(), self.told.bind(py).clone())
    }

    /// Compiles the signature of this number for a level of x86-64, beside the module; gives what it returns.
    fn _compile_ahead(slf: &Bound<'_, Self>, signature: usize, target: &str) -> PyResult<String> {
        ahead::make(slf, signature, target)
    }

    /// The function's name and what else it has.
    fn __getattr__<'py>(&self, py: Python<'py>, name: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyAny>> {
        let function = self.function.bind(py);
        function.getattr(name).map_err(|_| {
            let function =
                function.getattr("__qualname__").map_or_else(|_| "?".into(), |name| name.to_string());
            PyAttributeError::new_err(format!("the compiled function {function} has no attribute '{name}'"))
        })
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<compiled {}>", self.function.bind(py).repr()?.to_string().trim_matches(['<', '>'])))
    }

    /// By name, as a function.
    fn __reduce__(&self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        Ok(self.function.bind(py).getattr("__qualname__")?.unbind())
    }

    fn __copy__(slf: Py<Self>) -> Py<Self> {
        slf
    }

    fn __deepcopy__(slf: Py<Self>, _memo: &Bound<'_, PyAny>) -> Py<Self> {
        slf
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        visit.call(&self.function)?;
        if let Ok(versions) = self.versions.try_lock() {
            for version in &versions.list {
                version.traverse(&visit)?;
            }
        }
        if let Ok(results) = self.results.try_lock() {
            for known in results.values() {
                known.1.traverse(&visit)?;
            }
        }
        Ok(())
    }
}

impl Called for Jitted {
    #[inline]
    fn called<'py>(
        slf: &Bound<'py, Self>,
        values: &[Bound<'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        if names.is_none() && slf.get().simple == Some(values.len()) {
            return slf.get().call(slf, values);
        }
        slf.get().call_bound(slf, values, names)
    }
}

impl Jitted {
    /// With one value for each parameter.
    #[inline]
    fn call<'py>(&self, slf: &Bound<'py, Self>, values: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
        let Some(version) = self.latest.take() else { return self.call_another(slf, values) };
        match self.call_latest(slf.py(), version, values)? {
            Some(result) => Ok(result),
            None => self.call_another(slf, values),
        }
    }

    /// NotImplemented where the version that was called last is not for these values, or at work.
    #[inline]
    fn call_if_latest<'py>(
        &self,
        py: Python<'py>,
        values: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let done = match self.latest.take() {
            Some(version) => self.call_latest(py, version, values)?,
            None => None,
        };
        Ok(done.unwrap_or_else(|| py.NotImplemented().into_bound(py)))
    }

    /// The version that was taken from `latest`, and goes back there; `None` where it is not for these values.
    #[inline]
    fn call_latest<'py>(
        &self,
        py: Python<'py>,
        version: Arc<Compiled>,
        values: &[Bound<'py, PyAny>],
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut frame = Frame::new(version.slots);
        let accepted = version.accepts(py, values, &mut frame);
        let result = match accepted {
            Ok(true) => version.run(py, &mut frame).map(Some),
            Ok(false) => Ok(None),
            Err(error) => Err(error),
        };
        self.latest.give(version);
        result
    }

    /// Not the version that was called last, or that is at work.
    #[cold]
    fn call_another<'py>(
        &self,
        slf: &Bound<'py, Self>,
        values: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let versions = self.versions().list.clone();
        for version in versions {
            let mut frame = Frame::new(version.slots);
            if version.accepts(py, values, &mut frame)? {
                let mut versions = self.versions();
                if let Some(place) = versions.list.iter().position(|other| Arc::ptr_eq(other, &version)) {
                    versions.list[..=place].rotate_right(1);
                }
                drop(versions);
                let result = version.run(py, &mut frame);
                self.latest.set(version);
                return result;
            }
        }
        self.call_new(slf, values)
    }

    /// With what is to be bound to parameters first: keywords, defaults, `*args`; or to be refused.
    #[cold]
    fn call_bound<'py>(
        &self,
        slf: &Bound<'py, Self>,
        values: &[Bound<'py, PyAny>],
        names: Option<&Bound<'py, PyTuple>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let named = names.map_or(0, |names| names.len());
        let (by_place, by_name) = values.split_at(values.len() - named);
        let keywords = PyDict::new(py);
        for (name, value) in names.iter().flat_map(|names| names.iter()).zip(by_name) {
            keywords.set_item(name, value)?;
        }
        let bound = self.bind(py, &PyTuple::new(py, by_place)?, Some(&keywords))?;
        self.call(slf, bound.as_slice())
    }

    /// No version that is compiled: it is made now.
    fn call_new<'py>(
        &self,
        slf: &Bound<'py, Self>,
        values: &[Bound<'py, PyAny>],
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let names = self.names(py)?;
        let arguments: Vec<_> = names
            .iter()
            .zip(values)
            .map(|(name, value)| arguments::classify(name, value))
            .collect::<PyResult<_>>()
            .map_err(|error| self.in_call(py, error))?;
        if self.versions().plain.contains(&arguments) {
            return self.plainly(py, values);
        }
        let lock = making::Lock::acquire(py)?;
        // Another thread may have made it meanwhile.
        let versions = self.versions().list.clone();
        for version in versions {
            let mut frame = Frame::new(version.slots);
            if version.accepts(py, values, &mut frame)? {
                drop(lock);
                return version.run(py, &mut frame);
            }
        }
        let made = match making::make(slf, &arguments) {
            Ok(made) => Arc::new(made),
            Err(error) if error.is_instance_of::<PyImportError>(py) && ahead::is_shipped(slf)? => {
                drop(lock);
                let types: Vec<_> = arguments.iter().map(ToString::to_string).collect();
                let text = format!(
                    "{}({}) was not compiled ahead of time for this machine, and llvmlite is not there to do it now: it runs as plain \
                     Python",
                    self.function.bind(py).getattr("__qualname__")?,
                    types.join(", ")
                );
                self.versions().plain.push(arguments);
                failures::warn(py, &text)?;
                return self.plainly(py, values);
            }
            Err(error) => {
                let name = error.get_type(py).name().map_or_else(|_| String::new(), |name| name.to_string());
                let text = format!("{name}: {}", error.value(py));
                self.versions().failure = Some(text);
                return Err(error);
            }
        };
        let told = self.keep(py, &made)?;
        drop(lock);
        if let Some(text) = told {
            failures::warn(py, &text)?;
        }
        let mut frame = Frame::new(made.slots);
        if !made.accepts(py, values, &mut frame)? {
            return Err(PyRuntimeError::new_err(format!(
                "what {} uses from around it changed while it was being compiled",
                self.function.bind(py).getattr("__qualname__")?
            )));
        }
        let result = made.run(py, &mut frame);
        self.latest.set(made);
        result
    }

    /// As Python runs it.
    fn plainly<'py>(&self, py: Python<'py>, values: &[Bound<'py, PyAny>]) -> PyResult<Bound<'py, PyAny>> {
        let values = PyTuple::new(py, values)?;
        py.import("manyhands._jit_calls")?.call_method1("plainly", (&self.function, values))
    }

    /// Keeps a version, and says what keeps changing if something does.
    fn keep(&self, py: Python<'_>, made: &Arc<Compiled>) -> PyResult<Option<String>> {
        let mut unused = Vec::new();
        let mut told = None;
        let mut versions = self.versions();
        let of_these: Vec<_> =
            versions.list.iter().filter(|version| version.arguments() == made.arguments()).cloned().collect();
        if !of_these.is_empty() {
            versions.recompiled += 1;
            if versions.recompiled == RESTLESS {
                told = of_these.first().cloned();
            }
        }
        if of_these.len() >= VERSIONS
            && let Some(oldest) = of_these.last()
        {
            versions.list.retain(|version| !Arc::ptr_eq(version, oldest));
            unused.push(oldest.clone());
        }
        versions.list.insert(0, made.clone());
        let signature = made.signature();
        if !versions.signatures.contains(&signature) {
            versions.signatures.push(signature);
        }
        drop(versions);
        // What is let go of may run code of the program's: only after the lock.
        drop(unused);
        let Some(before) = told else { return Ok(None) };
        Ok(before.changed(py)?.map(|name| {
            format!(
                "{} was compiled {RESTLESS} times because {name} changed: compiled code holds such values fast, so pass it as an \
                 argument",
                self.function.bind(py).getattr("__qualname__").map_or_else(|_| "?".into(), |name| name.to_string())
            )
        }))
    }

    /// One value for each parameter, or the TypeError that Python raises.
    fn bind<'py>(
        &self,
        py: Python<'py>,
        args: &Bound<'py, PyTuple>,
        kwargs: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        let probe = self.probe.get_or_try_init(py, || {
            py.import("manyhands._jit_calls")?.call_method1("probe", (&self.function,)).map(Bound::unbind)
        })?;
        // The function's defaults as they are now.
        let probe = probe.bind(py);
        for part in ["__defaults__", "__kwdefaults__"] {
            let now = self.function.bind(py).getattr(part)?;
            if !probe.getattr(part)?.is(&now) {
                probe.setattr(part, now)?;
            }
        }
        Ok(probe.call(args, kwargs)?.cast_into()?)
    }

    /// Names of the parameters, in the order of the function's own variables.
    fn names(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        py.import("manyhands._jit_calls")?.call_method1("parameters", (&self.function,))?.extract()
    }

    fn versions(&self) -> MutexGuard<'_, Versions> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says in an error about an argument whose it is.
    fn in_call(&self, py: Python<'_>, error: PyErr) -> PyErr {
        let name = self
            .function
            .bind(py)
            .getattr("__qualname__")
            .map_or_else(|_| "?".into(), |name| name.to_string());
        let text = format!("{name}(): {}", error.value(py));
        if error.is_instance_of::<PyTypeError>(py) {
            PyTypeError::new_err(text)
        } else {
            PyErr::from_type(error.get_type(py), text)
        }
    }

    fn shown<'py>(
        &self,
        slf: &Bound<'py, Self>,
        signature: Option<&str>,
        show: fn(&Bound<'py, Self>, &Compiled) -> PyResult<String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if let Some(signature) = signature {
            let version = self.version_of(signature)?;
            return Ok(PyString::new(py, &show(slf, &version)?).into_any());
        }
        let versions = self.versions().list.clone();
        let all = PyDict::new(py);
        for version in versions.iter().rev() {
            all.set_item(version.signature(), show(slf, version)?)?;
        }
        Ok(all.into_any())
    }

    /// The version for one of `signatures`, or the one that was used last.
    fn asked_for(&self, signature: Option<&str>) -> PyResult<Arc<Compiled>> {
        match signature {
            Some(signature) => self.version_of(signature),
            None => {
                let (made, failure) = {
                    let versions = self.versions();
                    (versions.list.first().cloned(), versions.failure.clone())
                };
                made.ok_or_else(|| {
                    PyTypeError::new_err(match failure {
                        Some(failure) => format!("it could not be compiled when it was called: {failure}"),
                        None => "it was not compiled yet: call it, then ask what became of it".to_owned(),
                    })
                })
            }
        }
    }

    fn version_of(&self, signature: &str) -> PyResult<Arc<Compiled>> {
        let versions = self.versions();
        let found = versions.list.iter().find(|version| version.signature() == signature).cloned();
        found.ok_or_else(|| {
            PyTypeError::new_err(format!(
                "it was not compiled for {signature}: `signatures` tells what it was compiled for"
            ))
        })
    }
}

/// Something that cannot be, unless by a mistake of ours.
pub fn broken(text: String) -> PyErr {
    PyRuntimeError::new_err(format!("{text}: a mistake of manyhands', please report it"))
}
