"""The public names, which `__init__.py` loads when each is first used."""

from numpy.random import Generator

from ._native import cpu_count
from ._results import AsyncResult
from .errors import (
    MaybeEncodingError,
    PoolBroken,
    RemoteTraceback,
    TaskExited,
    TaskFailed,
    TimeoutError,
    WorkerDied,
)
from .maps import imap, imap_unordered, map, starmap
from .pool import Pool

__version__: str
__all__ = [
    "AsyncResult",
    "MaybeEncodingError",
    "Pool",
    "PoolBroken",
    "RemoteTraceback",
    "TaskExited",
    "TaskFailed",
    "TimeoutError",
    "WorkerDied",
    "cpu_count",
    "imap",
    "imap_unordered",
    "map",
    "rng",
    "starmap",
]

def rng() -> Generator:
    """The current item's `numpy.random.Generator`: a stream of its own with `seed=`."""
