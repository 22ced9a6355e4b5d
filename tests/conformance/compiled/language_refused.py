"""What is not compiled: told with its line, or with its argument or function where it is that as a whole."""

import os

import numpy as np

import manyhands as mh
from features import f8, refuses

STATE = {"count": 0}
NUMBERS = [1, 2, 3]


@refuses(3)
def list_that_grows(n):
    out = []  # here
    for i in range(n):
        out.append(i)
    return out[0]


@refuses(3)
def dict_made(n):
    d = {n: 1}  # here
    return d[n]


@refuses(3)
def dict_of_the_module(n):
    return STATE["count"] + n  # here


@refuses(3)
def list_of_the_module(n):
    return NUMBERS[0] + n  # here


@refuses(3)
def text_put_together(n):
    s = "a" + str(n)  # here
    return len(s)


@refuses(3)
def try_and_except(n):
    try:  # here
        return 1 // n
    except ZeroDivisionError:
        return 0


@refuses(3)
def with_block(n):
    with open(os.devnull):  # here
        return n


@refuses(3)
def generator(n):
    yield n


@refuses(3)
def unknown_function(n):
    return os.getpid() + n  # here


@refuses(f8(1.0))
def unknown_function_of_numpy(a):
    return np.linalg.svd(a)  # here


@refuses(3)
def class_made(n):
    class Thing:  # here
        pass

    return n


@refuses(3)
def import_inside(n):
    import math  # here

    return math.sqrt(n)


@refuses(3)
def global_assigned(n):
    global COUNT  # here
    COUNT = n
    return n


@refuses(3)
def name_that_is_nowhere(n):
    return n + nowhere  # here  # noqa: F821


@refuses("text")
def text_as_argument(s):
    return len(s)


@refuses({"a": 1})
def dict_as_argument(d):
    return len(d)


@refuses([1, 2, 3])
def list_as_argument(values):
    return values[0]


@refuses(np.array(["a", "b"]))
def array_of_text(a):
    return len(a)


@refuses(np.array([1, None]))
def array_of_objects(a):
    return len(a)


@refuses(3)
def set_made(n):
    return len({1, 2, n})  # here


@refuses(3)
def listed(n):
    return sum([i * i for i in range(n)])  # here


@refuses(3)
def matrix_product_of_numbers(n):
    return n @ n  # here


@refuses(3)
def attribute_that_is_nowhere(n):
    return n.nowhere  # here


@refuses(np.zeros(3), np.array([0, 1]), np.array([1, 2]))
def read_of_what_is_accumulated(f, first, second):
    energy = 0.0
    for k in mh.prange(len(first)):
        i, j = first[k], second[k]
        f[i] += 1.0
        f[j] -= 1.0
        energy += f[i]  # here
    return energy


@refuses(f8(1.0), True)
def bool_of_both_counted(a, c):
    hit = True
    if c:
        hit = a[0] > 0
    return hit + hit  # here


@refuses(f8(1.0), True)
def bool_of_both_inverted(a, c):
    hit = True
    if c:
        hit = a[0] > 0
    return ~hit  # here


@refuses(3)
def text_kept(n):
    text = f"n={n}"  # here
    return len(text)


@refuses(1 + 2j)
def format_of_complex(z):
    print(f"{z:.2f}")  # here


@refuses(3)
def int_past_64_bits(n):
    return n & 0xFFFFFFFFFFFFFFFF  # here


@refuses(3)
def int_past_64_bits_kept(n):
    k = 0xFFFFFFFFFFFFFFFF
    if n:
        k = n  # here
    return k


@refuses(f8(1.0), 0)
def array_or_number(a, n):
    x = a  # here
    if n:
        x = 3.0
    return x
