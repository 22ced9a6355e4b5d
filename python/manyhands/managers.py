"""Managers as in `multiprocessing.managers`, whose servers are processes of ours.

So what is registered may be a class of the script's own, no script is run again, and the server listens on an abstract
socket: no file stands for it, and none is left when it is killed. What is put into a list or a queue of a manager, or
given to a method, goes by value as elsewhere.
"""

from multiprocessing import managers as _theirs
from multiprocessing.managers import (  # type: ignore[attr-defined]
    AcquirerProxy,
    BaseProxy,
    DictProxy,
    ListProxy,
    MakeProxyType,
    Namespace,
    NamespaceProxy,
    RemoteError,
    Token,
    ValueProxy,
)

from . import connection

__all__ = [
    "AcquirerProxy",
    "BaseManager",
    "BaseProxy",
    "DictProxy",
    "ListProxy",
    "MakeProxyType",
    "Namespace",
    "NamespaceProxy",
    "RemoteError",
    "SharedMemoryManager",
    "SyncManager",
    "Token",
    "ValueProxy",
]


class _Serializer(str):
    """The name under which multiprocessing looks up how a manager is talked to. Who gets it, with a proxy, knows it."""

    def __reduce__(self):
        return _serializer, ()


def _serializer():
    return _SERIALIZER


_SERIALIZER = _Serializer(__package__)
_theirs.listener_client[_SERIALIZER] = connection.Listener, connection.Client  # type: ignore[attr-defined]


class BaseManager(_theirs.BaseManager):
    """`multiprocessing.managers.BaseManager`: a base for managers with objects of one's own."""

    def __init__(self, address=None, authkey=None, serializer="pickle", ctx=None, **options):
        if ctx is None:
            from .context import _default

            ctx = _default.get_context()
        super().__init__(address, authkey, _SERIALIZER if serializer == "pickle" else serializer, ctx, **options)

    def start(self, initializer=None, initargs=()):
        """Start the server."""
        if self._address is None:
            from secrets import token_hex

            self._address = f"\0manyhands-{token_hex(16)}"
        super().start(initializer, initargs)


class SyncManager(BaseManager, _theirs.SyncManager):
    """What `Manager()` gives: lists, dicts, queues, locks and more, kept in one process and used from any."""


def _pool(processes=None, initializer=None, initargs=(), maxtasksperchild=None):
    from .pool import Pool

    return Pool(processes, initializer, initargs, maxtasksperchild)


SyncManager.register("Pool", _pool, _theirs.PoolProxy)  # type: ignore[attr-defined]


class SharedMemoryManager(BaseManager, _theirs.SharedMemoryManager):
    """Removes the shared memory that was made through it when it ends."""


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)
