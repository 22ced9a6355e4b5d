"""`get_context` and its kin: every context is ours, whichever start method is asked for.

What is not ours (events, conditions, shared values) is the standard library's own, made with this context, so that
it fits our processes and workers.
"""

from multiprocessing import context as _theirs
from multiprocessing.context import AuthenticationError, BaseContext, BufferTooShort, ProcessError

from . import errors
from .errors import TimeoutError
from .process import Process, active_children, current_process, parent_process

__all__ = [
    "AuthenticationError",
    "BaseContext",
    "BufferTooShort",
    "Context",
    "ForkContext",
    "ForkProcess",
    "ForkServerContext",
    "ForkServerProcess",
    "Process",
    "ProcessError",
    "SpawnContext",
    "SpawnProcess",
    "TimeoutError",
]

#: Ours is like "spawn": a clean process; the others are accepted. Default first.
METHODS = ("spawn", "fork", "forkserver")


class Context(BaseContext):
    """The names of multiprocessing as attributes, with processes of ours: what `get_context` gives."""

    Process = Process
    TimeoutError = errors.TimeoutError  # type: ignore[assignment]
    current_process = staticmethod(current_process)
    parent_process = staticmethod(parent_process)
    active_children = staticmethod(active_children)

    def __init__(self, method):
        self._name = method

    def cpu_count(self):
        """How many cores this process may use."""
        from ._native import cpu_count

        return cpu_count()

    def Lock(self):
        """A lock that processes share."""
        from ._locks import Lock

        return Lock(ctx=self)

    def RLock(self):
        """A lock that its owner may take again."""
        from ._locks import RLock

        return RLock(ctx=self)

    def Semaphore(self, value=1):
        """A count that processes take from and wait for."""
        from ._locks import Semaphore

        return Semaphore(value, ctx=self)

    def BoundedSemaphore(self, value=1):
        """The same, which cannot be given back more often than it was taken."""
        from ._locks import BoundedSemaphore

        return BoundedSemaphore(value, ctx=self)

    def Queue(self, maxsize=0):
        """A queue that processes share; with `maxsize`, `put` waits for room."""
        from .queues import Queue

        return Queue(maxsize, ctx=self.get_context())

    def JoinableQueue(self, maxsize=0):
        """The same, with `task_done` and `join`."""
        from .queues import JoinableQueue

        return JoinableQueue(maxsize, ctx=self.get_context())

    def SimpleQueue(self):
        """A queue without a thread: `put` waits until there is room in the pipe."""
        from .queues import SimpleQueue

        return SimpleQueue(ctx=self.get_context())

    def Pipe(self, duplex=True):
        """Two connections, the ends of a pipe."""
        from .connection import Pipe

        return Pipe(duplex)

    def Pool(self, processes=None, initializer=None, initargs=(), maxtasksperchild=None):
        """`manyhands.Pool`."""
        from .pool import Pool

        return Pool(processes, initializer, initargs, maxtasksperchild)

    def Manager(self):
        """Start a manager; its server is a process of ours and does not run the script again."""
        from .managers import SyncManager

        manager = SyncManager(ctx=self.get_context())
        manager.start()
        return manager

    def freeze_support(self):
        """Nothing is to be done: the script is never run again."""

    def get_context(self, method=None):
        """The context of that start method, "spawn", "fork" or "forkserver"; ours all the same. None: this one."""
        if method is None:
            return self
        try:
            return _contexts[method]
        except KeyError:
            raise ValueError(f"cannot find context for {method!r}") from None

    def get_start_method(self, allow_none=False):
        """The name under which this context was asked for."""
        return self._name


class _Default(Context):
    """What the module's own functions stand on."""

    def __init__(self):
        self._chosen = None

    def get_context(self, method=None):
        """As above; None: the one that was chosen with `set_start_method`."""
        return super().get_context(method or self._chosen or METHODS[0])

    def get_start_method(self, allow_none=False):
        """What was chosen; as in multiprocessing, asking for it chooses the default."""
        if self._chosen is None and not allow_none:
            self._chosen = METHODS[0]
        return self._chosen

    def set_start_method(self, method, force=False):
        """Accepted, and all methods are the same to us. RuntimeError when one was chosen before, unless `force`."""
        if self._chosen is not None and not force:
            raise RuntimeError("context has already been set")
        if method is not None or not force:
            method = self.get_context(method)._name
        self._chosen = method

    def get_all_start_methods(self):
        """The names that are accepted, default first."""
        return list(METHODS)


class SpawnContext(Context):
    """What `get_context("spawn")` gives."""

    def __init__(self):
        super().__init__("spawn")


class ForkContext(Context):
    """What `get_context("fork")` gives; its processes are started clean all the same."""

    def __init__(self):
        super().__init__("fork")


class ForkServerContext(Context):
    """What `get_context("forkserver")` gives; the same is true."""

    def __init__(self):
        super().__init__("forkserver")


SpawnProcess = ForkProcess = ForkServerProcess = Process


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)


_contexts = {context._name: context for context in (SpawnContext(), ForkContext(), ForkServerContext())}
_default = _Default()

#: What `manyhands` has of the default context, each under its own name.
NAMES = (
    "Array Barrier BoundedSemaphore Condition Event JoinableQueue Lock Manager Pipe Queue RLock RawArray RawValue "
    "Semaphore SimpleQueue Value allow_connection_pickling freeze_support get_all_start_methods get_context get_logger "
    "get_start_method log_to_stderr set_executable set_forkserver_preload set_start_method"
).split()

globals().update({name: getattr(_default, name) for name in NAMES})
__all__ += NAMES
