"""One call's items and answers on somebody else's executor: the same calls as `_native.Job` has."""

from time import perf_counter

from . import _native
from ._there import Parcel, plain

#: Items are taken in for so many seconds, or bytes, before answers are looked for.
_SLICE = 0.002
_SLICE_BYTES = 8 << 20
#: No more is taken in while so much waits to be sent.
_MOST_BYTES = 64 << 20


class Job:
    """See `_native.Job`. Items are kept, as they are sent, until they have been answered."""

    def __init__(self, queue, call, first, needs, *, by_index=False, return_errors=False, **options):
        self.call = call
        self.answering = None  # (first, failed positions, values) of the message that is being taken in
        self.cause = None  # why a message was lost last
        self._queue = queue
        self._first = first
        self._needs = needs
        self._by_index = by_index
        self._return_errors = return_errors
        self._fed = 0
        self._waiting = _Line()
        self._returned = {}  # index -> item, of messages that were lost
        self._answers = []  # (index, succeeded, value as it came)
        self._indexed = {}  # the same by index, for calls
        self._watched = set()
        self._discarded = set()
        self._outcome = None
        self._failed_index = None
        self.id = queue.add(self, return_errors=return_errors, **options)

    # ---------------------------------------------------------------------------- what the queue asks and tells

    def items(self, first, count):
        """The items of a message that is to be sent."""
        items = []
        while len(items) < count and (index := first + len(items)) in self._returned:
            items.append(self._returned.pop(index))
        if len(items) < count:
            ahead = first + len(items) - self._waiting.first
            if ahead > 0:  # what was withdrawn, and what stood before that
                self.take_back(self._waiting.first, self._waiting.take(ahead))
            items += self._waiting.take(count - len(items))
        return items

    def has_lost(self, first, count):
        """Whether any of these items was lost with a message, and has not been sent again."""
        return any(index in self._returned for index in range(first, first + count))

    def needs_of(self, items):
        """What a worker must know for these items, in order."""
        needs = dict.fromkeys([*self._first, *self._needs])
        for item in items:
            if type(item) is _Call:
                needs.update(dict.fromkeys(item.needs))
        if self.call.function is not None:
            needs[self.call.function] = None
        return list(needs)

    def take_back(self, first, items):
        """These items were lost with their message: they may be sent again."""
        self._returned.update(zip(range(first, first + len(items)), items))

    def accept(self, first, count):
        """These answers of those that are being taken in are to be kept."""
        start, failed, values = self.answering
        for index in range(first, first + count):
            position = index - start
            self._answer(index, position not in failed, values[position])

    def lose(self, index, attempts):
        """This item's message was lost for the last time, or (0 attempts) the item was withdrawn."""
        if attempts == 0:
            self._returned.pop(index, None)
            return self._answer(index, False, _WITHDRAWN)
        return self._answer(index, False, _Gone(self._returned.pop(index, None), attempts, self.cause))

    def _answer(self, index, ok, value):
        if not self._by_index:
            self._answers.append((index, ok, value))
            return
        if index in self._discarded:
            self._discarded.discard(index)
            return
        self._indexed[index] = (ok, value)
        if index in self._watched:
            self._watched.discard(index)
            self._queue.deliver(self.id, index)

    def finish(self, outcome, index):
        """Nothing further will come."""
        if self._outcome is not None:
            return
        self._outcome, self._failed_index = outcome, index
        self._waiting.clear()
        self._returned.clear()
        for index in self._watched:
            self._queue.deliver(self.id, index)
        self._watched.clear()

    # ------------------------------------------------------------------------------------------------- feeding

    def fed(self):
        """How many items have been fed."""
        return self._fed

    def _room(self):
        if self._waiting.bytes > _MOST_BYTES:
            return 0
        return self._queue.room(self.id)

    def _encode(self, value, session):
        if plain(value) or self._queue.other.here:
            return value
        return Parcel(session.dumps(value, None, _refuse))

    def _feed_slice(self, source, session, hooks, limit):
        """Take in one slice of the source; True when that is empty."""
        began, taken, size, error, end = perf_counter(), [], 0, None, False
        # Sent as they were when they were taken: the source may use one list again and again.
        while len(taken) < limit and size < _SLICE_BYTES:
            try:
                value = next(source)
            except StopIteration:
                end = True
                break
            except BaseException as raised:
                error = raised
                break
            try:
                item = self._encode(value, session)
            except Exception as raised:
                error = hooks.unsendable(raised, self._fed + len(taken), value)
                break
            taken.append(item)
            size += len(item) if type(item) is Parcel else 0
            if len(taken) % 64 == 0 and perf_counter() - began > _SLICE:
                break
        with self._queue._lock:
            if taken and self._outcome is None:
                self._waiting.add(taken, size)
                self._note_fed(len(taken))
                self._fed += len(taken)
                self._queue.give("feed", self.id, len(taken))
            if end:
                self._queue.give("end_of_input", self.id)
        if error is not None:
            raise error
        return end

    def feed(self, source, session, hooks, limit):
        """Send up to `limit` items while there is room; with None all of them. True when the source is empty."""
        start = self._fed
        while True:
            room = 1 << 20 if limit is None else min(self._room(), limit - (self._fed - start))
            if room <= 0 or self._outcome is not None:
                return False
            if self._feed_slice(source, session, hooks, room):
                return True

    def submit(self, value, session, hooks):
        """Send one item; gives its index."""
        if self._queue.other.here:
            item = value
        else:
            try:
                item = _Call(session.dumps(value, None, _refuse))
            except Exception as error:
                raise hooks.unsendable(error, self._fed, value) from None
            item.needs = tuple(session.needs)
        with self._queue._lock:
            if self._outcome is not None:
                if self._outcome == "broken":
                    raise hooks.broken()
                raise RuntimeError("no further calls: the pool was closed")
            index = self._fed
            self._waiting.add([item], len(item) if type(item) is _Call else 0)
            self._note_fed(1)
            self._fed += 1
            self._queue.give("feed", self.id, 1)
            return index

    def submit_call(self, number, arguments, needs):
        """None: calls bring their functions here."""

    # ------------------------------------------------------------------------------------------------- answers

    def run(self, source, session, loads, hooks, progress, failed_indices):
        """Every item of `source`, to the end; results in order. `failed_indices` gets those of failed items."""
        values, failures, is_open = [], {}, True
        while True:
            if is_open and self._room() > 0:
                is_open = not self._feed_slice(source, session, hooks, self._room())
            busy = is_open and self._room() > 0
            answers, outcome = self.collect(loads, hooks, 0.0 if busy else None, is_open)
            failed = 0
            for index, ok, value in answers:
                if index >= len(values):
                    values.extend([None] * (index + 1 - len(values)))
                values[index] = value
                if not ok:
                    failed += 1
                    failures[index] = value
            if progress is not None:
                progress(len(answers), failed)
            if outcome is not None:
                break
        if outcome == "failed":
            raise failures[self._failed_index]
        if outcome != "complete":
            raise hooks.broken() if outcome == "broken" else hooks.terminated()
        if failed_indices is not None:
            failed_indices.extend(sorted(failures))
        elif failures and not self._return_errors:
            raise failures[min(failures)]  # it succeeded over there, and could not be rebuilt here
        return values

    def collect(self, loads, hooks, timeout, room):
        """Wait up to `timeout` seconds for answers (`room`: or for room for items): (answers, outcome or None)."""
        self._queue.wait(lambda: self._answers or self._outcome or (room and self._room() > 0), timeout)
        with self._queue._lock:
            answers, self._answers = self._answers, []
            outcome = self._outcome
        self._note_taken([index for index, _, _ in answers])
        return [(index, *self._made(index, ok, value, loads, hooks)) for index, ok, value in answers], outcome

    def answer(self, index, loads, hooks, timeout):
        """The answer to one item of a job `by_index`: (succeeded, value or exception); None when there is none yet."""
        self._queue.wait(lambda: self.is_answered(index), timeout)
        with self._queue._lock:
            found = self._indexed.pop(index, None)
        if found is not None:
            self._note_taken([index])
            return self._made(index, *found, loads, hooks)
        if self._outcome is None:
            return None
        return False, hooks.broken() if self._outcome == "broken" else hooks.terminated()

    def _made(self, index, ok, value, loads, hooks):
        """(succeeded, value or exception) of what came."""
        if type(value) is _Gone:
            return False, self._gone(index, value, loads, hooks)
        if not ok and value is _WITHDRAWN:
            return False, hooks.cancelled()
        if not ok:
            return False, hooks.failure(value, index)
        if type(value) is not Parcel or self._queue.other.here:
            return True, value
        try:
            return True, loads(value)
        except Exception as error:
            return False, hooks.unreadable(error, index)

    def _gone(self, index, gone, loads, hooks):
        item = gone.item
        if type(item) in (Parcel, _Call):
            item = None  # it is pickled for the other side
        return hooks.died(None if self._by_index else index, item, gone.cause, gone.attempts)

    def is_answered(self, index):
        """Has the item been answered (or has the job ended without)?"""
        self._queue._take_in()
        return index in self._indexed or self._outcome is not None

    def has_begun(self, index):
        """Is the item running, as far as the executor tells (or done, with its answer on its way)?"""
        with self._queue._lock:
            future = self._queue.carrier(self, index)
            running = getattr(future, "running", None)
            return future is not None and (future.done() or (callable(running) and bool(running())))

    def withdraw(self, index, kill):
        """Take back one item of a job `by_index`, if the executor lets go of it: whether it is cancelled. What runs
        there cannot be killed."""
        with self._queue._lock:
            if index not in self._indexed and self._outcome is None:
                self._queue.give("withdraw", self.id, index)
            return self._indexed.get(index, (True, None))[1] is _WITHDRAWN

    def withdraw_waiting(self):
        """Take back every item that has not begun."""
        with self._queue._lock:
            # From the end: what is unsent goes first, so that nothing of it is sent in the place of what is taken back.
            for index in reversed(range(self._fed)):
                if not self.has_begun(index) and self._outcome is None:
                    self._queue.give("withdraw", self.id, index)

    def discard(self, index):
        """Nobody will ask for the answer to this item."""
        with self._queue._lock:
            if self._indexed.pop(index, None) is None and self._outcome is None:
                self._discarded.add(index)

    def outcome(self):
        """How the job ended: "complete", "failed", "cancelled", "broken", or None while it has not."""
        return self._outcome

    def watch(self, index=None):
        """Ask that `next_delivery` of the queue tell of an answer, or, for None, of the end."""
        with self._queue._lock:
            if self._outcome is not None or index in self._indexed:
                self._queue.deliver(self.id, index)
            else:
                self._watched.add(index)

    def cancel(self, kill):
        """End the job early. What runs cannot be stopped: nobody waits for it."""
        if self._outcome is None:
            self._queue.give("cancel", self.id)

    def close(self):
        """Let go of the job and of its function."""
        if self._queue.is_ours():
            self.cancel(False)
            self._queue.drop(self.id)
            if not self._queue.other.here and self.call.function is not None:
                self._queue.store.forget(self.call.function)

    # ------------------------------------------------------------------------------------------------- traces

    def name(self, text, index=None):
        """Tell what the job, or one of its items, is called."""
        _native.name_elsewhere(self._queue.number, self.id, text, index)

    def _note_fed(self, count):
        if _native.tracing():
            _native.note_fed(self._queue.number, self.id, self._fed, count)

    def _note_taken(self, indices):
        if indices and _native.tracing():
            _native.note_taken(self._queue.number, self.id, indices)


class _Call(Parcel):
    """A call of `apply`: what its worker must know for it. It arrives as a plain parcel."""

    needs = ()

    def __reduce__(self):
        return Parcel, (bytes(self),)


#: Stands for the answer to an item that the caller took back.
_WITHDRAWN = object()


class _Gone:
    """Stands for the answer to an item that was lost."""

    __slots__ = ("attempts", "cause", "item")

    def __init__(self, item, attempts, cause):
        self.item = item
        self.attempts = attempts
        self.cause = cause


class _Line:
    """Items that have not been sent, in order: the first is number `first`."""

    def __init__(self):
        self.first = 0
        self.bytes = 0
        self._items = []
        self._start = 0

    def add(self, items, size):
        self._items += items
        self.bytes += size

    def take(self, count):
        taken = self._items[self._start : self._start + count]
        self._start += count
        self.first += count
        self.bytes -= sum([len(item) for item in taken if isinstance(item, Parcel)])
        if 2 * self._start > len(self._items):
            del self._items[: self._start]
            self._start = 0
        return taken

    def clear(self):
        self._items.clear()
        self._start = self.bytes = 0


def _refuse(descriptor):
    raise TypeError("multiprocessing's locks, queues and pipes, and open files, reach only workers of our own")
