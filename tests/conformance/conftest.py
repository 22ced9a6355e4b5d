"""The backends as fixtures: a test that takes `backend` runs on every one of them."""

import os

import pytest
from backends import Elsewhere, Kept, OwnPool, OwnThreads, Serial, Threaded

ALL = [Kept, OwnPool, Threaded, OwnThreads, Serial, Elsewhere]


@pytest.fixture(scope="module", params=ALL, ids=lambda kind: kind.name)
def backend(request):
    """Each face of the map in its turn. One pool for all tests of a file: what one does to it the next must not feel."""
    made = request.param()
    yield made
    made.end()


@pytest.fixture(scope="module", params=[Kept, OwnPool, Elsewhere], ids=lambda kind: kind.name)
def parallel(request):
    """Each face that runs its items in two worker processes."""
    made = request.param()
    yield made
    made.end()


def pytest_collection_modifyitems(items):
    """Leaves out what `@pytest.mark.ours(reason)` says cannot hold on somebody else's engine."""
    for item in items:
        params = getattr(item, "callspec", None) and item.callspec.params
        marker = item.get_closest_marker("ours")
        if marker is not None and params and Elsewhere in (params.get("backend"), params.get("parallel")):
            item.add_marker(pytest.mark.skip(reason=marker.args[0]))


@pytest.fixture(scope="module", params=[Kept, OwnPool, Serial, Elsewhere], ids=lambda kind: kind.name)
def apart(request):
    """Each face whose items have to themselves what threads of one process share."""
    made = request.param()
    yield made
    made.end()


@pytest.fixture(scope="module", params=[Threaded, OwnThreads], ids=lambda kind: kind.name)
def threaded(request):
    """Each face that runs its items in two threads of this process."""
    made = request.param()
    yield made
    made.end()


@pytest.fixture
def gate(tmp_path):
    """`gate()` makes a `Gate` of its own."""
    count = iter(range(100))
    return lambda: Gate(str(tmp_path / f"gate{next(count)}"))


class Gate:
    """A named pipe at which one process waits until another opens it: an event that any two processes can share."""

    def __init__(self, path):
        self._path = path
        os.mkfifo(path)

    def wait(self):
        """Wait for `open`."""
        with open(self._path, "rb") as pipe:
            pipe.read()

    def open(self):
        """Let the one who waits go on; waits for him to come first."""
        with open(self._path, "wb"):
            pass
