"""Running the tasks of one `Parallel` call: what `delayed` gives, in workers or as a loop.

The first failure that is met ends the call, as joblib has it: tasks that have not begun are dropped, and workers in the
middle of one are replaced.
"""

from itertools import islice
from time import perf_counter

from . import _kinds, _native

#: Tasks worth so many seconds are kept ahead where the caller does not say how many.
_AHEAD = 0.2
_FEWEST, _MOST = 64, 1 << 16
_SLICE = 0.25


def call(task):
    """Make the call that a task stands for."""
    function, args, kwargs = _parts(task)
    return function(*args, **kwargs)


def _parts(task):
    try:
        function, args, kwargs = task
    except (TypeError, ValueError):
        message = f"Parallel takes tasks, which delayed(function)(arguments) makes, not {type(task).__name__}"
        raise TypeError(message) from None
    return function, args, kwargs


class InLine:
    """One call's tasks as a loop in this thread. `batch`: so many are taken at a time; `count(1)` after each."""

    def __init__(self, tasks, batch, count):
        self._source = iter(tasks)
        self._batch = batch
        self._count = count
        self._done = False
        self._taken = 0

    def all(self):
        """Every result in a list."""
        return list(self.stream(True))

    def stream(self, ordered):
        """The results one by one."""
        count = self._count
        for task in self._source if self._batch == 1 else _in_batches(self._source, self._batch):
            self._taken += 1
            try:
                function, args, kwargs = task
            except (TypeError, ValueError):
                function, args, kwargs = _parts(task)
            result = function(*args, **kwargs)
            count(1)
            yield result
        self._done = True

    def dispatched(self):
        """How many tasks were begun."""
        return self._taken

    def is_unfinished(self):
        """Are there tasks that were not run?"""
        return not self._done

    def close(self):
        """There is nothing to let go of."""


def _in_batches(source, size):
    """The same items, so many of which are taken at a time."""
    while taken := list(islice(source, size)):
        yield from taken


class Run:
    """One call's tasks on workers. `window`: most tasks that are under way, None where it is left to us."""

    def __init__(self, workers, tasks, timeout, retries, window, count):
        # Tasks of a list are all there already; a generator may fill one array anew for each.
        share = True if isinstance(tasks, (list, tuple)) else "checked"
        self._workers = workers
        self._window = window
        self._count = count
        self._hooks = _FirstFailure(workers.hooks)
        self._job, self._session = workers.open(
            call, _kinds.TASK, share=share, return_errors=True, timeout=timeout, retries=retries
        )
        # Our own processes' job looks at each task itself.
        self._native = type(self._job) is _native.Job
        self._source = iter(tasks) if self._native else map(_parts, tasks)
        self._open = True
        self._fed = self._answered = 0

    def all(self):
        """Every result in a list, in order."""
        try:
            if self._window is None and self._native:
                return self._all_at_once()
            results = {}
            for answers in self._answers():
                results.update(answers)
            return [results[index] for index in range(len(results))]
        except Exception as error:
            raise as_raised(error) from error.__cause__

    def _all_at_once(self):
        hooks, count = self._hooks, self._count

        def progress(answered, failed):
            if failed and hooks.first is not None:
                raise hooks.first
            if answered:
                count(answered)

        failed = []
        # One native call for everything: nothing in Python is done for each task.
        results = self._job.run(self._source, self._session, self._workers.loads, hooks, progress, failed)
        if failed:
            raise results[failed[0]]
        return results

    def stream(self, ordered):
        """The results one by one; those tasks have begun that `feed` has taken."""
        try:
            yield from self._in_order() if ordered else self._as_they_come()
        except Exception as error:
            raise as_raised(error) from error.__cause__

    def _as_they_come(self):
        for answers in self._answers():
            for _, value in answers:
                yield value

    def _in_order(self):
        early, following = {}, 0
        for answers in self._answers():
            early.update(answers)
            while following in early:
                yield early.pop(following)
                following += 1

    def _answers(self):
        """Lists of (index, value), as they come."""
        job, workers, since, ended = self._job, self._workers, perf_counter(), None
        while ended is None:
            self.feed()
            answers, ended = job.collect(workers.loads, self._hooks, _SLICE, self._open)
            if not answers:
                continue
            self._answered += len(answers)
            for _, succeeded, value in answers:
                if not succeeded:
                    raise value
            now = perf_counter()
            self._ahead = int(min(_MOST, max(_FEWEST, len(answers) / max(now - since, 1e-6) * _AHEAD)))
            since = now
            self._count(len(answers))
            yield [(index, value) for index, _, value in answers]
        if ended != "complete":
            raise workers.hooks.broken() if ended == "broken" else workers.hooks.terminated()

    _ahead = _FEWEST

    def feed(self):
        """Take input as far as there is room."""
        if not self._open:
            return
        limit = self._ahead if self._window is None else self._window
        room = limit - (self._fed - self._answered)
        # Half a window at a time: messages of one task each would be slow.
        if room <= 0 or (room < limit // 2 and limit - room > 2 * self._workers.count):
            return
        before = self._job.fed()
        try:
            self._open = not self._job.feed(self._source, self._session, self._hooks, room)
        finally:
            self._fed += self._job.fed() - before

    def dispatched(self):
        """How many tasks were taken from the input."""
        return self._job.fed()

    def is_unfinished(self):
        """Are there tasks that were not answered?"""
        return self._open or self._answered < self._fed

    def close(self):
        """Let go of everything: what has not begun is dropped, workers that run the rest are replaced."""
        job, self._job = self._job, None
        if job is not None and self._workers.engine.is_ours():
            if job.outcome() is None:
                job.cancel(True)
            job.close()
            self._session.close()


class _FirstFailure:
    """Hooks that remember the failure that came first, and say of what cannot be sent what joblib says."""

    def __init__(self, hooks):
        self._hooks = hooks
        self.first = None

    def __getattr__(self, name):
        return getattr(self._hooks, name)

    def _failed(self, error):
        if self.first is None:
            self.first = error
        return error

    def failure(self, *described):
        """The exception that a worker described."""
        return self._failed(self._hooks.failure(*described))

    def died(self, *fate):
        """The error for a task whose worker died under it."""
        return self._failed(self._hooks.died(*fate))

    def timed_out(self, *fate):
        """The error for a task that ran longer than it may."""
        return self._failed(self._hooks.timed_out(*fate))

    def unreadable(self, *described):
        """The error for a result that cannot be rebuilt here."""
        return self._failed(self._hooks.unreadable(*described))

    def unsendable(self, error, index, task):
        """The error for a task that cannot be sent, as joblib has it; what went wrong is its cause."""
        cause = self._hooks.unsendable(error, index, task)
        try:
            _parts(task)
        except TypeError:
            return cause  # it is no task at all
        return unsendable(cause, f"task {index}: ")


def unsendable(error, which=""):
    """The error for a task that cannot be sent, with joblib's words."""
    from pickle import PicklingError

    kind = type(error).__name__
    made = PicklingError(f"could not pickle the task to send to the workers: {which}{kind}: {error}")
    made.__cause__ = error
    return made


def as_raised(error):
    """What a task raised that is no `Exception` is raised as itself: it would have ended the loop's program, too."""
    kind = getattr(error, "kind", None)
    if kind not in ("KeyboardInterrupt", "SystemExit"):
        return error
    from .errors import TaskExited

    if not isinstance(error, TaskExited):
        return error
    made = KeyboardInterrupt() if kind == "KeyboardInterrupt" else SystemExit(error.code)
    made.__cause__ = error
    return made
