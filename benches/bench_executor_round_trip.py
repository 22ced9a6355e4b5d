"""`submit(...).result()` on a warm, idle executor: one call there and back, with a future."""

from __future__ import annotations

import statistics

from bench_executor_submit import OURS, PEER, opened
from bench_round_trip import one_block
from bench_squares import square
from harness import Row, beside, scaled


def run(quick: bool) -> list[Row]:
    blocks = 5 if quick else 20
    with opened() as executors:
        seconds: dict[str, list[float]] = {name: [] for name in executors}
        for block in range(blocks + 1):
            for name, executor in executors.items():
                found = one_block(name, lambda x, executor=executor: executor.submit(square, x).result())
                if block > 0:  # the first one warms
                    seconds[name] += found
    medians = scaled({name: statistics.median(values) for name, values in seconds.items()}, 1e6)
    return [
        Row(
            work="Executor.submit and its result, there and back",
            ours=medians[OURS],
            against=PEER,
            base=medians[PEER],
            limit=0.4,
            unit="us",
            beside=beside(medians, OURS, PEER),
        )
    ]
