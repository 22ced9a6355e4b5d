"""`mh.compare`: known work is recognised, and what cannot be compared is said so."""

import hashlib
import itertools
import os
import threading
import time

import pytest

import manyhands as mh
from manyhands import _comparing_ways


def wait(x):
    time.sleep(0.01)
    return x


def python(x):
    return sum(len(str(x + i)) for i in range(3000))


@pytest.mark.slow
def test_what_waits_belongs_into_threads():
    found = mh.compare(wait, range(40), budget="4s", workers=4)
    assert found.best == "threads"
    assert "waits" in found.reason and found.cpu < 0.5
    assert found.lock is None or found.lock < 0.5
    rows = {row.way: row for row in found.rows}
    assert rows["serial"].speedup == 1.0 and rows["threads"].speedup > 2
    assert rows["jit"].seconds is None and "does not compile" in rows["jit"].why
    for row in found.rows:
        if row.seconds is not None:
            assert row.interval[0] <= row.seconds <= row.interval[1] and row.extra >= 0
            assert row.efficiency == pytest.approx(row.speedup / row.workers)


def test_tiny_items_belong_into_a_loop():
    found = mh.compare(abs, range(500), budget="4s", workers=2)
    assert found.best == "serial"
    assert found.items == found.total == 500


@pytest.mark.slow
def test_loops_over_numbers_are_compiled():
    pytest.importorskip("llvmlite")

    def work(n):
        total = 0
        for i in range(20_000):
            total += i % 7 * n
        return total

    found = mh.compare(work, range(100), budget="2s", workers=2)
    assert found.best == "jit"
    assert found.reason.startswith("jit") and "compiled" in found.reason


def test_who_holds_the_lock_is_seen():
    held = _comparing_ways.lock_share(lambda: [python(x) for x in range(100)])
    free = _comparing_ways.lock_share(lambda: time.sleep(0.05))
    if held is None:
        pytest.skip("this Python has no such lock")
    assert held > 0.6 and free < 0.4
    # Half of the time each: compiled code that lets go of it, and Python.
    data = bytes(10_000_000)

    def both():
        began = time.perf_counter()
        hashlib.sha256(data).digest()
        until = 2 * time.perf_counter() - began
        while time.perf_counter() < until:
            pass

    assert 0.15 < _comparing_ways.lock_share(both) < 0.85


@pytest.mark.slow
def test_the_table_says_it_all():
    found = mh.compare(python, range(30), budget="1s", workers=2)
    text, page = repr(found), found._repr_html_()
    for word in ("serial", "threads", "processes", "95% interval", "extra memory", found.reason):
        assert word in text
    assert page.count("<tr>") == len(found.rows) + 1
    assert found.reason.startswith(found.best)


def test_a_failing_function_raises_with_its_item():
    def odd(x):
        if x == 3:
            raise KeyError("three")

    with pytest.raises(KeyError, match="three") as caught:
        mh.compare(odd, range(10), budget="1s")
    notes = "".join(getattr(caught.value, "__notes__", ["item 3"]))
    assert "item 3" in notes


@pytest.mark.slow
def test_two_answers_are_refused():
    counter = itertools.count()
    with pytest.raises(ValueError, match="same answer twice"):
        mh.compare(lambda x: next(counter), range(10), budget="1s")


@pytest.mark.slow
def test_changed_items_are_refused():
    with pytest.raises(ValueError, match="changes its items"):
        mh.compare(lambda row: row.append(1), [[1], [2], [3]], budget="1s")


@pytest.mark.slow
def test_another_answer_is_no_row_to_win():
    seen = []

    def first_come(x):
        import threading

        time.sleep(0.005)
        return threading.current_thread() is threading.main_thread() and not seen

    found = mh.compare(first_come, range(20), budget="1s", workers=2)
    rows = {row.way: row for row in found.rows}
    assert found.best != "threads"
    assert rows["threads"].seconds is None and "another answer" in rows["threads"].why
    assert rows["threads"].why in repr(found)


@pytest.mark.slow
def test_what_cannot_be_sent_is_no_row():
    lines = open(__file__)  # noqa: SIM115
    with lines:
        found = mh.compare(lambda x: (lines.closed, x), range(10), budget="1s", workers=2)
    rows = {row.way: row for row in found.rows}
    assert rows["processes"].seconds is None and "raises" in rows["processes"].why
    assert found.best in ("serial", "threads")


def test_what_takes_longer_than_the_budget_is_told():
    with pytest.raises(ValueError, match="takes more than the budget"):
        mh.compare(lambda x: time.sleep(0.2), range(10), budget="300ms", workers=2)


@pytest.mark.slow
def test_processes_that_take_longer_than_the_budget_are_ended():
    here = os.getpid()
    found = mh.compare(lambda x: x if os.getpid() == here else time.sleep(600), range(4), budget="2s", workers=2)
    rows = {row.way: row for row in found.rows}
    assert rows["processes"].seconds is None and "left of the budget: it was ended" in rows["processes"].why
    assert rows["processes"].why in repr(found) and found.best != "processes"


def test_threads_that_take_longer_than_the_budget_are_told_and_the_rest_left_out():
    main = threading.main_thread()

    def slow_in_threads(x):
        if threading.current_thread() is not main:
            time.sleep(0.5)
        return str(x)

    found = mh.compare(slow_in_threads, range(2), budget="400ms", workers=2)
    assert any("The budget was overrun: threads took" in warning for warning in found.warnings)
    rows = {row.way: row for row in found.rows}
    for way in "jit", "processes":
        assert (
            rows[way].seconds is None
            and "was left out" in rows[way].why
            and "the budget had 0 s for that" in rows[way].why
        )
    assert found.best == "serial" and rows["serial"].seconds is not None and rows["threads"].seconds is not None
    assert repr(found).count("1 run only") == 2


@pytest.mark.parametrize("items", [iter([1, 2]), (x for x in range(3)), map(abs, [1])])
def test_what_can_be_run_through_once_is_refused(items):
    with pytest.raises(TypeError, match="only once"):
        mh.compare(abs, items)


def test_bad_use_is_told():
    with pytest.raises(TypeError, match="callable"):
        mh.compare(3, [1])
    with pytest.raises(TypeError, match="needs items"):
        mh.compare(abs)
    with pytest.raises(TypeError, match="iterable"):
        mh.compare(abs, 3)
    with pytest.raises(ValueError, match="no items"):
        mh.compare(abs, [])
    with pytest.raises(ValueError, match="budget"):
        mh.compare(abs, [1], budget="soon")


@pytest.mark.slow
def test_one_core_is_told(monkeypatch):
    from manyhands import _native

    monkeypatch.setattr(_native, "cpu_count", lambda logical=True: 1)
    found = mh.compare(python, range(20), budget="2s", workers=2)
    assert found.best == "serial"
    assert any("more than the 1 core" in warning for warning in found.warnings)
