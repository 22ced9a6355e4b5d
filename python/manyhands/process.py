"""`Process`: multiprocessing's, started clean and told what to run by value; and it has a result."""

import sys
from multiprocessing import process as _theirs
from multiprocessing.process import BaseProcess, active_children, parent_process

__all__ = ["BaseProcess", "Process", "active_children", "current_process", "parent_process"]


def current_process():
    """The process that this code runs in, as an object. In a pool its name is "PoolWorker-1" and so on."""
    return _theirs.current_process()


class Process(BaseProcess):
    """A function of yours in a process of its own: `multiprocessing.Process`, and `result()`.

    Parameters
    ----------
    group:
        None; there for the sake of `threading.Thread`'s signature.
    target, args, kwargs:
        What the process calls: `target(*args, **kwargs)`. May be a lambda, a closure, a method, or typed at the prompt.
    name:
        By default "Process-1" and so on.
    daemon:
        True: ended (SIGTERM) when the program ends, and may have no children of its own. Others are waited for.

    No `__main__` guard is needed: the script is not run again. `start` raises at once what keeps the target or an
    argument from being sent. What the process prints appears where the caller's prints appear. An exception ends it
    with exit code 1 and its traceback on standard error; `sys.exit(n)` gives n, a signal -n. When the program is killed
    its processes end. A subclass may have a `run` of its own.

    >>> import manyhands as mh
    >>> process = mh.Process(target=pow, args=(2, 10))
    >>> process.start()
    >>> process.result()
    1024
    >>> process.exitcode
    0
    """

    _start_method = None

    @staticmethod
    def _Popen(process):
        from ._popen import Popen

        return Popen(process)

    @staticmethod
    def _after_fork():
        """Nothing is inherited."""

    def run(self):
        """What the process does: call the target. What is returned here is what `result` gives."""
        if self._target:
            return self._target(*self._args, **self._kwargs)
        return None

    def result(self, timeout=None):
        """Wait for the end, for up to `timeout` seconds; what the target returned, or raises what it raised.

        The exception has the process's traceback as its cause. `TimeoutError` when the process has not ended by then;
        `WorkerDied` when it was killed or ended itself (`os._exit`) before the target was done; `TaskExited` after
        `sys.exit()`; `MaybeEncodingError` when the value cannot be sent. May be asked for again until `close`.
        """
        self.join(timeout)
        popen = self._popen
        if popen.returncode is None:
            from .errors import TimeoutError

            raise TimeoutError(f"{self.name} (pid {popen.pid}) has not ended after {timeout} s; it goes on")
        return popen.result()


def __getattr__(name):
    """What is not ours is multiprocessing's."""
    return getattr(_theirs, name)


def _name_worker():
    """Give a worker the name and number that programs print."""
    worker, current = sys.modules.get("manyhands._worker"), _theirs.current_process()
    if worker is not None and worker.inside and not current._identity:
        current._identity = (worker.number,)
        current.name = f"PoolWorker-{worker.number}"


_name_worker()
