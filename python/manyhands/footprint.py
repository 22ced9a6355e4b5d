"""`mh.memory`: how much memory a call takes, with all of its processes."""

from . import _durations, _native

__all__ = ["Memory", "memory"]

#: Seconds between two looks.
_PERIOD = 0.02


class Memory:
    """The memory of a call and all of its processes over time. Sizes are in bytes, times in seconds since it began.

    `value` is what the function returned. `pss` is the memory of all processes at each of `times`, `peak` the
    most of it, `peak_time` when that was, `before` what was taken when the call began, and `extra` how much the
    peak is above that. `by_process` has the memory of each process at each of the times by its name ("caller",
    "worker 4711"), `at_peak` what each held at the peak: (name, bytes, bytes of it in shared memory), the largest
    first.

    PSS (proportional set size) is the kernel's: of a page that n processes have, each is charged the n-th part,
    so that the sum counts each page once. What no process has touched yet of arguments and results in shared memory
    is the entry "shared memory". What is taken and given back between two looks is not seen.
    """

    def __init__(self, value, looks):
        self.value = value
        self.times = [at for at, _ in looks]
        self.pss = [sum(entry[2] for entry in each) for _, each in looks]
        place = max(range(len(looks)), key=self.pss.__getitem__)
        self.peak, self.peak_time = self.pss[place], self.times[place]
        self.before = self.pss[0]
        self.extra = self.peak - self.before
        names = {(entry[1], entry[0]): None for _, each in looks for entry in each}
        named = [(key, key[1] if key[1] == "caller" or not key[0] else f"{key[1]} {key[0]}") for key in names]
        self.by_process = {}
        for key, name in named:
            held = [next((entry[2] for entry in each if (entry[1], entry[0]) == key), 0) for _, each in looks]
            self.by_process[name] = held
        called = dict(named)
        at_peak = [(called[entry[1], entry[0]], entry[2], entry[4]) for entry in looks[place][1]]
        self.at_peak = sorted(at_peak, key=lambda entry: -entry[1])

    def __repr__(self):
        lines = [f"peak {size(self.peak)} after {_durations.said(self.peak_time)}, {size(self.extra)} more than before"]
        lines += _plot(self.times, self.pss)
        for name, held, shared in self.at_peak[:8]:
            lines.append(f"{name:>16}  {size(held):>9}" + (f", {size(shared)} of it shared" if shared else ""))
        if len(self.at_peak) > 8:
            lines.append(f"{'others':>16}  {size(sum(held for _, held, _ in self.at_peak[8:])):>9}")
        return "\n".join(lines)

    def _repr_html_(self):
        from html import escape

        width, height, left = 720, 180, 70
        end, high = self.times[-1] or 1.0, 1.08 * self.peak or 1.0
        names = sorted(self.by_process, key=lambda name: -max(self.by_process[name]))

        def point(place, held):
            return f"{left + self.times[place] / end * (width - left):.1f},{height - held / high * height:.1f}"

        below = [0] * len(self.times)
        areas = []
        for number, name in enumerate(names):
            above = [low + held for low, held in zip(below, self.by_process[name])]
            line = [point(place, held) for place, held in enumerate(above)]
            line += [point(place, held) for place, held in reversed(list(enumerate(below)))]
            shade = _SHADES[number % len(_SHADES)]
            areas.append(f'<polygon points="{" ".join(line)}" fill="{shade}"><title>{escape(name)}</title></polygon>')
            below = above
        marks = [
            f'<text x="{left - 6}" y="{height - share * height + 4:.0f}" text-anchor="end">{size(share * high)}</text>'
            for share in (0, 0.5, 0.95)
        ]
        said = f"peak {size(self.peak)} after {_durations.said(self.peak_time)}, {size(self.extra)} more than before"
        rows = "".join(
            f"<tr><td>{escape(name)}</td><td>{size(held)}</td><td>{size(shared)}</td></tr>"
            for name, held, shared in self.at_peak[:12]
        )
        return (
            f'<p>{said}</p><svg viewBox="0 -4 {width} {height + 22}" width="{width}" font-size="11" '
            f'font-family="sans-serif" fill="#6f7d88">{"".join(areas)}{"".join(marks)}'
            f'<text x="{width}" y="{height + 14}" text-anchor="end">{_durations.said(end)}</text></svg>'
            f"<table><tr><th>at the peak</th><th>held</th><th>shared</th></tr>{rows}</table>"
        )


_SHADES = ("#2a6f97", "#e09f3e", "#588157", "#7b5ea7", "#c8553d", "#6f7d88", "#4ba3c3", "#b5838d")
_STEPS = " ▁▂▃▄▅▆▇█"


def size(count):
    """Bytes in three digits with the unit that suits: "1.5 GiB"."""
    count = float(count)
    sign, count = ("-" if count < 0 else ""), abs(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 999.5:
            return f"{sign}{count:.3g} {unit}"
        count /= 1024
    return f"{sign}{count:.3g} TiB"


def _plot(times, held, width=60, height=6):
    """The memory over time in a terminal."""
    end, high = times[-1] or 1.0, max(held) or 1
    columns = [0.0] * width
    for place, at in enumerate(times):
        # Each look stands until the next one.
        first = min(int(at / end * width), width - 1)
        until = times[place + 1] if place + 1 < len(times) else end
        for column in range(first, max(first + 1, min(int(until / end * width), width))):
            columns[column] = max(columns[column], held[place] / high)
    lines = []
    for row in range(height - 1, -1, -1):
        cells = [_STEPS[round(min(max(share * height - row, 0.0), 1.0) * 8)] for share in columns]
        mark = size(high) if row == height - 1 else "0" if row == 0 else ""
        lines.append(f"{mark:>10} │{''.join(cells).rstrip()}")
    lines.append(f"{'':>10} └{'─' * width} {_durations.said(end)}")
    return lines


def memory(function, /, *args, **kwargs):
    """How much memory `function(*args, **kwargs)` takes, with all of its processes over time: a `Memory`.

    A thread beside it asks the kernel 50 times a second, less often where that would take more than a tenth of the
    time: what each process of the tree is charged for (its PSS, in which pages that several share count once), at the
    beginning, in between, and at the end. What the function raises is raised. `OSError` where the kernel does not tell
    (/proc/PID/smaps_rollup, Linux 4.14).

    >>> import manyhands as mh
    >>> found = mh.memory(bytearray, 100_000_000)
    >>> len(found.value), found.extra > 90_000_000
    (100000000, True)
    """
    if not callable(function):
        raise TypeError(f"function must be callable, not {type(function).__name__}: mh.memory(function, *args)")
    watch = _native.MemoryWatch(_PERIOD)
    try:
        value = function(*args, **kwargs)
    finally:
        looks = watch.stop()
    return Memory(value, looks)
