"""Shares, means and sums along, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import flat, kept, reduced, within
from ._jit_numpy_sorting import sort, sort_in_place


def _share(s, q):
    """What lies at a share of a sorted vector, in the type of the share: linear between two."""
    kind = np.result_type(q)
    n = len(s)
    if not (q >= 0 and q <= 1):
        raise ValueError("Quantiles must be in the range [0, 1]")
    if n == 0:
        raise IndexError("index -1 is out of bounds for axis 0 with size 0")
    if s[n - 1] != s[n - 1]:
        return np.full(1, np.nan, kind)[0]
    place = q * (n - 1)
    k = min(int(place), n - 1)
    t = place - k
    pair = np.empty(2, kind)
    pair[0] = s[k]
    pair[1] = s[min(k + 1, n - 1)]
    low, high = pair[0], pair[1]
    if t < 0.5:
        return low + (high - low) * t
    return high - (high - low) * (1 - t)


def quantile(a, q, axis=None, keepdims=False):
    """Shares in order, of all elements or along an axis; of one share or of several."""
    if isinstance(q, tuple):
        return _quantile(a, np.float64(np.array(q)), axis, keepdims)
    elif np.ndim(q) == 0 and a.dtype == np.float32:
        return _quantile(a, np.float32(q), axis, keepdims)
    else:
        return _quantile(a, np.float64(q), axis, keepdims)


def percentile(a, q, axis=None, keepdims=False):
    """The same, in hundredths."""
    if isinstance(q, tuple):
        return _quantile(a, np.array(q) / 100.0, axis, keepdims)
    elif np.ndim(q) == 0 and a.dtype == np.float32:
        return _quantile(a, np.float32(q) / np.float32(100), axis, keepdims)
    else:
        return _quantile(a, np.float64(q / 100), axis, keepdims)


def _quantile(a, q, axis, keepdims):
    if a.dtype == np.bool_:
        raise TypeError("numpy boolean subtract, the `-` operator, is not supported")
    if np.ndim(q) == 1:
        return _quantiles(a, q, axis, keepdims)
    elif np.ndim(q) != 0:
        raise NotImplementedError("quantiles are compiled for a share, and for a vector of them")
    elif axis is None:
        found = _share(sort(a, None), q)
        if keepdims:
            return kept(found, a.ndim, np.result_type(q))
        else:
            return found
    else:
        within(a, axis)
        rows = np.swapaxes(a, axis, -1).copy()
        sort_in_place(rows)
        return reduced(rows, axis, keepdims, np.result_type(q), _share, q)


def _quantiles(a, q, axis, keepdims):
    if axis is None:
        if keepdims:
            raise NotImplementedError("several shares of all elements are compiled without keepdims=True")
        ordered = sort(a, None)
        out = np.empty(len(q))
        for i in range(len(q)):
            out[i] = _share(ordered, q[i])
        return out
    else:
        within(a, axis)
        rows = np.swapaxes(a, axis, -1).copy()
        sort_in_place(rows)
        shape = np.any(a, axis=axis, keepdims=keepdims).shape if a.ndim > 1 or keepdims else a.shape[:0]
        out = np.empty((len(q),) + shape)  # noqa: RUF005 (compiled code unpacks no tuples)
        for i in range(len(q)):
            out[i] = reduced(rows, axis, keepdims, np.float64, _share, q[i])
        return out


def ptp(a):
    """From the least of all elements to the greatest."""
    return np.max(a) - np.min(a)


def average(a, axis=None, weights=None, keepdims=False):
    """Mean of all elements or along an axis, weighted or not."""
    if weights is None:
        return np.mean(a, axis=axis, keepdims=keepdims)
    elif weights.ndim == a.ndim:
        if weights.shape != a.shape:
            raise TypeError("Axis must be specified when shapes of a and weights differ.")
        return _weighted(a, axis, weights, keepdims)
    elif axis is None:
        raise TypeError("Axis must be specified when shapes of a and weights differ.")
    elif weights.ndim != 1 or isinstance(axis, tuple):
        raise NotImplementedError("np.average is compiled for weights of each element, and along one axis")
    else:
        within(a, axis)
        if weights.shape[0] != a.shape[axis]:
            raise ValueError("Shape of weights must be consistent with shape of a along specified axis.")
        each = np.empty(a.shape, weights.dtype)
        np.swapaxes(each, axis, -1)[...] = weights
        return _weighted(a, axis, each, keepdims)


def _weighted(a, axis, weights, keepdims):
    whole = np.sum(weights, axis=axis, keepdims=keepdims)
    if np.any(flat(whole == 0)):
        raise ZeroDivisionError("Weights sum to zero, can't be normalized")
    return np.sum(a * weights, axis=axis, keepdims=keepdims) / whole


def trapezoid(y, x=None, dx=1.0, axis=-1):
    """Area under a curve: under each along an axis."""
    within(y, axis)
    if axis == -1 or axis == y.ndim - 1:
        if x is None:
            return np.sum(dx * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
        else:
            return np.sum((x[..., 1:] - x[..., :-1]) * (y[..., 1:] + y[..., :-1]) / 2.0, axis=-1)
    else:
        rows = np.swapaxes(y, axis, -1)
        upper, lower = np.swapaxes(rows[..., 1:], axis, -1), np.swapaxes(rows[..., :-1], axis, -1)
        if x is None:
            return np.sum(dx * (upper + lower) / 2.0, axis=axis)
        elif x.ndim == 1:
            steps = np.empty(upper.shape, x.dtype)
            np.swapaxes(steps, axis, -1)[...] = x[1:] - x[:-1]
            return np.sum(steps * (upper + lower) / 2.0, axis=axis)
        else:
            raise NotImplementedError("np.trapezoid is compiled for places that are a vector, or along the last axis")


def gradient(f, step=1.0, axis=None):
    """`np.gradient` with equal steps: of a vector, along an axis, or of a matrix along both."""
    if np.ndim(step) != 0:
        raise NotImplementedError("np.gradient is compiled for equal steps")
    if axis is not None:
        within(f, axis)
        return _slopes_along(f, step, axis)
    elif f.ndim == 1:
        return _slopes(f, step)
    elif f.ndim == 2:
        return _slopes_along(f, step, 0), _slopes(f, step)
    else:
        raise NotImplementedError("np.gradient is compiled for vectors and matrices, and along an axis")


def _slopes_along(f, step, axis):
    return np.swapaxes(_slopes(np.swapaxes(f, axis, -1), step), axis, -1)


def _slopes(f, step):
    n = f.shape[f.ndim - 1]
    if f.dtype == np.bool_:
        raise TypeError("numpy boolean subtract, the `-` operator, is not supported")
    if n < 2:
        raise ValueError("Shape of array too small to calculate a numerical gradient: two elements are needed.")
    out = np.empty(f.shape, np.mean(np.empty(1, f.dtype)).dtype)
    out[..., 1:-1] = (f[..., 2:] * 1.0 - f[..., :-2]) / (2.0 * step)
    out[..., 0] = (f[..., 1] * 1.0 - f[..., 0]) / step
    out[..., n - 1] = (f[..., n - 1] * 1.0 - f[..., n - 2]) / step
    return out


def cov(m, y=None, rowvar=True, bias=False, ddof=None):
    """`np.cov` of a matrix, whose rows are variables; or whose columns are."""
    if y is not None or m.ndim != 2:
        raise NotImplementedError("np.cov is compiled for one matrix")
    if not rowvar:
        return _cov(m.T, bias, ddof)
    else:
        return _cov(m, bias, ddof)


def _cov(m, bias, ddof):
    if m.shape[0] == 1:
        raise NotImplementedError("np.cov of one variable is compiled as np.var(x, ddof=1)")
    less = 0 if bias else 1
    if ddof is not None:
        less = ddof
    free = max(m.shape[1] - less, 0)
    wide = m.astype(np.result_type(m.dtype, np.float64))
    apart = wide - np.mean(wide, axis=1, keepdims=True)
    return (apart @ np.conj(apart).T) / np.float64(free)


def convolve(a, v, mode="full"):
    """Sums of one along the other, both of one dimension."""
    if np.ndim(a) == 0 or np.ndim(v) == 0:
        raise NotImplementedError("np.convolve is compiled for vectors")
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError("object too deep for desired array")
    if len(a) == 0:
        raise ValueError("a cannot be empty")
    if len(v) == 0:
        raise ValueError("v cannot be empty")
    n, m = len(a), len(v)
    whole = np.zeros(n + m - 1, (np.empty(0, a.dtype) * np.empty(0, v.dtype)).dtype)
    for i in range(n):
        for j in range(m):
            whole[i + j] += a[i] * v[j]
    least, most = min(n, m), max(n, m)
    if mode == "full":
        return whole
    elif mode == "same":
        return whole[(least - 1) // 2 : (least - 1) // 2 + most].copy()
    elif mode == "valid":
        return whole[least - 1 : most].copy()
    else:
        raise ValueError("mode must be one of 'full', 'same', or 'valid'")
