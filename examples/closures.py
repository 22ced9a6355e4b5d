"""Functions that other process pools refuse: made by a factory, written as a lambda, bound to an object.

They are sent by value, so they need not be importable, and this script needs no `__main__` guard.
"""

import manyhands as mh


def adder(amount):
    """A function that remembers `amount`."""

    def add(number):
        return number + amount

    return add


class Line:
    """y = slope * x + intercept"""

    def __init__(self, slope, intercept):
        self.slope, self.intercept = slope, intercept

    def at(self, x):
        return self.slope * x + self.intercept


numbers = range(10)
assert mh.map(adder(2), numbers) == list(range(2, 12))
assert mh.map(lambda number: number**3, numbers) == [number**3 for number in numbers]
assert mh.map(Line(3, 1).at, numbers) == [3 * number + 1 for number in numbers]
print("a closure, a lambda and a bound method gave what the loop gives")
