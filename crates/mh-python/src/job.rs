//! A job as a Python object: encodes items, decodes answers.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mh_runtime::recorder;
use mh_runtime::{
    Answer, AnswerBatch, Chunk, JobId, Object, ObjectId, Outcome, Pool as Runtime, Spending, Waited,
    Withdrawal,
};
use mh_trace::{Activity, Event, JobKey};
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCFunction, PyIterator, PyList, PyTuple};

use crate::codec::{Fetch, Pickled, decode, encode_call, encode_pickle, encode_plain};
use crate::ffi::SharedBuffer;
use crate::gather::Gathered;
use crate::hooks::Hooks;
use crate::pool::own_descriptors;
use crate::sharing::{Sharing, SharingStore};
use crate::tasks::{Callees, Task};

/// Items are encoded this long before the workers get them and answers are looked for.
const SLICE: Duration = Duration::from_millis(1);
/// The same in bytes.
const SLICE_BYTES: usize = 8 << 20;
/// What one item came to: its index, whether it succeeded, its value or exception.
pub type Collected<'py> = (u64, bool, Bound<'py, PyAny>);

/// One call's items and answers. See `manyhands._native.pyi` for the Python side.
#[pyclass(frozen, module = "manyhands._native")]
pub struct Job {
    runtime: Arc<Runtime>,
    id: JobId,
    /// The function's object, if it ends with the job.
    function: Option<ObjectId>,
    /// Failures are answers like others.
    return_errors: bool,
    /// `None` where buffers are never the same ones.
    shared: Option<Sharing>,
    /// Items are calls, each of a function of its own.
    callees: Option<Callees>,
    /// Index of the next item.
    next: AtomicU64,
}

impl Job {
    pub fn new(
        runtime: Arc<Runtime>,
        id: JobId,
        function: Option<ObjectId>,
        return_errors: bool,
        shared: Option<Sharing>,
        callees: Option<Callees>,
    ) -> Job {
        Job { runtime, id, function, return_errors, shared, callees, next: AtomicU64::new(0) }
    }

    fn ours(&self) -> PyResult<&Arc<Runtime>> {
        if self.runtime.is_ours() {
            return Ok(&self.runtime);
        }
        Err(PyRuntimeError::new_err("this call belongs to the parent process: it was made before os.fork()"))
    }

    /// For a trace: what the caller does from now on.
    fn spending(&self, activity: Activity) -> Option<Spending> {
        Spending::begin(self.key(), activity)
    }

    /// As traces know it.
    pub fn key(&self) -> JobKey {
        JobKey { pool: self.runtime.number(), job: self.id.0 }
    }

    /// Encodes one item at the end of a chunk.
    fn encode(
        &self,
        value: &Bound<'_, PyAny>,
        session: &Bound<'_, PyAny>,
        chunk: &mut Chunk,
    ) -> PyResult<()> {
        let start = chunk.items.bytes.len();
        let encoded = match &self.callees {
            Some(callees) => self.encode_task(value, callees, session, chunk),
            None if encode_plain(value, &mut chunk.items.bytes) => Ok(()),
            None => self.encode_pickled(value, session, chunk),
        };
        match encoded {
            Ok(()) => chunk.items.end_part(),
            Err(_) => chunk.items.bytes.truncate(start),
        }
        encoded
    }

    fn encode_task(
        &self,
        value: &Bound<'_, PyAny>,
        callees: &Callees,
        session: &Bound<'_, PyAny>,
        chunk: &mut Chunk,
    ) -> PyResult<()> {
        let task = Task::of(value)?;
        match callees.number_of(&task.function, session)? {
            Some(number) if task.encode_plain(number, &mut chunk.items.bytes) => Ok(()),
            Some(number) => {
                task.encode_head(number, &mut chunk.items.bytes);
                self.encode_pickled(task.arguments()?.as_any(), session, chunk)
            }
            None => self.encode_pickled(task.whole()?.as_any(), session, chunk),
        }
    }

    /// Writes a value as a pickle, its large buffers into shared memory. What a failure leaves is the caller's to remove.
    fn encode_pickled(
        &self,
        value: &Bound<'_, PyAny>,
        session: &Bound<'_, PyAny>,
        chunk: &mut Chunk,
    ) -> PyResult<()> {
        let py = value.py();
        let position = chunk.items.len() as u32;
        let (buffers, descriptors) = (PyList::empty(py), PyList::empty(py));
        let keep = descriptors.clone().unbind();
        let descriptor = PyCFunction::new_closure(py, None, None, move |args, _| -> PyResult<usize> {
            let list = keep.bind(args.py());
            list.append(args.get_item(0)?)?;
            Ok(list.len() - 1)
        })?;
        let pickle = session.call_method1("dumps", (value, buffers.getattr("append")?, descriptor))?;
        let mut store = SharingStore { runtime: &self.runtime, shared: self.shared.as_ref() };
        let pickle = pickle.cast::<PyBytes>()?.as_bytes();
        let objects = encode_pickle(pickle, &buffers, &mut store, &mut chunk.items.bytes)?;
        chunk.objects.extend(objects.into_iter().map(|object| (position, object)));
        if !descriptors.is_empty() {
            let own = own_descriptors(&descriptors.extract::<Vec<i32>>()?)?;
            chunk.descriptors.extend(own.into_iter().map(|descriptor| (position, descriptor)));
        }
        Ok(())
    }

    /// Encodes items until there are `limit`, a slice of time is over, or the source is empty (`true`). An error of the
    /// source, or of an item that cannot be sent, comes after what precedes it has been encoded.
    fn encode_slice(
        &self,
        source: &Bound<'_, PyIterator>,
        session: &Bound<'_, PyAny>,
        hooks: &Hooks<'_>,
        limit: u64,
        chunk: &mut Chunk,
    ) -> PyResult<bool> {
        let started = Instant::now();
        let first = self.next.load(Ordering::Relaxed);
        let mut source = source.clone();
        for count in 0..limit {
            let Some(value) = source.next() else { return Ok(true) };
            let value = value?;
            if let Err(error) = self.encode(&value, session, chunk) {
                return Err(hooks.unsendable(error, first + count, &value));
            }
            if count % 64 == 63 && (started.elapsed() > SLICE || chunk.items.bytes.len() > SLICE_BYTES) {
                break;
            }
            if chunk.items.bytes.len() > SLICE_BYTES || !chunk.objects.is_empty() && started.elapsed() > SLICE
            {
                break;
            }
        }
        Ok(false)
    }

    fn send(
        &self,
        py: Python<'_>,
        session: &Bound<'_, PyAny>,
        chunk: Chunk,
        end: bool,
    ) -> PyResult<Option<u64>> {
        let needs = session.getattr("needs")?;
        let needs = needs.cast::<PyList>()?;
        if !needs.is_empty() {
            let needs: Vec<u64> = needs.extract()?;
            let needs: Vec<ObjectId> = needs.into_iter().map(ObjectId).collect();
            self.runtime.add_needs(self.id, &needs);
        }
        self.next.fetch_add(chunk.items.len() as u64, Ordering::Relaxed);
        Ok(py.detach(|| self.runtime.feed(self.id, chunk, end)))
    }

    /// Encodes and sends one slice; `true` when the source is empty and the job has been told so.
    fn feed_slice(
        &self,
        source: &Bound<'_, PyIterator>,
        session: &Bound<'_, PyAny>,
        hooks: &Hooks<'_>,
        limit: u64,
    ) -> PyResult<bool> {
        let mut chunk = Chunk::default();
        let mut spending = self.spending(Activity::Encode);
        let encoded = self.encode_slice(source, session, hooks, limit, &mut chunk);
        if let Some(spending) = &mut spending {
            spending.items = chunk.items.len() as u64;
        }
        drop(spending);
        match encoded {
            Ok(end) => self.send(source.py(), session, chunk, end).map(|_| end),
            Err(error) => {
                self.send(source.py(), session, chunk, false)?;
                Err(error)
            }
        }
    }

    fn decode_answer<'py>(
        &self,
        py: Python<'py>,
        batch: &AnswerBatch,
        part: usize,
        loads: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut load = |pickled: Pickled<'_, 'py>| load_with(loads, pickled);
        decode(py, batch.parts.part(part), &mut BatchFetch { batch }, &mut load)
    }

    /// Calls with (index, whether it succeeded, value or exception) for each item of an answer.
    fn for_each_value<'py>(
        &self,
        answer: &Answer,
        loads: &Bound<'py, PyAny>,
        hooks: &Hooks<'py>,
        each: &mut dyn FnMut(u64, bool, Bound<'py, PyAny>) -> PyResult<()>,
    ) -> PyResult<()> {
        let py = loads.py();
        match answer {
            Answer::Batch { batch, first, from, count } => {
                for offset in 0..*count {
                    let (index, part) = (first + offset as u64, from + offset);
                    if batch.is_failure(part) {
                        each(index, false, hooks.failure(batch.parts.part(part), index)?)?;
                        continue;
                    }
                    match self.decode_answer(py, batch, part, loads) {
                        Ok(value) => each(index, true, value)?,
                        // What a worker could pickle, this process may be unable to load: that item's failure.
                        Err(error) => each(index, false, hooks.unreadable(error, index)?)?,
                    }
                }
                Ok(())
            }
            Answer::Lost { index, fault, pid, item } => {
                let item = item.as_ref().and_then(|bytes| {
                    let mut load = |pickled: Pickled<'_, 'py>| hooks.glimpse(pickled);
                    decode(py, bytes, &mut NoFetch, &mut load).ok()
                });
                each(*index, false, hooks.lost(*index, fault, *pid, item)?)
            }
        }
    }
}

#[pymethods]
impl Job {
    #[getter]
    fn id(&self) -> u64 {
        self.id.0
    }

    /// For a trace: what the job is called, or one item of it.
    #[pyo3(signature = (text, index=None))]
    fn name(&self, text: String, index: Option<u64>) {
        recorder().add(Event::Named { job: self.key(), index, text });
    }

    /// Runs the job to its end: every item of `source`, results in a list in order. `progress`: called with (answered
    /// since the last call, failed among them). `failed_indices`: gets those of failed items, ascending. Raises what `hooks` makes of the failing item of lowest index, or puts
    /// exceptions into the list where the job returns errors.
    #[allow(clippy::too_many_arguments)] // One call for a whole map, from one place.
    fn run<'py>(
        &self,
        py: Python<'py>,
        source: &Bound<'py, PyIterator>,
        session: &Bound<'py, PyAny>,
        loads: &Bound<'py, PyAny>,
        hooks: Bound<'py, PyAny>,
        progress: Option<Bound<'py, PyAny>>,
        failed_indices: Option<Bound<'py, PyList>>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let runtime = self.ours()?.clone();
        let hooks = Hooks(hooks);
        let mut gathered = Gathered::default();
        let mut open = true;
        let outcome = loop {
            if open {
                let room = runtime.room(self.id);
                if room > 0 {
                    open = !self.feed_slice(source, session, &hooks, room)?;
                }
            }
            // While there is room for more, only look; else wait.
            let busy = open && runtime.room(self.id) > 0;
            let wait = if busy { Duration::ZERO } else { Duration::from_millis(100) };
            let waiting = self.spending(Activity::Wait);
            py.detach(|| runtime.wait(self.id, open, Some(wait)));
            drop(waiting);
            py.check_signals()?;
            let taken = py.detach(|| runtime.take(self.id));
            for print in &taken.prints {
                hooks.emit(print)?;
            }
            let mut decoding = self.spending(Activity::Decode).filter(|_| !taken.answers.is_empty());
            for answer in &taken.answers {
                self.for_each_value(answer, loads, &hooks, &mut |index, ok, value| {
                    gathered.add(index, ok, value);
                    Ok(())
                })?;
            }
            if let Some(decoding) = &mut decoding {
                decoding.items = taken.answers.iter().map(Answer::count).sum();
            }
            drop(decoding);
            gathered.report(progress.as_ref())?;
            if let Some(outcome) = taken.outcome {
                break outcome;
            }
        };
        gathered.finish(py, outcome, &hooks, self.return_errors, failed_indices)
    }

    /// Encodes and sends up to `limit` items, for as long as there is room; with None all of them, room or not. True
    /// when the source is empty.
    #[pyo3(signature = (source, session, hooks, limit))]
    fn feed<'py>(
        &self,
        source: &Bound<'py, PyIterator>,
        session: &Bound<'py, PyAny>,
        hooks: Bound<'py, PyAny>,
        limit: Option<u64>,
    ) -> PyResult<bool> {
        let runtime = self.ours()?;
        let hooks = Hooks(hooks);
        let start = self.next.load(Ordering::Relaxed);
        loop {
            let fed = self.next.load(Ordering::Relaxed) - start;
            let room = match limit {
                Some(limit) => runtime.room(self.id).min(limit - fed),
                None => u64::MAX,
            };
            if room == 0 || runtime.outcome(self.id).is_some() {
                return Ok(false);
            }
            if self.feed_slice(source, session, &hooks, room)? {
                return Ok(true);
            }
        }
    }

    /// Encodes and sends one item; gives its index.
    fn submit<'py>(
        &self,
        value: &Bound<'py, PyAny>,
        session: &Bound<'py, PyAny>,
        hooks: Bound<'py, PyAny>,
    ) -> PyResult<u64> {
        self.ours()?;
        let mut chunk = Chunk::default();
        let spending = self.spending(Activity::Encode);
        if let Err(error) = self.encode(value, session, &mut chunk) {
            let next = self.next.load(Ordering::Relaxed);
            return Err(Hooks(hooks).unsendable(error, next, value));
        }
        drop(spending);
        self.send(value.py(), session, chunk, false)?.ok_or_else(ended)
    }

    /// The same for a call with plain arguments of the function that is object `number`, for which workers must know
    /// `needs`; None, with nothing sent, when the arguments are not plain.
    fn submit_call(
        &self,
        py: Python<'_>,
        number: u64,
        arguments: &Bound<'_, PyTuple>,
        needs: Vec<u64>,
    ) -> PyResult<Option<u64>> {
        let runtime = self.ours()?;
        let mut chunk = Chunk::default();
        if !encode_call(number, arguments, &mut chunk.items.bytes) {
            return Ok(None);
        }
        chunk.items.end_part();
        self.next.fetch_add(1, Ordering::Relaxed);
        let needs: Vec<ObjectId> = needs.into_iter().map(ObjectId).collect();
        let fed = py.detach(|| {
            runtime.add_needs(self.id, &needs);
            runtime.feed(self.id, chunk, false)
        });
        fed.ok_or_else(ended).map(Some)
    }

    /// Waits up to `timeout` seconds for `least` answers or a failure (`room`: or for room for items) and gives what there
    /// is: ([(index, succeeded, value or exception)], outcome or None). Shows prints.
    #[pyo3(signature = (loads, hooks, timeout, room, least=1))]
    fn collect<'py>(
        &self,
        py: Python<'py>,
        loads: &Bound<'py, PyAny>,
        hooks: Bound<'py, PyAny>,
        timeout: f64,
        room: bool,
        least: u64,
    ) -> PyResult<(Vec<Collected<'py>>, Option<&'static str>)> {
        let runtime = self.ours()?;
        let hooks = Hooks(hooks);
        let waiting = self.spending(Activity::Wait);
        py.detach(|| runtime.wait_for(self.id, least, room, Some(Duration::from_secs_f64(timeout))));
        drop(waiting);
        py.check_signals()?;
        let taken = py.detach(|| runtime.take(self.id));
        for print in &taken.prints {
            hooks.emit(print)?;
        }
        let mut values = Vec::new();
        let decoding = self.spending(Activity::Decode).filter(|_| !taken.answers.is_empty());
        for answer in &taken.answers {
            self.for_each_value(answer, loads, &hooks, &mut |index, ok, value| {
                values.push((index, ok, value));
                Ok(())
            })?;
        }
        drop(decoding);
        Ok((values, taken.outcome.map(outcome_name)))
    }

    /// The answer to one item of a job `by_index`, waiting up to `timeout` seconds: (succeeded, value or exception), or
    /// None when there is none yet. Shows prints. A job that ended without gives the error for that.
    fn answer<'py>(
        &self,
        py: Python<'py>,
        index: u64,
        loads: &Bound<'py, PyAny>,
        hooks: Bound<'py, PyAny>,
        timeout: f64,
    ) -> PyResult<Option<(bool, Bound<'py, PyAny>)>> {
        let runtime = self.ours()?;
        let hooks = Hooks(hooks);
        // Most often it is there, and nobody needs to wait.
        let (mut answer, mut prints) = runtime.take_index(self.id, index);
        let mut waited = Waited::Nothing;
        if answer.is_none() {
            let waiting = self.spending(Activity::Wait);
            waited = py.detach(|| runtime.wait_index(self.id, index, Some(Duration::from_secs_f64(timeout))));
            drop(waiting);
            py.check_signals()?;
            let (later, printed) = runtime.take_index(self.id, index);
            answer = later;
            prints.extend(printed);
        }
        for print in &prints {
            hooks.emit(print)?;
        }
        let Some(answer) = answer else {
            return match (waited, runtime.outcome(self.id)) {
                (Waited::News, Some(Outcome::Broken)) => Ok(Some((false, hooks.0.call_method0("broken")?))),
                (_, Some(_)) => Ok(Some((false, hooks.0.call_method0("terminated")?))),
                _ => Ok(None),
            };
        };
        let mut found = None;
        let taken = self.for_each_value(&answer, loads, &hooks, &mut |_, ok, value| {
            found = Some((ok, value));
            Ok(())
        });
        match taken {
            // A signal came while it was rebuilt: the next who asks shall have it.
            Err(error) if !error.is_instance_of::<PyException>(py) => {
                runtime.put_back(self.id, index, answer);
                Err(error)
            }
            Err(error) => Err(error),
            Ok(()) => Ok(found),
        }
    }

    /// Takes back one item of a job `by_index` if it has not begun; with `kill`, kills the worker that is running it, at no
    /// other item's cost. True when it is cancelled, False when it goes on or has ended, None when its answer will tell.
    fn withdraw(&self, index: u64, kill: bool) -> PyResult<Option<bool>> {
        Ok(match self.ours()?.withdraw(self.id, index, kill) {
            Withdrawal::Cancelled => Some(true),
            Withdrawal::Refused => Some(false),
            Withdrawal::Pending => None,
        })
    }

    /// Takes back every item that has not begun.
    fn withdraw_waiting(&self, py: Python<'_>) -> PyResult<()> {
        let runtime = self.ours()?;
        py.detach(|| runtime.withdraw_waiting(self.id));
        Ok(())
    }

    /// Is the item running (or done, with its answer on its way)?
    fn has_begun(&self, index: u64) -> PyResult<bool> {
        Ok(self.ours()?.has_begun(self.id, index))
    }

    /// Has the item been answered (or has the job ended without)?
    fn is_answered(&self, index: u64) -> PyResult<bool> {
        Ok(self.ours()?.is_answered(self.id, index))
    }

    /// Nobody will ask for the answer to this item. Does nothing in a forked child.
    fn discard(&self, index: u64) {
        if self.runtime.is_ours() {
            self.runtime.discard(self.id, index);
        }
    }

    /// For how many more items there is room: so many that workers never wait for them, and the memory of few.
    fn room(&self) -> PyResult<u64> {
        Ok(self.ours()?.room(self.id))
    }

    /// How many items have been fed.
    fn fed(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How the job ended: "complete", "failed", "cancelled", "broken", or None while it has not.
    fn outcome(&self) -> PyResult<Option<&'static str>> {
        Ok(self.ours()?.outcome(self.id).map(outcome_name))
    }

    /// Asks that `Engine.next_delivery` tell of an answer, or, for None, of the end.
    #[pyo3(signature = (index=None))]
    fn watch(&self, index: Option<u64>) -> PyResult<()> {
        self.ours()?.watch(self.id, index);
        Ok(())
    }

    /// Lets go of stored buffers that belong to objects which nobody else keeps: they will not come again.
    fn sweep(&self, py: Python<'_>) -> PyResult<()> {
        match &self.shared {
            Some(shared) => shared.sweep(py, self.ours()?),
            None => Ok(()),
        }
    }

    /// Ends the job early; with `kill`, workers that run its items are killed.
    fn cancel(&self, kill: bool) -> PyResult<()> {
        self.ours()?.cancel(self.id, kill);
        Ok(())
    }

    /// Lets go of the job, its function and what it kept in shared memory. Does nothing in a forked child.
    fn close(&self) {
        if self.runtime.is_ours() {
            if let Some(shared) = &self.shared {
                shared.unpin_all(&self.runtime);
            }
            self.runtime.close(self.id);
            if let Some(function) = self.function {
                self.runtime.forget(&[function]);
            }
        }
    }
}

/// For a single call to a job that has ended.
pub fn ended() -> PyErr {
    PyRuntimeError::new_err("the workers take no further calls")
}

pub fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Complete => "complete",
        Outcome::Failed { .. } => "failed",
        Outcome::Cancelled => "cancelled",
        Outcome::Broken => "broken",
    }
}

fn load_with<'py>(loads: &Bound<'py, PyAny>, pickled: Pickled<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    loads.call1((PyBytes::new(loads.py(), pickled.bytes), pickled.buffers))
}

/// Finds what a worker stored for its answers.
struct BatchFetch<'a> {
    batch: &'a AnswerBatch,
}

impl Fetch for BatchFetch<'_> {
    fn fetch<'py>(&mut self, py: Python<'py>, object: Object) -> PyResult<Bound<'py, PyAny>> {
        let lease = self.batch.lease(object);
        let lease = lease.ok_or_else(|| PyRuntimeError::new_err("a result refers to memory that is gone"))?;
        Ok(Bound::new(py, SharedBuffer::of_result(lease.clone()))?.into_any())
    }
}

/// For items that are only shown.
struct NoFetch;

impl Fetch for NoFetch {
    fn fetch<'py>(&mut self, _py: Python<'py>, _object: Object) -> PyResult<Bound<'py, PyAny>> {
        Err(PyRuntimeError::new_err("not shown"))
    }
}
