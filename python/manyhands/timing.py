"""`mh.timeit`: how long a call takes, and how sure that is."""

import functools
import gc
import itertools
import time

from . import _durations, _native

__all__ = ["Timing", "timeit"]


class Timing:
    """How long one call takes: what `%timeit -o` gives, and how sure it is. All times are in seconds.

    `mean` (also `average`) and `stdev` are over `repeat` samples of `loops` calls each, `timings` the samples in their
    order, `best` and `worst` the fastest and the slowest. `median` is what to compare by: a slow sample does not move
    it. It lies in `interval` with at least the probability `confidence`, 0.95 from six samples on (order statistics:
    no form of distribution is assumed). `outliers` are the places in `timings` of samples that lie outside of Tukey's
    fences.
    """

    def __init__(self, timings, loops=1, enough="spent"):
        found = _native.Summary(list(timings))
        self.timings = found.samples
        self.loops = loops
        self.repeat = len(found.samples)
        self.mean = self.average = found.mean
        self.stdev = found.deviation
        self.median = found.median
        self.interval = found.interval
        self.confidence = found.confidence
        self.best = found.best
        self.worst = found.worst
        self.outliers = [index for index, _, _ in found.outliers]
        #: Why it was enough: "narrow" (the interval of the median is), "spent" (the budget), "many" (samples).
        self.enough = enough

    def __truediv__(self, other):
        """How many times as long as `other` this took: the ratio of the medians."""
        if not isinstance(other, Timing):
            return NotImplemented
        return _native.ratio(self.timings, other.timings)[0]

    def __repr__(self):
        said = _durations.said
        calls = f"{self.loops:,} loop{'s' if self.loops > 1 else ''} each"
        if self.repeat == 1:
            return f"{said(self.mean)} per loop (1 run, {calls}: too few to know how sure that is)"
        low, high = (said(bound) for bound in self.interval)
        lines = [
            f"{said(self.mean)} ± {said(self.stdev)} per loop (mean ± std. dev. of {self.repeat} runs, {calls})",
            f"median {said(self.median)}, from {low} to {high} with {100 * min(self.confidence, 0.999):.3g}%",
        ]
        if self.outliers:
            worst = max(self.outliers, key=lambda index: abs(self.timings[index] - self.median))
            many = f"{len(self.outliers)} outliers" if len(self.outliers) > 1 else "1 outlier"
            lines.append(f"{many}, the farthest {said(self.timings[worst])} in run {worst + 1}")
        return "\n".join(lines)


def timeit(function, /, *args, budget=2.0, **kwargs):
    """How long `function(*args, **kwargs)` takes: a `Timing`.

    It is called so often in a row that the clock's granularity does not count, and such samples are taken until the
    median is known to one percent, or the `budget` (seconds, or a text such as "500ms") is spent; a call that is
    longer than the budget is made once. The garbage collector rests meanwhile, as in `timeit`. What the function
    raises is raised.

    >>> import manyhands as mh
    >>> timing = mh.timeit(sum, range(1000), budget="50ms")
    >>> timing.interval[0] <= timing.median <= timing.interval[1]
    True
    """
    if not callable(function):
        raise TypeError(f"function must be callable, not {type(function).__name__}: mh.timeit(function, *args)")
    budget = _durations.seconds("budget", budget)
    call = functools.partial(function, *args, **kwargs)
    clock = time.perf_counter
    plan = _native.Repetition(clock(), budget=budget, granularity=granularity())
    collects = gc.isenabled()
    gc.disable()
    try:
        while True:
            what, loops = plan.step()
            if not loops:
                return Timing(plan.times, plan.loops, what)
            times = itertools.repeat(None, loops)
            began = clock()
            for _ in times:
                call()
            ended = clock()
            plan.record(ended - began, ended)
    finally:
        if collects:
            gc.enable()


def granularity():
    """The smallest difference in seconds that `time.perf_counter` was seen to show, never less than it promises."""
    promised = time.get_clock_info("perf_counter").resolution
    clock = time.perf_counter
    steps = []
    for _ in range(5):
        first = now = clock()
        while now == first:
            now = clock()
        steps.append(now - first)
    return max(promised, min(steps))
