"""What must hold on every engine of somebody else's: the judges over Dask and MPI run these, in programs without a
`__main__` guard, and count."""

from __future__ import annotations

import itertools
import os
import random
import time
import traceback
from collections import namedtuple
from pathlib import Path

import manyhands as mh

BONUS = 7
Point = namedtuple("Point", "x y")


class Refused(Exception):
    """An exception of the program's own, with what pickle would lose."""

    def __init__(self, who, why):
        super().__init__(f"{who}: {why}")
        self.who, self.why = who, why


def with_bonus(x):
    return x * x + BONUS


def expect(kind, call):
    """The exception of this kind that `call` raises."""
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__} was raised")


def notes(error):
    return " ".join(getattr(error, "__notes__", ()))


# ------------------------------------------------------------------------------------------------------ for all


def case_the_loops_answer(on):
    assert mh.map(with_bonus, range(1000), on=on) == [with_bonus(x) for x in range(1000)]
    assert mh.map(lambda x, y: x * y + BONUS, range(50), range(50), on=on) == [x * x + 7 for x in range(50)]
    assert mh.starmap(pow, [(2, 5), (3, 2)], on=on) == [32, 9]
    assert mh.map(abs, [], on=on) == []


def case_order_with_uneven_items(on):
    assert mh.map(lambda x: time.sleep(random.random() * 0.02) or x, range(60), on=on) == list(range(60))
    assert list(mh.imap(lambda x: time.sleep(random.random() * 0.02) or x, range(60), on=on)) == list(range(60))
    assert sorted(mh.imap_unordered(abs, range(60), on=on)) == list(range(60))


def case_many_tiny_items(on):
    assert sum(mh.map(lambda x: x + 1, range(100_000), on=on)) == 5_000_050_000


def case_own_classes_there_and_back(on):
    points = mh.map(lambda p: Point(p.y, p.x), [Point(1, 2), Point(3, 4)], on=on)
    assert points == [Point(2, 1), Point(4, 3)] and type(points[0]) is Point


def case_arrays(on):
    import numpy as np

    weights = np.arange(200_000.0)
    assert mh.map(lambda k: float((weights * k).sum()), range(8), on=on) == [
        float((weights * k).sum()) for k in range(8)
    ]
    arrays = mh.map(lambda a: a * 2, [np.full(300_000, k) for k in range(6)], on=on)
    assert [int(a[-1]) for a in arrays] == [0, 2, 4, 6, 8, 10]
    arrays[0][0] = 1  # the caller's own


def case_errors_name_item_and_place(on):
    error = expect(ZeroDivisionError, lambda: mh.map(lambda x: 1 // (x - 7), range(100), on=on))
    assert "item 7: 7" in notes(error)
    assert "1 // (x - 7)" in str(error.__cause__)

    def refuse(x):
        raise Refused(x, "no reason")

    error = expect(Refused, lambda: mh.map(refuse, ["me"], on=on))
    assert (error.who, error.why) == ("me", "no reason")


def case_the_lowest_index_is_raised(on):
    def fail(x):
        if x in (3, 500):
            raise ValueError(x)
        return x

    assert expect(ValueError, lambda: mh.map(fail, range(1000), on=on)).args == (3,)
    results = mh.map(fail, range(1000), on=on, on_error="return")
    assert [i for i, value in enumerate(results) if isinstance(value, ValueError)] == [3, 500]


def case_what_cannot_travel_is_said(on):
    error = expect(TypeError, lambda: mh.map(abs, [1, (x for x in ())], on=on))
    assert "item 1" in notes(error) and "cannot be sent" in notes(error)
    error = expect(mh.MaybeEncodingError, lambda: mh.map(lambda x: (y for y in ()), [5], on=on))
    assert "item 0 (5)" in str(error)


def case_seeds_are_ours(on):
    def draw(_):
        import numpy as np

        return random.random(), float(np.random.rand()), float(mh.rng().random())

    expected = mh.map(draw, range(40), seed=2026, backend="serial")
    assert mh.map(draw, range(40), seed=2026, on=on) == expected
    assert mh.map(draw, range(40), seed=2027, on=on) != expected


def case_imap_is_lazy(on):
    taken = []
    results = mh.imap(abs, (taken.append(i) or i for i in itertools.count()), buffer=20, on=on)
    assert [next(results) for _ in range(50)] == list(range(50))
    assert len(taken) <= 90, len(taken)
    results.close()


def case_a_pool(on):
    def begin(value):
        global set_by_initializer
        set_by_initializer = value

    called = []
    with mh.Pool(on=on, initializer=begin, initargs=(5,)) as pool:
        assert pool.map(lambda x: x + set_by_initializer, range(3)) == [5, 6, 7]
        assert pool.apply(lambda a, b=2: a * b, (3,)) == 6
        result = pool.apply_async(abs, (-4,), callback=called.append)
        assert result.get(60) == 4 and called == [4]


def case_an_executor(on):
    with mh.Executor(on=on) as executor:
        futures = [executor.submit(with_bonus, i) for i in range(20)]
        assert [future.result(60) for future in futures] == [with_bonus(i) for i in range(20)]
        assert list(executor.map(pow, range(5), range(5))) == [1, 1, 4, 27, 256]


def case_joblibs_loop(on):
    assert mh.Parallel(on=on)(mh.delayed(with_bonus)(i) for i in range(20)) == [with_bonus(i) for i in range(20)]


def case_a_graph(on):
    add = mh.task(lambda a, b: a + b)
    total = add(1, 2)
    for i in range(30):
        total = add(total, i)
    assert mh.compute(total, add(total, 1), on=on) == (3 + sum(range(30)), 4 + sum(range(30)))


def case_maps_inside_run_there(on):
    assert mh.map(lambda x: mh.map(lambda y: x * y, range(3)), range(3), on=on) == [[0, 0, 0], [0, 1, 2], [0, 2, 4]]


def case_a_timeout_is_refused(on):
    error = expect(ValueError, lambda: mh.map(abs, [1], on=on, timeout=1))
    assert "timeout= cannot be had" in str(error)


# ------------------------------------------------------------------------ where the engine replaces its workers


def lost_a_worker_that_dies_once(on, folder):
    mark = folder / "died"

    def die_once(x):
        if x == 5 and not mark.exists():
            mark.touch()
            os._exit(1)
        return x

    assert mh.map(die_once, range(20), on=on, retries=1) == list(range(20))
    assert mark.exists()


def lost_the_item_at_fault_is_found(on, folder):
    def fatal(x):
        if x == 33:
            os._exit(1)
        return x

    results = mh.map(fatal, range(60), on=on, on_error="return")
    died = results.pop(33)
    assert isinstance(died, mh.WorkerDied) and died.index == 33, died
    assert results == [x for x in range(60) if x != 33]


def lost_retries_are_counted(on, folder):
    def fatal(x):
        with open(folder / "tries", "a") as file:
            file.write("x")
        os._exit(1)

    error = expect(mh.WorkerDied, lambda: mh.map(fatal, [1], on=on, retries=2))
    assert error.attempts == 3 and "tried 3 times" in str(error)
    assert len((folder / "tries").read_text()) >= 3  # an engine may try by itself, too


# -------------------------------------------------------------------------------------------------------- running


def judge(title: str, prefixes: tuple[str, ...], *arguments, skipped: dict[str, str] | None = None) -> int:
    """Runs the cases whose names begin so; the number of those that failed."""
    passed = failed = 0
    for name, case in list(globals().items()):
        if name.partition("_")[0] not in prefixes or not callable(case):
            continue
        began = time.perf_counter()
        try:
            case(*arguments)
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}", flush=True)
        else:
            passed += 1
            print(f"ok {name} ({time.perf_counter() - began:.1f} s)", flush=True)
    for name, reason in (skipped or {}).items():
        print(f"left out on {title}: {name}: {reason}")
    print(f"{title}: {passed} passed, {failed} failed, {len(skipped or ())} skipped", flush=True)
    return failed


def own_folder(temporary: str) -> Path:
    """A fresh folder inside of it."""
    folder = Path(temporary) / f"f{len(os.listdir(temporary))}"
    folder.mkdir()
    return folder
