"""From the start of a script to its first result, with a pool of two: what a newcomer waits for.

Whole scripts are started as a user starts them, by the interpreter that runs the bench. Each writes down the reading of
the system-wide monotonic clock when its first map is answered; the clock starts before the process does. Two functions:
one that a worker can import by name, from a module beside the script, and one that the script defines itself.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import Row, WrongAnswer, scaled

MODULE = """\
def square(x):
    return x * x
"""
"""The module `squares` beside the scripts."""

IMPORTED = "from squares import square"
OWN = MODULE

THEIRS = """\
import multiprocessing
{function}
if __name__ == "__main__":
    with multiprocessing.get_context("{method}").Pool(2) as pool:
        answer = pool.map(square, [2, 3])
        {report}
"""

OURS = """\
import manyhands as mh
{function}
with mh.Pool(2) as pool:
    answer = pool.map(square, [2, 3])
    {report}
"""

OURS_MAP = """\
import manyhands as mh
{function}
answer = mh.map(square, [2, 3], workers=2)
{report}
"""

REPORT = "import time; print(time.monotonic(), *answer)"

NOTHING = """\
answer = [4, 9]
{report}
"""
"""The interpreter's own start."""


def run(quick: bool) -> list[Row]:
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "squares.py").write_text(MODULE)
        for work, function, method in (
            ("a function imported by name", IMPORTED, "fork"),
            ("a function of the script's own", OWN, "spawn"),
        ):
            medians = _medians(_scripts(folder, function), passes=7 if quick else 25)
            against = f"Pool ({method})"
            rows.append(
                Row(
                    work=f"script start to first result, {work}",
                    ours=medians.pop("mh.Pool"),
                    against=against,
                    base=medians.pop(against),
                    limit=1.0,
                    unit="ms",
                    beside=medians,
                )
            )
    return rows


def _scripts(folder: Path, function: str) -> dict[str, Path]:
    """Writes one script for each system; all of them map the same function over the same two items."""
    texts = {
        "Pool (fork)": _filled(THEIRS, function, "fork"),
        "Pool (spawn)": _filled(THEIRS, function, "spawn"),
        "mh.Pool": _filled(OURS, function),
        "mh.map": _filled(OURS_MAP, function),
        "python alone": _filled(NOTHING, function),
    }
    scripts = {}
    for number, (name, text) in enumerate(texts.items()):
        scripts[name] = folder / f"script{number}.py"
        scripts[name].write_text(text)
    return scripts


def _filled(template: str, function: str, method: str = "") -> str:
    return template.format(function=function, method=method, report=REPORT)


def _medians(scripts: dict[str, Path], passes: int) -> dict[str, float]:
    """Median milliseconds to the first result; the scripts take turns, and the first pass fills the file caches."""
    seconds: dict[str, list[float]] = {name: [] for name in scripts}
    for number in range(passes + 1):
        for name, script in scripts.items():
            elapsed = _first_result(name, script)
            if number > 0:
                seconds[name].append(elapsed)
    return scaled({name: statistics.median(values) for name, values in seconds.items()}, 1e3)


def _first_result(name: str, script: Path) -> float:
    start = time.monotonic()
    done = subprocess.run([sys.executable, script], cwd=script.parent, stdout=subprocess.PIPE, text=True, check=True)
    answered, *answer = done.stdout.split()
    if answer != ["4", "9"]:
        raise WrongAnswer(name)
    return float(answered) - start
