"""What `mh.scale` runs: a plain loop, and the same work with so many workers."""

import contextlib
import functools
import itertools
import resource
import time

from . import _backends, _native, _options, _scaling_course, _serial


class Maps:
    """A map over items, by processes or threads. The pools are made once: what is measured is a warm one."""

    #: There is a plain loop to compare with.
    plain = True
    #: What tells how long a run has computed, and how long it was ready to.
    clock = staticmethod(_scaling_course.processor)

    def __init__(self, function, iterables, backend, seed):
        self.function = function
        self.lists = [list(iterable) for iterable in iterables]
        self.backend = backend
        self.seed = seed
        self._pools = {}
        self._stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._stack.__exit__(*error)

    def start(self, counts):
        """Starts the workers, and lets them import what the function needs, before anything is measured."""
        for count in counts:
            self._pool(count).map(callable, [self.function] * count)

    @property
    def size(self):
        return min(len(items) for items in self.lists)

    def work(self, size):
        """So many items: the first ones, and from the beginning again where there are not enough."""
        return [list(itertools.islice(itertools.cycle(items[: self.size]), size)) for items in self.lists]

    def serially(self, work):
        items, mode, _ = _options.lined_up(work)
        return _serial.run(self.function, items, mode, _options.Options(seed=self.seed))

    def with_workers(self, count, work):
        pool = self._pool(count)
        if len(work) == 1:
            return pool.map(self.function, work[0], seed=self.seed, on_error="raise")
        return pool.starmap(self.function, list(zip(*work)), seed=self.seed, on_error="raise")

    def started(self, count, work):
        """The same without waiting for the answers: what `get` gives."""
        pool = self._pool(count)
        if len(work) == 1:
            return pool.map_async(self.function, work[0])
        return pool.starmap_async(self.function, list(zip(*work)))

    def terminate(self):
        """Ends what is under way."""
        for pool in self._pools.values():
            pool.terminate()

    def alone(self, work, base):
        """A plain loop over a few of the items."""
        count = len(work[0])
        few = max(1, min(count, int(count * _FEW / base.median))) if base.median > 0 else count
        places = [number * count // few for number in range(few)]
        part = [[items[place] for place in places] for items in work]
        return lambda: self.serially(part)

    def runs(self, arm, work, base, grown):
        """Shares of the time of a few more runs, which are traced; each waits for what is known of the memory."""
        alone = base.median * grown
        found = [self._traced(arm.workers, work, base, grown) for _ in range(_TRACED if alone < _LONG else 1)]
        return [run for run in found if run is not None]

    def _traced(self, count, work, base, grown):
        from .tracing import trace

        with trace() as found:
            began = time.perf_counter()
            self.with_workers(count, work)
            wall = time.perf_counter() - began
        used = found.usage
        if not used:
            return None
        sums = {part: sum(worker[part] for worker in used) for part in _PARTS}
        # Who got nothing to do waited, and so did all of them before the first item was given.
        sums["start"] += max(0, count - len(used)) * sum(used[0][part] for part in _PARTS if part != "cpu")
        sums["cpu"] = min(sums["cpu"], sums["run"])
        busy = sum(sums[part] for part in _PARTS if part != "cpu")
        return functools.partial(
            _native.Account,
            count,
            max(wall, busy / count),
            items=min(len(items) for items in work),
            **sums,
            alone=base.median * grown,
            alone_cpu=min(base.median, base.cpu) * grown,
            alone_ready=min(base.median, base.ready) * grown,
            interpreter=self.backend == "threads" and _has_lock(),
        )

    def _pool(self, count):
        if count not in self._pools:
            from . import pool

            make = pool.ThreadPool if self.backend == "threads" else pool.Pool
            self._pools[count] = self._stack.enter_context(make(count))
        return self._pools[count]


#: Runs that are traced, where the plain loop takes less than so many seconds.
_TRACED, _LONG = 3, 5.0
#: Seconds of a few items, which are run beside neighbours.
_FEW = 0.05
_PARTS = ("run", "cpu", "transfer", "dispatch", "start", "idle", "end")


class Compiled:
    """One call of a compiled function, whose loops use so many threads. There is no plain loop to compare with."""

    plain = False
    clock = staticmethod(_scaling_course.processor)
    size = None

    def __init__(self, function, arguments):
        self.function = function
        self.arguments = arguments

    def __enter__(self):
        self._before = _native.get_num_threads()
        return self

    def __exit__(self, *_):
        _native.set_num_threads(self._before)

    def start(self, counts):
        pass

    def work(self, size):
        return self.arguments

    def with_workers(self, count, work):
        _native.set_num_threads(count)
        return self.function(*work)

    def alone(self, work, base):
        return lambda: self.with_workers(1, work)

    def runs(self, arm, work, base, grown):
        from .tracing import trace

        with trace() as found:
            for _ in range(_TRACED if arm.median < _LONG else 1):
                self.with_workers(arm.workers, work)
        none = dict.fromkeys(("transfer", "start"), 0.0)
        return [
            functools.partial(
                _native.Account,
                arm.workers,
                used.pop("wall"),
                items=0,
                **used,
                **none,
                alone=base.median,
                alone_cpu=min(base.median, base.cpu),
                alone_ready=base.median,
                interpreter=False,
            )
            for used in found.kernel_usage(arm.workers)
        ]


class Own:
    """A function that brings its own workers: it takes their number as `workers=`."""

    plain = False
    clock = staticmethod(lambda: (computed(), 0.0))
    size = None

    def __init__(self, function, arguments):
        self.function = function
        self.arguments = arguments

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def start(self, counts):
        pass

    def work(self, size):
        return self.arguments

    def with_workers(self, count, work):
        return self.function(*work, workers=count)

    def alone(self, work, base):
        return lambda: self.with_workers(1, work)

    def runs(self, arm, work, base, grown):
        return outside(arm, base)


def outside(arm, base, grown=1):
    """Shares of the time as seen from outside: what all of its processes computed, and what not."""
    alone = sorted(base.used)[len(base.used) // 2] * grown
    return [
        functools.partial(_native.Account.outside, arm.workers, wall, cpu=cpu, alone_cpu=alone)
        for wall, cpu in zip(arm.samples, arm.used)
    ]


def computed():
    """Seconds that this process and all of its descendants have computed."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used) + _native.computed_by_children()


def way(function, arguments, backend, seed):
    """The way that was asked for; TypeError and ValueError for one that cannot be."""
    if not callable(function):
        raise TypeError(f"function must be callable, not {type(function).__name__}: mh.scale(function, items)")
    if backend == "own":
        return Own(function, arguments)
    if backend == "compiled" or (backend is None and isinstance(function, _native.Jitted)):
        if not isinstance(function, _native.Jitted):
            raise ValueError('backend="compiled" measures a function of mh.jit')
        return Compiled(function, arguments)
    if backend == "serial":
        raise ValueError('backend must be "processes", "threads", "compiled" or "own": a plain loop has no workers')
    if not arguments:
        raise TypeError(
            "mh.scale needs items: mh.scale(function, items). A function that brings its own workers is measured by "
            'mh.scale(function, backend="own"), which calls function(workers=n)'
        )
    for argument in arguments:
        if not hasattr(argument, "__iter__"):
            raise TypeError(f"items must be iterable, not {type(argument).__name__}")
    backend = _backends.check(_backends.suited(function, backend))
    maps = Maps(function, arguments, backend, seed)
    if not maps.size:
        raise ValueError("there are no items: nothing can be measured")
    return maps


def _has_lock():
    import sys

    return getattr(sys, "_is_gil_enabled", lambda: True)()
