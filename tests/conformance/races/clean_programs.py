"""Small programs as one meets them."""

import math

import numpy as np
from corpus import CUBE, SQUARE, clean, floats, ints, one, wholes

import manyhands as mh

FEW = (0, 1, 2, 3, 7, 40)


@clean(lambda n: (floats(n, 3), floats(n, seed=2), np.zeros((n, 3))), sizes=FEW, close=True)
def forces_of_all_others(places, masses, forces):
    n = len(masses)
    for i in mh.prange(n):
        x = 0.0
        y = 0.0
        z = 0.0
        for j in range(n):
            if i != j:
                dx = places[j, 0] - places[i, 0]
                dy = places[j, 1] - places[i, 1]
                dz = places[j, 2] - places[i, 2]
                r = math.sqrt(dx * dx + dy * dy + dz * dz)
                f = masses[j] / (r * r * r)
                x += f * dx
                y += f * dy
                z += f * dz
        forces[i, 0] = x
        forces[i, 1] = y
        forces[i, 2] = z


@clean(lambda n: (wholes(n, 2), np.zeros((n, 2))), sizes=FEW)
def forces_of_each_pair_once(places, forces):
    n = len(places)
    for i in mh.prange(n):
        for j in range(i + 1, n):
            for k in range(2):
                f = places[j, k] - places[i, k]
                forces[i, k] += f
                forces[j, k] -= f


@clean(lambda n: (floats(n, 3), floats(n, 3, seed=2)))
def drift(places, speeds):
    for i in mh.prange(len(places)):
        for k in range(3):
            places[i, k] += 0.01 * speeds[i, k]


@clean(lambda n: (floats(n, 2), floats(3, 2, seed=4), np.zeros(n, dtype=np.int64)))
def nearest_centre(points, centres, labels):
    for i in mh.prange(len(points)):
        best = 1e300
        for c in range(len(centres)):
            dx = points[i, 0] - centres[c, 0]
            dy = points[i, 1] - centres[c, 1]
            d = dx * dx + dy * dy
            if d < best:
                best = d
                labels[i] = c


@clean(lambda n: (wholes(n, 2), ints(n, low=0, high=3), np.zeros((3, 2)), np.zeros(3, dtype=np.int64)))
def new_centres(points, labels, sums, counts):
    for i in mh.prange(len(points)):
        c = labels[i]
        counts[c] += 1
        for k in range(2):
            sums[c, k] += points[i, k]
    for c in range(3):
        if counts[c] > 0:
            for k in range(2):
                sums[c, k] /= counts[c]


@clean(lambda n: (floats(n + 4), floats(5, seed=4), np.zeros(n)))
def convolution(a, weights, out):
    for i in mh.prange(len(out)):
        s = 0.0
        for k in range(len(weights)):
            s += a[i + k] * weights[k]
        out[i] = s


@clean(lambda n: (floats(n, n), floats(3, 3, seed=4), np.zeros((n, n))), sizes=SQUARE)
def filter_of_a_picture(a, weights, out):
    n, m = a.shape
    for i in mh.prange(1, n - 1):
        for j in range(1, m - 1):
            s = 0.0
            for p in range(3):
                for q in range(3):
                    s += a[i + p - 1, j + q - 1] * weights[p, q]
            out[i, j] = s


@clean(lambda n: (ints(n, n, low=0, high=2).astype(np.int8),), sizes=SQUARE)
def game_of_life(cells):
    n, m = cells.shape
    new = np.zeros_like(cells)
    for i in mh.prange(n):
        for j in range(m):
            alive = 0
            for p in range(-1, 2):
                for q in range(-1, 2):
                    if p != 0 or q != 0:
                        alive += int(cells[(i + p) % n, (j + q) % m])
            if alive == 3 or (alive == 2 and cells[i, j] == 1):
                new[i, j] = 1
    return new


@clean(one, sizes=(0, 1, 2, 3, 7, 64))
def odd_even_sort(a):
    n = len(a)
    for step in range(n):
        for i in mh.prange((n - step % 2) // 2):
            k = 2 * i + step % 2
            if a[k] > a[k + 1]:
                a[k], a[k + 1] = a[k + 1], a[k]


@clean(lambda n: (wholes(n),), sizes=(0, 1, 2, 3, 7, 64, 700))
def prefix_sums_by_doubling(a):
    n = len(a)
    b = np.empty_like(a)
    step = 1
    while step < n:
        for i in mh.prange(n):
            if i >= step:
                b[i] = a[i] + a[i - step]
            else:
                b[i] = a[i]
        for i in mh.prange(n):
            a[i] = b[i]
        step *= 2


@clean(lambda n: (wholes(4 * n), np.zeros(4)))
def sums_of_four_parts(a, sums):
    n = len(a) // 4
    for part in mh.prange(4):
        for k in range(n):
            sums[part] += a[part * n + k]


@clean(lambda n: (floats(n), floats(n, seed=2)), close=True)
def correlation(a, b):
    n = len(a)
    sa = 0.0
    sb = 0.0
    sab = 0.0
    for i in mh.prange(n):
        sa += a[i]
        sb += b[i]
        sab += a[i] * b[i]
    return n * sab - sa * sb


@clean(lambda n: (np.zeros(6), ints(n, low=0, high=2).astype(bool)), close=True)
def autocorrelation(out, said):
    n = len(said)
    for lag in mh.prange(1, 7):
        s = 0.0
        for t in range(n - lag):
            s += said[t] * said[t + lag]
        out[lag - 1] = s


@clean(lambda n: (floats(n, n), np.zeros(n)), sizes=SQUARE)
def greatest_of_each_row(a, out):
    for i in mh.prange(a.shape[0]):
        m = -9.0
        for j in range(a.shape[1]):
            if a[i, j] > m:
                m = a[i, j]
        out[i] = m


@clean(lambda n: (floats(n, n), np.zeros(n, dtype=np.int64)), sizes=SQUARE)
def ranks(a, out):
    for i in mh.prange(a.shape[0]):
        rank = 0
        for j in range(a.shape[0]):
            if a[j, 0] < a[i, 0] or (a[j, 0] == a[i, 0] and j < i):
                rank += 1
        out[i] = rank


@clean(lambda n: (floats(n), np.full(n, np.nan)))
def interpolation(x, out):
    table = np.array((0.0, 1.0, 4.0, 9.0, 16.0))
    for i in mh.prange(len(x)):
        place = (x[i] + 1) * 2
        k = min(int(place), 3)
        part = place - k
        out[i] = table[k] * (1 - part) + table[k + 1] * part


@clean(lambda n: (floats(n, n + 1), np.zeros((n + 1, n + 1))), sizes=CUBE)
def products_of_columns(a, out):
    m = a.shape[1]
    for p in mh.prange(m):
        for q in range(p, m):
            s = 0.0
            for i in range(a.shape[0]):
                s += a[i, p] * a[i, q]
            out[p, q] = s
            out[q, p] = s


@clean(lambda n: (wholes(n), ints(n + 1, low=0, high=1)))
def sums_of_segments(a, ends):
    out = np.zeros(len(ends) - 1)
    for s in mh.prange(len(ends) - 1):
        for k in range(ends[s], ends[s + 1]):
            out[s] += a[k]
    return out


@clean(
    lambda n: (
        np.arange(0, 3 * n + 1, 3),
        ints(3 * n, low=0, high=max(n, 1)),
        floats(3 * n),
        floats(max(n, 1), seed=2),
        np.zeros(n),
    )
)
def sparse_matrix_times_vector(starts, places, values, x, out):
    for i in mh.prange(len(out)):
        s = 0.0
        for k in range(starts[i], starts[i + 1]):
            s += values[k] * x[places[k]]
        out[i] = s
