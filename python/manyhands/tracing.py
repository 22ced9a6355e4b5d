"""`mh.trace`: what happened when, around any map, pool, executor, graph or compiled loop."""

import os
from _thread import RLock
from functools import partial

from . import _exits, _native, _serial

__all__ = ["trace"]

#: Pictures of graphs that one trace keeps.
_MOST_GRAPHS = 20

_lock = RLock()
_active: list = []


class trace:
    """Notes each task with its worker and times, for as long as the `with` lasts.

    Parameters
    ----------
    path:
        Where to write it at the end: "run.json" in the format that https://ui.perfetto.dev and chrome://tracing open,
        "report.html" as a page that any browser shows, without network: timeline, how busy the workers were, memory,
        the slowest items, and graphs that were run.
        Without one nothing is written; `save` does it later.

    What is noted: of each item when it was given (`queued`), sent to a worker (`sent`), taken on (`begun`), when its
    function was called and returned, when its answer lay ready (`ended`), reached the caller's process (`received`)
    and was taken by the caller (`taken`); what its worker's thread computed (`cpu`), and the bytes that travelled.
    Items in a row that take less than 50 us together are one task (`count` of them). Of compiled functions each call
    is noted, with the threads that ran its parallel loops. Of somebody else's engine (`on=`) each item is noted by the
    clock of the machine that ran it; where that is not ours, the times are set between the sending and the receiving
    of its message.

    Raises `ValueError` for a path that ends otherwise and `FileNotFoundError` for a folder that is not there, both
    before anything is run. What cannot be written at the end (a full disk) is an `OSError`; the trace can then be
    saved elsewhere.

    >>> import manyhands as mh
    >>> with mh.trace() as trace:
    ...     squares = mh.map(lambda x: x * x, range(4), workers=2)
    >>> sum(task["count"] for task in trace.tasks)
    4
    """

    def __init__(self, path=None):
        self.path = None if path is None else _checked(path)
        self._recording = None
        self._found = None
        self._graphs = []

    def __enter__(self):
        if self._recording is not None or self._found is not None:
            raise RuntimeError("a trace is made once: write mh.trace() again for another")
        self._recording = _native.Recording()
        with _lock:
            _active.append(self)
            _serial.noted = _noted
        return self

    def __exit__(self, kind, error, traceback):
        try:
            self._stop()
            if self.path is not None:
                self.save(self.path)
        except BaseException as failure:
            if error is None:
                raise
            from ._failures import annotate

            annotate(error, f"besides, the trace could not be written: {type(failure).__name__}: {failure}")

    def _stop(self):
        recording, self._recording = self._recording, None
        with _lock:
            if self in _active:
                _active.remove(self)
            if not _active:
                _serial.noted = None
        self._found = recording.stop()

    def save(self, path):
        """Write the trace to a file, as the path's ending says. It is there as a whole or, after an error, not at
        all."""
        path = _checked(path)
        found = self._done()
        if path.lower().endswith(".json"):
            return _write(path, found.chrome())
        figures = [
            ("Graph" if len(self._graphs) == 1 else f"Graph {number + 1}", picture)
            for number, picture in enumerate(self._graphs)
        ]
        return _write(path, found.report(_title(), figures))

    def report(self, path="report.html"):
        """Write the page to a file whose name ends in .html: see `save`."""
        if not _checked(path).lower().endswith(".html"):
            raise ValueError(f"a report is a page of HTML: its path must end in .html, not {path!r}")
        self.save(path)

    def _done(self):
        if self._found is None:
            raise RuntimeError("the trace is not done: it can be read and saved after the with")
        return self._found

    @property
    def tasks(self):
        """The tasks in the order in which they began, a dict each; times in seconds since the trace began."""
        return self._done().tasks()

    @property
    def usage(self):
        """What each worker did with its time from the first item given to the last answer taken, in seconds: `run`
        the function, `transfer` (messages read, arguments rebuilt, answers pickled), `dispatch` (an item was there,
        not yet begun), `start` (nothing had come yet), `idle` (between two messages), `end` (after its last item)."""
        return self._done().usage()

    @property
    def kernels(self):
        """The calls of compiled functions, a dict each: `threads` that ran blocks of its parallel loops, and how many
        `blocks`; `stints` has when each thread was at a loop: (thread, from, to, seconds computed, blocks)."""
        return self._done().kernels()

    def kernel_usage(self, threads):
        """What so many threads did in each call of a compiled function, in seconds: `wall` its length, `run` blocks
        of parallel loops and what the caller did alone, `cpu` what of it was computed, `idle` others meanwhile,
        `dispatch` (a loop was open, and the thread not yet at it), `end` (nothing of it was left)."""
        return self._done().kernel_usage(threads)

    @property
    def caller(self):
        """Seconds that callers spent on pickling items and rebuilding answers."""
        return self._done().caller()

    @property
    def memory(self):
        """The memory of all processes, shared pages counted once: (seconds, bytes) about 20 times a second,
        less often where looking takes more than a hundredth of the time; the last look may be a tenth of a second
        old."""
        return self._done().memory()

    @property
    def utilisation(self):
        """The share of the workers' time in which functions ran, from 0 to 1."""
        return self._done().utilisation()

    @property
    def seconds(self):
        """How long the `with` took."""
        began, ended = self._done().times
        return (ended - began) / 1e9

    def __repr__(self):
        if self._found is None:
            return "<trace, not done>"
        from ._durations import said

        tasks, kernels = self._found.counts[0], self._found.counts[2]
        lines = [f"<trace of {said(self.seconds)}: {_many(tasks, 'task')}, {_many(kernels, 'compiled call')}>"]
        for used in self.usage[:16]:
            whole = sum(used[part] for part in ("run", "transfer", "dispatch", "start", "idle", "end")) or 1.0
            lines.append(
                f"  {used['worker']:>10}  {_many(used['tasks'], 'item'):>12}  "
                f"{_bar(used['run'] / whole)} {100 * used['run'] / whole:3.0f}% in the function"
            )
        if len(self.usage) > 16:
            lines.append(f"  ... and {len(self.usage) - 16} more workers")
        if self._found.dropped:
            lines.append(f"  {self._found.dropped:,} events were too many to be kept")
        return "\n".join(lines)


def _bar(share, width=24):
    full = round(share * width)
    return "█" * full + "·" * (width - full)


def _many(count, what):
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _title():
    import sys
    import time

    program = os.path.basename(sys.argv[0]) if sys.argv and sys.argv[0] not in ("", "-", "-c", "-m") else "manyhands"
    return f"{program}, {time.strftime('%Y-%m-%d %H:%M')}"


_ENDINGS = (".json", ".html")


def _checked(path):
    path = os.fspath(path)
    if not isinstance(path, str):
        path = os.fsdecode(path)
    if os.path.splitext(path)[1].lower() not in _ENDINGS:
        raise ValueError(f"a trace is written to a path that ends in {' or '.join(_ENDINGS)}, not {path!r}")
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder!r} for the trace {path!r}")
    return os.path.abspath(path)


def _write(path, data):
    """Write a file as a whole: what was there before stays until it is."""
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except BaseException as error:
        try:
            os.unlink(beside)
        except OSError:
            pass
        if isinstance(error, OSError):
            from ._failures import annotate

            annotate(error, f"while the trace was written to {path}; it can be saved elsewhere: trace.save(path)")
        raise


# ------------------------------------------------------------------------------- what the faces tell, while it is on


def name_of(function):
    """What a function is called in a trace."""
    while isinstance(function, partial):
        function = function.func
    for attribute in ("__qualname__", "__name__"):
        try:
            name = getattr(function, attribute, None)
        except Exception:  # an object may answer as it likes: a trace does not make a map fail
            continue
        if isinstance(name, str):
            return name
    return type(function).__qualname__


_loops = 0


def _noted(function, name=None):
    """The same function, whose calls in a plain loop are noted."""
    global _loops
    with _lock:
        _loops += 1
        loop = _loops
    _native.name_serial(loop, name or name_of(function))
    index = -1

    def call(*args):
        nonlocal index
        index += 1
        begun, cpu = _native.clocks()
        failed = True
        try:
            result = function(*args)
            failed = False
        finally:
            _native.note_serial(loop, index, begun, cpu, failed)
        return result

    return call


def graph_done(plan, lanes, label, node_at):
    """A graph has been run: what its items are called, and its picture."""
    for number, lane in enumerate(lanes):
        name = getattr(lane.job, "name", None)
        if name is not None:
            name("graph")
            for index in range(lane.job.fed()):
                name(label(plan.node(node_at(number, index))), index)
    with _lock:
        active = [found for found in _active if len(found._graphs) < _MOST_GRAPHS]
    if active:
        from ._graph_picture import draw_plan

        picture = draw_plan(plan, "svg", 300)
        for found in active:
            found._graphs.append(picture)


def _in_child():
    _native.forget_traces()
    _active.clear()
    _serial.noted = None


_exits.after_fork(_in_child)
