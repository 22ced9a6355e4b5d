"""`Parallel(...)(delayed(square)(i) for i in ...)`, many and few: joblib's loop on warm workers, as users write it.

What `delayed` itself costs counts: the generator is made anew for each pass.
"""

from __future__ import annotations

import joblib

import manyhands as mh
from bench_squares import square
from harness import WORKERS, Row, beside, interleaved, scaled

MANY, FEW = 100_000, 10


def run(quick: bool) -> list[Row]:
    return [
        _row(MANY, f"Parallel over {MANY:,} squares", 0.25, 5 if quick else 15, 1e6 / MANY, "us an item"),
        _row(FEW, f"Parallel over {FEW} squares", 0.1, 15 if quick else 61, 1e3, "ms"),
    ]


def _row(items: int, work: str, limit: float, passes: int, scale: float, unit: str) -> Row:
    medians = interleaved(
        {
            "joblib": lambda: joblib.Parallel(n_jobs=WORKERS)(joblib.delayed(square)(i) for i in range(items)),
            "mh.Parallel": lambda: mh.Parallel(n_jobs=WORKERS)(mh.delayed(square)(i) for i in range(items)),
            "mh.map": lambda: mh.map(square, range(items), workers=WORKERS),
            "mh.Parallel(n_jobs=1)": lambda: mh.Parallel()(mh.delayed(square)(i) for i in range(items)),
        },
        passes=passes,
        check=[x * x for x in range(items)].__eq__,
    )
    medians = scaled(medians, scale)
    return Row(
        work=work,
        ours=medians["mh.Parallel"],
        against="joblib",
        base=medians["joblib"],
        limit=limit,
        unit=unit,
        beside=beside(medians, "mh.Parallel", "joblib"),
    )
