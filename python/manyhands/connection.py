"""`multiprocessing.connection`, as it is; `wait` takes the sentinels of our processes."""

from multiprocessing.connection import Client, Connection, Listener, Pipe, wait

__all__ = ["Client", "Connection", "Listener", "Pipe", "wait"]
