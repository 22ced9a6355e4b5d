"""A random graph of 100,000 tasks that do nothing, 5 inputs each: what it costs to hand out a task.

Building is not counted. What is asked for is a fixed number of microseconds a task. The peers are shown beside it, on
the same graph made smaller: Dask's threaded scheduler on a tenth of it, `dask.distributed` on a hundredth.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import dask
import distributed

import manyhands as mh
from harness import WORKERS, Row, interleaved

TASKS = 100_000
INPUTS = 5
THREADS_REACH, PROCESSES_REACH = 10.0, 20.0
"""Microseconds a task."""


def nothing(*inputs: object) -> int:
    return 1


def graph(task: Callable, tasks: int):
    """A random graph, each of whose tasks needs some that were made before it: the one that needs all the ends."""
    rng = random.Random(20)
    nodes: list = []
    ends: set[int] = set()
    for made in range(tasks - 1):
        inputs = [rng.randrange(made) for _ in range(min(INPUTS, made))]
        ends.difference_update(inputs)
        ends.add(made)
        nodes.append(task(*[nodes[number] for number in inputs]))
    return task(*[nodes[number] for number in sorted(ends)])


def run(quick: bool) -> list[Row]:
    ours = graph(mh.task(nothing), TASKS)
    threaded = graph(dask.delayed(nothing, pure=False), TASKS // 10)
    spread = graph(dask.delayed(nothing, pure=False), TASKS // 100)
    with contextlib.ExitStack() as stack:
        cluster = distributed.LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, dashboard_address=None, processes=True
        )
        client = stack.enter_context(distributed.Client(stack.enter_context(cluster)))

        def per_task(calls: dict[str, Callable[[], object]], tasks: int, passes: int) -> dict[str, float]:
            medians = interleaved(calls, passes=passes, check=lambda value: value == 1)
            return {name: seconds * 1e6 / tasks for name, seconds in medians.items()}

        medians = per_task(
            {
                "threads": lambda: ours.compute(workers=WORKERS, backend="threads"),
                "processes": lambda: ours.compute(workers=WORKERS),
                "serial": lambda: ours.compute(backend="serial"),
            },
            TASKS,
            passes=3 if quick else 9,
        )
        beside = per_task(
            {"dask.delayed, threads": lambda: threaded.compute(scheduler="threads", num_workers=WORKERS)},
            TASKS // 10,
            passes=1 if quick else 3,
        )
        beside |= per_task(
            {"distributed": lambda: client.compute(spread).result()},
            TASKS // 100,
            passes=1 if quick else 3,
        )
    return [
        Row(
            work=f"graph of {TASKS:,} tasks, {INPUTS} inputs each, {name}",
            ours=medians[name],
            against="fixed",
            base=reach,
            limit=1.0,
            unit="us a task",
            beside=beside | {"in line": medians["serial"]},
        )
        for name, reach in (("threads", THREADS_REACH), ("processes", PROCESSES_REACH))
    ]
