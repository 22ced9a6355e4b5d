"""What a worker prints appears where the caller's prints appear, in whole lines.

In the worker, `install` puts streams in place of `sys.stdout` and `sys.stderr` that hand each whole line to a function
(it sends them to the parent). A line that is not finished waits for its newline or for the end of the item. In the
parent, `emit` writes what arrived to whatever `sys.stdout` or `sys.stderr` is at that moment: a terminal, a notebook's
cell, a `redirect_stdout`. Streams go by the numbers of their file descriptors: 1 and 2.

What C code or a child process writes to the descriptors themselves passes us by, as it passes `sys.stdout` by.
"""

import io
import os
import sys
from _thread import RLock, get_ident

# ------------------------------------------------------------------------------------------------------------ worker


def install(send, note=None, partial=False) -> "Output":
    """Replace this process's `sys.stdout` and `sys.stderr` for good. `send(stream: int, data: bytes)` gets whole lines.
    `note()` is called when there is something for `finish_item` to do. With `partial` a piece of a line is sent when it
    is flushed: where there are no items, no other end may be near.

    `sys.__stdout__` and `sys.__stderr__` are replaced too: who writes to them means the real ones, and for a worker's
    code these are the caller's.
    """
    output = Output(send, note, partial)
    output.install()
    return output


class Output:
    """The two streams of a worker, and the lines that they have begun.

    Unfinished lines are kept for each thread, so that threads of one item do not break into each other's lines.
    """

    # A line that grows past this is passed on as it is, lest something that never ends its line (a progress bar that
    # only returns the carriage) fills the memory.
    LONGEST = 1 << 16

    def __init__(self, send, note=None, partial=False):
        self._send = send
        self._partial = partial
        self._note = note if note is not None else _nobody
        # Re-entrant: a signal handler or a finalizer may print while this thread is printing. What it prints waits in
        # _late until the print that it broke into is done, lest either loses the other's piece of a line.
        self._lock = RLock()
        self._busy = False
        self._late = []
        self._texts = {}
        #: What there is to do at the end of the item; where it becomes something, `note` is called.
        #: (stream, thread) -> pieces of the unfinished line; and stream -> True where a stream was closed.
        self.pending = {}
        os.register_at_fork(after_in_child=self._after_fork)

    def install(self) -> None:
        """Put the streams in place, or on a second call renew those that the user's code closed."""
        for stream, name in (1, "stdout"), (2, "stderr"):
            before = self._texts.get(stream)
            if before is not None and not before.closed:
                continue
            text = self._texts[stream] = self._open(stream, name)
            for attribute in (name, f"__{name}__"):
                # What the user's code put in our place stays there.
                if before is None or getattr(sys, attribute, None) is before:
                    setattr(sys, attribute, text)

    def finish_item(self) -> None:
        """Send the lines that the item left unfinished, as they are; renew streams that it closed."""
        if not self.pending:
            return
        with self._lock:
            pending, self.pending = self.pending, {}
            closed = False
            for key, pieces in pending.items():
                if pieces is True:
                    closed = True
                else:
                    self._exclusively(self._send, key[0], b"".join(pieces))
        if closed:
            self.install()

    def write(self, stream: int, data: bytes) -> None:
        """Send what completes lines; keep the rest. The streams' own `write` ends here."""
        with self._lock:
            if self._busy:
                self._late.append((stream, data))
            else:
                self._exclusively(self._add, stream, data)

    def _exclusively(self, act, stream, data):
        """`act(stream, data)`, then the prints that broke into it. Holds the lock and is not itself entered again."""
        while True:
            self._busy = True
            try:
                act(stream, data)
            finally:
                self._busy = False
            try:
                # Not asked first whether there is one: a signal handler that prints in between takes them all along.
                stream, data = self._late.pop(0)
            except IndexError:
                return
            act = self._add

    def _add(self, stream, data):
        key = stream, get_ident()
        end = data.rfind(b"\n") + 1
        lines = b""
        if end:
            lines = b"".join((*self.pending.pop(key, ()), data[:end]))
        if end < len(data):
            pieces = self.pending.setdefault(key, [])
            self._note()
            pieces.append(data[end:])
            # Joined now and then only: adding up each time would make a long line of many pieces quadratic.
            if len(pieces) >= 1024 or len(data) - end > self.LONGEST:
                whole = b"".join(pieces)
                pieces[:] = [whole]
                if len(whole) > self.LONGEST:
                    del self.pending[key]
                    lines += whole
        if lines:
            self._send(stream, lines)

    def close(self, stream: int) -> None:
        """The user's code closed a stream: as in its own program, prints fail from now on; but the next item has it."""
        with self._lock:
            self.pending[stream] = True
            self._note()

    def flush(self, stream: int) -> None:
        """Send the piece of a line that this thread has begun, where pieces are sent."""
        if self._partial and (stream, get_ident()) in self.pending:
            with self._lock:
                if not self._busy:
                    self._exclusively(self._send, stream, b"".join(self.pending.pop((stream, get_ident()))))

    def _open(self, stream, name):
        errors = "surrogateescape" if stream == 1 else "backslashreplace"
        # Written through: each piece of text is here at once, so that `pending` tells the truth.
        text = io.TextIOWrapper(
            _Lines(self, stream, name), "utf-8", errors, newline="\n", line_buffering=True, write_through=True
        )
        text.mode = "w"
        return text

    def _after_fork(self):
        # The connection to the caller is the worker's alone: a child process writes to the descriptors it inherited.
        self._lock = RLock()
        self._busy = False
        self._late = []
        self.pending = {}
        self._send = self.write = _write_all


def _nobody():
    """Stands for a `note` that nobody gave."""


class _Lines(io.RawIOBase):
    """The binary side (`sys.stdout.buffer`) of one stream. Reports the real file descriptor, for child processes."""

    def __init__(self, output, stream, name):
        self._output = output
        self._stream = stream
        self.name = f"<{name}>"
        self.mode = "wb"

    def writable(self):
        return True

    def isatty(self):
        return False  # no colours, no bars that return the carriage: what is printed here is sent on

    def fileno(self):
        return self._stream

    def write(self, data):
        if self.closed:
            raise ValueError("I/O operation on closed file.")
        if type(data) is not bytes:
            data = bytes(memoryview(data))
        self._output.write(self._stream, data)
        return len(data)

    def flush(self):
        super().flush()
        self._output.flush(self._stream)

    def close(self):
        # The descriptor stays open: it is not this object's.
        if not self.closed:
            super().close()
            self._output.close(self._stream)


def _write_all(descriptor, data):
    """Write to a descriptor, in a forked child of a worker."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


# ------------------------------------------------------------------------------------------------------------ parent

_around = None


def emit(stream: int, data: bytes) -> None:
    """Write `data`, which a worker printed, to the caller's current `sys.stdout` (1) or `sys.stderr` (2); never raises.

    A stream that is None, closed or broken loses it, as there is nowhere to say so.
    """
    around = _around
    if around is None:
        write(stream, data)
    else:
        around(stream, data)


def divert(around) -> None:
    """Let `around(stream, data)` do what `emit` does, which in its turn calls `write`; None ends it.

    For a progress bar, which has to get out of the way of the lines that are printed beneath it.
    """
    global _around
    _around = around


def write(stream: int, data: bytes) -> None:
    """Write and flush at once, whether a progress bar is shown or not. Never raises."""
    target = sys.stdout if stream == 1 else sys.stderr
    if target is None:
        return
    try:
        try:
            target.write(data.decode("utf-8", "surrogateescape"))
        except UnicodeEncodeError:
            _write_unspellable(target, data)
        target.flush()
    except Exception:
        pass


def _write_unspellable(target, data):
    """Bytes that are no text, or text that the caller's stream has no letters for: as it is, or else legible."""
    encoding = getattr(target, "encoding", None) or "ascii"
    if encoding.lower().replace("-", "") == "utf8" and hasattr(target, "buffer"):
        target.flush()
        target.buffer.write(data)
    else:
        target.write(data.decode("utf-8", "backslashreplace").encode(encoding, "backslashreplace").decode(encoding))
