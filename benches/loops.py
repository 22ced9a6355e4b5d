"""The loops that manyhands and numba compile, from one text: see `harness.with_numba`.

They are written as the teaching documents write such loops.
"""

from __future__ import annotations

import math
import random

import numpy as np

import manyhands as nb


@nb.njit(parallel=True)
def pi(n):
    inside = 0
    for _ in nb.prange(n):
        x = random.uniform(-1, 1)
        y = random.uniform(-1, 1)
        if x * x + y * y < 1:
            inside += 1
    return 4 * inside / n


@nb.njit(parallel=True)
def simpson(x0, x1, n):
    dx = (x1 - x0) / (n - 1)
    tot = 0.0
    for i in nb.prange(1, n - 1):
        tot = tot + (2 + 2 * (i & 1)) * np.exp(x0 + i * dx)
    tot = tot + np.exp(x0) + np.exp(x1)
    return dx * tot / 3


@nb.njit(parallel=True)
def distances(X, Y, Z):
    for i in nb.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            s = 0.0
            for k in nb.prange(X.shape[1]):
                t = X[i, k] - Y[j, k]
                s += t * t
            Z[i, j] = math.sqrt(s)


@nb.njit(parallel=True)
def distances_of_rows(X, Y, Z):
    for i in nb.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            Z[i, j] = np.sqrt(np.sum((Y[j] - X[i]) ** 2))


@nb.njit(parallel=True)
def distances_in_order(X, Y, Z):
    for i in nb.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            s = 0.0
            for k in range(X.shape[1]):
                t = X[i, k] - Y[j, k]
                s += t * t
            Z[i, j] = math.sqrt(s)


@nb.njit(parallel=True)
def autocorrelations(masks, acf):
    for n in nb.prange(masks.shape[0]):
        mask = masks[n]
        for t in range(acf.shape[1]):
            for i in range(1, len(mask) - t):
                acf[n, t] += mask[i] * mask[i + t]


@nb.njit(parallel=True)
def linear(out, a, b, c, x):
    for i in nb.prange(len(out)):
        out[i] = a[i] * x[i] + b[i] * x[i] - c[i]


@nb.njit
def sum_range(a):
    x = 0
    for i in range(a):
        x += i
    return x
