"""Runs CPython's own tests of processes, locks, queues, pipes and shared values against manyhands.

    python tests/judges/cpython_process.py                           the judgement
    python tests/judges/cpython_process.py --package multiprocessing  the judge judged: CPython must pass its own tests

The tests are those of the interpreter that runs this file, unchanged: the classes that `process_cases` names, of
`test._test_multiprocessing`, told that the start method is "spawn", which ours is like. The last line counts them; the exit
status is 1 when one failed, also when a test ran for longer than `--limit`.
"""

from __future__ import annotations

import multiprocessing
import os
import sys

import verdict

LEFT_OUT = {
    "WithProcessesTestProcess.test_parent_process": "a process of ours ends with its parent, so no orphan can report",
}
"""Class or Class.test: why it is not run. Each must exist in every Python that is judged."""


def main() -> int:
    parser = verdict.options(__doc__)
    parser.add_argument("--package", choices=("manyhands", "multiprocessing"), default="manyhands", help="whose")
    options = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    # Child processes make processes and locks too.
    os.environ["MANYHANDS_JUDGED"] = options.package
    import process_cases

    left_out = LEFT_OUT if options.package == "manyhands" else {}
    return verdict.judge(f"process tests against {options.package}", process_cases.CASES, left_out, options)


if __name__ == "__main__":
    sys.exit(main())
