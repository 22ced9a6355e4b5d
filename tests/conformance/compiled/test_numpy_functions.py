"""NumPy's functions of arrays, and subscripts that are arrays: NumPy is the oracle of values, types, shapes and errors."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh


@mh.jit
def products(a, b, A, B):
    return np.dot(a, b), A @ B, A @ B[:, 0], A[0] @ B, np.outer(a, b), np.vdot(a, b), np.inner(a, b), A.dot(B)


@mh.jit
def of_a_matrix(A):
    return np.trace(A), np.linalg.norm(A), np.diag(A[0]), np.diag(A)


@mh.jit
def norms(a):
    return np.linalg.norm(a), np.linalg.norm(a, 1), np.linalg.norm(a, 2)


@mh.jit
def ordered(a):
    return np.sort(a), np.unique(a), np.searchsorted(np.sort(a), a), np.searchsorted(np.sort(a), a, side="right")


@mh.jit
def stably(a):
    return np.argsort(a, kind="stable"), a.argsort(kind="stable")


@mh.jit
def together(a, b):
    return (
        np.concatenate((a, b)), np.hstack((a, b)), np.diff(a), np.roll(a, 2), np.roll(b, -1), np.repeat(a, 3), np.flip(a),
        np.append(a, 2), np.array_equal(a, b), np.nonzero(a)[0], np.flatnonzero(b), np.where(a > 0)[0],
    )  # fmt: skip


@mh.jit
def stacked(a, b, A, B):
    return np.stack((a, b)), np.vstack((a, b)), np.column_stack((a, b)), np.concatenate((A, B)), np.hstack((A, B))


@mh.jit
def counted(a, n):
    return np.bincount(n), np.bincount(n, minlength=9), np.histogram(a, 4), np.histogram(a, 3, (-1.0, 1.0))


@mh.jit
def between(x, xp, fp):
    return np.interp(x, xp, fp)


@mh.jit
def without_nan(a):
    return np.nansum(a), np.nanmean(a), np.nanmax(a), np.nanmin(a), np.median(a)


@mh.jit
def taken(a, i, A):
    return a[i], a[a > 0], A[i], A[:, i], A[i, i], A[A > 0], A[A[:, 0] > 0], np.take(a, i)


@mh.jit
def put(a, i, A, values):
    a[a > 1] = 0
    a[i] += values
    a[i] = values * 2
    A[A < 0] = 5
    A[:, i] = 3
    A[i] = A[0] + 1


def test_products():
    for kind, other in (("f8", "f8"), ("c16", "i4")):
        agree(products, made(kind, (4,)), made(other, (4,), seed=1), made(kind, (3, 4)), made(other, (4, 5), seed=1))
    agree(products, made("f8", (1,)), made("f8", (1,)), made("f8", (0, 1)), made("f8", (1, 3)))
    for layout, other in (("F", "strided"),):
        a, b = made("f8", (4,), layout), made("f8", (4,), other, 1)
        agree(products, a, b, made("f8", (20, 4), layout), made("f8", (4, 70), other, 1))


def test_a_product_of_many_tiles():
    @mh.jit
    def product(a, b):
        return a @ b

    random = np.random.default_rng(1)
    agree(product, random.random((50, 200)), random.random((200, 33)))
    with pytest.raises(ValueError, match="aligned"):
        product(np.zeros((2, 3)), np.zeros((4, 2)))


def test_matrices_and_norms():
    for kind in ("f8", "i4", "c16"):
        agree(of_a_matrix, made(kind, (3, 3)))
        agree(norms, made(kind, (6,)))


@pytest.mark.parametrize("kind", ["f8", "u1"])
def test_order(kind):
    for length in (0, 1, 2, 9, 100):
        agree(ordered, made(kind, (length,)))
        agree(stably, made(kind, (length,)))


def test_nan_is_behind_all_numbers():
    a = np.array([2.0, np.nan, -1.0, np.inf, np.nan, -np.inf, 0.0])
    agree(ordered, a)
    agree(stably, a)
    agree(without_nan, a)
    agree(without_nan, made("f8", (6,)))
    agree(without_nan, made("f8", (7,)))


def test_sorting_in_place():
    @mh.jit
    def sort(a):
        a.sort()

    agree(sort, made("f8", (30,)))
    agree(sort, made("i4", (3, 8)))
    agree(sort, made("f8", (9,), "strided"))


def test_parts():
    for a, b in ((7, 4), (1, 1), (4, 0)):
        agree(together, made("f8", (a,)), made("i4", (b,), seed=1))
    agree(stacked, made("f8", (3,)), made("f8", (3,)), made("i4", (2, 3)), made("f8", (2, 3)))
    agree(stacked, made("f8", (3,)), made("f8", (2,)), made("i4", (2, 3)), made("f8", (2, 3)))


def test_counts():
    for length in (1, 7, 50):
        agree(counted, made("f8", (length,)), made("u1", (length,)).astype(np.int64))
    agree(counted, made("f8", (3,)), np.array([1, -1]))


def test_interpolation():
    xp = np.array([-1.0, 0.0, 0.5, 2.0])
    agree(between, np.array([-2.0, -1.0, -0.3, 0.5, 1.9, 2.0, 7.0, np.nan]), xp, xp**2)
    agree(between, 0.25, xp, xp**2)
    agree(between, 0.25, xp, xp[1:])


def test_subscripts_that_are_arrays_are_read():
    agree(taken, made("f8", (7,)), np.array([2, 0, -1, 2]), made("f8", (4, 5)))
    agree(taken, made("i4", (7,), "strided"), np.array([0]), made("i4", (4, 5), "F"))
    agree(taken, made("f8", (7,)), np.array([2, 9]), made("f8", (4, 5)))


def test_subscripts_that_are_arrays_are_written():
    agree(put, made("f8", (7,)), np.array([2, 0, -1, 2]), made("f8", (4, 5)), made("f8", (4,), seed=2))
    agree(put, made("f8", (7,)), np.array([1]), made("f8", (4, 5)), made("f8", (1,), seed=2))
    agree(put, made("f8", (7,)), np.array([2, 7]), made("f8", (4, 5)), made("f8", (2,), seed=2))


def test_a_mask_of_another_length():
    @mh.jit
    def masked(a, mask):
        return a[mask]

    agree(masked, made("f8", (4,)), np.array([True, False, True]))
    agree(masked, made("f8", (3, 2)), np.array([True, False, True]))


@mh.jit
def picked(a, i, k, mask, columns):
    return (
        a[mask, :], a[:, columns], a[mask, 0], a[mask, columns[:2]], a[i, 0], a[0, i], a[i, 1:], a[i, ::-1], a[..., k], a[i, k],
        a[i[:, None], k], a[None, i], a[i, None, k], a[k[:, None]], a[[0, 2]], a[[0, -1], 1], a[[[0, 1], [1, 0]], 0],
    )  # fmt: skip


@mh.jit
def stored(a, i, k, mask, columns, v):
    a[mask, 0] = 7
    a[i, 0] += 1
    a[:, columns] = a[:, :1]
    a[k[:, None], 1:] = v[:2]
    a[..., k] *= 2
    a[i] = v[:, None]
    a[i, k[0]] = a[::-1, 1][:3]
    a[[0, 1]] = a[[1, 0]]


@mh.jit
def picked_in_space(a, mask, rows, i, k):
    return (
        a[mask],
        a[:, i],
        a[i, :, k],
        a[:, i, k],
        a[0, :, i],
        a[..., i, 0],
        a[rows],
        a[rows, i],
        a[i, ..., k],
        a[i, 1:, 0],
    )


@mh.jit
def stored_in_space(a, mask, rows, i, k):
    a[mask] *= 2
    a[:, i] += 1
    a[i, :, k] = a[0, 0, :1]
    a[rows, 0] = -1


@pytest.mark.parametrize("kind, layout", [("f8", "C"), ("i4", "F"), ("f8", "strided"), ("f8", "reversed")])
def test_subscripts_with_arrays_among_others(kind, layout):
    a, mask, columns = made(kind, (4, 3), layout), np.array([True, False, True, True]), np.array([True, False, True])
    v = np.array([0.5, 1.5, 2.5])
    for i, k in ((np.array([2, 0, -1]), np.array([0, -1, 0], "i4")), (np.array([1, 2, 1], "u1"), np.array([1]))):
        agree(picked, a, i, k, mask, columns[: len(a[0])])
        agree(stored, a, i, k, mask, columns, v)
    space, i, k = made(kind, (3, 4, 5), layout), np.array([0, 1, -1]), np.array([2, 0, 0])
    agree(picked_in_space, space, space > 0, space[:, :, 0] > 9, i, k)
    agree(stored_in_space, space, space > 0, space[:, :, 0] > 0, i, k)


def test_subscripts_with_arrays_that_do_not_fit():
    for text, *given in (
        ("a[i, k]", np.array([0, 1, 2]), np.array([0, 1])),
        ("a[i, 0]", np.array([0, 4]), 0),
        ("a[i, 0]", np.array([], int), 0),
        ("a[:, i]", np.array([0, -4]), 0),
        ("a[i, k]", np.array([9]), np.array([], int)),
        ("a[i, :]", np.array([True, False]), 0),
        ("a[i, 0]", np.array([1.0]), 0),
        ("a[i, k, 0]", np.array([1]), np.array([1])),
    ):
        agree(mh.jit(eval(f"lambda a, i, k: {text}"), source=f"lambda a, i, k: {text}"), made("f8", (4, 3)), *given)


def test_nothing_is_stored_where_an_index_is_out_of_bounds():
    @mh.jit
    def put_both(a, i, v):
        a[i] = v

    for given in (made("f8", (4,)), made("f8", (4, 3))):
        agree(put_both, given, np.array([0, 1, 4]), 5.0)
        agree(put_both, given, np.array([0, 4]), np.ones((3,) * given.ndim))


def test_what_is_picked_takes_no_other_kind():
    @mh.jit
    def added(a, i):
        a[i] += 1.5

    agree(added, np.arange(4.0), np.array([1, 1]))
    agree(added, np.arange(4), np.array([1, 1]))


def test_random_arrays():
    @mh.jit
    def drawn(n):
        return np.random.rand(n, 3), np.random.normal(2.0, 0.5, n), np.random.randint(0, 10, size=(n, 2))

    before = mh.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 8):
            mh.set_num_threads(threads)
            mh.seed(5)
            found.append(drawn(20_000))
    finally:
        mh.set_num_threads(before)
    for one, other in zip(found[0] * 2, found[1] + found[2], strict=True):
        assert np.array_equal(one, other)
    unit, normal, whole = found[0]
    assert unit.shape == (20_000, 3) and unit.dtype == np.float64 and abs(unit.mean() - 0.5) < 0.01
    assert normal.shape == (20_000,) and abs(normal.mean() - 2) < 0.02 and abs(normal.std() - 0.5) < 0.02
    assert whole.shape == (20_000, 2) and whole.dtype == np.int64 and whole.min() == 0 and whole.max() == 9


@mh.jit
def one_taken(a, i):
    return np.take(a, i)


def test_an_index_without_dimensions_is_a_number():
    a, i = np.arange(4.0), np.array(2)
    assert one_taken(a, i) == np.take(a, i)
    with pytest.raises(IndexError):
        one_taken(a, np.array(4))


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_sorting_along_an_axis(axis):
    A = np.random.default_rng(2).random((4, 5))
    along = mh.jit(lambda A, axis: np.sort(A, axis))
    assert np.array_equal(along(A, axis), np.sort(A, axis))


def test_what_sorting_and_searching_refuse():
    A = np.ones((2, 3))
    for call, error in (
        (lambda A: np.sort(A, 2), ValueError),
        (lambda A: np.argsort(A, axis=-3), ValueError),
        (lambda A: np.searchsorted(A[0], 1.0, side="lef"), ValueError),
    ):
        compiled = mh.jit(call)
        with pytest.raises(error):
            compiled(A)


@pytest.mark.parametrize(
    "text, kind, message",
    [
        ("np.unique(a, axis=0)", mh.CompileError, "np.unique(..., axis=...) is not compiled"),
        ("np.median(a, 0, None, True)", mh.CompileError, "np.median(..., overwrite_input=...) is not compiled"),
        ("np.median(a, axes=0)", TypeError, "np.median() got an unexpected keyword argument 'axes'"),
        ("np.concatenate((a, a), dtype=float)", mh.CompileError, "np.concatenate(..., dtype=...) is not compiled"),
        ("np.exp(a, order='K')", mh.CompileError, "np.exp(..., order=...) is not compiled"),
        ("np.zeros(3, like=a)", mh.CompileError, "np.zeros(..., like=...) is not compiled"),
        ("a.take(2, mode='clip')", mh.CompileError, "x.take(..., mode=...) is not compiled"),
        ("a.sort(foo=1)", TypeError, "x.sort() got an unexpected keyword argument 'foo'"),
        ("np.roll(3, 1)", mh.CompileError, "np.roll is not compiled for these arguments: an array is needed, not int"),
        ("np.foo(a)", AttributeError, "module 'numpy' has no attribute 'foo'"),
        ("np.linalg.foo(a)", AttributeError, "module 'numpy.linalg' has no attribute 'foo'"),
    ],
)
def test_what_is_refused_is_told_in_the_line_of_the_call(text, kind, message):
    written = f"lambda a: {text}"
    with pytest.raises(kind) as told:
        mh.jit(eval(written), source=written)(np.arange(3.0))
    assert type(told.value) is kind and message in str(told.value)
    assert written in str(told.value) and "_jit_numpy" not in str(told.value)


def test_an_axis_past_the_rank():
    agree(mh.jit(lambda a: np.stack((a, a), axis=2)), np.arange(3.0))
    agree(mh.jit(lambda a: np.stack((a, a), axis=-3)), np.arange(3.0))
    agree(mh.jit(lambda a: np.concatenate((a, a), axis=1)), np.arange(3.0))
