"""The thread that calls back, and shows what is printed while nobody waits. One for each pool that needs it."""

from _thread import allocate_lock, start_new_thread

from ._output import emit

_LOOK_AROUND = 1.0


class Delivery:
    """Started with the first call that is not waited for; joined when the pool ends.

    Not a `threading.Thread`: the interpreter waits for those at its end before it says that it ends, and this one waits
    for calls that are under way.
    """

    def __init__(self, engine):
        self._engine = engine
        self._lock = allocate_lock()
        self._watched = {}  # (job's number, index or None) -> AsyncResult
        self._running = False
        self._stop = False
        self._ended = allocate_lock()

    def start(self):
        """Start the thread if it does not run."""
        with self._lock:
            if not self._running and not self._stop:
                self._ended.acquire()
                self._running = True
                start_new_thread(self._run, ())

    def watch(self, result, job, index=None):
        """Call `result._collect()` when its answer is there."""
        with self._lock:
            self._watched[job.id, index] = result
        job.watch(index)
        self.start()

    def abandon(self):
        """The program ends: what has not been delivered never will be."""
        self._abandoned = self._stop = True

    def join(self, timeout):
        """End the thread, after what has been answered has been delivered."""
        with self._lock:
            self._stop = True
            if not self._running or not self._engine.is_ours():
                return  # in a forked child the thread is not there
        self._engine.nudge_delivery()
        from _thread import get_ident

        if timeout > 0 and get_ident() != self._ident and self._ended.acquire(timeout=timeout):
            self._ended.release()

    def _run(self):
        from _thread import get_ident

        self._ident = get_ident()
        try:
            while True:
                deliveries, prints = self._engine.next_delivery(_LOOK_AROUND)
                if self._abandoned:
                    return
                for stream, data in prints:
                    emit(stream, data)
                for key in deliveries:
                    with self._lock:
                        result = self._watched.pop(key, None)
                    if result is not None:
                        result._collect()
                    del result
                if self._stop and not deliveries:
                    return
        finally:
            self._running = False
            self._ended.release()

    _ident = None
    _abandoned = False
