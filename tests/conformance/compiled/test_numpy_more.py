"""More of NumPy's functions with more of their arguments: NumPy is the oracle."""

import numpy as np
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
