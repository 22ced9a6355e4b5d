"""`mh.scale`: how does it scale, what keeps it from scaling better, and what would more workers bring?"""

import time

from . import _durations, _limits, _native, _scaling_account, _scaling_course, _scaling_picture, _scaling_ways
from .timing import Timing

__all__ = ["Prediction", "Scaling", "scale"]


class Prediction:
    """What is expected with `workers` workers, by the law that fits best: `seconds`, and the `interval` in which 95% of
    measured medians lie; `speedup` over the baseline, with `speedup_interval`."""

    def __init__(self, workers, found, work):
        self.workers = workers
        self.seconds, low, high = found
        self.interval = (low, high)
        self.speedup = work / self.seconds
        self.speedup_interval = (work / high, work / low)

    def __repr__(self):
        low, high = self.interval
        least, most = self.speedup_interval
        return (
            f"{_scaling_picture.counted(self.workers, 'worker')}: {_durations.said(self.seconds)} "
            f"({_durations.said(low)} to {_durations.said(high)}), "
            f"{self.speedup:.3g} times as fast ({least:.3g} to {most:.3g})"
        )


class Scaling:
    """Times by number of workers, and what they say. All times are in seconds.

    `timings` has a `Timing` for each number of workers, `time` its median; `serial` is the `Timing` of the plain loop,
    or None where there is none. `speedup` tells how many times as fast as the plain loop (else as the fewest workers)
    it was, `efficiency` that by worker, `karp_flatt` the share of the work that then seems to be serial: where it
    grows with the workers, what is lost is no serial part. With `weak` scaling the work grows with the workers, and
    `speedup` is the scaled one: n times the time of one part, by the time of n parts.

    `fit` tells the law that describes the times best, with the 95% intervals of its parameters; `predict(n)` what it
    expects of n workers, on as many cores. Past the cores that may be used workers that compute take turns: these
    numbers are left out of the fit (`waits=True` says that they do not compute). None where fewer than two are left.
    `account` has the shares of the wall time with the most workers, which are 1 together (empty where they were not
    measured). Of functions with workers of their own and of programs they are what can be seen from outside: what
    all processes computed, up to what one worker does, and what not. Where the memory surely limits the function,
    `needs` is the share of its time in which it moves memory as fast as a thread can, `needs_interval` the interval
    of that, and `roof` the bytes per second that the machine gives to so many threads. `cause` is one word for what
    keeps it from scaling, `verdict` says it in sentences. `warnings` tell what limited or disturbed the
    measurement. `sizes` has a `Scaling` for each size of the work that was measured.
    """

    def __init__(
        self,
        name,
        timings,
        serial=None,
        *,
        weak=False,
        waits=False,
        account=None,
        memory=None,
        warnings=(),
        enough="spent",
    ):
        if not timings:
            raise ValueError("there is nothing to tell without times")
        self.name = name
        self.timings = dict(sorted(timings.items()))
        self.serial = serial
        self.weak = weak
        self.enough = enough
        self.warnings = list(warnings)
        self.sizes = {}
        self.time = {count: timing.median for count, timing in self.timings.items()}
        fewest = min(self.timings)
        # Without a plain loop, the fewest workers are taken to be worth so many.
        base = self.timings[fewest] if serial is None else serial
        worth = fewest if serial is None else 1
        self.speedup, self.speedup_interval = {}, {}
        for count, timing in self.timings.items():
            value, low, high, _ = _native.ratio(base.timings, timing.timings)
            grown = count / fewest if weak and serial is None else count if weak else 1
            self.speedup[count] = value * worth * grown
            self.speedup_interval[count] = (low * worth * grown, high * worth * grown)
        self.efficiency = {count: gain / count for count, gain in self.speedup.items()}
        self.karp_flatt = {
            count: _native.karp_flatt(gain, count) for count, gain in self.speedup.items() if count > 1 and gain > 0
        }
        self._work = base.median * worth
        self._native_fit = None
        cores = _native.cpu_count()
        # Past the cores, workers that compute take turns: another law, which says nothing about more cores.
        fitted = [count for count in self.timings if waits or count <= cores]
        if len(fitted) > 1:
            self._native_fit = _native.Fit([(count, self.timings[count].timings) for count in fitted], weak)
        self.fit = None if self._native_fit is None else Law(*self._native_fit.laws[0], *self._native_fit.limits)
        self.laws = [] if self._native_fit is None else [Law(*law) for law in self._native_fit.laws]
        shares = [] if account is None else account.shares
        self.account = {part: share for part, share, _, _ in shares}
        self.account_interval = {part: (low, high) for part, _, low, high in shares}
        #: The share of its time in which the function needs the memory, and its interval.
        self.needs = None if memory is None else memory.needs[0]
        self.needs_interval = None if memory is None else memory.needs[1:]
        self.roof = {} if memory is None else dict(_native.memory_roof())
        most = max(self.timings)
        best = max(self.speedup, key=self.speedup.get)
        self.cause, self.verdict = _native.verdict(
            cores=cores,
            workers=most,
            plain=serial is not None,
            speedup=self.speedup[most],
            best=(best, self.speedup[best]),
            waits=waits,
            fit=self._native_fit,
            account=account,
            memory=memory,
        )

    def predict(self, workers):
        """What is expected with so many workers: a `Prediction`. ValueError where there is no `fit`."""
        workers = _scaling_course.worker_count(workers)
        if self._native_fit is None:
            raise ValueError(
                "a prediction needs times for at least two numbers of workers, not more than there are cores"
            )
        grown = workers if self.weak else 1
        return Prediction(workers, self._native_fit.predict(workers), self._work * grown)

    def plot(self, path):
        """Writes a picture: PNG, SVG or PDF, as the path ends. Needs matplotlib (`manyhands[plot]`)."""
        _scaling_picture.draw(self, path)

    def __repr__(self):
        return _scaling_picture.text(self)

    def _repr_html_(self):
        return _scaling_picture.html(self)

    def _repr_svg_(self):
        return _scaling_picture.svg(self)


class Law:
    """A law of scaling as it fits best: `name`; `parameters` by name; `intervals` with what 95% of them hold.
    `one_worker` is the time of one worker by it, `misfit` whether the times lie further from it than they scatter by
    themselves. `peak` is the number of workers with the greatest speed-up, `limit` the speed-up that no number
    exceeds, or None."""

    def __init__(self, name, parameters, one_worker, aicc, misfit, peak=None, limit=None):
        self.name = name
        self.parameters = {parameter: value for parameter, value, _, _ in parameters}
        self.intervals = {parameter: (low, high) for parameter, _, low, high in parameters}
        self.one_worker = one_worker
        self.aicc = aicc
        self.misfit = misfit
        self.peak = peak
        self.limit = limit

    def __repr__(self):
        said = [
            f"{name} {_share(value)} ({_share(self.intervals[name][0])} to {_share(self.intervals[name][1])})"
            for name, value in self.parameters.items()
        ]
        return f"{self.name}: {', '.join(said)}" + (", which the times do not follow" if self.misfit else "")


def scale(
    function, /, *iterables, workers=None, sizes=None, weak=False, backend=None, budget=20.0, seed=None, check=True
):
    """Measures `function` over items with several numbers of workers: a `Scaling`, with a table, a picture, a verdict.

    Parameters
    ----------
    function, *iterables:
        As for `mh.map`. A function of `mh.jit` is called with these as its arguments, its loops on so many threads.
    workers:
        Which numbers to try; a single one: 1, 2, 4, … up to it. By default up to the cores that may be used.
    sizes:
        Numbers of items to try, each with all numbers of workers: does more work pay better? The first so many items,
        and from the beginning again where there are not enough. `Scaling.sizes` has all; the largest is what is
        returned.
    weak:
        The work grows with the workers: n workers do n times the items.
    backend:
        "processes", "threads", "compiled", as in `mh.map` by default; "own" for a function that brings its own workers
        and takes their number as `workers=`: then it is called with the further arguments as they are.
    budget:
        What all runs together may take, in seconds or as a text ("2min").
    seed:
        As for `mh.map`; also of the order in which things are measured.
    check:
        Compare every answer with the plain loop's, or with that of the fewest workers.

    Everything is run once to warm up, then in rounds of random order, until all medians are known to 2% or the budget
    is spent. A few more runs are traced, to learn where the time goes; where workers compute longer than one does
    alone, more of one worker are run beside threads that compute and beside threads that stream through memory, which
    tells whether the memory is the reason. Raises what the function raises, and
    `ValueError` for a function that does not give the same answer twice, or takes longer than the budget.

    >>> import manyhands as mh
    >>> found = mh.scale(abs, range(1000), workers=[1, 2], budget="300ms")
    >>> sorted(found.speedup)
    [1, 2]
    """
    budget = _durations.seconds("budget", budget)
    counts, sized = _scaling_course.counts(workers), _scaling_course.sizes(sizes)
    if weak and sizes is not None:
        raise ValueError("weak=True grows the work with the workers, and sizes= says how large it is: one of them")
    way = _scaling_ways.way(function, iterables, backend, seed)
    if way.size is None and (weak or sizes is not None):
        raise ValueError("weak= and sizes= are about items: this function is called as it is")
    watch = _limits.Watch()
    with way:
        arms, works = [], {}
        for size in sized:
            base = way.size if size is None else size
            if way.plain:
                works[size, 0] = work = way.work(base)
                arms.append(_scaling_course.Arm(size, 0, lambda work=work: way.serially(work), way.clock))
            for count in counts:
                works[size, count] = work = way.work(base * count if weak else base)
                call = lambda count=count, work=work: way.with_workers(count, work)
                grown = count if weak else 1
                arms.append(_scaling_course.Arm(size, count, call, way.clock, grown, seed is not None))
        way.start(counts)
        began = time.perf_counter()
        enough = _scaling_course.run(arms, budget, seed if isinstance(seed, int) else 0, check)
        found = {}
        for size in sized:
            mine = {arm.workers: arm for arm in arms if arm.size == size}
            timings = {count: Timing(arm.samples, 1, enough) for count, arm in mine.items()}
            serial = timings.pop(0, None)
            account = memory = None
            most = counts[-1]
            alone = mine.get(0 if way.plain else 1)
            if alone is not None and mine[most] is not alone and size == sized[-1]:
                left = max(budget / 4, budget - (time.perf_counter() - began))
                grown = most if weak else 1
                account, memory = _scaling_account.of(way, alone, mine[most], works[size, most], grown, left)
            found[size] = Scaling(
                _name(function, size),
                timings,
                serial,
                weak=weak,
                waits=serial is not None and mine[0].ready < serial.median / 2,
                account=account,
                memory=memory,
                enough=enough,
            )
    warnings = watch.warnings(counts[-1])
    if weak and check and seed is not None and counts[-1] > 1:
        warnings.append(
            f"Of the answers the first {way.size:,} were compared: further items draw other random numbers."
        )
    for scaling in found.values():
        scaling.warnings = warnings
    result = found[sized[-1]]
    result.sizes = {size: scaling for size, scaling in found.items() if size is not None}
    return result


def _name(function, size):
    from .tracing import name_of

    return name_of(function) + (f", {size:,} items" if size is not None else "")


def _share(value):
    return f"{100 * value:.3g}%"
