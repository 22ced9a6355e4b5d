"""Runs joblib's own tests of `Parallel` against ours.

    python tests/judges/joblib_parallel.py backend     joblib's Parallel on our backend
    python tests/judges/joblib_parallel.py face        our Parallel and delayed
    python tests/judges/joblib_parallel.py joblib      the judge judged: joblib's own must pass
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pytest

import joblib_judged

#: Constants of the tests that are scripts, run by a Python of their own.
SCRIPTS = (
    "UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_NO_MAIN",
    "UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_MAIN",
    "INTERACTIVE_DEFINED_FUNCTION_AND_CLASS_SCRIPT_CONTENT",
    "INTERACTIVELY_DEFINED_SUBCLASS_WITH_METHOD_SCRIPT_CONTENT",
)

LEFT_OUT = {"backend": {}, "face": {}, "joblib": {}}


class Judge:
    def __init__(self, judged, only):
        self.judged = judged
        self.only = only
        self.passed = self.failed = self.skipped = 0

    def pytest_collection_modifyitems(self, config, items):
        kept = []
        for item in items:
            if self.only and self.only not in item.name: continue
            if not self.concerns_us(item): continue
            if self.reason(item): continue
            kept.append(item)
        config.hook.pytest_deselected(items=[i for i in items if i not in kept])
        items[:] = kept
        module = items[0].module
        if self.judged != "joblib":
            here = str(Path(__file__).parent)
            first = f"import sys; sys.path.insert(0, {here!r}); import joblib_judged; joblib_judged.judge_the_{self.judged}()\n"
            for name in SCRIPTS:
                setattr(module, name, first.replace("{", "{{").replace("}", "}}") + getattr(module, name))

    def concerns_us(self, item):
        params = getattr(item, "callspec", None)
        if params is None: return True
        b = [v for k, v in params.params.items() if "backend" in k]
        if not b: return True
        return any(x in joblib_judged.NAMES or x is None or type(x).__name__ == "ManyhandsBackend" for x in b)

    def reason(self, item):
        return LEFT_OUT[self.judged].get(item.originalname)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("judged", choices=list(LEFT_OUT))
    parser.add_argument("--only")
    parser.add_argument("rest", nargs="*")
    options, rest = parser.parse_known_args()
    if options.judged == "backend": joblib_judged.judge_the_backend()
    if options.judged == "face": joblib_judged.judge_the_face()
    return pytest.main(["--pyargs", "joblib.test.test_parallel", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", *rest], plugins=[Judge(options.judged, options.only)])


if __name__ == "__main__":
    sys.exit(main())
