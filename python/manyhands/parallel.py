"""`mh.Parallel` and `mh.delayed`: joblib's loop, on workers that are kept between calls."""

from _thread import allocate_lock

from . import _backends, _parallel_options, _tasks
from ._native import delayed
from ._options import Options
from ._task_lines import Lines

__all__ = ["Parallel", "delayed"]

_RETURNS = ("list", "generator", "generator_unordered")
#: Keyword arguments of joblib's backends that have nothing to do here.
_NOT_NEEDED = frozenset(("context", "idle_worker_timeout"))


class Parallel:
    """Runs the tasks that `delayed` makes on several cores: `joblib.Parallel`, with its meaning.

    Parameters
    ----------
    n_jobs:
        How many workers; -1 is one for each core that this process may use, -2 all but one. None and 1 run the tasks as
        a loop in this thread.
    backend:
        "loky", "multiprocessing", "manyhands" or None: worker processes; "threading": threads; "sequential": a loop.
    return_as:
        "list"; "generator": an iterator over the results, in order, as they come; "generator_unordered": in any order.
    verbose:
        From 1 on lines on standard error say how many tasks are done, from 11 on after each message of a worker; from
        50 on they go to standard output.
    timeout:
        Seconds that one task may run; then `TimeoutError`. Not with `n_jobs=1`.
    pre_dispatch:
        How many batches are taken from the input ahead of the workers: a number, "all", or arithmetic with `n_jobs`.
        Left alone, work of about a fifth of a second is.
    batch_size:
        How many tasks a batch has. Only `pre_dispatch` is counted in it: how many travel in one message is seen to.
    prefer, require:
        "threads" or "processes"; "sharedmem" for threads and nothing else.
    temp_folder, max_nbytes, mmap_mode:
        Accepted, and not needed: big arrays go through shared memory that has no name in any folder.
    progress:
        True, or a label: show a bar that counts results.
    retries:
        How often a task runs again whose worker died under it, or that took too long.
    on:
        Somebody else's executor, to run the tasks on.
    initializer, initargs:
        Called as `initializer(*initargs)` in each worker before its first task.

    The first failure that is met is raised, as itself, with the worker's traceback; what has not begun is dropped, and
    workers in the middle of a task are replaced. A worker that dies fails the task that it ran (`WorkerDied`). Used in
    a `with` block, it keeps its workers for the calls in it. Inside a worker the tasks run as a loop.

    >>> from manyhands import Parallel, delayed
    >>> Parallel(n_jobs=2)(delayed(pow)(i, 2) for i in range(5))
    [0, 1, 4, 9, 16]
    """

    def __init__(
        self,
        n_jobs=None,
        backend=None,
        return_as="list",
        verbose=0,
        timeout=None,
        pre_dispatch=_parallel_options.PRE_DISPATCH,
        batch_size="auto",
        temp_folder=None,
        max_nbytes="1M",
        mmap_mode="r",
        prefer=None,
        require=None,
        *,
        progress=False,
        retries=0,
        on=None,
        initializer=None,
        initargs=(),
        **backend_kwargs,
    ):
        if unknown := sorted(backend_kwargs.keys() - _NOT_NEEDED):
            raise TypeError(f"Parallel() got an unexpected keyword argument {unknown[0]!r}")
        if return_as not in _RETURNS:
            raise ValueError(f"return_as must be one of {_RETURNS}, not {return_as!r}")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._backend = _parallel_options.backend(backend, prefer, require)
        self._on = on
        self.n_jobs = _parallel_options.number_of_jobs(n_jobs)
        # An executor that is left alone is used as wide as it is.
        self._count = None if on is not None and n_jobs is None else self.n_jobs
        self.return_as = return_as
        self.return_generator = return_as != "list"
        self.verbose = verbose if verbose is not None else 0
        self.timeout = _parallel_options.seconds(timeout)
        self._retries = Options(retries=retries).retries
        self.batch_size = _parallel_options.batch_size(batch_size)
        self.pre_dispatch = pre_dispatch
        self._window = _parallel_options.window(pre_dispatch, self.n_jobs, self.batch_size)
        self._progress = progress
        self._initializer = (initializer, tuple(initargs))
        self._lock = allocate_lock()
        self._running = False
        self._held = None  # the workers of a `with` block
        self.n_tasks = None
        self.n_dispatched_tasks = self.n_completed_tasks = 0

    def __call__(self, iterable):
        """Run the tasks that `iterable` gives; the results in a list, or a generator of them.

        RuntimeError while the generator of an earlier call is still running. TypeError for an item that is no task.
        """
        source = iter(iterable)  # what cannot be iterated over is said before anything is started
        with self._lock:
            if self._running:
                raise RuntimeError(
                    "This Parallel instance is already running !"
                    + (" Exhaust or close its generator first." if self.return_generator else "")
                )
            self._running = True
        try:
            self.n_tasks = len(iterable) if hasattr(iterable, "__len__") else None
            self.n_dispatched_tasks = self.n_completed_tasks = 0
            self._lines = Lines(self.n_tasks)
            if self.pre_dispatch == "all":
                iterable = list(source)
            tasks = iterable if isinstance(iterable, (list, tuple)) else source
            if not self.return_generator:
                return self._list(tasks)
            results = self._stream(tasks)
            next(results)  # runs to where the tasks have begun
            return results
        except BaseException:
            self._running = False
            raise

    def _list(self, tasks):
        with _Call(self, tasks) as results:
            values = results.all()
            self._end(len(values))
            return values

    def _stream(self, tasks):
        used = 0
        with _Call(self, tasks) as results:
            try:
                yield None
                for value in results.stream(self.return_as == "generator"):
                    used += 1
                    yield value
            except GeneratorExit:
                self._warn_of_unused(used, results.is_unfinished())
                raise
            self._end(used)

    def _is_serial(self):
        return self._effective_n_jobs() == 1 and self._on is None

    def _effective_n_jobs(self):
        return 1 if _backends.in_line(self._backend) else self.n_jobs

    # ------------------------------------------------------------------------------------------- workers

    def _workers(self):
        if self._held is not None:
            return self._held
        initializer, initargs = self._initializer
        if initializer is None:
            return _backends.kept(self._backend, self._count, on=self._on)
        if self._backend == "processes" and self._on is None:
            from . import _implicit

            return _implicit.workers(self._count, initializer=initializer, initargs=initargs)
        return _Own(_backends.make(self._backend, self._count, initializer, initargs, on=self._on))

    def __enter__(self):
        if not self._is_serial():
            self._held = self._workers()
        return self

    def __exit__(self, *_):
        held, self._held = self._held, None
        if held is not None:
            held.release()

    # ------------------------------------------------------------------------------------------ progress

    def print_progress(self):
        """Called after each message of a worker; prints a line where `verbose` asks for one. A subclass may show
        `n_completed_tasks` in its own way."""
        if self.verbose:
            line = self._lines.after(self.n_completed_tasks, self.verbose)
            if line is not None:
                self._print(line)

    def _end(self, number):
        self.n_dispatched_tasks = number
        if self.verbose:
            self._print(self._lines.last(number))

    def _print(self, message):
        if self.verbose:
            import sys

            stream = sys.stderr if self.verbose < 50 else sys.stdout
            if stream is not None:
                stream.write(f"[{self}]: {message}\n")

    def _warn_of_unused(self, used, unfinished):
        unused = self.n_completed_tasks - used
        if unused or unfinished:
            from warnings import warn

            cancelled = ", and tasks that were not done are cancelled" if unfinished else ""
            warn(f"a generator of {self!r} was dropped: {unused} results were not used{cancelled}", stacklevel=4)

    def __repr__(self):
        return f"{type(self).__name__}(n_jobs={self.n_jobs})"


class _Call:
    """One call: its workers and its bar for as long as it lasts. Entered, it gives the tasks as they run."""

    def __init__(self, parallel, tasks):
        self._parallel = parallel
        self._tasks = tasks
        self._bar = self._kept = self._run = None

    def __enter__(self):
        try:
            return self._begin()
        except BaseException:
            self.__exit__()
            raise

    def _begin(self):
        parallel = self._parallel
        if parallel._progress:
            from ._progress import Progress

            self._bar = Progress(parallel.n_tasks, parallel._progress)
        if parallel._is_serial():
            if parallel.timeout is not None:
                from warnings import warn

                message = f"the tasks run in this thread (n_jobs=1): timeout={parallel.timeout:g} has no effect"
                warn(message, stacklevel=5)
            batch = 1 if parallel.batch_size == "auto" else parallel.batch_size
            self._run = _tasks.InLine(self._tasks, batch, self._count)
            return self._run
        self._kept = parallel._workers()
        workers = self._kept.workers
        parallel._print(f"Using backend {parallel._backend} with {workers.count} concurrent workers.")
        self._run = _tasks.Run(workers, self._tasks, parallel.timeout, parallel._retries, parallel._window, self._count)
        if parallel.return_generator:
            self._run.feed()
        return self._run

    def _count(self, number):
        """So many more results have come."""
        self._parallel.n_completed_tasks += number
        self._parallel.n_dispatched_tasks = self._run.dispatched()
        if self._bar is not None:
            self._bar.update(number)
        self._parallel.print_progress()

    def __exit__(self, *_):
        self._parallel._running = False
        if self._run is not None:
            self._run.close()
        if self._bar is not None:
            self._bar.close()
        if self._kept is not None and self._kept is not self._parallel._held:
            self._kept.release()


class _Own:
    """Workers that are made for one call or `with` block, with the face of those that are kept."""

    def __init__(self, workers):
        from . import _exits

        self.workers = workers
        _exits.register(workers)

    def release(self):
        """End them."""
        self.workers.terminate()
