"""Memory that runs out, as told by an injected reading: a clear MemoryError for the call, and the pool goes on."""

from scenario import run

#: Pools whose shared memory may take some 12 MB: the reading says 44, of which the store keeps 32 MiB in reserve.
LITTLE = """
import functools, numpy
import manyhands._workers as behind

behind.Workers = functools.partial(behind.Workers, memory=46_000_000)

def told(call):
    try:
        call()
    except MemoryError as error:
        return str(error)
    raise AssertionError("no MemoryError")
"""


def test_an_argument_larger_than_memory():
    run(
        LITTLE
        + """
with mh.Pool(2) as pool:
    big, small = numpy.zeros(2_000_000), numpy.ones(100_000)
    for call in (lambda: pool.map(len, [small, big]), lambda: pool.apply(len, (big,)), lambda: list(pool.imap(len, [big])),
                 lambda: pool.map_async(len, [big]).get(30), lambda: pool.apply_async(len, (big,)).get(30)):
        text = told(call)
        assert "no memory for" in text and "MiB" in text, text
        assert pool.map(lambda a: int(a.sum()), [small, small]) == [100_000] * 2
"""
    )


def test_a_result_larger_than_memory():
    run(
        LITTLE
        + """
with mh.Pool(2) as pool:
    make = lambda size: numpy.ones(size)
    found = pool.map(make, [100_000, 2_000_000, 100_000], on_error="return")
    assert "no memory for" in str(found[1]) and type(found[1]).__name__ == "MaybeEncodingError", found[1]
    assert [array.sum() for array in (found[0], found[2])] == [100_000] * 2
    del found
    assert [array.sum() for array in pool.map(make, 6 * [100_000])] == [100_000] * 6
"""
    )


def test_the_error_names_the_item():
    run(
        LITTLE
        + """
with mh.Pool(2) as pool:
    items = [numpy.ones(100), numpy.ones(100), numpy.zeros(2_000_000)]
    try:
        pool.map(len, items)
    except MemoryError as error:
        notes = getattr(error, "__notes__", None) or [str(error.__cause__)]
        assert "item 2" in " ".join(notes), notes
    else:
        raise AssertionError("no error")
"""
    )


def test_a_function_that_holds_more_than_memory():
    run(
        LITTLE
        + """
with mh.Pool(2) as pool:
    big = numpy.zeros(2_000_000)
    told(lambda: pool.map(lambda x: big[x], range(10)))
    assert pool.map(abs, [-1]) == [1]
"""
    )


def test_an_initializer_that_needs_more_than_memory():
    run(
        LITTLE
        + """
big = numpy.zeros(2_000_000)
told(lambda: mh.Pool(2, print, (big,)))
with mh.Pool(2) as pool:
    assert pool.map(abs, [-1]) == [1]
"""
    )


def test_many_items_that_fit_one_by_one():
    # What has been read is used again; what does not fit now is a clear error, not a hang.
    run(
        LITTLE
        + """
with mh.Pool(2) as pool:
    for x in range(30):
        assert pool.apply(lambda a: int(a[0]), (numpy.full(200_000, x),)) == x
    found = pool.imap(lambda a: int(a[0]), (numpy.full(200_000, x) for x in range(30)), buffer=1)
    assert list(found) == list(range(30))
"""
    )


def test_an_item_that_meets_a_limit_of_its_own_process():
    # A worker that cannot allocate what its item wants: that item's MemoryError, for Python's own and for results.
    run(
        """
        import numpy

        def limit():
            import resource
            resource.setrlimit(resource.RLIMIT_AS, (3 * 10**9, 3 * 10**9))

        def item(x):
            if x == 1:
                return len(bytearray(4 * 10**9))
            if x == 2:
                return numpy.zeros(4 * 10**8).shape
            return x

        with mh.Pool(1, limit) as pool:
            found = pool.map(item, range(4), on_error="return")
            assert found[0] == 0 and found[3] == 3
            assert isinstance(found[1], MemoryError) and isinstance(found[2], MemoryError), found
        """
    )


def test_a_big_argument_that_a_worker_cannot_map():
    run(
        """
        import numpy

        def limit():
            import resource
            resource.setrlimit(resource.RLIMIT_AS, (10**9, 10**9))

        def see(a):
            return len(a)

        with mh.Pool(1, limit) as pool:
            found = pool.map(see, [numpy.zeros(10), numpy.zeros(150_000_000), numpy.zeros(20)], on_error="return")
            assert found[0] == 10 and found[2] == 20, found
            assert isinstance(found[1], (MemoryError, mh.WorkerDied)), repr(found[1])
            assert pool.map(abs, [-1]) == [1]
        """
    )


def test_an_out_of_memory_kill_is_called_so():
    # The counter of the kernel itself cannot be raised by a test; what is said when it was can be looked at.
    run(
        """
        error = mh.WorkerDied.of(pid=7, index=3, item="'x'", signal=9, out_of_memory=True)
        assert error.out_of_memory and error.signal == 9 and error.index == 3
        assert "probably out of memory" in str(error) and "item 3" in str(error) and "SIGKILL" in str(error), str(error)
        """
    )
