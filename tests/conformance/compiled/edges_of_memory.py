"""Compiled loops over arrays that end, or begin, where readable memory does: run by `test_edges_of_memory`.

One byte read or written past an array kills the process, whatever the answer would have been.
"""

import ctypes
import mmap

import numpy as np

import manyhands as mh

PAGE = mmap.PAGESIZE
LENGTHS = range(71)
libc = ctypes.CDLL(None, use_errno=True)


class Edge:
    """Memory between two pages that nobody may touch."""

    def __init__(self, pages):
        self.room = pages * PAGE
        self.memory = mmap.mmap(-1, self.room + 2 * PAGE)
        start = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for guard in (start, start + PAGE + self.room):
            if libc.mprotect(ctypes.c_void_p(guard), ctypes.c_size_t(PAGE), 0):
                raise OSError(ctypes.get_errno(), "mprotect")

    def array(self, values, at_the_end):
        """A copy of `values` that ends, or begins, at a guard."""
        offset = PAGE + (self.room - values.nbytes if at_the_end else 0)
        made = np.frombuffer(self.memory, values.dtype, values.size, offset).reshape(values.shape)
        made[...] = values
        return made


@mh.jit
def scaled(a, b, out):
    for i in range(len(out)):
        out[i] = a[i] * 3 + b[i]


@mh.jit
def scaled_in_blocks(a, b, out):
    for i in mh.prange(len(out)):
        out[i] = a[i] * 3 + b[i]


@mh.jit
def summed(a, b, out):
    total = 0.0
    for i in mh.prange(len(a)):
        total += a[i] * b[i]
    for i in range(len(out)):
        out[i] = total


@mh.jit
def greatest(a, b, out):
    best = -1.0
    where = -1
    for i in mh.prange(len(a)):
        if a[i] > best:
            best = a[i]
            where = i
    for i in range(len(out)):
        out[i] = where


@mh.jit
def chosen(a, b, out):
    for i in range(len(out)):
        if a[i] > 20:
            out[i] = b[len(b) - 1 - i]
        else:
            out[i] = 0


@mh.jit
def neighbours(a, b, out):
    for i in range(len(out)):
        out[i] = 0
    for i in range(1, len(out) - 1):
        out[i] = a[i - 1] + b[i + 1]


@mh.jit
def gathered(a, b, out):
    for i in range(len(out)):
        out[i] = a[int(b[i]) % len(a)]


@mh.jit
def rounded(a, b, out):
    for i in mh.prange(len(out)):
        out[i] = np.floor(np.sqrt(a[i] * 1.0)) + b[i]


@mh.jit
def rows(a, b, out):
    for i in mh.prange(out.shape[0]):
        for j in range(out.shape[1]):
            total = 0.0
            for k in range(a.shape[1]):
                total += a[i, k] * b[j, k]
            out[i, j] = total


def main():
    edges = [Edge(2) for _ in range(3)]
    rng = np.random.default_rng(7)
    calls = 0

    def check(kernel, a, b, out):
        nonlocal calls
        wanted = out.copy()
        kernel.py_func(a, b, wanted)
        for at_the_end in (True, False):
            placed = [edge.array(values, at_the_end) for edge, values in zip(edges, (a, b, out))]
            kernel(*placed)
            if not np.array_equal(placed[2], wanted):
                raise SystemExit(f"{kernel.__name__} of {a.dtype}, {a.shape}: {placed[2]}, not {wanted}")
            calls += 1

    for kernel in (scaled, scaled_in_blocks, summed, greatest, chosen, neighbours, gathered, rounded):
        kinds = [np.float64, np.float32, np.int8] if kernel in (scaled, chosen) else [np.float64]
        for kind in kinds:
            for length in LENGTHS:
                a, b = (rng.integers(0, 30, length).astype(kind) for _ in range(2))
                check(kernel, a, b, np.zeros(length, kind))
    for height, width in ((1, 1), (2, 7), (3, 9), (5, 16), (4, 33), (2, 40)):
        a, b = (rng.integers(0, 30, (height, width)).astype(float) for _ in range(2))
        check(rows, a, b, np.zeros((height, height)))
    print(calls, "calls")


if __name__ == "__main__":
    main()
