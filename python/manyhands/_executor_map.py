"""The results of an executor's `map`, in order."""

from concurrent.futures import CancelledError, TimeoutError as FutureTimeout
from time import monotonic

from . import _kinds
from ._future import Withdrawn

_SLICE = 0.25


class MapResults:
    """An iterator over `map`'s results. What has not begun is dropped when it is closed, or raises.

    The input is taken at the call; with `ahead`, only so many items further than the results are.
    """

    def __init__(self, crew, function, iterables, timeout, ahead):
        self._started = False
        self._closed = True  # until there is something to close
        self._end = None if timeout is None else timeout + monotonic()
        if len(iterables) == 1:
            mode, source = _kinds.ONE, iter(iterables[0])
            share = isinstance(iterables[0], (list, tuple))
        else:
            mode, source = _kinds.STAR, zip(*iterables)
            share = all(isinstance(items, (list, tuple)) for items in iterables)
        self._crew = crew
        self._source = source
        self._hooks = _Noting(crew.hooks)
        self._ahead = ahead
        self._early = {}  # index -> (succeeded, value)
        self._next = 0
        self._outcome = None
        self._open = True
        self._shut = False  # the input was ended by the executor's shutdown
        self.job, self._session = crew.workers.open(function, mode, share=share, return_errors=True, **crew.options)
        self._closed = False
        try:
            crew.maps.add(self)
            self._feed(ahead)
        except BaseException:
            # The input's own error: what was taken before it is done all the same.
            self.end_input()
            self._leave()
            raise

    def __iter__(self):
        return self

    def __next__(self):
        self._started = True
        if self._closed:
            raise StopIteration
        try:
            return self._take()
        except BaseException:
            self.close()
            raise

    def close(self):
        """Drop what has not begun; nothing more comes."""
        if not self._closed:
            self._closed = True
            self._early.clear()
            if self._crew.workers.engine.is_ours():
                self.job.cancel(False)
                self.job.close()
                self._session.close()
            self._crew = None

    def end_input(self):
        """The executor takes nothing more."""
        if self._open:
            self._open, self._shut = False, True
            self.job.feed(iter(()), self._session, self._hooks, None)

    def _take(self):
        if self._open:
            self._feed(max(0, self._next + self._ahead + 1 - self.job.fed()))
        elif self._shut and next(self._source, self) is not self:
            raise self._crew.refusal()
        index = self._next
        while index not in self._early:
            if self._outcome is not None:
                self._finished()
            left = _SLICE if self._end is None else min(_SLICE, max(0.0, self._end - monotonic()))
            answers, self._outcome = self.job.collect(self._crew.loads, self._hooks, left, False)
            for found, succeeded, value in answers:
                self._early[found] = succeeded, value
            del answers
            if index not in self._early and self._end is not None and monotonic() >= self._end:
                raise FutureTimeout()
        self._next += 1
        succeeded, value = self._early.pop(index)
        if succeeded:
            return value
        if type(value) is Withdrawn:
            raise CancelledError()
        if isinstance(value, StopIteration):
            # Raised as it is, it would end the caller's loop without a word.
            raise RuntimeError("generator raised StopIteration") from value
        try:
            raise value
        finally:
            del value

    def _finished(self):
        """Nothing comes any more, and the next result is not there."""
        if self._outcome == "broken":
            raise self._hooks.broken()
        if self._outcome == "cancelled":
            raise CancelledError()
        if self._hooks.unsent is not None:
            raise self._hooks.unsent
        raise StopIteration

    def _feed(self, limit):
        """Take input, `limit` items at most, or all of it."""
        try:
            if self.job.feed(self._source, self._session, self._hooks, limit):
                self._open = False
        except Exception as error:
            if error is not self._hooks.unsent:
                raise
            # Nothing after it is asked for, and it is raised in its place.
            self.end_input()
            self._shut = False

    def _leave(self):
        """Nobody will ask for the results: what was submitted is done, and then forgotten."""
        self._closed = True
        crew, self._crew = self._crew, None
        left = _Left(self.job, self._session)
        crew.maps.add(left)
        crew.delivery.watch(left, left.job)

    def __del__(self):
        if not self._closed and self._crew.workers.engine.is_ours():
            if self._started:
                self.close()
            else:
                self.end_input()
                self._leave()


class _Left:
    """A job that goes on by itself."""

    def __init__(self, job, session):
        self.job = job
        self._session = session

    def end_input(self):
        """It has been."""

    def _collect(self):
        self.job.close()
        self._session.close()


class _Noting:
    """A crew's hooks, which note the item that could not be sent."""

    def __init__(self, hooks):
        self._hooks = hooks
        self.unsent = None

    def __getattr__(self, name):
        return getattr(self._hooks, name)

    def unsendable(self, error, index, item):
        """The error for an item that cannot be sent."""
        self.unsent = self._hooks.unsendable(error, index, item)
        return self.unsent
