"""Users' type checkers get the types that the documents promise: mypy over `accepted.py` and `refused.py`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mypy")
HERE = Path(__file__).parent


def complaints(name):
    """What mypy says of a file here: (line, code) of each error."""
    command = [
        sys.executable,
        "-m",
        "mypy",
        "--config-file=",
        "--strict",
        "--follow-imports=silent",
        "--python-version=3.10",
        str(HERE / name),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=HERE.parents[1] / "python")
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return re.findall(rf"{re.escape(name)}:(\d+): error: .*\[([a-z-]+)\]", done.stdout), done.stdout


def test_what_is_accepted():
    found, said = complaints("accepted.py")
    assert not found, said


def test_what_is_refused():
    found, said = complaints("refused.py")
    lines = (HERE / "refused.py").read_text().splitlines()
    expected = [(str(n), m[1]) for n, line in enumerate(lines, 1) if (m := re.search(r"# refused: ([a-z-]+)$", line))]
    assert sorted(set(found), key=lambda place: int(place[0])) == expected, said
