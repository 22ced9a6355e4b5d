"""Runs test classes of others and counts: what the judges over unittest's classes share."""

from __future__ import annotations

import argparse
import faulthandler
import platform
import signal
import sys
import unittest


def options(document: str) -> argparse.ArgumentParser:
    """A parser with what every judge takes."""
    parser = argparse.ArgumentParser(description=document.splitlines()[0])
    parser.add_argument("--only", metavar="TEXT", help="only tests with TEXT in their name")
    parser.add_argument("--limit", type=float, default=120.0, metavar="SECONDS", help="for one test (default 120)")
    parser.add_argument("-v", "--verbose", action="store_true", help="one line for each test")
    return parser


def judge(
    title: str,
    cases: dict[str, type],
    left_out: dict[str, str],
    options: argparse.Namespace,
    of: str = f"CPython {platform.python_version()}",
) -> int:
    """Runs the test classes, without what is left out (Class or Class.test: why); the exit status.

    A LookupError where something is left out that is not there.
    """
    # Who is started in the background was born deaf to it, and many of these tests interrupt themselves.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name, reason in left_out.items():
        _leave_out(cases, name, reason)
    loader = unittest.TestLoader()
    if options.only:
        loader.testNamePatterns = [f"*{options.only}*"]
    suite = unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in cases.values())
    runner = unittest.TextTestRunner(
        stream=sys.stdout,
        verbosity=2 if options.verbose else 1,
        resultclass=lambda *args, **kwargs: _Verdict(*args, limit=options.limit, **kwargs),
    )
    verdict = runner.run(suite)
    failed = len(verdict.failures) + len(verdict.errors) + len(verdict.unexpectedSuccesses)
    print(f"\n{of}'s {title}. Left out, and counted as skipped:")
    for name, reason in left_out.items():
        print(f"  {name}: {reason}")
    print(f"{verdict.passed} passed, {failed} failed, {len(verdict.skipped)} skipped")
    return 1 if failed or not verdict.passed else 0


def _leave_out(cases: dict[str, type], name: str, reason: str) -> None:
    """Marks one test, or all of a class, as skipped."""
    case_name, _, test_name = name.partition(".")
    case = cases.get(case_name)
    if case is None or not hasattr(case, test_name or "run"):
        raise LookupError(f"{name} is listed as left out, but there is no such test: take it off the list")
    if not test_name:
        unittest.skip(reason)(case)
        return
    test = getattr(case, test_name)

    def skipped(self):
        raise unittest.SkipTest(reason)

    skipped.__doc__ = test.__doc__
    setattr(case, test_name, skipped)


class _Verdict(unittest.TextTestResult):
    """Counts what passed and ends the run, with every thread's stack, when one test outlasts the limit."""

    def __init__(self, *args, limit: float, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = 0
        self._limit = limit

    def startTestRun(self):
        super().startTestRun()
        self._set_alarm()

    def stopTest(self, test):
        super().stopTest(test)
        self._set_alarm()

    def stopTestRun(self):
        faulthandler.cancel_dump_traceback_later()
        super().stopTestRun()

    def _set_alarm(self):
        """From the end of one test to the end of the next: a class's own set-up and tear-down count too."""
        faulthandler.dump_traceback_later(self._limit, exit=True)

    def addSuccess(self, test):
        self.passed += 1
        super().addSuccess(test)
