"""`where=` and `out=` of reductions; what the library has no code for is told when compiling."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh


@mh.jit
def left_out(a, mask):
    return (
        np.sum(a, where=mask), a.sum(axis=0, where=mask), np.prod(a, axis=-1, where=mask), np.any(a, where=mask),
        a.all(axis=0, where=mask), np.max(a, axis=0, initial=-3, where=mask), a.min(initial=5, where=a > 0),
    )  # fmt: skip


@mh.jit
def averages_of_some(a, mask):
    return (
        np.mean(a, where=mask), a.mean(axis=0, where=mask), np.mean(a, axis=(0, 1), where=mask),
        a.mean(axis=1, keepdims=True, where=mask), np.var(a, where=mask), np.std(a, axis=0, ddof=1, where=mask),
        a.var(axis=-1, keepdims=True, where=mask),
    )  # fmt: skip


@mh.jit
def whole(a, out):
    given = np.sum(a, out=out)
    return given, np.mean(a, out=out), out


@mh.jit
def filled(a, out, places):
    given = np.sum(a, axis=0, out=out)
    a.max(axis=0, out=out[::-1])
    np.argmin(a, axis=0, out=places)
    return given, np.mean(a, axis=0, out=out), out


@mh.jit
def running(a, out):
    return np.cumsum(a, axis=0, out=out), np.add(a, out, out=out)


@pytest.mark.parametrize("kind", ["f8", "?"])
def test_where(kind):
    a = made(kind, (3, 4))
    agree(left_out, a, made("?", (3, 4), seed=1))
    agree(left_out, a, np.zeros((3, 4), dtype=bool))
    agree(left_out, a, made("?", (3, 1), seed=2))
    agree(left_out, a[:, :1], made("?", (3, 4), seed=1))


@pytest.mark.parametrize("kind", ["f8", "i4", "c16"])
def test_averages_where(kind):
    a = made(kind, (3, 4))
    agree(averages_of_some, a, made("?", (3, 4), seed=1))
    agree(averages_of_some, a, np.zeros((3, 4), dtype=bool))
    agree(averages_of_some, a[:1], made("?", (3, 4), seed=1))


def test_averages_of_all():
    agree(averages_of_some, made("f4", (3, 4)), True)


def test_nan_that_is_left_out():
    a = np.array([[1.0, np.nan], [np.nan, 2.0]])
    agree(left_out, a, ~np.isnan(a))
    agree(averages_of_some, a, ~np.isnan(a))


def test_out():
    agree(filled, made("f8", (3, 4)), np.empty(4), np.empty(4, dtype=np.int64))
    agree(filled, made("f8", (3, 4), "F"), np.empty((4, 2))[:, 0], np.empty(4, dtype=np.int64))
    agree(filled, made("f8", (3, 4)), np.empty(1), np.empty(4, dtype=np.int64))
    agree(running, made("f4", (3, 4)), np.empty((3, 4)))
    agree(whole, made("f8", (3, 4)), np.array(0.0))
    agree(whole, made("f4", (3, 4)), np.empty(()))


def test_what_out_and_where_do_not_take():
    def refused(function, *arguments):
        with pytest.raises((mh.CompileError, TypeError, ValueError)) as caught:
            mh.jit(function)(*arguments)
        return str(caught.value).splitlines()[0]

    a, ints = np.ones((2, 3)), np.zeros(3, dtype=np.int64)
    assert "Cannot cast" in refused(lambda a, out: np.sum(a, axis=0, out=out), a, ints)
    assert "number of dimensions: Found 2 but expected 1" in refused(lambda a: np.sum(a, axis=0, out=a), a)
    assert "'initial'" in refused(lambda a: np.max(a, where=a > 0), a)
    assert "takes bools" in refused(lambda a: np.sum(a, where=a), a)
    assert "unexpected keyword argument 'where'" in refused(lambda a: np.argmax(a, where=a > 0), a)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda a: np.inner(a, a), "np.inner is compiled for vectors: write a @ b.T"),
        (lambda a: np.diff(a, 4), "np.diff is compiled for n up to 3"),
        (lambda a: np.squeeze(a), "np.squeeze is compiled for one axis"),
        (lambda a: np.sum(np.quantile(a, 0.5, axis=(0, 1))), "np.quantile is not compiled for these arguments"),
        (lambda a: a.reshape(), "reshape() takes exactly 1 argument"),
        (lambda a: a.reshape(True, 6), "a length is an int"),
        (lambda a: max(a[0] + 1j), "max() of complex numbers is not compiled"),
    ],
)
def test_what_is_not_compiled_is_told_where_it_is_called(function, message):
    with pytest.raises((mh.CompileError, TypeError)) as caught:
        mh.jit(function)(np.ones((2, 3)))
    told = str(caught.value)
    assert message in told.splitlines()[0]
    assert "test_numpy_where_and_out.py" in told.splitlines()[1]


def test_stacks_of_unlike_types():
    @mh.jit
    def stacked(a, b, A, B):
        return np.stack((a, b, a)), np.column_stack((a, b)), np.stack((A, B), axis=1), np.stack((A, B), axis=-1)

    agree(stacked, made("i4", (3,)), made("f8", (3,)), made("f4", (2, 3)), made("c16", (2, 3), "F"))
    agree(stacked, made("i4", (3,)), made("f8", (3,)), made("f4", (2, 3)), made("c16", (3, 2), "F"))


def test_stacks_of_more_axes():
    @mh.jit
    def stacked(a, b):
        return np.stack((a, b), axis=2), np.stack((a, b), axis=-2), np.stack((a, b, a), 1)

    agree(stacked, made("f8", (2, 3, 4, 5)), made("f8", (2, 3, 4, 5), "F", seed=1))
    with pytest.raises((mh.CompileError, IndexError, ValueError)):
        mh.jit(lambda a: np.stack((a, a), axis=3))(np.ones((2, 3)))


def test_the_sum_of_no_rows():
    @mh.jit
    def rows(a):
        return sum(a)

    agree(rows, made("f8", (2, 3)))
    with pytest.raises(ValueError, match="no rows"):
        rows(np.zeros((0, 3)))


def test_masks_that_do_not_fit():
    averages = (lambda a, m: np.mean(a, where=m), lambda a, m: a.var(where=m), lambda a, m: np.std(a, 0, where=m))
    for function in (*averages, lambda a, m: np.sum(a, where=m)):
        compiled = mh.jit(function)
        for mask in (np.ones((2, 3), dtype=bool), np.ones(2, dtype=bool), np.ones(4, dtype=bool)):
            with pytest.raises(ValueError):
                function(np.ones(3), mask)
            with pytest.raises(ValueError, match="where"):
                compiled(np.ones(3), mask)
