"""Runs CPython's own tests of `concurrent.futures` against `manyhands.futures`.

    python tests/judges/cpython_futures.py                     the judgement
    python tests/judges/cpython_futures.py --of concurrent     the judge judged: CPython's must pass its own tests

The tests are those of the interpreter that runs this file, unchanged: executor, wait, as_completed, init, shutdown and
deadlock of `test.test_concurrent_futures`. The last line counts them; the exit status is 1 when one failed, also when a
test ran for longer than `--limit`.
"""

from __future__ import annotations

import argparse
import os
import sys
import unittest

import futures_cases
from cpython_pool import Verdict, leave_out, summarise

AT_ONCE = "all workers start at once, with the first call: none is added because the others are busy"
NOT_BROKEN = "expects one call that cannot be loaded to break the executor: here that call alone fails, with its error"
LEFT_OUT = {
    "ProcessesProcessPoolExecutorTest.test_killed_child": "expects one dead worker to break the executor",
    "ProcessesProcessPoolExecutorTest.test_idle_process_reuse_one": AT_ONCE,
    "ProcessesProcessPoolExecutorTest.test_idle_process_reuse_multiple": AT_ONCE,
    "ThreadsThreadPoolExecutorTest.test_idle_thread_reuse": AT_ONCE,
    "ThreadsThreadPoolShutdownTest.test_threads_terminate": AT_ONCE,
    "ProcessesExecutorDeadlockTest.test_exit_at_task_unpickle": NOT_BROKEN,
    "ProcessesExecutorDeadlockTest.test_error_at_task_unpickle": NOT_BROKEN,
    "ProcessesExecutorDeadlockTest.test_error_during_result_unpickle_in_result_handler": NOT_BROKEN,
    "ProcessesExecutorDeadlockTest.test_exit_during_result_unpickle_in_result_handler": NOT_BROKEN,
}
LEFT_OUT_OF_NEWER = {
    "ProcessesProcessPoolExecutorTest.test_max_tasks_per_child_defaults_to_spawn_context": "there is one kind of worker",
    "ProcessesProcessPoolExecutorTest.test_python_finalization_error": "replaces a function of threading that CPython's "
    "executor calls",
    "ProcessesExecutorDeadlockTest.test_gh105829_should_not_deadlock_if_wakeup_pipe_full": "replaces the pipe and the "
    "thread of CPython's executor",
}
"""Class or Class.test: why it is not run. Those of newer Pythons are not in all that are judged."""


def main() -> int:
    options = _options()
    _choose(options.of)
    if options.of == "manyhands":
        for name, reason in LEFT_OUT_OF_NEWER.items():
            case, _, test = name.partition(".")
            if hasattr(futures_cases.CASES[case], test):
                LEFT_OUT[name] = reason
        for name, reason in LEFT_OUT.items():
            leave_out(futures_cases.CASES, name, reason)
    loader = unittest.TestLoader()
    if options.only:
        loader.testNamePatterns = [f"*{options.only}*"]
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in futures_cases.CASES.values())
    runner = unittest.TextTestRunner(
        stream=sys.stdout,
        verbosity=2 if options.verbose else 1,
        resultclass=lambda *args, **kwargs: Verdict(*args, limit=options.limit, **kwargs),
    )
    return summarise(f"tests of concurrent.futures against {options.of}.futures", runner.run(suite), LEFT_OUT)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=("manyhands", "concurrent"), default="manyhands", help="whose executors")
    parser.add_argument("--only", metavar="TEXT", help="only tests with TEXT in their name")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="for one test (default 120)")
    parser.add_argument("-v", "--verbose", action="store_true", help="one line for each test")
    return parser.parse_args()


def _choose(name: str) -> None:
    """Installs the executors of the package `name` as the judged ones."""
    if name == "concurrent":
        return

    import manyhands
    import manyhands.errors
    import manyhands.futures

    judged = futures_cases.judged
    for kind, base, insides in (
        ("processes", manyhands.futures.ProcessPoolExecutor, futures_cases.Insides),
        ("threads", manyhands.futures.ThreadPoolExecutor, futures_cases.ThreadInsides),
    ):
        setattr(judged, kind, type(base.__name__, (insides, base), {}))
    judged.remote_traceback = manyhands.errors.RemoteTraceback
    judged.logs = False
    # The tests' scripts run isolated from the environment, so they are told where the package lies.
    folder = os.path.dirname(os.path.dirname(os.path.abspath(manyhands.__file__)))
    judged.import_line = f"import sys; sys.path.append({folder!r}); from manyhands.futures import"


if __name__ == "__main__":
    sys.exit(main())
