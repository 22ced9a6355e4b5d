"""Measures one system in an interpreter of its own, for the benches with big data.

There, what one system leaves behind (recycled segments, a memory map, a grown heap) would speed up or slow down the
next, and memory can be told apart only by process. `measure` starts

    python alone.py MODULE SYSTEM CALLS WATCH

which opens the system, warms its workers, makes CALLS calls of the bench's job and prints one line of JSON. A bench
that is measured so is a module with

    prepare(number) -> data          made before the clock starts, new for each call
    job(map_, data) -> value         what is timed
    read(value) -> answer            a pass of the caller over all that came back, timed on its own
    expected(number) -> answer       what the serial program answers
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import memory
from harness import WORKERS, WrongAnswer
from systems import open_system


@dataclass(frozen=True)
class Measurement:
    """What one interpreter saw, call by call; the first call is a cold one."""

    seconds: list[float]
    """The job, until the last result is in the caller's hands."""

    read_seconds: list[float]
    """The caller's reading of the results afterwards."""

    extra_bytes: list[int]
    """Peak memory of all processes over what they held before the call; empty unless watched."""


def measure(module: str, system: str, calls: int, watch: bool = False) -> Measurement:
    """Runs `calls` calls in a fresh interpreter. Watching the memory disturbs the times: ask for one or the other."""
    arguments = [module, system, str(calls), str(int(watch))]
    done = subprocess.run(
        [sys.executable, Path(__file__), *arguments], cwd=Path(__file__).parent, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{system} did not get through {module}: exit status {done.returncode}, its error is above")
    return Measurement(**json.loads(done.stdout.splitlines()[-1]))


def warm(number: int) -> int:
    """Runs on the workers before anything is timed: imports NumPy and lasts long enough to reach all of them."""
    import numpy  # noqa: F401  the import is the purpose

    time.sleep(0.02)
    return number


def _main(module: str, system: str, calls: int, watch: bool) -> None:
    bench = importlib.import_module(module)
    found = Measurement([], [], [])
    with open_system(system, WORKERS) as map_:
        map_(warm, list(range(8 * WORKERS)))
        for number in range(calls):
            data = bench.prepare(number)
            with memory.Watch(enabled=watch) as watched:
                start = time.perf_counter()
                value = bench.job(map_, data)
                arrived = time.perf_counter()
                answer = bench.read(value)
                read = time.perf_counter()
            if answer != bench.expected(number):
                raise WrongAnswer(system)
            del data, value
            found.seconds.append(arrived - start)
            found.read_seconds.append(read - arrived)
            if watch:
                found.extra_bytes.append(watched.extra)
    print(json.dumps(vars(found)))


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "1")
