"""Kernels that race for some arguments and not for others: arrays that may overlap, offsets and places that are known when called.

Such a kernel is refused, or it finds out at the call and gives the serial answer for each of its arguments.
"""

import numpy as np
from corpus import SQUARE, floats, guarded, ints, order, repeated, shuffled, wholes

import manyhands as mh


def apart(n):
    return (floats(n, seed=1), floats(n, seed=2))


def same(n):
    a = floats(n)
    return (a, a)


def one_behind(n):
    a = floats(n + 1)
    return (a[1:], a[:-1])


def one_ahead(n):
    a = floats(n + 1)
    return (a[:-1], a[1:])


def turned(n):
    a = floats(n)
    return (a, a[::-1])


def interleaved(n):
    a = floats(2 * n)
    return (a[::2], a[1::2])


def spread_over(n):
    a = floats(2 * n)
    return (a[::2], a[:n])


@guarded(apart, same, one_behind, one_ahead, turned, interleaved, spread_over)
def copy(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[i]


@guarded(apart, same, one_behind, one_ahead, turned, interleaved, spread_over)
def computed(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[i] * 2 + 1


@guarded(apart, same, one_behind, one_ahead, turned, interleaved, spread_over)
def shifted_read(out, a):
    for i in mh.prange(1, len(out) - 1):
        out[i] = a[i - 1] + a[i + 1]


@guarded(apart, same, one_behind, one_ahead, turned, interleaved)
def both_written(a, b):
    for i in mh.prange(len(a)):
        a[i] = i
        b[i] = -i


@guarded(apart, same, one_behind, one_ahead, turned)
def swapped(a, b):
    for i in mh.prange(len(a)):
        a[i], b[i] = b[i], a[i]


def sum_apart(n):
    return (np.zeros(1), wholes(n))


def sum_within(n):
    a = wholes(n + 1)
    return (a[:1], a)


@guarded(sum_apart, sum_within)
def sum_into_what_is_read(tot, a):
    for i in mh.prange(len(a)):
        tot[0] += a[i]


def counts_apart(n):
    return (np.zeros(8, dtype=np.int64), ints(n, low=0, high=8))


def counts_within(n):
    a = ints(n + 8, low=0, high=8)
    return (a[:8], a[8:])


def counts_themselves(n):
    a = ints(n + 8, low=0, high=8) % 8
    return (a, a[:8])


@guarded(counts_apart, counts_within, counts_themselves)
def histogram(counts, places):
    for i in mh.prange(len(places)):
        counts[places[i]] += 1


def same_grid(n):
    a = floats(n, n)
    return (a, a)


def turned_grid(n):
    a = floats(n, n)
    return (a, a.T)


def shifted_grid(n):
    a = floats(n + 1, n)
    return (a[1:], a[:-1])


def grids_apart(n):
    return (floats(n, n), floats(n, n, seed=2))


@guarded(grids_apart, same_grid, turned_grid, shifted_grid, sizes=SQUARE)
def grid_copy(out, a):
    for i in mh.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[i, j] = a[i, j]


@guarded(grids_apart, same_grid, turned_grid, shifted_grid, sizes=SQUARE)
def grid_transpose(out, a):
    for i in mh.prange(out.shape[0]):
        for j in range(out.shape[1]):
            out[j, i] = a[i, j]


@guarded(grids_apart, same_grid, turned_grid, shifted_grid, sizes=SQUARE)
def grid_stencil(out, a):
    for i in mh.prange(1, out.shape[0] - 1):
        for j in range(1, out.shape[1] - 1):
            out[i, j] = a[i - 1, j] + a[i + 1, j]


def three_apart(n):
    return (wholes(n, n), wholes(n, n, seed=2), wholes(n, n, seed=3))


def product_into_left(n):
    a = wholes(n, n)
    return (a, a, wholes(n, n, seed=3))


def product_into_right(n):
    a = wholes(n, n)
    return (a, wholes(n, n, seed=2), a)


@guarded(three_apart, product_into_left, product_into_right, sizes=(0, 1, 2, 3, 9))
def matrix_product(c, a, b):
    n = a.shape[0]
    for i in mh.prange(n):
        for j in range(n):
            s = 0.0
            for k in range(n):
                s += a[i, k] * b[k, j]
            c[i, j] = s


@guarded(shuffled, repeated)
def scatter(out, a, places):
    for i in mh.prange(len(a)):
        out[places[i]] = a[i]


def few_places(n):
    return (floats(n), ints(n, low=0, high=max(n // 2, 1)))


def own_places(n):
    return (floats(n), np.arange(n))


def other_places(n):
    return (floats(n), order(n))


@guarded(own_places, other_places, few_places)
def updated_through_places(a, places):
    for i in mh.prange(len(places)):
        a[places[i]] = a[places[i]] * 2 + 1


def shift_of(k):
    return lambda n: (floats(n + 10), k, n)


@guarded(shift_of(0), shift_of(1), shift_of(5), shift_of(-1), shift_of(-3))
def shift_from_argument(a, k, n):
    for i in mh.prange(3, n):
        a[i] = a[i + k] + 1


@guarded(lambda n: (floats(2 * n + 2), n), lambda n: (floats(2 * n + 2), n // 2), lambda n: (floats(2 * n + 2), 1))
def distance_from_argument(a, k):
    for i in mh.prange(len(a) // 2):
        a[i] = a[i + k]


def stride_of(k):
    return lambda n: (floats(abs(k) * n + 1), k, n)


@guarded(stride_of(2), stride_of(1), stride_of(0), stride_of(-1))
def stride_from_argument(a, k, n):
    for i in mh.prange(n):
        a[i * k] = a[i * k] * 2 + i


@guarded(
    lambda n: (np.zeros(n * 3 + 5), n, 3, 3),
    lambda n: (np.zeros(n * 3 + 5), n, 2, 3),
    lambda n: (np.zeros(n * 3 + 5), n, 3, 2),
    lambda n: (np.zeros(n * 3 + 5), n, 0, 3),
)
def flattened_by_argument(out, n, width, m):
    for i in mh.prange(n):
        for j in range(m):
            out[i * width + j] = out[i * width + j] * 2 + i + j


@guarded(lambda n: (floats(n + 2), -2), lambda n: (floats(n), 0), lambda n: (floats(n), -n))
def begins_below_zero(a, first):
    for i in mh.prange(first, len(a) // 2):
        a[i] = a[i] * 2 + i


@guarded(lambda n: (floats(n + 1), 0), lambda n: (floats(n + 1), n // 2), lambda n: (floats(n + 1), n))
def reads_a_place_from_argument(a, k):
    for i in mh.prange(len(a) - 1):
        a[i] = a[i] + a[k]


@guarded(lambda n: (np.zeros(n + 1), np.zeros(n + 1)), lambda n: (np.zeros(n + 1),) * 2)
def written_and_read_by_two_names(a, b):
    for i in mh.prange(len(a) - 1):
        a[i] = i
        b[i + 1] = a[i] * 2


@guarded(
    lambda n: (floats(n), floats(n, seed=2), floats(n, seed=3)),
    lambda n: (floats(n),) * 3,
    lambda n: (*one_behind(n), floats(n, seed=3)),
    lambda n: (floats(n, seed=3), *one_behind(n)),
)
def three_names(a, b, c):
    for i in mh.prange(len(a)):
        b[i] = a[i] + c[i]
        c[i] = b[i] - 1
