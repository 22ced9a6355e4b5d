"""What `Node.explain` gives, with types; documented in `_graph_explain.py`."""

from collections.abc import Iterable
from typing import Any

class Explanation:
    tasks: int
    source: str
    work: float
    span: float
    critical_path: tuple[str, ...]
    speedup: float
    reach: dict[int, float]
    bounds: dict[int, tuple[float, float]]
    def __init__(
        self,
        tasks: int,
        source: str,
        work: float,
        span: float,
        critical_path: tuple[str, ...],
        reach: dict[int, float],
        bounds: dict[int, tuple[float, float]],
    ) -> None: ...

def explain(node: Any, workers: int | Iterable[int] | None = None, times: str | None = None) -> Explanation: ...
