"""Products of vectors and matrices, for compiled code (see `_jit_numpy`)."""

import numpy as np

from manyhands.loops import prange


def dot(a, b):
    """`np.dot`."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    elif a.ndim == 3 and b.ndim == 1:
        return _product(a.reshape(a.shape[0] * a.shape[1], a.shape[2]), b).reshape(a.shape[0], a.shape[1])
    elif a.ndim == 3 and b.ndim == 2:
        return _product(a.reshape(a.shape[0] * a.shape[1], a.shape[2]), b).reshape(a.shape[0], a.shape[1], b.shape[1])
    else:
        return _product(a, b)


def matmul(a, b):
    """`a @ b`; of three dimensions a product for each of the first."""
    if a.ndim == 3 and b.ndim < 3:
        return dot(a, b)
    elif a.ndim == 3 and b.ndim == 3:
        if a.shape[0] != b.shape[0] and a.shape[0] != 1 and b.shape[0] != 1:
            raise ValueError(f"operands could not be broadcast together: {a.shape[0]} and {b.shape[0]} matrices")
        _aligned(a.shape[2], b.shape[1])
        count = b.shape[0] if a.shape[0] == 1 else a.shape[0]
        out = np.zeros((count, a.shape[1], b.shape[2]), dtype=np.result_type(a, b))
        for i in prange(count):
            left = a[0 if a.shape[0] == 1 else i]
            right = b[0 if b.shape[0] == 1 else i]
            for j in range(left.shape[0]):
                for p in range(left.shape[1]):
                    out[i, j] += left[j, p] * right[p]
        return out
    elif a.ndim == 2 and b.ndim == 3:
        return matmul(a[None], b)
    else:
        return _product(a, b)


def _product(a, b):
    if a.ndim == 1 and b.ndim == 1:
        if a.shape[0] != b.shape[0]:
            raise ValueError(f"shapes ({a.shape[0]},) and ({b.shape[0]},) not aligned: they must be of one length")
        return np.sum(a * b, dtype=np.result_type(a, b))
    elif a.ndim == 2 and b.ndim == 1:
        _aligned(a.shape[1], b.shape[0])
        out = np.empty(a.shape[0], dtype=np.result_type(a, b))
        for i in prange(a.shape[0]):
            out[i] = np.sum(a[i] * b, dtype=np.result_type(a, b))
        return out
    elif a.ndim == 1 and b.ndim == 2:
        _aligned(a.shape[0], b.shape[0])
        out = np.zeros(b.shape[1], dtype=np.result_type(a, b))
        for p in range(a.shape[0]):
            out += a[p] * b[p]
        return out
    elif a.ndim == 2 and b.ndim == 2:
        _aligned(a.shape[1], b.shape[0])
        return _matrices(a, b)
    else:
        raise NotImplementedError("products of arrays of more than two dimensions are not compiled")


def _aligned(columns, rows):
    if columns != rows:
        raise ValueError(f"shapes not aligned: {columns} columns on the left, {rows} rows on the right")


def _matrices(a, b):
    """Rows of the right one are read in tiles that stay in the cache, for some rows of the left one at a time."""
    n, inner, m = a.shape[0], a.shape[1], b.shape[1]
    out = np.zeros((n, m), dtype=np.result_type(a, b))
    for block in prange((n + 15) // 16):
        for first in range(0, inner, 64):
            for i in range(block * 16, min(n, block * 16 + 16)):
                for p in range(first, min(inner, first + 64)):
                    x = a[i, p]
                    for j in range(m):
                        out[i, j] += x * b[p, j]
    return out


def inner(a, b):
    """`np.inner` of vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise NotImplementedError("np.inner is compiled for vectors: write a @ b.T")
    return _product(a, b)


def vdot(a, b):
    """`np.vdot`: all elements of both, the first conjugated."""
    if a.ndim != b.ndim:
        raise NotImplementedError("np.vdot is compiled for arrays of one shape")
    return np.sum(np.conj(a) * b, dtype=np.result_type(a, b))


def outer(a, b):
    """`np.outer` of vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise NotImplementedError("np.outer is compiled for vectors")
    return a[:, None] * b[None, :]


def diagonal(a, offset=0):
    """A diagonal of a matrix, as a copy."""
    row = max(-offset, 0)
    column = max(offset, 0)
    out = np.empty(max(min(a.shape[0] - row, a.shape[1] - column), 0), dtype=a.dtype)
    for i in range(out.shape[0]):
        out[i] = a[i + row, i + column]
    return out


def diag(a, k=0):
    """A matrix with this diagonal, or a matrix's diagonal."""
    if a.ndim == 2:
        return diagonal(a, k)
    else:
        out = np.zeros((a.shape[0] + abs(k), a.shape[0] + abs(k)), dtype=a.dtype)
        for i in range(a.shape[0]):
            out[i + max(-k, 0), i + max(k, 0)] = a[i]
        return out


def trace(a, offset=0):
    """The sum of a diagonal."""
    return np.sum(diagonal(a, offset))


def norm(a, ord=None):
    """The length of a vector; of a matrix Frobenius' norm."""
    sizes = np.abs(a) / 1
    if ord is None:
        return np.sqrt(np.sum(sizes * sizes))
    elif a.ndim != 1:
        raise NotImplementedError("np.linalg.norm of a matrix is compiled without `ord`")
    elif ord == 2:
        return np.sqrt(np.sum(sizes * sizes))
    elif ord == 1:
        return np.sum(sizes)
    elif ord == np.inf:
        return np.max(sizes)
    else:
        return np.sum(sizes**ord) ** (1.0 / ord)
