"""Compiled loops. Kept true to `loops.py` by `tests/house/test_stubs.py`."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from ._native import get_num_threads, set_num_threads

__all__ = ["get_num_threads", "jit", "njit", "prange", "seed", "set_num_threads"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

# What comes back is a `_native.Jitted`; to a type checker it is the function, whose signature it has.
@overload
def jit(
    function: _Function, /, *, parallel: bool = True, cache: bool = True, source: str | None = None, **options: Any
) -> _Function: ...
@overload
def jit(
    function: Any = None,
    /,
    *signatures: Any,
    parallel: bool = True,
    cache: bool = True,
    source: str | None = None,
    **options: Any,
) -> Callable[[_Function], _Function]: ...
@overload
def njit(function: _Function, /, **options: Any) -> _Function: ...
@overload
def njit(function: Any = None, /, *signatures: Any, **options: Any) -> Callable[[_Function], _Function]: ...
@overload
def prange(stop: int, /, *, unchecked: bool = False) -> range: ...
@overload
def prange(start: int, stop: int, step: int = 1, /, *, unchecked: bool = False) -> range: ...
def seed(number: int) -> None: ...
