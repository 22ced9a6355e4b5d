"""However a program ends, a second later nothing of it is there: no process, no file. `scenario` does the looking."""

import os
import signal
import time

import pytest
from scenario import Scenario, run

#: Work under way, in several calls at once; each worker has a child of its own that would sleep for an hour.
UNDER_WAY = """
import subprocess

def item(x):
    if Flag(f"child-{os.getpid()}").set():
        subprocess.Popen(["sleep", "3600"])
    Flag(f"item-{x}").set()
    if x > 1:
        time.sleep(3600)
    return bytes(500_000)

pool = mh.Pool(3)
single = pool.apply_async(item, (2,))
several = pool.map_async(item, [3, 4, 5])
Flag("item-2").wait()
Flag("item-3").wait()
"""

#: How a program ends, with its exit code.
ENDS = {
    "normal end": ("", 0),
    "exception": ("raise KeyError('the end')", 1),
    "sys.exit": ("sys.exit(5)", 5),
    "sys.exit in with": ("with pool:\n    sys.exit(5)", 5),
    "os._exit": ("os._exit(6)", 6),
    "terminate": ("pool.terminate()", 0),
    "terminate and join": ("pool.terminate(); pool.join()", 0),
    "close alone": ("pool.close()", 0),
    "forgotten": ("del pool, single, several", 0),
    "imap half consumed": ("it = pool.imap(item, [0, 1, 6, 7]); pool2 = mh.Pool(1)\n"
                           "it2 = pool2.imap(item, range(0, 10)); next(it2)", 0),
    "mh.imap half consumed": ("it = mh.imap(item, [0, 1] * 500 + [6], workers=2); next(it)", 0),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", -9),
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM)", -15),
    "SIGHUP": ("os.kill(os.getpid(), signal.SIGHUP)", -1),
    "SIGTERM with a handler": ("signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))\n"
                               "os.kill(os.getpid(), signal.SIGTERM)\nsingle.get()", 7),
    "segfault": ("inside.die('segfault')", -11),
    "abort": ("inside.die('SIGABRT')", -6),
    "exec of another program": ("os.execv('/bin/true', ['true'])", 0),
    "while workers start": ("many = mh.Pool(6)\nos.kill(os.getpid(), signal.SIGKILL)", -9),
    "while workers start, in good order": ("many = mh.Pool(6)", 0),
}  # fmt: skip


@pytest.mark.parametrize("end", ENDS)
def test_nothing_is_left_after(end):
    last, code = ENDS[end]
    ended = run(UNDER_WAY + last + "\n", code=code)
    print(f"{end}: all gone {ended.gone_after:.3f} s after the program")


@pytest.mark.parametrize("call", ["mh.map(item, range(2, 9), workers=2)", "pool.map(item, range(2, 9))", "single.get()",
                                  "several.get()", "list(pool.imap(item, range(9)))", "pool.apply(item, (9,))",
                                  "several.wait()", "pool.close(); pool.join()",
                                  "mh.Parallel(n_jobs=2)(mh.delayed(item)(i) for i in range(2, 9))"])  # fmt: skip
def test_control_c_ends_the_call_and_the_program(call):
    program = f"""
print("begin")
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", time.monotonic())
    raise
"""
    with Scenario(UNDER_WAY + program) as scenario:
        scenario.wait_for("begin")
        _until_it_sleeps(scenario.process.pid)
        sent = scenario.signal(signal.SIGINT)
        ended = scenario.finish(code=-signal.SIGINT)
    took = float(ended.out.split()[-1]) - sent
    print(f"{call}: KeyboardInterrupt after {took:.3f} s, all gone {ended.gone_after:.3f} s after the program")
    # The promise is 0.2 s; the rest is for a busy machine.
    assert took < 0.2 + 1.8
    assert "Traceback" in ended.err and "KeyboardInterrupt" in ended.err


def test_control_c_in_a_terminal_reaches_the_program_alone():
    # A terminal signals the whole foreground group: workers are in groups of their own and say nothing.
    with Scenario(UNDER_WAY + "print('begin')\nsingle.get()\n") as scenario:
        scenario.wait_for("begin")
        _until_it_sleeps(scenario.process.pid)
        os.killpg(scenario.process.pid, signal.SIGINT)
        ended = scenario.finish(code=-signal.SIGINT)
    assert ended.err.count("Traceback") == 1, ended.err


def test_a_program_goes_on_after_control_c():
    with Scenario(
        """
        def slow(x):
            Flag("slow").set()
            time.sleep(3600)

        with mh.Pool(2) as pool:
            for call in (lambda: pool.map(slow, range(4)), lambda: mh.map(slow, range(4), workers=2),
                         lambda: list(pool.imap(slow, range(4)))):
                try:
                    threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
                    call()
                except KeyboardInterrupt:
                    print("interrupted")
                assert pool.map(abs, [-1, -2, -3]) == [1, 2, 3]
                assert mh.map(abs, [-1, -2, -3], workers=2) == [1, 2, 3]
        """
    ) as scenario:
        ended = scenario.finish()
    assert ended.out.split() == ["interrupted"] * 3


def test_the_interpreter_ends_while_another_thread_waits():
    run(
        UNDER_WAY
        + """
threading.Thread(target=single.get, daemon=True).start()
threading.Thread(target=lambda: pool.map(item, [6, 7]), daemon=True).start()
threading.Thread(target=lambda: mh.map(item, [8, 9], workers=2), daemon=True).start()
Flag("item-8").wait()
"""
    )


def test_killing_the_program_while_everything_moves():
    # Whatever a worker is doing at that instant: starting, receiving, sending, running.
    program = """
    big = bytes(3_000_000)
    with mh.Pool(3, maxtasksperchild=2) as pool:
        print("begin")
        for value in pool.imap_unordered(lambda x: big, (big for _ in range(10**9))):
            pass
    """
    for pause in (0, 0.05, 0.11, 0.17, 0.23):
        with Scenario(program) as scenario:
            scenario.wait_for("begin")
            time.sleep(pause)  # not to wait for anything: each round strikes at another moment
            scenario.signal(signal.SIGKILL)
            ended = scenario.finish(code=-9)
            print(f"all gone {ended.gone_after:.3f} s after the program")


def _until_it_sleeps(pid):
    """Wait until the main thread of a process waits for something."""
    end = time.monotonic() + 30
    seen = 0
    while seen < 5 and time.monotonic() < end:
        with open(f"/proc/{pid}/stat") as file:
            seen = seen + 1 if file.read().rsplit(")", 1)[1].split()[0] == "S" else 0
        time.sleep(0.01)
