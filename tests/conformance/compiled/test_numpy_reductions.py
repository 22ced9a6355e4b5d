"""Reductions of arrays: NumPy is the oracle of values, types, shapes and errors."""

import numpy as np
import pytest
from numpy_arrays import SHAPES, agree, alike, made

import manyhands as mh


@mh.jit
def sums(a):
    return np.sum(a), a.sum(axis=0), np.sum(a, -1), a.sum(axis=0, keepdims=True), a.sum(initial=3), np.prod(a)


@mh.jit
def extremes(a):
    return a.min(), np.max(a, axis=0), np.min(a, axis=-1, keepdims=True), a.max(initial=2), np.ptp(a)


@mh.jit
def places(a):
    return np.argmin(a), a.argmax(), np.argmax(a, axis=0), a.argmin(axis=-1), a.argmin(axis=0, keepdims=True)


@mh.jit
def truths(a):
    return (
        np.any(a > 1),
        (a > -3).all(),
        np.all(a, axis=0),
        a.any(axis=-1),
        np.count_nonzero(a),
        np.count_nonzero(a, axis=0),
    )


@mh.jit
def means(a):
    return a.mean(), np.mean(a, axis=0), a.var(axis=-1), np.std(a), a.std(axis=0, ddof=1), a.var(keepdims=True)


@mh.jit
def running(a):
    return np.cumsum(a, axis=0), a.cumprod(axis=-1), np.cumsum(a, axis=0, dtype=np.float64)


@mh.jit
def distances(xs, ys):
    return np.sqrt(np.sum((ys[0] - xs) ** 2)), ((xs - ys) * (xs + 1)).sum(axis=0), (xs - xs.mean(axis=0)).std()


@mh.jit
def several_axes(a):
    return a.sum(axis=(0, 2)), np.max(a, axis=(1, 2)), a.mean(axis=(0, 1), keepdims=True), a.sum(axis=(2, 1, 0))


@pytest.mark.parametrize("kind", ["?", "i2", "u4", "f4", "c16"])
def test_kinds(kind):
    for function in (sums, means, running, truths) if kind != "c16" else (sums, means):
        agree(function, made(kind, (3, 4)))
    if kind != "c16":
        agree(places, made(kind, (3, 4)))
    if kind not in ("c16", "?"):
        agree(extremes, made(kind, (3, 4)))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes(shape):
    for function in (sums, extremes, places, truths, means, running):
        agree(function, made("f8", shape))


@pytest.mark.parametrize("layout", ["F", "strided"])
def test_layouts(layout):
    for function in (sums, extremes, places, running):
        agree(function, made("f8", (3, 4), layout))


def test_several_axes():
    agree(several_axes, made("f8", (2, 3, 4)))
    agree(several_axes, made("f8", (2, 0, 4)))


def test_expressions_are_gathered_without_being_made():
    agree(distances, made("f8", (5, 3)), made("f8", (5, 3), seed=1))
    agree(distances, made("f8", (5, 3)), made("f8", (1, 3), seed=1))
    agree(distances, made("f8", (5, 3)), made("f8", (5, 2), seed=1))


def test_nan():
    a = np.array([[1.0, np.nan, -2.0], [3.0, 0.0, np.nan]])
    for function in (sums, extremes, places, truths, means):
        agree(function, a)
    agree(places, np.array([[np.inf, np.inf], [np.inf, np.inf]]))
    agree(places, np.array([[-np.inf, np.nan], [np.nan, 1.0]]))


@pytest.mark.parametrize("rows", [1, 3, 100_000])
def test_the_same_bits_for_any_number_of_threads(rows):
    a = np.random.default_rng(5).random((rows, 5)) - 0.3
    expected = sums.py_func(a)
    before = mh.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3, 8):
            mh.set_num_threads(threads)
            found.append(sums(a))
    finally:
        mh.set_num_threads(before)
    assert alike(found[0], expected, 1e-9)
    for other in found[1:]:
        assert all(np.array_equal(x, y) for x, y in zip(found[0], other, strict=True))


def test_what_is_gathered_inside_of_a_prange():
    @mh.jit
    def rows(a, out):
        for i in mh.prange(len(a)):
            out[i] = np.sum(a[i] ** 2) + a[i].max()

    agree(rows, made("f8", (300, 40)), np.zeros(300))


def test_what_is_not_known_when_compiling_is_refused():
    @mh.jit
    def along(a, axis):
        return a.sum(axis=axis)

    with pytest.raises(mh.CompileError, match="axis must be known"):
        along(np.zeros((2, 2)), 0)
