"""`mh.Process` and what processes share: multiprocessing's calls, in a process that was told everything by value."""

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import threading
import time

import pytest

import manyhands as mh


def started(target=None, *args, **options):
    process = mh.Process(target=target, args=args, **options)
    process.start()
    return process


def result_of(target, *args, **options):
    return started(target, *args, **options).result(60)


# --------------------------------------------------------------------------------------------------- what it runs


def test_its_result():
    base = 10
    assert result_of(lambda x: base + x, 5) == 15
    assert result_of(pow, 2, 10) == 1024
    assert result_of(dict, kwargs={"a": [1]}) == {"a": [1]}
    assert result_of(None) is None


def test_a_result_that_is_asked_for_twice_is_the_same():
    process = started(lambda: [1])
    assert process.result(60) is process.result()
    assert process.exitcode == 0


def test_its_own_class_and_state():
    class Doubling(mh.Process):
        def __init__(self, number):
            super().__init__(name="doubling")
            self.number = number

        def run(self):
            return self.number * 2, self.name, type(self).__name__

    process = Doubling(21)
    process.start()
    assert process.result(60) == (42, "doubling", "Doubling")


def test_classes_come_back_as_the_callers_own():
    class Point:
        def __init__(self, x):
            self.x = x

    point = result_of(lambda: Point(3))
    assert type(point) is Point and point.x == 3


def test_a_big_array_there_and_back():
    numpy = pytest.importorskip("numpy")
    big = numpy.arange(3_000_000.0)

    def change(array):
        array[0] = -1
        return array * 2

    back = result_of(change, big)
    assert back[0] == -2 and back[-1] == 2 * big[-1] and big[0] == 0
    back[0] = 1  # it is the caller's to write to


def test_surroundings(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAID", "so")
    assert result_of(lambda: (os.getcwd(), os.environ["SAID"], sys.argv)) == (str(tmp_path), "so", sys.argv)


def test_it_is_the_current_process():
    def who():
        me, parent = mh.current_process(), multiprocessing.parent_process()
        return me.name, me.daemon, me.pid == os.getpid(), parent.pid, parent.is_alive(), sys.stdin.read()

    assert result_of(who, name="somebody") == ("somebody", False, True, os.getpid(), True, "")


def test_it_may_have_children_and_maps():
    assert result_of(lambda: result_of(lambda: mh.map(abs, [-1, -2], workers=2))) == [1, 2]


def test_a_daemon_may_have_none():
    with pytest.raises(AssertionError, match="daemonic"):
        result_of(lambda: started(print), daemon=True)


def test_workers_of_a_pool_have_names():
    def name(gate):
        gate.wait(60)
        return mh.current_process().name

    with mh.Pool(2) as pool:
        names = pool.map(name, [mh.Barrier(2)] * 2)
    assert len(set(names)) == 2 and all(name.startswith("PoolWorker-") for name in names)


def test_in_a_worker_of_a_map():
    assert mh.map(lambda x: result_of(abs, x), [-1, -2], workers=2) == [1, 2]


# ------------------------------------------------------------------------------------------------------ its end


@pytest.mark.parametrize("end, code", [(0, 0), (None, 0), (3, 3), ("a word", 1), (-1, 255), (2**40, 0)], ids=str)
def test_exit_codes(end, code):
    process = started(sys.exit, end)
    process.join()
    assert process.exitcode == code
    with pytest.raises(mh.TaskExited) as caught:
        process.result()
    assert caught.value.code == end


def test_an_exception(capfd):
    def fail(x):
        raise ValueError(f"no {x}")

    process = started(fail, 7, name="failing")
    process.join()
    assert process.exitcode == 1
    for _ in range(2):
        with pytest.raises(ValueError, match="no 7") as caught:
            process.result()
    assert "in fail" in str(caught.value.__cause__)
    printed = capfd.readouterr().err
    assert printed.startswith("Process failing:\nTraceback") and printed.endswith("ValueError: no 7\n")


@pytest.mark.parametrize("how, number", [("terminate", signal.SIGTERM), ("kill", signal.SIGKILL)])
def test_signals(how, number, gate):
    begun = gate()

    def wait():
        begun.open()
        time.sleep(3600)

    process = started(wait)
    begun.wait()
    assert process.is_alive() and process.exitcode is None and process in mh.active_children()
    with pytest.raises(ValueError, match="still running"):
        process.close()
    with pytest.raises(mh.TimeoutError, match="has not ended"):
        process.result(0)
    getattr(process, how)()
    process.join()
    assert process.exitcode == -number and process not in mh.active_children()
    with pytest.raises(mh.WorkerDied, match=number.name) as caught:
        process.result()
    assert caught.value.signal == number
    process.terminate()  # no longer there: nothing happens


def test_os_exit_leaves_no_result():
    process = started(os._exit, 4)
    with pytest.raises(mh.WorkerDied, match="exit code 4 before") as caught:
        process.result(60)
    assert caught.value.exitcode == 4


def test_calls_at_the_wrong_time():
    process = mh.Process(target=print)
    assert process.pid is None and process.exitcode is None and not process.is_alive()
    for call in (process.join, process.result):
        with pytest.raises(AssertionError, match="can only join a started process"):
            call()
    with pytest.raises(ValueError, match="not started"):
        process.sentinel  # noqa: B018 (the look is the test)
    process.start()
    with pytest.raises(AssertionError, match="twice"):
        process.start()
    process.join()
    assert multiprocessing.connection.wait([process.sentinel], 0) == [process.sentinel]
    process.close()
    process.close()
    for call in (process.join, process.result, process.is_alive):
        with pytest.raises(ValueError, match="closed"):
            call()


def test_many_threads_may_wait_for_it(gate):
    begun = gate()
    process = started(begun.wait)
    codes = []

    def wait():
        process.join()
        codes.append(process.exitcode)

    threads = [threading.Thread(target=wait) for _ in range(5)]
    for thread in threads:
        thread.start()
    begun.open()
    for thread in threads:
        thread.join(60)
    assert codes == [0] * 5


def test_threads_of_the_process_are_waited_for():
    event = mh.Event()
    process = started(lambda: threading.Timer(0.2, event.set).start())
    process.join()
    assert event.is_set() and process.exitcode == 0


def test_sentinels_can_be_waited_for():
    first, second = started(time.sleep, 3600), started(print)
    assert mh.connection.wait([first.sentinel, second.sentinel], 60) == [second.sentinel]
    first.kill()
    first.join()
    second.join()


# ------------------------------------------------------------------------------------------------------- printing


def test_prints_appear_where_the_callers_do(capsys):
    def say():
        print("out")
        print("begun", end="")
        print("err", file=sys.stderr)

    started(say).join()
    assert capsys.readouterr() == ("out\nbegun", "err\n")


def test_prints_appear_at_once(gate):
    shown, go_on = threading.Event(), gate()

    class Stream:
        def write(self, text):
            if "ready" in text:
                shown.set()

        def flush(self):
            pass

    def say():
        print("ready", end="", flush=True)
        go_on.wait()

    before, sys.stdout = sys.stdout, Stream()
    try:
        process = started(say)
        assert shown.wait(60)
        go_on.open()
        process.join()
    finally:
        sys.stdout = before


def test_much_that_is_printed(capsys):
    started(lambda: [print(n, "x" * 1000) for n in range(1000)]).join()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(map(str, range(1000)))


# --------------------------------------------------------------------------------------------- what cannot be sent


def test_what_cannot_be_sent_is_said_at_the_start():
    lock = threading.Lock()
    process = mh.Process(target=print, args=(lock,), name="hopeless")
    with pytest.raises(TypeError, match="lock") as caught:
        process.start()
    assert "hopeless cannot be started" in str(getattr(caught.value, "__notes__", caught.value.__cause__))
    assert process.exitcode is None and process not in mh.active_children()


def test_it_is_said_of_the_part_that_cannot():
    class Holder:
        def __init__(self):
            self.queue, self.event, self.ends = mh.Queue(), mh.Event(), mh.Pipe()
            self.hopeless = threading.Lock()

        def run(self):
            pass

    with pytest.raises(TypeError) as caught:
        mh.Process(target=Holder().run).start()
    told = str(getattr(caught.value, "__notes__", caught.value.__cause__))
    assert "its attribute 'hopeless'" in told and "queue" not in told


def test_a_started_process_that_is_sent():
    other = started(time.sleep, 60)

    def look():
        try:
            other.join()
        except AssertionError as error:
            other.terminate()
            return other.pid, other.exitcode, str(error)

    pid, code, told = result_of(look)
    assert (pid, code) == (other.pid, None) and "only join a child" in told
    other.join()
    assert other.exitcode == -signal.SIGTERM


def test_a_result_that_cannot_be_sent():
    process = started(threading.Lock)
    process.join()
    assert process.exitcode == 0  # nobody may want it
    with pytest.raises(mh.MaybeEncodingError, match="lock"):
        process.result()


class Unloadable:
    def __reduce__(self):
        return _refuse, ()


def _refuse():
    raise LookupError("nothing to load")


def test_what_cannot_be_rebuilt(capfd):
    process = started(print, Unloadable())
    with pytest.raises(LookupError, match="nothing to load"):
        process.result(60)
    assert process.exitcode == 1
    assert "could not be made from what its parent sent" in capfd.readouterr().err
    with pytest.raises(LookupError) as caught:
        result_of(Unloadable)
    assert "could not be rebuilt in the caller" in str(getattr(caught.value, "__notes__", caught.value.__cause__))


class Odd(Exception):
    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")
        self.lock = threading.Lock()


def test_an_exception_that_cannot_be_rebuilt():
    def fail():
        raise Odd(1, 2)

    with pytest.raises(Odd, match="1 and 2"):
        result_of(fail)


# ------------------------------------------------------------------------------------------------------- contexts


def test_every_context_is_ours():
    for method in (None, "spawn", "fork", "forkserver"):
        context = mh.get_context(method)
        assert context.Process is mh.Process
        lock, queue = context.Lock(), context.SimpleQueue()

        def put(lock=lock, queue=queue):
            with lock:
                queue.put("through")

        process = context.Process(target=put)
        process.start()
        assert queue.get() == "through"
        process.join()
        assert method is None or context.get_start_method() == method
    with pytest.raises(ValueError, match="cannot find context for 'thread'"):
        mh.get_context("thread")
    with mh.get_context("fork").Pool(1) as pool:
        assert pool.map(abs, [-1]) == [1]


def test_start_methods(python):
    printed = python("""
        import manyhands as mp
        print(mp.get_all_start_methods(), mp.get_start_method(allow_none=True))
        mp.set_start_method("fork")
        print(mp.get_start_method(), mp.get_context().get_start_method())
        for method in "spawn", "nonsense":
            try:
                mp.set_start_method(method, force=method == "nonsense")
            except (RuntimeError, ValueError) as error:
                print(error)
        mp.freeze_support()
        p = mp.Process(target=print, args=("no guard",)); p.start(); p.join()
    """)
    assert printed.splitlines() == [
        "['spawn', 'fork', 'forkserver'] None",
        "fork fork",
        "context has already been set",
        "cannot find context for 'nonsense'",
        "no guard",
    ]


@pytest.mark.parametrize("how", ["file", "-c", "stdin"])
def test_however_the_program_is_given(python, how):
    printed = python(
        """
        import manyhands as mp

        class Counting(mp.Process):
            def run(self):
                print(__name__, read())

        def read():
            return queue.get() + 1

        print("once")
        queue = mp.SimpleQueue()
        process = Counting()
        process.start()
        queue.put(1)
        process.join()
        """,
        how,
    )
    assert printed == "once\n__main__ 2\n"


# ---------------------------------------------------------------------------------------------- what they share


NEED_OURS = pytest.mark.ours("multiprocessing's primitives need a socket of ours")


@NEED_OURS
@pytest.mark.parametrize("name", ["Lock", "RLock", "Semaphore", "BoundedSemaphore", "Condition"])
def test_locks_of_ours_anywhere(parallel, name):
    lock, counter = getattr(mh, name)(), mh.Value("i", 0, lock=False)

    def up(_):
        for _ in range(100):
            with lock:
                counter.value += 1

    processes = [started(up, 0) for _ in range(2)]
    parallel.map(up, range(4))
    for process in processes:
        process.join()
    assert counter.value == 600


@NEED_OURS
def test_queues_events_and_values(parallel):
    queue, event, array = mh.Queue(), mh.Event(), mh.Array("d", 4)

    def work(x):
        assert event.wait(60)
        array[x] = x * 1.5
        queue.put(x)

    process = started(work, 0)
    event.set()
    parallel.map(work, [1, 2, 3])
    assert sorted(queue.get(timeout=60) for _ in range(4)) == [0, 1, 2, 3]
    assert list(array) == [0, 1.5, 3, 4.5]
    process.join()


def test_a_pipe_between_two():
    ours, theirs = mh.Pipe()
    process = started(lambda: theirs.send(theirs.recv() + 1))
    ours.send(1)
    assert ours.recv() == 2
    process.join()


def test_a_manager_of_ones_own():
    from manyhands.managers import BaseManager

    class Counter:
        def __init__(self):
            self.count = 0

        def up(self):
            self.count += 1
            return self.count

    class Manager(BaseManager):
        pass

    Manager.register("Counter", Counter)
    with Manager() as manager:
        counter = manager.Counter()
        started(counter.up).join()
        assert counter.up() == 2


def test_a_manager(parallel):
    with mh.Manager() as manager:
        table = manager.dict()
        parallel.map(lambda x: table.update({x: x * x}), range(4))
        started(table.update, {9: 81}).join()
        assert dict(table) == {0: 0, 1: 1, 2: 4, 3: 9, 9: 81}


def test_locks_of_ours_in_processes_of_multiprocessings(python):
    printed = python("""
        import multiprocessing
        import manyhands as mh

        def up(lock, value):
            for _ in range(1000):
                with lock:
                    value.value += 1

        if __name__ == "__main__":
            lock, value = mh.Lock(), mh.Value("i", 0, lock=False)
            for method in "fork", "spawn":
                context = multiprocessing.get_context(method)
                both = [context.Process(target=up, args=(lock, value)) for _ in range(2)]
                for process in both:
                    process.start()
                for process in both:
                    process.join()
                print(method, value.value)
    """)
    assert printed == "fork 2000\nspawn 4000\n"


def test_misused_locks():
    lock = mh.Lock()
    with pytest.raises(ValueError, match="released too many times"):
        lock.release()
    with pytest.raises(AssertionError, match="not owned"):
        mh.RLock().release()
    with pytest.raises(OSError, match="Invalid argument"):
        mh.Semaphore(-1)
    with pytest.raises(RuntimeError, match="inheritance"):
        import pickle

        pickle.dumps(lock)
    assert lock.acquire(timeout=0.01) and not lock.acquire(timeout=0.01) and not lock.acquire(block=False)
    lock.release()


def test_a_waiting_lock_can_be_interrupted():
    lock = mh.Lock()
    lock.acquire()

    def handler(*_):
        raise KeyError("woken")

    before = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05)
    try:
        with pytest.raises(KeyError, match="woken"):
            lock.acquire()
    finally:
        signal.signal(signal.SIGALRM, before)


def test_nothing_has_a_name(python):
    printed = python("""
        import manyhands as mp
        kept = mp.Lock(), mp.Queue(), mp.Event(), mp.Barrier(2), mp.Value("i")
        process = mp.Process(target=print, args=kept[:1])
        process.start()
        process.join()
        # multiprocessing's own memory for values has lost its name by then.
        print([line for line in open("/proc/self/maps") if "/dev/shm" in line and "(deleted)" not in line])
        from multiprocessing.resource_tracker import _resource_tracker
        print(_resource_tracker._fd)
    """)
    assert printed.splitlines()[1:] == ["[]", "None"]


def test_named_shared_memory_outlives_who_looked_at_it():
    with mh.Manager():  # whatever else there is
        memory = mh.shared_memory.SharedMemory(create=True, size=10)
        try:

            def write(name, value):
                there = mh.shared_memory.SharedMemory(name)
                there.buf[0] = value
                there.close()

            for value in 1, 2:
                started(write, memory.name, value).result(60)
                assert memory.buf[0] == value
        finally:
            memory.close()
            memory.unlink()
