"""How many of joblib's tasks go to a worker at once.

A batch costs up to a millisecond of processor time beside its tasks: it is put together, pickled, sent, loaded and
answered, all of it on caches which the tasks between have made their own. So there should be few of them; and yet the
workers should end together. joblib's own rule is the frame: it begins with single tasks, measures how long a batch
takes, and looks ahead so far that each worker gets one of the same length.
"""

from queue import Queue

from joblib.parallel import AutoBatchingMixin

#: A batch that was this much too short is taken for one of as many times the length, which joblib then doubles.
_AHEAD = 4
#: Each batch at the end of the input is one of so many for each worker that are left: the first are long, the last
#: ones single (factoring: Hummel, Schonberg and Flynn, 1992).
_SHARES = 2


class Batching(AutoBatchingMixin):
    """joblib's choice of the length of batches, for workers that a message of some 0.1 ms reaches.

    It asks of its class: `parallel`, the running call of `Parallel`; `count`, how many workers there are.
    """

    #: Seconds, of which half is waiting for the batch before.
    MIN_IDEAL_BATCH_DURATION = 0.02
    MAX_IDEAL_BATCH_DURATION = 0.2

    parallel = None
    count = 1

    def compute_batch_size(self):
        """How many tasks the next batch should have."""
        self._join_the_last()
        if 0 < self._smoothed_batch_duration * _AHEAD < self.MIN_IDEAL_BATCH_DURATION:
            self._effective_batch_size *= _AHEAD
            self._smoothed_batch_duration *= _AHEAD
        return super().compute_batch_size()

    def _join_the_last(self):
        """Where joblib finds the end of its input it prepares batches of one task, all at once: the next of these
        takes those behind it along, as many as are its share of what is left."""
        prepared = getattr(self.parallel, "_ready_batches", None)
        if not isinstance(prepared, Queue) or prepared.qsize() <= self.count:
            return  # nothing prepared, or one for each worker: not the end
        with prepared.mutex:
            batches = prepared.queue
            share = sum(map(len, batches)) // (_SHARES * self.count)
            if len(batches) > self.count and len(batches[0]) < share:
                first = batches.popleft()
                while len(first.items) + len(batches[0].items) <= share:
                    first.items += batches.popleft().items
                first._size = len(first.items)
                batches.appendleft(first)
