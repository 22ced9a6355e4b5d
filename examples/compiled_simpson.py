"""Simpson's rule as a compiled loop: `mh.prange` is a `range` whose iterations are shared among the cores.

The sum is the loop's only tie between iterations, and a sum is a pattern that is known: it has the same bits for any
number of threads. `py_func` is the function as it was written, run by the interpreter.
"""

import math

import manyhands as mh


@mh.jit
def integrate(x0, x1, n):
    """The integral of exp, from `n` points: an odd number of them."""
    dx = (x1 - x0) / (n - 1)
    tot = math.exp(x0) + math.exp(x1)
    for i in mh.prange(1, n - 1):
        tot += (2 + 2 * (i & 1)) * math.exp(x0 + i * dx)
    return tot * dx / 3


integral = integrate(0.0, 1.0, 10**6 + 1)

for threads in (1, 2, 3):
    mh.set_num_threads(threads)
    assert integrate(0.0, 1.0, 10**6 + 1) == integral, "the very same bits"
assert math.isclose(integrate(0.0, 1.0, 1001), integrate.py_func(0.0, 1.0, 1001), rel_tol=1e-14)
assert math.isclose(integral, math.e - 1, rel_tol=1e-14)
print(f"the integral of exp from 0 to 1 is {integral:.12f}; e - 1 is {math.e - 1:.12f}")
