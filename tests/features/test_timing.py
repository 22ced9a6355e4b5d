"""`mh.timeit`: what it calls, what it says, what it refuses."""

import gc

import pytest

import manyhands as mh
from manyhands import _durations, timing


def test_a_timing_has_what_the_magic_gives():
    found = mh.timeit(sum, range(1000), budget=0.1)
    assert found.repeat == len(found.timings) >= 2 and found.loops > 1
    assert found.best == min(found.timings) <= found.median <= max(found.timings) == found.worst
    assert found.average == found.mean == pytest.approx(sum(found.timings) / found.repeat)
    assert found.interval[0] <= found.median <= found.interval[1]
    assert found.enough in ("narrow", "spent", "many")
    assert "loops each" in repr(found) and "median" in repr(found)


def test_arguments_arrive():
    calls = []
    mh.timeit(lambda *args, **kwargs: calls.append((args, kwargs)), 1, 2, budget="1ms", key=3)
    assert set(map(str, calls)) == {"((1, 2), {'key': 3})"}


def test_a_call_that_is_longer_than_the_budget_is_made_once():
    calls = []

    def wait():
        calls.append(1)
        timing.granularity()
        while timing.time.perf_counter() < until:
            pass

    until = timing.time.perf_counter() + 0.02
    found = mh.timeit(wait, budget=0.01)
    assert (len(calls), found.repeat, found.loops, found.enough) == (1, 1, 1, "spent")
    assert "too few" in repr(found)


def test_what_the_function_raises_is_raised_and_the_collector_works_again():
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError):
        mh.timeit(lambda: 1 / 0)
    assert gc.isenabled()
    gc.disable()
    try:
        mh.timeit(abs, 1, budget=0.001)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_known_samples_in_words():
    found = timing.Timing([1.0, 1.2, 0.8, 1.0, 9.0, 1.1, 0.9, 1.0, 1.0], loops=10)
    assert repr(found).splitlines() == [
        "1.89 s ± 2.67 s per loop (mean ± std. dev. of 9 runs, 10 loops each)",
        "median 1 s, from 900 ms to 1.2 s with 96.1%",
        "2 outliers, the farthest 9 s in run 5",
    ]
    assert found / timing.Timing([2.0] * 6) == 0.5
    with pytest.raises(TypeError):
        found / 2
    with pytest.raises(ValueError, match="there are no measurements"):
        timing.Timing([])


@pytest.mark.parametrize(
    ("arguments", "options", "said"),
    [
        ((3,), {}, "function must be callable, not int"),
        ((abs, 1), {"budget": "soon"}, 'budget must be a time such as "20s"'),
        ((abs, 1), {"budget": 0}, "budget must be more than 0 seconds"),
        ((abs, 1), {"budget": []}, "budget must be a number of seconds or a text, not list"),
    ],
)
def test_wrong_use(arguments, options, said):
    with pytest.raises((TypeError, ValueError), match=said):
        mh.timeit(*arguments, **options)


def test_times_are_read_and_written():
    read = {"20s": 20.0, "1.5 min": 90.0, "300ms": 0.3, "2h": 7200.0, "5": 5.0, 0.5: 0.5, "10 µs": 1e-5}
    for text, seconds in read.items():
        assert _durations.seconds("budget", text) == pytest.approx(seconds)
    written = {
        0: "0 s",
        1.6e-8: "16 ns",
        0.9996e-3: "1 ms",
        0.16: "160 ms",
        119: "119 s",
        125: "2 min 5 s",
        9000: "2 h 30 min",
    }
    for seconds, text in written.items():
        assert _durations.said(seconds) == text
