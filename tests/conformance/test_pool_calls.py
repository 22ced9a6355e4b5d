"""`mh.Pool` has multiprocessing.Pool's calls, all of them, with their semantics and messages."""

import multiprocessing
import os
import queue
import threading
import time

import pytest

import manyhands as mh


@pytest.fixture(scope="module")
def pool():
    with mh.Pool(2) as made:
        yield made


def test_the_signatures_hold_multiprocessings():
    import inspect
    from multiprocessing.pool import Pool as Theirs

    for name, theirs in inspect.getmembers(Theirs, inspect.isfunction):
        if name == "Process" or (name.startswith("_") and name != "__init__"):
            continue  # how theirs makes its workers
        ours = inspect.signature(getattr(mh.Pool, name)).parameters
        for parameter in inspect.signature(theirs).parameters.values():
            assert parameter.name in ours, f"{name}({parameter.name}=)"
            assert parameter.kind == ours[parameter.name].kind
        positional = [p for p in ours.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        assert [p.name for p in positional] == list(inspect.signature(theirs).parameters)


# ------------------------------------------------------------------------------------------------------------ apply


def test_apply(pool):
    assert pool.apply(pow, (2, 10)) == 1024
    assert pool.apply(pow, [2, 10, 1000]) == 24
    assert pool.apply(dict, (), {"a": 1}) == {"a": 1}
    assert pool.apply(func=int, args=("11",), kwds={"base": 2}) == 3
    assert pool.apply(lambda: os.getpid()) != os.getpid()


def test_apply_raises_what_the_function_raises(pool):
    with pytest.raises(ZeroDivisionError) as caught:
        pool.apply(lambda: 1 / 0)
    assert "1 / 0" in str(caught.value.__cause__)


def test_apply_async(pool):
    results = [pool.apply_async(pow, (2, n)) for n in range(100)]
    assert [result.get() for result in results] == [2**n for n in range(100)]
    assert pool.apply_async(int, ("z",), {"base": 36}).get(60) == 35


def test_map_async_and_starmap_async(pool):
    result = pool.map_async(lambda x: x * x, range(50), chunksize=7)
    assert isinstance(result, mh.AsyncResult)
    assert result.get(60) == [x * x for x in range(50)]
    assert pool.starmap_async(pow, [(2, 3), (3, 2)]).get(60) == [8, 9]
    assert pool.map_async(abs, (x for x in (-1, -2))).get(60) == [1, 2]
    assert pool.map_async(abs, []).get(60) == []


def test_map_async_raises_the_failure_of_lowest_index(pool):
    result = pool.map_async(lambda x: 1 / (x - 3) if x < 5 else [][x], range(10))
    with pytest.raises(ZeroDivisionError):
        result.get(60)
    assert not result.successful()


# ------------------------------------------------------------------------------------------------------ AsyncResult


def test_an_answer_that_is_not_there_yet(pool, gate):
    end = gate()
    result = pool.apply_async(end.wait)
    assert not result.ready()
    with pytest.raises(ValueError, match="not ready"):
        result.successful()
    assert result.wait(0.01) is None
    assert not result.ready()
    for error in (multiprocessing.TimeoutError, TimeoutError, mh.TimeoutError):
        with pytest.raises(error):
            result.get(timeout=0.01)
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(0)
    end.open()
    assert result.get(timeout=60) is None
    assert result.ready()
    assert result.successful()


def test_a_map_that_is_not_there_yet(pool, gate):
    end = gate()
    result = pool.map_async(lambda x: end.wait() if x else x, [0, 1])
    with pytest.raises(ValueError, match="not ready"):
        result.successful()
    with pytest.raises(multiprocessing.TimeoutError):
        result.get(0.01)
    end.open()
    result.wait()
    assert result.ready()
    assert result.get() == [0, None]


def test_an_answer_can_be_asked_for_again(pool):
    result = pool.apply_async(list)
    assert result.get() is result.get()
    failed = pool.apply_async(int, ("x",))
    for _ in range(2):
        with pytest.raises(ValueError, match="invalid literal"):
            failed.get()
    assert failed.ready()
    assert not failed.successful()


def test_a_result_becomes_ready_without_being_asked_for(pool, gate):
    end = gate()
    result = pool.apply_async(end.wait)
    end.open()
    deadline = time.monotonic() + 60
    while not result.ready():
        assert time.monotonic() < deadline
    assert result.successful()


def test_several_threads_wait_for_one_answer(pool, gate):
    end = gate()
    result = pool.apply_async(lambda: end.wait() or "answer")
    found = queue.Queue()
    threads = [threading.Thread(target=lambda: found.put(result.get(60))) for _ in range(5)]
    for thread in threads:
        thread.start()
    end.open()
    for thread in threads:
        thread.join(60)
    assert [found.get_nowait() for _ in threads] == ["answer"] * 5


def test_imaps_next_with_a_timeout(pool, gate):
    end = gate()
    results = pool.imap(lambda x: end.wait() or x, [1])
    with pytest.raises(multiprocessing.TimeoutError):
        results.next(timeout=0.01)
    end.open()
    assert results.next(timeout=60) == 1
    with pytest.raises(StopIteration):
        results.next(timeout=60)


# --------------------------------------------------------------------------------------------------------- callbacks


def test_callbacks_get_the_answer_before_get_returns(pool):
    seen = []
    assert pool.apply_async(abs, (-1,), callback=seen.append).get(60) == 1
    assert pool.map_async(abs, [-1, -2], callback=seen.append).get(60) == [1, 2]
    assert pool.starmap_async(pow, [(2, 3)], callback=seen.append).get(60) == [8]
    assert seen == [1, [1, 2], [8]]


def test_error_callbacks_get_the_exception(pool):
    good, bad = [], []
    calls = [
        pool.apply_async(int, ("x",), callback=good.append, error_callback=bad.append),
        pool.map_async(int, ["1", "x"], callback=good.append, error_callback=bad.append),
        pool.starmap_async(int, [("x",)], callback=good.append, error_callback=bad.append),
    ]
    for call in calls:
        with pytest.raises(ValueError):
            call.get(60)
    assert [type(error) for error in bad] == [ValueError] * 3
    assert not good


def test_callbacks_come_in_the_order_of_the_answers():
    seen = []
    with mh.Pool(1) as pool:
        calls = [pool.apply_async(abs, (n,), callback=seen.append) for n in range(200)]
        for call in calls:
            call.wait(60)
    assert seen == list(range(200))


def test_callbacks_run_one_at_a_time_and_in_one_thread(pool):
    threads, running, together = set(), [], []

    def note(_):
        running.append(1)
        threads.add(threading.get_ident())
        together.append(len(running))
        running.pop()

    for call in [pool.apply_async(abs, (n,), callback=note) for n in range(100)]:
        call.wait(60)
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert set(together) == {1}


def test_a_callback_that_raises_changes_nothing(pool, capsys):
    def bad(_):
        raise RuntimeError("in the callback")

    assert pool.apply_async(abs, (-1,), callback=bad).get(60) == 1
    assert pool.map_async(abs, [-1], callback=bad).get(60) == [1]
    assert "in the callback" in capsys.readouterr().err
    seen = []
    pool.apply_async(abs, (-2,), callback=seen.append).get(60)
    assert seen == [2]


def test_a_callback_that_submits_more(pool):
    done = threading.Event()
    seen = []

    def more(value):
        seen.append(value)
        if value < 5:
            pool.apply_async(lambda x: x + 1, (value,), callback=more)
        else:
            done.set()

    pool.apply_async(abs, (0,), callback=more)
    assert done.wait(60)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_an_error_callback_hears_of_a_dead_worker(pool):
    bad = queue.Queue()
    pool.apply_async(os._exit, (3,), error_callback=bad.put)
    error = bad.get(timeout=60)
    assert isinstance(error, mh.WorkerDied)
    assert "exit code 3" in str(error)


# ------------------------------------------------------------------------------------------------ several threads


def test_a_pool_used_by_several_threads(pool):
    found = {}

    def use(number):
        mine = []
        for _ in range(5):
            mine.append(pool.map(lambda x: x * number, range(50)) == [x * number for x in range(50)])
            mine.append(pool.apply(pow, (number, 2)) == number**2)
            mine.append(list(pool.imap(lambda x: -x, range(number))) == [-x for x in range(number)])
            mine.append(pool.apply_async(abs, (-number,)).get(60) == number)
            mine.append(pool.map_async(abs, range(number)).get(60) == list(range(number)))
        found[number] = all(mine)

    threads = [threading.Thread(target=use, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == dict.fromkeys(range(8), True)


@pytest.mark.parametrize("workers", [[2] * 6, [1, 2, 3, 1, 2, 3]])
def test_maps_of_several_threads(workers):
    found = {}

    def use(number, count):
        found[number] = all(
            mh.map(lambda x: x * number, range(60), workers=count) == [x * number for x in range(60)] for _ in range(4)
        )

    threads = [threading.Thread(target=use, args=pair) for pair in enumerate(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert found == dict.fromkeys(range(6), True)


def test_one_iterator_for_several_threads(pool):
    results, taken = pool.imap_unordered(abs, range(500)), queue.Queue()

    def take():
        for value in results:
            taken.put(value)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert sorted(taken.get_nowait() for _ in range(500)) == list(range(500))
