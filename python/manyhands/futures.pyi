"""Types of `futures.py`. Kept true to it by `tests/house/test_stubs.py`."""

from collections.abc import Callable, Iterable, Iterator
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
from typing import Any, Literal, TypeVar

from typing_extensions import ParamSpec

from ._future import TaskFuture

_P = ParamSpec("_P")
_T = TypeVar("_T")

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

class Executor(_BaseExecutor):
    """Workers that calls are submitted to, each with a future: `concurrent.futures.Executor`, without its traps."""

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        backend: Literal["processes", "threads", "serial"] = "processes",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        max_tasks_per_child: int | None = None,
        retries: int = 0,
        timeout: float | None = None,
        on: Any = None,
    ) -> None: ...
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> TaskFuture[_T]:
        """Have `fn(*args, **kwargs)` called by a worker; a future, at once."""

    def map(
        self,
        fn: Callable[..., _T],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> Iterator[_T]:
        """An iterator over `fn(*items)` for each `items` of `zip(*iterables)`, in order."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no further calls, and end the workers when what was submitted is done."""

    def __del__(self) -> None: ...

class ProcessPoolExecutor(Executor):
    """`concurrent.futures.ProcessPoolExecutor`: an `Executor` with worker processes."""

    def __init__(
        self,
        max_workers: int | None = None,
        mp_context: Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        max_tasks_per_child: int | None = None,
        retries: int = 0,
        timeout: float | None = None,
        on: Any = None,
    ) -> None: ...

class ThreadPoolExecutor(Executor, _Threads):  # type: ignore[misc]
    """`concurrent.futures.ThreadPoolExecutor`: an `Executor` with threads of this process."""

    def __init__(
        self,
        max_workers: int | None = None,
        thread_name_prefix: str = "",
        initializer: Callable[..., object] | None = None,
        initargs: tuple[Any, ...] = (),
        *,
        retries: int = 0,
        timeout: float | None = None,
        on: Any = None,
    ) -> None: ...
