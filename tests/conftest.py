"""What all tests share: programs run as a user runs them, and a check that none leaves a process behind."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from programs import PATIENCE, children, command_of, environment, living_pools, meant_to_stay, workers_of

# A suite that is run in the background, or under nohup, was born deaf to these, and so would be what it starts.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

#: Seconds that a worker's end may take after the call that ended it.
END = 10


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
