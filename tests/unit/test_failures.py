"""How failures come back: class and attributes kept, the worker's traceback, the item, and never a hang.

Cases run as scripts with a real worker process, with the carrier of `test_pickling`.
"""

import os
import pickle
import subprocess
import sys
import textwrap
import types
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_pickling import PACKAGE, script  # noqa: F401

try:
    import manyhands  # noqa: F401
except ImportError:  # the compiled module is not there: the package without its face
    package = types.ModuleType("manyhands")
    package.__path__ = [str(PACKAGE)]
    sys.modules["manyhands"] = package

from manyhands import errors
from manyhands._failures import annotate, brief, describe, describe_unsendable, rebuild

PROLOGUE = """
import sys, traceback, carrier
from carrier import run
def caught(*call):
    try: run(*call)
    except BaseException as error:
        return error, "".join(traceback.format_exception(type(error), error, error.__traceback__))
    raise AssertionError("nothing was raised")
"""

SCRIPTS = {
    "own_class_and_attributes": """
        class Mine(ValueError):
            pass
        def task(x):
            error = Mine("bad", x)
            error.extra = {"k": x}
            raise error
        error, text = caught(task, 7)
        assert type(error) is Mine and error.args == ("bad", 7) and error.extra == {"k": 7}
        assert "in task" in text and "item 1" in text and "(7,)" in text, text
        assert "carrier.py" not in str(error.__cause__) or "_failures" not in str(error.__cause__)
        assert type(error.__cause__).__name__ == "RemoteTraceback"
    """,
    "two_argument_init": """
        class Two(Exception):
            def __init__(self, code, reason):
                super().__init__(f"{code}: {reason}")
                self.code, self.reason = code, reason
        def task():
            raise Two(5, "why")
        error, text = caught(task)
        assert type(error) is Two and str(error) == "5: why" and (error.code, error.reason) == (5, "why")
    """,
    "message_made_by_init_is_not_made_twice": """
        class Code(Exception):
            def __init__(self, code):
                super().__init__(f"code {code}")
                self.code = code
        def task(): raise Code(5)
        error, text = caught(task)
        assert type(error) is Code and str(error) == "code 5" and error.code == 5
    """,
    "keyword_only_init": """
        class K(Exception):
            def __init__(self, *, a): super().__init__(); self.a = a
        def task(): raise K(a=1)
        error, text = caught(task)
        assert type(error) is K and error.a == 1
    """,
    "unpicklable_attribute_is_shown_instead": """
        import threading
        class Holder(Exception): pass
        def task():
            error = Holder("x"); error.lock, error.fine = threading.Lock(), 3
            raise error
        error, text = caught(task)
        assert type(error) is Holder and error.fine == 3 and "lock" in error.lock
    """,
    "class_that_refuses": """
        class Refuses(Exception):
            def __reduce__(self): raise RuntimeError("never")
            def __new__(cls, *args): raise TypeError("no") if args != ("go",) else None
        class Meta(type):
            def __reduce__(cls): raise RuntimeError
        def task():
            class Local(Exception):
                def __reduce__(self): raise RuntimeError("never")
                import threading
                lock = threading.Lock()
            raise Local("the message")
        error, text = caught(task)
        assert type(error).__name__ == "TaskFailed" and "Local" in error.kind and error.text == "the message"
        assert "in task" in text
    """,
    "cause_and_context_are_in_the_text": """
        def inner(): raise KeyError("deep")
        def task():
            try: inner()
            except KeyError as error: raise ValueError("shallow") from error
        error, text = caught(task)
        assert type(error) is ValueError and "deep" in text and "in inner" in text
    """,
    "notes_are_kept": """
        def task():
            error = ValueError("x")
            if hasattr(error, "add_note"): error.add_note("mine")
            else: error.__notes__ = ["mine"]
            raise error
        error, text = caught(task)
        assert error.__notes__[0] == "mine"
    """,
    "exit_and_interrupt": """
        import sys
        error, text = caught(lambda: sys.exit(3))
        assert type(error).__name__ == "TaskExited" and error.code == 3 and "sys.exit(3)" in str(error)
        def interrupt(): raise KeyboardInterrupt
        error, text = caught(interrupt)
        assert error.kind == "KeyboardInterrupt" and isinstance(error, Exception)
        def leave(): raise GeneratorExit("x")
        assert caught(leave)[0].kind == "GeneratorExit"
        assert run(lambda: 1) == 1
    """,
    "unpicklable_result": """
        import threading, multiprocessing.pool
        error, text = caught(lambda x: threading.Lock(), 4)
        assert isinstance(error, multiprocessing.pool.MaybeEncodingError), error
        assert "lock" in str(error) and "item 1" in str(error) and "(4,)" in str(error)
    """,
    "os_errors": """
        def task(): open("/no/such/file")
        error, text = caught(task)
        assert type(error) is FileNotFoundError and error.errno == 2 and error.filename == "/no/such/file"
        class MyOS(OSError):
            def __init__(self, a, b, c): super().__init__(a, b); self.c = c
        def other(): raise MyOS(1, "two", 3)
        error, text = caught(other)
        assert type(error) is MyOS and error.c == 3 and error.args == (1, "two")
    """,
    "repr_that_raises": """
        class Bad:
            def __repr__(self): raise RuntimeError
        def task(x): raise ValueError("v")
        error, text = caught(task, Bad())
        assert type(error) is ValueError
    """,
    "group": """
        import sys
        if sys.version_info >= (3, 11):
            class Mine(Exception): pass
            def task(): raise ExceptionGroup("g", [Mine(1), ValueError(2)])
            error, text = caught(task)
            assert type(error) is ExceptionGroup and type(error.exceptions[0]) is Mine
    """,
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_round_trip(script, name):  # noqa: F811
    script(PROLOGUE + textwrap.dedent(SCRIPTS[name]))


def test_annotate_shows():
    import traceback

    error = annotate(ValueError("x"), "what it was about")
    assert "what it was about" in "".join(traceback.format_exception(type(error), error, None))


def test_class_that_is_missing_here_is_stood_in_for():
    data = describe(ValueError("v"), 3, "item", pickle.dumps, pickle.loads)
    record = pickle.loads(data)
    record["exception"] = b"cnowhere\nMissing\n."
    error = rebuild(pickle.dumps(record), pickle.loads)
    assert type(error) is errors.TaskFailed and "ValueError: v" in str(error)


def test_unsendable_result_names_everything():
    data = describe_unsendable(TypeError("cannot"), [1], 7, "it", pickle.dumps, pickle.loads)
    error = rebuild(data, pickle.loads)
    assert isinstance(error, errors.MaybeEncodingError)
    assert error.value == "[1]" and "cannot" in error.exc and "item 7" in str(error)
    assert type(error.__cause__) is TypeError and error.__cause__.args == ("cannot",)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error) and again.exc == error.exc


class Shaped:
    shape = (1000, 1000)
    dtype = "float64"

    def __repr__(self):
        raise AssertionError("a big array is not spelt out")


@pytest.mark.parametrize(
    "item, shown",
    [
        (3, "3"),
        ("ab", "'ab'"),
        ((1,), "(1,)"),
        ([], "[]"),
        ({}, "{}"),
        (set(), "set()"),
        ({"a": 1}, "{'a': 1}"),
        (range(3), "range(0, 3)"),
        ([[[1]]], "[[<list of 1>]]"),
        (list(range(10**6)), "[0, 1, 2, 3, 4, 5, ...]"),
    ],
)
def test_brief(item, shown):
    assert brief(item) == shown


def test_brief_is_short_and_cheap():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert "(1000, 1000)" in brief(Shaped()) and "(1000, 1000)" in brief([Shaped()])
    assert "RuntimeError" in brief(Broken()) and "RuntimeError" in brief([Broken()])
    for item in ("x" * 10**7, b"y" * 10**7, 10**10_000, [["z" * 1000] * 50] * 50, {i: i for i in range(1000)}):
        assert len(brief(item)) <= 80


def test_errors_are_what_people_catch():
    import concurrent.futures
    import multiprocessing

    assert issubclass(errors.WorkerDied, concurrent.futures.BrokenExecutor)
    assert issubclass(errors.PoolBroken, concurrent.futures.BrokenExecutor)
    assert issubclass(errors.TimeoutError, multiprocessing.TimeoutError)
    assert issubclass(errors.TimeoutError, TimeoutError)
    assert errors.WorkerDied is errors.WorkerDied


def test_death_notice():
    died = errors.WorkerDied.of(worker=3, pid=123, index=17, item="'x'", signal=9, out_of_memory=True)
    assert str(died).startswith("worker 3 (pid 123) was killed by SIGKILL while running item 17 ('x'), probably out of")
    assert (died.index, died.signal, died.exitcode, died.out_of_memory) == (17, 9, None, True)
    again = pickle.loads(pickle.dumps(died))
    assert str(again) == str(died) and again.signal == 9 and type(again) is errors.WorkerDied
    assert "exit code 5" in str(errors.WorkerDied.of(index=0, exitcode=5))


@pytest.mark.parametrize(
    "error",
    [
        errors.TaskExited("m", "SystemExit", 3),
        errors.TaskFailed("m", "K", "t"),
        errors.PoolBroken("m", "trace"),
        errors.RemoteTraceback("t"),
        errors.TimeoutError("t"),
    ],
)
def test_errors_travel(error):
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error) and str(again) == str(error) and vars(again) == vars(error)


def test_errors_cost_little_to_import():
    text = (
        "import sys, types; package = types.ModuleType('manyhands'); package.__path__ = [sys.argv[1]];"
        "sys.modules['manyhands'] = package; import manyhands.errors, manyhands._failures;"
        "heavy = 'concurrent.futures multiprocessing traceback typing'.split();"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", text, str(PACKAGE)], capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert done.stdout.strip() == "[]"
