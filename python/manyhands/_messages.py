"""Pickles that stand by themselves: what goes through queues, pipes and managers.

Nobody knows who will read a message, nor what that process was told before. So a message brings along all that it needs
of what goes by value: classes, globals, submodules, as published objects (`_pickling`) in front of the pickle proper. A
reader takes in what is new to it. A message that needs none of this is a plain pickle, as fast as ever.

What a reader has already it keeps, as a forked process would: a class that it knows by its token (`_class_tokens`), and
globals that it was started with or has set itself. The user's own program finds its functions' globals and its classes
where they are, by token or by name, and takes none from others.
"""

import marshal
import sys
from _operator import is_
from _pickle import dumps as _plain_dumps, loads
from _thread import RLock
from types import FunctionType

from . import _class_tokens, _exits, _loading, _sharing
from ._classes import make_class, set_class_state
from ._pickling import Publisher, Session
from ._reducers import REDUCERS
from ._steady import parts_of_classes

__all__ = ["dumps", "loads"]

#: Classes of others that are kept although no object is: what the program counts in them is not lost between messages.
_MOST_CLASSES = 4096
#: Classes whose senders are kept, and what such a sender may tell.
_MOST_STEADY, _MOST_TOLD = 64, 64
#: Namespaces that are neither `__main__` nor a module's.
_MOST_SPACES = 256

_lock = RLock()  # held while what a message brings along is taken in
_idle: list = []  # senders that have sent nothing but plain pickles
_steady: dict = {}  # class by value -> (a sender that has sent an instance, what all that it has told is made of)
_reducers = dict(REDUCERS)  # type -> how it is reduced, for all of them
_registered = 0  # how many types multiprocessing's pickler knew when that was decided
_kept: dict = {}  # token -> class that came in a message, the oldest first
_bound: dict = {}  # (space, name) -> (the process that it came from, its pickle, the value): globals set by messages
_named_spaces: dict = {}  # id(namespace) -> (name of the space, namespace): of this process's functions
_spaces: dict = {}  # name of the space -> the namespace, of this process or another
_modules: dict = {}  # name of the space -> module made by hand


def dumps(obj, protocol=None):
    """`obj` as a pickle that any process can load; `protocol` is ours to choose."""
    global _reducers, _registered
    registered = len(_sharing.registered_reducers())
    if registered != _registered:
        _reducers, _registered = dict(REDUCERS), registered
        _idle.clear()
        _steady.clear()
    kind = type(obj)
    steady = _steady.pop(kind, None)
    sender = steady and steady.sender_if_same()
    if sender is None:
        steady = None
        try:
            sender = _idle.pop()
        except IndexError:
            sender = _Sender()
    payload = sender.dumps(obj)
    if sender.plain():
        _idle.append(sender)
        return payload
    if steady is None and id(kind) in sender.classes():
        steady = _Steady(sender)
    if steady is not None and steady.keeps():
        _steady[kind] = steady
        _bounded(_steady, _MOST_STEADY)
    return _plain_dumps(_Message(sender.told(), payload), 5)


class _Steady:
    """A sender that has told a class, and what all that it has told is made of: it need not look at it anew."""

    def __init__(self, sender):
        self._sender = sender
        self._extent = self._parts = self._modules = None

    def keeps(self):
        """Whether it can be used again, now that it has been used. What was told meanwhile belongs to it."""
        extent = self._sender.extent()
        if extent != self._extent:
            self._extent, self._modules, self._parts = extent, len(sys.modules), self._sender.parts()
        return self._parts is not None and max(extent) <= _MOST_TOLD

    def sender_if_same(self):
        """The sender, if nothing has changed of what it has told; else None."""
        parts = self._sender.parts()
        if parts is None or len(parts) != len(self._parts) or self._modules != len(sys.modules):
            return None  # (a package has other submodules when more have been imported)
        return self._sender if all(map(is_, parts, self._parts)) else None


class _Message:
    """Pickled, the call that loads it."""

    def __init__(self, told, payload):
        self._arguments = _class_tokens.process_name(), told, payload

    def __reduce__(self):
        return load, self._arguments


def make_function(space, code, cells):
    """The program's own function where this is its process, or a new one."""
    table = _loading.table()
    own = table.own_function(space, marshal.loads(code)) if cells is None else None
    return _loading.make_function(space, code, cells) if own is None else own


def complete_function(function, state):
    """Gives a new function what its code does not say."""
    if not _loading.table().owns(function):
        _loading.complete_function(function, state)


# ------------------------------------------------------------------------------------------------ who sends


class _Sender(Session):
    """Pickles messages. One that has sent something by value is used again only while that is what it was."""

    shares = False
    destination = "another process"
    remedy = "make it inside the function, or give it to the process as an argument"
    make_function = staticmethod(make_function)
    complete_function = staticmethod(complete_function)

    def __init__(self):
        super().__init__(_Collection())
        self.reducers = _reducers

    def plain(self):
        """Whether all that was pickled goes as plain pickle would send it. Then it may be used again."""
        if not self._publisher.used:
            self.known.clear()  # what goes by name now may be another's name by then
            return True
        for address in [address for address, known in self.known.items() if known[0] is NotImplemented]:
            del self.known[address]
        return False

    def classes(self):
        """The classes that were told: id -> class."""
        return {address: known[1] for address, known in self.known.items() if known[0] is not NotImplemented}

    def extent(self):
        """How much was told, and how many functions' globals were looked at."""
        return len(self.needs), len(self._used)

    def parts(self):
        """What all that was told is made of, and what else would have to be told if it changed; None: that may change
        unseen."""
        used = [(code, self._publisher.space(space)) for (_, space), code in self._used.items()]
        return parts_of_classes(self.classes(), used)

    def told(self):
        """What a reader must take in first: (kind, what it is about, pickle, buffers) each, in order."""
        records = self._publisher.records
        return [records[number] for number in self.needs]

    def reducer_of(self, kind):
        """As multiprocessing's own pickler: locks and queues are refused, open files go by its own server."""
        if kind not in _sharing.registered_reducers():
            return None
        return lambda pickler, obj: _sharing.reduce_registered(obj)


class _Collection(Publisher):
    """What one message brings along."""

    def __init__(self):
        super().__init__(None, None)
        self.records = []
        self.used = False  # whether a reader needs `load`

    def _offer(self, kind, key, payload, buffers, fds):
        known = self._current.get(key)
        if known is not None:
            return known[0]
        number = len(self.records)
        self.records.append((kind, number, payload, buffers))
        self._current[key] = number, None
        return number

    def _number_of(self, cls, session):
        self.used = True
        number, serial = super()._number_of(cls, session)
        kind, _, payload, buffers = self.records[number]
        about = _class_tokens.token_of(cls), cls.__module__, cls.__qualname__
        self.records[number] = kind, (number, *about), payload, buffers
        return number, serial

    def _space_of(self, namespace):
        self.used = True
        known = _named_spaces.get(id(namespace))
        if known is None:
            name = super()._space_of(namespace)
            if "#" in name:
                name = f"{name.partition('#')[0]}#{_class_tokens.unique()}"
                _spaces[name] = namespace
                _bounded(_spaces, _MOST_SPACES)
            # The namespace is kept: another one at the same address would be taken for it.
            known = _named_spaces[id(namespace)] = name, namespace
            _bounded(_named_spaces, _MOST_SPACES)
        return known[0]

    def space(self, name):
        return _spaces[name] if name in _spaces else super().space(name)

    def note_module(self, space, module):
        _modules[space] = module
        _bounded(_modules, _MOST_SPACES)


def _bounded(table, most):
    if len(table) > most:
        for key in list(table)[: len(table) - most]:  # a copy: other threads may change it
            table.pop(key, None)


# ------------------------------------------------------------------------------------------------ who reads


def load(sender, told, payload):
    """What the process of that name has sent: `told` is taken in, then `payload` is loaded."""
    table = _Table(sender)
    with _lock:
        for record in told:
            table.take(*record)
    return _loading.loads(table, payload)


class _Table:
    """What pickles of one message may ask for while they are loaded."""

    def __init__(self, sender):
        self._sender = sender
        self._classes = {}  # number -> class
        self._new = {}  # number -> token, of those that were made for this message
        self._own = []  # the program's own functions among those that the message names

    def take(self, kind, about, payload, buffers):
        """Take in one thing that came along."""
        if kind == "class":
            self._take_class(*about, payload, buffers)
        elif kind == "state":
            self._take_state(payload, buffers)
        elif kind == "binding":
            self._take_binding(payload, buffers)
        else:
            _loading.import_module(payload.decode())

    def _take_class(self, number, token, module, name, payload, buffers):
        cls = _class_tokens.known(token)
        if cls is None and module == "__main__" and not _stands_in():
            cls = _found(vars(sys.modules["__main__"]), name, type)
        if cls is None:
            cls = make_class(*_loading.loads(self, payload, buffers)[1])
            _class_tokens.enter(token, cls)
            self._new[number] = token
            _kept[token] = cls
            _bounded(_kept, _MOST_CLASSES)
        self._classes[number] = cls

    def _take_state(self, payload, buffers):
        number, _, pickled = _loading.beheaded(payload)
        number = int(number)
        token = self._new.get(number)
        if token is None:
            return
        try:
            set_class_state(self._classes[number], _loading.loads(self, pickled, buffers))
        except BaseException:
            _class_tokens.forget(token)
            _kept.pop(token, None)
            raise

    def _take_binding(self, payload, buffers):
        space, name, pickled = _loading.beheaded(payload)
        if self._is_own(space):
            return
        namespace = self.space(space)
        pickled = bytes(pickled)
        before = _bound.get((space, name))
        if name in namespace and (
            before is None
            or before[2] is not namespace[name]
            or before[0] != self._sender
            or before[1] == pickled
            and not buffers
        ):
            return
        try:
            value = _loading.loads(self, pickled, buffers)
        except Exception as error:
            why = f"the global '{name}' could not be made in this process ({type(error).__name__}: {error})"
            value = _loading.Unsendable(why)
        namespace[name] = value
        _bound[space, name] = self._sender, pickled, value

    def _is_own(self, space):
        """Whether the globals of this space are the program's own here."""
        if space == "__main__":
            return not _stands_in()
        return space in _spaces and id(_spaces[space]) in _named_spaces

    def own_function(self, space, code):
        """The program's function of this code, where the program is here and still has it."""
        if not self._is_own(space):
            return None
        namespace = self.space(space)
        found = _found(namespace, getattr(code, "co_qualname", code.co_name), FunctionType)
        if found is None or found.__code__ != code or found.__globals__ is not namespace:
            return None
        self._own.append(found)
        return found

    def owns(self, function):
        """Whether this is such a function."""
        return any(function is own for own in self._own)

    # --- what `_loading` asks of a table -----------------------------------------------------------------

    def object_by_id(self, number):
        return self._classes[number]

    def space(self, name):
        if name in _spaces:
            return _spaces[name]
        return vars(self.module(name))

    def module(self, name):
        if name == "__main__":
            return sys.modules["__main__"]
        if "#" not in name:
            return _loading.import_module(name)
        found = _modules.get(name)
        if found is None:
            found = _modules[name] = type(sys)(name.partition("#")[0])
            found.__builtins__ = __builtins__
            _spaces[name] = vars(found)
            _bounded(_modules, _MOST_SPACES)
            _bounded(_spaces, _MOST_SPACES)
        return found


def _stands_in():
    """Whether `__main__` is not the user's program here, but what stands for it in a process of ours."""
    worker = sys.modules.get(f"{__package__}._worker")
    return f"{__package__}._child" in sys.modules or worker is not None and worker.inside


def _found(namespace, name, kind):
    """The class or function that the qualified name leads to, if there is one."""
    first, *rest = name.split(".")
    found = namespace.get(first)
    for part in rest:
        found = getattr(found, part, None)
    return found if isinstance(found, kind) and found.__qualname__ == name else None


def _after_fork():
    global _lock
    _lock = RLock()
    _idle.clear()
    _steady.clear()


_exits.after_fork(_after_fork)
