"""Loops of loops that end early, whose iterations are taken side by side in the lanes of vectors: the bits of plain Python."""

import cmath
import math

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

LENGTHS = [0, 1, 2, 7, 8, 9, 16, 29]


def escapes(x, y, most):
    c = complex(x, y)
    z = 0.0j
    for i in range(most):
        z = z * z + c
        if z.real * z.real + z.imag * z.imag >= 4:
            return i
    return most


def helper(x, out, most):
    for i in range(len(x)):
        out[i] = escapes(x[i], 0.25 * x[i], most)


def size(x, out, most):
    k = 0
    for i in mh.prange(len(x)):
        c = complex(x[i], 0.5)
        z = 0j
        k = 0
        while abs(z) < 2 and k < most:
            z = z * z + c
            k += 1
        out[i] = z.real + k
    return k


def broken(x, out, most):
    for i in range(len(x)):
        z = 0.0
        for k in range(most):
            if z > 2.0:
                break
            z = z * z + x[i]
        out[i] = k
    return i, k, z


def root(x, out, most):
    r = last = 0.0
    for i in range(len(x)):
        r, last = abs(x[i]) + 1.0, 0.0
        while abs(r - last) > 1e-12 * r:
            last = r
            r = 0.5 * (r + abs(x[i]) / r)
        out[i] = r
    return r, last


def branches(x, out, most):
    for i in range(len(x)):
        s = t = x[i]
        small = False
        turns = ups = 0
        while turns < 3 * most:
            turns += 1
            if turns % 4 == 3:
                continue
            if s > 1.0:
                s = s * 0.5 - 0.1
                if s < 0.25:
                    small = True
                    break
            elif s > -1.0:
                s = s + t * 0.3
                ups += 1
            else:
                s = -s * 0.75
                t = s if t < s else t + 0.01
            if math.isnan(s):
                break
        else:
            t = -t
        out[i] = s + ups if small else t - turns
    return turns, ups, small


def functions(x, out, most):
    for i in range(len(x)):
        z, w = complex(x[i], 0.3), x[i]
        for k in range(most):
            z = cmath.sqrt(z) + 0.125 * k
            w = math.atan2(w, 0.5) - math.floor(w)
            if z.real > 1.5:
                break
        out[i] = z.real + w
    return z.imag


def uneven(x, out, most):
    total = 0.0
    for i in range(len(x)):
        s = 0.0
        for k in range(i % 5, i % 7):
            s += x[i] * k
            if s > 3.0:
                break
        total += s
        out[i] = total
    return total, s


def early(x, out, most):
    for i in range(len(x)):
        out[i] = half(x[i], most) if x[i] > 0 else -1.0


def half(v, most):
    n = 0
    while True:
        v *= 0.5
        n += 1
        if v < 0.01:
            return math.sqrt(v) + n
        if n > most:
            return v


FUNCTIONS = [helper, size, broken, root, branches, uneven, early]


def result(function, x, out, most):
    try:
        with np.errstate(all="ignore"):
            return repr(np.array(function(x, out, most), float)), out.tobytes()
    except (UnboundLocalError, ZeroDivisionError, OverflowError) as error:
        return type(error).__name__, out.tobytes()


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_the_values_are_pythons(function):
    compiled = mh.jit(function)
    random = np.random.default_rng(3)
    for length in LENGTHS:
        for most in (0, 1, 2, 40):
            x = random.normal(size=length)
            x[3:4] = np.nan if length % 2 else 0.0
            expected = result(function, x, np.full(length, -7.0), most)
            assert result(compiled, x, np.full(length, -7.0), most) == expected, (length, most)


def test_what_the_iterations_before_have_written():
    # The results lie over what is read, wholly or in part.
    compiled = mh.jit(helper)
    for far in (0, 1, 8, 30):
        one, other = np.linspace(-2, 1, 60), np.linspace(-2, 1, 60)
        helper(one[:30], one[far : far + 30], 40)
        compiled(other[:30], other[far : far + 30], 40)
        assert other.tobytes() == one.tobytes(), far


def inverse(x, out, most):
    for i in range(len(x)):
        s = float(x[i])
        k = 0
        while k < most and s < 100.0:
            s = 1.0 / s - 0.5
            k += 1
        out[i] = s


@pytest.mark.parametrize("place", [0, 3, 8, 20])
def test_what_fails_first_is_raised_and_what_came_before_is_written(place):
    x = np.linspace(3, 4, 21)
    # 1 / 2 - 0.5 is 0.
    x[place] = 2.0
    x[-1] = 2.0
    expected, found = np.zeros(21), np.zeros(21)
    for function, out in ((inverse, expected), (mh.jit(inverse), found)):
        with pytest.raises(ZeroDivisionError):
            function(x, out, 10)
    assert found.tobytes() == expected.tobytes()


def test_functions_of_lanes():
    x = np.linspace(-2, 2, 21)
    expected, found = np.zeros(21), np.zeros(21)
    assert mh.jit(functions)(x, found, 9) == pytest.approx(functions(x, expected, 9))
    assert found == pytest.approx(expected)


def test_it_is_told():
    x = np.linspace(-2, 1, 20)
    for function in (helper, size, broken, root, branches, functions, uneven):
        compiled = mh.jit(function)
        compiled(x, np.zeros(20), 5)
        assert "side by side" in str(compiled.explain()), function.__name__


def test_it_is_told_of_a_loop_within_a_checked_one():
    @mh.jit
    def image(points, most):
        for row in mh.prange(points.shape[0]):
            for column in range(points.shape[1]):
                points[row, column] = escapes(0.1 * column, 0.2 * row, most)

    image(np.zeros((3, 20), np.uint16), 5)
    assert "8 iterations side by side in lanes" in str(image.explain())


def test_nobody_waits_for_iterations_behind_one_that_fails():
    @mh.jit
    def found(a, out, most):
        for i in range(len(a)):
            z = a[i]
            for _ in range(most):
                if z > 4.0:
                    break
                z = z * z
            if z > 4.0:
                raise ValueError("found")
            out[i] = z

    a = np.full(20, 0.5)
    a[0] = 2.0
    with pytest.raises(ValueError, match="found"):
        found(a, np.zeros(20), 10**13)  # the other iterations' turns would take hours
