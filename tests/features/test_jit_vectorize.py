"""`vectorize` and `evaluate` beside NumPy: shapes, layouts, types, `out`; what a text may say."""

import itertools
import warnings

import numpy as np
import pytest

import manyhands as mh

pytest.importorskip("llvmlite")

base = np.random.default_rng(1).normal(size=(6, 7))


@mh.vectorize
def combined(a, b):
    return a * b + 1


@mh.vectorize(target="cpu")
def stepped(x, low=0.0):
    return 1 if x > low else 0


SHAPES = [
    base,
    base.T.copy().T,
    base[::2],
    base[:, ::-1],
    base[0],
    base[:, :1],
    base[None],
    np.float64(2.5),
    3,
    base[:0],
    base[::2, 1:3].T,
]


def test_shapes_and_layouts_broadcast_as_in_numpy():
    for number, pair in enumerate(itertools.combinations_with_replacement(SHAPES, 2)):
        # Each new pair of layouts compiles, which takes its time: one order for some, the other for the rest.
        one, other = pair[:: -1 if number % 2 else 1]
        try:
            expected = np.multiply(one, other) + 1
        except ValueError:
            with pytest.raises(ValueError, match="shape"):
                combined(one, other)
            continue
        found = combined(one, other)
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == expected.dtype and type(found) is type(expected)


KINDS = ["?", "i1", "u1", "i4", "u4", "i8", "u8", "f4", "f8", "c8", "c16"]


def test_types_are_numpys():
    values = np.arange(4)
    for number, (one, other) in enumerate(itertools.combinations_with_replacement(KINDS, 2)):
        # Each compiles, which takes its time: one order here, the other there, in turn.
        a, b = values.astype(one), values[::-1].astype(other)
        expected = a * b + 1
        found = mh.evaluate("b * a + 1") if number % 2 else combined(a, b)
        assert found.dtype == expected.dtype, (one, other)
        np.testing.assert_array_equal(found, expected)


def test_out_and_overlaps():
    a = base.copy()
    given = np.empty_like(a)
    assert combined(a, 2.0, out=given) is given and np.array_equal(given, a * 2 + 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing falls back to one thread
        assert np.array_equal(combined(a, 2.0, out=a), base * 2 + 1)
        line = np.arange(10.0)
        combined(line[:-1], 2.0, out=line[1:])
        np.testing.assert_array_equal(line, [0, *(np.arange(9.0) * 2 + 1)])
        square = base[:6, :6].copy()
        combined(square, 1.0, out=square.T)
        np.testing.assert_array_equal(square, (base[:6, :6] + 1).T)
    narrow = np.empty(base.shape, np.float32)
    assert np.array_equal(combined(base, 2.0, out=narrow), (base * 2 + 1).astype(np.float32))
    with pytest.raises(TypeError, match="casting"):
        combined(base, 2.0, out=np.empty(base.shape, np.int64))
    with pytest.raises(ValueError, match="shape"):
        combined(base, 2.0, out=np.empty(3))
    with pytest.raises(TypeError, match="array"):
        combined(base, 2.0, out=[0.0])
    spread = np.empty((2, 7))
    np.testing.assert_array_equal(combined(base[0], 1.0, out=spread), [base[0] + 1] * 2)


def test_arguments_of_a_vectorized_function():
    assert stepped(np.array([-1.0, 2.0])).tolist() == [0, 1] and stepped(np.array([-1.0, 2.0])).dtype == np.int64
    assert stepped(np.array([1.0, 2.0]), 1.5).tolist() == [0, 1]
    assert stepped(np.arange(3), dtype=np.float32).dtype == np.float32
    assert (stepped.nin, stepped.__name__, stepped.py_func(5.0)) == (2, "stepped", 1)
    for wrong in ((), (1, 2, 3)):
        with pytest.raises(TypeError, match="takes 1 to 2"):
            stepped(*wrong)
    with pytest.raises(TypeError, match="numbers"):
        combined(np.array(["x"]), 1)
    assert "out[i0" in str(combined.explain())


def test_the_same_bits_for_any_number_of_threads():
    a, b = np.random.default_rng(2).normal(size=(2, 20_000))
    before = mh.get_num_threads()
    try:
        found = []
        for count in (1, 2, 3, 8):
            mh.set_num_threads(count)
            found.append(mh.evaluate("sin(a) * exp(b) + a / b").tobytes())
    finally:
        mh.set_num_threads(before)
    assert len(set(found)) == 1


def test_expressions_are_numpys():
    a, b = np.random.default_rng(3).normal(size=(2, 50))
    n = np.arange(50)
    with np.errstate(all="ignore"):
        for text in (
            "a*a + 2*b - 1",
            "a / (b - b)",
            "-a ** 2 + n % 7 // 2",
            "(a > 0) & ~(b > 0) | (n == 3)",
            "n << 2 ^ n >> 1",
            "a * 1e-3j",
        ):
            expected = eval(text)
            found = mh.evaluate(text)
            assert found.dtype == expected.dtype, text
            np.testing.assert_allclose(found, expected, rtol=1e-15)
        np.testing.assert_allclose(
            mh.evaluate("where(a > b, sqrt(abs(a)), arctan2(a, b))"), np.where(a > b, np.sqrt(abs(a)), np.arctan2(a, b))
        )
    assert mh.evaluate("a + c", {"a": n}, {"c": 5}).tolist() == (n + 5).tolist()
    columns = {"columns": np.asfortranarray(base)}
    assert mh.evaluate("columns + 1", columns).flags.f_contiguous
    assert mh.evaluate("columns + 1", columns, order="C").flags.c_contiguous
    given = np.empty(50, np.float32)
    with pytest.raises(TypeError, match="casting"):
        mh.evaluate("a + b", out=given)
    assert mh.evaluate("a + b", out=given, casting="same_kind") is given
    with pytest.raises(NameError, match="nowhere"):
        mh.evaluate("a + nowhere")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "a.__class__",
        "a.T",
        "[x for x in a]",
        "(lambda: a)()",
        "a[0]",
        "a and b",
        "a < b < a",
        "'text' * a",
        "f'{a}'",
        "a := 1",
        "sin(*a)",
        "sin(x=a)",
        "sin(a, a)",
        "open('x')",
        "a if a else a",
        "1 + 1",
        "",
        "a +",
        "a; b",
        "-" * 200 + "a",
        "(" * 5000 + "a" + ")" * 5000,
    ],
)
def test_a_text_can_do_no_more_than_compute(text):
    a = b = base
    assert b is a
    with pytest.raises(ValueError, match="express|function|argument"):
        mh.evaluate(text)


def test_other_arrays_after_lists_of_one_length():
    # The usual call keeps its kernel at hand; what does not suit it takes the long way.
    a, b = np.arange(5.0), np.arange(5.0, 10.0)
    for _ in range(2):
        assert_same(mh.evaluate("a - b"), a - b)
    one, empty, whole = np.array([2.0]), np.zeros(0), np.arange(5)
    assert_same(mh.evaluate("a - b", {"a": a, "b": one}), a - one)
    assert_same(mh.evaluate("a - b", {"a": one, "b": a}), one - a)
    assert_same(mh.evaluate("a - b", {"a": empty, "b": empty}), empty)
    assert_same(mh.evaluate("a - b", {"a": empty, "b": one}), empty)
    assert_same(mh.evaluate("a - b", {"a": whole, "b": whole}), whole - whole)
    assert_same(mh.evaluate("a - b", {"a": a[::2], "b": b[:3]}), a[::2] - b[:3])
    assert_same(mh.evaluate("a - b", {"a": a.reshape(5, 1), "b": b}), a.reshape(5, 1) - b)
    assert_same(mh.evaluate("a > b"), a > b)
    with pytest.raises(ValueError, match="shape"):
        mh.evaluate("a - b", {"a": a, "b": b[:3]})


factor: float = 2


def test_a_global_of_another_type_gives_results_of_another():
    global factor

    @mh.vectorize
    def scaled(x):
        return x * factor

    line, grid, out = np.arange(4), np.arange(4).reshape(2, 2), np.zeros(4, int)
    try:
        for value in (2, 2.5, 2 + 1j, 3):
            factor = value
            for _ in range(2):
                assert_same(scaled(line), line * value)
                assert_same(scaled(grid), grid * value)
                assert_same(np.asarray(scaled(3)), np.asarray(3 * value))
                if isinstance(value, int):
                    assert_same(scaled(line, out=out), line * value)
    finally:
        factor = 2


def assert_same(found, expected):
    assert found.dtype == expected.dtype and np.array_equal(found, expected)


def test_a_number_of_pythons_takes_the_arrays_type():
    values = {"single": np.ones(3, "f4"), "bytes": np.ones(3, "i1"), "half": 0.5, "two": 2, "many": 300}
    for text in ("single * half", "bytes * two", "single * two + half * two", "bytes * half"):
        found, expected = mh.evaluate(text, values), eval(text, dict(values))
        assert found.dtype == expected.dtype and np.array_equal(found, expected), text
    assert combined(values["single"], 0.5).dtype == np.float32
    assert combined(values["single"], np.float64(0.5)).dtype == np.float64
    assert type(combined(2, 3)) is np.int64
    with pytest.raises(OverflowError, match="out of bounds for int8"):
        mh.evaluate("bytes + many", values)


def test_long_rows_of_terms():
    values = {"a": np.arange(3.0)}
    for text in ("+".join("a" * 301), "a" + "*a - a" * 120):
        assert np.array_equal(mh.evaluate(text, values), eval(text, dict(values)))


def test_arrays_of_other_classes_are_refused():
    masked = np.ma.array([1.0, 2.0], mask=[False, True])
    for call in (lambda: mh.evaluate("masked + 1", {"masked": masked}), lambda: combined(masked, 1)):
        with pytest.raises(TypeError, match="MaskedArray, whose meaning would be lost"):
            call()


def test_one_number_into_an_array_of_one():
    out = np.array(0.0)
    assert mh.evaluate("number + 1", {"number": np.array(1.5)}, out=out) is out and out == 2.5
    assert combined(2.0, 3.0, out=out) is out and out == 7


def test_arguments_by_name():
    assert np.array_equal(combined(base, b=2.0), base * 2 + 1)
    assert stepped(x=3.0, low=5.0) == 0
    with pytest.raises(TypeError, match="argument"):
        combined(base, c=1)


def test_numexprs_arguments():
    a = np.arange(3.0)
    assert np.array_equal(mh.evaluate("a / 2", truediv=True, optimization="aggressive", sanitize=False), a / 2)
    with pytest.raises(TypeError, match="'depth'"):
        mh.evaluate("a", depth=3)
    with pytest.raises(ValueError, match="casting must be one of"):
        mh.evaluate("a", casting="free")
