"""A child process of `mh.Process`: becomes what its parent wrote, runs it, leaves its answer, and ends.

Started as `python -c ...` with the numbers of four descriptors. Like a worker it never imports the user's script: what
comes from there arrives by value and lives in a module that stands in for `__main__`.
"""

import os
import sys

from . import _context, _kinds, _letters, _listening, _native, _output


def main(*numbers):
    """Run the process that the letter describes; ends this one. All are descriptors."""
    letter, answer, parent, prints = map(int, numbers)
    _native.follow(parent)
    for fd in (letter, answer, parent, prints):
        os.set_inheritable(fd, False)
    output = _output.install(_sender(prints), partial=True)
    sys.modules["__main__"] = type(sys)("__main__")
    status = 1
    try:
        process = _Letter(letter).open(answer)
        status = process._bootstrap(parent)
    except KeyboardInterrupt:
        pass  # before anything of the user's ran: nothing to be said
    except BaseException:
        import traceback

        sys.stderr.write("A process could not be made from what its parent sent:\n")
        traceback.print_exc()
    from ._worker import run_exit_handlers

    run_exit_handlers()
    output.finish_item()
    # Not by way of the interpreter's own end: threads that the user's code left running must not keep us.
    os._exit(status & 0xFF)


class _Letter:
    """What the parent wrote, taken in."""

    def __init__(self, fd):
        records = _letters.read(fd)
        os.close(fd)
        seen = set()
        # Before anything is made of them: who owns a descriptor may close it at once.
        self._records = [(*record, _owned(fds, seen)) for *record, fds in records]

    def open(self, answer):
        """The process object, whose `run` leaves its answer in the file `answer`."""
        from ._receiving import Receiver

        receiver = Receiver(vars(sys.modules["__main__"]))
        for kind, number, payload, buffers, fds in self._records:
            if kind == _kinds.CONTEXT:
                _context.Follower().apply(payload)
            elif kind == _kinds.IDENTITY:
                _assume(*payload)
            elif kind == _kinds.PROCESS:
                try:
                    process = receiver.loads(payload, buffers, fds)
                except Exception as error:
                    _leave_failure(answer, receiver, error)
                    raise
            else:
                receiver.install(number, _kinds.NAMES[kind], payload, buffers, fds)
        self._records = None
        _record(process, answer, receiver)
        return process


def _owned(fds, seen):
    """The inherited descriptors, each for one owner: a pipe that came twice is closed by each on its own."""
    owned = []
    for fd in fds:
        if fd in seen:
            fd = os.dup(fd)
        else:
            seen.add(fd)
            os.set_inheritable(fd, False)
        owned.append(fd)
    return owned


def _sender(fd):
    """How this process's lines get to the parent. `Output` sees to it that one is written at a time."""

    def send(stream, data):
        view = memoryview(_listening.head_of(stream, data) + data)
        while view:
            view = view[os.write(fd, view) :]

    return send


def _assume(authkey, log_to_stderr, level, tracker):
    """What multiprocessing tells a process that it spawns."""
    from multiprocessing import process, util

    process.current_process().authkey = authkey
    if tracker is not None:
        from multiprocessing import resource_tracker

        os.set_inheritable(tracker, False)
        resource_tracker._resource_tracker._fd = tracker
    if log_to_stderr:
        util.log_to_stderr()
    if level is not None:
        util.get_logger().setLevel(level)


def _record(process, answer, receiver):
    """Let `run` leave what it returns or raises."""
    me = os.getpid()

    def run():
        del process.run
        try:
            value = process.run()
        except BaseException as error:
            if os.getpid() == me:  # not in a forked child that came this way
                _leave_failure(answer, receiver, error)
            raise
        if os.getpid() == me:
            _leave_value(answer, receiver, value)

    process.run = run


def _leave_value(answer, receiver, value):
    buffers = []
    try:
        payload = receiver.dumps(value, buffers.append)
        _letters.write(answer, [(_kinds.ANSWER, 0, payload, buffers, ())])
    except Exception as error:  # nobody may want it: no reason to fail
        from ._failures import describe_unsendable

        failure = describe_unsendable(error, value, None, None, receiver.dumps, receiver.loads)
        _letters.write(answer, [(_kinds.FAILURE, 0, failure, (), ())])


def _leave_failure(answer, receiver, error):
    from ._failures import describe

    try:
        failure = describe(error, None, NotImplemented, receiver.dumps, receiver.loads)
        _letters.write(answer, [(_kinds.FAILURE, 0, failure, (), ())])
    except Exception:
        import traceback

        traceback.print_exc()
