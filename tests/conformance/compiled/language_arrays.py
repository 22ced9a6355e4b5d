"""Arrays: elements, views, makers, layouts, results."""

import math

import numpy as np

import manyhands as mh
from features import INF, NAN, does, f8, grid, i8


def read_only():
    a = f8(1.0, 2.0, 3.0)
    a.setflags(write=False)
    return (a,)


@does((f8(1.0, 2.0, 3.0), 1), (f8(1.0, 2.0, 3.0), -1), (f8(1.0, 2.0, 3.0), 3), (f8(1.0, 2.0, 3.0), -4), (f8(), 0))
def element(a, i):
    return a[i]


@does((grid(2, 3), 1, 2), (grid(2, 3), -1, -3), (grid(2, 3), 2, 0), (grid(2, 3), 0, 3))
def element_of_a_grid(a, i, j):
    return a[i, j], a[i][j]


@does((f8(1.0, 2.0, 3.0), 1, 7.5), (f8(1.0, 2.0), 2, 0.0), (i8(1, 2), 0, 9))
def storing(a, i, x):
    a[i] = x
    a[-1] += 1
    a[0] *= 2


@does(read_only)
def storing_into_what_is_read_only(a):
    a[0] = 1.0


@does(read_only)
def reading_what_is_read_only(a):
    return a[0] + a[-1]


@does((f8(1.0, 2.0, 3.0),), (grid(2, 3),), (np.zeros((2, 0)),), (np.zeros((2, 3, 4)),))
def shapes(a):
    return len(a), a.shape, a.size, a.ndim, a.shape[0]


@does((grid(2, 3),))
def shape_taken_apart(a):
    n, m = a.shape
    return n * 10 + m


@does((np.arange(10.0), 2, 7), (np.arange(10.0), -3, 100), (np.arange(10.0), 7, 2), (np.arange(0.0), 0, 5))
def slices(a, lo, hi):
    return a[lo:hi].copy(), a[:hi].size, a[lo:].size, a[lo:hi:2].copy(), a[hi:lo:-1].copy(), a[::-1].copy()


@does((np.arange(10.0), 2), (np.arange(10.0), -2), (np.arange(10.0), 0))
def slice_step_from_an_argument(a, step):
    return a[::step].copy()


@does((np.arange(10.0),))
def view_is_written_through(a):
    b = a[2:8:2]
    b[0] = 100.0
    c = b[::-1]
    c[0] = -100.0
    return len(b), c[1]


@does((grid(4, 5), 2), (grid(4, 5), -1), (grid(4, 5), 4))
def rows_and_columns(a, i):
    row = a[i]
    column = a[:, i]
    part = a[1:3, ::2]
    return row[0], column[-1], part[1, 1], len(column), part.shape


@does((grid(4, 5),))
def transposed(a):
    t = a.T
    return t.shape, t[1, 2], len(t)


@does((grid(4, 5),))
def result_is_a_view(a):
    return a[1:, 2]


@does((f8(1.0, 2.0),))
def result_is_the_argument(a):
    a[0] = 5.0
    return a


@does((3,), (0,), (-1,))
def zeros(n):
    return np.zeros(n)


@does((3, 2), (0, 2))
def zeros_of_two_axes(n, m):
    return np.zeros((n, m)), np.ones((m, n)), np.zeros((n, m), dtype=np.int32)


@does((3,))
def makers(n):
    return np.ones(n), np.full(n, 2.5), np.full(n, 7), np.arange(n), np.arange(1, n + 3), np.arange(0, 10, n)


@does((3,))
def makers_with_types(n):
    a = np.empty(n, dtype=np.float32)
    b = np.zeros(n, np.uint8)
    c = np.ones(n, dtype=bool)
    for i in range(n):
        a[i] = i / 2
        b[i] = 200 + i
    return a, b, c


@does((5,), (2,), (1,), (0,))
def evenly_spaced(n):
    return np.linspace(0.0, 1.0, n)


@does((1.0, 2.0, 0.25))
def float_steps(a, b, step):
    return np.arange(a, b, step)


@does((grid(2, 3),), (i8(1, 2),))
def like_another(a):
    x = np.zeros_like(a)
    y = np.ones_like(a)
    z = np.full_like(a, 3)
    w = np.empty_like(a)
    return x, y, z, w.shape


@does((3,))
def array_of_given_values(n):
    a = np.array((1.0, 2.0, n))
    b = np.array((1, 2, 3))
    return a, b


@does((2.5,), (3,))
def filled_by_a_loop(x):
    a = np.empty((3, 2))
    for i in range(3):
        for j in range(2):
            a[i, j] = x * i + j
    return a


@does((f8(3.0, 4.0),))
def copied(a):
    b = a.copy()
    b[0] = 0.0
    return a[0], b


@does((np.arange(6.0),))
def slice_is_filled(a):
    a[1:3] = 9.0
    a[4:] = a[:2]


@does((np.arange(6.0),))
def slice_is_added_to(a):
    a[:3] += 10.0
    a[3:] *= 2.0


@does((grid(3, 3),))
def row_is_assigned(a):
    a[0] = a[1]
    a[:, 2] = 7.0


@does(lambda: (np.asfortranarray(grid(3, 4)),), lambda: (grid(6, 8)[::2, ::-2],), lambda: (grid(3, 4),))
def layouts(a):
    tot = 0.0
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            tot = tot * 1.5 + a[i, j]
            a[i, j] = -tot
    return tot


@does(
    *[
        (np.array([0, 1, 2, 100]).astype(kind),)
        for kind in ("i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f4", "f8", "c8", "c16", "?")
    ]
)
def all_kinds_of_elements(a):
    b = a[3]
    a[0] = a[3]
    return b


@does(
    (np.zeros(3, dtype=np.uint8), 255),
    (np.zeros(3, dtype=np.uint8), 256),
    (np.zeros(3, dtype=np.uint8), -1),
    (np.zeros(3, dtype=np.int8), 127),
)
def python_int_into_narrow_elements(a, n):
    a[0] = n


@does((np.zeros((2, 3, 4)),))
def three_axes(a):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            for k in range(a.shape[2]):
                a[i, j, k] = 100 * i + 10 * j + k
    return a[1, 2, 3], a[0].shape, a[1, :, 2].copy()


@does((f8(3.0, 1.0, 2.0), i8(2, 0, 1)), (f8(3.0, 1.0), i8(2, 0)))
def places_in_an_array(a, places):
    tot = 0.0
    for i in range(len(places)):
        tot = tot * 10 + a[places[i]]
    return tot


@does((np.zeros(5, dtype=bool),))
def array_of_flags(a):
    for i in range(len(a)):
        a[i] = i % 2 == 0
    count = 0
    for i in range(len(a)):
        if a[i]:
            count += 1
    return count


@does((1,), (0,))
def array_or_another(n):
    a = np.zeros(2)
    b = np.ones(3)
    if n > 0:
        a = b
    a[0] = 5.0
    return a, b


@does((f8(1.0),))
def arrays_and_numbers(a):
    return a, 3, a[0], (1.5, a)


@does((np.arange(3.0), 1))
def new_axis(a, i):
    b = a[None, :]
    c = a[:, np.newaxis]
    return b.shape, c.shape, c[i, 0]


@does((np.array(5.0),))
def without_axes(a):
    a[()] += 1
    return a[()]


@does((i8(3, 1, 7, 2),))
def sums_in_pairs(a):
    s, t = 0, 1
    for i in mh.prange(len(a)):
        s, t = s + a[i], t + a[i] ** 2
    return s, t


@does((f8(3, 1, 7, 2),))
def turns_in_one_assignment(a):
    x, y, z = 1.0, 2.0, 3.0
    for i in range(len(a)):
        x, y, z = y, z + a[i], x
    s, t = x, y
    s, t = t, s
    return x, y, z, s, t


@does(
    (f8(1e-16, 1, 1e16),),
    (f8(),),
    (f8(1e308, 1e308, -1e308),),
    (f8(INF, -INF),),
    (f8(INF, NAN),),
    (f8(0.1, 0.2, 0.3) / 3,),
)
def exact_sum(a):
    return math.fsum(a)


@does((f8(0.1, 0.2, 0.3), 1e20), (i8(1, 2, 2**60), 0.1))
def exact_sums_of_expressions(a, x):
    return math.fsum(a * 3), math.fsum(a[::-1]), math.fsum((x, 1.0, -x, 1))
