"""Arrays with parts repeated, turned round, blanked or told apart, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_parts import diff
from ._jit_numpy_sorting import searchsorted, sort


def tile(A, reps):
    """An array of one dimension, so often."""
    n = len(A)
    reps = max(reps, 0)
    out = np.empty(n * reps, A.dtype)
    for k in range(reps):
        out[k * n : (k + 1) * n] = A
    return out


def flipud(m):
    """The last row first: a view."""
    return m[::-1]


def fliplr(m):
    """The last column first: a view."""
    return m[:, ::-1]


def ediff1d(ary):
    """Differences of neighbours, of one dimension."""
    return diff(ary)


def tril(m, k=0):
    """A matrix with zeros above a diagonal."""
    out = m.copy()
    for i in range(m.shape[0]):
        for j in range(max(i + k + 1, 0), m.shape[1]):
            out[i, j] = 0
    return out


def triu(m, k=0):
    """A matrix with zeros below a diagonal."""
    out = m.copy()
    for i in range(m.shape[0]):
        for j in range(min(max(i + k, 0), m.shape[1])):
            out[i, j] = 0
    return out


def partition(a, kth, axis=-1):
    """Sorted whole, which is more than NumPy promises."""
    return sort(a, axis)


def digitize(x, bins, right=False):
    """Numbers of the bins, which must grow."""
    for i in range(1, len(bins)):
        if bins[i] < bins[i - 1]:
            raise NotImplementedError("bins that fall: reverse them")
    if right:
        return searchsorted(bins, x, side="left")
    return searchsorted(bins, x, side="right")
