"""What is compiled ahead of time: the types that each function is called with stand above it."""

import math

import manyhands as mh


def _height(x):
    return math.exp(-x * x)


@mh.jit("f8(f8[:], f8)")
def trapezoid(samples, step):
    """The area under samples that are `step` apart."""
    total = 0.0
    for i in mh.prange(1, len(samples)):
        total += (samples[i - 1] + samples[i]) * 0.5
    return total * step


@mh.jit(["f8(f8, f8, i8)", "f8(i8, i8, i8)"])
def gauss(start, stop, count):
    """The area under exp(-x*x), by `count` midpoints."""
    width = (stop - start) / count
    total = 0.0
    for i in mh.prange(count):
        total += _height(start + (i + 0.5) * width)
    return total * width
