"""A program may end at any time, whatever its pools are doing: it ends at once, cleanly, and without a word."""

import pytest

HEAD = """
import manyhands as mh, sys, time, threading, warnings
warnings.simplefilter("ignore", ResourceWarning)
def long(_): time.sleep(600)
"""

UNDER_WAY = {
    "a pool that nobody closed": "pool = mh.Pool(2); pool.map(abs, [1])",
    "kept workers": "mh.map(abs, [1], workers=2)",
    "calls that nobody waits for": "pool = mh.Pool(2); results = [pool.apply_async(long, (n,)) for n in range(9)]",
    "a map that nobody waits for": "pool = mh.Pool(2); result = pool.map_async(long, range(9), callback=print)",
    "an iterator half way": "results = mh.imap(lambda x: x, iter(int, 1), workers=2); next(results)",
    "an iterator that waits": "results = mh.imap(long, range(9), workers=2)",
    "a closed pool": "pool = mh.Pool(2); result = pool.map_async(long, range(9)); pool.close()",
    "a thread that waits": "pool = mh.Pool(2); threading.Thread(target=pool.map, args=(long, [1]), daemon=True).start()",
    "a pool in a cycle": "pool = mh.Pool(2); pool.me = pool; pool.map(abs, [1]); del pool",
    "a pool in a module": "sys.modules['held'] = mh.Pool(2)",
    "a pool made by an exit handler": "import atexit; atexit.register(lambda: mh.map(abs, [1], workers=2))",
}


@pytest.mark.parametrize("what", UNDER_WAY)
def test_the_end_with(python, what):
    assert python(HEAD + UNDER_WAY[what] + "\nprint('end')\n") == "end\n"


@pytest.mark.parametrize("way", ["sys.exit(0)", "raise SystemExit", "import os; os._exit(0)"])
def test_other_ways_to_end(python, way):
    python(HEAD + "pool = mh.Pool(2)\nresult = pool.map_async(long, range(9))\n" + way)


def test_an_exit_handler_may_use_the_pool(python):
    printed = python(
        """
        import atexit, manyhands as mh
        def last():
            with pool:
                print(pool.map(lambda x: x + 1, range(3)))
        mh.map(abs, [1], workers=2)
        pool = mh.Pool(2)
        atexit.register(last)
        """
    )
    assert printed == "[1, 2, 3]\n"


def test_a_callback_under_way_at_the_end(python):
    printed, error = python(
        HEAD
        + """
begun = threading.Event()
def callback(value):
    begun.set()
    print("callback", flush=True)
pool = mh.Pool(1)
pool.apply_async(abs, (1,), callback=callback)
begun.wait(60)
""",
        stderr=True,
    )
    assert printed == "callback\n"
    assert not error


def test_a_call_that_comes_too_late_is_refused(python):
    printed = python(
        HEAD
        + """
with mh.Pool(2) as pool:
    assert pool.apply_async(abs, (-1,)).get(60) == 1
    pool._workers.terminate()  # as at the program's end: the pool's own state is still that of a running one
    try:
        pool.apply_async(abs, (1,))
    except ValueError as error:
        print(error)
"""
    )
    assert printed == "Pool not running\n"


def test_a_callback_that_submits_at_the_end(python):
    printed, error = python(
        HEAD
        + """
begun = threading.Event()
def more(value):
    begun.set()
    try:
        pool.apply_async(abs, (value,), callback=more)
    except ValueError:
        pass  # the pool has ended
pool = mh.Pool(2)
pool.apply_async(abs, (1,), callback=more)
begun.wait(60)
print("end")
""",
        stderr=True,
    )
    assert printed == "end\n"
    assert "Traceback" not in error
