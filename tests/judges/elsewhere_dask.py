"""`on=` over Dask, for real: a local cluster with two worker processes.

    .judges/engines/bin/python tests/judges/elsewhere_dask.py

Runs `elsewhere_cases.py` with a client, with its executor, and by the scheduler's address; and what is Dask's own: lost
workers, which it replaces.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import dask
import elsewhere_cases as cases
from distributed import Client, LocalCluster

import manyhands as mh

bonus = 1


def with_bonus(x):
    return x + bonus


@contextmanager
def local_cluster(workers: int, threads: int = 1):
    """A Dask cluster of our own processes."""
    cluster = LocalCluster(n_workers=workers, threads_per_worker=threads, dashboard_address=None)
    try:
        yield cluster
    finally:
        try:
            cluster.close()
        except TimeoutError:
            # On a busy machine Dask gives up waiting for its workers' ends. What was to be judged has been.
            print("Dask's workers were not gone in time")


def main() -> int:
    global bonus
    # A worker that dies is what is tried here, and Dask says much about it.
    for name in ("scheduler", "nanny", "client", "worker", "core", "comm"):
        logging.getLogger(f"distributed.{name}").setLevel(logging.CRITICAL)
    # One death is enough to tell; by default Dask tries an item on four workers.
    dask.config.set({"distributed.scheduler.allowed-failures": 0})
    failed = 0
    with local_cluster(2) as cluster, Client(cluster) as client:
        failed += cases.judge("Dask", ("case",), client)
        # The program's own globals, as they are now.
        failed += mh.map(with_bonus, range(3), on=client) != [1, 2, 3]
        bonus = 2
        failed += mh.map(with_bonus, range(3), on=client) != [2, 3, 4]
        for on in (client.get_executor(), "dask", cluster.scheduler_address.replace("tcp://", "dask://")):
            failed += mh.map(abs, range(-100, 0), on=on) != list(range(100, 0, -1))
    # Dask replaces a worker that dies, but for one that does so while it starts: so there are some more here.
    with (
        local_cluster(6) as cluster,
        Client(cluster) as client,
        tempfile.TemporaryDirectory() as temporary,
    ):
        failed += cases.judge("Dask, workers that die", ("lost",), client, Path(temporary))
    # As Dask comes, a task is tried on four workers. A message of ours costs one: few die until the item is found.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 3}),
        local_cluster(2) as cluster,
        Client(cluster) as client,
        tempfile.TemporaryDirectory() as temporary,
    ):
        tries = Path(temporary) / "tries"

        def fatal(x):
            if x == 17:
                with open(tries, "a") as file:
                    file.write("x")
                os._exit(1)
            time.sleep(0.02)
            return x

        results = mh.map(fatal, range(60), on=client, on_error="return")
        deaths = len(tries.read_text())
        print(f"{deaths} workers died of one item: {results[17]}")
        failed += deaths > 8 or not isinstance(results.pop(17), mh.WorkerDied)
        failed += results != [x for x in range(60) if x != 17]
    # Several threads in one worker process: seeds hold there too.
    with local_cluster(1, threads=3) as cluster, Client(cluster) as client:
        cases.case_seeds_are_ours(client)
        results = mh.imap(abs, range(10**6), on=client)
        next(results)
    # The cluster is gone, with items under way: an error, and no hang.
    try:
        sum(results)
    except mh.PoolBroken as error:
        print(f"ok, closed: {error}")
    else:
        failed += 1
        print("FAILED: a closed cluster went on")
    for name in ("dask://127.0.0.1:1",):
        try:
            dask.config.set({"distributed.comm.timeouts.connect": "1s"})
            mh.map(abs, [1], on=name)
        except OSError as error:
            print(f"ok, nobody there: {error}")
    return failed


if __name__ == "__main__":  # Dask's own need: its workers import this file
    sys.exit(1 if main() else 0)
