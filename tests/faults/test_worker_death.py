"""A worker that dies costs at most the item that it was running, and that item's error says which and how."""

import signal

import pytest
from scenario import run

#: How the item ends its process (`inside.DEATHS`): the signal or the exit code that the error must name.
FATES = {
    "SIGKILL": (signal.SIGKILL, None),
    "SIGTERM": (signal.SIGTERM, None),
    "SIGABRT": (signal.SIGABRT, None),
    "segfault": (signal.SIGSEGV, None),
    "exit 0": (None, 0),
    "exit 3": (None, 3),
    # The parent ends a worker that can no longer answer; one that has become another program may be quicker.
    "exec": (signal.SIGKILL, None),
    "closes its files": (signal.SIGKILL, None),
    "leaves its group": (signal.SIGKILL, None),
}

#: Calls that give the outcomes of twenty items, of which number 5 dies.
CALLS = {
    "map": "pool.map(item, range(20), on_error='return')",
    "mh.map": "mh.map(item, range(20), workers=2, on_error='return')",
    "mh.starmap": "mh.starmap(item, [(x,) for x in range(20)], workers=2, on_error='return')",
    "imap": "list(outcomes(pool.imap(item, range(20))))",
    "imap_unordered": "list(outcomes(pool.imap_unordered(item, range(20))))",
    "mh.imap": "list(outcomes(mh.imap(item, range(20), workers=2)))",
    "apply": "[outcome(lambda x=x: pool.apply(item, (x,))) for x in range(20)]",
    "apply_async": "[outcome(r.get) for r in [pool.apply_async(item, (x,)) for x in range(20)]]",
}

OUTCOMES = """
from concurrent.futures import BrokenExecutor

def outcome(call):
    try:
        return call()
    except Exception as error:
        return error

def outcomes(iterator):
    while True:
        try:
            yield next(iterator)
        except StopIteration:
            return
        except Exception as error:
            yield error

def check_one_death(found, signal=None, exitcode=None, index=5):
    values = [value for value in found if not isinstance(value, Exception)]
    (error,) = [value for value in found if isinstance(value, Exception)]
    assert sorted(values) == [x * x for x in range(20) if x != 5], values
    assert type(error) is mh.WorkerDied and isinstance(error, BrokenExecutor), repr(error)
    assert (error.signal, error.exitcode, error.index) == (signal, exitcode, index), vars(error)
    assert f"item {index}" in str(error) and (index != 5 or "5" in error.item), str(error)
    assert error.attempts == 1 and not error.out_of_memory
"""


@pytest.mark.parametrize("how", FATES)
def test_the_error_says_how_the_worker_ended(how):
    number, exitcode = FATES[how]
    name = signal.Signals(number).name if number else f"exit code {exitcode}"
    run(
        OUTCOMES
        + f"""
def item(x):
    if x == 5:
        inside.die({how!r})
    return x * x

with mh.Pool(2) as pool:
    found = pool.map(item, range(20), on_error="return")
    if {how!r} == "exec" and found[5].signal is None:
        check_one_death(found, exitcode=0)
    else:
        check_one_death(found, {number and int(number)}, {exitcode})
        assert {name!r} in str(found[5]), str(found[5])
    assert found[4] == 16 and found[6] == 36
    # The pool goes on, with as many workers as before.
    assert pool.map(abs, range(-50, 0)) == list(range(50, 0, -1))
    inside.until(lambda: len(inside.ready_workers(pool)) == 2, "a new worker")
"""
    )


@pytest.mark.parametrize("call", CALLS)
def test_every_call_survives_a_death(call):
    run(
        OUTCOMES
        + f"""
def item(x):
    if x == 5:
        inside.die()
    return x * x

with mh.Pool(2) as pool:
    check_one_death({CALLS[call]}, signal=9)
    assert pool.apply(pow, (2, 5)) == 32
"""
    )


@pytest.mark.parametrize("call", ["map_async", "starmap_async", "map", "mh.map"])
def test_a_call_for_all_raises_the_death(call):
    asked = {
        "map_async": "pool.map_async(item, range(20)).get(30)",
        "starmap_async": "pool.starmap_async(item, [(x,) for x in range(20)]).get(30)",
        "map": "pool.map(item, range(20))",
        "mh.map": "mh.map(item, range(20), workers=2)",
    }[call]
    run(
        f"""
        def item(x):
            if x >= 15:
                inside.die("exit 3")
            return x * x

        with mh.Pool(2) as pool:
            try:
                {asked}
            except mh.WorkerDied as error:
                assert error.exitcode == 3 and error.index == 15, str(error)
            else:
                raise AssertionError("no error")
            assert pool.map(abs, [-1, -2]) == [1, 2]
        """
    )


def test_retries_run_the_item_again():
    run(
        """
        def item(x):
            if x % 10 == 3 and Flag(f"tried-{x}").set():
                inside.die()
            return x * x

        with mh.Pool(2) as pool:
            assert pool.map(item, range(100), retries=1) == [x * x for x in range(100)]
            assert list(pool.imap(item, range(100, 200), retries=1)) == [x * x for x in range(100, 200)]
        assert mh.map(item, range(200, 300), workers=2, retries=1) == [x * x for x in range(200, 300)]
        """
    )


def test_an_item_that_always_kills_its_worker_has_its_tries_and_no_more():
    run(
        """
        def item(x):
            if x == 7:
                Tally("runs").add()
                inside.die("exit 3")
            return x

        with mh.Pool(2) as pool:
            found = pool.map(item, range(50), retries=4, on_error="return")
            error = found.pop(7)
            assert found == [x for x in range(50) if x != 7]
            assert type(error) is mh.WorkerDied and error.attempts == 5, repr(error)
            assert "item 7" in str(error) and "tried 5 times" in str(error), str(error)
            assert int(Tally("runs")) == 5, int(Tally("runs"))
            assert pool.map(abs, range(10)) == list(range(10))
        """
    )


def test_a_pool_survives_items_that_all_kill_their_workers():
    run(
        """
        with mh.Pool(2) as pool:
            found = pool.map(lambda x: inside.die(), range(30), on_error="return")
            assert [type(error) for error in found] == [mh.WorkerDied] * 30, found
            assert [error.index for error in found] == list(range(30))
            assert pool.map(abs, range(10)) == list(range(10))
        """
    )


def test_the_error_shows_the_item_briefly():
    run(
        """
        import numpy
        items = [numpy.zeros((3, 5)), "x" * 1000, {"key": [1, 2]}]
        with mh.Pool(1) as pool:
            for found, shown in zip(pool.map(lambda x: inside.die(), items, on_error="return"),
                                    ["shape (3, 5)", "xxx...", "key"]):
                assert shown in str(found) and len(str(found)) < 400, str(found)
        """
    )


def test_an_item_that_crashes_whoever_loads_it_leaves_the_caller_alone():
    run(
        """
        import ctypes

        class Crash:
            def __reduce__(self):
                return ctypes.string_at, (0,)

        with mh.Pool(1) as pool:
            error, five = pool.map(type, [Crash(), 5], on_error="return")
            assert type(error) is mh.WorkerDied and five is int, (error, five)
        """
    )
