"""Adding up in a parallel loop: a scalar, an element of an array, a histogram. All three are right, each time.

`tot[0] += i` is where other compilers let threads overwrite each other's sums without a word. Here an element that all
iterations add to is known for what it is, as a scalar is.
"""

import numpy as np

import manyhands as mh

n = 16 * 64 * 64


@mh.jit
def add(n):
    tot = 0
    for i in mh.prange(n):
        tot = tot + i
    return tot


@mh.jit
def add_to_an_element(n):
    tot = np.zeros(1)
    for i in mh.prange(n):
        tot[0] = tot[0] + i
    return tot[0]


@mh.jit
def histogram(values, bins):
    counts = np.zeros(bins, dtype=np.int64)
    for i in mh.prange(len(values)):
        counts[int(values[i] * bins)] += 1
    return counts


expected = n * (n - 1) // 2
assert {add(n) for _ in range(10)} == {expected}
assert {add_to_an_element(n) for _ in range(10)} == {expected}

values = np.random.default_rng(1).random(100_000)
counts = histogram(values, 10)
assert counts.tolist() == np.bincount((values * 10).astype(int), minlength=10).tolist()
print(f"a scalar: {add(n)}, an element: {add_to_an_element(n):.0f}, a histogram of {counts.sum():,} values")
