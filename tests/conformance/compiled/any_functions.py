"""Functions that nobody wrote for the compiler, given to it with numbers and arrays: `python any_functions.py MODULE ...`.

Prints how many were refused and how many were compiled. Each either raises one of the errors that a user may meet, or does what the
interpreter does; the process survives all of them.
"""

import importlib
import inspect
import sys
import types

import differential
import numpy as np

import manyhands as mh

#: What the compiler may say of a function, or compiled code of its arguments.
EXPECTED = (
    mh.CompileError,
    mh.RaceError,
    TypeError,
    ValueError,
    IndexError,
    NameError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    RecursionError,
    KeyError,
    NotImplementedError,
)


def functions(module):
    """Plain functions and methods of a module's own."""
    for owner in (module, *filter(inspect.isclass, vars(module).values())):
        for found in vars(owner).values():
            if isinstance(found, types.FunctionType) and found.__module__ == module.__name__:
                yield found


def choices(function):
    """Arguments of several kinds, as many as the function must have."""
    parameters = inspect.signature(function).parameters.values()
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    count = sum(parameter.default is parameter.empty and parameter.kind in kinds for parameter in parameters)
    yield lambda: [3] * count
    yield lambda: [0.25] * count
    yield lambda: [np.arange(1.0, 6.0), *[2] * (count - 1)][:count]
    yield lambda: [np.arange(6).reshape(2, 3)] * count


def alike(found, expected):
    """Equal values; a variable that holds ints and floats holds floats here."""
    if isinstance(expected, tuple):
        return len(found) == len(expected) and all(map(alike, found, expected))
    return np.array_equal(found, expected, equal_nan=np.asarray(expected).dtype.kind in "fc")


def main(names):
    refused = compiled = 0
    for name in names:
        for function in functions(importlib.import_module(name)):
            for arguments in choices(function):
                found = differential.outcome(lambda *given: mh.jit(function)(*given), arguments())  # noqa: B023
                if isinstance(found.error, (mh.CompileError, mh.RaceError)):
                    refused += 1
                    assert "^" in str(found.error) or function.__name__ in str(found.error), f"{function}: {found}"
                    continue
                assert found.error is None or isinstance(found.error, EXPECTED), f"{function}: {found}"
                if found.error is None:
                    compiled += 1
                    expected = differential.outcome(function, arguments())
                    assert alike(found.value, expected.value), f"{function}{arguments()}: {found}, not {expected}"
    print(refused, compiled)


if __name__ == "__main__":
    main(sys.argv[1:])
