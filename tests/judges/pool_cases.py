"""CPython's own pool tests as test classes that make their pools through `judged`.

CPython keeps these tests in `test._test_multiprocessing` as bases without a pool: its own test files combine each base
with a mixin that says what `Pool` means (processes, threads, a manager). This module does the same with a mixin of
ours. The classes stand in an importable module, not in the script that runs them, because some tests send methods of
their own class to a worker, which has to find the class by name. A worker that imports this module gets the classes
and nothing else: which pool is judged is decided by `cpython_pool.py`, in the parent only.
"""

from __future__ import annotations

import functools
import multiprocessing
import multiprocessing.pool
import threading
import unittest
from dataclasses import dataclass
from unittest import mock

from test import _test_multiprocessing as theirs
from test.support import script_helper


@dataclass
class Judged:
    """The pool under judgement, and the names around it that the tests compare with."""

    pool: type | None = None
    """Called as `multiprocessing.Pool` is: (processes, initializer, initargs, maxtasksperchild)."""

    thread_pool: type | None = None
    """Called as `multiprocessing.dummy.Pool` is: (processes, initializer, initargs)."""

    remote_traceback: type | None = None
    """The class of `__cause__` of an exception that was raised in a worker."""

    unsendable_result: object = None
    """A task whose result the judged pool cannot send back. CPython's own returns a lambda."""

    import_line: str = ""
    """How a script gets a name `Pool` that is this pool: replaces the import in the scripts that tests start."""


judged = Judged()


def lock_as_result():
    """A task whose result nobody can pickle: manyhands sends lambdas back, so CPython's would be no test of it."""
    return threading.Lock()


def make_pool(*args, **kwargs):
    """`multiprocessing.Pool`, but of the judged kind."""
    return judged.pool(*args, **kwargs)


def make_thread_pool(*args, **kwargs):
    """`multiprocessing.dummy.Pool`, but of the judged kind."""
    return judged.thread_pool(*args, **kwargs)


_assert_python_ok = script_helper.assert_python_ok


@functools.wraps(_assert_python_ok)
def _assert_judged_script_ok(*args, **environment):
    """Runs a test's script with the judged pool imported in place of CPython's."""
    theirs_line = "from multiprocessing import Pool"
    args = [arg.replace(theirs_line, judged.import_line) for arg in args]
    return _assert_python_ok(*args, **environment)


class JudgedPoolInstalled:
    """While the class's tests run, the names that their text spells out stand for the judged pool.

    `multiprocessing.Pool` and `multiprocessing.pool.RemoteTraceback` are named in the bodies of the tests and so cannot
    be replaced by a mixin's attribute. `MaybeEncodingError` is not replaced: the judged pool's must be a subclass.
    """

    @classmethod
    def setUpClass(cls):
        for module, name, stand_in in (
            (multiprocessing, "Pool", make_pool),
            (multiprocessing.pool, "RemoteTraceback", judged.remote_traceback),
            (script_helper, "assert_python_ok", _assert_judged_script_ok),
            (theirs, "unpickleable_result", judged.unsendable_result or theirs.unpickleable_result),
        ):
            patch = mock.patch.object(module, name, stand_in)
            patch.start()
            cls.addClassCleanup(patch.stop)
        super().setUpClass()


class JudgedProcessesMixin(JudgedPoolInstalled, theirs.ProcessesMixin):
    """CPython's mixin for pools of processes, with the judged pool as its `Pool`."""

    Pool = staticmethod(make_pool)


class JudgedThreadsMixin(theirs.ThreadsMixin):
    """CPython's mixin for pools of threads, with the judged pool as its `Pool`."""

    Pool = staticmethod(make_thread_pool)


MIXINS = {
    "processes": JudgedProcessesMixin,
    "threads": JudgedThreadsMixin,
    "manager": theirs.ManagerMixin,
}

BASES = (theirs._TestPool, theirs._TestPoolWorkerErrors, theirs._TestPoolWorkerLifetime)
"""Bases that CPython combines with one mixin for each of their `ALLOWED_TYPES`."""

PLAIN = (theirs.TestInitializers, theirs.TestPoolNotLeakOnFailure)
"""Test classes that are complete as they are."""


def _publish(name: str, *bases: type) -> type:
    """Makes a test class that pickle finds in this module under `name`."""
    return type(name, bases, {"__module__": __name__, "__qualname__": name})


def _build() -> dict[str, type]:
    classes = {}
    for base in BASES:
        for kind in base.ALLOWED_TYPES:
            name = f"With{kind.capitalize()}{base.__name__.lstrip('_')}"  # the name that CPython's reports use
            classes[name] = _publish(name, base, MIXINS[kind], unittest.TestCase)
    for base in PLAIN:
        classes[base.__name__] = _publish(base.__name__, JudgedPoolInstalled, base)
    return classes


CASES = _build()
"""All test classes by name."""

globals().update(CASES)
