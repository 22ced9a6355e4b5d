"""Loops that end early: any, all, the first, and what was gathered until then."""

import math

import numpy as np
from corpus import SQUARE, clean, floats, grid, ints, one, one_int, whole

import manyhands as mh


def _has(a, value):
    for i in mh.prange(len(a)):
        if a[i] == value:
            return True
    return False


def _twins(n):
    """Few values, so that most of them come more than once."""
    return (ints(n, low=0, high=max(n // 4, 2), seed=3), ints(n, low=0, high=max(2 * n, 2), seed=4))


def _with_poison(n):
    """A positive number somewhere, and behind it what raises."""
    a = np.full(n, 1.0)
    if n > 2:
        a[n // 2] = -1.0
        a[n // 2 + 1 :] = 0.0
    return (a,)


def _sometimes(n):
    return (floats(n, seed=n),)


@clean(one)
def place_of_the_first(a):
    for i in mh.prange(len(a)):
        if a[i] > 0.999:
            return i
    return -1


@clean(one, _sometimes)
def returns_what_it_found(a):
    for i in mh.prange(len(a)):
        if a[i] > 0.5:
            return a[i]
    return 0.0


@clean(one, _sometimes, close=True)
def breaks_out_of_a_sum(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        if a[i] > 0.9995:
            break
        tot += a[i]
    return tot


@clean(whole)
def counts_until(a):
    count = 0
    most = -1e9
    for i in mh.prange(len(a)):
        count += 1
        most = max(most, a[i])
        if a[i] == 49 and i % 3 == 0:
            break
    return count, most, i


@clean(one_int)
def bins_until(a):
    bins = np.zeros(101, dtype=np.int64)
    for i in mh.prange(len(a)):
        bins[a[i] + 50] += 1
        if a[i] == 49 and i % 7 == 0:
            return bins, i
    return bins, -1


@clean(_with_poison)
def nothing_behind_the_end_is_raised(a):
    for i in mh.prange(len(a)):
        if a[i] < 0:
            return i
        if a[i] == 0:
            raise ValueError("too far")
    return -1


@clean(_with_poison)
def nothing_behind_the_end_is_divided(a):
    least = 10.0
    for i in mh.prange(len(a)):
        if a[i] < 0:
            break
        least = min(least, 1 / float(a[i]))
    return least


@clean(lambda n: (floats(n, seed=1), n // 3))
def what_comes_first_is_raised(a, bad):
    for i in mh.prange(len(a)):
        if i == bad:
            raise KeyError("bad")
        if a[i] > 0.9:
            return i
    return -1


@clean(_twins)
def out_of_two_loops(a, b):
    for i in mh.prange(len(a)):
        for j in range(min(len(b), 40)):
            if a[i] == b[j] and i > 20:
                return i, j
    return -1, -1


@clean(grid, sizes=SQUARE)
def a_row_and_its_place(a):
    n, m = a.shape
    for i in mh.prange(n):
        for j in range(m):
            if a[i, j] > 0.97:
                return (i, j, a[i, j])
    return (-1, -1, 0.0)


@clean(_twins)
def helper_that_returns_early(a, b):
    count = 0
    for k in range(3):
        if _has(a, k) and not _has(b, k + 1):
            count += 1
    return count


@clean(_twins)
def helper_inside_a_parallel_loop(a, b):
    count = 0
    for k in mh.prange(min(len(b), 20)):
        count += _has(a, b[k])
    return count


@clean(one_int)
def an_end_on_two_ways(a):
    for i in mh.prange(len(a)):
        if a[i] == 49:
            return False, i
        if a[i] == -50 and i % 2 == 1:
            return True, -i
    return False, 0


@clean(one_int)
def what_the_last_iteration_left(a):
    x = 0
    for i in mh.prange(len(a)):
        x = a[i] * 2
        if x == 98:
            break
    return x


@clean(lambda n: (n,))
def an_end_in_a_strided_loop(n):
    for i in mh.prange(n, 0, -3):
        if i % 1000 == 7:
            return i
    return 0


@clean(one)
def scratch_of_its_own_before_the_end(a):
    for i in mh.prange(len(a)):
        t = np.zeros(3)
        t[i % 3] = a[i]
        if t[0] + t[1] + t[2] > 0.99:
            return i
    return -1


@clean(lambda n: (n,))
def primes_are_prime(n):
    for i in mh.prange(2, min(n, 400)):
        for k in range(2, int(math.sqrt(i)) + 1):
            if i % k == 0 and i * k > 900:
                return i, k
    return 0, 0


def _few(n):
    """Long rows, most of which have nothing that matters in them."""
    a = np.full((4, 40 * n), 0.25)
    if n:
        a[1, n] = 0.95
        a[2, 3 * n] = np.nan
        a[2, 3 * n + 1] = -0.5
    return (a,)


LONG = (0, 1, 60, 130)


@clean(_few, sizes=LONG)
def last_value_of_two_loops(a):
    t = -1.0
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            if a[i, j] > 0.9:
                t = a[i, j] + i
    return t


@clean(_few, sizes=LONG)
def greatest_turned_of_two_loops(a):
    m = -5.0
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            if a[i, j] != 0.25:
                m = max(a[i, j], m)
    return m


@clean(_few, sizes=LONG)
def place_of_the_last_least_of_two_loops(a):
    m, k, l = 0.95, -1, -1
    for i in mh.prange(a.shape[0]):
        for j in mh.prange(a.shape[1]):
            if a[i, j] <= m and a[i, j] > 0.9:
                m = a[i, j]
                k = i
                l = j
    return m, k, l


@clean(_few, sizes=LONG)
def rows_that_have_it(a):
    count = 0
    for i in mh.prange(a.shape[0]):
        if _has(a[i], 0.95):
            count += 1
    return count


@clean(_few, sizes=LONG, close=True)
def sums_up_to_something(a):
    tot = 0.0
    for i in mh.prange(a.shape[0]):
        s = 0.0
        for j in mh.prange(a.shape[1]):
            if a[i, j] != 0.25:
                break
            s += a[i, j]
        tot += s
    return tot
