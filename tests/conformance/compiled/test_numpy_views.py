"""Arrays under other lengths, and parts of complex ones: views where NumPy has views, copies where it copies."""

import numpy as np
import pytest
from numpy_arrays import agree, made

import manyhands as mh

LAYOUTS = ("C", "F", "strided", "reversed")


@mh.jit
def flat(a):
    b = a.reshape(-1)
    c = a.ravel()
    d = a.flatten()
    e = np.ravel(a)
    b += 1
    c += 10
    d += 100
    e += 1000
    return b, c, d, e


@mh.jit
def flat_by_columns(a):
    b = a.ravel("F")
    c = a.flatten(order="F")
    d = a.reshape(-1, order="F")
    b += 1
    c += 10
    d += 100
    return b, c, d


@mh.jit
def split(a, n, m):
    b = a.reshape(n, m)
    b[...] = b + 1
    c = np.reshape(a, (n, m, 1))
    c[...] = c * 2
    d = a.reshape((1, n, -1))
    d[0, :, 0] = 7
    return b, c, d, a.reshape(n, m, order="F")


@mh.jit
def apart(a):
    b = a.reshape(2, 3, 2, 2)
    b[1, 2] = 50
    return b.sum(axis=0), b.T.reshape(6, 4), b[:, 1].reshape(-1), b[..., 0].reshape(2, 6), b[::-1].reshape(12, 2)


@mh.jit
def with_unit_axes(a):
    row, column = a.reshape(1, -1), a.reshape(-1, 1)
    return row + column, row * 2, column.reshape(a.size), a.reshape(a.shape), a[:, None].reshape(-1)


@mh.jit
def parts_of(z):
    re, im = z.real, z.imag
    re += 2
    im[...] = im * 3 + re
    return re.copy(), np.imag(z).copy(), z.real.sum(), (z * z).real, (z + 1).imag.copy(), np.real(z[..., 0])


@mh.jit
def turned(a):
    return (
        a.transpose(1, 0, 2),
        np.transpose(a, (2, 0, 1)),
        a.swapaxes(0, 2),
        np.swapaxes(a, 1, -1),
        a.transpose((2, 1, 0)),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_flat(layout):
    for shape in ((0,), (1,), (12,), (2, 3, 4), (1, 6, 1), (2, 1, 3), (0, 2, 1)):
        agree(flat, made("i2", shape, layout))
    for shape in ((3, 4), (4, 1), (0, 3)):
        agree(flat_by_columns, made("f8", shape, layout))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_split(layout):
    for shape in ((3, 4), (4, 3), (2, 6), (12, 1), (1, 12), (0, 4), (5, 1)):
        for n, m in ((3, 4), (12, 1), (2, 6), (5, 3), (0, 4), (-1, 4), (4, -1), (-1, -1), (-1, 5), (6, -2)):
            agree(split, made("f8", shape, layout), n, m)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_apart(layout):
    for shape in ((2, 12), (6, 4), (4, 6), (3, 8)):
        agree(apart, made("i4", shape, layout))


def test_unit_axes():
    for layout in ("C", "strided", "reversed"):
        for shape in ((5,), (1,), (0,)):
            agree(with_unit_axes, made("f8", shape, layout))


def test_axes_in_another_order():
    for layout in LAYOUTS:
        agree(turned, made("f8", (2, 3, 4), layout))


def test_parts():
    for layout in ("C", "reversed"):
        for shape in ((6,), (0,)):
            agree(parts_of, made("c16", shape, layout))
    agree(parts_of, made("c8", (3, 2), "strided"))


def test_imaginary_part_of_reals():
    @mh.jit
    def imaginary(a):
        return a.imag, a.real

    agree(imaginary, made("f8", (2, 3)))

    @mh.jit
    def write(a):
        a.imag[0] = 1

    with pytest.raises(ValueError, match="read-only"):
        write(np.ones(3))


def test_views_stay_alive():
    @mh.jit
    def view(n):
        return np.arange(n).reshape(2, -1).ravel().reshape(-1, 2)

    assert view(8).tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    a = np.arange(6.0)

    @mh.jit
    def of_the_caller(a):
        return a.reshape(2, 3)

    of_the_caller(a)[1, 2] = 9
    assert a[5] == 9


def test_lengths_whose_product_has_no_end():
    @mh.jit
    def reshape(a, n, m):
        return a.reshape(n, m)

    for n, m in ((2**62, 4), (2**32, 2**32), (2**63 - 1, 2)):
        with pytest.raises(ValueError):
            reshape(np.zeros(0), n, m)
        with pytest.raises(ValueError):
            reshape(np.zeros(4), n, m)


def test_writing_through_views_in_parallel():
    @mh.jit
    def through_a_view(a):
        b = a.reshape(-1)
        for i in mh.prange(b.size):
            b[i] = i
        return a

    @mh.jit
    def rows(a, k):
        for i in mh.prange(a.shape[0]):
            row = a[i].reshape(-1, k)
            for j in range(row.shape[0]):
                row[j] = row[j] + i
        return a

    @mh.jit
    def own(n):
        out = np.zeros(n)
        for i in mh.prange(n):
            own = np.arange(12).reshape(3, 4)
            own[1, :] = i
            out[i] = own.ravel().sum()
        return out

    @mh.jit
    def real_parts(z):
        re, im = z.real, z.imag
        for i in mh.prange(len(z)):
            re[i] = i
            z.imag[i] = im[i] + 1
        return z

    @mh.jit
    def from_one_part_to_the_other(z):
        re, im = z.real, z[::-1].imag
        for i in mh.prange(1, len(z)):
            re[i] = im[i - 1]
        return z

    agree(from_one_part_to_the_other, made("c16", (5000,)))
    agree(through_a_view, made("f8", (100, 70)))
    agree(through_a_view, made("f8", (100, 70), "F"))
    agree(rows, made("f8", (40, 6, 2)), 4)
    agree(own, 50)
    agree(real_parts, made("c16", (5000,)))


def test_a_write_through_another_shape_is_a_write():
    @mh.jit
    def both(a):
        b = a.reshape(-1)
        for i in mh.prange(1, b.size):
            b[i] = a[0, 0] + a[(i - 1) // a.shape[1], (i - 1) % a.shape[1]]
        return a

    @mh.jit
    def inside(a):
        for i in mh.prange(a.size):
            b = a.reshape(-1)
            b[i] = b[i - 1]

    @mh.jit
    def sums(z):
        for i in mh.prange(len(z)):
            z.real[0] *= z[i].imag

    @mh.jit
    def half_of_a_scratch_array(out):
        scratch = np.zeros(4, dtype=np.complex128)
        re = scratch.real
        for i in mh.prange(len(out)):
            for k in range(4):
                re[k] = i + k
            for k in range(4):
                out[i] += abs(scratch[k])
            scratch[i % 4] = 1j

    a = made("f8", (60, 100))
    with pytest.warns(mh.CompileWarning):
        both(a.copy())
    agree(both, a)
    with pytest.raises(mh.RaceError):
        inside(a)
    with pytest.raises(mh.RaceError):
        sums(made("c16", (5,)))
    with pytest.raises(mh.RaceError):
        half_of_a_scratch_array(np.zeros(9))
