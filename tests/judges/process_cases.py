"""CPython's own tests of processes and what they share, as test classes that use `manyhands`.

As in `pool_cases.py`, with one difference: the tests' child processes import this module too, to find their class, and
make processes and locks themselves. So who is judged is said in the environment, which they inherit.
"""

from __future__ import annotations

import importlib
import multiprocessing
import multiprocessing.connection
import os
import unittest
from unittest import mock

from test import _test_multiprocessing as theirs

VARIABLE = "MANYHANDS_JUDGED"
"""Environment variable: the package under judgement."""

judged = importlib.import_module(os.environ.get(VARIABLE, "manyhands"))

NAMES = (
    "Process current_process parent_process active_children Pool Pipe Queue JoinableQueue SimpleQueue Lock RLock Semaphore "
    "BoundedSemaphore Condition Event Barrier Value Array RawValue RawArray Manager get_context"
).split()
"""What is judged: of that package, wherever CPython's tests name multiprocessing's."""


class Judged:
    """While the class's tests run, multiprocessing's names stand for the judged package's."""

    @classmethod
    def setUpClass(cls):
        for name in NAMES:
            patch = mock.patch.object(multiprocessing, name, getattr(judged, name))
            patch.start()
            cls.addClassCleanup(patch.stop)
        super().setUpClass()


def _mixin(base):
    names = {name: staticmethod(getattr(judged, name)) for name in NAMES if name in vars(theirs.ProcessesMixin)}
    return type(f"Judged{base.__name__}", (Judged, base), {**names, "Process": judged.Process})


PROCESSES = _mixin(theirs.ProcessesMixin)
MANAGER = type("JudgedManagerMixin", (Judged, theirs.ManagerMixin), {"Process": judged.Process})

BASES = {
    PROCESSES: (
        "Process SubclassingProcess Queue Lock Semaphore Condition Event Barrier Value Array Connection Poll "
        "PicklingConnections SharedCTypes SharedMemory Logging AtExit"
    ),
    MANAGER: "Queue Lock Semaphore Condition Event Barrier Containers",
}
"""Bases that CPython combines with a mixin, less `_Test`."""

PLAIN = (
    "TestWait TestSimpleQueue TestSyncManagerTypes TestCloseFds TestIgnoreEINTR TestStdinBadfiledescriptor TestFlags"
)
"""Test classes that are complete as they are."""


def _publish(name, *bases):
    """Makes a test class that pickle finds in this module under `name`."""
    return type(name, bases, {"__module__": __name__, "__qualname__": name})


def _build():
    classes = {}
    for mixin, bases in BASES.items():
        for base in bases.split():
            found = getattr(theirs, f"_Test{base}", None)
            if found is not None:  # some came with later Pythons
                name = f"With{mixin.TYPE.capitalize()}Test{base}"
                classes[name] = _publish(name, found, mixin, unittest.TestCase)
    for name in PLAIN.split():
        classes[name] = _publish(name, Judged, getattr(theirs, name))
    return classes


class _UpperCaser(judged.Process):
    """CPython's subclass of multiprocessing.Process, of the judged one instead."""

    __init__ = theirs._UpperCaser.__init__
    run = theirs._UpperCaser.run
    submit = theirs._UpperCaser.submit
    stop = theirs._UpperCaser.stop


theirs._UpperCaser = _UpperCaser

CASES = _build()
"""All test classes by name."""

globals().update(CASES)
