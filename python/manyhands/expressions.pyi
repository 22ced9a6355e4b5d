"""`mh.evaluate`. Kept true to `expressions.py` by `tests/house/test_stubs.py`; documented there."""

from collections.abc import Mapping
from typing import Any

__all__ = ["evaluate"]

def evaluate(
    ex: str,
    local_dict: Mapping[str, Any] | None = None,
    global_dict: Mapping[str, Any] | None = None,
    out: Any = None,
    order: str = "K",
    casting: str = "safe",
    sanitize: Any = None,
    optimization: Any = None,
    truediv: Any = None,
) -> Any: ...
