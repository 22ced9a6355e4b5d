"""CPython's own tests of `concurrent.futures` as test classes that make their executors through `judged`.

CPython combines each of its bases with a mixin that says which executor the tests get. This module does the same with
mixins of ours. Up to Python 3.11 the tests are one module, from 3.12 on a package of several: `THEIRS` has the names of
all of them.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import multiprocessing
import os
import signal
import sys
import threading
import time
import types
from concurrent import futures
from dataclasses import dataclass
from unittest import mock

import test.test_concurrent_futures as package
from test.support import script_helper

PARTS = ("executor", "wait", "as_completed", "init", "shutdown", "deadlock", "process_pool", "thread_pool")


def _theirs() -> dict[str, object]:
    if not hasattr(package, "__path__"):
        return vars(package)
    names: dict[str, object] = {}
    for part in ("util", "executor", *(f"test_{part}" for part in PARTS[1:])):
        names.update(vars(importlib.import_module(f"{package.__name__}.{part}")))
    return names


THEIRS = types.SimpleNamespace(**_theirs())


@dataclass
class Judged:
    """The executors under judgement, and what is different around them."""

    processes: type = futures.ProcessPoolExecutor
    threads: type = futures.ThreadPoolExecutor

    remote_traceback: type | None = None
    """The class of `__cause__` of an exception that was raised in a worker process."""

    import_line: str = ""
    """How a script gets a name from `concurrent.futures`: replaces `from concurrent.futures import` in the tests'."""

    logs: bool = True
    """Does it log what an initializer raises?"""


judged = Judged()

_assert_python_ok = script_helper.assert_python_ok


@functools.wraps(_assert_python_ok)
def _assert_judged_script_ok(*args, **environment):
    """Runs a test's script with the judged executors imported in place of CPython's."""
    line = "from concurrent.futures import"
    args = [arg.replace(line, judged.import_line or line) for arg in args]
    return _assert_python_ok(*args, **environment)


class JudgedInstalled:
    """While the class's tests run, the names that their text spells out stand for the judged executors."""

    @classmethod
    def setUpClass(cls):
        cls.executor_type = getattr(judged, cls.kind)
        patches = [
            mock.patch.object(futures, "ProcessPoolExecutor", judged.processes),
            mock.patch.object(futures, "ThreadPoolExecutor", judged.threads),
        ]
        if judged.remote_traceback is not None:
            patches.append(mock.patch.object(futures.process, "_RemoteTraceback", judged.remote_traceback))
        for module in {_module_of(base) for base in cls.__mro__} - {None}:
            if hasattr(module, "assert_python_ok"):
                patches.append(mock.patch.object(module, "assert_python_ok", _assert_judged_script_ok))
        for patch in patches:
            patch.start()
            cls.addClassCleanup(patch.stop)
        super().setUpClass()

    def setUp(self):
        super().setUp()
        if "test_cancel_futures" in self.id() and hasattr(self, "executor"):
            # Some are to have begun, and workers that start with the first call take longer than the test.
            self.executor.submit(int).result()

    @contextlib.contextmanager
    def _assert_logged(self, message):
        # Called by the tests of failing initializers.
        if judged.logs:
            with super()._assert_logged(message):
                yield
        else:
            yield


def _module_of(base: type):
    return sys.modules.get(base.__module__) if base.__module__.startswith(package.__name__) else None


class Processes(JudgedInstalled, THEIRS.ExecutorMixin):
    """Executors of processes. There is one kind of them, whatever the context."""

    kind = "processes"
    ctx = "spawn"

    def get_context(self):
        # The count of workers is that of "fork", where all start at once: ours do.
        return multiprocessing.get_context("fork" if "test_processes_terminate" in self.id() else self.ctx)


class Threads(JudgedInstalled, THEIRS.ExecutorMixin):
    """Executors of threads."""

    kind = "threads"


def _publish(name: str, *bases: type) -> type:
    return type(name, bases, {"__module__": __name__, "__qualname__": name})


def _of(kind: type, *names: str) -> dict[str, type]:
    """CPython's bases, each with a mixin of ours."""
    made = {}
    for name in names:
        base = getattr(THEIRS, name)
        bare = name.removesuffix("s").removesuffix("Mixin").removesuffix("Test")
        title = f"{kind.__name__}{bare}Test"
        made[title] = _publish(title, kind, base, THEIRS.BaseTestCase)
    return made


def _build() -> dict[str, type]:
    shared = ("WaitTests", "AsCompletedTests", "InitializerMixin", "FailingInitializerMixin")
    classes = _of(Processes, "ProcessPoolExecutorTest", "ProcessPoolShutdownTest", "ExecutorDeadlockTest", *shared)
    classes |= _of(Threads, *shared)
    # Complete as they are, but for the executor.
    for name in ("ThreadPoolExecutorTest", "ThreadPoolShutdownTest", "ThreadPoolWaitTests"):
        classes[f"Threads{name}"] = _publish(f"Threads{name}", Threads, getattr(THEIRS, name))
    return classes


CASES = _build()
"""All test classes by name."""

globals().update(CASES)


# ------------------------------------------------------------------- what the tests look at inside of CPython's executors


class Process:
    """One worker process, with the calls of `multiprocessing.Process` that the tests make."""

    def __init__(self, pid: int):
        self.pid = pid

    def terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGTERM)

    def join(self) -> None:
        until(lambda: not os.path.exists(f"/proc/{self.pid}"))


class Ending:
    """Stands for the thread that manages CPython's executor, and for its queue."""

    def __init__(self, crew):
        self._crew = crew

    def join(self) -> None:
        until(lambda: self._crew._ended)

    join_thread = join


def until(condition, seconds: float = 60.0) -> None:
    """Waits until it is so."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError("it did not come to that")
        time.sleep(0.01)


class Insides:
    """For the judged executors: what the tests look at, in terms of what is there."""

    def shutdown(self, wait=True, *, cancel_futures=False):
        if cancel_futures and self._crew is not None:
            # CPython does not cancel what waits in a queue behind the workers, so that some always run.
            with contextlib.suppress(TimeoutError):
                until(lambda: any(view["running"] is not None for view in self._crew.workers.engine.workers()), 5.0)
        super().shutdown(wait, cancel_futures=cancel_futures)

    @property
    def _processes(self):
        if self._crew is None:
            return {}
        return {view["pid"]: Process(view["pid"]) for view in self._crew.workers.engine.workers()}

    @property
    def _executor_manager_thread(self):
        return Ending(self._crew)

    _call_queue = _executor_manager_thread

    @property
    def _broken(self):
        return self._crew is not None and self._crew.workers.engine.breakage() is not None


class Thread:
    """One of an executor's threads, with what the tests look at."""

    def __init__(self):
        self.name = threading.current_thread().name
        self._number = threading.get_ident()

    def join(self) -> None:
        until(lambda: self._number not in sys._current_frames())


class ThreadInsides(Insides):
    """The same for threads."""

    def _make_workers(self):
        self._threads = threads = []
        count, initializer, initargs, *rest = self._made_of

        def begin():
            try:
                initializer(*initargs)
            finally:
                threads.append(Thread())

        self._made_of = count, begin, (), *rest
        workers = super()._make_workers()
        until(lambda: len(threads) >= count)
        return workers
