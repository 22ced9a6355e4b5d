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

LEFT_OUT = {}
"""Class or Class.test: why it is not run."""

def main() -> int:
    options = _options()
    _choose(options.of)
    if options.of == "manyhands":
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
    for kind, base in (
        ("processes", manyhands.futures.ProcessPoolExecutor),
        ("threads", manyhands.futures.ThreadPoolExecutor),
    ):
        setattr(judged, kind, type(base.__name__, (futures_cases.Insides, base), {}))
    judged.remote_traceback = manyhands.errors.RemoteTraceback
    judged.logs = False
    # The tests' scripts run isolated from the environment, so they are told where the package lies.
    folder = os.path.dirname(os.path.dirname(os.path.abspath(manyhands.__file__)))
    judged.import_line = f"import sys; sys.path.append({folder!r}); from manyhands.futures import"


if __name__ == "__main__":
    sys.exit(main())
