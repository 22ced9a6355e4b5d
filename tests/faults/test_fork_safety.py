"""`os.fork()` beside a pool: the child gets a clear error or a fresh start, and keeps nothing of the parent's alive."""

import signal
import time

import pytest
from scenario import GONE, Scenario, run

#: A child that does something with what it inherited, and says how that ended.
IN_A_CHILD = """
def in_a_child(call):
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            said = call()
            print("value", said, flush=True)
            code = 0
        except Exception as error:
            print(type(error).__name__, error, flush=True)
            code = 2
        finally:
            os._exit(code)
    end = time.monotonic() + 30
    while (found := os.waitpid(pid, os.WNOHANG)) == (0, 0):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
            raise AssertionError(f"the child hangs in {call}")
        time.sleep(0.005)
    return os.waitstatus_to_exitcode(found[1])
"""

TOUCHES = {
    "map": "pool.map(abs, [-1])",
    "apply": "pool.apply(abs, (-1,))",
    "apply_async": "pool.apply_async(abs, (-1,)).get(5)",
    "map_async": "pool.map_async(abs, [-1]).get(5)",
    "imap": "list(pool.imap(abs, [-1]))",
    "imap_unordered": "list(pool.imap_unordered(abs, [-1]))",
    "get of the parent's": "pending.get(5)",
    "next of the parent's": "next(iterator)",
}

ENDINGS = {
    "terminate": "pool.terminate()",
    "close and join": "(pool.close(), pool.join())",
    "with": "pool.__exit__(None, None, None)",
    "del": "globals().pop('pool')",
    "repr": "repr(pool)",
    "collection": "__import__('gc').collect()",
}


@pytest.mark.parametrize("name", TOUCHES)
def test_a_call_on_the_parents_pool_is_a_clear_error(name):
    run(
        IN_A_CHILD
        + f"""
with mh.Pool(2) as pool:
    pool.map(abs, range(5))
    pending = pool.apply_async(abs, (-7,))
    iterator = pool.imap(abs, range(5))
    assert in_a_child(lambda: {TOUCHES[name]}) == 2
    assert pending.get(30) == 7 and list(iterator) == list(range(5))
    assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]
"""
    )


@pytest.mark.parametrize("name", ENDINGS)
def test_a_child_that_ends_the_parents_pool_ends_nothing(name):
    run(
        IN_A_CHILD
        + f"""
pool = mh.Pool(2)
pool.map(abs, range(5))
before = inside.workers(pool)
in_a_child(lambda: {ENDINGS[name]})
assert inside.workers(pool) == before
assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]
pool.terminate()
"""
    )


@pytest.mark.parametrize("maker", ["mh.Pool(2)", "mh.ThreadPool(2)", "mh.Executor(2)"])
def test_a_child_drops_the_parents_pool_after_threads_of_its_own(maker):
    # The C library gives the stacks of threads that stayed behind back to the system once the child has ended more than
    # a few of its own: whatever still writes to the parent's thread crashes then.
    run(
        IN_A_CHILD
        + f"""
import gc
held = {{"pool": {maker}}}
list(held["pool"].map(abs, range(5)))
def drop():
    barrier = threading.Barrier(13)
    threads = [threading.Thread(target=barrier.wait) for _ in range(12)]
    [thread.start() for thread in threads]
    barrier.wait()
    [thread.join() for thread in threads]
    held.clear()
    gc.collect()
assert in_a_child(drop) == 0
held["pool"].__exit__(None, None, None)
"""
    )


def test_a_child_has_pools_of_its_own():
    run(
        IN_A_CHILD
        + """
def fresh():
    with mh.Pool(2) as own:
        assert own.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]
        assert mh.map(abs, range(-9, 0), workers=2) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
        assert list(mh.imap(abs, range(-2, 0), workers=2)) == [2, 1]
        return sorted(os.listdir("/proc/self/task")) != []

with mh.Pool(2) as pool:
    assert mh.map(abs, range(-9, 0), workers=2) == [9, 8, 7, 6, 5, 4, 3, 2, 1]
    assert in_a_child(fresh) == 0
    assert in_a_child(lambda: in_a_child(fresh)) == 0
    assert pool.map(abs, [-1]) == mh.map(abs, [-1], workers=2) == [1]
"""
    )


def test_a_child_that_ends_like_a_program():
    # sys.exit in the child runs its exit handlers, which know the parent's pools.
    run(
        """
        pool = mh.Pool(2)
        mh.map(abs, range(5), workers=2)
        pool.apply_async(abs, (-1,)).get(30)
        pid = os.fork()
        if pid == 0:
            sys.exit(4)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 4
        assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]
        assert mh.map(abs, range(-5, 0), workers=2) == [5, 4, 3, 2, 1]
        """
    )


def test_forks_in_a_thread_while_maps_run():
    run(
        IN_A_CHILD
        + """
def small():
    return mh.map(abs, range(-9, 0), workers=2) == [9, 8, 7, 6, 5, 4, 3, 2, 1] or 1 / 0

with mh.Pool(2) as pool:
    end = threading.Event()
    codes = []
    def fork():
        while not end.is_set():
            codes.append(in_a_child(small))
    def maps(call):
        rounds = 0
        while rounds < 60 or len(codes) < 3:  # forks take their time where other programs run, too
            assert call(lambda x: x * x, range(500)) == [x * x for x in range(500)]
            rounds += 1
    def run_all():
        try:
            inside.run_threads(lambda: maps(pool.map), lambda: maps(lambda f, i: mh.map(f, i, workers=2)))
        finally:
            end.set()
    found = inside.run_threads(fork, run_all, patience=50)
    assert found == [None, None], found
    assert len(codes) > 2 and set(codes) == {0}, codes
""",
        limit=90,
    )


BUSY = """
def item(x):
    Flag(f"item-{x}").set()
    time.sleep(3600)

pool = mh.Pool(2)
waiting = pool.map_async(item, range(2))
Flag("item-0").wait()
Flag("item-1").wait()
"""

#: A worker that is blocked in the middle of sending: its parent is stopped and reads nothing.
SENDING = """
def item(x):
    Tally("runs").add()
    return bytes(200_000)

pool = mh.Pool(2)
pool.map(abs, range(10))
waiting = pool.map_async(item, range(1000))
"""


@pytest.mark.parametrize("how", ["SIGKILL", "os._exit", "SIGTERM"])
def test_a_child_that_outlives_the_parent_keeps_no_worker(how):
    last = {"SIGKILL": "signal.pause()", "os._exit": "os._exit(9)", "SIGTERM": "signal.pause()"}[how]
    code = {"SIGKILL": -9, "os._exit": 9, "SIGTERM": -15}[how]
    program = BUSY + f"child = os.fork()\nif child == 0:\n    signal.pause()\nprint(child)\nprint('begin')\n{last}\n"
    with Scenario(program) as scenario:
        scenario.wait_for("begin")
        child = int(scenario.out.split()[0])
        if how != "os._exit":
            scenario.signal(getattr(signal, how))
        ended = scenario.finish(code=code, spare={child})
        assert child in scenario.living()
        print(f"{how}: all but the child gone after {ended.gone_after:.3f} s")


def test_a_child_that_outlives_the_parent_keeps_no_worker_that_sends():
    program = (
        SENDING + "child = os.fork()\nif child == 0:\n    signal.pause()\nprint(child)\nprint('begin')\nwaiting.get()\n"
    )
    with Scenario(program) as scenario:
        scenario.wait_for("begin")
        child = int(scenario.out.split()[0])
        scenario.signal(signal.SIGSTOP)
        tally, size, since = scenario.folder / "tally-runs", -1, time.monotonic()
        while time.monotonic() - since < 0.5:
            now = tally.stat().st_size if tally.exists() else 0
            if now != size:
                size, since = now, time.monotonic()
            time.sleep(0.02)
        scenario.signal(signal.SIGKILL)
        scenario.finish(code=-9, spare={child})
        assert child in scenario.living()


def test_a_workers_own_children_end_with_it():
    run(
        f"""
        import subprocess

        def item(x):
            child = subprocess.Popen(["sleep", "3600"]).pid
            if os.fork() == 0:
                while True:
                    time.sleep(3600)
            Flag("begun").set()
            if x == "dies":
                inside.die()
            if x == "hangs":
                time.sleep(3600)
            return child

        with mh.Pool(1) as pool:
            child = pool.apply(item, ("ends",))
            assert inside.is_alive(child)
            (worker,) = inside.ready_workers(pool)
            try:
                pool.apply(item, ("dies",))
            except mh.WorkerDied:
                pass
            inside.until(lambda: not inside.is_alive(child), "the child's end", {GONE})
            (found,) = pool.map(item, ["hangs"], timeout=0.5, on_error="return")
            assert type(found) is mh.TimeoutError
            child = pool.apply(item, ("ends",))
        inside.until(lambda: not inside.is_alive(child), "the child's end", {GONE})
        """
    )


def test_a_workers_child_that_lives_on_does_not_hide_its_death():
    # A forked child of the item's holds the worker's end of the socket, which therefore never closes.
    run(
        """
        def item(x):
            if os.fork() == 0:
                os.setsid()
                Flag("child").path.write_text(str(os.getpid()))
                time.sleep(3600)
            Flag("child").wait()
            inside.die()

        with mh.Pool(1) as pool:
            found = pool.map(item, [1], on_error="return")
            assert type(found[0]) is mh.WorkerDied, found
            assert pool.map(abs, [-1]) == [1]
        child = inside.until(lambda: Flag("child").path.read_text(), "its number")
        os.kill(int(child), signal.SIGKILL)
        """
    )


def test_somebody_else_waits_for_all_children():
    # A program that reaps whatever ends (an old idiom) takes the pool's exit codes away, not its answers.
    run(
        """
        def reap(*_):
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                pass

        signal.signal(signal.SIGCHLD, reap)
        with mh.Pool(2) as pool:
            found = pool.map(lambda x: inside.die() if x == 3 else x, range(8), on_error="return")
            assert type(found.pop(3)) is mh.WorkerDied and found == [0, 1, 2, 4, 5, 6, 7]
            assert pool.map(abs, range(-5, 0)) == [5, 4, 3, 2, 1]
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        with mh.Pool(2) as pool:
            found = pool.map(lambda x: inside.die() if x == 3 else x, range(8), on_error="return")
            assert type(found.pop(3)) is mh.WorkerDied and found == [0, 1, 2, 4, 5, 6, 7]
        """
    )
