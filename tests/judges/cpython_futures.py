"""Runs CPython's own tests of `concurrent.futures` against `manyhands.futures`.

    python tests/judges/cpython_futures.py                     the judgement: processes and threads, side by side
    python tests/judges/cpython_futures.py --kind threads      one of them
    python tests/judges/cpython_futures.py --of concurrent     the judge judged: CPython's must pass its own tests

The tests are those of the interpreter that runs this file, unchanged: executor, wait, as_completed, init, shutdown and
deadlock of `test.test_concurrent_futures`. The last line of each kind counts them; the exit status is 1 when one failed,
also when a test ran for longer than `--limit`.

What differs around them: workers are warm before `test_cancel_futures`, and one of its calls has begun before it
cancels the others (CPython never cancels the first few, which wait in a queue behind its workers); what a failing
initializer raises is looked for in the exception, not in a log; `test_processes_terminate` counts the processes as it
does for "fork", where all start at once.
"""

from __future__ import annotations

import os
import subprocess
import sys

import futures_cases
import verdict

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
    parser = verdict.options(__doc__)
    parser.add_argument("--of", choices=("manyhands", "concurrent"), default="manyhands", help="whose executors")
    parser.add_argument("--kind", choices=("processes", "threads"), help="only executors of this kind")
    options = parser.parse_args()
    if options.kind is None:
        return _side_by_side()
    _choose(options.of)
    cases = {name: case for name, case in futures_cases.CASES.items() if case.kind == options.kind}
    title = f"tests of concurrent.futures against {options.of}.futures, {options.kind}"
    return verdict.judge(title, cases, _left_out(options, cases), options)


def _side_by_side() -> int:
    """Both kinds at the same time: most of the tests sleep most of the time."""
    kinds = [
        subprocess.Popen([sys.executable, *sys.argv, "--kind", kind], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for kind in ("processes", "threads")
    ]
    statuses = []
    for kind in kinds:
        said, _ = kind.communicate()
        sys.stdout.write(said.decode(errors="replace"))
        statuses.append(kind.returncode)
    return 1 if any(statuses) else 0


def _left_out(options, cases: dict[str, type]) -> dict[str, str]:
    if options.of != "manyhands":
        return {}
    left_out = {name: reason for name, reason in LEFT_OUT.items() if name.partition(".")[0] in cases}
    for name, reason in LEFT_OUT_OF_NEWER.items():
        case, _, test = name.partition(".")
        if case in cases and hasattr(cases[case], test):
            left_out[name] = reason
    if sys.version_info < (3, 12) and options.kind == "threads":
        left_out["ThreadsThreadPoolShutdownTest.test_cancel_futures_wait_false"] = (
            "expects a call to have begun the moment it is submitted; mended in later Pythons (gh-116682)"
        )
    return left_out


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
