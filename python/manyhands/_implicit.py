"""The workers that `mh.map` keeps between calls."""

import sys
from _thread import RLock, allocate_lock, start_new_thread
from time import monotonic

from . import _exits

#: Workers that nobody has used for so many seconds are ended.
IDLE = 60.0


class Kept:
    """The kept workers, in use by one or several calls. Leaves them by `with`, `release`, or when it is collected."""

    __slots__ = ("_held", "workers")

    def __init__(self, held):
        self._held = held
        self.workers = held.workers

    def __enter__(self):
        return self.workers

    def __exit__(self, *_):
        self.release()

    def release(self):
        """This call is done with the workers."""
        held, self._held = self._held, None
        if held is not None:
            _release(held)

    __del__ = release


class _Held:
    """Worker processes, how many calls use them, and since when none does."""

    def __init__(self, count, special):
        from ._context import Modules
        from ._workers import Workers

        self.count = count
        self.special = special
        self.workers = Workers(count, **special)
        self.modules = Modules()
        self.users = 0
        self.idle_since = monotonic()
        _exits.register(self.workers)

    def end(self):
        """End the processes; none has anything to do."""
        self.workers.terminate()


# Re-entrant: `release` may run as a finalizer in the middle of a call.
_lock = RLock()
_current = None
_watch = None


def inside_worker():
    """Does an item run here, in a worker process or for somebody else's engine? Then maps run serially."""
    worker, there = sys.modules.get("manyhands._worker"), sys.modules.get("manyhands._there")
    return (worker is not None and worker.inside) or (there is not None and there.inside())


def workers(count, **special):
    """Kept workers, as many as asked for, which know the caller's modules as they are now.

    `special`: what else `Workers` takes. Workers that were made with the same are used again.
    """
    global _current
    with _lock:
        held = _current
        if held is not None and (
            held.count != count or not _same(held.special, special) or _unusable(held) or held.modules.changed()
        ):
            # Others may be using it still: then the last of them ends it.
            _current = None
            if held.users == 0:
                held.end()
            held = None
        if held is None:
            held = _current = _Held(count, special)
            _start_watching()
        held.users += 1
        return Kept(held)


def _same(one, other):
    """Are these the same choices? Arguments of an initializer must be the very same objects."""
    one, other = ({**choices, "initargs": [*map(id, choices.get("initargs", ()))]} for choices in (one, other))
    return one == other


def _unusable(held):
    return held.workers.engine.breakage() is not None


def _release(held):
    with _lock:
        held.users -= 1
        held.idle_since = monotonic()
        if held.users == 0 and held is not _current and held.workers.engine.is_ours():
            held.end()


def _start_watching():
    global _watch
    if _watch is None:
        _watch = allocate_lock()
        _watch.acquire()
        start_new_thread(_end_when_idle, (_watch,))


def _end_when_idle(alarm):
    """Ends the workers when they have been idle for long, and itself with them."""
    global _current, _watch
    pause = IDLE
    while not alarm.acquire(timeout=pause):
        with _lock:
            held = _current
            left = IDLE if held is None or held.users else held.idle_since + IDLE - monotonic()
            if held is None or left <= 0:
                _current = _watch = None
                if held is not None:
                    held.end()
                return
            pause = left


def _forget():
    """In a forked child: the parent's workers are not ours."""
    global _current, _watch, _lock
    _current = _watch = None
    _lock = RLock()


_exits.after_fork(_forget)
