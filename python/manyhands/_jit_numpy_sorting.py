"""Order: sorting, searching and counting, for compiled code (see `_jit_numpy`)."""

import numpy as np


def _before(x, y):
    """Whether x comes before y: nan behind all numbers."""
    return x < y or (x == x and y != y)


def _order(a, order):
    """Numbers of elements in their order, equal ones as they stand: neighbouring runs are merged."""
    n = a.shape[0]
    other = np.empty(n, dtype=np.int64)
    width = 1
    while width < n:
        for low in range(0, n, 2 * width):
            middle = min(low + width, n)
            high = min(low + 2 * width, n)
            i = low
            j = middle
            for k in range(low, high):
                if j >= high or (i < middle and not _before(a[order[j]], a[order[i]])):
                    other[k] = order[i]
                    i += 1
                else:
                    other[k] = order[j]
                    j += 1
        order[:] = other
        width *= 2


def _numbers(n):
    numbers = np.empty(n, dtype=np.int64)
    for i in range(n):
        numbers[i] = i
    return numbers


def _sort_vector(a):
    """Sorts in place, by merging."""
    n = a.shape[0]
    other = np.empty(n, dtype=a.dtype)
    width = 1
    while width < n:
        for low in range(0, n, 2 * width):
            middle = min(low + width, n)
            high = min(low + 2 * width, n)
            i = low
            j = middle
            for k in range(low, high):
                if j >= high or (i < middle and not _before(a[j], a[i])):
                    other[k] = a[i]
                    i += 1
                else:
                    other[k] = a[j]
                    j += 1
        a[:] = other
        width *= 2


def sort_in_place(a):
    """`a.sort()`: along the last axis."""
    if a.ndim == 1:
        _sort_vector(a)
    elif a.ndim == 2:
        for i in range(a.shape[0]):
            _sort_vector(a[i])
    else:
        raise NotImplementedError("sorting is compiled for vectors, and for rows of matrices")


def _check_axis(a, axis):
    if axis is None:
        if a.ndim != 1:
            raise NotImplementedError("axis=None is compiled for vectors")
    elif axis < -a.ndim or axis >= a.ndim:
        raise ValueError("axis is out of bounds for the array")


def sort(a, axis=-1):
    """`np.sort`: a sorted copy."""
    _check_axis(a, axis)
    out = a.copy()
    if a.ndim == 2 and (axis == 0 or axis == -2):
        for j in range(a.shape[1]):
            _sort_vector(out[:, j])
    else:
        sort_in_place(out)
    return out


def argsort(a, axis=-1, kind=None):
    """`np.argsort`: always stable."""
    _check_axis(a, axis)
    if a.ndim == 1:
        order = _numbers(a.shape[0])
        _order(a, order)
        return order
    elif a.ndim == 2 and axis != 0 and axis != -2:
        orders = np.empty(a.shape, dtype=np.int64)
        for i in range(a.shape[0]):
            order = _numbers(a.shape[1])
            _order(a[i], order)
            orders[i] = order
        return orders
    else:
        raise NotImplementedError("np.argsort is compiled for vectors, and for rows of matrices")


def _place(a, x, right):
    low = 0
    high = a.shape[0]
    while low < high:
        middle = (low + high) // 2
        after = not _before(x, a[middle]) if right else _before(a[middle], x)
        if after:
            low = middle + 1
        else:
            high = middle
    return low


def searchsorted(a, v, side="left"):
    """`np.searchsorted`."""
    if side != "left" and side != "right":
        raise ValueError("search side must be 'left' or 'right'")
    right = side == "right"
    if np.ndim(v) == 0:
        return np.int64(_place(a, v, right))
    elif v.ndim == 1:
        out = np.empty(v.shape[0], dtype=np.int64)
        for i in range(v.shape[0]):
            out[i] = _place(a, v[i], right)
        return out
    else:
        raise NotImplementedError("np.searchsorted looks for numbers, and for vectors of them")


def median(a):
    """`np.median` of all elements of a vector."""
    if a.ndim != 1:
        raise NotImplementedError("np.median is compiled for vectors")
    n = a.shape[0]
    if n == 0:
        return np.mean(a)
    ordered = sort(a)
    if ordered[n - 1] != ordered[n - 1]:
        return np.mean(ordered[n - 1 :])
    if n % 2 == 1:
        return np.mean(ordered[n // 2 : n // 2 + 1])
    return np.mean(ordered[n // 2 - 1 : n // 2 + 1])


def bincount(x, weights=None, minlength=0):
    """`np.bincount`."""
    if x.ndim != 1:
        raise ValueError("object too deep for desired array")
    most = -1
    for i in range(x.shape[0]):
        if x[i] < 0:
            raise ValueError("'list' argument must have no negative elements")
        most = max(most, int(x[i]))
    length = max(most + 1, minlength)
    if weights is None:
        counts = np.zeros(length, dtype=np.int64)
        for i in range(x.shape[0]):
            counts[x[i]] += 1
        return counts
    else:
        if weights.shape[0] != x.shape[0]:
            raise ValueError("The weights and list don't have the same length.")
        sums = np.zeros(length)
        for i in range(x.shape[0]):
            sums[x[i]] += weights[i]
        return sums


def histogram(a, bins=10, range=None):
    """`np.histogram` of a vector in so many equal bins: counts, and the edges."""
    if a.ndim != 1:
        raise NotImplementedError("np.histogram is compiled for vectors")
    if np.ndim(bins) != 0:
        raise NotImplementedError("np.histogram is compiled for a number of bins")
    if range is None:
        if a.shape[0] == 0:
            low = 0.0
            high = 1.0
        else:
            low = float(a.min())
            high = float(a.max())
    else:
        low = float(range[0])
        high = float(range[1])
    if low == high:
        low -= 0.5
        high += 0.5
    edges = np.linspace(low, high, bins + 1)
    counts = np.zeros(bins, dtype=np.int64)
    i = 0
    while i < a.shape[0]:
        x = a[i]
        i += 1
        if x >= low and x <= high:
            k = min(int((x - low) / (high - low) * bins), bins - 1)
            # Edges are rounded: the bin is the one between whose edges the number lies.
            if k > 0 and x < edges[k]:
                k -= 1
            elif k < bins - 1 and x >= edges[k + 1]:
                k += 1
            counts[k] += 1
    return counts, edges


def interp(x, xp, fp, left=None, right=None):
    """`np.interp`."""
    if xp.shape[0] == 0:
        raise ValueError("array of sample points is empty")
    if xp.shape[0] != fp.shape[0]:
        raise ValueError("fp and xp are not of the same length.")
    low = np.float64(fp[0]) if left is None else np.float64(left)
    high = np.float64(fp[-1]) if right is None else np.float64(right)
    if np.ndim(x) == 0:
        return np.float64(_between(x, xp, fp, low, high))
    elif x.ndim == 1:
        out = np.empty(x.shape[0])
        for i in range(x.shape[0]):
            out[i] = _between(x[i], xp, fp, low, high)
        return out
    else:
        raise NotImplementedError("np.interp is compiled for numbers and vectors")


def _between(x, xp, fp, low, high):
    n = xp.shape[0]
    if x != x and n > 1:
        return np.float64(x)
    if x < xp[0]:
        return low
    if x > xp[n - 1]:
        return high
    if x == xp[n - 1] or n == 1:
        return np.float64(fp[n - 1])
    k = _place(xp, x, True) - 1
    slope = (fp[k + 1] - fp[k]) / (xp[k + 1] - xp[k])
    return np.float64(slope * (x - xp[k]) + fp[k])
