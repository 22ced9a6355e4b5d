"""Whole programs as they are usually written for numba, beside numba, two threads each.

Both compile the same text (`programs.py`). No program may be slower than numba's, and the geometric mean of the
ratios is to be at most 0.6: the last row.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numba
import numpy as np

import manyhands as mh
import programs
from harness import WORKERS, Row, compared, interleaved, scaled, with_numba


def run(quick: bool) -> list[Row]:
    mh.set_num_threads(WORKERS)
    numba.set_num_threads(min(WORKERS, numba.config.NUMBA_NUM_THREADS))
    theirs = with_numba(programs)
    passes = 5 if quick else 15
    makers = [_black_scholes, _mandelbrot, _bodies, _jacobi, _k_means]
    rows = [_row(*make(programs, theirs), passes) for make in makers]
    mean = math.exp(sum(math.log(row.ours / row.base) for row in rows) / len(rows))
    rows.append(Row(work="all five, geometric mean", ours=mean, against="numba", base=1.0, limit=0.6, unit=""))
    return rows


def _row(
    work: str, ours: Callable[[], object], theirs: Callable[[], object], check: Callable[[object], bool], passes: int
) -> Row:
    medians = scaled(interleaved({"manyhands": ours, "numba": theirs}, passes, check), 1e3)
    return compared(work, medians, "numba", 1.0, "ms")


Made = tuple[str, Callable[[], object], Callable[[], object], Callable[[object], bool]]


def _black_scholes(ours, theirs) -> Made:
    random = np.random.default_rng(1)
    n = 10**6
    price, strike, years = random.uniform(5, 30, n), random.uniform(1, 100, n), random.uniform(0.25, 10, n)
    calls, puts = np.zeros(n), np.zeros(n)
    arguments = (calls, puts, price, strike, years, 0.02, 0.3)
    parity = price - strike * np.exp(-0.02 * years)
    return (
        "Black-Scholes, 10^6 options",
        lambda: ours.black_scholes(*arguments),
        lambda: theirs.black_scholes(*arguments),
        lambda _: np.allclose(calls - puts, parity, atol=1e-9),
    )


def _mandelbrot(ours, theirs) -> Made:
    image, right = np.zeros((500, 750), np.uint16), np.zeros((500, 750), np.uint16)
    where = (-2.0, 1.0, -1.0, 1.0, 100)
    theirs.mandelbrot(right, *where)
    return (
        "Mandelbrot, 750 x 500, 100 iterations",
        lambda: ours.mandelbrot(image, *where),
        lambda: theirs.mandelbrot(image, *where),
        lambda _: np.array_equal(image, right),
    )


def _bodies(ours, theirs) -> Made:
    random = np.random.default_rng(1)
    place, mass, force = random.random((2000, 3)), random.random(2000), np.zeros((2000, 3))
    return (
        "n-body, forces between 2,000",
        lambda: ours.forces(place, mass, force),
        lambda: theirs.forces(place, mass, force),
        lambda _: np.allclose((force * mass[:, None]).sum(axis=0), 0, atol=1e-3 * np.abs(force).max()),
    )


def _jacobi(ours, theirs) -> Made:
    begun = np.random.default_rng(1).random((1000, 1000))
    right = theirs.jacobi(begun.copy(), begun.copy(), 10)

    def with_(compiled) -> Callable[[], object]:
        old, new = begun.copy(), begun.copy()

        def call() -> object:
            old[:] = new[:] = begun
            return compiled.jacobi(old, new, 10)

        return call

    return "Jacobi, 1000 x 1000, 10 steps", with_(ours), with_(theirs), lambda found: np.allclose(found, right)


def _k_means(ours, theirs) -> Made:
    random = np.random.default_rng(1)
    points = random.random((200_000, 4))
    labels = np.zeros(len(points), np.int64)
    right = points[:10].copy()
    theirs.k_means(points, right, labels, 3)
    centres = points[:10].copy()

    def with_(compiled) -> Callable[[], None]:
        def call() -> None:
            centres[:] = points[:10]
            compiled.k_means(points, centres, labels, 3)

        return call

    return (
        "k-means, 200,000 points, 10 centres, 3 steps",
        with_(ours),
        with_(theirs),
        lambda _: np.allclose(centres, right),
    )
