"""Numbers that are nearly alike, or no numbers, for compiled code (see `_jit_numpy`)."""

import numpy as np


def isclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """`np.isclose`: element by element, as far apart as the second one allows."""
    y = b * 1.0
    near = ((np.abs(a - y) <= atol + rtol * np.abs(y)) & np.isfinite(y)) | (a == y)
    if equal_nan:
        return near | ((a != a) & (y != y))
    else:
        return near


def allclose(a, b, rtol=1.0e-5, atol=1.0e-8, equal_nan=False):
    """`np.allclose`: whether all are."""
    if np.ndim(a) == 0 and np.ndim(b) == 0:
        return bool(isclose(a, b, rtol, atol, equal_nan))
    else:
        return bool(np.all(isclose(a, b, rtol, atol, equal_nan)))


def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """`np.nan_to_num`: a copy with numbers in the place of nan and of infinities."""
    if np.result_type(x, np.float32) == np.float32:
        most = 3.4028234663852886e38
    else:
        most = 1.7976931348623157e308
    if np.ndim(x) == 0:
        raise NotImplementedError("np.nan_to_num is compiled for arrays")
    if np.result_type(x.dtype, np.float32) != x.dtype:
        return x.copy()
    elif x.dtype == np.complex128 or x.dtype == np.complex64:
        raise NotImplementedError("np.nan_to_num is compiled for real numbers")
    else:
        high = most if posinf is None else posinf
        low = -most if neginf is None else neginf
        return np.where(np.isnan(x), nan, np.where(x == np.inf, high, np.where(x == -np.inf, low, x)))
