"""Products of arrays: NumPy is the oracle; the same bits for any number of threads, inside and outside of loops."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh


@mh.jit
def multiplied(a, b):
    return a @ b


@mh.jit
def dotted(a, b):
    return np.dot(a, b)


SHAPES = (
    ((3, 4), (4, 5)), ((0, 4), (4, 3)), ((3, 0), (0, 2)), ((3, 4), (5, 2)), ((2, 3, 4), (4, 5)), ((4,), (2, 4, 3)),
    ((3, 4), (2, 4, 5)), ((2, 3, 4), (1, 4, 2)),
    ((2, 3, 4), (3, 4, 2)), ((5, 1, 3, 4), (2, 4, 5)), ((2, 1, 1, 2), (1, 3, 2, 4)),
)  # fmt: skip


@pytest.mark.parametrize("shapes", SHAPES, ids=str)
def test_every_rank_with_every_other(shapes):
    left, right = shapes
    agree(multiplied, made("f8", left), made("f8", right, seed=1))
    if len(left) + len(right) in (3, 4, 6):
        agree(dotted, made("f8", left), made("f8", right, seed=1))


def test_an_inner_axis_without_elements():
    for left, right in (((2, 3, 0), (0, 2)), ((0, 3, 0), (0, 2)), ((2, 0), (3, 0, 4)), ((2, 0), (3, 0, 0))):
        agree(dotted, np.zeros(left), np.zeros(right))


@pytest.mark.parametrize("kinds", [("f4", "f4"), ("c8", "f8"), ("c16", "c16"), ("i4", "i4"), ("i8", "f4")], ids=str)
def test_kinds(kinds):
    left, right = kinds
    for rows, inner, columns in ((2, 3, 2), (20, 30, 11)):
        agree(multiplied, made(left, (rows, inner)), made(right, (inner, columns), seed=1))
    if kinds == ("i4", "i4"):
        agree(multiplied, made(left, (3, 1, 2)), made(right, (1, 2, 3), seed=1))


def test_layouts():
    for left in ("C", "F", "strided", "reversed"):
        for right in ("F", "reversed"):
            agree(multiplied, made("f8", (40, 30), left), made("f8", (30, 20), right, 1))
    a = made("f8", (30, 40))
    agree(multiplied, np.broadcast_to(a[0], (30, 40)), a.T)


def test_the_same_bits_for_any_number_of_threads():
    random = np.random.default_rng(1)
    a, b = random.random((600, 700)), random.random((700, 550))
    stacks = random.random((90, 40, 30)), random.random((30, 40))
    found, before = set(), mh.get_num_threads()
    try:
        for threads in (1, 2, 5):
            mh.set_num_threads(threads)
            found.add((multiplied(a, b).tobytes(), multiplied(*stacks).tobytes()))
    finally:
        mh.set_num_threads(before)
    assert len(found) == 1
    np.testing.assert_allclose(multiplied(a, b), a @ b, rtol=1e-12)


def test_in_parallel_loops():
    @mh.jit
    def each(a, b):
        out = np.empty((a.shape[0], a.shape[1], b.shape[1]))
        for i in mh.prange(a.shape[0]):
            out[i] = a[i] @ b
        return out

    @mh.jit
    def in_place(a, b):
        for i in mh.prange(1, a.shape[0]):
            a[i] = a[i] @ b

    @mh.jit
    def of_neighbours(a, b):
        for i in mh.prange(1, a.shape[0]):
            a[i] = a[i - 1] @ b

    a, b = made("f8", (7, 20, 20)), made("f8", (20, 20), seed=1)
    agree(each, a, b)
    agree(in_place, a, b)
    with pytest.raises(mh.RaceError, match=r"iteration i=2 reads a\[1, 0, 0\]"):
        of_neighbours(a, b)


def test_again_and_again():
    @mh.jit
    def power(a, n):
        out = a
        for _ in range(n):
            out = out @ a
        return out

    agree(power, made("f8", (5, 5)), 6)


def test_what_does_not_fit():
    with pytest.raises(ValueError, match="not aligned: 3 columns on the left, 4 rows"):
        multiplied(np.zeros((2, 3)), np.zeros((4, 2)))
    with pytest.raises(ValueError, match="broadcast together"):
        multiplied(np.zeros((2, 2, 3)), np.zeros((3, 3, 2)))
