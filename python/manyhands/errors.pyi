"""What manyhands raises. Kept true to `errors.py` by `tests/house/test_stubs.py`."""

import multiprocessing
from builtins import TimeoutError as _BuiltinTimeout
from concurrent.futures.process import BrokenProcessPool
from concurrent.futures.thread import BrokenThreadPool
from typing import Any

from typing_extensions import Self

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
    """A function cannot be compiled as it is: what, where, and what to write instead."""

    filename: str | None
    lineno: int | None

class RaceError(CompileError):
    """Iterations of a `prange` depend on each other: the loop would not give the serial answer."""

class CompileWarning(UserWarning):
    """Something was said to `mh.jit` that has no effect, or a loop could not be run on several threads."""

class RemoteTraceback(Exception):
    """The text of a worker's traceback (`tb`), shown as the cause of the error that it led to."""

    tb: str
    def __init__(self, tb: str) -> None: ...

class TaskExited(Exception):
    """A task raised SystemExit, KeyboardInterrupt or another exception that is no `Exception`."""

    kind: str | None
    code: Any
    def __init__(self, message: str, kind: str | None = None, code: Any = None) -> None: ...

class TaskFailed(Exception):
    """Stands for an exception that could not be brought back: its class or its contents cannot be pickled."""

    kind: str | None
    text: str | None
    def __init__(self, message: str, kind: str | None = None, text: str | None = None) -> None: ...

class WorkerDied(BrokenProcessPool):
    """A worker process ended while it ran an item; the pool replaces it and goes on."""

    index: int | None
    item: str | None
    signal: int | None
    exitcode: int | None
    out_of_memory: bool
    attempts: int
    def __init__(self, message: str, **fate: Any) -> None: ...
    @classmethod
    def of(
        cls,
        *,
        worker: int | None = None,
        pid: int | None = None,
        index: int | None = None,
        item: str | None = None,
        signal: int | None = None,
        exitcode: int | None = None,
        out_of_memory: bool = False,
        attempts: int = 1,
        name: str | None = None,
    ) -> Self: ...

class PoolBroken(BrokenProcessPool, BrokenThreadPool):
    """No worker gets as far as a first item: the initializer fails, or processes cannot be started."""

    traceback: str | None
    def __init__(self, message: str, traceback: str | None = None) -> None: ...

class TimeoutError(multiprocessing.TimeoutError, _BuiltinTimeout):
    """An item, or the wait for a result, took longer than its `timeout`."""

# Its base is `multiprocessing.pool.MaybeEncodingError`, which the standard library's own stubs leave out.
class MaybeEncodingError(Exception):
    """A task's result could not be pickled; `exc` says why and `value` shows the result, both as text."""

    exc: Any
    value: Any
    message: str | None
    def __init__(self, exc: Any, value: Any, message: str | None = None) -> None: ...
