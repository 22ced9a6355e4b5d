"""Which way pays? A plain loop, threads, processes, compiled: each is tried, and the answers are compared."""

import time

import manyhands as mh


def letters(word):
    """Computes in Python: an interpreter of its own helps."""
    return sum(ord(letter) for letter in word * 500)


def answer_of(server):
    """Waits: threads do."""
    time.sleep(0.01)
    return server


for function, items in (letters, ["parallel", "python"] * 40), (answer_of, range(40)):
    found = mh.compare(function, items, budget="500ms", workers=2)
    print(found, end="\n\n")
    assert found.best in ("serial", "threads", "processes")

# mh.trace("report.html") would write a page to look at, mh.trace("run.json") a file for Perfetto.
with mh.trace() as trace:
    mh.map(letters, ["parallel", "python"] * 40, workers=2)
print(trace, end="\n\n")

print(held := mh.memory(bytearray, 50_000_000), end="\n\n")
count = sum(task["count"] for task in trace.tasks)
print(f"{count} items on {len(trace.usage)} workers; {held.extra / 1e6:.0f} MB were held")
