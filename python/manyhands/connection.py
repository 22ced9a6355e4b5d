"""`multiprocessing.connection`, through which anything can be sent; `wait` takes the sentinels of our processes."""

from multiprocessing import connection as _theirs, reduction as _reduction
from multiprocessing.connection import answer_challenge, deliver_challenge, wait

from . import _messages

__all__ = ["Client", "Connection", "Listener", "Pipe", "answer_challenge", "deliver_challenge", "wait"]


class Connection(_theirs.Connection):
    """`multiprocessing.connection.Connection`: one end of a pipe or a socket."""

    def send(self, obj):
        """Send an object, which the other end's `recv` gives."""
        self._check_closed()
        self._check_writable()
        self._send_bytes(_messages.dumps(obj))


class Listener(_theirs.Listener):
    """`multiprocessing.connection.Listener`: waits for connections."""

    def accept(self):
        """Wait for a connection; it."""
        return _ours(super().accept())


def Client(address, family=None, authkey=None):
    """Connect to a listener at `address`."""
    return _ours(_theirs.Client(address, family, authkey))


def Pipe(duplex=True):
    """The two ends of a pipe; the first one only receives and the second one only sends, unless it is duplex."""
    first, second = _theirs.Pipe(duplex)
    return _ours(first), _ours(second)


def _ours(end):
    handle, end._handle = end._handle, None
    return Connection(handle, end.readable, end.writable)


def _reduce(connection):
    rebuild, arguments = _theirs.reduce_connection(connection)
    return _rebuild, (rebuild, arguments)


def _rebuild(rebuild, arguments):
    return _ours(rebuild(*arguments))


_reduction.register(Connection, _reduce)


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)
