"""Pi from random points, compiled: the numbers are drawn in parallel, and are the same for any number of threads.

`mh.seed` fixes them. Each iteration draws from a place of its own in the stream, so it does not matter who runs it.
"""

import math
import random

import manyhands as mh


@mh.jit
def calc_pi(N):
    M = 0
    for _ in mh.prange(N):
        x = random.uniform(-1, 1)
        y = random.uniform(-1, 1)
        if x**2 + y**2 < 1:
            M += 1
    return 4 * M / N


N = 2_000_000
estimates = []
for threads in (1, 2, 3):
    mh.set_num_threads(threads)
    mh.seed(2024)
    estimates.append(calc_pi(N))

assert len(set(estimates)) == 1, "whoever draws them, the points are the same"
assert abs(estimates[0] - math.pi) < 5 * math.sqrt(math.pi * (4 - math.pi) / N)
print(f"pi is about {estimates[0]:.5f}, from {N:,} points, with any number of threads")
