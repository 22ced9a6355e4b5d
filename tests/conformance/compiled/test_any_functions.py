"""The compiler says something sensible of whatever it is given, and the process lives on."""

import subprocess
import sys
from pathlib import Path

import pytest

from programs import PATIENCE, environment

pytestmark = pytest.mark.slow

#: Of the standard library: numbers, texts, classes, generators, exceptions, recursion.
MODULES = "bisect calendar colorsys copy fractions heapq ipaddress keyword numbers random statistics"


def test_the_standard_library_is_compiled_or_refused():
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("any_functions.py")), *MODULES.split()],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
    refused, compiled = map(int, done.stdout.split())
    assert refused > 200
    assert compiled > 3
