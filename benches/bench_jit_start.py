"""The first call of a small parallel loop in a fresh process, imports included: compiled there, and compiled before.

Whole scripts are run. NumPy is imported before their clock starts: it is there in any program that has arrays, and is
the same for both.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import Row, WrongAnswer

SCRIPT = """\
import numpy as np
import time
start = time.perf_counter()
import {module} as nb


@nb.njit(parallel=True{options})
def scaled(a, x):
    tot = 0.0
    for i in nb.prange(len(a)):
        a[i] = a[i] * x
        tot += a[i]
    return tot


value = scaled(np.ones(1000), 3.0)
print(time.perf_counter() - start, value)
"""


def run(quick: bool) -> list[Row]:
    passes = 5 if quick else 15
    seconds: dict[str, list[float]] = {"ours": [], "ours, kept": [], "numba": [], "numba, kept": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for _ in range(passes):
            for system, module, options in (("ours", "manyhands", ""), ("numba", "numba", ", cache=True")):
                with tempfile.TemporaryDirectory(dir=folder) as place:
                    seconds[system].append(_seconds(Path(place), module, options))
                    seconds[f"{system}, kept"].append(_seconds(Path(place), module, options))
    medians = {name: statistics.median(values) * 1e3 for name, values in seconds.items()}
    return [
        Row("first call in a fresh process", medians["ours"], "numba", medians["numba"], 0.15 / 1.1, "ms"),
        Row(
            "first call, compiled before",
            medians["ours, kept"],
            "numba, cache=True",
            medians["numba, kept"],
            0.02 / 0.6,
            "ms",
        ),
    ]


def _seconds(folder: Path, module: str, options: str) -> float:
    """Runs the script in `folder`, where both keep what they compile."""
    script = folder / "script.py"
    script.write_text(SCRIPT.format(module=module, options=options))
    kept = {"XDG_CACHE_HOME": str(folder), "NUMBA_CACHE_DIR": str(folder)}
    done = subprocess.run(
        [sys.executable, script], env={**os.environ, **kept}, cwd=folder, stdout=subprocess.PIPE, text=True, check=True
    )
    seconds, value = done.stdout.split()
    if float(value) != 3000:
        raise WrongAnswer(module)
    return float(seconds)
