"""Threads as workers: what cannot be stopped is left behind, what ends goes on, nothing hangs and nothing is left."""

import gc
import os
import signal
import threading
import time
import weakref

import pytest
from scenario import Scenario, run

import manyhands as mh


def until(condition, what):
    """Wait until `condition()` is true."""
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.002)


def threads_there():
    """How many threads this process has."""
    return len(os.listdir("/proc/self/task"))


@pytest.fixture
def pool():
    with mh.ThreadPool(2) as made:
        yield made
    made.join()


# ------------------------------------------------------------------------------------------------- what items do


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()], ids=repr)
def test_what_would_end_the_program_ends_the_item(pool, error):
    def leave(x):
        if x == 1:
            raise error
        return x

    for call in (pool.map, lambda *given: mh.map(*given, backend="threads", workers=2)):
        with pytest.raises(mh.TaskExited) as caught:
            call(leave, range(4))
        assert caught.value.kind == type(error).__name__
        assert caught.value.__cause__ is error
    with pytest.raises(mh.TaskExited):
        pool.apply(leave, (1,))
    assert pool.map(leave, [5, 6, 7]) == [5, 6, 7]


def test_an_error_is_the_function_s_own_with_its_own_traceback(pool):
    made = []

    def fail(x):
        made.append(ValueError("mine"))
        raise made[-1]

    with pytest.raises(ValueError, match="mine") as caught:
        pool.map(fail, [7], on_error="raise")
    assert caught.value is made[-1]
    trace = caught.value.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    assert trace.tb_frame.f_code.co_name == "fail"
    with pytest.raises(ValueError) as caught:
        pool.apply(fail, (7,))
    assert caught.value is made[-1]


def test_an_exception_thrown_into_a_thread_fails_its_item_alone():
    run(
        """
        import ctypes

        def wait_for_it(x):
            if x == 1:
                Flag("begun").set()
                until = time.monotonic() + 60
                while time.monotonic() < until:
                    pass
            return x

        with mh.ThreadPool(2) as pool:
            result = pool.map_async(wait_for_it, range(5))
            Flag("begun").wait()
            (ident,) = [view["ident"] for view in pool._workers.engine.workers() if view["running"] == 1]
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(LookupError))
            try:
                result.get(60)
            except LookupError as error:
                print(*getattr(error, "__notes__", ()))
            assert pool.map(abs, [-1, -2]) == [1, 2]
        """,
    )


def test_an_iterator_that_raises_comes_out_as_itself(pool):
    def source(n):
        yield from range(n)
        raise LookupError("no more")

    for n in (0, 3, 1000):
        for call in (pool.map, lambda *given: mh.map(*given, backend="threads", workers=2)):
            with pytest.raises(LookupError, match="no more"):
                call(abs, source(n))
    taken = []
    with pytest.raises(LookupError):
        for value in pool.imap(abs, source(5)):
            taken.append(value)
    assert taken == [0, 1, 2, 3, 4]
    assert pool.map(abs, [-1]) == [1]


def test_the_source_runs_in_the_callers_own_thread(pool):
    def source():
        for _ in range(200):
            yield threading.get_ident()

    assert set(pool.map(lambda ident: ident, source())) == {threading.get_ident()}
    assert set(pool.imap(lambda ident: ident, source())) == {threading.get_ident()}
    assert threading.get_ident() not in pool.map(lambda _: threading.get_ident(), range(20))


def test_destructors_that_call_the_pool_again():
    run(
        """
        import gc
        pool = mh.ThreadPool(2)
        died = []

        class Clingy:
            def __init__(self, n=0):
                self.n = n
            def __call__(self, x):
                return Clingy(x.n)
            def __del__(self):
                died.append(pool.apply_async(abs, (-self.n,)))
                if self.n % 50 == 0:
                    died.append(mh.map(abs, [-self.n], backend="threads", workers=2))

        for _ in range(20):
            pool.map(Clingy(), [Clingy(n) for n in range(100)])
            mh.map(Clingy(), (Clingy(n) for n in range(100)), backend="threads", workers=2)
            iterator = pool.imap(Clingy(), (Clingy(n) for n in range(100)))
            next(iterator)
            iterator.close()
            try:
                pool.map(lambda c: 1 / c.n, [Clingy(n % 3) for n in range(50)], on_error="raise")
            except ZeroDivisionError:
                pass
        gc.collect()
        for answer in died:
            assert answer if type(answer) is list else answer.get(60) >= 0
        print(len(died) > 4000)
        pool.terminate()
        """,
    )


def test_nothing_of_an_item_is_kept(pool):
    class Thing:
        pass

    class Trouble(Exception):
        pass

    def fail(thing):
        raise Trouble(thing)

    def all_gone(references):
        return all(reference() is None for reference in references)

    gc.disable()
    try:
        for call in (pool.map, lambda *given: mh.map(*given, backend="threads", workers=2)):
            things = [Thing() for _ in range(10)]
            references = [weakref.ref(thing) for thing in things]
            results = call(lambda thing: Thing(), things)
            references += [weakref.ref(result) for result in results]
            del things, results
            until(lambda: all_gone(references), "the end of items and results")
    finally:
        gc.enable()
    things = [Thing() for _ in range(4)]
    references = [weakref.ref(thing) for thing in things]
    references += [weakref.ref(error) for error in pool.map(fail, things, on_error="return")]
    del things
    gc.collect()
    until(lambda: all_gone(references), "the end of failures")


# --------------------------------------------------------------------------------------------------- maps in maps


def test_a_map_inside_of_a_threads_item_is_run_there(pool):
    def outer(x):
        inner = mh.map(lambda y: (x * y, threading.get_ident()), range(3), backend="threads", workers=2)
        assert {ident for _, ident in inner} == {threading.get_ident()}
        return [product for product, _ in inner]

    expected = [[x * y for y in range(3)] for x in range(8)]
    assert mh.map(outer, range(8), backend="threads", workers=2) == expected
    assert list(mh.imap(outer, range(8), backend="threads", workers=2)) == expected


def test_threads_and_pools_within_each_other(pool):
    def threads(x):
        return mh.map(lambda y: x * y, range(3), backend="threads", workers=2)

    def own(x):
        with mh.ThreadPool(2) as inner:
            return inner.map(lambda y: x * y, range(3))

    def processes(x):
        return mh.map(lambda y: x * y, range(3), workers=2)

    expected = [[x * y for y in range(3)] for x in range(4)]
    for function in (threads, own, processes):
        assert pool.map(function, range(4)) == expected
        assert mh.map(function, range(4), backend="threads", workers=2) == expected
    for function in (threads, own):
        assert mh.map(function, range(4), workers=2) == expected


# ------------------------------------------------------------------------------------------------------- timeouts


def test_items_that_take_too_long_are_left_behind_and_others_take_their_place():
    gate = threading.Event()
    before = threads_there()

    def slow(x):
        if x % 3 == 0:
            gate.wait()
        return x

    for call in (mh.ThreadPool(2).map, lambda *given, **kw: mh.map(*given, backend="threads", workers=2, **kw)):
        found = call(slow, range(9), timeout=0.05, on_error="return", retries=1)
        assert [x for x in found if not isinstance(x, Exception)] == [1, 2, 4, 5, 7, 8]
        for index in (0, 3, 6):
            error = found[index]
            assert isinstance(error, mh.TimeoutError)
            assert f"item {index} ({index})" in str(error)
            assert "2 times" in str(error) and "runs on to its end" in str(error)
        with pytest.raises(mh.TimeoutError):
            call(slow, [3], timeout=0.05, on_error="raise")
    gate.set()
    gc.collect()
    until(lambda: threads_there() <= before + 2, "the end of those left behind")  # two are kept


def test_a_timeout_of_calls_that_nobody_waits_for():
    gate = threading.Event()
    with mh.Executor(1, backend="threads", timeout=0.05) as executor:
        stuck, free = executor.submit(gate.wait), executor.submit(abs, -1)
        done = threading.Event()
        stuck.add_done_callback(lambda _: done.set())
        assert done.wait(60)
        assert isinstance(stuck.exception(), mh.TimeoutError)
        assert free.result(60) == 1
        gate.set()


# --------------------------------------------------------------------------------------------------------- ends


def test_many_pools_leave_no_thread():
    before = threads_there()
    for number in range(60):
        with mh.ThreadPool(3) as pool:
            assert pool.map(abs, range(-number, 0)) == list(range(number, 0, -1))
            pool.apply_async(abs, (-1,))
        forgotten = mh.ThreadPool(2)
        forgotten.close()
        if number % 2:
            forgotten.join()
    del forgotten
    gc.collect()
    until(lambda: threads_there() <= before, "the end of all threads")


def test_join_waits_for_what_runs_and_terminate_does_not():
    gate, begun = threading.Event(), threading.Event()

    def wait(x):
        begun.set()
        return gate.wait(60)

    pool = mh.ThreadPool(1)
    results = [pool.apply_async(wait, (x,)) for x in range(3)]
    begun.wait(60)
    pool.terminate()
    for result in results:
        with pytest.raises(RuntimeError, match="terminated"):
            result.get(60)
    assert pool._workers.engine.workers()
    gate.set()
    pool.join()
    assert not pool._workers.engine.workers()


def test_an_initializer_runs_in_each_thread_and_a_failing_one_breaks_the_pool():
    here = threading.local()
    seen = []

    def prepare(value):
        here.value = value
        seen.append(threading.get_ident())

    with mh.ThreadPool(3, prepare, (5,)) as pool:
        assert pool.map(lambda _: here.value, range(30)) == [5] * 30
    pool.join()
    assert len(set(seen)) == 3

    def fail():
        raise OSError("not today")

    pool = mh.ThreadPool(2, fail)
    for call in (pool.map, pool.apply, pool.apply):
        with pytest.raises(mh.PoolBroken, match="not today") as caught:
            call(abs, [1])
        assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(mh.PoolBroken):
        next(pool.imap(abs, [1]))
    with pytest.raises(mh.PoolBroken):
        pool.apply_async(abs, (1,)).get(60)
    pool.terminate()
    pool.join()


RUNNING = {
    "waiting": "lambda: threading.Event().wait()",
    "sleeping": "lambda: time.sleep(60)",
    "computing": "lambda: [x for x in iter(int, 1)]",
    "compiled code": "lambda: __import__('hashlib').pbkdf2_hmac('sha256', b'a', b'b', 10**9)",
    "another map": "lambda: mh.map(time.sleep, [60], workers=1, backend='threads')",
    "its own pool": "lambda: pool.apply(abs, (-1,)) and time.sleep(60)",
}


@pytest.mark.parametrize("how", RUNNING)
def test_a_program_ends_while_threads_run(how):
    ended = run(
        f"""
        pool = mh.ThreadPool(3)
        kept = mh.map(abs, [-1], backend="threads", workers=2)
        endless = mh.imap(abs, iter(int, 1), backend="threads", workers=2)
        next(endless)
        work = {RUNNING[how]}
        def begin():
            Flag("begun").set()
            work()
        results = [pool.apply_async(begin) for _ in range(5)]
        for _ in range(3):
            threading.Thread(target=lambda: results[0].get(), daemon=True).start()
        Flag("begun").wait()
        print("last line", flush=True)
        """,
        environment={"PYTHONWARNINGS": "ignore"},
    )
    assert ended.out == "last line\n"
    assert ended.err == ""


def test_a_program_that_fails_while_threads_run_says_why():
    ended = run(
        """
        pool = mh.ThreadPool(2)
        pool.apply_async(lambda: [x for x in iter(int, 1)])
        raise SystemExit(7)
        """,
        code=7,
    )
    assert ended.err == ""


def test_a_fork_while_threads_run():
    run(
        """
        pool = mh.ThreadPool(2)
        stop = threading.Event()
        busy = [pool.apply_async(stop.wait) for _ in range(1)]
        result = pool.map_async(lambda x: time.sleep(0.001) or x, range(400))
        iterator = pool.imap(abs, iter(int, 1))
        kept = mh.imap(abs, iter(int, 1), backend="threads", workers=2)
        next(iterator), next(kept)
        for _ in range(20):
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    for call in (pool.map, pool.apply):
                        try:
                            call(abs, [1])
                        except RuntimeError as error:
                            assert "fork" in str(error)
                        else:
                            raise AssertionError("the parent's pool was used")
                    assert mh.map(abs, [-1, -2], backend="threads", workers=2) == [1, 2]
                    with mh.ThreadPool(2) as own:
                        assert own.map(abs, [-1, -2]) == [1, 2]
                    pool.terminate()
                    del iterator, kept, result, busy, pool
                    status = 0
                except BaseException:
                    import traceback
                    traceback.print_exc()
                finally:
                    os._exit(status)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        assert result.get(60) == list(range(400))
        pool.terminate()
        """,
        environment={"PYTHONWARNINGS": "ignore"},
    )


def test_a_forked_child_that_ends_as_programs_do():
    run(
        """
        pool = mh.ThreadPool(2)
        hold = threading.Event()
        pool.apply_async(hold.wait)
        mh.map(abs, [1], backend="threads", workers=2)
        child = os.fork()
        if child:
            assert os.waitpid(child, 0)[1] == 0
        """,
        environment={"PYTHONWARNINGS": "ignore"},
    )


@pytest.mark.parametrize(
    "call",
    [
        "mh.map(begin, range(6), backend='threads', workers=2)",
        "mh.map(begin, iter(int, 1), backend='threads', workers=2)",
        "list(mh.imap(begin, range(6), backend='threads', workers=2))",
        "pool.map(begin, range(6))",
        "pool.apply(begin, (1,))",
        "pool.map_async(begin, range(6)).get()",
        "pool.apply_async(begin, (1,)).get()",
    ],
)
def test_ctrl_c_comes_through_at_once(call):
    program = f"""
        def begin(x):
            Flag("begun").set()
            Tally("begun").add()
            threading.Event().wait(600)

        pool = mh.ThreadPool(2)
        print("ready", flush=True)
        try:
            {call}
        except KeyboardInterrupt:
            print("interrupted", flush=True)
        # What runs goes on; neither the interruption nor the next map waits for it.
        assert mh.map(abs, [-1, -2], backend="threads", workers=2) == [1, 2]
        assert int(Tally("begun")) <= 2
        os._exit(0)
    """
    with Scenario(program) as scenario:
        scenario.wait_for("ready")
        until(lambda: (scenario.folder / "flag-begun").exists(), "the first item")
        scenario.signal(signal.SIGINT)
        ended = scenario.finish()
    assert ended.out == "ready\ninterrupted\n"
