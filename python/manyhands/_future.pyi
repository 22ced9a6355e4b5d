"""Types of `_future.py`, as far as they are seen from outside. Kept true to it by `tests/house/test_stubs.py`."""

from concurrent.futures import CancelledError, Future
from typing import Any, TypeVar

_T = TypeVar("_T")

CANCELLED: str
FINISHED: str

class Withdrawn(CancelledError): ...

class EndedFuture(Future[_T]):
    """The future of a call that has ended before anybody could ask for it."""

    def cancel(self, *, running: bool = False) -> bool:
        """False: there is nothing left to cancel."""

class TaskFuture(Future[_T]):
    """The answer to one call of an executor."""

    def __init__(self, crew: Any, index: int, session: Any) -> None: ...
    def cancel(self, *, running: bool = False) -> bool:
        """Cancel the call if it has not begun; with `running=True` end it if it runs. Whether it is cancelled."""

    def __del__(self) -> None: ...
