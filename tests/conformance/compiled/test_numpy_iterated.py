"""Python's functions of what can be iterated, of arrays; tuples and lists stored; subscripts from outside: Python is the oracle."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh

PART = slice(1, 6, 2)
BACKWARDS = slice(None, None, -1)
THREE = np.array(3)


@mh.jit
def gathered(x):
    return sum(x), sum(x, 2), max(x), min(x), any(x), all(x)


@mh.jit
def row_by_row(a):
    return sum(a), sum(a.T, 1.5)


@mh.jit
def stored(a, b, x, y):
    a[0] = [x, y]
    a[1] = (a[0, 1], a[0, 0])
    a[2:4, :] = ((1, 2.5), (3, y))
    a[-1] += [1, 2]
    a[4:6] = [x, 7]
    b[:] = (x, y, 3)
    b[b > 2] = [0]
    return a, b


@mh.jit
def picked(a, x, at):
    a[PART, 0] = 5
    return a[:, at], a[at], x[at], x[PART], a[PART, BACKWARDS], x[slice(2, 4)], a[:, THREE], x[slice(3)]


def test_gathered():
    for kind in ("f8", "i4", "u1", "f4", "b1"):
        agree(gathered, made(kind, (7,)))
    agree(gathered, made("f8", (1,)))
    agree(gathered, np.array([1.0, np.nan, 3.0, -0.0, 0.0]))
    agree(gathered, np.array([np.nan, 1.0, 3.0]))
    agree(gathered, made("f8", (9,), "strided"))
    agree(gathered, np.random.default_rng(3).random(20_000) - 0.5)
    agree(row_by_row, made("f8", (3, 4)))


def test_the_greatest_of_none():
    @mh.jit
    def greatest(x):
        return max(x)

    agree(greatest, np.zeros(0))
    with pytest.raises(ValueError, match="max.. iterable argument is empty"):
        greatest(np.zeros(0))
    with pytest.raises(mh.CompileError):
        greatest(np.zeros((2, 2)))


def test_stored():
    for kind in ("f8", "i8"):
        agree(stored, made(kind, (7, 2)), made(kind, (3,)), 4, 9)
    agree(stored, made("f8", (7, 2)), made("f8", (4,)), 4.5, 9)
    agree(stored, made("f8", (7, 3)), made("f8", (3,)), 4.5, 9)


def test_stored_by_iterations():
    @mh.jit
    def pairs(out, x):
        for i in mh.prange(len(x)):
            out[i] = [x[i], -x[i]]
        return out

    agree(pairs, np.zeros((5000, 2)), np.arange(5000.0))


def test_picked():
    agree(picked, made("f8", (6, 5)), made("i4", (7,)), np.array(2))

    @mh.jit
    def write(a, at):
        column = a[:, at]
        column[0] = 100
        a[at, :] = 7
        return a

    agree(write, made("f8", (4, 4)), np.array(1))
