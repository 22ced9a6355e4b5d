"""Pickles and their buffers in a file without a name: what a new process is told, and what it answers.

The file (a memfd) begins with the place and length of its head, which are written last: a letter that was not finished
is none. The head is a marshalled list of (kind, number, payload, [(offset, length) of each buffer], file descriptors).
Who reads it has the buffers as private copy-on-write memory: big arrays are copied once, into the file.
"""

import marshal
import os
from mmap import MAP_PRIVATE, PROT_READ, PROT_WRITE, mmap

from . import _native

_LENGTH = 8
_ALIGNED = 64


def blank():
    """A file to write a letter in: its descriptor."""
    return os.memfd_create("manyhands", os.MFD_CLOEXEC)


def write(fd, records):
    """Write `(kind, number, payload, buffers, descriptors)` for each record; MemoryError where there is no room."""
    raw = [[buffer.raw() for buffer in buffers] for _, _, _, buffers, _ in records]
    size = sum(len(buffer) for buffers in raw for buffer in buffers)
    if size > _native.memory_available():
        raise MemoryError(f"{size:,} bytes of arrays would have to be copied for another process, and there is no room")
    # The buffers come first, so that the head knows where they are.
    end, head = _ALIGNED, []
    for (kind, number, payload, _, descriptors), buffers in zip(records, raw):
        places = []
        for buffer in buffers:
            places.append((end, len(buffer)))
            _write_at(fd, buffer, end)
            end += -(-len(buffer) // _ALIGNED) * _ALIGNED
        head.append((kind, number, payload, places, list(descriptors)))
    encoded = marshal.dumps(head)
    _write_at(fd, encoded, end)
    _write_at(fd, end.to_bytes(_LENGTH, "little") + len(encoded).to_bytes(_LENGTH, "little"), 0)


def read(fd):
    """The records that were written; None where the letter was not finished. The descriptor may be closed then."""
    start = os.pread(fd, 2 * _LENGTH, 0)
    where, length = int.from_bytes(start[:_LENGTH], "little"), int.from_bytes(start[_LENGTH:], "little")
    if length == 0:
        return None
    parts = []
    while length:
        part = os.pread(fd, min(length, 1 << 30), where)
        parts.append(part)
        where, length = where + len(part), length - len(part)
    head, memory = marshal.loads(b"".join(parts)), None
    records = []
    for kind, number, payload, places, descriptors in head:
        if places and memory is None:
            memory = memoryview(mmap(fd, os.fstat(fd).st_size, MAP_PRIVATE, PROT_READ | PROT_WRITE))
        buffers = [memory[offset : offset + size] if size else bytearray() for offset, size in places]
        records.append((kind, number, payload, buffers, descriptors))
    return records


def _write_at(fd, data, offset):
    view = memoryview(data)
    while view:
        written = os.pwrite(fd, view[: 1 << 30], offset)
        view, offset = view[written:], offset + written
