"""Runs a program as a user would, in a session of its own and with a hard end, and looks at what it leaves behind.

A program that hangs is a failure with the stacks of its threads, never a suite that stands still: when its time is up it
is asked for them by a signal, and then everything of it is killed from outside. What belongs to a program is known by
its session and by a mark in its environment, so that a process which left its group or its session is found.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
#: Where the package is that these tests import: programs run in other folders get the same one.
PACKAGE = Path(importlib.util.find_spec("manyhands").origin).parents[1]

#: Seconds that a program may take where the test does not say; the machine may be busy.
LIMIT = 60.0
#: Seconds in which everything of an ended program must be gone. The promise is 1 s; the rest is for a busy machine, and
#: what was measured is printed.
GONE = 5.0

# Not faulthandler's own timer: a forked child waits at its end for the timer's thread, which it does not have.
_PRELUDE = """\
import faulthandler as _faults, signal as _signal
_faults.register(_signal.SIGUSR2)
import os, random, signal, sys, threading, time
import inside
from inside import Flag, Tally
import manyhands as mh
"""


@dataclass
class Ended:
    """How a program ended, and what it said."""

    code: int  # as subprocess has it: minus the signal's number for one that was killed
    out: str
    err: str
    seconds: float
    gone_after: float = 0.0
    left: list = field(default_factory=list)  # descriptions of processes that stayed


class Scenario:
    """A program under way. Use it with `with`: at the end nothing of it lives on, whatever happened."""

    def __init__(self, program, *, limit=LIMIT, how="file", arguments=(), environment=None, prelude=_PRELUDE):
        self._home = tempfile.TemporaryDirectory(prefix="scenario-")
        self.folder = Path(self._home.name)
        self.temporary = self.folder / "tmp"
        self.temporary.mkdir()
        self.limit = limit
        self._mark = f"SCENARIO_MARK={uuid.uuid4().hex}"
        self._shared_before = _shared_memory_files()
        text = prelude + textwrap.dedent(program)
        command, given = self._command(text, how)
        with open(self.folder / "out", "wb") as out, open(self.folder / "err", "wb") as err:
            self._started = time.monotonic()
            self.process = subprocess.Popen(
                [*command, *arguments],
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=self.folder,
                env=self._environment(environment or {}),
                start_new_session=True,
            )
        if given:
            self.process.stdin.write(given)
            self.process.stdin.close()

    def _command(self, text, how):
        """(the command, what it reads) for a program that is a file, on the command line, or on standard input."""
        if how == "file":
            path = self.folder / "program.py"
            path.write_text(text)
            return [sys.executable, str(path)], b""
        if how == "-c":
            return [sys.executable, "-c", text], b""
        return [sys.executable, "-"], text.encode()

    def _environment(self, changes):
        name, mark = self._mark.split("=")
        paths = [str(PACKAGE), str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONUNBUFFERED": "1",
            "TMPDIR": str(self.temporary),
            "SCENARIO_FOLDER": str(self.folder),
            name: mark,
            **changes,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._kill_all()
        self.process.wait()
        self._home.cleanup()

    # ------------------------------------------------------------------------------------------ while it runs

    @property
    def out(self):
        """What it has printed so far."""
        return (self.folder / "out").read_text(errors="replace")

    @property
    def err(self):
        """The same for standard error."""
        return (self.folder / "err").read_text(errors="replace")

    def wait_for(self, line):
        """Wait until the program has printed `line`."""
        end = time.monotonic() + self.limit
        while line not in self.out.splitlines():
            if self.process.poll() is not None and line not in self.out.splitlines():
                raise AssertionError(f"ended with {self.process.returncode} before {line!r}\n{self._said()}")
            if time.monotonic() > end:
                self._hung(f"a line {line!r}")
            time.sleep(0.005)

    def signal(self, number):
        """Send a signal to the program alone; the monotonic time at which it was sent."""
        sent = time.monotonic()
        self.process.send_signal(number)
        return sent

    def living(self):
        """{process number: description} of everything of this program that runs."""
        found = {}
        for entry in os.scandir("/proc"):
            if not entry.name.isdigit():
                continue
            try:
                words = Path(entry.path, "stat").read_text().rsplit(")", 1)[1].split()
                session = int(words[3])
                ours = session == self.process.pid or self._mark.encode() in _read(entry.path, "environ").split(b"\0")
                if ours and words[0] not in "ZX":
                    command = _read(entry.path, "cmdline").replace(b"\0", b" ").decode(errors="replace")
                    found[int(entry.name)] = f"{entry.name} ({words[0]}) {command[:150]}"
            except (OSError, ValueError, IndexError):
                continue  # it ended while it was looked at
        return found

    # ---------------------------------------------------------------------------------------------- its end

    def finish(self, *, code=0, spare=()):
        """Wait for the end and check it: the exit code, no process but those in `spare`, no file left."""
        try:
            self.process.wait(max(1.0, self.limit - (time.monotonic() - self._started)))
        except subprocess.TimeoutExpired:
            self._hung("the end of the program")
        end = time.monotonic()
        ended = Ended(self.process.returncode, self.out, self.err, end - self._started)
        while left := {pid: shown for pid, shown in self.living().items() if pid not in spare}:
            if time.monotonic() - end > GONE:
                ended.left = list(left.values())
                break
            time.sleep(0.01)
        ended.gone_after = time.monotonic() - end
        ended.out, ended.err = self.out, self.err
        assert ended.left == [], f"processes that stayed for {GONE:g} s:\n" + "\n".join(ended.left) + self._said()
        if code is not None:
            assert ended.code == code, f"exit code {ended.code}, not {code}\n{self._said()}"
        self._check_files()
        return ended

    def _check_files(self):
        left = sorted(str(path.relative_to(self.temporary)) for path in self.temporary.rglob("*"))
        assert left == [], f"left in the temporary folder: {left}"
        end = time.monotonic() + GONE
        # Other programs of this machine have files there too: theirs come and go, a forgotten one stays.
        while left := _nobodys(_shared_memory_files() - self._shared_before):
            assert time.monotonic() < end, f"left in /dev/shm: {sorted(left)}"
            time.sleep(0.05)

    def _hung(self, what):
        living = self.living()
        states = "\n".join(_describe(pid, shown) for pid, shown in living.items())
        for pid, shown in living.items():
            if "_worker import main" not in shown:
                _ask_for_stacks(pid)
        said = self._said()
        self._kill_all()
        raise AssertionError(f"waited in vain for {what}\n--- processes\n{states}\n{said}")

    def _said(self):
        return f"\n--- standard output\n{self.out[-4000:]}\n--- standard error\n{self.err[-12000:]}"

    def _kill_all(self):
        end = time.monotonic() + 10
        while (living := self.living()) and time.monotonic() < end:
            for pid in living:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)


def run(program, *, code=0, **options):
    """Run a program to its end; it must leave nothing. Gives how it `Ended`."""
    with Scenario(program, **options) as scenario:
        return scenario.finish(code=code)


def _nobodys(names):
    """Those of these files in /dev/shm that no living process has mapped: another program's tests may be running, too."""
    held = set()
    for maps in Path("/proc").glob("[0-9]*/maps") if names else ():
        try:
            text = maps.read_text()
        except OSError:
            continue  # it has ended
        held.update(name for name in names if f"/dev/shm/{name}" in text)
    return names - held


def _shared_memory_files():
    """The names in /dev/shm, but for those of peers that a benchmark may be running beside us."""
    names = os.listdir("/dev/shm") if os.path.isdir("/dev/shm") else []
    return {name for name in names if not name.startswith(("sem.loky-", "joblib_"))}


def _ask_for_stacks(pid):
    """Make a program print where its threads are, on standard error."""
    try:
        os.kill(pid, signal.SIGUSR2)
        time.sleep(0.5)  # nobody tells when they have been printed
    except ProcessLookupError:
        pass


def _read(folder, name):
    return Path(folder, name).read_bytes()


def _describe(pid, shown):
    """A process and where its threads stand in the kernel."""
    lines = [shown]
    try:
        for thread in os.scandir(f"/proc/{pid}/task"):
            name, place = (_read(thread.path, file).decode().strip() for file in ("comm", "wchan"))
            lines.append(f"    thread {thread.name} {name}: {place}")
    except OSError:
        lines.append("    (ended meanwhile)")
    return "\n".join(lines)
