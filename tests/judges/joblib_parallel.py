"""Runs joblib's own tests of `Parallel` against ours.

    python tests/judges/joblib_parallel.py backend    joblib's `Parallel` on our backend
    python tests/judges/joblib_parallel.py face       our `Parallel` and `delayed` in place of joblib's
    python tests/judges/joblib_parallel.py joblib     the judge judged: joblib must pass its own tests

The tests are `joblib/test/test_parallel.py` of the joblib that is installed, unchanged, run by pytest; of those that are
run for several backends, those runs that come to ours. The last line counts them; the exit status is 1 when one failed.

What the tests ask for beyond what joblib documents:

test_error_capture, test_what_would_end_the_loop
    A KeyboardInterrupt that a task raises comes out of the call as itself.
test_parallel_as_context_manager, test_error_capture
    A backend's `_workers` is None when nobody uses it, and another object after a failure.
test_multiple_generator_call
    A second call while the first's generator lives is a RuntimeError that begins "This Parallel instance is already
    running", raised before anything of the second call has begun.
test_initializer_reused, test_initializer_not_reused
    Workers are used again for the same initializer with the same arguments, and not for others.
test_nested_backend_context_manager, test_backend_nesting_level
    Calls inside of a task use threads in the worker, at level 1.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

import joblib_judged
import pytest

CONFIG = "is about joblib.parallel_config, which configures joblib's own Parallel"
INSIDE = "looks at joblib's own objects inside of Parallel"
NOT_MEMMAPPED = "asks that big arrays are files on disk; ours lie in memory without a name"

LEFT_OUT = {
    "joblib": {},
    "backend": {
        "test_auto_memmap_on_arrays_from_generator": NOT_MEMMAPPED,
        "test_memmapping_leaks": NOT_MEMMAPPED,
        "test_parallel_with_interactively_defined_bound_method_loky": "looks for loky's name in a log of multiprocessing",
        "test_multiple_generator_call_separated_gc": "asks that dropping a generator breaks another call; here it does not",
        "test_nested_parallel_warnings": "asks for warnings that loky cannot be nested in threads or pools; ours can be",
        "test_globals_update_at_each_parallel_call": "sets a global of an importable module, of which workers have their own",
        "test_loky_reuse_workers": "asks loky itself for its executor",
    },
    "face": {
        "test_auto_memmap_on_arrays_from_generator": NOT_MEMMAPPED,
        "test_memmapping_leaks": NOT_MEMMAPPED,
        "test_parallel_with_interactively_defined_bound_method_loky": "looks for loky's name in a log of multiprocessing",
        "test_globals_update_at_each_parallel_call": "sets a global of an importable module, of which workers have their own",
        "test_nested_parallel_warnings": "asks for warnings of joblib's backends; a call inside of a task is a loop here",
        "test_nested_loop": "is run for backends that only joblib knows",
        "test_nested_parallelism_limit": INSIDE,
        "test_nested_backend_context_manager": CONFIG,
        "test_nested_backend_in_sequential": CONFIG,
        "test_backend_nesting_level": CONFIG,
        "test_backend_context_manager": CONFIG,
        "test_parameterized_backend_context_manager": CONFIG,
        "test_directly_parameterized_backend_context_manager": CONFIG,
        "test_backend_hinting_and_constraints": CONFIG,
        "test_backend_hinting_and_constraints_with_custom_backends": CONFIG,
        "test_threadpool_limitation_in_child_context": CONFIG,
        "test_threadpool_limitation_in_child_override": CONFIG,
        "test_initializer_context": CONFIG,
        "test_retrieval_context": CONFIG,
        "test_zero_worker_backend": CONFIG,
        "test_error_capture": INSIDE,
        "test_batching_auto_threading": INSIDE,
        "test_batching_auto_subprocesses": INSIDE,
        "test_backend_batch_statistics_reset": INSIDE,
        "test_multiple_generator_call_separated_gc": INSIDE,
        "test_default_mp_context": INSIDE,
        "test_loky_reuse_workers": INSIDE,
        "test_warning_about_timeout_not_supported_by_backend": "asks that the warning names joblib's class",
    },
}
"""For each that can be judged: name of a test, and why it is not run. Each must exist."""

# Constants of the tests that are scripts, for a Python of their own.
SCRIPTS = (
    "UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_NO_MAIN",
    "UNPICKLABLE_CALLABLE_SCRIPT_TEMPLATE_MAIN",
    "INTERACTIVE_DEFINED_FUNCTION_AND_CLASS_SCRIPT_CONTENT",
    "INTERACTIVELY_DEFINED_SUBCLASS_WITH_METHOD_SCRIPT_CONTENT",
)
# The values of a `backend` parameter that come to what is judged.
OURS = {
    "joblib": ("loky", None),
    "backend": ("loky", None),
    "face": ("loky", "threading", "sequential", None),
}


class Judge:
    """Chooses the tests, lets the scripts be judged too, counts."""

    def __init__(self, judged: str, only: str | None) -> None:
        self.judged = judged
        self.only = only
        self.counts = dict.fromkeys(("passed", "failed", "skipped"), 0)

    def pytest_collection_modifyitems(self, config, items):
        left_out = LEFT_OUT[self.judged]
        names = {item.originalname for item in items}
        if unknown := left_out.keys() - names:
            raise LookupError(f"listed as left out, but joblib has no such tests: {sorted(unknown)}")
        self._judge_scripts(items[0].module)
        chosen = [item for item in items if self._comes_to_ours(item) and (self.only or "") in item.name]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        for item in chosen:
            if item.originalname in left_out:
                item.add_marker(pytest.mark.skip(reason=left_out[item.originalname]))
        items[:] = chosen

    def _comes_to_ours(self, item) -> bool:
        parameters = getattr(item, "callspec", None)
        backends = [value for name, value in parameters.params.items() if "backend" in name] if parameters else []
        ours = OURS[self.judged]
        named = any(value is None or (isinstance(value, str) and value in ours) for value in backends)
        return not backends or named or any(type(value) is joblib_judged.LokyBackend for value in backends)

    def _judge_scripts(self, module) -> None:
        """Begin each script with what this one did. They go through `str.format` when they are run, or went already."""
        if self.judged == "joblib":
            return
        folders = [str(Path(__file__).parent), str(Path(joblib_judged.manyhands.__file__).parents[1])]
        first = (
            f"import sys; sys.path[:0] = {folders!r}; import joblib_judged; joblib_judged.judge_the_{self.judged}()\n"
        )
        for name in SCRIPTS:
            script = getattr(module, name)
            formatted = "{backend" in script or "{}" in script
            setattr(module, name, (first.replace("{", "{{").replace("}", "}}") if formatted else first) + script)

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.counts["failed"] += 1
        elif report.skipped:
            self.counts["skipped"] += 1
        elif report.when == "call":
            self.counts["passed"] += 1


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("judged", choices=sorted(LEFT_OUT))
    parser.add_argument("--only", metavar="TEXT", help="only tests with TEXT in their name")
    options, further = parser.parse_known_args()
    {
        "joblib": joblib_judged.judge_joblib,
        "backend": joblib_judged.judge_the_backend,
        "face": joblib_judged.judge_the_face,
    }[options.judged]()
    judge = Judge(options.judged, options.only)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # away from this project's own settings for pytest
        command = [
            "--pyargs",
            "joblib.test.test_parallel",
            "-q",
            "-p",
            "no:cacheprovider",
            "--noconftest",
            "--tb=short",
        ]
        pytest.main([*command, "--disable-warnings", *further], plugins=[judge])
        os.chdir("/")
    counts = judge.counts
    print(f"joblib's tests of Parallel, {options.judged} judged: ", end="")
    print(", ".join(f"{number} {what}" for what, number in counts.items()))
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
