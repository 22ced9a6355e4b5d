"""`mh.jit` and its kin as faces: how they are called, what they are, which options they take."""

import copy
import inspect
import pickle
import threading
import warnings

import pytest

import manyhands as mh
from manyhands import errors, loops

pytest.importorskip("llvmlite")


@mh.jit
def add(a, b=10, *, scale=1):
    """Adds, scaled."""
    return (a + b) * scale


@mh.jit
def total(n):
    found = 0
    for i in mh.prange(n):
        found += i * i
    return found


def test_forms():
    def plain(x):
        return x + 1

    for made in (mh.jit(plain), mh.jit()(plain), mh.njit(plain), mh.jit(parallel=False)(plain), mh.jit(mh.jit(plain))):
        assert made(1) == 2
        assert made.py_func is plain
    assert mh.jit(lambda x: x * 3)(2) == 6
    first, second = mh.jit(lambda x: x + 1), mh.jit(lambda x: x + 1.5)
    assert (first(1), second(1)) == (2, 2.5)


def test_arguments_are_bound_as_python_does():
    assert add(1) == add.py_func(1) == 11
    assert add(1, 2) == add(b=2, a=1) == 3
    assert add(1, 2, scale=3) == 9
    for args, kwargs in (((), {}), ((1, 2, 3), {}), ((1,), {"c": 2}), ((1,), {"a": 1})):
        with pytest.raises(TypeError) as ours:
            add(*args, **kwargs)
        with pytest.raises(TypeError) as theirs:
            add.py_func(*args, **kwargs)
        assert str(ours.value) == str(theirs.value)


def test_every_way_to_call_it_is_the_same():
    class Holder:
        method = total
        constant = staticmethod(total)

    assert total(5) == total(*[5]) == total(n=5) == total.__call__(5) == total.__call__(n=5) == 30
    assert Holder().constant(5) == next(map(total, [5])) == type(total).__call__(total, 5) == 30
    with pytest.raises(TypeError, match="n is an instance of Holder"):
        Holder().method()
    with pytest.raises(TypeError, match="cannot create 'manyhands._native.Jitted' instances"):
        type(total)()


def test_a_call_within_a_call(monkeypatch):
    class Out:
        def __init__(self):
            self.texts, self.values = [], []

        def write(self, text):
            self.texts.append(text)
            if len(self.texts) < 3:
                self.values.append(shown(len(self.texts)))

    @mh.jit
    def shown(x):
        print(x)
        return x + 1

    out = Out()
    monkeypatch.setattr("sys.stdout", out)
    assert shown(0) == 1
    assert (out.texts, out.values) == (["0\n", "1\n", "2\n"], [3, 2])


def test_a_function_called_from_many_threads_with_many_types():
    @mh.jit
    def twice(x):
        return x + x

    values = [3, 3.5, 2j, True]
    found = []

    def calls(shift):
        for number in range(400):
            value = values[(number // 3 + shift) % 4]
            found.append(twice(value) == value + value)

    threads = [threading.Thread(target=calls, args=(shift,)) for shift in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 1600
    assert len(twice.signatures) == 4


def test_it_looks_like_the_function():
    assert add.__name__ == "add"
    assert add.__doc__ == "Adds, scaled."
    assert add.__module__ == __name__
    assert add.__wrapped__ is add.py_func
    assert add.__qualname__ == "add"
    assert inspect.signature(add) == inspect.signature(add.py_func)
    assert "add" in repr(add)


def test_signatures_and_texts():
    made = mh.jit(lambda x: x + 1)
    assert made.signatures == []
    made(1)
    made(1.0)
    made(2)
    assert made.signatures == ["(int)", "(float)"]
    with pytest.raises(AttributeError, match="compiled function .*<lambda> has no attribute 'assembly'"):
        made.assembly  # noqa: B018
    with pytest.raises(TypeError, match="not compiled yet"):
        mh.jit(lambda x: x).llvm()
    assert made.llvm() == made.inspect_llvm("(int)") and made.llvm("(float)") == made.inspect_llvm("(float)")
    assert made.asm() == made.inspect_asm("(int)") and "ret" in made.asm("(float)")
    assert "mh_entry" in made.inspect_llvm("(int)")
    assert set(made.inspect_llvm()) == set(made.inspect_asm()) == {"(int)", "(float)"}
    assert "ret" in made.inspect_asm("(float)")
    with pytest.raises(TypeError, match="signatures"):
        made.inspect_llvm("(complex)")


def test_prange_is_range_when_not_compiled():
    assert list(mh.prange(3)) == [0, 1, 2]
    assert list(mh.prange(5, 1, -2, unchecked=True)) == [5, 3]
    assert total.py_func(10) == total(10) == 285


def test_options_of_numba():
    def plain(x):
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mh.jit(nopython=True, nogil=True, cache=True, error_model="python", fastmath=False, boundscheck=None)(plain)
        mh.jit(target="cpu", no_rewrites=True, forceobj=False, locals={}, parallel={"reduction": False})(plain)
        assert mh.jit(signature_or_function="i8(i8)")(plain)(1) == 1
    meant = {"fastmath": True, "boundscheck": False, "error_model": "numpy", "locals": {"x": None}, "forceobj": True}
    for option, value in meant.items():
        loops._said.clear()
        with pytest.warns(errors.CompileWarning, match=option) as told:
            mh.jit(**{option: value})(plain)
        assert told[0].filename == __file__
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            mh.njit(**{option: value})(plain)
    with pytest.raises(TypeError, match="fastmaths"):
        mh.jit(fastmaths=True)
    with pytest.raises(TypeError, match="parallel"):
        mh.jit(parallel=2)


@pytest.mark.filterwarnings("ignore::manyhands.CompileWarning")
def test_signatures_of_numba_are_taken():
    @mh.jit("int64(int64)")
    def one(x):
        return x

    @mh.njit(["float64(float64)"])
    def two(x):
        return x

    assert one(2.5) == two(2.5) == 2.5


def test_what_is_no_plain_function():
    def gives():
        yield 1

    async def waits():
        return 1

    class Thing:
        pass

    for wrong, word in (
        (gives, "generator"),
        (waits, "coroutine"),
        (Thing, "class"),
        (len, "builtin"),
        (3, "int"),
        (staticmethod(gives), "@staticmethod"),
    ):
        with pytest.raises(TypeError, match=word):
            mh.jit(wrong)


def test_methods():
    class Thing:
        @staticmethod
        @mh.jit
        def double(x):
            return 2 * x

        @mh.jit
        def method(self, x):
            return x

    assert Thing.double(4) == Thing().double(4) == 8
    assert inspect.ismethod(Thing().method)
    with pytest.raises(TypeError, match="self is an instance of Thing"):
        Thing().method(1)


def test_copies_and_pickles():
    assert copy.copy(add) is add
    assert copy.deepcopy(add) is add
    assert pickle.loads(pickle.dumps(add)) is add


def test_threads_compile_once():
    made = mh.jit(lambda x: x + 1)
    found = []
    together = threading.Barrier(8)

    def call():
        together.wait()
        found.append(made(1))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [2] * 8
    assert made.signatures == ["(int)"]


def test_number_of_threads():
    before = mh.get_num_threads()
    try:
        for number in (1, 2, 7):
            mh.set_num_threads(number)
            assert mh.get_num_threads() == number
            assert total(1000) == 332833500
        for wrong in (0, -1, 10**6):
            with pytest.raises(ValueError):
                mh.set_num_threads(wrong)
    finally:
        mh.set_num_threads(before)


def test_maps_use_threads():
    def where(x):
        return x

    made = mh.jit(where)
    assert mh.map(made, range(100)) == list(range(100))
    assert mh.map(total, range(50)) == [total.py_func(n) for n in range(50)]
    assert list(mh.imap(total, range(50))) == [total.py_func(n) for n in range(50)]


def test_worker_processes(python):
    script = """
        import manyhands as mh

        FACTOR = 3

        def helper(x):
            return x * FACTOR

        @mh.jit
        def scaled(x):
            return helper(x) + 1

        assert mh.map(scaled, range(5), backend="processes") == [1, 4, 7, 10, 13]
        assert mh.map(lambda x: scaled(x), range(5)) == [1, 4, 7, 10, 13]
        print("fine")
    """
    assert python(script) == "fine\n"
