"""The first parallel loop: squares, their sum, and the formula that says whether it is right.

`mh.map` gives what `[square(n) for n in range(33)]` gives, in the same order, whichever worker took which number.
"""

import manyhands as mh


def square(n):
    return n * n


squares = mh.map(square, range(33))

n = 32
assert squares == [square(k) for k in range(n + 1)]
assert sum(squares) == n * (n + 1) * (2 * n + 1) // 6
print(f"the squares up to {n} add up to {sum(squares)}")
