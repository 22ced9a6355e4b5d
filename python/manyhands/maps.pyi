"""`mh.map` and its kin, with types. Kept true to `maps.py` by `tests/house/test_stubs.py`; documented there."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, TypeVar, overload

__all__ = ["imap", "imap_unordered", "map", "starmap"]

_A = TypeVar("_A")
_B = TypeVar("_B")
_R = TypeVar("_R")
_Backend = Literal["processes", "threads", "serial"]

class _Results(Iterator[_R]):
    """What `imap` gives: an iterator that can also be asked with a limit of time, and closed."""

    def __next__(self) -> _R: ...
    def next(self, timeout: float | None = None) -> _R: ...
    def close(self) -> None: ...

@overload
def map(
    function: Callable[[_A], _R],
    iterable: Iterable[_A],
    /,
    *,
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["raise"] = "raise",
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R]: ...
@overload
def map(
    function: Callable[[_A, _B], _R],
    iterable: Iterable[_A],
    iterable2: Iterable[_B],
    /,
    *,
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["raise"] = "raise",
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R]: ...
@overload
def map(
    function: Callable[..., _R],
    *iterables: Iterable[Any],
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["raise"] = "raise",
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R]: ...
@overload
def map(
    function: Callable[..., _R],
    *iterables: Iterable[Any],
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["return"],
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R | Exception]: ...
@overload
def starmap(
    function: Callable[..., _R],
    iterable: Iterable[Iterable[Any]],
    *,
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["raise"] = "raise",
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R]: ...
@overload
def starmap(
    function: Callable[..., _R],
    iterable: Iterable[Iterable[Any]],
    *,
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    on_error: Literal["return"],
    seed: int | None = None,
    chunksize: int | None = None,
) -> list[_R | Exception]: ...
def imap(
    function: Callable[..., _R],
    *iterables: Iterable[Any],
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    seed: int | None = None,
    buffer: int | None = None,
    chunksize: int | None = None,
) -> _Results[_R]: ...
def imap_unordered(
    function: Callable[..., _R],
    *iterables: Iterable[Any],
    workers: int | None = None,
    backend: _Backend | None = None,
    on: Any = None,
    progress: bool | str = False,
    timeout: float | None = None,
    retries: int = 0,
    seed: int | None = None,
    buffer: int | None = None,
    chunksize: int | None = None,
) -> _Results[_R]: ...
