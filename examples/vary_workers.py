"""The same work with more and more workers: where does it stop paying off?

Speed-up is serial time over parallel time, efficiency is speed-up per worker. On this small work the start of the
workers already shows; past the number of cores nothing more can come.
"""

import random
from time import perf_counter

import manyhands as mh


def hits(samples):
    """Points of the unit square that fall into the quarter circle, drawn by plain Python."""
    return sum(random.random() ** 2 + random.random() ** 2 < 1 for _ in range(samples))


batches = [10_000] * 32

begun = perf_counter()
answer = mh.map(hits, batches, backend="serial", seed=7)
serial = perf_counter() - begun

print(f"{'workers':>8}{'seconds':>10}{'speed-up':>10}{'efficiency':>12}")
print(f"{'serial':>8}{serial:>10.3f}")
for workers in sorted({1, 2, mh.cpu_count()}):
    begun = perf_counter()
    assert mh.map(hits, batches, workers=workers, seed=7) == answer
    seconds = perf_counter() - begun
    gain = serial / seconds
    print(f"{workers:>8}{seconds:>10.3f}{gain:>10.2f}{100 * gain / workers:>11.0f}%")
print(f"pi is about {4 * sum(answer) / sum(batches):.4f}, whoever does the work")
