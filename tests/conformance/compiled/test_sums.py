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


def counted(masks, start):
    out = np.full((masks.shape[0], 5), start)
    total = start
    for n in range(masks.shape[0]):
        mask = masks[n]
        for t in range(out.shape[1]):
            for i in range(1, len(mask) - t):
                out[n, t] += mask[i] * mask[i + t]
        for i in range(len(mask)):
            total -= mask[i]
    return out, total


def weighed(a, start):
    total = start
    for i in range(len(a) - 1, -1, -1):
        if a[i] > 1:
            total += a[i] * 2.0
        total -= a[i] > 3
    return total


def projected(a, b):
    for i in range(a.shape[0]):
        for j in range(a.shape[1]):
            a[i, 0] += b[i, j] * 0.1
            b[j, 1] *= 0.5
    return a


STARTS = [0.0, -0.0, 3.0, -7.0, 0.5, 2.0**52, 2.0**53, -(2.0**53), 1e300, math.inf, -math.inf, math.nan]


def same(found, expected):
    """Equal, zeros of the same sign."""
    found, expected = np.asarray(found), np.asarray(expected)
    signs = [np.signbit(one)[~np.isnan(one)] for one in (found, expected)]
    alike = found.dtype == expected.dtype and np.array_equal(*signs)
    return alike and np.array_equal(found, expected, equal_nan=True)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("length", [0, 1, 4, 31, 33, 64, 1000])
def test_sums_of_truth_values_in_floats(start, length):
    masks = np.random.default_rng(length).random((3, length)) < 0.4
    found, expected = mh.jit(counted)(masks, start), counted(masks, start)
    assert same(found[0], expected[0])
    assert same(np.float64(found[1]), np.float64(expected[1]))


@pytest.mark.parametrize("dtype", ["i1", "u1", "i2", "u4"])
@pytest.mark.parametrize("start", STARTS)
def test_sums_of_small_ints_in_floats(start, dtype):
    a = np.random.default_rng(1).integers(0, 100, 77).astype(dtype)
    assert same(np.float64(mh.jit(weighed)(a, start)), np.float64(weighed(a, start)))
    with np.errstate(over="ignore"):
        begun = np.float32(start)
    with np.errstate(over="ignore"):
        assert same(np.float32(mh.jit(weighed)(a, begun)), np.float32(weighed(a, begun)))


def test_elements_that_a_loop_adds_to_may_lie_in_what_it_reads():
    def views():
        memory = np.random.default_rng(3).random((6, 6))
        return [(memory.copy(), memory.copy()), (memory, memory), (memory, memory.T), (memory[:3, :3], memory[3:])]

    for ours, theirs in zip(views(), views()):
        assert same(np.ascontiguousarray(mh.jit(projected)(*ours)), np.ascontiguousarray(projected(*theirs)))
        assert same(np.ascontiguousarray(ours[1]), np.ascontiguousarray(theirs[1]))


def test_what_was_added_before_a_failure_is_there():
    def fails(a, b):
        for i in range(len(b) + 1):
            a[0] += b[i]

    ours, theirs, b = np.zeros(2), np.zeros(2), np.arange(1.0, 10.0)
    with pytest.raises(IndexError):
        fails(theirs, b)
    with pytest.raises(IndexError):
        mh.jit(fails)(ours, b)
    assert same(ours, theirs)


def test_nothing_is_written_beside_the_answer(capfd):
    def scaled(X, Y, Z):
        for i in mh.prange(X.shape[0]):
            s = 0.0
            for k in mh.prange(X.shape[1]):
                Y[i, k] = 2 * X[i, k]
                s += Y[i, k]
            Z[i] = s

    X = np.ones((3, 5))
    Y, Z = np.zeros((3, 5)), np.zeros(3)
    mh.jit(scaled)(X, Y, Z)
    assert np.array_equal(Z, [10.0, 10.0, 10.0])
    assert capfd.readouterr() == ("", "")


def pulls(a, b, out):
    for i in range(len(out)):
        s, t, last = -0.0, 1.0, 0.0
        for k in range(i % 3, len(a), 1 + i % 2):
            square = a[k] * a[k] + 0.1
            last = b[k] / math.sqrt(square)
            s += last
            t -= last * b[k]
        out[i] = s - t + last
    return out


@pytest.mark.parametrize("length", [0, 1, 2, 63, 64, 65, 127, 128, 200, 1000])
def test_dear_sums_are_added_in_order(length):
    random = np.random.default_rng(length)
    a, b = random.normal(size=length), random.normal(size=length)
    compiled = mh.jit(pulls)
    assert same(compiled(a, b, np.zeros(5)), pulls(a, b, np.zeros(5)))
    if length > 2:
        b[1], b[2] = math.inf, -0.0
        assert same(compiled(a, b, np.zeros(5)), pulls(a, b, np.zeros(5)))


@pytest.mark.parametrize("at", [0, 63, 64, 150, 199])
def test_a_failure_within_a_dear_sum_is_the_first(at):
    def fails(a, out):
        for i in range(len(out)):
            s = 0.0
            for k in range(len(a)):
                s += 1.0 / math.sqrt(a[k])
            out[i] = s

    for value in (0.0, -1.0):
        a = np.ones(200)
        a[at], a[-1] = value, -1.0
        with pytest.raises((ValueError, ZeroDivisionError)) as theirs:
            fails(list(map(float, a)), np.zeros(2))
        with pytest.raises((ValueError, ZeroDivisionError)) as ours:
            mh.jit(fails)(a, np.zeros(2))
        assert type(ours.value) is type(theirs.value)


def forces(place, mass, force):
    for i in mh.prange(len(place)):
        fx = fy = 0.0
        for j in range(len(place)):
            dx = place[j, 0] - place[i, 0]
            dy = place[j, 1] - place[i, 1]
            square = dx * dx + dy * dy + 1e-9
            pull = mass[j] / (square * math.sqrt(square))
            fx += dx * pull
            fy += dy * pull
        force[i, 0] = fx
        force[i, 1] = fy
    return force


@pytest.mark.parametrize("length", [1, 63, 64, 65, 130])
def test_columns_within_dear_sums(length):
    random = np.random.default_rng(length)
    place, mass = random.random((length, 3)), random.random(length)
    compiled = mh.jit(forces)
    expected = forces(place, mass, np.zeros((length, 2)))
    assert same(on_all_threads(lambda: compiled(place, mass, np.zeros((length, 2)))), expected)
    wide = np.asfortranarray(place)
    assert same(compiled(wide, mass, np.zeros((length, 2))), expected)
