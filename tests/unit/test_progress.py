"""The bar counts results, keeps out of the way of printed lines, and never breaks the call."""

import contextlib
import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
import textwrap
import threading
import warnings

import pytest

from manyhands import _output, _progress
from manyhands._output import emit
from manyhands._progress import Progress

pytest.importorskip("tqdm")

PACKAGES = os.path.dirname(os.path.dirname(_progress.__file__))


class Terminal(io.StringIO):
    def isatty(self):
        return True


@contextlib.contextmanager
def shown_on(stream):
    """stdout and stderr on one stream. A context, as pytest puts its own streams in place after the fixtures."""
    before = sys.stdout, sys.stderr
    sys.stdout = sys.stderr = stream
    try:
        yield stream
    finally:
        sys.stdout, sys.stderr = before
    assert _progress._shown == [] and _output._around is None


def screen(written):
    """What a terminal shows after `written`: lines, where a carriage return starts a line anew without wiping it."""
    lines = []
    for line in written.split("\n"):
        shown = ""
        for part in line.split("\r"):
            part = part.replace("\x1b[A", "")
            shown = part + shown[len(part) :]
        lines.append(shown.rstrip())
    return lines


def test_bar_counts_results_and_failures():
    with shown_on(Terminal()) as terminal:
        with Progress(10, "work") as progress:
            progress.update(6)
            progress.update(4, failed=2)
        last = screen(terminal.getvalue())[0]
        assert last.startswith("work: 100%|") and "10/10" in last and "2 failed" in last


def test_no_label_and_no_total():
    with shown_on(Terminal()) as terminal:
        progress = Progress(None, True)
        progress.update(3)
        progress.close()
        progress.close()
        progress.update(1)
        assert screen(terminal.getvalue())[0].startswith("3it [")


def test_at_most_about_ten_refreshes_a_second():
    with shown_on(Terminal()) as terminal:
        with Progress(100_000) as progress:
            for _ in range(20_000):
                progress.update()
        drawn = terminal.getvalue().count("it/s")
        elapsed = progress_seconds(terminal.getvalue())
        assert drawn <= 10 * elapsed + 3


def progress_seconds(written):
    """Upper bound of the seconds that the bar itself says have passed."""
    minutes, seconds = written.rpartition("[")[2].partition("<")[0].split(":")
    return int(minutes) * 60 + int(seconds) + 1


def test_printed_lines_stand_above_the_bar():
    with shown_on(Terminal()) as terminal:
        with Progress(3, "work") as progress:
            for number in range(3):
                emit(1, f"line {number}\n".encode())
                emit(2, b"part ")
                progress.update()
            emit(2, b"whole\n")
        lines = screen(terminal.getvalue())
        assert lines[:4] == ["line 0", "line 1", "line 2", "part part part whole"]
        assert lines[4].startswith("work: 100%") and lines[5:] == [""]


def test_unfinished_line_comes_out_below_the_finished_bar():
    with shown_on(Terminal()) as terminal:
        with Progress(1, "work") as progress:
            emit(1, b"no newline")
            progress.update()
        assert screen(terminal.getvalue())[-1] == "no newline"


def test_two_bars_at_once():
    with shown_on(Terminal()) as terminal:
        one, two = Progress(2, "one"), Progress(2, "two")
        emit(1, b"both\n")
        one.update(2)
        one.close()
        emit(1, b"one left\n")
        two.close()
        emit(1, b"none left\n")
        assert all(text in terminal.getvalue() for text in ("both\n", "one left\n", "none left\n"))


def test_printing_from_another_thread():
    with shown_on(Terminal()) as terminal:
        with Progress(2000, "work") as progress:
            thread = threading.Thread(target=lambda: [emit(1, b"line %d\n" % number) for number in range(200)])
            thread.start()
            for _ in range(2000):
                progress.update()
            thread.join()
        printed = [line for line in screen(terminal.getvalue()) if line.startswith("line")]
        assert printed == [f"line {number}" for number in range(200)]


def test_no_stderr_or_a_closed_one():
    closed = Terminal()
    closed.close()
    for stream in None, closed:
        with shown_on(stream), Progress(2, "work") as progress:
            progress.update(2, failed=1)


def test_stderr_closed_while_the_bar_is_shown():
    with shown_on(Terminal()) as stream, Progress(5, "work") as progress:
        stream.close()
        emit(2, b"lost\n")
        for _ in range(5):
            progress.update(1, failed=1)


def test_without_tqdm_there_is_a_warning_and_no_bar(monkeypatch):
    monkeypatch.setattr(_progress, "_kind", None)
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.std", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with pytest.warns(UserWarning, match="tqdm, which is not installed"):
        progress = Progress(2, "work")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        progress.update(2)
        progress.close()


def fresh(code, **streams):
    return subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path.insert(0, {PACKAGES!r})\n" + textwrap.dedent(code)],
        timeout=60,
        **streams,
    )


def test_neither_threads_nor_multiprocessing_come_with_the_bar():
    done = fresh(
        """
        import threading
        from manyhands._progress import Progress
        assert "tqdm" not in sys.modules
        with Progress(1) as progress:
            progress.update()
        assert "multiprocessing" not in sys.modules and "asyncio" not in sys.modules
        assert threading.active_count() == 1
        """,
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    assert b"1/1" in done.stderr


@pytest.mark.parametrize("columns", [70, 0])
def test_real_terminal(columns):
    """On a pseudo-terminal: the lines whole and in order, and the bar finished below them."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    done = fresh(
        """
        import time
        from manyhands._output import emit
        from manyhands._progress import Progress
        with Progress(20, "work") as progress:
            for number in range(20):
                progress.update(1, failed=number == 7)
                emit(1, b"line %d\\n" % number)
                time.sleep(0.005)
        """,
        stdout=child,
        stderr=child,
    )
    os.close(child)
    written = b""
    try:
        while chunk := os.read(parent, 65536):
            written += chunk
    except OSError:
        pass  # how Linux says that the other side is closed
    os.close(parent)
    assert done.returncode == 0
    lines = screen(written.decode().replace("\r\n", "\n"))
    assert lines[:20] == [f"line {number}" for number in range(20)]
    assert len(lines[20]) <= (columns or 80)
    assert lines[20].startswith("work: 100%|") and "20/20" in lines[20] and "1 failed" in lines[20]
