from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

__all__ = ["Memory", "memory"]

_P = ParamSpec("_P")
_R = TypeVar("_R")

class Memory(Generic[_R]):
    value: _R
    times: list[float]
    pss: list[int]
    peak: int
    peak_time: float
    before: int
    extra: int
    by_process: dict[str, list[int]]
    at_peak: list[tuple[str, int, int]]
    def __init__(self, value: _R, looks: list[tuple[float, list[tuple[str, int, int, int, int]]]]) -> None: ...

def memory(function: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Memory[_R]: ...
def size(count: float) -> str: ...
