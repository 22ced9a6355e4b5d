"""Calls: helpers, defaults, keywords, closures, globals, recursion."""

import math
from math import sqrt

import numpy as np

import manyhands as mh
from features import does, f8

SCALE = 3
SHAPE = (4, 5)
TABLE = np.array([10.0, 20.0, 30.0])


def doubled(x):
    return 2 * x


def with_defaults(x, y=10, *, z=100):
    return x + y + z


def sign(x):
    if x < 0:
        return -1
    if x > 0:
        return 1
    return 0


def set_first(a, value):
    a[0] = value


def extremes(a):
    low = high = a[0]
    for x in a:
        low = min(low, x)
        high = max(high, x)
    return low, high


def made(n, value):
    out = np.empty(n)
    for i in range(n):
        out[i] = value
    return out


def factorial(n):
    return 1 if n < 2 else n * factorial(n - 1)


def even(n):
    return True if n == 0 else odd(n - 1)


def odd(n):
    return False if n == 0 else even(n - 1)


@does((3,), (2.5,))
def helper(x):
    return doubled(x) + doubled(1)


@does((1,))
def defaults_and_keywords(x):
    return with_defaults(x), with_defaults(x, 2), with_defaults(y=5, x=x), with_defaults(x, z=0)


@does((1,), (1, 2), (1, 2, 3))
def own_defaults(a, b=20, c=300):
    return a + b + c


@does((5,), (-5,), (0,), (2.5,))
def early_returns_of_a_helper(x):
    return sign(x) * 10


@does((f8(1.0, 2.0),))
def helper_that_writes(a):
    set_first(a, 5.0)
    return a[0]


@does((f8(3.0, 1.0, 2.0),), (f8(),))
def helper_that_gives_a_tuple(a):
    low, high = extremes(a)
    return high - low


@does((3,))
def helper_that_makes_an_array(n):
    a = made(n, 2.5)
    return a, len(made(2, 1.0))


@does((10,), (20,), (21,))
def recursion(n):
    return factorial(n)


@does((10,), (7,))
def recursion_of_two(n):
    return even(n)


@does((2,))
def globals_are_read(n):
    return n * SCALE + SHAPE[1] * len(SHAPE)


@does((1,), (5,))
def global_array_is_read(n):
    return TABLE[n]


@does((2.0,))
def names_of_modules(x):
    return math.sqrt(x) + sqrt(x) + np.sqrt(x) + math.pi


@does((4,))
def inner_function(n):
    def add(x, y):
        return x + y + n

    return add(1, 2) * add(3, 4)


@does((4,))
def inner_lambda(n):
    f = lambda x: x * n + 1
    return f(3)


def closing_over(number, table):
    def kernel(i):
        return table[i] * number

    return kernel


closure = does((1,), (2,), (9,))(closing_over(7, TABLE))

nameless = does((3,), (-1,))(lambda x: x * x if x > 0 else 0)


@does((3,))
def star_arguments(n):
    p = (n, 1)
    return with_defaults(*p)


@does((3,))
def function_as_argument(n):
    return applied(doubled, n)


def applied(f, x):
    return f(f(x))


@does((10,))
def helper_with_a_parallel_loop(n):
    a = np.zeros(n)
    filled_in_parallel(a)
    return a


def filled_in_parallel(a):
    for i in mh.prange(len(a)):
        a[i] = i * i


@does((3, 4))
def error_within_a_helper(n, m):
    return checked(n) + checked(-m)


def checked(n):
    if n < 0:
        raise ValueError(f"{n} is below zero")
    return n
