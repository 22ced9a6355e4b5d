"""`mh scale -- program {workers} {size}`: any command with several numbers of workers."""

import os
import resource
import subprocess
import sys
import time

from . import _durations, _limits, _scaling_account, _scaling_course, _scaling_ways
from .scaling import Scaling
from .timing import Timing


class CommandError(Exception):
    """What keeps a command from being measured, in words for whoever asked for it."""


def measure(command, workers=None, sizes=None, weak=False, budget="60s"):
    """Scalings of a command by size (None where it has none). `command` is a list of words, in which `{workers}` and
    `{size}` stand for the numbers; one that begins with a Python file is run by this Python.

    With `weak` each number of workers has its own size: as many sizes as numbers.
    """
    try:
        counts, sized = _scaling_course.counts(workers), sizes or [None]
        budget = _durations.seconds("budget", budget)
    except (TypeError, ValueError) as error:
        raise CommandError(str(error)) from None
    _check(command, counts, sizes, weak)
    if weak:
        arms = [_arm(command, None, count, size) for count, size in zip(workers, sizes)]
    else:
        arms = [_arm(command, size, count, size) for size in sized for count in counts]
    watch = _limits.Watch()
    began, computed = time.perf_counter(), _computed()
    try:
        enough = _scaling_course.run(arms, budget, 0, False)
    except ValueError as error:
        raise CommandError(str(error)) from None
    # A program that mostly waits is not slowed by there being more workers than cores.
    waits = _computed() - computed < (time.perf_counter() - began) / 2
    warnings = watch.warnings(counts[-1])
    warnings.append("Whether the program did the same each time was not looked at: what it prints is not compared.")
    found = {}
    for size in [None] if weak else sized:
        mine = {arm.workers: arm for arm in arms if arm.size == size}
        timings = {count: Timing(arm.samples, 1, enough) for count, arm in mine.items()}
        account = memory = None
        if size == sized[-1] or weak:
            left = max(budget / 4, budget - (time.perf_counter() - began))
            account, memory = _shares(mine, counts[-1], weak, left)
        name = " ".join(word.replace("{size}", str(size)) if size is not None else word for word in command)
        found[size] = Scaling(
            name, timings, weak=weak, waits=waits, account=account, memory=memory, warnings=warnings, enough=enough
        )
    return found


class _Program:
    """What `_scaling_account` asks."""

    def runs(self, arm, work, base, grown):
        return _scaling_ways.outside(arm, base, grown)

    def alone(self, work, base):
        return base.call


def _shares(mine, most, weak, budget):
    """(Shares with the most workers as seen from outside, what was found of the memory)."""
    if 1 not in mine or most == 1:
        return None, None
    return _scaling_account.of(_Program(), mine[1], mine[most], None, most if weak else 1, budget)


def _computed():
    """Seconds that ended children and theirs have computed."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _check(command, counts, sizes, weak):
    if not command:
        raise CommandError("there is no command: mh scale -- program.py {workers}")
    text = " ".join(command)
    if "{workers}" not in text:
        raise CommandError(
            f"the command has no {{workers}}, so that nothing would change from run to run: {text}. Write {{workers}} "
            "where the program takes their number"
        )
    if ("{size}" in text) != bool(sizes):
        missing = "--sizes says which" if "{size}" in text else "the command has no {size} to put them in"
        raise CommandError(f"sizes and {{size}} belong together: {missing}")
    if weak and (not sizes or len(sizes) != len(counts)):
        raise CommandError("--weak needs a size for each number of workers: -w 1,2,4 --sizes 100,200,400")


def _arm(command, size, workers, filled):
    words = [word.replace("{workers}", str(workers)).replace("{size}", str(filled)) for word in command]
    if words[0].endswith(".py"):
        words.insert(0, sys.executable)
    return _scaling_course.Arm(size, workers, lambda: _run(words), lambda: (_computed(), 0.0))


def _run(words):
    try:
        done = subprocess.run(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    except OSError as error:
        raise CommandError(f"{words[0]} cannot be run: {error.strerror}") from None
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        how = f"ended with {done.returncode}" if done.returncode > 0 else f"was killed by signal {-done.returncode}"
        said = "".join(f"\n  {line}" for line in last)
        raise CommandError(f"{' '.join(words)} {how}, so its time says nothing{said}")


def report(found, plot=None):
    """The whole as text; the picture of the largest size, where a path is given, is written beside."""
    parts = [repr(scaling) for scaling in found.values()]
    if plot is not None:
        last = list(found.values())[-1]
        folder = os.path.dirname(os.path.abspath(plot))
        os.makedirs(folder, exist_ok=True)
        last.plot(plot)
        parts.append(f"the picture of it: {plot}")
    return f"\n\n{'═' * 60}\n\n".join(parts)
