"""Axes of arrays, and numbers beside arrays, for compiled code (see `_jit_numpy`)."""

import numpy as np


def flat(x):
    """One dimension: of an array its elements row by row (a view where they lie so), of a number itself."""
    if isinstance(x, tuple):
        return np.array(x).ravel()
    elif isinstance(x, np.ndarray):
        return x.ravel()
    else:
        return np.array((x,))


def flat_all(arrays):
    """The same of each of a tuple."""
    if len(arrays) == 1:
        return (flat(arrays[0]),)
    else:
        return (flat(arrays[0]),) + flat_all(arrays[1:])  # noqa: RUF005 (compiled code unpacks no tuples)


def first(a, axis):
    """The first along an axis: a view without it."""
    if axis == 0 or axis == -a.ndim:
        return a[0]
    elif axis == -1 or axis == a.ndim - 1:
        return a[..., 0]
    elif axis == 1 or axis == 1 - a.ndim:
        return a[:, 0]
    elif axis == 2 or axis == 2 - a.ndim:
        return a[:, :, 0]
    else:
        raise NotImplementedError("an axis between the third and the last is not compiled")


def within(a, axis):
    """Whether the array has this axis: else what NumPy raises."""
    if a.ndim == 0:
        raise NotImplementedError("an array without dimensions has no axis")
    if axis < -a.ndim or axis >= a.ndim:
        raise ValueError(f"axis {axis} is out of bounds for array of dimension {a.ndim}")


def reduced(rows, axis, keepdims, dtype, function, told):
    """`function(row, told)` of each row along the last axis, where `axis` was moved to: shaped as reductions are."""
    out = np.empty(rows.shape[:-1] + (1,), dtype=dtype)  # noqa: RUF005 (compiled code unpacks no tuples)
    _reduce_rows(out, rows, function, told)
    if keepdims:
        return np.swapaxes(out, axis, -1)
    else:
        return first(np.swapaxes(out, axis, -1), axis)


def _reduce_rows(out, rows, function, told):
    if rows.ndim == 1:
        out[0] = function(rows, told)
    else:
        for i in range(rows.shape[0]):
            _reduce_rows(out[i], rows[i], function, told)


def kept(value, ndim, dtype):
    """A number as an array of so many axes, each of one element: `keepdims` of all elements."""
    if ndim == 1:
        return np.full(1, value, dtype=dtype)
    elif ndim == 2:
        return np.full((1, 1), value, dtype=dtype)
    elif ndim == 3:
        return np.full((1, 1, 1), value, dtype=dtype)
    else:
        raise NotImplementedError("keepdims=True without an axis is compiled for up to three dimensions")
