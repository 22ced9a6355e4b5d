"""Pools used from several threads at once, and ended under threads that wait: right answers or errors, never a hang."""

import pytest
from scenario import run


def test_one_pool_from_eight_threads():
    run(
        """
        import numpy

        def maps(pool, seed):
            for n in range(25):
                assert pool.map(lambda x: x * seed, range(200)) == [x * seed for x in range(200)]

        def singles(pool, seed):
            for n in range(150):
                assert pool.apply(pow, (seed + 2, n % 9)) == (seed + 2) ** (n % 9)

        def asyncs(pool, seed):
            for n in range(10):
                results = [pool.apply_async(lambda x, y: x - y, (x, seed)) for x in range(40)]
                assert [result.get(60) for result in results] == [x - seed for x in range(40)]

        def many(pool, seed):
            for n in range(25):
                result = pool.starmap_async(lambda x, y: (x, y), [(x, seed) for x in range(100)])
                assert result.get(60) == [(x, seed) for x in range(100)]

        def lazy(pool, seed):
            for n in range(10):
                assert list(pool.imap(lambda x: x + seed, range(300))) == [x + seed for x in range(300)]

        def unordered(pool, seed):
            for n in range(10):
                assert sorted(pool.imap_unordered(lambda x: x + seed, range(300))) == [x + seed for x in range(300)]

        def failing(pool, seed):
            for n in range(15):
                found = pool.map(lambda x: 1 / (x - seed), range(20), on_error="return")
                assert isinstance(found[seed], ZeroDivisionError) and found[seed + 1] == 1

        def arrays(pool, seed):
            for n in range(15):
                big = numpy.full(50_000, seed + n)
                assert pool.map(lambda a: int(a.sum()) + int(big[0]), [big] * 4) == [50_001 * (seed + n)] * 4

        with mh.Pool(3) as pool:
            kinds = [maps, singles, asyncs, many, lazy, unordered, failing, arrays]
            found = inside.run_threads(*[lambda k=k, s=s: k(pool, s) for s, k in enumerate(kinds)], patience=150)
            assert found == [None] * 8, found
        """,
        limit=180,
    )


def test_maps_from_several_threads_with_different_numbers_of_workers():
    run(
        """
        def calls(count):
            for n in range(12):
                assert mh.map(lambda x: x * count, range(100), workers=count) == [x * count for x in range(100)]
                assert list(mh.imap(abs, range(-50, 0), workers=count)) == list(range(50, 0, -1))

        found = inside.run_threads(*[lambda c=c: calls(c) for c in (1, 2, 3, 2, 1, 4)], patience=150)
        assert found == [None] * 6, found
        """,
        limit=180,
    )


def test_one_iterator_from_several_threads():
    run(
        """
        def take(iterator, taken):
            for value in iterator:
                taken.append(value)

        with mh.Pool(2) as pool:
            for make in (pool.imap, pool.imap_unordered):
                iterator, taken = make(lambda x: x * x, range(3_000)), []
                found = inside.run_threads(*[lambda: take(iterator, taken)] * 4)
                assert found == [None] * 4, found
                assert sorted(taken) == [x * x for x in range(3_000)]
        """
    )


WAITS = {
    "map": "pool.map(item, range(8))",
    "map with on_error": "pool.map(item, range(8), on_error='return')",
    "apply": "pool.apply(item, (1,))",
    "get": "pool.apply_async(item, (1,)).get()",
    "get of many": "pool.map_async(item, range(8)).get()",
    "next": "next(pool.imap(item, range(8)))",
    "next unordered": "next(pool.imap_unordered(item, range(8)))",
    "get with a callback": "pool.apply_async(item, (1,), callback=print, error_callback=type).get()",
    "a generator without end": "pool.map(item, iter(int, 1))",
    "iterator without end": "list(pool.imap(item, iter(int, 1)))",
}


@pytest.mark.parametrize("ended", ["pool.terminate()", "pool.__exit__(None, None, None)"])
@pytest.mark.parametrize("name", WAITS)
def test_terminate_under_a_waiting_thread_is_an_error_there(name, ended):
    run(
        f"""
        def item(x):
            Flag("begun").set()
            time.sleep(3600)

        pool = mh.Pool(2)

        def end():
            Flag("begun").wait()
            {ended}

        waited, _ = inside.run_threads(lambda: {WAITS[name]}, end)
        assert type(waited) is RuntimeError and "terminated" in str(waited), repr(waited)
        try:
            pool.map(abs, [1])
        except ValueError as error:
            assert "not running" in str(error)
        else:
            raise AssertionError("a terminated pool takes calls")
        """
    )


def test_terminate_and_calls_race():
    run(
        """
        def calls(pool):
            told = None
            while told is None:
                try:
                    assert pool.map(abs, range(-20, 0)) == list(range(20, 0, -1))
                    assert pool.apply_async(abs, (-1,)).get(30) == 1
                    assert list(pool.imap(abs, range(-20, 0))) == list(range(20, 0, -1))
                except (RuntimeError, ValueError) as error:
                    told = str(error)
            assert "terminated" in told or "not running" in told, told

        for round in range(15):
            pool = mh.Pool(2)
            pool.apply(abs, (-1,))
            found = inside.run_threads(*[lambda: calls(pool)] * 4, lambda: time.sleep(0.02), pool.terminate, pool.terminate)
            assert found == [None] * 7, found
            assert inside.workers(pool) == []
        """,
        limit=120,
    )


def test_close_and_join_let_waiting_threads_have_their_answers():
    run(
        """
        def item(x):
            Flag("begun").set()
            Flag("go on").wait()
            return x * x

        pool = mh.Pool(2)
        def end():
            Flag("begun").wait()
            pool.close()
            Flag("go on").set()
            pool.join()
        found = inside.run_threads(
            lambda: pool.map(item, range(6)), lambda: pool.apply_async(item, (7,)).get(30) if not Flag("begun").is_set() else 49, end)
        assert found[0] == [x * x for x in range(6)] and found[2] is None, found
        """
    )


def test_several_threads_close_join_and_terminate():
    run(
        """
        for round in range(10):
            pool = mh.Pool(2)
            pool.map(abs, range(5))
            def close_and_join():
                pool.close()
                pool.join()
            found = inside.run_threads(*[close_and_join] * 3, pool.terminate, close_and_join)
            assert all(value is None or isinstance(value, ValueError) for value in found), found
            assert inside.workers(pool) == []
        """
    )


def test_a_thread_that_maps_when_the_program_ends():
    # Threads that are no daemons are waited for, and their maps go on to the end.
    ended = run(
        """
        def maps():
            Flag("begun").set()
            print(sum(mh.map(lambda x: x * x, range(20_000), workers=2)), flush=True)

        threading.Thread(target=maps).start()
        Flag("begun").wait()
        """
    )
    assert int(ended.out) == sum(x * x for x in range(20_000))
