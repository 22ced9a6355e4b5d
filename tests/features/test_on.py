"""`on=`: somebody else's executor in place of our workers. What is the same for every backend: tests/conformance."""

import multiprocessing
import os
import random
import sys
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed

import pytest

import manyhands as mh
from manyhands import _engines, _queue, _queue_recovery
from programs import PATIENCE

SPAWN = multiprocessing.get_context("spawn")


@pytest.fixture(scope="module")
def processes():
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        for started in [executor.submit(time.sleep, 0.1) for _ in range(2)]:
            started.result()
        yield executor


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture(params=["processes", "threads"])
def either(request, processes, threads):
    return {"processes": processes, "threads": threads}[request.param]


class OneByOne(Executor):
    """Somebody's own executor: it runs what it is given when it is told to, and counts."""

    max_workers = 2

    def __init__(self):
        self.waiting = []
        self.sizes = []
        self.most = 0

    def submit(self, function, *arguments):
        future = Future()
        self.waiting.append((future, function, arguments))
        self.most = max(self.most, len(self.waiting))
        threading.Thread(target=self.step).start()
        return future

    def step(self):
        future, function, arguments = self.waiting.pop(0)
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(function(*arguments))
            except BaseException as error:
                future.set_exception(error)


class Losing(OneByOne):
    """One whose workers die of some items, each time."""

    def __init__(self, fatal):
        super().__init__()
        self.fatal = fatal
        self.losses = 0

    def submit(self, function, *arguments):
        if function is eval and self.fatal in arguments[1]["message"]:
            self.losses += 1
            lost = Future()
            lost.set_exception(BrokenExecutor("a worker is gone"))
            return lost
        return super().submit(function, *arguments)


# --------------------------------------------------------------------------------------------- every kind of call


def test_every_call_of_a_pool(either):
    bonus = 5
    with mh.Pool(on=either) as pool:
        assert pool.map(lambda x: x + bonus, range(100)) == list(range(5, 105))
        assert pool.apply(lambda a, b=2: a * b, (3,)) == 6
        called = []
        assert pool.apply_async(abs, (-5,), callback=called.append).get(PATIENCE) == 5
        assert called == [5]
        assert pool.map_async(abs, range(-3, 0)).get(PATIENCE) == [3, 2, 1]
        assert sorted(pool.imap_unordered(abs, range(-3, 0))) == [1, 2, 3]
        with pytest.raises(ZeroDivisionError):
            pool.apply_async(lambda: 1 // 0).get(PATIENCE)
        pool.close()
        pool.join()
        with pytest.raises(ValueError, match="not running"):
            pool.apply(abs, (1,))


def test_an_executor_of_ours_over_one_of_theirs(either):
    with mh.Executor(on=either) as executor:
        futures = [executor.submit(lambda x: x * x, i) for i in range(10)]
        assert sorted(future.result() for future in as_completed(futures, PATIENCE)) == [i * i for i in range(10)]
        assert list(executor.map(pow, range(5), range(5))) == [1, 1, 4, 27, 256]
        assert isinstance(executor.submit(lambda: [][0]).exception(PATIENCE), IndexError)


def test_what_waits_can_be_cancelled(threads):
    gate = threading.Event()
    with mh.Executor(on=threads) as executor:
        futures = [executor.submit(gate.wait, PATIENCE) for _ in range(20)]
        assert futures[-1].cancel() and futures[-1].cancelled()
        executor.shutdown(wait=False, cancel_futures=True)
        gate.set()
        assert all(future.cancelled() or future.result(PATIENCE) for future in futures)
        assert sum(future.cancelled() for future in futures) >= 16


def test_joblibs_loop(either):
    assert mh.Parallel(on=either)(mh.delayed(pow)(i, 2) for i in range(5)) == [0, 1, 4, 9, 16]
    results = mh.Parallel(on=either, return_as="generator")(mh.delayed(pow)(i, 2) for i in range(5))
    assert list(results) == [0, 1, 4, 9, 16]


def test_ours_over_ours():
    bonus = 1
    with mh.Executor(2) as executor:
        assert mh.map(lambda x: x + bonus, range(10), on=executor) == list(range(1, 11))
        results = mh.map(lambda x: os._exit(3) if x == 3 else x, range(10), on=executor, on_error="return")
    assert isinstance(results.pop(3), mh.WorkerDied)
    assert results == [0, 1, 2, 4, 5, 6, 7, 8, 9]


# ---------------------------------------------------------------------------------------------- how it is carried out


def test_threads_get_the_objects_themselves(threads):
    item, seen = object(), []
    assert mh.map(lambda x: seen.append(x) or x, [item], on=threads) == [item]
    assert seen == [item]


def test_a_seed_reaches_rng_in_threads(threads):
    def draw(_):
        return mh.rng().random()

    assert mh.map(draw, range(20), seed=3, on=threads) == mh.map(draw, range(20), seed=3, backend="serial")


def test_messages_begin_with_one_item_and_grow():
    sizes = []

    class Measured(OneByOne):
        def submit(self, function, *arguments):
            sizes.append(len(arguments[1]["message"]))
            return super().submit(function, *arguments)

    executor = Measured()
    assert mh.map(abs, range(20_000), on=executor) == list(range(20_000))
    assert len(sizes) < 300
    assert max(sizes) > 4 * sizes[0]
    assert executor.most <= 4


class Counting:
    """A task that knows how many of it run at once."""

    def __init__(self):
        self.lock, self.running, self.most = threading.Lock(), 0, 0

    def __call__(self, x):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.005)
        with self.lock:
            self.running -= 1
        return x


@pytest.mark.parametrize("asked", [1, 2])
def test_no_more_run_at_once_than_were_asked_for(asked):
    with ThreadPoolExecutor(8) as executor:
        task = Counting()
        assert mh.map(task, range(12), workers=asked, on=executor) == list(range(12))
        with mh.Pool(asked, on=executor) as pool:
            assert pool.map(task, range(12)) == list(range(12))
        with mh.Executor(asked, on=executor) as calls:
            assert list(calls.map(task, range(12))) == list(range(12))
        assert mh.Parallel(n_jobs=asked, on=executor)(mh.delayed(task)(i) for i in range(12)) == list(range(12))
        assert mh.compute(*[mh.task(task)(i) for i in range(12)], workers=asked, on=executor) == tuple(range(12))
    assert task.most <= asked


@pytest.mark.parametrize("asked, most", [(None, 4), (1, 1), (2, 4), (5, 10)])
def test_a_worker_has_its_next_message_where_that_runs_no_more_at_once(asked, most):
    class Held(OneByOne):
        def submit(self, function, *arguments):
            future = super().submit(function, *arguments)
            if self.most >= most:
                gate.set()
            return future

        def step(self):
            assert gate.wait(PATIENCE)
            super().step()

    gate, executor = threading.Event(), Held()
    assert mh.map(abs, range(50), workers=asked, on=executor) == list(range(50))
    assert executor.most == most


def test_imap_takes_no_more_than_its_buffer():
    taken = []
    results = mh.imap(abs, (taken.append(i) or i for i in range(10**9)), buffer=10, on=OneByOne())
    assert [next(results) for _ in range(20)] == list(range(20))
    assert len(taken) <= 30
    results.close()


def test_a_function_that_is_long_is_sent_to_those_that_ask(processes):
    ballast = random.Random(1).randbytes(1 << 20)
    executor = OneByOne()
    sizes = []
    submit = executor.submit
    executor.submit = lambda function, *arguments: (
        sizes.append(len(arguments[1]["message"])),
        submit(function, *arguments),
    )[1]
    items = range(5000)
    assert mh.map(lambda x: x + len(ballast), items, on=executor) == [x + (1 << 20) for x in items]
    assert sum(size > 1 << 20 for size in sizes) <= 5
    assert len(sizes) > 8
    assert mh.map(lambda x: x + len(ballast), range(50), on=processes) == [x + (1 << 20) for x in range(50)]


def test_it_is_forgotten_with_its_executor(threads):
    from weakref import ref

    executor = ThreadPoolExecutor(1)
    assert mh.map(abs, [-1], on=executor) == [1]
    executor.shutdown()
    gone = ref(executor)
    del executor
    assert gone() is None


# ------------------------------------------------------------------------------------------------- what goes wrong


def test_the_item_that_kills_is_found_and_named():
    executor = Losing(b"poison")
    results = mh.map(str.upper, ["a"] * 700 + ["poison"] + ["b"] * 300, on=executor, on_error="return")
    died = results.pop(700)
    assert isinstance(died, mh.WorkerDied)
    assert (died.index, died.item, died.attempts) == (700, "'poison'", 1)
    assert "a worker is gone" in str(died)
    assert results == ["A"] * 700 + ["B"] * 300
    assert executor.losses < 15


def test_retries_are_counted():
    executor = Losing(b"poison")
    with pytest.raises(mh.WorkerDied, match="item 2 .*tried 4 times"):
        mh.map(str.upper, ["a", "b", "poison"], on=executor, retries=3)


class Restarting(_engines.Futures):
    """An engine that starts workers again in place of lost ones, as Dask does."""

    restarts = blames_bystanders = True

    def tries_again(self, error):
        return True

    def patience(self):
        return 0.2

    def count(self):
        return self._executor.count()


class Restarted(Losing):
    """An executor for it: a lost worker is there again after some looks, or never."""

    def __init__(self, fatal, looks):
        super().__init__(fatal)
        self.looks, self.looked, self.early = looks, looks, 0

    def count(self):
        self.looked += 1
        return 2 if self.looked >= self.looks else 0

    def submit(self, function, *arguments):
        losses = self.losses
        if function is eval and losses:
            self.early += self.looked < self.looks and self.fatal in arguments[1]["message"]
            if self.looks == float("inf"):
                return Future()  # nobody is there
        future = super().submit(function, *arguments)
        if self.losses > losses:
            self.looked = 0
        return future


@pytest.fixture
def restarting(monkeypatch):
    monkeypatch.setattr(_engines, "of", Restarting)
    monkeypatch.setattr(_queue_recovery, "_SETTLED", 0.0)
    monkeypatch.setattr(_queue_recovery, "_GLANCE", 0.001)
    monkeypatch.setattr(_queue, "_GLANCE", 0.001)
    monkeypatch.setattr(_queue, "_LOOK_AROUND", 0.05)


def test_what_was_lost_waits_until_the_workers_are_there_again(restarting):
    executor = Restarted(b"poison", 5)
    results = mh.map(str.upper, ["a"] * 70 + ["poison"] + ["b"] * 30, on=executor, on_error="return")
    assert isinstance(results.pop(70), mh.WorkerDied)
    assert results == ["A"] * 70 + ["B"] * 30
    assert executor.losses >= 2 and executor.early == 0


@pytest.mark.parametrize("seconds", [0, 0.05])  # what was sent before the loss may be answered after it
def test_lost_workers_that_never_come_back_are_not_waited_for_without_end(restarting, monkeypatch, seconds):
    monkeypatch.setattr(_queue_recovery, "_LONGEST", 0.1)
    executor = Restarted(b"poison", 0)
    executor.looks = float("inf")
    with pytest.raises(mh.PoolBroken, match=r"workers were lost, and for 0\.2 seconds it has had none; .*Start others"):
        mh.map(lambda item: time.sleep(seconds), ["a", "poison", "b"], on=executor)


def test_an_executor_that_breaks():
    with ProcessPoolExecutor(2, mp_context=SPAWN) as executor:
        with pytest.raises(mh.PoolBroken, match="ProcessPoolExecutor cannot go on: .*under way") as caught:
            mh.map(lambda x: os._exit(3) if x == 5 else x, range(10), on=executor)
        assert isinstance(caught.value.__cause__, BrokenExecutor)
        with pytest.raises(mh.PoolBroken, match="cannot go on"):
            mh.map(abs, [1], on=executor)


def test_an_executor_that_is_shut_down_midway():
    executor = ThreadPoolExecutor(2)

    def stop(x):
        if x == 5:
            executor.shutdown(wait=False, cancel_futures=True)
        return x

    with pytest.raises(mh.PoolBroken, match="cannot go on: .*(shutdown|cancelled)"):
        mh.map(stop, range(100_000), on=executor)


def test_a_closed_executor(processes):
    executor = ThreadPoolExecutor(2)
    executor.shutdown()
    with pytest.raises(mh.PoolBroken, match="shutdown"):
        mh.map(abs, [1], on=executor)


def test_a_worker_without_manyhands():
    class Bare(OneByOne):
        def submit(self, function, *arguments):
            return super().submit(refuse)

    def refuse():
        raise ModuleNotFoundError("No module named 'manyhands'", name="manyhands")

    with pytest.raises(mh.PoolBroken, match="lack manyhands: install"):
        mh.map(abs, [1], on=Bare())


def test_a_worker_of_another_python(monkeypatch):
    from manyhands import _store

    monkeypatch.setattr(_store, "PROTOCOL", (1, (2, 7)))
    with pytest.raises(mh.PoolBroken, match=r"the caller runs Python 2.7, the worker 3\.\d+; both need the same"):
        mh.map(abs, [1], on=OneByOne())


def test_an_initializer(processes):
    def begin(value):
        global set_by_initializer
        set_by_initializer = value

    with mh.Pool(on=processes, initializer=begin, initargs=(7,)) as pool:
        assert pool.map(lambda x: x + set_by_initializer, range(3)) == [7, 8, 9]

    def refuse():
        raise LookupError("not today")

    failing = mh.Pool(on=processes, initializer=refuse)
    with pytest.raises(mh.PoolBroken, match="initializer fails .*LookupError: not today"):
        failing.map(abs, range(3))
    failing.terminate()


def test_what_cannot_be_had_is_refused(threads, processes):
    with pytest.raises(ValueError, match="timeout= cannot be had"):
        mh.map(abs, [1], on=threads, timeout=1)
    with pytest.raises(ValueError, match="exclude each other"):
        mh.map(abs, [1], on=threads, backend="serial")
    with pytest.raises(ValueError, match="tasks per worker"):
        mh.Pool(on=threads, maxtasksperchild=3)
    with pytest.raises(ValueError, match="give it there"):
        mh.Pool(on=threads, initializer=print)
    with pytest.raises(TypeError, match="only workers of our own"):
        mh.map(lambda pipe: None, [SPAWN.Pipe()], on=processes)


@pytest.mark.parametrize("on", [3, ThreadPoolExecutor, object(), "cluster"])
def test_what_is_no_engine(on):
    with pytest.raises((TypeError, ValueError), match="on= takes an executor .*not "):
        mh.map(abs, [1], on=on)


@pytest.mark.parametrize("name, extra", [("mpi", "mpi"), ("dask", "dask"), ("dask://nowhere:1", "dask")])
def test_a_package_that_is_missing(name, extra, monkeypatch):
    for module in ("mpi4py", "mpi4py.futures", "distributed"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=rf'pip install "manyhands\[{extra}\]"'):
        mh.map(abs, [1], on=name)


def test_ctrl_c_is_prompt(python):
    out = python(
        """
        import os, signal, threading, time
        from concurrent.futures import ThreadPoolExecutor
        import manyhands as mh

        begun = threading.Event()
        gate = threading.Event()

        def wait(x):
            begun.set()
            gate.wait(60)

        executor = ThreadPoolExecutor(2)
        threading.Thread(target=lambda: (begun.wait(), os.kill(os.getpid(), signal.SIGINT))).start()
        try:
            mh.map(wait, range(1000), on=executor)
        except KeyboardInterrupt:
            print("interrupted")
        gate.set()
        print(mh.map(abs, [-1], on=executor))
        executor.shutdown()
        """
    )
    assert out.split() == ["interrupted", "[1]"]


# ---------------------------------------------------------------------------------------------------------- graphs


@mh.task
def add(a, b):
    return a + b


@mh.task(retries=1)
def fail(a):
    return a / 0


def test_a_graph(either):
    total = add(1, 2)
    for i in range(50):
        total = add(total, i)
    assert total.compute(on=either) == 3 + sum(range(50))
    with pytest.raises(ZeroDivisionError) as caught:
        add(fail(1), 2).compute(on=either)
    assert "while running task 'fail'" in "".join(getattr(caught.value, "__notes__", ()))


class _Cluster:
    """As much of the module `ray` as is used, over an executor."""

    def __init__(self, executor):
        self.executor, self.joined = executor, True

    def is_initialized(self):
        return self.joined

    def cluster_resources(self):
        return {"CPU": 2.0}

    def remote(self, max_retries):
        assert max_retries == 0
        return lambda function: _Remote(self.executor, function)


class _Remote:
    def __init__(self, executor, function):
        self.executor, self.function = executor, function

    def remote(self, *arguments):
        given = self.executor.submit(self.function, *arguments)
        return type("ObjectRef", (), {"future": lambda self: given})()


def test_ray_goes_by_its_name(processes, monkeypatch):
    cluster = _Cluster(processes)
    monkeypatch.setitem(sys.modules, "ray", cluster)
    try:
        bonus = 1
        assert mh.map(lambda x: x + bonus, range(100), on="ray") == list(range(1, 101))
        with pytest.raises(ZeroDivisionError):
            mh.map(lambda x: 1 // (x - 3), range(10), on="ray")
        cluster.joined = False
        with pytest.raises(RuntimeError, match=r"ray\.init\(\)"):
            mh.map(abs, [1], on="ray")
    finally:
        _engines._by_name.pop("ray", None)


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ImportError, match="pip install ray"):
        mh.map(abs, [1], on="ray")


def test_a_direct_view_of_ipyparallel_shares_the_items_out():
    of_ipyparallel = {"__module__": "ipyparallel.client.view"}
    asked = []

    def load_balanced_view(targets):
        asked.append(targets)
        return type("LoadBalancedView", (), of_ipyparallel | {"executor": OneByOne(), "targets": targets})()

    client = type("Client", (), {"load_balanced_view": staticmethod(load_balanced_view)})
    direct = of_ipyparallel | {"client": client, "targets": [0, 2], "executor": None, "scatter": None}
    assert mh.map(abs, range(-5, 0), on=type("DirectView", (), direct)()) == [5, 4, 3, 2, 1]
    assert asked == [[0, 2]]


def test_nothing_is_taken_back_from_executorlib():
    executor = type("SingleNodeExecutor", (_NeverCancelled,), {"__module__": "executorlib.api"})(2)
    with executor:
        with pytest.raises(ZeroDivisionError):
            mh.map(lambda x: 1 // x, [0] * 20, on=executor)
        assert mh.map(abs, [-1, 2], on=executor) == [1, 2]


class _NeverCancelled(ThreadPoolExecutor):
    def submit(self, *arguments):
        future = super().submit(*arguments)
        future.cancel = lambda: pytest.fail("was cancelled")
        return future
