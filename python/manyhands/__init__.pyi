"""The public names, which `__init__.py` loads when each is first used."""

from numpy.random import Generator

from ._native import cpu_count, delayed
from ._results import AsyncResult
from .comparing import Comparison, compare
from .context import (
    Array,
    AuthenticationError,
    Barrier,
    BoundedSemaphore,
    BufferTooShort,
    Condition,
    Event,
    JoinableQueue,
    Lock,
    Manager,
    Pipe,
    ProcessError,
    Queue,
    RawArray,
    RawValue,
    RLock,
    Semaphore,
    SimpleQueue,
    Value,
    allow_connection_pickling,
    freeze_support,
    get_all_start_methods,
    get_context,
    get_logger,
    get_start_method,
    log_to_stderr,
    set_executable,
    set_forkserver_preload,
    set_start_method,
)
from .errors import (
    CompileError,
    CompileWarning,
    MaybeEncodingError,
    PoolBroken,
    RaceError,
    RemoteTraceback,
    TaskExited,
    TaskFailed,
    TimeoutError,
    WorkerDied,
)
from .expressions import evaluate
from .footprint import Memory, memory
from .futures import Executor
from .graph import compute, task
from .loops import get_num_threads, jit, njit, prange, seed, set_num_threads
from .maps import imap, imap_unordered, map, starmap
from .parallel import Parallel
from .pool import Pool, ThreadPool
from .process import Process, active_children, current_process, parent_process
from .scaling import Scaling, scale
from .timing import Timing, timeit
from .tracing import trace
from .vectorized import vectorize

__version__: str
__all__ = [
    "Array",
    "AsyncResult",
    "AuthenticationError",
    "Barrier",
    "BoundedSemaphore",
    "BufferTooShort",
    "Comparison",
    "CompileError",
    "CompileWarning",
    "Condition",
    "Event",
    "Executor",
    "JoinableQueue",
    "Lock",
    "Manager",
    "MaybeEncodingError",
    "Memory",
    "Parallel",
    "Pipe",
    "Pool",
    "PoolBroken",
    "Process",
    "ProcessError",
    "Queue",
    "RLock",
    "RaceError",
    "RawArray",
    "RawValue",
    "RemoteTraceback",
    "Scaling",
    "Semaphore",
    "SimpleQueue",
    "TaskExited",
    "TaskFailed",
    "ThreadPool",
    "TimeoutError",
    "Timing",
    "Value",
    "WorkerDied",
    "active_children",
    "allow_connection_pickling",
    "compare",
    "compute",
    "cpu_count",
    "current_process",
    "delayed",
    "evaluate",
    "freeze_support",
    "get_all_start_methods",
    "get_context",
    "get_logger",
    "get_num_threads",
    "get_start_method",
    "imap",
    "imap_unordered",
    "jit",
    "log_to_stderr",
    "map",
    "memory",
    "njit",
    "parent_process",
    "prange",
    "rng",
    "scale",
    "seed",
    "set_executable",
    "set_forkserver_preload",
    "set_num_threads",
    "set_start_method",
    "starmap",
    "task",
    "timeit",
    "trace",
    "vectorize",
]

def rng() -> Generator:
    """The current item's `numpy.random.Generator`: a stream of its own with `seed=`."""
