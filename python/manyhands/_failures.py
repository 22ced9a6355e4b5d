"""How a failure comes back from a worker: as the user's own exception wherever that can be.

In the worker `describe` turns an exception into bytes that are certain to load in the parent, which is tried
before they are sent (failures are rare, and an exception that breaks the reader of results hangs or breaks
other pools). In the parent `rebuild` makes the exception again: its own class and attributes, the worker's
traceback as its cause, and a note that says which item it was.

What is tried, in this order: the exception as pickle sends it; its class, `args` and attributes put together
without calling `__init__` (which may want other arguments than `args`); a `TaskFailed` in its stead.
"""

import os

_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__)) + os.sep
_SHOWN = 80  # characters of an item in a message
_SHOWN_ELEMENTS = 6


class Note(Exception):
    """Carries a note on Python 3.10, which shows none of an exception's: it is shown as the cause."""


def annotate(error, text):
    """Adds `text` to what is printed with `error`; returns the error."""
    if hasattr(error, "add_note"):
        error.add_note(text)
    else:
        try:
            error.__notes__ = [*getattr(error, "__notes__", ()), text]
        except AttributeError:
            pass  # a class with slots
        last = error
        while last.__cause__ is not None:
            last = last.__cause__
        last.__cause__ = Note(text)
    return error


def brief(item):
    """`repr(item)` in at most 80 characters, without spelling out what is big; never raises."""
    try:
        text = _brief(item, 2)
    except Exception as error:
        text = f"<{type(item).__name__} whose repr raises {type(error).__name__}>"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def without_own_frames(error):
    """The error with a traceback that begins in the user's code; returns it."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        trace = trace.tb_next
    if trace is not None:
        error.__traceback__ = trace
    return error


def describe(error, index, item, dumps, loads):
    """`error`, raised by `item` (number `index` of its call), as bytes for `rebuild`.

    `dumps(obj)` and `loads(data)` are the worker's own: they know the classes that came from the parent.
    """
    record = {"kind": _type_name(error), "text": _message(error), "traceback": _traceback_text(error)}
    # NotImplemented stands for an item that could not be loaded.
    record.update(index=index, item=None if item is NotImplemented else brief(item))
    if not isinstance(error, Exception):
        record["exited"] = True
        code = getattr(error, "code", None)
        record["code"] = code if type(code) in (int, str, type(None)) else brief(code)
    else:
        record["exception"] = _survives(error, dumps, loads)
        if record["exception"] is None:
            record["parts"] = _parts(error, dumps, loads)
    return dumps(record)


def describe_unsendable(error, result, index, item, dumps, loads):
    """The same for a result that could not be pickled, `error` being what pickling it raised."""
    kind = _type_name(result)
    reason = f"{type(error).__name__}: {_message(error)}"
    record = {"unsendable": kind, "reason": reason, "value": brief(result), "index": index, "item": brief(item)}
    if type(result) is tuple and len(result) == 2:
        record["second"] = _type_name(result[1]), brief(result[1])
    record["raised"] = describe(error, None, item, dumps, loads)
    return dumps(record)


def rebuild(data, loads, name=None, timed=False):
    """The exception that `describe` or `describe_unsendable` described; `loads` is the parent's own.

    `name`: what the caller calls the item, where that is not its index. `timed`: a result is a pair, of the time that
    it took and what the user's function gave.
    """
    from . import errors

    record = loads(data)
    if "unsendable" in record:
        of_item = "" if record["index"] is None else f" of item {record['index']} ({record['item']})"
        if name is not None:
            of_item = f" of {name}"
        kind, value = record["second"] if timed else (record["unsendable"], record["value"])
        message = f"the result{of_item} is a {kind} that could not be sent back: {value}. Reason: {record['reason']}"
        error = errors._rebuild_encoding_error(record["reason"], value, message)
        error.__cause__ = rebuild(record["raised"], loads)
        return error
    if "exited" in record:
        error = _exited(record)
    else:
        error = _same_exception(record, loads) or _stand_in(record)
    error.__cause__ = errors.RemoteTraceback(record["traceback"])
    if name is not None:
        annotate(error, f"while running {name}")
    elif record["index"] is not None:
        shown = "" if record["item"] is None else f": {record['item']}"
        annotate(error, f"while running item {record['index']}{shown}")
    return error


def exited(error):
    """The `TaskExited` for an exception that is no `Exception`, where the task ran in this process."""
    made = _exited({"kind": _type_name(error), "text": _message(error), "code": getattr(error, "code", None)})
    made.__cause__ = error
    return made


def _exited(record):
    from .errors import TaskExited

    kind, code = record["kind"], record["code"]
    if kind == "SystemExit":
        said = f"called sys.exit({'' if code is None else repr(code)})"
    else:
        said = f"raised {kind}" + (f": {record['text']}" if record["text"] else "")
    return TaskExited(f"the task {said}; that ends the task, not the worker", kind, code)


def _same_exception(record, loads):
    try:
        if record["exception"] is not None:
            error = loads(record["exception"])
        elif record["parts"] is not None:
            error = _assemble(loads(record["parts"]))
        else:
            return None
    except Exception:  # what loads in the worker may still lack something here, a module say
        return None
    return error if isinstance(error, BaseException) else None


def _stand_in(record):
    from .errors import TaskFailed

    kind, text = record["kind"], record["text"]
    return TaskFailed(f"{kind}: {text} (the {kind} itself could not be sent back)", kind, text)


def _survives(error, dumps, loads):
    """The pickle of `error` if it comes out of it as it went in, else None."""
    try:
        data = dumps(error)
        again = loads(data)
        # An `__init__` that makes its message of its arguments makes it a second time, out of the message.
        same = type(again) is type(error) and brief(again.args) == brief(error.args)
        same = same and _message(again) == _message(error)
    except Exception:
        return None
    return data if same else None


def _parts(error, dumps, loads):
    """The pickle of class, `args` and those attributes that can be sent, or None if the class cannot."""
    args = tuple(_sendable(value, dumps, loads) for value in error.args)
    attributes = {name: _sendable(value, dumps, loads) for name, value in vars(error).items()}
    try:
        data = dumps((type(error), args, attributes))
        _assemble(loads(data))
    except Exception:
        return None
    return data


def _sendable(value, dumps, loads):
    try:
        loads(dumps(value))
    except Exception:
        return brief(value)
    return value


def _assemble(parts):
    kind, args, attributes = parts
    error = kind.__new__(kind, *args)
    if isinstance(error, OSError):
        # OSError fills errno and its like in `__init__` where a subclass has an `__init__` of its own.
        OSError.__init__(error, *args)
    error.args = args
    error.__dict__.update(attributes)
    return error


def _message(error):
    try:
        return str(error)
    except Exception as broken:
        return f"<message that raises {type(broken).__name__}>"


def _type_name(value):
    kind = type(value)
    if kind.__module__ in ("builtins", "__main__"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def _traceback_text(error):
    """The worker's traceback from the user's first frame on, with its causes and contexts."""
    from traceback import format_exception

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
        trace = trace.tb_next
    try:
        return "".join(format_exception(type(error), error, trace))
    except Exception:  # a message or a source line that cannot be shown
        return f"{_type_name(error)}: {_message(error)}\n"


def _brief(item, depth):
    kind = type(item)
    if kind in (str, bytes, bytearray):
        return repr(item) if len(item) <= _SHOWN else repr(item[:_SHOWN])[: _SHOWN - 3] + "..."
    if kind is int and item.bit_length() > 4 * _SHOWN:
        return f"<int of {item.bit_length()} bits>"
    if kind is tuple and len(item) == 3 and callable(item[0]) and type(item[1]) is tuple and type(item[2]) is dict:
        return _brief_call(*item, depth)
    if kind in (list, tuple, set, frozenset, dict):
        return _brief_container(item, kind, depth)
    shape = getattr(item, "shape", None)
    if type(shape) is tuple and shape:
        dtype = getattr(item, "dtype", None)
        return f"<{_type_name(item)} of shape {shape}{'' if dtype is None else f', {dtype}'}>"
    return repr(item)


def _brief_call(function, arguments, keywords, depth):
    """What was submitted, as one would write it."""
    name = getattr(function, "__name__", None)
    name = name if type(name) is str else _brief(function, depth - 1)
    shown = [_brief(value, depth - 1) for value in arguments]
    shown += [f"{key}={_brief(value, depth - 1)}" for key, value in keywords.items()]
    if len(shown) > _SHOWN_ELEMENTS:
        shown[_SHOWN_ELEMENTS:] = ["..."]
    return f"{name}({', '.join(shown)})"


def _brief_container(item, kind, depth):
    if depth == 0 and len(item) > 0:
        return f"<{kind.__name__} of {len(item)}>"
    shown = []
    for element in item:
        if len(shown) == _SHOWN_ELEMENTS:
            shown.append("...")
            break
        text = _brief(element, depth - 1)
        shown.append(f"{text}: {_brief(item[element], depth - 1)}" if kind is dict else text)
    inside = ", ".join(shown)
    if kind is list:
        return f"[{inside}]"
    if kind is tuple:
        return f"({inside},)" if len(item) == 1 else f"({inside})"
    if kind is frozenset or not item:
        return f"{kind.__name__}({f'{{{inside}}}' if item else ''})" if kind is not dict else "{}"
    return f"{{{inside}}}"
