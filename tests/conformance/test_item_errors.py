"""What a failing item does to its map: the loop's own exception, with the worker's traceback and the item in it."""

import sys
import threading
import time

import pytest

import manyhands as mh


class Odd(Exception):
    """An exception of the program's own."""

    def __init__(self, number):
        super().__init__(f"{number} is odd")
        self.number = number


class TwoArguments(Exception):
    """Its `args` are not what its `__init__` takes: pickle cannot rebuild it."""

    def __init__(self, name, reason):
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


def refuse_odd(x):
    """Fails for odd numbers."""
    if x % 2:
        raise Odd(x)
    return x


def notes_of(error):
    return " ".join(getattr(error, "__notes__", ())) or str(error.__cause__)


def test_the_exception_is_the_functions_own(backend):
    with pytest.raises(Odd) as caught:
        backend.map(refuse_odd, [2, 4, 7, 8])
    assert type(caught.value) is Odd
    assert caught.value.number == 7
    assert caught.value.args == ("7 is odd",)


def test_the_note_names_index_and_item(backend):
    with pytest.raises(Odd) as caught:
        backend.map(refuse_odd, [2, 4, 7, 8])
    assert "item 2: 7" in notes_of(caught.value)


def test_a_big_item_is_shown_briefly(backend):
    with pytest.raises(TypeError) as caught:
        backend.map(abs, ["x" * 100_000])
    note = notes_of(caught.value)
    assert "item 0: 'xxx" in note
    assert len(caught.value.__notes__[-1]) < 200


def test_an_item_whose_repr_raises(backend):
    with pytest.raises(ZeroDivisionError) as caught:
        backend.map(lambda _: 1 / 0, [BadRepr()])
    assert "BadRepr" in notes_of(caught.value)


class BadRepr:
    def __repr__(self):
        raise RuntimeError("no words")


def test_the_workers_traceback_is_the_cause(parallel):
    def deep(x):
        return deeper(x)

    def deeper(x):
        return {}[x]

    with pytest.raises(KeyError) as caught:
        parallel.map(deep, ["here"])
    cause = caught.value.__cause__
    assert isinstance(cause, mh.RemoteTraceback)
    text = str(cause)
    assert "in deep" in text
    assert "in deeper" in text
    assert "return {}[x]" in text
    assert "KeyError: 'here'" in text
    assert "manyhands" not in text, "the user's frames only"


def test_causes_and_contexts_are_in_the_traceback(parallel):
    def chained(x):
        try:
            return 1 / x
        except ZeroDivisionError as error:
            raise LookupError("no such quotient") from error

    with pytest.raises(LookupError) as caught:
        parallel.map(chained, [0])
    assert "ZeroDivisionError: division by zero" in str(caught.value.__cause__)


def test_the_lowest_index_is_raised(parallel, gate):
    first_may_fail = gate()

    def fail(x):
        if x == 0:
            first_may_fail.wait()
        else:
            first_may_fail.open()
        raise Odd(x)

    with pytest.raises(Odd, match="0 is odd"):
        parallel.map(fail, [0, 1], on_error="raise")


def test_what_has_not_begun_is_dropped(parallel, tmp_path):
    begun = tmp_path / "begun"

    def fail_first(x):
        with open(begun, "ab") as file:
            file.write(b".")
        if x == 0:
            raise Odd(x)
        time.sleep(0.005)  # stands for work

    with pytest.raises(Odd):
        parallel.map(fail_first, range(5000), on_error="raise")
    assert begun.stat().st_size < 5000


def test_pool_map_runs_every_item_as_multiprocessing_does(tmp_path):
    begun = tmp_path / "begun"

    def fail_first(x):
        with open(begun, "ab") as file:
            file.write(b".")
        if x == 0:
            raise Odd(x)

    with mh.Pool(2) as pool, pytest.raises(Odd):
        pool.map(fail_first, range(100))
    assert begun.stat().st_size == 100


def test_returned_errors_stand_in_their_places(backend):
    results = backend.map(refuse_odd, range(6), on_error="return")
    assert results[::2] == [0, 2, 4]
    assert [type(error) for error in results[1::2]] == [Odd] * 3
    assert [error.number for error in results[1::2]] == [1, 3, 5]


def test_exceptions_as_values_are_no_failures(backend):
    results = backend.map(lambda x: Odd(x), [1, 2])
    assert [error.number for error in results] == [1, 2]


def test_imap_goes_on_after_an_error(backend):
    results = backend.imap(refuse_odd, range(5))
    seen = []
    while True:
        try:
            seen.append(next(results))
        except Odd as error:
            seen.append(error.number * 10)
        except StopIteration:
            break
    assert seen == [0, 10, 2, 30, 4]


def test_imap_unordered_goes_on_after_an_error(backend):
    results = backend.imap_unordered(refuse_odd, range(50))
    good, bad = 0, 0
    while good + bad < 50:
        try:
            next(results)
            good += 1
        except Odd:
            bad += 1
    assert (good, bad) == (25, 25)
    with pytest.raises(StopIteration):
        next(results)


# ------------------------------------------------------------------------------------------- errors that travel badly


def test_an_exception_whose_init_takes_two_arguments(backend):
    def refuse(name):
        raise TwoArguments(name, "no reason")

    with pytest.raises(TwoArguments) as caught:
        backend.map(refuse, ["me"])
    assert str(caught.value) == "me: no reason"
    assert (caught.value.name, caught.value.reason) == ("me", "no reason")


def test_an_exception_that_holds_what_cannot_be_pickled(parallel):
    def refuse(x):
        error = Odd(x)
        error.lock = threading.Lock()
        raise error

    with pytest.raises(Odd) as caught:
        parallel.map(refuse, [1])
    assert caught.value.number == 1
    assert "lock" in caught.value.lock


def test_an_exception_of_a_local_class(backend):
    class Local(ValueError):
        pass

    def refuse(x):
        raise Local(x)

    with pytest.raises(Local) as caught:
        backend.map(refuse, [1])
    assert type(caught.value) is Local


def test_an_exception_that_refuses_to_be_pickled(parallel):
    class Secret(Exception):
        def __reduce__(self):
            raise RuntimeError("not for others")

        __reduce_ex__ = None

    def refuse(x):
        raise Secret("hidden")

    with pytest.raises(Exception, match="hidden") as caught:
        parallel.map(refuse, [1])
    assert "Secret" in f"{type(caught.value).__name__} {caught.value}"
    assert parallel.map(abs, [-1]) == [1]


def test_an_exception_group(backend):
    if sys.version_info < (3, 11):
        pytest.skip("exception groups are new in Python 3.11")

    def refuse(x):
        raise ExceptionGroup("two", [ValueError(x), KeyError(x)])

    with pytest.raises(ExceptionGroup) as caught:
        backend.map(refuse, [1])
    assert [type(error) for error in caught.value.exceptions] == [ValueError, KeyError]


@pytest.mark.parametrize("code", [None, 0, 3, "words"])
def test_sys_exit_ends_the_item(parallel, code):
    results = parallel.map(lambda x: sys.exit(code) if x == 1 else x, range(4), on_error="return")
    assert [results[0], *results[2:]] == [0, 2, 3]
    assert isinstance(results[1], mh.TaskExited)
    assert results[1].code == code
    assert "sys.exit" in str(results[1])


def test_a_keyboard_interrupt_that_an_item_raises(parallel):
    def interrupt(x):
        if x == 1:
            raise KeyboardInterrupt
        return x

    results = parallel.map(interrupt, range(3), on_error="return")
    assert results[::2] == [0, 2]
    assert isinstance(results[1], mh.TaskExited)
    assert "KeyboardInterrupt" in str(results[1])
