"""What `mh.compare` tries: the same items in a plain loop, on threads, on processes, compiled."""

import pickle
import time
import warnings
from _thread import start_new_thread

from . import _answers, _durations, _native
from ._scaling_ways import Maps

#: The sample takes about so much of the budget in a plain loop: each way runs it four times at least.
_SHARE = 1 / 30
#: A single item may take so much of it, or a sample of one item for each worker would not fit.
_MOST = 1 / 16
#: Seconds for which the lock is looked at.
_LOOK = 0.5


class Way:
    """One way to run the sample; `why` says why it cannot be had."""

    def __init__(self, name, workers, call, items):
        self.name = name
        self.workers = workers
        self.call = call
        self.items = items
        self.why = None
        self.start = 0.0  # seconds until its workers were there
        self.extra = None
        self.samples = []
        self.answer = None


def sampled(function, lists, budget, workers):
    """(Items that fit the budget, as a list for each iterable; seconds of one of them; how many there are in all).

    ValueError where they do not fit. They are spread evenly over all items.
    """
    total = min(len(items) for items in lists)
    limit = budget * _SHARE
    clock = time.perf_counter
    done = 0
    began = clock()
    for arguments in zip(*lists):
        _called(function, arguments, done)
        done += 1
        spent = clock() - began
        if spent * max(workers, 1) / done > budget * _MOST and done < workers:
            least = 1.1 * spent / done * workers / _MOST
            raise ValueError(
                f"an item takes {_durations.said(spent / done)}, so that one for each of {workers} workers, run in "
                f"each way a few times, takes more than the budget of {_durations.said(budget)}: "
                f'say budget="{max(1, round(least))}s" or fewer workers=, or compare with smaller items'
            )
        if spent > limit and done >= workers:
            break
    spent = clock() - began
    count = min(total, done)
    places = [number * total // count for number in range(count)]
    return [[items[place] for place in places] for items in lists], spent / done, total


def _called(function, arguments, index):
    try:
        function(*arguments)
    except Exception as error:
        from ._failures import annotate, brief

        shown = brief(arguments[0] if len(arguments) == 1 else arguments)
        raise annotate(
            error, f"while item {index} ({shown}) was tried in a plain loop: nothing can be compared"
        ) from None


def frozen(work):
    """The items as bytes, to see whether they are changed; None for what cannot be pickled."""
    try:
        return pickle.dumps(work)
    except Exception:
        return None


class Ways:
    """All ways, with the workers that they need."""

    def __init__(self, function, work, workers):
        self.function = function
        self.work = work
        self.workers = workers
        self.size = len(work[0])
        self._maps = []
        self.compiling = 0.0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        for maps in self._maps:
            maps.__exit__(*error)

    def all(self):
        """The ways, the simplest first."""
        function, work, size = self.function, self.work, self.size
        found = [Way("serial", 1, lambda: [function(*arguments) for arguments in zip(*work)], size)]
        if not isinstance(function, _native.Jitted):
            found += self._compiled()
        for name in "threads", "processes":
            maps = self._map(function, name)
            found.append(Way(name, self.workers, lambda maps=maps: maps.with_workers(self.workers, work), size))
        return found

    def _map(self, function, backend):
        maps = Maps(function, [[0]], backend, None)
        self._maps.append(maps)
        return maps

    def _compiled(self):
        from .loops import jit

        work = self.work
        loop, threads = Way("jit", 1, None, self.size), Way("jit, threads", self.workers, None, self.size)
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled = jit(self.function)
                compiled(*next(zip(*work)))
        except Exception as error:
            loop.why = f"does not compile: {_line(error)}"
            return [loop]
        finally:
            self.compiling = time.perf_counter() - began
        maps = self._map(compiled, "threads")
        loop.call = lambda: [compiled(*arguments) for arguments in zip(*work)]
        threads.call = lambda: maps.with_workers(self.workers, work)
        return [loop, threads]


def _line(error):
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__


def tried(way, expected):
    """Run a way once: whether it gives the answer. Its workers are started; its memory is looked at."""
    from .footprint import memory

    if way.why is not None:
        return False
    began = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = memory(way.call)
    except Exception as error:
        way.why = f"raises {_line(error)}"
        return False
    way.start = time.perf_counter() - began
    way.extra = max(0, found.extra)
    if expected is not None:
        differs = _answers.difference(expected, found.value)
        if differs is not None:
            way.why = f"gives another answer: {differs}"
            return False
    way.answer = found.value
    return True


def lock_share(call):
    """The share of the time for which a call holds the interpreter's lock, None where it could not be seen: too short,
    or a Python without the lock."""
    import sys

    if not getattr(sys, "_is_gil_enabled", lambda: True)():
        return None
    from _thread import allocate_lock

    knocking = _native.Knocking()
    found = []
    over = allocate_lock()
    over.acquire()

    def knock():
        try:
            found.append(knocking.run())
        finally:
            over.release()

    start_new_thread(knock, ())
    end = time.perf_counter() + _LOOK
    try:
        while True:
            call()
            if time.perf_counter() > end:
                break
    finally:
        knocking.stop()
        over.acquire()
    moments, held = found[0] if found else (0, 0)
    return held / moments if moments >= 10 else None


def transfer(ways, way):
    """Seconds that an item's transfer to a process and back takes, at both ends, from a trace of one more run."""
    from .tracing import trace

    with trace() as found:
        way.call()
    by_workers = sum(used["transfer"] for used in found.usage)
    return (by_workers + found.caller) / ways.size
