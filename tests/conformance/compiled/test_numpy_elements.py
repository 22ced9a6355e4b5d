"""Array expressions, element by element: NumPy is the oracle of values, types, shapes and errors."""

import numpy as np
import pytest
from numpy_arrays import SHAPES, agree, made

import manyhands as mh


@mh.jit
def arithmetic(a, b):
    return a + b, a * b, (a + b) * b, +(a * a)


@mh.jit
def differences(a, b):
    return a - b, -a, a - 1, 2 - b


@mh.jit
def quotients(a, b):
    return a / b, a // b, a % b


@mh.jit
def bits(a, b):
    return a & b, a | b, a ^ b, ~a


@mh.jit
def comparisons(a, b):
    return a < b, a <= b, a == b, a != b, a > 1, 0 >= b


@mh.jit
def with_numbers(a):
    return a + 1, a * 2.5, 3 - a, a * True, 1j * a


@mh.jit
def powers(a):
    return a**2, a**3, (a * a) ** 0.5


@mh.jit
def functions(a):
    return np.sqrt(a), np.exp(a), np.sin(a) ** 2, np.floor(a), np.isnan(np.log(a)), np.round(a), np.sign(a)


@mh.jit
def choices(a, b):
    return np.maximum(a, b), np.minimum(a, 1), np.where(a > b, a, b), np.where(a > 0, a, 0), np.clip(a, 1, 3)


@mh.jit
def conversions(a):
    return a.astype(np.float32), a.astype("i4"), np.float64(a), a.astype(np.complex128)


@mh.jit
def in_place(out, a):
    out += a
    out *= 2
    out[:] = out * a + out
    np.add(out, a, out)


@mh.jit
def stored(out, a):
    out[:] = a
    out[..., :2] = a[..., :2] + a[..., :2]


@mh.jit
def overlapping(a):
    a[1:] = a[:-1] + a[1:]
    a[:-1] += a[1:]
    a[::-1] = a * 2
    return a


@mh.jit
def stretched(a, b):
    return a[:, None] + b, a[:, np.newaxis] * b[None, :], a[:, None] * b[None]


@mh.jit
def fused(a, b, c, x):
    return a * x + b * x - c


@pytest.mark.parametrize("kind", ["?", "i2", "u8", "f4", "c16"])
def test_operators_of_one_kind(kind):
    for function in (arithmetic, differences, quotients, bits, comparisons):
        agree(function, made(kind, (7,)), made(kind, (7,), seed=1))
    for function in (with_numbers, powers):
        agree(function, made(kind, (5,)))


@pytest.mark.parametrize(
    ("kind", "other"), [("?", "i8"), ("u2", "i1"), ("u8", "i4"), ("i4", "f4"), ("f4", "c8"), ("i8", "?")]
)
def test_operators_of_two_kinds(kind, other):
    for function in (arithmetic, comparisons):
        agree(function, made(kind, (7,)), made(other, (7,), seed=1))


@pytest.mark.parametrize(("layout", "other"), [("F", "F"), ("C", "strided"), ("reversed", "F")])
def test_layouts(layout, other):
    for shape in SHAPES:
        agree(arithmetic, made("f8", shape, layout), made("f8", shape, other, seed=1))
        agree(in_place, made("f8", shape, layout), made("f8", shape, other, seed=1))


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_are_stretched_or_refused(shape):
    for other in ((7,), (1,), (3, 4), (2, 3, 4)):
        agree(differences, made("f8", shape), made("f8", other, seed=1))
        agree(in_place, made("f8", shape), made("f8", other, seed=1))
        agree(stored, made("f8", shape), made("f8", other, seed=1))


def test_order_of_columns_is_kept():
    a, b = made("f8", (3, 4), "F"), made("f8", (3, 4), "C")
    for found, expected in zip(arithmetic(a, a), arithmetic.py_func(a, a), strict=True):
        assert found.flags.f_contiguous == expected.flags.f_contiguous
    assert arithmetic(a, b)[0].flags.c_contiguous


@pytest.mark.parametrize("kind", ["i2", "u8", "f4"])
def test_functions_of_numbers(kind):
    agree(functions, made(kind, (3, 4)))
    agree(choices, made(kind, (3, 4)), made(kind, (4,), seed=1))


@pytest.mark.parametrize("kind", ["?", "u4", "f8"])
def test_conversions(kind):
    agree(conversions, made(kind, (3, 4)))


@pytest.mark.parametrize("kind", ["i4", "f8"])
def test_what_is_written_is_not_read_before(kind):
    for length in (2, 3, 9):
        agree(overlapping, made(kind, (length,)))


def test_new_axes():
    for shape, other in (((3,), (4,)), ((0,), (4,)), ((1,), (1,)), ((3,), (1,)), ((2, 3), (2, 3))):
        agree(stretched, made("f8", shape), made("f8", other, seed=1))


def test_what_does_not_fit_is_told_as_numpy_tells_it():
    a, b = np.zeros(3), np.zeros(4)
    with pytest.raises(ValueError, match=r"^operands could not be broadcast together with shapes \(3,\) \(4,\) "):
        arithmetic(a, b)
    with pytest.raises(ValueError, match=r"^could not broadcast input array from shape \(4,\) into shape \(3,\)"):
        stored(a, b)


def test_the_first_that_does_not_fit_is_the_one_that_is_told():
    one, three, four = np.zeros(1), np.zeros(3), np.zeros(4)
    agree(fused, one, three, four, one)
    with pytest.raises(ValueError, match=r"\(3,\) \(4,\)"):
        fused(one, three, four, one)
    with pytest.raises(ValueError, match=r"\(3,\) \(1000,\)"):
        fused(three, np.zeros(1000), one, one)


def test_numbers_that_do_not_fit():
    @mh.jit
    def shifted(a, n):
        return a + n

    agree(shifted, made("u1", (3,)), 300)
    agree(shifted, made("i2", (0,)), 2**40)
    agree(shifted, made("i2", (3,)), 100)
    agree(shifted, made("i8", (3,)), 2**62)


def test_negative_powers_of_integers():
    @mh.jit
    def powers(a, b):
        return a**b

    agree(powers, made("i8", (3,)), np.array([1, 2, -1]))
    agree(powers, np.array([2.0, 4.0]), np.array([0.5, -1.0]))


def test_arguments_are_taken_before_later_ones_change_them():
    @mh.jit
    def double(a):
        a *= 2
        return a

    @mh.jit
    def mixed(a):
        return (a + 1) * double(a) - a

    agree(mixed, made("f8", (5,)))


def test_inside_of_a_prange():
    @mh.jit
    def rows(a, b, out):
        for i in mh.prange(len(a)):
            row = a[i] * 2 + b
            out[i] = row - b * i

    agree(rows, made("f8", (300, 4)), made("f8", (4,)), np.zeros((300, 4)))


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_many_elements_on_many_threads(threads):
    before = mh.get_num_threads()
    mh.set_num_threads(threads)
    try:
        random = np.random.default_rng(3)
        agree(fused, *(random.random(300_000) for _ in range(4)))
    finally:
        mh.set_num_threads(before)
