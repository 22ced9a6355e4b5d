"""Distances between all rows of two matrices: one is cut into bands for the workers, the other goes to all of them.

`other` stands in every item, but it is one object: it travels once, and every worker maps it instead of copying it.
"""

import numpy as np

import manyhands as mh


def distances(band, other):
    """Euclidean distance of each row of `band`, shape (m, p), to each row of `other`, shape (n, p): shape (m, n)."""
    result = np.empty((len(band), len(other)))
    for i, row in enumerate(band):
        result[i] = np.sqrt(((other - row) ** 2).sum(axis=1))
    return result


random = np.random.default_rng(1)
points, other = random.random((300, 50)), random.random((200, 50))

bands = mh.starmap(distances, [(band, other) for band in np.split(points, 30)])
parallel = np.concatenate(bands)

assert np.array_equal(parallel, distances(points, other)), "the very bits of the serial loop"
i, j = np.unravel_index(parallel.argmin(), parallel.shape)
print(f"{parallel.size:,} distances; the closest pair is row {i} and row {j}, {parallel[i, j]:.4f} apart")
