"""multiprocessing's own locks, queues, pipes and proxies, sent to workers that already run.

These objects refuse to be pickled unless a child process is being spawned, which they ask of
`multiprocessing.context`. While one of them is pickled, a `Handover` stands there: file descriptors go beside
the message instead of being inherited. Named semaphores are opened by name on the other side; those of the
fork context have no name any more, so they are refused with a word on what to use.
"""

import sys

from ._loading import ReceivedFd

_COMMON = frozenset(("multiprocessing.synchronize", "multiprocessing.queues", "multiprocessing.sharedctypes"))


class Handover:
    """What multiprocessing takes for the child process being spawned."""

    DupFd = ReceivedFd

    def __init__(self, send_fd):
        self._send_fd = send_fd

    def duplicate_for_child(self, fd):
        """Sends the descriptor beside the message; returns its place there."""
        if self._send_fd is None:
            raise RuntimeError("a pipe, queue or socket can be sent to a worker only as an argument")
        return self._send_fd(fd)


def reducer_for(kind):
    """The reducer for instances of `kind` if multiprocessing has a hand in them, else None."""
    if "multiprocessing.context" not in sys.modules:
        return None
    if any(str(base.__module__).startswith("multiprocessing.") for base in kind.__mro__):
        return _reduce_shared
    # multiprocessing also registers methods and partials, which pickle by themselves nowadays.
    if kind.__module__ in ("builtins", "functools"):
        return None
    return _reduce_shared if kind in registered_reducers() else None


def is_shared(value):
    """Whether this is a lock, a queue or a shared value: something that processes have in common."""
    return any(base.__module__ in _COMMON for base in type(value).__mro__)


def spawning(popen):
    """Makes `popen` the child being spawned in this thread; returns what stood there before."""
    context = sys.modules["multiprocessing.context"]
    before = context.get_spawning_popen()
    context.set_spawning_popen(popen)
    return before


def _reduce_shared(pickler, obj):
    semaphore = getattr(obj, "_semlock", None)  # of ours, none has a name
    if getattr(semaphore, "name", "") is None or getattr(obj, "_is_fork_ctx", False):
        name = type(obj).__name__
        raise RuntimeError(
            f"a {name} of multiprocessing's fork context exists only in forked children; workers are not forked: "
            f'make it with multiprocessing.get_context("spawn").{name}() or multiprocessing.Manager().{name}()'
        )
    pickler.hand_over()
    return reduce_registered(obj)


def reduce_registered(obj):
    """As multiprocessing's own pickler reduces it."""
    reduce = registered_reducers().get(type(obj))
    if reduce is None or reduce.__name__ == "reduce_ctype" and not hasattr(obj, "_wrapper"):
        return NotImplemented  # it is of a class that shared values are of, and itself not shared
    return reduce(obj)


def registered_reducers():
    """Type -> reducer: connections, sockets and ctypes objects are known to multiprocessing's own pickler only."""
    reduction = sys.modules.get("multiprocessing.reduction")
    return {} if reduction is None else reduction.ForkingPickler._extra_reducers
