"""What a caller may say about a map, checked once, with errors that name the argument."""

from . import _kinds


class Options:
    """The checked keyword arguments that every map takes."""

    __slots__ = ("on_error", "progress", "retries", "seed", "timeout")

    def __init__(self, timeout=None, retries=0, on_error="raise", seed=None, progress=False):
        if timeout is not None:
            timeout = _number("timeout", timeout)
            if not timeout > 0:
                raise ValueError(f"timeout must be more than 0 seconds, not {timeout:g}")
        if type(retries) is not int or retries < 0:
            raise ValueError(f"retries must be a whole number from 0 on, not {retries!r}")
        if on_error not in ("raise", "return"):
            raise ValueError(f'on_error must be "raise" or "return", not {on_error!r}')
        self.timeout = timeout
        self.retries = min(retries, 2**32 - 1)
        self.on_error = on_error
        if seed is None:
            self.seed = ()
        else:
            from ._random import words_of

            self.seed = words_of(seed)
        self.progress = progress

    def of_job(self):
        """The keyword arguments for the engine's job."""
        return {
            "return_errors": self.on_error == "return",
            "retries": self.retries,
            "timeout": self.timeout,
            "seed": self.seed,
        }


def worker_count(workers, name="workers"):
    """How many workers `workers` asks for; None is one for each core that may be used."""
    if workers is None:
        from ._native import cpu_count

        return cpu_count()
    if isinstance(workers, bool) or not hasattr(type(workers), "__index__"):
        raise TypeError(f"{name} must be a whole number or None, not {type(workers).__name__}")
    number = type(workers).__index__(workers)
    if number < 1:
        raise ValueError(f"{name} must be at least 1, not {number}")
    return number


def check_chunksize(chunksize):
    """`chunksize` is accepted everywhere and needed nowhere."""
    if chunksize is not None and not hasattr(type(chunksize), "__index__"):
        raise TypeError(
            f"chunksize must be a whole number, not {type(chunksize).__name__} (a function of several arguments takes "
            "them by starmap, or by mh.map with several inputs)"
        )
    if chunksize is not None and chunksize < 1:
        raise ValueError(f"Chunksize must be 1+, not {chunksize}")


def lined_up(iterables):
    """The items of a map over these iterables, as (items, how the function is called, shareable).

    Shareable: every item comes out of a list or tuple that keeps it alive, so that a big array which comes again can be
    told by its place in memory. An iterator might yield one buffer that it fills anew.
    """
    if not iterables:
        raise TypeError("map() must have at least two arguments: a function and what to call it with")
    shareable = all(isinstance(items, (list, tuple)) for items in iterables)
    if len(iterables) == 1:
        return iterables[0], _kinds.ONE, shareable
    return zip(*iterables), _kinds.STAR, shareable


def length_of(*iterables):
    """How many items there will be, where all iterables know it, else None."""
    try:
        return min(len(items) for items in iterables)
    except TypeError:
        return None


def _number(name, value):
    try:
        return float(value + 0)  # a text is no number, though `float` reads it
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number of seconds or None, not {type(value).__name__}") from None
