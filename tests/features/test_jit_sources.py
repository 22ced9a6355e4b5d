"""Where the source of a compiled function is found, and what is said where it is not."""

import doctest
import importlib.util
import linecache
import subprocess
import sys
from types import SimpleNamespace

import pytest

import manyhands as mh
from programs import PATIENCE, environment

pytest.importorskip("llvmlite")


def load(path, name="loaded"):
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_lambdas_in_one_line():
    first, second = mh.jit(lambda x: x + 1), mh.jit(lambda x: x * 7)
    assert first(5) == 6
    assert second(5) == 35


def test_decorators_classes_and_closures():
    def outside(function):
        return function

    class Thing:
        @outside
        @mh.jit
        @outside
        def double(x):
            """With a word."""
            return 2 * x

    assert Thing.double(4) == 8


def test_functions_in_asserting_tests():
    @mh.jit
    def checked(x):
        assert x > 0, "not positive"
        return x

    assert checked(1) == 1
    with pytest.raises(AssertionError, match="not positive"):
        checked(-1)


def test_a_file_that_changed(tmp_path):
    path = tmp_path / "changing.py"
    path.write_text("import manyhands as mh\n@mh.jit(cache=False)\ndef f(x):\n    return x + 1\n")
    module = load(path)
    path.write_text("import manyhands as mh\n@mh.jit(cache=False)\ndef f(x):\n    return x + 2\n")
    with pytest.raises(mh.CompileError, match="changed"):
        module.f(1)
    path.write_text("import manyhands as mh\n\n@mh.jit(cache=False)\ndef f(x):\n    return x + 1\n")
    with pytest.raises(mh.CompileError, match="changed"):
        module.f(1)
    path.write_text("import manyhands as mh\n@mh.jit(cache=False)\ndef f(x):\n    return x + 1\n")
    assert module.f(1) == 2


def test_source_that_is_gone(tmp_path):
    path = tmp_path / "gone.py"
    path.write_text("import manyhands as mh\n@mh.jit(cache=False)\ndef f(x):\n    return x + 1\n")
    module = load(path)
    path.unlink()
    linecache.clearcache()
    with pytest.raises(mh.CompileError, match=r"gone\.py"):
        module.f(1)


def test_executed_strings():
    space = {}
    text = "def f(x):\n    return x + 1\n"
    exec(text, space)
    with pytest.raises(mh.CompileError, match=r"mh\.jit\(source=text\)"):
        mh.jit(space["f"])(1)
    assert mh.jit(source=text)(space["f"])(1) == 2
    assert mh.jit(space["f"], source=text)(1) == 2
    with pytest.raises(mh.CompileError, match="not the source"):
        mh.jit(source="def f(x):\n    return x + 2\n", cache=False)(space["f"])(1)
    with pytest.raises(mh.CompileError, match="no Python"):
        mh.jit(source="def f(x:", cache=False)(space["f"])(1)
    with pytest.raises(TypeError, match="source"):
        mh.jit(source=3)


def test_notebook_cells():
    """What IPython does: the cell's text goes into linecache under a name that is no file."""
    name = "<ipython-input-1-abc>"
    text = "import manyhands as mh\n@mh.jit\ndef f(x):\n    return x + 1\n"
    linecache.cache[name] = (len(text), None, text.splitlines(True), name)
    space = {"__name__": "__main__"}
    exec(compile(text, name, "exec"), space)
    assert space["f"](1) == 2


PROGRAM = """
import manyhands as mh

@mh.jit(cache=False)
def f(x):
    return x + 1

print(f(1), mh.jit(lambda x: x * 7, cache=False)(2))
"""


def test_programs_that_are_no_files(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    run = {"env": environment(), "stdout": subprocess.PIPE, "text": True, "timeout": PATIENCE}
    assert subprocess.run([sys.executable, "-c", PROGRAM], **run).stdout == "2 14\n"
    with open(path) as program:
        assert subprocess.run([sys.executable, "-"], stdin=program, **run).stdout == "2 14\n"


def test_cells_that_a_magic_executes(monkeypatch):
    """What IPython does with `%%time`: the cell's body is executed under a name of which nobody keeps the text."""
    body = "\n@mh.jit(cache=False)\ndef f(x):\n    return x + 1\n"
    shell = SimpleNamespace(
        history_manager=SimpleNamespace(input_hist_raw=["", "%%time\n" + body, "1 + 1"]), transform_cell=str
    )
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    space = {"mh": mh}
    exec(compile(body, "<timed exec>", "exec"), space)
    assert space["f"](1) == 2


def test_doctests():
    text = """
    >>> import manyhands as mh
    >>> @mh.jit
    ... def f(x):
    ...     return x + 1
    >>> f(1)
    2
    """
    runner = doctest.DocTestRunner()
    runner.run(doctest.DocTestParser().get_doctest(text, {}, "example", None, None))
    assert runner.failures == 0


@pytest.mark.skipif(sys.version_info < (3, 13), reason="before 3.13 the prompt keeps no text")
def test_the_prompt(tmp_path):
    pty = pytest.importorskip("pty")
    import os

    script = "import manyhands as mh\n@mh.jit\ndef f(x):\n    return x + 41\n\nf(1)\nexit()\n"
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.execve(sys.executable, [sys.executable, "-q"], environment(TERM="dumb", PYTHON_BASIC_REPL=None))
    os.write(terminal, script.encode())
    seen = b""
    try:
        while part := os.read(terminal, 4096):
            seen += part
    except OSError:
        pass  # the program has ended
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)
    assert b"42" in seen, seen
