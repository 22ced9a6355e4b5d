"""Arrays with parts repeated, turned round, blanked or told apart, for compiled code (see `_jit_numpy`)."""

import numpy as np

from ._jit_numpy_axes import first, within
from ._jit_numpy_sorting import searchsorted, sort


def tile(A, reps):
    """An array so often, along its last axis or along each."""
    if A.ndim > 3 or (isinstance(reps, tuple) and len(reps) > 3):
        raise NotImplementedError("np.tile is compiled for up to three dimensions")
    if isinstance(reps, tuple):
        return _tile(A, reps)
    else:
        return _tile(A, (reps,))


def _tile(A, reps):
    if A.ndim < len(reps):
        return _tile(A[None], reps)
    elif A.ndim > len(reps):
        return _tile(A, (1,) + reps)  # noqa: RUF005 (compiled code unpacks no tuples)
    elif len(reps) == 1:
        n = A.shape[0]
        out = np.empty(n * max(reps[0], 0), A.dtype)
        for k in range(reps[0]):
            out[k * n : (k + 1) * n] = A
        return out
    elif len(reps) == 2:
        n, m = A.shape
        out = np.empty((n * max(reps[0], 0), m * max(reps[1], 0)), A.dtype)
        for k in range(reps[0]):
            for p in range(reps[1]):
                out[k * n : (k + 1) * n, p * m : (p + 1) * m] = A
        return out
    else:
        n, m, o = A.shape
        out = np.empty((n * max(reps[0], 0), m * max(reps[1], 0), o * max(reps[2], 0)), A.dtype)
        for k in range(reps[0]):
            for p in range(reps[1]):
                for q in range(reps[2]):
                    out[k * n : (k + 1) * n, p * m : (p + 1) * m, q * o : (q + 1) * o] = A
        return out


def expand_dims(a, axis):
    """A view with a new axis of one element: before the others, behind them, or second."""
    if axis == 0 or axis == -a.ndim - 1:
        return a[None]
    elif axis == -1 or axis == a.ndim:
        return a[..., None]
    elif axis < -a.ndim or axis > a.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {a.ndim + 1}")
    elif axis == 1 or axis == -a.ndim:
        return a[:, None]
    else:
        raise NotImplementedError("np.expand_dims is compiled for the first two axes and the last")


def squeeze(a, axis=None):
    """A view without an axis of one element."""
    if axis is None or isinstance(axis, tuple):
        raise NotImplementedError("np.squeeze is compiled for one axis: how many it takes off must be known")
    within(a, axis)
    if a.shape[axis] != 1:
        raise ValueError("cannot select an axis to squeeze out which has size not equal to one")
    if a.ndim == 1:
        return a.reshape(())
    else:
        return first(a, axis)


def meshgrid(x, y, indexing="xy"):
    """`np.meshgrid` of two vectors."""
    rows, columns = x.ravel(), y.ravel()
    if indexing == "xy":
        first_of, second_of = np.empty((len(columns), len(rows)), x.dtype), np.empty((len(columns), len(rows)), y.dtype)
        first_of[:] = rows
        second_of[:] = columns[:, None]
        return first_of, second_of
    elif indexing == "ij":
        first_of, second_of = np.empty((len(rows), len(columns)), x.dtype), np.empty((len(rows), len(columns)), y.dtype)
        first_of[:] = rows[:, None]
        second_of[:] = columns
        return first_of, second_of
    else:
        raise ValueError("Valid values for `indexing` are 'xy' and 'ij'.")


def flipud(m):
    """The last row first: a view."""
    if m.ndim < 1:
        raise ValueError("Input must be >= 1-d.")
    return m[::-1]


def fliplr(m):
    """The last column first: a view."""
    if m.ndim < 2:
        raise ValueError("Input must be >= 2-d.")
    return m[:, ::-1]


def ediff1d(ary):
    """Differences of neighbours, of all elements row by row."""
    flat = ary.ravel()
    return flat[1:] - flat[:-1]


def tril(m, k=0):
    """The matrices of the last two axes with zeros above a diagonal; a vector is each row of one."""
    if m.ndim == 1:
        return tril(_square(m), k)
    else:
        out = m.copy()
        for i in range(m.shape[m.ndim - 2]):
            out[..., i, max(i + k + 1, 0) :] = 0
        return out


def triu(m, k=0):
    """The matrices of the last two axes with zeros below a diagonal; a vector is each row of one."""
    if m.ndim == 1:
        return triu(_square(m), k)
    else:
        out = m.copy()
        for i in range(m.shape[m.ndim - 2]):
            out[..., i, : max(i + k, 0)] = 0
        return out


def _square(row):
    out = np.empty((row.shape[0], row.shape[0]), row.dtype)
    out[:] = row
    return out


def partition(a, kth, axis=-1):
    """Sorted whole, which is more than NumPy promises."""
    if axis is None:
        return partition(a.ravel(), kth)
    else:
        within(a, axis)
        if kth < -a.shape[axis] or kth >= a.shape[axis]:
            raise ValueError(f"kth(={kth}) out of bounds ({a.shape[axis]})")
        return sort(a, axis)


def digitize(x, bins, right=False):
    """Numbers of the bins, which grow or fall."""
    up = True
    down = True
    for i in range(1, len(bins)):
        up = up and bins[i] >= bins[i - 1]
        down = down and bins[i] <= bins[i - 1]
    if not up and not down:
        raise ValueError("bins must be monotonically increasing or decreasing")
    if up:
        return _numbered(bins, x, right, 0, 1)
    return _numbered(bins[::-1], x, right, len(bins), -1)


def _numbered(bins, x, right, least, sign):
    if right:
        return least + sign * searchsorted(bins, x, side="left")
    return least + sign * searchsorted(bins, x, side="right")
