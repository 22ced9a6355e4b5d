"""Graphs of tasks, on every backend: each node once, in any order that the needs allow, and the plain calls' answers."""

import dataclasses
import functools
import gc
import os
import random
import signal
import sys
import time
import weakref
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque, namedtuple
from types import MappingProxyType, SimpleNamespace

import pytest

import manyhands as mh


@pytest.fixture(params=["processes", "threads", "serial"])
def backend(request):
    """Options of `compute` for each backend."""
    return {"backend": request.param, "workers": 2}


@pytest.fixture(params=["processes", "threads"])
def parallel(request):
    """Options of `compute` for each backend that runs tasks side by side."""
    return {"backend": request.param, "workers": 2}


@mh.task
def add(a, b):
    return a + b


@mh.task
def fail(*values):
    raise LookupError("no such thing")


def notes_of(error):
    return "\n".join(getattr(error, "__notes__", ()))


# ------------------------------------------------------------------------------------------------ answers


def random_graph(seed, call):
    """The values of many calls that use each other's results in every way that arguments may stand."""
    rng = random.Random(seed)
    values = [1, 2.5, "text", None]
    for _ in range(120):
        picked = [values[-1 - min(int(rng.expovariate(0.15)), len(values) - 1)] for _ in range(rng.randrange(5))]
        how = rng.randrange(6)
        if how == 0:
            values.append(call(*picked))
        elif how == 1:
            values.append(call(picked, key=rng.random()))
        elif how == 2:
            values.append(call({"a": picked, 3: tuple(picked)}, other=[[], [picked[:1]]]))
        elif how == 3:
            values.append(call(*picked, last=(1, picked)))
        elif how == 4:
            values.append(call(slice(len(picked), None), [1, 2]))
        else:
            values.append(call())
    return values


@pytest.mark.parametrize("seed", range(4))
def test_a_random_graph_gives_what_plain_calls_give(backend, seed):
    def digest(*args, **kwargs):
        # Long reprs would grow from call to call.
        return hash_of((args, sorted(kwargs.items())))

    def hash_of(value):
        return sum(ord(char) * place for place, char in enumerate(repr(value), 1)) % 1_000_003

    expected = random_graph(seed, digest)
    lazy = random_graph(seed, mh.task(digest))
    assert mh.compute(*lazy, **backend) == tuple(expected)
    assert lazy[-1].compute(**backend) == expected[-1]


def test_each_node_is_run_once(backend, tmp_path):
    @mh.task
    def noted(name, *needs):
        with open(tmp_path / name, "ab") as file:
            file.write(b".")
        return name

    shared = noted("shared")
    ends = [noted(f"end{n}", shared, shared) for n in range(10)]
    assert mh.compute(ends, shared, **backend) == ([f"end{n}" for n in range(10)], "shared")
    assert {path.stat().st_size for path in tmp_path.iterdir()} == {1}


def test_what_dask_users_write(backend):
    @mh.task(nout=2)
    def both(x):
        return x, x + 1

    low, high = both(3)
    assert (low * 10 + high).compute(**backend) == 34
    text = mh.task(str)(12) + "!"
    assert text.upper().center(7, "-").compute(**backend) == "--12!--"
    assert mh.task(complex)(1, 2).imag.compute(**backend) == 2
    assert mh.task(list)("abc")[1:].compute(**backend) == ["b", "c"]
    assert mh.task(lambda: len)()("four").compute(**backend) == 4
    assert mh.compute(-high, 1 - high, high**2, high >= 4, high == 5, **backend) == (-4, -3, 16, True, False)
    assert mh.compute(1, [low, {"x": high}], "word", **backend) == (1, [3, {"x": 4}], "word")
    assert mh.compute() == ()


def test_keyword_arguments_and_containers(backend):
    Point = namedtuple("Point", "x y")
    one = add(0, 1)
    shape = mh.task(lambda *args, **kwargs: (args, kwargs))
    args, kwargs = shape([one, [2, {one}]], Point(one, 5), key={"a": (one,), one: 7}).compute(**backend)
    assert args == ([1, [2, {1}]], (1, 5))
    assert kwargs == {"key": {"a": (1,), 1: 7}}
    assert type(args[1]).__name__ == "Point"


@dataclasses.dataclass
class Settings:
    """Some values that belong together."""

    width: object
    rest: list = dataclasses.field(default_factory=list)
    made: object = dataclasses.field(init=False, default=0)

    def __post_init__(self):
        self.made = [self.width]


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """The same, that cannot be changed."""

    width: object


class Sums(list):
    """A list with a constructor of its own."""

    def __init__(self, first, *, unit):
        super().__init__([first])
        self.unit = unit


class Row(namedtuple("Row", "x y")):
    """A named tuple with a constructor of its own."""

    def __new__(cls, x):
        return super().__new__(cls, x, x)

    def __getnewargs__(self):
        return (self.x,)


def test_nodes_in_containers_of_every_kind(backend):
    one = add(0, 1)
    ours = Settings(one, [one, Frozen(one)])
    made = [
        (OrderedDict(a=one), OrderedDict(a=1)),
        (defaultdict(int, a=[one]), defaultdict(int, a=[1])),
        (frozenset([one, 7]), frozenset([1, 7])),
        (deque([one, 5], maxlen=2), deque([1, 5], maxlen=2)),
        (Counter({"a": one}), Counter(a=1)),
        (UserDict(a=one), UserDict(a=1)),
        (UserList([one]), UserList([1])),
        (SimpleNamespace(a=one), SimpleNamespace(a=1)),
        (ours, Settings(1, [1, Frozen(1)])),
        (Row(one), Row(1)),
        (Sums(one, unit=[one]), Sums(1, unit=[1])),
        ({"a": one}.values(), [1]),
    ]
    found = mh.task(lambda *values: values)(*[before for before, _ in made]).compute(**backend)
    assert list(found) == [after for _, after in made]
    assert [type(value) for value in found] == [type(after) for _, after in made]
    assert (found[1].default_factory, found[3].maxlen, found[10].unit) == (int, 2, [1])
    assert ours.width is one  # the caller's own is as it was
    assert mh.compute(OrderedDict(a=one), ours, **backend) == (OrderedDict(a=1), made[8][1])


def test_nodes_in_an_array_of_objects(backend):
    np = pytest.importorskip("numpy")
    nodes = np.empty((1, 2), object)
    nodes[0, 0], nodes[0, 1] = add(0, 1), 5
    found = mh.task(lambda values: values)(nodes).compute(**backend)
    assert found.tolist() == [[1, 5]]


def test_containers_without_nodes_are_left_alone():
    class Odd(dict):
        def __reduce_ex__(self, protocol):
            raise AssertionError("is not pickled")

    chain = Settings(1)
    chain.rest.append(chain)  # holds itself
    given = [Odd(a=1), chain, {}.values(), Row(3)]
    assert mh.task(lambda *values: values)(*given).compute(backend="serial")[:3] == tuple(given[:3])
    numbers = deque([1, 2])
    total = mh.task(sum)(numbers)
    numbers.append(100)
    assert total.compute(backend="serial") == 3


def test_where_no_result_can_be_put_is_said():
    class Odd(dict):
        def __reduce__(self):
            return Odd, ()

    class Refusing(list):
        def __reduce_ex__(self, protocol):
            raise ValueError("not me")

    one = add(0, 1)
    for value, reason in (
        (Odd(a=one), "without the node"),
        (Refusing([one]), "not me"),
        (MappingProxyType({"a": one}), "cannot pickle"),
    ):
        with pytest.raises(
            TypeError, match=f"a node stands in a {type(value).__name__}, .*{reason}.*give it in a list"
        ):
            add(1, [value])
    for once in ((node for node in [one]), map(str, [one]), zip([one]), iter([one])):
        for call in (add(1, 2)._task, mh.compute):
            with pytest.raises(TypeError, match="gone through once .*give a list"):
                call(once)
    with pytest.raises(TypeError, match="arguments of the call"):
        mh.task(functools.partial(pow, one))


def test_arguments_are_as_they_were_when_the_call_was_written_down(backend):
    numbers, nested = [1, 2], {"a": [3]}
    total = mh.task(lambda numbers, nested: sum(numbers) + sum(nested["a"]))(numbers, nested)
    numbers.append(100)
    nested["a"].append(100)
    assert total.compute(**backend) == 6


def test_arrays_as_results(backend):
    numpy = pytest.importorskip("numpy")
    ones = mh.task(numpy.ones)(300_000)
    doubled = ones * 2 + numpy.ones(300_000)
    total, array = mh.compute(doubled.sum(), doubled, **backend)
    assert total == 900_000
    assert (array == 3).all()
    array[:] = 0  # it is the caller's own
    assert doubled.sum().compute(**backend) == 900_000


def test_methods_and_classes_are_tasks(backend):
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        @mh.task
        def times(self, x):
            return x * self.factor

    assert Scale(3).times(Scale(2).times(5)).compute(**backend) == 30


def test_a_task_may_call_itself_and_compute_inside(backend):
    def plain(n):
        return n if n < 2 else plain(n - 1) + plain(n - 2)

    assert mh.task(plain)(10).compute(**backend) == 55
    assert outer(4).compute(**backend) == 10


@mh.task
def outer(n):
    # A graph inside of a task of a graph: the decorated function is a global that refers to itself.
    return n if n == 0 else n + outer(n - 1).compute(workers=2)


def test_a_deep_chain(backend):
    import pickle

    node = add(0, 0)
    for _ in range(20_000):
        node = add(node, 1)
    again = pickle.loads(pickle.dumps(node))
    assert again.compute(**backend) == 20_000
    assert node.compute(**backend) == 20_000
    assert "20,001 tasks, folded into" in node.svg()
    assert node.explain(workers=2).span > 0


def test_progress_counts_nodes(backend, capsys):
    pytest.importorskip("tqdm")
    mh.compute([add(n, 1) for n in range(30)], fail(), progress="graph", on_error="return", **backend)
    shown = capsys.readouterr().err
    assert "graph: 100%" in shown and "31/31" in shown and "1 failed" in shown


# ------------------------------------------------------------------------------------------------ memory


class Thing:
    """A result whose end can be seen."""


def test_a_result_is_freed_when_its_last_reader_is_done():
    # In the very process: objects are handed over as they are.
    seen = []

    def make(n, *before):
        thing = Thing()
        seen.append(weakref.ref(thing))
        alive = sum(ref() is not None for ref in seen)
        return [thing, alive]

    for options in {"backend": "serial"}, {"backend": "threads", "workers": 1}:
        seen.clear()
        chain = mh.task(make)(0)
        counts = []
        for n in range(200):
            chain = mh.task(make)(n, chain)
            counts.append(chain[1])
        values = mh.compute(*counts, **options)
        gc.collect()
        # A task, what it needs, what it needed, and those whose `[1]` has not been taken yet.
        assert max(values) < 60, options
        assert not any(ref() is not None for ref in seen)


@pytest.mark.parametrize("options", [{"backend": "serial"}, {"backend": "threads", "workers": 2}])
def test_an_error_keeps_no_results(options):
    things = [mh.task(Thing)() for _ in range(5)]
    seen = []

    @mh.task
    def look(thing):
        seen.append(weakref.ref(thing))

    with pytest.raises(LookupError) as caught:
        mh.compute(things, [look(thing) for thing in things], fail(), **options)
    assert len(seen) == 5
    gc.collect()
    assert caught.value.__traceback__ is not None
    assert not any(ref() is not None for ref in seen)


def test_memory_of_a_chain_of_large_arrays():
    numpy = pytest.importorskip("numpy")

    def grown():
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    node = mh.task(numpy.ones)(2_000_000)  # 16 MB
    for _ in range(30):
        node = node + 1
    last = node[-1]
    assert last.compute(workers=2) == 31
    before = grown()
    assert last.compute(workers=2) == 31
    assert grown() - before < 150  # and not 30 times 16 MB


# ------------------------------------------------------------------------------------------------ failures


def test_a_failure_costs_what_needs_it_and_nothing_else(backend, tmp_path):
    @mh.task
    def noted(name, *needs):
        (tmp_path / name).touch()
        return name

    bad = fail(noted("before"))
    last = noted("after", noted("between", bad))
    good = [noted(f"good{n}") for n in range(5)]
    with pytest.raises(LookupError, match="no such thing") as caught:
        mh.compute(good, last, noted("end", good), **backend)
    assert "while running task 'fail'" in notes_of(caught.value)
    assert "task 'fail' failed; needed by 'noted' -> 'noted'" in notes_of(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["before", "end", *(f"good{n}" for n in range(5))]


def test_errors_in_the_place_of_results(backend):
    bad = fail()
    found = mh.compute(add(1, 1), add(bad, 1), [bad, add(bad, bad)], on_error="return", **backend)
    assert found[0] == 2
    assert [type(error) for error in (found[1], *found[2])] == [LookupError] * 3


def test_of_several_failures_the_first_is_raised_and_the_others_are_named(backend):
    @mh.task
    def wrong(n):
        raise ValueError(f"number {n}")

    with pytest.raises(ValueError, match="number 0") as caught:
        add(wrong(0), add(wrong(1), wrong(2))).compute(**backend)
    assert "failed too: task 'wrong' (ValueError: 'number 1'), task 'wrong' (ValueError: 'number 2')" in notes_of(
        caught.value
    )


def test_the_traceback_is_the_tasks_own(backend):
    import traceback

    with pytest.raises(LookupError) as caught:
        add(fail(), 1).compute(**backend)
    assert 'raise LookupError("no such thing")' in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("raised", ["SystemExit(3)", "KeyboardInterrupt()"])
def test_what_is_no_exception_ends_the_task_and_not_the_worker(parallel, raised):
    def leave():
        raise eval(raised)

    found = mh.compute(mh.task(leave)(), add(1, 2), on_error="return", **parallel)
    assert isinstance(found[0], mh.TaskExited)
    assert found[1] == 3


def test_interrupting_a_serial_run_ends_it():
    def interrupt():
        raise KeyboardInterrupt

    node = add(mh.task(interrupt)(), 1)
    with pytest.raises(KeyboardInterrupt):
        node.compute(backend="serial")
    assert "waiting" in node.svg()


@pytest.mark.skipif(sys.platform != "linux", reason="signals")
@pytest.mark.parametrize("name", ["processes", "threads"])
def test_interrupting_the_caller_ends_the_run(name, gate):
    import threading

    began, held = gate(), gate()

    def wait():
        began.open()
        held.wait()

    node = mh.task(wait)()

    def interrupt():
        began.wait()
        signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        node.compute(backend=name, workers=1)
    thread.join()
    if name == "threads":
        held.open()  # a running call cannot be stopped there
    assert "running" in node.svg()
    assert add(1, 1).compute(backend=name, workers=2) == 2


def test_arguments_that_cannot_be_sent_fail_their_task_alone(capsys):
    import threading

    bad = add(1, [threading.Lock()])
    found = mh.compute(add(bad, 1), add(1, 2), on_error="return", workers=2, progress=True)
    assert isinstance(found[0], TypeError)
    if "tqdm" in sys.modules:
        assert "3/3" in capsys.readouterr().err
    assert "the arguments of task 'add' cannot be sent" in notes_of(found[0])
    assert found[1] == 3


def test_a_result_that_cannot_be_sent_fails_its_task_alone():
    opened = mh.task(lambda: (n for n in range(3)), name="generate")()
    found = mh.compute(opened, add(1, 2), on_error="return", workers=2)
    assert isinstance(found[0], mh.MaybeEncodingError)
    assert "the result of task 'generate' is a generator that could not be sent back: <generator" in str(found[0])
    assert found[1] == 3


# ------------------------------------------------------------------------------------------------ lost workers


def test_a_worker_that_dies_costs_its_task():
    die = mh.task(lambda: os.kill(os.getpid(), signal.SIGKILL), name="die")
    found = mh.compute(add(die(), 1), [add(n, 1) for n in range(20)], on_error="return", workers=2)
    assert isinstance(found[0], mh.WorkerDied)
    assert "was killed by SIGKILL while running task 'die'" in str(found[0])
    assert found[1] == list(range(1, 21))


def test_retries_are_each_tasks_own(tmp_path):
    def die(name, times):
        with open(tmp_path / name, "ab") as file:
            file.write(b".")
            tries = file.tell()
        if tries <= times:
            os._exit(1)
        return tries

    patient = mh.task(die, retries=2)
    found = mh.compute(patient("a", 2), patient("b", 3), mh.task(die)("c", 1), retries=1, on_error="return", workers=2)
    assert (found[0], found[2]) == (3, 2)
    assert isinstance(found[1], mh.WorkerDied)
    assert "tried 3 times" in str(found[1])
    assert {path.name: path.stat().st_size for path in tmp_path.iterdir()} == {"a": 3, "b": 3, "c": 2}


def test_retries_are_not_for_exceptions(backend, tmp_path):
    def wrong():
        with open(tmp_path / "tries", "ab") as file:
            file.write(b".")
        raise LookupError

    with pytest.raises(LookupError):
        mh.task(wrong)().compute(retries=5, **backend)
    assert (tmp_path / "tries").stat().st_size == 1


def test_timeouts_are_each_tasks_own(parallel, gate):
    held = gate()
    stuck = mh.task(lambda: held.wait(), timeout=0.3, name="stuck")
    patient = mh.task(lambda: time.sleep(0.4) or 7)
    found = mh.compute(add(stuck(), 1), patient(), add(1, 1), on_error="return", timeout=60, **parallel)
    if parallel["backend"] == "threads":
        held.open()
    assert isinstance(found[0], mh.TimeoutError)
    assert "task 'stuck' ran longer than its timeout" in str(found[0])
    assert found[1:] == (7, 2)


def test_many_tasks_beside_one_with_a_timeout_of_its_own(parallel):
    def tree(leaves):
        return leaves[0] if len(leaves) == 1 else add(tree(leaves[::2]), tree(leaves[1::2]))

    slow = mh.task(lambda x: x, timeout=50)
    assert tree([slow(n) if n % 100 == 0 else add(n, 0) for n in range(1000)]).compute(**parallel) == sum(range(1000))


def test_a_function_that_cannot_be_sent_is_named_before_anything_is_run(tmp_path):
    import threading

    lock = threading.Lock()

    @mh.task
    def guarded():
        with lock:
            return 1

    with pytest.raises(TypeError) as caught:
        mh.compute(mh.task(lambda: (tmp_path / "run").touch())(), guarded(), workers=2)
    assert "guarded" in notes_of(caught.value)
    assert not (tmp_path / "run").exists()


def test_a_timeout_needs_workers():
    with pytest.raises(ValueError, match="timeout= needs workers"):
        add(1, 2).compute(backend="serial", timeout=1)
    with pytest.raises(ValueError, match="timeout= needs workers"):
        mh.task(abs, timeout=1)(2).compute(backend="serial")


def test_somebody_elses_executor():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        assert add(add(1, 2), 3).compute(on=executor) == 6
        found = mh.compute(add(fail(), 1), add(1, 1), on=executor, on_error="return")
    assert isinstance(found[0], LookupError) and found[1] == 2
