"""Python's functions of what can be iterated, of arrays, for compiled code (see `_jit_numpy`)."""

import math

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


def exact_total(x):
    """`math.fsum(x)`: rounded once, from partial sums that share no bits (Shewchuk 1997), as CPython keeps them."""
    partials = np.empty(64)
    count = 0
    special, infinite = 0.0, 0.0
    for k in range(x.shape[0]):
        value = float(x[k])
        given = value
        kept = 0
        for j in range(count):
            other = float(partials[j])
            if abs(value) < abs(other):
                value, other = other, value
            high = value + other
            low = other - (high - value)
            if low != 0.0:
                partials[kept] = low
                kept += 1
            value = high
        count = kept
        if value != 0.0:
            if math.isfinite(value):
                if count == len(partials):
                    more = np.empty(2 * count)
                    more[:count] = partials
                    partials = more
                partials[count] = value
                count += 1
            else:
                if math.isfinite(given):
                    raise OverflowError("intermediate overflow in fsum")
                if math.isinf(given):
                    infinite += given
                special += given
                count = 0
    if special != 0.0:
        if math.isnan(infinite):
            raise ValueError("-inf + inf in fsum")
        return special
    high, low = 0.0, 0.0
    while count > 0 and low == 0.0:
        count -= 1
        other = float(partials[count])
        value = high
        high = value + other
        low = other - (high - value)
    # Half way between two floats: what is left decides.
    if count > 0 and ((low < 0.0 and partials[count - 1] < 0.0) or (low > 0.0 and partials[count - 1] > 0.0)):
        twice = low * 2.0
        value = high + twice
        if twice == value - high:
            high = value
    return high
