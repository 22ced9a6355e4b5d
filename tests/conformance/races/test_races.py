"""None of the racy kernels compiles or computes a wrong answer; the clean ones compile, and give the serial answer.

The serial answer is the kernel's own, run by the interpreter, where `prange` is `range`. Two processes share the kernels of
a module: nearly all of the time goes into compiling them.
"""

import corpus
import judge
import pytest

import manyhands as mh

pytestmark = pytest.mark.slow

CLEAN, RACY, GUARDED = (corpus.kernels(mark) for mark in ("clean", "racy", "guarded"))


@pytest.mark.parametrize("module", corpus.MODULES)
def test_kernels_are_refused_or_right(module):
    names = [kernel.name for kernel in CLEAN + RACY + GUARDED if kernel.function.__module__ == module]
    wrong = list(filter(None, mh.map(judge.failures, names, workers=2)))
    assert not wrong, "\n\n".join(wrong)


def test_the_corpus_is_large_and_its_clean_part_is_accepted():
    assert len(CLEAN) + len(RACY) + len(GUARDED) > 300
    assert len(RACY) >= 100
    assert set(judge.REFUSED) <= {kernel.name for kernel in CLEAN}
    assert len(judge.REFUSED) <= len(CLEAN) / 10
