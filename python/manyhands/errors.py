"""What manyhands raises, each with what happened, to which item, and what can be done.

Importing this module is cheap: classes whose base lives in a heavy module (concurrent.futures,
multiprocessing) are made when they are first asked for, by the module's `__getattr__`.
A closed pool raises `ValueError("Pool not running")`, as multiprocessing does.
"""

import sys

# ruff: noqa: F822 (the lazy ones)
__all__ = [
    "CompileError",
    "CompileWarning",
    "MaybeEncodingError",
    "PoolBroken",
    "RaceError",
    "RemoteTraceback",
    "TaskExited",
    "TaskFailed",
    "TimeoutError",
    "WorkerDied",
]


class CompileError(Exception):
    """A function cannot be compiled as it is: what, where, and what to write instead.

    `filename` and `lineno` say where, as far as that is known.
    """

    filename = lineno = None


class RaceError(CompileError):
    """Iterations of a `prange` depend on each other: the loop would not give the serial answer."""


class CompileWarning(UserWarning):
    """Something was said to `mh.jit` that has no effect, or a loop could not be run on several threads."""


class RemoteTraceback(Exception):
    """The text of a worker's traceback (`tb`), shown as the cause of the error that it led to."""

    def __init__(self, tb):
        super().__init__(tb)
        self.tb = tb

    def __str__(self):
        return f'\n"""\n{self.tb}"""'


class TaskExited(Exception):
    """A task raised SystemExit, KeyboardInterrupt or another exception that is no `Exception`.

    It ends the task and not the worker: in a loop it would have ended the program. `kind` is the name of what
    was raised, `code` the exit code of `sys.exit(code)`, else None.
    """

    def __init__(self, message, kind=None, code=None):
        super().__init__(message)
        self.kind = kind
        self.code = code

    def __reduce__(self):
        return type(self), (*self.args, self.kind, self.code), self.__dict__


class TaskFailed(Exception):
    """Stands for an exception that could not be brought back: its class or its contents cannot be pickled.

    `kind` is the name of the original class, `text` its message.
    """

    def __init__(self, message, kind=None, text=None):
        super().__init__(message)
        self.kind = kind
        self.text = text

    def __reduce__(self):
        return type(self), (*self.args, self.kind, self.text), self.__dict__


def _make_worker_died():
    from concurrent.futures.process import BrokenProcessPool

    class WorkerDied(BrokenProcessPool):
        """A worker process ended while it ran an item; the pool replaces it and goes on.

        Caught by what waits for `concurrent.futures`' own `BrokenProcessPool`.

        `index` and `item` (a short text) say which item it was, None where the worker had none; `signal` or
        `exitcode` how the process ended, `out_of_memory` whether the kernel counts it as killed for memory, and
        `attempts` how often the item was tried.
        """

        index = item = signal = exitcode = None
        out_of_memory = False
        attempts = 1

        def __init__(self, message, **fate):
            super().__init__(message)
            self.__dict__.update(fate)

        @classmethod
        def of(
            cls,
            *,
            worker=None,
            pid=None,
            index=None,
            item=None,
            signal=None,
            exitcode=None,
            out_of_memory=False,
            attempts=1,
            name=None,
        ):
            """The error with its message written from what is known of the worker's end. `name`: what the caller calls
            the item, where that is not its index."""
            message = _death_notice(worker, pid, index, item, signal, exitcode, out_of_memory, attempts, name)
            return cls(
                message,
                index=index,
                item=item,
                signal=signal,
                exitcode=exitcode,
                out_of_memory=out_of_memory,
                attempts=attempts,
            )

    return WorkerDied


def _make_pool_broken():
    from concurrent.futures.process import BrokenProcessPool
    from concurrent.futures.thread import BrokenThreadPool

    class PoolBroken(BrokenProcessPool, BrokenThreadPool):
        """No worker gets as far as a first item: the initializer fails, or processes cannot be started.

        Caught by what waits for `concurrent.futures`' own `BrokenProcessPool` and `BrokenThreadPool`. `traceback` is
        the text of the last failure, where there is one.
        """

        traceback = None

        def __init__(self, message, traceback=None):
            super().__init__(message)
            self.traceback = traceback
            if traceback:
                self.__cause__ = RemoteTraceback(traceback)

    return PoolBroken


def _make_timeout_error():
    from builtins import TimeoutError as builtin_timeout
    from concurrent.futures import TimeoutError as future_timeout  # the built-in one from Python 3.11 on
    from multiprocessing import TimeoutError as pool_timeout

    bases = (pool_timeout, *dict.fromkeys((future_timeout, builtin_timeout)))

    class TimeoutError(*bases):
        """An item, or the wait for a result, took longer than its `timeout`.

        Caught by `except TimeoutError`, by `except multiprocessing.TimeoutError` and by
        `except concurrent.futures.TimeoutError`.
        """

    return TimeoutError


def _make_maybe_encoding_error():
    from multiprocessing.pool import MaybeEncodingError as pool_error

    class MaybeEncodingError(pool_error):
        """A task's result could not be pickled; `exc` says why and `value` shows the result, both as text."""

        def __init__(self, exc, value, message=None):
            super().__init__(exc, value)
            self.message = message

        def __str__(self):
            return self.message or super().__str__()

        def __reduce__(self):
            return _rebuild_encoding_error, (self.exc, self.value, self.message)

    return MaybeEncodingError


_MAKERS = {
    "WorkerDied": _make_worker_died,
    "PoolBroken": _make_pool_broken,
    "TimeoutError": _make_timeout_error,
    "MaybeEncodingError": _make_maybe_encoding_error,
}


def __getattr__(name):
    make = _MAKERS.get(name)
    if make is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    made = make()
    made.__qualname__ = name
    # Two threads may have made one each; only the first is the class from then on.
    return globals().setdefault(name, made)


def _rebuild_encoding_error(exc, value, message):
    error = sys.modules[__name__].MaybeEncodingError(exc, value, message)
    # multiprocessing's class takes the repr of what it is given; here it was taken in the worker already.
    error.exc, error.value = exc, value
    return error


def _death_notice(worker, pid, index, item, signal, exitcode, out_of_memory, attempts, name=None):
    who = "a worker" if worker is None else f"worker {worker}"
    if pid is not None:
        who += f" (pid {pid})"
    if signal is not None:
        fate = f"was killed by {_signal_name(signal)}"
    elif exitcode is not None:
        fate = f"ended with exit code {exitcode}"
    else:
        fate = "ended"
    if name is not None:
        doing = f"while running {name}"
    elif index is None:
        doing = "while it had no item"
    else:
        doing = f"while running item {index}" + (f" ({item})" if item else "")
    notice = f"{who} {fate} {doing}"
    if out_of_memory:
        notice += ", probably out of memory: use fewer workers or smaller items"
    elif signal == 11:
        notice += ": compiled code that the item called has crashed"
    elif exitcode is not None:
        notice += ": something the item called has ended the process (os._exit?)"
    if attempts > 1:
        notice += f"; it was tried {attempts} times"
    elif index is not None:
        notice += "; the pool has replaced it, retries=n would run the item again"
    return notice


def _signal_name(number):
    from signal import Signals

    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
