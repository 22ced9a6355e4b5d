"""`seed=`: the same random numbers for any number of workers; without it, never the same in two of them."""

import os
import random

import pytest
from backends import Kept, OwnPool, Serial

import manyhands as mh


def draw(x):
    """One number of each stream that an item has."""
    numbers = [x, random.random(), random.randrange(10**9)]
    try:
        import numpy as np
    except ImportError:
        return numbers
    return [*numbers, float(np.random.random()), float(mh.rng().random()), float(mh.rng().normal())]


@pytest.fixture(scope="module")
def expected():
    return mh.map(draw, range(40), backend="serial", seed=42)


@pytest.mark.parametrize("make", [Serial, lambda: Kept(1), Kept, lambda: Kept(3), lambda: OwnPool(1), OwnPool])
def test_the_same_for_any_number_of_workers(make, expected):
    backend = make()
    try:
        assert backend.map(draw, range(40), seed=42) == expected
        assert list(backend.imap(draw, range(40), seed=42)) == expected
        assert sorted(backend.imap_unordered(draw, range(40), seed=42)) == expected
        assert backend.starmap(draw, [(x,) for x in range(40)], seed=42) == expected
        assert backend.map(draw, range(40), seed=42, chunksize=7) == expected
    finally:
        backend.end()


def test_another_seed_gives_other_numbers(backend, expected):
    for seed in (0, 1, 43, 2**64 + 42, 10**50):
        other = backend.map(draw, range(40), seed=seed)
        assert all(a[1:] != b[1:] for a, b in zip(other, expected))


def test_all_items_differ(expected):
    for column in list(zip(*expected))[1:]:
        assert len(set(column)) == 40


def test_the_three_streams_differ(expected):
    for numbers in expected:
        assert len(set(numbers)) == len(numbers)


def test_a_shorter_input_is_a_beginning(apart, expected):
    assert apart.map(draw, range(10), seed=42) == expected[:10]


@pytest.mark.ours("a ProcessPoolExecutor breaks with its first dead process")
def test_an_item_that_is_run_again_draws_the_same(parallel, expected, tmp_path):
    mark = tmp_path / "died"

    def die_once(x):
        numbers = draw(x)
        if x == 5 and not mark.exists():
            mark.touch()
            os._exit(1)
        return numbers

    assert parallel.map(die_once, range(10), seed=42, retries=1) == expected[:10]


def test_in_threads_a_seed_reaches_rng_and_nothing_else(threaded):
    np = pytest.importorskip("numpy")

    def numbers(x):
        return [x, *mh.rng().integers(10**9, size=3).tolist()]

    expected = mh.map(numbers, range(40), backend="serial", seed=42)
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), str(np.random.get_state())
    assert threaded.map(numbers, range(40), seed=42) == expected
    assert list(threaded.imap(numbers, range(40), seed=42)) == expected
    assert threaded.starmap(numbers, [(x,) for x in range(40)], seed=42) == expected
    assert (random.getstate(), str(np.random.get_state())) == before
    mine = mh.rng()
    assert threaded.map(lambda x: mh.rng() is mine, range(4), seed=1) == [False] * 4
    assert mh.rng() is mine


def test_a_map_in_a_threads_item_draws_from_streams_of_its_own(threaded):
    def inner(x):
        return float(mh.rng().random())

    def outer(x):
        before = float(mh.rng().random())
        return before, mh.map(inner, range(3), seed=x, backend="threads"), float(mh.rng().random())

    found = threaded.map(outer, range(4), seed=7)
    assert [middle for _, middle, _ in found] == [mh.map(inner, range(3), seed=x, backend="serial") for x in range(4)]
    assert found == mh.map(outer, range(4), seed=7, backend="serial")


def test_the_callers_streams_stay_as_they_were(apart):
    np = pytest.importorskip("numpy")
    random.seed(1)
    np.random.seed(1)
    before = random.getstate(), str(np.random.get_state())
    apart.map(draw, range(5), seed=1)
    assert (random.getstate(), str(np.random.get_state())) == before


def test_without_a_seed_no_two_workers_share_a_stream(parallel):
    np = pytest.importorskip("numpy")
    random.random()
    np.random.random()  # in the caller, whose state a forked worker would repeat

    def numbers(_):
        return random.random(), float(np.random.random()), float(mh.rng().random())

    for column in zip(*parallel.map(numbers, range(400))):
        assert len(set(column)) == 400


def test_without_a_seed_each_call_draws_anew(parallel):
    calls = [tuple(parallel.map(lambda _: random.random(), range(4))) for _ in range(5)]
    assert len(set(calls)) == 5


def test_a_seeded_call_leaves_no_trace_in_its_workers(parallel):
    np = pytest.importorskip("numpy")

    def numbers(_):
        return random.random(), float(np.random.random()), float(mh.rng().random())

    after = []
    for _ in range(3):
        parallel.map(draw, range(10), seed=7)
        after.extend(parallel.map(numbers, range(10)))
    assert all(len(set(column)) == 30 for column in zip(*after))


def test_replaced_workers_start_streams_of_their_own():
    with mh.Pool(1, maxtasksperchild=1) as pool:
        assert len(set(pool.map(lambda _: random.random(), range(6), chunksize=1))) == 6


def test_monte_carlo_pi(backend):
    np = pytest.importorskip("numpy")

    def inside(n):
        x, y = mh.rng().random((2, n))
        return int(np.count_nonzero(x * x + y * y < 1))

    hits = backend.map(inside, [20_000] * 8, seed=2026)
    assert hits == mh.map(inside, [20_000] * 8, seed=2026, backend="serial")
    assert abs(4 * sum(hits) / 160_000 - 3.1416) < 0.03
