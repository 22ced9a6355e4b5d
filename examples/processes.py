"""Producers, a queue and a consumer: processes as in multiprocessing, with no guard around them.

Each process says what it returns, which multiprocessing's cannot.
"""

import manyhands as mp


def produce(queue, first, last):
    for n in range(first, last):
        queue.put(n * n)
    queue.put(None)


def consume(queue, producers):
    total = 0
    while producers:
        item = queue.get()
        if item is None:
            producers -= 1
        else:
            total += item
    return total


queue = mp.Queue()
consumer = mp.Process(target=consume, args=(queue, 2))
producers = [mp.Process(target=produce, args=(queue, first, first + 50)) for first in (0, 50)]
for process in (consumer, *producers):
    process.start()

assert consumer.result() == sum(n * n for n in range(100))
for process in producers:
    process.join()
    assert process.exitcode == 0
print(f"the squares up to 99 add up to {consumer.result()}")
