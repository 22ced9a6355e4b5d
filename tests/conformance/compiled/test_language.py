"""Every feature of the compiled language, on good arguments and on bad ones; and what is refused, with a good word."""

import inspect
import math
import re

import differential
import numpy as np
import pytest

import features
import manyhands as mh

SUPPORTED, REFUSED = features.features()


def close(found, expected):
    """As `differential.same`, but for the last bits of floats."""
    if isinstance(expected, tuple):
        return isinstance(found, tuple) and len(found) == len(expected) and all(map(close, found, expected))
    if isinstance(expected, (complex, np.complexfloating)):
        return close(float(found.real), float(expected.real)) and close(float(found.imag), float(expected.imag))
    if isinstance(expected, (float, np.floating)) and math.isfinite(expected):
        return type(found) is type(expected) and math.isclose(found, expected, rel_tol=1e-14, abs_tol=1e-15)
    return differential.same(found, expected)


@pytest.mark.parametrize("feature", SUPPORTED, ids=lambda feature: feature.name)
def test_feature_does_what_the_interpreter_does(feature):
    compiled = mh.jit(feature.function)
    for case in feature.cases:
        expected = differential.outcome(feature.function, feature.arguments(case))
        found = differential.outcome(compiled, feature.arguments(case))
        grown = isinstance(found.error, OverflowError) and differential.outgrown(expected)
        alike = expected.error is None is found.error and feature.close and close(found.value, expected.value)
        assert grown or alike or differential.agree(found, expected), f"{case}: found {found}, expected {expected}"


@pytest.mark.parametrize("feature", REFUSED, ids=lambda feature: feature.name)
def test_what_is_refused_is_told_where(feature):
    lines, first = inspect.getsourcelines(feature.function)
    marked = [first + number for number, line in enumerate(lines) if "# here" in line]
    with pytest.raises((mh.CompileError, TypeError, NameError, AttributeError)) as caught:
        mh.jit(feature.function)(*feature.arguments(feature.cases[0]))
    text = str(caught.value)
    assert feature.function.__name__ in text
    if marked:
        assert {int(number) for number in re.findall(r"\.py:(\d+)", text)} & set(marked), text
        assert "^" in text


def test_negative_start_beside_unsigned_is_an_error():
    def most(values, start):
        for x in values:
            if x > start:
                start = x
        return start

    assert mh.jit(most)(features.u8(7, 2**63), 3) == np.uint64(2**63)
    with pytest.raises(OverflowError, match="-1 out of bounds for uint64"):
        mh.jit(most)(features.u8(7, 2**63), -1)


def test_the_greatest_keeps_its_digits_or_is_an_error():
    greatest = mh.jit(lambda a, b: max(a, b))
    assert greatest(2**53 + 1, 2.0**60) == 2.0**60
    with pytest.raises(OverflowError, match="more digits than the float"):
        greatest(2**53 + 1, 2.0**53)


def show_texts(x, n, b, narrow):
    print(f"x={x:.3f} n={n:>5}|{n:03d}|{x:10.2e}|{b}|{n:x}", n, f"{x}", sep=";")
    print(
        f"{n=} {x!r} {x:g} {n / 7:.1%} {n:,} {{}} {x:<9.1f}| {b:d} {n:.2f} {None} {narrow[0]} {narrow[0]:.2f} {(n, x)}"
    )


def show_in_parallel(n):
    for i in mh.prange(n):
        print(f"{i:04d} {i / 7:.1f}")


@pytest.mark.parametrize("values", [(1.23456, 42, True), (-1e300, -7, False), (math.nan, 0, True)], ids=repr)
def test_printed_texts_are_formatted_as_python_does(capsys, values):
    for function, arguments in ((show_texts, (*values, np.float32([0.1]))), (show_in_parallel, (5,))):
        function(*arguments)
        expected = capsys.readouterr().out
        mh.jit(function)(*arguments)
        assert capsys.readouterr().out == expected


def test_help_tells_how_to_write_an_unsigned_constant():
    with pytest.raises(mh.CompileError, match=r"write np.uint64\(18446744073709551615\)"):
        mh.jit(lambda n: n + 18446744073709551615)(3)


def test_too_much_memory_is_an_error():
    with pytest.raises(MemoryError):
        mh.jit(lambda n: np.zeros(n * 1024))(2**40)
