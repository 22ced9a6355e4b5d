"""Statements: choices, loops, names, returns, errors that are raised."""

import numpy as np

import manyhands as mh
from features import INF, NAN, does, f8, grid, i8


@does((5,), (0,), (-5,))
def choices(n):
    if n > 3:
        return "large" == "large"
    elif n == 0:
        return False
    else:
        return n < -3


@does((10,), (0,), (1,))
def while_loop(n):
    count = 0
    while n > 0:
        n //= 2
        count += 1
    return count


@does((10,), (3,))
def while_with_break_and_continue(n):
    tot = 0
    while True:
        n -= 1
        if n < 0:
            break
        if n % 2:
            continue
        tot += n
    return tot


@does((5,), (0,), (-3,))
def ranges(n):
    a = b = c = d = 0
    for i in range(n):
        a += i
    for i in range(2, n):
        b += i
    for i in range(n, -n, -2):
        c = c * 3 + i
    for i in range(-n, n, 3):
        d = d * 3 + i
    return a, b, c, d


@does((1,), (0,), (-1,))
def step_from_an_argument(step):
    tot = 0
    for i in range(0, 10, step):
        tot += i
        if i < -20 or i > 20:
            break
    return tot


@does((10**7,), (10,), (0,))
def sum_of_a_range(n):
    x = 0
    for i in range(n):
        x += i
    return x


@does((5.0,), (5,))
def range_of_a_float(n):
    tot = 0
    for i in range(n):
        tot += i
    return tot


@does((4,), (0,))
def loop_variable_keeps_its_value(n):
    i = 99
    for i in range(n):
        pass
    return i


@does((4,), (0,))
def bound_is_evaluated_once(n):
    m = n
    count = 0
    for i in range(m):
        m += 1
        count += 1
    return count, m


@does((5,), (50,))
def else_of_loops(n):
    for i in range(10):
        if i == n:
            break
    else:
        return -1
    while n > 0:
        n -= 1
    else:
        n = 77
    return n


@does((5,), (0,))
def nested_breaks(n):
    tot = 0
    for i in range(n):
        for j in range(n):
            if j > i:
                break
            if (i + j) % 3 == 0:
                continue
            tot += 10 * i + j
    return tot


@does((f8(1.0, 2.0, 4.0),), (f8(),))
def over_an_array(a):
    tot = np.float64(0.5)
    for x in a:
        tot += x
    return tot


@does((grid(3, 2),))
def over_rows(a):
    tot = 0.0
    for row in a:
        tot = tot * 2 + row[0] - row[1]
    return tot


@does((f8(1.0, 2.0, 4.0), i8(3, 2, 1)), (f8(1.0, 2.0), i8(3, 2, 1)))
def zipped(a, b):
    tot = 0.0
    for x, y in zip(a, b):
        tot += x * y
    return tot


@does((f8(1.0, 2.0, 4.0),), (f8(),))
def enumerated(a):
    tot = np.float64(0.0)
    for i, x in enumerate(a):
        tot += i * x
    for i, x in enumerate(a, 5):
        tot += i * x
    return tot


@does((3,))
def over_a_tuple(n):
    tot = 0
    for x in (1, 2, n):
        tot = tot * 10 + x
    return tot


@does((1, 2))
def tuples(a, b):
    a, b = b, a
    p = (a, b, 3.5)
    x, y, z = p
    (q, r), s = (x, y), z
    return p[0] + q, p[2] * s, len(p), r


@does(((1, 2.5),), ((7, -1.0),))
def tuple_as_argument(p):
    n, x = p
    return n * x, p


@does((3,))
def several_names_at_once(n):
    a = b = n + 1
    a += 1
    return a, b


@does((3,))
def another_type_later(n):
    x = n
    y = x + 1
    x = x / 2
    return x, y


@does((3,), (-3,))
def number_that_becomes_a_float(n):
    x = 0.0
    if n > 0:
        x = 2.5
    return x


@does((5,), (0,))
def early_return_from_loops(n):
    for i in range(n):
        for j in range(n):
            if i * j == 6:
                return i, j
    return -1, -1


@does((3,))
def nothing_is_returned(n):
    n += 1


@does((5,), (-1,), (0,))
def own_errors(n):
    if n < 0:
        raise ValueError("n must not be negative")
    if n == 0:
        raise ZeroDivisionError
    return n


@does((5,), (-1,))
def message_with_a_value(n):
    if n < 0:
        raise ValueError(f"n is {n}, and must not be negative")
    return n


@does((5,), (-1,), (0,))
def assertions(n):
    assert n >= 0
    assert n > 0, "n is nought"
    return n


class OwnError(Exception):
    """An error of this module's."""


@does((5,), (-1,))
def error_of_the_users(n):
    if n < 0:
        raise OwnError("below zero")
    return n


@does((5,), (0,))
def name_that_may_be_missing(n):
    if n > 3:
        x = 1
    return x


@does((5,), (0,))
def loop_variable_that_may_be_missing(n):
    for i in range(n):
        pass
    return i


@does((5,))
def walrus(n):
    if (m := n * 2) > 5:
        return m
    return 0


@does((5,))
def annotated(n: int) -> float:
    x: float = n / 2
    y: int
    y = 3
    return x + y


@does((1,))
def docstring_and_pass(n):
    """Nothing is done here."""
    pass
    ...
    return n


@does((3, f8(3.0, 1.0, 2.0)), (0, f8()))
def prange_is_range_too(n, a):
    tot = 0
    for i in mh.prange(n):
        tot += i
    for i in mh.prange(1, n):
        a[i] = i
    for i in mh.prange(n - 1, -1, -1):
        a[i] += 1
    return tot


@does((7,), (0,), (2,))
def inner_sum_that_is_never_run(n):
    tot = 0
    for i in mh.prange(1, n):
        for j in range(-1):
            tot += 1
    return tot


@does((i8(4, 0, 7, 0),), (i8(4, 1, 7, 2),))
def first_error_of_a_parallel_loop(a):
    tot = 0
    for i in mh.prange(len(a)):
        tot += 100 // int(a[i])
    return tot


@does((f8(1.0, NAN, INF),), (f8(1.0, 2.0),))
def which_error_comes_first(a):
    out = np.zeros(len(a), dtype=np.int64)
    for i in mh.prange(len(a) + 1):
        out[i] = int(a[i])
    return out[0]


@does((5,), (6,))
def conditions_of_numbers(n):
    count = 0
    if n % 2:
        count += 1
    if not n - 5:
        count += 10
    while n:
        n -= 1
    return count


@does((None,), (3,))
def none_is_known(x):
    if x is None:
        return -1
    return x + 1
