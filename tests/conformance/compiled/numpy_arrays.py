"""Arrays of all kinds, shapes and layouts, and whether what compiled code makes of them is what NumPy makes."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

import manyhands as mh

SHAPES = ((0,), (1,), (7,), (3, 4), (1, 5), (4, 1), (0, 3), (2, 3, 4))


def made(kind: str, shape: tuple[int, ...], layout: str = "C", seed: int = 0) -> np.ndarray:
    """An array with small numbers of both signs, zeros among them; layouts: C, F, strided, reversed."""
    random = np.random.default_rng(seed)
    dtype = np.dtype(kind)
    wide = tuple(2 * length for length in shape) if layout == "strided" else shape
    if dtype.kind == "b":
        values = random.random(wide) < 0.5
    elif dtype.kind in "iu":
        values = random.integers(-9 if dtype.kind == "i" else 0, 10, wide)
    else:
        values = random.integers(-8, 9, wide) / 4
        if dtype.kind == "c":
            values = values + 1j * random.integers(-8, 9, wide) / 4
    array = np.asarray(values).astype(dtype, order="F" if layout == "F" else "C")
    if layout == "strided":
        array = array[tuple(slice(None, None, 2) for _ in shape)]
    return array[::-1] if layout == "reversed" else array


def own(value: Any) -> Any:
    """A copy; of an array one that lies in memory as the array does."""
    if not isinstance(value, np.ndarray) or value.size == 0:
        return copy.deepcopy(value)
    ways = [(length - 1) * stride for length, stride in zip(value.shape, value.strides, strict=True)]
    before, behind = (sum(way for way in ways if (way < 0) is down) for down in (True, False))
    memory = bytearray(behind - before + value.itemsize)
    array = np.ndarray(value.shape, value.dtype, memory, -before, value.strides)
    array[...] = value
    array.flags.writeable = value.flags.writeable
    return array


def outcome(function: Callable, arguments: tuple) -> Any:
    """What the call gives, or the exception that it raises; and its arguments afterwards."""
    arguments = tuple(map(own, arguments))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return function(*arguments), arguments
        except Exception as error:  # noqa: BLE001
            return error, arguments


def alike(found: Any, expected: Any, rtol: float = 1e-12) -> bool:
    """Whether these are the same: types, shapes, and values but for the last bits of floats."""
    if isinstance(expected, BaseException):
        return type(found) is type(expected) or isinstance(found, ValueError) and isinstance(expected, ValueError)
    if isinstance(expected, tuple):
        return isinstance(found, tuple) and len(found) == len(expected) and all(map(alike, found, expected))
    if isinstance(expected, (np.ndarray, np.generic)) and not isinstance(found, (np.ndarray, np.generic)):
        return False
    found_, expected_ = np.asarray(found), np.asarray(expected)
    if found_.dtype != expected_.dtype or found_.shape != expected_.shape:
        return False
    if expected_.dtype.kind in "fc":
        rtol = max(rtol, 1e-5) if expected_.dtype.itemsize == (8 if expected_.dtype.kind == "c" else 4) else rtol
        return bool(np.allclose(found_, expected_, rtol=rtol, atol=rtol, equal_nan=True))
    return bool((found_ == expected_).all())


def agree(compiled: Callable, *arguments: Any) -> None:
    """Run both, with arguments of their own; AssertionError where they differ."""
    plain = compiled.py_func
    expected, left = outcome(plain, arguments)
    if isinstance(expected, (TypeError, np.exceptions.DTypePromotionError)):
        found, _ = outcome(compiled, arguments)
        assert isinstance(found, (TypeError, mh.CompileError)), f"{found!r}, where NumPy raises {expected!r}"
        return
    found, stayed = outcome(compiled, arguments)
    told = [f"{value.dtype}{value.shape}" if isinstance(value, np.ndarray) else repr(value) for value in arguments]
    assert alike(found, expected), f"{plain.__name__}({', '.join(told)}):\n{found!r}\nexpected\n{expected!r}"
    assert alike(stayed, left), f"{plain.__name__}({', '.join(told)}) left\n{stayed!r}\nexpected\n{left!r}"
