"""How each type goes that plain pickle would send wrongly or not at all.

Reducers take (pickler, object) and return what `__reduce__` may return; `pickler.sender` is the `Sender` that
knows what the other side has. The pickler asks `REDUCERS` first and `reducer_for` once for each further type.
"""

import marshal
import sys
from _functools import _lru_cache_wrapper
from _io import TextIOWrapper
from copyreg import __newobj__ as _new_object, dispatch_table as _dispatch_table  # type: ignore[attr-defined]
from operator import mul
from types import BuiltinFunctionType, CellType, FunctionType, MappingProxyType, MethodType, ModuleType

from . import _loading, _memory_maps
from ._by_name import importable
from ._native import Jitted

_HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made at run time, so it may be one of the user's


def _reduce_function(pickler, function):
    sender = pickler.sender
    if sender.is_named(function):
        return NotImplemented
    code = function.__code__
    if "_clear_cache" in function.__dict__ and function.__globals__.get("__name__") == "functools":
        return _reduce_single_dispatch(function)
    space = sender.space_of(function.__globals__)
    inside = sender.use(function, space)
    # Version 2 of the format writes no back references: those depend on reference counts, and the same code
    # must give the same bytes each time, or it would look changed.
    made = (sender.make_function, (space, marshal.dumps(code, 2), function.__closure__))
    state = _unlike_its_code(function, code)
    if inside:
        state["__globals__"] = inside
    return (*made, state, None, None, sender.complete_function) if state else made


def _reduce_single_dispatch(function):
    # Its own closure holds caches and locks; what counts is the function and what was registered.
    plain = function.__wrapped__
    return _loading.make_single_dispatch, (plain, [pair for pair in function.registry.items() if pair[1] is not plain])


def _unlike_its_code(function, code):
    """The attributes in which `function` differs from one freshly made of its code."""
    state = {}
    name = code.co_name
    if function.__name__ != name:
        state["__name__"] = function.__name__
    if function.__qualname__ != getattr(code, "co_qualname", name):
        state["__qualname__"] = function.__qualname__
    if function.__module__ != function.__globals__.get("__name__"):
        state["__module__"] = function.__module__
    documented = code.co_consts[0] if code.co_consts and type(code.co_consts[0]) is str else None
    if function.__doc__ != documented:
        state["__doc__"] = function.__doc__
    for attribute in ("__defaults__", "__kwdefaults__", "__annotations__", "__dict__", "__type_params__"):
        value = getattr(function, attribute, None)
        if value:
            state[attribute] = value
    return state


def _reduce_class(pickler, cls):
    sender = pickler.sender
    if sender.is_named(cls):
        return NotImplemented
    if cls.__module__ == "_ctypes":
        # The classes of its classes have no name that leads to them; each is the class of one that has.
        base = next((base for base in vars(sys.modules["_ctypes"]).values() if type(base) is cls), None)
        return NotImplemented if base is None else (type, (base,))
    if not cls.__flags__ & _HEAP_TYPE:
        # Built into the interpreter: pickle knows type(None) and its like, the types module names the rest.
        types = sys.modules["types"]
        name = next((name for name, value in vars(types).items() if value is cls), None)
        return (getattr, (types, name)) if name is not None else NotImplemented
    return sender.reduce_class(cls)


def _reduce_ctypes_class(pickler, cls):
    # What ctypes has made of another class it makes there too, and once: arrays, pointers, the other byte order.
    if pickler.sender.is_named(cls):
        return NotImplemented
    kind, made_of = type(cls).__name__, cls.__dict__.get("_type_")
    if kind == "PyCArrayType" and made_of is not None and made_of * cls._length_ is cls:
        return mul, (made_of, cls._length_)
    if kind == "PyCPointerType" and isinstance(made_of, type) and sys.modules["ctypes"].POINTER(made_of) is cls:
        return sys.modules["ctypes"].POINTER, (made_of,)
    here, other = ("__ctype_le__", "__ctype_be__") if sys.byteorder == "little" else ("__ctype_be__", "__ctype_le__")
    usual = getattr(cls, here, cls)
    if usual is not cls and getattr(usual, other, None) is cls:
        return getattr, (usual, other)
    return _reduce_class(pickler, cls)


def _reduce_cell(pickler, cell):
    # The cell itself travels, not its contents: two closures over one variable go on sharing it. It is
    # filled only after it exists, since it may hold the very function that closes over it.
    try:
        contents = (cell.cell_contents,)
    except ValueError:
        return _loading.make_cell, ()
    return _loading.make_cell, (), contents, None, None, _loading.fill_cell


def _reduce_module(pickler, module):
    name = module.__name__
    if sys.modules.get(name) is module and name != "__main__" and importable(name):
        return _loading.import_module, (name,)
    sender = pickler.sender
    space = sender.space_of(vars(module))
    sender.use_module(module, space)
    return _loading.make_module, (space,)


def _reduce_method(pickler, method):
    # pickle would ask the instance for an attribute of the function's name, which for a lambda, a mangled
    # name or a call through super() is another one or none.
    if type(method.__func__) is FunctionType:
        return MethodType, (method.__func__, method.__self__)
    return NotImplemented


def _reduce_wrapper(pickler, wrapper):
    return type(wrapper), (wrapper.__func__,)


def _reduce_property(pickler, made):
    return type(made), (made.fget, made.fset, made.fdel, made.__doc__)


def _reduce_mapping_proxy(pickler, proxy):
    return MappingProxyType, (dict(proxy),)


def _reduce_lru_cache(pickler, cached):
    if pickler.sender.is_named(cached):
        return NotImplemented
    own = {name: value for name, value in vars(cached).items() if name not in ("__wrapped__", "cache_parameters")}
    return _loading.make_lru_cache, (cached.__wrapped__, cached.cache_parameters(), own)


def _reduce_jitted(pickler, jitted):
    if pickler.sender.is_named(jitted):
        return NotImplemented
    from ._jit_calls import texts

    # The other side compiles by itself, and cannot read what has no file: cells of notebooks.
    return _loading.make_jitted, (jitted.py_func, jitted._options, texts(jitted))


def _reduce_cached_property(pickler, made):
    return _loading.make_cached_property, (type(made), made.func, made.attrname)


def _reduce_stream(pickler, stream):
    for name in ("stdout", "stderr", "stdin", "__stdout__", "__stderr__", "__stdin__"):
        if getattr(sys, name, None) is stream:
            return getattr, (sys, name)
    return NotImplemented


def _reduce_bare_object(pickler, obj):
    # `missing = object()` is compared by identity, so it must be the global of that name on either side.
    reference = pickler.sender.reduce_global(obj, None)
    return NotImplemented if reference is None else reference


def _reduce_module_constant(pickler, obj):
    # dataclasses.MISSING and its like: constants compared by identity that pickle would copy.
    module = sys.modules[type(obj).__module__]
    name = next((name for name, value in vars(module).items() if value is obj), None)
    return NotImplemented if name is None else (getattr, (module, name))


def _reduce_type_variable(pickler, variable):
    name = variable.__name__
    module = sys.modules.get(getattr(variable, "__module__", None))
    if module is not None and importable(module.__name__) and getattr(module, name, None) is variable:
        return name
    reference = pickler.sender.reduce_global(variable, name)
    if reference is not None:
        return reference
    kind = type(variable)
    if kind.__name__ == "NewType":
        return kind, (name, variable.__supertype__)
    if kind.__name__ == "TypeVarTuple":
        return kind, (name,)
    from functools import partial

    keywords = {
        "bound": variable.__bound__,
        "covariant": variable.__covariant__,
        "contravariant": variable.__contravariant__,
    }
    if getattr(variable, "__infer_variance__", False):
        keywords["infer_variance"] = True
    return partial(kind, name, *getattr(variable, "__constraints__", ()), **keywords), ()


def _reduce_own_way(pickler, obj):
    # A class of the user's that says itself how it is pickled. Where it answers with a string, "I am the global
    # of that name", that global is in a module which the other side does not import.
    reduced = obj.__reduce_ex__(5)
    if type(reduced) is not str:
        return reduced
    # Where the global stands: the object may say so itself (a Cython function's class is in no importable module).
    home = getattr(obj, "__module__", None)
    if importable(home if type(home) is str else type(obj).__module__):
        return reduced
    reference = pickler.sender.reduce_global(obj, reduced)
    if reference is not None:
        return reference
    # The global itself is being sent, or there is none: then it goes as any instance does.
    return _new_object, (type(obj),), getattr(obj, "__dict__", None) or None


def _reduce_task(pickler, task):
    # As its function would go: by name only where the other side finds it by that name.
    home = getattr(task, "__module__", None)
    return task.__reduce__() if type(home) is str and importable(home) else task._by_value()


def _is_plain_array_subclass(kind):
    # Memory maps, record arrays, the user's own; not those that say themselves how they are pickled (masked arrays).
    array = getattr(sys.modules.get("numpy"), "ndarray", None)
    return (
        array is not None
        and kind is not array
        and issubclass(kind, array)
        and kind.__reduce__ is array.__reduce__
        and kind.__reduce_ex__ is array.__reduce_ex__
        and kind.__setstate__ is array.__setstate__
    )


def _reduce_memory_map(pickler, obj):
    reference = _memory_maps.reference(obj)
    return _reduce_array(pickler, obj) if reference is None else (_memory_maps.opened, reference)


def _reduce_array(pickler, obj):
    # NumPy sends only its very own class out of band.
    return _loading.view_array, (type(obj), obj.view(sys.modules["numpy"].ndarray))


_TYPE_VARIABLES = frozenset(("TypeVar", "ParamSpec", "TypeVarTuple", "NewType"))


def reducer_for(kind, sender):
    """The reducer for instances of a type seen for the first time, or None for pickle's own way."""
    if issubclass(kind, type):
        return _reduce_ctypes_class if any(base.__module__ == "_ctypes" for base in kind.__mro__) else _reduce_class
    if issubclass(kind, ModuleType):
        return _reduce_module
    if issubclass(kind, (staticmethod, classmethod)):
        return _reduce_wrapper
    if issubclass(kind, property):
        return _reduce_property
    if issubclass(kind, TextIOWrapper) or kind in (type(sys.stdout), type(sys.stderr)):
        return _reduce_stream
    if sender.shares and _memory_maps.is_memory_map(kind):
        return _reduce_memory_map
    shared = sender.reducer_of(kind)
    if shared is not None:
        return shared
    module = kind.__module__
    if module == "typing" and kind.__name__ in _TYPE_VARIABLES:
        return _reduce_type_variable
    if module == "dataclasses" and kind.__name__ != "Field":
        return _reduce_module_constant
    if module == "functools" and kind.__name__ == "cached_property":
        return _reduce_cached_property
    if module == f"{__package__}.graph" and kind.__name__ == "Task":
        return _reduce_task
    if _is_plain_array_subclass(kind):
        return _reduce_array
    if kind in _dispatch_table or sender.is_named(kind):
        return None
    if kind.__reduce__ is object.__reduce__ and kind.__reduce_ex__ is object.__reduce_ex__:
        return None
    return _reduce_own_way


REDUCERS = {
    FunctionType: _reduce_function,
    type: _reduce_class,
    CellType: _reduce_cell,
    ModuleType: _reduce_module,
    MethodType: _reduce_method,
    staticmethod: _reduce_wrapper,
    classmethod: _reduce_wrapper,
    property: _reduce_property,
    MappingProxyType: _reduce_mapping_proxy,
    _lru_cache_wrapper: _reduce_lru_cache,
    Jitted: _reduce_jitted,
    object: _reduce_bare_object,
    BuiltinFunctionType: None,  # `len` by name, `[].append` by its list: as pickle does
}
