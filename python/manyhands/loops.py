"""`mh.jit` and `mh.prange`: loops compiled to machine code for all cores, with the serial answer or an error."""

import sys
from types import FunctionType

from ._jit_calls import make
from ._native import Jitted, get_num_threads, set_num_threads

__all__ = ["get_num_threads", "jit", "njit", "prange", "seed", "set_num_threads"]

#: numba's options that change nothing here, and what is said of each, once; None: nothing needs to be said.
_NO_EFFECT = {
    "nopython": None,
    "nogil": None,
    "debug": None,
    "inline": None,
    "forceinline": None,
    "looplift": None,
    "no_cpython_wrapper": None,
    "no_cfunc_wrapper": None,
    "no_rewrites": None,
    "target": None,
    "pipeline_class": None,
    "_nrt": None,
    "_dbg_extend_lifetimes": None,
    "_dbg_optnone": None,
    "locals": "has no effect: the types of variables follow from the arguments",
    "forceobj": "has no effect: what cannot be compiled is an error, and runs as f.py_func",
    "fastmath": "has no effect: sums are as fast without it, and the same bits on every machine",
    "boundscheck": "has no effect: subscripts are always checked, where it costs nothing",
    "error_model": 'has no effect: division by zero raises, as in Python; error_model="numpy" does not change that',
}
#: What each stands at where nothing is meant by it.
_PLAIN = {
    "fastmath": (False,),
    "boundscheck": (True, None),
    "error_model": ("python",),
    "locals": ({}, None),
    "forceobj": (False,),
}
_said = set()


def jit(function=None, /, *signatures, parallel=True, cache=True, source=None, **options):
    """Compile a function's loops, for the types that it is called with, when it is first called with them.

    Use it as a decorator, `@mh.jit` or `@mh.jit(...)`, or call it: `mh.jit(lambda x: x + 1)`. What cannot be compiled
    is an error (`CompileError`) when the function is called, and a `prange` whose iterations depend on each other a
    `RaceError`: a compiled function gives Python's answer or none.

    Parameters
    ----------
    parallel:
        False: `mh.prange` runs on one thread. The answer is the same.
    cache:
        False: the machine code is not kept on disk for the next process.
    *signatures:
        What `mh compile` compiles ahead of time: `@mh.jit("f8(f8[:], i8)")`, in numba's notation, one or several. Other
        types are compiled for when they come, where llvmlite is installed, and run as plain Python with a warning where
        it is not.
    source:
        The function's source, where Python has none: for code that `exec` was given as a string.
    **options:
        numba's other options are taken, and have no effect; what was meant by `fastmath=True`, `boundscheck=False` or
        `error_model="numpy"` is said once.

    What it returns is called as the function is, and has `py_func` (the function), `signatures` (compiled so far) and
    `explain()`, which tells what became of it.

    >>> import manyhands as mh
    >>> @mh.jit
    ... def total(n):
    ...     found = 0
    ...     for i in mh.prange(n):
    ...         found += i * i
    ...     return found
    >>> total(10)
    285
    """
    if function is None:
        function = options.pop("signature_or_function", None)  # numba's name for it
    for name, value in options.items():
        _check_option(name, value)
    if isinstance(parallel, dict):  # numba's choice of what is made parallel
        parallel = True
    declared = []
    if isinstance(function, (str, list, tuple)) or _is_signature(function):
        signatures = (*(function if isinstance(function, (list, tuple)) else [function]), *signatures)
        function = None
    for signature in signatures:
        if not isinstance(signature, str):
            _say(
                "a signature of numba's objects has no effect: write it as a string, 'f8(f8[:], i8)', for `mh compile`"
            )
            continue
        from ._jit_signatures import read

        declared.append((*read(signature), signature))
    if source is not None and not isinstance(source, str):
        raise TypeError(f"source must be the text of the function, not {type(source).__name__}")
    for name, value in (("parallel", parallel), ("cache", cache)):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {value!r}")
    if function is None:
        return lambda function: _jitted(function, parallel, cache, source, declared)
    return _jitted(function, parallel, cache, source, declared)


def njit(function=None, /, *signatures, **options):
    """`jit`, under numba's other name for it."""
    return jit(function, *signatures, **options)


def prange(*args, unchecked=False):
    """`range` whose iterations compiled code runs on all cores: `prange(stop)`, `prange(start, stop[, step])`.

    The answer is the serial loop's: sums and other reductions, elements that one iteration writes each, and the other
    patterns of the guide are found; anything else is a `RaceError`. `unchecked=True` takes your word for it that
    iterations do not clash. Outside of compiled functions it is `range`.

    >>> import manyhands as mh
    >>> list(mh.prange(2, 8, 3))
    [2, 5]
    """
    return range(*args)


def seed(number):
    """Start the random numbers of compiled functions: the same seed gives the same numbers, for any number of threads.

    `number`: a whole number from 0 on. In an item of a map with `seed=` compiled functions draw from the item's own
    stream.
    """
    from . import _random

    _random.seed_kernels(_random.words_of(number))


def _jitted(function, parallel, cache, source, declared):
    if isinstance(function, Jitted):
        function = function.py_func
    if not isinstance(function, FunctionType):
        raise TypeError(_no_function(function))
    if function.__code__.co_flags & 0x2A0:  # a generator, a coroutine, or both
        raise TypeError(f"mh.jit cannot compile {function.__qualname__}: it is a generator or a coroutine")
    if declared:
        from ._jit_calls import parameters

        names = parameters(function)
        for types, _, text in declared:
            if len(types) != len(names):
                raise TypeError(f"{text!r} is for {len(types)} parameters; {function.__qualname__} has {len(names)}")
    return make(function, parallel, cache, source, tuple(declared))


def _no_function(value):
    if isinstance(value, (staticmethod, classmethod)):
        return f"mh.jit goes below @{type(value).__name__}: it takes the function itself"
    if isinstance(value, type):
        return f"mh.jit takes a function, not a class ({value.__name__}): compile the functions that do the work"
    return f"mh.jit takes a function written in Python, not {type(value).__name__}: {value!r:.60}"


def _is_signature(value):
    """Is this one of numba's types or signatures, called or not?"""
    return value is not None and type(value).__module__.partition(".")[0] == "numba" and not hasattr(value, "py_func")


def _check_option(name, value):
    if name not in _NO_EFFECT:
        raise TypeError(
            f"mh.jit has no option {name!r}: it takes parallel, cache and source, and of numba's "
            + ", ".join(_NO_EFFECT)
        )
    text = _NO_EFFECT[name]
    if text is not None and value not in _PLAIN[name]:
        _say(f"{name}={value!r} {text}")


def _say(text):
    if text not in _said:
        _said.add(text)
        import warnings

        from .errors import CompileWarning

        # The line of the decorator: past this function, its caller and `jit` or `njit`.
        level = 2
        frame = sys._getframe(1)
        while frame is not None and frame.f_globals.get("__name__") == __name__:
            level, frame = level + 1, frame.f_back
        warnings.warn(text, CompileWarning, stacklevel=level)
