"""Compiled functions of whole arrays beside NumPy, numba and SciPy: distances, Simpson's rule, products of matrices.

All compile the same text (`arrays.py`). The limits of the first two are what the project asks for, over what the peers
took on the machine that its figures were measured on; products are to come near NumPy's BLAS.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from importlib.util import find_spec

import numba
import numpy as np
from threadpoolctl import threadpool_limits

import arrays
import manyhands as mh
from harness import WORKERS, Row, compared, interleaved, repeated, scaled, with_numba

#: Seconds before each product: for some 2^26 cycles OpenBLAS's threads keep the cores for themselves.
SPIN = 0.06


def run(quick: bool) -> list[Row]:
    mh.set_num_threads(WORKERS)
    numba.set_num_threads(min(WORKERS, numba.config.NUMBA_NUM_THREADS))
    theirs = with_numba(arrays)
    passes = 5 if quick else 15
    rows = [_distances(theirs, passes), _simpson(theirs, 10**7 + 1 if quick else 10**8 + 1, max(passes // 3, 3))]
    for n in (64, 256, 1024):
        rows += [_product(theirs, n, threads, passes) for threads in (1, WORKERS)]
    return rows


def _distances(theirs, passes: int) -> Row:
    random = np.random.default_rng(1)
    xs, ys = random.random((1000, 100)), random.random((1000, 100))
    right = np.sqrt(((xs[::100, None, :] - ys[None, :, :]) ** 2).sum(axis=2))
    calls: dict[str, Callable] = {"manyhands": lambda: arrays.cdist(xs, ys), "numba": lambda: theirs.cdist(xs, ys)}
    if find_spec("scipy"):
        from scipy.spatial.distance import cdist

        calls["scipy"] = lambda: cdist(xs, ys)
    medians = scaled(interleaved(calls, passes, lambda value: np.allclose(value[::100], right, rtol=1e-12)), 1e3)
    return compared("distances 1000 x 1000 x 100, by np.sum", medians, "numba", 8 / 51, "ms")


def _simpson(theirs, n: int, passes: int) -> Row:
    calls = {
        "manyhands": lambda: arrays.simpson(0.0, 1.0, n),
        "numpy": lambda: arrays.simpson.py_func(0.0, 1.0, n),
        "numba": lambda: theirs.simpson(0.0, 1.0, n),
    }
    medians = interleaved(calls, passes, lambda value: abs(value - (math.e - 1)) < 1e-11)
    return compared(f"Simpson of exp with arrays, {n:,} points", scaled(medians, 1e3), "numpy", 60 / 400, "ms")


def _product(theirs, n: int, threads: int, passes: int) -> Row:
    random = np.random.default_rng(1)
    a, b = random.random((n, n)), random.random((n, n))
    right = a @ b
    times = max(1, 256**3 // n**3)
    calls: dict[str, Callable] = {"manyhands": lambda: arrays.product(a, b), "numpy": lambda: a @ b}
    # numba calls the BLAS that SciPy brings.
    if find_spec("scipy"):
        calls["numba"] = lambda: theirs.product(a, b)
    with threadpool_limits(threads):
        mh.set_num_threads(threads)
        calls = {name: repeated(call, times) for name, call in calls.items()}
        medians = interleaved(calls, passes, lambda value: np.allclose(value, right, rtol=1e-12), SPIN)
        mh.set_num_threads(WORKERS)
    plural = "" if threads == 1 else "s"
    medians = scaled(medians, 1e6 / times)
    return compared(f"a @ b, {n} x {n} doubles, {threads} thread{plural}", medians, "numpy", 1.25, "us")
