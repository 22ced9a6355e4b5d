"""Exceptions of compiled functions: Python's own class and text, with the place, from the first iteration that fails."""

import io
import math
import sys

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")


class Mine(Exception):
    pass


def notes(error):
    return "\n".join([str(error), *getattr(error, "__notes__", ())])


def both(function, *args):
    """What the plain and the compiled function raise: (class, text) of each, and the compiled one's error."""
    with pytest.raises(Exception) as theirs:
        function(*args)
    with pytest.raises(Exception) as ours:
        mh.jit(function)(*args)
    return theirs.value, ours.value


@pytest.mark.parametrize(
    "function, args",
    [
        (lambda x, i: x[i], (np.ones(10), 10)),
        (lambda x, i: x[i], (np.ones(10), -11)),
        (lambda x, i: x[0, i], (np.ones((2, 3)), 3)),
        (lambda x, y: x // y, (1, 0)),
        (lambda x, y: x % y, (1, 0)),
        (lambda x, y: x / y, (1, 0)),
        (lambda x, y: x / y, (1.0, 0.0)),
        (lambda x, y: x // y, (1.0, 0.0)),
        (lambda x, y: x % y, (1.0, 0.0)),
        (lambda x: math.sqrt(x), (-1.0,)),
        (lambda x: math.log(x), (0.0,)),
        (lambda x: math.exp(x), (1e4,)),
        (lambda x: int(x), (float("nan"),)),
        (lambda x: int(x), (float("inf"),)),
        (lambda x, n: x << n, (1, -1)),
        (lambda n: np.zeros(n), (-1,)),
    ],
    ids=lambda value: None,
)
def test_texts_are_pythons(function, args):
    theirs, ours = both(function, *args)
    assert type(ours) is type(theirs)
    assert str(ours).partition("\nin compiled")[0] == str(theirs)


def test_the_place_is_told():
    def helper(x, i):
        return x[i] + 1  # the place

    @mh.jit
    def f(x, i):
        return helper(x, i)  # the call

    with pytest.raises(IndexError) as raised:
        f(np.ones(3), 7)
    text = notes(raised.value)
    assert f'File "{__file__}", line {helper.__code__.co_firstlineno + 1}, in ' in text
    assert "# the place" in text
    assert "# the call" in text
    assert text.index("# the place") < text.index("# the call")


def test_exceptions_of_the_programs_own():
    @mh.jit
    def f(x):
        if x > 3:
            raise Mine(f"{x} is too much")
        if x < 0:
            raise ValueError("negative")
        assert x != 2, "two"
        return x

    assert f(1) == 1
    with pytest.raises(Mine, match=r"^5 is too much"):
        f(5)
    with pytest.raises(Mine, match=r"^5\.5 is too much"):
        f(5.5)
    with pytest.raises(ValueError, match="^negative"):
        f(-1)
    with pytest.raises(AssertionError, match="^two"):
        f(2)


def test_an_exception_holds_what_python_gives_it():
    def number(x):
        raise KeyError(x)

    def own(x):
        raise Mine(x * 2)

    def asserted(x):
        assert x > 100, x

    def formatted(x):
        raise ValueError(f"{x!r}, {x:.2f} {{}} {x}")

    def text(x):
        raise ValueError(f"{x}")

    def by_percent(x):
        raise ValueError("%s%% {} of %s" % (x, x))

    def by_format(x):
        raise ValueError("{:>5} {{}} {}".format(x + 1, x))  # noqa: UP032

    for function in (number, own, formatted, text, by_percent, by_format):
        for value in (3, 2.5, np.float64(1.5)):
            theirs, ours = both(function, value)
            assert type(ours) is type(theirs)
            if isinstance(theirs.args[0], str):
                assert str(ours.args[0]).partition("\nin compiled")[0] == theirs.args[0]
            else:
                assert ours.args == theirs.args and type(ours.args[0]) is type(theirs.args[0])
    with pytest.raises(AssertionError) as failed:
        mh.jit(asserted)(3)
    assert failed.value.args == (3,)


def test_the_first_failing_iteration():
    @mh.jit
    def f(x, index, out):
        for i in mh.prange(len(index)):
            out[i] = 1 // index[i] + x[index[i]]

    index = np.ones(100_000, int)
    index[77_777:] = 10**6
    index[80_000] = 0
    for threads in (1, 2, 5):
        mh.set_num_threads(threads)
        with pytest.raises(IndexError, match="index 1000000 is out of bounds for axis 0 with size 100000"):
            f(np.zeros(100_000), index, np.zeros(100_000))


@pytest.fixture(autouse=True)
def threads_as_before():
    before = mh.get_num_threads()
    yield
    mh.set_num_threads(before)


def test_compile_errors_are_shown_as_a_compilers():
    @mh.jit
    def f(x):
        return {x: 1}

    with pytest.raises(mh.CompileError) as raised:
        f(1)
    error = raised.value
    assert error.filename == __file__
    assert error.lineno == f.py_func.__code__.co_firstlineno + 2
    assert "return {x: 1}" in str(error)
    assert "^^^" in str(error)


def test_races_are_compile_errors():
    @mh.jit
    def f(x):
        for i in mh.prange(1, len(x)):
            x[i] = x[i - 1] + 1

    with pytest.raises(mh.RaceError) as raised:
        f(np.zeros(10))
    assert isinstance(raised.value, mh.CompileError)
    assert "x[i] = x[i - 1] + 1" in str(raised.value)
    assert mh.jit(parallel=False)(f.py_func)(np.zeros(10)) is None


def test_unknown_names():
    @mh.jit
    def f(x):
        return x + nowhere  # noqa: F821

    with pytest.raises(NameError, match="nowhere"):
        f(1)


def test_print_goes_to_stdout(monkeypatch):
    @mh.jit
    def f(n):
        for i in range(n):
            print("i", i, i / 2)

    out = io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    f(3)
    assert out.getvalue() == "i 0 0.0\ni 1 0.5\ni 2 1.0\n"


def test_a_stdout_that_fails(monkeypatch):
    class Broken:
        def write(self, text):
            raise OSError("no room")

    @mh.jit
    def f(n):
        print(n)

    monkeypatch.setattr(sys, "stdout", Broken())
    with pytest.raises(OSError, match="no room"):
        f(3)
