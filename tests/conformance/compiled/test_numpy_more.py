"""More of NumPy's functions with more of their arguments: NumPy is the oracle."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh


@mh.jit
def joined(a, b, c, A, B, C):
    return (
        np.concatenate((a, b, c)), np.concatenate((A, B, C), axis=1), np.concatenate([A, A, B, B], axis=-1),
        np.hstack((a, b, c)), np.vstack((A, A, A)), np.concatenate((a,)), np.concatenate((C[None], C[None]), 1),
    )  # fmt: skip


@mh.jit
def diagonals(A, k):
    return np.diag(A, k), np.diag(A[0], k), np.trace(A, k), np.diagonal(A, k), A.trace(offset=k)


@mh.jit
def rolled(A, k):
    return np.roll(A, k), np.roll(A, k, axis=0), np.roll(A, k, 1), np.roll(A, k, axis=-1), np.roll(A[0], k)


@mh.jit
def between(x, xp, fp):
    return np.interp(x, xp, fp, -1), np.interp(x, xp, fp, right=7.5), np.interp(x[0], xp, fp, left=1, right=2)


@mh.jit
def told(a):
    return (
        np.unique(a), np.unique(a, return_counts=True), np.unique(a, return_index=True),
        np.unique(a, return_inverse=True), np.unique(a, return_index=True, return_inverse=True, return_counts=True),
    )  # fmt: skip


@mh.jit
def among(A, b):
    return np.isin(A, b), np.isin(b, A), np.isin(A[0], b, invert=True)


@mh.jit
def products(a, b, A, v):
    return a @ b, a @ A, A.T @ b, a @ v, np.dot(a, A), np.dot(a, v), a[:1] @ b


def test_joined():
    matrices = made("i4", (2, 3)), made("f4", (2, 2)), made("c16", (2, 4), "F")
    agree(joined, made("i2", (4,)), made("f8", (1,)), made("b1", (3,)), *matrices)


def test_diagonals():
    for shape in ((3, 3), (2, 4), (4, 2)):
        for k in (0, 1, -1, 3, -4, 9):
            agree(diagonals, made("f8", shape), k)


def test_rolled():
    for k in (0, 1, -2, 7):
        agree(rolled, made("i4", (3, 4)), k)


def test_between():
    x = np.array([-1.0, 0.0, 0.5, 1.0, 2.5, 3.0, 4.0, np.nan])
    agree(between, x, np.array([0.0, 1.0, 3.0]), np.array([2, 0, 5]))
    agree(between, x, np.array([1.0]), np.array([4.0]))


def test_told():
    for length in (0, 1, 30):
        agree(told, made("f8", (length,)))
    agree(told, np.array([1.0, np.nan, 1.0, np.nan, 0.0]))


def test_among():
    agree(among, made("i4", (3, 4)), np.array([1, 5, -3]))
    agree(among, np.array([[1.0, np.nan, 0.0]]), np.array([np.nan, 1.0, -0.0]))


def test_products():
    agree(products, made("f8", (2, 3, 4)), made("f8", (2, 4, 5)), made("f8", (4, 3)), made("f8", (4,)))
    agree(products, made("f8", (2, 3, 4)), made("f8", (2, 3, 5)), made("f8", (4, 3)), made("f8", (4,)))


#: Without an axis: of all elements, row by row.
FLATTENED = (
    lambda A, B, i: np.take(A, i),
    lambda A, B, i: A.take(i),
    lambda A, B, i: np.append(A, B),
    lambda A, B, i: np.append(A, 1.5),
    lambda A, B, i: np.ediff1d(A),
    lambda A, B, i: np.repeat(A, 2),
    lambda A, B, i: np.unique(A),
    lambda A, B, i: np.cumsum(A),
    lambda A, B, i: A.cumprod(),
    lambda A, B, i: np.median(A),
    lambda A, B, i: np.sort(A, axis=None),
    lambda A, B, i: np.outer(A, i),
    lambda A, B, i: np.flatnonzero(A),
    lambda A, B, i: np.nonzero(A),
    lambda A, B, i: np.histogram(A, 3)[0],
    lambda A, B, i: np.concatenate((A, B), axis=None),
    lambda A, B, i: np.roll(A, 3),
    lambda A, B, i: np.interp(A, np.array([0.0, 1.0]), np.array([2.0, 7.0])),
    lambda A, B, i: np.searchsorted(np.array([0.0, 1.0]), A),
)  # fmt: skip

#: Along the last axis.
LAST = (
    lambda A, B, i: np.trapezoid(A),
    lambda A, B, i: np.trapezoid(A, B),
    lambda A, B, i: np.diff(A, 2),
    lambda A, B, i: np.diff(A > 0),
    lambda A, B, i: np.sort(A),
    lambda A, B, i: np.median(A, axis=-1),
    lambda A, B, i: np.flip(A, -1),
    lambda A, B, i: np.append(A, B, axis=-1),
    lambda A, B, i: np.take(A, 1, axis=-1),
    lambda A, B, i: np.quantile(A, 0.3, axis=-1),
    lambda A, B, i: np.argsort(A, kind="stable"),
    lambda A, B, i: np.linalg.norm(A, axis=-1, keepdims=True),
    lambda A, B, i: np.repeat(A, 2, axis=-1),
)  # fmt: skip

#: Along the first axis.
FIRST = (
    lambda A, B, i: np.trapezoid(A, axis=0),
    lambda A, B, i: np.trapezoid(A, i, axis=0),
    lambda A, B, i: np.sort(A, axis=0),
    lambda A, B, i: np.median(A, axis=0, keepdims=True),
    lambda A, B, i: np.quantile(A, np.array([0.2, 0.5]), axis=0),
    lambda A, B, i: np.argsort(A, axis=0, kind="stable"),
    lambda A, B, i: np.take(A, i, axis=0),
    lambda A, B, i: np.linalg.norm(A, np.inf, axis=0),
    lambda A, B, i: np.repeat(A, i, axis=0),
    lambda A, B, i: np.nanmax(A, axis=0),
    lambda A, B, i: np.nanmean(A, 0),
    lambda A, B, i: np.average(A, axis=0, weights=i),
    lambda A, B, i: np.vstack((A, A[0])),
    lambda A, B, i: np.roll(A, (1, -1), axis=(0, 1)),
    lambda A, B, i: np.gradient(A, axis=0),
)  # fmt: skip


@mh.jit
def blocks(A, B):
    return (
        np.tril(A),
        np.triu(A, 1),
        np.trace(A),
        np.diagonal(A),
        A.diagonal(-1),
        np.column_stack((A, B)),
        np.tile(A, (2, 1)),
    )


@pytest.mark.parametrize(("functions", "kind"), [(FLATTENED, "f8"), (LAST, "f4"), (FIRST, "f8")])
def test_functions_of_vectors_take_matrices(functions, kind):
    for function in functions:
        agree(mh.jit(function), made(kind, (3, 4)), made(kind, (3, 4), seed=1), np.array([1, 0, 2]))


DEEP = (
    lambda A: np.median(A, axis=1),
    lambda A: np.flip(A, -1),
    lambda A: np.nonzero(A),
)  # fmt: skip


def test_three_axes():
    for function in DEEP:
        agree(mh.jit(function), made("i2", (2, 3, 4)))


def test_matrices_of_more_than_two_axes():
    agree(blocks, made("i4", (2, 3, 4)), made("f8", (2, 3, 4)))


def test_a_diagonal_is_a_view():
    @mh.jit
    def seen(a):
        diagonal, above = np.diag(a), a.diagonal(1)
        a[0, 0] = 99.0
        a[1, 2] = 7.0
        return diagonal[0], diagonal, above, diagonal.sum()

    @mh.jit
    def doubled(a):
        diagonal = np.diag(a)
        for i in mh.prange(len(a)):
            a[i, i] = diagonal[i] * 2

    for layout in ("C", "F", "strided"):
        agree(seen, made("f8", (3, 4), layout))
    agree(doubled, made("f8", (3, 3)))
    with pytest.raises(mh.RaceError):
        mh.jit(_shifted)(np.ones((3, 3)))
    with pytest.raises(ValueError, match="read-only"):
        mh.jit(_written)(np.ones((3, 3)))


def _shifted(a):
    diagonal = np.diag(a)
    for i in mh.prange(1, len(a)):
        a[i, i] = diagonal[i - 1]


def _written(a):
    np.diag(a)[0] = 1.0


def test_norms():
    @mh.jit
    def of_vectors(x):
        return np.linalg.norm(x, -np.inf), np.linalg.norm(x, 0), np.linalg.norm(x, np.inf), np.linalg.norm(x, 3)

    @mh.jit
    def of_a_matrix(x):
        return (
            np.linalg.norm(x, "fro"),
            np.linalg.norm(x, 1),
            np.linalg.norm(x, -np.inf),
            np.linalg.norm(x, axis=(0, 1)),
        )

    agree(of_vectors, np.array([3, -0.5, 2, 0]))
    agree(of_vectors, np.zeros(0))
    agree(of_a_matrix, made("f4", (3, 4)))


def test_histograms():
    @mh.jit
    def told(x, bins, ends, weights):
        return np.histogram(x, bins), np.histogram(x, bins, ends, density=True), np.histogram(x, bins, weights=weights)

    @mh.jit
    def between(x, edges, weights):
        return np.histogram(x, edges), np.histogram(x, edges, density=True, weights=weights)

    x = np.array([[1.0, 2.0], [2.5, -1.0]])
    for ends in ((0.0, 2.0), (1.0, 0.0), (0.0, np.inf), (1.0, 1.0)):
        agree(told, x, 3, ends, x + 2)
    for bad in (x * np.nan, x * np.inf):
        agree(told, bad, 3, (0.0, 1.0), x)
    agree(told, x, 0, (0.0, 1.0), x)
    agree(told, x.astype("f4"), 3, (0.0, 2.0), made("i4", (2, 2)))
    for edges in ([0.0, 1.0, 1.0, 2.5], [1, 2], [2.0, 1.0]):
        agree(between, np.array([1.0, np.nan, 2.0, 2.5, 0.5]), np.array(edges), np.arange(5.0))


def test_bounds_that_are_no_numbers_of_the_type():
    @mh.jit
    def bounded(u):
        return np.clip(u, -1, 1), u.clip(0, 300), np.clip(u, 2, None), u.clip(max=3), u.clip(min=1)

    @mh.jit
    def past(u):
        return np.clip(u, 300, 400)

    agree(bounded, made("u1", (9,)))
    agree(past, made("i8", (9,)))
    with pytest.raises(OverflowError):
        past(made("u1", (9,)))


def test_types_of_results():
    @mh.jit
    def typed(f, u, b):
        return (
            np.append(f, 1.1), np.append(u, 1), np.nanmax(u), np.nanmin(u), np.quantile(f, 0.3), np.percentile(f, 30),
            np.nanmean(f), np.histogram(f, 3), np.conj(b), np.round(f, 1), np.round(u, -1), np.nanmax(f), f[0].round(1),
        )  # fmt: skip

    @mh.jit
    def dtypes(b):
        return b.dtype == np.bool_, np.diff(b)

    agree(typed, np.float32([1, 2.55, 0.3, np.nan])[:3], made("u1", (4,)), made("b1", (3,)))
    agree(dtypes, made("b1", (3,)))


def test_what_numpy_refuses():
    @mh.jit
    def counted(i, n):
        return np.bincount(i, minlength=n)

    @mh.jit
    def share(x):
        return np.quantile(x, 0.3)

    @mh.jit
    def averaged(x, w):
        return np.average(x, weights=w)

    agree(counted, np.array([1, 2]), -1)
    agree(counted, np.array([1.0, 2.0]), 3)
    agree(share, np.zeros(0))
    agree(averaged, np.ones((3, 4)), np.ones(4))
    for function in COMPLEX:
        with pytest.raises((TypeError, mh.CompileError), match="complex numbers"):
            mh.jit(function)(np.array([1j]))


COMPLEX = (
    lambda z: np.floor(z),
    lambda z: np.fix(z),
    lambda z: np.rint(z),
    lambda z: np.maximum(z, z),
)  # fmt: skip

NEAR = (
    lambda a, b: np.isclose(a, b),
    lambda a, b: np.allclose(a, b),
    lambda a, b: np.isclose(a / 0, b / 0, equal_nan=True),
    lambda a, b: np.isclose(0.1 + 0.2, 0.3),
    lambda a, b: np.nan_to_num(a / 0, posinf=7.0),
    lambda a, b: np.argwhere(a),
    lambda a, b: np.expand_dims(a, -1),
    lambda a, b: np.squeeze(a[:1], 0),
    lambda a, b: np.gradient(a, 0.5),
    lambda a, b: np.cov(a),
    lambda a, b: np.meshgrid(a[0], b[:, 0]),
    lambda a, b: np.meshgrid(a[0], b[:, 0], indexing="ij"),
)  # fmt: skip


def test_nearness_and_views():
    for function in NEAR:
        agree(mh.jit(function), made("f8", (3, 4)), made("f8", (3, 4)) + 1e-9)
