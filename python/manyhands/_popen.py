"""One child process as its parent has it: started clean, watched by a pidfd, signalled, reaped, its answer read.

`multiprocessing.process.BaseProcess` asks for an object like this when it starts; what is asked of it is what
`multiprocessing.popen_fork.Popen` has.
"""

import os
import signal
import sys
from _thread import RLock

from . import _context, _kinds, _letters, _listening

#: Answers up to this size are taken over at once, so that a process that has ended keeps no file open.
_SMALL = 1 << 16
#: What is said of a process whose exit status somebody else has taken (`os.waitpid(-1)`): as multiprocessing does.
_UNKNOWN_STATUS = 255


class Popen:
    """The process that runs `process` (a `manyhands.Process`)."""

    pid = None

    def __init__(self, process):
        from multiprocessing import util

        util._flush_std_streams()
        self.returncode = None
        self._name = process.name
        self._lock = RLock()
        self._answer = None  # the records, where they were few
        self._result = None  # (ok, value or error), once it was asked for
        self._prints = None
        self._files = []  # what is open for the process until it is let go of
        self._publisher, records, passed = _letter_to(process)
        try:
            self._start(records, passed)
        except BaseException:
            if self.pid is not None:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
            if self._prints is not None:
                self._prints.close()
            _close_all(self._files)
            raise
        # Where it is collected without `close`: the process itself is multiprocessing's to remember.
        self.finalizer = util.Finalize(self, _let_go, (self._prints, self._files))

    def _start(self, records, passed):
        from multiprocessing import spawn, util

        theirs = []
        try:
            letter = _open(theirs, _letters.blank())
            _letters.write(letter, records)
            self._answer_file = _open(self._files, _letters.blank())
            me = _open(theirs, os.pidfd_open(os.getpid()))
            out, prints = os.pipe()
            self._prints = _listening.Prints(out)
            _open(theirs, prints)
            numbers = letter, self._answer_file, me, prints
            command = _context.command("_child", *map(str, numbers))
            self.pid = util.spawnv_passfds(spawn.get_executable(), command, {*numbers, *passed})
            self.sentinel = _open(self._files, _sentinel_of(self.pid))
        finally:
            _close_all(theirs)
        _listening.listen(self._prints)

    # ------------------------------------------------------------------------- what multiprocessing asks of it

    def poll(self):
        """The exit code, -n for signal n; None while the process lives."""
        with self._lock:
            if self.returncode is None:
                try:
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                except ChildProcessError:
                    if not _wait([self.sentinel], 0):
                        return None
                    self.returncode = _UNKNOWN_STATUS
                else:
                    if pid != self.pid:
                        return None
                    self.returncode = os.waitstatus_to_exitcode(status)
                self._bury()
            return self.returncode

    def wait(self, timeout=None):
        """The same, waiting for the end for up to `timeout` seconds. Any number of threads may wait."""
        if self.returncode is None and not _wait([self.sentinel], timeout):
            return None
        return self.poll()

    def terminate(self):
        """SIGTERM."""
        self._send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL."""
        self._send_signal(signal.SIGKILL)

    def close(self):
        """Let go of what is kept of the process, its answer included."""
        self.finalizer()

    def __reduce__(self):
        return Elsewhere, (self.pid, self.poll())

    def _send_signal(self, number):
        with self._lock:
            # Not reaped yet, so that the number cannot be another's.
            if self.returncode is None:
                try:
                    os.kill(self.pid, number)
                except ProcessLookupError:
                    pass

    # ------------------------------------------------------------------------------------------ its answer

    def _bury(self):
        """The process has ended: show what it printed last, and take over what it answered."""
        self._prints.close()
        if os.fstat(self._answer_file).st_size <= _SMALL:
            self._answer = _letters.read(self._answer_file)
            self._close_answer()

    def _close_answer(self):
        if self._answer_file in self._files:
            self._files.remove(self._answer_file)
            os.close(self._answer_file)

    def result(self):
        """What the target returned, or raises what it raised. Only after the end."""
        with self._lock:
            if self._result is None:
                self._result = self._read_result()
                self._close_answer()
                self._answer = self._publisher = None
        ok, value = self._result
        if ok:
            return value
        raise value

    def _read_result(self):
        records = self._answer
        if records is None and self._answer_file in self._files:
            records = _letters.read(self._answer_file)
        if records is None:
            return False, self._death()
        ((kind, _, payload, buffers, _),) = records
        if kind == _kinds.ANSWER:
            try:
                return True, self._publisher.loads(payload, buffers)
            except Exception as error:
                from ._failures import annotate

                return False, annotate(error, f"the result of {self._name} could not be rebuilt in the caller")
        from ._failures import rebuild

        return False, rebuild(payload, self._publisher.loads)

    def _death(self):
        from .errors import WorkerDied, _signal_name

        code = self.returncode
        fate = f"was killed by {_signal_name(-code)}" if code < 0 else f"ended with exit code {code}"
        return WorkerDied(
            f"{self._name} (pid {self.pid}) {fate} before its target returned",
            signal=-code if code < 0 else None,
            exitcode=code if code >= 0 else None,
        )


class Elsewhere:
    """The process as others than its parent have it: its number, and its exit code if it had ended. As in a forked
    child, only its parent can wait for it."""

    sentinel = None

    def __init__(self, pid, returncode):
        self.pid = pid
        self.returncode = returncode

    def poll(self):
        """The exit code, where it was known."""
        return self.returncode

    def terminate(self):
        """SIGTERM."""
        self._send_signal(signal.SIGTERM)

    def kill(self):
        """SIGKILL."""
        self._send_signal(signal.SIGKILL)

    def close(self):
        """Nothing is open."""

    def _send_signal(self, number):
        if self.returncode is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                pass


def _letter_to(process):
    """(publisher, records, descriptors): all that the new process needs in order to be `process`."""
    from multiprocessing import process as processes, util

    from ._pickling import Publisher

    records, passed = [], []

    def publish(kind, key, payload, buffers, descriptors=()):
        records.append((_kinds.NAMED[kind], len(records), payload, list(buffers), list(descriptors)))
        passed.extend(descriptors)
        return len(records) - 1

    publisher = Publisher(publish, _nothing_is_taken_back)
    session = publisher.session()
    buffers, descriptors = [], []

    def collect(fd):
        descriptors.append(fd)
        return len(descriptors) - 1

    try:
        payload = session.dumps(process, buffers.append, collect)
    except BaseException as error:
        from ._failures import annotate

        annotate(error, f"{process.name} cannot be started: its target or arguments cannot be sent to a new process")
        raise
    # Functions that reach the process later, by a queue, could not bring these along.
    session.use_shared()
    passed.extend(descriptors)
    tracker = _tracker()
    if tracker is not None:
        passed.append(tracker)
    # In the order in which they are needed, which is not that in which they were made.
    told = [records[number] for number in session.needs]
    identity = bytes(processes.current_process().authkey), util._log_to_stderr, _log_level(util._logger), tracker
    surroundings = _context.Context().snapshot()[1]
    return (
        publisher,
        [
            (_kinds.CONTEXT, 0, surroundings, [], []),
            (_kinds.IDENTITY, 0, identity, [], []),
            *told,
            (_kinds.PROCESS, 0, payload, buffers, descriptors),
        ],
        passed,
    )


def _tracker():
    """The descriptor of multiprocessing's keeper of named shared memory, where that is used: all processes must have
    the same one, or the first that ends takes the memory from the others."""
    if "multiprocessing.shared_memory" not in sys.modules:
        return None
    from multiprocessing import resource_tracker

    return resource_tracker.getfd()


def _log_level(logger):
    """Of multiprocessing's log, if there is one yet."""
    return None if logger is None else logger.getEffectiveLevel()


def _nothing_is_taken_back(number):
    """The process lives as long as what it was told."""


def _open(fds, fd):
    fds.append(fd)
    return fd


def _sentinel_of(pid):
    """A descriptor that is readable once the process has ended."""
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:  # somebody else was told of its end already (a handler of SIGCHLD)
        ended, other = os.pipe()
        os.close(other)
        return ended


def _wait(sentinels, timeout):
    from multiprocessing.connection import wait

    return wait(sentinels, timeout)


def _let_go(prints, files):
    prints.close()
    _close_all(files)


def _close_all(files):
    while files:
        os.close(files.pop())
