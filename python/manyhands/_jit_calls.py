"""What native code asks for when a compiled function is called for the first time, or with keywords."""

import os
import sys
from _thread import RLock

from ._native import Jitted, set_num_threads

#: Held while something is compiled or loaded. Its holder may come in again: what the compiler asks of the program may
#: call compiled functions.
lock = RLock()

if _threads := os.environ.get("MANYHANDS_NUM_THREADS"):  # a worker process has its share of the cores
    if not _threads.isdecimal():
        raise ValueError(f"MANYHANDS_NUM_THREADS must be a whole number, not {_threads!r}")
    set_num_threads(int(_threads))

os.register_at_fork(after_in_child=lock._at_fork_reinit)  # type: ignore[attr-defined]


def make(function, parallel, cache, source, signatures=()):
    """A compiled function that is told from where it is, as the function is: pickle asks."""
    made = Jitted.of(function, parallel, cache, source, signatures)
    made.__module__, made.__doc__ = function.__module__, function.__doc__
    return made


def parameters(function):
    """Names of all parameters, in the order in which `probe` gives their values: *args before those by keyword only."""
    code = function.__code__
    names = code.co_varnames
    count, keywords = code.co_argcount, code.co_kwonlyargcount
    by_place, by_keyword = names[:count], names[count : count + keywords]
    rest = list(names[count + keywords :])
    collected = [rest.pop(0)] if code.co_flags & 0x4 else []
    collected_by_name = [rest.pop(0)] if code.co_flags & 0x8 else []
    return [*by_place, *collected, *by_keyword, *collected_by_name]


def plainly(function, values):
    """Calls a function with one value for each of its `parameters`."""
    code = function.__code__
    by_place, values = values[: code.co_argcount], list(values[code.co_argcount :])
    collected = values.pop(0) if code.co_flags & 0x4 else ()
    by_name = values.pop() if code.co_flags & 0x8 else {}
    names = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    return function(*by_place, *collected, **dict(zip(names, values)), **by_name)


def folder(function):
    """Where objects that were compiled ahead of time for a function's module are."""
    from os.path import basename, dirname, join

    path = function.__code__.co_filename
    module = basename(path).removesuffix(".py")
    return join(dirname(path), "__mhcompiled__", f"{module}.{sys.implementation.cache_tag}")


def portable(function):
    """A function's code as bytes, without the name of its file."""
    import marshal

    return marshal.dumps(_nowhere(function.__code__), 2)


def _nowhere(code):
    constants = (_nowhere(value) if type(value) is type(code) else value for value in code.co_consts)
    return code.replace(co_filename="", co_consts=tuple(constants))


def probe(function):
    """A function with the same parameters that gives their values; what cannot be bound, it refuses as Python does."""
    code = function.__code__
    count, keywords = code.co_argcount, code.co_kwonlyargcount
    names = parameters(function)
    stars = {}
    if code.co_flags & 0x4:
        stars[count] = "*"
    if code.co_flags & 0x8:
        stars[len(names) - 1] = "**"
    shown = [stars.get(place, "") + name for place, name in enumerate(names)]
    if keywords and not code.co_flags & 0x4:
        shown.insert(count, "*")
    if code.co_posonlyargcount:
        shown.insert(code.co_posonlyargcount, "/")
    space = {}
    exec(f"def probe({', '.join(shown)}): return ({''.join(name + ',' for name in names)})", space)
    made = space["probe"]
    made.__code__ = made.__code__.replace(co_name=function.__name__)
    made.__name__, made.__qualname__ = function.__name__, function.__qualname__
    made.__defaults__, made.__kwdefaults__ = function.__defaults__, function.__kwdefaults__
    return made


def library():
    """Where llvmlite's library is, without importing it; ImportError with what to install where there is none."""
    from importlib.util import find_spec
    from os.path import exists, join

    spec = find_spec("llvmlite")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = join(folder, "binding", "libllvmlite.so")
        if exists(path):
            return path
    raise ImportError(
        "compiling needs llvmlite, which is not installed here: pip install manyhands[jit] (what is in the cache runs "
        "without it)"
    )


def texts(jitted):
    """{name of a file that is none: its lines} of a compiled function and of the plain functions that it may call."""
    from types import FunctionType

    found, seen, waiting = {}, set(), [jitted]
    while waiting:
        function = waiting.pop()
        if isinstance(function, Jitted):
            function = function.py_func
        if type(function) is not FunctionType or function in seen:
            continue
        seen.add(function)
        code = function.__code__
        if code.co_filename.startswith("<"):
            linecache = sys.modules.get("linecache")
            lines = linecache.getlines(code.co_filename) if linecache is not None else []
            if lines:
                found[code.co_filename] = lines
        names = _names(code)
        waiting += [function.__globals__[name] for name in names if name in function.__globals__]
        waiting += [value for cell in function.__closure__ or () for value in _contents(cell)]
    return found


def remember(texts):
    """Let `linecache` know texts that another process has sent; what it knows already stays."""
    if texts:
        import linecache

        for name, lines in texts.items():
            linecache.cache.setdefault(name, (sum(map(len, lines)), None, lines, name))


def _names(code):
    names = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is type(code):
            names |= _names(constant)
    return names


def _contents(cell):
    try:
        return [cell.cell_contents]
    except ValueError:  # empty so far
        return []
