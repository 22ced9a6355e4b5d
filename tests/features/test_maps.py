"""The public faces themselves: signatures as promised, examples in docstrings that hold, documentation everywhere."""

import doctest
import inspect

import pytest

import manyhands as mh

SIGNATURES = {
    "map": "function *iterables workers backend on progress timeout retries on_error seed chunksize",
    "starmap": "function iterable workers backend on progress timeout retries on_error seed chunksize",
    "imap": "function *iterables workers backend on progress timeout retries seed buffer chunksize",
    "imap_unordered": "function *iterables workers backend on progress timeout retries seed buffer chunksize",
}

DEFAULTS = {
    "workers": None,
    "backend": None,
    "on": None,
    "progress": False,
    "timeout": None,
    "retries": 0,
    "on_error": "raise",
    "seed": None,
    "buffer": None,
    "chunksize": None,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    parameters = inspect.signature(getattr(mh, name)).parameters
    shown = [f"*{p.name}" if p.kind is p.VAR_POSITIONAL else p.name for p in parameters.values()]
    assert shown == SIGNATURES[name].split()
    for parameter in parameters.values():
        if parameter.name in DEFAULTS:
            assert parameter.kind is parameter.KEYWORD_ONLY
            assert parameter.default == DEFAULTS[parameter.name]


@pytest.mark.parametrize("module", ["manyhands", "manyhands.maps", "manyhands.parallel", "manyhands.pool"])
def test_the_examples_in_docstrings_hold(module):
    examples = doctest.testmod(__import__(module, fromlist=["_"]))
    assert examples.attempted
    assert not examples.failed


@pytest.mark.parametrize("name", sorted(set(mh.__all__)))
def test_everything_public_is_documented(name):
    thing = getattr(mh, name)
    assert inspect.getdoc(thing)
    if inspect.isclass(thing) and thing.__module__.startswith("manyhands"):
        for attribute, member in vars(thing).items():
            if inspect.isfunction(member) and not attribute.startswith("_"):
                assert inspect.getdoc(member), f"{name}.{attribute}"
