"""Big arrays travel once, are mapped, not copied, and belong to the item alone; big bytes and lists are built once."""

import functools
import os
import re

import pytest

np = pytest.importorskip("numpy")

BIG = 2_000_000  # bytes: far above what goes inside a message


def big_array():
    return np.arange(BIG // 8, dtype=np.int64) + 5


def mapping_of(array):
    """(access, name) of the mapping in which the array's data lies, as /proc/self/maps has them."""
    address = array.__array_interface__["data"][0]
    with open("/proc/self/maps") as maps:
        for line in maps:
            span, access, _offset, device, inode, *name = line.split(maxsplit=5)
            start, end = (int(part, 16) for part in span.split("-"))
            if start <= address < end:
                return access, f"{device} {inode} {''.join(name).strip()}"
    return None


def lying(array):
    """Which anonymous file the array lies in, whether privately, and whether it can be written."""
    access, name = mapping_of(array)
    return name, access[3] == "p", array.flags.writeable


def bump(array):
    """What the array holds at its place 0 after an item has added to it."""
    array[0] += 1
    return int(array[0])


@pytest.fixture
def ways():
    """The ways for one array to reach many items: (function, items)."""
    array = big_array()
    return {
        "argument": (bump, [array] * 12),
        "argument among others": (lambda pair: bump(pair[1]), [(n, array) for n in range(12)]),
        "closure": (lambda _: bump(array), list(range(12))),
        "partial": (functools.partial(lambda a, _: bump(a), array), list(range(12))),
        "default": ((lambda _, a=array: bump(a)), list(range(12))),
        "bound method": (Holder(array).bump, list(range(12))),
        "inside a container": (functools.partial(lambda held, _: bump(held["a"][0]), {"a": [array]}), list(range(12))),
    }


class Holder:
    def __init__(self, array):
        self.array = array

    def bump(self, _):
        return bump(self.array)


WAYS = ["argument", "argument among others", "closure", "partial", "default", "bound method", "inside a container"]


@pytest.mark.ours("an array inside the function is the worker's own there, and nobody restores it")
@pytest.mark.parametrize("way", WAYS)
def test_no_item_sees_what_another_wrote(parallel, ways, way):
    function, items = ways[way]
    assert parallel.map(function, items) == [6] * 12
    assert parallel.map(function, items) == [6] * 12, "nor does the next map"


def test_the_callers_array_stays_as_it_was(parallel):
    array = big_array()
    parallel.map(bump, [array] * 4)
    parallel.map(lambda _: bump(array), range(4))
    assert array[0] == 5


@pytest.mark.parametrize("call", ["map", "imap", "imap_unordered", "starmap"])
def test_by_every_call(parallel, call):
    array = big_array()
    items = [(array,)] * 6 if call == "starmap" else [array] * 6
    assert list(getattr(parallel, call)(bump, items)) == [6] * 6


@pytest.mark.ours("an array inside the function is the worker's own there, and nobody restores it")
def test_a_failing_item_has_written_only_for_itself(parallel):
    array = big_array()

    def fail(x):
        array[:] = 0
        raise ValueError

    parallel.map(fail, range(4), on_error="return")
    assert parallel.map(lambda _: bump(array), range(4)) == [6] * 4


def test_what_an_item_wrote_does_not_show_in_other_arrays_later(parallel):
    """Of any length: they are put in the same place."""

    def wipe(a):
        a[:] = -1

    def wrong(a):
        return int((a != np.arange(len(a))).sum())

    def grown(n):
        return np.arange(float(n))

    for n in (250_000, 100_000, 30_000, 400_000):
        parallel.map(wipe, [np.zeros(n) for _ in range(4)])
        assert parallel.map(wrong, [np.arange(float(m)) for m in (20_000, 60_000, 150_000, 500_000)]) == [0] * 4
        for result in parallel.map(grown, [n] * 4):
            wipe(result)
        result = None
        assert [wrong(result) for result in parallel.map(grown, [20_000, 60_000, 150_000, 500_000])] == [0] * 4


@pytest.mark.ours("no memory is shared")
def test_an_array_is_mapped_once_for_all_items(parallel):
    array = big_array()
    for found in (parallel.map(lying, [array] * 10), parallel.map(lambda _: lying(array), range(10))):
        assert len({name for name, _, _ in found}) == 1
        assert "memfd" in found[0][0]
        assert all(private and writable for _, private, writable in found)


def test_nothing_of_it_has_a_name_in_the_file_system(parallel):
    array = big_array()

    def held(a):
        files = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if _is_open(fd)]
        with open("/proc/self/maps") as maps:
            return os.getpid(), {*files, *re.findall(r"/\S.*$", maps.read(), re.MULTILINE)}

    before = set().union(*(names for _, names in parallel.map(held, range(50))))
    for _, names in parallel.map(held, [array] * 4):
        new = {name for name in names - before if not name.startswith(("/proc", "pipe:", "socket:", "anon_inode:"))}
        assert all(name.startswith("/memfd:") for name in new)


def _is_open(fd):
    return os.path.lexists(f"/proc/self/fd/{fd}")


def test_layouts_and_types_stay(backend):
    arrays = [
        np.asfortranarray(np.arange(400_000.0).reshape(400, 1000)),
        np.arange(400_000.0).reshape(400, 1000)[::2, 1:],
        np.zeros(300_000, dtype=[("a", "i4"), ("b", "f8")]),
        np.arange(300_000).astype("datetime64[s]"),
        np.array(["text", "más"] * 60_000),
        np.ma.masked_array(np.arange(200_000.0), mask=np.arange(200_000) % 2),
        np.array([1, "two", None], dtype=object),
        np.zeros((0, 5)),
        np.array(3.0),
        np.arange(300_000)[::-1],
        np.broadcast_to(np.float64(1), (300_000,)),
    ]
    for sent, came in zip(arrays, backend.map(lambda a: a, arrays)):
        assert type(came) is type(sent)
        assert came.dtype == sent.dtype
        assert came.shape == sent.shape
        assert (came == sent).all()


def test_an_array_that_may_not_be_written(parallel):
    array = big_array()
    array.flags.writeable = False
    assert parallel.map(lambda a: a.flags.writeable, [array] * 2) == [False, False]


def test_a_list_of_different_arrays(parallel):
    arrays = [big_array() * n for n in range(8)]
    assert parallel.map(lambda a: int(a.sum()), arrays) == [int(a.sum()) for a in arrays]


def test_an_iterator_that_yields_one_reused_buffer(apart):
    def rows():
        buffer = np.empty(BIG // 8)
        for number in range(10):
            buffer[:] = number
            yield buffer

    # As one after the other: the loop looks at each before the next is made.
    assert apart.map(lambda a: float(a[-1]), rows()) == list(map(float, range(10)))


@pytest.mark.ours("no memory is shared")
def test_results_come_back_mapped_writable_and_apart(parallel):
    results = parallel.map(lambda n: np.full(BIG // 8, n), range(6))
    assert [int(a[0]) for a in results] == list(range(6))
    assert all("memfd" in mapping_of(a)[1] for a in results)
    results[2][:] = -1
    assert [int(a[-1]) for a in results] == [0, 1, -1, 3, 4, 5]
    more = parallel.map(lambda n: np.full(BIG // 8, n + 100), range(6))
    assert [int(a[0]) for a in results] == [0, 1, -1, 3, 4, 5], "a later call must not write into kept results"
    assert [int(a[-1]) for a in more] == list(range(100, 106))


def test_a_result_that_is_the_items_own_array(parallel):
    array = big_array()

    def bumped(a):
        a[0] += 1
        return a

    results = parallel.map(bumped, [array] * 4)
    assert [int(a[0]) for a in results] == [6] * 4
    assert array[0] == 5


def test_kept_in_a_worker_an_items_array_stays_what_it_was(parallel):
    kept = []

    def keep(a):
        kept.append(a)
        return [int(old[0]) for old in kept][:1] == [int(kept[0][1]) - 1]

    assert all(parallel.map(keep, [big_array() + n for n in range(10)]))


def test_a_dataframes_blocks(parallel):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(np.arange(600_000.0).reshape(-1, 3), columns=list("abc"))

    def look(held):
        values = held["a"].to_numpy()
        name = mapping_of(values)[1]
        held.iloc[0, 0] += 1
        return name, float(held.iloc[0, 0]), float(held["c"].sum())

    for found in (parallel.map(look, [frame] * 6), parallel.map(lambda _: look(frame), range(6))):
        assert {value[1:] for value in found} == {(1.0, float(frame["c"].sum()))}
        assert len({value[0] for value in found}) == 1
        assert "memfd" in found[0][0]
    (back,) = parallel.map(lambda held: held * 2, [frame])
    assert back.equals(frame * 2)


def test_a_scripts_global_array(python):
    printed = python(
        """
        import manyhands as mh, numpy as np
        big = np.arange(500_000)
        def bump(_):
            big[0] += 1
            return int(big[0])
        print(mh.map(bump, range(8), workers=2), mh.map(bump, range(8), workers=2), big[0])
        with mh.Pool(2) as pool:
            print(pool.map(bump, range(8)), pool.map(bump, range(8)), big[0])
        """
    )
    assert printed == f"{[1] * 8} {[1] * 8} 0\n" * 2


# -------------------------------------------------------------------------- what is built, not mapped: once a worker

BUILT = []


class Built:
    """Counts how often it is made from a pickle in this process."""

    def __setstate__(self, state):
        self.__dict__.update(state)
        BUILT.append(self)

    def __init__(self):
        self.payload = list(range(1000))


def times_built(held, _):
    from test_arrays import BUILT

    mine = [made for made in BUILT if made in held]
    return os.getpid(), len(mine), id(held[0].payload)


def test_what_sits_in_the_function_is_built_once_a_worker(parallel):
    for _ in range(2):
        found = parallel.map(functools.partial(times_built, [Built()]), range(200))
        assert {times for _, times, _ in found} == {1}
        assert len(set(found)) == len({pid for pid, *_ in found}), "one place in each worker"


def test_bytes_and_strings_in_the_function_are_one_object_a_worker(parallel):
    blob, text, table = os.urandom(500_000), "x" * 500_000, list(range(50_000))
    found = parallel.map(lambda _: (os.getpid(), id(blob), id(text), id(table)), range(200))
    assert len(set(found)) == len({pid for pid, *_ in found})
