"""Elements that one iteration writes and another one reads or writes."""

import numpy as np
from corpus import floats, ints, one, order, racy, two, wholes

import manyhands as mh


@racy(one)
def reads_the_next(a):
    for i in mh.prange(len(a) - 1):
        a[i] = a[i + 1] + 1  # race


@racy(one)
def reads_the_one_before(a):
    for i in mh.prange(1, len(a)):
        a[i] = a[i - 1] * 0.5 + a[i]  # race


@racy(one)
def writes_the_next(a):
    for i in mh.prange(len(a) - 1):
        a[i + 1] = a[i]  # race


@racy(one)
def prefix_sum(a):
    for i in mh.prange(1, len(a)):
        a[i] += a[i - 1]  # race


@racy(two)
def fibonacci(out, a):
    for i in mh.prange(2, len(out)):
        out[i] = out[i - 1] + out[i - 2]  # race


@racy(one)
def stencil_in_place(a):
    for i in mh.prange(1, len(a) - 1):
        a[i] = (a[i - 1] + a[i] + a[i + 1]) / 3  # race


@racy(one)
def wrapped_neighbour_in_place(a):
    for i in mh.prange(len(a)):
        a[i] = a[i - 1]  # race


@racy(one)
def reads_the_first(a):
    for i in mh.prange(len(a)):
        a[i] = a[i] + a[0]  # race


@racy(one)
def reads_the_last(a):
    for i in mh.prange(len(a)):
        a[i] = a[i] + a[-1]  # race


@racy(one)
def reads_the_middle(a):
    for i in mh.prange(len(a)):
        a[i] = a[len(a) // 2] * 2  # race


@racy(one)
def reversed_in_place_one_way(a):
    n = len(a)
    for i in mh.prange(n):
        a[i] = a[n - 1 - i]  # race


@racy(one)
def swapped_too_often(a):
    n = len(a)
    for i in mh.prange(n):
        a[i], a[n - 1 - i] = a[n - 1 - i], a[i]  # race


@racy(one)
def halves_that_overlap(a):
    half = len(a) // 2
    for i in mh.prange(half + 2):
        a[i] = a[i + half - 2]  # race


@racy(one)
def stride_that_meets(a):
    for i in mh.prange(len(a) // 2):
        a[2 * i] = a[i]  # race


@racy(one)
def stride_of_three_and_two(a):
    for i in mh.prange(len(a) // 3):
        a[3 * i] = a[2 * i] + 1  # race


@racy(two)
def half_is_written_twice(out, a):
    for i in mh.prange(len(a)):
        out[i // 2] = out[i // 2] * 0.5 + a[i]  # race


@racy(two)
def remainder_is_read(out, a):
    for i in mh.prange(len(a)):
        out[i] = out[i % 4] + a[i]  # race


@racy(lambda n: (floats(n), order(n)))
def reads_through_places(a, places):
    for i in mh.prange(len(a)):
        a[i] = a[places[i]]  # race


@racy(lambda n: (floats(n), order(n)))
def writes_and_reads_through_places(a, places):
    for i in mh.prange(len(a) - 1):
        a[places[i]] = a[places[i + 1]] + 1  # race


@racy(lambda n: (np.zeros(3), ints(n, low=0, high=3), np.zeros(n)))
def counts_that_are_read(counts, places, seen):
    for i in mh.prange(len(places)):
        counts[places[i]] += 1  # race
        seen[i] = counts[places[i]]  # race


@racy(lambda n: (np.zeros(3), wholes(n)))
def running_sum_in_an_element(tot, a):
    for i in mh.prange(len(a)):
        tot[0] += a[i]  # race
        a[i] = tot[0]  # race


@racy(lambda n: (np.zeros(3), wholes(n)))
def added_and_multiplied(tot, a):
    for i in mh.prange(len(a)):
        tot[0] += a[i]  # race
        tot[0] *= 0.5  # race


@racy(lambda n: (np.zeros(3), wholes(n)))
def added_and_overwritten(tot, a):
    for i in mh.prange(len(a)):
        if a[i] > 0:
            tot[0] += a[i]  # race
        else:
            tot[0] = 0.0  # race


@racy(lambda n: (np.zeros(3), wholes(n)))
def damped_sum(tot, a):
    for i in mh.prange(len(a)):
        tot[0] = tot[0] * 0.5 + a[i]  # race


@racy(lambda n: (np.zeros(3), wholes(n)))
def subtracted_from(tot, a):
    for i in mh.prange(len(a)):
        tot[0] = a[i] - tot[0]  # race


@racy(lambda n: (np.ones(3), wholes(n)))
def divided_into(tot, a):
    for i in mh.prange(len(a)):
        tot[0] = (a[i] + 60) / tot[0]  # race


@racy(lambda n: (np.zeros(n, dtype=np.int64), np.zeros(1, dtype=np.int64), ints(n)))
def packing(out, count, a):
    for i in mh.prange(len(a)):
        if a[i] > 0:
            out[count[0]] = a[i]  # race
            count[0] += 1


@racy(lambda n: (np.zeros(n + 1), floats(n)))
def neighbour_is_written_and_own_is_read(out, a):
    for i in mh.prange(len(a)):
        out[i + 1] = a[i]
        a[i] = out[i]  # race


@racy(lambda n: (np.zeros(n + 1), floats(n)))
def writes_two_neighbours(out, a):
    for i in mh.prange(len(a)):
        out[i] = out[i] + a[i]  # race
        out[i + 1] = out[i] * 2  # race


@racy(lambda n: (floats(2 * n),))
def views_that_overlap(a):
    n = len(a) // 2
    left = a[:n]
    right = a[1 : n + 1]
    for i in mh.prange(n):
        right[i] = left[i]  # race


@racy(lambda n: (floats(n),))
def same_array_under_two_names(a):
    b = a
    for i in mh.prange(1, len(a)):
        a[i] = b[i - 1]  # race


@racy(lambda n: (floats(n),))
def reversed_view(a):
    b = a[::-1]
    for i in mh.prange(len(a)):
        a[i] = b[i] + 1  # race


@racy(one)
def counted_down_in_place(a):
    for i in mh.prange(len(a) - 2, -1, -1):
        a[i] = a[i] + a[i + 1]  # race


@racy(one)
def two_ahead(a):
    for i in mh.prange(len(a) - 2):
        a[i] = a[i + 2]  # race


@racy(lambda n: (floats(n), ints(n, low=0, high=2)))
def now_and_then(a, flags):
    for i in mh.prange(1, len(a)):
        if flags[i] > 0:
            a[i] = a[i - 1]  # race


@racy(lambda n: (np.zeros(n * 4), n))
def flattened_with_a_wrong_width(out, n):
    for i in mh.prange(n):
        for j in range(4):
            out[i * 3 + j] = out[i * 3 + j] * 2 + j  # race


@racy(lambda n: (floats(n),))
def hash_of_the_subscript(a):
    n = len(a)
    for i in mh.prange(n):
        a[(i * 7 + 3) % n] = a[i] + 1  # race


@racy(lambda n: (floats(n),))
def square_of_the_subscript(a):
    n = len(a)
    for i in mh.prange(n):
        a[(i * i) % n] = a[(i * i) % n] / 2 + i  # race
