"""What people try in their first quarter of an hour, and what went wrong when somebody did."""

import multiprocessing
import sys

import pytest

import manyhands as mh


class Unreadable:
    """A result that can be sent, and not be rebuilt."""

    def __init__(self):
        self.state = 1

    def __setstate__(self, state):
        raise ValueError("no state, please")


def third_is_unreadable(i):
    return Unreadable() if i == 2 else i


def test_a_result_that_cannot_be_rebuilt_is_an_error(parallel):
    with pytest.raises(ValueError, match="no state") as caught:
        parallel.map(third_is_unreadable, range(4))
    assert "item 2" in " ".join(caught.value.__notes__)


def test_the_same_among_others_that_are_returned():
    results = mh.map(third_is_unreadable, range(4), on_error="return", workers=2)
    assert results[:2] == [0, 1] and results[3] == 3 and isinstance(results[2], ValueError)


def test_a_function_with_a_function_inside_that_names_a_module(parallel):
    def outer(i):
        assert sys.getsizeof(i) > 0
        return mh.map(lambda j: i * j, range(3))

    assert parallel.map(outer, range(3)) == [[0, 0, 0], [0, 1, 2], [0, 2, 4]]


def take_lock(lock):
    global held
    held = lock


def with_lock(i):
    with held:
        return i


def test_initargs_that_nobody_else_keeps():
    context = multiprocessing.get_context("spawn")
    with mh.Pool(2, take_lock, (context.Lock(),)) as pool:
        assert pool.map(with_lock, range(4)) == [0, 1, 2, 3]


def test_a_call_has_no_place_in_a_row():
    with mh.Pool(1) as pool, pytest.raises(TypeError) as caught:
        pool.apply(abs, ("text",))
    assert not getattr(caught.value, "__notes__", [])


def test_several_inputs_for_a_pools_map():
    with mh.Pool(1) as pool, pytest.raises(TypeError, match="starmap"):
        pool.map(pow, [1], [2])


class TestArraySubclasses:
    """Their memory is shared, and their writes private, as an array's own."""

    numpy = pytest.importorskip("numpy")

    def test_they_stay_what_they_are(self, parallel):
        class Kelvin(self.numpy.ndarray):
            pass

        for size in (3, 100_000):
            (found,) = parallel.map(lambda x: x, [self.numpy.arange(float(size)).view(Kelvin)])
            assert type(found) is Kelvin and found.sum() == size * (size - 1) / 2

    def test_an_item_writes_for_itself(self):
        records = self.numpy.zeros(100_000, dtype=[("a", float)]).view(self.numpy.recarray)

        def write(_):
            records.a[0] += 1
            return float(records.a[0])

        assert mh.map(write, range(4), workers=1) == [1.0] * 4

    def test_memory_maps(self, tmp_path):
        mapped = self.numpy.memmap(tmp_path / "file", dtype=float, mode="w+", shape=(50_000,))
        mapped[:] = 2
        assert mh.map(lambda x: float(x.sum()), [mapped, mapped], workers=2) == [100_000.0] * 2
