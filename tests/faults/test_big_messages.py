"""Arguments and results of many megabytes that travel in the message itself: each is sent about once, and all arrive.

While a worker reads for long it answers nothing, and looks idle or dead to whoever decides by the clock alone.
"""

import pytest
from scenario import run

MEGABYTES = """
def peak():
    # Of this program alone: what getrusage tells starts with the peak of whoever started it.
    with open("/proc/self/status") as status:
        return 1024 * next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))
"""


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_one_call_after_another(workers):
    run(
        MEGABYTES
        + f"""
with mh.Pool({workers}) as pool:
    pool.map(abs, range(10))
    for round in range(15):
        assert pool.apply(len, (bytes(30_000_000),)) == 30_000_000
    # A few copies of one argument, not one for each time that somebody lost patience.
    assert peak() < 500_000_000, peak()
"""
    )


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered"])
def test_many_at_once(call):
    run(
        MEGABYTES
        + f"""
with mh.Pool(3) as pool:
    pool.map(abs, range(10))
    for round in range(3):
        items = (bytes(20_000_000 + x) for x in range(8))
        assert sorted(pool.{call}(len, items)) == [20_000_000 + x for x in range(8)]
    assert peak() < 1_500_000_000, peak()
"""
    )


def test_big_functions_and_big_results():
    run(
        """
        text = "x" * 40_000_000
        with mh.Pool(3) as pool:
            assert pool.map(lambda x: len(text) + x, range(20)) == [40_000_000 + x for x in range(20)]
            assert [len(value) for value in pool.imap(lambda x: bytes(10_000_000 + x), range(12))] == [
                10_000_000 + x for x in range(12)
            ]
        """
    )


def test_a_small_call_beside_a_big_one():
    run(
        """
        with mh.Pool(2) as pool:
            pool.map(abs, range(10))
            for round in range(5):
                big = pool.apply_async(len, (bytes(60_000_000),))
                assert pool.map(abs, range(-200, 0)) == list(range(200, 0, -1))
                assert big.get(60) == 60_000_000
        """
    )
