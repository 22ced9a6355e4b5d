"""One call there and back on a warm, idle pool: what a single `apply` costs.

Nearly all of it is waking processes up. The calls are made in blocks that take turns between the systems, and the
median is over single calls: a mean would tell of the few calls that the machine interrupted.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

import manyhands as mh
from bench_squares import square
from harness import WORKERS, Row, WrongAnswer, beside, best, scaled

BLOCK = 100
"""Calls of one system before the next has its turn."""


def run(quick: bool) -> list[Row]:
    blocks = 5 if quick else 30
    with contextlib.ExitStack() as stack:
        forked = stack.enter_context(multiprocessing.get_context("fork").Pool(WORKERS))
        spawned = stack.enter_context(multiprocessing.get_context("spawn").Pool(WORKERS))
        executor = stack.enter_context(ProcessPoolExecutor(WORKERS))
        executor.submit(square, 0).result()  # starts its workers, which it forks, before we have threads
        ours = stack.enter_context(mh.Pool(WORKERS))
        calls: dict[str, Callable[[int], int]] = {
            "Pool (fork)": lambda x: forked.apply(square, (x,)),
            "Pool (spawn)": lambda x: spawned.apply(square, (x,)),
            "ProcessPoolExecutor": lambda x: executor.submit(square, x).result(),
            "mh.Pool": lambda x: ours.apply(square, (x,)),
        }
        seconds: dict[str, list[float]] = {name: [] for name in calls}
        for block in range(blocks + 1):
            for name, call in calls.items():
                block_seconds = one_block(name, call)
                if block > 0:  # the first one warms
                    seconds[name] += block_seconds
    medians = scaled({name: statistics.median(values) for name, values in seconds.items()}, 1e6)
    against, base = best(medians, "Pool (fork)", "Pool (spawn)")
    return [
        Row(
            work="one call there and back",
            ours=medians["mh.Pool"],
            against=against,
            base=base,
            limit=0.5,
            unit="us",
            beside=beside(medians, "mh.Pool", against),
        )
    ]


def one_block(name: str, call: Callable[[int], int]) -> list[float]:
    """The seconds of each of `BLOCK` calls."""
    seconds = []
    for x in range(BLOCK):
        start = time.perf_counter()
        value = call(x)
        seconds.append(time.perf_counter() - start)
        if value != x * x:
            raise WrongAnswer(name)
    return seconds
