"""The pickler of both directions: what plain pickle would send by a name that the other side lacks goes by value.

A `Sender` is a C pickler with one Python hook, `reducer_override`, which is called for every object that is
not a plain number, string or container. The hook costs one look into a table from type to reducer; `None` there
means "as pickle does", so an array or an instance of a library's class pays almost nothing.

A function travels as its marshalled code, closure cells and defaults, without its globals: all functions of one
module share one dictionary on the other side, and what they need in it is the `Sender`'s affair (the parent
publishes it, see `_pickling`). How each type is reduced stands in `_reducers`.
"""

from _pickle import Pickler

from . import _loading, _sharing
from ._by_name import travels_by_name
from ._reducers import REDUCERS, reducer_for

_UNSEEN = object()
_REDUCERS_LIMIT = 512


class Sender:
    """Base of the parent's `Session` and the worker's way back; the abstract methods say where they differ.

    Safe to use from several threads and from within itself: each `dumps` has a pickler of its own.
    """

    shares = False  # whether multiprocessing's locks and pipes may travel this way
    # What the other side calls for a function that goes by value.
    make_function = staticmethod(_loading.make_function)
    complete_function = staticmethod(_loading.complete_function)

    def __init__(self):
        self.reducers = dict(REDUCERS)
        # id(function or class) -> (how it is reduced, itself): decided once, and kept so that the id stays its own.
        self.known = {}
        self._idle = []

    def dumps(self, obj, buffer_callback=None, fd_callback=None):
        """`obj` pickled with protocol 5.

        `buffer_callback(PickleBuffer)` receives each out-of-band buffer (returning true keeps it in band);
        `fd_callback(fd)` takes a file descriptor to be sent along and returns its place in the message.
        """
        try:
            idle = self._idle.pop()
        except IndexError:
            idle = _new_pickler(self)
        dump, clear_memo, chunks, during = idle
        during.buffer_callback = buffer_callback
        during.send_fd = fd_callback
        try:
            dump(obj)
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)
        except Exception as error:
            self.explain(error, obj)
            raise
        finally:
            if during.before is not None:
                _sharing.spawning(during.before[0])
                during.before = None
            # The memo holds every object that was sent, big arrays included.
            clear_memo()
            chunks.clear()
            self._idle.append(idle)

    def reducer_of(self, kind):
        """How instances of what multiprocessing shares between processes are reduced; None: `kind` is none of that."""
        return _sharing.reducer_for(kind) if self.shares else None

    def is_named(self, obj):
        """Whether a function or class goes by name, remembered for the life of this sender."""
        known = self.known.get(id(obj))
        if known is not None:
            return known[0] is NotImplemented
        if not travels_by_name(obj):
            return False
        self.known[id(obj)] = (NotImplemented, obj)
        return True

    def explain(self, error, obj):
        """Adds to an error of pickling what it was about, where that helps."""

    def space_of(self, namespace):
        """The name under which the other side knows the namespace (a function's globals): `__main__`, the
        name of an importable module, or `name#n` for any other."""
        raise NotImplementedError

    def use(self, function, space):
        """Sees to it that the globals of `function` are there when it runs; returns those to send inside it."""
        raise NotImplementedError

    def use_module(self, module, space):
        """The same for a whole module that was made by hand."""
        raise NotImplementedError

    def reduce_class(self, cls):
        """How a class that goes by value is sent."""
        raise NotImplementedError

    def reduce_global(self, obj, name):
        """A reference to the global of a by-value module that is `obj`; None if there is none such, or if it is
        a global that is being sent just now. `name` may be None: any global will do."""
        raise NotImplementedError


class _Pickler(Pickler):
    def reducer_override(self, obj):
        kind = type(obj)
        reducer = self.reducers.get(kind, _UNSEEN)
        if reducer is None:
            return NotImplemented
        if reducer is _UNSEEN:
            if len(self.reducers) > _REDUCERS_LIMIT:  # tasks may make classes without end
                self.reducers.clear()
                self.reducers.update(REDUCERS)
            reducer = self.reducers[kind] = reducer_for(kind, self.sender)
            if reducer is None:
                return NotImplemented
        known = self.known.get(id(obj))
        return known[0] if known is not None else reducer(self, obj)

    def hand_over(self):
        """From here to the end of this dump, multiprocessing takes us for a child being spawned."""
        during = self.during
        if during.before is None:
            during.before = (_sharing.spawning(_sharing.Handover(during.send_fd)),)


class _During:
    """What belongs to the one `dumps` that a pickler is busy with, and the list that collects its output."""

    __slots__ = ("before", "buffer_callback", "send_fd", "write")

    def __init__(self, write):
        self.write = write  # the C pickler takes this object for a file
        self.buffer_callback = self.send_fd = None
        self.before = None  # (what stood for multiprocessing's child before us,) once `hand_over` was called


def _new_pickler(sender):
    chunks = []
    during = _During(chunks.append)

    def out_of_band(buffer):
        callback = during.buffer_callback
        return True if callback is None else callback(buffer)

    pickler = _Pickler(during, 5, buffer_callback=out_of_band)
    pickler.during, pickler.sender = during, sender
    pickler.reducers, pickler.known = sender.reducers, sender.known
    return pickler.dump, pickler.clear_memo, chunks, during
