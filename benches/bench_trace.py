"""What a trace costs: a map of items of a millisecond, with and without one. The peer is the same call, not traced."""

from __future__ import annotations

import time

import manyhands as mh
from harness import WORKERS, Row, beside, interleaved, scaled

ITEMS = 400


def busy(_: int) -> None:
    """A millisecond of computing."""
    end = time.thread_time() + 1e-3
    while time.thread_time() < end:
        pass


def run(quick: bool) -> list[Row]:
    passes = 7 if quick else 25
    return [
        _row("1 ms of computing, processes", busy, "processes", passes),
        _row("waits of 1 ms, threads", wait, "threads", passes),
        _row("calls of abs", abs, "processes", passes, items=100_000, limit=2.0),
    ]


def wait(_: int) -> None:
    time.sleep(1e-3)


def _row(what: str, function, backend: str, passes: int, items: int = ITEMS, limit: float = 1.03) -> Row:
    def plain():
        mh.map(function, range(items), workers=WORKERS, backend=backend)

    def traced():
        with mh.trace() as trace:
            plain()
        return trace

    medians = scaled(interleaved({"not traced": plain, "mh.trace": traced}, passes), 1e6 / items)
    return Row(
        work=f"trace of {items:,} {what}",
        ours=medians["mh.trace"],
        against="not traced",
        base=medians["not traced"],
        limit=limit,
        unit="us an item",
        beside=beside(medians, "mh.trace", "not traced"),
    )
