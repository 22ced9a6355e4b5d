"""What items print appears where the caller's prints appear, whole lines; progress bars count results."""

import contextlib
import io
import itertools
import os
import pty
import re
import subprocess
import sys

import pytest

import manyhands as mh
from programs import PATIENCE, environment

pytestmark = pytest.mark.ours("what tasks print is the engine's affair")

# ------------------------------------------------------------------------------------------------------------ prints


def printed_by(call):
    """(stdout, stderr) of `call`, as `redirect_stdout` and `redirect_stderr` catch them."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        call()
    return out.getvalue(), err.getvalue()


def say(x):
    """Prints one line in three pieces."""
    print(f"<{x} ", end="")
    print("-" * 60, end="")
    print(f" {x}>")


def test_lines_come_whole(backend):
    out, err = printed_by(lambda: backend.map(say, range(300)))
    lines = out.splitlines()
    assert sorted(int(re.fullmatch(r"<(\d+) -{60} (\d+)>", line)[1]) for line in lines) == list(range(300))
    assert not err


def test_everything_is_there_when_the_call_returns(backend):
    for n in range(20):
        out, _ = printed_by(lambda n=n: backend.map(print, range(n)))
        assert sorted(out.split()) == sorted(map(str, range(n)))


def test_stderr_goes_to_stderr(backend):
    out, err = printed_by(lambda: backend.map(lambda x: print(x, file=sys.stderr), "ab"))
    assert sorted(err.split()) == ["a", "b"]
    assert not out


def test_an_unfinished_line_comes_with_the_end_of_its_item(parallel):
    out, _ = printed_by(lambda: parallel.map(lambda x: print(x, end=""), ["one"]))
    assert out == "one"


def test_letters_of_all_scripts(backend):
    out, _ = printed_by(lambda: backend.map(print, ["häßlich 数 \U0001f600"]))
    assert out == "häßlich 数 \U0001f600\n"


def test_a_long_line(backend):
    out, _ = printed_by(lambda: backend.map(lambda n: print("x" * n), [1_000_000]))
    assert out == "x" * 1_000_000 + "\n"


def test_what_a_failing_item_printed(backend):
    def fail(x):
        print("before the end")
        raise ValueError

    def call():
        with pytest.raises(ValueError):
            backend.map(fail, [1])

    assert printed_by(call)[0] == "before the end\n"


def test_imap_prints_too(backend):
    out, _ = printed_by(lambda: list(backend.imap(print, range(30))))
    assert sorted(map(int, out.split())) == list(range(30))


def test_an_initializers_print():
    def use():
        with mh.Pool(1, print, ["ready"]) as pool:
            pool.map(abs, [1])

    assert printed_by(use)[0] == "ready\n"


def test_prints_of_calls_that_nobody_waits_for():
    def use():
        with mh.Pool(1) as pool:
            pool.apply_async(print, ["from afar"])
            pool.close()
            pool.join()

    assert printed_by(use)[0] == "from afar\n"


def test_prints_reach_a_pipe_at_once(python):
    assert sorted(
        python(
            """
            import manyhands as mh, sys
            mh.map(lambda x: print("line", x), range(3), workers=2)
            with mh.Pool(2) as pool:
                pool.map(lambda x: sys.stdout.write(f"pool {x}\\n"), range(3))
            """
        ).splitlines()
    ) == ["line 0", "line 1", "line 2", "pool 0", "pool 1", "pool 2"]


# ---------------------------------------------------------------------------------------------------------- progress


@pytest.fixture(autouse=True, scope="module")
def tqdm():
    """Nothing of the lower half can be seen without it."""
    return pytest.importorskip("tqdm")


def bar_of(call):
    """The last state of the bar that `call` draws."""
    out, err = printed_by(call)
    assert not out
    return err.split("\r")[-1].rstrip("\n") or err


@pytest.mark.parametrize("call", ["map", "starmap", "imap", "imap_unordered"])
def test_the_bar_ends_with_all_results(backend, call):
    items = [(n,) for n in range(40)] if call == "starmap" else range(40)
    assert "40/40" in bar_of(lambda: list(getattr(backend, call)(abs, items, progress=True)))


def test_a_label(backend):
    assert bar_of(lambda: backend.map(abs, range(5), progress="counting")).startswith("counting:")


def test_no_bar_unless_asked(backend):
    assert printed_by(lambda: backend.map(abs, range(5))) == ("", "")


def test_a_total_that_nobody_knows(backend):
    assert "7it" in bar_of(lambda: backend.map(abs, iter(range(7)), progress=True))


def test_failures_are_counted(backend):
    bar = bar_of(lambda: backend.map(lambda x: 1 / (x % 3), range(9), progress=True, on_error="return"))
    assert "9/9" in bar
    assert "3 failed" in bar


def test_the_bar_counts_results_and_not_submissions(parallel, gate):
    last = gate()

    def wait_in_the_last(x):
        if x == 3:
            last.wait()
        return x

    err = io.StringIO()
    with contextlib.redirect_stderr(err):
        results = parallel.imap(wait_in_the_last, range(4), progress=True)
        assert list(itertools.islice(results, 3)) == [0, 1, 2]
        assert "4/4" not in err.getvalue()
        last.open()
        assert list(results) == [3]
    assert "4/4" in err.getvalue()


def test_lines_that_are_printed_under_a_bar_stay_whole(backend):
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        backend.map(say, range(50), progress=True)
    assert len(out.getvalue().splitlines()) == 50
    assert "50/50" in err.getvalue()


def test_a_bar_without_a_standard_error(backend, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert backend.map(abs, range(3), progress=True) == [0, 1, 2]


def read_from_terminal(terminal):
    """What stands there to be read; nothing once all who wrote are gone, which Linux reports as an error."""
    try:
        return os.read(terminal, 100_000)
    except OSError:
        return b""


def test_a_bar_in_a_terminal():
    parent, child = pty.openpty()
    source = "import manyhands as mh; mh.map(abs, range(30), workers=2, progress='rows')"
    try:
        subprocess.run(
            [sys.executable, "-c", source], env=environment(), stderr=child, stdin=child, timeout=PATIENCE, check=True
        )
        os.close(child)
        read = b"".join(iter(lambda: read_from_terminal(parent), b""))
    finally:
        os.close(parent)
    assert b"rows: 100%" in read
    assert b"30/30" in read
