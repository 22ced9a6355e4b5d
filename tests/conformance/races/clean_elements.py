"""Each iteration writes elements of its own."""

import math

import numpy as np
from corpus import SQUARE, clean, floats, ints, one, one_int, shuffled, size, three, two, wholes, wide

import manyhands as mh


@clean(two)
def copy(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i]


@clean(two, lambda n: (floats(n), ints(n)))
def scale(out, a):
    for i in mh.prange(out.size):
        out[i] = 2 * a[i] + 1


@clean(one)
def in_place(a):
    for i in mh.prange(a.shape[0]):
        a[i] = a[i] * a[i] - 1.0


@clean(one)
def in_place_augmented(a):
    for i in mh.prange(len(a)):
        a[i] *= 3.0
        a[i] -= 0.5


@clean(three)
def linear(out, a, b):
    for i in mh.prange(len(out)):
        out[i] = a[i] * 2.5 + b[i]


@clean(lambda n: (floats(n, seed=1), floats(n, seed=2), floats(n, seed=3), floats(n, seed=4), floats(n, seed=5)))
def five_arrays(out, a, b, c, x):
    for i in mh.prange(len(out)):
        out[i] = a[i] * x[i] + b[i] * x[i] - c[i]


@clean(size)
def fill_new(n):
    out = np.zeros(n)
    for i in mh.prange(n):
        out[i] = i / 2
    return out


@clean(size)
def fill_new_ints(n):
    out = np.empty(n, dtype=np.int64)
    for i in mh.prange(n):
        out[i] = i * i - 3 * i
    return out


@clean(lambda n: (floats(2 * n),))
def even_places(a):
    for i in mh.prange(len(a) // 2):
        a[2 * i] = 1.5


@clean(lambda n: (floats(2 * n),))
def odd_from_even(a):
    for i in mh.prange(len(a) // 2):
        a[2 * i + 1] = a[2 * i] + 1.0


@clean(lambda n: (floats(2 * n + 1),))
def even_from_neighbours(a):
    for i in mh.prange(1, len(a) // 2):
        a[2 * i] = 0.5 * (a[2 * i - 1] + a[2 * i + 1])


@clean(lambda n: (floats(n), floats(2 * n)))
def pairs(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[2 * i] - a[2 * i + 1]


@clean(lambda n: (floats(n), floats(n // 2 + 1, seed=3)))
def spread(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[i // 2]


@clean(lambda n: (floats(n), floats(3, seed=3)))
def cyclic_read(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[i % 3]


@clean(two)
def reversed_read(out, a):
    n = len(a)
    for i in mh.prange(n):
        out[i] = a[n - 1 - i]


@clean(two)
def reversed_write(out, a):
    n = len(a)
    for i in mh.prange(n):
        out[n - 1 - i] = a[i]


@clean(two)
def counted_down(out, a):
    for i in mh.prange(len(a) - 1, -1, -1):
        out[i] = a[i] + i


@clean(two)
def steps_of_three(out, a):
    for i in mh.prange(0, len(a), 3):
        out[i] = a[i] * 2


@clean(two)
def negative_subscript(out, a):
    for i in mh.prange(1, len(a) + 1):
        out[-i] = a[i - 1]


@clean(two)
def last_read_by_all(out, a):
    for i in mh.prange(len(out)):
        out[i] = a[-1] + a[i]


@clean(two)
def wrapped_neighbour(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i - 1]


@clean(two)
def cyclic_neighbours(out, a):
    n = len(a)
    for i in mh.prange(n):
        out[i] = a[(i + 1) % n] - a[(i - 1) % n]


@clean(two)
def differences(out, a):
    for i in mh.prange(len(a) - 1):
        out[i] = a[i + 1] - a[i]


@clean(two)
def three_points(out, a):
    for i in mh.prange(1, len(a) - 1):
        out[i] = (a[i - 1] + a[i] + a[i + 1]) / 3


@clean(two)
def ends_apart(out, a):
    n = len(a)
    for i in mh.prange(n):
        if i == 0 or i == n - 1:
            out[i] = a[i]
        else:
            out[i] = 0.25 * a[i - 1] + 0.5 * a[i] + 0.25 * a[i + 1]


@clean(shuffled)
def gather(out, a, perm):
    for i in mh.prange(len(out)):
        out[i] = a[perm[i]]


@clean(lambda n: (floats(n), ints(n)))
def converting(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i] / 4


@clean(two)
def clip(out, a):
    for i in mh.prange(len(a)):
        if a[i] < -0.5:
            out[i] = -0.5
        elif a[i] > 0.5:
            out[i] = 0.5
        else:
            out[i] = a[i]


@clean(two)
def choose(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i] if a[i] > 0 else -a[i]


@clean(one_int)
def skipping(a):
    for i in mh.prange(len(a)):
        if a[i] % 2 == 0:
            continue
        a[i] = a[i] // 2


@clean(lambda n: (floats(n), floats(n, seed=2)))
def swap_arrays(a, b):
    for i in mh.prange(len(a)):
        a[i], b[i] = b[i], a[i]


@clean(lambda n: (floats(n), floats(n, seed=2)))
def two_outputs(a, b):
    for i in mh.prange(len(a)):
        t = a[i] + b[i]
        b[i] = a[i] - b[i]
        a[i] = t


@clean(one)
def reverse_in_place(a):
    n = len(a)
    for i in mh.prange(n // 2):
        a[i], a[n - 1 - i] = a[n - 1 - i], a[i]


@clean(one)
def first_half_from_second(a):
    half = len(a) // 2
    for i in mh.prange(half):
        a[i] = a[i + half]


@clean(one, sizes=(0, 3, 7, 8, 64, 5000))
def butterfly(a):
    half = len(a) // 2
    for i in mh.prange(half):
        low, high = a[i], a[half + i]
        a[i] = low + high
        a[half + i] = low - high


@clean(lambda n: (floats(3 * n),))
def triples(a):
    for i in mh.prange(len(a) // 3):
        a[3 * i] = 1.0
        a[3 * i + 1] = a[3 * i] + 1.0
        a[3 * i + 2] = a[3 * i + 1] + 1.0


@clean(lambda n: (floats(4 * n),))
def small_blocks(a):
    for i in mh.prange(len(a) // 4):
        for k in range(4):
            a[4 * i + k] = i + k


@clean(lambda n: (np.zeros(n * 3), n, 3))
def flattened(out, n, m):
    for i in mh.prange(n):
        for j in range(m):
            out[i * m + j] = i - j


@clean(lambda n: (floats(n, 3), floats(3, n)))
def last_axis_whole(out, a):
    for i in mh.prange(out.shape[0]):
        out[i, :] = a[:, i]


@clean(lambda n: (floats(n, 5), floats(n, 5, seed=2)))
def row_slices(out, a):
    for i in mh.prange(len(out)):
        out[i, 1:4] = a[i, :3]


@clean(lambda n: (floats(n, 4),))
def rows_as_views(a):
    for i in mh.prange(a.shape[0]):
        row = a[i]
        for k in range(1, len(row)):
            row[k] += row[k - 1]


@clean(wide, sizes=SQUARE)
def columns(out, a):
    for j in mh.prange(a.shape[1]):
        for i in range(a.shape[0]):
            out[i, j] = a[i, j] - i


@clean(lambda n: (floats(2 * n), floats(n)))
def write_through_a_view(a, b):
    even = a[::2]
    for i in mh.prange(len(b)):
        even[i] = b[i]


@clean(lambda n: (floats(2 * n),))
def two_halves_of_one(a):
    n = len(a) // 2
    left = a[:n]
    right = a[n:]
    for i in mh.prange(n):
        left[i] = right[i] * 2


@clean(lambda n: (floats(2 * n),))
def interleaved_views(a):
    even, odd = a[::2], a[1::2]
    for i in mh.prange(len(odd)):
        even[i] = odd[i]


@clean(two)
def same_array_twice_read(out, a):
    b = a
    for i in mh.prange(len(a)):
        out[i] = a[i] + b[len(a) - 1 - i]


@clean(lambda n: (wholes(n), 4, -3))
def offset_from_argument(a, p, q):
    for i in mh.prange(len(a)):
        a[i] = a[i] * p + q


@clean(two, close=True)
def library(out, a):
    for i in mh.prange(len(a)):
        out[i] = math.exp(a[i]) + np.sin(a[i])


@clean(lambda n: (np.zeros(n, dtype=np.int32), ints(n)), lambda n: (np.zeros(n, dtype=np.uint8), ints(n)))
def narrow_elements(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i] & 15


@clean(lambda n: (np.zeros(n, dtype=bool), floats(n)))
def comparisons(out, a):
    for i in mh.prange(len(a)):
        out[i] = -0.5 < a[i] <= 0.25


@clean(lambda n: (floats(n, seed=1) + 1j * floats(n, seed=2),))
def complex_elements(z):
    for i in mh.prange(len(z)):
        z[i] = z[i] * z[i] + 1


@clean(lambda n: (np.zeros(n + 1), floats(n)))
def same_twice_in_a_row(out, a):
    for i in mh.prange(len(a)):
        out[i] = a[i]
    for i in mh.prange(len(a)):
        out[i] = out[i] + a[i]


@clean(lambda n: (np.zeros(n), floats(n)))
def several_steps(a, b):
    for step in range(3):
        for i in mh.prange(len(a)):
            a[i] += b[i] * step
        for i in mh.prange(len(a)):
            b[i] = a[i] / 2
