"""`Parallel`, with types. Kept true to `parallel.py` by `tests/house/test_stubs.py`; documented there."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor
from types import TracebackType
from typing import Any, Generic, Literal, TypeVar, overload

from typing_extensions import Self

from ._native import delayed

__all__ = ["Parallel", "delayed"]

_R = TypeVar("_R")
_As = TypeVar("_As")
_Task = tuple[Callable[..., _R], tuple[Any, ...], dict[str, Any]]

class Parallel(Generic[_As]):
    n_jobs: int
    return_as: str
    return_generator: bool
    verbose: int
    timeout: float | None
    batch_size: int | Literal["auto"]
    pre_dispatch: int | float | str
    n_tasks: int | None
    n_dispatched_tasks: int
    n_completed_tasks: int
    @overload
    def __init__(
        self: Parallel[Literal["list"]],
        n_jobs: int | None = None,
        backend: Any = None,
        return_as: Literal["list"] = "list",
        verbose: int = 0,
        timeout: float | None = None,
        pre_dispatch: int | float | str = "2 * n_jobs",
        batch_size: int | Literal["auto"] = "auto",
        temp_folder: str | None = None,
        max_nbytes: int | str | None = "1M",
        mmap_mode: str | None = "r",
        prefer: Literal["processes", "threads"] | None = None,
        require: Literal["sharedmem"] | None = None,
        *,
        progress: bool | str = False,
        retries: int = 0,
        on: Executor | str | Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        **backend_kwargs: Any,
    ) -> None: ...
    @overload
    def __init__(
        self: Parallel[Literal["generator"]],
        n_jobs: int | None = None,
        backend: Any = None,
        *,
        return_as: Literal["generator", "generator_unordered"],
        verbose: int = 0,
        timeout: float | None = None,
        pre_dispatch: int | float | str = "2 * n_jobs",
        batch_size: int | Literal["auto"] = "auto",
        temp_folder: str | None = None,
        max_nbytes: int | str | None = "1M",
        mmap_mode: str | None = "r",
        prefer: Literal["processes", "threads"] | None = None,
        require: Literal["sharedmem"] | None = None,
        progress: bool | str = False,
        retries: int = 0,
        on: Executor | str | Any = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        **backend_kwargs: Any,
    ) -> None: ...
    @overload
    def __call__(self: Parallel[Literal["list"]], iterable: Iterable[_Task[_R]]) -> list[_R]: ...
    @overload
    def __call__(self: Parallel[Literal["generator"]], iterable: Iterable[_Task[_R]]) -> Generator[_R]: ...
    def print_progress(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None: ...
