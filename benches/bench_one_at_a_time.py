"""The same squares, but one at a time: `imap`, and `map` with chunksize=1.

A peer that is told to send items singly pays a message, a lock and two wake-ups for each. Ours takes the chunk size as
accepted and not needed, and sends as many items to a message as their measured time allows.
"""

from __future__ import annotations

import multiprocessing

import manyhands as mh
from bench_squares import square
from harness import WORKERS, Row, interleaved, scaled


def run(quick: bool) -> list[Row]:
    count = 20_000 if quick else 100_000
    items = list(range(count))
    answer = [x * x for x in items]
    with multiprocessing.get_context("spawn").Pool(WORKERS) as theirs, mh.Pool(WORKERS) as ours:
        medians = interleaved(
            {
                "Pool imap": lambda: list(theirs.imap(square, items)),
                "mh imap": lambda: list(ours.imap(square, items)),
                "Pool imap_unordered": lambda: sorted(theirs.imap_unordered(square, items)),
                "mh imap_unordered": lambda: sorted(ours.imap_unordered(square, items)),
                "Pool map": lambda: theirs.map(square, items, chunksize=1),
                "mh map": lambda: ours.map(square, items, chunksize=1),
            },
            passes=3 if quick else 5,
            check=answer.__eq__,
        )
    medians = scaled(medians, 1e6 / count)
    return [
        Row(
            work=f"{count:,} squares one at a time, {work}",
            ours=medians[f"mh {call}"],
            against="Pool, the same call",
            base=medians[f"Pool {call}"],
            limit=0.25,
            unit="us an item",
        )
        for call, work in (
            ("imap", "imap"),
            ("imap_unordered", "imap_unordered, sorted"),
            ("map", "map with chunksize=1"),
        )
    ]
