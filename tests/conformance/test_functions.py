"""Whatever can be called can be mapped, on every backend."""

import functools
import math
import operator
import os

import pytest

import manyhands as mh


def named(x):
    """A function that a worker finds by its name."""
    return x + 1


class Scale:
    """Has a method of every kind, and is called itself."""

    offset = 100

    def __init__(self, factor):
        self.factor = factor

    def method(self, x):
        return self.factor * x

    def __call__(self, x):
        return self.factor * x + 1

    def __eq__(self, other):
        return type(other) is Scale and other.factor == self.factor

    __hash__ = None

    @classmethod
    def of_class(cls, x):
        return cls.offset + x

    @staticmethod
    def static(x):
        return -x


def closure(step):
    def add(x):
        return x + step

    return add


def nested_twice():
    def outer(x):
        def inner(y):
            return x * y

        return inner(x + 1)

    return outer


def recursive():
    def factorial(n):
        return 1 if n == 0 else n * factorial(n - 1)

    return factorial


def mutually_recursive():
    def even(n):
        return n == 0 or odd(n - 1)

    def odd(n):
        return n != 0 and even(n - 1)

    return even


def decorated():
    def doubling(function):
        @functools.wraps(function)
        def wrapper(*args):
            return 2 * function(*args)

        return wrapper

    @doubling
    def half(x):
        return x / 2

    return half


def of_local_class():
    class Local:
        def __init__(self, x):
            self.x = x

        def grown(self, y):
            return self.x + y

    return Local(10).grown


def with_defaults():
    def add(x, y=5, *, z=7):
        return x + y + z

    return add


def cached():
    @functools.lru_cache(maxsize=100)
    def cube(x):
        return x**3

    return cube


def dispatched():
    @functools.singledispatch
    def kind(x):
        return "something"

    @kind.register
    def of_int(x: int):
        return "odd" if x % 2 else kind("even")

    return kind


FUNCTIONS = {
    "named": named,
    "lambda": lambda x: x * x,
    "lambda in a default": (lambda x, f=lambda y: y + 1: f(x)),
    "closure": closure(3),
    "nested": nested_twice(),
    "recursive": recursive(),
    "mutually recursive": mutually_recursive(),
    "decorated": decorated(),
    "defaults": with_defaults(),
    "lru_cache": cached(),
    "singledispatch": dispatched(),
    "bound method": Scale(4).method,
    "bound method of a local class": of_local_class(),
    "class method": Scale.of_class,
    "static method": Scale.static,
    "callable instance": Scale(5),
    "class": Scale,
    "partial of a named function": functools.partial(pow, 2),
    "partial of a lambda": functools.partial(lambda a, b, c: a + b * c, 1, c=3),
    "partial of a partial": functools.partial(functools.partial(lambda a, b, c: (a, b, c), 1), 2),
    "builtin": abs,
    "type": str,
    "C function": math.sqrt,
    "method of a builtin type": int.bit_length,
    "bound method of a builtin": [5, 6, 7, 8, 9, 10].__getitem__,
    "operator": operator.neg,
    "exec": eval("lambda x: x + 1000"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_kind_of_function(backend, name):
    function = FUNCTIONS[name]
    assert backend.map(function, range(6)) == [function(x) for x in range(6)]


def test_generator_functions_are_run_where_they_are_consumed(backend):
    def countdown(n):
        while n:
            yield n
            n -= 1

    assert backend.map(lambda n: list(countdown(n)), range(4)) == [[], [1], [2, 1], [3, 2, 1]]


def test_coroutines(backend):
    def run(x):
        import asyncio

        async def double(y):
            await asyncio.sleep(0)
            return 2 * y

        return asyncio.run(double(x))

    assert backend.map(run, range(3)) == [0, 2, 4]


def test_functions_go_and_come_as_items(backend):
    added = backend.map(lambda f: lambda x: f(x) + 1, [abs, lambda x: x * 10])
    assert [f(-3) for f in added] == [4, -29]


def test_two_closures_over_one_variable_share_it(backend):
    def counter():
        count = 0

        def up():
            nonlocal count
            count += 1

        return up, lambda: count

    def twice(x):
        up, count = counter()
        up()
        up()
        return count() + x

    assert backend.map(twice, range(3)) == [2, 3, 4]


def test_items_run_in_workers(parallel):
    pids = parallel.map(lambda _: os.getpid(), range(20))
    assert os.getpid() not in pids
    assert len(set(pids)) <= 2


def test_serial_items_run_here():
    assert set(mh.map(lambda _: os.getpid(), range(3), backend="serial")) == {os.getpid()}


@pytest.mark.parametrize("not_callable", [None, 3, "abs"])
def test_what_cannot_be_called(backend, not_callable):
    with pytest.raises(TypeError, match="not callable"):
        backend.map(not_callable, [1, 2])
