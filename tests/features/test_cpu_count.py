"""`mh.cpu_count()`: the cores that this process may use."""

import os

import pytest

import manyhands as mh


def test_it_is_at_most_the_affinity():
    assert 1 <= mh.cpu_count() <= len(os.sched_getaffinity(0))
    assert 1 <= mh.cpu_count(logical=False) <= mh.cpu_count(logical=True)


def test_the_affinity_counts(python):
    printed = python(
        """
        import os, manyhands as mh
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        print(mh.cpu_count(), mh.cpu_count(logical=False), mh.Pool()._processes)
        """,
        options=["-W", "ignore"],
    )
    assert printed == "1 1 1\n"


@pytest.mark.parametrize("variable", ["SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"])
def test_a_batch_schedulers_share_counts(python, variable):
    assert python("import manyhands as mh; print(mh.cpu_count())", env={variable: "1"}) == "1\n"


def test_it_is_the_number_of_workers(python):
    printed = python(
        """
        import manyhands as mh, os
        pids = mh.map(lambda _: os.getpid(), range(200))
        print(1 <= len(set(pids)) <= mh.cpu_count())
        """
    )
    assert printed == "True\n"
