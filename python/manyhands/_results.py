"""`AsyncResult`: the answer to a call that was not waited for, as multiprocessing has it."""

from _thread import allocate_lock
from time import monotonic

# Waits look around this often, for signals and for other threads.
_SLICE = 0.25


class AsyncResult:
    """The answer to `apply_async`, `map_async` or `starmap_async`.

    Its callbacks run on the pool's delivery thread, before `wait` and `get` return; a callback that raises is reported
    on standard error and changes nothing.
    """

    __class_getitem__ = classmethod(type(list[int]))

    def __init__(self, pool, callback, error_callback):
        self._pool = pool  # kept until the answer is there, lest the workers end before
        self._callback = callback
        self._error_callback = error_callback
        self._done = False
        self._success = False
        self._value = None
        self._collecting = allocate_lock()
        self._settled = allocate_lock()
        self._settled.acquire()

    def ready(self):
        """Whether the call has been answered."""
        return self._done

    def successful(self):
        """Whether it was answered without an exception; ValueError when it has not been answered."""
        if not self.ready():
            raise ValueError(f"{self!r} not ready")
        self.wait()
        return self._success

    def wait(self, timeout=None):
        """Wait until the answer is there, `timeout` seconds at most."""
        end = None if timeout is None else monotonic() + timeout
        while not self._done:
            # In slices: a signal that comes just before the sleep begins does not end it.
            left = _SLICE if end is None else min(_SLICE, max(0.0, end - monotonic()))
            if self._settled.acquire(timeout=left):
                self._settled.release()
            elif end is not None and monotonic() >= end:
                return

    def get(self, timeout=None):
        """The call's value, or its exception raised; `TimeoutError` when `timeout` seconds were not enough."""
        self.wait(timeout)
        if not self._done:
            from .errors import TimeoutError

            raise TimeoutError(f"no answer within {timeout:g} s; the call goes on")
        if self._success:
            return self._value
        raise self._value

    def _settle(self, success, value):
        """The answer has come: call back, then say so."""
        if self._done:
            return
        self._success, self._value = success, value
        callback = self._callback if success else self._error_callback
        self._callback = self._error_callback = None
        if callback is not None:
            try:
                callback(value)
            except BaseException:
                # Whatever it is: it was raised in a thread that goes on for others.
                _report(callback)
        self._done = True
        self._pool = None
        self._settled.release()


class ApplyResult(AsyncResult):
    """The answer to one call. Without callbacks nobody but the waiting thread itself is woken for it."""

    def __init__(self, pool, workers, job, index, session, callback, error_callback):
        super().__init__(pool, callback, error_callback)
        self._workers = workers
        self._job = job
        self._index = index
        self._session = session
        # What goes by value must be kept until the answer is there, whether or not anybody keeps this object.
        self._delivered = session is not None or callback is not None or error_callback is not None

    def ready(self):
        """Whether the call has been answered."""
        return self._done or (not self._delivered and self._job.is_answered(self._index))

    def wait(self, timeout=None):
        """Wait until the answer is there, `timeout` seconds at most."""
        if self._done or self._delivered:
            return super().wait(timeout)
        end = None if timeout is None else monotonic() + timeout
        while not self._done:
            left = _SLICE if end is None else min(_SLICE, max(0.0, end - monotonic()))
            if self._collecting.acquire(timeout=left):
                try:
                    if not self._done:
                        self._collect(left)
                finally:
                    self._collecting.release()
            if end is not None and monotonic() >= end:
                return None
        return None

    def _collect(self, timeout=0.0):
        """Take the answer if it is there within `timeout`."""
        workers = self._workers
        answer = self._job.answer(self._index, workers.loads, workers.hooks, timeout)
        if answer is not None:
            self._session = None
            self._settle(*answer)

    def __del__(self):
        if not self._done:
            self._job.discard(self._index)


class MapResult(AsyncResult):
    """The answers to many calls, in a list."""

    def __init__(self, pool, workers, job, session, callback, error_callback):
        super().__init__(pool, callback, error_callback)
        self._workers = workers
        self._job = job
        self._session = session

    def _collect(self):
        """The job has ended: take everything."""
        workers = self._workers
        try:
            answers, outcome = self._job.collect(workers.loads, workers.hooks, 0.0, False)
            answers.sort(key=_index)
            error = next((value for _, ok, value in answers if not ok), None)
            if error is None and outcome != "complete":
                error = workers.hooks.broken() if outcome == "broken" else workers.hooks.terminated()
            values = None if error is not None else [value for _, _, value in answers]
        except Exception as raised:
            error = raised
        self._job.close()
        self._session.close()
        self._workers = self._job = self._session = None
        if error is not None:
            self._settle(False, error)
        else:
            self._settle(True, values)


def _index(answer):
    return answer[0]


def _report(callback):
    import sys
    import traceback

    if sys.stderr is not None:
        print(f"Exception in the callback {callback!r} of a pool, ignored:", file=sys.stderr)
        traceback.print_exc()
