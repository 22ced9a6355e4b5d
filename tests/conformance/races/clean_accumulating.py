"""Elements that several iterations accumulate into, or overwrite and do not read."""

import numpy as np
from corpus import SQUARE, clean, floats, ints, keys, one_int, repeated, size, weighted_keys, wholes

import manyhands as mh


@clean(size)
def sum_in_an_array_of_one(n):
    tot = np.zeros(1)
    for i in mh.prange(n):
        tot[0] += i
    return tot[0]


@clean(size)
def sum_in_an_array_written_out(n):
    tot = np.zeros(1)
    for i in mh.prange(n):
        tot[0] = tot[0] + i
    return tot[0]


@clean(lambda n: (np.array([3.0]), wholes(n)))
def sum_in_the_callers_array(tot, a):
    for i in mh.prange(len(a)):
        tot[0] -= a[i]


@clean(keys)
def histogram(counts, places):
    for i in mh.prange(len(places)):
        counts[places[i]] += 1


@clean(weighted_keys)
def weighted_histogram(sums, places, weights):
    for i in mh.prange(len(places)):
        sums[places[i]] += weights[i]


@clean(weighted_keys)
def histogram_of_both_signs(sums, places, weights):
    for i in mh.prange(len(places)):
        if weights[i] > 0:
            sums[places[i]] += weights[i]
        else:
            sums[places[i]] -= 2 * weights[i]


@clean(keys)
def counts_written_out(counts, places):
    for i in mh.prange(len(places)):
        counts[places[i]] = counts[places[i]] + 2


@clean(lambda n: (np.zeros(7), floats(n)))
def bins_of_floats(counts, a):
    for i in mh.prange(len(a)):
        counts[int((a[i] + 1) * 3.5)] += 1


@clean(lambda n: (np.zeros(4), ints(n)))
def by_remainder(sums, a):
    for i in mh.prange(len(a)):
        sums[i % 4] += a[i]


@clean(lambda n: (np.zeros(n // 2 + 1), wholes(n)))
def by_half(sums, a):
    for i in mh.prange(len(a)):
        sums[i // 2] += a[i]


@clean(lambda n: (np.ones(5), ints(n, low=0, high=5), 2.0 ** ints(n, low=-1, high=2)))
def products_by_place(products, places, a):
    for i in mh.prange(len(places)):
        products[places[i]] *= a[i]


@clean(lambda n: (np.zeros(5, dtype=np.int64), ints(n, low=0, high=5), ints(n, low=0, high=64)))
def bits_by_place(bits, places, a):
    for i in mh.prange(len(places)):
        bits[places[i]] |= a[i]


@clean(lambda n: (np.zeros(5, dtype=np.int64), ints(n, low=0, high=5), ints(n)))
def xor_by_place(bits, places, a):
    for i in mh.prange(len(places)):
        bits[places[i]] ^= a[i]


@clean(lambda n: (np.full(5, -9.0), ints(n, low=0, high=5), floats(n)))
def largest_by_place(best, places, a):
    for i in mh.prange(len(places)):
        best[places[i]] = max(best[places[i]], a[i])


@clean(lambda n: (np.full(5, 9.0), ints(n, low=0, high=5), floats(n)))
def least_by_place_with_if(best, places, a):
    for i in mh.prange(len(places)):
        if a[i] < best[places[i]]:
            best[places[i]] = a[i]


@clean(lambda n: (np.zeros((3, 4)), ints(n, low=0, high=3), ints(n, low=0, high=4, seed=9)))
def table_of_two_keys(table, rows, columns):
    for i in mh.prange(len(rows)):
        table[rows[i], columns[i]] += 1


@clean(lambda n: (np.zeros(n), wholes(n, n)), sizes=SQUARE)
def columns_summed_by_rows(sums, a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            sums[j] += a[i, j]


@clean(lambda n: (np.zeros(n), wholes(n, n)), sizes=SQUARE)
def rows_summed(sums, a):
    for i in mh.prange(a.shape[0]):
        for j in range(a.shape[1]):
            sums[i] += a[i, j]


@clean(lambda n: (np.zeros(6), wholes(n, 6)))
def slices_added(y, x):
    for i in mh.prange(len(x)):
        y[:] += x[i]


@clean(lambda n: (np.zeros(6), wholes(n, 6)))
def whole_array_added(y, x):
    for i in mh.prange(x.shape[0]):
        y += x[i]


@clean(lambda n: (np.zeros(n + 2), wholes(n)))
def scatter_to_neighbours(out, a):
    for i in mh.prange(len(a)):
        out[i] += a[i]
        out[i + 1] += 2 * a[i]
        out[i + 2] += a[i]


@clean(repeated)
def scatter_added(out, a, places):
    for i in mh.prange(len(a)):
        out[places[i]] += 1.0 if a[i] > 0 else -1.0


@clean(lambda n: (np.zeros(3), n))
def overwritten_by_all(a, n):
    for i in mh.prange(n):
        a[0] = i
        a[1] = 2 * i


@clean(lambda n: (np.zeros(2), ints(n)))
def overwritten_now_and_then(a, b):
    for i in mh.prange(len(b)):
        if b[i] > 0:
            a[0] = b[i]


@clean(one_int)
def counts_made_here(a):
    counts = np.zeros(101, dtype=np.int64)
    for i in mh.prange(len(a)):
        counts[a[i] + 50] += 1
    return counts


@clean(one_int)
def wrapping_places(a):
    counts = np.zeros(50, dtype=np.int64)
    for i in mh.prange(len(a)):
        counts[a[i]] += 1
    return counts


@clean(lambda n: (np.zeros(3), np.zeros(3), wholes(n)))
def two_targets(low, high, a):
    for i in mh.prange(len(a)):
        low[i % 3] += a[i]
        high[(i + 1) % 3] -= a[i]


@clean(lambda n: (np.zeros(100_000), ints(n, low=0, high=100_000)))
def many_places(sums, places):
    for i in mh.prange(len(places)):
        sums[places[i]] += 1
