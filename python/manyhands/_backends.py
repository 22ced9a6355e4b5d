"""Where every face gets its workers: by the name of a backend, or from somebody else's executor.

A face talks to what it gets here and does not ask what it is: `_workers.Workers` (processes of ours) and its kin have
the same calls, and so do their jobs. A face that has no loop of its own for "serial" gets one thread, which runs
everything in order.
"""

import sys
from functools import partial

from . import _implicit
from ._native import Jitted

NAMES = ("processes", "threads", "serial")


def suited(function, backend, on=None):
    """The backend that was asked for; where none was, threads for a compiled function, which runs without the GIL."""
    if backend is not None:
        return backend
    inner = function.func if type(function) is partial else function
    return "threads" if type(inner) is Jitted and on is None and not _implicit.inside_worker() else "processes"


def check(backend, on=None):
    """The name of a backend that there is; ValueError for another, and for one beside somebody else's executor `on`."""
    if backend not in NAMES:
        raise ValueError(f'backend must be "processes", "threads" or "serial", not {backend!r}')
    if on is not None and backend != "processes":
        raise ValueError(f"on= and backend={backend!r} exclude each other: the executor brings its own workers")
    return backend


def in_line(backend):
    """Whether a call is to run as a loop in the caller's own thread: asked to be serial, or made inside a worker.

    Threads inside of a worker process are what they are outside: they wait for something, and take no core for it.
    """
    if backend == "threads":
        threads = sys.modules.get("manyhands._threads")
        return threads is not None and threads.serves_maps()
    return backend == "serial" or _implicit.inside_worker()


def make(backend, count, initializer=None, initargs=(), tasks_per_worker=None, on=None):
    """`count` workers of one's own: whoever makes them ends them, by `close()` or `terminate()`.

    `on`: somebody else's executor, which then stands in for the backend.
    """
    check(backend, on)
    if on is not None:
        from . import _engines

        return _engines.make(on, count, initializer, initargs, tasks_per_worker)
    if backend == "processes":
        from ._workers import Workers

        return Workers(count, initializer, initargs, tasks_per_worker)
    from ._threads import Threads

    return Threads(count if backend == "threads" else 1, initializer, initargs, tasks_per_worker)


def kept(backend, count, on=None):
    """Workers that are kept between calls, in use until `release()` or the end of a `with` block (which gives them).

    The attribute `workers` of what is returned has them.
    """
    check(backend, on)
    if on is not None:
        from . import _engines

        return _engines.kept(on, count)
    if backend == "processes":
        return _implicit.workers(count)
    from . import _threads

    return _threads.kept(count if backend == "threads" else 1)


def count(workers, on=None, name="workers"):
    """How many workers `workers` asks for. None stands for all cores, or for all workers of the executor `on`."""
    from ._options import worker_count

    return None if on is not None and workers is None else worker_count(workers, name)
