"""100,000 calls submitted one by one, then all results: what a future costs.

The peers write a message for each call, and wake a thread of the caller's for each answer. Ours gathers calls while its
workers are busy, and whoever waits takes its own answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor

import manyhands as mh
from bench_squares import square
from harness import WORKERS, Row, beside, interleaved, scaled

OURS = "mh.Executor"
PEER = "ProcessPoolExecutor"


def run(quick: bool) -> list[Row]:
    count = 20_000 if quick else 100_000
    with opened() as executors:
        medians = interleaved(
            {name: _calls(executor, count) for name, executor in executors.items()},
            passes=3,
            check=[x * x for x in range(count)].__eq__,
        )
    medians = scaled(medians, 1e6 / count)
    return [
        Row(
            work=f"Executor.submit of {count:,} squares, and their results",
            ours=medians[OURS],
            against=PEER,
            base=medians[PEER],
            limit=1 / 6,
            unit="us an item",
            beside=beside(medians, OURS, PEER),
        )
    ]


@contextlib.contextmanager
def opened():
    """Ours and its peers, with their workers started, by name."""
    from joblib.externals.loky import ProcessPoolExecutor as Loky

    with contextlib.ExitStack() as stack:
        executors: dict[str, Executor] = {}
        # The one that forks comes first, before there are threads.
        for name, make in ((PEER, ProcessPoolExecutor), ("loky", Loky), (OURS, mh.Executor)):
            executors[name] = stack.enter_context(make(WORKERS))
            executors[name].submit(square, 0).result()
        yield executors


def _calls(executor: Executor, count: int) -> Callable[[], list[int]]:
    def call() -> list[int]:
        futures = [executor.submit(square, x) for x in range(count)]
        return [future.result() for future in futures]

    return call
