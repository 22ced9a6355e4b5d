"""Carries out what the engine decides on somebody else's executor: sends messages, takes in their ends.

Who waits drives: an executor's own thread only notes that a message has ended (`_arrived`), and whoever waits for an
answer takes it from there. No lock is held while the executor runs an item.
"""

import os
from _collections import deque
from _pickle import loads as _plain_loads
from _thread import RLock
from contextlib import contextmanager
from functools import partial
from itertools import count as _count
from time import monotonic

from . import _native, _there
from ._queue_recovery import Recovery
from ._store import Store

#: Messages in the executor's hands for each of its workers: the one it runs, and one that waits. Only the former where
#: the executor might run both at once, and is not to.
_DEPTH = 2
#: The least and the most that the work in one message should take, in seconds, and how many times what a message costs.
_LEAST, _MOST = 0.05, 1.0
_WORTH = 20
#: Messages that an error names.
_SHOWN = 8
#: Once in so many seconds whoever waits asks whether the executor is alive.
_LOOK_AROUND = 1.0
#: So often while lost workers are waited for.
_GLANCE = 0.1
#: After so many seconds without news it is said when the executor has no workers. They may come: a batch system may
#: start some. After a loss they are waited for only so long, see `Futures.patience`.
_LONG_SILENCE = 10.0

_ids = _count(1)


class Queue:
    """The messages under way on one executor. What `_workers.Workers` calls its engine.

    `count` workers are used; `strict`: no more messages than that are ever in the executor's hands.
    """

    def __init__(self, other, count, strict=False):
        from threading import Condition

        slots = count if strict else _DEPTH * count
        self.other = other
        self.store = Store(slots)
        self._pid = os.getpid()
        self._scheduler = _native.Scheduler(slots, _LEAST)
        self._lock = RLock()  # the scheduler's and the jobs' state
        self._news = Condition()  # ends that have arrived, deliveries, changes; held for moments only
        self._inbox = deque()
        self._version = 0
        self._messages = {}  # number -> _Message
        self._jobs = {}  # id -> _Job
        self._accused = deque()  # numbers of messages of one item that are to be tried again with nothing beside them
        self._tried = None  # the number of the last of these that was sent
        self._held = deque()  # numbers of messages that wait meanwhile
        self._suspects = deque()  # numbers of messages with items that were lost, until the executor has recovered
        self._recovery = Recovery(other)
        self._broken = None
        self._drained = False
        self._bereft = None  # why the last message was lost, until one is answered that was sent later
        self._bereft_at = 0  # when, on the native clock
        self._news_at = self._looked_at = monotonic()  # when a message was sent or ended last; `_look_around`
        self._deserted_at = None  # since when the executor has been seen without workers
        self._warned = False
        self._deliveries = deque()
        self._nudged = False
        self._pace = _Pace()
        self.number = _native.new_pool()  # in traces
        self._places = {}  # machine, process and thread of a worker that was seen -> its number in traces

    # ------------------------------------------------------------------------------------- what jobs call

    def add(self, job, **options):
        """A new job; gives its number."""
        with self._changing():
            number = next(_ids)
            self._jobs[number] = job
            self._do(self._scheduler.open(number, **options))
            return number

    def give(self, event, *arguments):
        """Tell the scheduler of something, and do what it says."""
        with self._changing():
            self._do(getattr(self._scheduler, event)(*arguments))

    def room(self, job):
        """How many more items of the job may be fed."""
        with self._lock:
            return self._scheduler.room(job)

    def drop(self, job):
        """The job has been closed."""
        with self._lock:
            self._jobs.pop(job, None)

    def carrier(self, job, index):
        """The future that this item is on its way in, or None."""
        for message in self._messages.values():
            if message.job is job and message.first <= index < message.first + message.count:
                return message.future
        return None

    def wait(self, ready, timeout):
        """Drive until `ready()`, for `timeout` seconds at most; None: without end. Whether it is."""
        end = None if timeout is None else monotonic() + timeout
        while True:
            self._take_in()
            if self._recovery.is_due():
                with self._changing():
                    self._recovery.look()
            seen = self._version
            if ready():
                return True
            left = _GLANCE if self._recovery.under_way() else _LOOK_AROUND
            left = left if end is None else min(left, end - monotonic())
            if left <= 0:
                return False
            with self._news:
                news = self._inbox or self._version != seen or self._news.wait(left)
            now = monotonic()
            if not news and now - max(self._looked_at, self._news_at) >= _LOOK_AROUND:
                self._looked_at = now
                self._look_around(now)

    # ------------------------------------------------------------------------------ what comes and goes

    @contextmanager
    def _changing(self):
        """Around every change of the state. Ctrl-C in the middle of one leaves a queue that says so, and no hang."""
        with self._lock:
            try:
                yield
                self._send_held()
            except BaseException as error:
                self._spoil(error)
                raise

    def _spoil(self, error):
        if self._broken is None:
            self._broken = (f"{type(error).__name__} in the middle of its bookkeeping", error, None)
        self._cancel_all()
        for job in list(self._jobs.values()):
            job.finish("broken", None)
        self._drained = True
        self._changed()

    def _arrived(self, number, future):
        """In whatever thread: a message has ended."""
        message = self._messages.get(number)
        if message is not None:
            message.received = _native.clocks()[0]
        self._news_at = monotonic()
        with self._news:
            self._inbox.append((number, future))
            self._news.notify_all()

    def _changed(self):
        with self._news:
            self._version += 1
            self._news.notify_all()

    def _take_in(self):
        """Do what follows from the messages that have ended."""
        while True:
            try:
                number, future = self._inbox.popleft()
            except IndexError:
                return
            with self._lock:
                known = self._messages.get(number)
                if known is None:
                    continue
            # Without the lock: an answer may still have to be fetched from another machine.
            try:
                answer, error = self.other.fetch(future), None
                if not self.other.here:
                    answer = _plain_loads(answer)
            except BaseException as raised:
                if isinstance(raised, KeyboardInterrupt) and not _has_failed(future):
                    self._inbox.appendleft((number, future))  # ours, not the task's
                    raise
                answer, error = None, raised
            with self._changing():
                if self._messages.get(number) is known:
                    self._end(number, known, answer, error)
                    self._changed()

    def _end(self, number, message, answer, error):
        if error is not None:
            return self._failed(number, message, error)
        if answer[0] == "need":
            if message.job.outcome() is not None:
                del self._messages[number]
                return self._do(self._scheduler.gone(message.slot, number))
            return self._send_to(number, message, everything=True)
        if answer[0] == "stranger":
            return self._break(f"{answer[1]}; both need the same", None)
        if answer[0] == "broken":
            return self._break("its initializer fails", None, answer[1])
        if message.sent > self._bereft_at:
            self._bereft = None
        _, worker, began, ended, failed, values, noted = answer
        if noted is not None:
            self._note(message, *noted)
        self._pace.add(worker, began, ended, (message.received - message.sent) / 1e9)
        self._scheduler.aim(self._pace.target())
        job, first, answered = message.job, message.first, len(values)
        job.answering = (first, failed, values)
        failed = [first + position for position in failed]
        message.ended = True
        steps = self._scheduler.done(message.slot, number, answered, failed, ended - began)
        if answered == message.count:
            del self._messages[number]
        self._do(steps)
        if answered < message.count:
            # It ended at a failure, as the loop would; nobody needs the rest.
            self._messages.pop(number, None)
            self._do(self._scheduler.gone(message.slot, number))
        job.answering = None
        return None

    def _note(self, message, place, pid, arrived, runs):
        worker = self._places.setdefault(place, len(self._places) + 1)
        _native.note_elsewhere(self.number, message.job.id, worker, pid, message.sent, arrived, message.received, runs)

    def _failed(self, number, message, error):
        """No answer came: the message was lost with its worker, or the executor is of no use."""
        if not self.other.is_loss(error):
            return self._break(self.other.explain(error), error)
        if not self.other.alive():
            return self._break(f"{type(error).__name__}: {error} {self._under_way()}", error)
        self._bereft, self._bereft_at = error, _native.clocks()[0]
        self._recovery.begin()
        if message.count == 1:
            message.losses += 1
            if message.losses == 1 and self.other.tries_again(error):
                message.future = None
                self._suspects.append(number)
                return None
            if message.beside and self.other.blames_bystanders:
                message.future = None
                self._accused.append(number)
                return None
        del self._messages[number]
        message.job.cause = error
        message.job.take_back(message.first, message.items)
        return self._do(self._scheduler.gone(message.slot, number))

    def _under_way(self):
        """The items that may have been the reason for a loss, in words."""
        if not self._messages:
            return ""
        shown = [
            f"{message.first}" if message.count == 1 else f"{message.first} to {message.first + message.count - 1}"
            for message in list(self._messages.values())[:_SHOWN]
        ]
        more = ", ..." if len(self._messages) > _SHOWN else ""
        return f"; under way, as numbers of their calls: {', '.join(shown)}{more}"

    def _break(self, why, cause, description=None):
        if self._broken is None:
            self._broken = (why, cause, description)
        self._cancel_all()
        self._do(self._scheduler.broken())
        self._changed()

    def _cancel_all(self):
        messages, self._messages = self._messages, {}
        for message in messages.values():
            if message.future is not None:
                self.other.cancel(message.future)

    def _look_around(self, now):
        """Nothing has come for a while: is anybody there?"""
        with self._changing():
            if not self._messages or self._broken is not None:
                return
            if not self.other.connected():
                self._break("it has been shut down, or its connection is lost", None)
                return
            silent = now - self._news_at >= _LONG_SILENCE
            if not (silent or self._bereft) or self.other.count() != 0:
                self._deserted_at = None
                return
            if self._deserted_at is None:
                self._deserted_at, self._warned = now, False
            if self._bereft and now - self._deserted_at >= (patience := self.other.patience()):
                lost = f"its workers were lost, and for {patience:g} seconds it has had none{self._under_way()}"
                self._break(f"{lost}. Start others; the logs of the lost ones may tell why", self._bereft)
            elif silent and not self._warned:
                from warnings import warn

                self._warned = True
                warn(f"{self.other.name} has no workers at the moment: waiting for some", RuntimeWarning, stacklevel=2)

    def _do(self, steps):
        """Carry out the scheduler's instructions, and those that follow from them."""
        for what, *rest in steps:
            getattr(self, "_do_" + what)(*rest)

    def _do_send(self, slot, number, job, first, count):
        job = self._jobs[job]
        suspect = self._recovery.under_way() and job.has_lost(first, count)
        message = self._messages[number] = _Message(slot, job, first, job.items(first, count))
        if suspect:
            self._suspects.append(number)
        elif self._is_trying():
            self._held.append(number)
        else:
            self._send_to(number, message)

    def _send_held(self):
        """What was lost waits until the executor has recovered. An accused item is tried when nothing else is under
        way; then the others go on.
        """
        if self._recovery.under_way():
            return
        suspects, self._suspects = self._suspects, deque()
        for number in suspects:
            if self._is_trying():
                self._held.append(number)
            elif number in self._messages:
                self._send_to(number, self._messages[number])
        while (self._accused or self._held) and not any(m.future is not None for m in self._messages.values()):
            while self._accused:
                number = self._accused.popleft()
                if number in self._messages:
                    self._tried = number
                    self._send_to(number, self._messages[number])
                    return
            held, self._held = self._held, deque()
            for number in held:
                if number in self._messages:
                    self._send_to(number, self._messages[number])

    def _is_trying(self):
        """Whether an accused item is under way, or waits for that."""
        return bool(self._accused or self._held) or self._tried in self._messages

    def _send_to(self, number, message, everything=False):
        job, first = message.job, message.first
        traced = _native.tracing()
        message.sent = _native.clocks()[0]
        self._news_at = monotonic()
        try:
            if self.other.here:
                future = self.other.submit(_there.run_here, job.call.function, job.call, first, message.items, traced)
            else:
                needs = job.needs_of(message.items)
                message_bytes = self.store.message(needs, job.call, first, message.items, everything, traced)
                future = self.other.send(message_bytes)
        except Exception as error:
            self._messages.pop(number, None)
            why = self.other.explain(error)
            return self._break(why + self._under_way() if self.other.is_loss(error) else why, error)
        message.future, message.beside = future, False
        for other in self._messages.values():
            if other.future is not None and other is not message:
                other.beside = message.beside = True
        future.add_done_callback(partial(self._arrived, number))
        return None

    def _do_drop(self, slot, number):
        message = self._messages.get(number)
        count = 0
        unsent = message is not None and message.future is None
        if unsent or (message is not None and not message.ended and self.other.cancel(message.future)):
            del self._messages[number]
            message.job.take_back(message.first, message.items)
            count = message.count
        self._do(self._scheduler.dropped(slot, number, count))

    def _do_accept(self, job, first, count):
        self._jobs[job].accept(first, count)

    def _do_lost(self, job, index, attempts):
        self._jobs[job].lose(index, attempts)

    def _do_finished(self, job, outcome, index):
        job = self._jobs.get(job)
        if job is not None:
            job.finish(outcome, index)
            self._changed()

    def _do_drained(self):
        self._drained = True
        self._changed()

    # -------------------------------------------------------------------------- what faces ask of an engine

    def is_ours(self):
        """Is this the process that made it?"""
        return os.getpid() == self._pid

    def breakage(self):
        """Why it cannot go on: (in words, the exception behind it, the initializer's failure), or None while it can."""
        return self._broken

    def workers(self):
        """Nothing is known of somebody else's workers."""
        return []

    def take_prints(self):
        """What tasks print is the executor's affair."""
        return []

    def drain(self):
        """No further jobs."""
        self.give("drain")

    def wait_drained(self, timeout=None):
        """Wait until every job has ended."""
        return self.wait(lambda: self._drained, timeout)

    def terminate(self):
        """Drop every job. What runs goes on over there."""
        if not self.is_ours():
            return
        with self._changing():
            for number in list(self._jobs):
                self._do(self._scheduler.cancel(number))
            self._cancel_all()
            self._drained = True
            self._changed()

    terminate_at_exit = terminate

    def deliver(self, job, index):
        """Tell `next_delivery` that something which is watched is there."""
        with self._news:
            self._deliveries.append((job, index))
            self._news.notify_all()

    def next_delivery(self, timeout):
        """Drive until something that is watched is there, or `nudge_delivery`: ([(job, index or None)], [])."""
        self.wait(lambda: self._deliveries or self._nudged, timeout)
        with self._news:
            found = list(self._deliveries)
            self._deliveries.clear()
            self._nudged = False
        return found, []

    def nudge_delivery(self):
        """Wake `next_delivery`."""
        self._nudged = True
        self._changed()


class _Message:
    """Items on their way."""

    __slots__ = ("beside", "count", "ended", "first", "future", "items", "job", "losses", "received", "sent", "slot")

    def __init__(self, slot, job, first, items):
        self.slot = slot
        self.job = job
        self.first = first
        self.items = items
        self.count = len(items)
        self.future = None
        self.ended = False
        self.losses = 0
        self.beside = False  # whether something else was under way at any time while it was
        self.sent = self.received = 0  # when, in nanoseconds of the monotonic clock


class _Pace:
    """What a message costs beside its items.

    No more than its worker stood idle before it (which may have had nothing to do), and no more than it was away longer
    than its items ran (it may have stood behind another): the lesser of the two.
    """

    def __init__(self):
        self._workers = {}  # -> when its last message ended, by its own clock
        self._mean = None

    def add(self, worker, began, ended, away):
        """A message was answered, `away` seconds after it was sent."""
        before = self._workers.get(worker)
        self._workers[worker] = ended
        if before is not None and began >= before:  # its first one may have waited for the worker's start
            cost = max(0.0, min(began - before, away - (ended - began)))
            # A cost much higher than others is somebody else's work on this worker.
            cost = cost if self._mean is None else min(cost, 4 * self._mean)
            self._mean = cost if self._mean is None else self._mean + (cost - self._mean) / 8

    def target(self):
        """How long the work in one message should take."""
        return _LEAST if self._mean is None else min(max(_LEAST, _WORTH * self._mean), _MOST)


def _has_failed(future):
    try:
        return future.done() and future.exception() is not None
    except BaseException:
        return True


def open_job(queue, call, first, needs, **options):
    """A job on the queue."""
    from ._queue_job import Job

    return Job(queue, call, first, needs, **options)
