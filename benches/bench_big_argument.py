"""An array of 400 MB to 16 tasks that sum it, the array new each time: what a big argument costs.

Each system runs in an interpreter of its own (`alone.py`) with warm workers. Its first call is the cold one: shared
memory that nobody has touched yet costs more than the copying. `Pool` pickles the array for each chunk of tasks and
takes so long that it is called once, and not at all in a quick run.

The second row counts memory instead: the peak of all processes together, over what they held before the call.
"""

from __future__ import annotations

import statistics

from alone import Measurement, measure
from harness import Row
from systems import JOBLIB, OURS, POOL_FORK, RAY, SERIAL, THREADS, installed

LENGTH = 50_000_000
"""float64 numbers: 400 MB."""

SIZE = 8 * LENGTH
TASKS = 16
REACH = 0.4
"""Seconds, warm."""

THREADS_THEN = 0.15
"""What threads took where the reach was set. A fixed number of seconds means little elsewhere: the bench also shows it
stretched by how much slower, or quicker, threads are in the same run."""


def total(array) -> float:
    return float(array.sum())


def prepare(number: int):
    """A new array, all of its pages touched."""
    import numpy

    return numpy.full(LENGTH, float(number + 1))


def job(map_, array) -> list[float]:
    return map_(total, TASKS * [array])


def read(value: list[float]) -> list[float]:
    return value


def expected(number: int) -> list[float]:
    # Exact: the partial sums of a small whole number are whole and far below 2**53.
    return TASKS * [float(LENGTH * (number + 1))]


def run(quick: bool) -> list[Row]:
    peers = [name for name in (SERIAL, THREADS, JOBLIB, RAY) if installed(name)]
    found: dict[str, list[Measurement]] = {name: [] for name in (OURS, *peers)}
    for _ in range(1 if quick else 3):
        for name, measurements in found.items():
            measurements.append(measure(__name__, name, calls=4))
    cold = {name: statistics.median(one.seconds[0] for one in many) for name, many in found.items()}
    warm = {name: statistics.median(s for one in many for s in one.seconds[1:]) for name, many in found.items()}
    watched = [OURS, THREADS, JOBLIB]
    copies = {name: max(measure(__name__, name, calls=2, watch=True).extra_bytes) / SIZE for name in watched}
    shown = {"reach at this machine's pace": REACH * warm[THREADS] / THREADS_THEN, "manyhands cold": cold[OURS]}
    shown |= {name: warm[name] for name in peers} | {f"{JOBLIB} cold": cold[JOBLIB]}
    if not quick:
        shown[f"{POOL_FORK} cold"] = measure(__name__, POOL_FORK, calls=1).seconds[0]
    return [
        Row(
            work=f"400 MB array, new each time, to {TASKS} tasks that sum it, warm",
            ours=warm[OURS],
            against="fixed",
            base=REACH,
            limit=1.0,
            beside=shown,
        ),
        Row(
            work="the same, peak memory over the caller's array",
            ours=copies.pop(OURS),
            against="one copy in all",
            base=1.0,
            limit=1.05,
            unit="copies",
            beside=copies,
        ),
    ]
