"""`mh.vectorize`. Kept true to `vectorized.py` by `tests/house/test_stubs.py`; documented there."""

from collections.abc import Callable
from typing import Any, overload

__all__ = ["Vectorized", "vectorize"]

class Vectorized:
    py_func: Callable[..., Any]
    __wrapped__: Callable[..., Any]
    __name__: str
    __qualname__: str
    def __init__(self, jitted: Any, parallel: bool, cache: bool) -> None: ...
    @property
    def nin(self) -> int: ...
    def __call__(
        self,
        *arguments: Any,
        out: Any = None,
        dtype: Any = None,
        casting: str = "same_kind",
        order: str = "K",
        **named: Any,
    ) -> Any: ...
    def explain(self) -> Any: ...
    def __reduce__(self) -> str: ...

@overload
def vectorize(
    function: Callable[..., Any],
    /,
    *,
    target: str = "parallel",
    cache: bool = True,
    source: str | None = None,
    **options: Any,
) -> Vectorized: ...
@overload
def vectorize(
    function: Any = None,
    /,
    *signatures: Any,
    target: str = "parallel",
    cache: bool = True,
    source: str | None = None,
    **options: Any,
) -> Callable[[Callable[..., Any]], Vectorized]: ...
