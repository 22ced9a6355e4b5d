"""Arrays that each iteration overwrites first, elements that are overwritten now and then, and nan in `max(x, m)`."""

import numpy as np
from corpus import SQUARE, clean, floats, ints, one, one_int, whole, wholes

import manyhands as mh


def _points(n):
    return (floats(n, 3, seed=1), np.zeros(n))


def _gaps(n):
    """Floats with nan, infinities and both zeros among them."""
    a = floats(n, seed=5)
    for step, value in ((7, np.nan), (11, 0.0), (13, -0.0), (17, np.inf), (19, -np.inf)):
        a[step - 1 :: step] = value
    return (a,)


def _one_nan(place):
    def build(n):
        a = floats(n, seed=6)
        a[place:][:1] = np.nan
        return (a,)

    return build


_zeros = (lambda n: (np.where(ints(n, low=0, high=2, seed=8) == 1, 0.0, -0.0),),)
_nans = (_gaps, _one_nan(0), _one_nan(2500), _one_nan(-1), lambda n: (np.full(n, np.nan),), *_zeros)


@clean(*_nans)
def greatest_turned(a):
    m = -0.5
    for i in mh.prange(len(a)):
        m = max(a[i], m)
    return m, 1.0 / np.float64(m)


@clean(*_nans)
def least_turned(a):
    m = 0.5
    for i in mh.prange(len(a)):
        m = min(a[i], m)
    return m, 1.0 / np.float64(m)


@clean(*_nans)
def greatest_turned_from_nan(a):
    m = np.nan
    for i in mh.prange(len(a)):
        if i % 3 == 1:
            m = max(a[i], m)
    return m, 1.0 / np.float64(m)


@clean(*_nans)
def least_by_a_turned_choice(a):
    m = 0.25
    for i in mh.prange(len(a)):
        m = m if m <= a[i] else a[i]
    return m, 1.0 / np.float64(m)


@clean(*_nans)
def greatest_by_a_turned_choice(a):
    m = 0.25
    for i in mh.prange(len(a)):
        m = m if a[i] < m else a[i]
    return m, 1.0 / np.float64(m)


@clean(*_nans)
def greatest_of_single_floats(a):
    m = np.float32(0.0)
    for i in mh.prange(len(a)):
        m = max(np.float32(a[i]), m)
    return m


@clean(*_nans)
def greatest_of_both_orders(a):
    m = -3.0
    n = -3.0
    for i in mh.prange(len(a)):
        m = max(a[i], m)
        n = max(n, a[i])
    return m, n


@clean(lambda n: (np.zeros(5), floats(n, seed=2)), lambda n: (np.arange(5.0), -np.abs(floats(n, seed=2))))
def an_element_now_and_then(a, b):
    for i in mh.prange(len(b)):
        if b[i] > 0.4:
            a[0] = b[i]
        if b[i] < -0.9:
            a[-1] = b[i]
            a[2] = i


@clean(lambda n: (np.zeros((2, 3)), floats(n, seed=2)), sizes=(0, 1, 2, 64, 5001, 20000))
def rows_now_and_then(a, b):
    for i in mh.prange(len(b)):
        if b[i] > 0.9:
            for j in range(3):
                a[1, j] = b[i] * j
        elif b[i] < -0.99:
            a[0, 1] = i


@clean(lambda n: (np.zeros((3, 2))[:, ::-1].T, floats(n, seed=2)))
def strides_now_and_then(a, b):
    for i in mh.prange(len(b)):
        if b[i] > 0.5:
            a[1, 2] = b[i]
            continue
        a[0, 0] = b[i]


@clean(lambda n: (np.zeros(2, dtype=np.int16), ints(n, seed=2)))
def an_element_until_the_end(a, b):
    for i in mh.prange(len(b)):
        a[0] = b[i]
        if b[i] == 49 and i % 5 == 0:
            break
        a[1] = i % 1000


@clean(_points)
def scratch_filled_by_a_loop(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        for k in range(3):
            scratch[k] = points[i, k] * 2
        out[i] = scratch[0] + scratch[1] * scratch[2]
    return scratch


@clean(_points)
def scratch_filled_and_changed(points, out):
    scratch = np.full(4, 7.0)
    for i in mh.prange(len(points)):
        for k in range(3):
            scratch[k] = points[i, k]
        for k in range(3):
            scratch[k] *= k + 1
        scratch[1] -= scratch[2]
        if scratch[0] > 0:
            scratch[0] = -scratch[0]
        out[i] = scratch[0] + scratch[1]
    return scratch


@clean(lambda n: (wholes(n, 5), np.zeros(n)), sizes=SQUARE)
def scratch_as_long_as_a_row(rows, out):
    m = rows.shape[1]
    work = np.zeros(m + 2)
    for i in mh.prange(rows.shape[0]):
        for j in range(1, m + 1):
            work[j] = rows[i, j - 1]
        work[0] = 0.0
        work[m + 1] = 0.0
        for j in range(m):
            out[i] += work[j + 1] * j
    return work


@clean(lambda n: (wholes(n, 4), np.zeros(n)), sizes=SQUARE)
def scratch_of_two_axes(rows, out):
    work = np.zeros((4, 4))
    for i in mh.prange(rows.shape[0]):
        for j in range(4):
            for k in range(4):
                work[j, k] = rows[i, j] - rows[i, k]
        for j in range(4):
            for k in range(j):
                out[i] += work[j, k] * work[k, j]
    return work


@clean(lambda n: (wholes(n, 4), np.zeros(n)), sizes=SQUARE)
def scratch_in_an_inner_loop(rows, out):
    pair = np.zeros(2)
    for i in mh.prange(rows.shape[0]):
        for j in range(3):
            pair[0] = rows[i, j]
            pair[1] = rows[i, j + 1] - pair[0]
            out[i] += pair[0] * pair[1]
    return pair


@clean(one_int)
def scratch_of_one_element(a):
    box = np.zeros(1, dtype=np.int64)
    tot = 0
    for i in mh.prange(len(a)):
        box[0] = a[i]
        box[0] *= 3
        tot += box[0]
    return tot, box[0]


@clean(whole)
def two_updates_of_one_sum(a):
    tot = 0.0
    for i in mh.prange(len(a)):
        tot += a[i]
        tot += 1.0
    return tot


@clean(one)
def flags_by_or_and_and(a):
    found = False
    ok = True
    for i in mh.prange(len(a)):
        found = found or a[i] > 0.999
        ok = ok and a[i] < 0.998
    return found, ok


@clean(_points)
def scratch_filled_as_a_whole(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        scratch[:] = points[i]
        out[i] = scratch[0] + scratch[1] * scratch[2]
    return scratch


@clean(_points)
def scratch_filled_by_an_expression(points, out):
    scratch = np.full(5, 7.0)
    for i in mh.prange(len(points)):
        scratch[1:4] = points[i] * 2 + 1
        scratch[2] -= scratch[1]
        for k in range(1, 4):
            out[i] += scratch[k] * k
    return scratch


@clean(_points)
def scratch_filled_in_two_ways(points, out):
    scratch = np.zeros(3)
    for i in mh.prange(len(points)):
        if points[i, 0] > 0:
            for k in range(3):
                scratch[k] = points[i, k]
        else:
            for k in range(3):
                scratch[2 - k] = -points[i, k]
        out[i] = scratch[0] - scratch[1] * scratch[2]
    return scratch
