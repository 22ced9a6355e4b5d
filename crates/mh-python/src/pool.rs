//! The runtime's pool as a Python object.

use std::sync::Arc;
use std::time::Duration;

use mh_runtime::{
    Cores, Descriptor, JobOptions, JobSpec, ObjectId, OnError, OomCounter, Payload, Pool as Runtime,
    PoolOptions, Program, SettableMemory, Settings, StoreError, SystemMemory, Waited,
};
use pyo3::exceptions::{PyMemoryError, PyOSError, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::codec::{Store, encode_pickle};
use crate::ffi::duplicate;
use crate::hooks::death_parts;
use crate::job::Job;
use crate::sharing::Sharing;
use crate::tasks::Callees;

/// Worker processes of one pool. See `manyhands._native.pyi` for the Python side.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Engine {
    runtime: Arc<Runtime>,
}

/// Copies buffers into the pool's shared memory, without the interpreter's lock where they are large.
pub struct PoolStore<'a> {
    pub runtime: &'a Runtime,
}

impl Store for PoolStore<'_> {
    fn store(
        &mut self,
        py: Python<'_>,
        _buffer: &Bound<'_, PyAny>,
        bytes: &[u8],
    ) -> PyResult<mh_runtime::Object> {
        let runtime = self.runtime;
        py.detach(|| runtime.store(bytes)).map_err(store_error)
    }
}

/// What could not be put into shared memory, as Python's own error.
pub fn store_error(error: StoreError) -> PyErr {
    match error {
        StoreError::OutOfMemory { .. } => PyMemoryError::new_err(error.to_string()),
        other => PyOSError::new_err(other.to_string()),
    }
}

impl Engine {
    fn ours(&self) -> PyResult<&Arc<Runtime>> {
        if self.runtime.is_ours() {
            return Ok(&self.runtime);
        }
        Err(PyRuntimeError::new_err(
            "this pool belongs to the parent process: it was made before os.fork(); make a new one in this process",
        ))
    }
}

#[pymethods]
impl Engine {
    /// Makes a pool of `workers` processes, started by `command` (a list of strings) with `environment` set over the
    /// parent's. No process is started before `start`.
    #[new]
    #[pyo3(signature = (workers, command, environment, tasks_per_worker=None, memory=None))]
    fn new(
        workers: usize,
        command: Vec<std::ffi::OsString>,
        environment: Vec<(std::ffi::OsString, std::ffi::OsString)>,
        tasks_per_worker: Option<u64>,
        memory: Option<u64>,
    ) -> PyResult<Engine> {
        let mut settings = Settings::new(workers);
        settings.tasks_per_worker = tasks_per_worker;
        settings.abreast = Cores::read().usable(true);
        let options = PoolOptions {
            settings,
            program: Program { command, environment },
            memory: match memory {
                Some(fixed) => Box::new(SettableMemory::new(fixed)),
                None => Box::new(SystemMemory::new()),
            },
            oom: OomCounter::new(),
        };
        Ok(Engine { runtime: Arc::new(Runtime::new(options)?) })
    }

    /// What every worker is told before its first item; with `initializer`, the last one is run by the worker.
    fn set_first(&self, objects: Vec<u64>, initializer: bool) -> PyResult<()> {
        self.ours()?.set_first(&ids(&objects), initializer);
        Ok(())
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let runtime = self.ours()?;
        py.detach(|| runtime.start());
        Ok(())
    }

    /// Adds a thing that workers are told: a pickle and its out-of-band buffers. Gives its number.
    fn add_object(
        &self,
        py: Python<'_>,
        kind: u8,
        pickle: &[u8],
        buffers: &Bound<'_, PyList>,
        descriptors: Vec<i32>,
    ) -> PyResult<u64> {
        let runtime = self.ours()?;
        let mut bytes = Vec::with_capacity(pickle.len() + 1);
        let objects = encode_pickle(pickle, buffers, &mut PoolStore { runtime }, &mut bytes)?;
        let descriptors = own_descriptors(&descriptors)?;
        let payload = Payload { bytes, objects, descriptors };
        Ok(py.detach(|| runtime.add_object(kind, payload)).0)
    }

    /// Lets go of things, here and in the workers.
    fn forget(&self, objects: Vec<u64>) -> PyResult<()> {
        self.ours()?.forget(&ids(&objects));
        Ok(())
    }

    /// Opens a job. `function`: number of the object that holds it, None where each item brings its own. `tag`: for
    /// the workers. `by_index`: answers are asked for one by one. `share`: a buffer that comes again is stored once.
    /// `checked`: it may have been written to between two items. `keep`: the function outlives the job. `tasks`: items are
    /// (function, args, kwargs).
    #[pyo3(signature = (function, tag, *, return_errors=false, retries=0, timeout=None, buffer=None, chunk=None,
                        by_index=false, share=false, checked=false, keep=false, tasks=false))]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments, all of one call.
    fn job(
        &self,
        function: Option<u64>,
        tag: Vec<u8>,
        return_errors: bool,
        retries: u32,
        timeout: Option<f64>,
        buffer: Option<u64>,
        chunk: Option<u64>,
        by_index: bool,
        share: bool,
        checked: bool,
        keep: bool,
        tasks: bool,
    ) -> PyResult<Job> {
        let runtime = self.ours()?.clone();
        let options = JobOptions {
            on_error: if return_errors { OnError::Return } else { OnError::Raise },
            retries,
            timeout: timeout.map(|seconds| (seconds * 1e9) as u64),
            buffer,
            chunk,
        };
        let function = function.map(ObjectId);
        let id = runtime.open(JobSpec { options, function, tag, by_index });
        let shared = share.then(|| Sharing::new(checked));
        let callees = tasks.then(Callees::default);
        Ok(Job::new(runtime, id, function.filter(|_| !keep), return_errors, shared, callees))
    }

    /// No further jobs; workers end once the open ones have.
    fn drain(&self) -> PyResult<()> {
        self.ours()?.drain();
        Ok(())
    }

    /// Waits until every worker is gone; False when the time is up (or a signal came) first.
    #[pyo3(signature = (timeout=None))]
    fn wait_drained(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let runtime = self.ours()?;
        let waited = py.detach(|| runtime.wait_drained(timeout.map(Duration::from_secs_f64)));
        py.check_signals()?;
        Ok(waited == Waited::News)
    }

    /// Kills the workers and waits for their end. Does nothing in a forked child.
    fn terminate(&self, py: Python<'_>) {
        let runtime = &self.runtime;
        py.detach(|| runtime.terminate());
    }

    /// The same at the end of the program: threads that wait for this pool are not woken any more.
    fn terminate_at_exit(&self, py: Python<'_>) {
        let runtime = &self.runtime;
        py.detach(|| runtime.terminate_at_exit());
    }

    /// The workers: dicts with id, pid, ready, running.
    fn workers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let views = self.ours()?.workers();
        let as_dict = |view: mh_runtime::WorkerView| -> PyResult<Bound<'py, PyDict>> {
            let dict = PyDict::new(py);
            dict.set_item("id", view.id)?;
            dict.set_item("pid", view.pid)?;
            dict.set_item("ready", view.ready)?;
            dict.set_item("running", view.running)?;
            Ok(dict)
        };
        views.into_iter().map(as_dict).collect()
    }

    /// Why the pool cannot go on: (signal, exit code, out of memory, the initializer's failure, why no process could be
    /// started), or None while it can.
    #[allow(clippy::type_complexity)] // A tuple for one caller, which takes it apart at once.
    fn breakage(
        &self,
    ) -> PyResult<Option<(Option<i32>, Option<i32>, bool, Option<Vec<u8>>, Option<String>)>> {
        Ok(self.ours()?.breakage().map(|breakage| {
            let (signal, code, memory) = breakage.death.map_or((None, None, false), death_parts);
            (signal, code, memory, breakage.initializer, breakage.start)
        }))
    }

    /// Waits for what was watched: ([(job, index or None)], [(stream, bytes)]).
    #[allow(clippy::type_complexity)] // As above.
    fn next_delivery(
        &self,
        py: Python<'_>,
        timeout: f64,
    ) -> PyResult<(Vec<(u64, Option<u64>)>, Vec<(u8, Vec<u8>)>)> {
        let runtime = self.ours()?;
        let (deliveries, prints) = py.detach(|| runtime.next_delivery(Duration::from_secs_f64(timeout)));
        let deliveries = deliveries.into_iter().map(|delivery| (delivery.job.0, delivery.index)).collect();
        Ok((deliveries, prints.into_iter().map(|print| (print.stream, print.bytes)).collect()))
    }

    /// Wakes `next_delivery`.
    fn nudge_delivery(&self) -> PyResult<()> {
        self.ours()?.nudge_delivery();
        Ok(())
    }

    /// What was printed and nobody has shown: [(stream, bytes)].
    fn take_prints(&self) -> PyResult<Vec<(u8, Vec<u8>)>> {
        Ok(self.ours()?.take_prints().into_iter().map(|print| (print.stream, print.bytes)).collect())
    }

    /// Is this the process that made the pool?
    fn is_ours(&self) -> bool {
        self.runtime.is_ours()
    }
}

fn ids(numbers: &[u64]) -> Vec<ObjectId> {
    numbers.iter().copied().map(ObjectId).collect()
}

/// Descriptors of our own for the files that these numbers stand for.
pub fn own_descriptors(numbers: &[i32]) -> PyResult<Vec<Descriptor>> {
    let own = |number: &i32| Ok(Descriptor::Owned(Arc::new(duplicate(*number)?)));
    numbers.iter().map(own).collect()
}
