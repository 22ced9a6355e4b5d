"""`TaskFuture`: a `concurrent.futures.Future` whose answer is taken by whoever waits for it.

A future that somebody waits for by `result()` wakes no other thread: the waiting one takes the answer from the engine.
One that others must be told of (a callback, `wait`, `as_completed`, asyncio) is *armed*: from then on the delivery
thread settles it. The standard library's `wait` and `as_completed` reach for `_state` and `_waiters`, so these arm.

`_lock` guards `_final` and what hangs on it, and is the lock of `_condition`; `_collecting` is held by the one thread
that is about to take the answer. No thread waits for the second while it holds the first.
"""

import threading
from _thread import RLock, allocate_lock, get_ident
from concurrent.futures import _base
from time import monotonic

CANCELLED = _base.CANCELLED_AND_NOTIFIED
FINISHED = _base.FINISHED

# Waits in native code look around this often, for signals and for other threads.
_SLICE = 0.25


class Withdrawn(_base.CancelledError):
    """Stands, as an answer, for a call that was cancelled."""


class EndedFuture(_base.Future):
    """The future of a call that has ended before anybody could ask for it."""

    def cancel(self, *, running=False):
        """False: there is nothing left to cancel."""
        return super().cancel()


class TaskFuture(_base.Future):
    """The answer to one call of an executor.

    All of `concurrent.futures.Future`, and `cancel(running=True)`. It may be handed to `wait`, `as_completed` and
    `asyncio.wrap_future`, together with futures of other executors.
    """

    # What few futures need is made when it is first needed.
    _armed = False
    _made_condition = _made_waiters = None
    _done_callbacks = ()
    _result = _exception = _final = _session = None

    def __init__(self, crew, index, session):
        self._crew = crew  # kept until the answer is there, lest the workers end before
        self._job = crew.job
        self._index = index
        self._lock = RLock()
        self._collecting = allocate_lock()
        if session is not None:
            # What goes by value must be kept until the answer is there, whether or not anybody keeps the future.
            self._session = session
            with self._lock:
                self._arm()

    # ------------------------------------------------------------------------------------------- what callers call

    def result(self, timeout=None):
        """The call's value, or its exception raised.

        `CancelledError` when it was cancelled, `TimeoutError` when `timeout` seconds were not enough; the call goes on.
        """
        if self._final is None:
            self._wait(timeout)
        try:
            if self._final is CANCELLED:
                raise _base.CancelledError()
            if self._exception is not None:
                raise self._exception
            return self._result
        finally:
            self = None  # lest the exception's traceback keep the exception

    def exception(self, timeout=None):
        """The exception that the call raised, None when it gave a value. Raises as `result` does."""
        if self._final is None:
            self._wait(timeout)
        if self._final is CANCELLED:
            raise _base.CancelledError()
        return self._exception

    def done(self):
        """Whether the call has ended or was cancelled."""
        self._poll()
        return self._final is not None

    def cancelled(self):
        """Whether the call was cancelled."""
        self._poll()
        return self._final is CANCELLED

    def running(self):
        """Whether a worker is at it."""
        self._poll()
        return self._final is None and self._job.has_begun(self._index)

    def cancel(self, *, running=False):
        """Cancel the call if it has not begun; then it never will. Returns whether it is cancelled.

        With `running=True` a call that is running is ended as well, by killing its worker process, which is replaced.
        No other call is lost: those that the worker had not begun go elsewhere. A thread cannot be stopped: with
        `backend="threads"` a running call goes on, and False is returned.
        """
        self._poll()
        verdict = False
        with self._lock:
            if self._final is None:
                verdict = self._job.withdraw(self._index, running)
                if verdict:
                    self._set(CANCELLED)
        if verdict:
            self._finish()
            if self._collecting.acquire(False):
                try:
                    self._job.discard(self._index)
                finally:
                    self._collecting.release()
        elif verdict is None:
            self._wait(None)  # its worker is ending: the answer, if it sent one before, comes at once
        return self._final is CANCELLED

    def add_done_callback(self, fn):
        """Call `fn(future)` when the call has ended or was cancelled; now, if it has. What it raises is logged."""
        self._poll()
        with self._lock:
            if self._final is None:
                if not self._done_callbacks:
                    self._done_callbacks = []
                self._done_callbacks.append(fn)
                self._arm()
                return
        self._call_back(fn)

    def __repr__(self):
        self._poll()
        if self._final is None:
            state = "running" if self._job.has_begun(self._index) else "pending"
        elif self._final is CANCELLED:
            state = "cancelled"
        elif self._exception is not None:
            state = f"finished raised {type(self._exception).__name__}"
        else:
            state = f"finished returned {type(self._result).__name__}"
        return f"<{type(self).__name__} at {id(self):#x} state={state}>"

    # -------------------------------------------------------------------- what concurrent.futures' functions reach for

    @property
    def _state(self):
        if self._final is None:
            self._poll()
            with self._lock:
                if self._final is None:
                    # Who reads this decides by it, under the lock: only the delivery thread changes it from here on.
                    self._arm()
                    return _base.PENDING
        return self._final

    @property
    def _condition(self):
        condition = self._made_condition
        if condition is None:
            with self._lock:
                condition = self._made_condition
                if condition is None:
                    condition = self._made_condition = threading.Condition(self._lock)
        return condition

    @property
    def _waiters(self):
        with self._lock:
            if self._made_waiters is None:
                self._made_waiters = []
            self._arm()
        return self._made_waiters

    # ------------------------------------------------------------------------------------------------------ the answer

    def _wait(self, timeout):
        """Wait until it is settled; TimeoutError when it is not within `timeout` seconds."""
        if timeout is None and not self._armed and self._collecting.acquire(False):
            self._collect_and_release(_SLICE)
        end = None if timeout is None else monotonic() + timeout
        while self._final is None:
            left = None if end is None else max(0.0, end - monotonic())
            if self._armed:
                with self._condition:
                    self._condition.wait_for(self._is_settled, left)
            else:
                left = _SLICE if left is None else min(_SLICE, left)
                if self._collecting.acquire(timeout=left):
                    self._collect_and_release(left)
            if self._final is None and end is not None and monotonic() >= end:
                raise _base.TimeoutError()

    def _is_settled(self):
        return self._final is not None

    def _poll(self):
        """Take the answer if it is there and nobody else is to."""
        if self._final is None and not self._armed and self._job.is_answered(self._index):
            self._collect()

    def _collect(self):
        """Take the answer, which is there; called by the delivery thread, too."""
        if self._final is None and self._collecting.acquire(False):
            self._collect_and_release(0.0)

    def _collect_and_release(self, timeout):
        try:
            self._collect_within(timeout)
        finally:
            self._collecting.release()
            if self._armed:
                with self._lock:
                    if self._final is None:
                        # The delivery thread may have been told while we stood in its way.
                        self._crew.delivery.watch(self, self._job, self._index)

    def _collect_within(self, timeout):
        crew = self._crew
        if crew is None:
            return
        try:
            answer = self._job.answer(self._index, crew.loads, crew.hooks, timeout)
        except Exception as error:
            answer = False, error
        if answer is None:
            return
        succeeded, value = answer
        with self._lock:
            if self._final is not None:
                return
            if succeeded:
                self._result = value
                self._set(FINISHED)
            elif type(value) is Withdrawn:
                self._set(CANCELLED)
            else:
                self._exception = value
                self._set(FINISHED)
        self._finish()

    def _set(self, final):
        """It has ended: tell those who wait. Under the lock."""
        self._final = final
        if self._made_waiters is not None:
            for waiter in self._made_waiters:
                if final is CANCELLED:
                    waiter.add_cancelled(self)
                elif self._exception is not None:
                    waiter.add_exception(self)
                else:
                    waiter.add_result(self)
        if self._made_condition is not None:
            self._made_condition.notify_all()

    def _finish(self):
        """Call back, and let go of what the call needed. Without the lock, by the thread that settled it."""
        self._crew = None
        if self._session is not None:
            session, self._session = self._session, None
            session.close()
            session.kept = None  # now: it stands in a cycle
        if self._done_callbacks:
            callbacks, self._done_callbacks = self._done_callbacks, ()
            for callback in callbacks:
                self._call_back(callback)

    def _call_back(self, callback):
        try:
            callback(self)
        except BaseException as error:
            if not isinstance(error, Exception) and get_ident() == threading.main_thread().ident:
                raise
            _base.LOGGER.exception("exception calling callback for %r", self)

    def _arm(self):
        """Let the delivery thread settle it. Under the lock."""
        if not self._armed and self._final is None:
            self._armed = True
            self._crew.delivery.watch(self, self._job, self._index)

    def __del__(self):
        if self._final is None:
            self._job.discard(self._index)
