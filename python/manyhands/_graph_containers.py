"""Nodes in containers of other kinds than list, tuple, dict, set and slice: found, and the containers taken apart.

What holds no node is left as it is. What does is taken apart as pickle would, and put together with the results in the
nodes' places.
"""

from collections import ChainMap, Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from functools import partial
from types import BuiltinFunctionType, FunctionType, GeneratorType, MappingProxyType, SimpleNamespace

#: Copied like a list, whatever is inside.
COPIED = frozenset((OrderedDict, defaultdict, Counter, deque))
#: A leaf for certain, without a further look.
PLAIN = frozenset((int, float, complex, bool, str, bytes, type(None), type, range, FunctionType, BuiltinFunctionType))
#: Gone when they have been looked through once.
_ONCE = frozenset((GeneratorType, map, filter, zip, enumerate, reversed, *map(type, map(iter, ([], (), {}, set())))))
_ROWS = (list, tuple, set, frozenset, deque)
_EMPTY: dict = {}
_VIEWS = tuple(map(type, (_EMPTY.keys(), _EMPTY.values(), _EMPTY.items())))
_KNOWN = frozenset((dict, *_ROWS, *_VIEWS, *_ONCE, slice, MappingProxyType, partial))
_KNOWN |= {SimpleNamespace, UserDict, UserList, ChainMap}  # what these hold are attributes of theirs


def may_hold(value):
    """Whether it is a container at all: a quick look."""
    kind = type(value)
    return (
        not _KNOWN.isdisjoint(kind.__mro__)
        or hasattr(kind, "__dataclass_fields__")
        or hasattr(kind, "__attrs_attrs__")
        or (kind.__name__ == "ndarray" and kind.__module__ == "numpy" and value.dtype.hasobject)
    )


def holds(value, node):
    """Whether what is of class `node` is anywhere in a container. `TypeError` for what can be looked through once."""
    if type(value) in _ONCE:
        raise TypeError(
            f"an argument is a {type(value).__name__}, which can be gone through once and not be looked into for "
            "nodes: give a list of what it yields"
        )
    seen, left = {}, [value]  # by id, and kept: what was made only to be looked at must not give its id to the next
    while left:
        value = left.pop()
        if type(value) is node:
            return True
        inside = _contents(value)
        if inside is not None and id(value) not in seen:
            seen[id(value)] = value
            left += [part for part in inside if type(part) not in PLAIN]
    return False


def _contents(value):
    """What stands in a container, None for what is none."""
    if not may_hold(value):
        return None
    kind = type(value)
    if issubclass(kind, dict):
        return [*dict.keys(value), *dict.values(value), *_attributes(value)]
    for row in _ROWS:
        if issubclass(kind, row):
            return [*row.__iter__(value), *_attributes(value)]
    if kind is slice:
        return [value.start, value.stop, value.step]
    if kind in _VIEWS:
        return list(value)
    if kind is MappingProxyType:
        return [*value, *value.values()]
    if issubclass(kind, partial):
        return [*value.args, *value.keywords.values()]
    if hasattr(kind, "__dataclass_fields__"):
        return [*(getattr(value, name, None) for name in kind.__dataclass_fields__), *_attributes(value)]
    if hasattr(kind, "__attrs_attrs__"):
        return [*(getattr(value, field.name, None) for field in kind.__attrs_attrs__), *_attributes(value)]
    if kind.__name__ == "ndarray":
        return value.ravel().tolist()
    return _attributes(value)


def _attributes(value):
    return getattr(value, "__dict__", {}).values()


def apart(value):
    """(what makes it, its arguments, state, items of a list, keys and values of a dict in a row) of a container."""
    if type(value) in _VIEWS:
        return list, (list(value),), None, None, None
    try:
        reduced = value.__reduce_ex__(4)
        if type(reduced) is not tuple or len(reduced) > 5:
            raise TypeError("it is pickled in a way of its own")
        make, args, state, items, pairs = (*reduced, None, None, None)[:5]
    except Exception as error:
        raise refusal(value, error) from error
    return (
        make,
        args,
        state,
        None if items is None else list(items),
        None if pairs is None else [part for pair in pairs for part in pair],
    )


def refusal(value, reason):
    """The error for a container with a node in it that no result can be put into."""
    return TypeError(
        f"a node stands in a {type(value).__name__}, where its result cannot be put ({reason}): give it in a list, "
        "tuple or dict, or as an argument of its own"
    )


def together(make, args, state, items, pairs):
    """The container again."""
    value = make(*args)
    if items:
        value.extend(items)
    if pairs:
        for key, part in zip(pairs[::2], pairs[1::2]):
            value[key] = part
    if state is not None:
        if hasattr(value, "__setstate__"):
            value.__setstate__(state)
        else:
            attributes, slots = state if type(state) is tuple and len(state) == 2 else (state, None)
            if attributes:
                value.__dict__.update(attributes)
            for name, part in (slots or {}).items():
                setattr(value, name, part)
    return value
