"""What every bench uses: interleaved passes, medians, the rows of the report and its table."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import ModuleType

WORKERS = 2
"""Workers of every pool in every bench, unless the row itself says another number."""

REST = 0.02
"""Seconds between one system's call and the next one's."""


def interleaved(
    calls: Mapping[str, Callable[[], object]],
    passes: int,
    check: Callable[[object], bool] = lambda value: True,
    rest: float = REST,
) -> dict[str, float]:
    """Median seconds of each call over `passes` rounds in which all of them take turns: A B A B ...

    One round more is run first and not counted, so that pools are started, modules imported and pages touched. Taking
    turns matters: a machine that slows down for a while then slows all of them, and the ratio stands. Before each turn
    is a short rest of `rest` seconds, since threads of the one before may look for more work for a while (OpenMP's do,
    for milliseconds).

    Raises WrongAnswer when `check` refuses what a call returned.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(passes + 1):
        for name, call in calls.items():
            gc.collect()
            time.sleep(rest)
            start = time.perf_counter()
            value = call()
            elapsed = time.perf_counter() - start
            if not check(value):
                raise WrongAnswer(name)
            del value  # a large result must not be alive while the next call is timed
            if number > 0:
                seconds[name].append(elapsed)
    return {name: statistics.median(values) for name, values in seconds.items()}


class WrongAnswer(Exception):
    """A system gave another answer than the serial program: its time means nothing."""


def best(medians: Mapping[str, float], *names: str) -> tuple[str, float]:
    """The fastest of the named ones, as (name, seconds)."""
    name = min(names, key=lambda name: medians[name])
    return name, medians[name]


@dataclass(frozen=True)
class Row:
    """One line of the report: what was measured, what it is held against, and what it must reach."""

    work: str
    """What was done, in the words of a reader who has not seen the bench."""

    ours: float
    """What manyhands took, in `unit`."""

    against: str
    """The peer, or the fixed number, that the reach refers to."""

    base: float
    """What `against` took, in `unit`."""

    limit: float
    """The reach: the largest `ours / base` that is good enough."""

    unit: str = "s"

    beside: dict[str, float] = field(default_factory=dict)
    """Measured in the same run and only shown, in `unit`."""

    @property
    def ratio(self) -> float:
        return self.ours / self.base

    @property
    def reached(self) -> bool:
        return self.ratio <= self.limit

    def as_json(self) -> dict:
        """All fields and what follows from them, for `--json`."""
        return {**asdict(self), "ratio": self.ratio, "reached": self.reached}

    @classmethod
    def from_json(cls, data: dict) -> Row:
        return cls(**{name: data[name] for name in cls.__dataclass_fields__})


def scaled(medians: Mapping[str, float], factor: float) -> dict[str, float]:
    """The same times in another unit, such as microseconds an item."""
    return {name: value * factor for name, value in medians.items()}


def repeated(call: Callable[[], object], times: int) -> Callable[[], object]:
    """So many calls in a row, where one takes less than a clock tells. Gives what the last one does."""

    def run() -> object:
        for _ in range(times - 1):
            call()
        return call()

    return run


def with_numba(module: ModuleType) -> ModuleType:
    """The text of a module that says `import manyhands as nb`, as one of numba's."""
    twin = ModuleType(f"{module.__name__}_of_numba")
    text = Path(module.__file__).read_text(encoding="utf-8")
    text = text.replace("import manyhands as nb", "import numba as nb", 1)
    exec(compile(text, module.__file__, "exec"), vars(twin))
    return twin


def compared(work: str, medians: Mapping[str, float], against: str, limit: float, unit: str) -> Row:
    """The row of "manyhands" against one of the others, from medians in `unit`."""
    return Row(
        work=work,
        ours=medians["manyhands"],
        against=against,
        base=medians[against],
        limit=limit,
        unit=unit,
        beside=beside(medians, "manyhands", against),
    )


def beside(medians: Mapping[str, float], *shown: str) -> dict[str, float]:
    """All that was measured but the names that the row already shows."""
    return {name: value for name, value in medians.items() if name not in shown}


def table(rows: list[Row]) -> str:
    """The report: aligned columns, and under each row what else was measured in the same run."""
    header = ("work", "manyhands", "", "against", "", "ratio", "reach", "")
    lines = [
        (
            row.work,
            figure(row.ours),
            row.unit,
            row.against,
            figure(row.base),
            f"{row.ratio:.3f}",
            f"{row.limit:.2f}",
            "ok" if row.reached else "miss",
        )
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [header, *lines]) for column in range(len(header))]
    numeric = {1, 4, 5, 6}

    def aligned(line: tuple[str, ...]) -> str:
        cells = (
            cell.rjust(width) if column in numeric else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths))
        )
        return "  ".join(cells).rstrip()

    text = [aligned(header), "-" * (sum(widths) + 2 * (len(widths) - 1))]
    for row, line in zip(rows, lines):
        text.append(aligned(line))
        if row.beside:
            text.append("    beside: " + ", ".join(f"{name} {figure(value)}" for name, value in row.beside.items()))
    return "\n".join(text)


def figure(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.1f}"
    if value >= 1:
        return f"{value:.2f}"
    return f"{value:.3f}" if value >= 0.1 else f"{value:.4f}"
