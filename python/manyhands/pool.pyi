"""`Pool` and `ThreadPool`, with types. Kept true to `pool.py` by `tests/house/test_stubs.py`; documented there."""

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from typing_extensions import Self

from ._results import AsyncResult
from .maps import _Results

__all__ = ["Pool", "ThreadPool"]

_A = TypeVar("_A")
_R = TypeVar("_R")

RUN: str
CLOSE: str
TERMINATE: str

ApplyResult = AsyncResult

def __getattr__(name: str) -> Any: ...

class Pool:
    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
        context: Any = None,
        *,
        backend: Literal["processes", "threads", "serial"] = "processes",
        on: Any = None,
    ) -> None: ...
    def apply(self, func: Callable[..., _R], args: Iterable[Any] = (), kwds: Mapping[str, Any] | None = None) -> _R: ...
    @overload
    def map(
        self,
        func: Callable[[_A], _R],
        iterable: Iterable[_A],
        chunksize: int | None = None,
        *,
        timeout: float | None = None,
        retries: int = 0,
        on_error: Literal["raise"] | None = None,
        seed: int | None = None,
        progress: bool | str = False,
    ) -> list[_R]: ...
    @overload
    def map(
        self,
        func: Callable[[_A], _R],
        iterable: Iterable[_A],
        chunksize: int | None = None,
        *,
        timeout: float | None = None,
        retries: int = 0,
        on_error: Literal["return"],
        seed: int | None = None,
        progress: bool | str = False,
    ) -> list[_R | Exception]: ...
    @overload
    def starmap(
        self,
        func: Callable[..., _R],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        *,
        timeout: float | None = None,
        retries: int = 0,
        on_error: Literal["raise"] | None = None,
        seed: int | None = None,
        progress: bool | str = False,
    ) -> list[_R]: ...
    @overload
    def starmap(
        self,
        func: Callable[..., _R],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        *,
        timeout: float | None = None,
        retries: int = 0,
        on_error: Literal["return"],
        seed: int | None = None,
        progress: bool | str = False,
    ) -> list[_R | Exception]: ...
    def imap(
        self,
        func: Callable[[_A], _R],
        iterable: Iterable[_A],
        chunksize: int = 1,
        *,
        timeout: float | None = None,
        retries: int = 0,
        seed: int | None = None,
        progress: bool | str = False,
        buffer: int | None = None,
    ) -> _Results[_R]: ...
    def imap_unordered(
        self,
        func: Callable[[_A], _R],
        iterable: Iterable[_A],
        chunksize: int = 1,
        *,
        timeout: float | None = None,
        retries: int = 0,
        seed: int | None = None,
        progress: bool | str = False,
        buffer: int | None = None,
    ) -> _Results[_R]: ...
    def apply_async(
        self,
        func: Callable[..., _R],
        args: Iterable[Any] = (),
        kwds: Mapping[str, Any] | None = None,
        callback: Callable[[_R], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[_R]: ...
    def map_async(
        self,
        func: Callable[[_A], _R],
        iterable: Iterable[_A],
        chunksize: int | None = None,
        callback: Callable[[list[_R]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[list[_R]]: ...
    def starmap_async(
        self,
        func: Callable[..., _R],
        iterable: Iterable[Iterable[Any]],
        chunksize: int | None = None,
        callback: Callable[[list[_R]], object] | None = None,
        error_callback: Callable[[BaseException], object] | None = None,
    ) -> AsyncResult[list[_R]]: ...
    def close(self) -> None: ...
    def terminate(self) -> None: ...
    def join(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __del__(self) -> None: ...

class ThreadPool(Pool):
    def __init__(
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
    ) -> None: ...
