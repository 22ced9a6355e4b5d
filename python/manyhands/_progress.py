"""`progress=True`: a tqdm bar that counts results, where a bar around the call would count submissions.

tqdm is imported here and nowhere else, and only when a bar is asked for (it takes longer than the rest of the package).
"""

import os
import sys
from _thread import RLock

from . import _output


class Progress:
    """One call's bar on `sys.stderr`, or in the notebook's cell. Whatever goes wrong with it, the call goes on.

    `total` is the number of items, None where nobody knows; `label` is True or the text to the left of the bar. Lines
    that workers print meanwhile appear above the bar. tqdm redraws it at most ten times a second.
    """

    def __init__(self, total: int | None, label: str | bool = True):
        self._failed = 0
        self._bar = None
        if sys.stderr is None or getattr(sys.stderr, "closed", False):
            return
        kind = _bar_class()
        if kind is None:
            return
        try:
            self._bar = kind(
                total=total,
                desc=None if label is True else str(label),
                **_width(),
                mininterval=0.1,
                # Look at the clock at each result. tqdm's own guess of how many to skip is meant for loops of one
                # pace: after many quick items it would sleep through the slow ones.
                miniters=1,
            )
        except Exception:
            return
        _shown.append(self)
        _output.divert(_above_the_bars)

    def update(self, count: int = 1, failed: int = 0) -> None:
        """Count `count` more results, `failed` of which are errors."""
        if self._bar is None:
            return
        try:
            if failed:
                self._failed += failed
                self._bar.set_postfix_str(f"{self._failed} failed", refresh=False)
            self._bar.update(count)
        except Exception:
            self.close()

    def close(self) -> None:
        """Draw the bar for the last time and leave it standing. A second call does nothing."""
        bar, self._bar = self._bar, None
        if bar is None:
            return
        try:
            bar.close()
        except Exception:
            pass
        _shown.remove(self)
        if not _shown:
            _output.divert(None)
            _release()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _width():
    """tqdm's options for the bar's width: the terminal's, also when that changes."""
    try:
        if os.get_terminal_size(sys.stderr.fileno()).columns == 0:
            # A terminal that does not know its size (as some containers give): tqdm would draw into no columns.
            return {"ncols": 80, "nrows": 24}
    except (AttributeError, OSError, ValueError):
        pass
    return {"dynamic_ncols": True}


def _bar_class():
    """tqdm's class for where we are, or None (with a warning) where tqdm is not installed."""
    global _kind
    if _kind is None:
        try:
            # In a notebook tqdm.auto finds out whether a widget can be shown; elsewhere it would only import asyncio.
            if "IPython" in sys.modules:
                from tqdm.auto import tqdm
            else:
                from tqdm.std import tqdm
        except ImportError:
            import warnings

            warnings.warn("progress= draws its bar with tqdm, which is not installed; going on without", stacklevel=4)
            return None

        class Bar(tqdm):
            # miniters=1 leaves nothing for tqdm's monitor thread to do, and nobody forks processes that draw this bar:
            # so no thread, and a lock of threads instead of one of processes (which would import multiprocessing).
            monitor_interval = 0
            _lock = RLock()

        _kind = Bar
    return _kind


_kind = None

# ------------------------------------------------------------------------------ lines that are printed meanwhile

#: The bars on show. The first one diverts what workers print to `_above_the_bars`, the last one gives it back.
_shown: list = []

#: Unfinished lines by stream: written beside a bar they would be overwritten by it.
_held = {1: b"", 2: b""}


def _above_the_bars(stream: int, data: bytes) -> None:
    with _kind.get_lock():  # type: ignore[attr-defined]
        data = _held[stream] + data
        end = data.rfind(b"\n") + 1
        _held[stream] = data[end:]
        if not end:
            return
        try:
            # Wipes all bars that share a terminal with this stream, and draws them again below the lines.
            with _kind.external_write_mode(sys.stdout if stream == 1 else sys.stderr, nolock=True):  # type: ignore[attr-defined]
                _output.write(stream, data[:end])
        except Exception:
            pass


def _release() -> None:
    """No bar is left: what waited for its newline gets out."""
    for stream in _held:
        data, _held[stream] = _held[stream], b""
        if data:
            _output.write(stream, data)
