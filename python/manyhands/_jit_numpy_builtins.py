"""Python's functions of what can be iterated, of arrays, for compiled code (see `_jit_numpy`)."""

import numpy as np

from manyhands.loops import prange


def total(x, start):
    """`sum(x)`: in order, one after the other; of a matrix the sum of its rows."""
    if x.ndim == 1:
        whole = np.zeros(1, dtype=x.dtype)[0] + start
        for i in range(x.shape[0]):
            whole = whole + x[i]
        return whole
    else:
        if x.shape[0] == 0:
            raise ValueError("sum() of no rows is a number, and a row where there are some: use np.sum(x, axis=0)")
        rows = np.zeros(x.shape[1:], dtype=x.dtype) + start
        for i in range(x.shape[0]):
            rows += x[i]
        return rows


def greatest(x):
    """`max(x)`: the first that nothing is greater than."""
    if x.shape[0] == 0:
        raise ValueError("max() iterable argument is empty")
    best = x[0]
    for i in prange(1, x.shape[0]):
        best = max(best, x[i])
    return best


def least(x):
    """`min(x)`: the first that nothing is less than."""
    if x.shape[0] == 0:
        raise ValueError("min() iterable argument is empty")
    best = x[0]
    for i in prange(1, x.shape[0]):
        best = min(best, x[i])
    return best


def every(x):
    """`all(x)`."""
    return bool(np.all(x))


def some(x):
    """`any(x)`."""
    return bool(np.any(x))
