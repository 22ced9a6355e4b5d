"""`imap`: lazy in and out. The consumer's own thread feeds the workers and takes the answers."""

from _collections import deque
from _thread import allocate_lock
from time import perf_counter

_SLICE = 0.25
#: Work of about this many seconds is kept ahead of the consumer where no `buffer` is given.
_AHEAD = 0.2
_MOST = 1 << 16


class MapIterator:
    """The results of `imap` (in order) or `imap_unordered` (as they come). An error is raised in its place, and the
    iteration may go on after it. Dropping the iterator drops what has not begun.

    Input is taken in the consumer's own thread, at the call and at each `next`: a generator runs in the thread that it
    belongs to, and one without end is taken no further than `buffer` items ahead.
    """

    def __init__(
        self, pool, workers, function, items, mode, options, *, ordered, shareable, buffer=None, total=None, chunk=None
    ):
        self._ended = True  # until there is a job to be ended
        self._pool = pool  # kept, lest the workers end before
        self._workers = workers
        self._source = iter(items)
        self._ordered = ordered
        self._ready = deque()  # (succeeded, value) to be given out
        self._early = {}  # index -> the same, for those that must wait for earlier ones
        self._next = 0
        self._buffer = buffer
        self._limit = buffer if buffer is not None else max(64, 16 * workers.count)
        self._outstanding = 0  # fed and not yet given out
        self._source_error = None
        self._open = True
        self._since = perf_counter()
        self._lock = allocate_lock()
        self._bar = None
        self._job, self._session = workers.open(function, mode, share=shareable, chunk=chunk, **options.of_job())
        self._ended = False
        if options.progress:
            from ._progress import Progress

            self._bar = Progress(total, options.progress)
        self._feed()

    def __iter__(self):
        return self

    def __next__(self):
        ready = self._ready
        if not ready:
            self._fill(None)
        try:
            ok, value = ready.popleft()
        except IndexError:
            raise StopIteration from None
        self._outstanding -= 1
        if ok:
            return value
        raise value

    def next(self, timeout=None):
        """The next result; `TimeoutError` when there is none within `timeout` seconds."""
        if not self._ready:
            self._fill(timeout)
        return self.__next__()

    def close(self):
        """Drop what has not begun; nothing more comes."""
        if not self._ended:
            self._ended = True
            self._open = False
            self._ready.clear()
            self._early.clear()
            self._job.cancel(False)
            self._job.close()
            self._session.close()
            self._pool = None
            if self._bar is not None:
                self._bar.close()

    def __del__(self):
        # Not when the interpreter ends, when half of it is gone; the workers are ended by then.
        if not getattr(self, "_ended", True) and self._workers.engine.is_ours():
            self.close()

    def _feed(self):
        """Take input as far as there is room."""
        if not self._open:
            return
        room = self._limit - self._outstanding
        # Half a buffer at a time: messages of one item each would be slow.
        if room <= 0 or (room < self._limit // 2 and self._outstanding > 2 * self._workers.count):
            return
        before = self._job.fed()
        try:
            self._open = not self._job.feed(self._source, self._session, self._workers.hooks, room)
        except Exception as error:
            # It comes when those before it have been given out, as in a loop.
            self._source_error = error
            self._job.feed(iter(()), self._session, self._workers.hooks, None)
            self._open = False
        finally:
            self._outstanding += self._job.fed() - before

    def _fill(self, timeout):
        """Wait until there is something to give out, or everything was."""
        end = None if timeout is None else perf_counter() + timeout
        while not self._lock.acquire(timeout=_SLICE):
            if end is not None and perf_counter() >= end:
                self._too_late(timeout)
        try:
            while not self._ready and not self._ended:
                self._feed()
                left = _SLICE if end is None else min(_SLICE, max(0.0, end - perf_counter()))
                answers, outcome = self._job.collect(self._workers.loads, self._workers.hooks, left, self._open)
                self._take(answers)
                if outcome is not None and not self._ready:
                    self._end(outcome)
                elif not self._ready and end is not None and perf_counter() >= end:
                    self._too_late(timeout)
        except KeyboardInterrupt:
            self._job.cancel(True)
            self.close()
            raise
        finally:
            self._lock.release()

    def _take(self, answers):
        if not answers:
            return
        if self._bar is not None:
            self._bar.update(len(answers), sum(not ok for _, ok, _ in answers))
        if self._buffer is None:
            now = perf_counter()
            pace = len(answers) / max(now - self._since, 1e-6)
            self._since = now
            self._limit = int(min(_MOST, max(64, 16 * self._workers.count, pace * _AHEAD)))
        if not self._ordered:
            self._ready.extend((ok, value) for _, ok, value in answers)
            return
        early, expected = self._early, self._next
        for index, ok, value in answers:
            if index == expected:
                self._ready.append((ok, value))
                expected += 1
                while early and expected in early:
                    self._ready.append(early.pop(expected))
                    expected += 1
            else:
                early[index] = (ok, value)
        self._next = expected

    def _end(self, outcome):
        error = self._source_error
        if outcome != "complete":
            error = self._workers.hooks.broken() if outcome == "broken" else self._workers.hooks.terminated()
        self.close()
        if error is not None:
            self._source_error = None
            raise error

    def _too_late(self, timeout):
        from .errors import TimeoutError

        raise TimeoutError(f"no result within {timeout:g} s; ask again, the item goes on")


def whole_chunks(items, size):
    """The items, of which those of a chunk come only when the whole chunk could be had (multiprocessing's way)."""
    from itertools import islice

    source = iter(items)
    while chunk := list(islice(source, size)):
        yield from chunk
