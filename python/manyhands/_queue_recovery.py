"""After a worker was lost: when what it had may be tried again.

An engine that starts another in its place gives that one up for good if it dies while it starts. So what may have
killed a worker is not sent while another starts, which would get it at once.
"""

from time import monotonic

#: In seconds: how long lost workers are waited for, and how long where that was in vain before; how often it is looked;
#: how long they are to have been there.
_LONGEST, _SHORT, _GLANCE, _SETTLED = 10.0, 1.0, 0.1, 0.5


class Recovery:
    """Whether an engine has its workers again. `other` is what `_engines.of` gives."""

    def __init__(self, other):
        self._other = other
        self._longest = _LONGEST
        self._wanted = 0
        self._until = self._whole_since = None
        self._next = 0.0

    def begin(self):
        """A worker was lost."""
        if not self._other.restarts:
            return
        now = monotonic()
        if self._until is None:
            self._wanted = self._count() + 1
        self._until, self._whole_since, self._next = now + self._longest, None, now

    def under_way(self):
        """Whether what was lost has to wait."""
        return self._until is not None

    def is_due(self):
        """Whether it is time for a look."""
        return self._until is not None and monotonic() >= self._next

    def look(self):
        """See how many workers there are."""
        if self._until is None:
            return  # another thread has looked
        now = monotonic()
        self._next = now + _GLANCE
        if self._count() < self._wanted:
            self._whole_since = None
        elif self._whole_since is None:
            self._whole_since = now
        if self._whole_since is not None and now - self._whole_since >= _SETTLED:
            self._until, self._longest = None, _LONGEST
        elif now >= self._until:
            self._until, self._longest = None, _SHORT

    def _count(self):
        try:
            return self._other.count() or 0
        except Exception:
            return 0  # its connection is lost: whoever waits finds out
