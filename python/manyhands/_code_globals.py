"""Which global names a code object touches.

`co_names` mixes global names with the names of attributes and imports, so that `text.count(...)` would drag
in a global that happens to be called `count`. The instructions tell them apart. They are read straight from
the bytes: two bytes each, operation and argument, inline caches being zeroed in `co_code`.
"""

import sys
from types import CodeType, ModuleType

_OPERATIONS = ("EXTENDED_ARG", "LOAD_GLOBAL", "LOAD_NAME", "STORE_GLOBAL", "DELETE_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS")

# The numbers of these operations. The `opcode` module knows them too, but importing it costs a map of the
# user's own function 1 to 2 ms; a test compares the two.
_NUMBERS = {
    (3, 10): (144, 116, 101, 97, 98, None),
    (3, 11): (144, 116, 101, 97, 98, None),
    (3, 12): (144, 116, 101, 97, 98, 175),
    (3, 13): (71, 91, 92, 113, 66, 90),
}


def _operation_numbers():
    numbers = _NUMBERS.get(sys.version_info[:2])
    if numbers is None:
        from opcode import opmap

        numbers = tuple(opmap.get(name) for name in _OPERATIONS)
    return numbers


# A name that is only stored counts too: an initializer that sets a global must find it in place *before* it
# runs, or the parent's value would arrive with the first task and hide what the initializer set.
_EXTENDED_ARG, _LOAD_GLOBAL, *_OTHERS = _operation_numbers()
_SHIFT = {number: 0 for number in _OTHERS if number is not None}
# From 3.11 on the lowest bit of LOAD_GLOBAL's argument says "push a NULL too"; the name's index is above it.
_SHIFT[_LOAD_GLOBAL] = 1 if sys.version_info >= (3, 11) else 0

# id(code) -> (code, names). Keyed by identity because hashing a code object hashes all its constants.
_seen: dict = {}
_SEEN_LIMIT = 4096


def global_names(code):
    """Names of the globals that `code` and the functions nested in it read, set or delete, in order."""
    known = _seen.get(id(code))
    if known is not None:
        return known[1]
    names = tuple(dict.fromkeys(_walk(code)))
    if len(_seen) >= _SEEN_LIMIT:
        _seen.clear()
    _seen[id(code)] = (code, names)
    return names


def used_submodules(code, module):
    """Names of the loaded submodules of `module` that `code` can reach as attributes of it.

    `import os.path` binds `os` alone; in a process that has imported only `scipy`, `scipy.stats` is missing.
    So the submodules that the code names and the sender has loaded are imported on the other side first.
    """
    attributes = _attributes(code)
    found = []
    waiting = [module.__name__]
    while waiting:
        parent = waiting.pop()
        for attribute in attributes:
            name = f"{parent}.{attribute}"
            if name not in found and type(sys.modules.get(name)) is ModuleType:
                found.append(name)
                waiting.append(name)
    return found


def _walk(code):
    names = code.co_names
    argument = 0
    raw = code.co_code
    for position in range(0, len(raw), 2):
        operation = raw[position]
        argument = argument << 8 | raw[position + 1]
        if operation == _EXTENDED_ARG:
            continue
        shift = _SHIFT.get(operation)
        if shift is not None:
            yield names[argument >> shift]
        argument = 0
    for constant in code.co_consts:
        if type(constant) is CodeType:
            yield from _walk(constant)


def _attributes(code):
    names = set(code.co_names)
    for constant in code.co_consts:
        if type(constant) is CodeType:
            names.update(_attributes(constant))
    return sorted(names)
