"""The same small programs with `concurrent.futures`' executors and with ours: what they observe must be the same."""

import asyncio
import concurrent.futures as theirs
import os
import sys
import time

import pytest

from manyhands import futures as ours


def hold(path):
    """Runs until the file is there."""
    while not os.path.exists(path):
        time.sleep(0.005)
    return path


def fail(value):
    raise ValueError(value)


def leave(code):
    sys.exit(code)


def remember(value):
    global REMEMBERED
    REMEMBERED = value


def remembered(_):
    return REMEMBERED


def capture(*args, **kwargs):
    return args, kwargs


def stop_at_two(x):
    if x == 2:
        raise StopIteration
    return x


def outcome(call, *arguments):
    """What a call gives or raises."""
    try:
        return call(*arguments)
    except BaseException as error:
        return type(error).__name__, error.args


def begun(futures):
    while not all(future.running() for future in futures):
        time.sleep(0.005)


# ------------------------------------------------------------------------------------------------ the programs


def results_and_exceptions(make, tmp_path):
    with make(2) as executor:
        good, bad = executor.submit(pow, 2, 5), executor.submit(fail, 7)
        said = good.result(), outcome(bad.result), bad.exception().args, good.exception()
        keywords = executor.submit(capture, 1, self=2, fn=3).result()
        return said, keywords, good.done(), good.cancelled(), good.running(), good.cancel(), bad.cancel()


def maps(make, tmp_path):
    with make(2) as executor:
        found = [list(executor.map(pow, range(10), range(7))), list(executor.map(abs, [])), list(executor.map(abs))]
        iterator = executor.map(divmod, [1, 1, 1, 1], [2, 3, 0, 5])
        found.append([outcome(next, iterator) for _ in range(5)])
        found.append(outcome(executor.map, abs, 5))
        stopping = executor.map(stop_at_two, range(4))
        found.append([outcome(next, stopping) for _ in range(3)])
        taken = []
        executor.map(abs, (taken.append(x) or x for x in range(20)))
        return found, taken


def an_iterable_that_fails(make, tmp_path):
    def items():
        yield 1
        raise OSError("no more")

    with make(2) as executor:
        return outcome(executor.map, abs, items()), executor.submit(abs, -1).result()


def maps_that_take_too_long(make, tmp_path):
    gate = str(tmp_path / "gate")
    with make(2) as executor:
        # Workers take time to start, and to import this module.
        theirs.wait([executor.submit(hold, os.fspath(tmp_path)) for _ in range(20)])
        iterator = executor.map(hold, [os.fspath(tmp_path), gate], timeout=3.0)
        found = next(iterator) == os.fspath(tmp_path), outcome(next, iterator)[0], outcome(next, iterator)
        open(gate, "w").close()
        return found


def waiting_for_several(make, tmp_path):
    gate = str(tmp_path / "gate")
    with make(2) as executor:
        held, quick, bad = (executor.submit(*call) for call in ((hold, gate), (abs, -1), (fail, 1)))
        names = {held: "held", quick: "quick", bad: "bad"}

        def shown(sets):
            return [sorted(names[future] for future in some) for some in sets]

        theirs.wait([quick, bad])
        found = [shown(theirs.wait(names, timeout=0.01)), shown(theirs.wait(names, return_when=theirs.FIRST_EXCEPTION))]
        found.append(outcome(held.result, 0.01)[0])
        found.append(type(outcome(lambda: list(theirs.as_completed(names, timeout=0.01)))))
        ended = theirs.as_completed([held, held, quick, bad])
        first = {names[next(ended)], names[next(ended)]}
        open(gate, "w").close()
        found += [first == {"quick", "bad"}, names[next(ended)], shown(theirs.wait(names))]
        return found


def callbacks(make, tmp_path):
    gate, seen = str(tmp_path / "gate"), []
    with make(2) as executor:
        future = executor.submit(hold, gate)
        future.add_done_callback(lambda done: seen.append(("first", done is future, done.result() == gate)))
        future.add_done_callback(lambda done: 1 / 0)
        future.add_done_callback(lambda done: seen.append(("third", done.done())))
        open(gate, "w").close()
    future.add_done_callback(lambda done: seen.append("at once"))
    return seen


def cancelling(make, tmp_path):
    gate, seen = str(tmp_path / "gate"), []
    with make(2) as executor:
        held = [executor.submit(hold, gate) for _ in range(2)]
        begun(held)
        # CPython's executors of processes count the next few as running, too.
        waiting = [executor.submit(open, os.fspath(tmp_path / f"ran {x}"), "w") for x in range(20)][10:]
        for future in waiting:
            future.add_done_callback(lambda future: seen.append(future.cancelled()))
        said = [future.cancel() for future in waiting], [future.cancel() for future in waiting]
        said += [future.cancel() for future in held], [future.cancelled() for future in waiting + held], list(seen)
        said += (outcome(waiting[0].result), outcome(waiting[0].exception), waiting[0].done(), waiting[0].running())
        open(gate, "w").close()
    return said, sorted(name for name in os.listdir(tmp_path) if name in [f"ran {x}" for x in range(10, 20)])


def shutting_down(make, tmp_path):
    executor = make(2)
    futures = [executor.submit(pow, x, 2) for x in range(50)]
    iterator = executor.map(abs, range(-5, 0))
    executor.shutdown(wait=False)
    executor.shutdown()
    return (
        outcome(executor.submit, abs, 1),
        outcome(executor.map, abs, [1]),
        [future.result() for future in futures],
        list(iterator),
        executor.shutdown(cancel_futures=True),
    )


def shutting_down_with_cancel(make, tmp_path):
    gate = str(tmp_path / "gate")
    executor = make(2)
    held = [executor.submit(hold, gate) for _ in range(2)]
    begun(held)
    waiting = [executor.submit(abs, -1) for _ in range(50)][10:]
    executor.shutdown(wait=False, cancel_futures=True)
    while not all(future.cancelled() for future in waiting):
        time.sleep(0.005)
    open(gate, "w").close()
    return [future.result() == gate for future in held], outcome(waiting[0].result)


def initializers(make, tmp_path):
    with make(2, initializer=remember, initargs=("it",)) as executor:
        found = set(executor.map(remembered, range(20)))
    with make(1, initializer=fail, initargs=("no",)) as executor:
        try:
            executor.submit(abs, 1).result()
        except theirs.BrokenExecutor:
            found.add("broken")
    return found


def exits(make, tmp_path):
    with make(2) as executor:
        return outcome(executor.submit(leave, 3).result), executor.submit(abs, -1).result()


def event_loops(make, tmp_path):
    async def main(executor):
        loop = asyncio.get_running_loop()
        gathered = await asyncio.gather(*(loop.run_in_executor(executor, pow, x, 2) for x in range(10)))
        try:
            await asyncio.wrap_future(executor.submit(fail, 5))
        except ValueError as error:
            return gathered, error.args

    async def by_default():
        # asyncio asks for the very class of the standard library's.
        asyncio.get_running_loop().set_default_executor(make(2))
        return await asyncio.to_thread(pow, 2, 5)

    with make(2) as executor:
        return asyncio.run(main(executor)), outcome(asyncio.run, by_default())


def bad_arguments(make, tmp_path):
    said = [outcome(make, count)[0] for count in (0, -1, "two")]
    said += [outcome(lambda: make(1, initializer="no")), outcome(lambda: make(1).submit())[0]]
    return said


PROGRAMS = [
    results_and_exceptions,
    maps,
    an_iterable_that_fails,
    maps_that_take_too_long,
    waiting_for_several,
    callbacks,
    cancelling,
    shutting_down,
    shutting_down_with_cancel,
    initializers,
    exits,
    event_loops,
    bad_arguments,
]
PAIRS = {
    "processes": (theirs.ProcessPoolExecutor, ours.ProcessPoolExecutor),
    "threads": (theirs.ThreadPoolExecutor, ours.ThreadPoolExecutor),
}


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_the_same_is_observed(program, kind, tmp_path):
    if (program, kind) == (initializers, "threads"):
        remember(None)
    seen = []
    for name, make in zip(("theirs", "ours"), PAIRS[kind]):
        folder = tmp_path / name
        folder.mkdir()
        seen.append(program(make, folder))
    assert seen[1] == seen[0]


# ------------------------------------------------------------------------------------------- what only ours does


@pytest.fixture(params=["processes", "threads"])
def executor(request):
    with ours.Executor(2, backend=request.param) as executor:
        yield executor


def test_functions_of_any_kind(executor):
    offset = 10
    assert executor.submit(lambda x: x + offset, 1).result() == 11
    assert list(executor.map(lambda x, y: x * y + offset, range(5), range(5))) == [10, 11, 14, 19, 26]


def test_a_lazy_map_takes_no_more_than_its_buffer(executor):
    taken = []
    iterator = executor.map(abs, (taken.append(x) or x for x in range(10**9)), buffersize=4)
    assert len(taken) == 4
    assert [next(iterator) for _ in range(100)] == list(range(100))
    assert len(taken) <= 105
    iterator.close()
    assert outcome(next, iterator) == ("StopIteration", ())
    for wrong in (0, -1, 1.5, "4"):
        with pytest.raises((TypeError, ValueError), match="buffersize"):
            executor.map(abs, [1], buffersize=wrong)


def test_a_lazy_map_ends_with_its_executor(executor):
    iterator = executor.map(abs, iter(int, 1), buffersize=4)
    assert next(iterator) == 0
    executor.shutdown()
    with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
        next(iterator)


def test_what_is_cancelled_wakes_who_waits_for_it(executor, tmp_path):
    gate = str(tmp_path / "gate")
    held = [executor.submit(hold, gate) for _ in range(2)]
    begun(held)
    waiting = executor.submit(abs, -1)
    with theirs.ThreadPoolExecutor(2) as others:
        waits = others.submit(theirs.wait, [waiting, *held], return_when=theirs.FIRST_COMPLETED)
        asks = others.submit(outcome, waiting.result)
        assert waiting.cancel()
        assert waits.result().done == {waiting}
        assert asks.result() == ("CancelledError", ())
        open(gate, "w").close()


def test_the_serial_backend_runs_at_once():
    with ours.Executor(backend="serial", initializer=remember, initargs=("here",)) as executor:
        assert executor.submit(abs, -1).result() == 1
        assert REMEMBERED == "here"
        assert type(executor.submit(fail, 1).exception()) is ValueError
        assert list(executor.map(pow, [2, 3], [3, 2])) == [8, 9]
        assert executor.submit(abs, -1).cancel(running=True) is False
        with pytest.raises(RuntimeError, match="StopIteration"):
            list(executor.map(stop_at_two, range(4)))
    with pytest.raises(RuntimeError, match="after shutdown"):
        executor.submit(abs, 1)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), "0.5"])
def test_a_timeout_that_is_none(timeout):
    with pytest.raises((TypeError, ValueError), match="timeout must be"):
        ours.Executor(timeout=timeout)


def test_what_runs_in_line_has_no_timeout():
    with pytest.raises(ValueError, match="cannot be interrupted"):
        ours.Executor(backend="serial", timeout=1)


def test_the_call_that_killed_its_worker_is_told_as_it_was_written():
    def leave_at_once(code, *, really):
        os._exit(code)

    with ours.ProcessPoolExecutor(1) as executor:
        error = executor.submit(leave_at_once, 3, really=True).exception()
    assert "item 0 (leave_at_once(3, really=True))" in str(error)


def test_another_executor_stands_in():
    with theirs.ThreadPoolExecutor(2) as other, ours.Executor(2, on=other) as executor:
        futures = [executor.submit(pow, x, 2) for x in range(20)]
        assert [future.result() for future in theirs.as_completed(futures) if future.done()]
        assert list(executor.map(lambda x: x + 1, range(5))) == [1, 2, 3, 4, 5]
        assert type(executor.submit(fail, 1).exception()) is ValueError
