"""What a compiled loop takes and what it refuses: a last value, and a race, which is an error.

The value that a loop leaves behind is the last iteration's, as in any loop: `val` is n - 1, whoever came last. A loop
whose iterations need each other in order is refused before it is run.
"""

import numpy as np

import manyhands as mh

n = 16 * 64 * 64


@mh.jit
def assign(n):
    """Each iteration writes the same name."""
    val = -1
    for i in mh.prange(n):
        val = i
    return val


@mh.jit
def neighbours(a):
    """Each iteration reads what the one before it writes."""
    for i in mh.prange(1, len(a)):
        a[i] = a[i - 1] + a[i]


values = {assign(n) for _ in range(10)}
print(f"after the loop, val is {values}: the serial loop's value, ten times out of ten")

try:
    neighbours(np.ones(n))
except mh.RaceError as error:
    print(f"refused:\n\n{error}\n")
else:
    raise AssertionError("a race was let through")

ones = np.ones(1000)
neighbours.py_func(ones)  # as it stands it is a serial loop
assert ones[-1] == 1000
assert values == {n - 1}
print(f"the last value is {values.pop()}, and the race is an error")
