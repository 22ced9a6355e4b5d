"""Products of vectors and matrices, for compiled code (see `_jit_numpy`)."""

import numpy as np

from manyhands._jit_intrinsics import matrices
from manyhands.loops import prange


def multiplied(shape, a, b):
    """Products of the matrices of the last two axes of arrays of one rank, by loops: where gemm has no such numbers."""
    if a.ndim == 2:
        return _tiled(a, b)
    else:
        out = np.empty(shape, dtype=np.result_type(a, b))
        for i in range(shape[0]):
            left = a[0 if a.shape[0] == 1 else i]
            out[i] = multiplied(shape[1:], left, b[0 if b.shape[0] == 1 else i])
        return out


def _tiled(a, b):
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


def dot(a, b):
    """`np.dot`: the last axis of the left one with the last but one of the right one, for each of the others."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return a * b
    elif b.ndim > 2:
        return _dot_deep(a, b)
    elif a.ndim > 2 and b.ndim == 2:
        _aligned(a.shape[a.ndim - 1], b.shape[0])
        shape = a.shape[:-1] + b.shape[1:]
        return matrices(a.reshape(_together(a.shape[:-1]), a.shape[a.ndim - 1]), b).reshape(shape)
    else:
        return matmul(a, b)


def _dot_deep(a, b):
    columns = np.swapaxes(b, 0, b.ndim - 2)
    _aligned(a.shape[a.ndim - 1], columns.shape[0])
    rows = a.reshape(_together(a.shape[:-1]), a.shape[a.ndim - 1])
    flat = matrices(rows, columns.reshape(columns.shape[0], _together(columns.shape[1:])))
    shape = a.shape[:-1] + columns.shape[1:]
    return np.swapaxes(flat.reshape(shape), a.ndim - 1, a.ndim + b.ndim - 4)


def _together(lengths):
    # Not -1: which rows an array without elements has is not known by its size.
    number = 1
    for length in lengths:
        number *= length
    return number


def matmul(a, b):
    """`a @ b`: vectors, and the matrices of the last two axes for each of the others, which are broadcast."""
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("matmul: an operand is a number: write a * b")
    if b.ndim == 1:
        _aligned(a.shape[a.ndim - 1], b.shape[0])
        return _rows(a, b)
    elif a.ndim == 1 and b.ndim == 2:
        _aligned(a.shape[0], b.shape[0])
        out = np.zeros(b.shape[1], dtype=np.result_type(a, b))
        for p in range(a.shape[0]):
            out += a[p] * b[p]
        return out
    elif a.ndim == 1:
        return matmul(a[None], b)[..., 0, :]
    elif a.ndim < b.ndim:
        return matmul(a[None], b)
    elif a.ndim > b.ndim:
        return matmul(a, b[None])
    else:
        _aligned(a.shape[a.ndim - 1], b.shape[b.ndim - 2])
        return matrices(a, b)


def _rows(a, b):
    """Each of the rows of the left one with a vector."""
    if a.ndim == 1:
        return np.sum(a * b, dtype=np.result_type(a, b))
    elif a.ndim == 2:
        out = np.empty(a.shape[0], dtype=np.result_type(a, b))
        for i in prange(a.shape[0]):
            out[i] = np.sum(a[i] * b, dtype=np.result_type(a, b))
        return out
    else:
        return np.sum(a * b, axis=-1, dtype=np.result_type(a, b))


def _aligned(columns, rows):
    if columns != rows:
        raise ValueError(f"shapes not aligned: {columns} columns on the left, {rows} rows on the right")


def inner(a, b):
    """`np.inner` of vectors."""
    if a.ndim != 1 or b.ndim != 1:
        raise NotImplementedError("np.inner is compiled for vectors: write a @ b.T")
    return matmul(a, b)


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
