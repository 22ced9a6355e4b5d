"""`multiprocessing.shared_memory`, as it is: memory with a name. Arrays given to a map or a process need none of it."""

from multiprocessing import shared_memory as _theirs
from multiprocessing.shared_memory import ShareableList, SharedMemory

__all__ = ["ShareableList", "SharedMemory"]


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)
