"""What `on=` may be: somebody else's engine, as something that takes messages and gives futures.

Each kind knows how to hand a message over, how many run at once, and how a worker's loss looks there.
"""

import os
import sys
from _thread import RLock
from _weakref import ref
from weakref import WeakKeyDictionary

from . import _exits

#: A message runs by a builtin function, which every worker can load: so that one that lacks manyhands can say so.
_RUN = "__import__('manyhands._there', fromlist=('run',)).run(message)"
#: What engines raise whose worker is gone. Those of concurrent.futures are told by their base, `BrokenExecutor`.
_LOSSES = frozenset(("KilledWorker", "EngineError", "WorkerCrashedError", "RayActorError", "ActorDiedError"))
#: After a loss workers may be started again for so many seconds.
_PATIENCE = 30.0
#: Dask is told to bring what is longer to a worker itself, not inside of its graph.
_LONG = 1 << 20

_ACCEPTED = (
    "on= takes an executor with the calls of concurrent.futures (Dask's, MPI's, ipyparallel's, executorlib's, ...), a "
    'Dask or ipyparallel client, or one of "mpi", "ray", "dask", "dask://host:port"'
)


class Futures:
    """Any executor of the kind that `concurrent.futures` defines."""

    #: Whether a lost worker is held against everything that was with it, so that an item is to be tried by itself.
    blames_bystanders = False
    #: Whether it starts workers in place of lost ones, but for those that die while they start.
    restarts = False
    #: Whether it may have more workers later than `count` tells now.
    grows = False

    def __init__(self, executor):
        self._found = _reference(executor)
        self.name = type(executor).__name__
        # Threads of this process need nothing pickled.
        self.here = _is_a(executor, "concurrent.futures.thread", "ThreadPoolExecutor") and not _is_a(
            executor, "concurrent.futures.interpreter", "InterpreterPoolExecutor"
        )

    @property
    def _executor(self):
        return self._found()

    @property
    def key(self):
        """What the user gave, by which it is known again. Whoever uses this engine keeps it."""
        return self._found()

    def count(self):
        """How many items run at once; 0 when it has no workers now, None where it does not tell."""
        for name in ("_max_workers", "num_workers", "max_workers"):
            count = getattr(self._executor, name, None)
            if isinstance(count, int) and count > 0:
                return count
        return None

    def submit(self, function, *arguments):
        """A future of the call."""
        return self._executor.submit(function, *arguments)

    def send(self, message):
        """A future of the answer to a message, both bytes."""
        return self.submit(eval, _RUN, {"message": message})

    def fetch(self, future):
        """The value of a future that has ended, or its exception raised."""
        return future.result()

    def cancel(self, future):
        """Whether what is behind the future will not be run."""
        try:
            return bool(future.cancel())
        except Exception:
            return False

    def is_loss(self, error):
        """Whether a worker was lost, so that the same message may do better on another."""
        from concurrent.futures import BrokenExecutor

        return isinstance(error, BrokenExecutor) or type(error).__name__ in _LOSSES

    def tries_again(self, error):
        """Whether an item is to be tried once more before this loss is held against it."""
        return False

    def patience(self):
        """For how many seconds it may have no workers after a loss."""
        return _PATIENCE

    def said(self, error):
        """A loss in words."""
        text = str(error)
        return f"{type(error).__name__}: {text}" if text else type(error).__name__

    def alive(self):
        """Whether it takes more work, after a loss."""
        try:
            self.submit(int)
        except Exception:
            return False
        return True

    def connected(self):
        """Whether futures that have not ended may still end, as far as can be seen at a look."""
        return True

    def explain(self, error):
        """Why nothing can be run, in words."""
        from concurrent.futures import CancelledError

        missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
        if missing is not None and missing.partition(".")[0] == __name__.partition(".")[0]:
            return f"its workers lack {missing}: install manyhands there, the same version, for the same Python"
        if isinstance(error, CancelledError):
            return "what it had been given was cancelled (has it been shut down?)"
        return f"{type(error).__name__}: {error}"


class Dask(Futures):
    """A client of `dask.distributed`."""

    blames_bystanders = True
    restarts = True
    grows = True

    def __init__(self, client):
        if client.asynchronous:
            raise TypeError("on= needs a Dask client that is not asynchronous: Client(..., asynchronous=False)")
        super().__init__(client)
        self.name = "Dask"
        if client.status in ("closing", "closed"):
            raise RuntimeError("on= got a Dask client that has been closed")
        gives_back = _gives_back.get(client)
        if gives_back is None:
            from ._dask_plugin import ask

            gives_back = _gives_back[client] = ask(client)
        self._gives_back = gives_back

    def count(self):
        """The threads of all workers."""
        return sum(self._executor.nthreads().values())

    def submit(self, function, *arguments):
        """A future of the call, under a name that nobody else's has."""
        return self._executor.submit(function, *arguments, key=f"manyhands-{os.urandom(8).hex()}", pure=False)

    def send(self, message):
        """As `Futures.send`; a long message goes to one of the workers first, as Dask likes it."""
        if len(message) > _LONG:
            message = self._executor.scatter(message, hash=False)
        return super().send(message)

    def cancel(self, future):
        """As `Futures.cancel`; Dask forgets what runs already, too, and does not say which."""
        try:
            future.cancel()
        except Exception:
            return False
        return True

    def tries_again(self, error):
        """Where Dask gives lost items back at once and would have tried them on other workers."""
        return self._gives_back and getattr(error, "allowed_failures", 0) > 0

    def patience(self):
        """What Dask's own setting says, if it does."""
        import dask
        from dask.utils import parse_timedelta

        patience = dask.config.get("distributed.scheduler.no-workers-timeout", None)
        return super().patience() if patience is None else parse_timedelta(patience)

    def said(self, error):
        """As `Futures.said`, but for what Dask says of other workers where it was only one."""
        worker = getattr(error, "last_worker", None)
        if worker is None or not self._gives_back:
            return super().said(error)
        return f"{worker.address} died, its log may tell why"

    def alive(self):
        """Whether the client is connected: Dask starts other workers for those that are lost."""
        return self._executor.status == "running"

    connected = alive


#: client of Dask -> whether its scheduler gives lost messages back at once
_gives_back: WeakKeyDictionary = WeakKeyDictionary()


class View(Futures):
    """A view of `ipyparallel`."""

    grows = True

    def __init__(self, view):
        executor = view.executor
        super().__init__(executor)
        self._view, self._kept = view, executor
        self.name = "ipyparallel"

    @property
    def key(self):
        """The view."""
        return self._view

    def count(self):
        """Its engines."""
        return len(self._view.targets or self._view.client.ids)

    def cancel(self, future):
        """What has been sent to an engine is not taken back."""
        return False

    def is_loss(self, error):
        """As `Futures.is_loss`; what was raised elsewhere comes as an error that has its name."""
        return getattr(error, "ename", None) == "EngineError" or super().is_loss(error)


class Ray(Futures):
    """The cluster that the program has joined by `ray.init()`."""

    here = False
    grows = True
    name = "Ray"

    def __init__(self, ray):
        self._ray = ray
        self._run = None

    @property
    def key(self):
        """Ray has one cluster for each process, which its module stands for."""
        return self._ray

    def count(self):
        """The cores that tasks of one core each may have."""
        return int(self._ray.cluster_resources().get("CPU", 0))

    def submit(self, function, *arguments):
        """A future of the call, which Ray does not try again by itself."""
        if self._run is None:
            self._run = self._ray.remote(max_retries=0)(_call)
        return self._run.remote(function, *arguments).future()

    def cancel(self, future):
        """What has been given to Ray is not taken back."""
        return False

    def alive(self):
        """Whether the program is still joined: Ray starts other workers for those that are lost."""
        return self._ray.is_initialized()

    connected = alive


def _call(function, *arguments):
    return function(*arguments)


class Executorlib(Futures):
    """An executor of `executorlib`."""

    def cancel(self, future):
        """Nothing is taken back: its scheduler's thread ends when it meets a future that was cancelled (1.11)."""
        return False


def of(on):
    """The engine behind what the user gave as `on=`."""
    if isinstance(on, str):
        return _named(on)
    kind = type(on)
    home = kind.__module__.partition(".")[0]
    if home == "distributed":
        client = getattr(on, "_client", on)  # what `client.get_executor()` gives has the client inside
        if hasattr(client, "nthreads"):
            return Dask(client)
    if home == "ipyparallel":
        if hasattr(on, "load_balanced_view"):
            on = on.load_balanced_view()
        view = getattr(on, "view", on)
        if hasattr(view, "scatter"):  # a direct view runs what it is given on each of its engines
            view = view.client.load_balanced_view(view.targets)
        if hasattr(view, "executor"):
            return View(view)
    if isinstance(on, type) or not callable(getattr(on, "submit", None)):
        raise TypeError(f"{_ACCEPTED}; not {on!r:.80}")
    return Executorlib(on) if home == "executorlib" else Futures(on)


def _reference(executor):
    """Weak where that can be: an executor that its owner has forgotten is to end, whatever is remembered of it here."""
    try:
        return ref(executor)
    except TypeError:
        return lambda: executor


def _is_a(executor, module, name):
    kind = getattr(sys.modules.get(module), name, None)
    return kind is not None and isinstance(executor, kind)


# ---------------------------------------------------------------------------------------------- by a short name

_lock = RLock()
_by_name: dict = {}  # name -> (engine, its executor) that were made for it, for as long as the program runs


def _named(name):
    with _lock:
        engine, _ = _by_name.get(name, (None, None))
        if engine is None or not engine.connected():
            if name == "mpi":
                engine, executor = _mpi()
            elif name == "ray":
                engine, executor = _ray()
            elif name == "dask" or name.startswith("dask://"):
                engine, executor = _dask(name)
            else:
                raise ValueError(f"{_ACCEPTED}; not {name!r}")
            _by_name[name] = engine, executor
        return engine


def _mpi():
    try:
        from mpi4py import MPI
        from mpi4py.futures import MPIPoolExecutor
    except ImportError as error:
        raise ImportError(f'on="mpi" needs mpi4py and an MPI: pip install "manyhands[mpi]" ({error})') from error
    if MPI.COMM_WORLD.Get_size() < 2:
        raise RuntimeError(
            'on="mpi" finds no other MPI process: start the program by "mpiexec -n N python -m mpi4py.futures '
            'program.py", with N one more than the workers'
        )
    executor = MPIPoolExecutor(main=False)  # workers import nothing of the program: it needs no guard
    return Futures(executor), executor


def _ray():
    try:
        import ray
    except ImportError as error:
        raise ImportError(f'on="ray" needs Ray: pip install ray ({error})') from error
    if not ray.is_initialized():
        raise RuntimeError('on="ray" finds no cluster that this program has joined: call ray.init() first')
    return Ray(ray), ray


def _dask(name):
    try:
        from distributed import Client, get_client
    except ImportError as error:
        raise ImportError(f'on={name!r} needs Dask: pip install "manyhands[dask]" ({error})') from error
    if name != "dask":
        client = Client("tcp://" + name.removeprefix("dask://"), set_as_default=False)
        return Dask(client), client
    try:
        client = get_client()
        return Dask(client), client
    except ValueError:
        raise ValueError(
            'on="dask" finds no client: make one first (client = dask.distributed.Client()), or name the scheduler, '
            'on="dask://host:port"'
        ) from None


# --------------------------------------------------------------------------------------- workers on these engines


class _Kept:
    """Workers on an engine, for one call. They stay with the engine: a function that is sent again is known there."""

    def __init__(self, workers, executor):
        self.workers = workers
        self._executor = executor

    def __enter__(self):
        return self.workers

    def __exit__(self, *_):
        self.release()

    def release(self):
        """This call is done with them."""
        self._executor = None


_kept: dict = {}  # (id of what the user gave, width) -> (weak reference to it, workers)


def make(on, count, initializer=None, initargs=(), tasks_per_worker=None):
    """Workers on the engine behind `on`; `count` is what the caller asks for, or None."""
    from ._elsewhere import Elsewhere

    if tasks_per_worker is not None:
        raise ValueError("on= and a number of tasks per worker exclude each other: the workers are the executor's own")
    engine = of(on)
    workers = Elsewhere(engine, *_width(engine, count), initializer, initargs)
    workers.kept = engine.key
    return workers


def kept(on, count):
    """The same, made once for each engine and width."""
    with _lock:
        engine = of(on)
        width = _width(engine, count)
        key = engine.key
        known = _kept.get((id(key), *width))
        if known is not None and known[0]() is key and known[1].engine.is_ours() and not known[1].engine.breakage():
            return _Kept(known[1], key)
        from ._elsewhere import Elsewhere

        workers, place = Elsewhere(engine, *width), (id(key), *width)
        try:
            _kept[place] = ref(key, lambda _: _kept.pop(place, None)), workers
        except TypeError:
            pass  # nothing refers to it weakly: new ones each time
        return _Kept(workers, key)


def _width(engine, asked):
    """(How many items are to run at once, whether no more than so many messages may be in the engine's hands.)

    Where the caller asks for fewer than the engine has, or may have, nothing else keeps it from running all that it has
    been given.
    """
    own = engine.count()
    if asked is None:
        return own or _cores(), False
    return asked, engine.grows or own is None or own > asked


def _cores():
    from ._native import cpu_count

    return cpu_count()


def _forget():
    """In a forked child: connections and threads of the parent's are not ours."""
    global _lock
    _lock = RLock()
    _by_name.clear()
    _kept.clear()


_exits.after_fork(_forget)
