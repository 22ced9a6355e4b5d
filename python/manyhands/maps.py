"""`mh.map` and its kin: a call each, on workers that are kept between calls."""

from . import _backends, _kinds, _running, _serial
from ._iterating import MapIterator
from ._options import Options, check_chunksize, length_of, lined_up, worker_count

__all__ = ["imap", "imap_unordered", "map", "starmap"]


def map(
    function,
    *iterables,
    workers=None,
    backend=None,
    on=None,
    progress=False,
    timeout=None,
    retries=0,
    on_error="raise",
    seed=None,
    chunksize=None,
):
    """`[function(item) for item in iterable]`, spread over the cores: a list, in order.

    Parameters
    ----------
    function:
        Anything that can be called: lambdas, closures and methods too.
    *iterables:
        As in Python's own `map`: with several, `function` gets one item of each, up to the shortest.
    workers:
        How many processes or threads; by default one for each core that this process may use. They are kept for the
        next call, and end when they have been idle for a minute.
    backend:
        "processes"; "threads" of this process, for functions that wait (network, disk) and for compiled code that
        releases the GIL; "serial" for a loop in the caller's own thread. In threads items and results are the objects
        themselves: nothing is pickled or copied (an input that yields one array, filled anew each time, yields copies).
        By default threads for a function of `mh.jit`, else processes.
    on:
        Somebody else's engine in place of our own workers: an executor with the calls of `concurrent.futures`, a Dask
        or ipyparallel client, or "mpi", "dask", "dask://host:port". By default all its workers are used. No `timeout`
        there: what is not ours cannot be stopped.
    progress:
        True, or a label: show a bar that counts results.
    timeout:
        Seconds that one item may run; `TimeoutError` for it, and its worker is replaced. A thread cannot be stopped:
        there the running call is abandoned, and goes on to its end unheard.
    retries:
        How often an item is run again whose worker died or that timed out.
    on_error:
        "raise": the failure of lowest index is raised, as the loop would; what has not begun is dropped. "return":
        every item is run, exceptions stand in the list.
    seed:
        A whole number from 0 on: each item starts `random`, `numpy.random` and `mh.rng()` from a stream of its own,
        derived from the seed and the item's index, so that the answer is the same for any number of workers. Threads
        share `random` and `numpy.random`: there it reaches `mh.rng()` only.
    chunksize:
        Accepted, and not needed.

    Raises what the function raises, with the worker's traceback and the item in it; `WorkerDied` for an item whose
    worker died under it. Ctrl-C ends the map at once; what threads are running goes on to its end.

    >>> import manyhands as mh
    >>> mh.map(lambda x, y: x + y, [1, 2, 3], [10, 20, 30])
    [11, 22, 33]
    """
    items, mode, shareable = lined_up(iterables)
    check_chunksize(chunksize)
    options = Options(timeout, retries, on_error, seed, progress)
    return _run(function, items, mode, options, workers, backend, on, shareable, length_of(*iterables))


def starmap(
    function,
    iterable,
    *,
    workers=None,
    backend=None,
    on=None,
    progress=False,
    timeout=None,
    retries=0,
    on_error="raise",
    seed=None,
    chunksize=None,
):
    """`[function(*item) for item in iterable]`, as `map`.

    >>> import manyhands as mh
    >>> mh.starmap(pow, [(2, 5), (3, 2)])
    [32, 9]
    """
    check_chunksize(chunksize)
    options = Options(timeout, retries, on_error, seed, progress)
    shareable = isinstance(iterable, (list, tuple))
    return _run(function, iterable, _kinds.STAR, options, workers, backend, on, shareable, length_of(iterable))


def _run(function, items, mode, options, workers, backend, on, shareable, total):
    backend = _backends.suited(function, backend, on)
    count = _backends.count(workers, on)
    if _backends.check(backend, on) == "serial":
        return _serial.run(function, items, mode, _serial.checked(options), total)
    if _backends.in_line(backend):
        return _serial.run(function, items, mode, options, total, in_thread=backend == "threads")
    with _backends.kept(backend, count, on) as kept:
        return _running.run(kept, function, items, mode, options, shareable=shareable, total=total)


def imap(
    function,
    *iterables,
    workers=None,
    backend=None,
    on=None,
    progress=False,
    timeout=None,
    retries=0,
    seed=None,
    buffer=None,
    chunksize=None,
):
    """An iterator over `function(item)`, in order, lazy at both ends.

    Input is taken as results are, at most `buffer` items ahead (by default about a fifth of a second's work), so that
    the input may be longer than memory, or without end. An error is raised in its place; the iteration can go on after
    it. Other parameters as in `map`.

    >>> import itertools
    >>> import manyhands as mh
    >>> squares = mh.imap(lambda x: x * x, itertools.count())
    >>> next(squares), next(squares), next(squares)
    (0, 1, 4)
    """
    check_chunksize(chunksize)
    return _iterate(function, iterables, workers, backend, on, progress, timeout, retries, seed, buffer, True)


def imap_unordered(
    function,
    *iterables,
    workers=None,
    backend=None,
    on=None,
    progress=False,
    timeout=None,
    retries=0,
    seed=None,
    buffer=None,
    chunksize=None,
):
    """`imap` that gives results in whatever order they come.

    >>> import manyhands as mh
    >>> sorted(mh.imap_unordered(abs, [-3, 2, -1]))
    [1, 2, 3]
    """
    check_chunksize(chunksize)
    return _iterate(function, iterables, workers, backend, on, progress, timeout, retries, seed, buffer, False)


def _iterate(function, iterables, workers, backend, on, progress, timeout, retries, seed, buffer, ordered):
    items, mode, shareable = lined_up(iterables)
    backend = _backends.suited(function, backend, on)
    options = Options(timeout, retries, "return", seed, progress)
    count, total = _backends.count(workers, on), length_of(*iterables)
    buffer = None if buffer is None else worker_count(buffer, "buffer")
    if _backends.check(backend, on) == "serial":
        return _serial.SerialIterator(function, items, mode, _serial.checked(options), total)
    if _backends.in_line(backend):
        return _serial.SerialIterator(function, items, mode, options, total, in_thread=backend == "threads")
    kept = _backends.kept(backend, count, on)
    return MapIterator(
        kept,
        kept.workers,
        function,
        items,
        mode,
        options,
        ordered=ordered,
        shareable=shareable,
        buffer=buffer,
        total=total,
    )
