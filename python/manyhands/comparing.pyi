from collections.abc import Callable, Iterable
from typing import Any

from .timing import Timing

__all__ = ["Comparison", "compare"]

class Row:
    way: str
    workers: int
    why: str | None
    extra: int | None
    timing: Timing | None
    seconds: float | None
    interval: tuple[float, float] | None
    speedup: float | None
    speedup_interval: tuple[float, float] | None
    efficiency: float | None
    def __init__(self, way: Any, serial: Any) -> None: ...

class Comparison:
    name: str
    rows: list[Row]
    items: int
    total: int
    item: float
    lock: float | None
    cpu: float
    transfer: float | None
    start: float
    enough: str
    warnings: list[str]
    best: str
    reason: str
    def __init__(
        self,
        name: str,
        rows: list[Row],
        items: int,
        total: int,
        item: float,
        lock: float | None,
        cpu: float,
        transfer: float | None,
        start: float,
        enough: str,
        warnings: list[str],
    ) -> None: ...

def compare(
    function: Callable[..., object],
    /,
    *iterables: Iterable[Any],
    budget: float | str = "20s",
    workers: int | None = None,
) -> Comparison: ...
