"""A map of 100,000 squares on a warm pool, with no chunk size given: what a tiny item costs.

The peer that counts is `multiprocessing.Pool`, which cuts the list into four chunks for each worker before it knows how
long an item takes. That is hard to beat for items of one length, and all that can be lost against it is asked for here.
"""

from __future__ import annotations

import contextlib
import multiprocessing

import manyhands as mh
from harness import WORKERS, Row, beside, best, interleaved, scaled

ITEMS = 100_000


def square(x: int) -> int:
    return x * x


def run(quick: bool) -> list[Row]:
    items = list(range(ITEMS))
    answer = [x * x for x in items]
    with contextlib.ExitStack() as stack:
        # The peers first: a pool that forks should not have to copy a process with our threads in it.
        forked = stack.enter_context(multiprocessing.get_context("fork").Pool(WORKERS))
        spawned = stack.enter_context(multiprocessing.get_context("spawn").Pool(WORKERS))
        ours = stack.enter_context(mh.Pool(WORKERS))
        medians = interleaved(
            {
                "Pool (fork)": lambda: forked.map(square, items),
                "Pool (spawn)": lambda: spawned.map(square, items),
                "mh.Pool": lambda: ours.map(square, items),
                "mh.map": lambda: mh.map(square, items, workers=WORKERS),
                "list comprehension": lambda: [square(x) for x in items],
            },
            passes=7 if quick else 31,
            check=answer.__eq__,
        )
    medians = scaled(medians, 1e6 / ITEMS)
    against, base = best(medians, "Pool (fork)", "Pool (spawn)")
    return [
        Row(
            work=f"map of {ITEMS:,} squares, no chunk given",
            ours=medians["mh.Pool"],
            against=against,
            base=base,
            limit=1.03,
            unit="us an item",
            beside=beside(medians, "mh.Pool", against),
        )
    ]
