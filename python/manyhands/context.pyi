"""The types of `context.py`: typeshed's, with processes and pools of ours."""

from collections.abc import Callable, Iterable
from multiprocessing.context import (
    AuthenticationError,
    BaseContext,
    BufferTooShort,
    ProcessError,
)
from multiprocessing.process import BaseProcess
from typing import Any

from .errors import TimeoutError
from .managers import SyncManager
from .pool import Pool as _Pool
from .process import Process

__all__ = [
    "Array",
    "AuthenticationError",
    "Barrier",
    "BaseContext",
    "BoundedSemaphore",
    "BufferTooShort",
    "Condition",
    "Context",
    "Event",
    "ForkContext",
    "ForkProcess",
    "ForkServerContext",
    "ForkServerProcess",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Process",
    "ProcessError",
    "Queue",
    "RLock",
    "RawArray",
    "RawValue",
    "Semaphore",
    "SimpleQueue",
    "SpawnContext",
    "SpawnProcess",
    "TimeoutError",
    "Value",
    "allow_connection_pickling",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_start_method",
    "log_to_stderr",
    "set_executable",
    "set_forkserver_preload",
    "set_start_method",
]

METHODS: tuple[str, ...]
NAMES: list[str]

class Context(BaseContext):
    Process: type[Process]
    @staticmethod
    def current_process() -> BaseProcess: ...
    @staticmethod
    def parent_process() -> BaseProcess | None: ...
    @staticmethod
    def active_children() -> list[BaseProcess]: ...
    def __init__(self, method: str) -> None: ...
    def cpu_count(self) -> int: ...
    def Pool(  # type: ignore[override]
        self,
        processes: int | None = None,
        initializer: Callable[..., object] | None = None,
        initargs: Iterable[Any] = (),
        maxtasksperchild: int | None = None,
    ) -> _Pool: ...
    def Manager(self) -> SyncManager: ...
    def freeze_support(self) -> None: ...
    def get_context(self, method: str | None = None) -> Context: ...  # type: ignore[override]
    def get_start_method(self, allow_none: bool = False) -> str: ...  # type: ignore[override]

class SpawnContext(Context):
    def __init__(self) -> None: ...

class ForkContext(Context):
    def __init__(self) -> None: ...

class ForkServerContext(Context):
    def __init__(self) -> None: ...

SpawnProcess = Process
ForkProcess = Process
ForkServerProcess = Process

def __getattr__(name: str) -> Any: ...

class _Default(Context):
    def __init__(self) -> None: ...
    def set_start_method(self, method: str | None, force: bool = False) -> None: ...
    def get_all_start_methods(self) -> list[str]: ...

_default: _Default

Array = _default.Array
Barrier = _default.Barrier
BoundedSemaphore = _default.BoundedSemaphore
Condition = _default.Condition
Event = _default.Event
JoinableQueue = _default.JoinableQueue
Lock = _default.Lock
Manager = _default.Manager
Pipe = _default.Pipe
Queue = _default.Queue
RLock = _default.RLock
RawArray = _default.RawArray
RawValue = _default.RawValue
Semaphore = _default.Semaphore
SimpleQueue = _default.SimpleQueue
Value = _default.Value
allow_connection_pickling = _default.allow_connection_pickling
freeze_support = _default.freeze_support
get_all_start_methods = _default.get_all_start_methods
get_context = _default.get_context
get_logger = _default.get_logger
get_start_method = _default.get_start_method
log_to_stderr = _default.log_to_stderr
set_executable = _default.set_executable
set_forkserver_preload = _default.set_forkserver_preload
set_start_method = _default.set_start_method
