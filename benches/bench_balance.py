"""1,000 items of 1 ms and one of 1 s, which comes first, in the middle or last: what a chunk size can spoil.

Held against the greedy schedule: items in order, each to the worker that is free first, and nothing else costs any
time. The best `chunksize` of `multiprocessing.Pool` is found by trying, which is what its users have to do, and shown
beside.
"""

from __future__ import annotations

import heapq
import multiprocessing
import time

import manyhands as mh
from harness import WORKERS, Row, interleaved

SHORT, LONG = 0.001, 1.0
SHORT_ITEMS = 1_000
PLACES = {"first": 0, "in the middle": SHORT_ITEMS // 2, "last": SHORT_ITEMS}


def busy(seconds: float) -> float:
    """Keeps a core busy for that long by the clock: sleeping would let two workers share one core unnoticed."""
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass
    return seconds


def greedy(durations: list[float], workers: int) -> float:
    """Length of the list schedule (Graham 1966): in order, each item to the worker that is free first."""
    free_at = [0.0] * workers
    for duration in durations:
        heapq.heapreplace(free_at, free_at[0] + duration)
    return max(free_at)


def run(quick: bool) -> list[Row]:
    chunk_sizes = [1, None] if quick else [1, 2, 4, 8, 16, 32, 64, None]
    rows = []
    with multiprocessing.get_context("fork").Pool(WORKERS) as theirs, mh.Pool(WORKERS) as ours:
        for place, index in PLACES.items():
            items = [SHORT] * SHORT_ITEMS
            items.insert(index, LONG)
            chunk_size = min(chunk_sizes, key=lambda size: _seconds(theirs, items, size))
            medians = interleaved(
                {
                    "mh": lambda: ours.map(busy, items),
                    "Pool": lambda: theirs.map(busy, items, chunksize=chunk_size),
                },
                passes=2 if quick else 5,
                check=items.__eq__,
            )
            rows.append(
                Row(
                    work=f"{SHORT_ITEMS:,} items of 1 ms and one of 1 s, {place}",
                    ours=medians["mh"],
                    against="greedy in order, no overhead",
                    base=greedy(items, WORKERS),
                    limit=1.05,
                    beside={f"Pool, best chunksize {chunk_size or 'its own'}": medians["Pool"]},
                )
            )
    return rows


def _seconds(pool, items: list[float], chunk_size: int | None) -> float:
    start = time.perf_counter()
    pool.map(busy, items, chunksize=chunk_size)
    return time.perf_counter() - start
