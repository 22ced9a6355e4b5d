"""Simpson's rule for exp on [0, 1], the interval split among the workers; `partial` fixes what all parts share."""

import math
from functools import partial

import manyhands as mh


def simpson(limits, function, step):
    """Integrates `function` between the two limits with steps no longer than `step`.

    The rule fits a parabola through every three neighbouring points, so the number of steps is made even. Its error is
    (length / 180) * step**4 * max|f''''|.
    """
    lower, upper = limits
    steps = 2 * math.ceil((upper - lower) / (2 * step))
    width = (upper - lower) / steps
    values = [function(lower + k * width) for k in range(steps + 1)]
    return width / 3 * (values[0] + 4 * sum(values[1:-1:2]) + 2 * sum(values[2:-1:2]) + values[-1])


parts = 8
edges = [k / parts for k in range(parts + 1)]
limits = list(zip(edges, edges[1:]))
step = 1 / 1024
integrate = partial(simpson, function=math.exp, step=step)

areas = mh.map(integrate, limits)
integral = math.fsum(areas)

assert areas == [integrate(part) for part in limits], "the very bits of the serial loop"
exact = math.e - 1
assert abs(integral - exact) < step**4 * math.e / 180 + 1e-14
print(f"the integral of exp from 0 to 1 is {integral:.12f}; e - 1 is {exact:.12f}")
