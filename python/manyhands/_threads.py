"""Threads of this process as workers: for functions that wait, and for compiled code that releases the GIL.

`Threads` has the calls of `_workers.Workers`. Items, functions and answers are the objects themselves: nothing is
pickled and nothing copied. Who runs what next is decided in native code (`mh-runtime`, `threads.rs`); the function is
called from here, from a Python thread: only such a one can be taken away in the midst of a call when the program ends.
"""

import sys
from _thread import RLock, _local, get_ident, start_new_thread

from . import _kinds, _native
from ._naming import Naming

#: Threads of the kept pools that have had nothing to do for so many seconds end.
IDLE = 60.0


class _Here(_local):
    """What this thread is."""

    kept = False  # one of those that serve the maps


_here = _Here()


def serve(server, kept, initializer, initargs):
    """The life of a thread: call what there is to be called, until nothing more will come."""
    _here.kept = kept
    try:
        _trace_as_others()
        if initializer is not None:
            try:
                initializer(*initargs)
            except BaseException as error:
                server.cannot_begin(error)
                return
        del initializer, initargs
        server.begin(get_ident())
        give, wait = server.give, server.wait
        call = function = args = None
        while True:
            try:
                if call is None:
                    function = args = None  # nothing of the last item is kept while there is nothing to do
                    call = wait()
                    if call is None:
                        return
                function, args = call
                call = give(True, function(*args))
            except BaseException as error:
                from ._failures import without_own_frames

                call = give(False, without_own_frames(error))
    finally:
        server.leave()


def _trace_as_others():
    """Debuggers and coverage ask `threading` to have every thread traced; this one is not started by it."""
    threading = sys.modules.get("threading")
    for name, install in (("gettrace", sys.settrace), ("getprofile", sys.setprofile)):
        get = getattr(threading, name, None)
        if get is not None and (hook := get()) is not None:
            install(hook)


def _keep(keeper):
    start_new_thread(keeper.run, ())


def _with_keywords(function, args, kwargs):
    return function(*args, **kwargs)


def _seeded(words, function, args):
    from ._random import call_with_stream

    return call_with_stream(words, function, args)


def _starter(kept, initializer, initargs):
    def start(server):
        start_new_thread(serve, (server, kept, initializer, initargs))

    return start


class Threads:
    """The threads of one pool. Safe to use from several threads."""

    def __init__(self, count, initializer=None, initargs=(), tasks_per_worker=None, kept=False):
        self.count = count
        callers = (_starter(kept, initializer, tuple(initargs)), _keep, _with_keywords, _seeded)
        self.engine = _native.ThreadEngine(count, callers, tasks_per_worker, IDLE if kept else None)
        self.hooks = Hooks(self.engine)
        self._lock = RLock()
        self._calls = None
        if not kept:
            self.engine.start()

    @staticmethod
    def loads(data, buffers=()):
        """Nothing is ever pickled."""
        raise TypeError("answers of threads are not pickled")

    def open(self, function, mode, *, seed=(), share=False, **options):
        """Open a job that calls `function`; gives (job, session)."""
        job = self.engine.job(function, mode, seed=seed, share=share is True, **options)
        if _native.tracing():
            from .tracing import name_of

            job.name("call" if function is None else name_of(function))
        return job, _Session()

    def calls(self, **options):
        """The job behind `apply`: endless, each item brings its own function. `options`: who asks first may say."""
        with self._lock:
            if self._calls is None:
                self._calls = self.engine.job(None, _kinds.APPLY, return_errors=True, by_index=True, **options)
            return self._calls

    def submit(self, function, args, kwargs):
        """Take one call; gives (job, index, session). There is no session to be kept."""
        job = self._calls or self.calls()
        index = job.submit((function, args, kwargs), None, None)
        if _native.tracing():
            from .tracing import name_of

            job.name(name_of(function), index)
        return job, index, None

    def close(self):
        """No further work; threads end when what there is has been done."""
        with self._lock:
            if self._calls is not None:
                self._calls.feed(iter(()), None, None, None)
        self.engine.drain()

    def terminate(self):
        """Drop what has not begun. What runs goes on to its end, and its thread ends then."""
        self.engine.terminate()


class _Session:
    """Stands where other workers need one: there is nothing to be told to a thread."""

    def close(self):
        """Nothing was opened."""


class Hooks(Naming):
    """What the native side asks for when an item fails."""

    def __init__(self, engine):
        self._engine = engine

    def failure(self, error, index, item):
        """The exception that an item raised, with a note about which it was."""
        from ._failures import annotate, brief, exited

        if not isinstance(error, Exception):
            error = exited(error)
        name = self.name(index)
        if name is not None:
            return annotate(error, f"while running {name}")
        return error if index is None else annotate(error, f"while running item {index}: {brief(item)}")

    def timed_out(self, index, item, timeout, attempts):
        """The error for an item that ran longer than it may."""
        from .errors import TimeoutError

        which = "the call" if index is None else self.called(index, item)
        tried = f", {attempts} times" if attempts > 1 else ""
        return TimeoutError(
            f"{which} ran longer than its timeout{tried}: given up after {timeout:.2f} s; a thread cannot be stopped, "
            "so it runs on to its end, and another one has taken its place"
        )

    def thread_ended(self, index, item):
        """The error for an item whose thread ended under it."""
        from ._failures import brief
        from .errors import WorkerDied

        which = "a call" if index is None else self.called(index, item)
        return WorkerDied(f"a thread was ended from outside while it ran {which}", index=index, item=brief(item))

    def cancelled(self):
        """The error for an item that the caller took back."""
        from ._future import Withdrawn

        return Withdrawn()

    def terminated(self):
        """The error for a call whose pool was terminated under it."""
        return RuntimeError("the pool was terminated before this call was done")

    def broken(self):
        """The error for a call on a pool whose threads cannot be started."""
        from .errors import PoolBroken

        cause, start = self._engine.breakage() or (None, None)
        if cause is None:
            return PoolBroken(f"no thread can be started: {start}")
        error = PoolBroken(f"the initializer fails in every thread: {type(cause).__name__}: {cause}")
        error.__cause__ = cause
        return error


# ---------------------------------------------------------------------------------------------- kept between calls

# Re-entrant: `release` may run as a finalizer in the middle of a call.
_lock = RLock()
_current = None


def serves_maps():
    """Is this one of the threads that serve the maps? A map inside of it runs serially, lest it wait for itself."""
    return _here.kept


class _Held:
    """The kept threads, and how many calls use them. Idle ones end by themselves."""

    def __init__(self, count):
        from . import _exits

        self.workers = Threads(count, kept=True)
        self.users = 0
        _exits.register(self.workers)


class kept:
    """Kept threads, in use by one or several calls. Left by `with`, by `release`, or when it is collected."""

    __slots__ = ("_held", "workers")

    def __init__(self, count):
        global _current
        self._held = None
        with _lock:
            held = _current
            if held is None or held.workers.count != count or held.workers.engine.breakage() is not None:
                _current = held = _replaced(held, count)
            held.users += 1
            self._held = held
        self.workers = held.workers

    def __enter__(self):
        return self.workers

    def __exit__(self, *_):
        self.release()

    def release(self):
        """This call is done with the threads."""
        held, self._held = self._held, None
        if held is not None:
            with _lock:
                held.users -= 1
                if held.users == 0 and held is not _current and held.workers.engine.is_ours():
                    held.workers.terminate()

    __del__ = release


def _replaced(held, count):
    if held is not None and held.users == 0:
        held.workers.terminate()  # else the last who uses it does
    return _Held(count)


def _forget():
    """In a forked child: the parent's threads are not there."""
    global _lock, _current
    _lock = RLock()
    _current = None


def _register():
    from . import _exits

    _exits.after_fork(_forget)


_register()
