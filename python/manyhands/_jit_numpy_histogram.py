"""Histograms, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import flat
from ._jit_numpy_sorting import _place


def histogram(a, bins=10, range=None, density=None, weights=None):
    """`np.histogram`, in equal bins or between edges: counts (or sums of weights, or densities), and the edges."""
    x = a.ravel()
    if weights is not None:
        if weights.shape != a.shape:
            raise ValueError("weights should have the same shape as a.")
        if weights.dtype == np.bool_:
            raise NotImplementedError("np.histogram is compiled for weights that are numbers")
    if isinstance(bins, tuple) or np.ndim(bins) != 0:
        edges = flat(bins)
        if np.ndim(np.asarray(bins)) > 1:
            raise ValueError("`bins` must be 1d, when an array")
        for i in np.arange(1, edges.shape[0]):
            if edges[i - 1] > edges[i]:
                raise ValueError("`bins` must increase monotonically, when an array")
        if weights is None:
            counts = np.zeros(max(edges.shape[0] - 1, 0), dtype=np.int64)
            _between_edges(counts, x, edges, None)
        else:
            counts = np.zeros(max(edges.shape[0] - 1, 0), dtype=weights.dtype)
            _between_edges(counts, x, edges, weights.ravel())
        if density:
            return counts / (np.float64(edges[1:]) - np.float64(edges[:-1])) / counts.sum(), edges
        else:
            return counts, edges
    else:
        if bins < 1:
            raise ValueError("`bins` must be positive, when an integer")
        low, high = _bounds(x, range)
        if range is None:
            edges = _equal(low, high, bins, x.dtype)
        else:
            edges = _equal(low, high, bins, np.result_type(x, range[0], range[1]))
        if weights is None:
            counts = np.zeros(bins, dtype=np.int64)
            _in_equal(counts, x, edges, low, high, None)
        else:
            counts = np.zeros(bins, dtype=weights.dtype)
            _in_equal(counts, x, edges, low, high, weights.ravel())
        if density:
            return counts / (np.float64(edges[1:]) - np.float64(edges[:-1])) / counts.sum(), edges
        else:
            return counts, edges


def _bounds(x, range):
    if range is None:
        low, high = 0.0, 1.0
        if x.shape[0] > 0:
            low = float(x.min())
            high = float(x.max())
        if not (abs(low) < np.inf and abs(high) < np.inf):
            raise ValueError(f"autodetected range of [{low}, {high}] is not finite")
    else:
        low, high = float(range[0]), float(range[1])
        if low > high:
            raise ValueError("max must be larger than min in range parameter.")
        if not (abs(low) < np.inf and abs(high) < np.inf):
            raise ValueError(f"supplied range of [{low}, {high}] is not finite")
    if low == high:
        return low - 0.5, high + 0.5
    return low, high


def _equal(low, high, bins, dtype):
    if dtype == np.float32:
        start = np.float32(low)
        step = (np.float32(high) - start) / np.float32(bins)
        edges = np.empty(bins + 1, dtype=np.float32)
        for i in range(bins):
            edges[i] = np.float32(i) * step + start
        edges[bins] = np.float32(high)
        return edges
    else:
        return np.linspace(low, high, bins + 1)


def _in_equal(counts, x, edges, low, high, weights):
    bins = counts.shape[0]
    for i in range(x.shape[0]):
        value = x[i]
        if value >= low and value <= high:
            k = min(int((value - low) / (high - low) * bins), bins - 1)
            # Edges are rounded: the bin is the one between whose edges the number lies.
            if k > 0 and value < edges[k]:
                k -= 1
            elif k < bins - 1 and value >= edges[k + 1]:
                k += 1
            if weights is None:
                counts[k] += 1
            else:
                counts[k] += weights[i]


def _between_edges(counts, x, edges, weights):
    bins = counts.shape[0]
    for i in range(x.shape[0]):
        value = x[i]
        # Past the last edge there is no number, nor nan: what lies on it is in the last bin.
        if bins > 0 and value >= edges[0] and value <= edges[bins]:
            k = min(_place(edges, value, True), bins) - 1
            if value == edges[bins]:
                k = bins - 1
            if weights is None:
                counts[k] += 1
            else:
                counts[k] += weights[i]
