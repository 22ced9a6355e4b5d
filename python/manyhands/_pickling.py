"""The parent's side of how Python objects travel: what is told to the workers, and when again.

Besides the pickles of items there are *published objects*, each sent once to each worker before the first
message that needs it:

    binding   a global of a by-value module: space and name, then its value pickled
    class     the skeleton of a class that goes by value, see `_classes`: pickled
    state     the rest of that class: the class's id, then the state pickled
    import    the name of a submodule that the user's code reaches as an attribute of its package

Pickles refer to classes by id and to globals not at all: the functions find them in the shared dictionary of
their module. What was published is made anew once per session and compared by digest. The same keeps its id,
so a worker does not set it again and what an initializer or a task has set there survives; changed, it gets
a new id, and the old one is forgotten when the last session that needs it is over.
"""

import sys
from _blake2 import blake2b
from _pickle import PickleBuffer
from _thread import RLock
from _weakref import ref
from itertools import count

from . import _class_tokens, _loading, _sharing
from ._by_name import importable
from ._by_value import Sender
from ._classes import class_state, make_class, skeleton
from ._code_globals import global_names, used_submodules

# Namespaces that workers made themselves (for a namedtuple made inside a task, say) and that results refer to.
_FOREIGN_SPACES = 256
# Compared by identity instead of pickling them anew for each session, however long they are.
_UNCHANGING = frozenset((bytes, str, int, float, complex, bool, type(None), type(len)))
_MODULE = type(sys)
_NOTHING = object()
# Never sent: they belong to a module object or to the process.
_NOT_SENT = frozenset(("__builtins__", "__name__", "__spec__", "__loader__"))


class Publisher:
    """What one pool has told its workers. Safe to use from several threads.

    `publish(kind, key, payload, buffers)` hands over an object for the workers and returns its id; where file
    descriptors belong to it, they come as a fifth argument and are the caller's to keep open.
    `forget(id)` says that no message will need it any more; it may be called from any thread.
    `digest(buffer) -> bytes` may be given to compare big buffers faster than BLAKE2 does.
    """

    def __init__(self, publish, forget, digest=None):
        self._publish = publish
        self._forget = forget
        self._digest = digest if digest is not None else _blake2_digest
        self._lock = RLock()
        self._numbers = count(1)
        self._current = {}  # key -> (id, digest) of what was published last
        self._unchanging = {}  # key -> value of a binding that cannot change unless it is another object
        self._users = {}  # id -> sessions that need it
        self._superseded = set()  # ids that only those sessions keep
        self._left = []  # sessions that ended and classes that died, as their finalizers left them
        self._classes = {}  # id(class) -> (weak reference, published id, serial number)
        self._by_number = {}  # published id -> weak reference to the class
        self._spaces = {}  # id(namespace) -> (name of the space, namespace)
        self._namespaces = {}  # name of the space -> namespace
        self._modules = {}  # name of the space -> module object, for modules made by hand
        self._foreign = {}  # the same for spaces that workers made

    def session(self):
        """A fresh look at the caller's objects: one per map, or per single call."""
        with self._lock:
            self._tidy()
        return Session(self)

    def loads(self, data, buffers=()):
        """A result: classes that came from here are the caller's own again."""
        return _loading.loads(self, data, buffers)

    # --- what `_loading` asks of a table -----------------------------------------------------------------

    def object_by_id(self, number):
        cls = self._by_number[number]()
        if cls is None:
            raise LookupError("a result refers to a class that was deleted while the result was on its way")
        return cls

    def space(self, name):
        if name == "__main__":
            return vars(sys.modules["__main__"])
        if "#" not in name:
            return vars(_loading.import_module(name))
        found = self._namespaces.get(name)
        if found is None:
            found = self._foreign.get(name)
        if found is None:
            found = self._foreign[name] = {"__name__": name.partition("#")[0], "__builtins__": __builtins__}
            if len(self._foreign) > _FOREIGN_SPACES:
                self._foreign.pop(next(iter(self._foreign)))
        return found

    def module(self, name):
        return self._modules[name]

    def note_module(self, space, module):
        """A module made by hand, for results that refer to it."""
        self._modules[space] = module

    def adopt(self, token, arguments):
        """The class that a worker made inside a task: one class here, however many results name it."""
        cls = _class_tokens.known(token)
        if cls is None:
            cls = make_class(*arguments)
            _class_tokens.enter(token, cls)
        return cls

    # --- what a session asks -----------------------------------------------------------------------------

    def _space_of(self, namespace):
        known = self._spaces.get(id(namespace))
        if known is None:
            name = namespace.get("__name__")
            module = sys.modules.get(name) if type(name) is str else None
            if module is None or vars(module) is not namespace:
                name = f"{name or ''}#{next(self._numbers)}"
            elif name != "__main__" and not importable(name):
                name = f"{name}#{next(self._numbers)}"
            # The namespace is kept: another one at the same address would be taken for it.
            known = self._spaces[id(namespace)] = (name, namespace)
            self._namespaces[name] = namespace
        return known[0]

    def _offer(self, kind, key, payload, buffers, fds):
        """Publishes unless the same was published last under this key; returns the id."""
        digest = blake2b(payload, digest_size=16)
        for buffer in buffers:
            digest.update(self._digest(buffer))
        digest = (digest.digest(), tuple(fds))
        known = self._current.get(key)
        if known is not None:
            if known[1] == digest:
                return known[0]
            self._retire(known[0])
        number = self._publish(kind, key, payload, buffers, fds) if fds else self._publish(kind, key, payload, buffers)
        self._current[key] = (number, digest)
        return number

    def _number_of(self, cls, session):
        """The id under which the skeleton of `cls` is published."""
        known = self._classes.get(id(cls))
        serial = known[2] if known is not None and known[0]() is cls else next(self._numbers)
        payload, buffers, fds = session._dump_apart((_class_tokens.token_of(cls), skeleton(cls)))
        current = self._current.get(("class", serial))
        if current is not None:  # its bases and what else it is born with are noted as needed; it is not born twice
            return current[0], serial
        number = self._offer("class", ("class", serial), payload, buffers, fds)
        address = id(cls)
        reference = ref(cls, lambda _: self._left.append(("class", address, serial, number)))
        self._classes[address] = (reference, number, serial)
        self._by_number[number] = reference
        return number, serial

    def _withdraw(self, key):
        """Notes that a global is gone here: it goes in the workers, too."""
        known = self._current.pop(key, None)
        if known is not None:
            self._unchanging.pop(key, None)
            self._retire(known[0])

    def _retire(self, number):
        if self._users.get(number):
            self._superseded.add(number)
        else:
            self._forget(number)

    def _tidy(self):
        """Does what finalizers must not do themselves, as they run at any moment in any thread."""
        while self._left:
            what, *rest = self._left.pop()
            if what == "session":
                for number in rest[0]:
                    self._users[number] -= 1
                    if not self._users[number]:
                        del self._users[number]
                        if number in self._superseded:
                            self._superseded.discard(number)
                            self._forget(number)
            else:
                address, serial, number = rest
                if self._classes.get(address, (None, None, None))[2] == serial:
                    del self._classes[address]
                self._by_number.pop(number, None)
                for key in (("class", serial), ("state", serial)):
                    published = self._current.pop(key, None)
                    if published is not None:
                        self._retire(published[0])


class Session(Sender):
    """One look at the caller's objects: what is published is made anew once, then taken as it is.

    `needs` lists, in order, the ids that a worker must have before it loads what was pickled here; it grows
    with each `dumps`. Ends with `close` or when it is collected.
    """

    shares = True
    destination = "a worker"  # in messages
    remedy = "make it inside the function, or in the pool's initializer"

    def __init__(self, publisher):
        super().__init__()
        self.needs = []
        self._publisher = publisher
        self._needed = set()
        self._bound = set()  # (space, name) of the globals seen in this session
        self._used = {}  # (id(code), space) -> code whose globals were seen
        self._explaining = False  # a failure is being looked into
        self._defining = set()  # the globals that are being published: they are not there to be named yet
        self._open = True

    def close(self):
        """Says that nothing pickled here will be sent any more."""
        if self._open:
            self._open = False
            self._publisher._left.append(("session", self._needed))

    __del__ = close

    def bound(self):
        """The globals that were seen: (space, name) each."""
        return self._bound

    def explain(self, error, obj):
        if self._explaining:
            return
        from ._culprit import way_to
        from ._failures import annotate, brief

        self._explaining = True
        try:
            steps, part = way_to(obj, self._refuses)
        finally:
            self._explaining = False
        way = f" (in {brief(obj)}: {', '.join(steps)})" if steps else ""
        annotate(error, f"this could not be sent to {self.destination}: {brief(part)}{way}")

    def _refuses(self, part):
        """Whether a part cannot be sent by itself."""
        try:
            self.dumps(part, None, lambda fd: 0)  # pipes and locks go beside a message, so they are refused no less
        except Exception:
            return True
        return False

    def space_of(self, namespace):
        return self._publisher._space_of(namespace)

    def use(self, function, space):
        code = function.__code__
        if (space != "__main__" and "#" not in space) or (id(code), space) in self._used:
            return
        self._used[id(code), space] = code
        namespace = function.__globals__
        with self._publisher._lock:
            for name in global_names(code):
                if name in namespace:
                    self._bind(space, name, namespace)
                    self._import_submodules(code, namespace[name])
                else:
                    self._publisher._withdraw((space, name))
            if namespace.get("__package__"):  # for `from . import ...` inside the function
                self._bind(space, "__package__", namespace)
        for cell in function.__closure__ or ():
            try:
                self._import_submodules(code, cell.cell_contents)
            except ValueError:
                continue
        return

    def use_module(self, module, space):
        self._publisher.note_module(space, module)
        with self._publisher._lock:
            for name in list(vars(module)):
                self._bind(space, name, vars(module))

    def use_shared(self):
        """Publishes the locks, queues and shared values among the globals of the user's program."""
        namespace = vars(sys.modules["__main__"])
        with self._publisher._lock:
            for name, value in list(namespace.items()):
                if _sharing.is_shared(value):
                    self._bind(self.space_of(namespace), name, namespace)

    def reduce_class(self, cls):
        with self._publisher._lock:
            number, serial = self._publisher._number_of(cls, self)
            reference = (_loading.object_by_id, (number,))
            # Known from here on: its own methods and their globals may name it.
            self.known[id(cls)] = (reference, cls)
            self._need(number)
            payload, buffers, fds = self._dump_apart(class_state(cls))
            payload = _loading.headed(number, "", payload)
            self._need(self._publisher._offer("state", ("state", serial), payload, buffers, fds))
        return reference

    def reduce_global(self, obj, name):
        spaces = [vars(sys.modules["__main__"])]
        home = sys.modules.get(getattr(obj, "__module__", None))
        if home is not None:
            spaces.insert(0, vars(home))
        spaces += [namespace for _, namespace in self._publisher._spaces.values()]
        for namespace in spaces:
            if name is None:
                found = next((key for key, value in list(namespace.items()) if value is obj), None)
            else:
                found = name if namespace.get(name) is obj else None
            if found is None:
                continue
            space = self.space_of(namespace)
            if "#" not in space and space != "__main__":
                continue
            if (space, found) in self._defining:
                return None
            with self._publisher._lock:
                self._bind(space, found, namespace)
            return _loading.global_value, (space, found)
        return None

    def _bind(self, space, name, namespace):
        """Publishes one global, once per session, whatever it is: what cannot be sent fails where it is used."""
        if (space, name) in self._bound or name in _NOT_SENT:
            return
        self._bound.add((space, name))
        value, publisher = namespace[name], self._publisher
        if publisher._unchanging.get((space, name), _NOTHING) is value:
            self._need(publisher._current[space, name][0])
            return
        self._defining.add((space, name))
        try:
            payload, buffers, fds = self._dump_apart(value)
        except Exception as error:
            why = (
                f"the global '{name}' could not be sent to {self.destination} ({type(error).__name__}: {error}); "
                f"{self.remedy}"
            )
            payload, buffers, fds = self._dump_apart(_loading.Unsendable(why))
        finally:
            self._defining.discard((space, name))
        payload = _loading.headed(space, name, payload)
        self._need(publisher._offer("binding", (space, name), payload, buffers, fds))
        if type(value) in _UNCHANGING or type(value) is _MODULE and importable(value.__name__):
            publisher._unchanging[space, name] = value
        else:
            publisher._unchanging.pop((space, name), None)

    def _import_submodules(self, code, value):
        if type(value) is _MODULE and hasattr(value, "__path__") and importable(value.__name__):
            for name in used_submodules(code, value):
                self._need(self._publisher._offer("import", ("import", name), name.encode(), [], []))

    def _dump_apart(self, obj):
        """A published object's own pickle, its out-of-band buffers and its file descriptors."""
        buffers, fds = [], []

        def send_fd(fd):
            fds.append(fd)
            return len(fds) - 1

        return self.dumps(obj, buffers.append, send_fd), buffers, fds

    def _need(self, number):
        if number not in self._needed:
            self._needed.add(number)
            self.needs.append(number)
            users = self._publisher._users
            users[number] = users.get(number, 0) + 1


def _blake2_digest(buffer):
    return blake2b(buffer.raw() if type(buffer) is PickleBuffer else buffer, digest_size=16).digest()
