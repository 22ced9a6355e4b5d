"""Scalars that are accumulated into."""

import math

import numpy as np
from corpus import SQUARE, clean, floats, grid, ints, one, one_int, size, two, whole, wholes

import manyhands as mh


@clean(size)
def count_up(n):
    tot = 0
    for i in mh.prange(n):
        tot += i
    return tot


@clean(size)
def written_out(n):
    tot = 0
    for i in mh.prange(n):
        tot = tot + i
    return tot


@clean(size)
def turned_round(n):
    tot = 5
    for i in mh.prange(n):
        tot = i * i + tot
    return tot


@clean(one, close=True)
def sum_of_floats(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
    return tot


@clean(whole)
def exact_sum(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
    return tot


@clean(two, close=True)
def dot(a, b):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i] * b[i]
    return tot


@clean(one, close=True)
def started_from_something(a):
    tot = 1.0 + a[0] if len(a) > 0 else 3.0
    for i in mh.prange(len(a)):
        tot += a[i] * a[i]
    return tot * 2


@clean(whole)
def subtracting(a):
    tot = 100.0
    for i in mh.prange(len(a)):
        tot -= a[i]
    return tot


@clean(whole)
def mixed_signs(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        if i % 2 == 0:
            tot += a[i]
        else:
            tot -= a[i]
    return tot


@clean(whole)
def several_in_one(a):
    s = 0.0
    q = 0.0
    count = 0
    for i in mh.prange(len(a)):
        s += a[i]
        q += a[i] * a[i]
        if a[i] > 0:
            count += 1
    return s, q, count


@clean(whole)
def twice_in_one_iteration(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
        tot += 1.0
    return tot


@clean(one, close=True)
def product(a):
    p = 1.0
    for i in mh.prange(len(a)):
        p *= 1.0 + a[i] / 1000
    return p


@clean(lambda n: (ints(n, low=0, high=2),))
def product_of_ints(a):
    p = 3
    for i in mh.prange(len(a)):
        p *= 1 - 2 * a[i]
    return p


@clean(one_int)
def count_where(a):
    count = 0
    for i in mh.prange(len(a)):
        count += a[i] > 10
    return count


@clean(one_int)
def bits_or(a):
    bits = 0
    for i in mh.prange(len(a)):
        bits |= a[i] & 255
    return bits


@clean(one_int)
def bits_and(a):
    bits = -1
    for i in mh.prange(len(a)):
        bits &= a[i] | 3
    return bits


@clean(one_int)
def bits_xor(a):
    bits = 0
    for i in mh.prange(len(a)):
        bits ^= a[i]
    return bits


@clean(size)
def counted_down(n):
    tot = 0
    for i in mh.prange(n, 0, -2):
        tot += i
    return tot


@clean(lambda n: (n, 0.5), close=True)
def alternating_series(n, x):
    tot = 0.0
    for k in mh.prange(n):
        tot += (1 - 2 * (k & 1)) / (2 * k + x)
    return tot


@clean(lambda n: (0.0, 1.0, 2 * n + 3), close=True)
def simpson(x0, x1, n):
    dx = (x1 - x0) / (n - 1)
    tot = math.exp(x0) + math.exp(x1)
    for i in mh.prange(1, n - 1):
        tot += (2 + 2 * (i & 1)) * math.exp(x0 + i * dx)
    return tot * dx / 3


@clean(size, close=True)
def midpoints_of_a_quarter_circle(n):
    tot = 0.0
    for i in mh.prange(n):
        x = (i + 0.5) / n
        tot += 4.0 / (1.0 + x * x)
    return tot


@clean(grid, sizes=SQUARE, close=True)
def sum_of_a_grid(a):
    tot = 0.0
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            tot += a[i, j]
    return tot


@clean(grid, sizes=SQUARE, close=True)
def sum_in_both_loops(a):
    tot = 0.0
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            tot += a[i, j]
    return tot


@clean(lambda n: (wholes(n, n, seed=4),), sizes=SQUARE)
def trace_and_rest(a):
    diagonal = 0.0
    rest = 0.0
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            if i == j:
                diagonal += a[i, j]
            else:
                rest -= a[i, j]
    return diagonal, rest


@clean(grid, sizes=SQUARE)
def largest_of_a_grid(a):
    m = -2.0
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            if a[i, j] > m:
                m = a[i, j]
    return m


@clean(lambda n: (ints(n, n, low=0, high=5),), sizes=SQUARE)
def place_in_a_grid(a):
    m = -1
    row = -1
    column = -1
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            if a[i, j] > m:
                m = a[i, j]
                row = i
                column = j
    return m, row, column


@clean(size, sizes=SQUARE)
def triangle(n):
    count = 0
    for i in mh.prange(n):
        for j in range(i + 1, n):
            count += j - i
    return count


@clean(lambda n: (wholes(n),))
def reduction_and_elements(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        a[i] = a[i] + 1
        tot += a[i]
    return tot


@clean(lambda n: (wholes(n).astype(np.float32),))
def sum_of_single_precision(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += float(a[i])
    return tot


@clean(lambda n: (ints(n).astype(np.int8),), lambda n: (ints(n, low=0, high=200).astype(np.uint8),))
def sum_of_narrow_ints(a):
    tot = 0
    for i in mh.prange(len(a)):
        tot += int(a[i])
    return tot


@clean(lambda n: (wholes(n) + 1j * wholes(n, seed=3),))
def sum_of_complex(z):
    tot = 0j
    for i in mh.prange(len(z)):
        tot += z[i]
    return tot


@clean(lambda n: (wholes(n), 3))
def reduction_inside_a_serial_loop(a, times):
    tot = 0.0
    for k in range(times):
        for i in mh.prange(len(a)):
            tot += a[i] * k
    return tot


@clean(whole)
def one_after_the_other(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
    spread = 0.0
    for i in mh.prange(len(a)):
        spread += (a[i] - tot) * (a[i] - tot)
    return tot, spread


@clean(lambda n: (floats(n, 2),), close=True)
def sum_of_rows(points):
    tot = 0.0
    for i in mh.prange(len(points)):
        x, y = points[i, 0], points[i, 1]
        tot += math.sqrt(x * x + y * y)
    return tot
