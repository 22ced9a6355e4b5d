"""The cache on disk: a second process compiles nothing, reads no source, and is right when something has changed."""

import subprocess
import sys
import textwrap

import pytest

from programs import PATIENCE, environment

pytest.importorskip("llvmlite")

PROGRAM = """
import sys
import manyhands as mh

FACTOR = 3

def helper(x):
    return x * FACTOR

@mh.jit
def total(n):
    found = 0
    for i in mh.prange(n):
        found += helper(i)
    return found

print(total(1000), "ast" in sys.modules, "linecache" in sys.modules)
"""


@pytest.fixture
def run(tmp_path):
    (tmp_path / "cache").mkdir(mode=0o700)

    def run(text=PROGRAM, **env):
        (tmp_path / "program.py").write_text(textwrap.dedent(text))
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py")],
            env=environment(MANYHANDS_CACHE_DIR=str(tmp_path / "cache"), **env),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        assert not done.stderr
        return done.stdout.split()

    run.folder = tmp_path / "cache"
    return run


def files(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_a_second_process_reads_no_source(run):
    assert run() == ["1498500", "True", "True"]
    assert files(run.folder)
    assert run() == ["1498500", "False", "False"]


def test_it_needs_no_llvmlite(run, tmp_path):
    run()
    blocked = "import sys\nsys.modules['llvmlite'] = None\n"
    (tmp_path / "sitecustomize.py").write_text(blocked)
    assert run(PYTHONPATH=f"{tmp_path}:{environment()['PYTHONPATH']}") == ["1498500", "False", "False"]
    other = PROGRAM.replace("total(1000)", "total(1000, 2)").replace("def total(n)", "def total(n, k)")
    (tmp_path / "program.py").write_text(other)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")],
        env=environment(MANYHANDS_CACHE_DIR=str(run.folder), PYTHONPATH=f"{tmp_path}:{environment()['PYTHONPATH']}"),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert "pip install manyhands[jit]" in done.stderr


@pytest.mark.parametrize(
    "old, new, answer",
    [
        ("FACTOR = 3", "FACTOR = 4", "1998000"),
        ("FACTOR = 3", "FACTOR = 3.0", "1498500.0"),
        ("return x * FACTOR", "return x - FACTOR", "496500"),
        ("found = 0", "found = 1", "1498501"),
    ],
)
def test_what_changed_is_compiled_again(run, old, new, answer):
    assert run()[0] == "1498500"
    assert run(PROGRAM.replace(old, new))[0] == answer
    assert run()[0] == "1498500"


def test_values_that_come_back_are_still_there(run):
    run()
    run(PROGRAM.replace("FACTOR = 3", "FACTOR = 4"))
    assert run() == ["1498500", "False", "False"]
    assert run(PROGRAM.replace("FACTOR = 3", "FACTOR = 4")) == ["1998000", "False", "False"]


def test_damaged_files_are_replaced(run):
    run()
    for path in files(run.folder):
        data = path.read_bytes()
        path.write_bytes(data[: len(data) // 2])
    assert run()[0] == "1498500"
    for path in files(run.folder):
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 255
        path.write_bytes(bytes(data))
    assert run()[0] == "1498500"
    assert run() == ["1498500", "False", "False"]


def test_no_cache_where_none_is_wanted(run):
    text = PROGRAM.replace("@mh.jit\n", "@mh.jit(cache=False)\n")
    assert run(text) == ["1498500", "True", "True"]
    assert run(text) == ["1498500", "True", "True"]
    assert not files(run.folder)


def test_many_processes_at_once(run, tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    started = [
        subprocess.Popen(
            [sys.executable, str(tmp_path / "program.py")],
            env=environment(MANYHANDS_CACHE_DIR=str(run.folder)),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    for process in started:
        out, err = process.communicate(timeout=PATIENCE)
        assert out.split()[0] == "1498500", err
        assert not err
    assert run() == ["1498500", "False", "False"]
