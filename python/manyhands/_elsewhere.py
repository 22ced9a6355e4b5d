"""Somebody else's executor as workers: `on=`. The same calls as `_workers.Workers` has, for the same faces.

The engine decides what is sent when (`_native.Scheduler`), `_queue.py` carries it out, `_there.py` is what runs on the
other side.
"""

import os
import sys
from _pickle import dumps
from _thread import RLock

from . import _kinds, _native, _queue, _there
from ._workers import Hooks, named

_REFUSED = "multiprocessing's locks, queues and pipes, and open files, reach only workers of our own"


class Elsewhere:
    """The workers of one executor. Safe to use from several threads.

    `other` is what `_engines.of` makes of what the user gave; `count` how many items run at once there; `strict`: it is
    up to us that no more do.
    """

    def __init__(self, other, count, strict, initializer=None, initargs=()):
        self.other = other
        self.count = count
        self.engine = _queue.Queue(other, count, strict)
        self.hooks = _Hooks(self)
        self._publisher = None
        self._lock = RLock()
        self._path = self._path_number = None
        self._initial = []
        self._initial_session = None
        self._calls = None
        self._prepare(initializer, initargs)

    def _prepare(self, initializer, initargs):
        """What every worker process must know before anything else: the initializer, which it runs once."""
        if initializer is None:
            return
        if self.other.here:
            raise ValueError(
                f"initializer= belongs to {self.other.name} itself when its workers are threads: give it there"
            )
        session = self._initial_session = self.publisher.session()
        try:
            payload = session.dumps((initializer, tuple(initargs)), None, _refuse)
        except BaseException as error:
            from ._failures import annotate

            annotate(error, "the initializer or its initargs cannot be sent to the workers")
            raise
        number = self.engine.store.add(_kinds.INITIALIZER, payload)
        self._initial = [*session.needs, number]

    def _first(self):
        """What a worker must know before anything else."""
        if self.other.here:
            return []
        path = [os.path.abspath(entry) for entry in sys.path if isinstance(entry, str)]
        with self._lock:
            if path != self._path:
                before, self._path = self._path_number, path
                self._path_number = self.engine.store.add(_kinds.CONTEXT, dumps(path, 5))
                if before is not None:
                    self.engine.store.forget(before)
            return [self._path_number, *self._initial]

    @property
    def publisher(self):
        """What has been told to the workers. Made when something first needs a pickle."""
        if self._publisher is None:
            from ._pickling import Publisher

            with self._lock:
                if self._publisher is None:
                    self._publisher = Publisher(self._publish, self.engine.store.forget, _digest)
        return self._publisher

    def _publish(self, kind, key, payload, buffers, descriptors=()):
        if descriptors:
            raise TypeError(_REFUSED)
        return self.engine.store.add(_kinds.NAMED[kind], payload, [bytes(buffer.raw()) for buffer in buffers])

    def loads(self, data, buffers=()):
        """A result."""
        return self.publisher.loads(data, buffers)

    # -------------------------------------------------------------------------------------------- jobs

    def open(self, function, mode, *, seed=(), share=False, timeout=None, chunk=None, by_index=False, **options):
        """Open a job that calls `function`; gives (job, session)."""
        self._refuse_timeout(timeout)
        stop = not options.get("return_errors", False)
        if self.other.here:
            session, number, needs = _NoSession(), function, []
        else:
            session = self.publisher.session()
            number, needs = self._told(function, session), session.needs
        call = _there.Call(number, mode, tuple(seed), stop)
        job = _queue.open_job(self.engine, call, self._first(), needs, by_index=by_index, **options)
        return named(job, "call" if function is None else function), session

    def _told(self, function, session):
        """The number of the object that holds the function."""
        try:
            payload = session.dumps(function, None, _refuse)
        except BaseException as error:
            from ._failures import annotate, brief

            annotate(error, f"the function {brief(function)} cannot be sent to {self.other.name}")
            raise
        return self.engine.store.add(_kinds.FUNCTION, payload)

    def _refuse_timeout(self, timeout):
        if timeout is not None:
            raise ValueError(f"timeout= cannot be had on {self.other.name}: an item there cannot be stopped")

    def calls(self, *, timeout=None, retries=0):
        """The job behind `apply`: endless, each item brings its own function. Who asks first may say how often it is
        tried again."""
        self._refuse_timeout(timeout)
        with self._lock:
            if self._calls is None:
                call, first = _there.Call(None, _kinds.APPLY, (), False), self._first()
                self._calls = _queue.open_job(
                    self.engine, call, first, [], return_errors=True, by_index=True, retries=retries
                )
            return self._calls

    def submit(self, function, args, kwargs):
        """Send one call; gives (job, index, session). The session is to be kept until the answer is there."""
        job = self.calls()
        session = _NoSession() if self.other.here else self.publisher.session()
        call = (function, args, kwargs or None)
        index = job.submit(call, session, self.hooks)
        session.kept = call
        named(job, function, index)
        return job, index, session

    # -------------------------------------------------------------------------------------------- ends

    def close(self):
        """No further work. The executor itself is its owner's to shut down."""
        with self._lock:
            if self._calls is not None:
                self._calls.feed(iter(()), _NoSession(), self.hooks, None)
        self.engine.drain()

    def terminate(self):
        """Drop what has not begun; what runs goes on over there, and nobody waits for it."""
        self.engine.terminate()


class _NoSession:
    """Stands for a session where nothing is pickled."""

    def __init__(self):
        self.needs = []

    def dumps(self, obj, buffer_callback=None, fd_callback=None):
        """Nothing is."""
        raise AssertionError("nothing is pickled for threads")

    def close(self):
        """Nothing is kept."""


class _Hooks(Hooks):
    """As for workers of ours, but that less is known of how somebody else's ended."""

    def failure(self, description, index):
        """The exception that a worker described, or that a thread of this process raised."""
        if type(description) is not tuple:
            return super().failure(description, index)
        from ._failures import annotate

        error, item = description
        if item is None:
            return error
        return annotate(error, f"while running {self.name(index) or f'item {index}: {item}'}")

    def died(self, index, item, cause, attempts):
        """The error for an item whose message was lost again and again."""
        from ._failures import brief
        from .errors import WorkerDied

        tried = f"; it was tried {attempts} times" if attempts > 1 else "; retries=n would run the item again"
        place = "" if index is None else f" while running {self.called(index, item)}"
        error = WorkerDied(
            f"a worker of {self._name()} was lost{place}: {self._engine.other.said(cause)}{tried}",
            index=index,
            item=None if item is None else brief(item),
            attempts=attempts,
        )
        error.__cause__ = cause
        return error

    def broken(self):
        """The error for a call on an executor that takes no more work."""
        from .errors import PoolBroken

        why, cause, description = self._engine.breakage() or ("it takes no more work", None, None)
        if description is not None:
            from ._failures import rebuild

            cause = rebuild(description, self._workers().loads)
            text = getattr(cause.__cause__, "tb", None)
            return PoolBroken(f"the initializer fails on {self._name()}: {_said(cause)}", text)
        error = PoolBroken(f"{self._name()} cannot go on: {why}")
        error.__cause__ = cause
        return error

    def terminated(self):
        """The error for a call that was dropped."""
        return RuntimeError(f"this call on {self._name()} was dropped before it was done")

    def _name(self):
        return self._engine.other.name


def _said(error):
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _refuse(descriptor):
    raise TypeError(_REFUSED)


def _digest(buffer):
    return _native.digest([buffer]).to_bytes(16, "little")
