"""No kernel touches what lies beside an array: next to each is memory that ends the process."""

import subprocess
import sys
from pathlib import Path

import pytest

from programs import PATIENCE, environment

pytest.importorskip("llvmlite")


def test_kernels_stay_within_their_arrays():
    script = Path(__file__).with_name("edges_of_memory.py")
    done = subprocess.run(
        [sys.executable, "-W", "error::RuntimeWarning", str(script)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"{done.returncode}: {done.stdout}{done.stderr[-2000:]}"
    assert done.stdout == f"{71 * 2 * 12 + 12} calls\n"
