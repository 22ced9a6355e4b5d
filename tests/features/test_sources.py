"""Wherever a program is typed its functions can be mapped: a file without a guard, `-c`, standard input, a prompt."""

import os
import pty
import select
import subprocess
import sys
import time

import pytest

from programs import PATIENCE, environment

PROGRAM = """
import manyhands as mh

with open("runs", "a") as file:
    file.write("ran\\n")

offset = 10

class Point:
    def __init__(self, x):
        self.x = x
    def shifted(self):
        return Point(self.x + offset)

def task(x):
    return helper(x) + offset

def helper(x):
    return x * x

print(mh.map(task, range(4), workers=2))
print(mh.map(lambda x: task(x) + 1, range(4), workers=2))
print([type(p) is Point and p.x for p in mh.map(Point.shifted, [Point(1), Point(2)], workers=2)])
with mh.Pool(2) as pool:
    print(pool.map(task, range(4)), pool.apply(task, (5,)), list(pool.imap(task, range(2))))
"""

PRINTED = "[10, 11, 14, 19]\n[11, 12, 15, 20]\n[11, 12]\n[10, 11, 14, 19] 35 [10, 11]\n"


@pytest.mark.parametrize("how", ["file", "-c", "stdin"])
def test_a_program_without_a_guard_runs_once(python, tmp_path, how):
    assert python(PROGRAM, how) == PRINTED
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_a_program_with_a_guard_works_too(python):
    guarded = "import manyhands as mh\ndef task(x): return -x\nif __name__ == '__main__':\n    print(mh.map(task, [1]))"
    assert python(guarded) == "[-1]\n"


@pytest.mark.parametrize("arrangement", ["package", "module", "folder", "zip"])
def test_programs_run_in_other_ways(tmp_path, arrangement):
    import zipfile

    main = "package/__main__.py" if arrangement == "package" else "program.py" if arrangement == "module" else None
    if main is None:
        main = "folder/__main__.py"
    file = tmp_path / main
    file.parent.mkdir(exist_ok=True)
    file.write_text(PROGRAM)
    if arrangement == "zip":
        with zipfile.ZipFile(tmp_path / "program.zip", "w") as archive:
            archive.write(file, "__main__.py")
    arguments = {
        "package": ["-m", "package"],
        "module": ["-m", "program"],
        "folder": ["folder"],
        "zip": ["program.zip"],
    }[arrangement]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert (done.stdout, done.stderr) == (PRINTED, "")
    assert (tmp_path / "runs").read_text() == "ran\n"


def test_a_program_that_is_executed_by_another(python, tmp_path):
    (tmp_path / "other.py").write_text(PROGRAM)
    assert python("import runpy; runpy.run_path('other.py', run_name='__main__')") == PRINTED
    assert python("exec(open('other.py').read())") == PRINTED


class Prompt:
    """An interactive interpreter at a terminal, as a person has it before him."""

    def __init__(self, folder):
        self._terminal, child = pty.openpty()
        # A plain prompt on every version: the newer ones redraw the line at each key.
        settings = environment(PYTHON_BASIC_REPL="1", TERM="dumb", PYTHONSTARTUP=None)
        self._process = subprocess.Popen(
            [sys.executable, "-i", "-q"], cwd=folder, env=settings, stdin=child, stdout=child, stderr=child
        )
        os.close(child)
        self._read_to(">>> ")

    def enter(self, *lines):
        """Type the lines one by one; gives what is printed after the last one."""
        for line in lines:
            os.write(self._terminal, line.encode() + b"\n")
            printed = self._read_to(">>> ", "... ")
        return "\n".join(printed.replace("\r", "").splitlines()[1:-1])

    def _read_to(self, *ends):
        read, deadline = b"", time.monotonic() + PATIENCE
        while not read.endswith(tuple(end.encode() for end in ends)):
            ready, _, _ = select.select([self._terminal], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"nothing more came after {read!r}"
            read += os.read(self._terminal, 10_000)
        return read.decode()

    def leave(self):
        """Ctrl-D; gives the exit status."""
        try:
            os.write(self._terminal, b"\x04")
            return self._process.wait(PATIENCE)
        finally:
            self._process.kill()
            self._process.wait()
            os.close(self._terminal)


def test_at_the_prompt(tmp_path):
    prompt = Prompt(tmp_path)
    assert prompt.enter("import manyhands as mh") == ""
    prompt.enter("def task(x):", "    return x + 1", "")
    assert prompt.enter("mh.map(task, range(3), workers=2)") == "[1, 2, 3]"
    prompt.enter("def task(x):", "    return helper(x)", "")
    prompt.enter("helper = lambda x: x * 100")
    assert prompt.enter("mh.map(task, range(3), workers=2)") == "[0, 100, 200]"
    prompt.enter("pool = mh.Pool(2)")
    assert prompt.enter("pool.map(task, range(3))") == "[0, 100, 200]"
    prompt.enter("class Thing: pass", "")
    assert prompt.enter("type(pool.apply(Thing)) is Thing") == "True"
    assert prompt.enter("_ = pool.map(print, ['from a worker'])") == "from a worker"
    assert "ZeroDivisionError" in prompt.enter("pool.map(lambda x: 1 / x, [0])")
    assert prompt.leave() == 0
