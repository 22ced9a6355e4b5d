"""A function of several arguments: `starmap` takes them as tuples, `map` as one sequence for each argument."""

import manyhands as mh


def add(a, b, c):
    return a + b + c


triples = [(first, first + 1, first + 2) for first in range(0, 24, 3)]

with mh.Pool(4) as pool:
    sums = pool.starmap(add, triples)

assert sums == [add(*triple) for triple in triples]
assert sums == mh.map(add, *zip(*triples))
print(f"sums of three: {sums}")
