"""Shares, means, bins, triangles and others of NumPy's functions in compiled code: each against NumPy itself."""

import numpy as np
import pytest

import manyhands as mh

RANDOM = np.random.default_rng(5)


def one(kind, n):
    if kind == "bool":
        return RANDOM.random(n) < 0.5
    if kind.startswith("float"):
        a = np.round(RANDOM.normal(size=n), 1).astype(kind)
        a[RANDOM.random(n) < 0.05] = np.nan
        return a
    return RANDOM.integers(0 if kind.startswith("u") else -9, 9, n).astype(kind)


#: Each type costs a compilation, so that few have many.
ONES = [one(kind, n) for kind in ("float64", "int64") for n in (0, 1, 2, 17, 100)] + [one("bool", 40)]
MORE = [one("float32", 33), one("int8", 40), one("uint16", 5), one("float64", 50)[::-2]]
PLAIN = [a for a in ONES if a.dtype.kind != "f" or not np.isnan(a).any()] + [RANDOM.random(40), np.arange(6.0)]
TWOS = [RANDOM.integers(-5, 5, (4, 7)), RANDOM.random((6, 8))[::2, ::-1]]

#: name: (function, [arguments of one call, ...])
CASES = {
    "partition": (lambda a: np.sort(np.partition(a, 3)[:3]), [(a,) for a in PLAIN if len(a) > 3]),
    "digitize": (lambda x: np.digitize(x, np.array([-1.0, 0.0, 2.5])), [(a,) for a in PLAIN]),
    "digitize_right": (lambda x: np.digitize(x, np.array([-1.0, 0.0, 2.5]), right=True), [(a,) for a in PLAIN]),
    "tile": (lambda a: np.tile(a, 3), [(a,) for a in ONES]),
    "flipud": (lambda a: np.flipud(a), [(a,) for a in TWOS]),
    "fliplr": (lambda a: np.fliplr(a), [(a,) for a in TWOS]),
    "isin": (lambda a: np.isin(a, np.array([1, 3])), [(a,) for a in PLAIN]),
    "percentile": (lambda a: np.percentile(a, 30), [(a,) for a in PLAIN if len(a) and a.dtype != bool]),
    "quantile": (lambda a: np.quantile(a, np.array([0.0, 0.1, 0.5, 0.77, 1.0])), [(a,) for a in PLAIN if len(a) and a.dtype != bool]),
    "quantile_outside": (lambda a: np.quantile(a, 1.5), [(np.arange(3.0),)]),
    "ptp": (lambda a: np.ptp(a), [(a,) for a in PLAIN if len(a) and a.dtype != bool]),
    "average": (lambda a: np.average(a), [(a,) for a in PLAIN if len(a)]),
    "average_weighted": (lambda a, w: np.average(a, weights=w), [(RANDOM.random(20), RANDOM.random(20))]),
    "trapezoid": (lambda y, x: np.trapezoid(y, x), [(RANDOM.random(9), np.sort(RANDOM.random(9)))]),
    "convolve": (lambda a, v: np.convolve(a, v), [(RANDOM.random(9), RANDOM.random(4)), (np.arange(5), np.arange(3))]),
    "convolve_same": (lambda a, v: np.convolve(a, v, mode="same"), [(RANDOM.random(9), RANDOM.random(4)), (RANDOM.random(2), RANDOM.random(5))]),
    "convolve_valid": (lambda a, v: np.convolve(a, v, "valid"), [(RANDOM.random(9), RANDOM.random(4)), (RANDOM.random(2), RANDOM.random(5))]),
    "tril": (lambda a: np.tril(a, -1), [(a,) for a in TWOS]),
    "triu": (lambda a: np.triu(a, 1), [(a,) for a in TWOS]),
    "ediff1d": (lambda a: np.ediff1d(a), [(a,) for a in PLAIN if a.dtype != bool]),
}  # fmt: skip


def outcome(function, arguments):
    try:
        return function(*(a.copy() if isinstance(a, np.ndarray) else a for a in arguments))
    except Exception as error:
        return error


def agree(ours, theirs):
    if isinstance(theirs, Exception) or isinstance(ours, Exception):
        return isinstance(ours, Exception) and isinstance(theirs, Exception) and isinstance(ours, type(theirs))
    if isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(map(agree, ours, theirs))
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        return False
    if theirs.dtype.kind in "fc":
        return np.allclose(ours, theirs, rtol=1e-6 if theirs.dtype.itemsize == 4 else 1e-12, atol=0, equal_nan=True)
    return np.array_equal(ours, theirs)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::RuntimeWarning", "ignore::DeprecationWarning")
def test_numpys_answer(name):
    function, calls = CASES[name]
    compiled = mh.jit(cache=False)(function)
    for arguments in calls:
        ours, theirs = outcome(compiled, arguments), outcome(function, arguments)
        assert agree(ours, theirs), (arguments, ours, theirs)
