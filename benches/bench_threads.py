"""Threads: what a tiny item costs, and whether what can run at the same time does: waiting, and NumPy without the GIL.

Tiny Python items cannot gain by threads: the interpreter runs one at a time. What is measured there is how much the
pool costs on top. The peer is `ThreadPoolExecutor`, with as many threads.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import manyhands as mh
from harness import WORKERS, Row, beside, interleaved, scaled

ITEMS = 100_000
SLEEPS, SLEEPERS = 400, 20


def square(x: int) -> int:
    return x * x


def run(quick: bool) -> list[Row]:
    return [_squares(3 if quick else 7), _sorts(7 if quick else 21), _sleeps(3 if quick else 7)]


def _squares(passes: int) -> Row:
    items = list(range(ITEMS))
    with ThreadPoolExecutor(WORKERS) as peer, mh.ThreadPool(WORKERS) as own:
        medians = interleaved(
            {
                "ThreadPoolExecutor": lambda: list(peer.map(square, items)),
                "mh.map": lambda: mh.map(square, items, workers=WORKERS, backend="threads"),
                "mh.ThreadPool": lambda: own.map(square, items),
                "of a generator": lambda: mh.map(square, iter(items), workers=WORKERS, backend="threads"),
                "list comprehension": lambda: [square(x) for x in items],
            },
            passes=passes,
            check=[x * x for x in items].__eq__,
        )
    medians = scaled(medians, 1e6 / ITEMS)
    return _row(medians, f"threads: map of {ITEMS:,} squares", 0.2, "us an item")


def _sorts(passes: int) -> Row:
    arrays = [np.random.default_rng(seed).random(1_000_000) for seed in range(WORKERS)]
    with ThreadPoolExecutor(WORKERS) as peer:
        medians = interleaved(
            {
                "ThreadPoolExecutor": lambda: list(peer.map(np.sort, arrays)),
                "mh.map": lambda: mh.map(np.sort, arrays, workers=WORKERS, backend="threads"),
                "serial loop": lambda: [np.sort(array) for array in arrays],
            },
            passes=passes,
            check=lambda found: all((array[:-1] <= array[1:]).all() for array in found),
        )
    return _row(scaled(medians, 1e3), f"threads: {WORKERS} sorts of a million numbers", 1.05, "ms")


def _sleeps(passes: int) -> Row:
    pauses = [0.002] * SLEEPS
    with ThreadPoolExecutor(SLEEPERS) as peer:
        medians = interleaved(
            {
                "ThreadPoolExecutor": lambda: list(peer.map(time.sleep, pauses)),
                "mh.map": lambda: mh.map(time.sleep, pauses, workers=SLEEPERS, backend="threads"),
            },
            passes=passes,
        )
    return _row(scaled(medians, 1e3), f"threads: {SLEEPS} waits of 2 ms, {SLEEPERS} at a time", 1.05, "ms")


def _row(medians: dict[str, float], work: str, limit: float, unit: str) -> Row:
    return Row(
        work=work,
        ours=medians["mh.map"],
        against="ThreadPoolExecutor",
        base=medians["ThreadPoolExecutor"],
        limit=limit,
        unit=unit,
        beside=beside(medians, "mh.map", "ThreadPoolExecutor"),
    )
