"""A pool's life: made, closed, terminated, joined, forgotten, forked; its workers' lives within it."""

import copy
import gc
import os
import pickle
import signal
import warnings

import pytest

import manyhands as mh
from programs import children


def test_with_ends_the_workers():
    before = children()
    with mh.Pool(2) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
        assert len(children() - before) == 2
    assert children() <= before


def test_close_and_join_finish_what_was_asked_for(gate):
    end, before = gate(), children()
    pool = mh.Pool(2)
    waiting = pool.apply_async(lambda: end.wait() or "done")
    others = pool.map_async(lambda x: x * 2, range(200))
    pool.close()
    end.open()
    pool.join()
    assert waiting.get(60) == "done"
    assert others.get(60) == [x * 2 for x in range(200)]
    assert children() <= before


def test_terminate_drops_what_runs(gate):
    never, before = gate(), children()
    pool = mh.Pool(2)
    running = [pool.apply_async(never.wait) for _ in range(5)]
    many = pool.map_async(lambda _: never.wait(), range(100))
    pool.terminate()
    pool.join()
    assert children() <= before
    for result in [*running, many]:
        with pytest.raises((RuntimeError, mh.WorkerDied)):
            result.get(60)


def test_an_iterator_of_a_terminated_pool_ends(gate):
    never = gate()
    pool = mh.Pool(1)
    results = pool.imap(lambda x: never.wait() if x == 5 else x, range(10))
    assert next(results) == 0
    pool.terminate()
    with pytest.raises((RuntimeError, mh.WorkerDied, StopIteration)):
        while True:
            next(results)


CALLS = {
    "apply": lambda pool: pool.apply(abs, (1,)),
    "apply_async": lambda pool: pool.apply_async(abs, (1,)),
    "map": lambda pool: pool.map(abs, [1]),
    "map_async": lambda pool: pool.map_async(abs, [1]),
    "starmap": lambda pool: pool.starmap(abs, [(1,)]),
    "starmap_async": lambda pool: pool.starmap_async(abs, [(1,)]),
    "imap": lambda pool: pool.imap(abs, [1]),
    "imap_unordered": lambda pool: pool.imap_unordered(abs, [1]),
    "with": lambda pool: pool.__enter__(),
}


@pytest.mark.parametrize("end", ["close", "terminate"])
def test_a_pool_that_is_not_running_says_so(end):
    pool = mh.Pool(1)
    getattr(pool, end)()
    for call in CALLS.values():
        with pytest.raises(ValueError, match="Pool not running"):
            call(pool)
    pool.join()
    pool.join()
    pool.close()
    pool.terminate()
    pool.join()


def test_join_wants_an_end():
    with mh.Pool(1) as pool, pytest.raises(ValueError, match="Pool is still running"):
        pool.join()


def test_join_waits_for_callbacks():
    seen = []
    pool = mh.Pool(2)
    for n in range(50):
        pool.apply_async(abs, (n,), callback=seen.append)
    pool.close()
    pool.join()
    assert sorted(seen) == list(range(50))


def test_nested_withs():
    with mh.Pool(1) as pool:
        with pool as same:
            assert same is pool
        with pytest.raises(ValueError, match="Pool not running"):
            pool.map(abs, [1])


def test_repr():
    with mh.Pool(3) as pool:
        assert repr(pool) == "<manyhands.pool.Pool state=RUN pool_size=3>"
        pool.close()
        assert "state=CLOSE" in repr(pool)
    assert "state=TERMINATE" in repr(pool)


def test_a_pool_stays_where_it_is():
    with mh.Pool(1) as pool:
        for copied in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(NotImplementedError, match="cannot be passed between processes or pickled"):
                copied(pool)
        with pytest.raises(NotImplementedError, match="cannot be passed"):
            pool.map(lambda _: pool, [1])


def test_a_forgotten_pool_warns_and_ends():
    before = children()
    pool = mh.Pool(2)
    pool.map(abs, [1])
    with pytest.warns(ResourceWarning, match="unclosed running"):
        del pool
        gc.collect()
    assert children() <= before


def test_a_pool_that_was_ended_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with mh.Pool(1) as pool:
            pool.map(abs, [1])
        del pool
        closed = mh.Pool(1)
        closed.close()
        closed.join()
        del closed
        gc.collect()


def test_a_result_keeps_its_pool():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert mh.Pool(1).apply_async(pow, (2, 5)).get(60) == 32
        assert list(mh.Pool(1).imap(abs, [-1, -2])) == [1, 2]
        assert mh.Pool(1).map_async(abs, [-1]).get(60) == [1]
        gc.collect()


@pytest.mark.parametrize("count, error", [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError)])
def test_wrong_numbers_of_workers(count, error):
    with pytest.raises(error, match="(?i)processes"):
        mh.Pool(count)


@pytest.mark.parametrize("limit", [0, -1, 1.5, "3"])
def test_wrong_limits_of_tasks(limit):
    with pytest.raises(ValueError, match="maxtasksperchild must be a positive int or None"):
        mh.Pool(1, maxtasksperchild=limit)


def test_by_default_one_worker_for_each_core():
    with mh.Pool() as pool:
        assert f"pool_size={mh.cpu_count()}>" in repr(pool)


def test_a_subclass():
    class Mine(mh.Pool):
        def squares(self, n):
            return self.map(lambda x: x * x, range(n))

    with Mine(1) as pool:
        assert pool.squares(4) == [0, 1, 4, 9]
        assert "Mine" in repr(pool)


# ---------------------------------------------------------------------------------------------- its workers' lives


def test_maxtasksperchild():
    with mh.Pool(1, maxtasksperchild=2) as pool:
        pids = pool.map(lambda _: os.getpid(), range(8), chunksize=1)
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [2, 2, 2, 2]
        assert pool.apply(abs, (-1,)) == 1


def test_maxtasksperchild_counts_chunks():
    with mh.Pool(1, maxtasksperchild=1) as pool:
        pids = pool.map(lambda _: os.getpid(), range(9), chunksize=3)
        assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 3]


def test_maxtasksperchild_with_many_items():
    with mh.Pool(2, maxtasksperchild=10) as pool:
        assert pool.map(lambda x: x + 1, range(100), chunksize=1) == list(range(1, 101))
        assert [pool.apply(abs, (-n,)) for n in range(25)] == list(range(25))


def test_a_killed_idle_worker_is_replaced():
    with mh.Pool(1) as pool:
        (pid,) = pool.map(lambda _: os.getpid(), [0])
        os.kill(pid, signal.SIGKILL)
        (other,) = pool.map(lambda _: os.getpid(), [0])
        assert other != pid


def test_exit_handlers_of_the_users_run_at_a_workers_end(tmp_path):
    def register(_):
        import atexit

        atexit.register((tmp_path / "ran").touch)

    pool = mh.Pool(1)
    pool.apply(register, (0,))
    pool.close()
    pool.join()
    assert (tmp_path / "ran").exists()
