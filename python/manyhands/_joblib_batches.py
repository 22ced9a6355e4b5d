"""How many of joblib's tasks go to a worker at once.

A message costs up to a millisecond of processor time beside its tasks: it is put together, pickled, sent, loaded and
answered, all of it on caches which the tasks between have made their own. So there should be few of them; and yet the
workers should end together. joblib hands over *batches*, whose length it finds by measuring, and so looks ahead in its
input. What workers get are *chunks*, cut off when one of them is to have its next: shares of what is known to be left,
long ones at first (factoring: Hummel, Schonberg and Flynn, 1992), and as long as more is to come no short ones.
"""

from collections import deque
from queue import Queue

from joblib.parallel import AutoBatchingMixin

#: A batch that was this much too short is taken for one of as many times the length, which joblib then doubles.
_AHEAD = 2
#: A chunk is one of so many for each worker that are left.
_SHARES = 2
#: Seconds of the shortest chunks while more is to come; at the end of the input, when they should still be several
#: times what a message costs; and of the longest.
_STEADY = 0.04
_SHORTEST = 0.003
_LONGEST = 0.2
#: Seconds of tasks that may be sent before a worker needs them: shorter ones are sent no faster than they are done.
_AT_LEAST = 0.0005
#: Tasks for each worker that make it worth while to tell all of them all that are left.
_WORTH = 4


class Batching(AutoBatchingMixin):
    """joblib's choice of the length of batches, in larger steps, and its end of the input noticed.

    It asks of its class: `parallel`, the running call of `Parallel`; `count`, how many workers there are; `backlog`.
    """

    parallel = None
    count = 1
    backlog = None

    def compute_batch_size(self):
        """How many tasks the next batch should have."""
        self._join_the_last()
        took = self._smoothed_batch_duration
        ahead = min(_AHEAD, int(self.MIN_IDEAL_BATCH_DURATION / (2 * took))) if took > 0 else 1
        if ahead > 1:
            self._effective_batch_size *= ahead
            self._smoothed_batch_duration *= ahead
        return super().compute_batch_size()

    def _join_the_last(self):
        """Where joblib finds the end of its input it prepares many short batches, to be handed over one by one: they
        become one."""
        prepared = getattr(self.parallel, "_ready_batches", None)
        if not isinstance(prepared, Queue) or prepared.qsize() <= self.count:
            return  # nothing prepared, or one for each worker: not the end
        with prepared.mutex:
            first, *others = prepared.queue
            for batch in others:
                first.items += batch.items
            first._size = len(first.items)
            prepared.queue.clear()
            prepared.queue.append(first)
        self.backlog.ending = True


class Batch:
    """What joblib handed over, and its results. What is no batch of joblib's own, just a function, is a single task."""

    __slots__ = ("begun", "callback", "function", "is_single", "missing", "results", "size")

    def __init__(self, function, callback):
        self.function = function
        self.callback = callback
        self.is_single = not hasattr(function, "_backend")
        self.size = self.missing = 1 if self.is_single else len(function.items)
        self.begun = 0
        self.results = [None] * self.size

    @property
    def value(self):
        """What joblib is to get, once no result is missing."""
        return self.results[0] if self.is_single else self.results

    def sent(self):
        """All of it is: what its tasks hold on to is not needed here any more."""
        self.function = None


class Backlog:
    """Batches for `count` workers, cut into chunks: lists of (batch, begin, end). With `whole` each batch is one.

    `ending`, once set: no more batches will come.
    """

    def __init__(self, count, whole):
        self.ending = False
        self._count = count
        self._whole = whole
        self._batches = deque()
        self._left = 0  # tasks
        self._pace = 0.0  # seconds of a task
        self._length = 0
        self._times = 0  # that a chunk of this length is to be cut

    def tasks(self):
        """All tasks that are left, and where in that list each batch begins, or would with what has been cut off. None
        where there are so few that a list is not worth it, or one of them is no batch of joblib's, or where each batch
        is to be one, since what a task does to an argument then is seen by those of its batch alone."""
        few = self._left < _WORTH * self._count
        if few or self._whole or any(batch.is_single for batch in self._batches):
            return None
        tasks, places = [], {}
        for batch in self._batches:
            places[batch] = len(tasks) - batch.begun
            tasks += batch.function.items[batch.begun :]
        return tasks, places

    def put(self, batch):
        """A batch is to be done."""
        self._batches.append(batch)
        self._left += batch.size

    def drop(self, batch):
        """It has failed: what is left of it, if anything, is not to be done."""
        if self._batches and self._batches[0] is batch:  # one that is begun is the first
            self._batches.popleft()
            self._left -= batch.size - batch.begun

    @property
    def is_short(self):
        """Is so little left that it may go to the workers as it is, and none of them need come back here for more?"""
        return self.ending and self._pace >= _AT_LEAST and 0 < self._left * self._pace <= _LONGEST * self._count

    @property
    def is_over(self):
        """Has everything been cut, and no more will come?"""
        return self.ending and self._left == 0

    def cut(self):
        """The next chunk, empty if nothing is left."""
        chunk = []
        wanted = self._next_length() if self._batches else 0
        while wanted > 0 and self._batches:
            batch = self._batches[0]
            if batch.is_single and chunk:
                break
            begin = batch.begun
            batch.begun = end = min(begin + wanted, batch.size)
            chunk.append((batch, begin, end))
            wanted = 0 if batch.is_single else wanted - (end - begin)
            self._left -= end - begin
            if end == batch.size:
                self._batches.popleft()
        return chunk

    def _next_length(self):
        if self._whole or self._pace == 0:
            return self._batches[0].size
        if self._times == 0:
            self._times = self._count
            shortest = _SHORTEST if self.ending else _STEADY
            seconds = self._left * self._pace / (_SHARES * self._count)
            self._length = max(int(min(max(seconds, shortest), _LONGEST) / self._pace), 1)
        self._times -= 1
        return self._length

    def took(self, chunk, seconds, results):
        """A chunk is done: the batches that are."""
        pace = seconds / len(results)
        self._pace = pace if self._pace == 0 else self._pace + 0.3 * (pace - self._pace)
        done, place = [], 0
        for batch, begin, end in chunk:
            batch.results[begin:end] = results[place : place + end - begin]
            batch.missing -= end - begin
            place += end - begin
            if batch.missing == 0:
                done.append(batch)
        return done
