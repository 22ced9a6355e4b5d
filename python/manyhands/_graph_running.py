"""Running a graph: its ready nodes go to jobs as items, their answers make others ready.

Which node is next, and what is free or skipped, is decided in native code (`_native.GraphRun`); this loop goes around
once for many nodes. Nodes with the same time-out share a job.
"""

from itertools import islice
from time import perf_counter

from . import _backends, _kinds, _native, _serial
from ._failures import annotate, brief, without_own_frames
from ._graph_calls import Runner

# Waits in native code look around this often, for signals and for other threads.
_SLICE = 0.25
#: With several jobs at work none can be waited for alone.
_SHORT = 0.005
#: Where everything runs in one thread, what a node has made ready is looked at after so many seconds.
_MOMENT = 0.0002
_SHOWN = 5  # names in a message


def run(plan, options, workers=None, backend="processes", on=None):
    """The results of the nodes that `plan` was made for, in a list, with exceptions in it if `options` says so."""
    count = _backends.count(workers, on)
    _backends.check(backend, on)
    tasks = plan.tasks()
    if backend == "serial" and (options.timeout is not None or any(task.timeout is not None for task in tasks)):
        raise ValueError('timeout= needs workers: a task of backend="serial" cannot be interrupted')
    if _backends.in_line(backend):
        return _Running(plan, tasks, options, _InLine(), limited=False).results()
    with _backends.kept(backend, count, on) as kept:
        return _Running(plan, tasks, options, kept).results()


class _Lane:
    """One job, with the nodes that go to it."""

    def __init__(self, job, session, items, hooks):
        self.job = job
        self.session = session
        self.items = items
        self.hooks = hooks
        self.sweep = getattr(job, "sweep", None)


class _NotSent(Exception):
    """A node's arguments could not be sent: `error` says why."""

    def __init__(self, error):
        self.error = error


class _Running:
    """One run of a graph."""

    def __init__(self, plan, tasks, options, workers, limited=True):
        self._plan = plan
        self._tasks = tasks
        self._options = options
        self._workers = workers
        self._failures = {}  # node -> what it raised
        self._tries = {}  # node -> how often its worker died or it timed out
        timeouts = [options.timeout if task.timeout is None else task.timeout for task in tasks]
        self._timeouts = list(dict.fromkeys(timeouts)) if limited else [None]
        lanes = [self._timeouts.index(timeout) if limited else 0 for timeout in timeouts]
        self._run = plan.run(lanes, self._costs())

    def _costs(self):
        if all(task.cost is None for task in self._tasks):
            return None
        return [node._cost or 0.0 for node in self._plan.nodes()]

    def results(self):
        """Run everything; the results."""
        bar = None
        lanes = []
        try:
            if self._options.progress:
                from ._progress import Progress

                bar = Progress(len(self._plan), self._options.progress)
            runner = Runner([task.function for task in self._tasks])
            for number, timeout in enumerate(self._timeouts):
                lanes.append(self._open(number, runner, timeout))
            self._drive(lanes, bar)
            return self._found()
        except BaseException as error:
            # Ctrl-C and its like: what runs is of no use any more.
            _cancel(lanes, not isinstance(error, Exception))
            raise
        finally:
            if bar is not None:
                bar.close()
            ended = list(lanes)
            _end(lanes)
            self._run.record({node: _said(error) for node, error in self._failures.items()})
            if _native.tracing():
                self._tell_trace(ended)
            # What was raised refers to here by its traceback: results must not live as long.
            self._run = None
            self._failures = {}

    def _tell_trace(self, lanes):
        from .graph import _label
        from .tracing import graph_done

        graph_done(self._plan, lanes, _label, self._run.node_at)

    def _open(self, number, runner, timeout):
        job, session = self._workers.open(
            runner, _kinds.STAR, share=True, return_errors=True, retries=0, timeout=timeout
        )
        hooks = self._workers.hooks.naming(lambda index: self._name(self._run.node_at(number, index)))
        hooks.timed = True
        hooks.unsendable = lambda error, index, item: _NotSent(error)
        # Retries are done here, as they are each task's own: so only here it is known how many there were.
        for name, place in ("died", -1), ("timed_out", -1), ("gone", 1):
            told = getattr(hooks, name, None)
            if told is not None:
                setattr(hooks, name, self._counting(told, number, place))
        return _Lane(job, session, self._run.lane(number), hooks)

    def _counting(self, told, number, place):
        def counted(index, *fate):
            fate = list(fate)
            fate[place] += self._tries.get(self._run.node_at(number, index), 0)
            return told(index, *fate)

        return counted

    def _name(self, node):
        from .graph import _label

        return f"task {_label(self._plan.node(node))!r}"

    def _drive(self, lanes, bar):
        # The frames of a task that runs in this thread refer to this one, and an exception's traceback to them: no name
        # here holds the run, lest its results live as long as what was raised.
        while not self._run.is_over():
            fed = [self._feed(number, lane) for number, lane in enumerate(lanes)]
            # A lane that takes nothing although it has nothing to do has ended: only it can say why.
            waiting = [number for number, (left, _) in enumerate(fed) if left or self._run.outstanding(number)]
            ended = failed = sum([lost for _, lost in fed])
            for number in waiting:
                timeout = 0.0 if ended else _SLICE if len(waiting) == 1 else _SHORT
                done, lost = self._collect(number, lanes[number], timeout, fed[number][0])
                ended, failed = ended + done + lost, failed + lost
            if bar is not None and ended:
                bar.update(ended, failed)

    def _collect(self, number, lane, timeout, room):
        """Take the answers that come within `timeout`: how many nodes are done by them, and how many failed."""
        garbage = []
        answers, outcome = lane.job.collect(self._workers.loads, lane.hooks, timeout, room)
        done, failures, large = self._run.settle(number, answers, garbage)
        answers.clear()
        lost = sum([self._settle_failure(node, error, garbage) for node, error in failures])
        if garbage:
            garbage = None
            if large and lane.sweep is not None:
                lane.sweep()
        if outcome is not None and not self._run.is_over():
            raise lane.hooks.broken() if outcome == "broken" else lane.hooks.terminated()
        return done, lost

    def _feed(self, number, lane):
        """Send what is ready, as far as there is room: whether some is left, and how many nodes failed by that."""
        run = self._run
        lost = 0
        while ready := run.ready(number):
            try:
                lane.job.feed(lane.items, lane.session, lane.hooks, ready)
                return run.ready(number) > 0, lost
            except _NotSent as refused:
                node = run.unsent(number)
                annotate(refused.error, f"the arguments of {self._name(node)} cannot be sent to a worker")
                lost += self._fail(node, refused.error, [])
        return False, lost

    def _settle_failure(self, node, error, garbage):
        """A node failed: run it again, or give up on it. How many nodes have ended by that."""
        retries = self._tasks[self._plan.task_of(node)].retries
        retries = self._options.retries if retries is None else retries
        if retries and _is_loss(error):
            self._tries[node] = self._tries.get(node, 0) + 1
            if self._tries[node] <= retries:
                self._run.again(node)
                return 0
        return self._fail(node, error, garbage)

    def _fail(self, node, error, garbage):
        self._failures[node] = error
        return 1 + self._run.fail(node, garbage)

    def _found(self):
        """What was asked for, once everything has ended."""
        outputs = self._plan.outputs()
        if self._failures:
            self._explain(outputs)
            if self._options.on_error == "raise":
                raise self._failures[min(self._failures)]
        causes = [self._run.cause(node) for node in outputs]
        return [self._failures[cause] if cause in self._failures else self._run.result(cause) for cause in causes]

    def _explain(self, outputs):
        """Add to failures by which path they cost what was asked for, and to the first one which others there are."""
        first, *others = sorted(self._failures)
        for node in {first, *(self._run.cause(output) for output in outputs)} & self._failures.keys():
            annotate(self._failures[node], self._path(self._run.route(node)))
        if others and self._options.on_error == "raise":
            names = [f"{self._name(node)} ({_said(self._failures[node])})" for node in others[:_SHOWN]]
            more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
            annotate(self._failures[first], f"failed too: {', '.join(names)}{more}")

    def _path(self, path):
        from .graph import _label

        names = [repr(_label(self._plan.node(node))) for node in (path if len(path) < 12 else [*path[:4], *path[-3:]])]
        if len(path) >= 12:
            names.insert(4, f"... {len(path) - 7} more ...")
        failed, *needed = names
        return f"task {failed} failed" + (f"; needed by {' -> '.join(needed)}" if needed else "")


def _cancel(lanes, kill):
    for lane in lanes:
        lane.job.cancel(kill)


def _end(lanes):
    """Leave nothing of the jobs."""
    _cancel(lanes, False)
    while lanes:
        lane = lanes.pop()
        lane.job.close()
        lane.session.close()
        lane.items = None


def _is_loss(error):
    """Whether the worker died or the time was up, rather than that the task raised this."""
    from .errors import RemoteTraceback, TimeoutError, WorkerDied

    raised = error.__traceback__ is not None or isinstance(error.__cause__, RemoteTraceback)
    return isinstance(error, (WorkerDied, TimeoutError)) and not raised


def _said(error):
    return f"{type(error).__name__}: {brief(str(error))}"


# ------------------------------------------------------------------------------ in the caller's own thread


class _InLine:
    """Stands for workers where everything runs in this very thread, one node after the other."""

    def __init__(self):
        from ._naming import Naming

        self.hooks = Naming()

    def open(self, function, mode, **options):
        """A job that runs an item whenever it is asked for an answer; it is its own session."""
        job = _InLineJob(function if _serial.noted is None else _serial.noted(function, "graph"))
        return job, job

    def loads(self, data):
        """Nothing is pickled."""
        raise AssertionError("nothing is pickled in one thread")


class _InLineJob:
    """Runs some of what is ready whenever it is asked for answers: few, lest more results wait than need to."""

    def __init__(self, function):
        self._function = function
        self._ready = None
        self._index = 0

    def feed(self, source, session, hooks, limit):
        """Take note of what is ready."""
        self._ready = source, limit

    def collect(self, loads, hooks, timeout, room):
        """Run for a moment, one item at least."""
        answers = []
        end = perf_counter() + _MOMENT
        item = None
        for item in islice(*self._ready):
            try:
                answers.append((self._index, True, self._function(*item)))
            except Exception as error:
                # Without our own frames: a traceback begins in the user's code.
                annotate(without_own_frames(error), f"while running {hooks.called(self._index)}")
                answers.append((self._index, False, error))
            self._index += 1
            if perf_counter() > end:
                break
        item, self._ready = None, None
        return answers, None

    def cancel(self, kill):
        """Nothing runs."""

    def close(self):
        """Nothing is kept."""
