"""Vary the workers, vary the work, and hear what keeps the rest from being gained.

`mh.scale` does what one would do by hand with a clock and two loops: it repeats, in random order, until the times are
known, and compares every answer with the plain loop's.
"""

import random

import manyhands as mh


def hits(samples):
    """Points of the unit square that fall into the quarter circle, drawn by plain Python."""
    return sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(samples))


found = mh.scale(hits, [500], workers=[1, 2], sizes=[8, 80], seed=7, budget="2s")
for size, scaling in found.sizes.items():
    print(f"{size} items: {scaling.speedup[2]:.2f} times as fast with 2 workers, {scaling.efficiency[2]:.0%} each")
print(found)
assert abs(sum(found.account.values()) - 1) < 1e-9
print(f"of each worker's time {found.account['function']:.0%} went into the function")
