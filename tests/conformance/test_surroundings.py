"""Workers that are kept live in the caller's surroundings: directory, path, arguments, environment, modules, cores."""

import importlib
import os
import sys
import time

import pytest

import manyhands as mh
from manyhands._workers import THREAD_VARIABLES


@pytest.mark.ours("the surroundings are the engine's")
def test_a_changed_directory(backend, tmp_path, monkeypatch):
    assert backend.map(lambda _: os.getcwd(), range(4)) == [os.getcwd()] * 4
    monkeypatch.chdir(tmp_path)
    assert backend.map(lambda _: os.getcwd(), range(4)) == [str(tmp_path)] * 4
    (tmp_path / "below").mkdir()
    monkeypatch.chdir("below")
    assert backend.map(lambda _: os.getcwd(), range(4)) == [str(tmp_path / "below")] * 4


@pytest.mark.ours("the surroundings are the engine's")
def test_a_changed_environment(backend, monkeypatch):
    look = lambda _: (os.environ.get("ADDED_BY_TEST"), os.getenv("HOME"))
    monkeypatch.setenv("ADDED_BY_TEST", "yes")
    assert backend.map(look, range(4)) == [("yes", os.getenv("HOME"))] * 4
    monkeypatch.setenv("ADDED_BY_TEST", "changed \udcff")
    monkeypatch.setenv("HOME", "/elsewhere")
    assert backend.map(look, range(4)) == [("changed \udcff", "/elsewhere")] * 4
    monkeypatch.delenv("ADDED_BY_TEST")
    assert backend.map(look, range(4)) == [(None, "/elsewhere")] * 4


@pytest.mark.ours("the surroundings are the engine's")
def test_changed_arguments(backend, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["name", "--option"])
    assert backend.map(lambda _: list(sys.argv), range(2)) == [["name", "--option"]] * 2


@pytest.mark.ours("the surroundings are the engine's")
def test_a_changed_path(backend, tmp_path, monkeypatch):
    name = f"beside_{backend.name}"
    (tmp_path / f"{name}.py").write_text("def task(x): return ('found', x)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = __import__(name)
    assert backend.map(module.task, [1]) == [("found", 1)]
    assert backend.map(lambda x: __import__(name).task(x), [2]) == [("found", 2)]
    assert backend.map(lambda _: list(sys.path), [0]) == [sys.path]


def test_single_calls_see_the_surroundings_too(tmp_path, monkeypatch):
    with mh.Pool(1) as pool:
        monkeypatch.chdir(tmp_path)
        assert pool.apply(os.getcwd) == str(tmp_path)
        assert pool.apply_async(os.getcwd).get(60) == str(tmp_path)
        assert pool.map_async(lambda _: os.getcwd(), [1]).get(60) == [str(tmp_path)]


def test_the_main_module_looks_like_the_callers(parallel):
    import __main__

    assert parallel.map(lambda _: sys.modules["__main__"].__name__, [0]) == ["__main__"]
    assert "__main__" in sys.modules
    assert __main__ is sys.modules["__main__"]


# ---------------------------------------------------------------------------------------------------------- modules


@pytest.fixture
def module_file(tmp_path, monkeypatch):
    """`write(source)` (re)writes the file of the module `changing`, importable here."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    stamps = iter(range(1_700_000_000, 1_800_000_000, 10))

    def write(source):
        file = tmp_path / "changing.py"
        file.write_text(source)
        stamp = next(stamps)
        os.utime(file, (stamp, stamp))  # no two versions look alike, however quickly they follow
        importlib.invalidate_caches()

    yield write
    sys.modules.pop("changing", None)


def test_a_reloaded_module_reaches_the_workers(module_file):
    module_file("def task(x): return ('first', x)\n")
    import changing

    assert mh.map(changing.task, [1, 2], workers=2) == [("first", 1), ("first", 2)]
    module_file("def task(x): return ('second', x)\n")
    importlib.reload(changing)
    assert mh.map(changing.task, [1, 2], workers=2) == [("second", 1), ("second", 2)]
    assert mh.map(lambda x: changing.task(x), [1], workers=2) == [("second", 1)]


def test_a_rewritten_module_reaches_the_workers(module_file):
    module_file("value = 1\n")
    import changing  # noqa: F401 (the workers are to import what is imported here)

    look = lambda _: __import__("changing").value
    assert mh.map(look, range(2), workers=2) == [1, 1]
    module_file("value = 2\n")
    deadline = time.monotonic() + 60
    # Files are looked at now and then only, as that takes time.
    while mh.map(look, range(2), workers=2) != [2, 2]:
        assert time.monotonic() < deadline


# ----------------------------------------------------------------------------------------------- cores and threads


def test_maps_inside_a_worker_run_there(parallel):
    def inner(x):
        own = os.getpid()
        pids = [
            *mh.map(lambda _: os.getpid(), range(3)),
            *mh.starmap(lambda _: os.getpid(), [(1,), (2,)], workers=2),
            *mh.imap(lambda _: os.getpid(), range(3)),
            *mh.imap_unordered(lambda _: os.getpid(), range(3), workers=2),
        ]
        return set(pids) == {own} and mh.map(lambda y: x * y, range(4)) == [x * y for y in range(4)]

    assert all(parallel.map(inner, range(6)))


def test_a_pool_inside_a_worker_works(parallel):
    def inner(x):
        with mh.Pool(2) as pool:
            return pool.map(lambda y: x * y, range(4))

    assert parallel.map(inner, range(3)) == [[x * y for y in range(4)] for x in range(3)]


def test_nested_errors_and_seeds(backend):
    def inner(x):
        import random

        try:
            mh.map(lambda y: 1 / y, [1, 0])
        except ZeroDivisionError:
            return mh.map(lambda y: random.random(), range(2), seed=x)

    assert backend.map(inner, range(3)) == [
        mh.map(lambda y: __import__("random").random(), range(2), seed=x, backend="serial") for x in range(3)
    ]


def test_numerical_libraries_get_their_share_of_the_cores(python):
    printed = python(
        """
        import manyhands as mh, os, sys
        from manyhands._workers import THREAD_VARIABLES
        look = lambda _: {name: os.environ.get(name) for name in THREAD_VARIABLES}
        share = str(max(1, mh.cpu_count() // 2))
        with mh.Pool(2) as pool:
            print(pool.apply(look, [0]) == dict.fromkeys(THREAD_VARIABLES, share))
        print(mh.map(look, [0], workers=2) == [dict.fromkeys(THREAD_VARIABLES, share)])
        print(any(name in os.environ for name in THREAD_VARIABLES))
        os.environ["OMP_NUM_THREADS"] = "3"
        print(mh.map(look, [0], workers=2)[0]["OMP_NUM_THREADS"])
        """,
        env=dict.fromkeys(THREAD_VARIABLES),
    )
    assert printed.split() == ["True", "True", "False", "3"]


def test_what_the_user_set_stays(python):
    printed = python(
        "import manyhands as mh, os; print(mh.map(lambda _: os.environ['OMP_NUM_THREADS'], [0], workers=2))",
        env={"OMP_NUM_THREADS": "5"},
    )
    assert printed == "['5']\n"


# ------------------------------------------------------------------------------------------------ interpreter's own


@pytest.mark.parametrize("options", [["-O"], ["-X", "dev"], ["-B"], ["-W", "error"], ["-I"], ["-E"], ["-s"], ["-bb"]])
def test_workers_get_the_interpreters_options(python, options):
    source = f"""
        import sys; sys.path.insert(0, {os.path.dirname(os.path.dirname(mh.__file__))!r})
        import manyhands as mh
        names = "debug optimize dont_write_bytecode no_user_site ignore_environment bytes_warning isolated dev_mode"
        look = lambda _: ([getattr(sys.flags, name) for name in names.split()], sys.warnoptions, sys._xoptions)
        print(mh.map(look, [0], workers=1) == [look(0)])
        """
    printed, _ = python(source, options=options, stderr=True)
    assert printed == "True\n"


def test_workers_are_the_same_python(parallel):
    look = lambda _: (sys.executable, sys.version, sys.prefix, sys.exec_prefix, sys.base_prefix)
    assert parallel.map(look, [0]) == [look(0)]
