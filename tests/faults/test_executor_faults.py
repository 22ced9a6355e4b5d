"""Executors whose workers die, that end in the middle, whose program ends or forks."""

import pytest
from scenario import run

PRELUDE = """
from concurrent.futures import CancelledError, TimeoutError, as_completed, wait
from concurrent.futures.process import BrokenProcessPool

def touch(path):
    open(path, "w").close()

def hold(path):
    touch(path + ".begun")
    inside.until(lambda: os.path.exists(path), "the gate")
    return path

def begun(count):
    inside.until(lambda: sum(name.endswith(".begun") for name in os.listdir()) >= count, "calls that have begun")
"""


def check(program, **options):
    return run(PRELUDE + program, **options)


def test_one_dead_worker_fails_one_future():
    check("""
with mh.Executor(2) as executor:
    futures = [executor.submit(pow, x, 2) for x in range(50)]
    dying = [executor.submit(inside.die) for _ in range(3)]
    futures += [executor.submit(pow, x, 2) for x in range(50, 100)]
    assert sorted(future.result() for future in as_completed(futures)) == [x * x for x in range(100)]
    for future in dying:
        error = future.exception()
        assert type(error) is mh.WorkerDied and isinstance(error, BrokenProcessPool) and error.signal == 9, repr(error)
    assert executor.submit(abs, -1).result() == 1
""")


def test_retries_and_timeouts_are_for_each_call():
    check("""
def once(path):
    if not os.path.exists(path):
        touch(path)
        inside.die()
    return path

with mh.Executor(2, retries=1) as executor:
    assert executor.submit(once, "a").result() == "a"
with mh.Executor(2, timeout=0.5) as executor:
    slow, quick = executor.submit(time.sleep, 600), executor.submit(abs, -1)
    assert quick.result() == 1
    error = slow.exception()
    assert isinstance(error, TimeoutError) and "ran longer" in str(error), repr(error)
    assert executor.submit(abs, -2).result() == 2
""")


def test_a_running_call_is_ended_and_no_other_is_lost():
    check("""
with mh.Executor(2) as executor:
    held = [executor.submit(hold, f"gate{x}") for x in range(2)]
    begun(2)
    waiting = [executor.submit(pow, x, 2) for x in range(100)]
    assert not held[0].cancel() and held[0].running()
    seen = []
    held[0].add_done_callback(seen.append)
    assert held[0].cancel(running=True) and held[0].cancelled() and seen == [held[0]]
    assert [future.result() for future in waiting] == [x * x for x in range(100)]
    touch("gate1")
    assert held[1].result() == "gate1"
    assert not held[1].cancel(running=True)
    try:
        held[0].result()
    except CancelledError:
        pass
    else:
        raise AssertionError("it was cancelled")
""")


def test_all_that_runs_and_waits_is_cancelled_one_by_one():
    check("""
with mh.Executor(2) as executor:
    futures = [executor.submit(hold, f"gate{x}") for x in range(30)]
    begun(2)
    assert all(future.cancel(running=True) for future in futures)
    assert executor.submit(abs, -1).result() == 1
# What waited at a worker while that was ended may have begun elsewhere: no more than that.
assert sum(name.endswith(".begun") for name in os.listdir()) < 30
""")


def test_a_thread_is_not_stopped():
    check("""
with mh.Executor(1, backend="threads") as executor:
    held, waiting = executor.submit(hold, "gate"), executor.submit(abs, -1)
    begun(1)
    assert not held.cancel(running=True)
    assert waiting.cancel(running=True)
    touch("gate")
    assert held.result() == "gate"
""")


@pytest.mark.parametrize("end", ["", "executor.shutdown(wait=False)", "del executor, future"])
@pytest.mark.parametrize("backend", ["processes", "threads"])
def test_what_was_submitted_is_done_at_the_programs_end(end, backend):
    ended = check(f"""
def late(x):
    time.sleep(0.3)
    sys.stdout.write(f"done {{x}}\\n")  # in one piece, as threads may print at the same moment

executor = mh.Executor(2, backend={backend!r})
for x in range(3):
    future = executor.submit(late, x)
executor.map(late, [3])
{end}
""")
    assert sorted(ended.out.split()) == sorted("done 0 done 1 done 2 done 3".split())


def test_callbacks_run_before_shutdown_returns():
    check("""
seen = []
executor = mh.Executor(2)
for x in range(100):
    executor.submit(pow, x, 2).add_done_callback(lambda future: seen.append(future.result()))
executor.shutdown()
assert sorted(seen) == [x * x for x in range(100)]
""")


def test_shutdown_from_a_callback_and_from_other_threads():
    check("""
executor = mh.Executor(2)
futures = [executor.submit(pow, x, 2) for x in range(100)]
ended = threading.Event()

def end(future):
    executor.shutdown()
    ended.set()

futures[50].add_done_callback(end)
threads = [threading.Thread(target=executor.shutdown) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert ended.wait(30)
assert [future.result() for future in futures] == [x * x for x in range(100)]
""")


def test_submits_race_with_shutdown():
    check("""
for _ in range(10):
    executor = mh.Executor(2)
    futures, go = [], threading.Event()

    def submit():
        go.wait()
        try:
            while True:
                futures.append(executor.submit(abs, -1))
        except RuntimeError as error:
            assert "after shutdown" in str(error), error

    threads = [threading.Thread(target=submit) for _ in range(3)]
    for thread in threads:
        thread.start()
    executor.submit(abs, -1).result()
    go.set()
    inside.until(lambda: len(futures) > 100, "futures")
    executor.shutdown()
    for thread in threads:
        thread.join()
    assert all(future.done() for future in futures)
    assert {future.result() for future in futures if not future.cancelled()} == {1}
    assert not any(future.cancelled() for future in futures)
""")


def test_ctrl_c_does_not_wait_for_what_runs():
    ended = check(
        """
with mh.Executor(2) as executor:
    held = [executor.submit(hold, f"gate{x}") for x in range(10)]
    begun(2)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
""",
        code=-2,
    )
    assert "KeyboardInterrupt" in ended.err and ended.seconds < 50


def test_a_forked_child_is_told():
    check("""
executor = mh.Executor(2)
future = executor.submit(abs, -1)
child = os.fork()
if child == 0:
    for call in (lambda: executor.submit(abs, -1).result(), lambda: list(executor.map(abs, [1]))):
        try:
            call()
        except RuntimeError as error:
            assert "fork" in str(error), error
        else:
            os._exit(1)
    executor.shutdown()
    with mh.Executor(1) as own:
        os._exit(0 if own.submit(abs, -3).result() == 3 else 2)
assert os.waitpid(child, 0)[1] == 0
assert future.result() == 1
executor.shutdown()
""")


def test_an_initializer_that_fails_breaks_the_executor():
    check("""
def fail():
    raise ValueError("no")

with mh.Executor(2, initializer=fail) as executor:
    future = executor.submit(abs, -1)
    error = future.exception()
    assert type(error) is mh.PoolBroken and isinstance(error, BrokenProcessPool) and "ValueError: no" in str(error)
    for call in (executor.submit, executor.map):
        try:
            call(abs, [-1])
        except BrokenProcessPool as error:
            assert "ValueError: no" in str(error)
        else:
            raise AssertionError("it is broken")
""")


def test_dropped_futures_leave_nothing():
    check("""
import gc, weakref

class Thing:
    def call(self):
        return b"x" * 1000

thing = Thing()
gone = weakref.ref(thing)
with mh.Executor(2) as executor:
    executor.submit(thing.call)
    del thing
    inside.until(lambda: gone() is None, "the end of the argument")
    future = executor.submit(Thing().call)
    value = weakref.ref(future)
    future.result()
    del future
    assert value() is None
    for _ in range(1000):
        executor.submit(abs, -1)
""")
