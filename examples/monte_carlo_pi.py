"""Pi from random points in a square: how many of them fall into the circle?

With `seed`, every item draws from a stream of its own that follows from the seed and the item's index. So the
estimate is the same for any number of workers, and no two items ever share their points.
"""

import math

import manyhands as mh


def inside_circle(samples):
    """How many of `samples` points, uniform in the square from -1 to 1, lie in the unit circle."""
    points = mh.rng().uniform(-1, 1, (samples, 2))
    return int(((points**2).sum(axis=1) < 1).sum())


batches = [100_000] * 20
total = sum(batches)
hits = mh.map(inside_circle, batches, seed=2024)
estimate = 4 * sum(hits) / total

assert hits == mh.map(inside_circle, batches, seed=2024, workers=1)
assert len(set(hits)) > 1, "the batches are not copies of each other"
# The number of hits is binomial, which gives the estimate this standard deviation.
assert abs(estimate - math.pi) < 5 * math.sqrt(math.pi * (4 - math.pi) / total)
print(f"pi is about {estimate:.5f}, from {total:,} points, with any number of workers")
