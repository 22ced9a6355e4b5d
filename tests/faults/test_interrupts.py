"""Ctrl-C and signal handlers that raise in the middle of a call: the call ends, the pool and other threads go on."""

import pytest
from scenario import run

SLOW = """
def slow(x):
    Flag("begun").set()
    Flag("go on").wait()

class Alarm(Exception):
    pass

def ring(*_):
    raise Alarm("ring")

signal.signal(signal.SIGALRM, ring)

def ring_when_begun():
    Flag("begun").wait()
    os.kill(os.getpid(), signal.SIGALRM)
"""

CALLS = {
    "map": "pool.map(slow, range(6))",
    "map on_error": "pool.map(slow, range(6), on_error='raise')",
    "apply": "pool.apply(slow, (1,))",
    "get": "pool.apply_async(slow, (1,)).get()",
    "get of many": "pool.map_async(slow, range(6)).get()",
    "next": "next(pool.imap(slow, range(6)))",
    "endless input": "pool.map(slow, iter(int, 1))",
    "mh.map": "mh.map(slow, range(6), workers=2)",
    "mh.imap": "list(mh.imap(slow, range(6), workers=2))",
    "Parallel": "mh.Parallel(n_jobs=2)(mh.delayed(slow)(i) for i in range(6))",
    "Parallel's generator": "list(mh.Parallel(n_jobs=2, return_as='generator')(mh.delayed(slow)(i) for i in range(6)))",
    "Parallel, lazily": "mh.Parallel(n_jobs=2, pre_dispatch=2)(mh.delayed(slow)(i) for i in range(6))",
}


@pytest.mark.parametrize("name", CALLS)
def test_a_handler_that_raises_ends_the_call(name):
    ended = run(
        SLOW
        + f"""
with mh.Pool(2) as pool:
    pool.map(abs, range(5))
    threading.Thread(target=ring_when_begun, daemon=True).start()
    try:
        {CALLS[name]}
    except Alarm:
        print("told")
    # Items that ran may run to their end; nothing else is in the way of the next call.
    Flag("go on").set()
    assert pool.map(abs, range(-9, 0)) == mh.map(abs, range(-9, 0), workers=2) == list(range(9, 0, -1))
""",
    )
    assert ended.out == "told\n"


@pytest.mark.parametrize("name", ["map", "mh.map", "endless input"])
def test_handlers_that_only_look_disturb_nothing(name):
    run(
        """
        seen = []
        signal.signal(signal.SIGALRM, lambda *_: seen.append(len(seen)))
        signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
        with mh.Pool(2) as pool:
            for round in range(20):
                assert pool.map(lambda x: x * x, range(2_000)) == [x * x for x in range(2_000)]
                assert mh.map(abs, range(-500, 0), workers=2) == list(range(500, 0, -1))
                assert list(pool.imap(abs, range(-500, 0))) == list(range(500, 0, -1))
                assert pool.apply(abs, (-1,)) == pool.apply_async(abs, (-1,)).get(30) == 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        assert len(seen) > 20
        """
    )


def test_a_handler_that_raises_at_any_moment():
    # Wherever it strikes (feeding, waiting, decoding), the pool answers the next call rightly.
    ended = run(
        """
        class Alarm(Exception):
            pass

        def ring(*_):
            raise Alarm

        signal.signal(signal.SIGALRM, ring)
        chance, told, full = random.Random(5), 0, 0
        with mh.Pool(2) as pool:
            calls = [lambda: pool.map(lambda x: x * x, range(3_000)),
                     lambda: list(pool.imap(lambda x: x * x, range(3_000))),
                     lambda: pool.map_async(lambda x: x * x, range(3_000)).get(),
                     lambda: mh.map(lambda x: x * x, range(3_000), workers=2),
                     lambda: mh.Parallel(n_jobs=2)(mh.delayed(pow)(x, 2) for x in range(3_000)),
                     lambda: [pool.apply(pow, (x, 2)) for x in range(50)]]
            for round in range(200):
                try:
                    try:
                        signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, 0.02))
                        found = calls[round % 6]()
                        assert found == [x * x for x in range(len(found))]
                        full += 1
                    finally:
                        signal.setitimer(signal.ITIMER_REAL, 0)
                except Alarm:
                    told += 1
            assert pool.map(abs, range(-9, 0)) == mh.map(abs, range(-9, 0), workers=2) == list(range(9, 0, -1))
            inside.until(lambda: len(inside.ready_workers(pool)) == 2, "two workers")
        print(f"{told} calls interrupted, {full} came through")
        """,
        limit=120,
    )
    print(ended.out)


def test_control_c_while_another_thread_maps():
    # The main thread's call ends; the other's goes on, on the same pool and on the kept workers.
    ended = run(
        """
        def slow(x):
            Flag(f"slow-{x}").set()
            Flag("go on").wait()
            return x

        with mh.Pool(3) as pool:
            found = []
            others = [threading.Thread(target=lambda: found.append(pool.map(slow, [1]))),
                      threading.Thread(target=lambda: found.append(mh.map(slow, [2], workers=2)))]
            for thread in others:
                thread.start()
            Flag("slow-1").wait()
            Flag("slow-2").wait()
            def strike():
                Flag("slow-3").wait()
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=strike, daemon=True).start()
            try:
                pool.map(slow, [3])
            except KeyboardInterrupt:
                print("told")
            Flag("go on").set()
            for thread in others:
                thread.join(30)
            assert sorted(found) == [[1], [2]], found
        """
    )
    assert ended.out == "told\n"


def test_an_item_that_is_interrupted_itself():
    # SIGINT sent to a worker alone is that item's failure.
    run(
        """
        def item(x):
            if x == 3:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(10)
            return x

        with mh.Pool(2) as pool:
            found = pool.map(item, range(8), on_error="return")
            error = found.pop(3)
            assert type(error) in (mh.TaskExited, mh.WorkerDied), repr(error)
            assert found == [0, 1, 2, 4, 5, 6, 7]
        """
    )
