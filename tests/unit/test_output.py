"""Prints of workers: whole lines on the way, at the caller's current stdout or stderr in the end."""

import contextlib
import io
import os
import subprocess
import sys
import textwrap
import threading

import pytest

from manyhands import _output
from manyhands._output import Output, emit

PACKAGES = os.path.dirname(os.path.dirname(_output.__file__))


class Sent(list):
    """A `send` that remembers."""

    def __call__(self, stream, data):
        self.append((stream, data))


@contextlib.contextmanager
def installed():
    """An installed output and what it sent. A context, as pytest puts its own streams in place after the fixtures."""
    names = "stdout", "stderr", "__stdout__", "__stderr__"
    before = [getattr(sys, name) for name in names]
    sent = Sent()
    try:
        yield _output.install(sent), sent
    finally:
        for name, stream in zip(names, before):
            setattr(sys, name, stream)


def test_whole_lines_go_at_once():
    with installed() as (_, sent):
        print("one", 1)
        sys.stderr.write("two\nthree\n")
        sys.__stdout__.write("four\n")
        assert sent == [(1, b"one 1\n"), (2, b"two\nthree\n"), (1, b"four\n")]


def test_unfinished_lines_wait_for_the_newline_or_the_items_end():
    with installed() as (output, sent):
        print("a", end="", flush=True)
        print("b", end="", file=sys.stderr)
        assert sent == [] and output.pending
        print("c\nd", end="")
        assert sent == [(1, b"ac\n")]
        output.finish_item()
        assert sent[1:] == [(2, b"b"), (1, b"d")] and not output.pending
        output.finish_item()
        assert len(sent) == 3


def test_bytes_and_text_that_is_no_text():
    with installed() as (output, sent):
        sys.stdout.buffer.write(b"\xff\n")
        sys.stdout.buffer.write(memoryview(b"view\n"))
        print("\udcff ü")
        print("\udcff \ud800", file=sys.stderr)
        assert sent == [(1, b"\xff\n"), (1, b"view\n"), (1, b"\xff \xc3\xbc\n"), (2, b"\\udcff \\ud800\n")]


def test_streams_look_like_streams():
    with installed():
        assert (sys.stdout.fileno(), sys.stderr.fileno()) == (1, 2)
        assert sys.stdout.name == "<stdout>" and sys.stdout.mode == "w" and sys.stdout.encoding == "utf-8"
        assert not sys.stdout.isatty() and sys.stdout.writable() and not sys.stdout.readable()
        assert sys.stdout is sys.__stdout__ and sys.stderr is sys.__stderr__
        with pytest.raises(TypeError):
            sys.stdout.buffer.write("text")


def test_threads_do_not_break_into_each_others_lines():
    with installed() as (output, sent):
        barrier = threading.Barrier(4)

        def chat(number):
            barrier.wait()
            for _ in range(200):
                for piece in "abc":
                    sys.stdout.write(piece + str(number))
                sys.stdout.write("\n")

        threads = [threading.Thread(target=chat, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(set(sent)) == [(1, f"a{n}b{n}c{n}\n".encode()) for n in range(4)] and len(sent) == 800


def test_line_that_never_ends_is_passed_on_before_it_fills_the_memory():
    with installed() as (output, sent):
        for count in range(100_000):
            sys.stderr.write("\r%5d" % count)
        assert 5 < len(sent) < 20
        output.finish_item()
        assert b"".join(data for _, data in sent) == b"".join(b"\r%5d" % count for count in range(100_000))


def test_closed_stream_is_new_for_the_next_item():
    with installed() as (output, sent):
        errors = sys.stderr
        print("before", end="")
        sys.stdout.close()
        with pytest.raises(ValueError):
            print("lost")
        output.finish_item()
        print("after")
        assert sent == [(1, b"before"), (1, b"after\n")]
        assert sys.stderr is errors and not output.pending
        os.fstat(1)  # the descriptor itself was left alone


def test_stream_that_the_user_put_in_place_is_left_there():
    with installed() as (output, sent):
        sys.stdout.close()
        sys.stdout = mine = io.StringIO()
        output.finish_item()
        print("kept")
        assert sys.stdout is mine and mine.getvalue() == "kept\n" and sent == []
        sys.__stdout__.write("the caller's\n")
        assert sent == [(1, b"the caller's\n")]


def test_nothing_pending_is_falsy_so_that_a_caller_need_not_call():
    with installed() as (output, _):
        assert not output.pending
        print("line")
        assert not output.pending


WORKER = """
import os, subprocess, sys
sys.path.insert(0, {packages!r})
from manyhands import _output
def send(stream, data):
    os.write(1, b"<%d %r>" % (stream, data))
output = _output.install(send)
"""


def run(code):
    done = subprocess.run(
        [sys.executable, "-c", WORKER.format(packages=PACKAGES) + textwrap.dedent(code)],
        capture_output=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_child_process_writes_to_the_real_descriptor():
    assert run("""subprocess.run(["echo", "child"], stdout=sys.stdout); print("done")""") == b"child\n<1 b'done\\n'>"


def test_forked_child_writes_to_the_real_descriptor_without_our_connection():
    out = run("""
        print("mine", end="")
        child = os.fork()
        if not child:
            print("child", end="")
            os._exit(0)
        os.waitpid(child, 0)
        output.finish_item()
    """)
    assert out == b"child<1 b'mine'>"


def test_signal_handler_may_print_while_printing():
    out = run("""
        import signal
        signal.signal(signal.SIGALRM, lambda *_: print("signal"))
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for _ in range(20000):
            print("x")
        signal.setitimer(signal.ITIMER_REAL, 0)
    """)
    assert out.count(b"x") == 20000 and b"signal" in out


def test_signal_handler_may_print_where_late_prints_are_looked_for():
    out = run("""
        class Late(list):
            broken_in = False

            def __len__(self):  # as if a signal came just after it was seen that there are some
                there = super().__len__()
                if there and not self.broken_in:
                    self.broken_in = True
                    print("second")
                return there

        def send_and_break_in(stream, data):
            output._send = send
            print("first")
            send(stream, data)

        output._late = Late()
        output._send = send_and_break_in
        print("x")
    """)
    assert out.startswith(b"<1 b'x\\n'>") and b"first" in out


def test_interpreter_ends_cleanly_with_streams_replaced_and_closed():
    assert run("""sys.stderr.close(); sys.stdout = None; del sys.__stdout__""") == b""


# ---------------------------------------------------------------------------------------------------------- parent


def test_lines_go_to_the_callers_current_streams(capsys):
    emit(1, b"plain\n")
    emit(2, b"error\n")
    with contextlib.redirect_stdout(io.StringIO()) as redirected:
        emit(1, "umläut\n".encode())
    assert capsys.readouterr() == ("plain\n", "error\n") and redirected.getvalue() == "umläut\n"


def test_no_stream_a_closed_one_or_a_broken_one_is_no_error(monkeypatch):
    closed = io.StringIO()
    closed.close()

    class Broken:
        def write(self, text):
            raise BrokenPipeError

    for stream in None, closed, Broken(), object():
        monkeypatch.setattr(sys, "stdout", stream)
        emit(1, b"lost\n")


def test_bytes_that_are_no_text_pass_unchanged(monkeypatch):
    binary = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(binary, "UTF-8"))
    emit(1, b"text ")
    emit(1, b"\xff\n")
    assert binary.getvalue() == b"text \xff\n"


def test_stream_without_the_letters_gets_legible_ones(monkeypatch):
    binary = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(binary, "ascii"))
    emit(1, "ü\n".encode())
    assert binary.getvalue() == b"\\xfc\n"


def test_output_shows_at_once(monkeypatch):
    binary = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(io.BufferedWriter(binary), "utf-8"))
    emit(2, b"no newline")
    assert binary.getvalue() == b"no newline"


def test_diverted_output_comes_back_through_write(capsys):
    _output.divert(lambda stream, data: _output.write(stream, data.upper()))
    try:
        emit(1, b"loud\n")
    finally:
        _output.divert(None)
    emit(1, b"quiet\n")
    assert capsys.readouterr().out == "LOUD\nquiet\n"


def test_round_trip_through_an_output():
    """Worker and parent put together: what is printed comes out the same."""
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        output = Output(emit)
        text = output._open(1, "stdout")
        print("ä", "b", sep="-", file=text)
        print("no newline", end="", file=text)
        output.finish_item()
    assert shown.getvalue() == "ä-b\nno newline"
