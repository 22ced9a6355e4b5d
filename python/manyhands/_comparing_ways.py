"""What `mh.compare` tries: the same items in a plain loop, on threads, on processes, compiled."""

import pickle
import time
import warnings
from _thread import start_new_thread

from . import _answers, _durations, _native
from ._scaling_ways import Maps
from .errors import TimeoutError

#: The sample takes about so much of the budget in a plain loop: each way runs it four times at least.
_SHARE = 1 / 30
#: A single item may take so much of it, or a sample of one item for each worker would not fit.
_MOST = 1 / 16
#: What is run in which order. Threads need no start, and a compiler may take its time.
_CHEAPEST = ("threads", "jit", "jit, threads", "processes")
#: Seconds in which a usual function is compiled, and a few worker processes are started.
_COMPILING, _STARTING = 0.3, 0.2
#: Seconds for which the lock is looked at.
LOOK = 0.5


class TookTooLong(Exception):
    """A run was ended, as the budget was spent."""


class Way:
    """One way to run the sample; `why` says why it cannot be had."""

    def __init__(self, name, workers, call, items):
        self.name = name
        self.workers = workers
        self.call = call
        #: The first run, where it is another one: with a limit.
        self.first = None
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
        #: Seconds that are left for the run that comes next, and which runs took more.
        self.limit = 0.0
        self.overran = []

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
            found += [Way("jit", 1, None, size), Way("jit, threads", self.workers, None, size)]
        for name in "threads", "processes":
            maps = self._map(function, name)
            found.append(Way(name, self.workers, lambda maps=maps: maps.with_workers(self.workers, work), size))
        # What other processes do can be ended.
        found[-1].first = lambda: self._within(maps)
        return found

    def _within(self, maps):
        answers = maps.started(self.workers, self.work)
        try:
            return answers.get(max(self.limit, 0.0))
        except TimeoutError:
            if answers.ready():
                raise
        maps.terminate()
        raise TookTooLong(
            f"took longer than {_durations.said(self.limit)}, half of what was left of the budget: it was ended"
        )

    def _map(self, function, backend):
        maps = Maps(function, [[0]], backend, None)
        self._maps.append(maps)
        return maps

    def compile(self, loop, threads):
        """Makes `mh.jit` of the function, for the two ways that run it. Compiling cannot be ended."""
        from .loops import jit

        work = self.work
        began = time.perf_counter()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled = jit(self.function)
                compiled(*next(zip(*work)))
        except Exception as error:
            loop.why = f"does not compile: {_line(error)}"
            threads.why = ""
            return
        finally:
            self.compiling = time.perf_counter() - began
        maps = self._map(compiled, "threads")
        loop.call = lambda: [compiled(*arguments) for arguments in zip(*work)]
        threads.call = lambda: maps.with_workers(self.workers, work)

    def try_all(self, ways, left):
        """Runs each way once, the cheapest to start first, as far as they fit into what is `left()`: those that gave
        the plain loop's answer, in the order of `ways`. What cannot be ended and took longer is told in `overran`."""
        by_name = {way.name: way for way in ways}
        serial = by_name["serial"]
        for name in _CHEAPEST:
            way = by_name.get(name)
            if way is None or way.why is not None:
                continue
            # The others are still to be measured.
            self.limit = left() / 2 if name == "processes" else left()
            if name == "jit" and self._left_out(way, _COMPILING, "compiling"):
                by_name["jit, threads"].why = ""
                continue
            if name == "jit":
                self.compile(way, by_name["jit, threads"])
                if self.compiling > self.limit:
                    self.overran.append(
                        f"The budget was overrun: compiling took {_durations.said(self.compiling)} where "
                        f"{_durations.said(self.limit)} were left, and cannot be ended."
                    )
                self.limit = left()
            starts = _STARTING if name == "processes" else 0.0
            if way.why is not None or self._left_out(way, serial.start + starts, "it"):
                continue
            if tried(way, serial.answer) and way.start > self.limit and name != "processes":
                self.overran.append(
                    f"The budget was overrun: {name} took {_durations.said(way.start)} where "
                    f"{_durations.said(self.limit)} were left, and cannot be ended."
                )
        return [way for way in ways if way.why is None]

    def _left_out(self, way, expected, what):
        """Is there no time for what takes so many seconds?"""
        if expected <= self.limit:
            return False
        left = _durations.said(max(0.0, self.limit))
        way.why = f"was left out: {what} takes some {_durations.said(expected)}, and the budget had {left} for that"
        return True


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
            found = memory(way.first or way.call)
    except TookTooLong as error:
        way.why = str(error)
        return False
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


def lock_share(call, seconds=LOOK):
    """The share of the time for which a call holds the interpreter's lock, None where it could not be seen: too short,
    or a Python without the lock. It is looked at for so many seconds."""
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
    end = time.perf_counter() + seconds
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
