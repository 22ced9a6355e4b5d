"""Items that are lost with their worker: time-outs and deaths name the item, `retries=` runs it again."""

import os
import signal
import time

import pytest

import manyhands as mh


@pytest.mark.ours("an item there cannot be stopped")
def test_a_timed_out_item(parallel):
    results = parallel.map(lambda x: time.sleep(600) if x == 1 else x, range(4), timeout=0.5, on_error="return")
    assert [results[0], *results[2:]] == [0, 2, 3]
    error = results[1]
    assert isinstance(error, mh.TimeoutError)
    assert isinstance(error, TimeoutError)
    assert "item 1" in str(error)
    assert parallel.map(abs, [-1, -2, -3]) == [1, 2, 3]


@pytest.mark.ours("an item there cannot be stopped")
def test_a_timeout_is_for_each_item_and_not_for_the_map(parallel):
    assert parallel.map(lambda x: time.sleep(0.2) or x, range(20), timeout=10) == list(range(20))


@pytest.mark.ours("a ProcessPoolExecutor breaks with its first dead process")
@pytest.mark.parametrize("way, said", [("kill", "SIGKILL"), ("exit", "exit code 7"), ("segfault", "SIGSEGV")])
def test_a_worker_that_dies(parallel, way, said):
    def die(x):
        if x == 2:
            if way == "exit":
                os._exit(7)
            os.kill(os.getpid(), signal.SIGKILL if way == "kill" else signal.SIGSEGV)
        return x

    results = parallel.map(die, range(6), on_error="return")
    assert [results[i] for i in (0, 1, 3, 4, 5)] == [0, 1, 3, 4, 5]
    error = results[2]
    assert isinstance(error, mh.WorkerDied)
    assert said in str(error)
    assert "item 2" in str(error)
    assert error.index == 2


@pytest.mark.ours("a ProcessPoolExecutor breaks with its first dead process")
def test_worker_died_is_a_broken_executor(parallel):
    from concurrent.futures import BrokenExecutor

    with pytest.raises(BrokenExecutor):
        parallel.map(lambda x: os._exit(1), [1])
    assert parallel.map(abs, [-1]) == [1]


@pytest.mark.ours("a ProcessPoolExecutor breaks with its first dead process")
def test_retries_run_a_dead_workers_item_again(parallel, tmp_path):
    def die_twice(x):
        if x == 3:
            with open(tmp_path / "tries", "ab") as file:
                file.write(b".")
                tries = file.tell()
            if tries <= 2:
                os._exit(1)
        return x

    assert parallel.map(die_twice, range(8), retries=2) == list(range(8))


@pytest.mark.ours("a ProcessPoolExecutor breaks with its first dead process")
def test_retries_run_out(parallel):
    with pytest.raises(mh.WorkerDied, match="tried 3 times"):
        parallel.map(lambda x: os._exit(1), [1], retries=2)


def test_retries_are_not_for_exceptions(backend, tmp_path):
    def fail(x):
        with open(tmp_path / "tries", "ab") as file:
            file.write(b".")
        raise LookupError(x)

    with pytest.raises(LookupError):
        backend.map(fail, [1], retries=5)
    assert (tmp_path / "tries").stat().st_size == 1
