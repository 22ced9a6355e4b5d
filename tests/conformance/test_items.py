"""What goes in and what comes out: order, number and kind of items, lazy iteration, chunks, bad input's own errors."""

import itertools
import threading

import pytest

import manyhands as mh


def test_order_is_the_input_order(backend):
    assert backend.map(lambda x: -x, range(5000)) == [-x for x in range(5000)]


def test_zero_items(backend):
    assert backend.map(abs, []) == []
    assert backend.starmap(pow, iter(())) == []
    assert list(backend.imap(abs, ())) == []
    assert list(backend.imap_unordered(abs, ())) == []


@pytest.mark.parametrize("kind", [list, tuple, iter, dict.fromkeys, lambda r: (x for x in r), set])
def test_any_iterable(backend, kind):
    assert backend.map(lambda x: x + 1, kind(range(10))) == list(range(1, 11))


def test_several_iterables_end_with_the_shortest(backend):
    assert backend.map(lambda a, b, c: (a, b, c), "abc", itertools.count(), [7, 8]) == [("a", 0, 7), ("b", 1, 8)]
    assert list(backend.imap(lambda a, b: a + b, [1, 2, 3], range(2))) == [1, 3]


def test_starmap(backend):
    assert backend.starmap(pow, [(2, 5), (3, 2, 5)]) == [32, 4]
    assert backend.starmap(lambda *args: args, [(), [1], "ab", range(3)]) == [(), (1,), ("a", "b"), (0, 1, 2)]


VALUES = [
    None, True, 0, -1, 2**63, -(2**200), 1.5, float("inf"), 1j, "", "häßlich \U0001f600", "\ud800", b"", b"\0" * 100,
    bytearray(b"x"), (), [], {}, set(), frozenset({1}), (1, [2, {"three": {4}}]), range(3), slice(1, 2), ..., int, len,
    NotImplemented, ValueError("a value"), {1: [None]},
]  # fmt: skip


def test_values_of_all_kinds_go_and_come(backend):
    came = backend.map(lambda value: value, VALUES)
    assert list(map(repr, came)) == list(map(repr, VALUES))
    assert list(map(type, came)) == list(map(type, VALUES))


def test_a_recursive_item(backend):
    loop = [1]
    loop.append(loop)
    (came,) = backend.map(lambda value: value, [loop])
    assert came[0] == 1
    assert came[1] is came


def test_one_object_within_one_item_stays_one(backend):
    shared = [1]
    (came,) = backend.map(lambda value: value, [(shared, shared)])
    assert came[0] is came[1]


def test_results_larger_than_a_message(backend):
    assert backend.map(lambda n: "x" * n, [10, 3_000_000, 0]) == ["x" * 10, "x" * 3_000_000, ""]


# ------------------------------------------------------------------------------------------------------- chunks


@pytest.mark.parametrize("chunksize", [None, 1, 3, 10, 1000])
def test_chunksize_is_accepted_and_changes_nothing(backend, chunksize):
    assert backend.map(abs, range(-9, 1), chunksize=chunksize) == list(range(9, -1, -1))
    assert backend.starmap(pow, [(2, 3)] * 5, chunksize=chunksize) == [8] * 5
    chunks = {} if chunksize is None else {"chunksize": chunksize}
    assert list(backend.imap(abs, range(-9, 1), **chunks)) == list(range(9, -1, -1))
    assert sorted(backend.imap_unordered(abs, range(-9, 1), **chunks)) == list(range(10))


@pytest.mark.parametrize("call", ["map", "starmap", "imap", "imap_unordered"])
@pytest.mark.parametrize("chunksize", [0, -1])
def test_chunks_of_nothing(backend, call, chunksize):
    with pytest.raises(ValueError, match="(?i)chunksize must be"):
        getattr(backend, call)(abs, [], chunksize=chunksize)


# ---------------------------------------------------------------------------------------------------- iteration


def test_imap_is_in_order_and_an_iterator(backend):
    results = backend.imap(lambda x: x * x, range(100))
    assert iter(results) is results
    assert list(results) == [x * x for x in range(100)]
    with pytest.raises(StopIteration):
        next(results)


def test_imap_unordered_gives_each_result_once(backend):
    assert sorted(backend.imap_unordered(lambda x: x * x, range(300))) == [x * x for x in range(300)]


@pytest.mark.parametrize("call", ["imap", "imap_unordered"])
def test_input_without_end(backend, call):
    results = getattr(backend, call)(lambda x: x * 2, itertools.count())
    assert sorted(itertools.islice(results, 5))[0] >= 0
    results.close()
    with pytest.raises(StopIteration):
        next(results)


class Counting:
    """An endless input that knows how far it was taken, and in which threads."""

    def __init__(self):
        self.taken = 0
        self.threads = set()

    def __iter__(self):
        while True:
            self.threads.add(threading.get_ident())
            self.taken += 1
            yield self.taken - 1


@pytest.mark.parametrize("buffer", [1, 4, 50])
def test_input_is_taken_no_further_than_the_buffer(backend, buffer):
    source = Counting()
    results = backend.imap(abs, source, buffer=buffer)
    assert source.taken <= buffer
    for given in range(1, 30):
        assert next(results) == given - 1
        assert source.taken <= given + buffer
    results.close()


def test_without_a_buffer_input_is_bounded_too(backend):
    source = Counting()
    results = backend.imap(abs, source)
    assert source.taken <= 64
    for _ in range(1000):
        next(results)
    assert source.taken <= 1000 + (1 << 16)
    results.close()


def test_input_is_taken_in_the_callers_thread(backend):
    source = Counting()
    results = backend.imap(abs, source, buffer=10)
    assert list(itertools.islice(results, 20)) == list(range(20))
    results.close()
    assert source.threads == {threading.get_ident()}


def test_dropping_an_iterator_drops_its_work(backend):
    results = backend.imap(lambda x: x, itertools.count())
    next(results)
    del results
    assert backend.map(abs, [-1]) == [1]


def test_two_iterators_at_once(backend):
    one, two = backend.imap(abs, range(50)), backend.imap(lambda x: -x, range(50))
    assert [(a, b) for a, b in zip(one, two)] == [(x, -x) for x in range(50)]


# ------------------------------------------------------------------------------------------- input that fails


class Midway(Exception):
    """Raised by an input that breaks off."""


def breaking_off(after):
    yield from range(after)
    raise Midway(f"after {after}")


@pytest.mark.parametrize("after", [0, 1, 100, 5000])
def test_an_iterator_that_raises_midway(backend, after):
    with pytest.raises(Midway, match=f"after {after}"):
        backend.map(abs, breaking_off(after))
    assert backend.map(abs, [-1]) == [1]


def test_imap_gives_what_came_before_the_input_broke_off(backend):
    results = backend.imap(abs, breaking_off(70), buffer=16)
    assert list(itertools.islice(results, 70)) == list(range(70))
    with pytest.raises(Midway):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


def test_what_cannot_be_iterated(backend):
    for call in (backend.map, backend.starmap, backend.imap, backend.imap_unordered):
        with pytest.raises(TypeError, match="not iterable"):
            call(abs, 3)
    with pytest.raises(TypeError):
        backend.starmap(abs, [1, 2])
    assert backend.map(abs, [-1]) == [1]


# --------------------------------------------------------------------------------------------- wrong arguments


WRONG = {
    "workers": [(0, ValueError), (-1, ValueError), (1.5, TypeError), ("2", TypeError), (True, TypeError)],
    "backend": [("thread", ValueError), (3, ValueError)],
    "timeout": [("soon", TypeError), (0, ValueError), (-1, ValueError)],
    "retries": [(-1, ValueError), (1.0, (TypeError, ValueError)), (None, (TypeError, ValueError))],
    "seed": [(-1, ValueError), (1.0, TypeError), ("a", TypeError), (True, TypeError)],
}


@pytest.mark.parametrize("call", ["map", "starmap", "imap", "imap_unordered"])
@pytest.mark.parametrize(
    "name, value, kind", [(name, value, kind) for name, cases in WRONG.items() for value, kind in cases]
)
def test_wrong_arguments_are_named(call, name, value, kind):
    with pytest.raises(kind, match=name):
        getattr(mh, call)(abs, [], **{name: value})


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered"])
def test_no_backend_is_the_one_that_suits(call):
    assert sorted(getattr(mh, call)(abs, [-1, 2, -3], backend=None)) == [1, 2, 3]


def test_wrong_on_error_and_buffer_are_named():
    with pytest.raises(ValueError, match="on_error"):
        mh.map(abs, [], on_error="ignore")
    with pytest.raises(ValueError, match="buffer"):
        mh.imap(abs, [], buffer=0)
    with pytest.raises(TypeError, match="buffer"):
        mh.imap(abs, [], buffer="much")


def test_a_map_over_nothing_and_an_unknown_argument():
    with pytest.raises(TypeError, match="at least two arguments"):
        mh.map(abs)
    with pytest.raises(TypeError, match="processes"):
        mh.map(abs, [1], processes=2)


def test_a_timeout_needs_processes():
    with pytest.raises(ValueError, match="timeout"):
        mh.map(abs, [1], backend="serial", timeout=1)
