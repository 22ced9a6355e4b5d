"""What `mh.compare` found, in words: the reason, the table, the same for notebooks."""

from ._durations import said
from .footprint import size


def reason(found, way):
    """Why this way, in a sentence."""
    rows = {row.way: row for row in found.rows if row.seconds is not None}
    row, item = rows[way], said(found.item)
    holds = "" if found.lock is None else f"the function holds the GIL {100 * found.lock:.0f}% of the time"
    gain = f"{row.speedup:.2g} times as fast"
    if way == "serial":
        return f"serial: {_why_serial(found, rows, item)}"
    if way.startswith("jit"):
        ours = said(row.seconds / found.items)
        return f"{way.replace(', ', ' in ')}: compiled, an item takes {ours} in place of {item}"
    if way == "threads":
        if found.cpu < 0.5 and (found.lock is None or found.lock < 0.5):
            return (
                f"threads: the function waits {100 * (1 - found.cpu):.0f}% of the time, and who waits needs no core "
                f"({gain})"
            )
        if found.lock is not None and found.lock < 0.5:
            return f"threads: {holds} only, so that threads run at once, and nothing is copied ({gain})"
        return f"threads: nothing is copied, and they were {gain}"
    moved = ""
    if found.transfer is not None and found.transfer < found.item:
        moved = f"an item's {item} outweigh {said(found.transfer)} of transfer"
    if found.lock is not None and found.lock >= 0.5:
        parts = f"{holds}, and {moved}" if moved else f"{holds}, and processes have a lock each"
        return f"processes: {parts} ({gain})"
    return f"processes: {moved or 'they were the fastest'} ({gain})"


def _why_serial(found, rows, item):
    from ._native import cpu_count

    others = [row for name, row in rows.items() if name != "serial"]
    whole = found.item * found.total
    fastest = max(others, key=lambda row: row.speedup, default=None)
    if fastest is None:
        return "no other way can be had"
    processes = rows.get("processes")
    if processes is not None and processes.speedup > 1.1 and whole < found.start:
        return f"all of it takes {said(whole)}, less than the {said(found.start)} in which worker processes start"
    if found.transfer is not None and found.transfer > 0.5 * found.item:
        return f"an item takes {item}, and to hand one over and take its answer back {said(found.transfer)}"
    if cpu_count() == 1 and found.cpu > 0.5:
        return "there is one core, and the function computes"
    low, high = fastest.speedup_interval
    return (
        f"no other way is surely a tenth faster (the best, {fastest.way}, {fastest.speedup:.2f} times as fast, "
        f"{low:.2f} to {high:.2f})"
    )


def _cells(row):
    if row.seconds is None:
        return None
    low, high = row.interval
    share = "" if row.workers == 1 or row.way.startswith("jit") else f"{100 * row.efficiency:.0f}%"
    sure = "1 run only" if row.timing.repeat < 2 else f"{said(low)} to {said(high)}"
    if 0 < row.timing.confidence < 0.95:
        sure += f" ({100 * row.timing.confidence:.0f}%)"
    return said(row.seconds), sure, f"{row.speedup:.2f}", share, size(row.extra or 0)


_HEAD = ("way", "time", "95% interval", "speed-up", "efficiency", "extra memory")


def _title(found):
    part = f"{found.items:,} items" if found.items == found.total else f"{found.items:,} of {found.total:,} items"
    workers = max(row.workers for row in found.rows)
    return f"{found.name}, {part}, {workers} worker{'' if workers == 1 else 's'}"


def text(found):
    """The table for a terminal."""
    lines = [_HEAD]
    for row in found.rows:
        cells = _cells(row)
        if cells is not None:
            lines.append(("* " * (row.way.split(",")[0] == found.best) + row.way, *cells))
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEAD))]
    shown = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths)) for line in lines]
    unable = [f"{row.way} {row.why}" for row in found.rows if row.why is not None]
    return "\n".join([_title(found), *shown, *unable, found.reason, *(f"! {warning}" for warning in found.warnings)])


def html(found):
    """The same for a notebook."""
    from html import escape

    rows = "".join(
        f"<tr><td>{escape(row.way)}</td>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>"
        if (cells := _cells(row)) is not None
        else f'<tr><td>{escape(row.way)}</td><td colspan="5" style="text-align:left">{escape(row.why)}</td></tr>'
        for row in found.rows
    )
    head = "".join(f"<th>{name}</th>" for name in _HEAD)
    notes = "".join(f"<p>{escape(warning)}</p>" for warning in found.warnings)
    return (
        f"<p>{escape(_title(found))}</p><table><tr>{head}</tr>{rows}</table><p><b>{escape(found.reason)}</b></p>{notes}"
    )
