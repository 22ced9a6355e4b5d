"""The same maps in the caller's own process: `backend="serial"`, and every map inside of a worker."""

from . import _kinds

#: While a trace is made: gives a function whose calls are noted.
noted = None


def run(function, items, mode, options, total=None, in_thread=False):
    """Call `function` with every item, one after the other; the results in a list.

    `in_thread`: others run beside this one, with which it shares `random` and `numpy.random`.
    """
    bar = None
    if options.progress:
        from ._options import length_of
        from ._progress import Progress

        bar = Progress(length_of(items) if total is None else total, options.progress)
    try:
        results = []
        for result in iterate(function, items, mode, options, in_thread):
            results.append(result)
            if bar is not None:
                bar.update(1, isinstance(result, _Failed))
    finally:
        if bar is not None:
            bar.close()
    return [result.error if isinstance(result, _Failed) else result for result in results]


def checked(options):
    """The options of a map that was asked to be serial: what cannot be had there is refused."""
    if options.timeout is not None:
        raise ValueError('timeout= needs worker processes: an item of backend="serial" cannot be interrupted')
    return options


class SerialIterator:
    """The results one by one, computed when asked for. An error is raised in its place; one may go on after it."""

    def __init__(self, function, items, mode, options, total=None, in_thread=False):
        self._results = iterate(function, iter(items), mode, options, in_thread)
        self._bar = None
        if options.progress:
            from ._progress import Progress

            self._bar = Progress(total, options.progress)

    def __iter__(self):
        return self

    def __next__(self):
        try:
            result = next(self._results)
        except BaseException:
            self.close()
            raise
        if self._bar is not None:
            self._bar.update(1, isinstance(result, _Failed))
        if isinstance(result, _Failed):
            raise result.error
        return result

    def next(self, timeout=None):
        """The next result; `timeout` has no effect, as it is this thread that computes it."""
        return self.__next__()

    def close(self):
        """Nothing more comes."""
        self._results.close()
        if self._bar is not None:
            self._bar.close()


class _Failed:
    """Stands for an item's exception among results that may be exceptions themselves."""

    __slots__ = ("error",)

    def __init__(self, error):
        self.error = error


def iterate(function, items, mode, options, in_thread=False):
    """The results one by one; with `on_error="return"` failures come as `_Failed`."""
    keep = options.on_error == "return"
    if noted is not None:
        function = noted(function)
    for index, item in enumerate(items):
        try:
            if options.seed:
                result = _seeded(function, item, mode, options.seed, index, in_thread)
            else:
                result = function(*item) if mode == _kinds.STAR else function(item)
        except Exception as error:
            from ._failures import annotate, brief

            annotate(error, f"while running item {index}: {brief(item)}")
            if not keep:
                raise
            result = _Failed(error)
        yield result


def _seeded(function, item, mode, seed, index, in_thread):
    """One call with random streams of its own; the caller's are the same after it as before."""
    from . import _native, _random

    if in_thread:
        arguments = item if mode == _kinds.STAR else (item,)
        return _random.call_with_stream(_native.stream(list(seed), index), function, arguments)
    with _random.preserved():
        _random.begin_item(_native.stream(list(seed), index))
        return function(*item) if mode == _kinds.STAR else function(item)
