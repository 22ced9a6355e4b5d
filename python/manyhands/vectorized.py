"""`mh.vectorize`: a function of numbers becomes one of arrays."""

from inspect import signature

from ._elementwise import Elementwise
from .loops import jit

__all__ = ["Vectorized", "vectorize"]

_TARGETS = ("parallel", "cpu")


class Vectorized:
    """A function of arrays, element by element: what `vectorize` makes. `py_func` is the function of numbers."""

    def __init__(self, jitted, parallel, cache):
        self._elementwise = Elementwise(jitted, parallel, cache)
        self.py_func = jitted.py_func
        for name in ("__name__", "__qualname__", "__module__", "__doc__"):
            setattr(self, name, getattr(self.py_func, name))
        self.__wrapped__ = self.py_func
        code = self.py_func.__code__
        if code.co_flags & 0xC or code.co_kwonlyargcount:
            raise TypeError(f"mh.vectorize takes a function of so many numbers: {self.__qualname__} collects arguments")
        self._most = code.co_argcount
        self._least = self._most - len(self.py_func.__defaults__ or ())

    @property
    def nin(self):
        """How many arguments it takes."""
        return self._most

    def __call__(self, *arguments, out=None, dtype=None, casting="same_kind", order="K", **named):
        """The results, in a new array or in `out`; a number where all arguments are numbers."""
        if named:
            bound = signature(self.py_func).bind(*arguments, **named)
            bound.apply_defaults()
            arguments = bound.args
        if not self._least <= len(arguments) <= self._most or not arguments:
            wanted = self._most if self._least == self._most else f"{self._least} to {self._most}"
            raise TypeError(f"{self.__name__}() takes {wanted} arrays or numbers, and got {len(arguments)}")
        if isinstance(out, tuple) and len(out) == 1:  # as ufuncs take it
            out = out[0]
        return self._elementwise.apply(arguments, out, dtype, casting, order)

    def explain(self):
        """What became of the loop that was compiled last: see `explain` of compiled functions."""
        kernels = list(self._elementwise.kernels.values())
        if not kernels:
            raise ValueError(
                f"{self.__qualname__} is not compiled yet: call it once, with arrays of the types that matter"
            )
        return kernels[-1].explain()

    def __reduce__(self):
        return self.__qualname__

    def __repr__(self):
        return f"<vectorized {self.py_func!r}>"


def vectorize(function=None, /, *signatures, target="parallel", cache=True, source=None, **options):
    """Make a function of numbers one of arrays: element by element, with broadcasting, compiled, on all cores.

    Use it as `@mh.vectorize` or `@mh.vectorize(...)`. The elements are NumPy's numbers: ints wrap, a division by zero
    gives inf or nan. Python's own numbers in the function are as they are everywhere in compiled code.

    Parameters
    ----------
    target:
        "parallel", or "cpu": on one thread.
    cache:
        False: the machine code is not kept on disk for the next process.
    source:
        The function's source, where Python has none.
    **options:
        numba's other options and signatures are taken and have no effect: types come from the arguments.

    What it returns is called with arrays and numbers, and takes `out`, `dtype` (of the result), `casting` and `order`
    as NumPy's functions do.

    >>> import manyhands as mh
    >>> import numpy as np
    >>> @mh.vectorize
    ... def clipped(x, most):
    ...     return most if x > most else x
    >>> clipped(np.array([1.0, 5.0, 9.0]), 6.0)
    array([1., 5., 6.])
    """
    if target not in _TARGETS:
        raise ValueError(f"target must be one of {', '.join(_TARGETS)}, not {target!r}")
    for name in options:
        if name not in ("nopython", "identity", "fastmath", "forceobj", "locals", "looplift"):
            raise TypeError(f"mh.vectorize has no option {name!r}: it takes target, cache and source")

    def made(function):
        jitted = jit(function, cache=cache, source=source)
        return Vectorized(jitted, target == "parallel", cache)

    if function is None or isinstance(function, (str, list, tuple)) or signatures:
        return made
    return made(function)
