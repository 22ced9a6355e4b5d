"""A backend for joblib, and so for scikit-learn: importing this module registers it under the name "manyhands".

>>> import joblib
>>> import manyhands.joblib
>>> with joblib.parallel_config("manyhands", n_jobs=2):
...     joblib.Parallel()(joblib.delayed(abs)(i) for i in range(-3, 3))
[3, 2, 1, 0, 1, 2]

joblib hands over batches of tasks and is called back when one is done; what is here is how they get to the workers.
These are those that `mh.map` keeps between calls, so that the second call starts nothing.
"""

from _thread import allocate_lock, get_ident, start_new_thread
from contextlib import contextmanager
from time import perf_counter

import joblib
from joblib.parallel import (
    FallbackToBackend,
    ParallelBackendBase,
    SequentialBackend,
    ThreadingBackend,
    parallel_config,
)

from . import _implicit, _kinds, _tasks
from ._failures import annotate
from ._joblib_batches import Backlog, Batch, Batching
from ._native import cpu_count
from ._options import Options

__all__ = ["ManyhandsBackend"]

_SLICE = 0.25
#: Chunks at a worker at once: one that it runs, and one that it goes on with.
_CHUNKS = 2
#: Seconds after which answers are told to joblib though not every worker has something yet.
_PROMPT = 0.01
#: Bytes of the tasks that are left, that each worker may load all of.
_TOLD = 1 << 20
#: Backends for the calls inside of a task, as `get_nested_backend` makes them: all but their level is as by default.
_MADE_THERE = (ThreadingBackend, SequentialBackend)


class ManyhandsBackend(Batching, ParallelBackendBase):
    """joblib's tasks on the worker processes of manyhands.

    Parameters, of `joblib.parallel_config("manyhands", ...)` or `joblib.Parallel(backend="manyhands", ...)`:

    initializer, initargs:
        Called as `initializer(*initargs)` in each worker before its first task.
    retries:
        How often a batch runs again whose worker died under it.
    inner_max_num_threads:
        How many threads BLAS, OpenMP and numba take in a worker; by default its share of the cores. Only with
        `parallel_config`.

    An array of 128 KiB or more is stored once for all tasks of a call that refer to it, in shared memory without a
    name: `temp_folder`, `max_nbytes` and `mmap_mode` are accepted and not needed. A worker that dies fails its batch
    with `manyhands.WorkerDied`, and is replaced. Calls inside of a task use threads, as with joblib's own processes,
    and with this backend named they run as a loop.
    """

    supports_retrieve_callback = True
    supports_inner_max_num_threads = True

    _workers = None
    _calls = None
    _retries = 0

    def effective_n_jobs(self, n_jobs):
        """How many workers `n_jobs` stands for; 1 inside of a worker."""
        if n_jobs == 0:
            raise ValueError("n_jobs == 0 in Parallel has no meaning")
        if n_jobs is None or _implicit.inside_worker():
            return 1
        return n_jobs if n_jobs > 0 else max(cpu_count() + 1 + n_jobs, 1)

    def configure(self, n_jobs=1, parallel=None, prefer=None, require=None, **options):
        """Get the workers ready; how many they are."""
        count = self.effective_n_jobs(n_jobs)
        if count == 1:
            raise FallbackToBackend(SequentialBackend(nesting_level=self.nesting_level))
        options = {**self.backend_kwargs, **options}
        special = {name: options[name] for name in ("initializer", "initargs") if options.get(name)}
        if self.inner_max_num_threads is not None:
            special["threads"] = self.inner_max_num_threads
        self.parallel = parallel
        self._retries = Options(retries=options.get("retries", 0)).retries
        self._workers = _implicit.workers(count, **special)
        self.count = count
        return count

    def start_call(self):
        """A call of `Parallel` begins."""
        # After a failure joblib leaves batches there which it had prepared, and would run them for the next call.
        prepared = getattr(self.parallel, "_ready_batches", None)
        while prepared is not None and not prepared.empty():
            prepared.get_nowait()
        if self._calls is None:
            self.backlog = Backlog(self.count, whole=self.parallel.batch_size != "auto")
            self._calls = _Calls(self._workers.workers, self.parallel, self._retries, self.count, self.backlog)
            if self.parallel.return_generator:
                self._calls.collect()

    def stop_call(self):
        """It has ended."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.end(kill=False)

    def submit(self, func, callback=None):
        """Send one batch; `callback` is called with its `Answer` by another thread."""
        self._calls.submit(func, callback)

    apply_async = submit  # the name of old

    def retrieve_result_callback(self, out):
        """The results of a batch, or its error raised."""
        return out.get()

    @contextmanager
    def retrieval_context(self):
        """joblib looks every 10 ms whether there is something; here it sleeps until everything is."""
        parallel, calls = self.parallel, self._calls
        if calls is not None:
            one_by_one = parallel.timeout is not None or parallel.return_generator
            calls.retrieve(one_by_one)
            if not one_by_one:
                calls.wait()
        yield

    def abort_everything(self, ensure_ready=True):
        """A task has failed, or nobody wants the results: workers in the middle of one are replaced."""
        calls, self._calls = self._calls, None
        if calls is not None:
            calls.end(kill=True)
        self.terminate()
        if ensure_ready:
            self.configure(n_jobs=self.parallel.n_jobs, parallel=self.parallel, **self.parallel._backend_kwargs)

    def terminate(self):
        """Nothing more comes from this `Parallel`; the workers are kept for the next."""
        kept, self._workers = self._workers, None
        if kept is not None:
            kept.release()
        self.reset_batch_stats()


class Answer:
    """What came of one batch."""

    __slots__ = ("_succeeded", "_value")

    def __init__(self, succeeded, value):
        self._succeeded = succeeded
        self._value = value

    def get(self):
        """The list of results, or the error raised."""
        if self._succeeded:
            return self._value
        raise _tasks.as_raised(self._value)


class _Calls:
    """The batches of one call of `Parallel`: sent by whoever submits, answered on a thread of its own."""

    def __init__(self, workers, parallel, retries, count, backlog):
        self._workers = workers
        self._parallel = parallel
        self._count = count
        self._backlog = backlog
        self._lock = allocate_lock()
        self._sent = {}  # index -> chunk
        self._open = set()  # batches without an answer
        self._idle = allocate_lock()  # held while there are some
        self._idle.acquire()
        self._caller_sends = True
        self._one_by_one = True  # answers are looked at as they come
        self._rest = None  # what `_tell_rest` gave
        self._began = perf_counter()
        self._collector = None
        self._collecting = allocate_lock()  # held until the thread that collects has ended
        self._collecting.acquire()
        # Tasks come from iterators: what they refer to may be filled anew for each.
        self._job, self._session = workers.open(
            None, _kinds.APPLY, share="checked", return_errors=True, retries=retries
        )

    def submit(self, function, callback):
        """Send a batch as workers come to it; `callback` is called with its `Answer`."""
        batch = Batch(function, callback)
        with self._lock:
            self._idle.acquire(False)
            self._open.add(batch)
            self._backlog.put(batch)
        self._send()
        if len(self._sent) >= self._count or perf_counter() - self._began > _PROMPT:
            self.collect()

    def collect(self):
        """From now on answers are taken, and told to joblib. Not sooner than needed: the thread that does so takes the
        interpreter from the one that sends each worker its first chunk."""
        with self._lock:
            if self._collector is None:
                self._collector = start_new_thread(self._collect, ())

    def retrieve(self, one_by_one):
        """The caller has sent what it sends itself (more comes from the thread that calls back), and waits for answers:
        for all of them or, `one_by_one`, for each."""
        self._caller_sends, self._one_by_one = False, one_by_one
        self.collect()

    def _send(self):
        """Send as much as the workers need."""
        while True:
            with self._lock:
                if getattr(self._parallel, "_original_iterator", self) is None:
                    self._backlog.ending = True
                if self._parallel._aborting or not self._may_send():
                    return
                if self._rest is None and self._may_send_all():
                    self._rest = self._tell_rest()
                chunk = self._backlog.cut()
                if not chunk:
                    return
                try:
                    index = self._submit_chunk(chunk)
                except Exception as error:
                    # Not raised: most batches are sent by the thread that calls back, where nobody would see it.
                    failed = Answer(False, _tasks.unsendable(error))
                else:
                    self._sent[index] = chunk
                    for batch, _, end in chunk:
                        if end == batch.size:
                            batch.sent()
                    continue
            self._fail(chunk, failed)

    def _tell_rest(self):
        """Tell the workers all tasks that are left: the number under which they know them, and where each batch begins;
        the number is None where they are not told."""
        left = self._backlog.tasks()
        if left is None:
            return None, {}
        tasks, places = left
        first = next(iter(places))
        try:
            return self._session.tell(_Rest(tasks, *_inside(first)), _TOLD), places
        except Exception:
            return None, {}  # one of them cannot be sent: the chunk that holds it will say so

    def _place_of(self, chunk):
        """From where to where its tasks stand in what the workers were told; None if they do not."""
        number, places = self._rest or (None, {})
        if number is None or not all(batch in places for batch, _, _ in chunk):
            return None
        (first, begin, _), (last, _, end) = chunk[0], chunk[-1]
        begin, end = places[first] + begin, places[last] + end
        length = sum(to - since for _, since, to in chunk)
        return (begin, end) if end - begin == length else None  # a batch between them has failed

    def _submit_chunk(self, chunk):
        """Send one chunk; gives its index."""
        place = self._place_of(chunk)
        if place is None:
            return self._job.submit(_task(chunk), self._session, self._workers.hooks)
        return self._job.submit_call(self._rest[0], place, self._session.needs)

    def _may_send(self):
        """Does a worker need a chunk, or are those that are left few enough to go there ahead? The thread that sends
        them takes a core from a worker each time."""
        return len(self._sent) < _CHUNKS * self._count or (self._may_send_all() and self._job.room() > 0)

    def _may_send_all(self):
        """Is it known what is left, and is that little?"""
        return not self._caller_sends and self._backlog.is_short

    def _fail(self, chunk, answer):
        """The batches of a chunk have failed."""
        for batch, _, _ in chunk:
            with self._lock:
                self._backlog.drop(batch)
            self._answer(batch, answer)
        self._see_whether_idle()

    def _answer(self, batch, answer):
        with self._lock:
            if batch not in self._open:
                return  # another chunk of it has failed
            self._open.remove(batch)
        if batch.callback is not None:
            batch.callback(answer)

    def wait(self):
        """Wait until everything was answered, or the call is given up."""
        while not self._idle.acquire(timeout=_SLICE):
            if self._job.outcome() is not None:
                return
        self._idle.release()

    def end(self, kill):
        """Let go of the job; with `kill`, of the workers in the middle of a batch too."""
        if self._workers.engine.is_ours():
            self._job.cancel(kill)
            self.collect()  # which closes what was opened, if it has not begun
            if not kill and get_ident() != self._collector:
                # A moment: else its last steps and what the caller goes on with take the interpreter from each other.
                self._collecting.acquire(timeout=_SLICE)

    def _collect(self):
        job, workers = self._job, self._workers
        try:
            outcome = None
            while outcome is None:
                answers, outcome = job.collect(workers.loads, workers.hooks, _SLICE, False, self._least())
                for index, succeeded, value in answers:
                    self._take(index, succeeded, value)
                self._see_whether_idle()
            if outcome == "broken":
                self._break(workers.hooks.broken())
        except BaseException as error:
            # A result that cannot be taken, or joblib's own: whoever waits must hear of it.
            self._break(error)
        finally:
            job.close()
            self._session.close()
            self._collecting.release()

    def _least(self):
        """How many answers are worth a look: one, as long as something is left to be sent or somebody waits for each;
        then those that the workers give before their last."""
        with self._lock:
            return max(len(self._sent) - self._count, 1) if self._backlog.is_over and not self._one_by_one else 1

    def _take(self, index, succeeded, value):
        """The answer of a chunk."""
        with self._lock:
            chunk = self._sent.pop(index)
            done = self._backlog.took(chunk, *value) if succeeded else ()
        if not succeeded:
            if type(value).__name__ == "WorkerDied":
                shown = ", shown by its place among the last" if self._place_of(chunk) else ""
                annotate(value, f"item {index} is a batch of tasks of joblib.Parallel here{shown}")
            self._fail(chunk, Answer(False, value))
        self._send()
        for batch in done:
            self._answer(batch, Answer(True, batch.value))

    def _see_whether_idle(self):
        with self._lock:
            if (not self._open or self._parallel._aborting) and self._idle.locked():
                self._idle.release()

    def _break(self, error):
        """No more answers will come."""
        with self._lock:
            left = list(self._open)
        for batch in left:
            self._answer(batch, Answer(False, error))
        self._see_whether_idle()


def _task(chunk):
    """How a chunk is sent: a function, its arguments."""
    first = chunk[0][0]
    if first.is_single:
        return _run_single, (first.function,), {}
    tasks = [task for batch, begin, end in chunk for task in batch.function.items[begin:end]]
    return _run, (tasks, *_inside(first)), {}


def _inside(batch):
    """For `_run`: the backend of calls inside of the tasks of a batch, and their `n_jobs`."""
    inside = batch.function._backend
    if type(inside) in _MADE_THERE:
        inside = (type(inside), inside.nesting_level)
    return inside, batch.function._n_jobs


class _Rest:
    """The tasks that are left at the end, told to each worker once: chunks of them then are but their places."""

    def __init__(self, tasks, inside, n_jobs):
        self._tasks = tasks
        self._inside = inside
        self._n_jobs = n_jobs

    def __call__(self, begin, end):
        """Run those from `begin` to `end`, as `_run` does."""
        tasks = self._tasks[begin:end]
        self._tasks[begin:end] = [None] * (end - begin)  # let go of, once they have run
        return _run(tasks, self._inside, self._n_jobs)


def _run_single(function):
    """Run in a worker what is no batch of joblib's: the seconds it took, and the only result."""
    began = perf_counter()
    result = function()
    return perf_counter() - began, [result]


def _run(tasks, inside, n_jobs):
    """Run a chunk in a worker: the seconds it took, and the results. `inside`: the backend for calls of `Parallel`
    there, or its class and nesting level."""
    _tell_joblib_where_it_is()
    if type(inside) is tuple:
        kind, level = inside
        inside = kind(nesting_level=level)
    with parallel_config(backend=inside, n_jobs=n_jobs):
        began = perf_counter()
        results = []
        tasks.reverse()
        while tasks:  # what a task brought along is let go of when the next begins
            function, args, kwargs = tasks.pop()
            results.append(function(*args, **kwargs))
        return perf_counter() - began, results


def _tell_joblib_where_it_is():
    """This process is a worker, as joblib's own are: processes inside of it would be too many."""
    try:
        from joblib.externals.loky import process_executor
    except ImportError:
        return  # joblib without processes
    if process_executor._CURRENT_DEPTH == 0:
        process_executor._CURRENT_DEPTH = 1
        _start_children_with_site()


def _start_children_with_site():
    """Workers run without `site`, and have from their parent what it does. Python processes that a task starts do not:
    loky's would not find joblib."""
    from multiprocessing import util

    arguments = util._args_from_interpreter_flags
    util._args_from_interpreter_flags = lambda: [option for option in arguments() if option != "-S"]


joblib.register_parallel_backend("manyhands", ManyhandsBackend)
