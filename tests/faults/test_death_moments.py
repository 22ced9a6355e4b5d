"""A worker that is killed while it runs no item costs nothing: whatever it was doing, every answer comes."""

import pytest
from scenario import run


def test_killed_while_idle():
    run(
        """
        with mh.Pool(2) as pool:
            for _ in range(5):
                assert pool.map(abs, range(10)) == list(range(10))
                before = inside.until(lambda: len(p := inside.ready_workers(pool)) == 2 and p, "two workers")
                for pid in before:
                    inside.kill(pid)
                assert pool.map(abs, range(10)) == list(range(10))
                inside.until(lambda: not any(map(inside.is_alive, before)), "their end")
            inside.until(lambda: len(inside.ready_workers(pool)) == 2, "two new workers")

        # The same for the workers that mh.map keeps: nobody looks after them between two calls.
        for _ in range(5):
            pids = mh.map(lambda x: os.getpid(), range(10), workers=2)
            for pid in set(pids):
                inside.kill(pid)
            assert mh.map(abs, range(10), workers=2) == list(range(10))
        """
    )


def test_a_call_right_after_the_death_of_every_worker():
    # The parent writes to a socket whose other end is gone, or is going.
    run(
        """
        with mh.Pool(3) as pool:
            for round in range(40):
                for pid in inside.ready_workers(pool):
                    inside.kill(pid)
                if round % 2:
                    assert pool.apply(pow, (2, 5), ) == 32
                else:
                    assert pool.map(abs, range(-20, 0), retries=10) == list(range(20, 0, -1))
        """
    )


def test_killed_while_it_is_starting():
    run(
        """
        for round in range(5):
            with mh.Pool(2) as pool:
                for pid in inside.workers(pool):
                    inside.kill(pid)
                assert pool.map(abs, range(-20, 0)) == list(range(20, 0, -1))

        with mh.Pool(2) as pool:
            result = pool.map_async(abs, range(-20, 0))
            for pid in inside.workers(pool):
                inside.kill(pid)
            assert result.get(30) == list(range(20, 0, -1))
        """
    )


def test_killed_in_the_initializer():
    run(
        """
        def prepare():
            if Flag("first").set():
                inside.die("SIGKILL")
            if Flag("second").set():
                inside.die("exit 3")
            global ready
            ready = "ready"

        with mh.Pool(1, prepare) as pool:
            assert pool.map(lambda x: (x, ready), range(3)) == [(0, "ready"), (1, "ready"), (2, "ready")]
        """
    )


@pytest.mark.parametrize("how", ["exit 3", "segfault", "SIGKILL"])
def test_an_initializer_that_always_dies_breaks_the_pool(how):
    shown = {"exit 3": "exit code 3", "segfault": "SIGSEGV", "SIGKILL": "SIGKILL"}[how]
    run(
        f"""
        from concurrent.futures import BrokenExecutor

        with mh.Pool(2, lambda: inside.die({how!r})) as pool:
            waiting = pool.apply_async(abs, (-1,))
            for call in (lambda: pool.map(abs, range(5)), lambda: pool.apply(abs, (-1,)), lambda: waiting.get(30),
                         lambda: pool.map_async(abs, range(5)).get(30), lambda: next(pool.imap(abs, range(5)))):
                try:
                    call()
                except mh.PoolBroken as error:
                    assert isinstance(error, BrokenExecutor) and {shown!r} in str(error), str(error)
                else:
                    raise AssertionError("no error")
        """
    )


def test_killed_while_it_waits_to_be_written_to():
    # A stopped worker reads nothing: a part of the message lies in its socket, the rest waits in the parent.
    run(
        """
        with mh.Pool(2) as pool:
            assert pool.map(abs, range(10)) == list(range(10))
            victim = inside.until(lambda: len(p := inside.ready_workers(pool)) == 2 and p, "two workers")[0]
            os.kill(victim, signal.SIGSTOP)
            result = pool.map_async(len, [bytes(20_000_000), bytes(20_000_001), bytes(20_000_002), b"1"])
            singles = [pool.apply_async(len, (bytes(10_000_000),)) for _ in range(4)]
            inside.kill(victim)
            assert result.get(60) == [20_000_000, 20_000_001, 20_000_002, 1]
            assert [single.get(60) for single in singles] == [10_000_000] * 4
        """
    )


def test_killed_in_the_middle_of_a_big_argument():
    run(
        """
        with mh.Pool(1) as pool:
            for round in range(3):
                assert pool.apply(abs, (-1,)) == 1
                (victim,) = inside.ready_workers(pool)
                before = inside.memory(victim)
                result = pool.apply_async(len, (bytes(150_000_000),))
                # It has begun to read when it grows; it is not done before it has grown by all of it.
                inside.until(lambda: inside.memory(victim) > before + 10_000_000 or result.ready(), "reading")
                inside.kill(victim)
                assert result.get(60) == 150_000_000
                print("killed in the middle" if inside.until(lambda: not inside.is_alive(victim)) else "")
        """
    )


@pytest.mark.parametrize("what", ["bytes(150_000_000)", "[bytes(1000)] * 40_000", "numpy.zeros(20_000_000)"])
def test_killed_in_the_middle_of_a_big_result(what):
    # The item had been run; what was not delivered is run again, and answered once.
    run(
        f"""
        import numpy

        def make(x):
            Tally("runs").add()
            return {what}

        with mh.Pool(1) as pool:
            for round in range(4):
                runs = int(Tally("runs"))
                result = pool.apply_async(make, (0,))
                inside.until(lambda: int(Tally("runs")) > runs, "the item's beginning")
                (victim,) = inside.ready_workers(pool)
                # Four moments: while it makes, at the first bytes here, further on, at the end.
                before = inside.memory()
                inside.until(lambda: inside.memory() > before + round * 15_000_000 or result.ready(), "receiving")
                inside.kill(victim)
                try:
                    assert len(result.get(60)) == len({what})
                except mh.WorkerDied as error:
                    assert round == 0, f"killed after the item's end: {{error}}"
        """
    )


def test_killed_while_it_waits_to_write():
    # The parent is stopped and reads nothing: the worker is stuck in the middle of its answers when it is killed.
    program = """
        def make(x):
            Tally("runs").add()
            return bytes(300_000)

        with mh.Pool(1) as pool:
            assert pool.apply(abs, (-1,)) == 1
            print(inside.ready_workers(pool)[0])
            print("begin")
            found = pool.map(make, range(200), retries=1)
            assert [len(value) for value in found] == [300_000] * 200
    """
    import os
    import signal

    from scenario import Scenario

    with Scenario(program) as scenario:
        scenario.wait_for("begin")
        victim = int(scenario.out.split()[0])
        tally = scenario.folder / "tally-runs"
        while not tally.exists() and scenario.process.poll() is None:
            pass
        scenario.signal(signal.SIGSTOP)
        _until_it_stands_still(tally)
        os.kill(victim, signal.SIGKILL)
        scenario.signal(signal.SIGCONT)
        scenario.finish()


def _until_it_stands_still(path):
    """Wait until a file has not grown for a while: whoever writes to it waits for something."""
    import time

    size, since = -1, time.monotonic()
    while time.monotonic() - since < 0.3:
        if (now := path.stat().st_size) != size:
            size, since = now, time.monotonic()
        time.sleep(0.02)


def test_a_stopped_worker_is_no_hang_where_items_have_a_timeout():
    run(
        """
        def item(x):
            if x == 3 and Flag("stopped").set():
                os.kill(os.getpid(), signal.SIGSTOP)
            return x

        with mh.Pool(2) as pool:
            found = pool.map(item, range(8), timeout=1.0, on_error="return")
            assert [found[i] for i in range(8) if i != 3] == [0, 1, 2, 4, 5, 6, 7], found
            assert type(found[3]) is mh.TimeoutError, repr(found[3])
        """
    )


def test_terminate_ends_workers_that_are_stopped_or_deaf_or_elsewhere():
    run(
        """
        def deaf(x):
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            Flag(x).set()
            signal.pause()

        def stopped(x):
            Flag(x).set()
            os.kill(os.getpid(), signal.SIGSTOP)

        def elsewhere(x):
            # Another process group than the one that it was started in.
            os.setpgid(0, os.getpgid(os.getppid()))
            Flag(x).set()
            signal.pause()

        for item in (deaf, stopped, elsewhere):
            with mh.Pool(2) as pool:
                result = pool.apply_async(item, (item.__name__,))
                Flag(item.__name__).wait()
            try:
                result.get(30)
            except RuntimeError as error:
                assert "terminated" in str(error)
            else:
                raise AssertionError("no error")
        """
    )
