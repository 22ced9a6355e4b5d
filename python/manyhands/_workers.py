"""One pool's worker processes, and what they have been told: what every face of the map stands on."""

import os
import sys
from _thread import RLock

from . import _context, _kinds, _native, _output
from ._by_name import travels_by_name
from ._naming import Naming

#: Variables that set how many threads a numerical library starts; a worker gets its share of the cores in each.
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "MANYHANDS_NUM_THREADS",
)

_KEPT_FUNCTIONS = 256
# Kinds of functions that have no state of their own.
_SIMPLE = (type(travels_by_name), type(len))


class Workers:
    """The worker processes of one pool. Safe to use from several threads."""

    def __init__(self, count, initializer=None, initargs=(), tasks_per_worker=None, memory=None, threads=None):
        """`threads`: how many a numerical library takes in a worker; None is its share of the cores, or what the
        environment says."""
        command, environment = _start_of(count, memory, threads)
        self.count = count
        self.engine = _native.Engine(count, command, environment, tasks_per_worker, memory)
        self.hooks = Hooks(self)
        self._publisher = None
        self._lock = RLock()
        self._first = []  # what every worker is told before anything else
        self._initial = None  # the initializer's session: what it needs is kept for workers to come
        self._context = _context.Context()
        self._context_version = self._context_number = None
        self._functions = {}  # id of a function that goes by name -> (function, number, its module)
        self._calls = None
        self._steady = None  # functions by value that single calls refer to
        self._prepare(initializer, initargs)
        self.engine.start()

    @property
    def publisher(self):
        """What has been told to the workers. Made when something first needs a pickle."""
        if self._publisher is None:
            from ._pickling import Publisher

            with self._lock:
                if self._publisher is None:
                    self._publisher = Publisher(self._publish, self._forget, _digest)
        return self._publisher

    def loads(self, data, buffers=()):
        """A result."""
        return self.publisher.loads(data, buffers)

    def _prepare(self, initializer, initargs):
        """Set what each worker is told at its start."""
        first = [self._surroundings()]
        if initializer is not None:
            session = self._initial = self.publisher.session()
            # Locks and proxies of multiprocessing live as long as somebody here keeps them; workers to come need them.
            self._initargs = initargs
            buffers, descriptors = [], []
            try:
                payload = session.dumps((initializer, tuple(initargs)), buffers.append, _collector(descriptors))
            except BaseException as error:
                self.engine.terminate()
                from ._failures import annotate

                annotate(error, "the initializer or its initargs cannot be sent to the workers")
                raise
            first += session.needs
            first.append(self.engine.add_object(_kinds.INITIALIZER, payload, buffers, descriptors))
        with self._lock:
            self._first = first
            self.engine.set_first(first, initializer is not None)

    # ------------------------------------------------------------------------------ what workers are told

    def _publish(self, kind, key, payload, buffers, descriptors=()):
        return self.engine.add_object(_kinds.NAMED[kind], payload, list(buffers), list(descriptors))

    def _forget(self, number):
        if self.engine.is_ours():
            self.engine.forget([number])

    def _surroundings(self):
        """The number of the object that brings a worker to the caller's directory, path, arguments, environment."""
        version, payload = self._context.snapshot()
        if version != self._context_version:
            with self._lock:
                if version == self._context_version:
                    return self._context_number  # another thread was there first
                before, number = self._context_number, self.engine.add_object(_kinds.CONTEXT, payload, [], [])
                self._context_version, self._context_number = version, number
                if before is not None:
                    # Workers that start from here on begin with the new one. What else they are told first stays as it
                    # was when the initializer was sent: newer values follow with the first items that need them.
                    self._first[self._first.index(before)] = number
                    self.engine.set_first(self._first, self._initial is not None)
                    self.engine.forget([before])
        return self._context_number

    def session(self):
        """A fresh look at the caller's objects, of which workers need the surroundings first."""
        session = self.publisher.session()
        session.needs.append(self._surroundings())
        return session

    # -------------------------------------------------------------------------------------------- jobs

    def open(self, function, mode, *, seed=(), share=False, **options):
        """Open a job that calls `function`; gives (job, session).

        `share`: a big buffer that comes again in its items is stored once. True where each item stays as it is until
        the call is over; "checked" where a buffer may be written to between two items: its contents are looked at.
        """
        tag = bytes((mode,)) + b"".join([word.to_bytes(8, "little") for word in seed])
        options.update(share=bool(share), checked=share == "checked")
        if mode in (_kinds.TASK, _kinds.APPLY):
            return named(self.engine.job(None, tag, tasks=True, **options), "call"), _TaskSession(self)
        number = self._number_of(function)
        keep = number is not None
        if keep:
            session = _LaterSession(self)
        else:
            session = self.session()
            try:
                number = self.add_function(session, function)
            except BaseException as error:
                from ._failures import annotate, brief

                annotate(error, f"the function {brief(function)} cannot be sent to the workers")
                raise
        return named(self.engine.job(number, tag, keep=keep, **options), function), session

    def _number_of(self, function):
        """The number of a function that goes by its name, which workers are told once for all calls; else None."""
        if type(function) not in _SIMPLE:
            return None
        known = self._functions.get(id(function))
        if known is not None:
            # Is it still what its name leads to?
            module = sys.modules.get(function.__module__)
            if module is known[2] and module.__dict__.get(function.__qualname__) is function:
                return known[1]
        if not travels_by_name(function):
            return None
        with self._lock:
            known = self._functions.get(id(function))
            if known is not None:
                return known[1]
            if len(self._functions) >= _KEPT_FUNCTIONS:
                # A call with it may be under way, so that it cannot be forgotten: it is only told anew next time.
                self._functions.pop(next(iter(self._functions)))
            payload = f"{function.__module__}:{function.__qualname__}".encode()
            number = self.engine.add_object(_kinds.FUNCTION_BY_NAME, payload, [], [])
            self._functions[id(function)] = (function, number, sys.modules.get(function.__module__))
            return number

    def calls(self, **options):
        """The job behind `apply`: endless, each item brings its own function. `options`: who asks first may say."""
        with self._lock:
            if self._calls is None:
                tag = bytes((_kinds.APPLY,))
                self._calls = self.engine.job(None, tag, return_errors=True, by_index=True, **options)
            return self._calls

    def submit(self, function, args, kwargs):
        """Send one call; gives (job, index, session). The session is None or to be kept until the answer is there: it
        keeps what the call needs from being forgotten."""
        job = self._calls or self.calls()
        if not kwargs:
            number = self._number_of(function)
            needs = [number]
            if number is None and type(function) is _SIMPLE[0]:
                # Not our own lock: who pickles holds the publisher's, and may come here from the user's `__reduce__`.
                with self.publisher._lock:
                    if self._steady is None:
                        from ._steady import SteadyFunctions

                        self._steady = SteadyFunctions(self)
                    told = self._steady.told(function)
                if told is not None:
                    number, needs = told.number, told.needs
            if number is not None:
                index = job.submit_call(number, args, [self._surroundings(), *needs])
                if index is not None:
                    named(job, function, index)
                    return job, index, None
        session = self.session()
        call = (function, args, kwargs or None)
        index = job.submit(call, session, self.hooks)
        named(job, function, index)
        # A lock or proxy among the arguments lives as long as somebody here keeps it.
        session.kept = call
        return job, index, session

    def tell_function(self, function):
        """Publish a function by value for single calls; gives its number, and the session that keeps what it needs."""
        session = self.publisher.session()
        return self.add_function(session, function), session

    def add_function(self, session, function):
        """The number of an object that holds a function by value, as `session` sees it now."""
        buffers, descriptors = [], []
        payload = session.dumps(function, buffers.append, _collector(descriptors))
        return self.engine.add_object(_kinds.FUNCTION, payload, buffers, descriptors)

    # -------------------------------------------------------------------------------------------- ends

    def close(self):
        """No further work; workers end when what there is has been done."""
        with self._lock:
            if self._calls is not None:
                self._calls.feed(iter(()), _LaterSession(self), self.hooks, None)
        self.engine.drain()

    def terminate(self):
        """End the workers now; none is left when it returns."""
        self.engine.terminate()


def named(job, function, *index):
    """The job; while a trace is made it is told what it, or one of its items, is called."""
    if _native.tracing():
        from .tracing import name_of

        job.name(function if isinstance(function, str) else name_of(function), *index)
    return job


class _LaterSession:
    """Stands for a session until something needs one."""

    def __init__(self, workers):
        self.needs = [workers._surroundings()]
        self._workers = workers
        self._session = None

    def dumps(self, obj, buffer_callback=None, fd_callback=None):
        """As a session does."""
        session = self._session
        if session is None:
            session = self._session = self._workers.publisher.session()
            session.needs = self.needs
        return session.dumps(obj, buffer_callback, fd_callback)

    def close(self):
        """As a session does."""
        if self._session is not None:
            self._session.close()


class _TaskSession(_LaterSession):
    """The session of a job whose items bring their own functions, many of them the same one."""

    def __init__(self, workers):
        super().__init__(workers)
        self._told = []  # functions by value, which go with the job

    def number_of(self, function, again):
        """The number under which the workers know `function`, or None where each task brings it along.

        What goes by name is told at once; what goes by value when it comes `again`, as it stands then. Callable objects
        and methods are part of their tasks: they may be others, or changed, at the next.
        """
        workers = self._workers
        number = workers._number_of(function)
        if number is None and again and type(function) is _SIMPLE[0]:
            number = workers.add_function(self, function)
            self._told.append(number)
        if number is not None and number not in self.needs:
            self.needs.append(number)
        return number

    def tell(self, function, most):
        """Publish a function by value for the calls to come; gives its number, or None where that takes more than
        `most` bytes: too much for each worker to load all of it."""
        buffers, descriptors = [], []
        payload = self.dumps(function, buffers.append, _collector(descriptors))
        if len(payload) + sum(memoryview(buffer).nbytes for buffer in buffers) > most:
            return None
        number = self._workers.engine.add_object(_kinds.FUNCTION, payload, buffers, descriptors)
        self._told.append(number)
        self.needs.append(number)
        return number

    def close(self):
        """As a session does."""
        super().close()
        if self._told and self._workers.engine.is_ours():
            self._workers.engine.forget(self._told)
            self._told = []


class Hooks(Naming):
    """What the native side asks for when it meets a failure, a death, or something printed."""

    def __init__(self, workers):
        # Not the workers themselves: a cycle would keep a forgotten pool alive until the next collection.
        self._engine = workers.engine
        self._workers = _weak(workers)

    emit = staticmethod(_output.emit)

    def failure(self, description, index):
        """The exception that a worker described."""
        from ._failures import rebuild

        return rebuild(description, self._workers().loads, self.name(index), self.timed)

    @staticmethod
    def glimpse(data, buffers):
        """An item, as far as it can be shown without running code of the user's."""
        from ._glimpse import glimpse

        return glimpse(data, buffers)

    def died(self, index, item, pid, signal, exitcode, out_of_memory, attempts):
        """The error for an item whose worker died under it."""
        from ._failures import brief
        from .errors import WorkerDied

        return WorkerDied.of(
            pid=pid,
            index=index,
            item=None if item is None else brief(item),
            signal=signal,
            exitcode=exitcode,
            out_of_memory=out_of_memory,
            attempts=attempts,
            name=self.name(index),
        )

    def timed_out(self, index, item, timeout, attempts):
        """The error for an item that ran longer than it may."""
        from .errors import TimeoutError

        tried = f", {attempts} times" if attempts > 1 else ""
        return TimeoutError(
            f"{self.called(index, item)} ran longer than its timeout{tried}: stopped after {timeout:.2f} s, worker "
            "replaced"
        )

    def cancelled(self):
        """The error for an item that the caller took back."""
        from ._future import Withdrawn

        return Withdrawn()

    def unreadable(self, error, index):
        """The error for a result that cannot be rebuilt here, with a note about whose it was."""
        from ._failures import annotate

        return annotate(error, f"the result of {self.called(index)} could not be rebuilt in the caller")

    def unsendable(self, error, index, item):
        """The error for an item that cannot be sent, with a note about which it was."""
        from ._failures import annotate

        return annotate(error, f"{self.called(index, item)} cannot be sent to a worker")

    def terminated(self):
        """The error for a call whose pool was terminated under it."""
        return RuntimeError("the pool was terminated before this call was done")

    def broken(self):
        """The error for a call on a pool whose workers cannot be started."""
        from .errors import PoolBroken

        signal, exitcode, out_of_memory, failure, start = self._engine.breakage() or (None, None, False, None, None)
        if failure is not None:
            from ._failures import rebuild

            cause = rebuild(failure, self._workers().loads)
            text = getattr(cause.__cause__, "tb", None)
            return PoolBroken(f"the initializer fails in every worker: {type(cause).__name__}: {cause}", text)
        if start is not None:
            return PoolBroken(f"no worker process can be started: {start}")
        from .errors import _signal_name

        if signal is not None:
            fate = f"killed by {_signal_name(signal)}" + (", probably out of memory" if out_of_memory else "")
        else:
            fate = f"ended with exit code {exitcode}" if exitcode is not None else "ended"
        return PoolBroken(f"workers end before their first item, the last one {fate}")


def _weak(obj):
    from _weakref import ref

    return ref(obj)


def _digest(buffer):
    return _native.digest([buffer]).to_bytes(16, "little")


def _collector(numbers):
    def collect(number):
        numbers.append(number)
        return len(numbers) - 1

    return collect


def _start_of(count, memory, threads):
    """The command that starts a worker, and what is set in its environment. `memory`: what it takes to be free."""
    command = _context.command("_worker", *(() if memory is None else (str(memory),)))
    share = str(max(1, _native.cpu_count() // count) if threads is None else threads)
    own = [name for name in THREAD_VARIABLES if threads is not None or name not in os.environ]
    environment = [(name, share) for name in own]
    environment.append(("MANYHANDS_OWN", ",".join(own)))
    return command, environment
