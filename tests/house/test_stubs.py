"""The type stubs say what is there: mypy's stubtest compares them with the modules as built and imported."""

import subprocess
import sys

import pytest

pytest.importorskip("mypy")

STUBBED = ["manyhands._native", "manyhands.errors", "manyhands.maps", "manyhands.pool"]


def test_stubs_are_true_to_the_modules():
    done = subprocess.run(
        [sys.executable, "-m", "mypy.stubtest", "--concise", *STUBBED], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_public_name_has_a_stub():
    import ast
    from pathlib import Path

    import manyhands

    stub = ast.parse((Path(manyhands.__file__).parent / "__init__.pyi").read_text(encoding="utf-8"))
    exported = {
        alias.asname for node in ast.walk(stub) if isinstance(node, ast.ImportFrom) for alias in node.names if alias.asname
    }
    assert exported == set(manyhands.__all__)
    for name in manyhands.__all__:
        assert getattr(manyhands, name) is not None
