"""What the library of compiled functions is built on and NumPy has no name for: the compiler knows it by its name."""

import numpy as np


def matrices(a, b):
    """Products of the matrices of the last two axes of arrays of one rank: of floats and complex numbers by gemm."""
    return np.matmul(a, b)


def diagonal_view(a):
    """The elements with one index along the first two axes, behind the other axes: a view that is not written."""
    return np.diagonal(a)
