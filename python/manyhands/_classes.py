"""A class by value, in two parts.

The *skeleton* is what must be there when a class is born: metaclass, name, bases, slots, an enum's members.
It depends only on classes that were there before, so skeletons never form a cycle. The *state* is everything
else in the class's dictionary; it may name any class, this one included (`super()` keeps its class in a cell).

A metaclass of a library runs as always. One that itself travels by value does not run again: what it did to
the class in the parent is in the state already, and its side effects belong to the parent.
"""

import sys
from types import GetSetDescriptorType, MemberDescriptorType

from ._by_name import travels_by_name

# In the skeleton, or made by the class's birth in any process.
_BORN_WITH = frozenset(
    "__module__ __qualname__ __slots__ __orig_bases__ __dict__ __weakref__ _abc_impl __ctype_be__ __ctype_le__".split()
)
# Set last: Python 3.13 deletes it when any other attribute of the class is set.
_SET_LAST = "__firstlineno__"
# An enum's private bookkeeping is rebuilt by its metaclass; these two are the user's.
# What a structure of ctypes is laid out by, in the order in which it must be set: the fields last. They may name the
# class itself.
_LAYOUT = ("_pack_", "_layout_", "_align_", "_anonymous_", "_fields_")
# What other classes of ctypes must have when they are born.
_CTYPES = ("_type_", "_length_", "_flags_", "_argtypes_", "_restype_")
_ENUM_HOOKS = frozenset(("_missing_", "_generate_next_value_"))


def skeleton(cls):
    """Arguments of `make_class` for `cls`."""
    own = cls.__dict__
    namespace = {name: own[name] for name in ("__module__", "__slots__", "__orig_bases__") if name in own}
    namespace["__qualname__"] = cls.__qualname__
    if _is_of_ctypes(type(cls)):
        namespace.update((name, own[name]) for name in _CTYPES if name in own)
    if "__dict__" in own and type(own["__dict__"]) is not GetSetDescriptorType:
        namespace["__dict__"] = own["__dict__"]
    members = keywords = None
    if _is_enum(cls):
        members = [(name, member._value_) for name, member in cls.__members__.items()]
        if "_boundary_" in own:  # a Flag of Python 3.11 or later
            keywords = {"boundary": cls._boundary_}
    return type(cls), cls.__name__, cls.__bases__, namespace, members, keywords


def make_class(metaclass, name, bases, namespace, members, keywords):
    """A class that still lacks its state."""
    birth = next(
        base
        for base in metaclass.__mro__
        if ("__new__" in base.__dict__ or base.__module__ == "_ctypes") and _is_ready_made(base)
    )
    if members is not None:
        # An enum's own dictionary records the members as they are set in it.
        prepared = metaclass.__prepare__(name, bases)
        for key, value in [*namespace.items(), *members]:
            prepared[key] = value
        namespace = prepared
    try:
        cls = birth.__new__(metaclass, name, bases, namespace, **(keywords or {}))
    except TypeError:
        cls = _without_subclass_hook(birth, metaclass, name, bases, namespace)
    if birth is not type and members is None:
        birth.__init__(cls, name, bases, namespace)
    return cls


def class_state(cls):
    """Everything in the dictionary of `cls` that `make_class` does not make, and what stands beside it."""
    is_enum = _is_enum(cls)
    attributes = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in _BORN_WITH and not _made_at_birth(cls, name, value, is_enum)
    }
    extras = {}
    if _is_of_ctypes(type(cls)):
        extras["layout"] = [(name, attributes.pop(name)) for name in _LAYOUT if name in attributes]
    if "_abc_impl" in cls.__dict__:
        from _abc import _get_dump

        registered = [reference() for reference in _get_dump(cls)[0]]
        extras["registered"] = sorted(
            (other for other in registered if other is not None), key=lambda other: other.__qualname__
        )
    if is_enum:
        # What a user's `__init__` or `__new__` gave each member beside its value.
        own = {name: _member_attributes(member) for name, member in cls.__members__.items()}
        extras["members"] = {name: values for name, values in own.items() if values}
    return attributes, extras


def set_class_state(cls, state):
    """Completes a class made by `make_class`, or brings it up to date; returns the names that were set."""
    attributes, extras = state
    # type's own __setattr__: a metaclass's belongs to the user's assignments, not to ours.
    plain = _plain_metaclass(cls)
    for name, value in extras.get("layout", ()):
        if name not in cls.__dict__:  # it is laid out once
            plain.__setattr__(cls, name, value)
    for name, value in attributes.items():
        if name != _SET_LAST:
            plain.__setattr__(cls, name, value)
    if _SET_LAST in attributes:
        plain.__setattr__(cls, _SET_LAST, attributes[_SET_LAST])
    for other in extras.get("registered", ()):
        cls.register(other)
    for name, values in extras.get("members", {}).items():
        vars(cls.__members__[name]).update(values)
    return frozenset(attributes)


def delete_class_state(cls, names):
    """Takes away attributes that `set_class_state` has set."""
    for name in names:
        _plain_metaclass(cls).__delattr__(cls, name)


def _plain_metaclass(cls):
    return next(base for base in type(cls).__mro__ if base is type or base.__module__ == "_ctypes")


def _is_enum(cls):
    enum = sys.modules.get("enum")
    return enum is not None and issubclass(type(cls), enum.EnumMeta)


def _is_of_ctypes(metaclass):
    return any(base.__module__ == "_ctypes" for base in metaclass.__mro__)


def _is_ready_made(metaclass):
    return metaclass is type or metaclass.__module__ == "_ctypes" or travels_by_name(metaclass)


def _without_subclass_hook(birth, metaclass, name, bases, namespace):
    """Makes a class whose birth asks for what nobody can know afterwards.

    That is mostly a base's `__init_subclass__` with keywords. It has run in the parent and its effect is in the
    state; here it is hidden while the class is born. Else it is a metaclass that refuses the bases as they came
    out (TypedDict's): it is passed by, the state holds what it did.
    """
    hooked = next((base for base in bases for base in base.__mro__ if "__init_subclass__" in base.__dict__), object)
    if hooked is object or _is_ready_made(type(hooked)) and travels_by_name(hooked):
        return type.__new__(metaclass, name, bases, dict(namespace))
    hook = hooked.__dict__["__init_subclass__"]
    type.__setattr__(hooked, "__init_subclass__", classmethod(lambda cls, **keywords: None))
    try:
        return birth.__new__(metaclass, name, bases, namespace)
    finally:
        type.__setattr__(hooked, "__init_subclass__", hook)


def _made_at_birth(cls, name, value, is_enum):
    if type(value) in (MemberDescriptorType, GetSetDescriptorType) and value.__objclass__ is cls:
        return True  # a slot
    if type(value).__module__ == "_ctypes" and type(value).__name__ == "CField":
        return True
    if not is_enum:
        return False
    if name in cls.__members__ or name == "__new__" and value is sys.modules["enum"].Enum.__new__:
        return True
    return name[:1] == "_" == name[-1:] and name[:2] != "__" and name not in _ENUM_HOOKS


def _member_attributes(member):
    return {name: value for name, value in vars(member).items() if not (name[:1] == "_" and name[-1:] == "_")}
