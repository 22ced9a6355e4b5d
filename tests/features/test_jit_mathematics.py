"""Functions of compiled loops against a reference of 100 bits: at most 1.5 ulp (gamma functions 4), special values right."""

import math

import mpmath
import numpy as np
import pytest

import manyhands as mh

pytest.importorskip("llvmlite")

SPECIAL = [
    0.0,
    -0.0,
    math.inf,
    -math.inf,
    math.nan,
    5e-324,
    -5e-324,
    2.3e-308,
    1.0,
    -1.0,
    0.5,
    -0.5,
    1 - 2**-53,
    1 + 2**-52,
    1.7e308,
]


def uniform(low, high):
    return lambda generator: generator.uniform(low, high, 150)


def scales(low, high):
    """Of either sign, of all magnitudes between."""
    return lambda generator: (
        np.exp(generator.uniform(math.log(low), math.log(high), 150)) * generator.choice([-1, 1], 150)
    )


def beside(middle):
    return lambda generator: middle + np.exp(generator.uniform(-36, -1, 150)) * generator.choice([-1, 1], 150)


def right_angles(generator):
    """Doubles next to multiples of pi / 2, up to large ones."""
    with mpmath.workprec(1200):
        return np.array([float(mpmath.pi / 2 * int(k)) for k in np.exp2(generator.uniform(0, 900, 150))])


#: Function, the reference, where it is looked at beside special values and random bits.
FUNCTIONS = {
    "exp": (mpmath.exp, uniform(-746, 710), uniform(-1, 1), scales(1e-20, 1)),
    "exp2": (lambda x: mpmath.mpf(2) ** x, uniform(-1075, 1024), uniform(-1, 1)),
    "expm1": (mpmath.expm1, uniform(-40, 710), uniform(-1, 1), scales(1e-20, 1)),
    "log": (mpmath.log, uniform(0, 10), beside(1), scales(1e-310, 1e300)),
    "log2": (
        lambda x: mpmath.log(x, 2),
        uniform(0, 10),
        beside(1),
        lambda generator: np.exp2(np.arange(-1074.0, 1024.0, 11.0)),
    ),
    "log10": (mpmath.log10, uniform(0, 10), beside(1), lambda generator: 10.0 ** np.arange(-300, 300, 7)),
    "log1p": (mpmath.log1p, uniform(-1, 10), scales(1e-20, 1)),
    "sin": (mpmath.sin, uniform(-10, 10), scales(1e-5, 1e15), right_angles),
    "cos": (mpmath.cos, uniform(-10, 10), scales(1e-5, 1e15), right_angles),
    "tan": (mpmath.tan, uniform(-10, 10), scales(1e-5, 1e15), right_angles),
    "arcsin": (mpmath.asin, uniform(-1, 1), scales(1e-10, 1)),
    "arccos": (mpmath.acos, uniform(-1, 1), scales(1e-10, 1)),
    "arctan": (mpmath.atan, uniform(-3, 3), scales(1e-10, 1e20)),
    "sinh": (mpmath.sinh, uniform(-712, 712), uniform(-2, 2), scales(1e-10, 1)),
    "cosh": (mpmath.cosh, uniform(-712, 712), uniform(-2, 2)),
    "tanh": (mpmath.tanh, uniform(-23, 23), scales(1e-10, 1)),
    "arcsinh": (mpmath.asinh, uniform(-3, 3), scales(1e-10, 1e200)),
    "arccosh": (mpmath.acosh, uniform(1, 3), scales(1, 1e200), beside(1)),
    "arctanh": (mpmath.atanh, uniform(-1, 1), scales(1e-10, 1)),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), uniform(-3, 3), scales(1e-310, 1e300)),
}


def bits(generator):
    return generator.integers(0, 2**64, 150, dtype=np.uint64).view(np.float64)


def ulps(got, want):
    """The error in units of the last place of `want`; a wrong special value is infinite."""
    if isinstance(want, mpmath.mpc) or mpmath.isnan(want):
        return 0.0 if math.isnan(got) else math.inf
    nearest = float(want)
    if got == nearest:
        return 0.0 if math.isinf(got) or got == 0 else float(abs(want - got) / math.ulp(nearest))
    if math.isnan(got) or math.isinf(nearest) and abs(got) < 1.79e308:
        return math.inf
    largest = math.copysign(1.7976931348623157e308, want)
    return float(abs((largest if math.isinf(got) else mpmath.mpf(got)) - want) / math.ulp(min(abs(nearest), 1.7e308)))


def applied(function):
    @mh.jit(cache=False)
    def apply(x, out):
        for i in range(len(x)):
            out[i] = function(x[i])

    return apply


def worst(function, reference, x):
    out = np.empty_like(x)
    applied(function)(x, out)
    with mpmath.workprec(100):
        found = []
        for argument, got in zip(x, out, strict=True):
            # A few digits more where the argument is large.
            with mpmath.workprec(100 + max(0, math.frexp(argument)[1]) if math.isfinite(argument) else 100):
                found.append((ulps(float(got), at(reference, float(argument))), float(argument)))
    return max(found)


def at(reference, x):
    if math.isnan(x):
        return mpmath.nan
    try:
        return reference(mpmath.mpf(x))
    except (ValueError, ZeroDivisionError):
        return mpmath.nan


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_of_numpy(name):
    reference, *places = FUNCTIONS[name]
    generator = np.random.default_rng(7)
    x = np.concatenate([SPECIAL, bits(generator), *(place(generator) for place in places)])
    with np.errstate(all="ignore"):
        defined = ~np.isnan(getattr(np, name)(x)) | np.isnan(x)
        edges = ~np.isfinite(getattr(np, name)(x)) | ~np.isfinite(x)
        # Where the result is no finite number NumPy says what it is.
        out = np.empty_like(x)
        applied(getattr(np, name))(x, out)
        np.testing.assert_array_equal(out[edges | ~defined], getattr(np, name)(x)[edges | ~defined])
    inside = x[defined & ~edges]
    error, argument = worst(getattr(np, name), reference, inside)
    assert error <= 1.5, (error, argument)


#: Functions that only Python's `math` has.
OF_MATH = {
    "erf": (math.erf, mpmath.erf, 1.5, uniform(-7, 7), scales(1e-300, 1)),
    "erfc": (math.erfc, mpmath.erfc, 1.5, uniform(-7, 28), scales(1e-300, 1)),
    "gamma": (math.gamma, mpmath.gamma, 4, uniform(-170, 171), uniform(-5, 5), scales(1e-300, 1)),
    "lgamma": (
        math.lgamma,
        lambda x: mpmath.re(mpmath.loggamma(x)),
        4,
        uniform(1e-3, 4),
        beside(1),
        lambda g: abs(scales(1, 1e300)(g)),
    ),
}


@pytest.mark.parametrize("name", OF_MATH)
def test_a_function_of_math(name):
    function, reference, limit, *places = OF_MATH[name]
    generator = np.random.default_rng(8)
    error, argument = worst(function, reference, np.concatenate([place(generator) for place in places]))
    assert error <= limit, (error, argument)


def test_pow():
    @mh.jit(cache=False)
    def powers(x, y, out):
        for i in range(len(x)):
            out[i] = np.power(x[i], y[i])

    generator = np.random.default_rng(9)
    x = np.concatenate(
        [
            np.repeat(SPECIAL, len(SPECIAL)),
            abs(scales(1e-300, 1e300)(generator)),
            abs(beside(1)(generator)),
            -uniform(0, 9)(generator),
        ]
    )
    y = np.concatenate(
        [
            np.tile(SPECIAL, len(SPECIAL)),
            uniform(-1.01, 1.01)(generator),
            scales(1, 1e10)(generator),
            np.rint(uniform(-40, 40)(generator)),
        ]
    )
    out = np.empty_like(x)
    powers(x, y, out)
    with np.errstate(all="ignore"):
        want = np.power(x, y)
    edges = ~np.isfinite(want) | (want == 0) | ~np.isfinite(x) | ~np.isfinite(y)
    np.testing.assert_array_equal(out[edges], want[edges])
    np.testing.assert_array_equal(np.signbit(out[want == 0]), np.signbit(want[want == 0]))
    with mpmath.workprec(200):
        for a, b, got in zip(x[~edges], y[~edges], out[~edges], strict=True):
            assert ulps(float(got), mpmath.re(mpmath.mpf(float(a)) ** mpmath.mpf(float(b)))) <= 1.5, (a, b)
