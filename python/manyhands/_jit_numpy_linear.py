"""Products of vectors and matrices, for compiled code (see `_jit_numpy`)."""

import numpy as np

from manyhands._jit_intrinsics import diagonal_view, matrices
from manyhands.loops import prange

from ._jit_numpy_axes import flat, kept


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
        return _typed(a) * _typed(b)
    elif b.ndim > 2:
        return _dot_deep(a, b)
    elif a.ndim > 2 and b.ndim == 2:
        _aligned(a.shape[a.ndim - 1], b.shape[0])
        shape = a.shape[:-1] + b.shape[1:]
        return matrices(a.reshape(_together(a.shape[:-1]), a.shape[a.ndim - 1]), b).reshape(shape)
    else:
        return matmul(a, b)


def _typed(x):
    """A number of Python's in NumPy's type of it, as an array of it would have."""
    if np.ndim(x) == 0:
        return flat(x)[0]
    else:
        return x


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
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        return _typed(a) * _typed(b)
    elif a.ndim != 1 or b.ndim != 1:
        raise NotImplementedError("np.inner is compiled for vectors: write a @ b.T")
    else:
        return matmul(a, b)


def vdot(a, b):
    """`np.vdot`: all elements of both, the first conjugated."""
    if a.ndim != b.ndim:
        raise NotImplementedError("np.vdot is compiled for arrays of one shape")
    return np.sum(np.conj(a) * b, dtype=np.result_type(a, b))


def outer(a, b):
    """`np.outer`: each element of one with each of the other, row by row."""
    return flat(a)[:, None] * flat(b)[None, :]


def diagonal(a, offset=0):
    """The diagonal of a matrix, or of the first two axes, behind the others: a view that is not written."""
    if a.ndim < 2:
        raise ValueError("diag requires an array of at least two dimensions")
    if offset == 0:
        return diagonal_view(a)
    elif offset > 0:
        return diagonal_view(a[:, offset:])
    else:
        return diagonal_view(a[-offset:])


def diag(a, k=0):
    """A matrix with this diagonal; or a matrix's diagonal, a view that is not written."""
    if a.ndim == 2:
        return diagonal(a, k)
    elif a.ndim == 1:
        out = np.zeros((a.shape[0] + abs(k), a.shape[0] + abs(k)), dtype=a.dtype)
        for i in range(a.shape[0]):
            out[i + max(-k, 0), i + max(k, 0)] = a[i]
        return out
    else:
        raise ValueError("Input must be 1- or 2-d.")


def trace(a, offset=0):
    """The sum of a diagonal; of more than two axes, of the first two."""
    return np.sum(diagonal(a, offset), axis=-1)


def norm(x, ord=None, axis=None, keepdims=False):
    """The length of a vector, or of those along an axis; of a matrix Frobenius' norm."""
    if axis is None:
        if x.ndim == 1 and ord is not None:
            return _length(x, ord, 0, keepdims)
        elif ord is None or (ord == "fro" and x.ndim == 2):
            sizes = _sizes(x)
            return np.sqrt(np.sum(sizes * sizes, keepdims=keepdims))
        elif x.ndim == 2:
            return _of_matrix(x, ord, keepdims)
        else:
            raise ValueError("Improper number of dimensions to norm.")
    elif isinstance(axis, tuple):
        if len(axis) == 1:
            return _length(x, ord, axis, keepdims)
        elif len(axis) != 2:
            raise ValueError("Improper number of dimensions to norm.")
        elif ord is None or ord == "fro":
            sizes = _sizes(x)
            return np.sqrt(np.sum(sizes * sizes, axis=axis, keepdims=keepdims))
        else:
            raise NotImplementedError("np.linalg.norm of matrices along axes is compiled for Frobenius' norm")
    else:
        return _length(x, ord, axis, keepdims)


def _sizes(x):
    """Absolute values, as floats."""
    return np.abs(x) / 1


def _length(x, ord, axis, keepdims):
    """Norms of the vectors along an axis."""
    sizes = _sizes(x)
    if ord is None or ord == 2:
        return np.sqrt(np.sum(sizes * sizes, axis=axis, keepdims=keepdims))
    elif isinstance(ord, str):
        raise ValueError("Invalid norm order for vectors")
    elif ord == np.inf:
        return np.max(sizes, axis=axis, keepdims=keepdims)
    elif ord == -np.inf:
        return np.min(sizes, axis=axis, keepdims=keepdims)
    elif ord == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdims, dtype=sizes.dtype)
    elif ord == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    else:
        return np.sum(sizes**ord, axis=axis, keepdims=keepdims) ** (1.0 / ord)


def _of_matrix(x, ord, keepdims):
    """Norms of a matrix that need none of its singular values."""
    sizes = _sizes(x)
    if isinstance(ord, int):
        if ord != 1 and ord != -1:
            raise NotImplementedError("np.linalg.norm of a matrix is compiled for 'fro', 1, -1, inf and -inf")
        sums = np.sum(sizes, axis=0)
    elif isinstance(ord, float):
        if ord != np.inf and ord != -np.inf:
            raise NotImplementedError("np.linalg.norm of a matrix is compiled for 'fro', 1, -1, inf and -inf")
        sums = np.sum(sizes, axis=1)
    else:
        raise NotImplementedError("np.linalg.norm of a matrix is compiled for 'fro', 1, -1, inf and -inf")
    found = np.max(sums) if ord > 0 else np.min(sums)
    if keepdims:
        return kept(found, 2, sizes.dtype)
    else:
        return found
