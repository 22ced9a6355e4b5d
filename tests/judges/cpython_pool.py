"""Runs CPython's own tests of `multiprocessing.Pool` against `manyhands.Pool`, and those of threads against `ThreadPool`.

    python tests/judges/cpython_pool.py                        the judgement
    python tests/judges/cpython_pool.py --pool multiprocessing  the judge judged: CPython's pool must pass its own tests

The tests are those of the interpreter that runs this file, unchanged: `_TestPool`, `_TestPoolWorkerErrors`,
`_TestPoolWorkerLifetime` and `TestInitializers` of `test._test_multiprocessing`. The last line counts them; the exit
status is 1 when one failed, also when a test ran for longer than `--limit` (the stacks of all threads are shown then).

What the tests ask of a pool beyond its documented calls (the same in Python 3.10 to 3.13 where no version is named):

test_map_async_callbacks, test_async_error_callback
    `wait()` and `get()` return only after the callback has returned.
test_map_no_failfast
    `map` raises only when every item that it was given has ended, a failing first item notwithstanding, and carries
    an exception of 1 MB.
test_map_unplicklable
    What an argument's `__reduce__` raises comes out of `map` as itself.
test_map_handle_iterable_exception, test_traceback
    What the iterable raises comes out of `map` as itself with no `__cause__`, an iterable with a `__len__` included.
test_imap_handle_iterable_exception
    `imap` raises it from `next`, not from the call; with a chunksize of n, items of the chunk in which the iterable
    raised are not delivered: after 7 good items and chunksize 4 there are 4 results.
test_imap_unordered_handle_iterable_exception
    The same, in place of some result and before the end.
test_async_timeout, test_terminate
    `get(timeout)` raises `multiprocessing.TimeoutError`. `terminate` and `join` do not wait for items that sleep for
    minutes, nor for workers that are still starting. In 3.10 the pool is terminated and joined twice.
test_context, test_enter
    `with` terminates; `join` works after it; a call or a second `with` after it is a `ValueError`.
test_traceback
    The exception has its exact class and its `args`; its `__cause__` is exactly of `RemoteTraceback`, whose `tb` holds
    the source line with its comment, and which `sys.excepthook` prints.
test_release_task_refs
    0.1 s after `map` neither the arguments nor the results are referenced by anything.
test_make_pool, test_pool_maxtasksperchild_invalid, test_pool_initializer
    0 or -1 processes, and 0, -1, 0.5 or "12" tasks per child, are a `ValueError`; an initializer that cannot be called
    is a `TypeError`; each at the making.
test_make_pool, test_pool_worker_lifetime
    `_pool` is a list with one object per worker from the start, with a `pid` that is never None and `is_alive()`; one
    `apply_async` counts as one task for `maxtasksperchild`.
test_pool_worker_lifetime_early_close
    `close` and `join` run what was asked for, with replaced workers where tasks per child run out.
test_resource_warning
    A pool whose `_state` is `multiprocessing.pool.RUN` ("RUN") and which is collected gives a ResourceWarning that
    begins with "unclosed running multiprocessing pool"; the pool sits in no reference cycle that `gc` cannot free.
test_unpickleable_result
    The error is a `multiprocessing.pool.MaybeEncodingError` with `exc` and `value`; 20 in a row cost no worker.
test_worker_finalization_via_atexit_handler_of_multiprocessing
    A pool that is alive in a global at the interpreter's exit does not hang it and leaves its exit status 0.
test_pool_initializer
    The initializer has run when `close` and `join` are through although no task was given; a Manager's proxy works in
    `initargs`, which needs the parent's `authkey` in the worker.
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.dummy
import multiprocessing.pool
import os
import sys

import pool_cases
import verdict

LEFT_OUT = {
    "WithManagerTestPool": "a manager's Pool is multiprocessing's own, made in the manager's process",
    "TestInitializers.test_manager_initializer": "tests a Manager's initializer; no pool takes part",
    "TestPoolNotLeakOnFailure": "counts what a mock of multiprocessing.Process made; ours are not made by it",
}
"""Class or Class.test: why it is not run. Each must exist in every Python that is judged."""


def main() -> int:
    parser = verdict.options(__doc__)
    parser.add_argument("--pool", choices=("manyhands", "multiprocessing"), default="manyhands", help="whose pool")
    options = parser.parse_args()
    _choose(options.pool)
    return verdict.judge(f"pool tests against {options.pool}.Pool", pool_cases.CASES, LEFT_OUT, options)


def _choose(name: str) -> None:
    """Installs the pool of the package `name` as the judged one."""
    judged = pool_cases.judged
    if name == "multiprocessing":
        judged.pool = multiprocessing.pool.Pool
        judged.thread_pool = multiprocessing.dummy.Pool
        judged.remote_traceback = multiprocessing.pool.RemoteTraceback
        judged.import_line = "from multiprocessing import Pool"
        return

    import manyhands
    import manyhands.errors

    class JudgedPool(manyhands.Pool):
        """`manyhands.Pool`, and the one private call of CPython's pool that its tests make."""

        def _repopulate_pool(self) -> None:
            """Nothing to do: a worker that has done its tasks is replaced without being asked for."""

    judged.pool = JudgedPool
    judged.thread_pool = manyhands.ThreadPool
    judged.remote_traceback = manyhands.errors.RemoteTraceback
    judged.unsendable_result = pool_cases.lock_as_result
    # The tests' scripts run isolated from the environment, so they are told where the package lies.
    folder = os.path.dirname(os.path.dirname(os.path.abspath(manyhands.__file__)))
    judged.import_line = f"import sys; sys.path.append({folder!r}); from manyhands import Pool"


if __name__ == "__main__":
    sys.exit(main())
