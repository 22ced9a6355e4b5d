"""Ctrl-C ends a compiled function, wherever it is in its loops."""

import os
import signal
import threading

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

FOREVER = 10**9
"""Twice nested: years."""


@mh.jit
def serial(begun, n):
    begun[0] = 1
    found = 0
    for i in range(n):
        for j in range(n):
            found += (i ^ j) & 3
    return found


@mh.jit
def waiting(begun, n):
    begun[0] = 1
    found = 0
    while n > 1:
        found = (found + n) & 1023
    return found


@mh.jit
def parallel(begun, n):
    begun[0] = 1
    found = 0
    for i in mh.prange(n):
        for j in range(n):
            found += (i ^ j) & 3
    return found


@mh.jit
def nested(begun, n):
    begun[0] = 1
    found = 0
    for i in mh.prange(n):
        for j in mh.prange(n):
            found += (i ^ j) & 3
    return found


@mh.jit
def laned(begun, n):
    begun[0] = 1
    found = 0.0
    for i in mh.prange(n * n):
        found += 1.0 / (i + 1)
    return found


@mh.jit
def branches(n):
    return 1 if n < 2 else branches(n - 1) + branches(n - 2)


@mh.jit
def recursive(begun, n):
    begun[0] = 1
    return branches(min(n, 90))


def mapped(begun, n):
    return mh.starmap(nested, [(begun, n)] * 3, backend="threads")


@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals reach the main thread")
@pytest.mark.parametrize(
    "function", [serial, waiting, parallel, nested, laned, recursive, mapped], ids=lambda function: function.__name__
)
def test_ctrl_c_stops_a_kernel(function):
    begun = np.zeros(1)
    function(begun, 1)
    begun[0] = 0
    ended = threading.Event()

    def interrupt():
        # Compiled code can tell nobody that it is running but through memory.
        while not begun[0]:
            if ended.wait(0.001):
                return
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        try:
            function(begun, FOREVER)
        finally:
            ended.set()
            thread.join()
    begun[0] = 0
    function(begun, 1)
    assert begun[0] == 1
