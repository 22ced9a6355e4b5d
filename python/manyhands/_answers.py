"""Are two answers the same?"""

import sys


def difference(one, other):
    """Where two answers differ, in words; None where they do not, or where there is no telling (objects without `==`).

    Floats are the same where they are equal or both nan; arrays where their dtypes, shapes and elements are.
    """
    return _difference(one, other, "", 0)


def _difference(one, other, place, depth):
    if one is other:
        return None
    if type(one) is not type(other):
        return f"{place or 'the answer'} is of {type(one).__name__}, then of {type(other).__name__}"
    if isinstance(one, (list, tuple)) and depth < 50:
        if len(one) != len(other):
            return f"{place or 'the answer'} has {len(one)} elements, then {len(other)}"
        for index, (first, second) in enumerate(zip(one, other)):
            inner = f"{place}[{index}]" if place else f"item {index}"
            found = _difference(first, second, inner, depth + 1)
            if found:
                return found
        return None
    if isinstance(one, dict) and depth < 50:
        if one.keys() != other.keys():
            return f"the keys of {place or 'the answer'} differ"
        for key in one:
            found = _difference(one[key], other[key], f"{place or 'the answer'}[{key!r}]", depth + 1)
            if found:
                return found
        return None
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(one, numpy.ndarray):
        same = one.dtype == other.dtype and one.shape == other.shape and _same_elements(numpy, one, other)
        return None if same else f"the arrays of {place or 'the answer'} differ"
    if type(one).__eq__ is object.__eq__:
        return None
    try:
        same = bool(one == other) or bool(one != one and other != other)
    except Exception:
        return None
    return None if same else f"{place or 'the answer'} was {_short(one)}, then {_short(other)}"


def _same_elements(numpy, one, other):
    try:
        return bool(numpy.array_equal(one, other, equal_nan=True))
    except TypeError:
        return bool(numpy.array_equal(one, other))


def _short(value):
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:39]}…"
