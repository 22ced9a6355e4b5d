"""Scalars that are carried from one iteration to the next."""

import numpy as np
from corpus import floats, ints, one, racy, size, two, whole

import manyhands as mh


@racy(two)
def value_of_the_one_before(out, a):
    before = 0.0
    for i in mh.prange(len(a)):
        out[i] = a[i] - before  # race
        before = a[i]


@racy(two)
def running_sum(out, a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
        out[i] = tot  # race


@racy(two)
def running_maximum(out, a):
    m = -9.0
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]
        out[i] = m  # race


@racy(one)
def horner(a):
    value = 0.0
    for i in mh.prange(len(a)):
        value = value * 0.5 + a[i]  # race
    return value


@racy(whole)
def added_and_multiplied(a):
    tot = 1.0
    for i in mh.prange(len(a)):
        tot += a[i]  # race
        tot *= 2  # race
    return tot


@racy(whole)
def from_the_other_side(a):
    tot = 1.0
    for i in mh.prange(len(a)):
        tot = a[i] - tot  # race
    return tot


@racy(whole)
def divides_itself(a):
    tot = 1.0
    for i in mh.prange(len(a)):
        tot = (a[i] + 77.0) / tot  # race
    return tot


@racy(whole)
def doubled_each_time(a):
    tot = 1.0
    for i in mh.prange(len(a)):
        tot += tot * 0.25  # race
    return tot


@racy(whole)
def sum_that_steers(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        if tot < 20:  # race
            tot += a[i]  # race
    return tot


@racy(whole)
def sum_in_the_middle_of_an_iteration(a):
    tot = 0.0
    most = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
        most = max(most, tot)  # race
    return most


@racy(whole)
def sum_that_starts_again(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        if a[i] < 0:
            tot = 0.0  # race
        else:
            tot += a[i]  # race
    return tot


@racy(lambda n: (np.zeros(n, dtype=np.int64), ints(n)))
def packing_with_a_counter(out, a):
    count = 0
    for i in mh.prange(len(a)):
        if a[i] > 0:
            out[count] = a[i]  # race
            count += 1  # race
    return count


@racy(two)
def counter_as_subscript(out, a):
    k = 0
    for i in mh.prange(len(a)):
        out[k] = a[i]  # race
        k += 1  # race


@racy(size)
def linear_congruence(n):
    x = 1
    for i in mh.prange(n):
        x = (x * 1103 + 12345) % 65536  # race
    return x


@racy(one)
def toggled(a):
    sign = 1.0
    for i in mh.prange(len(a)):
        a[i] = a[i] * sign  # race
        sign = -sign  # race


@racy(two)
def set_only_sometimes(out, a):
    t = 0.0
    for i in mh.prange(len(a)):
        if a[i] > 0:
            t = a[i]
        out[i] = t  # race


@racy(one)
def swapped_scalars(a):
    p, q = 0.0, 1.0
    for i in mh.prange(len(a)):
        p, q = q, p + a[i]  # race
    return p


@racy(one)
def maximum_with_a_count_that_is_not_its_own(a):
    m = -9.0
    times = 0
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]
            times += 1  # race
    return m, times


@racy(one)
def second_greatest(a):
    first = -9.0
    second = -9.0
    for i in mh.prange(len(a)):
        if a[i] > first:  # race
            second = first  # race
            first = a[i]
        elif a[i] > second:  # race
            second = a[i]
    return second


@racy(one)
def largest_and_least_in_one(a):
    m = 0.0
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]  # race
        if a[i] < m - 1:
            m = a[i]  # race
    return m


@racy(one)
def place_of_the_first_positive(a):
    place = -1
    for i in mh.prange(len(a)):
        if a[i] > 0 and place < 0:
            place = i  # race
    return place


@racy(one)
def first_value_kept(a):
    first = np.nan
    seen = False
    for i in mh.prange(len(a)):
        if not seen:  # race
            first = a[i]  # race
            seen = True  # race
    return first


@racy(one)
def breaks_after_writing(a):
    for i in mh.prange(len(a)):
        if a[i] > 0.9:
            break  # race
        a[i] = 0.0


@racy(lambda n: (floats(n),))
def flag_that_changes_the_rest(a):
    started = False
    for i in mh.prange(len(a)):
        if a[i] > 0.5:
            started = True
        if started:  # race
            a[i] = 0.0


@racy(one)
def difference_of_the_last_two(a):
    old = 0.0
    change = 0.0
    for i in mh.prange(len(a)):
        change = a[i] - old  # race
        old = a[i]
    return change


@racy(size)
def bits_shifted(n):
    x = 1
    for i in mh.prange(n):
        x ^= (x << 1) & 1023  # race
    return x
