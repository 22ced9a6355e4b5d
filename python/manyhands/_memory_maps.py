"""`numpy.memmap`s, sent to worker processes as maps of the same file.

What an item of a loop writes to a map is in the file, for all to see: so it is here. A map that was opened "c" (copy on
write), or whose file is gone, is memory like any other array's, and goes as such.
"""

import os
import sys

#: How the other side opens the file: it is there by then, so nothing is made anew.
_MODES = {"r": "r", "r+": "r+", "w+": "r+"}


def is_memory_map(kind):
    """Whether `kind` is NumPy's class of memory maps."""
    return kind is getattr(sys.modules.get("numpy"), "memmap", None)


def reference(array):
    """The arguments of `opened` for a map, or a view of one; None where it has no file that others can open."""
    mode = _MODES.get(array.mode)
    if mode is None or array._mmap is None or array.filename is None or array.size == 0:
        return None
    import mmap

    import numpy as np

    path = os.fspath(array.filename)
    # The map begins at the page that its offset lies in.
    page = array.offset - array.offset % mmap.ALLOCATIONGRANULARITY
    mapped = np.frombuffer(array._mmap, np.uint8)
    low, high = (bound - mapped.ctypes.data for bound in _bounds(array))
    if low < 0 or high > mapped.size:
        return None  # the memory is another one: an array made of a map by hand
    try:
        if os.path.getsize(path) < page + high:
            return None
    except OSError:
        return None
    first = array.ctypes.data - mapped.ctypes.data - low
    return path, mode, array.dtype, array.shape, array.strides, page + low, high - low, first


def opened(path, mode, dtype, shape, strides, offset, size, first):
    """A map of `size` bytes of a file from `offset` on, as an array whose first element is `first` bytes further."""
    import numpy as np

    whole = np.memmap(path, np.uint8, mode, offset, (size,))
    array = np.ndarray.__new__(np.memmap, shape, dtype, whole, first, strides)
    array._mmap, array.filename, array.offset, array.mode = whole._mmap, whole.filename, offset, mode
    return array


def _bounds(array):
    """The addresses of the first byte of an array and of the one behind its last."""
    low = high = array.ctypes.data
    for length, stride in zip(array.shape, array.strides):
        if stride < 0:
            low += (length - 1) * stride
        else:
            high += (length - 1) * stride
    return low, high + array.itemsize
