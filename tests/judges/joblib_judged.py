"""Puts ours where joblib's own tests look for joblib's: imported before them, here and in the scripts that they run."""

import joblib
import joblib._parallel_backends
import joblib.parallel

import manyhands
from manyhands.joblib import ManyhandsBackend


class LokyBackend(ManyhandsBackend):
    """Ours, under the name that the tests know."""


def judge_the_backend():
    """From here on "loky", which is the default too, and the class `LokyBackend` are our backend."""
    joblib.parallel.BACKENDS["loky"] = LokyBackend
    joblib._parallel_backends.LokyBackend = LokyBackend


def judge_the_face():
    """From here on `joblib.Parallel` and `joblib.delayed` are ours."""
    joblib.Parallel = joblib.parallel.Parallel = manyhands.Parallel
    joblib.delayed = joblib.parallel.delayed = manyhands.delayed


def judge_joblib():
    """Nothing is ours, nor the name that importing the backend has brought."""
    del joblib.parallel.BACKENDS["manyhands"]
