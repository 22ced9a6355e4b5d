"""An item is shown in a message without running anything of the user's."""

import datetime
import os
import pickle

import pytest

from manyhands._glimpse import glimpse


class Bomb:
    def __reduce__(self):
        return os.abort, ()


class Thing:
    def __init__(self):
        self.parts = [1]


@pytest.mark.parametrize(
    "value, shown",
    [
        ([1, "two", {3.0: b"4"}], "[1, 'two', {3.0: b'4'}]"),
        (datetime.date(2020, 1, 2), "datetime.date(2020, 1, 2)"),
        ((Thing(), 5), "(<Thing>, 5)"),
        ([Bomb(), 5], "[<abort>, 5]"),
        ((Thing, print, 5), "(<Thing>, <print>, 5)"),
    ],
)
def test_what_is_shown(value, shown):
    assert repr(glimpse(pickle.dumps(value, 5), [])) == shown


def test_an_array_is_shown_as_it_is():
    numpy = pytest.importorskip("numpy")
    buffers = []
    data = pickle.dumps(numpy.arange(6).reshape(2, 3), 5, buffer_callback=buffers.append)
    assert glimpse(data, buffers).shape == (2, 3)
