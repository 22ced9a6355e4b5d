"""`mh compile`: objects for the signatures that a module's functions declare, written beside it."""

import importlib
import shutil
import sys
from pathlib import Path
from time import perf_counter

from ._jit_calls import folder
from ._jit_signatures import fits
from ._native import Jitted
from .errors import CompileError

#: What is compiled for unless told otherwise: any machine, those of the last ten years, and the widest vectors.
TARGETS = ("x86-64", "x86-64-v3", "x86-64-v4")


class AheadError(Exception):
    """Why nothing was written."""


def compile_module(path, targets):
    """Compiles what the module in a file declares. Gives a line for each object made."""
    path = Path(path).resolve()
    if path.suffix != ".py" or not path.is_file():
        raise AheadError(f"{path} is no module: give the .py file whose functions declare signatures")
    functions = _declaring(_imported(path), path)
    if not functions:
        raise AheadError(
            f'{path.name} has no function that declares a signature: @mh.jit("f8(f8[:], i8)") says what to compile for'
        )
    place = Path(folder(functions[0].py_func))
    if place.exists():
        shutil.rmtree(place)  # what was made of an earlier version
    for function in functions:
        for number, (_, result, text) in enumerate(function._options[3]):
            for target in targets:
                start = perf_counter()
                try:
                    made = function._compile_ahead(number, target)
                except (CompileError, ValueError) as error:
                    raise AheadError(f"{function.__qualname__}, {text}: {error}") from error
                if not fits(result, made):
                    shutil.rmtree(place)
                    raise AheadError(f"{text!r} is not what {function.__qualname__} returns: that is {made}")
                yield f"{function.__qualname__}  {text} -> {made}  {target}  {(perf_counter() - start) * 1e3:.0f} ms"


def _imported(path):
    """The module in a file, by the name that programs import it by."""
    parts = [path.stem]
    root = path.parent
    while (root / "__init__.py").exists():
        parts.insert(0, root.name)
        root = root.parent
    if parts[-1] == "__init__":
        parts.pop()
    sys.path.insert(0, str(root))
    try:
        module = importlib.import_module(".".join(parts))
    finally:
        sys.path.remove(str(root))
    found = getattr(module, "__file__", None)
    if found is None or Path(found).resolve() != path:
        raise AheadError(f"{'.'.join(parts)} is imported from {found}, not from {path}")
    return module


def _declaring(module, path):
    """Its compiled functions that declare signatures, those of its classes too."""
    spaces = [vars(module), *(vars(value) for value in vars(module).values() if isinstance(value, type))]
    found = []
    for space in spaces:
        for value in space.values():
            value = getattr(value, "__func__", value)  # static methods
            if not (isinstance(value, Jitted) and value._options[3]) or value in found:
                continue
            if Path(value.py_func.__code__.co_filename).resolve() == path:
                found.append(value)
    return found
