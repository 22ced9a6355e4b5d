"""What somebody else's workers are told, and which message brings it."""

import os
from _pickle import dumps as _plain_dumps
from itertools import count

from ._there import PROTOCOL

#: What is shorter goes with every message; the rest until every worker is likely to have it, and then when asked for.
_SHORT = 16 << 10


class Store:
    """Published objects by number. The queue's lock guards what is not atomic by itself."""

    def __init__(self, copies):
        self._copies = copies  # of a long thing, until it is sent only to those that ask
        # A name for this caller that no other has.
        self._caller = f"{os.uname().nodename}:{os.getpid()}:{os.urandom(8).hex()}"
        self._numbers = count(1)
        self._objects = {}  # number -> (kind, payload, buffers)
        self._sent = {}  # number -> how often, for long ones
        self._version = 1

    def add(self, kind, payload, buffers=()):
        """A thing that workers are told (see `_kinds`). Gives its number."""
        number = next(self._numbers)
        self._objects[number] = (kind, payload, buffers)
        if len(payload) + sum(map(len, buffers)) > _SHORT:
            self._sent[number] = 0
        return number

    def forget(self, number):
        """Let go of a thing, here and, with the next message that they get, in the workers."""
        if self._objects.pop(number, None) is not None:
            self._sent.pop(number, None)
            self._version += 1

    def message(self, needs, call, first, items, everything, traced):
        """A message as bytes; `everything`: a worker has asked for what it lacks; `traced`: times are wanted."""
        needs = [number for number in needs if number in self._objects]  # but what nobody waits for any more
        bundle = {number: self._objects[number] for number in needs if everything or self._is_due(number)}
        alive = (self._version, frozenset(self._objects.copy()))
        return _plain_dumps((PROTOCOL, self._caller, alive, needs, bundle, call, first, items, traced), 5)

    def _is_due(self, number):
        sent = self._sent.get(number)
        if sent is None:
            return True
        self._sent[number] = sent + 1
        return sent < self._copies
