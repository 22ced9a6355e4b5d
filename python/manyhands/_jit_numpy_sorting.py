"""Order: sorting, searching and counting, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import kept, reduced, within


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


def sort_in_place(a, axis=-1, kind=None):
    """`a.sort()`: along an axis."""
    within(a, axis)
    if axis == -1 or axis == a.ndim - 1:
        _sort_rows(a)
    elif a.ndim == 2:
        _sort_strided(a.T)
    else:
        _sort_strided(np.swapaxes(a, axis, -1))


def _sort_rows(a):
    if a.ndim == 1:
        _sort_vector(a)
    else:
        for i in range(a.shape[0]):
            _sort_rows(a[i])


def _sort_strided(a):
    """Each row in a place of its own: its elements lie far from each other."""
    if a.ndim == 1:
        row = a.copy()
        _sort_vector(row)
        a[:] = row
    else:
        for i in range(a.shape[0]):
            _sort_strided(a[i])


def sort(a, axis=-1, kind=None):
    """`np.sort`: a sorted copy."""
    if axis is None:
        out = a.flatten()
        _sort_vector(out)
        return out
    else:
        out = a.copy()
        sort_in_place(out, axis)
        return out


def argsort(a, axis=-1, kind=None):
    """`np.argsort`: always stable."""
    if axis is None:
        return argsort(a.ravel())
    elif a.ndim == 1:
        within(a, axis)
        order = _numbers(a.shape[0])
        _order(a, order)
        return order
    else:
        within(a, axis)
        orders = np.empty(a.shape, dtype=np.int64)
        if axis == -1 or axis == a.ndim - 1:
            _order_rows(a, orders)
        elif a.ndim == 2:
            _order_rows(a.T, orders.T)
        else:
            _order_rows(np.swapaxes(a, axis, -1), np.swapaxes(orders, axis, -1))
        return orders


def _order_rows(a, orders):
    if a.ndim == 1:
        order = _numbers(a.shape[0])
        _order(a, order)
        orders[:] = order
    else:
        for i in range(a.shape[0]):
            _order_rows(a[i], orders[i])


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
    if a.ndim != 1:
        raise ValueError("searchsorted looks into a vector")
    if np.ndim(v) == 0:
        return np.int64(_place(a, v, side == "right"))
    else:
        right = side == "right"
        values = v.ravel()
        out = np.empty(values.shape[0], dtype=np.int64)
        for i in range(values.shape[0]):
            out[i] = _place(a, values[i], right)
        return out.reshape(v.shape)


def median(a, axis=None, keepdims=False):
    """`np.median` of all elements, or along an axis."""
    if axis is None:
        found = _middle(sort(a, None), None)
        if keepdims:
            return kept(found, a.ndim, np.mean(np.empty(1, a.dtype)).dtype)
        else:
            return found
    elif isinstance(axis, tuple):
        raise NotImplementedError("np.median is compiled along one axis, and of all elements")
    else:
        within(a, axis)
        rows = np.swapaxes(a, axis, -1).copy()
        _sort_rows(rows)
        return reduced(rows, axis, keepdims, np.mean(np.empty(1, a.dtype)).dtype, _middle, None)


def _middle(ordered, told):
    n = ordered.shape[0]
    if n == 0:
        return np.mean(ordered)
    if ordered[n - 1] != ordered[n - 1]:
        return np.mean(ordered[n - 1 :])
    if n % 2 == 1:
        return np.mean(ordered[n // 2 : n // 2 + 1])
    return np.mean(ordered[n // 2 - 1 : n // 2 + 1])


def bincount(x, weights=None, minlength=0):
    """`np.bincount`."""
    if x.ndim != 1:
        raise ValueError("object too deep for desired array")
    if np.result_type(x.dtype, np.int64) != np.int64:
        raise TypeError("Cannot cast array data to dtype('int64') according to the rule 'safe'")
    if minlength < 0:
        raise ValueError("'minlength' must not be negative")
    if weights is None:
        counts = np.zeros(_bins_of(x, minlength), dtype=np.int64)
        for i in range(x.shape[0]):
            counts[np.int64(x[i])] += 1
        return counts
    elif weights.ndim != 1:
        raise ValueError("object of too small depth, or too deep, for desired array")
    else:
        length = _bins_of(x, minlength)
        if weights.shape[0] != x.shape[0]:
            raise ValueError("The weights and list don't have the same length.")
        sums = np.zeros(length)
        for i in range(x.shape[0]):
            sums[np.int64(x[i])] += weights[i]
        return sums


def _bins_of(x, minlength):
    most = -1
    for i in range(x.shape[0]):
        if x[i] < 0:
            raise ValueError("'list' argument must have no negative elements")
        most = max(most, int(x[i]))
    return max(most + 1, minlength)


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
    else:
        places = x.ravel()
        out = np.empty(places.shape[0])
        for i in range(places.shape[0]):
            out[i] = _between(places[i], xp, fp, low, high)
        return out.reshape(x.shape)


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
