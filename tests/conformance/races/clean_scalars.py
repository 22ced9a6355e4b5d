"""Scalars of an iteration's own, last values, flags, the place of the greatest."""

import numpy as np
from corpus import clean, floats, ints, one, one_int, size, two, whole

import manyhands as mh


@clean(two)
def temporary(out, a):
    for i in mh.prange(len(a)):
        t = a[i] * 2
        t = t + 1
        out[i] = t * t


@clean(two)
def temporary_of_each_branch(out, a):
    for i in mh.prange(len(a)):
        if a[i] > 0:
            t = a[i]
        else:
            t = -2 * a[i]
        out[i] = t


@clean(two)
def inner_counter(out, a):
    for i in mh.prange(len(a)):
        k = 0
        while k < 5 and a[i] * k < 1.5:
            k += 1
        out[i] = k


@clean(two)
def inner_sum(out, a):
    for i in mh.prange(len(a)):
        s = 0.0
        for k in range(i % 4):
            s += a[k] * k
        out[i] = s


@clean(size)
def last_value(n):
    val = -1
    for i in mh.prange(n):
        val = i
    return val


@clean(one, sizes=(1, 2, 3, 7, 64, 5001))
def last_element(a):
    last = 0.0
    for i in mh.prange(len(a)):
        last = a[i]
    return last


@clean(one_int)
def last_that_is_even(a):
    found = -1
    for i in mh.prange(len(a)):
        if a[i] % 2 == 0:
            found = i
    return found


@clean(size)
def loop_variable_afterwards(n):
    i = -5
    for i in mh.prange(n):
        pass
    return i


@clean(lambda n: (n, 3))
def loop_variable_of_a_strided_loop(n, step):
    i = -5
    for i in mh.prange(0, n, step):
        pass
    return i


@clean(lambda n: (np.zeros(n), floats(n)))
def last_temporary(out, a):
    t = 7.0
    for i in mh.prange(len(a)):
        t = a[i] / 2
        out[i] = t
    return t + 1


@clean(one)
def any_negative(a):
    found = False
    for i in mh.prange(len(a)):
        if a[i] < -0.99:
            found = True
    return found


@clean(one)
def all_small(a):
    small = True
    for i in mh.prange(len(a)):
        if not -1.0 <= a[i] < 0.999:
            small = False
    return small


@clean(one_int)
def any_with_or(a):
    found = False
    for i in mh.prange(len(a)):
        found = found or a[i] == 49
    return found


@clean(one_int)
def all_with_and(a):
    fine = True
    for i in mh.prange(len(a)):
        fine = fine and a[i] > -50
    return fine


@clean(one_int)
def flag_as_number(a):
    flag = 0
    for i in mh.prange(len(a)):
        if a[i] == 7:
            flag = 1
    return flag


@clean(one_int)
def any_with_return(a):
    for i in mh.prange(len(a)):
        if a[i] == 49:
            return True
    return False


@clean(one_int)
def all_with_return(a):
    for i in mh.prange(len(a)):
        if a[i] < -49:
            return False
    return True


@clean(one_int)
def any_with_break(a):
    found = False
    for i in mh.prange(len(a)):
        if a[i] > 48:
            found = True
            break
    return found


@clean(one)
def largest(a):
    m = -2.0
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]
    return m


@clean(one)
def least_with_min(a):
    m = 1e300
    for i in mh.prange(len(a)):
        m = min(m, a[i])
    return m


@clean(one)
def largest_with_max_turned(a):
    m = -1e300
    for i in mh.prange(len(a)):
        m = max(a[i], m)
    return m


@clean(one)
def largest_by_choice(a):
    m = -1e300
    for i in mh.prange(len(a)):
        m = a[i] if a[i] > m else m
    return m


@clean(one)
def minimum_of_numpy(a):
    m = np.inf
    for i in mh.prange(len(a)):
        m = np.minimum(m, a[i])
    return m


@clean(lambda n: (ints(n, low=0, high=9),))
def first_place_of_the_greatest(a):
    m = -1
    where = -1
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]
            where = i
    return m, where


@clean(lambda n: (ints(n, low=0, high=9),))
def last_place_of_the_least(a):
    m = 100
    where = -1
    for i in mh.prange(len(a)):
        if a[i] <= m:
            m = a[i]
            where = i
    return where


@clean(one)
def place_and_sign(a):
    m = -1.0
    where = 0
    sign = 0
    for i in mh.prange(len(a)):
        size = abs(a[i])
        if size > m:
            m = size
            where = i
            sign = 1 if a[i] > 0 else -1
    return m, where, sign


@clean(one, sizes=(1, 2, 3, 7, 64, 5001))
def least_from_the_first(a):
    m = a[0]
    for i in mh.prange(1, len(a)):
        if a[i] < m:
            m = a[i]
    return m


@clean(one)
def least_and_greatest(a):
    low = 2.0
    high = -2.0
    for i in mh.prange(len(a)):
        low = min(low, a[i])
        high = max(high, a[i])
    return low, high


@clean(whole)
def two_tests_of_one_maximum(a):
    m = -1e9
    for i in mh.prange(len(a)):
        if a[i] > m:
            m = a[i]
        if -a[i] > m:
            m = -a[i]
    return m
