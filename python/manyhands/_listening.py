"""What the child processes of `mh.Process` print, shown in the caller's streams as it comes.

A child sends what it prints through a pipe, each piece with a head that says which stream and how long. One thread
listens to the pipes of all children that live; it ends with the last of them. Whoever finds a child ended shows what is
left first, so that a `join` returns after the last line.
"""

import os
import select
from _thread import RLock, start_new_thread

from . import _exits, _output

_HEAD = 5
_PART = 1 << 16


def head_of(stream, data):
    """What goes before `data` in the pipe."""
    return bytes((stream,)) + len(data).to_bytes(4, "little")


class Prints:
    """The reading end of one child's pipe. Takes over the descriptor `fd`."""

    def __init__(self, fd):
        os.set_blocking(fd, False)
        self.fd = fd
        self._come = bytearray()
        self._lock = RLock()
        self._busy = False

    def show(self, most=None):
        """Show what has come, `most` parts of it; False once nothing more can come."""
        with self._lock:
            # Busy in this very thread: a signal handler or a finalizer that came in between. It is shown all the same.
            if self._busy or self.fd is None:
                return self.fd is not None
            self._busy = True
            try:
                while most is None or most > 0:
                    try:
                        part = os.read(self.fd, _PART)
                    except BlockingIOError:
                        return True
                    if not part:
                        return False
                    self._come += part
                    self._show_lines()
                    most = most and most - 1
                return True
            finally:
                self._busy = False

    def _show_lines(self):
        come, at = self._come, 0
        while len(come) - at >= _HEAD:
            end = at + _HEAD + int.from_bytes(come[at + 1 : at + _HEAD], "little")
            if end > len(come):
                break
            _output.emit(come[at], bytes(come[at + _HEAD : end]))
            at = end
        del come[:at]

    def close(self):
        """The child has ended: show the rest and close the pipe."""
        with self._lock:
            self.show()
            _listener.remove(self)
            if self.fd is not None and not self._busy:
                os.close(self.fd)
                self.fd = None


class _Listener:
    """The thread that listens, while there are children."""

    def __init__(self):
        self._lock = RLock()
        self._children = {}  # descriptor -> Prints
        self._poll = self._wake = None
        self._running = False

    def add(self, prints):
        with self._lock:
            if self._poll is None:
                poll = select.epoll()
                self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
                self._poll = poll
                poll.register(self._wake, select.EPOLLIN)
            self._poll.register(prints.fd, select.EPOLLIN)
            self._children[prints.fd] = prints
            if not self._running:
                self._running = True
                start_new_thread(self._run, ())

    def remove(self, prints):
        with self._lock:
            if self._children.get(prints.fd) is prints:
                del self._children[prints.fd]
                self._poll.unregister(prints.fd)
                if not self._children:
                    os.eventfd_write(self._wake, 1)

    def _run(self):
        while True:
            ready = self._poll.poll()
            for fd, _ in ready:
                with self._lock:
                    prints = self._children.get(fd)
                if fd == self._wake:
                    with self._lock:
                        os.eventfd_read(self._wake)
                        if not self._children:
                            self._end()
                            return
                elif prints is not None and not prints.show(1):
                    prints.close()

    def _end(self):
        self._poll.close()
        os.close(self._wake)
        self._poll = self._wake = None
        self._running = False


_listener = _Listener()


def listen(prints):
    """Show what comes through this pipe, until it is closed."""
    _listener.add(prints)


def _forget():
    """In a forked child: the parent's children are not ours."""
    global _listener
    _listener = _Listener()


_exits.after_fork(_forget)
