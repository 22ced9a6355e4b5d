"""What the language's features are written down with: a function, and arguments that are good and bad for it."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

MODULES = ("language_scalars", "language_control", "language_arrays", "language_calls", "language_refused")


@dataclass(frozen=True)
class Feature:
    function: Callable
    cases: tuple
    """Tuples of arguments, or functions that make one."""

    close: bool
    """From a library function: close to Python's."""

    @property
    def name(self) -> str:
        return f"{self.function.__module__.removeprefix('language_')}.{self.function.__name__}"

    def arguments(self, case) -> list:
        """Fresh ones: what is made by a function keeps its layout, what stands there is copied."""
        return list(case()) if callable(case) else copy.deepcopy(list(case))


_supported: list[Feature] = []
_refused: list[Feature] = []


def does(*cases, close: bool = False) -> Callable:
    """Compiles, and does what the interpreter does for each of the cases."""

    def note(function: Callable) -> Callable:
        _supported.append(Feature(function, cases, close))
        return function

    return note


def refuses(*case) -> Callable:
    """Is not compiled: the error says why, and where: at a line marked `# here`, if there is one."""

    def note(function: Callable) -> Callable:
        _refused.append(Feature(function, (case,), False))
        return function

    return note


def features() -> tuple[list[Feature], list[Feature]]:
    for module in MODULES:
        importlib.import_module(module)
    return _supported, _refused


def f8(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def i8(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def u8(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.uint64)


def grid(rows: int, columns: int) -> np.ndarray:
    return np.arange(rows * columns, dtype=np.float64).reshape(rows, columns)


TOP = 2**63 - 1
LOW = -(2**63)
NAN = float("nan")
INF = float("inf")
