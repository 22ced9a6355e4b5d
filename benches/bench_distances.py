"""Pairwise distances as the teaching documents write them: 1000 x 1000 rows of 100, 100 splits, 4 workers asked for.

The program is the document's: two loops in Python over NumPy rows, `starmap` over (split, all of Y), and the pool made
inside the timing, which counts the workers' imports where workers are not forked. More workers than cores are asked for
on purpose, because that is what its readers do.
"""

from __future__ import annotations

import multiprocessing

import numpy as np
from joblib import Parallel, delayed

import manyhands as mh
from distances import cdist
from harness import Row, beside, best, interleaved

ROWS, COLUMNS, SPLITS = 1_000, 100, 100
ASKED = 4
"""Workers, as in the document."""


def run(quick: bool) -> list[Row]:
    rows = ROWS // 5 if quick else ROWS
    random = np.random.default_rng(1)
    X, Y = random.random((rows, COLUMNS)), random.random((ROWS, COLUMNS))
    answer = cdist(X, Y)
    medians = interleaved(
        {
            "mh.Pool": lambda: _with_pool(mh.Pool, X, Y),
            "Pool (fork)": lambda: _with_pool(multiprocessing.get_context("fork").Pool, X, Y),
            "joblib": lambda: _with_joblib(X, Y),
            "serial": lambda: cdist(X, Y),
        },
        passes=2 if quick else 7,
        check=lambda Z: np.array_equal(Z, answer),
    )
    against, base = best(medians, "Pool (fork)", "joblib")
    return [
        Row(
            work=f"pairwise distances {rows} x {ROWS} x {COLUMNS}, {SPLITS} splits, {ASKED} workers asked",
            ours=medians["mh.Pool"],
            against=against,
            base=base,
            limit=1.03,
            beside=beside(medians, "mh.Pool", against),
        )
    ]


def _with_pool(make_pool, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    with make_pool(ASKED) as pool:
        return np.concatenate(pool.starmap(cdist, [(X_, Y) for X_ in np.split(X, SPLITS, 0)]))


def _with_joblib(X: np.ndarray, Y: np.ndarray) -> np.ndarray:
    return np.concatenate(Parallel(n_jobs=ASKED)(delayed(cdist)(X_, Y) for X_ in np.split(X, SPLITS, 0)))
