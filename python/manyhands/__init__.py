"""manyhands: parallel Python that gives the serial program's answer, sooner.

>>> import manyhands as mh
>>> mh.map(lambda x: x * x, range(5))
[0, 1, 4, 9, 16]

Importing this module imports nothing else: each name is loaded when it is first used.
"""

import sys

if sys.platform != "linux":
    raise ImportError(
        f"manyhands runs on Linux (x86-64) so far, and this is {sys.platform}: its workers stand on memfd and pidfd"
    )

__version__ = "0.1.0"

_HOMES = {
    "map": "maps",
    "starmap": "maps",
    "imap": "maps",
    "imap_unordered": "maps",
    "Pool": "pool",
    "Executor": "futures",
    "Parallel": "parallel",
    "delayed": "_native",
    "ThreadPool": "pool",
    "AsyncResult": "_results",
    "Process": "process",
    "active_children": "process",
    "current_process": "process",
    "parent_process": "process",
    "task": "graph",
    "compute": "graph",
    "rng": "_random",
    "jit": "loops",
    "njit": "loops",
    "prange": "loops",
    "seed": "loops",
    "vectorize": "vectorized",
    "evaluate": "expressions",
    "set_num_threads": "loops",
    "get_num_threads": "loops",
    "trace": "tracing",
    "memory": "footprint",
    "compare": "comparing",
    "Comparison": "comparing",
    "Memory": "footprint",
    "timeit": "timing",
    "scale": "scaling",
    "Scaling": "scaling",
    "Timing": "timing",
    "cpu_count": "_native",
    "CompileError": "errors",
    "CompileWarning": "errors",
    "RaceError": "errors",
    "WorkerDied": "errors",
    "PoolBroken": "errors",
    "TaskExited": "errors",
    "TaskFailed": "errors",
    "TimeoutError": "errors",
    "MaybeEncodingError": "errors",
    "RemoteTraceback": "errors",
    # Of multiprocessing's.
    **dict.fromkeys(
        (
            "Array AuthenticationError Barrier BoundedSemaphore BufferTooShort Condition Event JoinableQueue Lock "
            "Manager Pipe ProcessError Queue RLock RawArray RawValue Semaphore SimpleQueue Value "
            "allow_connection_pickling freeze_support get_all_start_methods get_context get_logger "
            "get_start_method log_to_stderr set_executable set_forkserver_preload set_start_method"
        ).split(),
        "context",
    ),
}
# Modules that are reached as attributes, as multiprocessing's are.
_MODULES = (
    "connection context dummy futures managers pool process "
    "queues reduction shared_memory sharedctypes synchronize util"
).split()

__all__ = sorted(_HOMES)


def __getattr__(name):
    home = _HOMES.get(name)
    if home is None:
        if name in _MODULES:
            return __import__(f"manyhands.{name}", fromlist=("manyhands",))
        raise AttributeError(f"module 'manyhands' has no attribute {name!r}")
    value = getattr(__import__(f"manyhands.{home}", fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
