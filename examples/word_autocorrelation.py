"""How soon does a word return? The autocorrelation of the commonest words of a text, one word to an item.

The text is the big argument that all items share. Put into a `partial`, it is sent to each worker once, not with every
item. Give the name of a text file to use a book of your own.
"""

import re
import sys
from collections import Counter
from functools import partial

import manyhands as mh

LAGS = 100


def autocorrelation(word, text, lags):
    """For each lag, the share of the places of `word` in `text` that see it again that many words later."""
    here = [other == word for other in text]
    return [sum(map(int.__mul__, here, here[lag:])) / sum(here) for lag in range(lags)]


def rhyme():
    """A text with a rhythm that is known: each verse has ten words and begins with its own number."""
    numbers = ["one", "two", "three", "four", "five"]
    verse = "{} green bottles on the wall and one may fall"
    return "\n".join(verse.format(numbers[number % 5]) for number in range(300))


if len(sys.argv) > 1:
    with open(sys.argv[1], encoding="utf-8") as file:
        written = file.read()
else:
    written = rhyme()
text = re.findall(r"[^\W\d_]+", written.lower())
words = [word for word, _ in Counter(text).most_common(10)]

correlate = partial(autocorrelation, text=text, lags=LAGS)
curves = mh.map(correlate, words)

assert curves == [correlate(word) for word in words]
assert all(curve[0] == 1 for curve in curves), "at no distance, every word meets itself"
mean = [sum(values) / len(words) for values in zip(*curves)]
lag = max(range(1, LAGS), key=mean.__getitem__)
print(f"of {len(text):,} words, the ten commonest return most often after {lag}: {100 * mean[lag]:.1f}% of the times")
