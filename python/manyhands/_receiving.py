"""The worker's side of how Python objects travel: what it was told, and the way back.

The worker's `__main__` is a fresh module that stands for the user's; other by-value modules are module objects
kept here, outside `sys.modules`. Bindings land in these modules' dictionaries, where all functions of the
module see them, and what a task or an initializer sets there stays until the parent's own value changes.
"""

import builtins
import os
import sys
from _weakref import ref

from . import _class_tokens, _loading
from ._by_value import Sender
from ._classes import class_state, delete_class_state, make_class, set_class_state, skeleton

_ModuleType = type(sys)


class Receiver:
    """What one worker process was told. One thread installs and loads."""

    #: Whether classes that came here by other ways (a queue) are the same as those that come this way.
    alone = True

    def __init__(self, main=None):
        """`main` is the dictionary that stands for the user's `__main__`; by default this process's own."""
        self._main = main if main is not None else vars(sys.modules["__main__"])
        # C code that imports looks for them in the globals of the running function.
        self._main.setdefault("__builtins__", builtins)
        self._objects = {}  # id -> class, function, whatever was published under it
        self._modules = {}  # space -> module object made here
        self._bindings = {}  # id -> (space, name)
        self._current = {}  # (space, name) -> (id of the binding in force, its value)
        self._states = {}  # id of a class -> the names that its state has set
        self._sender = _WayBack(self)

    def install(self, number, kind, payload, buffers=(), fds=()):
        """Takes in a published object and returns it.

        What fails here (a module that is missing in this process, say) fails later, where it is used: nobody
        waits for the answer to an `install`, and not every task may need the object.
        """
        try:
            if kind == "binding":
                return self._take_binding(number, payload, buffers, fds)
            if kind == "state":
                return self._take_state(payload, buffers, fds)
            if kind == "import":
                return _loading.import_module(bytes(payload).decode())
            loaded = _loading.loads(self, payload, buffers, fds)
            if kind == "class":
                loaded = self._take_class(number, *loaded)
        except Exception as error:
            loaded = _NotMade(f"a {kind} that the task needs {_reason(error)}")
        self._objects[number] = loaded
        return loaded

    def _take_binding(self, number, payload, buffers, fds):
        space, name, pickled = _loading.beheaded(payload)
        try:
            value = _loading.loads(self, pickled, buffers, fds)
        except Exception as error:
            value = _loading.Unsendable(f"the global '{name}' {_reason(error)}")
        self.space(space)[name] = value
        self._bindings[number] = (space, name)
        self._current[space, name] = (number, value)
        return value

    def _take_class(self, number, token, arguments):
        cls = self._sender.born(token)
        if cls is None and self.alone:
            cls = _class_tokens.arrived(token)
        if cls is None:
            cls = make_class(*arguments)
            _class_tokens.enter(token, cls)
        self._sender.names[id(cls)] = (_loading.object_by_id, (number,))
        return cls

    def _take_state(self, payload, buffers, fds):
        owner, _, pickled = _loading.beheaded(payload)
        owner = int(owner)
        cls = self._objects[owner]
        if type(cls) is _NotMade:
            if cls.skeleton is None:
                return None
            cls = self._objects[owner] = cls.skeleton  # an earlier state failed; this one may do
        before = self._states.get(owner, frozenset())
        try:
            self._states[owner] = now = set_class_state(cls, _loading.loads(self, pickled, buffers, fds))
        except Exception as error:
            self._objects[owner] = _NotMade(f"the class {cls.__qualname__} {_reason(error)}", cls)
            return None
        delete_class_state(cls, before - now)
        return cls

    def forget(self, number):
        """Drops a published object; a global goes too unless another value has taken its place."""
        binding = self._bindings.pop(number, None)
        if binding is not None:
            if self._current[binding][0] == number:
                self.space(binding[0]).pop(binding[1], None)
                del self._current[binding]
            return
        gone = self._objects.pop(number, None)
        if type(gone) is _NotMade:
            gone = gone.skeleton
        if gone is not None:
            self._states.pop(number, None)
            self._sender.names.pop(id(gone), None)
            if isinstance(gone, type):
                self._sender.reducers.pop(gone, None)

    def loads(self, data, buffers=(), fds=()):
        """A task's function or arguments, with the descriptors that came with them."""
        return _loading.loads(self, data, buffers, fds)

    def dumps(self, obj, buffer_callback=None):
        """A result. Classes that came from the parent go back by id and are the parent's own again."""
        return self._sender.dumps(obj, buffer_callback)

    # --- what `_loading` asks of a table -----------------------------------------------------------------

    def object_by_id(self, number):
        found = self._objects[number]
        if type(found) is _NotMade:
            raise RuntimeError(found.why)
        return found

    def space(self, name):
        return self._main if name == "__main__" else vars(self.module(name))

    def module(self, name):
        if name == "__main__":
            return sys.modules["__main__"]
        if "#" not in name:
            return _loading.import_module(name)
        found = self._modules.get(name)
        if found is None:
            found = self._modules[name] = _ModuleType(name.partition("#")[0])
            found.__builtins__ = builtins
            self._sender.spaces[id(vars(found))] = name
        return found

    def adopt(self, token, arguments):
        cls = self._sender.born(token)
        return cls if cls is not None else make_class(*arguments)


class _NotMade:
    """Stands in the table for what could not be made; a task that needs it fails with the reason."""

    def __init__(self, why, skeleton=None):
        self.why = why
        self.skeleton = skeleton  # the class whose state failed


def _reason(error):
    return f"could not be made in this worker ({type(error).__name__}: {error})"


class _WayBack(Sender):
    """Pickles results: nothing is published, what the parent lacks goes inside the pickle."""

    def __init__(self, receiver):
        super().__init__()
        self._receiver = receiver
        self.names = {}  # id(class) -> how it is named in pickles, for classes that came from the parent
        self.spaces = {id(receiver._main): "__main__"}  # id(namespace) -> space
        self._kept = []  # namespaces made by the user's code here, so that their addresses stay theirs
        self._born = {}  # token -> weak reference to a class that was made here

    def born(self, token):
        known = self._born.get(token)
        return known and known()

    def space_of(self, namespace):
        space = self.spaces.get(id(namespace))
        if space is None:
            space = namespace.get("__name__") or ""
            module = sys.modules.get(space)
            if module is None or vars(module) is not namespace:
                space = f"{space}#w{os.getpid()}.{len(self._kept)}"
                self._kept.append(namespace)
            self.spaces[id(namespace)] = space
        return space

    def use(self, function, space):
        """The globals of namespaces that the parent cannot have, such as a namedtuple's private one."""
        namespace = function.__globals__
        if "#" not in space or space in self._receiver._modules:
            return None
        from ._code_globals import global_names

        return {name: namespace[name] for name in global_names(function.__code__) if name in namespace}

    def use_module(self, module, space):
        if space != "__main__" and space not in self._receiver._modules:
            raise TypeError(f"the module {module.__name__!r} was made inside a worker and cannot leave it")

    def reduce_class(self, cls):
        known = self.names.get(id(cls))
        if known is not None:
            return known
        token = _class_tokens.token_of(cls)
        if token not in self._born:
            self._born[token] = ref(cls, lambda _: self._born.pop(token, None))
        made = (_loading.adopt_class, (token, *skeleton(cls)))
        return (*made, class_state(cls), None, None, _loading.complete_class)

    def reduce_global(self, obj, name):
        for (space, key), (_, value) in self._receiver._current.items():
            if value is obj and name in (None, key) and self._receiver.space(space).get(key) is obj:
                return _loading.global_value, (space, key)
        return None
