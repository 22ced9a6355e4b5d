"""A `Scaling` as text for a terminal, as HTML and SVG for a notebook, and as a picture of matplotlib's."""

import math
import os
import textwrap
from html import escape

from ._durations import said

_WIDTH, _HEIGHT = 56, 13
_LINE = 100
_INK, _FAINT, _GRID, _DOTS, _LAW = "#22313f", "#8a97a3", "#e4e8ec", "#c8553d", "#2a6f97"


def counted(number, noun):
    """ "1 worker", "2 workers"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def text(scaling):
    """The whole: table, plot, law, shares, verdict, warnings."""
    parts = [heading(scaling), table(scaling)]
    if len(scaling.time) > 1:
        parts.append(plot(scaling))
    if scaling.fit is not None:
        parts.append(_law(scaling))
    if scaling.account:
        parts.append(_account(scaling))
    parts.append(_wrapped(scaling.verdict))
    if scaling.warnings:
        parts.append("\n".join(_wrapped(f"! {warning}") for warning in scaling.warnings))
    return "\n\n".join(parts)


def heading(scaling):
    most = max(scaling.time)
    growing = "work that grows with the workers" if scaling.weak else "the same work"
    runs = [timing.repeat for timing in scaling.timings.values()]
    times = str(min(runs)) if min(runs) == max(runs) else f"{min(runs)} to {max(runs)}"
    return f"{scaling.name}: {growing} with up to {counted(most, 'worker')}; each measured {times} times"


def _rows(scaling):
    """Cells of the table, the heading first."""
    yield "workers", "time", "95% interval", "speed-up", "efficiency", "Karp-Flatt", "outliers"
    if scaling.serial is not None:
        yield (
            "plain loop",
            said(scaling.serial.median),
            _interval(scaling.serial),
            "",
            "",
            "",
            _outliers(scaling.serial),
        )
    for count, timing in scaling.timings.items():
        serial = scaling.karp_flatt.get(count)
        yield (
            str(count),
            said(timing.median),
            _interval(timing),
            f"{scaling.speedup[count]:.2f}",
            f"{100 * scaling.efficiency[count]:.0f}%",
            "" if serial is None else f"{100 * serial:.1f}%",
            _outliers(timing),
        )


def table(scaling):
    rows = list(_rows(scaling))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    used = [column for column in range(len(widths)) if any(row[column] for row in rows[1:])]
    return "\n".join("  ".join(f"{row[column]:>{widths[column]}}" for column in used) for row in rows)


def _interval(timing):
    if timing.repeat < 2:
        return "1 run only"
    low, high = timing.interval
    note = "" if timing.confidence >= 0.95 else f" ({100 * timing.confidence:.0f}%)"
    return f"{said(low)} to {said(high)}{note}"


def _outliers(timing):
    return ", ".join(said(timing.timings[index]) for index in timing.outliers[:3]) + (
        ", …" if len(timing.outliers) > 3 else ""
    )


class _Axes:
    """Where a number of workers and a speed-up lie, from 0 to 1. From 9 workers on both axes double at each step."""

    def __init__(self, scaling):
        self.most = max(scaling.time)
        self.least = min(scaling.time)
        highest = max(high for _, high in scaling.speedup_interval.values())
        self.doubling = self.most > 8
        ideal = min(self.most, 1.6 * max(highest, 1.0))
        self.top = 1.05 * max(highest, ideal, 1.2)
        lowest = min(low for low, _ in scaling.speedup_interval.values())
        self.bottom = 0.9 * min(1.0, max(lowest, 1e-3)) if self.doubling else 0.0

    def x(self, workers):
        if self.most == self.least:
            return 0.5
        if self.doubling:
            return math.log(workers / self.least) / math.log(self.most / self.least)
        return (workers - self.least) / (self.most - self.least)

    def y(self, speedup):
        if self.doubling:
            return math.log(max(speedup, self.bottom) / self.bottom) / math.log(self.top / self.bottom)
        return speedup / self.top

    def workers(self, x):
        if self.doubling:
            return self.least * (self.most / self.least) ** x
        return self.least + x * (self.most - self.least)

    def ticks(self):
        """Speed-ups to write at the axis."""
        if self.doubling:
            first, last = math.ceil(math.log2(self.bottom)), math.floor(math.log2(self.top))
            return [2.0**power for power in range(first, last + 1)]
        step = next(step for step in (0.25, 0.5, 1, 2, 5, 10) if self.top / step <= 7 or step == 10)
        return [step * place for place in range(int(self.top / step) + 1)]


def _curve(scaling, workers):
    """The law's speed-up over the baseline, for a whole or broken number of workers; None without a law."""
    law = scaling.fit
    if law is None:
        return None
    one = scaling._work / law.one_worker
    parameters = list(law.parameters.values())
    if law.name == "Amdahl":
        gain = 1 / (parameters[0] + (1 - parameters[0]) / workers)
    elif law.name == "Gustafson":
        gain = parameters[0] + (1 - parameters[0]) * workers
    else:
        gain = workers / (1 + parameters[0] * (workers - 1) + parameters[1] * workers * (workers - 1))
    return one * gain


def plot(scaling):
    """Speed-up over workers: ● measured, · one more times as fast with each worker, ─ the law."""
    axes = _Axes(scaling)
    grid = [[" "] * _WIDTH for _ in range(_HEIGHT)]

    def mark(x, y, sign):
        if 0 <= y <= 1:
            grid[_HEIGHT - 1 - round(y * (_HEIGHT - 1))][round(x * (_WIDTH - 1))] = sign

    for column in range(_WIDTH):
        x = column / (_WIDTH - 1)
        workers = axes.workers(x)
        mark(x, axes.y(workers), "·")
        law = _curve(scaling, workers)
        if law is not None:
            mark(x, axes.y(law), "─")
    for count, gain in scaling.speedup.items():
        mark(axes.x(count), axes.y(gain), "●")
    names = {_HEIGHT - 1 - round(axes.y(tick) * (_HEIGHT - 1)): f"{tick:g}" for tick in axes.ticks()}
    lines = ["speed-up"]
    for row, cells in enumerate(grid):
        edge = "┤" if row in names else "│"
        lines.append(f"{names.get(row, ''):>6} {edge}{''.join(cells)}".rstrip())
    feet, under = ["─"] * _WIDTH, [" "] * (_WIDTH + 4)
    last = -2
    for count in scaling.time:
        column = round(axes.x(count) * (_WIDTH - 1))
        feet[column] = "┴"
        label = str(count)
        if column > last:
            under[column : column + len(label)] = label
            last = column + len(label)
    lines += [f"{'':>6} └{''.join(feet)}", f"{'':>8}{''.join(under).rstrip()}  workers"]
    lines.append(f"{'':>8}● measured  · ideal" + ("  ─ law" if scaling.fit else ""))
    return "\n".join(lines)


def _law(scaling):
    lines = [f"law       {scaling.fit!r}"]
    ask = 2 * max(scaling.time)
    lines.append(f"expected  {scaling.predict(ask)!r}")
    return "\n".join(lines)


def _account(scaling):
    lines = [f"where the time goes with {counted(max(scaling.time), 'worker')}"]
    for part, share in scaling.account.items():
        if share >= 0.0005 or part in ("function", "unexplained"):
            low, high = scaling.account_interval[part]
            sure = f"{100 * low:.0f} to {100 * high:.0f}%" if high - low < 1 else ""
            lines.append(f"  {part:<28}{100 * share:5.1f}%  {sure:<11}  {'█' * round(40 * share)}".rstrip())
    return "\n".join(lines)


def _wrapped(words):
    return "\n".join(textwrap.wrap(words, _LINE))


def html(scaling):
    """The table, the picture and the verdict."""
    first, *rows = _rows(scaling)
    head = "".join(f"<th>{escape(cell)}</th>" for cell in first)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    parts = [f"<p><b>{escape(heading(scaling))}</b></p>", f"<table><tr>{head}</tr>{body}</table>", svg(scaling)]
    if scaling.fit is not None:
        parts.append(f"<p>{escape(repr(scaling.fit))}</p>")
    if scaling.account:
        shares = (f"{part} {100 * share:.1f}%" for part, share in scaling.account.items() if share >= 0.0005)
        parts.append(f"<p>Where the time goes: {escape(', '.join(shares))}.</p>")
    parts.append(f"<p>{escape(scaling.verdict)}</p>")
    parts += [f"<p>⚠ {escape(warning)}</p>" for warning in scaling.warnings]
    return "".join(parts)


def svg(scaling):
    """Speed-up over workers: measured with intervals, the law, and the ideal."""
    axes = _Axes(scaling)
    left, top, width, height = 56, 34, 420, 250

    def at(workers, gain):
        return left + width * axes.x(workers), top + height * (1 - min(1.0, axes.y(gain)))

    def line(points, style):
        return f'<polyline fill="none" {style} points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}"/>'

    steps = [axes.workers(step / 60) for step in range(61)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + width + 30}" height="{top + height + 50}" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{left}" y="18" font-weight="bold">'
        f"{escape(scaling.name)}: speed-up over workers</text>",
    ]
    for tick in axes.ticks():
        y = at(axes.least, tick)[1]
        parts.append(f'<line x1="{left}" x2="{left + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_GRID}"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end">{tick:g}×</text>')
    for count in scaling.time:
        x = at(count, 1)[0]
        parts.append(f'<text x="{x:.1f}" y="{top + height + 18}" text-anchor="middle">{count}</text>')
    parts.append(f'<text x="{left + width / 2}" y="{top + height + 38}" text-anchor="middle">workers</text>')
    ideal = [at(workers, workers) for workers in steps if axes.y(workers) <= 1]
    parts.append(line(ideal, f'stroke="{_FAINT}" stroke-dasharray="4 3"'))
    if scaling.fit is not None:
        parts.append(
            line([at(workers, _curve(scaling, workers)) for workers in steps], f'stroke="{_LAW}" stroke-width="2"')
        )
    for count, gain in scaling.speedup.items():
        x, y = at(count, gain)
        low, high = (at(count, bound)[1] for bound in scaling.speedup_interval[count])
        parts.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}" stroke="{_DOTS}" stroke-width="2"/>'
        )
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="{_DOTS}"/>')
    if scaling.fit is not None:
        parts.append(f'<text x="{left + 10}" y="{top + 14}" fill="{_LAW}">{escape(scaling.fit.name)}</text>')
    return "".join([*parts, "</svg>"])


def draw(scaling, path):
    """Writes the picture with matplotlib. ImportError where it is missing, ValueError for an ending that is none."""
    path = os.fspath(path)
    if not path.lower().endswith((".png", ".svg", ".pdf")):
        raise ValueError(f"a picture's path ends in .png, .svg or .pdf, not {path!r}")
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("pictures need matplotlib: pip install manyhands[plot]") from None
    style = {
        "font.size": 10,
        "axes.edgecolor": _FAINT,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": _GRID,
        "text.color": _INK,
        "axes.labelcolor": _INK,
        "xtick.color": _INK,
        "ytick.color": _INK,
    }
    with rc_context(style):
        shares = {part: share for part, share in scaling.account.items() if share >= 0.0005}
        figure = Figure(figsize=(11, 4.8) if shares else (6.5, 4.8), dpi=110, layout="constrained")
        if shares:
            left, right = figure.subplots(1, 2, width_ratios=(3, 2))
            _draw_shares(right, shares, max(scaling.time))
        else:
            left = figure.subplots()
        _draw_speedup(left, scaling)
        figure.savefig(path)


def _draw_speedup(axes, scaling):
    places = _Axes(scaling)
    steps = [places.workers(step / 100) for step in range(101)]
    axes.plot(steps, steps, color=_FAINT, linestyle=(0, (4, 3)), label="ideal")
    if scaling.fit is not None:
        curve = [_curve(scaling, workers) for workers in steps]
        axes.plot(steps, curve, color=_LAW, linewidth=2, label=scaling.fit.name)
    counts, gains = list(scaling.speedup), list(scaling.speedup.values())
    bounds = scaling.speedup_interval
    low = [max(0.0, gain - bounds[count][0]) for count, gain in scaling.speedup.items()]
    high = [max(0.0, bounds[count][1] - gain) for count, gain in scaling.speedup.items()]
    axes.errorbar(counts, gains, yerr=[low, high], fmt="o", color=_DOTS, capsize=3, label="measured, 95% interval")
    if places.doubling:
        axes.set_xscale("log", base=2)
        axes.set_yscale("log", base=2)
    axes.set_ylim(places.bottom, places.top)
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter("{x:g}×")
    axes.set_xlabel("workers")
    axes.set_ylabel("scaled speed-up" if scaling.weak else "times as fast")
    axes.set_title(scaling.name, loc="left", fontweight="bold")
    axes.legend(frameon=False, loc="upper left")


def _draw_shares(axes, shares, workers):
    names = list(shares)[::-1]
    colours = [_LAW if name == "function" else _FAINT if name == "unexplained" else _DOTS for name in names]
    axes.barh(names, [100 * shares[name] for name in names], color=colours)
    for place, name in enumerate(names):
        axes.text(100 * shares[name] + 1, place, f"{100 * shares[name]:.0f}%", va="center")
    axes.set_xlim(0, 112)
    axes.grid(axis="y", visible=False)
    axes.xaxis.set_major_formatter("{x:g}%")
    axes.set_xlabel(f"of the wall time with {counted(workers, 'worker')}")
    axes.set_title("Where the time goes", loc="left", fontweight="bold")
