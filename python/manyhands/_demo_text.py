"""The work of `mh demo`: real texts, their word counts and the autocorrelation of their commonest words.

Plain Python on purpose: nothing here knows that it may run in parallel, and the serial and the parallel runs of the
demo call these same functions. They stand in a module of their own so that a worker imports no more than they need.

Two facts of language show in the results. Zipf: the word of rank r is about 1/r as frequent as the commonest one.
Burstiness: a word that was just used is likelier to be used again soon; the autocorrelation shows over what distance.
"""

from __future__ import annotations

import os
import re
import sysconfig
import tokenize
from collections import Counter
from collections.abc import Iterable
from operator import mul
from typing import NamedTuple

#: Distances, in words, over which the autocorrelation is taken: 0 to 99.
LAGS = 100

#: Words in a passage: about a tenth of a second of work, so that some hundred passages balance over many cores.
PASSAGE = 2_000

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class Text(NamedTuple):
    """A file, and how many characters of it are used (all, but in the last file that the demo has time for)."""

    path: str
    characters: int


class Passage(NamedTuple):
    """A run of words of one text. Pairs begin in the first `length` words and may end in those behind them, which
    are the next passage's: so the pairs of all passages together are exactly those of the uncut text."""

    words: list[str]
    length: int


class Gathered(NamedTuple):
    """What there is to work on."""

    texts: list[Text]
    #: Files that are of no use, each with the reason.
    left_out: list[tuple[str, str]]
    #: Files behind the last one that was read: the demo has no time for them.
    beyond: int


def standard_library() -> list[str]:
    """All Python sources of the running interpreter's standard library, in order of name; no installed packages."""
    return _files(sysconfig.get_path("stdlib"), ".py", skipped={"site-packages", "dist-packages", "__pycache__"})


def books(folder: str) -> list[str]:
    """All `.txt` files in `folder` and below, in order of name. An OSError where the folder cannot be listed."""
    os.scandir(folder).close()  # os.walk passes over a folder that it cannot list
    return _files(folder, ".txt", skipped=set())


def gather(paths: Iterable[str], most: int) -> Gathered:
    """Reads files in the order given until `most` characters are reached, and keeps their names and lengths.

    What cannot be read or decoded is left out here, before any time is taken. And since every file has just been read,
    neither the serial nor the parallel run pays for the disk.
    """
    texts: list[Text] = []
    left_out: list[tuple[str, str]] = []
    beyond = 0
    for path in paths:
        if most <= 0:
            beyond += 1
            continue
        try:
            characters = len(read(Text(path, most)))
        except (OSError, UnicodeDecodeError, SyntaxError) as error:
            left_out.append((path, _reason(error)))
        else:
            texts.append(Text(path, characters))
            most -= characters
    return Gathered(texts, left_out, beyond)


def read(text: Text) -> str:
    """The characters of a text. Python sources name their encoding themselves; any other text has to be UTF-8."""
    if text.path.endswith(".py"):
        with tokenize.open(text.path) as file:
            return file.read(text.characters)
    with open(text.path, encoding="utf-8-sig") as file:
        return file.read(text.characters)


def words_of(text: Text) -> list[str]:
    """The words of a text in lower case: runs of letters, of any script, with apostrophes inside."""
    return _WORD.findall(read(text).lower())


def count_words(text: Text) -> Counter[str]:
    """How often each word stands in one text."""
    return Counter(words_of(text))


def merged(counts: Iterable[Counter[str]]) -> Counter[str]:
    """The counts of many texts added up."""
    total: Counter[str] = Counter()
    for count in counts:
        total.update(count)
    return total


def commonest(count: Counter[str], number: int = 10) -> list[tuple[str, int]]:
    """The words of rank 1 to `number` with their counts; words of equal count in order of the alphabet."""
    return sorted(count.items(), key=lambda entry: (-entry[1], entry[0]))[:number]


def passages(texts: Iterable[Text], most: int) -> list[Passage]:
    """Cuts the biggest texts, biggest first, into passages until `most` words are used."""
    cut: list[Passage] = []
    for text in sorted(texts, key=lambda text: (-text.characters, text.path)):
        if most <= 0:
            break
        words = words_of(text)[:most]
        most -= len(words)
        for start in range(0, len(words), PASSAGE):
            length = min(PASSAGE, len(words) - start)
            cut.append(Passage(words[start : start + length + LAGS], length))
    return cut


def paired(passage: Passage, words: list[str]) -> list[list[int]]:
    """For each of `words`, how often it stands both at a place and `lag` words after it, for each lag below `LAGS`.

    Straight from the definition, the sum over all places of here(place) * here(place + lag); at lag 0 it is how often
    the word occurs. All are whole numbers, so sums over passages are exact in any order.
    """
    pairs = []
    for word in words:
        here = bytes(other == word for other in passage.words)
        begin = here[: passage.length]
        pairs.append([sum(map(mul, begin, here[lag:])) for lag in range(LAGS)])
    return pairs


def autocorrelation(pairs: Iterable[list[list[int]]]) -> list[list[float]]:
    """Of all passages' pairs: for each word and lag, the share of its places that see it again `lag` words later."""
    curves = []
    for of_word in zip(*pairs):
        totals = [sum(of_lag) for of_lag in zip(*of_word)]
        curves.append([total / totals[0] if totals[0] else 0.0 for total in totals])
    return curves


def _files(folder: str, ending: str, skipped: set[str]) -> list[str]:
    found: list[str] = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if name not in skipped]
        found.extend(os.path.join(parent, name) for name in names if name.endswith(ending))
    return sorted(found)


def _reason(error: OSError | UnicodeDecodeError | SyntaxError) -> str:
    """Why a file was left out, in a few words."""
    if isinstance(error, UnicodeDecodeError):
        return f"not {error.encoding}: byte 0x{error.object[error.start]:02x}"
    if isinstance(error, SyntaxError):  # from `tokenize.open`, which reads the line that names a source's encoding
        return "unknown encoding"
    return error.strerror or str(error)
