"""More and more work with the same workers: from where on does it pay off?

A map has a price: a message there and one back. The table shows how small the work may be before the price is more
than the gain. The workers are warm, as in any program that maps more than once.
"""

from time import perf_counter

import manyhands as mh


def add_up(count):
    """The sum of 0 … count-1, added up one by one."""
    total = 0
    for number in range(count):
        total += number
    return total


with mh.Pool() as pool:
    pool.map(add_up, [1] * 8)

    print(f"{'additions':>12}{'serial s':>12}{'parallel s':>12}{'speed-up':>10}")
    for exponent in range(2, 7):
        items = [10**exponent] * 8

        begun = perf_counter()
        answer = [add_up(item) for item in items]
        serial = perf_counter() - begun

        begun = perf_counter()
        assert pool.map(add_up, items) == answer
        parallel = perf_counter() - begun

        print(f"{sum(items):>12,}{serial:>12.5f}{parallel:>12.5f}{serial / parallel:>10.2f}")

assert answer == [sum(range(item)) for item in items]
print("every answer is the serial one")
