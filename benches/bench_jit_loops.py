"""Compiled loops beside numba's, two threads each: random samples, sums of exp, distances, words, plain elements.

Both compile the same text (`loops.py`). The limit of each row is what the project asks for on the machine that its
figures were measured on, over what numba took there.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numba
import numpy as np

import loops
import manyhands as mh
from harness import WORKERS, Row, compared, interleaved, scaled, with_numba


def run(quick: bool) -> list[Row]:
    mh.set_num_threads(WORKERS)
    numba.set_num_threads(min(WORKERS, numba.config.NUMBA_NUM_THREADS))
    ours, theirs = loops, with_numba(loops)
    passes = 5 if quick else 15
    return [
        _row("pi, 10^7 samples of random.uniform", 12 / 80, passes, *_pi(ours, theirs)),
        _row("Simpson of exp, 10^8+1 points", 60 / 220, max(passes // 3, 3), *_simpson(ours, theirs, 10**8 + 1)),
        _row("Simpson of exp, 10^5+1 points", 70 / 215, 20 * passes, *_simpson(ours, theirs, 10**5 + 1), unit="us"),
        _row("distances 1000 x 1000 x 100, inner prange", 8 / 33, passes, *_distances(ours, theirs, "distances")),
        _row("the same, as an expression of two rows", 8 / 51, passes, *_distances(ours, theirs, "distances_of_rows")),
        _row("the same, summed in order", 1.0, passes, *_distances(ours, theirs, "distances_in_order")),
        _row("autocorrelation, 20,000 words, 10 words, 100 lags", 1 / 8.2, passes, *_words(ours, theirs)),
        _row("a*x + b*x - c, 5 x 10^7 doubles", 55 / 61, passes, *_linear(ours, theirs, 10**7 if quick else 5 * 10**7)),
    ]


def _row(
    work: str, limit: float, passes: int, calls: dict[str, Callable], check: Callable[[object], bool], unit: str = "ms"
) -> Row:
    medians = scaled(interleaved(calls, passes, check), {"ms": 1e3, "us": 1e6}[unit])
    return compared(work, medians, "numba", limit, unit)


def _pi(ours, theirs) -> tuple[dict[str, Callable], Callable[[object], bool]]:
    n = 10**7
    calls = {"manyhands": lambda: ours.pi(n), "numba": lambda: theirs.pi(n)}
    return calls, lambda value: abs(value - math.pi) < 5 * math.sqrt(math.pi * (4 - math.pi) / n)


def _simpson(ours, theirs, n: int) -> tuple[dict[str, Callable], Callable[[object], bool]]:
    calls = {"manyhands": lambda: ours.simpson(0.0, 1.0, n), "numba": lambda: theirs.simpson(0.0, 1.0, n)}
    return calls, lambda value: abs(value - (math.e - 1)) < 1e-12


def _distances(ours, theirs, name: str) -> tuple[dict[str, Callable], Callable[[object], bool]]:
    random = np.random.default_rng(1)
    X, Y, Z = random.random((1000, 100)), random.random((1000, 100)), np.empty((1000, 1000))
    right = np.sqrt(((X[::100, None, :] - Y[None, :, :]) ** 2).sum(axis=2))

    fast = numba.njit(parallel=True, fastmath=True)(getattr(theirs, name).py_func)
    calls: dict[str, Callable] = {
        "manyhands": lambda: getattr(ours, name)(X, Y, Z),
        "numba": lambda: getattr(theirs, name)(X, Y, Z),
        "numba, fastmath": lambda: fast(X, Y, Z),
    }
    return calls, lambda value: np.allclose(Z[::100], right, rtol=1e-12)


def _words(ours, theirs) -> tuple[dict[str, Callable], Callable[[object], bool]]:
    words, count, lags = 20_000, 10, 100
    masks = np.random.default_rng(1).random((count, words)) < np.linspace(0.01, 0.08, count)[:, None]
    right = np.array([[np.sum(mask[1 : words - lag] & mask[1 + lag :]) for lag in range(lags)] for mask in masks])
    acf = np.zeros((count, lags))

    def with_(compiled) -> Callable[[], None]:
        def call() -> None:
            acf[:] = 0
            compiled.autocorrelations(masks, acf)

        return call

    return {"manyhands": with_(ours), "numba": with_(theirs)}, lambda value: np.array_equal(acf, right)


def _linear(ours, theirs, n: int) -> tuple[dict[str, Callable], Callable[[object], bool]]:
    random = np.random.default_rng(1)
    a, b, c, x = (random.random(n) for _ in range(4))
    out = np.zeros(n)
    calls = {"manyhands": lambda: ours.linear(out, a, b, c, x), "numba": lambda: theirs.linear(out, a, b, c, x)}
    some = slice(None, None, 1001)
    right = a[some] * x[some] + b[some] * x[some] - c[some]
    return calls, lambda value: np.allclose(out[some], right, rtol=1e-9, atol=1e-12)
