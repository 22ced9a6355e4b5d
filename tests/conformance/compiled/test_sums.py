"""Sums within compiled loops: the values of plain Python, the same bits for any number of threads."""

import math

import pytest

import manyhands as mh

np = pytest.importorskip("numpy")
pytest.importorskip("llvmlite")

LENGTHS = [0, 1, 7, 8, 9, 31, 32, 33, 64, 100, 2047, 2048, 2049]


@pytest.fixture(autouse=True)
def threads_as_before():
    before = mh.get_num_threads()
    yield
    mh.set_num_threads(before)


def on_all_threads(call):
    """What `call` gives, the same bits for 1, 2, 3 and 8 threads."""
    found = []
    for threads in (1, 2, 3, 8):
        mh.set_num_threads(threads)
        found.append(np.asarray(call()).copy())
    assert all(one.tobytes() == found[0].tobytes() for one in found)
    return found[0]


def distances(X, Y, Z):
    for i in mh.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            s = 0.0
            for k in mh.prange(X.shape[1]):
                t = X[i, k] - Y[j, k]
                s += t * t
            Z[i, j] = s
    return Z


def logarithms(X, Y, Z):
    for i in mh.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            s, p = -1.0, 1.0
            for k in mh.prange(X.shape[1]):
                s -= math.log(X[i, k] / Y[j, k])
                p *= 1 + X[i, k] * 1e-4
            Z[i, j] = s * p
    return Z


def signed(X, Y, Z):
    for i in mh.prange(X.shape[0]):
        for j in range(Y.shape[0]):
            n, best, at = -3, -1.0, -1
            for k in mh.prange(X.shape[1]):
                n -= int(Y[j, k] * 1e15) - i
                if X[i, k] > best:
                    best = X[i, k]
                    at = k
            Z[i, j] = n + at
    return Z


@pytest.mark.parametrize("function", [distances, logarithms, signed])
@pytest.mark.parametrize("length", LENGTHS)
def test_short_loops_within_others(function, length):
    random = np.random.default_rng(length)
    X, Y = random.random((3, length)) + 0.1, random.random((4, length)) + 0.1
    compiled = mh.jit(function)
    found = on_all_threads(lambda: compiled(X, Y, np.empty((3, 4))))
    expected = function(X, Y, np.empty((3, 4)))
    if function is signed:
        assert np.array_equal(found, expected)
    else:
        assert np.allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize("length", [5, 40, 3000])
def test_the_first_failure_within_a_short_loop_is_told(length):
    X, Y = np.ones((3, length)), np.ones((4, length))
    X[1, length - 2] = -1.0
    X[2, 1] = 0.0
    with pytest.raises(ValueError) as theirs:
        logarithms(X, Y, np.empty((3, 4)))
    with pytest.raises(ValueError) as ours:
        mh.jit(logarithms)(X, Y, np.empty((3, 4)))
    assert str(ours.value).partition("\nin compiled")[0] == str(theirs.value)


@pytest.mark.parametrize("shape", [(5, 7), (5, 3000), (3, 0), (300, 2049)])
def test_whole_numbers_of_both_signs_in_nested_sums(shape):
    def total(a):
        s = 0
        for i in mh.prange(a.shape[0]):
            for j in mh.prange(a.shape[1]):
                s -= int(a[i, j])
        return s

    a = np.random.default_rng(1).integers(-(2**62), 2**62, shape) // (shape[0] * shape[1] + 1)
    assert on_all_threads(lambda: mh.jit(total)(a)) == -sum(map(int, a.ravel()))
