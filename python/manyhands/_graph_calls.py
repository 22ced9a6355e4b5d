"""What workers run of a graph: the tasks' functions, with their arguments put together again.

Arguments travel as *leaves* in a row, nodes among them replaced by their results, and a *shape* that says how they
stood together: None where all of them are positional arguments, else (shapes of the positional arguments, names of the
others, their shapes). The shape of one argument is None for a leaf, else what contained it and the shapes inside.
"""

from time import perf_counter

LIST, TUPLE, NAMED, SET, DICT, SLICE = "list", "tuple", "named", "set", "dict", "slice"


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
        return cls(*[_build(part, leaves) for part in inside])
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
            if type(value) in _PARTS or isinstance(value, tuple):
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
    parts = _PARTS.get(kind)
    name = None
    if parts is None:
        if not (isinstance(value, tuple) and hasattr(kind, "_fields")):
            leaves.append(value)
            return None
        name, parts = (NAMED, kind), tuple
    start = len(leaves)
    shape = tuple([_take(part, leaves, node) for part in parts(value)])
    inside = leaves[start:]
    if name is None:
        name = (_NAMES[kind],)
    shape = (*name, *shape)
    if not any(type(leaf) is node for leaf in inside):
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
