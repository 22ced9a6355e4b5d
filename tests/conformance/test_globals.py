"""Globals behave as in one program: those of a script, of an initializer, of a notebook whose cells are run again.

Most of these are programs of their own, since it is about what stands in `__main__`.
"""

import os

import pytest

import manyhands as mh

HEAD = "import manyhands as mh\n"


@pytest.fixture(params=["mh.map({}, workers=2)", "pool.map({})"], ids=["kept", "pool"])
def script(request, python):
    """`script(source)` runs a program in which `MAP(f, items)` stands for a call of either kind; gives what it printed."""

    def run(source):
        before, after = request.param.split("{}")
        lines = []
        for line in source.splitlines():
            while "MAP(" in line:
                start = line.index("MAP(")
                end = _closing(line, start + 4)
                line = line[:start] + before + line[start + 4 : end] + after + line[end + 1 :]
            lines.append(line)
        head = HEAD + ("pool = mh.Pool(2)\n" if "pool" in before else "")
        tail = "\npool.terminate()\n" if "pool" in before else "\n"
        return python(head + "\n".join(lines) + tail).split("\n")[:-1]

    return run


def _closing(line, position):
    """The place of the bracket that closes the one before `position`."""
    depth = 1
    while depth:
        depth += {"(": 1, ")": -1}.get(line[position], 0)
        position += 1
    return position - 1


def test_a_functions_globals_go_with_it(script):
    assert script(
        """
factor = 3
def scaled(x): return factor * helper(x)
def helper(x): return x + 1
print(MAP(scaled, range(3)))
"""
    ) == ["[3, 6, 9]"]


def test_a_changed_global_is_seen_by_the_next_map(script):
    assert script(
        """
factor, seen = 2, []
def look(x): return factor * x, list(seen)
print(MAP(look, [1]))
factor = 5
seen.append("appended")
print(MAP(look, [1]))
seen.clear()
print(MAP(look, [1]))
"""
    ) == ["[(2, [])]", "[(5, ['appended'])]", "[(5, [])]"]


def test_an_array_changed_in_place_is_seen_by_the_next_map(script):
    pytest.importorskip("numpy")
    assert script(
        """
import numpy as np
big = np.zeros(500_000)
def look(_): return float(big[0]), float(big[-1])
print(MAP(look, [1]))
big[0] = 1
print(MAP(look, [1]))
big[-1] = 2
print(MAP(look, [1]))
"""
    ) == ["[(0.0, 0.0)]", "[(1.0, 0.0)]", "[(1.0, 2.0)]"]


def test_a_redefined_function_replaces_the_old_one(script):
    assert script(
        """
def helper(x): return x
def task(x): return helper(x)
print(MAP(task, [1, 2]))
def helper(x): return -x
print(MAP(task, [1, 2]))
def task(x): return helper(x) * 10
print(MAP(task, [1, 2]))
"""
    ) == ["[1, 2]", "[-1, -2]", "[-10, -20]"]


def test_instances_of_the_scripts_classes_come_back_as_themselves(script):
    assert script(
        """
import dataclasses, enum, typing
class Point:
    def __init__(self, x): self.x = x
    def moved(self): return Point(self.x + 1)
@dataclasses.dataclass(frozen=True)
class Frozen:
    x: int
class Colour(enum.Enum):
    RED = 1
    BLUE = 2
class Named(typing.NamedTuple):
    x: int
points = MAP(Point.moved, [Point(1), Point(2)])
print([(type(p) is Point, p.x) for p in points])
print(MAP(lambda f: dataclasses.replace(f, x=f.x + 1), [Frozen(1)]) == [Frozen(2)])
print(MAP(lambda c: Colour.BLUE if c is Colour.RED else None, [Colour.RED])[0] is Colour.BLUE)
print(type(MAP(lambda n: Named(n.x + 1), [Named(1)])[0]) is Named)
print(MAP(lambda cls: cls is Point and issubclass(cls, Point), [Point]))
"""
    ) == ["[(True, 2), (True, 3)]", "True", "True", "True", "[True]"]


def test_a_redefined_class_is_a_new_class(script):
    assert script(
        """
class Thing:
    def say(self): return "old"
print(MAP(lambda t: t.say(), [Thing()]))
Old = Thing
class Thing:
    def say(self): return "new"
print(MAP(lambda t: (t.say(), isinstance(t, Thing)), [Thing(), Old()]))
"""
    ) == ["['old']", "[('new', True), ('old', False)]"]


def test_a_method_changed_on_the_class(script):
    assert script(
        """
class Thing:
    def say(self): return "old"
thing = Thing()
print(MAP(lambda t: t.say(), [thing]))
Thing.say = lambda self: "changed"
print(MAP(lambda t: t.say(), [thing]))
"""
    ) == ["['old']", "['changed']"]


def test_exceptions_of_the_script_are_caught_as_themselves(script):
    assert script(
        """
class Mine(Exception):
    def __init__(self, a, b): super().__init__(f"{a} and {b}"); self.b = b
def fail(x): raise Mine("one", x)
try: MAP(fail, [2])
except Mine as error: print(error, error.b)
"""
    ) == ["one and 2 2"]


def test_a_global_that_a_task_sets_stays_in_its_worker(python):
    printed = python(
        HEAD
        + """
count = 0
def up(_):
    global count
    count += 1
    return count
with mh.Pool(1) as pool:
    print(pool.map(up, range(3)), pool.map(up, range(2)), count)
"""
    )
    assert printed == "[1, 2, 3] [4, 5] 0\n"


def test_globals_that_no_task_touches_may_be_anything(script):
    assert script(
        """
import threading, sys
lock, stream, generator = threading.Lock(), open(__file__), (x for x in "ab")
def task(x): return x
def unused(): return lock, stream, generator
print(MAP(task, [1]))
def touches(x): return lock.locked() if x else None
print(MAP(touches, [0]))
try: MAP(touches, [1])
except Exception as error: print("'lock'" in str(error))
"""
    ) == ["[1]", "[None]", "True"]


def test_modules_as_globals(script):
    assert script(
        """
import math, os.path as path, xml.dom
def task(x): return math.floor(x), path.basename("a/b"), xml.dom.__name__
print(MAP(task, [1.5]))
"""
    ) == ["[(1, 'b', 'xml.dom')]"]


# ----------------------------------------------------------------------------------------------------- initializers


def test_an_initializers_global_is_seen_by_the_tasks(python):
    printed = python(
        HEAD
        + """
def prepare(a, b):
    global table
    table = {"a": a, "b": b}
def look(key): return table[key]
with mh.Pool(2, prepare, ("first", [2])) as pool:
    print(pool.map(look, "abab"))
    print(pool.map(lambda key: table[key], "b"), pool.apply(look, "a"))
"""
    )
    assert printed == "['first', [2], 'first', [2]]\n[[2]] first\n"


def test_an_initializers_global_outlives_a_value_of_the_same_name_in_the_caller(python):
    printed = python(
        HEAD
        + """
table = None
def prepare():
    global table
    table = "set"
with mh.Pool(2, prepare) as pool:
    print(pool.map(lambda _: table, range(2)))
    print(pool.map(lambda _: table, range(2)))
"""
    )
    assert printed == "['set', 'set']\n['set', 'set']\n"


def test_an_initializer_runs_once_in_each_worker(tmp_path):
    def note(folder):
        (folder / str(os.getpid())).touch(exist_ok=False)

    with mh.Pool(2, note, (tmp_path,)) as pool:
        pids = set(pool.map(lambda _: os.getpid(), range(500)))
        assert pids <= {int(path.name) for path in tmp_path.iterdir()}


def test_an_initializer_may_be_anything_that_can_be_called():
    class Local:
        def __call__(self, x):
            os.environ["SET_BY_INITIALIZER"] = x

    for initializer in (Local(), lambda x: os.environ.update(SET_BY_INITIALIZER=x)):
        with mh.Pool(1, initializer, ["yes"]) as pool:
            assert pool.apply(os.getenv, ["SET_BY_INITIALIZER"]) == "yes"


def test_a_replaced_worker_is_initialized_too():
    def prepare():
        os.environ["READY"] = "yes"

    with mh.Pool(1, prepare) as pool:
        with pytest.raises(mh.WorkerDied):
            pool.apply(os._exit, [1])
        assert pool.apply(os.getenv, ["READY"]) == "yes"


def test_a_failing_initializer_breaks_the_pool():
    def prepare():
        raise LookupError("no table")

    with mh.Pool(2, prepare) as pool:
        with pytest.raises(mh.PoolBroken, match="initializer.*LookupError: no table") as caught:
            pool.map(abs, range(10))
        assert "in prepare" in str(caught.value.__cause__)
        with pytest.raises(mh.PoolBroken):
            pool.apply(abs, [1])
        with pytest.raises(mh.PoolBroken):
            pool.apply_async(abs, [1]).get(60)
        with pytest.raises(mh.PoolBroken):
            list(pool.imap(abs, [1]))


def test_an_initializer_that_cannot_be_sent():
    import threading

    lock = threading.Lock()
    with pytest.raises(TypeError, match="lock") as caught:
        mh.Pool(1, lambda: lock)
    assert "initializer" in " ".join(getattr(caught.value, "__notes__", ("initializer",)))
    with pytest.raises(TypeError):
        mh.Pool(1, print, (lock,))


def test_a_wrong_initializer():
    with pytest.raises(TypeError, match="initializer must be a callable"):
        mh.Pool(1, 3)
