"""The picture of `mh demo`: speed-up over workers, Zipf curves, and how words return. Needs matplotlib.

Only `matplotlib.figure` is used, not pyplot: no window system is asked for and no global state is touched, so the
picture can be drawn on a machine with no display and from a program that draws pictures of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INK = "#22313f"
_FAINT = "#8a97a3"
_GRID = "#e4e8ec"
_WORKS = ("#c8553d", "#2a6f97", "#588157")


class Findings(NamedTuple):
    """What there is to draw."""

    #: For each work, its speed-up over the serial loop by number of workers.
    speed_ups: Mapping[str, Mapping[int, float]]
    #: For each text, the counts of its words, largest first.
    counts: Mapping[str, Sequence[int]]
    #: For each word, the share of its places that see it again so many words later, by lag.
    returns: Mapping[str, Sequence[float]]


def draw(findings: Findings, path: str) -> None:
    """Writes the picture as a PNG. ImportError where matplotlib is missing, OSError where `path` cannot be written."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    style: Any = {
        "font.size": 10,
        "axes.edgecolor": _FAINT,
        "axes.labelcolor": _INK,
        "axes.titlecolor": _INK,
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.titlepad": 12,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": _GRID,
        "xtick.color": _INK,
        "ytick.color": _INK,
        "text.color": _INK,
    }
    with rc_context(style):
        layout = ConstrainedLayoutEngine(w_pad=0.15, h_pad=0.12, wspace=0.03)
        figure = Figure(figsize=(16, 5.4), dpi=110, layout=layout)
        left, middle, right = figure.subplots(1, 3)
        _speed_up(left, findings.speed_ups)
        _zipf(middle, findings.counts)
        _returns(right, findings.returns)
        figure.savefig(path)


def _speed_up(axes: Axes, speed_ups: Mapping[str, Mapping[int, float]]) -> None:
    """Measured points under the line that none crosses but by luck: w workers, w times as fast. The line at 1 is the
    serial loop. From 9 workers on both axes double, as the numbers of workers that were tried do."""
    from matplotlib.ticker import MultipleLocator

    workers = sorted({count for curve in speed_ups.values() for count in curve})
    highest = max(workers[-1], *(max(curve.values()) for curve in speed_ups.values()))
    axes.plot([1, workers[-1]], [1, workers[-1]], color=_FAINT, linestyle=(0, (4, 3)), label="ideal")
    axes.axhline(1, color=_FAINT, linewidth=0.8)
    for (name, curve), colour, marker in zip(speed_ups.items(), _WORKS, "osD"):
        counts = sorted(curve)
        heights = [curve[count] for count in counts]
        axes.plot(counts, heights, color=colour, marker=marker, markersize=7, linewidth=2, label=name)
    if workers[-1] > 8:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
    else:
        axes.set_ylim(0, highest * 1.12)
        axes.set_xlim(0.8, workers[-1] + 0.2)
        axes.yaxis.set_major_locator(MultipleLocator(0.5 if highest < 4 else 1))
    axes.yaxis.set_major_formatter("{x:g}×")
    axes.set_xticks(workers, [str(count) for count in workers])
    axes.minorticks_off()
    axes.set_xlabel("workers")
    axes.set_ylabel("times as fast as the serial loop")
    axes.set_title("Speed-up over workers")
    axes.legend(frameon=False, loc="upper left")


def _zipf(axes: Axes, counts: Mapping[str, Sequence[int]]) -> None:
    """One curve for each text on doubly logarithmic axes, where Zipf's law is a straight line."""
    longest = max(len(ordered) for ordered in counts.values())
    steepest = max(ordered[0] / sum(ordered) for ordered in counts.values())
    for (name, ordered), colour in zip(counts.items(), _shades(len(counts))):
        total = sum(ordered)
        ranks = range(1, len(ordered) + 1)
        axes.plot(ranks, [count / total for count in ordered], color=colour, linewidth=1.6, label=_short(name))
    law = [steepest, steepest / longest]
    axes.plot([1, longest], law, color=_INK, linestyle=(0, (4, 3)), linewidth=1.2, label="Zipf: 1 / rank")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("rank of the word in its text")
    axes.set_ylabel("share of the text's words")
    axes.set_title("Zipf curves of the biggest texts")
    axes.legend(frameon=False, fontsize=8, loc="lower left")


def _returns(axes: Axes, returns: Mapping[str, Sequence[float]]) -> None:
    """Lag 0 is left out: there every word meets itself, and everything else would be flat at the bottom."""
    for (word, curve), colour in zip(returns.items(), _shades(len(returns))):
        lags = range(1, len(curve))
        axes.plot(lags, [100 * share for share in curve[1:]], color=colour, linewidth=1.6, label=word)
    last = max(len(curve) for curve in returns.values()) - 1
    highest = max(max(curve[1:]) for curve in returns.values())
    axes.set_xlim(1, last)
    axes.set_ylim(0, 125 * highest or 1)  # a quarter above the curves for their names
    axes.set_xticks([1, *range(20, last + 1, 20)])
    axes.yaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel("words later")
    axes.set_ylabel("places that see the same word again")
    axes.set_title("How the commonest words return")
    axes.legend(frameon=False, fontsize=9, ncols=5, loc="upper right", columnspacing=1.2, handlelength=1.4)


def _shades(number: int) -> list[tuple[float, ...]]:
    """Colours from dark to light in one order, so that neighbours in the legend are neighbours in colour."""
    from matplotlib import colormaps

    return [colormaps["turbo"](0.06 + 0.86 * place / max(1, number - 1)) for place in range(number)]


def _short(name: str) -> str:
    """A label that leaves room for the curves; one that begins with an underscore would not be shown at all."""
    name = name.lstrip("_")
    return name if len(name) <= 24 else name[:23] + "…"
