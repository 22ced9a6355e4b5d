"""What a map carries to its workers: directory, sys.path, sys.argv, environment; stale modules; how a worker starts."""

import importlib
import os
import subprocess
import sys
import timeit

import pytest

from manyhands import _context
from manyhands._context import Context, Follower, Modules, interpreter_flags, needs_site

PACKAGES = os.path.dirname(os.path.dirname(_context.__file__))


def python(code, *options, stdin=b"", **environment):
    """Run `code` in a fresh interpreter that can import this manyhands; return what it printed."""
    done = subprocess.run(
        [sys.executable, *options, "-c", f"import sys; sys.path.insert(0, {PACKAGES!r})\n{code}"],
        input=stdin,
        capture_output=True,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@pytest.fixture
def process_state():
    """Give the process its own state back after the test."""
    directory, path, argv, environment = os.getcwd(), list(sys.path), sys.argv, dict(os.environ)
    yield
    os.chdir(directory)
    sys.path[:], sys.argv = path, argv
    os.environ.clear()
    os.environ.update(environment)


# ---------------------------------------------------------------------------------------------------------- Context


def test_nothing_changed_costs_microseconds_and_gives_the_same_object(process_state):
    context = Context()
    version, payload = context.snapshot()
    again, same = context.snapshot()
    assert (version, again) == (1, 1) and same is payload
    assert min(timeit.repeat(context.snapshot, number=100, repeat=20)) / 100 < 20e-6


def test_each_kind_of_change_makes_a_new_version(process_state, tmp_path):
    context = Context()
    versions = [context.snapshot()[0]]
    os.chdir(tmp_path)
    versions.append(context.snapshot()[0])
    sys.path.append(str(tmp_path))
    versions.append(context.snapshot()[0])
    sys.argv = [*sys.argv, "--new"]
    versions.append(context.snapshot()[0])
    os.environ["MH_TEST"] = "1"
    versions.append(context.snapshot()[0])
    del os.environ["MH_TEST"]
    versions.append(context.snapshot()[0])
    assert versions == [1, 2, 3, 4, 5, 6]


def test_odd_entries_of_sys_path_and_argv_are_left_out(process_state, tmp_path):
    class Text(str):
        def __str__(self):
            return "something else"

    sys.path += [tmp_path, Text("entry"), None]
    sys.argv = ["script", 3, Text("argument")]
    follower = Follower()
    follower.apply(Context().snapshot()[1])
    assert sys.path[-1] == "entry" and type(sys.path[-1]) is str
    assert sys.argv == ["script", "argument"]


def test_removed_directory_is_survived_on_both_sides(process_state, tmp_path):
    gone = tmp_path / "gone"
    gone.mkdir()
    os.chdir(gone)
    context = Context()
    _, payload = context.snapshot()
    os.chdir(tmp_path)
    gone.rmdir()
    follower = Follower()
    follower.apply(payload)
    assert follower.missing_directory == str(gone) and os.getcwd() == str(tmp_path)
    gone.mkdir()
    follower.apply(payload)
    assert follower.missing_directory is None and os.getcwd() == str(gone)
    gone.rmdir()
    assert context.snapshot()[0] == 2  # no directory at all: no exception, the worker stays where it is
    follower.apply(context.snapshot()[1])


# --------------------------------------------------------------------------------------------------------- Follower


def test_a_worker_ends_up_where_the_parent_is(process_state, tmp_path):
    os.chdir(tmp_path)
    sys.argv = ["script", "--option", "umläut \udcff"]
    os.environ["MH_TEXT"] = "tschüß \udc80"
    sys.path.insert(0, "relative")
    printed = python(
        "import os\nfrom manyhands._context import Follower\n"
        "Follower().apply(sys.stdin.buffer.read())\n"
        "print(ascii((os.getcwd(), sys.path, sys.argv, os.environ['MH_TEXT'])))",
        stdin=Context().snapshot()[1],
        MH_TEXT="old",
    )
    assert printed == ascii((str(tmp_path), sys.path, sys.argv, "tschüß \udc80"))


def test_environment_differences_only(process_state):
    environment = os.environ
    environment["MH_SHARED"] = "1"
    environment["MH_THREADS"] = "64"
    context, follower = Context(), Follower(own=["MH_THREADS"])
    _, first = context.snapshot()
    environment["MH_SHARED"] = "2"
    _, second = context.snapshot()
    environment["MH_THREADS"] = "8"
    _, third = context.snapshot()
    del environment["MH_THREADS"], environment["MH_SHARED"]
    _, fourth = context.snapshot()

    environment["MH_THREADS"] = "2"  # from here on this process plays the worker, started with its own value
    environment["MH_STALE"] = "removed in the parent before the first look"
    follower.apply(first)
    assert (environment["MH_SHARED"], environment["MH_THREADS"]) == ("1", "2") and "MH_STALE" not in environment
    environment["MH_ITEM"] = "set by an item"
    follower.apply(second)
    assert (environment["MH_SHARED"], environment["MH_THREADS"]) == ("2", "2") and "MH_ITEM" in environment
    follower.apply(third)
    assert environment["MH_THREADS"] == "8"
    assert subprocess.run(["printenv", "MH_THREADS"], capture_output=True).stdout == b"8\n"
    follower.apply(fourth)
    assert "MH_THREADS" not in environment and "MH_SHARED" not in environment and "MH_ITEM" in environment


def test_what_items_change_stays_until_the_parent_changes_it(process_state, tmp_path):
    context, follower = Context(), Follower()
    follower.apply(context.snapshot()[1])
    os.environ["MH_UNRELATED"] = "1"
    _, payload = context.snapshot()
    os.chdir(tmp_path)
    sys.path.append("item's own")
    follower.apply(payload)
    assert os.getcwd() == str(tmp_path) and sys.path[-1] == "item's own"


def test_time_zone_takes_effect(process_state):
    os.environ["TZ"] = "Asia/Tokyo"
    assert "9.0" in python(
        "import time\nfrom manyhands._context import Follower\n"
        "Follower().apply(sys.stdin.buffer.read()); print(-time.timezone / 3600)",
        stdin=Context().snapshot()[1],
        TZ="UTC",
    )


def test_without_site_the_worker_has_what_site_gives():
    printed = python(
        "from manyhands._context import Follower\n"
        "Follower().apply(sys.stdin.buffer.read())\n"
        "import pytest; print((sys.prefix, sys.exec_prefix), 'site' in sys.modules)\nexit(0)",
        "-S",
        stdin=Context().snapshot()[1],
    )
    assert printed == f"{(sys.prefix, sys.exec_prefix)} False"


# ---------------------------------------------------------------------------------------------------------- Modules


@pytest.fixture
def module(process_state, tmp_path):
    """A module of the user's, imported."""
    sys.path.insert(0, str(tmp_path))
    (tmp_path / "mh_user_module.py").write_text("value = 1\n")
    yield importlib.import_module("mh_user_module")
    sys.modules.pop("mh_user_module", None)
    sys.modules.pop("mh_later_module", None)


def standing_still():
    """A clock by which looking at the files takes no time, so that they are looked at every time."""
    return 0.0


def test_reloaded_module_is_told_once(module):
    modules = Modules()
    assert modules.changed() == []
    importlib.reload(module)
    assert modules.changed() == ["mh_user_module"]
    assert modules.changed() == []


def test_rewritten_module_is_told_once(module, tmp_path):
    modules = Modules(standing_still)
    file = tmp_path / "mh_user_module.py"
    file.write_text("value = 22\n")
    assert modules.changed() == ["mh_user_module"]
    assert modules.changed() == []
    file.unlink()  # as an editor does before it writes the new version
    assert modules.changed() == []
    file.write_text("value = 333\n")
    assert modules.changed() == ["mh_user_module"]


def test_module_imported_later_is_watched_from_then_on(module, tmp_path):
    modules = Modules(standing_still)
    (tmp_path / "mh_later_module.py").write_text("")
    later = importlib.import_module("mh_later_module")
    assert modules.changed() == []
    importlib.reload(later)
    assert modules.changed() == ["mh_later_module"]


def test_module_imported_anew_after_removal(module):
    modules = Modules()
    del sys.modules["mh_user_module"]
    assert modules.changed() == []
    importlib.import_module("mh_user_module")
    assert modules.changed() == ["mh_user_module"]


def test_only_the_users_modules_are_watched(module):
    import json.decoder  # noqa: F401

    import numpy  # noqa: F401

    watched = Modules()._own
    assert "mh_user_module" in watched
    assert not {"json", "json.decoder", "numpy", "pytest", "sys", "__main__", "manyhands._context"} & watched.keys()


def test_lazy_modules_are_not_woken(module, tmp_path):
    (tmp_path / "mh_later_module.py").write_text("raise SystemExit('woken')\n")
    spec = importlib.util.find_spec("mh_later_module")
    spec.loader = importlib.util.LazyLoader(spec.loader)
    sys.modules["mh_later_module"] = lazy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(lazy)
    modules = Modules(standing_still)
    assert modules.changed() == [] and "mh_later_module" in modules._own


def test_looking_at_files_takes_a_bounded_share_of_the_time(module, monkeypatch):
    now, looks = [0.0], []

    def slow_stat(path):
        looks.append(path)
        now[0] += 0.001  # a slow network file system

    modules = Modules(lambda: now[0])
    monkeypatch.setattr(_context, "_stamp", slow_stat)
    while now[0] < 10.0:
        modules.changed()
        now[0] += 0.001
    first = len(modules._own)  # one look at all files is free; it may be the last one just as well
    assert 0 < (len(looks) - first) * 0.001 <= 10.0 / 20


# ------------------------------------------------------------------------------------------------- starting a worker


def test_site_is_not_needed_in_a_plain_environment(tmp_path):
    code = "from manyhands._context import needs_site; print(needs_site())"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "plain"], check=True)
    done = subprocess.run(
        [tmp_path / "plain" / "bin" / "python", "-c", f"import sys; sys.path.insert(0, {PACKAGES!r})\n{code}"],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    )
    assert done.stdout.strip() == "False", done.stderr


def test_pth_files_that_run_code_need_site(monkeypatch, tmp_path):
    packages = tmp_path / "lib" / "site-packages"
    packages.mkdir(parents=True)
    monkeypatch.setattr(sys, "path", [str(packages), None])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if _context._dispensable(finder)])
    monkeypatch.delitem(sys.modules, "sitecustomize", raising=False)
    (packages / "paths.pth").write_text("/some/where\n# import this\n")
    (packages / "distutils-precedence.pth").write_text("import os; os.getpid()\n")
    (packages / "a1_coverage.pth").write_text("import sys\n")
    assert not needs_site()
    with monkeypatch.context() as patch:
        patch.setenv("COVERAGE_PROCESS_START", "setup.cfg")
        assert needs_site()
    (packages / "__editable__.thing.pth").write_text("import __editable___thing_finder\n")
    assert needs_site()


def test_unknown_finders_and_customisations_need_site(monkeypatch):
    class EditableFinder:
        pass

    monkeypatch.setattr(sys, "path", [])
    monkeypatch.setattr(sys, "meta_path", [finder for finder in sys.meta_path if _context._dispensable(finder)])
    monkeypatch.delitem(sys.modules, "sitecustomize", raising=False)
    assert not needs_site()
    for finder in EditableFinder, EditableFinder():
        with monkeypatch.context() as patch:
            patch.setattr(sys, "meta_path", [finder, *sys.meta_path])
            assert needs_site()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "path_hooks", [*sys.path_hooks, lambda path: None])
        assert needs_site()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "usercustomize", os)
        assert needs_site()


def test_dispensable_finders():
    from _pytest.assertion.rewrite import AssertionRewritingHook

    six = type("_SixMetaPathImporter", (), {"__module__": "somewhere.packages.six"})
    assert _context._dispensable(AssertionRewritingHook.__new__(AssertionRewritingHook))
    assert _context._dispensable(six()) and not _context._dispensable(object())


@pytest.mark.parametrize(
    "options",
    [
        ["-O"],
        ["-OO", "-B"],
        ["-b"],
        ["-bb", "-W", "error::DeprecationWarning"],
        ["-E", "-s"],
        ["-X", "dev"],
        ["-X", "utf8", "-X", "faulthandler", "-W", "ignore", "-W", "default::UserWarning"],
        ["-X", "int_max_str_digits=9999"],
        ["-I"],
    ],
)
def test_flags_reproduce_the_interpreters_settings(options):
    settings = (
        "[*sys.flags[:4], *sys.flags[6:], sys.warnoptions, sorted(sys._xoptions.items()), sys.dont_write_bytecode]"
    )
    flags, parent = eval(
        python(
            f"from manyhands._context import interpreter_flags; print((interpreter_flags(), {settings}))",
            *options,
        )
    )
    assert eval(python(f"print({settings})", *flags)) == parent


def test_unbuffered_and_interactive_are_not_inherited():
    flags = eval(python("from manyhands._context import interpreter_flags; print(interpreter_flags())", "-u", "-q"))
    assert not {"-u", "-q", "-i", "-S"} & set(flags)


def test_flags_of_this_process_are_strings():
    assert all(type(flag) is str for flag in interpreter_flags())


@pytest.mark.parametrize("name", ["_context", "_output", "_random", "_progress"])
def test_importing_is_cheap(name):
    """None of these modules brings anything along: they are loaded in every worker, or before the first map."""
    loaded = python(
        "import os, io, types; sys.modules['manyhands'] = package = types.ModuleType('manyhands')\n"
        f"package.__path__ = [{os.path.join(PACKAGES, 'manyhands')!r}]\n"
        f"before = set(sys.modules); import manyhands.{name}; print(sorted(set(sys.modules) - before))",
        "-S",
    )
    assert set(eval(loaded)) <= {f"manyhands.{name}", "manyhands._output"}
