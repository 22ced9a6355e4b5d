"""Puts ours where joblib's own tests look for joblib's: imported before them, here and in the scripts that they run."""

import joblib._parallel_backends
import joblib.parallel

import manyhands.joblib
from manyhands.joblib import ManyhandsBackend

#: The names under which the tests ask for worker processes. "loky" is the default, too.
NAMES = ("loky", "manyhands")


def judge_the_backend():
    """From here on "loky", the default backend and the class `LokyBackend` are ours."""
    joblib.parallel.BACKENDS["loky"] = ManyhandsBackend
    joblib._parallel_backends.LokyBackend = ManyhandsBackend


def judge_the_face():
    """From here on `joblib.Parallel` and `joblib.delayed` are ours."""
    import manyhands

    joblib.Parallel = joblib.parallel.Parallel = manyhands.Parallel
    joblib.delayed = joblib.parallel.delayed = manyhands.delayed
