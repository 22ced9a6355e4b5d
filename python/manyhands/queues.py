"""`multiprocessing.queues`: its queues, through which anything can be sent, classes and functions of the script too."""

from multiprocessing import queues as _theirs
from queue import Empty, Full
from types import FunctionType

from . import _messages

__all__ = ["Empty", "Full", "JoinableQueue", "Queue", "SimpleQueue"]


class Queue(_theirs.Queue):
    """`multiprocessing.Queue`."""


class JoinableQueue(Queue, _theirs.JoinableQueue):
    """`multiprocessing.JoinableQueue`."""


class SimpleQueue(_theirs.SimpleQueue):
    """`multiprocessing.SimpleQueue`."""


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)


def _with_our_pickler(function, **names):
    """The standard library's function, with a pickler of ours under the name by which it calls its own."""
    namespace = {**vars(_theirs), "_ForkingPickler": _messages, **names}
    return FunctionType(function.__code__, namespace, function.__name__, function.__defaults__, function.__closure__)


# A queue's thread pickles what was put; `_start_thread` starts it, and knows it as an attribute of the global `Queue`.
Queue._feed = staticmethod(_with_our_pickler(_theirs.Queue._feed))  # type: ignore[attr-defined]
Queue._start_thread = _with_our_pickler(_theirs.Queue._start_thread, Queue=Queue)  # type: ignore[attr-defined]
SimpleQueue.put = _with_our_pickler(_theirs.SimpleQueue.put)  # type: ignore[method-assign]
