"""Shares, means and sums along, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_sorting import sort


def _share(s, q):
    n = len(s)
    if not (q >= 0 and q <= 1):
        raise ValueError("Quantiles must be in the range [0, 1]")
    if n == 0 or s[n - 1] != s[n - 1]:
        return np.float64(np.nan)
    place = q * (n - 1)
    k = min(int(place), n - 1)
    t = place - k
    low, high = np.float64(s[k]), np.float64(s[min(k + 1, n - 1)])
    if t < 0.5:
        return low + (high - low) * t
    return high - (high - low) * (1 - t)


def quantile(a, q):
    """Shares of all elements in order, linear between two; of one share or of an array of them."""
    s = sort(a, None)
    if np.ndim(q) == 0:
        return _share(s, np.float64(q))
    else:
        out = np.empty(len(q))
        for i in range(len(q)):
            out[i] = _share(s, np.float64(q[i]))
        return out


def percentile(a, q):
    """The same, in hundredths."""
    return quantile(a, q / 100)


def ptp(a):
    """From the least of all elements to the greatest."""
    return np.max(a) - np.min(a)


def average(a, weights=None):
    """Mean of all elements, weighted or not."""
    if weights is None:
        return np.mean(a)
    else:
        whole = np.sum(weights)
        if whole == 0:
            raise ZeroDivisionError("Weights sum to zero, can't be normalized")
        return np.sum(a * weights) / whole


def trapezoid(y, x=None, dx=1.0):
    """Area under a curve of one dimension."""
    if x is None:
        return np.sum(dx * (y[1:] + y[:-1]) / 2.0)
    else:
        return np.sum((x[1:] - x[:-1]) * (y[1:] + y[:-1]) / 2.0)


def convolve(a, v, mode="full"):
    """Sums of one along the other, both of one dimension."""
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
