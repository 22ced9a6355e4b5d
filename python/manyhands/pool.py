"""`Pool` and `ThreadPool`: multiprocessing's calls on workers that cannot hang."""

import sys

from . import _backends, _exits, _kinds
from ._delivery import Delivery
from ._options import Options, check_chunksize, length_of, worker_count

__all__ = ["Pool", "ThreadPool"]

#: Names of `multiprocessing.pool` for what we have under another one: (module, name) each.
_ELSEWHERE = {
    "ApplyResult": ("_results", "AsyncResult"),
    "AsyncResult": ("_results", "AsyncResult"),
    "MapResult": ("_results", "MapResult"),
    "IMapIterator": ("_iterating", "MapIterator"),
    "IMapUnorderedIterator": ("_iterating", "MapIterator"),
    "MaybeEncodingError": ("errors", "MaybeEncodingError"),
    "RemoteTraceback": ("errors", "RemoteTraceback"),
    "TimeoutError": ("errors", "TimeoutError"),
}

RUN = "RUN"
CLOSE = "CLOSE"
TERMINATE = "TERMINATE"


def __getattr__(name):
    """Of `multiprocessing.pool`: ours where we have it, else its own."""
    if name in _ELSEWHERE:
        home, name = _ELSEWHERE[name]
        return getattr(__import__(f"manyhands.{home}", fromlist=(name,)), name)
    if name.startswith("__"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from multiprocessing import pool as theirs

    return getattr(theirs, name)


class Pool:
    """Worker processes that calls can be sent to: `multiprocessing.Pool`, without its traps.

    Parameters
    ----------
    processes:
        How many workers; by default one for each core that this process may use.
    initializer, initargs:
        Called as `initializer(*initargs)` in each worker before its first item. The globals that it sets are seen by
        the tasks. When it fails in three workers in a row the pool is broken (`PoolBroken`, with the traceback).
    maxtasksperchild:
        A worker is replaced after so many items (with `chunksize=n`, after so many chunks of n).
    context:
        Accepted for compatibility: every worker is started clean, and nothing needs to be chosen.
    backend:
        "processes", or "threads" for threads of this process: see `ThreadPool`.
    on:
        Somebody else's executor in place of our own processes, as in `mh.map`. It stays its owner's: the end of the
        pool drops what has not begun, and does not shut it down.

    Functions may be lambdas, closures, methods, or typed at the prompt; no `__main__` guard is needed. All calls take
    `chunksize`, none needs it. A worker that dies costs the item that it was running (`WorkerDied`); it is replaced and
    the others go on.

    >>> import manyhands as mh
    >>> with mh.Pool(2) as pool:
    ...     pool.map(lambda x: x * x, range(5))
    [0, 1, 4, 9, 16]
    """

    def __init__(
        self,
        processes=None,
        initializer=None,
        initargs=(),
        maxtasksperchild=None,
        context=None,
        *,
        backend="processes",
        on=None,
    ):
        self._state = None
        if processes is not None and (isinstance(processes, bool) or not hasattr(type(processes), "__index__")):
            raise TypeError(f"processes must be a whole number or None, not {type(processes).__name__}")
        if processes is not None and processes < 1:
            raise ValueError("Number of processes must be at least 1")
        if maxtasksperchild is not None and (not isinstance(maxtasksperchild, int) or maxtasksperchild < 1):
            raise ValueError("maxtasksperchild must be a positive int or None")
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        count = _backends.count(processes, on, "processes")
        self._workers = _backends.make(backend, count, initializer, initargs, maxtasksperchild, on)
        self._processes = self._workers.count
        self._delivery = Delivery(self._workers.engine)
        self._state = RUN
        _exits.register(self._workers, self._delivery)

    # ---------------------------------------------------------------------------------------- waiting calls

    def apply(self, func, args=(), kwds=None):
        """`func(*args, **kwds)` in a worker; its value."""
        self._check_running()
        workers = self._workers
        job, index, session = self._submit(func, tuple(args), kwds)
        try:
            answer = None
            while answer is None:
                answer = job.answer(index, workers.loads, workers.hooks, 1.0)
        except BaseException:
            job.discard(index)
            raise
        del session  # kept until here
        ok, value = answer
        if ok:
            return value
        raise value

    def map(self, func, iterable, chunksize=None, *, timeout=None, retries=0, on_error=None, seed=None, progress=False):
        """`[func(item) for item in iterable]`, the items spread over the workers. Keywords as in `mh.map`.

        As in multiprocessing every item is run, whatever fails, and then the failure of lowest index is raised; with
        `on_error="raise"` it is raised as soon as it is known, and what has not begun is dropped.
        """
        return self._map(func, iterable, _kinds.ONE, chunksize, timeout, retries, on_error, seed, progress)

    def starmap(
        self, func, iterable, chunksize=None, *, timeout=None, retries=0, on_error=None, seed=None, progress=False
    ):
        """`[func(*item) for item in iterable]`, as `map`."""
        return self._map(func, iterable, _kinds.STAR, chunksize, timeout, retries, on_error, seed, progress)

    def _map(self, func, iterable, mode, chunksize, timeout, retries, on_error, seed, progress):
        from . import _running

        self._check_running()
        check_chunksize(chunksize)
        options = Options(timeout, retries, on_error or "return", seed, progress)
        shareable = isinstance(iterable, (list, tuple))
        if on_error is not None:
            return _running.run(self._workers, func, iterable, mode, options, shareable=shareable, chunk=chunksize)
        return _running.run_all(self._workers, func, iterable, mode, options, shareable=shareable, chunk=chunksize)

    def imap(self, func, iterable, chunksize=1, *, timeout=None, retries=0, seed=None, progress=False, buffer=None):
        """An iterator over `func(item)` in order. Input is taken as the results are, at most `buffer` items ahead."""
        return self._imap(func, iterable, chunksize, timeout, retries, seed, progress, buffer, True)

    def imap_unordered(
        self, func, iterable, chunksize=1, *, timeout=None, retries=0, seed=None, progress=False, buffer=None
    ):
        """The same in whatever order the results come."""
        return self._imap(func, iterable, chunksize, timeout, retries, seed, progress, buffer, False)

    def _imap(self, func, iterable, chunksize, timeout, retries, seed, progress, buffer, ordered):
        from ._iterating import MapIterator, whole_chunks

        self._check_running()
        check_chunksize(chunksize)
        options = Options(timeout, retries, "return", seed, progress)
        shareable, total = isinstance(iterable, (list, tuple)), length_of(iterable)
        items = iterable if chunksize == 1 else whole_chunks(iterable, chunksize)
        return MapIterator(
            self,
            self._workers,
            func,
            items,
            _kinds.ONE,
            options,
            ordered=ordered,
            shareable=shareable,
            buffer=None if buffer is None else worker_count(buffer, "buffer"),
            total=total,
            chunk=chunksize,
        )

    # ------------------------------------------------------------------------------------ calls not waited for

    def apply_async(self, func, args=(), kwds=None, callback=None, error_callback=None):
        """`func(*args, **kwds)` in a worker; an `AsyncResult` at once."""
        from ._results import ApplyResult

        self._check_running()
        workers = self._workers
        job, index, session = self._submit(func, tuple(args), kwds)
        result = ApplyResult(self, workers, job, index, session, callback, error_callback)
        if result._delivered:
            self._delivery.watch(result, job, index)
        else:
            self._delivery.start()
        return result

    def map_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        """`map` that gives an `AsyncResult` at once; its value is the list. Items are sent before it returns."""
        return self._map_async(func, iterable, _kinds.ONE, chunksize, callback, error_callback)

    def starmap_async(self, func, iterable, chunksize=None, callback=None, error_callback=None):
        """`starmap` that gives an `AsyncResult` at once."""
        return self._map_async(func, iterable, _kinds.STAR, chunksize, callback, error_callback)

    def _map_async(self, func, iterable, mode, chunksize, callback, error_callback):
        from ._results import MapResult

        self._check_running()
        check_chunksize(chunksize)
        shareable = isinstance(iterable, (list, tuple))
        items = iterable if hasattr(iterable, "__len__") else list(iterable)
        workers = self._workers
        job, session = workers.open(func, mode, share=shareable, chunk=chunksize, return_errors=True)
        try:
            while not job.feed(iter(items) if job.fed() == 0 else iter(()), session, workers.hooks, None):
                if job.outcome() is not None:
                    break
        except BaseException:
            job.cancel(False)
            job.close()
            session.close()
            raise
        result = MapResult(self, workers, job, session, callback, error_callback)
        self._delivery.watch(result, job)
        return result

    # -------------------------------------------------------------------------------------------------- ends

    def close(self):
        """No further calls; workers end when what was asked for has been done."""
        if self._state == RUN:
            self._state = CLOSE
            self._workers.close()

    def terminate(self):
        """End the workers at once, whatever they are doing; threads end when what they are doing has ended."""
        if self._state is not None:
            self._state = TERMINATE
            self._workers.terminate()
            self._delivery.join(1.0)

    def join(self):
        """Wait for the workers' end, after `close` or `terminate`."""
        if self._state == RUN:
            raise ValueError("Pool is still running")
        while not self._workers.engine.wait_drained(0.5):
            pass
        if self._state == CLOSE:
            self._delivery.join(60.0)
            for stream, data in self._workers.engine.take_prints():
                self._workers.hooks.emit(stream, data)
            self._workers.terminate()

    def __enter__(self):
        self._check_running()
        return self

    def __exit__(self, *_):
        self.terminate()

    def __del__(self):
        if sys.is_finalizing():
            return  # the workers were ended by then
        if self._state == RUN:
            import warnings

            warnings.warn(f"unclosed running multiprocessing pool {self!r}", ResourceWarning, source=self, stacklevel=2)
        if self._state in (RUN, CLOSE):
            self._workers.terminate()
            # Not waited for: it may be that very thread which runs this.
            self._delivery.join(0)

    def __reduce__(self):
        raise NotImplementedError("pool objects cannot be passed between processes or pickled")

    def __repr__(self):
        kind = type(self)
        return f"<{kind.__module__}.{kind.__qualname__} state={self._state} pool_size={self._processes}>"

    def _submit(self, func, args, kwds):
        workers = self._workers
        try:
            return workers.submit(func, args, kwds)
        except RuntimeError:
            ended = workers.calls().outcome()
            if ended is None:
                raise
        if ended == "broken":
            raise workers.hooks.broken()
        # Ended between the look at the state and here, as at the program's end.
        raise ValueError("Pool not running")

    def _check_running(self):
        if self._state != RUN:
            raise ValueError("Pool not running")

    @property
    def _pool(self):
        """The workers, as objects with `pid`, `name` and `is_alive()`; for looking at, as multiprocessing has it."""
        return [_WorkerView(self._workers.engine, view) for view in self._workers.engine.workers()]


class ThreadPool(Pool):
    """Threads of this process that calls can be sent to: `multiprocessing.pool.ThreadPool`.

    For functions that wait (for a network, a disk, another program) and for compiled code that releases the GIL (most
    of NumPy): items and results are the objects themselves, nothing is pickled or copied, and what a function changes
    is changed for all. Python code in threads takes turns: to use several cores for it, take `Pool`.

    Parameters
    ----------
    processes:
        How many threads; by default one for each core that this process may use. Functions that wait want more.
    initializer, initargs:
        Called as `initializer(*initargs)` in each thread before its first item. When it fails three times in a row the
        pool is broken (`PoolBroken`).

    All calls are those of `Pool`. What differs, because nothing can stop a thread: `timeout=` abandons the running
    call, which runs on to its end while another thread takes its place; `terminate()` drops what has not begun, and
    `join()` after it waits for what runs; Ctrl-C comes through at once, and running calls go on. `seed=` reaches
    `mh.rng()` only: `random` and `numpy.random` are shared by all threads, and left as they are.

    >>> import manyhands as mh
    >>> with mh.ThreadPool(4) as pool:
    ...     pool.map(len, ["one", "three"])
    [3, 5]
    """

    def __init__(self, processes=None, initializer=None, initargs=()):
        super().__init__(processes, initializer, initargs, backend="threads")


class _WorkerView:
    """One worker, to be looked at."""

    def __init__(self, engine, view):
        self._engine = engine
        self._id = view["id"]
        self.pid = view["pid"]
        self.name = f"manyhands-{self._id}"

    def is_alive(self):
        """Whether the process, or the thread, is there."""
        return any(view["id"] == self._id for view in self._engine.workers())

    def __repr__(self):
        return f"<worker {self.name} pid={self.pid}>"
