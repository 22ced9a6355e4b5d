"""Eight tasks that return 100 MB each: what a big result costs on its way back.

Each system runs in an interpreter of its own (`alone.py`) with warm workers. All eight results are alive together at
the end of a call and gone before the next. What arrives as a mapping costs the caller page faults when it is first
read, which a copied result has paid before it arrives; so reading all of them once is timed too, and shown.
"""

from __future__ import annotations

import statistics

from alone import Measurement, measure
from harness import Row
from systems import EXECUTOR, JOBLIB, OURS, POOL_FORK, RAY, SERIAL, THREADS, installed

LENGTH = 12_500_000
"""float64 numbers: 100 MB."""

SIZE = 8 * LENGTH
TASKS = 8
REACH = 0.25
"""Seconds, warm, until the last result is in the caller's hands."""

THREADS_THEN = 0.06
"""What threads took where the reach was set. A fixed number of seconds means little elsewhere: the bench also shows it
stretched by how much slower, or quicker, threads are in the same run."""


def filled(number: int):
    """An array of 100 MB that says which task made it."""
    import numpy

    return numpy.full(LENGTH, float(number))


def prepare(number: int) -> list[int]:
    return list(range(number, number + TASKS))


def job(map_, numbers: list[int]) -> list:
    return map_(filled, numbers)


def read(value: list) -> list[float]:
    return [float(array.sum()) for array in value]


def expected(number: int) -> list[float]:
    return [float(LENGTH * task) for task in prepare(number)]


def run(quick: bool) -> list[Row]:
    slow = [] if quick else [POOL_FORK, EXECUTOR, JOBLIB]
    peers = [name for name in (SERIAL, THREADS, RAY) if installed(name)]
    found: dict[str, list[Measurement]] = {name: [] for name in (OURS, *peers)}
    for _ in range(1 if quick else 3):
        for name, measurements in found.items():
            measurements.append(measure(__name__, name, calls=5))
    for name in slow:
        found[name] = [measure(__name__, name, calls=3)]
    warm = {name: statistics.median(s for one in many for s in one.seconds[1:]) for name, many in found.items()}
    read_too = {
        name: statistics.median(
            seconds + reading for one in many for seconds, reading in zip(one.seconds[1:], one.read_seconds[1:])
        )
        for name, many in found.items()
    }
    cold = statistics.median(one.seconds[0] for one in found[OURS])
    watched = [OURS, THREADS]
    extra = {name: max(measure(__name__, name, calls=2, watch=True).extra_bytes) / 1e6 for name in watched}
    return [
        Row(
            work=f"{TASKS} tasks that return 100 MB each, warm",
            ours=warm[OURS],
            against="fixed",
            base=REACH,
            limit=1.0,
            beside={
                "reach at this machine's pace": REACH * warm[THREADS] / THREADS_THEN,
                "manyhands cold": cold,
                **{name: warm[name] for name in (*peers, *slow)},
                **{f"{name} and read once": read_too[name] for name in (OURS, THREADS)},
                **{f"{name} peak MB": megabytes for name, megabytes in extra.items()},
            },
        )
    ]
