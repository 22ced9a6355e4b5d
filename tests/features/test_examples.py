"""Every example runs as a user would run it, from its file and without a guard, and prints its checked result."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

#: The last line that each example prints. The examples check their answers themselves and fail where they are wrong.
LAST_LINES = {
    "best_parameters": r"a polynomial of degree 4 fits best: 0\.070 is its mean squared error",
    "closures": r"a closure, a lambda and a bound method gave what the loop gives",
    "compiled_pi": r"pi is about 3\.14\d+, from 2,000,000 points, with any number of threads",
    "compiled_race": r"the last value is 65535, and the race is an error",
    "compiled_reductions": r"a scalar: 2147450880, an element: 2147450880, a histogram of 100,000 values",
    "compiled_simpson": r"the integral of exp from 0 to 1 is 1\.718281828459; e - 1 is 1\.718281828459",
    "compiled_sum": r"the sum of range\(10\*\*7\) is 49999995000000",
    "converting_files": r"13,475 characters in 50 files",
    "did_it_pay_off": r"of each worker's time \d+% went into the function",
    "monte_carlo_pi": r"pi is about 3\.14\d+, from 2,000,000 points, with any number of workers",
    "pairwise_distances": r"60,000 distances; the closest pair is row 12 and row 154, 1\.9056 apart",
    "processes": r"the squares up to 99 add up to 328350",
    "pea_soup": r"with a friend it is 81 minutes in the kitchen instead of 96; until it is eaten, 1\.0% sooner",
    "simpson": r"the integral of exp from 0 to 1 is 1\.718281828459; e - 1 is 1\.718281828459",
    "squares": r"the squares up to 32 add up to 11440",
    "three_arguments": r"sums of three: \[3, 12, 21, 30, 39, 48, 57, 66\]",
    "vary_work": r"every answer is the serial one",
    "vary_workers": r"pi is about 3\.1\d+, whoever does the work",
    "which_way": r"80 items on [12] workers; \d\d MB were held",
    "word_autocorrelation": r"of 3,000 words, the ten commonest return most often after 50: 98\.3% of the times",
}


def run(arguments, folder, source=None):
    """Runs Python in `folder` and returns the lines that it printed; anything on stderr is a failure too."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, input=source, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return done.stdout.splitlines()


def source_of(name):
    source = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
    if "import numpy" in source or "mh.rng()" in source:
        pytest.importorskip("numpy")
    return source


def test_every_example_is_run():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(LAST_LINES)


@pytest.mark.parametrize("name", sorted(LAST_LINES))
def test_example_prints_its_result(name, tmp_path):
    source = source_of(name)
    assert "if __name__" not in source
    assert source.startswith('"""')
    lines = run([str(EXAMPLES / f"{name}.py")], tmp_path)
    assert re.fullmatch(LAST_LINES[name], lines[-1])
    assert not os.listdir(tmp_path), "an example leaves nothing behind"


@pytest.mark.parametrize("name", ["closures", "processes", "squares", "word_autocorrelation"])
def test_example_runs_from_standard_input(name, tmp_path):
    lines = run(["-"], tmp_path, source_of(name))
    assert re.fullmatch(LAST_LINES[name], lines[-1])


def test_autocorrelation_takes_a_book(tmp_path):
    book = tmp_path / "book.txt"
    book.write_text("tick tock " * 200, encoding="utf-8")
    lines = run([str(EXAMPLES / "word_autocorrelation.py"), str(book)], tmp_path)
    assert lines == ["of 400 words, the ten commonest return most often after 2: 99.5% of the times"]
