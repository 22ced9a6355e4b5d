"""How much memory a call takes, in this process and all of its descendants together.

Counted as PSS, the proportional set size of Linux: a page that n processes map counts 1/n in each, so that the sum over
processes counts every page once, however it is shared. RSS would count a shared array once for every worker.
"""

from __future__ import annotations

import os
import threading

INTERVAL = 0.01
"""Seconds between two readings; a reading walks the page tables and so takes a few milliseconds itself."""


class Watch:
    """`with Watch() as watched: call()`, then `watched.extra`: the peak over what was held on entering, in bytes.

    Not to be used around anything that is timed: each reading holds up the processes that it reads.
    """

    def __init__(self, enabled: bool = True):
        self.extra = 0
        self._enabled = enabled
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory watch")

    def __enter__(self) -> Watch:
        if self._enabled:
            self._before = total_pss(os.getpid())
            self._thread.start()
        return self

    def __exit__(self, *exception) -> None:
        if self._enabled:
            self._end.set()
            self._thread.join()

    def _watch(self) -> None:
        # The processes are read one after the other: a page that a second one maps in between counts once in full and
        # once by half. So a peak is what two readings in a row agree on.
        last = 0
        while True:
            ended = self._end.wait(INTERVAL)
            # The last readings are made after the call, so that even a short call is read.
            reading = total_pss(os.getpid()) - self._before
            self.extra = max(self.extra, min(last, reading))
            last = reading
            if ended:
                self.extra = max(self.extra, min(last, total_pss(os.getpid()) - self._before))
                return


def total_pss(pid: int) -> int:
    """PSS in bytes of a process and all of its descendants; those that end meanwhile count 0."""
    return sum(_pss(each) for each in _family(pid))


def _pss(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            for line in file:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError):
        pass
    return 0


def _family(pid: int) -> list[int]:
    """The process and all of its descendants.

    Found by everybody's parent, because /proc/PID/task/TID/children is not there on every kernel.
    """
    children: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            children.setdefault(_parent(int(name)), []).append(int(name))
    family = [pid]
    for member in family:  # grows while it is walked: children of children
        family += children.get(member, [])
    return family


def _parent(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/stat") as file:
            after_name = file.read().rpartition(")")[2]  # the name may hold spaces and brackets
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(after_name.split()[1])
