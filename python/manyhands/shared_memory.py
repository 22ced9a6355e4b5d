"""`multiprocessing.shared_memory`, as it is: memory with a name. Arrays given to a map or a process need none of it."""

from multiprocessing.shared_memory import ShareableList, SharedMemory

__all__ = ["ShareableList", "SharedMemory"]
