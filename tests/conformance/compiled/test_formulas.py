"""Arrays that are only read are never made: what is read of them is NumPy's, and what raises raises where it did."""

import itertools

import numpy as np
import pytest
from numpy_arrays import agree

import manyhands as mh

FORMULA = "a formula, no array is made"
BOUNDS = [(0.0, 1.0), (1.0, 1.0), (-3.0, 7.5), (2.0, -1.0), (0.0, 5e-324), (0.0, float("inf")), (-0.0, 0.0)]


@mh.jit
def ends(start, stop, n):
    x = np.linspace(start, stop, n)
    y = np.linspace(start, stop, n, endpoint=False)
    out = np.empty(n)
    other = np.empty(n)
    for i in range(n):
        out[i] = x[i]
        other[i] = y[-1 - i]
    return out, other, len(x), x.shape, x.size


@pytest.mark.parametrize("n", [0, 1, 2, 3, 50, 1001])
def test_elements_of_a_linspace_have_its_bits(n):
    for start, stop in BOUNDS:
        with np.errstate(invalid="ignore", over="ignore"):
            agree(ends, start, stop, n)
    assert f"x: {FORMULA}" in str(ends.explain())


@mh.jit
def views(n, first, last, step):
    x = np.arange(n)
    y = np.linspace(0.0, 1.0, n)
    once = y[first:last]
    twice = once[1::2][::-1]
    column = y[:, None][2:5]
    turned = x[::step]
    return (
        twice * 1.0,
        column + x[:4],
        turned * 2,
        turned[first:last].sum(),
        y[-3:-1].sum(),
        once.shape,
        twice.size,
        column.shape,
    )


def test_views_of_views():
    for n, first, last, step in itertools.product([0, 3, 10, 33], [0, 2, -4], [-1, 5, 100], [2, -1, -3]):
        agree(views, n, first, last, step)


@mh.jit
def element(n, at):
    x = np.linspace(0.0, 1.0, n)
    ones = np.full(n, 7)
    return x[at], ones[at]


def test_subscripts_out_of_bounds_still_raise():
    agree(element, 5, -5)
    for n, at in [(5, 5), (5, -6), (0, 0), (1, 1)]:
        with pytest.raises(IndexError):
            element(n, at)
    with pytest.raises(ValueError, match="non-negative"):
        element(-1, 0)
    with pytest.raises(ValueError, match="negative"):
        mh.jit(lambda n: np.full(n, 7)[0])(-1)
    assert str(element.explain()).count(FORMULA) == 2


@mh.jit
def expressions(a, b):
    d = a - b
    e = np.sqrt(np.abs(d)) * a
    return np.sum(e), np.sum(e[::2]), d.shape


@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_expressions_with_names(dtype):
    random = np.random.default_rng(3)
    for n, m in [(0, 0), (7, 7), (7, 1), (1, 7), (1, 1), (1000, 1000)]:
        agree(expressions, *(random.integers(-9, 9, size).astype(dtype) for size in (n, m)))
    assert f"d: {FORMULA}" in str(expressions.explain())
    with pytest.raises(ValueError, match="could not be broadcast"):
        expressions(np.ones(3, dtype), np.ones(4, dtype))


@mh.jit
def narrowed(a):
    x = (a * 1.1).astype(np.float32)
    return np.sum(x.astype(np.float64)), np.sum(x)


@mh.jit
def of_two_axes(a, m):
    d = a - m
    return d.sum(axis=1), d[1, 2], d.shape


@mh.jit
def scalars_change(a, k):
    x = a * k
    k = k + 1.0
    return np.sum(x) + k


def test_what_is_read_is_what_was_stored():
    a = np.random.default_rng(4).random((5, 6))
    agree(narrowed, a[0])
    for m in (a[0], a[0, :1]):
        agree(of_two_axes, a, m)
    agree(scalars_change, a[0], 3.0)


@mh.jit
def written_later(a, b):
    x = a * 2
    b[0] = 100.0
    return np.sum(x)


@mh.jit
def written_to(a, b):
    x = a * 2
    b[1:] = x[:-1]
    return np.sum(b)


@mh.jit
def turns(a):
    total = 0.0
    for i in range(3):
        x = a + i
        total += np.sum(x)
        a[i] = total
    return total


@mh.jit
def chosen(a, both):
    x = a + 1
    if both:
        y = x
    else:
        y = a
    return np.sum(y), x


def test_what_is_written_or_escapes_is_made():
    a = np.arange(6.0)
    for call in (written_later, written_to):
        agree(call, a, np.ones(6))
        one, other = a.copy(), a.copy()
        assert call(one, one) == call.py_func(other, other)
        np.testing.assert_array_equal(one, other)
    agree(turns, a)
    for both in (True, False):
        agree(chosen, a, both)


@mh.jit(parallel=True)
def in_parallel(xs, ys):
    out = np.empty(len(xs))
    for i in mh.prange(len(xs)):
        d = xs[i] - ys
        t = np.linspace(0.0, xs[i, 0], 9)
        out[i] = np.sum(d) + t[i % 9] + np.sum(t[1::2])
    return out


def test_in_a_prange():
    xs = np.random.default_rng(5).random((40, 30))
    agree(in_parallel, xs, xs[3])
    assert f"d: {FORMULA}" in str(in_parallel.explain())
    assert f"t: {FORMULA}" in str(in_parallel.explain())
