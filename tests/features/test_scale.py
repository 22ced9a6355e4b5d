"""`mh.scale`: what it runs, what it says, what it refuses. Nothing here asserts that anything is fast."""

import os
import re
import time

import pytest

import manyhands as mh
from manyhands import _answers, _native, scaling
from manyhands.timing import Timing


def spin(turns):
    total = 0
    for number in range(turns):
        total += number
    return total


def made(times, serial=None, **options):
    """A `Scaling` of these times, each with a little scatter."""
    around = lambda seconds: Timing([seconds * (1 + 0.002 * step) for step in (-2, -1, 0, 0, 1, 2)])
    timings = {count: around(seconds) for count, seconds in times.items()}
    return scaling.Scaling("work", timings, serial and around(serial), waits=True, **options)


@pytest.mark.parametrize("backend", ["processes", "threads"])
def test_a_map_is_measured(backend):
    found = mh.scale(spin, [200] * 40, workers=[1, 2], backend=backend, budget=3)
    assert set(found.time) == set(found.speedup) == set(found.efficiency) == {1, 2}
    assert found.serial.repeat >= 1 and all(timing.repeat >= 1 for timing in found.timings.values())
    assert found.speedup[2] == pytest.approx(found.serial.median / found.time[2])
    assert found.efficiency[2] == pytest.approx(found.speedup[2] / 2)
    assert sum(found.account.values()) == pytest.approx(1)
    assert 0 < found.account["function"] <= 1
    text = repr(found)
    assert "plain loop" in text and found.verdict[:20] in text and "where the time goes with 2 workers" in text
    assert "<table>" in found._repr_html_() and found._repr_svg_().startswith("<svg")


@pytest.mark.slow
def test_several_inputs_and_every_answer_is_compared():
    calls = mh.scale(pow, [2, 3], [5, 2], workers=1, budget=20)
    assert list(calls.time) == [1] and calls.fit is None
    with pytest.raises(ValueError, match="at least two numbers of workers"):
        calls.predict(4)


@pytest.mark.slow
def test_sizes_and_weak_scaling():
    found = mh.scale(spin, [500] * 10, workers=[1, 2], sizes=[5, 20], budget=1.5)
    assert list(found.sizes) == [5, 20] and found.sizes[20] is found
    assert found.name == "spin, 20 items"
    weak = mh.scale(spin, [500] * 10, workers=[1, 2], weak=True, budget=1)
    assert weak.weak and weak.speedup[2] == pytest.approx(2 * weak.serial.median / weak.time[2])


def test_a_function_with_workers_of_its_own():
    seen = []

    def program(what, *, workers):
        seen.append((what, workers))
        return what

    found = mh.scale(program, "x", workers=[1, 3], backend="own", budget=20)
    assert set(seen) == {("x", 1), ("x", 3)} and found.serial is None
    assert found.speedup[1] == 1.0


def test_what_can_be_seen_of_it_from_outside():
    found = mh.scale(lambda workers: time.sleep(0.03), workers=[1, 2], backend="own", budget="1s")
    assert sum(found.account.values()) == pytest.approx(1)
    assert found.account["not computing"] > 0.8 and found.account["function"] == 0
    assert "Workers did not compute for" in found.verdict and "not computing" in repr(found)


@pytest.mark.slow
def test_where_the_time_of_a_compiled_loop_goes():
    pytest.importorskip("llvmlite")

    @mh.jit
    def alone(n):
        found = 0.0
        for i in range(n):
            found += (i % 7) * 0.5
        return found

    @mh.jit
    def shared(n):
        found = 0.0
        for i in mh.prange(n):
            found += (i % 7) * 0.5
        return found

    found = mh.scale(alone, 1_000_000, workers=[1, 2], budget="1s")
    # No loop was open: one worked, and the other could not.
    assert found.account["waiting for the caller"] == pytest.approx(0.5, abs=0.02)
    assert sum(found.account.values()) == pytest.approx(1)
    if found.efficiency[2] < 0.9:
        assert found.cause == "serial part"
    found = mh.scale(shared, 10_000_000, workers=[1, 2], budget="1s")
    assert found.account["waiting for the caller"] < 0.2 < found.account["function"]
    assert sum(found.account.values()) == pytest.approx(1)


@pytest.mark.slow
def test_weak_scaling_compares_answers():
    items = [[number] for number in range(4)]

    def grows(item):
        item.append(0)
        return len(item)

    with pytest.raises(ValueError, match="does not give the same answer twice"):
        mh.scale(grows, items, workers=[1, 2], backend="threads", weak=True, budget=20)
    calls = []

    def second_time(item):
        calls.append(item)
        return len(calls) > 8

    # A plain loop and one worker take 4 items each; the second half of 8 differs.
    with pytest.raises(ValueError, match=r"item 4 was|same answer twice"):
        mh.scale(second_time, range(4), workers=[2], backend="threads", weak=True, budget=20)
    draw = lambda _: mh.rng().random()
    drawn = mh.scale(draw, range(3), workers=[1, 2], backend="threads", weak=True, seed=1, budget="2s")
    assert any("the first 3 were compared" in warning for warning in drawn.warnings)


@pytest.mark.slow
def test_whether_the_memory_limits_it_is_asked():
    from manyhands import _scaling_account, _scaling_course

    if _native.cpu_count() < 2:
        pytest.skip("there is one core")
    before = len(os.listdir("/proc/self/task"))
    calls = []
    _scaling_account._asked(lambda: calls.append(spin(20_000)), 2, 5.0, _scaling_course.processor)
    rates = _native.memory_roof()
    assert rates[0][0] == 1 and all(rate > 1e8 for _, rate in rates)
    assert len(calls) > 12
    # The kernel shows a thread for a moment after it has been joined.
    end = time.monotonic() + 30
    while len(os.listdir("/proc/self/task")) > before:
        assert time.monotonic() < end
        time.sleep(0.001)
    # No room for a probe of something long.
    assert _scaling_account._asked(lambda: time.sleep(0.05), 2, 0.1, _scaling_course.processor) is None


def test_a_known_need_for_memory_is_told():
    computing, streaming = [1.0, 1.01, 0.99, 1.0, 1.02, 0.98], [1.8, 1.81, 1.79, 1.8, 1.82, 1.78]
    memory = _native.Memory.of([(1, 8e9), (2, 8e9)], 2, computing, streaming)
    assert memory.needs[0] == pytest.approx(0.8) and memory.needs[1] < 0.8 < memory.needs[2]
    assert _native.Memory.of([(1, 8e9), (2, 16e9)], 2, computing, streaming) is None
    run = dict.fromkeys(("transfer", "dispatch", "start", "idle", "end"), 0.0)
    account = _native.Account(
        2, 0.8, items=4, run=1.6, cpu=1.6, **run, alone=1.0, alone_cpu=1.0, alone_ready=1.0, interpreter=False,
        memory=memory,
    )  # fmt: skip
    found = made({1: 1.0, 2: 0.8}, 1.0, account=account, memory=memory)
    assert found.cause == "memory bandwidth"
    assert "The machine's memory gives 8.0 GB/s to one thread, 8.0 GB/s to 2; alone, the function" in found.verdict
    assert found.needs == memory.needs[0] and sum(found.account.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "said"),
    [
        ((3, [1]), {}, TypeError, "function must be callable, not int"),
        ((abs,), {}, TypeError, "mh.scale needs items"),
        ((abs, 5), {}, TypeError, "items must be iterable, not int"),
        ((abs, []), {}, ValueError, "there are no items"),
        ((abs, [1]), {"workers": [0]}, ValueError, "workers must be at least 1"),
        ((abs, [1]), {"workers": []}, ValueError, "at least one number of workers"),
        ((abs, [1]), {"workers": "2"}, TypeError, "workers must be a number or several"),
        ((abs, [1]), {"backend": "serial"}, ValueError, "a plain loop has no workers"),
        ((abs, [1]), {"backend": "cloud"}, ValueError, "backend must be"),
        ((abs, [1]), {"backend": "compiled"}, ValueError, "a function of mh.jit"),
        ((abs, [1]), {"weak": True, "sizes": [1]}, ValueError, "one of them"),
        ((abs, [1]), {"backend": "own", "weak": True}, ValueError, "this function is called as it is"),
        ((abs, [1]), {"sizes": []}, ValueError, "at least one size"),
        ((abs, [1]), {"budget": "long"}, ValueError, "budget must be a time"),
    ],
)
def test_wrong_use(arguments, options, error, said):
    with pytest.raises(error, match=said):
        mh.scale(*arguments, **options)


def test_a_function_that_fails():
    with pytest.raises(ZeroDivisionError) as failure:
        mh.scale(lambda x: 1 / x, [1, 0], workers=1, budget=20)
    if hasattr(failure.value, "__notes__"):
        assert any("the plain loop was measured" in note for note in failure.value.__notes__)


@pytest.mark.slow
def test_a_function_that_differs_between_runs():
    with pytest.raises(ValueError, match="does not give the same answer twice .*item 0 was"):
        mh.scale(lambda _: time.perf_counter_ns(), [1], workers=1, budget=20)
    assert mh.scale(lambda _: time.perf_counter_ns(), [1], workers=1, budget=20, check=False).time


def test_a_function_that_differs_between_workers():
    here = os.getpid()
    with pytest.raises(ValueError, match="1 worker gave another answer than the plain loop"):
        mh.scale(lambda _: os.getpid() == here, [1], workers=1, budget=20)


def test_a_function_that_is_longer_than_the_budget():
    with pytest.raises(ValueError, match=r"the budget of 10 ms was spent before 1 worker had run once"):
        mh.scale(time.sleep, [0.02], workers=1, budget="10ms")


@pytest.mark.slow
def test_random_numbers_are_the_same_by_seed():
    import random

    found = mh.scale(lambda _: random.random(), range(3), workers=[1, 2], budget=20, seed=1)
    assert set(found.time) == {1, 2}


def test_known_times_are_told():
    amdahl = made({n: 8 * (0.2 + 0.8 / n) for n in (1, 2, 4, 8)}, 8.0)
    assert amdahl.fit.name == "Amdahl" and amdahl.fit.parameters["serial"] == pytest.approx(0.2, abs=1e-3)
    assert amdahl.fit.limit == pytest.approx(5, abs=0.05)
    low, high = amdahl.predict(64).interval
    assert low < 8 * (0.2 + 0.8 / 64) < high
    assert amdahl.karp_flatt[8] == pytest.approx(0.2, abs=1e-6)
    universal = made({n: (1 + 0.05 * (n - 1) + 0.01 * n * (n - 1)) / n for n in (1, 2, 4, 8, 16)})
    assert universal.fit.name == "universal scalability law" and universal.fit.peak == pytest.approx(9.7, abs=0.5)
    assert "universal" in repr(universal)
    assert made({1: 1.0, 2: 0.5}).predict(2).workers == 2


def test_under_four_numbers_of_workers_the_verdict_says_so():
    found = made({1: 1.0, 2: 0.7, 3: 0.6}, 1.0)
    assert [law.name for law in found.laws] == ["Amdahl"]
    assert "Under four numbers of workers only Amdahl's law is fitted" in found.verdict


def test_workers_past_the_cores_are_not_fitted():
    cores = _native.cpu_count()
    timings = {count: Timing([1.0 / min(count, cores)] * 6) for count in (1, cores, cores + 1, 3 * cores)}
    found = scaling.Scaling("work", timings, Timing([1.0] * 6))
    if cores > 1:
        assert found.fit.parameters["serial"] == pytest.approx(0, abs=0.01)
        assert found.cause == "cores" and f"There are {cores} cores" in found.verdict
    else:
        assert found.fit is None and found.cause == "one core"


def test_a_plot_shows_what_was_measured():
    found = made({1: 4.0, 2: 2.1, 4: 1.2, 16: 0.6}, 4.0)
    lines = repr(found).splitlines()
    drawn = "\n".join(line for line in lines if re.match(r" *[\d.]* [│┤└]", line))
    assert drawn.count("●") == 4
    assert re.search(r"^ +1 +2 +4 +16  workers$", repr(found), re.M)


@pytest.mark.slow
def test_pictures(tmp_path):
    pytest.importorskip("matplotlib")
    found = made({1: 4.0, 2: 2.1, 4: 1.2}, 4.0)
    found.plot(tmp_path / "a.png")
    found.plot(str(tmp_path / "a.svg"))
    assert (tmp_path / "a.png").read_bytes()[:4] == b"\x89PNG"
    assert "<svg" in (tmp_path / "a.svg").read_text()
    with pytest.raises(ValueError, match="ends in .png, .svg or .pdf"):
        found.plot("a.txt")


@pytest.mark.parametrize(
    ("one", "other", "said"),
    [
        ([1, 2.0, "x"], [1, 2.0, "x"], None),
        (float("nan"), float("nan"), None),
        ([1, [2, 3]], [1, [2, 4]], "item 1[1] was 3, then 4"),
        ([1], [1, 2], "the answer has 1 elements, then 2"),
        (1, 1.0, "the answer is of int, then of float"),
        ({"a": 1}, {"b": 1}, "the keys of the answer differ"),
        ({"a": 1}, {"a": 2}, "the answer['a'] was 1, then 2"),
        (object(), object(), None),
    ],
)
def test_answers_are_compared(one, other, said):
    assert _answers.difference(one, other) == said


def test_arrays_are_compared():
    np = pytest.importorskip("numpy")
    assert _answers.difference([np.array([1.0, np.nan])], [np.array([1.0, np.nan])]) is None
    assert _answers.difference([np.array([1.0])], [np.array([2.0])]) == "the arrays of item 0 differ"
    assert _answers.difference(np.arange(3), np.arange(3.0)) == "the arrays of the answer differ"
    assert _answers.difference(np.array(["a"]), np.array(["a"])) is None
