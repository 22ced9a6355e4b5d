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
    "AsyncResult": "_results",
    "rng": "_random",
    "cpu_count": "_native",
    "WorkerDied": "errors",
    "PoolBroken": "errors",
    "TaskExited": "errors",
    "TaskFailed": "errors",
    "TimeoutError": "errors",
    "MaybeEncodingError": "errors",
    "RemoteTraceback": "errors",
}

__all__ = sorted(_HOMES)


def __getattr__(name):
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'manyhands' has no attribute {name!r}")
    value = getattr(__import__(f"manyhands.{home}", fromlist=(name,)), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted({*globals(), *__all__})
