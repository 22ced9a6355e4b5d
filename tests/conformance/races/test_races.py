"""None of the racy kernels compiles or computes a wrong answer; the clean ones compile, and give the serial answer.

The serial answer is the kernel's own, run by the interpreter, where `prange` is `range`.
"""

import math
import re

import corpus
import numpy as np
import pytest

import manyhands as mh

pytestmark = pytest.mark.slow

THREADS = (1, 2, 3, 8)

#: Clean kernels that are refused all the same, each with what would have to be seen.
REFUSED: dict[str, str] = {
    "clean_accumulating.overwritten_now_and_then": "which iteration wrote an element last, where a condition decides",
    "clean_helpers.scratch_per_iteration_written_first": "that a shared scratch array is written before it is read",
    "clean_scalars.any_with_return": "that nothing but the answer depends on where the loop ends",
    "clean_scalars.all_with_return": "the same",
    "clean_scalars.any_with_break": "the same",
    "clean_scalars.largest_with_max_turned": "max(x, m) of floats, which a nan leaves and re-enters",
}

CLEAN, RACY, GUARDED = (corpus.kernels(mark) for mark in ("clean", "racy", "guarded"))


@pytest.fixture(autouse=True)
def threads():
    """As many threads as before, whatever a test has set."""
    before = mh.get_num_threads()
    yield
    mh.set_num_threads(before)


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


@pytest.mark.parametrize("kernel", CLEAN, ids=lambda kernel: kernel.name)
def test_clean_kernel_gives_the_serial_answer(kernel):
    compiled = mh.jit(kernel.function)
    if kernel.name in REFUSED:
        with pytest.raises(mh.RaceError):
            compiled(*kernel.builders[0](kernel.sizes[-1]))
    else:
        check(kernel, compiled)


@pytest.mark.parametrize("kernel", RACY, ids=lambda kernel: kernel.name)
def test_racy_kernel_is_refused_at_its_line(kernel):
    with pytest.raises(mh.RaceError) as caught:
        mh.jit(kernel.function)(*kernel.builders[0](8))
    text = str(caught.value)
    told = {int(number) for number in re.findall(r"\.py:(\d+)", text)}
    assert told & kernel.racy_lines(), text
    assert "^" in text


@pytest.mark.parametrize("kernel", GUARDED, ids=lambda kernel: kernel.name)
def test_kernel_that_may_race_is_refused_or_right(kernel):
    compiled = mh.jit(kernel.function)
    try:
        compiled(*kernel.builders[0](8))
    except mh.RaceError:
        return
    check(kernel, compiled)


def test_the_corpus_is_large_and_its_clean_part_is_accepted():
    assert len(CLEAN) + len(RACY) + len(GUARDED) > 300
    assert len(RACY) >= 100
    assert set(REFUSED) <= {kernel.name for kernel in CLEAN}
    assert len(REFUSED) <= len(CLEAN) / 10
