"""`mh demo`: real work, serial and on all cores, with the answers compared and the gain said in words.

Two works of `_demo_text`, sized by the amount of text and by nothing else, so that the same input means the same work
on every machine: about a minute on two cores, and not much more on one or on many, since each number of workers that
is tried doubles the one before. The serial time is that of a plain loop over the same function and the same items; the
parallel time includes the start of the workers and the travel of items and results.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from time import perf_counter
from typing import Any, NamedTuple

import manyhands as mh

from . import _demo_text as text, _scaling_picture
from .scaling import Scaling
from .timing import Timing


class Size(NamedTuple):
    """How much of the text each work takes, at most."""

    #: Characters whose words are counted.
    characters: int
    #: Words of the biggest texts whose autocorrelation is taken.
    words: int


FULL = Size(characters=40_000_000, words=420_000)
QUICK = Size(characters=2_000_000, words=16_000)


class DemoError(Exception):
    """What keeps the demo from running, in words for whoever started it."""


class Run(NamedTuple):
    """One work done serially and with several numbers of workers."""

    work: str
    answer: list[Any]
    serial: float
    parallel: dict[int, float]

    @property
    def workers(self) -> int:
        """The largest number of workers that was tried."""
        return max(self.parallel)

    def speed_up(self, workers: int) -> float:
        return self.serial / self.parallel[workers]

    def scaling(self) -> Scaling:
        """What `mh.scale` would make of these times; each was measured once."""
        return Scaling(
            self.work, {number: Timing([time]) for number, time in self.parallel.items()}, Timing([self.serial])
        )


def run(books: str | None, workers: int | None, output: str, quick: bool) -> None:
    """Runs the whole demo and prints it.

    `books` is a folder of texts (None: the standard library's sources), `workers` the most that are tried (None: all
    cores), `output` the folder for the picture. `DemoError` where the input is of no use or an answer differs.
    """
    cores = mh.cpu_count()
    workers = workers or cores
    size = QUICK if quick else FULL
    texts = _texts(books, size)

    counting = _measure("word count", text.count_words, texts, workers)
    total = text.merged(counting.answer)
    if not total:
        raise DemoError("there are no words in these texts")
    top = text.commonest(total)
    _print_zipf(top, total.total())

    words = [word for word, _ in top]
    passages = text.passages(texts, size.words)
    count = _number(len(passages), "passage")
    _say(f"\nHow the ten commonest words return, over {text.LAGS} words: {count} of the biggest texts")
    pairing = _measure("autocorrelation", partial(text.paired, words=words), passages, workers)

    runs = [counting, pairing]
    runs.append(_together(runs))
    _print_table(runs)
    _say("\n" + verdict(runs[-1], cores))
    _picture(output, runs, texts, words)


def verdict(both: Run, cores: int) -> str:
    """What the workers gained, in a sentence."""
    workers, serial, parallel = both.workers, both.serial, both.parallel[both.workers]
    hands = _number(workers, "worker")
    if serial < parallel * 1.05:
        said = f"With {hands} the work took {_seconds(parallel)} instead of {_seconds(serial)}: nothing was gained"
        if min(workers, cores) == 1:
            said += ", as there is one core to work on."
        elif serial < 1:
            said += ", as there is too little work for what starting workers costs."
        else:
            said += ". So much work does pay on cores of its own: others seem to keep these busy."
    else:
        said = (
            f"With {hands} the work that takes {_seconds(serial)} in a plain loop was done in {_seconds(parallel)}: "
            f"{serial / parallel:.1f} times as fast, {_percent(serial / parallel / workers)} of the best possible."
        )
    if workers > cores:
        said += f" (This process may use {_number(cores, 'core')}: more workers than cores add nothing.)"
    return said + " Every answer is the serial one."


def worker_counts(most: int) -> list[int]:
    """1, 2, 4, … and `most` itself: enough for a curve, and in all not three times the serial work."""
    return sorted({1 << power for power in range(most.bit_length())} | {most})


def _texts(books: str | None, size: Size) -> list[text.Text]:
    """The texts to work on, announced; files that are of no use are named."""
    if books is None:
        paths = text.standard_library()
        if not paths:
            raise DemoError(
                "this Python has no sources of its standard library on disk. "
                "Give a folder of .txt files: mh demo --books DIR"
            )
        source = f"the standard library of Python {sys.version.split()[0]}"
    else:
        paths = _books(books)
        source = books
    found = text.gather(paths, size.characters)
    characters = sum(used.characters for used in found.texts)
    if not characters:
        reasons = "".join(f"; {path}: {why}" for path, why in found.left_out[:3]) or "; all are empty"
        raise DemoError(f"there is nothing to read in {source}{reasons}")

    part = _number(len(found.texts), "file")
    if found.beyond:
        part += f" (the first of {len(paths):,})"
    amount = f"{characters / 1e6:.1f} million" if characters >= 1e5 else f"{characters:,}"
    _say(f"Counting the words of {part}, {amount} characters: {source}")
    if found.left_out:
        named = ", ".join(f"{os.path.basename(path)} ({why})" for path, why in found.left_out[:3])
        more = f" and {len(found.left_out) - 3} more" if len(found.left_out) > 3 else ""
        _say(f"  left out: {named}{more}")
    return found.texts


def _books(folder: str) -> list[str]:
    try:
        paths = text.books(folder)
    except FileNotFoundError:
        raise DemoError(f"there is no folder {folder}") from None
    except NotADirectoryError:
        raise DemoError(f"{folder} is a file: --books takes the folder that holds the .txt files") from None
    except OSError as error:
        raise DemoError(f"the folder {folder} cannot be read: {error.strerror}") from None
    if not paths:
        raise DemoError(f"there is no .txt file in {folder}")
    return paths


def _measure(work: str, function: Callable[[Any], Any], items: Sequence[Any], workers: int) -> Run:
    """Does the work in a plain loop, then with each number of workers, and compares every answer with the loop's."""
    begun = perf_counter()
    answer = [function(item) for item in items]
    serial = perf_counter() - begun
    _say(f"  {'a plain loop':<14}{serial:8.2f} s")

    parallel = {}
    for number in worker_counts(workers):
        label = _number(number, "worker")
        begun = perf_counter()
        result = mh.map(function, items, workers=number, progress=f"  {work}, {label}")
        parallel[number] = perf_counter() - begun
        if result != answer:
            item = next(index for index, pair in enumerate(zip(answer, result)) if pair[0] != pair[1])
            raise DemoError(
                f"{work} with {label} differs from the plain loop at item {item}. "
                "This must not happen: please report it with the output of `mh info`"
            )
        _say(f"  {label:<14}{parallel[number]:8.2f} s   same answer")
    return Run(work, answer, serial, parallel)


def _together(runs: Sequence[Run]) -> Run:
    parallel = {workers: sum(run.parallel[workers] for run in runs) for workers in runs[0].parallel}
    return Run("both", [], sum(run.serial for run in runs), parallel)


def _print_zipf(top: Sequence[tuple[str, int]], words: int) -> None:
    """The table of ranks; the last column is what the commonest word's count and Zipf's law predict."""
    _say(f"\nThe ten commonest of {words:,} words\n")
    _say(f"  {'rank':>4}  {'word':<14}{'count':>10}{'share':>8}{'Zipf says':>12}")
    for rank, (word, count) in enumerate(top, start=1):
        _say(f"  {rank:>4}  {word:<14}{count:>10,}{100 * count / words:>7.2f}%{top[0][1] / rank:>12,.0f}")


def _print_table(runs: Sequence[Run]) -> None:
    workers = runs[0].workers
    hands = _number(workers, "worker")
    _say(f"\n  {'work':<18}{'serial s':>10}{'parallel s':>12}{'speed-up':>10}{'efficiency':>12}   ({hands})")
    for run in runs:
        found = run.scaling()
        _say(
            f"  {run.work:<18}{run.serial:>10.2f}{run.parallel[workers]:>12.2f}{found.speedup[workers]:>10.2f}"
            f"{_percent(found.efficiency[workers]):>12}"
        )
    together = runs[-1].scaling()
    if workers > 1:
        _say("\n" + _scaling_picture.plot(together))
    if len(together.laws) > 1:
        # Fewer numbers of workers than that, each measured once, tell nothing about a law.
        _say(f"\n{together.fit!r}")


def _picture(output: str, runs: Sequence[Run], texts: Sequence[text.Text], words: Sequence[str]) -> None:
    """Draws what was found into the folder `output`. The demo has done its work by now, so no picture is no failure."""
    from . import _demo_picture

    counting, pairing = runs[0], runs[1]
    biggest = sorted(zip(texts, counting.answer), key=lambda pair: (-pair[1].total(), pair[0].path))[:10]
    findings = _demo_picture.Findings(
        speed_ups={run.work: {number: run.speed_up(number) for number in run.parallel} for run in runs},
        counts={_name(used.path): sorted(count.values(), reverse=True) for used, count in biggest if count},
        returns=dict(zip(words, text.autocorrelation(pairing.answer))),
    )
    path = os.path.join(output, "demo.png")
    try:
        os.makedirs(output, exist_ok=True)
        _demo_picture.draw(findings, path)
    except ImportError:
        _say("No picture: matplotlib is not installed here (`pip install matplotlib`, then once more).")
    except OSError as error:
        _say(f"No picture: {path} cannot be written ({error.strerror or error}). Another folder: mh demo --output DIR")
    else:
        _say(f"The picture of it: {path}")


def _name(path: str) -> str:
    """A text's name in the picture: its file's, with the folder's where that alone says nothing."""
    folder, name = os.path.split(os.path.splitext(path)[0])
    return os.path.basename(folder) if name == "__init__" else name


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _seconds(seconds: float) -> str:
    return f"{seconds:.1f} seconds" if seconds >= 1 else f"{seconds * 1e3:.0f} milliseconds"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _say(line: str) -> None:
    """Prints at once: what follows may take seconds, and progress bars write to another stream."""
    print(line, flush=True)
