"""`AsyncResult`, with types. Kept true to `_results.py` by `tests/house/test_stubs.py`; documented there."""

from types import GenericAlias
from typing import Any, Generic, TypeVar

from ._native import Job
from .pool import Pool

_R = TypeVar("_R")

class AsyncResult(Generic[_R]):
    """The answer to a call that was not waited for. It comes from a pool: nobody else makes one."""

    @classmethod
    def __class_getitem__(cls, item: Any, /) -> GenericAlias: ...
    def __init__(self, pool: Pool, callback: Any, error_callback: Any) -> None: ...
    def ready(self) -> bool: ...
    def successful(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> None: ...
    def get(self, timeout: float | None = None) -> _R: ...

class ApplyResult(AsyncResult[_R]):
    """The answer to one call."""

    def __init__(
        self, pool: Pool, workers: Any, job: Job, index: int, session: Any, callback: Any, error_callback: Any
    ) -> None: ...
    def __del__(self) -> None: ...

class MapResult(AsyncResult[list[_R]]):
    """The answers to many calls, in a list."""

    def __init__(
        self, pool: Pool, workers: Any, job: Job, session: Any, callback: Any, error_callback: Any
    ) -> None: ...
