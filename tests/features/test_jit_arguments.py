"""What compiled functions take and give: every type that they have, and clear words for all others."""

import fractions
from collections import namedtuple

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

KINDS = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64 complex64 complex128".split()


@mh.jit
def same(x):
    return x


@mh.jit
def total(x):
    found = 0.0
    for value in x:
        found += value
    return found


@pytest.mark.parametrize(
    "value",
    [True, False, 0, -1, 2**63 - 1, -(2**63), 0.0, -0.0, 1e300, float("inf"), 1 + 2j, None, (), (1, 2.0)],
    ids=repr,
)
def test_pythons_values(value):
    found = same(value)
    assert repr(found) == repr(value)
    assert type(found) is type(value)


@pytest.mark.parametrize("kind", KINDS)
def test_numpys_scalars(kind):
    value = getattr(np, "bool_" if kind == "bool" else kind)(1)
    assert same(value) == value
    assert type(same(value)) is type(value)


def test_nested_tuples():
    value = (1, (2.5, (np.float32(3), True)), None)
    assert same(value) == value
    assert [type(part) for part in same(value)[1][1]] == [np.float32, bool]


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_come_back_as_themselves(kind):
    for array in (
        np.ones(3, kind),
        np.ones((2, 3), kind),
        np.ones((2, 3), kind).T,
        np.ones((4, 6), kind)[::2, ::3],
        np.ones((4, 6), kind)[:, 1:3],
        np.ones(5, kind)[::-1],
        np.ones((), kind),
        np.ones((0, 3), kind),
        np.ones((1,) * 32, kind),
    ):
        assert same(array) is array


def test_new_arrays_own_their_memory():
    @mh.jit
    def made(n):
        found = np.zeros(n)
        found[0] = 1.0
        return found

    first = made(4)
    assert type(first) is np.ndarray
    assert first.dtype == np.float64
    assert first.tolist() == [1, 0, 0, 0]
    assert first.flags.writeable
    assert first.flags.c_contiguous
    first[1] = 5
    assert made(4).tolist() == [1, 0, 0, 0]
    assert made(0 + 1).tolist() == [1]


def test_views_refer_to_their_argument():
    @mh.jit
    def part(x):
        return x[1:3]

    array = np.arange(5.0)
    view = part(array)
    assert view.base is array
    view[0] = 7
    assert array[1] == 7
    array.flags.writeable = False
    assert not part(array).flags.writeable


def test_layouts_are_told_apart():
    @mh.jit
    def corner(x):
        return x[1, 0]

    array = np.arange(12).reshape(3, 4)
    for variant in (array, np.asfortranarray(array), array[:, ::2], array[:, 1:], array[::-1, ::-1]):
        assert corner(variant) == variant[1, 0]
    assert corner.signatures == [
        "(array(int64, 2d, C))",
        "(array(int64, 2d, F))",
        "(array(int64, 2d, any))",
        "(array(int64, 2d, inner))",
    ]


def test_memmap(tmp_path):
    array = np.memmap(tmp_path / "data", dtype=np.float64, mode="w+", shape=(4,))
    array[:] = 1
    assert total(array) == 4.0


def test_readonly_arrays_are_read():
    array = np.ones(4)
    array.flags.writeable = False
    assert total(array) == 4.0

    @mh.jit
    def writes(x):
        x[0] = 1.0

    with pytest.raises((ValueError, mh.CompileError), match="read-only"):
        writes(array)


Point = namedtuple("Point", "x y")


@pytest.mark.parametrize(
    "value, words",
    [
        ([1, 2], "x is of type list: make it np.array"),
        ({1: 2}, "x is of type dict"),
        ("text", "x is of type str"),
        (range(3), "start, stop and step"),
        (Point(1, 2), "tuple with names"),
        (fractions.Fraction(1, 2), "float"),
        (object(), "an instance of object"),
        (len, "functions cannot be arguments"),
        (np.array(["a"]), "array of <U1"),
        (np.array([None]), "array of object"),
        (np.ones(3, np.float16), "float16.*float32"),
        (np.float16(1), "float16"),
        (np.ones(3, "datetime64[s]"), "datetime64"),
        (np.ones(3, ">f8"), "order"),
        (np.ones(25, np.uint8)[1:].view(np.float64), "aligned"),
        (np.lib.stride_tricks.as_strided(np.ones(1), (8,), (0,)), "overlaps itself"),
        (np.lib.stride_tricks.as_strided(np.ones(8), (6, 3), (8, 8)), "overlaps itself"),
        (np.ma.ones(3), "MaskedArray"),
        ((1, (2, [3])), r"x\[1\]\[1\] is of type list"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_refused(value, words):
    with pytest.raises(TypeError, match=words) as refused:
        same(value)
    assert str(refused.value).startswith("same(): ")


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_matrices_are_refused():
    with pytest.raises(TypeError, match="matrix"):
        same(np.matrix([[1.0]]))


def test_integers_past_64_bits():
    for value in (2**63, -(2**63) - 1, 10**5000):
        with pytest.raises(OverflowError, match="64 bits"):
            same(value)
    same(1)
    with pytest.raises(OverflowError, match="64 bits"):
        same(2**63)


def test_subclasses_of_numbers_are_refused():
    class Count(int):
        def __add__(self, other):
            return 0

    with pytest.raises(TypeError, match="class of its own"):
        same(Count(3))
