"""`mh.memory`: against the kernel's own figures, and against sizes that are known."""

import os
import subprocess
import sys
import time

import pytest

import manyhands as mh
from programs import PATIENCE, environment

MIB = 1 << 20


def own_pss():
    with open("/proc/self/smaps_rollup") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("Pss:"))


def watched(work):
    """`mh.memory` of `work(seconds)`, which holds for so long what it takes: for longer on a busy machine, until there
    were some looks in between."""
    for seconds in (0.3, 1, 3, 10, 30):
        found = mh.memory(work, seconds)
        if len(found.times) >= 5:
            break
    return found


def hold(size, to):
    """A child process that holds `size` bytes until it is told to end; gives it once it does."""
    program = f"import sys; held = bytearray(b'x') * {size}; print('held', flush=True); sys.stdin.read(1)"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"held\n"
    to.append(child)


def end(children):
    for child in children:
        child.communicate(b"\n")


def test_the_peak_is_what_was_held():
    def work(seconds):
        held = bytearray(b"x") * (100 * MIB)
        time.sleep(seconds)
        return len(held)

    found = watched(work)
    assert found.value == 100 * MIB
    own = found.by_process["caller"]
    assert 90 * MIB <= max(own) - own[0] < 120 * MIB
    assert own[-1] < max(own) - 90 * MIB
    assert found.peak == max(found.pss) and found.times[found.pss.index(found.peak)] == found.peak_time
    assert found.times == sorted(found.times) and len(found.times) == len(found.pss) >= 3
    assert found.pss == [sum(held) for held in zip(*found.by_process.values())]


def test_it_agrees_with_the_kernel():
    told = own_pss()
    found = mh.memory(lambda: None)
    assert found.by_process["caller"][0] == pytest.approx(told, rel=0.05)


@pytest.mark.slow
def test_children_are_counted_and_told_apart():
    children = []
    try:
        found = mh.memory(lambda: [hold(size * MIB, children) for size in (30, 60)])
    finally:
        end(children)
    for child, size in zip(children, (30, 60)):
        held = next(held for name, held in found.by_process.items() if name.endswith(f" {child.pid}"))
        assert size * MIB <= max(held) < (size + 20) * MIB
    assert 85 * MIB <= found.extra < 130 * MIB


def test_what_forked_processes_share_is_counted_once():
    held = bytearray(b"x") * (80 * MIB)

    def work(seconds):
        out, into = os.pipe()
        children = []
        for _ in range(3):
            child = os.fork()
            if child == 0:
                os.close(into)
                os.read(out, 1)
                os._exit(len(held) % 251)
            children.append(child)
        time.sleep(seconds)
        os.close(into)
        os.close(out)
        return [os.waitpid(child, 0)[0] for child in children]

    found = watched(work)
    forked = [held for name, held in found.by_process.items() if name.split()[-1] in map(str, found.value)]
    assert len(forked) == 3
    # Each has the 80 MiB; together with the caller they take little more than it did before.
    own = found.by_process["caller"]
    assert max(map(sum, zip(own, *forked))) - own[0] < 60 * MIB


@pytest.mark.slow
def test_a_big_argument_of_a_map_is_shared_memory():
    numpy = pytest.importorskip("numpy")
    big = numpy.ones(10 * MIB)

    def work(_):
        return float(big.sum())

    found = mh.memory(mh.map, work, range(2), workers=2)
    assert found.value == [10 * MIB] * 2
    shared = sum(shared for _, _, shared in found.at_peak)
    assert 79 * MIB < shared < 90 * MIB
    # But for children that other tests have left, such as multiprocessing's resource tracker.
    began = {name for name, _, _ in found.at_peak if not found.by_process[name][0]}
    assert {name.split()[0] for name in began} <= {"worker", "shared"}


def test_what_the_function_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        mh.memory(lambda: 1 / 0)
    with pytest.raises(TypeError, match="callable"):
        mh.memory(3)


def test_it_is_shown():
    found = mh.memory(lambda: time.sleep(0.1))
    text = repr(found)
    assert text.startswith("peak ") and "│" in text and "caller" in text
    page = found._repr_html_()
    assert page.count("<svg") == page.count("</svg>") == 1 and "<polygon" in page


def test_nothing_of_it_is_left():
    # The kernel shows a thread for a moment after it has been joined.
    program = """
import os, time
import manyhands as mh
mh.memory(abs, -1)
end = time.monotonic() + 30
while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < end:
    time.sleep(0.001)
print(len(os.listdir("/proc/self/task")))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    assert done.stdout == "1\n"
