"""One call of a compiled function that has next to nothing to do: the sum of range(10**7), a formula once compiled.

All that is measured is the way into compiled code and out of it.
"""

from __future__ import annotations

import timeit

import loops
from harness import Row, WrongAnswer, beside, interleaved, scaled, with_numba

CALLS = 20_000
"""Calls to a pass: one alone is too short for the clock."""


def run(quick: bool) -> list[Row]:
    ours, theirs = loops.sum_range, with_numba(loops).sum_range
    for name, function in (("manyhands", ours), ("numba", theirs)):
        if function(10**7) != sum(range(10**7)):
            raise WrongAnswer(name)
    nothing = (lambda a: a).__call__
    medians = interleaved(
        {
            "manyhands": lambda: timeit.timeit("f(10000000)", globals={"f": ours}, number=CALLS),
            "numba": lambda: timeit.timeit("f(10000000)", globals={"f": theirs}, number=CALLS),
            "a Python function that returns": lambda: timeit.timeit("f(1)", globals={"f": nothing}, number=CALLS),
        },
        passes=7 if quick else 31,
    )
    medians = scaled(medians, 1e9 / CALLS)
    return [
        Row(
            work="sum of range(10**7), one call",
            ours=medians["manyhands"],
            against="numba",
            base=medians["numba"],
            limit=100 / 121,
            unit="ns",
            beside=beside(medians, "manyhands", "numba"),
        )
    ]
