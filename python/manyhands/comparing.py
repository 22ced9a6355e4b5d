"""`mh.compare`: a plain loop, threads, processes, or compiled: which pays, and why?"""

import time

from . import _answers, _comparing_ways, _comparing_words, _durations, _limits, _native
from ._options import worker_count
from .timing import Timing

__all__ = ["Comparison", "compare"]

#: A way that needs more of the machine is taken only where it is so many times as fast.
_WORTH = 1.1
#: And so many times where one of the two was run too few times to know how long it takes.
_WORTH_UNSURE = 1.5
_NARROW = 0.02
#: What takes so many times as long as the plain loop is run once. Workers may need so many seconds to start.
_FAR, _START = 5, 1.0


class Row:
    """One way: `way`, `workers`, `timing` (of the sample), `seconds` (its median) and `interval`; `speedup` over the
    plain loop with `speedup_interval`, `efficiency` (that by worker), and `extra`, the bytes that it took at most
    above what there was before, its workers included. Where it could not be had these are None, and `why` says
    why."""

    def __init__(self, way, serial):
        self.way = way.name
        self.workers = way.workers
        self.why = way.why
        self.extra = way.extra
        self.timing = self.seconds = self.interval = self.speedup = self.speedup_interval = self.efficiency = None
        if way.samples:
            self.timing = Timing(way.samples)
            self.seconds, self.interval = self.timing.median, self.timing.interval
            self.speedup, low, high, _ = _native.ratio(serial.samples, way.samples)
            self.speedup_interval = (low, high)
            self.efficiency = self.speedup / way.workers

    def __repr__(self):
        if self.why is not None:
            return f"<{self.way}: {self.why}>"
        return f"<{self.way}: {_durations.said(self.seconds)}, {self.speedup:.2f} times as fast as the plain loop>"


class Comparison:
    """What `mh.compare` found. `best` is "serial", "threads", "processes" or "jit", `reason` says in a sentence why;
    `rows` has a `Row` for each way. `items` of `total` were measured; `item` is what one takes in a plain loop,
    `transfer` what its way to a process and back costs (seconds, None where processes cannot be had), `lock` the
    share of the time in which the function holds the interpreter's lock (None where that could not be seen), `cpu`
    the share in which it computes. `warnings` tell what limited or disturbed the measurement."""

    def __init__(self, name, rows, items, total, item, lock, cpu, transfer, start, enough, warnings):
        self.name = name
        self.rows = rows
        self.items = items
        self.total = total
        self.item = item
        self.lock = lock
        self.cpu = cpu
        self.transfer = transfer
        self.start = start
        self.enough = enough
        self.warnings = warnings
        way = _best(rows, self)
        self.best = "jit" if way.startswith("jit") else way
        self.reason = _comparing_words.reason(self, way)

    def __repr__(self):
        return _comparing_words.text(self)

    def _repr_html_(self):
        return _comparing_words.html(self)


def _best(rows, found):
    """The fastest way, or a simpler one that is nearly as fast: rows come in that order."""
    ways = {row.way: row for row in rows if row.seconds is not None}
    # All of the work, with what starting workers takes once.
    whole = {name: row.seconds / found.items * found.total for name, row in ways.items()}
    if "processes" in whole:
        whole["processes"] += found.start
    fastest = min(whole, key=whole.get)
    # Half of the times of the fastest may have been so long, and half of this one's so short.
    unsure = ways[fastest].interval[1] / ways[fastest].seconds * whole[fastest]

    def as_good(name):
        shortest = ways[name].interval[0] / ways[name].seconds * whole[name]
        known = all(ways[one].timing.confidence >= 0.95 for one in (name, fastest))
        return whole[name] <= (_WORTH if known else _WORTH_UNSURE) * whole[fastest] or shortest <= unsure

    return next(name for name in whole if as_good(name))


def compare(function, /, *iterables, budget="20s", workers=None):
    """Which way pays for `[function(item) for item in iterable]`: a plain loop, threads, processes, or `mh.jit`?

    Parameters
    ----------
    function, *iterables:
        As for `mh.map`; lists, arrays, ranges and the like. As many items as fit the budget are measured, spread
        evenly.
    budget:
        What all of it may take, in seconds or as a text ("2min"), compiling included. A way that is expected to take
        more than is left is left out, and its row says so. Processes that take longer are ended; threads and a
        compiler cannot be, and a warning tells where they overran.
    workers:
        How many threads and processes; by default one for each core that may be used.

    Each way gives its answer once, the cheapest to start first, which is compared with the plain loop's; then all
    are run in rounds of random order until their medians are known to 2% or the budget is spent. A `Comparison` is
    returned, which prints as a table.

    What the function raises is raised. `ValueError` for a function that does not give the same answer twice or changes
    its items, and for items that take too long for the budget: of such nothing is said that could be wrong.

    >>> import manyhands as mh
    >>> found = mh.compare(abs, range(1000), budget="1s", workers=2)
    >>> found.best
    'serial'
    """
    if not callable(function):
        raise TypeError(f"function must be callable, not {type(function).__name__}: mh.compare(function, items)")
    budget = _durations.seconds("budget", budget)
    workers = worker_count(workers)
    lists = [_listed(items) for items in iterables]
    if not lists:
        raise TypeError("mh.compare needs items: mh.compare(function, items)")
    if not min(len(items) for items in lists):
        raise ValueError("there are no items: nothing can be compared")
    watch = _limits.Watch()
    clock = time.perf_counter
    began = clock()
    work, item, total = _comparing_ways.sampled(function, lists, budget, workers)
    with _comparing_ways.Ways(function, work, workers) as ways:
        left = lambda: budget - (clock() - began)
        tried = ways.all()
        serial = tried[0]
        cpu = _checked(serial, work)
        there = ways.try_all(tried, left)
        for way in there:
            way.answer = None
        lock = transfer = None
        if serial.start < left():
            lock = _comparing_ways.lock_share(serial.call, min(_comparing_ways.LOOK, max(0.1, left() / 4)))
        processes = next((way for way in there if way.name == "processes"), None)
        if processes is not None and processes.start < left():
            transfer = _comparing_ways.transfer(ways, processes)
        # What is far slower has been measured well enough.
        near = [way for way in there if way.start <= _FAR * serial.start + _START]
        for way in there:
            if way not in near:
                way.samples = [way.start]
        enough = _measure(near, left())
        start = 0.0
        if processes in near:
            start = max(0.0, processes.start - min(processes.samples))
    item = Timing(serial.samples).median / ways.size
    rows = [Row(way, serial) for way in tried if way.why != ""]
    warnings = watch.warnings(workers) + ways.overran
    from .tracing import name_of

    return Comparison(name_of(function), rows, ways.size, total, item, lock, cpu, transfer, start, enough, warnings)


def _listed(items):
    if not hasattr(items, "__iter__"):
        raise TypeError(f"items must be iterable, not {type(items).__name__}")
    if iter(items) is items:
        raise TypeError(
            f"the items are run several times, and a {type(items).__name__} can be run through only once: "
            "give a list, as in mh.compare(function, list(items))"
        )
    return items if hasattr(items, "__len__") and hasattr(items, "__getitem__") and not _keyed(items) else list(items)


def _keyed(items):
    return isinstance(items, dict) or hasattr(items, "keys")


def _checked(serial, work):
    """Run the plain loop twice: the share of the time that it computes. ValueError where its answers cannot be
    compared."""
    before = _comparing_ways.frozen(work)
    processor = time.thread_time()
    if not _comparing_ways.tried(serial, None):
        raise ValueError(f"the plain loop {serial.why}, at its second run: nothing can be compared")
    cpu = (time.thread_time() - processor) / serial.start if serial.start > 0 else 1.0
    differs = _answers.difference(serial.answer, serial.call())
    if before is not None and before != _comparing_ways.frozen(work):
        raise ValueError(
            "the function changes its items: run again they are others, so that times cannot be compared, and "
            "processes would change copies. Let it return what it makes, or change a copy"
        )
    if differs is not None:
        raise ValueError(
            f"the function does not give the same answer twice ({differs}): times of different work cannot be "
            "compared. Seed what is random; keep no state from item to item"
        )
    return min(cpu, 1.0)


def _measure(ways, budget):
    clock = time.perf_counter
    sweep = _native.Sweep(len(ways), clock(), budget=budget, narrow=_NARROW, least=6, most=40)
    while True:
        what, which = sweep.turn()
        if what not in ("warm", "run"):
            break
        began = clock()
        ways[which].call()
        ended = clock()
        sweep.record(ended - began, ended)
    for index, way in enumerate(ways):
        # Where there was no time for more there is the run of before.
        way.samples = sweep.samples(index) or [way.start]
    return what
