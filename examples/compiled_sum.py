"""The sum of a range, compiled: no parallel loop, only no interpreter. And what becomes of numbers that grow too large.

Python's ints have no end; compiled ones have 64 bits. A sum that does not fit is an OverflowError, never a wrong sum.
"""

import manyhands as mh


@mh.jit
def sum_range(a):
    x = 0
    for i in range(a):
        x += i
    return x


assert sum_range(10**7) == sum(range(10**7))
assert sum_range(0) == 0

try:
    sum_range(10**10)
except OverflowError:
    pass
else:
    raise AssertionError("10**10 * (10**10 - 1) / 2 has no place in 64 bits")

try:
    sum_range(10.0**7)
except TypeError as error:
    assert "'float' object cannot be interpreted as an integer" in str(error)
else:
    raise AssertionError("a range of a float is an error, as in Python")
print(f"the sum of range(10**7) is {sum_range(10**7)}")
