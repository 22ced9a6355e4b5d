"""`mh.scale` and what it gives, with types; documented in `scaling.py`."""

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any, Literal

from ._native import Account, Memory
from .timing import Timing

__all__ = ["Prediction", "Scaling", "scale"]

class Prediction:
    workers: int
    seconds: float
    interval: tuple[float, float]
    speedup: float
    speedup_interval: tuple[float, float]
    def __init__(self, workers: int, found: tuple[float, float, float], work: float) -> None: ...

class Scaling:
    name: str
    timings: dict[int, Timing]
    serial: Timing | None
    weak: bool
    enough: str
    warnings: list[str]
    sizes: dict[int, Scaling]
    time: dict[int, float]
    speedup: dict[int, float]
    speedup_interval: dict[int, tuple[float, float]]
    efficiency: dict[int, float]
    karp_flatt: dict[int, float]
    fit: Law | None
    laws: list[Law]
    account: dict[str, float]
    account_interval: dict[str, tuple[float, float]]
    needs: float | None
    needs_interval: tuple[float, float] | None
    roof: dict[int, float]
    cause: str
    verdict: str
    def __init__(
        self,
        name: str,
        timings: Mapping[int, Timing],
        serial: Timing | None = None,
        *,
        weak: bool = False,
        waits: bool = False,
        account: Account | None = None,
        memory: Memory | None = None,
        warnings: Iterable[str] = (),
        enough: str = "spent",
    ) -> None: ...
    def predict(self, workers: int) -> Prediction: ...
    def plot(self, path: str | PathLike[str]) -> None: ...
    def _repr_html_(self) -> str: ...
    def _repr_svg_(self) -> str: ...

class Law:
    name: str
    parameters: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    one_worker: float
    aicc: float
    misfit: bool
    peak: float | None
    limit: float | None
    def __init__(
        self,
        name: str,
        parameters: Iterable[tuple[str, float, float, float]],
        one_worker: float,
        aicc: float,
        misfit: bool,
        peak: float | None = None,
        limit: float | None = None,
    ) -> None: ...

def scale(
    function: Callable[..., object],
    /,
    *iterables: Any,
    workers: int | Iterable[int] | None = None,
    sizes: int | Iterable[int] | None = None,
    weak: bool = False,
    backend: Literal["processes", "threads", "compiled", "own"] | None = None,
    budget: float | str = 20.0,
    seed: int | None = None,
    check: bool = True,
) -> Scaling: ...
