"""What workers run of a graph: the tasks' functions, with their arguments put together again.

Arguments travel as *leaves* in a row, nodes among them replaced by their results, and a *shape* that says how they
stood together: None where all of them are positional arguments, else (shapes of the positional arguments, names of the
others, their shapes). The shape of one argument is None for a leaf, else what contained it and the shapes inside.
"""

from time import perf_counter

from . import _graph_containers
from ._graph_containers import PLAIN

LIST, TUPLE, NAMED, SET, DICT, SLICE, MADE = "list", "tuple", "named", "set", "dict", "slice", "made"


class Runner:
    """Calls the functions of a graph's tasks by number; gives (seconds, value)."""

    __slots__ = ("functions",)

    def __init__(self, functions):
        self.functions = functions

    def __call__(self, number, shape, *leaves):
        function = self.functions[number]
        if shape is None:
            start = perf_counter()
            value = function(*leaves)
        else:
            args, kwargs = together(shape, leaves)
            start = perf_counter()
            value = function(*args, **kwargs)
        return perf_counter() - start, value

    def __repr__(self):
        names = [getattr(function, "__name__", "?") for function in self.functions]
        return f"<tasks {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}>"


def together(shape, leaves):
    """(args, kwargs) of a call."""
    positional, names, named = shape
    leaves = iter(leaves)
    args = [_build(part, leaves) for part in positional]
    return args, {name: _build(part, leaves) for name, part in zip(names, named)}


def _build(shape, leaves):
    if shape is None:
        return next(leaves)
    kind, *inside = shape
    if kind == NAMED:
        cls, *inside = inside
        return tuple.__new__(cls, [_build(part, leaves) for part in inside])
    if kind == MADE:
        make, *inside = inside
        return _graph_containers.together(make, *[_build(part, leaves) for part in inside])
    parts = [_build(part, leaves) for part in inside]
    if kind == LIST:
        return parts
    if kind == DICT:
        return dict(zip(parts[::2], parts[1::2]))
    return (tuple if kind == TUPLE else set if kind == SET else _slice)(parts)


def _slice(parts):
    return slice(*parts)


def taken_apart(args, kwargs, node):
    """(leaves, shape) of a call. Lists, tuples, dicts, sets, slices are copied; what is of class `node` is a leaf."""
    if not kwargs:
        for value in args:
            kind = type(value)
            if kind is not node and kind not in PLAIN and _graph_containers.may_hold(value):
                break
        else:
            return args, None
    leaves: list = []
    try:
        positional = tuple([_take(value, leaves, node) for value in args])
        named = tuple([_take(value, leaves, node) for value in kwargs.values()])
    except RecursionError:
        raise ValueError("an argument nests too deeply (does it contain itself?)") from None
    if not named and all(part is None for part in positional):
        return tuple(leaves), None
    return tuple(leaves), (positional, tuple(kwargs), named)


def _take(value, leaves, node):
    kind = type(value)
    if kind is node or kind in PLAIN:
        leaves.append(value)
        return None
    start = len(leaves)
    parts = _PARTS.get(kind)
    if parts is not None:
        name, parts = (_NAMES[kind],), parts(value)
    elif isinstance(value, tuple) and hasattr(kind, "_fields") and not getattr(value, "__dict__", None):
        name, parts = (NAMED, kind), tuple(value)
    elif kind in _graph_containers.COPIED or _graph_containers.holds(value, node):
        make, *parts = _graph_containers.apart(value)
        name = (MADE, make)
    else:
        leaves.append(value)
        return None
    shape = (*name, *[_take(part, leaves, node) for part in parts])
    inside = leaves[start:]
    if not any(type(leaf) is node for leaf in inside):
        if name[0] == MADE and kind not in _graph_containers.COPIED:
            raise _graph_containers.refusal(value, "it is pickled without the node")
        # No node is in here: one leaf, a copy.
        leaves[start:] = [_build(shape, iter(inside))]
        return None
    return shape


def _pairs(value):
    return [part for pair in value.items() for part in pair]


def _ends(value):
    return value.start, value.stop, value.step


_PARTS = {list: tuple, tuple: tuple, set: tuple, dict: _pairs, slice: _ends}
_NAMES = {list: LIST, tuple: TUPLE, set: SET, dict: DICT, slice: SLICE}


def call_method(value, name, *args, **kwargs):
    """`value.name(...)`."""
    return getattr(value, name)(*args, **kwargs)


def call(function, *args, **kwargs):
    """`function(...)`, of a function that is itself a result."""
    return function(*args, **kwargs)
