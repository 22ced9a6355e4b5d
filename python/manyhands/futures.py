"""`Executor`, `ProcessPoolExecutor`, `ThreadPoolExecutor`: concurrent.futures on workers that cannot hang.

`from manyhands.futures import ProcessPoolExecutor, as_completed` is the one line that a program changes.
"""

import sys
from _thread import RLock
from concurrent.futures import (
    ALL_COMPLETED,
    FIRST_COMPLETED,
    FIRST_EXCEPTION,
    BrokenExecutor,
    CancelledError,
    Executor as _BaseExecutor,
    Future,
    InvalidStateError,
    ThreadPoolExecutor as _Threads,
    TimeoutError,
    as_completed,
    wait,
)
from itertools import count

from . import _backends, _executor
from ._options import Options, worker_count

__all__ = [
    "ALL_COMPLETED",
    "FIRST_COMPLETED",
    "FIRST_EXCEPTION",
    "BrokenExecutor",
    "CancelledError",
    "Executor",
    "Future",
    "InvalidStateError",
    "ProcessPoolExecutor",
    "ThreadPoolExecutor",
    "TimeoutError",
    "as_completed",
    "wait",
]


_numbers = count()


class Executor(_BaseExecutor):
    """Workers that calls are submitted to, each with a future: `concurrent.futures.Executor`, without its traps.

    Parameters
    ----------
    max_workers:
        How many workers; by default one for each core that this process may use. They start with the first call.
    backend:
        "processes", "threads", or "serial" (each call is run when it is submitted: for looking at one's program).
    initializer, initargs:
        Called as `initializer(*initargs)` in each worker before its first call. When it fails in three workers in a row
        the executor is broken: futures and `submit` raise `PoolBroken`, a `BrokenProcessPool`.
    max_tasks_per_child:
        A worker process is replaced after so many calls.
    retries:
        How often a call whose worker died under it, or that took too long, is run again.
    timeout:
        The longest that one call may run, in seconds; then its future fails with `TimeoutError`. A worker process is
        killed for it and replaced; a running thread is abandoned.
    on:
        Somebody else's executor to stand in for workers of ours.

    Functions may be lambdas, closures, methods, or typed at the prompt; no `__main__` guard is needed. A worker that
    dies fails the future of the call that it was running (`WorkerDied`, a `BrokenProcessPool`); it is replaced, and the
    executor and all other futures go on. Where a `with` block is left by Ctrl-C, what is running is ended and the
    rest cancelled.

    >>> import manyhands as mh
    >>> with mh.Executor(2) as executor:
    ...     future = executor.submit(lambda x: x * x, 3)
    ...     future.result(), list(executor.map(pow, [2, 3], [5, 2]))
    (9, [32, 9])
    """

    def __init__(
        self,
        max_workers=None,
        *,
        backend="processes",
        initializer=None,
        initargs=(),
        max_tasks_per_child=None,
        retries=0,
        timeout=None,
        on=None,
    ):
        self._crew = None
        self._shut = False
        _backends.check(backend, on)
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        if max_tasks_per_child is not None:
            if not isinstance(max_tasks_per_child, int) or isinstance(max_tasks_per_child, bool):
                raise TypeError("max_tasks_per_child must be an integer")
            if max_tasks_per_child <= 0:
                raise ValueError("max_tasks_per_child must be >= 1")
        if isinstance(max_workers, int) and max_workers <= 0:
            raise ValueError("max_workers must be greater than 0")
        if timeout is not None and backend == "serial" and on is None:
            raise ValueError('timeout= needs worker processes: a call of backend="serial" cannot be interrupted')
        options = Options(timeout, retries).of_job()
        self._options = {name: options[name] for name in ("retries", "timeout")}
        self._backend = backend
        count = _backends.count(max_workers, on, "max_workers")
        self._max_workers = count
        self._made_of = (count, initializer, initargs, max_tasks_per_child, on)
        self._starting = RLock()

    def submit(self, fn, /, *args, **kwargs):
        """Have `fn(*args, **kwargs)` called by a worker; a future, at once.

        `RuntimeError` after `shutdown`, `PoolBroken` when no worker gets as far as a first call. What sending the
        function or an argument raises is the future's exception.
        """
        crew = self._crew
        if crew is None or not crew.open:
            crew = self._start()
        return crew.submit(fn, args, kwargs)

    def map(self, fn, *iterables, timeout=None, chunksize=1, buffersize=None):
        """An iterator over `fn(*items)` for each `items` of `zip(*iterables)`, in order.

        All input is taken at the call, or, with `buffersize`, so many items further than the results that were asked
        for. `next` raises what the call raised, and `TimeoutError` when its result is not there `timeout` seconds after
        `map` was called; then, and when the iterator is closed, calls that have not begun are dropped. `chunksize` is
        accepted and not needed.
        """
        if chunksize < 1 and self._backend == "processes":
            raise ValueError("chunksize must be >= 1.")
        if buffersize is not None:
            if not isinstance(buffersize, int):
                raise TypeError("buffersize must be an integer or None")
            if buffersize < 1:
                raise ValueError("buffersize must be None or > 0")
        crew = self._crew
        if crew is None or not crew.open:
            crew = self._start()
        return crew.map(fn, iterables, timeout, buffersize)

    def shutdown(self, wait=True, *, cancel_futures=False):
        """Take no further calls, and end the workers when what was submitted is done.

        With `wait`, return when it is and they are gone. With `cancel_futures`, what has not begun is cancelled.
        """
        self._shut = True
        with self._starting:
            crew = self._crew
        if crew is None:
            return
        if cancel_futures:
            crew.cancel_waiting()
        crew.close()
        if wait:
            crew.end()
        else:
            crew.end_later()

    def __exit__(self, exc_type, exc_val, exc_tb):
        if exc_type is not None and issubclass(exc_type, KeyboardInterrupt) and self._crew is not None:
            self._shut = True
            self._crew.terminate()
        else:
            self.shutdown(wait=True)
        return False

    def __del__(self):
        crew = getattr(self, "_crew", None)
        if crew is not None and crew.open and not sys.is_finalizing():
            crew.close()
            crew.end_later()

    def _start(self):
        """The crew, which is made for the first call."""
        with self._starting:
            if self._shut:
                raise RuntimeError(_executor.AFTER_SHUTDOWN)
            if self._crew is None:
                if self._backend == "serial":
                    self._crew = _executor.Serial(*self._made_of[1:3])
                else:
                    self._crew = _executor.Crew(self._make_workers, self._options)
            elif not self._crew.open:
                raise self._crew.refusal()
            return self._crew

    def _make_workers(self):
        count, initializer, initargs, tasks, on = self._made_of
        return _backends.make(self._backend, count, initializer, initargs, tasks, on=on)


class ProcessPoolExecutor(Executor):
    """`concurrent.futures.ProcessPoolExecutor`: an `Executor` with worker processes.

    `mp_context` is accepted: every worker is started clean, and nothing needs to be chosen. The other parameters are
    those of `Executor`.
    """

    def __init__(
        self,
        max_workers=None,
        mp_context=None,
        initializer=None,
        initargs=(),
        *,
        max_tasks_per_child=None,
        retries=0,
        timeout=None,
        on=None,
    ):
        super().__init__(
            max_workers,
            initializer=initializer,
            initargs=initargs,
            max_tasks_per_child=max_tasks_per_child,
            retries=retries,
            timeout=timeout,
            on=on,
        )
        self._mp_context = mp_context


class ThreadPoolExecutor(Executor, _Threads):
    """`concurrent.futures.ThreadPoolExecutor`: an `Executor` with threads of this process.

    By default there are `min(32, cores + 4)` threads, named `thread_name_prefix` and a number. The other parameters are
    those of `Executor`. It is a subclass of the standard library's for those who ask for that class
    (`loop.set_default_executor`); nothing of that is used.
    """

    def __init__(
        self,
        max_workers=None,
        thread_name_prefix="",
        initializer=None,
        initargs=(),
        *,
        retries=0,
        timeout=None,
        on=None,
    ):
        if max_workers is None:
            max_workers = min(32, worker_count(None) + 4)
        if initializer is not None and not callable(initializer):
            raise TypeError("initializer must be a callable")
        self._thread_name_prefix = thread_name_prefix or f"ThreadPoolExecutor-{next(_numbers)}"
        super().__init__(
            max_workers,
            backend="threads",
            initializer=_executor.Named(self._thread_name_prefix, initializer, initargs) if on is None else initializer,
            initargs=() if on is None else initargs,
            retries=retries,
            timeout=timeout,
            on=on,
        )
