"""What `mh info` says: the cores and limits that decide how many hands there are, and what is installed.

A report to read, and to paste whole under a question or a bug.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
from importlib import metadata

import manyhands as mh

from . import _native

#: What manyhands stands on, works beside, or is compared with.
LIBRARIES = (
    "manyhands",
    "numpy",
    "cloudpickle",
    "threadpoolctl",
    "tqdm",
    "llvmlite",
    "numba",
    "scipy",
    "pandas",
    "scikit-learn",
    "joblib",
    "dask",
    "mpi4py",
    "matplotlib",
    "ipykernel",
)


def version(distribution: str) -> str | None:
    """The installed version by its metadata, without importing the library; None where it is not installed."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def report() -> str:
    """The whole report, in lines of a name and what is known of it."""
    lines = [*_cores(), *_limits(), *_python(), *_libraries()]
    width = max(len(name) for name, _ in lines)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in lines)


def _cores() -> list[tuple[str, str]]:
    affinity, quota, batch, physical = _native.cores()
    granted = "none" if batch is None else f"{batch[0]}={batch[1]}"
    return [
        ("cores", f"{mh.cpu_count()} to use ({mh.cpu_count(logical=False)} physical)"),
        ("  affinity", f"{affinity} logical, {physical} physical"),
        ("  CPU quota", "none" if quota is None else f"{quota:g} cores"),
        ("  batch system", granted),
    ]


def _limits() -> list[tuple[str, str]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    processes, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    # One of the names is the folder's own descriptor, open while it is listed.
    used = len(os.listdir("/proc/self/fd")) - 1
    return [
        ("memory", f"{_native.memory_available() / 2**30:.1f} GiB available"),
        ("open files", f"{_limit(soft)} allowed, up to {_limit(hard)} on request; {used} open"),
        ("processes", f"{_limit(processes)} allowed"),
    ]


def _limit(value: int) -> str:
    return "unlimited" if value == resource.RLIM_INFINITY else f"{value:,}"


def _python() -> list[tuple[str, str]]:
    system = f"{platform.system()} {platform.release()}, {platform.machine()}"
    libc = " ".join(platform.libc_ver()).strip() or "unknown libc"
    return [
        ("Python", f"{platform.python_version()} ({platform.python_implementation()})"),
        ("  interpreter", sys.executable or "embedded"),
        ("platform", f"{system}, {libc}"),
    ]


def _libraries() -> list[tuple[str, str]]:
    return [(name, version(name) or "not installed") for name in LIBRARIES]
