"""Functions that go by value and are called one by one: told to the workers once, for as long as they stay as they are.

`Executor.submit` and `Pool.apply` look at the caller's function anew for each call, as they must: it may have changed.
For most functions that look is short. One that is made of code, constants, modules and other such functions is what it
was if all of these are the very same objects, and if nothing newer has been published in their place.
"""

import sys
from _weakref import ref
from types import BuiltinFunctionType, FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType

from ._by_name import importable, travels_by_name
from ._code_globals import global_names

#: Others, beyond so many, are pickled with each call.
MOST = 256
_MOST_PARTS = 200
#: A function that was another so many times is not told again: it is one that changes with each call.
_CHANGES = 16
_CONSTANTS = frozenset((int, float, complex, str, bytes, bool, type(None), BuiltinFunctionType))
_ABSENT = object()
#: What a class has that nobody changes in place.
_FIXED = frozenset(
    "__annotations__ __dataclass_fields__ __dataclass_params__ __match_args__ __orig_bases__ __parameters__ __slots__ "
    "__slotnames__ __static_attributes__ __type_params__".split()
)


class SteadyFunctions:
    """The functions that one pool's workers were told for single calls. Used under the lock of their publisher."""

    def __init__(self, workers):
        self._publisher = workers.publisher
        self._tell = workers.tell_function
        self._told = {}  # id(function) -> _Told
        self._met = None  # weak reference to the last function that was not told yet
        self._replaced = []  # what calls that are under way may still need

    def told(self, function):
        """`function` as the workers know it: its `number`, what it `needs`; None where the call must bring it along.

        A function is told when it comes a second time: most of those that come once never come again.
        """
        known = self._told.get(id(function))
        if known is None:
            if self._met is None or self._met() is not function:
                self._met = ref(function)
                return None
            if len(self._told) >= MOST:
                return None
        elif known.changes >= _CHANGES:
            return None
        parts = parts_of(function)
        if parts is None:
            return None
        changes = 0
        if known is not None:
            if known.holds(parts, self._publisher):
                return known
            self._replaced.append(known)
            changes = known.changes + 1
        number, session = self._tell(function)
        self._told[id(function)] = told = _Told(function, parts, number, session, self._publisher)
        told.changes = changes
        return told


class _Told:
    """A function as the workers know it."""

    def __init__(self, function, parts, number, session, publisher):
        self.number = number
        self.needs = [*session.needs, number]
        self.changes = 0
        self._function = function  # keeps its address from becoming another's
        self._parts = parts
        self._modules = len(sys.modules)  # a package has other submodules when more have been imported
        self._session = session  # keeps what the function needs from being forgotten
        self._bindings = [(key, publisher._current[key][0]) for key in session.bound() if key in publisher._current]

    def holds(self, parts, publisher):
        """Whether it is what it was, and the workers' globals are too."""
        before = self._parts
        if len(parts) != len(before) or self._modules != len(sys.modules):
            return False
        for part, other in zip(parts, before):
            if part is not other:
                return False
        current = publisher._current
        for key, number in self._bindings:
            found = current.get(key)
            if found is None or found[0] != number:
                return False
        return True


def parts_of(function):
    """All that a function is made of, to be compared by identity; None where something of it could change unseen."""
    parts = []
    return parts if _collect(function, parts) else None


def _collect(function, parts):
    if function.__dict__ or function.__kwdefaults__:
        return False
    code, namespace = function.__code__, function.__globals__
    parts += [function, code, function.__name__, function.__qualname__, function.__doc__]
    values = list(function.__defaults__ or ())
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:
            return False
    values += [namespace.get(name, _ABSENT) for name in global_names(code)]
    for value in values:
        kind = type(value)
        circle = kind is FunctionType and any(value is part for part in parts)
        parts.append(value)
        if circle or kind in _CONSTANTS or value is _ABSENT:
            continue
        if kind is ModuleType:
            if not importable(value.__name__):
                return False
        elif kind is FunctionType:
            if not travels_by_name(value) and not _collect(value, parts):
                return False
        elif not (kind is type and travels_by_name(value)):
            return False
    return len(parts) <= _MOST_PARTS


def parts_of_classes(classes, functions):
    """All that these classes and the globals of these functions are made of, as above; None where something of it could
    change unseen. `classes`: those that go by value, by their id; `functions`: (code, globals) of each that is used.
    """
    parts = []
    for cls in classes.values():
        parts.append(cls.__bases__)
        for name, value in cls.__dict__.items():
            parts += (name, value)
            if name not in _FIXED and not _collect_member(value, parts, classes):
                return None
    for code, namespace in functions:
        for name in global_names(code):
            value = namespace.get(name, _ABSENT)
            parts.append(value)
            if value is not _ABSENT and not _collect_member(value, parts, classes):
                return None
    return parts


def _collect_member(value, parts, classes):
    kind = type(value)
    if kind is FunctionType:
        return _collect_alone(value, parts, classes)
    if kind in _CONSTANTS or id(value) in classes or kind in (GetSetDescriptorType, MemberDescriptorType):
        return True
    if kind in (staticmethod, classmethod):
        return _collect_member(value.__func__, parts, classes)
    if kind is property:
        wrapped = value.fget, value.fset, value.fdel
        parts += wrapped
        return all(one is None or _collect_member(one, parts, classes) for one in wrapped)
    if kind is ModuleType:
        return importable(value.__name__)
    return kind is type and travels_by_name(value)


def _collect_alone(function, parts, classes):
    """A function without its globals."""
    if function.__globals__.get("__name__") == "dataclasses":  # it made this, and nothing that changes
        return True
    if function.__dict__ or function.__kwdefaults__:
        return travels_by_name(function)
    parts += [function.__code__, function.__name__, function.__qualname__, function.__doc__, function.__defaults__]
    values = list(function.__defaults__ or ())
    for cell in function.__closure__ or ():
        try:
            values.append(cell.cell_contents)
        except ValueError:
            return False
    parts += values
    return all(type(value) in _CONSTANTS or id(value) in classes for value in values) or travels_by_name(function)
