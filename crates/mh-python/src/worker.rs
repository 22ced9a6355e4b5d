//! The loop of a worker process: learn, run items, answer.

use std::collections::HashMap;
use std::os::fd::IntoRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mh_runtime::{Access, Batch, FixedMemory, Incoming, Object, SystemMemory, WorkerLink as Link};
use pyo3::exceptions::{PyEOFError, PyMemoryError};
use pyo3::prelude::*;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyList, PyTuple};

use crate::codec::{
    Callee, Fetch, Pickled, Store, decode, encode_pickle, encode_plain, function_of_call, split_pickle,
};
use crate::ffi::{SharedBuffer, put_back};
use crate::pool::store_error;
use crate::{CALL_APPLY, CALL_KEYWORDS, CALL_ONE, CALL_STAR, CALL_TASK};

/// A small buffer of a function or global: what the user's code may write to, and what was sent.
struct SmallHeld {
    object: u64,
    live: Py<PyByteArray>,
    sent: Vec<u8>,
}

/// The worker's connection, with what it has learned. Only the main thread uses it.
#[pyclass(unsendable, module = "manyhands._native")]
pub struct WorkerLink {
    link: Link,
    functions: HashMap<u64, Py<PyAny>>,
    small: Vec<SmallHeld>,
    /// The items before had random streams of their own.
    seeded: bool,
    noted: Arc<AtomicBool>,
}

/// Sends prints of the worker; callable from any thread as `printer(stream, bytes)`.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Printer {
    printer: mh_runtime::Printer,
    /// Something is to be done at the end of the item: a line was begun, a stream closed.
    noted: Arc<AtomicBool>,
}

#[pymethods]
impl Printer {
    fn __call__(&self, py: Python<'_>, stream: u8, data: &[u8]) -> PyResult<()> {
        py.detach(|| self.printer.print(stream, data))?;
        Ok(())
    }

    /// Asks that `Output.finish_item` be called at the end of the item.
    fn note(&self) {
        self.noted.store(true, Ordering::Release);
    }
}

/// What the Python half of the worker does for the loop (`manyhands._worker.Handlers`).
struct Handlers<'py> {
    install: Bound<'py, PyAny>,
    forget: Bound<'py, PyAny>,
    loads: Bound<'py, PyAny>,
    dumps: Bound<'py, PyAny>,
    describe: Bound<'py, PyAny>,
    describe_unsendable: Bound<'py, PyAny>,
    begin_item: Bound<'py, PyAny>,
    raiser: Bound<'py, PyAny>,
    output: Bound<'py, PyAny>,
}

impl<'py> Handlers<'py> {
    fn new(handlers: &Bound<'py, PyAny>) -> PyResult<Handlers<'py>> {
        Ok(Handlers {
            install: handlers.getattr("install")?,
            forget: handlers.getattr("forget")?,
            loads: handlers.getattr("loads")?,
            dumps: handlers.getattr("dumps")?,
            describe: handlers.getattr("describe")?,
            describe_unsendable: handlers.getattr("describe_unsendable")?,
            begin_item: handlers.getattr("begin_item")?,
            raiser: handlers.getattr("raiser")?,
            output: handlers.getattr("output")?,
        })
    }
}

#[pymethods]
impl WorkerLink {
    /// Takes over the connection that the parent left as standard input.
    /// `memory`: what is free for results, in place of what the system says.
    #[new]
    #[pyo3(signature = (memory=None))]
    fn new(memory: Option<u64>) -> PyResult<WorkerLink> {
        let link = match memory {
            Some(fixed) => Link::connect(Box::new(FixedMemory(fixed)))?,
            None => Link::connect(Box::new(SystemMemory::new()))?,
        };
        Ok(WorkerLink {
            link,
            functions: HashMap::new(),
            small: Vec::new(),
            seeded: false,
            noted: Arc::default(),
        })
    }

    #[getter]
    fn id(&self) -> u64 {
        self.link.id()
    }

    fn printer(&self) -> Printer {
        Printer { printer: self.link.printer(), noted: self.noted.clone() }
    }

    /// Serves the parent until it asks for the end (True) or is gone (False).
    fn serve<'py>(&mut self, py: Python<'py>, handlers: &Bound<'py, PyAny>) -> PyResult<bool> {
        let handlers = Handlers::new(handlers)?;
        let mut starting = self.link.has_initializer;
        if !starting {
            self.link.ready()?;
        }
        loop {
            let incoming = match self.link.receive_now() {
                Some(incoming) => incoming?,
                None => {
                    let link = &mut self.link;
                    match py.detach(|| link.next()) {
                        Ok(incoming) => incoming,
                        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Incoming::Closed,
                        Err(error) => return Err(error.into()),
                    }
                }
            };
            match incoming {
                Incoming::Object { id, kind, bytes, descriptors } => {
                    let descriptors: Vec<i32> = descriptors.into_iter().map(IntoRawFd::into_raw_fd).collect();
                    let installed = self.install(py, &handlers, id, kind, &bytes, descriptors);
                    if kind == crate::KIND_INITIALIZER {
                        match installed {
                            Ok(()) => self.link.ready()?,
                            Err(error) => {
                                let shown = (error.into_value(py), py.None(), py.None());
                                let failure = handlers.describe.call1(shown)?;
                                self.link.not_ready(failure.cast::<PyBytes>()?.as_bytes())?;
                                return Ok(true);
                            }
                        }
                        starting = false;
                    } else {
                        installed?;
                    }
                }
                Incoming::Batch(batch) => self.run(py, &handlers, &batch)?,
                Incoming::Forget(ids) => {
                    for id in &ids {
                        self.functions.remove(id);
                        self.small.retain(|held| held.object != *id);
                    }
                    handlers.forget.call1((ids,))?;
                    self.link.send_released()?;
                }
                // Interrupted: a signal; its Python handler runs here.
                Incoming::Interrupted => py.check_signals()?,
                Incoming::Shutdown if starting => {}
                Incoming::Shutdown => return Ok(true),
                Incoming::Closed => return Ok(false),
            }
        }
    }
}

impl WorkerLink {
    fn install<'py>(
        &mut self,
        py: Python<'py>,
        handlers: &Handlers<'py>,
        id: u64,
        kind: u8,
        bytes: &[u8],
        descriptors: Vec<i32>,
    ) -> PyResult<()> {
        let mut fetch = HeldFetch { link: &mut self.link, small: &mut self.small, object: id };
        let value = split_pickle(py, bytes, &mut fetch).and_then(|pickled| {
            let payload = PyBytes::new(py, pickled.bytes);
            handlers.install.call1((id, kind, payload, pickled.buffers, descriptors))
        });
        if kind == crate::KIND_FUNCTION || kind == crate::KIND_FUNCTION_BY_NAME {
            // A function that cannot be loaded fails each of its items, with that reason.
            match value {
                Ok(value) => self.functions.insert(id, value.unbind()),
                Err(error) => {
                    let raiser = handlers.raiser.call1((error.into_value(py),))?;
                    self.functions.insert(id, raiser.unbind())
                }
            };
            return Ok(());
        }
        value.map(drop)
    }

    /// Runs the items of a batch that nobody takes back, and answers them.
    fn run<'py>(&mut self, py: Python<'py>, handlers: &Handlers<'py>, batch: &Batch) -> PyResult<()> {
        let function = self.functions.get(&batch.head.function).map(|function| function.bind(py).clone());
        let (mode, seed) = match batch.head.tag.split_first() {
            Some((mode, seed)) => (*mode, seed),
            None => (CALL_ONE, &[][..]),
        };
        let seed: Option<Vec<u64>> = (!seed.is_empty()).then(|| {
            let word = |bytes: &[u8]| bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
            seed.chunks(8).map(word).collect()
        });
        if self.seeded && seed.is_none() {
            // The process's own random streams come back.
            handlers.begin_item.call1((py.None(),))?;
        }
        self.seeded = seed.is_some();
        self.link.begin(batch);
        let mut done = 0;
        while let Some(position) = self.link.claim(batch) {
            let index = batch.head.first + u64::from(position);
            if let Some(seed) = &seed {
                handlers.begin_item.call1((mh_runtime::stream::stream(seed, index),))?;
            }
            self.link.restore_held()?;
            for held in &self.small {
                put_back(held.live.bind(py), &held.sent);
            }
            done += 1;
            self.run_one(py, handlers, batch, position, mode, function.as_ref(), done)?;
            if self.noted.load(Ordering::Acquire) {
                self.noted.store(false, Ordering::Release);
                handlers.output.call_method0("finish_item")?;
            }
        }
        self.link.flush()?;
        self.link.send_released()?;
        Ok(())
    }

    #[allow(clippy::too_many_arguments)] // One step of `run`, split off for its length.
    fn run_one<'py>(
        &mut self,
        py: Python<'py>,
        handlers: &Handlers<'py>,
        batch: &Batch,
        position: u32,
        mode: u8,
        function: Option<&Bound<'py, PyAny>>,
        done: u32,
    ) -> PyResult<()> {
        // What a message about it shows: calls of `apply` have no place in a row; an item may turn out not to load.
        let index = (mode != CALL_APPLY).then(|| batch.head.first + u64::from(position));
        let mut argument = pyo3::types::PyNotImplemented::get(py).to_owned().into_any();
        let outcome = match self.decode_item(py, handlers, batch, position) {
            Ok(value) => {
                argument = value.clone();
                self.link.called();
                let outcome = match function_of_call(batch.items.part(position as usize)) {
                    Some(callee) => {
                        let (mode, number) = match callee {
                            Callee::Positional(number) => (CALL_STAR, number),
                            Callee::WithKeywords(number) => (CALL_KEYWORDS, number),
                        };
                        let called = self.functions.get(&number).map(|called| called.bind(py).clone());
                        call(mode, called.as_ref(), value)
                    }
                    None => call(mode, function, value),
                };
                self.link.returned();
                outcome
            }
            Err(error) => Err(error),
        };
        let error = match outcome {
            Ok(value) => {
                // Plain values go straight to where they will be sent from.
                if self.link.answer_plain(batch, position, done, |bytes| encode_plain(&value, bytes))? {
                    return Ok(());
                }
                let mut encoded = Vec::new();
                match self.encode_answer(py, handlers, &value, &mut encoded) {
                    Ok(objects) => {
                        drop((value, argument));
                        self.link.answer(batch, position, done, false, &objects, &encoded)?;
                        return Ok(());
                    }
                    Err(error) => {
                        let shown = (error.into_value(py), value, index, argument);
                        let failure = handlers.describe_unsendable.call1(shown)?;
                        let failure = failure.cast::<PyBytes>()?.as_bytes().to_vec();
                        self.link.answer(batch, position, done, true, &[], &failure)?;
                        return Ok(());
                    }
                }
            }
            Err(error) => error,
        };
        let failure = handlers.describe.call1((error.into_value(py), index, argument))?;
        let failure = failure.cast::<PyBytes>()?.as_bytes().to_vec();
        self.link.answer(batch, position, done, true, &[], &failure)?;
        Ok(())
    }

    fn decode_item<'py>(
        &mut self,
        py: Python<'py>,
        handlers: &Handlers<'py>,
        batch: &Batch,
        position: u32,
    ) -> PyResult<Bound<'py, PyAny>> {
        let descriptors: Vec<i32> = match batch.descriptors.get(&position) {
            None => Vec::new(),
            Some(own) => {
                let clones: std::io::Result<Vec<_>> = own.iter().map(|fd| fd.try_clone()).collect();
                clones?.into_iter().map(IntoRawFd::into_raw_fd).collect()
            }
        };
        let loads = &handlers.loads;
        let mut load = |pickled: Pickled<'_, 'py>| {
            loads.call1((PyBytes::new(py, pickled.bytes), pickled.buffers, &descriptors))
        };
        decode(py, batch.items.part(position as usize), &mut ItemFetch { link: &mut self.link }, &mut load)
    }

    fn encode_answer<'py>(
        &mut self,
        py: Python<'py>,
        handlers: &Handlers<'py>,
        value: &Bound<'py, PyAny>,
        out: &mut Vec<u8>,
    ) -> PyResult<Vec<Object>> {
        let buffers = PyList::empty(py);
        let pickle = handlers.dumps.call1((value, buffers.getattr("append")?))?;
        let pickle = pickle.cast::<PyBytes>()?.as_bytes();
        let mut store = AnswerStore { link: &mut self.link, stored: Vec::new() };
        let encoded = encode_pickle(pickle, &buffers, &mut store, out);
        if encoded.is_err() {
            for object in std::mem::take(&mut store.stored) {
                self.link.unstore(object);
            }
        }
        encoded
    }
}

fn call<'py>(
    mode: u8,
    function: Option<&Bound<'py, PyAny>>,
    value: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    match (mode, function) {
        (CALL_ONE, Some(function)) => function.call1((value,)),
        (CALL_STAR, Some(function)) => match value.cast::<PyTuple>() {
            Ok(arguments) => function.call1(arguments),
            Err(_) => {
                let arguments: Vec<Bound<'py, PyAny>> = value.try_iter()?.collect::<PyResult<_>>()?;
                function.call1(PyTuple::new(value.py(), arguments)?)
            }
        },
        (CALL_KEYWORDS, Some(function)) => {
            let (arguments, keywords): (Bound<'py, PyTuple>, Bound<'py, PyDict>) = value.extract()?;
            function.call(arguments, Some(&keywords))
        }
        (CALL_APPLY | CALL_TASK, _) => {
            let (function, arguments, keywords): (
                Bound<'py, PyAny>,
                Bound<'py, PyTuple>,
                Option<Bound<'py, _>>,
            ) = value.extract()?;
            function.call(arguments, keywords.as_ref())
        }
        _ => Err(pyo3::exceptions::PyRuntimeError::new_err("the worker was not told the function")),
    }
}

/// Puts large results into the worker's shared memory.
struct AnswerStore<'a> {
    link: &'a mut Link,
    stored: Vec<Object>,
}

impl Store for AnswerStore<'_> {
    fn store(&mut self, py: Python<'_>, _buffer: &Bound<'_, PyAny>, bytes: &[u8]) -> PyResult<Object> {
        let link = &mut *self.link;
        let object = py.detach(|| link.store(bytes)).map_err(store_error)?;
        self.stored.push(object);
        Ok(object)
    }
}

/// Finds what the parent stored for an item.
struct ItemFetch<'a> {
    link: &'a mut Link,
}

impl Fetch for ItemFetch<'_> {
    fn fetch<'py>(&mut self, py: Python<'py>, object: Object) -> PyResult<Bound<'py, PyAny>> {
        access(py, self.link, object, false)
    }
}

/// The same for functions and globals, which stay for many items.
struct HeldFetch<'a> {
    link: &'a mut Link,
    small: &'a mut Vec<SmallHeld>,
    object: u64,
}

impl Fetch for HeldFetch<'_> {
    fn fetch<'py>(&mut self, py: Python<'py>, object: Object) -> PyResult<Bound<'py, PyAny>> {
        access(py, self.link, object, true)
    }

    fn in_line<'py>(&mut self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        let live = PyByteArray::new(py, bytes);
        self.small.push(SmallHeld { object: self.object, live: live.clone().unbind(), sent: bytes.to_vec() });
        Ok(live.into_any())
    }
}

fn access<'py>(py: Python<'py>, link: &mut Link, object: Object, hold: bool) -> PyResult<Bound<'py, PyAny>> {
    match py.detach(|| link.access(object, hold)) {
        Ok(Access::Shared(used)) => Ok(Bound::new(py, SharedBuffer::of_argument(used))?.into_any()),
        Ok(Access::Copied(bytes)) => Ok(PyByteArray::new(py, &bytes).into_any()),
        Err(error) if error.kind() == std::io::ErrorKind::OutOfMemory => {
            Err(PyMemoryError::new_err("no memory to map an argument"))
        }
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            Err(PyEOFError::new_err("parent gone"))
        }
        Err(error) => Err(error.into()),
    }
}
