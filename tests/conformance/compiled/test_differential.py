"""A few hundred random programs; `differential.py` beside this file runs as many as one likes."""

import differential
import generator
import pytest

import manyhands as mh

pytestmark = pytest.mark.slow

#: Seeds in each test.
BATCH = 30


@pytest.fixture(autouse=True)
def threads():
    before = mh.get_num_threads()
    yield
    mh.set_num_threads(before)


@pytest.mark.parametrize("batch", range(10))
def test_compiled_programs_do_what_the_interpreter_does(batch, tmp_path):
    compared = 0
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        compared += differential.check(generator.generate(seed), seed, tmp_path)
    assert compared > BATCH


def test_a_wrong_answer_is_found_and_made_small(tmp_path, monkeypatch):
    class Wrong:
        """A compiler that forgets the remainder's sign."""

        def __init__(self, function):
            self.function = function

        def __call__(self, *arguments):
            value = self.function(*arguments)
            return tuple(abs(part) if type(part) is int else part for part in value)

    monkeypatch.setattr(mh, "jit", Wrong)
    for seed in range(200):
        program = generator.generate(seed)
        try:
            differential.check(program, seed, tmp_path)
        except differential.Disagreement as error:
            small = differential.smaller(error, program, tmp_path)
            assert len(small.source.splitlines()) < len(program.source.splitlines())
            return
    pytest.fail("no wrong answer was found in 200 programs")
