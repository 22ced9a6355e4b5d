"""manyhands and its peers behind one face: `with open_system(name, workers) as map_: map_(function, items)`.

Only for benches that ask the same plain map of many systems. Each import stands in the function that needs it: what is
not measured is not loaded, so that no peer's import or thread weighs on another's time or memory.
"""

from __future__ import annotations

import contextlib
import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

Map = Callable[[Callable, list], list]
"""map_(function, items) -> results in order, on warm workers."""

OURS = "manyhands"
SERIAL = "serial loop"
THREADS = "threads"
POOL_FORK = "Pool (fork)"
POOL_SPAWN = "Pool (spawn)"
EXECUTOR = "ProcessPoolExecutor"
JOBLIB = "joblib"
RAY = "ray"


def open_system(name: str, workers: int) -> AbstractContextManager[Map]:
    """The system's pool of `workers`, shut down when the block is left."""
    return _SYSTEMS[name](workers)


def installed(name: str) -> bool:
    """Whether the peer can be measured here; all but ray are required."""
    return name != RAY or importlib.util.find_spec("ray") is not None


@contextlib.contextmanager
def _manyhands(workers: int) -> Iterator[Map]:
    import manyhands as mh

    with mh.Pool(workers) as pool:
        yield pool.map


@contextlib.contextmanager
def _serial(workers: int) -> Iterator[Map]:
    yield lambda function, items: [function(item) for item in items]


@contextlib.contextmanager
def _threads(workers: int) -> Iterator[Map]:
    from multiprocessing.pool import ThreadPool

    with ThreadPool(workers) as pool:
        yield pool.map


def _pool(method: str) -> Callable[[int], AbstractContextManager[Map]]:
    @contextlib.contextmanager
    def opened(workers: int) -> Iterator[Map]:
        with multiprocessing.get_context(method).Pool(workers) as pool:
            yield pool.map

    return opened


@contextlib.contextmanager
def _executor(workers: int) -> Iterator[Map]:
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(workers) as executor:
        yield lambda function, items: list(executor.map(function, items))


@contextlib.contextmanager
def _joblib(workers: int) -> Iterator[Map]:
    from joblib import Parallel, delayed

    with Parallel(n_jobs=workers) as parallel:
        yield lambda function, items: parallel(delayed(function)(item) for item in items)


@contextlib.contextmanager
def _ray(workers: int) -> Iterator[Map]:
    import ray

    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    remotes: dict[Callable, object] = {}

    def map_(function: Callable, items: list) -> list:
        remote = remotes.setdefault(function, ray.remote(function))
        # An object that stands in many places of the list is put once, as ray's own documentation advises.
        references = {id(item): ray.put(item) for item in {id(item): item for item in items}.values()}
        return ray.get([remote.remote(references[id(item)]) for item in items])

    try:
        yield map_
    finally:
        ray.shutdown()


_SYSTEMS = {
    OURS: _manyhands,
    SERIAL: _serial,
    THREADS: _threads,
    POOL_FORK: _pool("fork"),
    POOL_SPAWN: _pool("spawn"),
    EXECUTOR: _executor,
    JOBLIB: _joblib,
    RAY: _ray,
}
