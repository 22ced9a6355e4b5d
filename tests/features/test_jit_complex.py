"""Functions of complex numbers beside `cmath`: all combinations of special values, the exceptions included."""

import cmath
import itertools
import math

import numpy as np
import pytest

import manyhands as mh

pytest.importorskip("llvmlite")

PARTS = [0.0, 0.5, 1.0, 2.0, 5.0, 720.0, 1e-5, 1e-310, 1e308, math.inf]
PARTS += [-part for part in PARTS] + [math.nan]
NAMES = ("exp", "log", "log10", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh", "asin", "acos", "atan")
NAMES += ("asinh", "acosh", "atanh")

chooser = "def chosen(number, z):\n"
for number, name in enumerate(NAMES):
    chooser += f"    if number == {number}:\n        return cmath.{name}(z)\n"
chooser += "    return 0j\n"
space = {"cmath": cmath}
exec(chooser, space)
compiled = mh.jit(source=chooser)(space["chosen"])


def outcome(function, *arguments):
    try:
        return function(*arguments)
    except (ValueError, OverflowError) as error:
        return type(error), str(error)


def same_part(found, expected):
    if expected != expected or math.isinf(expected) or expected == 0:
        return found == expected and math.copysign(1, found) == math.copysign(1, expected) or found != found != expected
    return math.isclose(found, expected, rel_tol=1e-13, abs_tol=1e-300)


def same(found, expected):
    if isinstance(expected, tuple) or isinstance(found, tuple):
        return found == expected
    return same_part(found.real, expected.real) and same_part(found.imag, expected.imag)


@pytest.mark.parametrize("name", NAMES)
def test_special_values_are_those_of_cmath(name):
    number, function = NAMES.index(name), getattr(cmath, name)
    wrong = []
    for parts in itertools.product(PARTS, PARTS):
        z = complex(*parts)
        found, expected = outcome(compiled, number, z), outcome(function, z)
        if not same(found, expected):
            wrong.append(f"{name}({z}): {found} instead of {expected}")
    assert not wrong, "\n".join(wrong[:20])


def test_both_ways_through_the_reduction_give_the_same_bits():
    """Angles below 2^40 in vectors; one that is larger sends its block through the full reduction."""

    @mh.jit
    def turned(a, out):
        for i in mh.prange(len(a)):
            out[0, i] = np.sin(a[i])
            out[1, i] = np.cos(a[i])
            out[2, i] = np.tan(a[i])

    generator = np.random.default_rng(3)
    for kind in (np.float64, np.float32):
        sizes = np.exp2(generator.uniform(-40, 39.9, 3000)) * generator.choice([-1, 1], 3000)
        near = np.concatenate([sizes, [0.0, -0.0, math.nan, 2.0**40 - 2**10]]).astype(kind)
        near[near >= 2**40] = 1.0
        far = near.copy()
        far[[7, 2500]] = 1e30, math.inf
        few, many = np.zeros((3, len(near)), kind), np.zeros((3, len(near)), kind)
        turned(near, few)
        turned(far, many)
        rest = np.setdiff1d(np.flatnonzero(near == near), [7, 2500])
        assert few[:, rest].tobytes() == many[:, rest].tobytes()
        assert np.isnan(many[:, 2500]).all()
        assert np.allclose(many[:2, 7], [math.sin(far[7]), math.cos(far[7])], rtol=1e-6)
