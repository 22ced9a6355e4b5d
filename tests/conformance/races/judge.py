"""What is asked of one kernel of the corpus."""

from __future__ import annotations

import math
import re
import warnings

import corpus
import numpy as np

import manyhands as mh

THREADS = (1, 2, 3, 8)

#: Clean kernels that are refused all the same, each with what would have to be seen.
REFUSED: dict[str, str] = {}


def failures(name: str) -> str:
    """What is wrong with the kernel of this name; nothing where nothing is."""
    kernel = next(kernel for kernel in corpus.kernels("clean", "racy", "guarded") if kernel.name == name)
    before = mh.get_num_threads()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mh.CompileWarning)  # of loops that are run serially
            {"clean": _clean, "racy": _racy, "guarded": _guarded}[kernel.mark](kernel)
    except AssertionError as error:
        return f"{name}: {error}"
    finally:
        mh.set_num_threads(before)
    return ""


def _clean(kernel: corpus.Kernel) -> None:
    """It compiles, and gives the serial answer."""
    if kernel.name in REFUSED:
        assert _refusal(kernel), "is not refused any more: take it off the list"
    else:
        check(kernel, mh.jit(kernel.function))


def _racy(kernel: corpus.Kernel) -> None:
    """It is refused, at its line."""
    text = _refusal(kernel)
    assert text, "is not refused"
    told = {int(number) for number in re.findall(r"\.py:(\d+)", text)}
    assert told & kernel.racy_lines() and "^" in text, f"is refused elsewhere: {text}"


def _guarded(kernel: corpus.Kernel) -> None:
    """It is refused, or gives the serial answer for all of its arguments."""
    if not _refusal(kernel):
        check(kernel, mh.jit(kernel.function))


def _refusal(kernel: corpus.Kernel) -> str:
    """The race error's text; nothing where there is none."""
    try:
        mh.jit(kernel.function)(*kernel.builders[0](8))
    except mh.RaceError as error:
        return str(error)
    return ""


def outcome(function, arguments):
    """What a call gives or raises, and what it leaves in its arguments."""
    with np.errstate(all="ignore"):
        try:
            value = function(*arguments)
        except Exception as error:
            return (type(error), str(error)), None
    return value, [argument for argument in arguments if isinstance(argument, np.ndarray)]


def same(found, expected, close):
    """Equal values, NaN to NaN; `close` allows for another order of summation and for the last bit of a library function."""
    if isinstance(expected, (tuple, list)):
        return len(found) == len(expected) and all(same(*pair, close) for pair in zip(found, expected))
    if expected is None or isinstance(expected, (str, type)):
        return found is expected or found == expected
    if isinstance(expected, np.ndarray):
        if found.dtype != expected.dtype or found.shape != expected.shape:
            return False
        if close and expected.dtype.kind in "fc":
            return np.allclose(found, expected, rtol=1e-11, atol=1e-12, equal_nan=True)
        return np.array_equal(found, expected, equal_nan=expected.dtype.kind in "fc")
    if close and isinstance(expected, float):
        return math.isclose(found, expected, rel_tol=1e-11, abs_tol=1e-11)
    return found == expected or (found != found and expected != expected)


def check(kernel, compiled):
    """The compiled kernel beside the plain one, on all sizes and arguments, for several numbers of threads."""
    for builder in kernel.builders:
        for size in kernel.sizes:
            expected = outcome(kernel.function, builder(size))
            first = None
            for count in THREADS if size > 3 else (2,):
                mh.set_num_threads(count)
                found = outcome(compiled, builder(size))
                case = f"size {size}, {count} threads: {found} instead of {expected}"
                if expected[1] is None:  # it raises: what is in the arrays then is not said
                    assert found[1] is None and found[0] == expected[0], case
                    continue
                assert found[1] is not None, case
                assert same(found, expected, kernel.close), case
                first = first or found
                assert same(found, first, False), f"another answer with {count} threads than with {THREADS[0]}"
