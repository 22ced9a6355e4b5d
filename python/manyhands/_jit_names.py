"""The names by which the loop compiler knows what it knows: functions and types of a few modules, told by identity.

`from math import exp as e` and `np.abs` beside `np.absolute` lead to the same object, so to the same name. What has a
name here and is not known to the compiler is refused by that name.
"""

import sys

#: Modules whose functions and types have names here; each only where the program has imported it. The first that has an
#: object gives its name.
_MODULES = (
    "builtins",
    "math",
    "cmath",
    "random",
    "numpy",
    "numpy.random",
    "numpy.linalg",
    "numpy.fft",
    "operator",
    "manyhands",
    "manyhands.loops",
    "manyhands._jit_intrinsics",
    "numba",
)
#: NumPy has two types for some kinds, and its versions have two names for some types.
_SAME = {
    "numpy.bool": "numpy.bool_",
    "numpy.longlong": "numpy.int64",
    "numpy.ulonglong": "numpy.uint64",
    "manyhands.loops.prange": "manyhands.prange",
    "numba.prange": "manyhands.prange",
}


def canonical(value):
    """The name of a function, a ufunc or a type that compiled code may know; None for all else."""
    if not callable(value):
        return None
    name = getattr(value, "__name__", None)
    if type(name) is not str:
        return None
    for home in _MODULES:
        module = sys.modules.get(home)
        if module is not None and getattr(module, "__dict__", {}).get(name) is value:
            found = f"{home}.{name}"
            return _SAME.get(found, found)
    return None
