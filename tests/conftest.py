"""What all tests share: programs run as a user runs them, and a check that none leaves a process behind."""

import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

PACKAGE_FOLDER = Path(__file__).resolve().parents[1] / "python"

#: Seconds after which a program counts as hung: far more than any takes, on a machine that has much else to do.
PATIENCE = 120

#: Seconds that a worker's end may take after the call that ended it.
END = 10


def environment(**changes):
    """This process's environment, with `manyhands` importable and `changes` made; None removes a variable."""
    path = os.pathsep.join(part for part in (str(PACKAGE_FOLDER), os.environ.get("PYTHONPATH")) if part)
    merged = {**os.environ, "PYTHONPATH": path, **changes}
    return {name: value for name, value in merged.items() if value is not None}


@pytest.fixture
def python(tmp_path):
    """`python(source, how="file")` runs a program in an empty folder and gives what it printed.

    `how` is "file", "-c" or "stdin". A program that ends with another status than 0, or writes to standard error
    without `stderr=True` being said, fails the test. One that hangs is killed, with a dump of its stacks.
    """

    def run(source, how="file", *arguments, env=None, stderr=False, options=()):
        source = textwrap.dedent(source)
        command, entered = [sys.executable, *options], None
        if how == "file":
            script = tmp_path / "program.py"
            script.write_text(source, encoding="utf-8")
            command.append(str(script))
        elif how == "-c":
            command += ["-c", source]
        else:
            command.append("-")
            entered = source
        done = subprocess.run(
            [*command, *arguments],
            cwd=tmp_path,
            env=environment(**(env or {})),
            input=entered,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout}\n{done.stderr}"
        if stderr:
            return done.stdout, done.stderr
        assert not done.stderr, done.stderr
        return done.stdout

    return run


@pytest.fixture(autouse=True)
def nothing_left():
    """Fails a test after which a child process is there that belongs to nothing that was there before."""
    before, pools = children(), living_pools()
    yield
    deadline = time.monotonic() + END
    while left := children() - before - workers_of(pools) - meant_to_stay():
        if time.monotonic() > deadline:
            pytest.fail(f"left behind: {[command_of(pid) for pid in left]}")
        time.sleep(0.02)


def children():
    """The process ids of this process's children, whichever thread started them."""
    found = set()
    for task in Path("/proc/self/task").iterdir():
        try:
            found.update(map(int, (task / "children").read_text().split()))
        except OSError:
            pass  # a thread that has ended meanwhile
    return found


def living_pools():
    """The engines of all pools that are there."""
    exits = sys.modules.get("manyhands._exits")
    found = [living() for living, _ in list(exits._living.values())] if exits else ()
    return [workers.engine for workers in found if workers is not None]


def workers_of(engines):
    """The process ids of their workers."""
    return {worker["pid"] for engine in engines for worker in engine.workers()}


def meant_to_stay():
    """The workers that `mh.map` keeps, and multiprocessing's own keeper of semaphores."""
    implicit = sys.modules.get("manyhands._implicit")
    held = implicit and implicit._current
    kept = workers_of([held.workers.engine]) if held else set()
    tracker = sys.modules.get("multiprocessing.resource_tracker")
    return kept | {tracker._resource_tracker._pid} if tracker else kept


def command_of(pid):
    """What a process is, for a message."""
    try:
        return f"{pid}: {Path(f'/proc/{pid}/cmdline').read_bytes().replace(bytes(1), b' ').decode()}"
    except OSError:
        return str(pid)
