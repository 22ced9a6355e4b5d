//! Threads of this process as a Python object: `ThreadEngine` and `ThreadJob` have the calls of `Engine` and `Job`.
//!
//! The threads themselves are Python's (`manyhands._threads`), which call the function: an interpreter that ends takes its
//! threads away in the midst of what they run, and may do so only where nothing of Rust's lies below on their stack.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mh_runtime::{
    Claim, JobId, Keeper, Loss, OnError, Outcome, Server, Spending, ThreadAnswer, ThreadBreakage,
    ThreadJobOptions, ThreadPool, ThreadSettings, Waited, recorder, stream::stream,
};
use mh_trace::{Activity, Event, JobKey};
use pyo3::exceptions::{PyException, PyRuntimeError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyIterator, PyList, PyTuple};
use pyo3::{PyTraverseError, PyVisit};

use crate::gather::Gathered;
use crate::hooks::Hooks;
use crate::job::{Collected, outcome_name};
use crate::tasks::Task;
use crate::{CALL_APPLY, CALL_ONE, CALL_TASK};

/// Items are taken this long before the threads get them and answers are looked for.
const SLICE: Duration = Duration::from_millis(1);

type Object = Py<PyAny>;
type Pool = ThreadPool<Context, Object, Object>;
type Answer = ThreadAnswer<Object, Object>;

/// What all calls of a job have in common.
struct Context {
    /// Not looked at where each item brings its own.
    function: Object,
    mode: u8,
    seed: Vec<u64>,
}

/// Python functions of `manyhands._threads`.
struct Callers {
    /// `start(server)` starts a thread that serves.
    start: Object,
    /// `keep(keeper)` starts one that sees to timeouts.
    keep: Object,
    /// `with_keywords(function, args, kwargs)`
    with_keywords: Object,
    /// `seeded(words, function, args)`
    seeded: Object,
}

/// The threads of one pool. See `manyhands._native.pyi` for the Python side.
#[pyclass(frozen, module = "manyhands._native")]
pub struct ThreadEngine {
    pool: Arc<Pool>,
    callers: Arc<Callers>,
}

impl ThreadEngine {
    fn ours(&self) -> PyResult<&Arc<Pool>> {
        ours(&self.pool, "pool")
    }
}

fn ours<'a>(pool: &'a Arc<Pool>, what: &str) -> PyResult<&'a Arc<Pool>> {
    if pool.is_ours() {
        return Ok(pool);
    }
    Err(PyRuntimeError::new_err(format!(
        "this {what} belongs to the parent process: it was made before os.fork(); make a new one in this process"
    )))
}

/// Starts a thread for `server`; where that cannot be done the pool makes do with those that it has.
fn start_one(py: Python<'_>, callers: &Arc<Callers>, server: Server<Context, Object, Object>) {
    let server = ThreadServer { server: Some(server), current: None, callers: callers.clone() };
    let Ok(server) = Bound::new(py, server) else { return };
    if let Err(error) = callers.start.call1(py, (&server,))
        && let Some(server) = server.borrow_mut().server.take()
    {
        server.not_started(error.to_string());
    }
}

fn start_wanted(py: Python<'_>, pool: &Pool, callers: &Arc<Callers>) {
    while let Some(server) = pool.enlist() {
        start_one(py, callers, server);
    }
}

#[pymethods]
impl ThreadEngine {
    /// `callers`: (start, keep, with_keywords, seeded), of `manyhands._threads`. `idle`: seconds after which a thread with
    /// nothing to do ends.
    #[new]
    #[pyo3(signature = (threads, callers, tasks_per_thread=None, idle=None))]
    fn new(
        threads: usize,
        callers: (Object, Object, Object, Object),
        tasks_per_thread: Option<u64>,
        idle: Option<f64>,
    ) -> ThreadEngine {
        let (start, keep, with_keywords, seeded) = callers;
        let settings = ThreadSettings { threads, tasks_per_thread, idle: idle.map(Duration::from_secs_f64) };
        ThreadEngine {
            pool: Arc::new(ThreadPool::new(settings)),
            callers: Arc::new(Callers { start, keep, with_keywords, seeded }),
        }
    }

    fn __traverse__(&self, visit: PyVisit<'_>) -> Result<(), PyTraverseError> {
        // An initializer may know the pool.
        visit.call(&self.callers.start)
    }

    /// Starts all threads, and keeps their number from then on; without it they start with the first items.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        let pool = self.ours()?;
        pool.set_eager();
        start_wanted(py, pool, &self.callers);
        Ok(())
    }

    /// Opens a job. `function`: None where each item brings its own.
    #[pyo3(signature = (function, mode, *, seed=Vec::new(), return_errors=false, retries=0, timeout=None, chunk=None,
                        by_index=false, share=false))]
    #[allow(clippy::too_many_arguments)] // Python's keyword arguments, all of one call.
    fn job(
        &self,
        py: Python<'_>,
        function: Object,
        mode: u8,
        seed: Vec<u64>,
        return_errors: bool,
        retries: u32,
        timeout: Option<f64>,
        chunk: Option<u64>,
        by_index: bool,
        share: bool,
    ) -> PyResult<ThreadJob> {
        let pool = self.ours()?.clone();
        let options = ThreadJobOptions {
            on_error: if return_errors { OnError::Return } else { OnError::Raise },
            retries,
            timeout: timeout.map(|seconds| (seconds * 1e9) as u64),
            chunk: chunk.unwrap_or(1),
            by_index,
            ample: share,
        };
        let timed = options.timeout.is_some();
        let id = pool.open(Context { function, mode, seed }, options);
        let callers = self.callers.clone();
        let job = ThreadJob { pool, id, callers, return_errors, next: AtomicU64::new(0) };
        if timed && let Some(keeper) = job.pool.keeper() {
            let keeper = Bound::new(py, ThreadKeeper { keeper, callers: self.callers.clone() })?;
            self.callers.keep.call1(py, (keeper,))?;
        }
        Ok(job)
    }

    /// No further jobs; threads end once the open ones have.
    fn drain(&self) -> PyResult<()> {
        self.ours()?.drain();
        Ok(())
    }

    /// Waits until every thread is gone; False when the time is up (or a signal came) first.
    #[pyo3(signature = (timeout=None))]
    fn wait_drained(&self, py: Python<'_>, timeout: Option<f64>) -> PyResult<bool> {
        let pool = self.ours()?;
        let end = timeout.map(|seconds| Instant::now() + Duration::from_secs_f64(seconds));
        loop {
            let left = end.map_or(SLEEP, |end| end.saturating_duration_since(Instant::now()));
            let waited = py.detach(|| pool.wait_drained(left));
            py.check_signals()?;
            if waited == Waited::News {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }

    /// Drops what has not begun; threads end, those that run something after it. Does nothing in a forked child.
    fn terminate(&self) {
        self.pool.terminate();
    }

    /// The same at the end of the program: threads that wait for this pool are not woken any more.
    fn terminate_at_exit(&self) {
        self.pool.terminate_at_exit();
    }

    /// The threads: dicts with id, ident, pid, ready, running.
    fn workers<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let servers = self.ours()?.servers();
        let as_dict = |view: mh_runtime::ServerView| -> PyResult<Bound<'py, PyDict>> {
            let dict = PyDict::new(py);
            dict.set_item("id", view.id)?;
            dict.set_item("ident", view.name)?;
            dict.set_item("pid", std::process::id())?;
            dict.set_item("ready", view.ready)?;
            dict.set_item("running", view.running)?;
            Ok(dict)
        };
        servers.into_iter().map(as_dict).collect()
    }

    /// Why the pool cannot go on: (the initializer's error, why no thread can be started), or None while it can.
    fn breakage(&self, py: Python<'_>) -> PyResult<Option<(Option<Object>, Option<String>)>> {
        Ok(self.ours()?.breakage().map(|breakage| match &*breakage {
            ThreadBreakage::Initializer(error) => (Some(error.clone_ref(py)), None),
            ThreadBreakage::Start(why) => (None, Some(why.clone())),
        }))
    }

    /// Waits for what was watched: ([(job, index or None)], no prints).
    #[allow(clippy::type_complexity)] // As the engine of processes has it.
    fn next_delivery(
        &self,
        py: Python<'_>,
        timeout: f64,
    ) -> PyResult<(Vec<(u64, Option<u64>)>, Vec<(u8, Vec<u8>)>)> {
        let pool = self.ours()?;
        let deliveries = py.detach(|| pool.next_delivery(Duration::from_secs_f64(timeout)));
        Ok((deliveries.into_iter().map(|delivery| (delivery.job.0, delivery.index)).collect(), Vec::new()))
    }

    /// Wakes `next_delivery`.
    fn nudge_delivery(&self) -> PyResult<()> {
        self.ours()?.nudge_delivery();
        Ok(())
    }

    /// Nothing: what threads print goes straight to where it belongs.
    fn take_prints(&self) -> Vec<(u8, Vec<u8>)> {
        Vec::new()
    }

    /// Is this the process that made the pool?
    fn is_ours(&self) -> bool {
        self.pool.is_ours()
    }
}

/// Longest that a wait asks for at once; the pool's own slices are shorter.
const SLEEP: Duration = Duration::from_secs(1);

// ------------------------------------------------------------------------------------------------------------ threads

/// A thread's end of the pool: only that thread uses it.
#[pyclass(module = "manyhands._native")]
pub struct ThreadServer {
    server: Option<Server<Context, Object, Object>>,
    /// What it runs.
    current: Option<Claim<Context, Object>>,
    callers: Arc<Callers>,
}

/// A call to be made: function and arguments.
type Call<'py> = Option<(Bound<'py, PyAny>, Bound<'py, PyAny>)>;

impl ThreadServer {
    /// Remembers what was claimed, and gives the call that it asks for.
    fn take_on<'py>(&mut self, py: Python<'py>, mut claim: Option<Claim<Context, Object>>) -> Call<'py> {
        while let (Some(claimed), Some(server)) = (claim, &self.server) {
            match self.call_of(py, &claimed) {
                Ok(call) => {
                    self.current = Some(claimed);
                    return Some(call);
                }
                Err(error) => {
                    let error = error.into_value(py).into_any();
                    claim = server.answer(Answer::Failed(error, claimed.item));
                }
            }
        }
        None
    }

    /// A call with keywords, as one without.
    fn with_keywords<'py>(
        &self,
        function: Bound<'py, PyAny>,
        args: Bound<'py, PyAny>,
        kwargs: Option<Bound<'py, PyDict>>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let Some(kwargs) = kwargs.filter(|kwargs| !kwargs.is_empty()) else { return Ok((function, args)) };
        let py = kwargs.py();
        let all = PyTuple::new(py, [function, args, kwargs.into_any()])?;
        Ok((self.callers.with_keywords.bind(py).clone(), all.into_any()))
    }

    fn call_of<'py>(
        &self,
        py: Python<'py>,
        claim: &Claim<Context, Object>,
    ) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let (context, item) = (&claim.context, claim.item.bind(py));
        let (function, arguments) = match context.mode {
            CALL_APPLY => {
                let (function, args, kwargs): (_, Bound<'py, _>, Option<Bound<'py, PyDict>>) =
                    item.extract()?;
                self.with_keywords(function, args, kwargs)?
            }
            CALL_TASK => {
                let Task { function, args, kwargs } = Task::of(item)?;
                self.with_keywords(function, args.into_any(), Some(kwargs))?
            }
            CALL_ONE => (context.function.bind(py).clone(), PyTuple::new(py, [item])?.into_any()),
            _ => (context.function.bind(py).clone(), item.clone()),
        };
        if context.seed.is_empty() {
            return Ok((function, arguments));
        }
        let words = stream(&context.seed, claim.index).into_pyobject(py)?.into_any();
        let all = PyTuple::new(py, [words, function, arguments])?;
        Ok((self.callers.seeded.bind(py).clone(), all.into_any()))
    }
}

#[pymethods]
impl ThreadServer {
    /// The thread `ident` runs, and is ready for items.
    fn begin(&self, ident: u64) {
        if let Some(server) = &self.server {
            server.begin(ident);
        }
    }

    /// The initializer raised `error`: the thread is to leave.
    fn cannot_begin(&self, error: Object) {
        if let Some(server) = &self.server {
            server.cannot_begin(error);
        }
    }

    /// Waits for the next call: (function, arguments), or None when nothing more will come.
    fn wait<'py>(&mut self, py: Python<'py>) -> Call<'py> {
        loop {
            let server = self.server.as_ref()?;
            if !py.detach(|| server.wait()) {
                return None;
            }
            let claim = server.claim();
            if let Some(call) = self.take_on(py, claim) {
                return Some(call);
            }
        }
    }

    /// Gives what the last call came to; the next call, or None when there is none now.
    fn give<'py>(&mut self, py: Python<'py>, ok: bool, value: Object) -> Call<'py> {
        let (server, done) = (self.server.as_ref()?, self.current.take()?);
        server.note(&done, !ok);
        let answer = if ok { Answer::Done(value) } else { Answer::Failed(value, done.item.clone()) };
        let claim = server.answer(answer);
        // Only now, with the answer given: their ends may run the user's code, and take their time.
        drop(done);
        self.take_on(py, claim)
    }

    /// The thread ends; another one is started in its place where it is wanted.
    fn leave(&mut self, py: Python<'_>) {
        let Some(mut server) = self.server.take() else { return };
        let unanswered = self.current.take().map(|claim| claim.item);
        if let Some(next) = server.leave(unanswered) {
            start_one(py, &self.callers, next);
        }
    }
}

/// Sees to the timeouts of a pool.
#[pyclass(frozen, module = "manyhands._native")]
pub struct ThreadKeeper {
    keeper: Keeper<Context, Object, Object>,
    callers: Arc<Callers>,
}

#[pymethods]
impl ThreadKeeper {
    /// Gives up what runs for too long, as long as anything may.
    fn run(&self, py: Python<'_>) {
        while py.detach(|| self.keeper.wait()) {
            self.keeper.expire();
            while let Some(server) = self.keeper.enlist() {
                start_one(py, &self.callers, server);
            }
        }
    }
}

// --------------------------------------------------------------------------------------------------------------- jobs

/// One call's items and answers, in threads.
#[pyclass(frozen, module = "manyhands._native")]
pub struct ThreadJob {
    pool: Arc<Pool>,
    id: JobId,
    callers: Arc<Callers>,
    return_errors: bool,
    /// Index of the next item.
    next: AtomicU64,
}

impl ThreadJob {
    /// As traces know it.
    fn key(&self) -> JobKey {
        JobKey { pool: self.pool.number(), job: self.id.0 }
    }

    fn ours(&self) -> PyResult<&Arc<Pool>> {
        ours(&self.pool, "call")
    }

    fn send(&self, py: Python<'_>, items: Vec<Arc<Object>>, end: bool) -> Option<u64> {
        self.next.fetch_add(items.len() as u64, Ordering::Relaxed);
        let first = self.pool.feed(self.id, items, end);
        start_wanted(py, &self.pool, &self.callers);
        first
    }

    /// Takes items until there are `limit`, a slice of time is over, or the source is empty (`true`).
    fn feed_slice(&self, source: &Bound<'_, PyIterator>, limit: u64) -> PyResult<bool> {
        let py = source.py();
        let started = Instant::now();
        let mut source = source.clone();
        let mut items = Vec::new();
        for count in 0..limit {
            match source.next() {
                Some(Ok(item)) => items.push(Arc::new(item.unbind())),
                Some(Err(error)) => {
                    self.send(py, items, false);
                    return Err(error);
                }
                None => {
                    self.send(py, items, true);
                    return Ok(true);
                }
            }
            if count % 16 == 15 && started.elapsed() > SLICE {
                break;
            }
        }
        self.send(py, items, false);
        Ok(false)
    }

    /// An answer as (succeeded, value or exception).
    fn value<'py>(
        &self,
        py: Python<'py>,
        index: Option<u64>,
        answer: &Answer,
        hooks: &Bound<'py, PyAny>,
    ) -> PyResult<(bool, Bound<'py, PyAny>)> {
        let error = match answer {
            Answer::Done(value) => return Ok((true, value.bind(py).clone())),
            Answer::Failed(error, item) => hooks.call_method1("failure", (error, index, &**item)),
            Answer::Lost(Loss::TimedOut { after, attempts }, item) => {
                hooks.call_method1("timed_out", (index, &**item, *after as f64 / 1e9, *attempts))
            }
            Answer::Lost(Loss::Cancelled, _) => hooks.call_method0("cancelled"),
            Answer::Lost(Loss::ThreadEnded, item) => hooks.call_method1("thread_ended", (index, &**item)),
        };
        Ok((false, error?))
    }
}

#[pymethods]
impl ThreadJob {
    #[getter]
    fn id(&self) -> u64 {
        self.id.0
    }

    /// For a trace: what the job is called, or one item of it.
    #[pyo3(signature = (text, index=None))]
    fn name(&self, text: String, index: Option<u64>) {
        recorder().add(Event::Named { job: self.key(), index, text });
    }

    /// Runs the job to its end, as `Job.run`.
    #[allow(clippy::too_many_arguments)] // As `Job` has it.
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
        let _ = (session, loads);
        let pool = self.ours()?;
        let mut gathered = Gathered::default();
        let mut open = true;
        let outcome = loop {
            if open {
                let room = pool.room(self.id);
                if room > 0 {
                    open = !self.feed_slice(source, room)?;
                }
            }
            // While there is room for more, only let others run; else wait.
            let busy = open && pool.room(self.id) > 0;
            let wait = if busy { Duration::ZERO } else { SLEEP };
            let waiting = Spending::begin(self.key(), Activity::Wait);
            py.detach(|| pool.wait(self.id, false, open, wait));
            drop(waiting);
            py.check_signals()?;
            let taken = pool.take(self.id);
            for (index, answer) in taken.answers {
                let (ok, value) = self.value(py, Some(index), &answer, &hooks)?;
                gathered.add(index, ok, value);
            }
            gathered.report(progress.as_ref())?;
            if let Some(outcome) = taken.outcome {
                break outcome;
            }
        };
        gathered.finish(py, outcome, &Hooks(hooks), self.return_errors, failed_indices)
    }

    /// Takes up to `limit` items, for as long as there is room; with None all of them, room or not. True when the source
    /// is empty.
    #[pyo3(signature = (source, session, hooks, limit))]
    fn feed<'py>(
        &self,
        source: &Bound<'py, PyIterator>,
        session: &Bound<'py, PyAny>,
        hooks: &Bound<'py, PyAny>,
        limit: Option<u64>,
    ) -> PyResult<bool> {
        let _ = (session, hooks);
        let pool = self.ours()?;
        let start = self.next.load(Ordering::Relaxed);
        loop {
            let fed = self.next.load(Ordering::Relaxed) - start;
            let room = match limit {
                Some(limit) => pool.room(self.id).min(limit - fed),
                None => u64::MAX,
            };
            if room == 0 || pool.outcome(self.id).is_some() {
                return Ok(false);
            }
            if self.feed_slice(source, room)? {
                return Ok(true);
            }
        }
    }

    /// Takes one item; gives its index.
    fn submit(
        &self,
        value: Bound<'_, PyAny>,
        session: &Bound<'_, PyAny>,
        hooks: &Bound<'_, PyAny>,
    ) -> PyResult<u64> {
        let _ = (session, hooks);
        self.ours()?;
        let py = value.py();
        self.send(py, vec![Arc::new(value.unbind())], false).ok_or_else(crate::job::ended)
    }

    /// Waits up to `timeout` seconds for answers (`room`: or for room for items), as `Job.collect`.
    fn collect<'py>(
        &self,
        py: Python<'py>,
        loads: &Bound<'py, PyAny>,
        hooks: &Bound<'py, PyAny>,
        timeout: f64,
        room: bool,
    ) -> PyResult<(Vec<Collected<'py>>, Option<&'static str>)> {
        let _ = loads;
        let pool = self.ours()?;
        py.detach(|| pool.wait(self.id, true, room, Duration::from_secs_f64(timeout)));
        py.check_signals()?;
        let taken = pool.take(self.id);
        let mut values = Vec::with_capacity(taken.answers.len());
        for (index, answer) in taken.answers {
            let (ok, value) = self.value(py, Some(index), &answer, hooks)?;
            values.push((index, ok, value));
        }
        Ok((values, taken.outcome.map(outcome_name)))
    }

    /// The answer to one item of a job `by_index`, waiting up to `timeout` seconds, as `Job.answer`.
    fn answer<'py>(
        &self,
        py: Python<'py>,
        index: u64,
        loads: &Bound<'py, PyAny>,
        hooks: &Bound<'py, PyAny>,
        timeout: f64,
    ) -> PyResult<Option<(bool, Bound<'py, PyAny>)>> {
        let _ = loads;
        let pool = self.ours()?;
        let end = Instant::now() + Duration::from_secs_f64(timeout);
        let waited = loop {
            let left = end.saturating_duration_since(Instant::now());
            let waited = py.detach(|| pool.wait_index(self.id, index, left));
            py.check_signals()?;
            if waited == Waited::News || left.is_zero() {
                break waited;
            }
        };
        if let Some(answer) = pool.take_index(self.id, index) {
            let value = self.value(py, None, &answer, hooks);
            if value.as_ref().is_err_and(|error| !error.is_instance_of::<PyException>(py)) {
                // A signal came in the midst of it: the next who asks shall have it.
                pool.put_back(self.id, index, answer);
            }
            return value.map(Some);
        }
        match (waited, pool.outcome(self.id)) {
            (Waited::News, Some(Outcome::Broken)) => Ok(Some((false, hooks.call_method0("broken")?))),
            (_, Some(_)) => Ok(Some((false, hooks.call_method0("terminated")?))),
            _ => Ok(None),
        }
    }

    /// Has the item been answered (or has the job ended without)?
    fn is_answered(&self, index: u64) -> PyResult<bool> {
        Ok(self.ours()?.is_answered(self.id, index))
    }

    /// Nobody will ask for the answer to this item. Does nothing in a forked child.
    fn discard(&self, index: u64) {
        if self.pool.is_ours() {
            self.pool.discard(self.id, index);
        }
    }

    /// Takes back one item of a job `by_index` if it has not begun: whether it is cancelled. `kill` has no effect: a thread
    /// cannot be stopped.
    fn withdraw(&self, index: u64, kill: bool) -> PyResult<bool> {
        let _ = kill;
        Ok(self.ours()?.withdraw(self.id, index))
    }

    /// Takes back every item that has not begun.
    fn withdraw_waiting(&self) -> PyResult<()> {
        self.ours()?.withdraw_all(self.id);
        Ok(())
    }

    /// Is the item running, or done?
    fn has_begun(&self, index: u64) -> PyResult<bool> {
        Ok(self.ours()?.has_begun(self.id, index))
    }

    /// How many items have been fed.
    fn fed(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// How the job ended: "complete", "failed", "cancelled", "broken", or None while it has not.
    fn outcome(&self) -> PyResult<Option<&'static str>> {
        Ok(self.ours()?.outcome(self.id).map(outcome_name))
    }

    /// Asks that `ThreadEngine.next_delivery` tell of an answer, or, for None, of the end.
    #[pyo3(signature = (index=None))]
    fn watch(&self, index: Option<u64>) -> PyResult<()> {
        self.ours()?.watch(self.id, index);
        Ok(())
    }

    /// Ends the job early. What runs goes on to its end; with `kill`, other threads take the place of those that run it.
    fn cancel(&self, py: Python<'_>, kill: bool) -> PyResult<()> {
        self.ours()?.cancel(self.id, kill);
        start_wanted(py, &self.pool, &self.callers);
        Ok(())
    }

    /// Lets go of the job. Does nothing in a forked child.
    fn close(&self) {
        if self.pool.is_ours() {
            self.pool.close(self.id);
        }
    }
}
