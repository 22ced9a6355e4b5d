"""However a program with processes ends, they end as multiprocessing's do, and nothing is left."""

import os
import signal

import pytest
from scenario import Scenario, run

#: A process, its own process, and a program that it has started: all would go on for an hour.
FAMILY = """
import subprocess

def grandchild():
    Flag("grandchild").set()
    time.sleep(3600)

def child():
    process = mh.Process(target=grandchild)
    process.start()
    subprocess.Popen(["sleep", "3600"])
    Flag("child").set()
    time.sleep(3600)

lock, queue = mh.Lock(), mh.Queue()
process = mh.Process(target=child, DAEMON)
process.start()
Flag("child").wait()
Flag("grandchild").wait()
"""

KILLED = {
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -15),
    "segfault": ("inside.die('segfault')", -11),
    "os._exit": ("os._exit(6)", 6),
}


@pytest.mark.parametrize("end", KILLED)
def test_a_killed_program_takes_its_processes_along(end):
    last, code = KILLED[end]
    run(FAMILY.replace("DAEMON", "daemon=False") + last + "\n", code=code)


def test_a_killed_program_while_they_start():
    run(
        """
        processes = [mh.Process(target=time.sleep, args=(3600,)) for _ in range(5)]
        for process in processes:
            process.start()
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        code=-9,
    )


def test_a_killed_process_takes_its_own_along():
    run(
        """
        def child():
            process = mh.Process(target=time.sleep, args=(3600,))
            process.start()
            Flag("ready").set()
            time.sleep(3600)

        process = mh.Process(target=child)
        process.start()
        Flag("ready").wait()
        process.kill()
        process.join()
        """
    )


def test_daemons_end_with_the_program_and_others_are_waited_for():
    ended = run(
        """
        def wait():
            Flag("go").wait()
            print("waited for", flush=True)

        mh.Process(target=time.sleep, args=(3600,), daemon=True).start()
        mh.Process(target=wait).start()
        import atexit
        threading.Timer(0.2, Flag("go").set).start()
        print("the end", flush=True)
        """
    )
    assert ended.out.splitlines() == ["the end", "waited for"]


def test_an_interrupt_reaches_the_processes():
    program = """
        def wait():
            Flag("ready").set()
            try:
                time.sleep(3600)
            except KeyboardInterrupt:
                print("cleaned up", flush=True)

        process = mh.Process(target=wait)
        process.start()
        Flag("ready").wait()
        process.join(0)  # what it imports is there: an import may swallow an interrupt
        print("joining", flush=True)
        try:
            process.join()
        except KeyboardInterrupt:
            process.join()
            print("exit code", process.exitcode)
    """
    with Scenario(program) as scenario:
        scenario.wait_for("joining")
        os.killpg(scenario.process.pid, signal.SIGINT)  # as a terminal does
        ended = scenario.finish(code=0)
    assert ended.out.splitlines() == ["joining", "cleaned up", "exit code 0"], ended.err


def test_someone_else_takes_the_exit_status():
    ended = run(
        """
        process = mh.Process(target=print, args=("printed",))
        process.start()
        os.waitpid(-1, 0)
        process.join()
        print(process.exitcode, process.is_alive(), process.result())
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        process = mh.Process(target=abs, args=(-3,))
        process.start()
        print(process.result())
        """
    )
    assert ended.out.splitlines() == ["printed", "255 False None", "3"]


def test_a_killed_lock_holder_and_waiter_leave_the_others_their_locks():
    run(
        """
        lock, queue = mh.Lock(), mh.SimpleQueue()

        def take(name):
            Flag(name).set()
            with lock:
                queue.put(name)

        lock.acquire()
        waiting = [mh.Process(target=take, args=(name,)) for name in ("first", "second", "third")]
        for process in waiting:
            process.start()
        for name in "first", "second", "third":
            Flag(name).wait()
        waiting[0].kill()
        lock.release()
        for process in waiting:
            process.join()
        assert {queue.get(), queue.get()} == {"second", "third"}
        """
    )


def test_descriptors_and_threads_of_ended_processes_are_given_back():
    run(
        """
        def count():
            return inside.descriptors(), inside.system_threads()

        def once():
            process = mh.Process(target=bytes, args=(300_000,))
            process.start()
            process.join()

        once()
        before = count()  # perhaps with what the first still gives back
        for _ in range(10):
            once()
        inside.until(lambda: all(now <= then for now, then in zip(count(), before)),
                     f"the return to {before} descriptors and threads")
        """
    )


def test_no_descriptors_left():
    run(
        """
        import resource
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        process = mh.Process(target=abs, args=(-1,))
        for limit in range(3, 40):
            resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
            try:
                process.start()
                break
            except (OSError, ImportError) as error:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        assert process.result() == 1
        """
    )


def test_forked_children_have_no_part_in_it():
    run(
        """
        process = mh.Process(target=Flag("go").wait)
        process.start()
        pid = os.fork()
        if pid == 0:
            own = mh.Process(target=abs, args=(-2,))
            own.start()
            assert own.result() == 2
            try:
                process.join()
            except AssertionError:
                os._exit(7)
            os._exit(8)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 7
        Flag("go").set()
        process.join()
        assert process.exitcode == 0
        """
    )
