"""`numpy.memmap`s: in worker processes they are maps of the same file."""

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file"


def write(array, number):
    array[number] = number + 1
    return type(array) is np.memmap, array.mode


@pytest.mark.parametrize("mode", ["w+", "r+"])
def test_what_items_write_is_in_the_file(path, mode):
    np.zeros(12).tofile(path)
    array = np.memmap(path, float, mode, shape=(12,))
    assert mh.map(write, [array] * 12, range(12), workers=2) == [(True, "r+")] * 12
    assert array.tolist() == np.fromfile(path).tolist() == list(range(1, 13))


@pytest.mark.parametrize(
    "view",
    [
        lambda a: a[1::2],
        lambda a: a[::-1],
        lambda a: a[3:9].reshape(2, 3).T,
        lambda a: a[2:][:4][::-2],
        lambda a: a[5:5],
    ],
)
@pytest.mark.parametrize("offset", [0, 8, 4096 + 24])
def test_views(path, view, offset):
    np.arange(1000.0).tofile(path)
    array = view(np.memmap(path, float, "r+", offset, (12,)))

    def add(_):
        array[...] += 100
        return np.array(array)

    before = np.array(array)
    assert np.array_equal(mh.map(add, [0], workers=1)[0], before + 100)
    if array.size:
        assert np.array_equal(array, before + 100)


def test_a_map_in_the_functions_globals(python, path):
    program = f"""
        import manyhands as mh, numpy as np
        counts = np.memmap({str(path)!r}, np.int64, "w+", shape=(4,))
        def count(i):
            counts[i] += i
        for _ in range(2):
            mh.map(count, range(4))
        with mh.Pool(2) as pool:
            pool.map(count, range(4))
        print(counts.tolist())
    """
    assert python(program) == "[0, 3, 6, 9]\n"


def test_what_cannot_be_written_here_cannot_be_there(path):
    np.arange(4.0).tofile(path)
    read = np.memmap(path, float, "r")
    with pytest.raises(ValueError, match="read-only"):
        mh.map(write, [read], [0], workers=1)
    private = np.memmap(path, float, "c")
    private[0] = 5
    assert mh.map(float, [private[0:1].sum()]) == [5]
    assert mh.map(lambda _: float(private[0]), [0], workers=1) == [5]
    assert np.fromfile(path)[0] == 0


def test_a_map_whose_file_is_gone_is_memory(path):
    np.arange(4.0).tofile(path)
    array = np.memmap(path, float, "r+")
    path.unlink()
    assert mh.map(lambda _: array.tolist(), [0], workers=1) == [[0, 1, 2, 3]]
