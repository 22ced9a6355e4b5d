"""What exactly cannot be sent: the way from an object that was refused down to the part that pickle cannot take.

Python says "cannot pickle '_thread.lock' object" and not where that lock is. Here every part of the object is tried by
itself, and the one that is refused is looked into in its turn. Only after a failure, so it may cost what it costs.
"""

from functools import partial
from types import FunctionType, MethodType

_DEEPEST = 12
_PARTS = 1000  # of one object; a list of a million sound items need not be searched to its end


def way_to(obj, refused):
    """The steps to the innermost part that is refused, in words, and that part; ([], obj) where no part is.

    `refused(part) -> bool` tells whether a part cannot be sent by itself.
    """
    steps = []
    while len(steps) < _DEEPEST:
        for number, (step, part) in enumerate(_parts(obj)):
            if number >= _PARTS:
                return steps, obj
            if refused(part):
                steps.append(step)
                obj = part
                break
        else:
            break
    return steps, obj


def _parts(obj):
    """The parts of an object that are sent with it, each with how it is called."""
    if isinstance(obj, MethodType):
        yield "the method's instance", obj.__self__
        yield "its function", obj.__func__
    elif isinstance(obj, partial):
        yield "the partial's function", obj.func
        for number, value in enumerate(obj.args):
            yield f"the partial's argument {number}", value
        for name, value in obj.keywords.items():
            yield f"the partial's argument {name!r}", value
    elif isinstance(obj, FunctionType):
        yield from _parts_of_function(obj)
    elif isinstance(obj, (list, tuple, set, frozenset)):
        for number, value in enumerate(obj):
            yield f"element {number}", value
    elif isinstance(obj, dict):
        for key, value in obj.items():
            yield f"the value of key {key!r}", value
            yield f"the key {key!r}", key
    elif not isinstance(obj, type):
        for name, value in dict(getattr(obj, "__dict__", {})).items():
            yield f"its attribute {name!r}", value


def _parts_of_function(function):
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or ()):
        try:
            yield f"the variable {name!r} of the function around it", cell.cell_contents
        except ValueError:
            continue  # not yet assigned
    count = function.__code__.co_argcount
    defaults = function.__defaults__ or ()
    for name, value in zip(function.__code__.co_varnames[count - len(defaults) : count], defaults):
        yield f"the default of its argument {name!r}", value
    for name, value in (function.__kwdefaults__ or {}).items():
        yield f"the default of its argument {name!r}", value
    for name, value in vars(function).items():
        yield f"its attribute {name!r}", value
