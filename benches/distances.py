"""The document's function, alone in a module as in its `defs4.py`: a worker that imports it imports NumPy, no more."""

import numpy as np


def cdist(xs: np.ndarray, ys: np.ndarray) -> np.ndarray:
    """Pairwise distance between row vectors in xs, of shape (m, p), and ys, of shape (n, p): shape (m, n)."""
    m, n = len(xs), len(ys)
    res = np.empty((m, n))
    for i in range(m):
        for j in range(n):
            res[i, j] = np.sqrt(np.sum((ys[j] - xs[i]) ** 2))
    return res
