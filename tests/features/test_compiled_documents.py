"""The documents' compiled programs do what they should have done, with their import line changed.

What they print is told here and not taken from numba: one of them shows a race and another a wrong sum.
"""

import re

import documents
import pytest

pytestmark = pytest.mark.skipif(
    not documents.SEEDS.is_dir(), reason="the teaching documents are not beside this project (../shared/seeds)"
)

WORKSHOP, SIMPSON = "parallel-python-workshop-day1", "parallelism-in-python-simpson"


@pytest.fixture(autouse=True)
def numpy():
    pytest.importorskip("numpy")


def up_to(program, words):
    """The program's lines before the first that has these words."""
    found, _, rest = program.partition(words)
    assert rest, words
    return found[: found.rfind("\n") + 1]


def test_the_race_is_the_last_value(python):
    program = documents.fenced(SIMPSON, "def assign(n)", "nb.prange") + 10 * "assign(16*64*64)\n"
    printed = python(documents.with_ours(program)).splitlines()
    assert [line.split() for line in printed] == 10 * ["after loop, value is 65535".split()]


def test_the_reduction(python):
    program = "import numba as nb\n" + documents.fenced(SIMPSON, "tot=0\n", "def add(n)")
    assert python(documents.with_ours(program)).split() == 10 * "sum is 2147450880".split()


def test_the_bad_reduction_is_right(python):
    program = documents.fenced(SIMPSON, "tot=np.zeros(1)", "def add(n)")
    assert python(documents.with_ours(program)).split() == 10 * "sum is 2147450880.0".split()


def test_the_integrator(python):
    program = "import numpy as np\nimport numba as nb\nimport time\n" + documents.fenced(SIMPSON, "def integrate_exp")
    program += up_to(documents.fenced(SIMPSON, "ans=integrate_exp"), "t1=time.time();ans=simpson")
    printed = python(documents.with_ours(program))
    found, expected = map(float, re.search(r"we got +(\S+) +expected +(\S+) +in", printed).groups())
    assert found == pytest.approx(expected, rel=1e-12)


def test_pi(python):
    program = "import random\nimport numba\n"
    program += up_to(documents.fenced(WORKSHOP, "def calc_pi_numba"), "%timeit") + "print(calc_pi_numba(10**6))\n"
    assert float(python(documents.with_ours(program))) == pytest.approx(3.1416, abs=0.01)


def test_pi_without_the_lock_and_with_it(python):
    program = "import random\nimport numba\n" + up_to(documents.fenced(WORKSHOP, "def calc_pi_nogil"), "%timeit")
    program += "print(calc_pi_nogil(10**6), calc_pi_with_gil(10**6))\n"
    for value in python(documents.with_ours(program)).split():
        assert float(value) == pytest.approx(3.1416, abs=0.01)


def test_the_sum_of_a_range(python):
    program = documents.fenced(WORKSHOP, "def sum_range_numba") + "print(sum_range_numba(10**7))\n"
    assert python(documents.with_ours(program)).split() == ["49999995000000"]
