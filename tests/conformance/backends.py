"""The faces of the map that the conformance suite holds to one answer: the loop's.

Each has `map`, `starmap`, `imap` and `imap_unordered`, with the arguments of `mh.map`.
"""

import time

import manyhands as mh


class Kept:
    """`mh.map` and its kin, on the workers that are kept between calls."""

    name = "kept"
    in_workers = True

    def __init__(self, workers=2):
        self._common = {"workers": workers}

    def map(self, function, *iterables, **options):
        return mh.map(function, *iterables, **self._common, **options)

    def starmap(self, function, iterable, **options):
        return mh.starmap(function, iterable, **self._common, **options)

    def imap(self, function, *iterables, **options):
        return mh.imap(function, *iterables, **self._common, **options)

    def imap_unordered(self, function, *iterables, **options):
        return mh.imap_unordered(function, *iterables, **self._common, **options)

    def end(self):
        """Kept workers stay for the next call."""


class Serial(Kept):
    """The same calls as a loop in the caller's process."""

    name = "serial"
    in_workers = False

    def __init__(self):
        self._common = {"backend": "serial"}


class Threaded(Kept):
    """The same calls in threads of the caller's process."""

    name = "threads"
    in_workers = False

    def __init__(self):
        self._common = {"workers": 2, "backend": "threads"}


class OwnPool:
    """A pool's calls. Where `mh.map` takes several iterables these take tuples."""

    name = "pool"
    in_workers = True

    def __init__(self, workers=2, **options):
        self.pool = mh.Pool(workers, **options)

    def map(self, function, *iterables, **options):
        if len(iterables) == 1:
            return self.pool.map(function, *iterables, **options)
        return self.pool.starmap(function, zip(*iterables), **options)

    def starmap(self, function, iterable, **options):
        return self.pool.starmap(function, iterable, **options)

    def imap(self, function, *iterables, **options):
        return self.pool.imap(*_of_one(function, iterables), **options)

    def imap_unordered(self, function, *iterables, **options):
        return self.pool.imap_unordered(*_of_one(function, iterables), **options)

    def end(self):
        self.pool.terminate()


class OwnThreads(OwnPool):
    """The same calls of a pool of threads."""

    name = "thread pool"
    in_workers = False

    def __init__(self):
        self.pool = mh.ThreadPool(2)


def _of_one(function, iterables):
    """`function` and one iterable for it, from a function of several arguments and as many iterables."""
    if len(iterables) == 1:
        return function, iterables[0]
    return (lambda together: function(*together)), zip(*iterables)


class Elsewhere(Kept):
    """`mh.map` and its kin on somebody else's executor: here the standard library's, with two processes."""

    name = "elsewhere"
    in_workers = True
    _executor = None  # one for all files: each call on it brings what it needs

    def __init__(self):
        if Elsewhere._executor is None:
            Elsewhere._executor = _started(2)
        self._common = {"on": self._executor}

    def end(self):
        """The executor ends with the program."""


def _started(count):
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    executor = ProcessPoolExecutor(count, mp_context=get_context("spawn"))
    # All processes are to be there before a test looks which ones are.
    for started in [executor.submit(time.sleep, 0.1) for _ in range(count)]:
        started.result()
    return executor
