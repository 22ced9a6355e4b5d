"""What a graph's shape and times allow: work, span, and what so many workers can reach."""

from ._durations import said
from ._graph_picture import _is_undeclared
from ._options import worker_count

_SHOWN = 8  # tasks of the critical path in the text


class Explanation:
    """What can be gained from workers for one graph. All times are in seconds.

    `work` is what one worker needs, `span` what is needed however many there are: the tasks of `critical_path` (names)
    have to wait for each other. `speedup` is the best possible, work by span. `reach` tells for numbers of workers when
    the last task ends if each takes, whenever it is free, the task with the longest chain behind it; `bounds` what no
    schedule can beat and what none that leaves nobody idle exceeds (Graham's bound). `source` says whether the times
    were "measured" or "declared". What it costs to hand out tasks is not in it.
    """

    def __init__(self, tasks, source, work, span, critical_path, reach, bounds):
        self.tasks = tasks
        self.source = source
        self.work = work
        self.span = span
        self.critical_path = critical_path
        self.speedup = work / span if span > 0 else 1.0
        self.reach = reach
        self.bounds = bounds

    def __repr__(self):
        path = list(self.critical_path)
        if len(path) > _SHOWN:
            path[_SHOWN - 3 : -2] = [f"({len(path) - _SHOWN + 1} more)"]
        lines = [
            f"{self.tasks:,} task{'s' if self.tasks > 1 else ''}, times as {self.source}",
            f"work           {said(self.work):>14}   all tasks, one after the other",
            f"span           {said(self.span):>14}   what has to wait for each other: {' -> '.join(path)}",
            f"best speed-up  {self.speedup:>14.4g}   with any number of workers",
        ]
        for workers, seconds in self.reach.items():
            gain = self.work / seconds if seconds > 0 else 1.0
            name = f"{workers} worker{'s' if workers > 1 else ''}"
            lines.append(f"{name:<14} {said(seconds):>14}" + (f"   {gain:.4g} times as fast" if workers > 1 else ""))
        return "\n".join(lines)


def explain(node, workers=None, times=None):
    """See `Node.explain`."""
    from .graph import _label, _plan

    plan = _plan([node])
    nodes = plan.nodes()
    source, seconds = _times(nodes, times)
    if workers is None:
        numbers = None
    elif hasattr(type(workers), "__index__"):
        numbers = [worker_count(workers)]
    else:
        numbers = [worker_count(number) for number in workers]
    work, span, path, _ = plan.analyse(seconds, [])
    if numbers is None:
        numbers, most = [1], min(work / span if span > 0 else 1.0, 1024)
        while numbers[-1] < most:
            numbers.append(2 * numbers[-1])
    found = plan.analyse(seconds, numbers)[3]
    reach = {number: reached for number, (reached, _, _) in zip(numbers, found)}
    bounds = {number: (least, most) for number, (_, least, most) in zip(numbers, found)}
    names = tuple([_label(plan.node(place)) for place in path])
    return Explanation(len(nodes), source, work, span, names, reach, bounds)


def _times(nodes, times):
    """Which times there are, and they."""
    if times not in (None, "measured", "declared"):
        raise ValueError(f'times must be "measured", "declared" or None, not {times!r}')
    unmeasured = [node for node in nodes if node._last is None or node._last[1] is None]
    if times != "declared":
        if not unmeasured:
            return "measured", [node._last[1] for node in nodes]
        if times == "measured":
            raise ValueError(f"{_some(unmeasured, nodes)} not been run to the end: compute() it first")
    undeclared = [node for node in nodes if _is_undeclared(node)]
    if undeclared:
        unknown = [node for node in unmeasured if _is_undeclared(node)]
        if times == "declared":
            raise ValueError(f"{_some(undeclared, nodes)} declared no cost: say @mh.task(cost=seconds)")
        if not unknown:
            raise ValueError(
                f"{_some(unmeasured, nodes)} not been run to the end, and {_some(undeclared, nodes)} declared no cost; "
                "compute() it first, or say @mh.task(cost=seconds)"
            )
        raise ValueError(
            f"nothing is known about how long tasks take: {_some(unknown, nodes)} neither been run to the end nor "
            "declared a cost; compute() it first, or say @mh.task(cost=seconds)"
        )
    return "declared", [node._cost or 0.0 for node in nodes]


def _some(some, nodes):
    """The tasks of some of the nodes in words, with the verb."""
    from .graph import _label

    totals: dict = {}
    for node in nodes:
        totals[_label(node)] = totals.get(_label(node), 0) + 1
    counts: dict = {}
    for node in some:
        counts[_label(node)] = counts.get(_label(node), 0) + 1
    names = [
        repr(label) if count == totals[label] else f"{count} of {totals[label]} calls of {label!r}"
        for label, count in counts.items()
    ]
    more = f" and {len(names) - 3} others" if len(names) > 3 else ""
    return f"{', '.join(names[:3])}{more} {'have' if len(names) > 1 else 'has'}"
