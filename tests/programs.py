"""Running Python programs from tests, and looking at the processes that they and this one have."""

import importlib.util
import os
import sys
from pathlib import Path

#: Where this Python finds `manyhands`: in the sources, or where a wheel was installed.
PACKAGE_FOLDER = Path(importlib.util.find_spec("manyhands").origin).parents[1]

#: Seconds after which a program counts as hung: far more than any takes, on a machine that has much else to do.
PATIENCE = 120


def environment(**changes):
    """This process's environment, with `manyhands` importable and `changes` made; None removes a variable."""
    path = os.pathsep.join(part for part in (str(PACKAGE_FOLDER), os.environ.get("PYTHONPATH")) if part)
    merged = {**os.environ, "PYTHONPATH": path, **changes}
    return {name: value for name, value in merged.items() if value is not None}


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
