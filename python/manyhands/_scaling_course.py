"""The course of `mh.scale`: what is run in which order, and what becomes of the times."""

import statistics
import time

from . import _answers, _durations, _native
from ._options import worker_count

#: Medians are narrow at this share: a speed-up is then known to three hundredths.
_NARROW = 0.02
#: Six samples are the fewest with a 95% interval of the median.
_LEAST, _MOST = 6, 40


def counts(workers):
    """The numbers of workers to try, in order: those asked for, or 1, 2, 4, … and all cores."""
    if workers is None or hasattr(type(workers), "__index__"):
        most = worker_count(workers)
        if most <= 4:
            return list(range(1, most + 1))
        return sorted({1 << power for power in range(most.bit_length())} | {most})
    if isinstance(workers, str) or not hasattr(workers, "__iter__"):
        raise TypeError(f"workers must be a number or several, not {type(workers).__name__}")
    found = sorted({worker_count(count) for count in workers})
    if not found:
        raise ValueError("workers must name at least one number of workers")
    return found


def sizes(chosen):
    """The sizes to try, in order; None for one, the whole."""
    if chosen is None:
        return [None]
    if isinstance(chosen, (str, bytes)) or not hasattr(chosen, "__iter__"):
        chosen = [chosen]
    found = sorted({worker_count(size, "sizes") for size in chosen})
    if not found:
        raise ValueError("sizes must name at least one size")
    return found


class Arm:
    """One thing that is measured: a size with a number of workers; 0 workers are the plain loop."""

    def __init__(self, size, workers, call, clock=None, grown=1, seeded=False):
        self.size = size
        self.workers = workers
        self.call = call
        self.clock = processor if clock is None else clock
        #: It does the work of the first arm of its size so many times; where it is `seeded`, with other random numbers
        #: from the second time on.
        self.grown, self.seeded = grown, seeded
        self.samples = []
        #: Seconds that each of these computed.
        self.used = []
        #: Of the last run: what it computed, and that with what it waited for a core.
        self.cpu = self.ready = None

    @property
    def median(self):
        return statistics.median(self.samples)

    @property
    def name(self):
        if not self.workers:
            return "the plain loop"
        return "1 worker" if self.workers == 1 else f"{self.workers} workers"


def run(arms, budget, seed, compare):
    """Measures all arms: in turn, in rounds of random order, until medians are narrow or the budget is spent.

    Returns why it was enough. ValueError where the budget was too short to run each once, and where answers of arms of
    one size differ (`compare`).
    """
    from ._failures import annotate

    clock = time.perf_counter
    sweep = _native.Sweep(len(arms), clock(), budget=budget, seed=seed, narrow=_NARROW, least=_LEAST, most=_MOST)
    answers, used = {}, [[] for _ in arms]
    while True:
        what, which = sweep.turn()
        if what not in ("warm", "run"):
            break
        arm = arms[which]
        before = arm.clock()
        began = clock()
        try:
            answer = arm.call()
        except Exception as error:
            annotate(error, f"while {arm.name} was measured")
            raise
        ended = clock()
        sweep.record(ended - began, ended)
        arm.cpu, arm.ready = (after - begun for begun, after in zip(before, arm.clock()))
        used[which].append(arm.cpu)
        if compare and what == "warm":
            _check(answers, arms, arm, answer)
        del answer
    if not sweep.whole:
        missing = next(arm for index, arm in enumerate(arms) if not sweep.samples(index))
        raise ValueError(
            f"the budget of {_durations.said(budget)} was spent before {missing.name} had run once "
            f"({arms[0].name} took {_durations.said(sweep.samples(0)[0])}): take fewer items, or a larger budget="
        )
    for index, arm in enumerate(arms):
        arm.samples = sweep.samples(index)
        # As of the times, the first is left out where there are others.
        arm.used = used[index][-len(arm.samples) :]
    return what


def processor():
    """Seconds that this thread has computed, and those with what it has waited for a core."""
    computed = time.thread_time()
    try:
        with open("/proc/thread-self/schedstat") as counts:
            ran, waited, _ = counts.read().split()
    except (OSError, ValueError):
        return computed, computed
    return computed, (int(ran) + int(waited)) / 1e9


def _check(answers, arms, arm, answer):
    """Every arm of one size gives the first one's answer; if not, who is to blame?"""
    if arm.size not in answers:
        answers[arm.size] = arm, answer
        return
    first, expected = answers[arm.size]
    if arm.grown > 1:
        # A map's answers: those of the first arm, and again.
        whole = expected * arm.grown
        expected, answer = (expected, answer[: len(expected)]) if arm.seeded else (whole, answer)
    found = _answers.difference(expected, answer)
    if found is None:
        return
    again = _answers.difference(answers[arm.size][1], first.call())
    if again is not None:
        raise ValueError(
            f"the function does not give the same answer twice ({again}): times of different work cannot be compared. "
            "Where it draws random numbers, seed= makes them the same; check=False measures it as it is"
        )
    raise ValueError(
        f"{arm.name} gave another answer than {first.name} ({found}): what items change or share differs between "
        "workers. check=False measures it as it is"
    )
