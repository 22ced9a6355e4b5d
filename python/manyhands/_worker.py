"""The worker process: set up what the user's code expects to find, then serve the parent until the end.

Started as `python -c ... `, with the connection as its standard input. It never imports the user's script: what comes
from there arrives by value and lives in a module that stands in for `__main__`.
"""

import os
import sys

from . import _context, _kinds, _native, _output

#: True in a worker process: maps inside of it run serially.
inside = False
#: The number of this worker in its pool.
number = None


class Handlers:
    """What the native loop asks of Python: learn a thing, load an item, describe a failure.

    What takes long to import is imported when it is first needed: a function that goes by its name, called with plain
    values, needs no pickle.
    """

    def __init__(self, output, own_variables):
        self._main = sys.modules["__main__"] = type(sys)("__main__")
        self._follower = _context.Follower(own_variables)
        self._made = None
        self.output = output

    @property
    def _receiver(self):
        if self._made is None:
            from ._receiving import Receiver

            self._made = Receiver(vars(self._main))
        return self._made

    def install(self, number, kind, payload, buffers, descriptors):
        """Learn a thing; the result matters only for functions."""
        if kind == _kinds.CONTEXT:
            self._follower.apply(payload)
            return None
        if kind == _kinds.FUNCTION_BY_NAME:
            return _find(payload)
        if kind == _kinds.INITIALIZER:
            function, arguments = self.loads(payload, buffers, descriptors)
            function(*arguments)
            return None
        if kind == _kinds.FUNCTION:
            # Not kept in the receiver's table: the loop holds it until it is forgotten.
            return self.loads(payload, buffers, descriptors)
        return self._receiver.install(number, _kinds.NAMES[kind], payload, buffers, descriptors)

    def forget(self, numbers):
        """Let go of things that no further item needs."""
        if self._made is not None:
            for number in numbers:
                self._made.forget(number)

    def loads(self, data, buffers=(), descriptors=()):
        """A function or an item's arguments."""
        return self._receiver.loads(data, buffers, descriptors)

    def dumps(self, obj, buffer_callback=None):
        """A result."""
        return self._receiver.dumps(obj, buffer_callback)

    def begin_item(self, words):
        """Start the random streams of an item with a seed; with None, the process's own come back."""
        from ._random import begin_item

        self.begin_item = begin_item
        begin_item(words)

    def describe(self, error, index, item):
        """A failure as bytes that certainly load in the parent."""
        from ._failures import describe

        return describe(error, index, item, self.dumps, self.loads)

    def describe_unsendable(self, error, result, index, item):
        """The same for a result that cannot be pickled."""
        from ._failures import describe_unsendable

        return describe_unsendable(error, result, index, item, self.dumps, self.loads)

    @staticmethod
    def raiser(error):
        """Stands for a function that could not be loaded: every item fails with the reason."""

        def cannot_load(*arguments, **keywords):
            raise error

        return cannot_load


def _find(payload):
    """The function that goes by this name."""
    module, _, path = str(payload, "utf-8").partition(":")
    __import__(module)
    found = sys.modules[module]
    for name in path.split("."):
        found = getattr(found, name)
    return found


def main(memory=None):
    """Serve, then end as a Python program ends: exit handlers, flushed streams. `memory`: what is taken to be free."""
    global inside, number
    inside = True
    link = _native.WorkerLink(None if memory is None else int(memory))
    number = link.id
    printer = link.printer()
    output = _output.install(printer, printer.note)
    own = os.environ.get("MANYHANDS_OWN", "")
    os.environ.pop("MANYHANDS_OWN", None)
    status = 0
    try:
        in_good_order = link.serve(Handlers(output, own.split(",") if own else ()))
    except (OSError, EOFError):
        in_good_order = False  # the parent went away in the middle of a word
    except BaseException:
        import traceback

        sys.__stderr__.write(traceback.format_exc())
        in_good_order, status = True, 1
    if in_good_order:
        run_exit_handlers()
        output.finish_item()
    # Not by way of the interpreter's own end: threads that the user's code left running must not keep us.
    os._exit(status)


def run_exit_handlers():
    """What the user's code registered for its end. Threads that are not daemons are not waited for."""
    import atexit

    try:
        multiprocessing_util = sys.modules.get("multiprocessing.util")
        if multiprocessing_util is not None:
            multiprocessing_util._exit_function()
        atexit._run_exitfuncs()
    except BaseException:
        import traceback

        traceback.print_exc()
