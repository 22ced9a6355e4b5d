"""Some random programs; `differential.py` beside this file runs as many as one likes."""

from functools import partial
from pathlib import Path

import differential
import generator
import pytest

import manyhands as mh

pytestmark = pytest.mark.slow

#: How many programs.
PROGRAMS = 60


def compared(seed, folder):
    """How many cases of the program were compared; or what was wrong."""
    before = mh.get_num_threads()
    try:
        return differential.check(generator.generate(seed), seed, Path(folder))
    except differential.Disagreement as error:
        return str(error)
    finally:
        mh.set_num_threads(before)


def test_compiled_programs_do_what_the_interpreter_does(tmp_path):
    found = mh.map(partial(compared, folder=str(tmp_path)), range(PROGRAMS), workers=2)
    wrong = [text for text in found if isinstance(text, str)]
    assert not wrong, "\n".join(wrong[:3])
    assert sum(found) > PROGRAMS


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
