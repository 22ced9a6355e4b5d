"""The types of `process.py`."""

from collections.abc import Callable, Iterable, Mapping
from multiprocessing.process import BaseProcess, active_children, parent_process
from typing import Any

__all__ = ["BaseProcess", "Process", "active_children", "current_process", "parent_process"]

def current_process() -> BaseProcess: ...
def __getattr__(name: str) -> Any: ...

class Process(BaseProcess):
    def __init__(
        self,
        group: None = None,
        target: Callable[..., object] | None = None,
        name: str | None = None,
        args: Iterable[Any] = (),
        kwargs: Mapping[str, Any] = {},
        *,
        daemon: bool | None = None,
    ) -> None: ...
    def run(self) -> Any: ...
    def result(self, timeout: float | None = None) -> Any: ...
