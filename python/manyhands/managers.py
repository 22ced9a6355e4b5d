"""Managers as in `multiprocessing.managers`, whose servers are processes of ours.

So what is registered may be a class of the script's own, no script is run again, and the server listens on an abstract
socket: no file stands for it, and none is left when it is killed.
"""

from multiprocessing import managers as _theirs
from multiprocessing.managers import BaseProxy, Namespace, Token

__all__ = ["BaseManager", "BaseProxy", "Namespace", "SharedMemoryManager", "SyncManager", "Token"]


class BaseManager(_theirs.BaseManager):
    """`multiprocessing.managers.BaseManager`: a base for managers with objects of one's own."""

    def __init__(self, address=None, authkey=None, serializer="pickle", ctx=None, **options):
        if ctx is None:
            from .context import _default

            ctx = _default.get_context()
        super().__init__(address, authkey, serializer, ctx, **options)

    def start(self, initializer=None, initargs=()):
        """Start the server."""
        if self._address is None:
            from secrets import token_hex

            self._address = f"\0manyhands-{token_hex(16)}"
        super().start(initializer, initargs)


class SyncManager(BaseManager, _theirs.SyncManager):
    """What `Manager()` gives: lists, dicts, queues, locks and more, kept in one process and used from any."""


class SharedMemoryManager(BaseManager, _theirs.SharedMemoryManager):
    """Removes the shared memory that was made through it when it ends."""
