"""What `Parallel(verbose=...)` says, and when: joblib's lines."""

from math import sqrt
from time import perf_counter


class Lines:
    """The lines of one call with `total` tasks (None where nobody knows)."""

    def __init__(self, total):
        self._total = total
        self._width = 3 if not total else len(str(total))
        self._start = perf_counter()
        self._shown = 0

    def after(self, done, verbose):
        """The line to print now that `done` tasks are done; None when there is none."""
        before, self._shown = self._shown, done
        if done == before or not _due(before, done, verbose) or done == self._total:
            return None
        elapsed = perf_counter() - self._start
        if self._total is None:
            padding = " " * (self._width + 2)
            return f"Done {done:{self._width}d} tasks{padding}| elapsed: {_shown(elapsed)}"
        left = elapsed / done * (self._total - done)
        return (
            f"Done {done:{self._width}d} out of {self._total:{self._width}d} | elapsed: {_shown(elapsed)} remaining: "
            f"{_shown(left)}"
        )

    def last(self, done):
        """The line at the end."""
        elapsed = perf_counter() - self._start
        return f"Done {done:{self._width}d} out of {done:{self._width}d} | elapsed: {_shown(elapsed)} finished"


def _due(before, done, verbose):
    """From 11 on always; below, at distances that grow with the number of tasks, the less the higher `verbose`."""
    if verbose > 10:
        return True
    scale = 0.5 * (11 - verbose) ** 2
    return int(sqrt(before / scale)) != int(sqrt(done / scale))


def _shown(seconds):
    return f"{seconds / 60:4.1f}min" if seconds > 60 else f" {seconds:5.1f}s"
