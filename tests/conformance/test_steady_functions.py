"""Functions by value that are called again and again, one call at a time: told once, and anew when anything of them has changed."""

import math
import threading
import types

import pytest

import manyhands as mh
from manyhands._steady import parts_of


@pytest.fixture(scope="module")
def pool():
    with mh.Pool(2) as pool:
        yield pool


def script(source, **names):
    """The namespace of a program's own: its functions go by value."""
    namespace = {"__name__": "a_program_of_ones_own", "__builtins__": __builtins__, "mh": mh, "math": math, **names}
    exec(source, namespace)
    return namespace


def several(pool, function, *arguments):
    """The one answer of several calls."""
    answers = {repr(pool.apply(function, arguments)) for _ in range(5)}
    assert len(answers) == 1
    return eval(answers.pop())


def told(pool, function):
    """Whether the workers know the function by a number."""
    steady = pool._workers._steady
    return steady is not None and id(function) in steady._told


def test_a_function_that_stays_is_told_once(pool):
    space = script("def f(x): return math.sqrt(g(x)) + K\ndef g(x): return x * x\nK = 1")
    assert several(pool, space["f"], 3) == 4.0
    number = pool._workers._steady._told[id(space["f"])].number
    assert several(pool, space["f"], 4) == 5.0
    assert pool._workers._steady._told[id(space["f"])].number == number


def test_a_global_that_changes_is_seen_at_once_and_back_again(pool):
    space = script("def f(x): return x + K")
    for value in (1, 2, 1, 2.5, 1):
        space["K"] = value
        assert several(pool, space["f"], 10) == 10 + value


def test_a_global_that_comes_later(pool):
    space = script("def f(x): return x + late")
    for _ in range(3):
        with pytest.raises(NameError):
            pool.apply(space["f"], (1,))
    space["late"] = 7
    assert several(pool, space["f"], 1) == 8


def test_a_global_that_a_map_has_sent_in_the_meantime(pool):
    space = script("def f(x): return x + K\ndef other(x): return x * K", K=1)
    assert several(pool, space["f"], 10) == 11
    space["K"] = 5
    assert pool.map(space["other"], range(4)) == [0, 5, 10, 15]
    space["K"] = 1
    assert several(pool, space["f"], 10) == 11


def test_a_function_that_another_calls_is_replaced(pool):
    space = script("def f(x): return g(x)\ndef g(x): return x + 1")
    assert several(pool, space["f"], 1) == 2
    exec("def g(x): return x - 1", space)
    assert several(pool, space["f"], 1) == 0
    space["f"].__code__ = space["g"].__code__
    assert several(pool, space["f"], 5) == 4


def test_closures_defaults_and_recursion(pool):
    def outer():
        n = 1

        def f(x, k=10):
            return x + n + k

        def change(to):
            nonlocal n
            n = to

        return f, change

    f, change = outer()
    assert several(pool, f, 1) == 12
    change(5)
    assert several(pool, f, 1) == 16
    f.__defaults__ = (100,)
    assert several(pool, f, 1) == 106
    space = script(
        "def even(n): return n == 0 or odd(n - 1)\ndef odd(n): return n != 0 and even(n - 1)\n"
        "def factorial(n): return 1 if n < 2 else n * factorial(n - 1)"
    )
    assert several(pool, space["even"], 10) is True and several(pool, space["odd"], 10) is False
    assert several(pool, space["factorial"], 10) == 3628800
    assert told(pool, space["even"]) and told(pool, space["factorial"])


def test_one_that_changes_with_each_call_is_not_told_for_ever(pool):
    space = script("def f(): return K")
    for value in range(200):
        space["K"] = value + 0.5
        assert pool.apply(space["f"]) == value + 0.5
    assert len(pool._workers._steady._replaced) < 100


def test_what_can_change_unseen_goes_with_each_call(pool):
    space = script("def f(): return sum(L)\ndef h(): return C.n\nclass C: n = 1", L=[1, 2])
    assert several(pool, space["f"]) == 3 and several(pool, space["h"]) == 1
    space["L"].append(10)
    space["C"].n = 2
    assert several(pool, space["f"]) == 13 and several(pool, space["h"]) == 2
    space["f"].note = ["an attribute"]
    assert several(pool, space["f"]) == 13
    assert not told(pool, space["f"]) and not told(pool, space["h"])


def test_what_a_function_is_made_of():
    for function in (lambda: [].append, lambda x=1: math.pi, lambda f=len: f):
        function.__globals__["math"]  # what goes by name counts as it is
        assert parts_of(function) is not None
    held = threading.Lock()
    module = types.ModuleType("made_by_hand")
    for function in (lambda: held, lambda x=[]: x, lambda: module, lambda: PARTS):
        assert parts_of(function) is None


PARTS = {"of": "a dict"}


def test_in_an_executor_and_under_many_threads():
    space = script("def f(x): return x * K", K=3)
    with mh.Executor(2) as executor:
        futures = []

        def submit():
            futures.extend([executor.submit(space["f"], n) for n in range(200)])

        threads = [threading.Thread(target=submit) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(future.result() for future in futures) == sorted([n * 3 for n in range(200)] * 4)
