"""The workers of `mh.map` stay for the next call, and go when nobody needs them."""

from pathlib import Path

HEAD = f"""
import os, sys, time
sys.path.append({str(Path(__file__).parents[1])!r})
import manyhands as mh
from manyhands import _implicit
from programs import children

def wait_until(holds):
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
"""


def test_the_same_workers_serve_call_after_call(python):
    printed = python(
        HEAD
        + """
pids = {pid for _ in range(20) for pid in mh.map(lambda _: os.getpid(), range(20), workers=2)}
print(pids <= children(), len(children()))
pids.update(mh.imap(lambda _: os.getpid(), range(5), workers=2))
pids.update(mh.starmap(os.getpid, [()] * 5, workers=2))
print(pids <= children(), len(children()))
"""
    )
    assert printed == "True 2\nTrue 2\n"


def test_another_number_of_workers_replaces_them(python):
    printed = python(
        HEAD
        + """
for count in (2, 3, 1):
    mh.map(abs, range(50), workers=count)
    wait_until(lambda: len(children()) == count)
print("done")
"""
    )
    assert printed == "done\n"


def test_idle_workers_are_released(python):
    printed = python(
        HEAD
        + """
_implicit.IDLE = 0.2  # a minute in earnest
mh.map(abs, range(5), workers=2)
wait_until(lambda: not children())
print(mh.map(abs, [-1], workers=2))
wait_until(lambda: not children())
print("none left")
"""
    )
    assert printed == "[1]\nnone left\n"


def test_workers_in_use_are_not_idle(python):
    printed = python(
        HEAD
        + """
_implicit.IDLE = 0.1
results = mh.imap(lambda x: (x, os.getpid()), range(1000), workers=1, buffer=1)
first = next(results)
time.sleep(0.5)  # what is tested is that nothing happens in this time
pids = {first[1], *(pid for _, pid in results)}
print(len(pids))
wait_until(lambda: not children())
"""
    )
    assert printed == "1\n"


def test_an_iterator_that_is_dropped_lets_its_workers_go(python):
    printed = python(
        HEAD
        + """
import itertools
results = mh.imap(abs, itertools.count(), workers=2)
next(results)
mh.map(abs, [1], workers=3)
print(len(children()))
del results
wait_until(lambda: len(children()) == 3)
"""
    )
    assert printed == "5\n"


def test_broken_workers_are_replaced_for_the_next_call(python):
    printed = python(
        HEAD
        + """
import signal
for pid in set(mh.map(lambda _: os.getpid(), range(20), workers=2)):
    os.kill(pid, signal.SIGKILL)
print(mh.map(abs, [-1, -2, -3], workers=2))
try:
    mh.map(lambda _: os._exit(1), range(30), workers=2)
except mh.WorkerDied:
    print(mh.map(abs, [-1, -2, -3], workers=2))
"""
    )
    assert printed == "[1, 2, 3]\n[1, 2, 3]\n"


THREADS = (
    HEAD
    + """
import threading
from manyhands import _threads
def there(): return len(os.listdir("/proc/self/task"))
def maps(count, items=range(100)): return mh.map(lambda _: threading.get_ident(), items, workers=count, backend="threads")
"""
)


def test_the_same_threads_serve_call_after_call(python):
    printed = python(
        THREADS
        + """
barrier = threading.Barrier(2)
first = set(mh.map(lambda _: barrier.wait() and 0 or threading.get_ident(), range(2), workers=2, backend="threads"))
later = {ident for _ in range(20) for ident in maps(2)}
print(len(first), later <= first, there())
"""
    )
    assert printed == "2 True 3\n"


def test_another_number_of_threads_replaces_them(python):
    printed = python(
        THREADS
        + """
iterator = mh.imap(abs, range(500), workers=2, backend="threads", buffer=1)
next(iterator)
for count in (*range(1, 30), 3):
    maps(count)
wait_until(lambda: there() <= 1 + 3 + 2)
print(sum(iterator))
del iterator
wait_until(lambda: there() <= 1 + 3)
print("done")
"""
    )
    assert printed == f"{sum(range(500))}\ndone\n"


def test_idle_threads_end(python):
    printed = python(
        THREADS
        + """
_threads.IDLE = 0.1  # a minute in earnest
for _ in range(3):
    maps(3)
    wait_until(lambda: there() == 1)
print("none left")
"""
    )
    assert printed == "none left\n"
