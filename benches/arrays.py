"""Functions of whole arrays that manyhands and numba compile, from one text: see `harness.with_numba`.

Distances and Simpson's rule are written as the teaching documents write them.
"""

from __future__ import annotations

import numpy as np

import manyhands as nb


@nb.njit(parallel=True)
def cdist(xs, ys):
    m, n = len(xs), len(ys)
    res = np.empty((m, n))
    for i in nb.prange(m):
        for j in range(n):
            res[i, j] = np.sqrt(np.sum((ys[j] - xs[i]) ** 2))
    return res


@nb.njit(parallel=True)
def simpson(x1, x2, n):
    x = np.linspace(x1, x2, n)
    dx = x[1] - x[0]
    tot = np.exp(x[0]) + np.exp(x[-1])
    tot = tot + 4 * np.sum(np.exp(x[1::2]))
    tot = tot + 2 * np.sum(np.exp(x[2:-1:2]))
    return dx * tot / 3


@nb.njit(parallel=True)
def product(a, b):
    return a @ b
