"""Measures manyhands beside its peers, in one run, and prints what it reached.

    python benches/run.py                  all rows, some minutes
    python benches/run.py --quick          fewer passes, smaller where that changes nothing
    python benches/run.py --only squares   one row (may be repeated)
    python benches/run.py --json FILE      the numbers too

No time passes or fails: a reach that is missed is printed as a miss and leaves the exit status 0. A bench that crashes
or gets a wrong answer is named, the others are reported, and the exit status is 1. Each bench runs in an interpreter
of its own, so that what one leaves warm or fragmented is not there for the next.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import WORKERS, Row, table

BENCHES = (
    "squares",
    "one_at_a_time",
    "round_trip",
    "executor_submit",
    "executor_round_trip",
    "start",
    "big_argument",
    "big_results",
    "balance",
    "distances",
    "parallel",
    "threads",
    "grid_search",
    "graph",
    "jit_loops",
    "jit_arrays",
    "jit_expressions",
    "jit_programs",
    "jit_calls",
    "jit_start",
)
"""In the order of the report; NAME is the module bench_NAME."""

PACKAGES = ("manyhands", "numpy", "joblib", "scikit-learn", "dask", "ray", "numba")


def main() -> int:
    options = _options()
    if options.rows_to:
        _run_here(options.only[0], options.quick, Path(options.rows_to))
        return 0
    rows: list[Row] = []
    broken: list[str] = []
    for name in options.only or BENCHES:
        started = time.monotonic()
        print(f"{name} ...", end=" ", flush=True)
        found = _run_apart(name, options.quick)
        print(f"{time.monotonic() - started:.0f} s" if found else "failed", flush=True)
        rows += found
        if not found:
            broken.append(name)
    facts = _facts(options.quick)
    if rows:
        print("\n" + table(rows))
    print()
    print("\n".join(f"{name}: {value}" for name, value in facts.items()))
    if broken:
        print("failed, with the error above: " + ", ".join(broken))
    if options.json:
        report = {"facts": facts, "rows": [row.as_json() for row in rows], "failed": broken}
        Path(options.json).write_text(json.dumps(report, indent=2) + "\n")
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", metavar="NAME", action="append", choices=BENCHES, help=" ".join(BENCHES))
    parser.add_argument("--quick", action="store_true", help="fewer passes; the slowest peers are left out")
    parser.add_argument("--json", metavar="FILE", help="write facts and rows there as well")
    parser.add_argument("--rows-to", metavar="FILE", help=argparse.SUPPRESS)  # from this script to itself
    return parser.parse_args()


def _run_apart(name: str, quick: bool) -> list[Row]:
    """Runs one bench in an interpreter of its own; no rows if it failed, with its error shown."""
    with tempfile.TemporaryDirectory() as folder:
        rows_to = Path(folder) / "rows.json"
        command = [sys.executable, __file__, "--only", name, "--rows-to", rows_to, *(["--quick"] if quick else [])]
        if subprocess.run(command).returncode != 0:
            return []
        return [Row.from_json(row) for row in json.loads(rows_to.read_text())]


def _run_here(name: str, quick: bool, rows_to: Path) -> None:
    rows = importlib.import_module(f"bench_{name}").run(quick)
    rows_to.write_text(json.dumps([row.as_json() for row in rows]))


def _facts(quick: bool) -> dict[str, str]:
    """When and where: without it a table of times says nothing."""
    packages = []
    for name in PACKAGES:
        try:
            packages.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            packages.append(f"{name} not installed")
    return {
        "date": datetime.date.today().isoformat() + (" (quick run)" if quick else ""),
        "machine": f"{_processor()}, {len(os.sched_getaffinity(0))} cores, {_memory()}, Linux {platform.release()}",
        "python": f"{platform.python_version()}, {', '.join(packages)}",
        "method": f"{WORKERS} workers where a row says no other number; systems take turns; medians",
    }


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{total / 2**30:.0f} GiB"


if __name__ == "__main__":
    sys.exit(main())
