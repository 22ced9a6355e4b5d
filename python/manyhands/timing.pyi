"""`mh.timeit` and what it gives, with types; documented in `timing.py`."""

from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["Timing", "timeit"]

class Timing:
    timings: list[float]
    loops: int
    repeat: int
    mean: float
    average: float
    stdev: float
    median: float
    interval: tuple[float, float]
    confidence: float
    best: float
    worst: float
    outliers: list[int]
    enough: str
    def __init__(self, timings: Iterable[float], loops: int = 1, enough: str = "spent") -> None: ...
    def __truediv__(self, other: Timing) -> float: ...

def timeit(function: Callable[..., object], /, *args: Any, budget: float | str = 2.0, **kwargs: Any) -> Timing: ...
def granularity() -> float: ...
