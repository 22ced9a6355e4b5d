"""The end of the interpreter, and os.fork(): no worker outlives its program, no child touches its parent's pools."""

import atexit
import os
from _weakref import ref

_living: dict = {}  # id -> weak references to (workers, delivery)
_forgotten: list = []  # called in a forked child


def register(workers, delivery=None):
    """End these workers when the interpreter ends."""
    key = id(workers)
    _living[key] = ref(workers, lambda _: _living.pop(key, None)), delivery


def after_fork(forget):
    """Call `forget()` in every forked child."""
    _forgotten.append(forget)


def _end_all():
    for found, delivery in list(_living.values()):
        workers = found()
        if workers is not None and workers.engine.is_ours():
            if delivery is not None:
                delivery.abandon()
            workers.engine.terminate_at_exit()
            if delivery is not None:
                delivery.join(1.0)


def _in_child():
    _living.clear()
    for forget in _forgotten:
        forget()


atexit.register(_end_all)
os.register_at_fork(after_in_child=_in_child)
