"""The type stubs say what is there: mypy's stubtest compares them with the modules as built and imported."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import manyhands

pytest.importorskip("mypy")

STUBBED = [
    "manyhands._future",
    "manyhands._graph_explain",
    "manyhands._native",
    "manyhands._results",
    "manyhands.comparing",
    "manyhands.context",
    "manyhands.errors",
    "manyhands.expressions",
    "manyhands.footprint",
    "manyhands.futures",
    "manyhands.joblib",
    "manyhands.graph",
    "manyhands.loops",
    "manyhands.maps",
    "manyhands.parallel",
    "manyhands.pool",
    "manyhands.process",
    "manyhands.scaling",
    "manyhands.timing",
    "manyhands.tracing",
    "manyhands.vectorized",
]


def test_stubs_are_true_to_the_modules():
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", *STUBBED], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_has_a_stub():
    stub = ast.parse((Path(manyhands.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    named = [node.value for node in stub.body if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"]
    assert ast.literal_eval(named[0]) == manyhands.__all__
    for name in manyhands.__all__:
        assert getattr(manyhands, name) is not None
