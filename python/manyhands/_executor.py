"""What stands behind an executor: its workers, the job of its calls, the thread that delivers, and their end.

A `Crew` outlives its executor for as long as something was asked for and is not done: a program that forgets its
executor, or leaves it without `shutdown`, gets its calls done all the same, at the latest when the interpreter ends.
"""

import threading
from _thread import allocate_lock, start_new_thread
from itertools import count
from weakref import WeakSet

from . import _exits
from ._delivery import Delivery
from ._future import TaskFuture, Withdrawn

#: Crews that are not ended. The program's end waits for them.
_crews: set = set()
_ending = False

AFTER_SHUTDOWN = "cannot schedule new futures after shutdown"
AFTER_EXIT = "cannot schedule new futures after interpreter shutdown"


class Crew:
    """The workers of one executor. `make()` gives them; `options`: what holds for each call (`retries`, `timeout`)."""

    def __init__(self, make, options):
        if _ending:
            raise RuntimeError(AFTER_EXIT)
        self.workers = workers = make()
        self.options = options
        self.job = workers.calls(**options)
        self.hooks = _Hooks(workers.hooks)
        self.loads = workers.loads
        self.delivery = Delivery(workers.engine)
        self.open = True
        self._ended = False
        self.maps = WeakSet()  # what stands for maps under way: each has a `job`, and `end_input()`
        self._lock = allocate_lock()
        _exits.register(workers, self.delivery)
        _crews.add(self)
        self.delivery.start()

    def submit(self, function, arguments, keywords):
        """A `TaskFuture` of the call. What cannot be sent is the future's exception."""
        if self.job.outcome() is not None:
            raise self.refusal()
        try:
            _, index, session = self.workers.submit(function, arguments, keywords)
        except Exception as error:
            if not self.open or self.job.outcome() is not None:
                raise self.refusal() from None  # it was ended in the midst of this
            return _failed(error)
        return TaskFuture(self, index, session)

    def refusal(self):
        """Why nothing can be submitted."""
        if not self.open:
            return RuntimeError(AFTER_EXIT if _ending else AFTER_SHUTDOWN)
        if self.workers.engine.breakage() is not None:
            return self.hooks.broken()
        return RuntimeError(AFTER_SHUTDOWN)

    def map(self, function, iterables, timeout, ahead):
        """The results of a map, as an iterator; see `_executor_map`."""
        from ._executor_map import MapResults

        if self.job.outcome() is not None:
            raise self.refusal()
        return MapResults(self, function, iterables, timeout, ahead)

    def cancel_waiting(self):
        """Cancel what has not begun."""
        if self.workers.engine.is_ours():
            for asked in (self, *self.maps):
                asked.job.withdraw_waiting()

    # -------------------------------------------------------------------------------------------------------- ends

    def close(self):
        """Nothing new; what was asked for is done."""
        with self._lock:
            if not self.open:
                return
            self.open = False
        if self.workers.engine.is_ours():
            for results in list(self.maps):
                results.end_input()
            self.workers.close()

    def end(self):
        """After `close`: wait until all is done and the workers are gone. None of the futures is pending then."""
        engine = self.workers.engine
        if not engine.is_ours() or self._ended:
            return
        while not engine.wait_drained(0.5):
            pass
        self.delivery.join(60.0)
        for stream, data in engine.take_prints():
            self.hooks.emit(stream, data)
        self.workers.terminate()
        self._forget()

    def end_later(self):
        """The same, without waiting for it."""
        if self.workers.engine.is_ours() and not self._ended:
            start_new_thread(self.end, ())

    def terminate(self):
        """End the workers at once; calls that have not ended are cancelled."""
        self.open = False
        self.workers.terminate()
        self.delivery.join(1.0)
        self._forget()

    def _forget(self):
        self._ended = True
        _crews.discard(self)


class Serial:
    """A crew without workers: each call is run when it is submitted, by whoever submits it."""

    def __init__(self, initializer, initargs):
        self.open = True
        if initializer is not None:
            initializer(*initargs)

    def submit(self, function, arguments, keywords):
        """A future that has ended."""
        from ._future import EndedFuture

        future = EndedFuture()
        try:
            future.set_result(function(*arguments, **keywords))
        except Exception as error:
            future.set_exception(error)
        return future

    def map(self, function, iterables, timeout, ahead):
        """The loop. A generator, in which a `StopIteration` of the function is an error and not an early end."""
        return (function(*items) for items in zip(*iterables))

    def refusal(self):
        """Why nothing can be submitted."""
        return RuntimeError(AFTER_SHUTDOWN)

    def close(self):
        """Nothing new."""
        self.open = False

    end = end_later = cancel_waiting = terminate = close


class _Hooks:
    """A pool's hooks, with what executors do otherwise."""

    cancelled = terminated = staticmethod(Withdrawn)

    def __init__(self, hooks):
        self._hooks = hooks

    def __getattr__(self, name):
        return getattr(self._hooks, name)

    def failure(self, *described):
        """The exception that a task raised. What ends a program ends whoever asks for the result, as there."""
        return as_raised(self._hooks.failure(*described))


class Named:
    """An initializer that gives each thread its name before it does what the user's does."""

    def __init__(self, prefix, initializer, initargs):
        self._prefix = prefix
        self._numbers = count()
        self._initializer = initializer
        self._initargs = initargs

    def __call__(self):
        threading.current_thread().name = f"{self._prefix}_{next(self._numbers)}"
        if self._initializer is not None:
            self._initializer(*self._initargs)


def as_raised(error):
    """What the task raised where that was `SystemExit` or its like, which pools do not let pass; and what pickling its
    result raised."""
    from .errors import MaybeEncodingError, TaskExited

    if type(error) is MaybeEncodingError and error.__cause__ is not None:
        from ._failures import annotate

        return as_raised(annotate(error.__cause__, str(error)))
    if type(error) is TaskExited:
        kind = {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt, "GeneratorExit": GeneratorExit}
        found = kind.get(error.kind)
        if found is not None:
            same = found(error.code) if found is SystemExit else found()
            same.__cause__ = error.__cause__
            return same
    return error


def _failed(error):
    """A future of a call that could not be sent."""
    from ._future import EndedFuture

    future = EndedFuture()
    future.set_exception(error)
    return future


# ----------------------------------------------------------------------------------------------- the program's end


def _end_all():
    """Before the interpreter ends: what was asked for is done, as concurrent.futures does it."""
    global _ending
    _ending = True
    interrupted = _was_interrupted()
    for crew in list(_crews):
        if interrupted and crew.workers.engine.is_ours():
            crew.terminate()
        else:
            crew.close()
            crew.end()


def _was_interrupted():
    """Does the program end by Ctrl-C? Then nobody waits for what is left."""
    import sys

    return issubclass(getattr(sys, "last_type", None) or int, KeyboardInterrupt) and not hasattr(sys, "ps1")


def _forget_all():
    """In a forked child: the parent's crews are not ours."""
    _crews.clear()


# Before the interpreter joins threads and runs exit handlers; concurrent.futures' own executors end there, too.
getattr(threading, "_register_atexit")(_end_all)  # noqa: B009 (private: type checkers do not know it)
_exits.after_fork(_forget_all)
