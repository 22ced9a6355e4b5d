"""What a compiled function takes from around it: frozen, and compiled again when it has changed."""

import math
import types
import warnings

import pytest

import manyhands as mh

pytest.importorskip("llvmlite")

FACTOR = 2
PAIR = (1, 2.5)
TABLE = None
LIST = [1, 2]


def helper(x):
    return x + 1


@mh.jit
def inner(x):
    return x * 3


@mh.jit
def scaled(x):
    return x * FACTOR


@mh.jit
def helped(x):
    return helper(x)


@pytest.fixture(autouse=True)
def as_before():
    before = dict(globals())
    yield
    globals().update(before)


def test_globals_are_guarded():
    global FACTOR
    assert scaled(5) == 10
    FACTOR = 3
    assert scaled(5) == 15
    FACTOR = 2.5
    assert scaled(5) == 12.5
    FACTOR = 2
    assert scaled(5) == 10
    assert scaled.signatures == ["(int)"]


def test_zeros_of_both_signs_differ():
    globals()["FACTOR"] = 0.0
    assert math.copysign(1, scaled(1.0)) == 1
    globals()["FACTOR"] = -0.0
    assert math.copysign(1, scaled(1.0)) == -1


def test_a_global_that_goes():
    assert scaled(5) == 10
    del globals()["FACTOR"]
    with pytest.raises(NameError, match="FACTOR"):
        scaled(5)
    globals()["FACTOR"] = 4
    assert scaled(5) == 20


def test_helpers_are_guarded():
    global helper
    assert helped(1) == 2

    def helper(x):
        return x - 1

    assert helped(1) == 0


def test_a_helpers_code_and_defaults():
    def plain(x, by=1):
        return x + by

    def other(x, by=1):
        return x - by

    @mh.jit
    def calls(x):
        return plain(x)

    assert calls(5) == 6
    plain.__defaults__ = (2,)
    assert calls(5) == 7
    plain.__code__ = other.__code__
    assert calls(5) == 3


def test_the_functions_own_defaults():
    @mh.jit
    def f(x, by=1):
        return x + by

    assert f(1) == 2
    f.py_func.__defaults__ = (5,)
    assert f(1) == 6


def test_closures():
    def make(n):
        k = n

        @mh.jit
        def f(x):
            return x + k

        def change(value):
            nonlocal k
            k = value

        return f, change

    f, change = make(10)
    other, _ = make(20)
    assert (f(1), other(1)) == (11, 21)
    change(100)
    assert (f(1), other(1)) == (101, 21)


def test_modules_and_their_attributes():
    module = types.ModuleType("settings")
    module.size = 3

    @mh.jit
    def f(x):
        return x * module.size + math.floor(math.pi)

    assert f(2) == 9
    module.size = 4
    assert f(2) == 11


def test_jitted_functions_call_each_other():
    @mh.jit
    def f(x):
        return inner(x) + helper(x)

    assert f(2) == 9


def test_tuples_are_frozen():
    global PAIR

    @mh.jit
    def f(x):
        return x * PAIR[0] + PAIR[1]

    assert f(2) == 4.5
    PAIR = (2, 1)
    assert f(2) == 5


def test_arrays_are_read_at_each_call():
    np = pytest.importorskip("numpy")
    global TABLE
    TABLE = np.array([1.0, 2.0])

    @mh.jit
    def f(i):
        return TABLE[i]

    assert f(1) == 2.0
    TABLE[1] = 5.0
    assert f(1) == 5.0
    TABLE = np.array([7.0, 8.0, 9.0])
    assert f(2) == 9.0
    TABLE = np.array([7, 8, 9])
    assert f(2) == 9
    assert type(f(2)) is np.int64


def test_what_can_change_is_refused():
    @mh.jit
    def f(x):
        return x + LIST[0]

    with pytest.raises(mh.CompileError, match="tuple"):
        f(1)


def test_restless_values_are_told():
    global FACTOR
    made = mh.jit(scaled.py_func)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for FACTOR in range(100, 108):
            assert made(2) == 2 * FACTOR
    with pytest.warns(mh.CompileWarning, match="FACTOR changed"):
        for FACTOR in range(108, 120):
            assert made(2) == 2 * FACTOR


def test_a_name_that_is_shadowed_later():
    space = {"mh": mh, "__name__": __name__}
    source = "def total(n):\n    found = 0\n    for i in range(n):\n        found += SCALE * i\n    return found\n"
    space["SCALE"] = 1
    exec(source, space)
    total = mh.jit(space["total"], source=source)
    assert total(4) == total(4) == 6
    space["unrelated"] = 1
    assert total(4) == 6
    space["SCALE"] = 2
    assert total(4) == 12
    space["range"] = lambda n: [n]
    with pytest.raises(mh.errors.CompileError):
        total(4)
    del space["range"]
    assert total(4) == 12
    del space["SCALE"]
    with pytest.raises((NameError, mh.errors.CompileError)):
        total(4)
