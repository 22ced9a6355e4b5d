"""What somebody else's worker runs of ours: a message of items in, their answers out. Both are bytes, so that no engine
needs to know how to pickle what is ours.

Any worker may get any message, so each message names everything that it needs; what a worker has not been told yet is
in the message's bundle, or the worker asks for it, and the message comes again with all of it.
"""

import importlib
import os
import sys
from _pickle import dumps as _plain_dumps, loads as _plain_loads
from _thread import RLock, _local, get_ident
from time import perf_counter

from . import _kinds, _native
from ._failures import brief, describe, describe_unsendable, exited, without_own_frames
from ._random import begin_item, call_with_stream, preserved
from ._receiving import Receiver

#: Changes when messages do. Code travels marshalled, so that the Python must be the same too.
PROTOCOL = (2, sys.version_info[:2])

#: Values that go in the message's own pickle; all others go in one each, as an item that comes alone would.
ATOMS = frozenset((int, float, str, bytes, bool, complex, type(None)))

#: Items that follow on each other within so many nanoseconds are noted together.
_SHORT = 50_000

#: Callers that a worker remembers.
_CALLERS = 8

_callers: dict = {}  # token of the caller's pool -> _Table
_callers_lock = RLock()
_streams = RLock()  # `random` and `numpy.random` belong to the whole process


class Parcel(bytes):
    """A value pickled by itself, among plain ones."""

    __slots__ = ()


def plain(value):
    """Whether the value goes as it is: it has no identity, nothing of the user's, and pickles in no time."""
    kind = type(value)
    return kind in ATOMS or (kind is tuple and ATOMS.issuperset(map(type, value)))


class _Here(_local):
    inside = False


_here = _Here()


def inside():
    """Does this thread run an item for somebody else's engine? Then maps in it run serially."""
    return _here.inside


def run(data):
    """Run a message; gives the answer: ("done", ...), ("need",), ("stranger", why) or ("broken", failure)."""
    began = perf_counter()
    protocol, *rest = _plain_loads(data)
    if protocol != PROTOCOL:
        return _plain_dumps(("stranger", _difference(protocol)), 5)
    with _Inside():
        return _plain_dumps(_run(began, *rest), 5)


def _difference(theirs):
    if theirs[1] != PROTOCOL[1]:
        return "the caller runs Python {}.{}, the worker {}.{}".format(*theirs[1], *PROTOCOL[1])
    return "the caller and the worker have different versions of manyhands"


def _run(began, caller, alive, needs, bundle, call, first, items, traced):
    table = _table(caller)
    with table.lock:
        if any(number not in table.told and number not in bundle for number in needs):
            return ("need",)
        try:
            table.learn(alive, needs, bundle)
        except _InitializerFailed as error:
            return ("broken", error.description)
        function = table.told.get(call.function)
    notes = Notes() if traced else None
    runner = _Runner(table.receiver, function, call, first, notes)
    failed, values = runner.seeded(items) if call.seed else runner.all(items)
    worker = f"{os.uname().nodename}:{os.getpid()}:{get_ident()}"
    return "done", worker, began, perf_counter(), failed, values, notes and notes.told()


class Call:
    """What all items of a job have in common: the number of the function, how it is called, the seed."""

    __slots__ = ("function", "mode", "seed", "stop")

    def __init__(self, function, mode, seed, stop):
        self.function = function
        self.mode = mode
        self.seed = seed
        self.stop = stop  # whether the first failure ends the message

    def __reduce__(self):
        return Call, (self.function, self.mode, self.seed, self.stop)

    def __call__(self, function, item):
        """One item's value."""
        if self.mode == _kinds.STAR:
            return function(*item)
        if self.mode == _kinds.APPLY:
            function, arguments, keywords = item
            return function(*arguments, **(keywords or {}))
        return function(item)


class Notes:
    """What one message's items took, by this machine's clock: a record for each, or for several short ones in a row."""

    def __init__(self):
        self._arrived = _native.clocks()[0]
        self._runs = []

    def begin(self):
        """An item is taken on."""
        self._begun, self._cpu = _native.clocks()
        self._called = self._returned = 0

    def called(self):
        """Its function is called next."""
        self._called = _native.clocks()[0]

    def returned(self):
        """It has returned."""
        self._returned = _native.clocks()[0]

    def end(self, index, item, value, failed):
        """Its answer is there."""
        ended, cpu = _native.clocks()
        sizes = [len(one) if type(one) is Parcel else 0 for one in (item, value)]
        run = [index, 1, self._begun, self._called, self._returned, ended, cpu - self._cpu, *sizes, failed]
        last = self._runs[-1] if self._runs else None
        if last is None or last[9] or failed or ended - last[2] > _SHORT:
            self._runs.append(run)
            return
        last[1] += 1
        last[4:6] = run[4:6]
        for place in (6, 7, 8):
            last[place] += run[place]

    def told(self):
        """(machine and process and thread, number of the process, when the message arrived, records)"""
        place = f"{os.uname().nodename}:{os.getpid()}:{get_ident()}"
        return place, os.getpid(), self._arrived, [tuple(run) for run in self._runs]


class _Runner:
    """The items of one message."""

    def __init__(self, receiver, function, call, first, notes):
        self.notes = notes
        self.receiver = receiver
        self.function = function
        self.call = call
        self.index = first
        self.begin = None

    def seeded(self, items):
        self.begin = begin_item
        with _streams, preserved():
            return self.all(items)

    def all(self, items):
        """(positions of those that failed, values and, for these, descriptions of the failure)."""
        failed, values = [], []
        for position, item in enumerate(items):
            if self.notes is not None:
                self.notes.begin()
            ok, value = self.one(item)
            if self.notes is not None:
                self.notes.end(self.index, item, value, not ok)
            values.append(value)
            if not ok:
                failed.append(position)
                if self.call.stop:
                    break
            self.index += 1
        return failed, values

    def one(self, item):
        dumps, loads = self.receiver.dumps, self.receiver.loads
        sent, item = item, NotImplemented  # until it has been loaded
        try:
            item = loads(sent) if type(sent) is Parcel else sent
            if self.begin is not None:
                self.begin(_native.stream(list(self.call.seed), self.index))
            if self.notes is not None:
                self.notes.called()
            value = self.call(self.function, item)
            if self.notes is not None:
                self.notes.returned()
        except BaseException as error:
            return False, self._described(error, item)
        if plain(value):
            return True, value
        try:
            return True, Parcel(dumps(value))
        except Exception as error:
            shown = item if self.call.mode != _kinds.APPLY else item[1]
            return False, describe_unsendable(error, value, self._shown_index(), shown, dumps, loads)

    def _described(self, error, item):
        if self.call.mode == _kinds.APPLY:
            return describe(error, None, item, self.receiver.dumps, self.receiver.loads)
        return describe(error, self.index, item, self.receiver.dumps, self.receiver.loads)

    def _shown_index(self):
        return None if self.call.mode == _kinds.APPLY else self.index


class _Inside:
    def __enter__(self):
        self.before, _here.inside = _here.inside, True

    def __exit__(self, *_):
        _here.inside = self.before


# --------------------------------------------------------------------------------------- what a caller has told


class _InitializerFailed(Exception):
    def __init__(self, description):
        self.description = description


class _Receiver(Receiver):
    """As in a worker of ours, but that this process has a `__main__` of its own."""

    alone = False

    def __init__(self):
        self._stand_in = type(sys)("__main__")
        super().__init__(vars(self._stand_in))

    def module(self, name):
        return self._stand_in if name == "__main__" else super().module(name)


class _Table:
    """What one caller has told this process."""

    def __init__(self):
        self.lock = RLock()
        self.receiver = _Receiver()
        self.told = {}  # number -> the function, for those that are one; else None
        self.version = 0

    def learn(self, alive, needs, bundle):
        """Take in what is new of what is needed, and let go of what the caller has let go of."""
        version, numbers = alive
        if version > self.version:
            self.version = version
            for number in [number for number in self.told if number not in numbers]:
                del self.told[number]
                self.receiver.forget(number)
        for number in needs:
            if number not in self.told:
                self.told[number] = self._install(number, *bundle[number])

    def _install(self, number, kind, payload, buffers):
        buffers = [bytearray(buffer) for buffer in buffers]
        if kind == _kinds.CONTEXT:
            _extend_path(_plain_loads(payload))
            return None
        if kind == _kinds.FUNCTION:
            try:
                return self.receiver.loads(payload, buffers)
            except Exception as error:
                return _raiser(error)
        if kind == _kinds.INITIALIZER:
            try:
                function, arguments = self.receiver.loads(payload, buffers)
                function(*arguments)
            except BaseException as error:
                described = describe(error, None, NotImplemented, self.receiver.dumps, self.receiver.loads)
                raise _InitializerFailed(described) from None
            return None
        self.receiver.install(number, _kinds.NAMES[kind], payload, buffers)
        return None


def _extend_path(entries):
    """Where the caller finds modules, this process looks too, after all that it knew before."""
    added = [entry for entry in entries if entry not in sys.path and os.path.exists(entry)]
    if added:
        sys.path.extend(added)
        importlib.invalidate_caches()


def _raiser(error):
    def cannot_load(*arguments, **keywords):
        raise error

    return cannot_load


def _table(caller):
    with _callers_lock:
        table = _callers.pop(caller, None)
        if table is None:
            table = _Table()
        _callers[caller] = table  # the latest last
        while len(_callers) > _CALLERS:
            del _callers[next(iter(_callers))]
        return table


# ------------------------------------------------------------------------------------ threads of the caller's process


def run_here(function, call, first, items, traced):
    """A message for a thread of the caller's own process: nothing is pickled, failures come as exceptions.

    With a seed only `rng()` has a stream of its own: other generators belong to all threads.
    """
    began = perf_counter()
    failed, values = [], []
    notes = Notes() if traced else None
    with _Inside():
        for index, item in enumerate(items, first):
            if notes is not None:
                notes.begin()
                notes.called()
            try:
                if call.seed:
                    words = _native.stream(list(call.seed), index)
                    values.append(call_with_stream(words, call, (function, item)))
                else:
                    values.append(call(function, item))
            except BaseException as error:
                values.append(_as_failure(error, None if call.mode == _kinds.APPLY else index, item))
                failed.append(index - first)
            if notes is not None:
                notes.returned()
                notes.end(index, None, None, bool(failed) and failed[-1] == index - first)
            if failed and call.stop:
                break
    return "done", get_ident(), began, perf_counter(), failed, values, notes and notes.told()


def _as_failure(error, index, item):
    """(exception, the item in short), for the caller to say which item it was."""
    error = without_own_frames(error)
    return error if isinstance(error, Exception) else exited(error), None if index is None else brief(item)
