"""What limits a measurement on this machine, and what disturbed it: told beside every result."""

import os
import sys
import time

from . import _native

#: A loop of so many turns measures a core's own speed.
_TURNS = 20_000
#: Differences of speed up to this share are usual.
_USUAL = 0.07


class Watch:
    """Looks at the machine when made, and again at `warnings`."""

    def __init__(self):
        self._speed = spin()
        self._times = _cpu_times()
        self._clock = _frequency()

    def warnings(self, most_workers):
        """What a reader of a measurement with up to `most_workers` workers should know, a sentence each."""
        return [*limits(most_workers), *self._disturbances()]

    def _disturbances(self):
        times, speed, clock = _cpu_times(), spin(), _frequency()
        said = []
        if times is not None and self._times is not None:
            passed = sum(times) - sum(self._times)
            stolen = (times[7] - self._times[7]) / passed if passed > 0 and len(times) > 7 else 0.0
            if stolen > 0.01:
                said.append(
                    f"{100 * stolen:.0f}% of the machine's time was taken by others on the same host (steal time)."
                )
        drift = speed / self._speed - 1.0
        if abs(drift) > _USUAL:
            word = "slower" if drift > 0 else "faster"
            said.append(
                f"A core was {100 * abs(drift):.0f}% {word} at the end than at the beginning: other load, or its clock."
            )
        if clock and self._clock and abs(clock / self._clock - 1.0) > _USUAL:
            said.append(f"The cores' clock went from {self._clock:.0f} to {clock:.0f} MHz while this was measured.")
        return said


def limits(most_workers):
    """What of this machine's cores may not be used, or is no core of its own."""
    affinity, quota, batch, physical = _native.cores()
    usable = _native.cpu_count()
    there = os.cpu_count() or usable
    said = []
    if affinity < there:
        said.append(f"This process may use {affinity} of the machine's {there} cores (affinity).")
    if quota is not None and quota < affinity:
        said.append(f"This process may use {quota:g} cores' time (quota of its control group).")
    if batch is not None and batch[1] < affinity:
        said.append(f"The batch system granted {batch[1]} cores ({batch[0]}).")
    if physical < min(most_workers, usable):
        said.append(f"{usable} cores are {physical} physical ones: two threads of one core (SMT) share what it has.")
    if most_workers > usable:
        said.append(
            f"{most_workers} workers are more than the {usable} core{'s' if usable > 1 else ''} that may be used."
        )
    load = _load()
    if load is not None and load > 0.5:
        said.append(f"Other programs kept {load:.1f} cores busy in the minute before.")
    if "numpy" in sys.modules and most_workers > 1 and os.environ.get("OMP_NUM_THREADS") != "1":
        said.append(
            "NumPy is loaded: its BLAS may use all cores in the plain loop, and its share of them in each worker. "
            "OMP_NUM_THREADS=1 makes them comparable."
        )
    return said


def spin():
    """Seconds of a fixed piece of work in this thread; the best of a few."""
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(_TURNS):
            pass
        best = min(best, time.perf_counter() - began)
    return best


def _cpu_times():
    """Ticks of all cores by what they did; the eighth is what the host took."""
    try:
        with open("/proc/stat") as stat:
            return [int(field) for field in stat.readline().split()[1:9]]
    except (OSError, ValueError):
        return None


def _load():
    try:
        return os.getloadavg()[0]
    except OSError:
        return None


def _frequency():
    """The mean clock of all cores in MHz, where the kernel tells it."""
    try:
        with open("/proc/cpuinfo") as info:
            found = [float(line.split(":")[1]) for line in info if line.startswith("cpu MHz")]
    except (OSError, ValueError, IndexError):
        return None
    return sum(found) / len(found) if found else None
