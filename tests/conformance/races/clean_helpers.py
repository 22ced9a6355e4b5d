"""Helpers that are called from the body, and arrays that are made in it."""

import math

import numpy as np
from corpus import FLAT, SQUARE, clean, floats, grid, ints, one, two, wholes

import manyhands as mh

FEW = (0, 1, 2, 3, 7, 64, 700)


def squared(x):
    return x * x


def put(a, i, value):
    a[i] = value


def fill(row, value):
    for k in range(len(row)):
        row[k] = value + k


def total(row):
    s = 0.0
    for k in range(len(row)):
        s += row[k]
    return s


def add_to(target, place, value):
    target[place] += value


def smaller_first(x, y):
    if x <= y:
        return x, y
    return y, x


def depth(n):
    if n < 2:
        return 0
    return 1 + depth(n // 2)


@clean(two)
def calls_a_function(out, a):
    for i in mh.prange(len(a)):
        out[i] = squared(a[i]) + squared(i)


@clean(two)
def helper_that_writes(out, a):
    for i in mh.prange(len(a)):
        put(out, i, a[i] + 1)


@clean(lambda n: (floats(n, 4),))
def helper_that_fills_a_row(a):
    for i in mh.prange(len(a)):
        fill(a[i], i)


@clean(lambda n: (wholes(n, 4),))
def helper_that_reads_a_row(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += total(a[i])
    return tot


@clean(lambda n: (np.zeros(3), wholes(n)))
def helper_that_accumulates(sums, a):
    for i in mh.prange(len(a)):
        add_to(sums, i % 3, a[i])


@clean(lambda n: (floats(n), floats(n, seed=2)))
def helper_that_gives_two(a, b):
    for i in mh.prange(len(a)):
        a[i], b[i] = smaller_first(a[i], b[i])


@clean(lambda n: (ints(n, low=0, high=1000),))
def helper_that_calls_itself(a):
    for i in mh.prange(len(a)):
        a[i] = depth(a[i])


@clean(two)
def inner_function(out, a):
    def double(x):
        return 2 * x

    for i in mh.prange(len(a)):
        out[i] = double(a[i])


@clean(two, sizes=FEW)
def scratch_made_inside(out, a):
    for i in mh.prange(len(a)):
        scratch = np.zeros(5)
        for k in range(5):
            scratch[k] = a[i] * k
        out[i] = total(scratch)


@clean(lambda n: (np.zeros(n), ints(n, low=0, high=6)), sizes=FEW)
def scratch_of_changing_length(out, lengths):
    for i in mh.prange(len(lengths)):
        scratch = np.ones(lengths[i])
        for k in range(1, lengths[i]):
            scratch[k] = scratch[k - 1] * 2
        out[i] = total(scratch)


@clean(grid, sizes=SQUARE)
def sorted_rows(a):
    for i in mh.prange(a.shape[0]):
        row = a[i].copy()
        for j in range(1, len(row)):
            x = row[j]
            k = j - 1
            while k >= 0 and row[k] > x:
                row[k + 1] = row[k]
                k -= 1
            row[k + 1] = x
        for j in range(len(row)):
            a[i, j] = row[j]


@clean(lambda n: (floats(n, 3), np.zeros(n)), sizes=FEW)
def scratch_per_iteration_written_first(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(3):
            scratch[k] = points[i, k] * 2
        out[i] = scratch[0] + scratch[1] * scratch[2]


@clean(lambda n: (ints(n, low=1, high=3000),), sizes=FEW)
def collatz(a):
    longest = 0
    for i in mh.prange(len(a)):
        x = a[i]
        steps = 0
        while x != 1:
            if x % 2 == 0:
                x //= 2
            else:
                x = 3 * x + 1
            steps += 1
        longest = max(longest, steps)
    return longest


@clean(lambda n: (np.zeros((n, n), dtype=np.int64), 30), sizes=SQUARE)
def mandelbrot(out, limit):
    n, m = out.shape
    for i in mh.prange(n):
        for j in range(m):
            c = complex(-2 + 3 * i / n, -1.5 + 3 * j / m)
            z = 0j
            count = 0
            while count < limit and z.real * z.real + z.imag * z.imag <= 4:
                z = z * z + c
                count += 1
            out[i, j] = count


@clean(lambda n: (np.zeros(n, dtype=bool), n), sizes=FEW)
def primes_by_trial(out, n):
    for i in mh.prange(n):
        prime = i > 1
        k = 2
        while k * k <= i:
            if i % k == 0:
                prime = False
                break
            k += 1
        out[i] = prime


@clean(lambda n: (np.zeros(n), floats(40, seed=3)), sizes=FEW)
def bisection(out, a):
    for i in mh.prange(len(out)):
        low, high = 0.0, 2.0
        target = a[i % 40]
        for step in range(30):
            middle = (low + high) / 2
            if middle * middle * middle - 1 < target:
                low = middle
            else:
                high = middle
        out[i] = low


@clean(lambda n: (np.zeros(n), np.sort(floats(30, seed=3)), floats(n)), sizes=FEW)
def binary_search(out, table, a):
    for i in mh.prange(len(a)):
        low, high = 0, len(table)
        while low < high:
            middle = (low + high) // 2
            if table[middle] < a[i]:
                low = middle + 1
            else:
                high = middle
        out[i] = low


@clean(one, sizes=FLAT, close=True)
def helper_with_library(a):
    def size(x, y):
        return math.sqrt(x * x + y * y)

    for i in mh.prange(len(a)):
        a[i] = size(a[i], 1.0)
