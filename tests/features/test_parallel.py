"""`mh.Parallel` and `mh.delayed`: joblib's meaning, beside joblib itself where it is installed."""

import gc
import operator
import os
import signal
import threading
import time
import warnings
import weakref
from functools import partial

import pytest

import manyhands as mh
from manyhands import Parallel, delayed


def square(x):
    return x * x


def shifted(x, by=0, *, scale=1):
    return (x + by) * scale


def same(x):
    return x


def fail_at(x, bad):
    if x == bad:
        raise LookupError(f"no {x}")
    return x


def test_results_are_the_loops():
    assert Parallel(n_jobs=2)(delayed(square)(i) for i in range(1000)) == [i * i for i in range(1000)]
    assert Parallel(n_jobs=2)([]) == []
    assert Parallel(n_jobs=2)(iter(())) == []


def test_arguments_of_every_kind():
    calls = [
        delayed(shifted)(1),
        delayed(shifted)(1, 2),
        delayed(shifted)(1, by=2),
        delayed(shifted)(1, 2, scale=3),
        delayed(shifted)([1], by=[2]),
        delayed(shifted)(x="a", by="b"),
        delayed(shifted)(x=1, by=2**70),
    ]
    assert Parallel(n_jobs=2)(calls) == [1, 3, 3, 9, [1, 2], "ab", 1 + 2**70]


def test_different_functions_in_one_call():
    base = 10

    class Adder:
        def __init__(self, by):
            self.by = by

        def __call__(self, x):
            return x + self.by

        def add(self, x):
            return x + self.by

    calls = []
    for i in range(20):
        calls += [
            delayed(len)("a" * i),
            delayed(lambda x: x + base)(i),
            delayed(partial(operator.sub, 100))(i),
            delayed(Adder(i))(1),
            delayed(Adder(i).add)(2),
            delayed(str.upper)("x"),
        ]
    expected = [function(*args, **kwargs) for function, args, kwargs in calls]
    assert Parallel(n_jobs=2)(calls) == expected
    assert Parallel(n_jobs=2)(iter(calls)) == expected


def test_an_object_that_changes_between_tasks_is_sent_as_it_is():
    counter = type("Counter", (), {"value": 0, "read": lambda self: self.value})()

    def tasks():
        for i in range(10):
            counter.value = i
            yield delayed(counter.read)()

    assert Parallel(n_jobs=2)(tasks()) == list(range(10))


@pytest.mark.parametrize("make", [lambda big: big.read, lambda big: lambda: big.read(), lambda big: partial(big.read)])
def test_what_a_task_calls_is_let_go_of_when_it_was_sent(make):
    class Big:
        def read(self):
            return 1

    alive, most = weakref.WeakSet(), 0

    def tasks():
        nonlocal most
        for _ in range(400):
            big = Big()
            alive.add(big)
            most = max(most, len(alive))
            yield delayed(make(big))()

    assert Parallel(n_jobs=2)(tasks()) == [1] * 400
    assert most < 20
    gc.collect()
    assert not alive


def test_tasks_of_other_makers_are_tasks():
    assert Parallel(n_jobs=2)([(pow, (2, 3), {}), [pow, [2, 4], {}]]) == [8, 16]


def test_delayed_looks_like_its_function():
    made = delayed(shifted)
    assert made.__name__ == "shifted" and made.__wrapped__ is shifted
    assert made(1, by=2) == (shifted, (1,), {"by": 2})

    class Holder:
        @delayed
        def method(self, x):
            return x

    holder = Holder()
    function, args, kwargs = holder.method(3)
    assert args == (holder, 3) and kwargs == {} and function(*args) == 3


def test_one_job_is_a_loop_in_this_thread():
    here = Parallel()(delayed(lambda: (os.getpid(), threading.get_ident()))() for _ in range(2))
    assert here == [(os.getpid(), threading.get_ident())] * 2
    assert Parallel(n_jobs=1, batch_size=3)(delayed(square)(i) for i in range(7)) == [i * i for i in range(7)]


def test_negative_numbers_of_jobs_count_from_the_cores():
    assert Parallel(n_jobs=-1).n_jobs == mh.cpu_count()
    assert Parallel(n_jobs=-mh.cpu_count()).n_jobs == 1
    assert Parallel(n_jobs=-1000).n_jobs == 1
    assert Parallel(n_jobs=2.9).n_jobs == 2 and Parallel(n_jobs="3").n_jobs == 3


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("return_as", ["generator", "generator_unordered"])
def test_generators(n_jobs, return_as):
    results = Parallel(n_jobs=n_jobs, return_as=return_as)(delayed(square)(i) for i in range(300))
    assert iter(results) is results
    values = list(results)
    assert (values if return_as == "generator" else sorted(values)) == [i * i for i in range(300)]


def test_a_generator_begins_at_the_call(tmp_path):
    mark = tmp_path / "mark"
    results = Parallel(n_jobs=2, return_as="generator")(delayed(path.write_text)("begun") for path in [mark])
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert list(results) == [5]


def test_unordered_gives_what_is_done_first(tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    def wait(first):
        return fifo.read_text() if first else "quick"

    results = Parallel(n_jobs=2, return_as="generator_unordered", batch_size=1)(delayed(wait)(i == 0) for i in range(4))
    assert [next(results) for _ in range(3)] == ["quick"] * 3
    fifo.write_text("slow")
    assert list(results) == ["slow"]


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("end", ["close", "drop"])
def test_a_generator_that_is_not_consumed(n_jobs, end):
    parallel = Parallel(n_jobs=n_jobs, return_as="generator")
    results = parallel(delayed(square)(i) for i in range(100_000))
    assert next(results) == 0
    with pytest.raises(RuntimeError, match="already running"):
        parallel([])
    with pytest.warns(UserWarning, match="not used"):
        if end == "close":
            results.close()
        else:
            del results
            gc.collect()
    assert list(parallel([delayed(square)(3)])) == [9]


def test_a_dropped_generator_leaves_the_workers_free():
    results = Parallel(n_jobs=2, return_as="generator")(delayed(time.sleep)(1000) for _ in range(10))
    with pytest.warns(UserWarning):
        results.close()
    assert Parallel(n_jobs=2)(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_a_with_block_keeps_its_workers():
    with Parallel(n_jobs=2) as parallel:
        first = set(parallel(delayed(os.getpid)() for _ in range(50)))
        second = set(parallel(delayed(os.getpid)() for _ in range(50)))
        assert len(first | second) <= 2 and os.getpid() not in first
        assert parallel(delayed(square)(i) for i in range(3)) == [0, 1, 4]
    assert parallel(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_nested_calls_run_in_their_worker():
    def inner():
        return Parallel(n_jobs=2)(delayed(os.getpid)() for _ in range(3))

    for pids in Parallel(n_jobs=2)(delayed(inner)() for _ in range(4)):
        assert len(set(pids)) == 1 and pids[0] != os.getpid()


def test_an_initializer_runs_in_each_worker():
    def begin(value):
        global BEGUN
        BEGUN = value

    assert Parallel(n_jobs=2, initializer=begin, initargs=(7,))(delayed(lambda: BEGUN)() for _ in range(4)) == [7] * 4


@pytest.mark.parametrize("choice", [{"prefer": "threads"}, {"backend": "threading"}, {"require": "sharedmem"}])
def test_threads(choice):
    seen = []
    with Parallel(n_jobs=2, **choice) as parallel:
        parallel(delayed(seen.append)(i) for i in range(20))
        assert sorted(seen) == list(range(20))
        assert parallel(delayed(shifted)(i, by=1) for i in range(5)) == [1, 2, 3, 4, 5]
        with pytest.raises(LookupError, match="no 3"):
            parallel(delayed(fail_at)(i, 3) for i in range(10))
        with pytest.raises(TypeError, match=r"delayed\(function\)\(arguments\)"):
            parallel([3])
    ordered = Parallel(n_jobs=2, return_as="generator", **choice)
    assert list(ordered(delayed(square)(i) for i in range(100))) == [i * i for i in range(100)]
    with pytest.raises(TimeoutError):
        Parallel(n_jobs=2, timeout=0.2, **choice)(delayed(threading.Event().wait)(2) for _ in range(2))


def test_on_somebody_elses_executor():
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as executor:
        parallel = Parallel(on=executor)
        assert parallel(delayed(shifted)(i, by=1) for i in range(5)) == [1, 2, 3, 4, 5]
        with pytest.raises(LookupError, match="no 3"):
            parallel(delayed(fail_at)(i, 3) for i in range(10))
        with pytest.raises(TypeError, match=r"delayed\(function\)\(arguments\)"):
            parallel([delayed(shifted)(1), 3])
        results = Parallel(n_jobs=2, on=executor, return_as="generator")(delayed(shifted)(i) for i in range(30))
        assert list(results) == list(range(30))


# ---------------------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("return_as", ["list", "generator", "generator_unordered"])
def test_the_first_failure_ends_it_as_itself(n_jobs, return_as):
    with pytest.raises(LookupError, match="no 7") as caught:
        list(Parallel(n_jobs=n_jobs, return_as=return_as)(delayed(fail_at)(i, 7) for i in range(100)))
    assert type(caught.value) is LookupError


def test_a_failure_does_not_wait_for_tasks_before_it(tmp_path):
    with pytest.raises(LookupError):
        Parallel(n_jobs=2, batch_size=1, pre_dispatch=2)(
            [delayed(time.sleep)(1000), delayed(fail_at)(1, 1), *(delayed(time.sleep)(1000) for _ in range(10))]
        )
    assert Parallel(n_jobs=2)(delayed(square)(i) for i in range(3)) == [0, 1, 4]


@pytest.mark.parametrize("return_as", ["list", "generator"])
def test_a_worker_that_dies_fails_its_task(return_as):
    def die_at(x):
        if x == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return x

    with Parallel(n_jobs=2, return_as=return_as) as parallel:
        with pytest.raises(mh.WorkerDied, match="SIGKILL while running item 3"):
            list(parallel(delayed(die_at)(i) for i in range(10)))
        assert list(parallel(delayed(square)(i) for i in range(5))) == [0, 1, 4, 9, 16]


@pytest.mark.parametrize("return_as", ["list", "generator"])
def test_a_task_that_takes_too_long(return_as):
    parallel = Parallel(n_jobs=2, timeout=0.3, return_as=return_as)
    with pytest.raises(TimeoutError, match=r"item 1 \(\(1000,\)\) ran longer"):
        list(parallel(delayed(time.sleep)(pause) for pause in (0, 1000, 0)))
    assert list(parallel(delayed(time.sleep)(0) for _ in range(5))) == [None] * 5


def test_timeout_without_workers_is_said_to_be_without_effect():
    with pytest.warns(UserWarning, match="timeout=1 has no effect"):
        assert Parallel(n_jobs=1, timeout=1)(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_what_would_end_the_loop_ends_it_here():
    def interrupted():
        raise KeyboardInterrupt

    def left():
        raise SystemExit(3)

    with pytest.raises(KeyboardInterrupt):
        Parallel(n_jobs=2)([delayed(interrupted)()])
    with pytest.raises(SystemExit) as caught:
        Parallel(n_jobs=2)([delayed(left)()])
    assert caught.value.code == 3


def test_what_the_input_raises_comes_out_as_itself():
    def tasks(bad):
        for i in range(20):
            if i == bad:
                raise ZeroDivisionError("the input's own")
            yield delayed(square)(i)

    with Parallel(n_jobs=2) as parallel:
        for bad in (0, 5, 19):
            with pytest.raises(ZeroDivisionError, match="the input's own"):
                parallel(tasks(bad))
        assert parallel(tasks(None)) == [i * i for i in range(20)]


def test_what_cannot_be_sent_is_named():
    from pickle import PicklingError

    class Unsendable:
        def __reduce__(self):
            raise ValueError("never")

    with pytest.raises(PicklingError, match="the task to send to the workers: task 1: ValueError: never"):
        Parallel(n_jobs=2)([delayed(id)(1), delayed(id)(Unsendable())])


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.parametrize("item", [3, None, (square, (1,)), "abcd", square])
def test_an_item_that_is_no_task(n_jobs, item):
    with pytest.raises(TypeError, match=r"delayed\(function\)\(arguments\)"):
        Parallel(n_jobs=n_jobs)([item])


def test_delayed_of_a_result_is_told_at_once():
    with pytest.raises(TypeError, match=r"not int: write delayed\(function\)\(arguments\)"):
        delayed(square(3))


@pytest.mark.parametrize(
    "options, error, message",
    [
        ({"n_jobs": 0}, ValueError, "n_jobs == 0"),
        ({"n_jobs": 0.5}, ValueError, "n_jobs == 0"),
        ({"n_jobs": "many"}, ValueError, "could not be converted"),
        ({"n_jobs": []}, ValueError, "could not be converted"),
        ({"backend": "ray"}, ValueError, "Invalid backend: 'ray'"),
        ({"backend": 3}, ValueError, "Invalid backend: 3"),
        ({"return_as": "tuple"}, ValueError, "return_as must be"),
        ({"batch_size": 0}, ValueError, "batch_size"),
        ({"batch_size": 1.5}, ValueError, "batch_size"),
        ({"pre_dispatch": "import os"}, ValueError, "pre_dispatch"),
        ({"pre_dispatch": "__import__('os')"}, ValueError, "pre_dispatch"),
        ({"pre_dispatch": "n_jobs / 0"}, ValueError, "pre_dispatch"),
        ({"prefer": "fast"}, ValueError, "prefer=fast"),
        ({"require": "speed"}, ValueError, "require=speed"),
        ({"prefer": "processes", "require": "sharedmem"}, ValueError, "inconsistent"),
        ({"backend": "loky", "require": "sharedmem"}, ValueError, "does not support shared memory"),
        ({"timeout": "soon"}, TypeError, "timeout must be"),
        ({"timeout": -1}, ValueError, "timeout must be"),
        ({"initializer": 3}, TypeError, "initializer"),
        ({"n_job": 2}, TypeError, "'n_job'"),
    ],
)
def test_bad_options(options, error, message):
    with pytest.raises(error, match=message):
        Parallel(**options)


def test_input_that_is_none():
    with pytest.raises(TypeError, match="not iterable"):
        Parallel(n_jobs=2)(3)


# -------------------------------------------------------------------------------------------- input and arrays


def test_input_is_taken_as_far_ahead_as_asked():
    taken = []

    def tasks():
        for i in range(200):
            taken.append(i)
            yield delayed(square)(i)

    parallel = Parallel(n_jobs=2, batch_size=2, pre_dispatch="1.5 * n_jobs", return_as="generator")
    results = parallel(tasks())
    for i in range(200):
        # Six at most are under way at once; what was answered and not given out yet comes on top.
        assert next(results) == i * i
    assert taken == list(range(200)) and list(results) == []

    taken.clear()
    results = Parallel(n_jobs=2, pre_dispatch=3, return_as="generator")(tasks())
    assert len(taken) == 3
    with pytest.warns(UserWarning):
        results.close()

    taken.clear()
    results = Parallel(n_jobs=2, pre_dispatch="all", return_as="generator")(tasks())
    assert len(taken) == 200
    assert len(list(results)) == 200


def test_an_array_that_comes_again_is_stored_once_and_one_that_was_refilled_is_not():
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(50_000.0)

    def refilled():
        for i in range(12):
            array[:] = i
            yield delayed(numpy.sum)(array)

    assert Parallel(n_jobs=2)(refilled()) == [50_000.0 * i for i in range(12)]

    # 60 tasks of 40 MB each would be 2.4 GB, which the workers would have to be sent one by one.
    large = numpy.ones(5_000_000)
    before = _shared_memory()
    results = Parallel(n_jobs=2, return_as="generator")(delayed(numpy.sum)(large) for _ in range(60))
    assert _shared_memory() - before < 200 * 2**20
    assert list(results) == [5_000_000.0] * 60


def _shared_memory():
    """Bytes of shared memory that this process's memory files hold."""
    total = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            if "memfd:manyhands" in os.readlink(f"/proc/self/fd/{name}"):
                total += os.stat(f"/proc/self/fd/{name}").st_blocks * 512
        except OSError:
            continue
    return total


# ---------------------------------------------------------------------------------------------------- progress


def test_lines_of_progress(capsys):
    Parallel(n_jobs=2, verbose=1)(delayed(square)(i) for i in range(10))
    said = capsys.readouterr()
    assert not said.out
    lines = said.err.splitlines()
    assert lines[0] == "[Parallel(n_jobs=2)]: Using backend processes with 2 concurrent workers."
    assert lines[-1].startswith("[Parallel(n_jobs=2)]: Done  10 out of  10 | elapsed:")
    assert lines[-1].endswith("s finished")
    Parallel(n_jobs=1, verbose=50)([delayed(square)(i) for i in range(3)])
    said = capsys.readouterr()
    assert not said.err
    assert [line.split("|")[0] for line in said.out.splitlines()] == [
        "[Parallel(n_jobs=1)]: Done 1 out of 3 ",
        "[Parallel(n_jobs=1)]: Done 2 out of 3 ",
        "[Parallel(n_jobs=1)]: Done 3 out of 3 ",
    ]


def test_a_subclass_may_show_progress_in_its_own_way():
    class Counting(Parallel):
        def print_progress(self):
            seen.append(self.n_completed_tasks)

    seen = []
    Counting(n_jobs=2)([delayed(square)(i) for i in range(500)])
    assert seen[-1] == 500 and seen == sorted(seen)


def test_a_bar(capsys):
    assert Parallel(n_jobs=2, progress="squares")([delayed(square)(i) for i in range(5)]) == [0, 1, 4, 9, 16]
    assert "squares: 100%" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------- beside joblib


PROGRAM = """
import os, sys, time
from functools import partial
{imports}

def f(x, y=0):
    return x ** 2 + y

class Point:
    def __init__(self, x):
        self.x = x
    def __eq__(self, other):
        return self.x == other.x
    def norm(self):
        return abs(self.x)

print(Parallel(n_jobs=2)(delayed(f)(i, y=1) for i in range(10)))
print(Parallel(n_jobs=-1)(delayed(lambda x: x + 1)(i) for i in range(10)))
print(Parallel(n_jobs=2)(delayed(Point(i).norm)() for i in range(-3, 3)))
print(Parallel(n_jobs=2)(delayed(partial(f, y=2))(i) for i in range(3)))
print(Parallel(n_jobs=2, prefer="processes")(delayed(Point)(i) for i in range(3)) == [Point(i) for i in range(3)])
print(list(Parallel(n_jobs=2, return_as="generator")(delayed(f)(i) for i in range(10))))
print(sorted(Parallel(n_jobs=2, return_as="generator_unordered")(delayed(f)(i) for i in range(10))))
with Parallel(n_jobs=2, backend="loky") as parallel:
    total = 0
    while total < 1000:
        total += sum(parallel(delayed(f)(i) for i in range(8)))
    print(total)
for bad in (lambda: 1 / 0, lambda: [][1], lambda: int("x"), lambda: sys.exit(4)):
    try:
        Parallel(n_jobs=2)([delayed(bad)(), delayed(f)(1)])
    except BaseException as error:
        print(type(error).__name__, error)
for options in ({{"n_jobs": 0}}, {{"n_jobs": "a"}}, {{"backend": "none"}}, {{"batch_size": -1}}, {{"prefer": "x"}}):
    try:
        Parallel(**options)([])
    except Exception as error:
        print(type(error).__name__)
try:
    Parallel(n_jobs=2, timeout=0.5)(delayed(time.sleep)(100) for _ in range(2))
except TimeoutError as error:
    print("TimeoutError")
print(Parallel(n_jobs=2, verbose=0, pre_dispatch="all", batch_size=3, max_nbytes=None)(delayed(f)(i) for i in range(7)))
"""


def test_the_same_program_prints_the_same_with_joblib(python):
    pytest.importorskip("joblib")
    ours = python(PROGRAM.format(imports="from manyhands import Parallel, delayed"))
    # joblib's TimeoutError is multiprocessing's alone.
    imports = "from joblib import Parallel, delayed\nfrom multiprocessing import TimeoutError"
    theirs, _ = python(PROGRAM.format(imports=imports), stderr=True)
    assert ours == theirs


def test_their_tasks_run_here_and_ours_there():
    joblib = pytest.importorskip("joblib")
    assert Parallel(n_jobs=2)(joblib.delayed(square)(i) for i in range(3)) == [0, 1, 4]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert joblib.Parallel(n_jobs=1)(delayed(square)(i) for i in range(3)) == [0, 1, 4]


def test_a_task_runs_again_whose_worker_died(tmp_path):
    def once(path):
        try:
            open(path, "x").close()
        except FileExistsError:
            return "again"
        os._exit(1)

    assert Parallel(n_jobs=2, retries=1)([delayed(once)(tmp_path / "mark"), delayed(abs)(-1)]) == ["again", 1]
    with pytest.raises(ValueError, match="retries"):
        Parallel(n_jobs=2, retries=-1)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bar_of_ones_own_sees_how_many_were_dispatched(jobs):
    seen = []

    class Shown(Parallel):
        def print_progress(self):
            seen.append((self.n_completed_tasks, self.n_dispatched_tasks))

    Shown(n_jobs=jobs)(delayed(abs)(i) for i in range(30))
    assert seen[-1] == (30, 30)
    assert all(completed <= dispatched for completed, dispatched in seen)


def test_joblib_is_not_imported(python):
    program = """
        import sys
        from manyhands import Parallel, delayed
        print(Parallel(n_jobs=2)(delayed(pow)(i, 2) for i in range(3)))
        print([name for name in ("joblib", "numpy", "concurrent.futures", "multiprocessing") if name in sys.modules])
    """
    assert python(program) == "[0, 1, 4]\n[]\n"
