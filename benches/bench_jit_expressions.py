"""`mh.evaluate` beside NumPy, and numexpr where it is installed: an expression over few and over many doubles.

The limits are what the project asks for, over what the peers took on the machine that its figures were measured on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import numpy as np

import manyhands as mh
from harness import WORKERS, Row, compared, interleaved, repeated, scaled

TEXT = "a*x + b*x - c"


def run(quick: bool) -> list[Row]:
    mh.set_num_threads(WORKERS)
    passes = 5 if quick else 15
    many = 10**7 if quick else 5 * 10**7
    return [
        _row("a*x + b*x - c, 1,000 doubles", 1.5 / 2.5, 100 * passes, 1_000, False, "us", "numpy"),
        _row("a*x + b*x - c, 5 x 10^7 doubles, new output", 90 / 96, passes, many, False, "ms", None),
        _row("the same, output given", 55 / 86, passes, many, True, "ms", None),
    ]


def _row(work: str, limit: float, passes: int, n: int, given: bool, unit: str, against: str | None) -> Row:
    a, b, c, x = np.random.default_rng(1).random((4, n))
    names = {"a": a, "b": b, "c": c, "x": x}
    out = np.empty(n) if given else None
    spare = np.empty(n)

    def numpy() -> np.ndarray:
        if out is None:
            return a * x + b * x - c
        np.multiply(a, x, out=out)
        np.multiply(b, x, out=spare)
        np.add(out, spare, out=out)
        return np.subtract(out, c, out=out)

    calls: dict[str, Callable] = {"manyhands": lambda: mh.evaluate(TEXT, names, out=out), "numpy": numpy}
    if find_spec("numexpr"):
        import numexpr

        numexpr.set_num_threads(WORKERS)
        calls["numexpr"] = lambda: numexpr.evaluate(TEXT, names, out=out)
    # One call of so few takes less than a clock tells.
    times = 200 if n < 10_000 else 1
    calls = {name: repeated(call, times) for name, call in calls.items()}
    some = slice(None, None, 1001)
    right = a[some] * x[some] + b[some] * x[some] - c[some]
    medians = interleaved(calls, passes, lambda value: np.allclose(value[some], right, rtol=1e-9, atol=1e-12))
    medians = scaled(medians, {"ms": 1e3, "us": 1e6}[unit] / times)
    base = against or ("numexpr" if "numexpr" in medians else "numpy")
    return compared(work, medians, base, limit, unit)
