"""`multiprocessing.dummy`: its names over threads. `Pool` is `manyhands.ThreadPool`, the rest is as it is there."""

from multiprocessing import dummy as _theirs
from multiprocessing.dummy import (
    Array,
    Barrier,
    BoundedSemaphore,
    Condition,
    Event,
    JoinableQueue,
    Lock,
    Manager,
    Pipe,
    Process,
    Queue,
    RLock,
    Semaphore,
    Value,
    active_children,
    current_process,
    freeze_support,
)

__all__ = [
    "Array",
    "Barrier",
    "BoundedSemaphore",
    "Condition",
    "Event",
    "JoinableQueue",
    "Lock",
    "Manager",
    "Pipe",
    "Pool",
    "Process",
    "Queue",
    "RLock",
    "Semaphore",
    "Value",
    "active_children",
    "current_process",
    "freeze_support",
]


def Pool(processes=None, initializer=None, initargs=()):
    """`manyhands.ThreadPool`."""
    from .pool import ThreadPool

    return ThreadPool(processes, initializer, initargs)


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)
