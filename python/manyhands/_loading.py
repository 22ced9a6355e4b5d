"""What our pickles call while they are loaded, in a worker and, for results, in the parent.

Every function here is named in pickles. What they need to know of the process that loads (its namespaces,
the objects published to it by id, file descriptors that came along) is the *table*: the worker's `Receiver`
or the parent's `Publisher`. It stands in a thread's own storage for as long as a load lasts, since pickle
hands no context to what it calls.
"""

import marshal
import sys
from _pickle import loads as _plain_loads
from _thread import _local
from types import CellType, FunctionType

_LONGEST_HEAD = 8192  # of the names of a module and a global


class _Loading(_local):
    table = None  # who resolves namespaces and ids
    fds = ()  # file descriptors received with the message that is being loaded


_loading = _Loading()


def loads(table, data, buffers=(), fds=()):
    """The object that `data` describes; `table` answers for namespaces, ids and worker-made classes."""
    outer_table, outer_fds = _loading.table, _loading.fds
    _loading.table, _loading.fds = table, fds
    try:
        return _plain_loads(data, buffers=buffers)
    finally:
        _loading.table, _loading.fds = outer_table, outer_fds


def table():
    """Who answers for the load that is under way in this thread."""
    return _loading.table


def headed(first, second, pickled):
    """A published object that says what it is about before the pickle: so that is known if that cannot be loaded."""
    return f"{first}\n{second}\n".encode() + pickled


def beheaded(payload):
    """(first, second, pickled) of what `headed` made."""
    view = memoryview(payload)
    first, second, _ = bytes(view[:_LONGEST_HEAD]).split(b"\n", 2)
    return first.decode(), second.decode(), view[len(first) + len(second) + 2 :]


def object_by_id(number):
    """The class (or other object whose identity matters) that was published under this id."""
    return _loading.table.object_by_id(number)


def adopt_class(token, *arguments):
    """A class born in a worker, still without its state; `token` tells it from others of its name."""
    return _loading.table.adopt(token, arguments)


def complete_class(cls, state):
    """Gives a class that came back from a worker its state, unless it is the caller's own."""
    from ._class_tokens import is_own
    from ._classes import set_class_state

    if not is_own(cls):
        set_class_state(cls, state)


def global_value(space, name):
    """The object that the global `name` of a by-value module holds: for sentinels and other singletons."""
    return _loading.table.space(space)[name]


def make_module(space):
    """A module made by hand in the parent: its namespace under a module object's face."""
    return _loading.table.module(space)


def import_module(name):
    __import__(name)
    return sys.modules[name]


def make_function(space, code, cells):
    """A function whose globals are the one dictionary that all functions of its module share here."""
    return FunctionType(marshal.loads(code), _loading.table.space(space), None, None, cells)


def complete_function(function, state):
    """Gives a function what its code does not say; `state` holds only what differs from a fresh function."""
    attributes = state.pop("__dict__", None)
    if attributes:
        function.__dict__.update(attributes)
    # Globals come along only where the loading side has no such namespace of its own (see `_by_value`).
    for name, value in state.pop("__globals__", {}).items():
        function.__globals__.setdefault(name, value)
    for name, value in state.items():
        setattr(function, name, value)


def make_cell():
    return CellType()


def fill_cell(cell, contents):
    (cell.cell_contents,) = contents


def make_lru_cache(function, parameters, attributes):
    """`functools.lru_cache` around `function`, empty, with the attributes that its owner had set."""
    from functools import lru_cache

    cached = lru_cache(**parameters)(function)
    cached.__dict__.update(attributes)
    return cached


def make_jitted(function, options, texts):
    """A compiled function, with the texts of files that are none: {name: lines}."""
    from . import _jit_calls

    _jit_calls.remember(texts)
    return _jit_calls.make(function, *options)


def make_single_dispatch(function, registered):
    """`functools.singledispatch` of `function`, with the implementations that had been registered by type."""
    from functools import singledispatch

    made = singledispatch(function)
    for kind, implementation in registered:
        made.register(kind, implementation)
    return made


def make_cached_property(kind, function, name):
    made = kind(function)
    made.attrname = name
    return made


def view_array(kind, array):
    """An array of a subclass of NumPy's, over the memory that came with it."""
    return array.view(kind)


class ReceivedFd:
    """Stands in a pickle for an open file; `detach` gives the descriptor that came with the message."""

    def __init__(self, index):
        self.index = index

    def detach(self):
        return _loading.fds[self.index]


class Unsendable:
    """Holds the place of a global that could not be sent; whatever is done with it says so.

    A name is known to be needed only when it is used, and programs have locks, open files and pools among
    their globals that no task touches. So failing to send one is no error until a task uses it.
    """

    __slots__ = ("_Unsendable__why",)

    def __init__(self, why):
        object.__setattr__(self, "_Unsendable__why", why)

    def __reduce__(self):
        return Unsendable, (object.__getattribute__(self, "_Unsendable__why"),)

    def __getattribute__(self, name):
        if name in ("__reduce_ex__", "__reduce__"):  # a task that hands it on does not use it
            return object.__getattribute__(self, name)
        raise _unsendable(self)


def _unsendable(placeholder):
    return NameError(object.__getattribute__(placeholder, "_Unsendable__why"))


def _refuse(self, *arguments, **keywords):
    raise _unsendable(self)


# Operators look methods up on the type, past `__getattribute__`.
for _name in (
    "call enter exit aenter aexit iter next aiter anext await len bool contains getitem setitem delitem "
    "setattr delattr str repr format bytes hash eq ne lt le gt ge add radd iadd sub rsub isub mul rmul imul "
    "matmul rmatmul truediv rtruediv itruediv floordiv rfloordiv mod rmod divmod pow rpow lshift rshift and "
    "rand iand or ror ior xor rxor ixor neg pos abs invert int float complex index round reversed"
).split():
    setattr(Unsendable, f"__{_name}__", _refuse)
