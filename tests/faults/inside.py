"""What the programs of these tests import: flags between processes, ways to die, and counts of what a process holds.

Programs run in a folder of their own (see `scenario`); flags are files in it, because a file survives every way in which
a process can die.
"""

import ctypes
import os
import signal
import threading
import time
from pathlib import Path

FOLDER = Path(os.environ["SCENARIO_FOLDER"])
#: Longest that a program waits for one thing to happen; the scenario's own end is later.
PATIENCE = 30.0


def until(condition, what="what was waited for", patience=PATIENCE):
    """Wait until `condition()` is true; its value. AssertionError when it does not come."""
    end = time.monotonic() + patience
    while not (value := condition()):
        assert time.monotonic() < end, f"{what} did not come within {patience:g} s"
        time.sleep(0.002)
    return value


class Flag:
    """A thing that has happened or not, for all processes of a scenario."""

    def __init__(self, name):
        self.path = FOLDER / f"flag-{name}"

    def set(self):
        """It has happened. True for the first who says so."""
        try:
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return False
        return True

    def is_set(self):
        """Has it happened?"""
        return self.path.exists()

    def wait(self, patience=PATIENCE):
        """Wait until it has happened."""
        until(self.is_set, f"the flag {self.path.name}", patience)


class Tally:
    """Counts, across processes and their deaths."""

    def __init__(self, name):
        self.path = FOLDER / f"tally-{name}"

    def add(self):
        """One more."""
        file = os.open(self.path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.write(file, b"|")
        os.close(file)

    def __int__(self):
        return self.path.stat().st_size if self.path.exists() else 0


def _rejoin_parents_group():
    os.setpgid(0, os.getpgid(os.getppid()))
    os.kill(os.getpid(), signal.SIGKILL)


#: Ways in which a process ends without a word.
DEATHS = {
    "SIGKILL": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "SIGTERM": lambda: os.kill(os.getpid(), signal.SIGTERM),
    "SIGABRT": os.abort,
    "segfault": lambda: ctypes.string_at(0),
    "exit 0": lambda: os._exit(0),
    "exit 3": lambda: os._exit(3),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "closes its files": lambda: (os.closerange(3, 200), signal.pause()),
    "leaves its group": _rejoin_parents_group,
}


def die(how="SIGKILL"):
    """End this process at once. A segfault leaves no core file behind."""
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    DEATHS[how]()


def workers(pool):
    """The process numbers of a pool's workers."""
    return [worker.pid for worker in pool._pool]


def ready_workers(pool):
    """Those that have started: who kills the others kills the pool, and is told so."""
    return [view["pid"] for view in pool._workers.engine.workers() if view["ready"]]


def kill(pid, number=signal.SIGKILL):
    """Send a signal; whether the process was still there."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def is_alive(pid):
    """Does the process run? One that ended and that nobody has waited for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def memory(pid="self"):
    """Resident bytes of a process; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (FileNotFoundError, ProcessLookupError, IndexError):
        return 0


def descriptors():
    """How many file descriptors this process has open."""
    return len(os.listdir("/proc/self/fd")) - 1


def mappings():
    """How many mappings of shared memory, and how many in all, this process has."""
    lines = Path("/proc/self/maps").read_text().splitlines()
    return sum("memfd:" in line for line in lines), len(lines)


def system_threads():
    """How many threads the kernel sees in this process."""
    return len(os.listdir("/proc/self/task"))


def run_threads(*calls, patience=PATIENCE):
    """Run each call in a thread of its own; their values, or their exceptions, in order. None may stay away."""
    values = [AssertionError("this thread did not end")] * len(calls)

    def run(place, call):
        try:
            values[place] = call()
        except BaseException as error:
            values[place] = error

    threads = [threading.Thread(target=run, args=(place, call), daemon=True) for place, call in enumerate(calls)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, end - time.monotonic()))
    assert not any(thread.is_alive() for thread in threads), f"threads that hang: {values}"
    return values
