"""Locks and semaphores with multiprocessing's calls, and nothing in /dev/shm.

multiprocessing's own are named files there, which another process (its resource tracker) removes when all is over.
Ours lie in memory without a name, travel as descriptors, and fit every start method. All that is built of them
(conditions, events, barriers, queues, shared values) is multiprocessing's own.
"""

import os
from multiprocessing import context as _context, synchronize as _theirs, util as _util

from . import _native

# As multiprocessing numbers and limits them.
RECURSIVE_MUTEX, SEMAPHORE = 0, 1
SEM_VALUE_MAX = 0x7FFFFFFF


class _Nameless(_theirs.SemLock):
    """Over `_native.SemLock`; the classes of multiprocessing say what is done with it."""

    def _begin(self, kind, value, most):
        if not 0 <= value <= most <= SEM_VALUE_MAX:
            raise OSError(22, f"Invalid argument: {value} is no value of a semaphore")
        self._hold(_native.SemLock(kind, value, most))

    def _hold(self, semlock):
        self._semlock = semlock
        self._make_methods()
        _util.register_after_fork(self, _after_fork)

    def __getstate__(self):
        _context.assert_spawning(self)
        popen, own = _context.get_spawning_popen(), self._semlock
        return popen.DupFd(popen.duplicate_for_child(own.handle)), own.place, own.kind, own.maxvalue

    def __setstate__(self, state):
        descriptor, place, kind, most = state
        fd = descriptor.detach()
        try:
            self._hold(_native.SemLock.open(fd, place, kind, most))
        finally:
            os.close(fd)


def _after_fork(lock):
    lock._semlock._after_fork()


class Lock(_Nameless, _theirs.Lock):
    """`multiprocessing.Lock`."""

    def __init__(self, *, ctx=None):
        self._begin(SEMAPHORE, 1, 1)


class RLock(_Nameless, _theirs.RLock):
    """`multiprocessing.RLock`."""

    def __init__(self, *, ctx=None):
        self._begin(RECURSIVE_MUTEX, 1, 1)


class Semaphore(_Nameless, _theirs.Semaphore):
    """`multiprocessing.Semaphore`."""

    def __init__(self, value=1, *, ctx=None):
        self._begin(SEMAPHORE, value, SEM_VALUE_MAX)


class BoundedSemaphore(_Nameless, _theirs.BoundedSemaphore):
    """`multiprocessing.BoundedSemaphore`."""

    def __init__(self, value=1, *, ctx=None):
        self._begin(SEMAPHORE, value, value)
