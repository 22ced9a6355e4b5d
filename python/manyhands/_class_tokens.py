"""Which class is which in all processes: every class that goes by value has a token, the same wherever it arrives.

A class may reach a process by several ways (a map, the letter that starts it, a queue) and come back by another one. It
is made once in each process, and where it comes from it is the caller's own again.
"""

import os
from _weakref import ref
from itertools import count

_by_token: dict = {}  # token -> weak reference to the class
_by_address: dict = {}  # id(class) -> (weak reference, token, whether the class is this process's own)
_numbers = count(1)
_process = (None, "")  # (pid, what no other process's tokens begin with)


def process_name():
    """What tells this process from all others, those of other programs and those before it included."""
    global _process
    pid, name = _process
    if pid != os.getpid():
        _process = pid, name = os.getpid(), os.urandom(8).hex()
    return name


def unique():
    """A word that no process gives twice."""
    return f"{process_name()}.{next(_numbers)}"


def token_of(cls):
    """The token of a class; one that was not known before is this process's own."""
    known = _by_address.get(id(cls))
    if known is not None and known[0]() is cls:
        return known[1]
    return _note(unique(), cls, True)


def known(token):
    """The class of that token in this process, or None."""
    found = _by_token.get(token)
    return found and found()


def arrived(token):
    """The same, if it came from another process."""
    cls = known(token)
    return None if cls is None or is_own(cls) else cls


def is_own(cls):
    """Whether the class was made by this process's program, and not rebuilt from what another one sent."""
    found = _by_address.get(id(cls))
    return found is not None and found[2]


def enter(token, cls):
    """Note that `cls` is what arrived under that token, unless it was known."""
    if known(token) is None:
        _note(token, cls, False)


def forget(token):
    """The class that arrived under this token is not to be used."""
    cls = known(token)
    _by_token.pop(token, None)
    _by_address.pop(id(cls), None)


def _note(token, cls, own):
    address = id(cls)

    def dies(reference):
        if _by_token.get(token) is reference:
            del _by_token[token]
        _by_address.pop(address, None)

    reference = ref(cls, dies)
    # Of two threads that ask at once, both get the first one's.
    noted = _by_address.setdefault(address, (reference, token, own))
    _by_token.setdefault(noted[1], noted[0])
    return noted[1]
